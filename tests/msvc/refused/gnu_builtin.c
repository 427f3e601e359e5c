int count(unsigned bits);

int count(unsigned bits)
{
    return __builtin_popcount(bits);
}
