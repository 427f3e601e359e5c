/*
 * Standard output: text that is gathered, and written when there is much of it or the reader waits for it.
 *
 * Owns: the bytes that are not written yet, and the first failure to write any. Must not know: what is printed.
 *
 * The C library's streams lose bytes where a descriptor is non-blocking; these wait.
 */
#ifndef UMEM_CLI_OUTPUT_H
#define UMEM_CLI_OUTPUT_H

#include <stddef.h>

#include "base/attributes.h"
#include "program/manual.h"

/* Prints text, a line (adds its end), a character, bytes, or a format as printf() has it. cli_printf() returns how many bytes
 * that is. A failure is remembered for cli_flush(). */
void cli_print(const char *text);
void cli_print_line(const char *text);
void cli_print_char(char character);
void cli_print_bytes(const void *bytes, size_t size);
UM_PRINTF(1, 2)
int cli_printf(const char *format, ...);

/* Standard output, for help and the man page. */
extern const struct um_page cli_page;

/* Writes all that was printed. Returns 0, or libuv's error where something could not be written, now or earlier. */
int cli_flush(void);

/* From now on the process ends quietly when its output has no reader any more (where the system reports that), although it prints
 * nothing. For what may last long without printing. */
void cli_exit_on_broken_pipe(void);

/* No longer: all that matters is done, and the exit status says so. */
void cli_ignore_broken_pipe(void);

#endif
