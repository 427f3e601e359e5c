/* What a client receives: answers, in order, however its bytes arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server_fixture.h"

static void ping(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    client_ping(&fixture->clients[0]);
}

static void many_requests_in_one_write(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    struct um_buf text;
    char line[128];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    um_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 5000; i++) {
        snprintf(line, sizeof line, "{\"id\":%d,\"method\":\"server.ping\"}\n", i);
        assert_true(um_buf_append_string(&text, line));
    }
    wire_send_bytes(client, text.data, text.size);
    um_buf_deinit(&text);
    for (int i = 0; i < 5000; i++) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{}}\n", i);
        client_expect(client, line);
    }
}

static void bytes_one_at_a_time(void **state)
{
    static const char lines[] =
        "\xEF\xBB\xBF \n{\"id\":1,\"method\":\"server.ping\"}\r\n{\"id\":2,\"method\":\"server.ping\"}\n";
    static const char headers[] = "Content-Length: 31\r\n\r\n{\"id\":3,\"method\":\"server.ping\"}";
    struct fixture *fixture = *state;
    struct wire_client *client;

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    for (size_t i = 0; i < sizeof lines - 1; i++) {
        wire_send_bytes(client, lines + i, 1);
        fixture_run_once(fixture);
    }
    client_expect(
        client,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");

    client = client_open(fixture, 1, true);
    for (size_t i = 0; i < sizeof headers - 1; i++) {
        wire_send_bytes(client, headers + i, 1);
        fixture_run_once(fixture);
    }
    client_expect(client, "Content-Length: 36\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}");
}

static void bad_messages_leave_the_connection(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[1024];
    char long_line[3000];

    fixture->limits.message_bytes = 1024;
    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    wire_send(client, "{nonsense}\n");
    client_take_line(client, line, sizeof line);
    assert_non_null(strstr(line, "-32700"));
    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "{", 1);
    memcpy(long_line + sizeof long_line - 1, "\n", 1);
    wire_send_bytes(client, long_line, sizeof long_line);
    client_take_line(client, line, sizeof line);
    assert_non_null(strstr(line, "too_large"));
    client_ping(client);

    /* The first message of all is too large: the answer has headers nevertheless. */
    client = client_open(fixture, 1, true);
    wire_send(client, "Content-Length: 2000\r\n\r\n");
    wire_send_bytes(client, long_line, 2000);
    wire_send(client, "Content-Length: 31\r\n\r\n{\"id\":3,\"method\":\"server.ping\"}");
    client_take_line(client, line, sizeof line);
    assert_memory_equal(line, "Content-Length: ", 16);
    client_take_line(client, line, sizeof line);
    client_await_bytes(client, 100);
    assert_non_null(strstr(client->received.data, "too_large"));
}

/* Makes a block and returns its handle. */
static unsigned long long make_block(struct wire_client *client, size_t size)
{
    char text[128];
    const char *handle;

    snprintf(text, sizeof text, "{\"method\":\"block.alloc\",\"params\":{\"size\":%zu}}", size);
    wire_send_message(client, text, 0);
    client_take_line(client, text, sizeof text);
    client_take_line(client, text, sizeof text);
    client_await_bytes(client, 40);
    handle = strstr(client->received.data, "\"block\":");
    assert_non_null(handle);
    return strtoull(handle + 8, NULL, 10);
}

static void take_all(struct wire_client *client)
{
    um_buf_truncate(&client->received, 0);
}

/* Raw bytes into a block in pieces of `step` bytes, and out again, with other requests in front and
 * behind. */
static void raw_bytes(struct fixture *fixture, size_t size, size_t step)
{
    struct wire_client *client = client_open(fixture, 0, true);
    unsigned char *bytes = malloc(size);
    unsigned long long block;
    char text[256];
    char expected[512];

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 251);
    block = make_block(client, size);
    take_all(client);

    snprintf(text, sizeof text,
             "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}", block);
    wire_send_message(client, text, size);
    for (size_t at = 0; at < size; at += step)
        wire_send_bytes(client, bytes + at, step < size - at ? step : size - at);
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":%zu}}", size);
    snprintf(expected, sizeof expected, "Content-Length: %zu\r\n\r\n%s", strlen(text), text);
    client_expect(client, expected);

    snprintf(text, sizeof text,
             "{\"id\":2,\"method\":\"block.read\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}", block);
    wire_send_message(client, "{\"id\":1,\"method\":\"server.ping\"}", 0);
    wire_send_message(client, text, 0);
    wire_send_message(client, "{\"id\":3,\"method\":\"server.ping\"}", 0);
    client_expect(client, "Content-Length: 36\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"size\":%zu}}", size);
    snprintf(expected, sizeof expected, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n%s", strlen(text),
             size, text);
    client_expect(client, expected);
    client_await_bytes(client, size);
    assert_memory_equal(client->received.data, bytes, size);
    um_buf_consume(&client->received, size);
    client_expect(client, "Content-Length: 36\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}");
    free(bytes);
}

static void small_raw_bytes(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    raw_bytes(fixture, 10, 1);
}

static void large_raw_bytes(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    raw_bytes(fixture, 5 << 20, 100003);
}

static void many_clients(void **state)
{
    struct fixture *fixture = *state;

    fixture_start_server(fixture);
    for (unsigned i = 0; i < 100; i++)
        client_open(fixture, i, true);
    for (unsigned i = 0; i < 100; i++)
        wire_send(&fixture->clients[i], "{\"id\":1,\"method\":\"server.ping\"}\n");
    for (unsigned i = 0; i < 100; i++)
        client_expect(&fixture->clients[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

/* A request that arrives together with the client's end is carried out, and its answer does no harm. */
static void client_that_does_not_wait(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char line[4096];

    fixture_start_server(fixture);
    client = client_open(fixture, 0, true);
    for (int i = 0; i < 20; i++) {
        wire_send(client_open(fixture, 1, false), "{\"method\":\"server.ping\"}\n{\"meth");
        wire_close(&fixture->clients[1]);
        while (!fixture->clients[1].is_closed)
            fixture_run_once(fixture);
        client_ping(client);
    }
    do {
        wire_send(client, "{\"method\":\"server.stats\"}\n");
        client_take_line(client, line, sizeof line);
    } while (strstr(line, "\"sessions\":1,") == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ping, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_requests_in_one_write, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(bytes_one_at_a_time, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(bad_messages_leave_the_connection, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(small_raw_bytes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(large_raw_bytes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_clients, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(client_that_does_not_wait, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
