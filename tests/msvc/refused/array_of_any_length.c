int last(int count);

int last(int count)
{
    int numbers[count];

    numbers[count - 1] = count;
    return numbers[count - 1];
}
