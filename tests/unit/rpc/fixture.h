/*
 * An engine with a store of its own and peers without sockets: what the engine's tests stand on.
 *
 * Owns: the engine, the store, one peer to begin with. Every answer that it reads is held against the command table: a
 * member or an error that the method does not declare fails the test.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdint.h>

#include "attributes.h"
#include "limits.h"
#include "rpc.h"

struct cJSON;

struct fixture {
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_peer peer;  /* framing: lines */
    struct um_peer other; /* framing: headers */
    unsigned shutdowns;   /* how often server.shutdown asked for the end */
};

/* cmocka's set-up and tear-down: *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Feeds one message and returns what was answered as text (to be freed), "" for nothing. */
char *fixture_text(struct um_peer *peer, const char *message, size_t size);

/* Feeds one message (a printf format) and returns the answer as JSON, NULL for none. It is good until the test is over: nothing
 * is deleted. */
UM_PRINTF(2, 3)
struct cJSON *ask(struct um_peer *peer, const char *format, ...);

/* As ask(), and expects a result: returns it. */
UM_PRINTF(2, 3)
struct cJSON *expect_result(struct um_peer *peer, const char *format, ...);

/* As ask(), and expects an error of this code: returns its data. */
UM_PRINTF(3, 4)
struct cJSON *expect_error(struct um_peer *peer, int code, const char *format, ...);

/* A member of an object, which must be there. */
struct cJSON *member(const struct cJSON *object, const char *name);
uint64_t uint_of(const struct cJSON *object, const char *name);
const char *string_of(const struct cJSON *object, const char *name);

/* A new block or heap, by JSON parameters. */
uint64_t new_block(struct um_peer *peer, const char *params);
uint64_t new_heap(struct um_peer *peer, const char *params);

#endif
