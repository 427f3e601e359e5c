#include <unistd.h>

int use(void);

int use(void)
{
    return 0;
}
