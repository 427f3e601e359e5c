/*
 * The engine with allocations that fail: sessions whose connections end as a session's do, and a log of all that was
 * sent.
 *
 * Owns: the log. Must not know: what is requested. The fixture and the table's checks of answers are those of
 * tests/unit/rpc.
 */
#ifndef RPC_FAULT_HARNESS_H
#define RPC_FAULT_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine_fixture.h"

struct cJSON;

enum harness_peer { LINES, HEADERS, HARNESS_PEERS }; /* the fixture's `session` and `other` */

struct harness {
    struct fixture *fixture;
    void *state; /* cmocka's, of the fixture */
    struct {
        struct um_session *session;
        char *sent; /* what has left it */
        size_t size;
        bool is_cut; /* memory ran out, and the connection ended */
    } side[HARNESS_PEERS];
};

/* A fixture whose sessions and engine have kept no memory of what was done to prepare it. */
void harness_open(struct harness *harness, void (*prepare)(struct harness *harness));

/* Closes what is open and frees the log. */
void harness_close(struct harness *harness);

/* Sees to it that the request in a message is waited for: before allocations fail. */
void harness_expect_answer(struct harness *harness, enum harness_peer peer, const char *message);

/* Sends one message and `payload_size` raw bytes, unless the connection has ended; then lets long calls come to their end, and
 * moves what is to be sent to the log, on both sides. A connection for which memory ran out is closed. */
void harness_send(struct harness *harness, enum harness_peer peer, const char *message, size_t payload_size);

/* Lets time pass: calls whose time is up are answered. */
void harness_set_time(struct harness *harness, uint64_t now_ms);

/* Has the sync end that the example's heap waits for. */
void harness_end_sync(struct harness *harness);

/* Ends a connection, as where memory ran out for it. */
void harness_disconnect(struct harness *harness, enum harness_peer peer);

/* Takes the next whole message of the log, which is checked against the command table; NULL: there is none. At its end it
 * must be at the end of a message. With allocations that succeed. */
struct cJSON *harness_take(struct harness *harness, enum harness_peer peer);

#endif
