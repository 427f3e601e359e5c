#include "libuv.h"

void fault_replace_libuv(void)
{
}
