/*
 * Sessions that do anything at any time, for many steps: every request is answered once and as its method declares,
 * nothing is left behind, and under the sanitizers no freed memory is touched. A step that fails is found again by its
 * seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer_schema.h"
#include "engine_fixture.h"

enum { SESSIONS = 5, STEPS = 3000, SEEDS = 12, TEXT_SIZE = 8192 };

struct run {
    struct fixture *fixture;
    struct um_session sessions[SESSIONS];
    uint64_t random;
    uint64_t now_ms;
    unsigned last_id; /* of a request: each has its own, so that an answer is taken for the right one */
};

static unsigned draw(struct run *run, unsigned below)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (unsigned)(run->random >> 20) % below;
}

/* ---- requests ---- */

/* A dollar and a letter stand for something drawn: see write_word(). */
static const char *const requests[][2] = {
    {"server.ping", "[]"},
    {"server.stats", "[]"},
    {"server.info", "[]"},
    {"heap.create", "{\"name\":$H,\"maximum_size\":$L,\"lifetime\":$l}"},
    {"heap.create", "{\"name\":$H,\"lifetime\":$l}"},
    {"heap.list", "[]"},
    {"heap.info", "[$H]"},
    {"heap.validate", "[$H]"},
    {"heap.validate", "{\"block\":$B}"},
    {"heap.compact", "[$H]"},
    {"heap.flush", "[$H]"},
    {"heap.lock", "[$H]"},
    {"heap.lock", "[$H,$T]"},
    {"heap.lock", "[$H,$T]"},
    {"heap.unlock", "[$H]"},
    {"heap.unlock", "[$H]"},
    {"heap.unlock", "[$H]"},
    {"heap.destroy", "[$H]"},
    {"block.alloc", "{\"size\":$S,\"name\":$B,\"heap\":$H,\"lifetime\":$l}"},
    {"block.alloc", "{\"size\":$S,\"name\":$B,\"heap\":$H}"},
    {"block.alloc", "{\"size\":$L,\"name\":$B,\"heap\":$H}"},
    {"block.alloc", "{\"size\":$S,\"name\":$B}"},
    {"block.alloc", "{\"size\":$L,\"name\":$B}"},
    {"block.resize", "[$B,$S]"},
    {"block.resize", "[$B,$L]"},
    {"block.info", "[$B]"},
    {"block.list", "[]"},
    {"block.list", "{\"heap\":$H,\"limit\":2}"},
    {"block.at", "[$L]"},
    {"block.change", "{\"block\":$B,\"lifetime\":$l}"},
    {"block.change", "[$B,$B]"},
    {"block.read", "[$B,$S,$S]"},
    {"block.read", "[$B,0,null,\"raw\"]"},
    {"block.read", "[$B,0,$S,\"raw\"]"},
    {"block.write", "[$B,\"AQIDBA==\",$S]"},
    {"block.get", "[$B,$S,$t,$S]"},
    {"block.set", "[$B,$S,[$y,$y],$t]"},
    {"block.fill", "[$B,$y]"},
    {"block.fill", "[$B,$y,$S]"},
    {"block.copy", "[$B,$B]"},
    {"block.copy", "[$B,$B,$S,$S,$L]"},
    {"block.copy", "[$B,$B,$S,$S,$S]"},
    {"block.compare", "[$B,$B]"},
    {"block.find", "[$B,\"AQID\"]"},
    {"block.add", "[$B,$S,1,$t]"},
    {"block.exchange", "[$B,0,$y,$y,$t]"},
    {"block.wait", "[$B,0,$y,\"u8\",$T]"},
    {"block.wait", "[$B,0,0,\"u8\",$T]"},
    {"block.wait", "[$B,$S,0,$t]"},
    {"block.hold", "[$B]"},
    {"block.release", "[$B]"},
    {"block.free", "[$B]"},
    {"block.free", "[$B,true]"},
    {"session.info", "[]"},
    {"session.list", "[]"},
    {"session.watch", "[]"},
    {"session.watch", "[$H]"},
    {"session.watch", "{\"block\":$B}"},
    {"session.watch", "{\"block\":$B,\"offset\":$S,\"size\":$S}"},
    {"session.unwatch", "[$y]"},
    {"$/cancelRequest", "[$i]"},
    {"$/cancelRequest", "[$i]"},
};

enum { REQUESTS = sizeof requests / sizeof requests[0] };

static void append(char *text, const char *more)
{
    assert_true(strlen(text) + strlen(more) < TEXT_SIZE);
    strcat(text, more);
}

static void write_word(struct run *run, char letter, char *text)
{
    static const char *const types[] = {"\"u8\"", "\"i16\"", "\"i64\"", "\"f32\"", "\"u32\""};
    static const char *const heaps[] = {"\"process\"", "\"h\"", "\"g\"", "\"h\""};
    char word[32] = "";

    switch (letter) {
    case 'B':
        snprintf(word, sizeof word, "\"b%u\"", draw(run, 5));
        break;
    case 'H':
        snprintf(word, sizeof word, "%s", heaps[draw(run, 4)]);
        break;
    case 'S': /* small: an offset, a size, a count */
        snprintf(word, sizeof word, "%u", draw(run, 4) == 0 ? draw(run, 200) : draw(run, 24));
        break;
    case 'L': /* large */
        snprintf(word, sizeof word, "%u", 1000000 + draw(run, 2000000));
        break;
    case 'y':
        snprintf(word, sizeof word, "%u", draw(run, 4));
        break;
    case 'i':
        snprintf(word, sizeof word, "%u", run->last_id - draw(run, 30));
        break;
    case 'T':
        snprintf(word, sizeof word, "%u", draw(run, 60));
        break;
    case 't':
        snprintf(word, sizeof word, "%s", types[draw(run, 5)]);
        break;
    default:
        snprintf(word, sizeof word, "%s", draw(run, 3) == 0 ? "\"session\"" : "\"server\"");
        break;
    }
    append(text, word);
}

/* Adds a request to `text`: one in eight is a notification. */
static void write_request(struct run *run, char *text)
{
    unsigned which = draw(run, REQUESTS);
    char piece[128];

    if (draw(run, 8) == 0)
        snprintf(piece, sizeof piece,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":", requests[which][0]);
    else
        snprintf(piece, sizeof piece, "{\"id\":%u,\"method\":\"%s\",\"params\":", ++run->last_id,
                 requests[which][0]);
    append(text, piece);
    for (const char *at = requests[which][1]; *at != '\0'; at++) {
        if (*at == '$') {
            write_word(run, *++at, text);
        } else {
            snprintf(piece, sizeof piece, "%c", *at);
            append(text, piece);
        }
    }
    append(text, "}");
}

/* A raw write, which takes `size` bytes. */
static void write_raw(struct run *run, char *text, unsigned size)
{
    char piece[128];

    snprintf(piece, sizeof piece,
             "{\"id\":%u,\"method\":\"block.write\",\"params\":[\"b%u\",null,%u,\"raw\",%u]}", ++run->last_id,
             draw(run, 5), draw(run, 24), size);
    append(text, piece);
}

/* ---- steps ---- */

static void send_one_message(struct run *run, struct um_session *session)
{
    bool may_be_raw = session->framing == UM_FRAMING_HEADERS;
    char text[TEXT_SIZE] = "";
    unsigned payload = 0;
    unsigned count = draw(run, 4) == 0 ? 1 + draw(run, 7) : 0;

    if (count == 0 && may_be_raw && draw(run, 6) == 0) {
        payload = 1 + draw(run, 30);
        write_raw(run, text, payload);
    } else if (count == 0) {
        write_request(run, text);
    } else {
        append(text, "[");
        for (unsigned i = 0; i < count; i++) {
            unsigned size = draw(run, 20);

            append(text, i == 0 ? "" : ",");
            if (!may_be_raw || draw(run, 3) != 0) {
                write_request(run, text);
            } else {
                write_raw(run, text, size);
                payload += size;
            }
        }
        append(text, "]");
    }
    feed_message(session, text, strlen(text), payload);
}

static void open_peer(struct run *run, unsigned index)
{
    struct um_session_options options = {.pid = 5 + index, .program = "p", .user = "u"};

    assert_int_equal(um_session_open(run->fixture->rpc, &run->sessions[index], &options), UMEM_OK);
    run->sessions[index].framing = index % 2 == 0 ? UM_FRAMING_LINES : UM_FRAMING_HEADERS;
}

static void close_peer(struct run *run, unsigned index)
{
    answers_forget_session(&run->sessions[index]);
    um_session_close(&run->sessions[index]);
}

static void step(struct run *run)
{
    unsigned index = draw(run, SESSIONS);
    struct um_session *session = &run->sessions[index];
    unsigned what = draw(run, 100);
    static const char bytes[8] = "\1\2\3\4\1\2\3\4";

    if (what == 0) {
        close_peer(run, index);
        open_peer(run, index);
    } else if (what < 10) {
        um_rpc_work(run->fixture->rpc);
    } else if (what < 13) {
        run->now_ms += draw(run, 20);
        set_time(run->fixture, run->now_ms);
    } else if (what < 25) {
        um_watch_notify(session);
        take_all(session);
    } else if (um_payload_left(session) != 0) {
        uint64_t left = um_payload_left(session);

        feed_payload(session, bytes, left < 8 ? (size_t)left : 1 + draw(run, 8), 8);
    } else if (um_session_is_ready(session)) {
        send_one_message(run, session);
    }
}

/* All that can end does: then every request has been answered. */
static void finish(struct run *run)
{
    static const char zeros[32];

    for (unsigned i = 0; i < SESSIONS; i++) {
        while (um_payload_left(&run->sessions[i]) != 0)
            feed_payload(&run->sessions[i], zeros, 1, 1);
    }
    work(run->fixture->rpc);
    set_time(run->fixture, UINT64_MAX - 1);
    for (unsigned i = 0; i < SESSIONS; i++) {
        um_watch_notify(&run->sessions[i]);
        take_all(&run->sessions[i]);
        assert_true(um_session_is_ready(&run->sessions[i]));
        /* What still waits has no timeout: some of it are notifications, which are not counted here. */
        assert_true(answers_missing(&run->sessions[i]) <= run->sessions[i].pending_count);
    }
    for (unsigned i = 0; i < SESSIONS; i++)
        close_peer(run, i);
    work(run->fixture->rpc);
    assert_true(um_rpc_next_deadline(run->fixture->rpc) == UINT64_MAX);
}

static void test_anything_at_any_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct run run = {.last_id = 100, .random = seed * UINT64_C(0x9e3779b97f4a7c15)};
        void *made;

        fixture_setup(&made);
        run.fixture = made;
        run.fixture->limits.waits = 6;
        run.fixture->limits.watches = 6;
        for (unsigned i = 0; i < SESSIONS; i++)
            open_peer(&run, i);
        for (int i = 0; i < STEPS; i++)
            step(&run);
        finish(&run);
        fixture_teardown(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anything_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
