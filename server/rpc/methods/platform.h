/*
 * What the system is called.
 *
 * Owns: two names. Must not know: anything else.
 */
#ifndef UM_PLATFORM_H
#define UM_PLATFORM_H

/* "windows", "linux", ...; static. */
const char *um_platform_name(void);

/* What private heaps are made of: "win32" or "posix"; static. */
const char *um_platform_backend(void);

#endif
