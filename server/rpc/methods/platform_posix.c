#include <ctype.h>
#include <sys/utsname.h>

#include "rpc/methods/platform.h"

const char *um_platform_name(void)
{
    static struct utsname name;

    if (uname(&name) < 0)
        return "posix";
    for (char *c = name.sysname; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return name.sysname;
}

const char *um_platform_backend(void)
{
    return "posix";
}
