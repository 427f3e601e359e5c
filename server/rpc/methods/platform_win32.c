#include "rpc/methods/platform.h"

const char *um_platform_name(void)
{
    return "windows";
}

const char *um_platform_backend(void)
{
    return "win32";
}
