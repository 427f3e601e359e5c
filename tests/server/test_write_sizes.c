/* How much of an answer the system is given at one time, to a client that reads slowly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/connection.h"
#include "net/server_state.h"
#include "server_fixture.h"

enum {
    BLOCK_SIZE = 8 << 20,
    UNDER_WAY_MAX = 1 << 20,             /* bytes of one write that waits */
    IN_PIPE_MAX = UNDER_WAY_MAX + 65536, /* with what a pipe of Windows keeps before it makes a writer wait */
    TURNS = 50,                          /* without an event, until all stands still */
};

/* The only session of the server. */
static struct um_connection *session_of(const struct fixture *fixture)
{
    return UM_LIST_ITEM(fixture->server->connections.all.next, struct um_connection, in_all);
}

static size_t bytes_in_progress(const struct fixture *fixture)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&session_of(fixture)->pipe);
}

/* Requests a block's bytes and shows that they are passed to the system piece by piece, until all have come. */
static void expect_pieces(struct fixture *fixture, const char *encoding, size_t answer_size)
{
    struct wire_client *client;
    char text[256];
    size_t most = 0;

    fixture->limits.unsent_bytes = 64 << 20;
    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    snprintf(text, sizeof text,
             "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":%d,\"name\":\"b\"}}", BLOCK_SIZE);
    wire_send_message(client, text, 0);
    client_take_message(client, text, sizeof text);
    uv_read_stop((uv_stream_t *)&client->pipe);
    snprintf(text, sizeof text,
             "{\"id\":2,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"%s\"}}",
             encoding);
    wire_send_message(client, text, 0);
    while (bytes_in_progress(fixture) == 0)
        fixture_run_once(fixture);
    for (int i = 0; i < TURNS; i++) {
        fixture_run_once(fixture);
        assert_in_range(bytes_in_progress(fixture), 1, UNDER_WAY_MAX);
        assert_in_range(fixture_unread_bytes(client), 1, IN_PIPE_MAX);
    }
    wire_read(client);
    while (client->received.size < answer_size) {
        fixture_run_once(fixture);
        if (bytes_in_progress(fixture) > most)
            most = bytes_in_progress(fixture);
    }
    assert_in_range(most, 1, UNDER_WAY_MAX);
    wire_close(client);
}

static void raw_bytes_are_written_in_pieces(void **state)
{
    expect_pieces(*state, "raw", BLOCK_SIZE);
}

static void an_answer_in_text_is_written_in_pieces(void **state)
{
    expect_pieces(*state, "base64", BLOCK_SIZE / 3 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(raw_bytes_are_written_in_pieces, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_answer_in_text_is_written_in_pieces, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
