/* Which clients may connect: one server a pipe, as many sessions as the limit allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
    /* Not even when the second server continues after the first has ended. */
    fixture_stop_server(fixture);
    fixture_start_server(fixture);
    client_ping(client_open(fixture, 1, true));
}

static void clients_over_the_limit_are_refused(void **state)
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

    /* When one has disconnected, the next is accepted. */
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

/* Many clients beyond the limit that stay connected: each is refused with an error, and the accepted ones are served as
 * before. */
static void many_clients_over_the_limit(void **state)
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
    uv_async_t done; /* from the thread to the fixture's loop */
    char *answer;
    bool has_ended; /* as the fixture's loop knows it */
};

/* Tries until the server lets it in, and pings. */
static void connect_early(void *context)
{
    struct early *early = context;
    struct wire_client client;
    struct wire_loop loop;

    wire_loop_open(&loop);
    while (!wire_connect(&client, &loop.host, early->fixture->path)) {
        wire_close(&client);
        uv_run(&loop.loop, UV_RUN_DEFAULT);
    }
    wire_send(&client, "{\"id\":1,\"method\":\"server.ping\"}\n");
    wire_read(&client);
    early->answer = wire_take_line(&client);
    wire_close(&client);
    wire_loop_close(&loop);
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

/* A client that is let in is served, also in the moment in which the pipe has just been made. */
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
            assert_int_equal(uv_thread_create(&early[i].thread, connect_early, &early[i]), 0);
        }
        fixture_start_server(fixture);
        fixture_run_until(fixture, have_ended, early);
        for (int i = 0; i < EARLY_CLIENTS; i++) {
            uv_thread_join(&early[i].thread);
            assert_non_null(early[i].answer);
            assert_string_equal(early[i].answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
            free(early[i].answer);
        }
        fixture_stop_server(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(second_server_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(clients_over_the_limit_are_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_clients_over_the_limit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stop_with_refused_clients, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(clients_before_the_server, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
