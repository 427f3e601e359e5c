/*
 * Programs under test: started, listened to, waited for. 
 *
 * Owns: one child process and what it prints. Must not know: what the program is.
 */
#ifndef TEST_CHILD_H
#define TEST_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

enum { PROCESS_OUTPUT_SIZE = 65536 };

struct process {
    uv_loop_t loop;
    uv_process_t child;
    uv_pipe_t in;
    uv_pipe_t out;
    uv_pipe_t err;
    char output[PROCESS_OUTPUT_SIZE]; /* standard output; ends with NUL */
    char errors[PROCESS_OUTPUT_SIZE]; /* standard error; ends with NUL */
    char scratch[PROCESS_OUTPUT_SIZE];
    size_t output_size;
    size_t errors_size;
    uint64_t output_total; /* bytes of standard output, those that did not fit in `output` counted */
    int64_t status;        /* exit status, once exited */
    bool exited;
};

/* Starts args[0] with `args` (ends with NULL). `input` is written to its standard input, which is then closed; NULL: none.
 * Returns 0 or libuv's error. */
int process_start(struct process *process, const char *const *args, const char *input);

/* How a program is started beside its arguments. */
struct process_options {
    const char *input; /* is written to its standard input; NULL: none */
    bool stays_open;   /* its standard input, until process_end_input() */
};

/* As process_start(). */
int process_start_as(struct process *process, const char *const *args, const struct process_options *given);

/* Writes to its standard input, which stays open. */
void process_send(struct process *process, const char *input);

/* Closes its standard input, after what is still to be written; or the end of its standard output that the test reads. */
void process_end_input(struct process *process);
void process_close_output(struct process *process);

/* Runs until its standard output has `size` bytes. Returns whether it has; false where the program ended first. */
bool process_wait_for_output(struct process *process, size_t size);

/* Runs until its standard error holds `text`. Returns whether it does; false where the program ended first. */
bool process_wait_for(struct process *process, const char *text);

/* Takes what has come, without waiting. Returns whether it has ended. */
bool process_poll(struct process *process);

/* Ends it at once (SIGKILL, TerminateProcess), or requests its end (SIGTERM; on Windows also at once). */
void process_kill(struct process *process);
void process_terminate(struct process *process);

/* Waits until it has ended and its output is read; frees what it held. Returns its exit status. The text members stay. */
int process_finish(struct process *process);

/* Starts, waits and returns the exit status; -1 where it could not be started. */
int process_run(struct process *process, const char *const *args, const char *input);

/* A unique pipe name, in `name` (`size` bytes); pipe_name_remove() removes what was made for it. */
void pipe_name_make(char *name, size_t size);
void pipe_name_remove(const char *name);

/* Sees to it that the calling thread is not killed for writing to a pipe that its peer has closed; other threads still would be. */
void pipe_may_break(void);

#endif
