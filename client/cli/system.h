/*
 * What files and the terminal are to the system. Text is UTF-8 on both.
 *
 * Owns: the console's code page while umem runs. Must not know: verbs.
 *
 * system_posix.c and system_win32.c keep this contract.
 */
#ifndef UMEM_CLI_SYSTEM_H
#define UMEM_CLI_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* After um_program_fill_standard_files(), before anything is printed: standard files carry bytes as they are, a console shows
 * UTF-8. */
void cli_prepare(void);

/* Whether a person looks at it. */
bool cli_is_terminal(FILE *file);

/* fopen() with a path in UTF-8; NULL leaves the reason in errno. */
FILE *cli_open_file(const char *path, const char *mode);

/* How many bytes are left to read in a file; false where it is none (a pipe, a terminal). */
bool cli_file_size(FILE *file, uint64_t *size);

#endif
