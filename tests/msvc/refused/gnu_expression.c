int other(int number);

int other(int number)
{
    return number ?: 1;
}
