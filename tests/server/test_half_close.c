/* Clients that end their sending and still wait for answers. Windows' pipes have no such thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_fixture.h"

static void on_shut_down(uv_shutdown_t *request, int status)
{
    (void)status;
    free(request);
}

/* Ends the client's writing, after what is being written. */
static void half_close(struct wire_client *client)
{
    uv_shutdown_t *request = malloc(sizeof *request);

    assert_non_null(request);
    assert_int_equal(uv_shutdown(request, (uv_stream_t *)&client->pipe, on_shut_down), 0);
}

static void half_close_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "{\"id\":1,\"method\":\"server.ping\"}\n{\"id\":2,\"method\":\"server.ping\"}");
    half_close(client);
    client_expect(
        client,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
    client_expect_close(client);
}

/* More than one turn's requests, more answers than the limit of what may wait, and a client that reads
 * late. */
static void half_close_with_much_to_answer(void **state)
{
    enum { REQUESTS = 2000 };
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[128];

    fixture->limits.turn_requests = 3;
    fixture->limits.unsent_bytes = 1024;
    fixture_start_server(fixture);
    client = client_open(fixture, 0, false);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(line, sizeof line, "{\"id\":%d,\"method\":\"server.ping\"}\n", i);
        wire_send(client, line);
    }
    half_close(client);
    for (int i = 0; i < 100; i++)
        fixture_run_once(fixture);
    wire_read(client);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{}}\n", i);
        client_expect(client, line);
    }
    client_expect_close(client);
}

static void cut_header_message_is_not_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "Content-Length: 100\r\n\r\n{\"id\":1,\"method\":\"server.ping\"}");
    half_close(client);
    client_expect_close(client);
}

/* A payload that the client's end cuts off: what has come stays in the block, as when the client dies. */
static void cut_payload_is_not_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *client;
    char line[256];

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    client = client_open(fixture, 1, true);
    wire_send_message(
        client, "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}", 4);
    wire_send(client, "ab");
    half_close(client);
    client_expect_close(client);
    wire_send(other, "{\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"hex\"}}\n");
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":4,\"data\":\"61620000\"}}\n");
    /* That of a request which was refused: the error was due before it. */
    client = client_open(fixture, 2, true);
    wire_send_message(client, "{nonsense}", 9000);
    wire_send(client, "ab");
    half_close(client);
    client_take_message(client, line, sizeof line);
    assert_non_null(strstr(line, "-32700"));
    client_expect_close(client);
}

static void broken_headers_and_half_close(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "Content-Length : 2\r\n\r\n");
    half_close(client);
    while (!client->is_over)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_non_null(strstr(client->received.data, "-32700"));
}

/* ---- calls that wait ---- */

static void make_block(struct wire_client *client, const char *name)
{
    char text[256];

    snprintf(text, sizeof text, "{\"method\":\"block.alloc\",\"params\":{\"size\":8,\"name\":\"%s\"}}\n",
             name);
    wire_send(client, text);
    client_take_line(client, text, sizeof text);
    assert_non_null(strstr(text, "\"result\""));
}

/* Whether so many sessions are open, this one counted. */
static bool has_sessions(struct wire_client *client, int count)
{
    char line[4096];
    char key[64];

    wire_send(client, "{\"method\":\"server.stats\"}\n");
    client_take_line(client, line, sizeof line);
    snprintf(key, sizeof key, "\"sessions\":%d,", count);
    return strstr(line, key) != NULL;
}

static void await_sessions(struct wire_client *client, int count)
{
    while (!has_sessions(client, count))
        fixture_run_once(fixture_of(client));
}

/* Like printf | socat: it has sent all, and waits for what comes. */
static void a_waiting_call_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    client = client_open(fixture, 1, true);
    make_block(other, "n");
    wire_send(client, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n"
                      "{\"id\":2,\"method\":\"block.wait\",\"params\":[\"n\",4,0,\"u8\"]}\n"
                      "{\"id\":3,\"method\":\"server.ping\"}");
    half_close(client);
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n");
    for (int i = 0; i < 10; i++)
        client_ping(other);
    assert_false(client->is_over);
    wire_send(other, "{\"method\":\"block.set\",\"params\":[\"n\",0,[5]]}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"value\":5}}\n");
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":1}}\n");
    /* As long as one waits, it stays. */
    client_ping(other);
    assert_false(client->is_over);
    wire_send(other, "{\"method\":\"block.set\",\"params\":[\"n\",4,[6]]}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"value\":6}}\n");
    client_expect_close(client);
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":1}}\n");
    await_sessions(other, 1);
}

static void a_waiting_call_runs_out_of_time(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[512];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    make_block(client, "n");
    wire_send(client, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"i64\",10]}\n");
    half_close(client);
    client_take_line(client, line, sizeof line);
    assert_non_null(strstr(line, "\"timeout\""));
    client_expect_close(client);
}

/* A long call, too: what takes its time is answered, and what came behind it. */
static void a_long_call_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[512];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "{\"method\":\"block.alloc\",\"params\":{\"size\":5000000,\"name\":\"b\"}}\n"
                      "{\"id\":1,\"method\":\"block.fill\",\"params\":[\"b\",1]}\n"
                      "{\"id\":2,\"method\":\"block.find\",\"params\":[\"b\",\"AA==\"]}\n"
                      "{\"id\":3,\"method\":\"server.ping\"}");
    half_close(client);
    client_take_line(client, line, sizeof line);
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":5000000}}\n"
                          "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"offset\":null}}\n"
                          "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n");
    client_expect_close(client);
}

/* A client that disconnects looks the same at first; its session ends nevertheless, and its locks and holds with it. */
static void one_that_dies_does_not_linger(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    make_block(other, "n");
    client = client_open(fixture, 1, true);
    wire_send(client, "{\"method\":\"heap.lock\",\"params\":[\"process\"]}\n"
                      "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
    wire_close(client);
    await_sessions(other, 1);
    wire_send(other, "{\"method\":\"block.set\",\"params\":[\"n\",0,[5]]}\n");
    client_expect(other, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"size\":1}}\n");

    /* And one that half-closes first. */
    client = client_open(fixture, 2, true);
    wire_send(client, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,5]}\n"
                      "{\"id\":2,\"method\":\"server.ping\"}\n");
    half_close(client);
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
    assert_true(has_sessions(other, 2));
    wire_close(client);
    await_sessions(other, 1);
}

/* A watch alone keeps no session open, since no answer is pending. But beside a pending call it is notified. */
static void watches_of_a_half_closed_client(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct wire_client *other;
    char line[512];

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    make_block(other, "n");
    client = client_open(fixture, 1, true);
    wire_send(client, "{\"method\":\"session.watch\"}\n");
    half_close(client);
    client_take_line(client, line, sizeof line);
    client_expect_close(client);
    client = client_open(fixture, 2, true);
    wire_send(client, "{\"method\":\"session.watch\"}\n"
                      "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0,\"u8\"]}\n");
    half_close(client);
    client_take_line(client, line, sizeof line);
    wire_send(other, "{\"method\":\"block.set\",\"params\":[\"n\",1,[5]]}\n");
    client_take_line(client, line, sizeof line);
    assert_non_null(strstr(line, "block.changed"));
    wire_send(other, "{\"method\":\"block.set\",\"params\":[\"n\",0,[5]]}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"value\":5}}\n");
}

/* It can be closed by others, and the server ends without waiting for it. */
static void a_half_closed_session_ends_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *clients[2];
    struct wire_client *other;

    fixture_start_server(fixture);
    other = client_open(fixture, 2, true);
    make_block(other, "n");
    for (unsigned i = 0; i < 2; i++) {
        clients[i] = client_open(fixture, i, true);
        wire_send(clients[i], "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"n\",0,0]}\n"
                              "{\"id\":2,\"method\":\"server.ping\"}\n");
        half_close(clients[i]);
        client_expect(clients[i], "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
    }
    wire_send(other, "{\"method\":\"session.close\",\"params\":[2]}\n");
    client_expect_close(clients[0]);
    fixture_stop_server(fixture);
    client_expect_close(clients[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(half_close_is_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(half_close_with_much_to_answer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(cut_header_message_is_not_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(cut_payload_is_not_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(broken_headers_and_half_close, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_waiting_call_is_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_waiting_call_runs_out_of_time, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_long_call_is_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_that_dies_does_not_linger, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(watches_of_a_half_closed_client, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_half_closed_session_ends_in_order, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
