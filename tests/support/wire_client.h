/*
 * A connection to a daemon without the client library: bytes as they are, for what no library would send, and for what
 * must be read to the letter.
 *
 * Owns: a pipe on its host's loop, and the received bytes. Must not know: which daemon listens, what is sent, how a
 * test fails.
 *
 * The functions that wait run the host's loop. The host fails the test where nothing happens for too long.
 */
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/buf.h"

/* The user of clients: its loop, and how it waits and fails. */
struct wire_host {
    uv_loop_t *loop;
    /* Runs the loop until `holds(what)`. */
    void (*run_until)(struct wire_host *host, bool (*holds)(const void *what), const void *what);
    /* Ends the test or the program. */
    void (*fail)(struct wire_host *host, const char *reason);
};

/* A host with a loop of its own, for tests without one: it waits without end, and a failure ends the program. */
struct wire_loop {
    struct wire_host host;
    uv_loop_t loop;
};

void wire_loop_open(struct wire_loop *loop);

/* Runs the loop until all clients on it are closed, for which wire_close() was called. */
void wire_loop_close(struct wire_loop *loop);

struct wire_client {
    struct wire_host *host;
    uv_pipe_t pipe;
    uv_connect_t connecting;
    struct um_buf received; /* what came and was not taken yet; a NUL follows it, which is not counted */
    size_t enough;          /* stops reading when so many bytes are there, 0: never */
    size_t unwritten;       /* writes that are in progress */
    bool has_tried;         /* connecting has succeeded or failed */
    bool is_connected;
    bool is_over;    /* the daemon has closed, or reading failed */
    bool has_failed; /* a write failed */
    bool is_closed;  /* or was never opened */
};

/* ---- the connection ---- */

/* Begins to connect; wire_connect() also waits, and returns whether it has connected. The client does not read. */
void wire_begin_connect(struct wire_client *client, struct wire_host *host, const char *path);
bool wire_connect(struct wire_client *client, struct wire_host *host, const char *path);

/* Makes a client of a connected socket of the system's. It does not read. */
void wire_adopt(struct wire_client *client, struct wire_host *host, uv_file socket);

/* Reads from now on; reads no more. Both may be called twice. */
void wire_read(struct wire_client *client);
void wire_stop_reading(struct wire_client *client);

/* Closes as a client that dies does, and does not wait: then `is_closed` is set. Received bytes are freed. */
void wire_close(struct wire_client *client);

/* ---- sending; nothing waits ---- */

/* Sends bytes (they are copied), or text. */
void wire_send_bytes(struct wire_client *client, const void *bytes, size_t size);
void wire_send(struct wire_client *client, const char *text);

/* Sends one message with headers; `payload_size` raw bytes are to follow. */
void wire_send_message(struct wire_client *client, const char *text, size_t payload_size);

/* ---- receiving ---- */

/* These wait until so many bytes, a line, the end have come, or until the daemon has ended the connection. Return whether they have. */
bool wire_await_bytes(struct wire_client *client, size_t size);
bool wire_await_line(struct wire_client *client, size_t *length);
void wire_await_end(struct wire_client *client);

/* Waits until what was sent has left this side. */
void wire_await_written(struct wire_client *client);

/* Takes so many bytes. False: the daemon has ended the connection. */
bool wire_take(struct wire_client *client, void *bytes, size_t size);

/* Takes a line, without its end, or the text of a message with headers, of which *payload_size raw bytes follow (NULL: of no interest).
 * Ends with NUL; the caller frees it. NULL: the daemon has ended the connection. */
char *wire_take_line(struct wire_client *client);
char *wire_take_message(struct wire_client *client, size_t *payload_size);

#endif
