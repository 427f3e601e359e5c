/*
 * Other programs, run and waited for, and threads beside the main one.
 *
 * Owns: the program while it runs. Must not know: which program it is.
 *
 * subprocess.c does with libuv what libuv does on all systems. subprocess_posix.c and subprocess_win32.c keep the contract of
 * cli_run_command() and cli_start_thread(), which libuv cannot keep: uv_spawn() resets the signals that are ignored, under nohup
 * for example, uv_signal_t does not say where a signal comes from, and a thread of libuv receives signals.
 */
#ifndef UMEM_CLI_SUBPROCESS_H
#define UMEM_CLI_SUBPROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

/* Runs words[0] (a path, or a name that is looked for in PATH) with `words`, which end with NULL, and waits for its end, whatever
 * happens: signals that would end this process go to the program instead (HUP, INT, QUIT, TERM, USR1, USR2; Ctrl-C and the like of
 * a terminal reach it anyway), those that are ignored stay so. On Windows the same holds for the console's events, and the program
 * ends with this process. It has this program's standard files. *status is its exit status (128 and a signal's number where a
 * signal has ended it). Returns 0, or libuv's error where it was not run: UV_ENOENT where there is no such program. */
int cli_run_command(const char *const *words, int *status);

/* Runs a program, found like that, which leaves another one behind that has nothing of ours: its standard input and output
 * lead nowhere, and what it writes to standard error goes to `errors` (errors_size bytes, an end included; more is dropped). Only
 * this program is waited for, not others that keep its standard error open. Returns as cli_run_command(). */
int cli_run_launcher(const char *const *words, int *status, char *errors, size_t errors_size);

/* Writes the path of a program that lies in this program's own directory. Returns false where there is none, or it does not fit. */
bool cli_find_sibling_program(const char *name, char *path, size_t path_size);

/* Starts a thread which receives no signals: those are the main thread's. It may still be at work when the process ends.
 * Returns 0 or libuv's error. */
int cli_start_thread(void (*run)(void *context), void *context);

#endif
