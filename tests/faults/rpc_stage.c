#include "rpc_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answers.h"
#include "arena.h"
#include "engine.h"
#include "store_state.h"

enum { STEPS_LIMIT = 10000, ROOM = 8192 };

void stage_open(struct stage *stage, void (*prepare)(struct stage *stage))
{
    *stage = (struct stage){.fixture = NULL};
    fixture_setup(&stage->state);
    stage->fixture = stage->state;
    stage->side[LINES].peer = &stage->fixture->peer;
    stage->side[HEADERS].peer = &stage->fixture->other;
    state_make_faulty(stage->fixture->store);
    if (prepare != NULL)
        prepare(stage);
    for (int i = 0; i < STAGE_PEERS; i++)
        um_buf_shrink(&stage->side[i].peer->out, 0);
    um_arena_deinit(&stage->fixture->rpc->arena);
}

void stage_close(struct stage *stage)
{
    const struct um_peer_options options = {.pid = 1};

    for (int i = 0; i < STAGE_PEERS; i++) {
        free(stage->side[i].sent);
        /* The fixture closes both. */
        if (stage->side[i].is_cut)
            assert_int_equal(um_peer_open(stage->fixture->rpc, stage->side[i].peer, &options), 0);
    }
    fixture_teardown(&stage->state);
}

void stage_note(struct stage *stage, enum stage_peer who, const char *message)
{
    answers_note(stage->side[who].peer, message, strlen(message));
}

static void append(struct stage *stage, int who, const void *bytes, size_t size)
{
    char **sent = &stage->side[who].sent;

    *sent = realloc(*sent, stage->side[who].size + size + 1);
    assert_non_null(*sent);
    if (size != 0)
        memcpy(*sent + stage->side[who].size, bytes, size);
    stage->side[who].size += size;
    (*sent)[stage->side[who].size] = '\0';
}

/* As a session sends: the answers up to the tail, the tail, the rest. */
static void send_out(struct stage *stage, int who)
{
    struct um_peer *peer = stage->side[who].peer;
    size_t head = peer->tail.bytes != NULL ? peer->tail.at : peer->out.size;

    append(stage, who, peer->out.data, head);
    if (peer->tail.bytes != NULL) {
        append(stage, who, peer->tail.bytes, peer->tail.size);
        append(stage, who, peer->out.data + head, peer->out.size - head);
        um_peer_tail_sent(peer);
    }
    um_buf_consume(&peer->out, peer->out.size);
    um_buf_shrink(&peer->out, 0);
}

void stage_cut(struct stage *stage, enum stage_peer who)
{
    stage->side[who].is_cut = true;
    um_peer_close(stage->side[who].peer);
}

static void serve_out(struct stage *stage, int who)
{
    struct um_peer *peer = stage->side[who].peer;

    if (stage->side[who].is_cut)
        return;
    if (!peer->broken)
        um_peer_notify(peer);
    send_out(stage, who);
    if (peer->broken)
        stage_cut(stage, (enum stage_peer)who);
}

static void serve_all(struct stage *stage)
{
    unsigned steps = 0;

    do {
        for (int i = 0; i < STAGE_PEERS; i++)
            serve_out(stage, i);
        assert_true(++steps < STEPS_LIMIT);
    } while (um_rpc_work(stage->fixture->rpc));
    for (int i = 0; i < STAGE_PEERS; i++)
        serve_out(stage, i);
}

static void feed(struct um_peer *peer, size_t payload_size)
{
    while (um_peer_payload_left(peer) != 0 && !peer->broken) {
        size_t room;
        char *space = um_peer_payload_space(peer, &room);

        if (room > (payload_size + 2) / 3)
            room = (payload_size + 2) / 3;
        memset(space, 'p', room);
        um_peer_payload_received(peer, room);
    }
}

void stage_tell(struct stage *stage, enum stage_peer who, const char *message, size_t payload_size)
{
    struct um_peer *peer = stage->side[who].peer;
    size_t size = strlen(message);
    char *text = malloc(size + 1);

    assert_non_null(text);
    memcpy(text, message, size);
    if (!stage->side[who].is_cut) {
        assert_true(um_peer_is_ready(peer));
        um_peer_message(peer, text, size, payload_size);
        feed(peer, payload_size);
    }
    free(text);
    serve_all(stage);
}

void stage_wait(struct stage *stage, uint64_t now_ms)
{
    um_rpc_set_time(stage->fixture->rpc, 1000, now_ms);
    um_rpc_expire(stage->fixture->rpc);
    serve_all(stage);
}

/* ---- the log ---- */

/* A header's number, up to the end of the header block. */
static size_t number_of(const char *text, const char *end, const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL && at < end ? (size_t)strtoull(at + strlen(name), NULL, 10) : 0;
}

/* How long the first message is, and where its JSON is; 0: the log ends in the middle of it. */
static size_t message_size(enum stage_peer who, const char *text, size_t size, size_t *begin, size_t *length)
{
    const char *end;

    *begin = 0;
    *length = 0;
    if (who == LINES) {
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

cJSON *stage_take(struct stage *stage, enum stage_peer who)
{
    char *text = stage->side[who].sent;
    size_t begin = 0;
    size_t length = 0;
    size_t size;
    cJSON *message;

    if (stage->side[who].size == 0)
        return NULL;
    size = message_size(who, text, stage->side[who].size, &begin, &length);
    if (size == 0 || size > stage->side[who].size)
        fail_msg("this is no whole message: %s", text);
    message = cJSON_ParseWithLength(text + begin, length);
    if (message == NULL)
        fail_msg("this is no JSON: %s", text);
    answers_check(stage->side[who].peer, message);
    stage->side[who].size -= size;
    memmove(text, text + size, stage->side[who].size + 1);
    return message;
}
