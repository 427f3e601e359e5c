#include <stdlib.h>

void *make(void);

void *make(void)
{
    return aligned_alloc(64, 64);
}
