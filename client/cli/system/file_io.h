/*
 * Standard files, bytes of other files, and the terminal. Text is UTF-8 on all systems; failures are libuv's errors.
 *
 * Owns: the console's code page and mode while umem runs. Must not know: verbs.
 *
 * Files are the C library's descriptors. Reading and writing wait also where a descriptor is non-blocking, as the program that
 * has started umem may have left it. libuv's calls do not: its streams make a descriptor non-blocking for all programs that
 * share it, and its file calls return where they would have to wait, and take a console's bytes for text in its code page. So
 * file_io_posix.c and file_io_win32.c hold what libuv cannot do, file_io.c what it can.
 */
#ifndef UMEM_CLI_FILE_IO_H
#define UMEM_CLI_FILE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_INPUT = 0, CLI_OUTPUT = 1, CLI_ERRORS = 2 /* the standard files */ };

/* ---- file_io.c ---- */

/* Whether it is a terminal or a console. */
bool cli_is_terminal(int file);

/* From now on standard input is where command lines come from, and no verb's to read. */
void cli_reserve_input(void);
bool cli_is_input_reserved(void);

/* How many bytes are left to read in a file. Returns false where that is not known: it is a pipe or a terminal, or the system
 * says 0, as it does for files that it writes while they are read (/proc). */
bool cli_file_size(int file, uint64_t *size);

/* ---- file_io_posix.c and file_io_win32.c ---- */

/* After um_program_fill_standard_files(), before anything is printed: standard files carry bytes as they are, a console shows
 * UTF-8. */
void cli_prepare_standard_files(void);

/* Has a terminal or console take colours (the escape sequences of ECMA-48). Returns false where it does not, or the environment does
 * not say that it does. */
bool cli_enable_colors(int file);

/* Where in a file the next byte is read; negative: it has no such place. */
int64_t cli_file_position(int file);

/* Reads what has come, at least one byte, and waits where nothing has. Returns how many; 0 at the end; libuv's error. A console's
 * input is UTF-8. */
long cli_read_file(int file, void *bytes, size_t size);

/* Writes all bytes, and waits where the file takes none. Returns 0 or libuv's error. */
int cli_write_file(int file, const void *bytes, size_t size);

/* Returns once standard output is a pipe without a reader, or false, perhaps at once, where the system does not report that. */
bool cli_wait_for_broken_pipe(void);

/* Ends the process as a write to such an output would have; with this status where the signal for that is ignored, or there is
 * none. */
void cli_exit_broken_pipe(int status);

#endif
