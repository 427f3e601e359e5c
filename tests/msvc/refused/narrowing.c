#include <stddef.h>
#include <stdint.h>

size_t cut(uint64_t size);

size_t cut(uint64_t size)
{
    return size;
}
