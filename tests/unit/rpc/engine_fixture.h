/*
 * An engine with a store of its own and sessions without sockets: what the engine's tests stand on.
 *
 * Owns: the engine, the store, one session to begin with. Every answer that it takes is held against the command
 * table, see answers.h.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "rpc/rpc.h"
#include "rpc/schema/server_limits.h"

struct cJSON;

/* For printf formats of messages. */
#define ULL unsigned long long
#define MESSAGE(method, params) "{\"method\":\"" method "\",\"params\":" params "}"
#define MESSAGE_OF(id, method, params) "{\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"

struct fixture {
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_session session; /* framing: lines */
    struct um_session other;   /* framing: headers */
    bool refuses_reload;       /* server.reload: the settings are wrong */
    unsigned shutdowns;        /* how often server.shutdown requested the end */
    unsigned works;            /* how often work was announced */
};

/* cmocka's set-up and tear-down: *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* ---- messages in ---- */

/* Feeds one message; the session must be ready for it. What is answered stays in session->out. feed_message() takes
 * it as it is (raw bytes may have to follow), send_message() as a printf format. */
void feed_message(struct um_session *session, const char *message, size_t size, uint64_t payload_size);
UM_PRINTF(2, 3)
void send_message(struct um_session *session, const char *format, ...);

/* Feeds raw bytes in pieces of at most `step`. */
void feed_payload(struct um_session *session, const void *bytes, size_t size, size_t step);

/* Feeds one message and returns what was answered as text (to be freed), "" for nothing. */
char *fixture_text(struct um_session *session, const char *message, size_t size);

/* Lets long calls and reclaiming run to their end. */
void work(struct um_rpc *rpc);

/* Sets the clock that calls wait by, and answers those whose time is up. */
void set_time(struct fixture *fixture, uint64_t now_ms);

/* ---- messages out ---- */

/* What these return is good until the test is over: nothing is deleted. */

/* Takes the first message that waits to be sent, which must be there. take_raw() also takes the raw bytes
 * behind it, of which there must be payload_size. */
struct cJSON *take(struct um_session *session);
struct cJSON *take_raw(struct um_session *session, void *payload, size_t payload_size);

/* Takes all that waits to be sent, with its raw bytes. */
void take_all(struct um_session *session);

/* As take(), and expects a result, an error's data, or a notification's params. */
struct cJSON *take_result(struct um_session *session);
struct cJSON *take_error(struct um_session *session, int code);
struct cJSON *take_notification(struct um_session *session, const char *method);

/* Expects that no message is to be sent, and no notification is pending. */
void expect_no_message(struct um_session *session);

/* ---- both ---- */

/* Feeds one message (a printf format), lets it run to its end if it takes long, and returns the first message
 * that waits then, NULL for none. */
UM_PRINTF(2, 3)
struct cJSON *call(struct um_session *session, const char *format, ...);

/* As call(), and expects a result: returns it. */
UM_PRINTF(2, 3)
struct cJSON *expect_result(struct um_session *session, const char *format, ...);

/* As call(), and expects an error of this code: returns its data. */
UM_PRINTF(3, 4)
struct cJSON *expect_error(struct um_session *session, int code, const char *format, ...);

/* A member of an object, which must be there. */
struct cJSON *member(const struct cJSON *object, const char *name);
uint64_t uint_of(const struct cJSON *object, const char *name);
const char *string_of(const struct cJSON *object, const char *name);
bool bool_of(const struct cJSON *object, const char *name);
bool is_null(const struct cJSON *object, const char *name);

/* ---- fixture_calls.c ---- */

/* A block's memory, looked up in the store: the tests of large blocks fill and check it there. */
unsigned char *block_bytes(const struct fixture *fixture, uint64_t handle);

/* Expects these bytes in a block, as hex. */
void read_hex(struct um_session *session, uint64_t block, uint64_t offset, uint64_t size, const char *hex);

/* A new block or heap, by JSON parameters. */
uint64_t new_block(struct um_session *session, const char *params);
uint64_t new_heap(struct um_session *session, const char *params);

/* Begins block.wait with these parameters as request 7, and sees that it waits; takes its answer, whose value
 * is written so. */
void begin_wait(struct um_session *session, const char *params);
void take_value(struct um_session *session, const char *value);

/* Begins a watch and returns its number; takes the notification of a change. */
uint64_t new_watch(struct um_session *session, const char *params);
void expect_changed(struct um_session *session, uint64_t watch, uint64_t block, uint64_t offset,
                    uint64_t size);

#endif
