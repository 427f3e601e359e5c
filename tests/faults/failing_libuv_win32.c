#include "failing_libuv.h"

void fault_replace_libuv(void)
{
}
