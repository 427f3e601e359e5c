/*
 * A umemd with a state directory of the test's own, which may be killed and started again.
 *
 * Owns: the process, and a temporary directory. Must not know: what the test keeps there.
 */
#ifndef TEST_DURABLE_H
#define TEST_DURABLE_H

#include "daemon_fixture.h"

struct place {
    struct daemon daemon;
    struct process other; /* for whatever else the test runs */
    char folder[512];     /* a temporary directory */
    char state[600];      /* in it */
};

/* cmocka's set-up and tear-down: *state is a struct place, of which no daemon runs. */
int durable_set_up(void **state);
int durable_tear_down(void **state);

/* Begins to start a daemon; durable_await() waits until it listens. */
void durable_begin(struct place *place, const char *sync);
void durable_await(struct place *place);

/* Both. */
void durable_start(struct place *place, const char *sync);

/* Ends it at once. */
void durable_kill(struct place *place);

/* A client of it that connects anew for so long; 0: never. */
umem_client *durable_connect(const struct place *place, uint32_t reconnect_ms);

/* A durable heap of 64 KiB, and on it a block with the bytes "hello". A name may be NULL. */
umem_handle durable_make_heap(umem_client *client, const char *name);
umem_handle durable_make_block(umem_client *client, umem_handle heap, const char *name);

/* That these are still there. */
void durable_expect_hello(umem_client *client, umem_handle block);

#endif
