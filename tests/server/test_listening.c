/* Who gets in: one server a pipe, as many sessions as the limit says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server_fixture.h"
#include "umem_errors.h"

static void must_not_end(void *context)
{
    (void)context;
    fail();
}

static void second_server_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct um_server_options options = {
        .pipe = fixture->path, .limits = &fixture->limits, .version = "1.2.3", .ended = must_not_end};
    struct um_server *second = NULL;
    char why[UM_SERVER_WHY_CAPACITY] = "";
    char pid[32];

    fixture_start_server(fixture);
    snprintf(pid, sizeof pid, "process %d", (int)uv_os_getpid());
    assert_int_equal(um_server_start(&fixture->loop, &options, &second, why), UMEM_E_NAME_TAKEN);
    assert_null(second);
    assert_non_null(strstr(why, "another daemon"));
    assert_non_null(strstr(why, pid));
    client_ping(client_open(fixture, 0, true));
    /* Not even when it goes on after the first has ended. */
    fixture_stop_server(fixture);
    fixture_start_server(fixture);
    client_ping(client_open(fixture, 1, true));
}

static void clients_over_the_limit_are_told(void **state)
{
    struct fixture *fixture = *state;
    struct wire_client *client;
    char expected[512];
    char line[512];

    fixture->limits.sessions = 2;
    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    client_ping(client_open(fixture, 1, true));
    client = client_open(fixture, 2, true);
    wire_send(client, "{\"method\":\"server.ping\"}\n");
    client_take_line(client, line, sizeof line);
    snprintf(
        expected, sizeof expected,
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"as many clients are "
        "connected as the limit \\\"sessions\\\" allows\",\"data\":{\"name\":\"limit_exceeded\","
        "\"limit\":\"sessions\",\"maximum\":2,\"used\":2,\"most\":{\"pid\":%d,\"program\":\"server_listen",
        (int)uv_os_getpid());
    assert_memory_equal(line, expected, strlen(expected));
    assert_string_equal(strrchr(line, ','), ",\"used\":2}}}}");
    client_expect_close(client);
    assert_int_equal(fixture->warnings, 1);

    /* When one has gone, the next gets in. */
    wire_close(&fixture->clients[0]);
    for (;;) {
        wire_close(client);
        while (!client->is_closed)
            fixture_run_once(fixture);
        client = client_open(fixture, 2, true);
        wire_send(client, "{\"id\":1,\"method\":\"server.ping\"}\n");
        client_take_line(client, line, sizeof line);
        if (strstr(line, "limit_exceeded") == NULL)
            break;
    }
    assert_string_equal(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
}

/* Many of them, who stay: each is told, and those who are served do not notice. */
static void crowd_over_the_limit(void **state)
{
    struct fixture *fixture = *state;
    char line[512];

    fixture->limits.sessions = 1;
    fixture_start_server(fixture);
    client_ping(client_open(fixture, 0, true));
    for (unsigned i = 1; i < 100; i++) {
        client_open(fixture, i, true);
        client_take_line(&fixture->clients[i], line, sizeof line);
        assert_non_null(strstr(line, "limit_exceeded"));
    }
    client_ping(&fixture->clients[0]);
}

static void stop_with_refused_clients(void **state)
{
    struct fixture *fixture = *state;

    fixture->limits.sessions = 1;
    fixture_start_server(fixture);
    for (unsigned i = 0; i < 10; i++)
        client_open(fixture, i, true);
    fixture_stop_server(fixture);
}

/* ---- a client that is there before the server ---- */

enum { EARLY_ROUNDS = 10, EARLY_CLIENTS = 4 };

struct early {
    struct fixture *fixture;
    uv_thread_t thread;
    uv_loop_t loop; /* the thread's */
    uv_pipe_t pipe;
    uv_connect_t connecting;
    uv_write_t write;
    uv_async_t done; /* from the thread to the fixture's loop */
    char answer[128];
    size_t size;
    bool is_connected;
    bool is_over;
    bool has_ended; /* as the fixture's loop knows it */
};

static void on_early_connected(uv_connect_t *connecting, int status)
{
    struct early *early = connecting->data;

    early->is_connected = status == 0;
}

static void on_early_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct early *early = handle->data;

    (void)suggested_size;
    *buf = uv_buf_init(early->answer + early->size, (unsigned)(sizeof early->answer - 1 - early->size));
}

static void on_early_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct early *early = stream->data;

    (void)buf;
    early->size += size > 0 ? (size_t)size : 0;
    early->is_over = size < 0 || strchr(early->answer, '\n') != NULL;
    if (early->is_over)
        uv_close((uv_handle_t *)stream, NULL);
}

/* Knocks until the server lets it in, and asks for a sign of life. */
static void knock(void *context)
{
    struct early *early = context;
    uv_buf_t ping = uv_buf_init((char *)(uintptr_t) "{\"id\":1,\"method\":\"server.ping\"}\n", 32);

    uv_loop_init(&early->loop);
    while (!early->is_connected) {
        uv_pipe_init(&early->loop, &early->pipe, 0);
        early->pipe.data = early->connecting.data = early;
        uv_pipe_connect(&early->connecting, &early->pipe, early->fixture->path, on_early_connected);
        uv_run(&early->loop, UV_RUN_DEFAULT);
        if (!early->is_connected)
            uv_close((uv_handle_t *)&early->pipe, NULL);
        uv_run(&early->loop, UV_RUN_DEFAULT);
    }
    uv_write(&early->write, (uv_stream_t *)&early->pipe, &ping, 1, NULL);
    uv_read_start((uv_stream_t *)&early->pipe, on_early_alloc, on_early_read);
    uv_run(&early->loop, UV_RUN_DEFAULT);
    uv_loop_close(&early->loop);
    uv_async_send(&early->done);
}

static void on_early_done(uv_async_t *done)
{
    struct early *early = done->data;

    early->has_ended = true;
    uv_close((uv_handle_t *)done, NULL);
}

static bool have_ended(const void *what)
{
    const struct early *early = what;
    bool all = true;

    for (int i = 0; i < EARLY_CLIENTS; i++)
        all = all && early[i].has_ended;
    return all;
}

/* Whoever gets in is served, be it in the moment in which the pipe has just come to be. */
static void clients_before_the_server(void **state)
{
    static struct early early[EARLY_CLIENTS];
    struct fixture *fixture = *state;

    for (int round = 0; round < EARLY_ROUNDS; round++) {
        for (int i = 0; i < EARLY_CLIENTS; i++) {
            memset(&early[i], 0, sizeof early[i]);
            early[i].fixture = fixture;
            early[i].done.data = &early[i];
            assert_int_equal(uv_async_init(&fixture->loop, &early[i].done, on_early_done), 0);
            assert_int_equal(uv_thread_create(&early[i].thread, knock, &early[i]), 0);
        }
        fixture_start_server(fixture);
        fixture_run_until(fixture, have_ended, early);
        for (int i = 0; i < EARLY_CLIENTS; i++) {
            uv_thread_join(&early[i].thread);
            assert_string_equal(early[i].answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
        }
        fixture_stop_server(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(second_server_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(clients_over_the_limit_are_told, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(crowd_over_the_limit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_with_refused_clients, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(clients_before_the_server, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
