__attribute__((noinline)) int same(int number);

int same(int number)
{
    return number;
}
