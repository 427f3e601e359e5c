/*
 * What files and the terminal are to the system. Text is UTF-8 on both.
 *
 * Owns: the console's code page while umem runs. Must not know: verbs.
 *
 * system_posix.c and system_win32.c keep this contract. Files are the C library's descriptors on both systems. Reading and
 * writing wait where the descriptor itself does not: whoever has started umem may have left it non-blocking.
 */
#ifndef UMEM_CLI_SYSTEM_H
#define UMEM_CLI_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_INPUT = 0, CLI_OUTPUT = 1, CLI_ERRORS = 2 /* the standard files */ };

/* After um_program_fill_standard_files(), before anything is printed: standard files carry bytes as they are, a console shows
 * UTF-8. */
void cli_prepare_standard_files(void);

/* Whether a person looks at it. */
bool cli_is_terminal(int file);

/* Opens a file to be read; `path` is UTF-8. Returns -1 with the reason in errno. */
int cli_open_file(const char *path);

/* Closes a file that is none of the standard ones; -1 is fine. */
void cli_close_file(int file);

/* How many bytes are left to read in a file. Returns false where nobody can tell: it is a pipe or a terminal, or the system
 * says 0, as it does for files that it writes while they are read (/proc). */
bool cli_file_size(int file, uint64_t *size);

/* Reads what has come, at least one byte, and waits where nothing has. Returns how many; 0 at the end; -1 with the reason in
 * errno. A console's input is UTF-8. */
long cli_read_file(int file, void *bytes, size_t room);

/* Writes all bytes, and waits where the file takes none. Returns false with the reason in errno. */
bool cli_write_file(int file, const void *bytes, size_t size);

/* Returns once nobody can read any more what is written to standard output, or false, perhaps at once, where the system does not
 * tell that. */
bool cli_wait_for_broken_pipe(void);

/* Ends the process as a write to an output that nobody reads would have. */
void cli_exit_broken_pipe(void);

#endif
