/* Who gets in: one server a pipe, as many sessions as the limit says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "umem_errors.h"
#include "world.h"

static void must_not_end(void *context)
{
    (void)context;
    fail();
}

static void second_server_is_refused(void **state)
{
    struct world *world = *state;
    struct um_server_options options = {
        .pipe = world->path, .limits = &world->limits, .version = "1.2.3", .ended = must_not_end};
    struct um_server *second = NULL;
    char why[UM_SERVER_WHY_ROOM] = "";
    char pid[32];

    world_start(world);
    snprintf(pid, sizeof pid, "process %d", (int)uv_os_getpid());
    assert_int_equal(um_server_start(&world->loop, &options, &second, why), UMEM_E_NAME_TAKEN);
    assert_null(second);
    assert_non_null(strstr(why, "another daemon"));
    assert_non_null(strstr(why, pid));
    client_ping(client_open(world, 0, true));
    /* Not even when it goes on after the first has ended. */
    world_stop(world);
    world_start(world);
    client_ping(client_open(world, 1, true));
}

static void clients_over_the_limit_are_told(void **state)
{
    struct world *world = *state;
    struct client *client;
    char expected[512];
    char line[512];

    world->limits.sessions = 2;
    world_start(world);
    client_ping(client_open(world, 0, true));
    client_ping(client_open(world, 1, true));
    client = client_open(world, 2, true);
    client_send(client, "{\"method\":\"server.ping\"}\n");
    client_take_line(client, line, sizeof line);
    snprintf(
        expected, sizeof expected,
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"as many clients are "
        "connected as the limit \\\"sessions\\\" allows\",\"data\":{\"name\":\"limit_exceeded\","
        "\"limit\":\"sessions\",\"maximum\":2,\"used\":2,\"most\":{\"pid\":%d,\"program\":\"test_listening",
        (int)uv_os_getpid());
    assert_memory_equal(line, expected, strlen(expected));
    assert_string_equal(strrchr(line, ','), ",\"used\":2}}}}");
    client_expect_end(client);
    assert_int_equal(world->warnings, 1);

    /* When one has gone, the next gets in. */
    client_close(&world->clients[0]);
    for (;;) {
        client_close(client);
        while (!client->is_closed)
            world_turn(world);
        client = client_open(world, 2, true);
        client_send(client, "{\"id\":1,\"method\":\"server.ping\"}\n");
        client_take_line(client, line, sizeof line);
        if (strstr(line, "limit_exceeded") == NULL)
            break;
    }
    assert_string_equal(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
}

/* Many of them, who stay: each is told, and those who are served do not notice. */
static void crowd_over_the_limit(void **state)
{
    struct world *world = *state;
    char line[512];

    world->limits.sessions = 1;
    world_start(world);
    client_ping(client_open(world, 0, true));
    for (unsigned i = 1; i < 100; i++) {
        client_open(world, i, true);
        client_take_line(&world->clients[i], line, sizeof line);
        assert_non_null(strstr(line, "limit_exceeded"));
    }
    client_ping(&world->clients[0]);
}

static void stop_with_refused_clients(void **state)
{
    struct world *world = *state;

    world->limits.sessions = 1;
    world_start(world);
    for (unsigned i = 0; i < 10; i++)
        client_open(world, i, true);
    world_stop(world);
}

/* ---- a client that is there before the server ---- */

enum { EARLY_ROUNDS = 10, EARLY_CLIENTS = 4 };

struct early {
    struct world *world;
    uv_thread_t thread;
    uv_loop_t loop; /* the thread's */
    uv_pipe_t pipe;
    uv_connect_t connecting;
    uv_write_t write;
    uv_async_t done; /* from the thread to the world's loop */
    char answer[128];
    size_t size;
    bool is_connected;
    bool is_over;
    bool has_ended; /* as the world's loop knows it */
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
        uv_pipe_connect(&early->connecting, &early->pipe, early->world->path, on_early_connected);
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
    struct world *world = *state;

    for (int round = 0; round < EARLY_ROUNDS; round++) {
        for (int i = 0; i < EARLY_CLIENTS; i++) {
            memset(&early[i], 0, sizeof early[i]);
            early[i].world = world;
            early[i].done.data = &early[i];
            assert_int_equal(uv_async_init(&world->loop, &early[i].done, on_early_done), 0);
            assert_int_equal(uv_thread_create(&early[i].thread, knock, &early[i]), 0);
        }
        world_start(world);
        world_run_until(world, have_ended, early);
        for (int i = 0; i < EARLY_CLIENTS; i++) {
            uv_thread_join(&early[i].thread);
            assert_string_equal(early[i].answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
        }
        world_stop(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(second_server_is_refused, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(clients_over_the_limit_are_told, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(crowd_over_the_limit, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(stop_with_refused_clients, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(clients_before_the_server, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
