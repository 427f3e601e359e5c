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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(second_server_is_refused, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(clients_over_the_limit_are_told, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(crowd_over_the_limit, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(stop_with_refused_clients, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
