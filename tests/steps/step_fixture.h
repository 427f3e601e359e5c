/*
 * An engine with many of everything, and a counter of the steps that it takes.
 *
 * Owns: the store, the engine, its sessions. Must not know: what is bounded by what.
 */
#ifndef STEP_FIXTURE_H
#define STEP_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "rpc/rpc.h"
#include "rpc/schema/server_limits.h"

enum { SESSIONS = 300 };

struct fixture {
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_session sessions[SESSIONS];
    uint64_t now_ms;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Begins another turn. */
void turn(struct fixture *fixture);

/* Feeds one message, a printf format, and forgets what is answered. */
UM_PRINTF(2, 3)
void send_message(struct um_session *session, const char *format, ...);

/* Feeds one message, which is changed, and does none of what it leaves for later turns. */
void feed_text(struct um_session *session, char *text, size_t size);

/* Feeds a batch of so many times one request. */
void send_batch(struct um_session *session, const char *request, unsigned count);

/* A member of the first answer that has it, as a number. */
UM_PRINTF(3, 4)
uint64_t number_in_answer(struct um_session *session, const char *member, const char *format, ...);

/* What is done from here on: steps, bytes of blocks and texts that are worked on, and those that are only copied. */
void count_from_here(void);
uint64_t steps_so_far(void);
uint64_t bytes_touched_so_far(void);
uint64_t bytes_copied_so_far(void);

#endif
