/*
 * A daemon that answers by a script, rightly or wrongly: what a client must withstand.
 *
 * Owns: a thread with a loop and a listening pipe of its own. Must not know: JSON, which clients connect.
 *
 * For each message that arrives (with headers, and its payload), on whatever connection, it takes the script's next
 * step. After the last one it is silent.
 */
#ifndef TEST_FAKE_DAEMON_H
#define TEST_FAKE_DAEMON_H

#include <stddef.h>

#include <uv.h>

enum { FAKE_RECEIVED_SIZE = 65536 };

struct fake_step {
    const char *text;    /* each line is sent as a message with headers; NULL: nothing */
    const char *payload; /* raw bytes that follow the last of them; NULL: none */
    size_t repeat;       /* how often all of it, one after the other; 0: once */
    int as_it_is;        /* the text is sent without headers */
    int hang_up;         /* then the connection is closed */
};

struct fake_daemon {
    char pipe[128]; /* where it listens */
    uv_thread_t thread;
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_async_t stop;
    const struct fake_step *steps;
    size_t step_count;
    size_t next; /* the step that the next message takes */
    char received
        [FAKE_RECEIVED_SIZE]; /* what has arrived, its first bytes; to be looked at once it is stopped; ends with NUL */
    size_t received_size;
};

/* Starts one; it listens when this returns. The steps must live until it is stopped. */
void fake_daemon_start(struct fake_daemon *daemon, const struct fake_step *steps, size_t step_count);

/* Closes all connections and ends it. */
void fake_daemon_stop(struct fake_daemon *daemon);

#endif
