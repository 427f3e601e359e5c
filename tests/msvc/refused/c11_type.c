#include <stddef.h>

size_t measure(void);

size_t measure(void)
{
    return sizeof(max_align_t);
}
