/* How sessions and the server end: in order, within a time, with nothing left open (the tear-down checks
 * that). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_fixture.h"

static const char raw_answer[] =
    "Content-Length: 50\r\nPayload-Length: "
    "8388608\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":8388608}}";

/* A client that has requested 8 MiB and reads none of them yet. */
static struct wire_client *request_much(struct fixture *fixture)
{
    struct wire_client *client = client_open(fixture, 0, true);

    wire_send(client, "{\"method\":\"block.alloc\",\"params\":{\"size\":8388608,\"name\":\"b\"}}\n");
    client_await_bytes(client, 60);
    client = client_open(fixture, 1, true);
    client->enough = sizeof raw_answer;
    wire_send_message(
        client, "{\"id\":1,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}", 0);
    client_await_bytes(client, sizeof raw_answer);
    return client;
}

static void stop_without_clients(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    fixture_stop_server(fixture);
    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    fixture_stop_server(fixture);
    client_expect_close(&fixture->clients[0]);
}

static void stop_twice(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    um_server_stop(fixture->server);
    fixture_stop_server(fixture);
}

/* The answer that is being sent still arrives whole. */
static void stop_in_the_middle_of_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture->limits.closing_ms = 100000;
    fixture_start_server(fixture);
    client = request_much(fixture);
    um_server_stop(fixture->server);
    for (int i = 0; i < 10; i++)
        fixture_run_once(fixture);
    assert_false(fixture->has_ended);
    wire_read(client);
    client_expect(client, raw_answer);
    client_await_bytes(client, 8388608);
    um_buf_truncate(&client->received, 0);
    client_expect_close(client);
}

/* A client that does not take it holds the end up for closing_ms only. */
static void stop_does_not_wait_for_ever(void **state)
{
    struct fixture *fixture = *state;

    fixture->limits.closing_ms = 1;
    fixture_start_server(fixture);
    request_much(fixture);
    fixture_stop_server(fixture);
}

/* And so does one that dies then. */
static void client_dies_while_the_server_stops(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture->limits.closing_ms = 100000;
    fixture_start_server(fixture);
    client = request_much(fixture);
    um_server_stop(fixture->server);
    wire_close(client);
    fixture_stop_server(fixture);
}

static bool has_ended(const void *what)
{
    const struct fixture *fixture = what;

    return fixture->has_ended;
}

static void shutdown_is_answered(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *other;
    struct wire_client *client;

    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    client_ping(other);
    client = client_open(fixture, 1, true);
    wire_send(client, "{\"id\":7,\"method\":\"server.shutdown\"}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n");
    client_expect_close(client);
    client_expect_close(other);
    fixture_run_until(fixture, has_ended, fixture);
}

/* A broken block of headers is answered although the client is still writing, and then the connection ends. */
static void broken_headers_end_the_session(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char *junk = calloc(1, 3 << 20);
    char line[512];

    assert_non_null(junk);
    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "Content-Length : 2\r\n\r\n{}");
    wire_send_bytes(client, junk, 3 << 20);
    free(junk);
    client_take_line(client, line, sizeof line);
    assert_memory_equal(line, "Content-Length: ", 16);
    client_take_line(client, line, sizeof line);
    client_await_bytes(client, 20);
    while (!client->is_over)
        fixture_run_once(fixture);
    assert_non_null(strstr(client->received.data, "-32700"));
    client_ping(client_open(fixture, 1, true));
}

/* A client of HTTP receives an answer in HTTP, whatever follows its request line. */
static void http_is_answered_in_http(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[512];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: "
                      "38\r\n\r\n{\"id\":1,\"method\":\"server.shutdown\"}\r\n");
    client_take_line(client, line, sizeof line);
    assert_string_equal(line, "HTTP/1.1 400 Bad Request\r");
    while (!client->is_over)
        fixture_run_once(fixture);
    assert_non_null(strstr(client->received.data, "Connection: close\r\n"));
    assert_non_null(strstr(client->received.data, "\r\n\r\nThis is umemd"));
    assert_null(strstr(client->received.data, "jsonrpc\""));
    client_ping(client_open(fixture, 1, true));
}

/* Without more input it ends by itself, too, in a moment. */
static void broken_headers_without_an_end(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "\x01");
    client_await_bytes(client, 20);
    um_buf_truncate(&client->received, 0);
    while (!client->is_over)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

static void stop_while_input_is_thrown_away(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "\x01");
    client_await_bytes(client, 20);
    fixture_stop_server(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stop_without_clients, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_twice, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_in_the_middle_of_an_answer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_does_not_wait_for_ever, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(client_dies_while_the_server_stops, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(shutdown_is_answered, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(http_is_answered_in_http, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(broken_headers_end_the_session, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(broken_headers_without_an_end, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_while_input_is_thrown_away, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
