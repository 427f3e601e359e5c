/*
 * The engine with allocations that fail: peers whose connections end as a session's do, and a log of all that was sent.
 *
 * Owns: the log. Must not know: what is asked. The fixture and the table's checks of answers are those of tests/unit/rpc.
 */
#ifndef FAULT_RPC_STAGE_H
#define FAULT_RPC_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "fixture.h"

struct cJSON;

enum stage_peer { LINES, HEADERS, STAGE_PEERS }; /* the fixture's `peer` and `other` */

struct stage {
    struct fixture *fixture;
    void *state; /* cmocka's, of the fixture */
    struct {
        struct um_peer *peer;
        char *sent; /* what has left it */
        size_t size;
        bool is_cut; /* memory ran out, and the connection ended */
    } side[STAGE_PEERS];
};

/* A fixture whose peers and engine have kept no memory of what was done to prepare it. */
void stage_open(struct stage *stage, void (*prepare)(struct stage *stage));

/* Closes what is open and frees the log. */
void stage_close(struct stage *stage);

/* Sees to it that the request in a message is waited for: before allocations fail. */
void stage_note(struct stage *stage, enum stage_peer who, const char *message);

/* Sends one message and `payload_size` raw bytes, unless the connection has ended; then lets long calls come to their end, and
 * moves what is to be sent to the log, on both sides. A connection for which memory ran out is closed. */
void stage_tell(struct stage *stage, enum stage_peer who, const char *message, size_t payload_size);

/* Lets time pass: calls whose time is up are answered. */
void stage_wait(struct stage *stage, uint64_t now_ms);

/* Ends a connection, as where memory ran out for it. */
void stage_cut(struct stage *stage, enum stage_peer who);

/* Takes the next whole message of the log, which is checked against the command table; NULL: there is none. At its end it
 * must be at the end of a message. With allocations that succeed. */
struct cJSON *stage_take(struct stage *stage, enum stage_peer who);

#endif
