/*
 * A connection of a worker without the client library: for clients that do wrong on purpose, stop in the middle, or do
 * not read.
 *
 * Owns: a loop of its own, and the connection on it (wire_client.h). Must not know: what is sent.
 *
 * Every function that waits fails the soak where nothing comes for minutes. A daemon that ends the connection is no
 * failure here: the functions report it.
 */
#ifndef RAW_CLIENT_H
#define RAW_CLIENT_H

#include <uv.h>

#include "soak.h"
#include "wire_client.h"

struct raw {
    struct wire_client wire;
    struct wire_host host;
    struct soak *soak;
    uv_loop_t loop;
    uv_timer_t timer;
    bool has_rung; /* the timer has */
};

/* Connects, and reads. False: the daemon has no place for it. */
bool raw_open(struct raw *raw, struct soak *soak);
void raw_close(struct raw *raw);

/* Lets the loop turn for so long, as a client that is slow does. */
void raw_pause(struct raw *raw, unsigned ms);

/* Takes a line, and requires it to be the result of the request of that id. False: this connection was refused. */
bool raw_expect_result(struct raw *raw, int id);

/* Takes a line, and requires it to be an answer with that error; 0: with any answer. */
void raw_expect_error(struct raw *raw, int code);

/* Requires a text to be one answer, or an array of them, with that error in it (0: anything). */
void raw_check_answer(struct soak *soak, const char *text, int code);

#endif
