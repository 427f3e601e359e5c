/*
 * A connection without the client library: for clients that do wrong on purpose, stop in the middle, or do not read.
 *
 * Owns: a loop and a pipe of its own, what has come. Must not know: what is sent.
 *
 * Every function that waits fails the soak where nothing comes for minutes. A daemon that ends the connection is no failure here: the
 * functions tell it.
 */
#ifndef RAW_H
#define RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "soak.h"

struct raw {
    struct soak *soak;
    uv_loop_t loop;
    uv_pipe_t pipe;
    uv_connect_t connecting;
    uv_timer_t timer;
    char *received; /* what came and was not taken yet */
    size_t size;
    size_t capacity;
    size_t unwritten; /* writes that are under way */
    bool is_connected;
    bool is_reading;
    bool is_over;  /* the daemon has ended it */
    bool has_rung; /* the timer has */
};

/* Connects. False: the daemon has no place for it. */
bool raw_open(struct raw *raw, struct soak *soak);
void raw_close(struct raw *raw);

/* Sends; does not wait until it is taken. */
void raw_send(struct raw *raw, const void *bytes, size_t size);
void raw_send_text(struct raw *raw, const char *text);

/* A message with headers, and the announcement of `payload_size` raw bytes. */
void raw_send_message(struct raw *raw, const char *text, size_t payload_size);

/* Reads no more; reads again. */
void raw_stop_reading(struct raw *raw);
void raw_read(struct raw *raw);

/* Lets the loop turn for so long, as a client that is slow does. */
void raw_pause(struct raw *raw, unsigned ms);

/* Waits for a line (text: its end is a NUL). NULL: the daemon has ended the connection. The caller frees it. */
char *raw_take_line(struct raw *raw);

/* Waits for so many bytes and takes them. False: the daemon has ended the connection. */
bool raw_take(struct raw *raw, void *bytes, size_t size);

/* Waits for a message with headers and takes its text; *payload_size raw bytes follow. The caller frees it. */
char *raw_take_message(struct raw *raw, size_t *payload_size);

/* Takes a line, and requires it to be the result of the request of that id. False: this connection was refused. */
bool raw_expect_result(struct raw *raw, int id);

/* Takes a line, and requires it to be an answer with that error; 0: with any answer. */
void raw_expect_error(struct raw *raw, int code);

/* Waits until the daemon has ended the connection. */
void raw_expect_end(struct raw *raw);

/* Requires a text to be one answer, or an array of them, with that error in it (0: anything). */
void raw_check_answer(struct soak *soak, const char *text, int code);

#endif
