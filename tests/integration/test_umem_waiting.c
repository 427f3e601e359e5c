/* What umem does while it waits: for a reader of its output, for the end of a command that something is held for, for a daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"

static const struct process_options open_input = {.stays_open = true};

static struct umem_server_stats stats_of(umem_client *client)
{
    struct umem_server_stats stats;

    assert_int_equal(umem_server_stats(client, &stats), UMEM_OK);
    return stats;
}

/* ---- a reader that closes the output ---- */

/* The status of a process that writes to an output without a reader. */
static int unread_status(void)
{
    return strcmp(BACKEND, "win32") == 0 ? 6 : 128 + 13;
}

/* umem waits, with one more of `*count` than before; its output has no reader, and nothing comes that it could
 * print. */
static void expect_end(umem_client *client, const uint64_t *count, struct umem_server_stats *stats,
                       const char *input)
{
    if (input != NULL)
        process_send(&command, input);
    do {
        assert_false(process_poll(&command));
        *stats = stats_of(client);
    } while (*count == 0);
    process_close_output(&command);
    assert_int_equal(process_finish(&command), unread_status());
    assert_string_equal(command.errors, "");
    while (*count != 0)
        *stats = stats_of(client);
}

static void test_output_that_is_not_read(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_server_stats stats;

    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "b")), 0);
    umem_start(*state, NULL, WORDS("watch", "b"));
    expect_end(client, &stats.watches, &stats, NULL);
    umem_start(*state, NULL, WORDS("watch", "--json", "--timeout", "1000000"));
    expect_end(client, &stats.watches, &stats, NULL);
    umem_start(*state, NULL, WORDS("wait", "b", "0", "0"));
    expect_end(client, &stats.waits, &stats, NULL);
    umem_start(*state, NULL, WORDS("call", "block.wait", "[\"b\",0,0]"));
    expect_end(client, &stats.waits, &stats, NULL);
    umem_start_as(*state, &open_input, WORDS("call", "-"));
    process_send(&command, "{\"id\":1,\"method\":\"block.wait\",\"params\":[\"b\",0,0]}\n");
    do {
        assert_false(process_poll(&command));
        stats = stats_of(client);
    } while (stats.waits == 0);
    process_close_output(&command);
    while (!command.exited)
        uv_run(&command.loop, UV_RUN_ONCE);
    process_end_input(&command);
    assert_int_equal(process_finish(&command), unread_status());
    umem_client_free(client);
}

/* ---- a daemon that ends ---- */

static void set_up_two(struct daemon **daemon, struct daemon **other)
{
    assert_int_equal(daemon_setup((void **)daemon), 0);
    assert_int_equal(daemon_setup((void **)other), 0);
}

/* The command carries to another daemon, so that it lasts as long as its input. */
static void start_holding(struct daemon *daemon, const struct daemon *other, const char *verb,
                          const char *what)
{
    umem_client *client = daemon_connect(other);
    uint64_t sessions = stats_of(client).sessions;

    umem_start_as(daemon, &open_input, WORDS(verb, what, "--", UMEM, "--pipe", other->pipe, "call", "-"));
    while (stats_of(client).sessions == sessions)
        assert_false(process_poll(&command));
    umem_client_free(client);
}

static void end_daemon(struct daemon *daemon, const char *message)
{
    assert_int_equal(daemon_shutdown(daemon), 0);
    assert_true(process_wait_for(&command, message));
    /* The command runs on. */
    process_send(&command, "{\"id\":\"still here\",\"method\":\"server.ping\"}\n");
    assert_true(process_wait_for_output(&command, 1));
    process_end_input(&command);
}

static void test_a_daemon_that_ends_meanwhile(void **state)
{
    struct daemon *daemon;
    struct daemon *other;

    (void)state;
    set_up_two(&daemon, &other);
    assert_int_equal(umem(daemon, NULL, WORDS("heap", "create", "--name", "h")), 0);
    start_holding(daemon, other, "lock", "h");
    end_daemon(daemon, "the heap is locked no longer while");
    assert_int_equal(process_finish(&command), 5);
    expect_output("still here");
    daemon_start(daemon);
    assert_int_equal(umem(daemon, NULL, WORDS("alloc", "8", "--name", "b")), 0);
    start_holding(daemon, other, "hold", "b");
    end_daemon(daemon, "the blocks are held no longer while");
    assert_int_equal(process_finish(&command), 5);
    pipe_name_remove(daemon->pipe);
    free(daemon);
    daemon_teardown((void **)&other);
}

/* On Windows, where a process cannot be signalled to end, killing umem ends the command: it would run on without its
 * lock. */
static void test_umem_is_killed(void **state)
{
    struct daemon *daemon;
    struct daemon *other;
    umem_client *client;

    (void)state;
    if (strcmp(BACKEND, "win32") != 0)
        return;
    set_up_two(&daemon, &other);
    client = daemon_connect(other);
    assert_int_equal(umem(daemon, NULL, WORDS("heap", "create", "--name", "h")), 0);
    start_holding(daemon, other, "lock", "h");
    process_kill(&command);
    while (stats_of(client).sessions != 1)
        continue;
    process_end_input(&command);
    process_finish(&command);
    umem_client_free(client);
    daemon_teardown((void **)&daemon);
    daemon_teardown((void **)&other);
}

/* The reason why a command cannot be run is reported. */
static void test_what_cannot_be_run(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "h")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("lock", "h", "--", "no-such-command")), 127);
    expect_errors("no-such-command: there is no such command");
    assert_int_equal(umem(*state, NULL, WORDS("lock", "h", "--", CLI_SOURCE "/umem.1")), 126);
    expect_errors("the command cannot be run: ");
    assert_int_equal(umem(*state, NULL, WORDS("lock", "h", "--timeout", "0", "--", UMEM, "ping")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_output_that_is_not_read, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_a_daemon_that_ends_meanwhile),
        cmocka_unit_test(test_umem_is_killed),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_run, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
