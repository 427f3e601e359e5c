/*
 * Other programs: run and waited for.
 *
 * Owns: the child while it runs. Must not know: which program it is.
 *
 * child_posix.c and child_win32.c keep this contract.
 */
#ifndef UMEM_CLI_CHILD_H
#define UMEM_CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CLI_CHILD_NOT_FOUND = -1,     /* there is no such program */
    CLI_CHILD_NOT_EXECUTABLE = -2 /* it cannot be run */
};

/* Runs words[0] (a path, or a name that is looked for in PATH) with `words`, which end with NULL, and waits for its end, whatever
 * happens: signals that would end this process go to the program instead (HUP, INT, QUIT, TERM, USR1, USR2; Ctrl-C and the like of a
 * terminal reach it anyway), those that are ignored stay so. On Windows the same holds for the console's events, and who ends this
 * process ends the program. It has this program's standard files. Returns its exit status (128 and a signal's number where a signal has
 * ended it), or one of CLI_CHILD_* with the reason in errno. */
int cli_run_command(const char *const *words);

/* Runs a program, found like that, which leaves another one behind that has nothing of ours: its standard input and output
 * lead nowhere, and what it writes to standard error goes to `said` (`room` bytes, an end counted; more is dropped). Only this
 * program is waited for, not who else keeps its standard error open. */
int cli_run_launcher(const char *const *words, char *said, size_t room);

/* Sets a variable in the environment that children get. */
void cli_set_environment(const char *name, const char *value);

/* Writes the path of a program that lies in this program's own directory. Returns false where there is none,
 * or it does not fit. */
bool cli_find_sibling_program(const char *name, char *path, size_t room);

/* Lets time pass. */
void cli_pause_ms(unsigned milliseconds);

#endif
