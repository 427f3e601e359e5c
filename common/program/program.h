/*
 * What a program does before anything else, whichever of the two it is.
 *
 * Owns: the standard files' numbers, and the command line as UTF-8. Must not know: what the program is for.
 *
 * program_posix.c and program_win32.c keep this contract.
 */
#ifndef UM_PROGRAM_H
#define UM_PROGRAM_H

#include <stdbool.h>

/* Opens the null device as each of the descriptors 0 to 2 that the starter has left closed, so that nothing
 * else receives its number (a socket, say, to which messages would be printed). It is opened the wrong way
 * round: reading from a standard input that was closed, or writing to such an output, still fails. The first
 * call in main(). False where the system has no null device; then the program should end. */
bool um_program_fill_standard_files(void);

/* The command line as UTF-8, which argv is not on Windows; lives as long as the process. Returns argv where it is that already,
 * or where memory runs out. */
char **um_program_arguments(int *count, char **arguments);

#endif
