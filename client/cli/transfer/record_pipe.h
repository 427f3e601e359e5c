/*
 * The pipe of umem record's own: for this user's programs only.
 *
 * Owns: its name on the system. Must not know: what goes over it.
 */
#ifndef UMEM_CLI_RECORD_PIPE_H
#define UMEM_CLI_RECORD_PIPE_H

#include <stdbool.h>

#include <uv.h>

enum { CLI_RECORD_PIPE_SIZE = 256 };

/* Makes up a name that nobody can guess, where only this user gets in. Returns 0 or libuv's error. */
int cli_record_pipe_name(char path[CLI_RECORD_PIPE_SIZE]);

/* Whether a client is a program of this user's. */
bool cli_record_pipe_is_own(const uv_pipe_t *client);

/* Whether a client that sends no more has closed altogether. Where the system cannot tell the two apart, it has. */
bool cli_record_pipe_is_gone(const uv_pipe_t *client);

/* Removes what was made for the name, after the pipe is closed. */
void cli_record_pipe_remove(const char *path);

#endif
