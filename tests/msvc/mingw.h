/* Read before every source by cmake/analyze-msvc, with mingw-w64's headers: they know Microsoft's compiler of old, but leave some things
 * to gcc, or put them where that one does not take them. Those that follow are made nothing of. */
#include <_mingw.h>
#include <math.h>

/* clang's own headers of instructions need it. */
#undef __attribute__

#undef __MINGW_ATTRIB_NORETURN
#define __MINGW_ATTRIB_NORETURN
#undef __MINGW_ATTRIB_DEPRECATED
#define __MINGW_ATTRIB_DEPRECATED
#undef __MINGW_ATTRIB_MALLOC
#define __MINGW_ATTRIB_MALLOC
#undef __MINGW_NOTHROW
#define __MINGW_NOTHROW

/* A constant, as in Microsoft's math.h. */
#undef INFINITY
#define INFINITY ((float)(1e300 * 1e300))
