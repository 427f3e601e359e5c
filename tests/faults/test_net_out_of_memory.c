/*
 * The server on its loop where memory runs out, in our code and in libuv: each allocation between a client's coming and its
 * end fails once, alone and with all behind it. The client has its answers, or its connection ends; the server lives on and
 * serves the next one, and at the end nothing is leaked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_libuv.h"
#include "failing_malloc.h"
#include "net/listener/listener.h"
#include "server_fixture.h"
#include "umem_errors.h"
#include "wire/frame.h"

enum {
    TURNS_WITHOUT_MEMORY = 20, /* of the loop */
    NTH_LIMIT = 10000          /* a conversation with more allocations never ends */
};

static unsigned long injected;

/* The requests of a client, and the number of answers that it then has. */
struct conversation {
    const char *name;
    const char *text;
    unsigned answers;
    bool is_half_closed;
};

static const struct conversation conversations[] = {
    {"ping", "{\"id\":1,\"method\":\"server.ping\"}\n", 1, false},
    {"blocks",
     "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":100000,\"lifetime\":\"session\",\"name\":"
     "\"x\"}}\n"
     "{\"id\":2,\"method\":\"block.read\",\"params\":[\"x\"]}\n"
     "{\"id\":3,\"method\":\"block.resize\",\"params\":[\"x\",3000000]}\n"
     "{\"id\":4,\"method\":\"block.fill\",\"params\":[\"x\",1]}\n"
     "{\"id\":5,\"method\":\"block.read\",\"params\":[\"x\"]}\n",
     5, false},
    {"watch and wait",
     "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":8,\"lifetime\":\"session\",\"name\":\"x\"}}\n"
     "{\"id\":2,\"method\":\"session.watch\"}\n"
     "{\"id\":3,\"method\":\"block.wait\",\"params\":{\"block\":\"x\",\"offset\":0,\"value\":0,\"timeout_"
     "ms\":1}}\n"
     "{\"id\":4,\"method\":\"block.wait\",\"params\":{\"block\":\"x\",\"offset\":0,\"value\":0,\"timeout_"
     "ms\":1}}\n"
     "{\"id\":5,\"method\":\"block.add\",\"params\":[\"x\",0,1]}\n",
     5, false},
    {"an end",
     "{\"id\":1,\"method\":\"server.ping\"}\n{\"id\":2,\"method\":\"session.close\",\"params\":[0]}", 1,
     true},
    {"nonsense", "Content-Length: 5\r\n\r\n{\"id\"nonsense", 1, false},
    {NULL, NULL, 0, false},
};

struct awaited {
    const struct wire_client *client;
    unsigned answers;
};

static bool is_served(const void *what)
{
    const struct awaited *awaited = what;
    const struct um_buf *received = &awaited->client->received;
    unsigned answers = 0;
    const char *at = received->size != 0 ? strstr(received->data, "\"id\":") : NULL;

    for (; at != NULL; at = strstr(at + 1, "\"id\":"))
        answers++;
    return answers >= awaited->answers || awaited->client->is_over || awaited->client->has_failed;
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status;
}

/* A client's own buffer is not the server's: it is allocated before memory runs out. */
static void allocate_buffer(struct wire_client *client)
{
    assert_non_null(um_buf_reserve(&client->received, 5000000));
}

static void converse(struct fixture *fixture, const struct conversation *conversation, unsigned long nth,
                     bool and_all_after)
{
    struct awaited awaited = {&fixture->clients[1], conversation->answers};
    uv_shutdown_t shutdown;
    struct wire_client *client;

    fault_arm(nth, and_all_after);
    client = client_open(fixture, 1, false);
    fault_pause();
    allocate_buffer(client);
    fault_go_on();
    wire_read(client);
    wire_send(client, conversation->text);
    if (conversation->is_half_closed)
        uv_shutdown(&shutdown, (uv_stream_t *)&client->pipe, on_shut);
    for (int i = 0; i < TURNS_WITHOUT_MEMORY; i++)
        fixture_run_once(fixture);
    if (and_all_after)
        fault_pause();
    fixture_run_until(fixture, is_served, &awaited);
    wire_close(client);
}

static bool is_client_closed(const void *what)
{
    return ((const struct wire_client *)what)->is_closed;
}

static bool play(struct fixture *fixture, const struct conversation *conversation, unsigned long nth,
                 bool and_all_after)
{
    unsigned long failed;

    converse(fixture, conversation, nth, and_all_after);
    fixture_run_until(fixture, is_client_closed, &fixture->clients[1]);
    failed = fault_disarm();
    injected += failed != 0;
    client_ping(client_open(fixture, 2, true));
    wire_close(&fixture->clients[2]);
    fixture_run_until(fixture, is_client_closed, &fixture->clients[2]);
    return failed != 0;
}

/* A new server for each: the first client finds nothing made by an earlier one. */
static bool play_anew(const struct conversation *conversation, unsigned long nth, bool and_all_after)
{
    void *state;
    long live = fault_live();
    bool has_failed;

    fixture_setup(&state);
    fixture_start_server(state);
    has_failed = play(state, conversation, nth, and_all_after);
    fixture_teardown(&state);
    if (fault_live() != live)
        fail_msg("%s at allocation %lu: %ld pieces of memory were leaked", conversation->name, nth,
                 fault_live() - live);
    return has_failed;
}

static void test_every_conversation(void **state)
{
    (void)state;
    for (size_t i = 0; conversations[i].name != NULL; i++) {
        for (int and_all_after = 0; and_all_after <= 1; and_all_after++) {
            unsigned long nth = 1;

            while (play_anew(&conversations[i], nth, and_all_after != 0))
                assert_true(++nth < NTH_LIMIT);
        }
    }
    print_message("%lu failures injected\n", injected);
}

/* ---- the start ---- */

static void on_log(void *context, enum um_log_severity severity, const char *text)
{
    (void)context;
    (void)severity;
    (void)text;
}

static void on_ended(void *context)
{
    struct fixture *fixture = context;

    fixture->server = NULL;
    fixture->has_ended = true;
}

static int start(struct fixture *fixture, char *why)
{
    const struct um_server_options options = {
        .pipe = fixture->path,
        .limits = &fixture->limits,
        .version = "1.2.3",
        .seed = 42,
        .context = fixture,
        .log = on_log,
        .ended = on_ended,
    };

    return um_server_start(&fixture->loop, &options, &fixture->server, why);
}

/* A server that cannot start reports it and leaves nothing behind: the next one has the same pipe. */
static void test_the_start(void **state)
{
    unsigned long nth = 0;
    unsigned long failed;

    (void)state;
    injected = 0;
    do {
        char why[UM_SERVER_WHY_CAPACITY] = "";
        struct fixture *fixture;
        void *made;
        long live = fault_live();
        int code;

        fixture_setup(&made);
        fixture = made;
        um_listener_reserve(&fixture->loop, fixture->limits.sessions + fixture->limits.shared_heaps);
        fixture_run_once(fixture);
        fault_arm(++nth, false);
        code = start(fixture, why);
        failed = fault_disarm();
        injected += failed;
        assert_int_equal(code != UMEM_OK, why[0] != '\0');
        for (int i = 0; i < TURNS_WITHOUT_MEMORY; i++)
            fixture_run_once(fixture);
        if (code != UMEM_OK) {
            assert_null(fixture->server);
            assert_int_equal(start(fixture, why), UMEM_OK);
        }
        client_ping(client_open(fixture, 0, true));
        fixture_teardown(&made);
        assert_int_equal(fault_live(), live);
    } while (failed != 0);
    print_message("%lu failures injected\n", injected);
}

/* ---- a long message ---- */

/* Where there is no memory to read as much as might have come, what has come is kept all the same, if there is memory for that. */
static void test_space_behind_a_message(void **state)
{
    enum { BEGUN = 4096, REST = 100 }; /* it fills its memory */
    char piece[BEGUN];
    struct um_frame_message message;
    struct um_frame frame;
    size_t capacity = 0;

    (void)state;
    memset(piece, '[', sizeof piece);
    um_frame_init(&frame, 10 * BEGUN, 0);
    assert_int_equal(um_frame_feed(&frame, piece, BEGUN), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MORE);
    assert_int_equal(um_frame_keep(&frame), UMEM_OK);
    fault_arm(1, false);
    assert_null(um_frame_reserve(&frame, 1, &capacity));
    assert_int_equal(fault_disarm(), 1);
    piece[REST - 1] = '\n';
    assert_int_equal(um_frame_feed(&frame, piece, REST), UMEM_OK);
    assert_int_equal(um_frame_next(&frame, &message), UM_FRAME_MESSAGE);
    assert_int_equal(message.size, BEGUN + REST - 1);
    um_frame_deinit(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_conversation),
        cmocka_unit_test(test_the_start),
        cmocka_unit_test(test_space_behind_a_message),
    };

    fault_replace_libuv();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
