/*
 * A second thread, and standard input and output without the C library's buffers and locks.
 *
 * Owns: one thread, one lock. Must not know: what is carried.
 *
 * thread_posix.c and thread_win32.c keep this contract. The thread may still be in cli_read_input() when the
 * process ends.
 */
#ifndef UMEM_CLI_THREAD_H
#define UMEM_CLI_THREAD_H

#include <stdbool.h>
#include <stddef.h>

/* Starts a thread that nobody waits for. Returns false where there can be none. */
bool cli_thread_start(void (*run)(void *context), void *context);

/* The one lock. Not to be taken twice. */
void cli_lock(void);
void cli_unlock(void);

/* Reads what has come, at least one byte, and waits where nothing has. Returns how many; 0 at the end; -1
 * after an error. A console's input is UTF-8. */
long cli_read_input(void *bytes, size_t room);

/* Writes all bytes. Returns false where standard output takes no more. */
bool cli_write_output(const void *bytes, size_t size);

#endif
