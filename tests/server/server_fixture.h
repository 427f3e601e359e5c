/*
 * A server and its clients on one loop in one process, for tests.
 *
 * Owns: the loop, the server, the clients, a unique pipe path. Must not know: what is tested.
 *
 * Nothing sleeps. fixture_run_until() turns the loop until a condition is true, and fails the test after a time that
 * only a hang reaches.
 */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/buf.h"
#include "net/server.h"
#include "wire/endpoint.h"
#include "wire_client.h"

enum { FIXTURE_CLIENTS = 256 };

struct fixture {
    struct wire_host host; /* the clients' */
    uv_loop_t loop;
    uv_timer_t watchdog;
    struct um_limits limits; /* for the server: change them before fixture_start_server() */
    bool limits_are_set;     /* the test has set them */
    struct um_server *server;
    bool has_ended; /* the server has */
    struct wire_client clients[FIXTURE_CLIENTS];
    char path[UM_ENDPOINT_CAPACITY]; /* of the pipe */
    char place[128];                 /* the directory of the path, where there is one */
    unsigned warnings;               /* notes of the server that were warnings */
    unsigned opened;                 /* sessions that have opened, as of the last turn */
    unsigned closed;                 /* those of them that have closed */
};

/* cmocka's: make a fixture without a server, and check at its end that everything was closed. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_start_server(struct fixture *fixture);

/* Stops the server and turns the loop until it has ended. */
void fixture_stop_server(struct fixture *fixture);

/* Turns the loop until the condition holds for `what`. */
void fixture_run_until(struct fixture *fixture, bool (*holds)(const void *what), const void *what);

/* Turns the loop once, waiting for nothing. */
void fixture_run_once(struct fixture *fixture);

/* ---- clients: those of wire_client.h, which fail the test where the server closes instead ---- */

/* Whose client it is. */
struct fixture *fixture_of(const struct wire_client *client);

/* Makes a client of a connected socket of the system's. It reads. */
struct wire_client *client_adopt(struct fixture *fixture, unsigned index, uv_file socket);

/* Connects a client that reads; `reads` false: one that does not until wire_read(). Returns once it is
 * connected. */
struct wire_client *client_open(struct fixture *fixture, unsigned index, bool reads);

/* Turns the loop until what was sent has left this side, and the server has most likely read it. `other` is a
 * client of lines, which is served in between. */
void client_flush(struct wire_client *client, struct wire_client *other);

/* Turns the loop until `size` bytes have come. */
void client_await_bytes(struct wire_client *client, size_t size);

/* Turns the loop until exactly this text has come; then it is taken. */
void client_expect(struct wire_client *client, const char *text);

/* Turns the loop until a line has come, and takes it into `line`, without its end. */
void client_take_line(struct wire_client *client, char *line, size_t capacity);

/* Turns the loop until a message with headers has come, and takes its text into `text`. A payload stays. */
void client_take_message(struct wire_client *client, char *text, size_t capacity);

/* Turns the loop until the server has closed, or refused to be written to, with nothing left to be taken. */
void client_expect_close(struct wire_client *client);

/* Sends server.ping and expects its answer: the server lives and serves this client. */
void client_ping(struct wire_client *client);

/* ---- server_fixture_posix.c, server_fixture_win32.c ---- */

/* POSIX: lets another process connect `count` clients, from `first` on, and does not turn the loop: the server finds all of them at
 * one time, and as that process'. They read, and are used as other clients are. */
void fixture_connect_from_child(struct fixture *fixture, unsigned first, unsigned count);

/* Makes a unique path for a pipe; removes what is left of it. */
void fixture_make_directory(struct fixture *fixture);
void fixture_remove_directory(struct fixture *fixture);

/* Bytes that the system keeps for the client, which it has not read. */
size_t fixture_unread_bytes(const struct wire_client *client);

#endif
