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

#include "world.h"

static const char raw_answer[] =
    "Content-Length: 50\r\nPayload-Length: "
    "8388608\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":8388608}}";

/* A client that has asked for 8 MiB and reads none of them yet. */
static struct client *ask_for_much(struct world *world)
{
    struct client *client = client_open(world, 0, true);

    client_send(client, "{\"method\":\"block.alloc\",\"params\":{\"size\":8388608,\"name\":\"b\"}}\n");
    client_await_bytes(client, 60);
    client = client_open(world, 1, true);
    client->enough = sizeof raw_answer;
    client_send_message(
        client, "{\"id\":1,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\"}}", 0);
    client_await_bytes(client, sizeof raw_answer);
    return client;
}

static void stop_without_clients(void **state)
{
    struct world *world = *state;

    world_start(world);
    world_stop(world);
    world_start(world);
    client_ping(client_open(world, 0, true));
    world_stop(world);
    client_expect_end(&world->clients[0]);
}

static void stop_twice(void **state)
{
    struct world *world = *state;

    world_start(world);
    client_ping(client_open(world, 0, true));
    um_server_stop(world->server);
    world_stop(world);
}

/* The answer that is under way still arrives whole. */
static void stop_in_the_middle_of_an_answer(void **state)
{
    struct world *world = *state;
    struct client *client;

    world->limits.closing_ms = 100000;
    world_start(world);
    client = ask_for_much(world);
    um_server_stop(world->server);
    for (int i = 0; i < 10; i++)
        world_turn(world);
    assert_false(world->has_ended);
    client_read(client);
    client_expect(client, raw_answer);
    client_await_bytes(client, 8388608);
    um_buf_truncate(&client->received, 0);
    client_expect_end(client);
}

/* A client that does not take it holds the end up for closing_ms only. */
static void stop_does_not_wait_for_ever(void **state)
{
    struct world *world = *state;

    world->limits.closing_ms = 1;
    world_start(world);
    ask_for_much(world);
    world_stop(world);
}

/* And so does one that dies then. */
static void client_dies_while_the_server_stops(void **state)
{
    struct world *world = *state;
    struct client *client;

    world->limits.closing_ms = 100000;
    world_start(world);
    client = ask_for_much(world);
    um_server_stop(world->server);
    client_close(client);
    world_stop(world);
}

static bool has_ended(const void *what)
{
    const struct world *world = what;

    return world->has_ended;
}

static void shutdown_is_answered(void **state)
{
    struct world *world = *state;
    struct client *other;
    struct client *client;

    world_start(world);
    other = client_open(world, 0, true);
    client_ping(other);
    client = client_open(world, 1, true);
    client_send(client, "{\"id\":7,\"method\":\"server.shutdown\"}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n");
    client_expect_end(client);
    client_expect_end(other);
    world_run_until(world, has_ended, world);
}

/* A broken block of headers is answered although the client goes on writing, and then the connection ends. */
static void broken_headers_end_the_session(void **state)
{
    struct world *world = *state;
    struct client *client;
    char *junk = calloc(1, 3 << 20);
    char line[512];

    assert_non_null(junk);
    world_start(world);
    client = client_open(world, 0, true);
    client_send(client, "Content-Length : 2\r\n\r\n{}");
    client_send_bytes(client, junk, 3 << 20);
    free(junk);
    client_take_line(client, line, sizeof line);
    assert_memory_equal(line, "Content-Length: ", 16);
    client_take_line(client, line, sizeof line);
    client_await_bytes(client, 20);
    while (!client->is_over)
        world_turn(world);
    assert_non_null(strstr(client->received.data, "-32700"));
    client_ping(client_open(world, 1, true));
}

/* A client of HTTP is told so in HTTP, whatever it sends behind its request line. */
static void http_is_answered_in_http(void **state)
{
    struct world *world = *state;
    struct client *client;
    char line[512];

    world_start(world);
    client = client_open(world, 0, true);
    client_send(client, "POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: "
                        "38\r\n\r\n{\"id\":1,\"method\":\"server.shutdown\"}\r\n");
    client_take_line(client, line, sizeof line);
    assert_string_equal(line, "HTTP/1.1 400 Bad Request\r");
    while (!client->is_over)
        world_turn(world);
    assert_non_null(strstr(client->received.data, "Connection: close\r\n"));
    assert_non_null(strstr(client->received.data, "\r\n\r\nThis is umemd"));
    assert_null(strstr(client->received.data, "jsonrpc\""));
    client_ping(client_open(world, 1, true));
}

/* Without more input it ends by itself, too, in a moment. */
static void broken_headers_and_silence(void **state)
{
    struct world *world = *state;
    struct client *client;

    world_start(world);
    client = client_open(world, 0, true);
    client_send(client, "\x01");
    client_await_bytes(client, 20);
    um_buf_truncate(&client->received, 0);
    while (!client->is_over)
        uv_run(&world->loop, UV_RUN_ONCE);
}

static void stop_while_input_is_thrown_away(void **state)
{
    struct world *world = *state;
    struct client *client;

    world_start(world);
    client = client_open(world, 0, true);
    client_send(client, "\x01");
    client_await_bytes(client, 20);
    world_stop(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stop_without_clients, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(stop_twice, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(stop_in_the_middle_of_an_answer, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(stop_does_not_wait_for_ever, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(client_dies_while_the_server_stops, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(shutdown_is_answered, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(http_is_answered_in_http, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(broken_headers_end_the_session, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(broken_headers_and_silence, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(stop_while_input_is_thrown_away, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
