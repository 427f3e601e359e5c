/*
 * Threads beside the main one.
 *
 * Owns: the threads, one lock. Must not know: what they do.
 *
 * thread_posix.c and thread_win32.c keep this contract. A thread may still be at work when the process ends.
 */
#ifndef UMEM_CLI_THREAD_H
#define UMEM_CLI_THREAD_H

#include <stdbool.h>

/* Starts a thread that nobody waits for. Returns false where there can be none. */
bool cli_thread_start(void (*run)(void *context), void *context);

/* The one lock. Not to be taken twice. */
void cli_lock(void);
void cli_unlock(void);

#endif
