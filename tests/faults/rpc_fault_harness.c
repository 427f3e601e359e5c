#include "rpc_fault_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answer_schema.h"
#include "base/arena.h"
#include "method_examples.h"
#include "rpc/call/engine_state.h"
#include "store_dump.h"

enum { STEPS_LIMIT = 10000, CAPACITY = 8192 };

void harness_open(struct harness *harness, void (*prepare)(struct harness *harness))
{
    *harness = (struct harness){.fixture = NULL};
    fixture_setup(&harness->state);
    harness->fixture = harness->state;
    harness->side[LINES].session = &harness->fixture->session;
    harness->side[HEADERS].session = &harness->fixture->other;
    state_make_faulty(harness->fixture->store);
    if (prepare != NULL)
        prepare(harness);
    for (int i = 0; i < HARNESS_PEERS; i++)
        um_buf_shrink(&harness->side[i].session->out, 0);
    um_arena_deinit(&harness->fixture->rpc->arena);
}

void harness_close(struct harness *harness)
{
    const struct um_session_options options = {.pid = 1};

    for (int i = 0; i < HARNESS_PEERS; i++) {
        free(harness->side[i].sent);
        /* The fixture closes both. */
        if (harness->side[i].is_cut)
            assert_int_equal(um_session_open(harness->fixture->rpc, harness->side[i].session, &options), 0);
    }
    fixture_teardown(&harness->state);
}

void harness_expect_answer(struct harness *harness, enum harness_peer peer, const char *message)
{
    answers_note(harness->side[peer].session, message, strlen(message));
}

static void append(struct harness *harness, int peer, const void *bytes, size_t size)
{
    char **sent = &harness->side[peer].sent;

    *sent = realloc(*sent, harness->side[peer].size + size + 1);
    assert_non_null(*sent);
    if (size != 0)
        memcpy(*sent + harness->side[peer].size, bytes, size);
    harness->side[peer].size += size;
    (*sent)[harness->side[peer].size] = '\0';
}

/* As a session sends: the answers up to the tail, the tail, the remaining answers. */
static void send_out(struct harness *harness, int peer)
{
    struct um_session *session = harness->side[peer].session;
    size_t head = session->tail.bytes != NULL ? session->tail.at : session->out.size;

    append(harness, peer, session->out.data, head);
    if (session->tail.bytes != NULL) {
        append(harness, peer, session->tail.bytes, session->tail.size);
        append(harness, peer, session->out.data + head, session->out.size - head);
        um_session_tail_sent(session);
    }
    um_buf_consume(&session->out, session->out.size);
    um_buf_shrink(&session->out, 0);
}

void harness_disconnect(struct harness *harness, enum harness_peer peer)
{
    harness->side[peer].is_cut = true;
    um_session_close(harness->side[peer].session);
}

static void serve_out(struct harness *harness, int peer)
{
    struct um_session *session = harness->side[peer].session;

    if (harness->side[peer].is_cut)
        return;
    if (!session->broken)
        um_watch_notify(session);
    if (um_session_tells_of_changes(session))
        um_session_fail_changes(session);
    send_out(harness, peer);
    um_session_forget_changes(session);
    if (session->broken)
        harness_disconnect(harness, (enum harness_peer)peer);
}

static void serve_all(struct harness *harness)
{
    unsigned steps = 0;

    do {
        for (int i = 0; i < HARNESS_PEERS; i++)
            serve_out(harness, i);
        assert_true(++steps < STEPS_LIMIT);
    } while (um_rpc_work(harness->fixture->rpc));
    for (int i = 0; i < HARNESS_PEERS; i++)
        serve_out(harness, i);
}

static void feed(struct um_session *session, size_t payload_size)
{
    while (um_payload_left(session) != 0 && !session->broken) {
        size_t size;
        char *space = um_payload_reserve(session, &size);

        if (size > (payload_size + 2) / 3)
            size = (payload_size + 2) / 3;
        memset(space, 'p', size);
        um_payload_commit(session, size);
    }
}

void harness_send(struct harness *harness, enum harness_peer peer, const char *message, size_t payload_size)
{
    struct um_session *session = harness->side[peer].session;
    size_t size = strlen(message);
    char *text = malloc(size + 1);

    assert_non_null(text);
    memcpy(text, message, size);
    if (!harness->side[peer].is_cut) {
        assert_true(um_session_is_ready(session));
        um_dispatch_message(session, text, size, payload_size);
        feed(session, payload_size);
    }
    free(text);
    serve_all(harness);
}

void harness_set_time(struct harness *harness, uint64_t now_ms)
{
    um_rpc_set_time(harness->fixture->rpc, 1000, now_ms);
    um_rpc_expire(harness->fixture->rpc);
    serve_all(harness);
}

void harness_end_sync(struct harness *harness)
{
    end_sync(harness->fixture);
    serve_all(harness);
}

/* ---- the log ---- */

/* A header's number, up to the end of the header block. */
static size_t number_of(const char *text, const char *end, const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL && at < end ? (size_t)strtoull(at + strlen(name), NULL, 10) : 0;
}

/* How long the first message is, and where its JSON is; 0: the log ends in the middle of it. */
static size_t message_size(enum harness_peer peer, const char *text, size_t size, size_t *begin,
                           size_t *length)
{
    const char *end;

    *begin = 0;
    *length = 0;
    if (peer == LINES) {
        end = memchr(text, '\n', size);
        *length = end != NULL ? (size_t)(end - text) : 0;
        return end != NULL ? *length + 1 : 0;
    }
    end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return 0;
    *begin = (size_t)(end - text) + 4;
    *length = number_of(text, end, "Content-Length: ");
    return *begin + *length + number_of(text, end, "Payload-Length: ");
}

cJSON *harness_take(struct harness *harness, enum harness_peer peer)
{
    char *text = harness->side[peer].sent;
    size_t begin = 0;
    size_t length = 0;
    size_t size;
    cJSON *message;

    if (harness->side[peer].size == 0)
        return NULL;
    size = message_size(peer, text, harness->side[peer].size, &begin, &length);
    if (size == 0 || size > harness->side[peer].size)
        fail_msg("this is no whole message: %s", text);
    message = cJSON_ParseWithLength(text + begin, length);
    if (message == NULL)
        fail_msg("this is no JSON: %s", text);
    answers_check(harness->side[peer].session, message);
    harness->side[peer].size -= size;
    memmove(text, text + size, harness->side[peer].size + 1);
    return message;
}
