/*
 * Text for Windows' own functions, which take UTF-16 (Windows only).
 *
 * Owns: nothing. Must not know: what the text is for.
 */
#ifndef UMEM_CLI_WIDE_H
#define UMEM_CLI_WIDE_H

#include <wchar.h>

/* UTF-8 as UTF-16, to be freed; NULL where it is not UTF-8, or there is no memory. */
wchar_t *cli_utf16_from_utf8(const char *text);

#endif
