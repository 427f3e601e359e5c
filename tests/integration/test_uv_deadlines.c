/* Deadlines on a program's own loop: of calls, against daemons that are silent, and of connecting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"
#include "fake_daemon.h"
#include "uv_fixture.h"

enum { TIMEOUT_MS = 1000 };

static struct fixture {
    uv_loop_t loop;
    umem_uv *client;
    umem_handle block;
    int ended; /* calls whose callback was called, and clients that were closed with one */
    int code;  /* what connecting gave */
} fixture;

static void expect(const struct umem_failure *failure, int code)
{
    expect_failure(failure, code);
    fixture.ended++;
}

static void run(const char *pipe, umem_uv_done *on_connected)
{
    struct umem_uv_options options = {.pipe = pipe, .timeout_ms = TIMEOUT_MS};

    memset(&fixture, 0, sizeof fixture);
    assert_int_equal(uv_loop_init(&fixture.loop), 0);
    fixture.client = umem_uv_new(&fixture.loop, &options);
    assert_non_null(fixture.client);
    uv_ok(fixture.client, umem_uv_connect(fixture.client, on_connected, NULL));
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture.loop), 0);
}

/* ---- a daemon that does not answer, then does, and then does not for good ---- */

static void on_lock_late(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_E_DEADLINE);
    /* A lock may have been given for it, which ends with the connection only. */
    assert_int_equal(umem_submit_heap_unlock(umem_uv_call(client, NULL, NULL), 1), UMEM_E_NOT_CONNECTED);
    umem_uv_close(client, NULL, NULL);
}

static void on_answered(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client, umem_submit_heap_lock(umem_uv_call(client, on_lock_late, NULL), 1, 0));
}

static void on_late(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_E_DEADLINE);
    assert_string_equal(failure->message, "the daemon did not answer in time");
    uv_ok(fixture.client,
          umem_submit_call(umem_uv_call(client, on_answered, NULL), "server.ping", NULL, NULL));
}

static void on_connected_to_the_silent(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client, umem_submit_call(umem_uv_call(client, on_late, NULL), "server.ping", NULL, NULL));
}

static void test_a_daemon_that_does_not_answer(void **state)
{
    /* What comes too late is passed over. */
    static const struct fake_step steps[] = {
        {.text = NULL},
        {.text =
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}"},
    };
    static struct fake_daemon daemon;

    (void)state;
    fake_daemon_start(&daemon, steps, 2);
    run(daemon.pipe, on_connected_to_the_silent);
    assert_int_equal(fixture.ended, 4);
    fake_daemon_stop(&daemon);
}

/* ---- calls that wait ---- */

static void on_lost(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_E_CONNECTION_LOST);
}

/* The other wait, which has no deadline, is still pending. */
static void on_time_out(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_E_TIMEOUT);
    assert_int_equal(fixture.ended, 3);
    umem_uv_close(client, NULL, NULL);
}

static void on_alloc(umem_uv *client, const struct umem_failure *failure, void *context)
{
    static const int64_t zero = 0;

    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client, umem_submit_block_wait(umem_uv_call(client, on_lost, NULL), fixture.block, 0,
                                                 UMEM_TYPE_I64, &zero, UMEM_FOREVER, NULL));
    uv_ok(fixture.client, umem_submit_block_wait(umem_uv_call(client, on_time_out, NULL), fixture.block, 0,
                                                 UMEM_TYPE_I64, &zero, 3 * TIMEOUT_MS, NULL));
}

static void on_connected(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_block_alloc(umem_uv_call(client, on_alloc, NULL), 8, NULL, &fixture.block));
}

/* They are given the time for which they may wait, and the deadline comes on top of that. */
static void test_calls_that_wait_have_longer(void **state)
{
    struct daemon *daemon;

    daemon_setup(state);
    daemon = *state;
    run(daemon->pipe, on_connected);
    assert_int_equal(fixture.ended, 4);
    daemon_teardown(state);
}

/* ---- a pipe whose places are all taken ---- */

static void on_closed(void *context)
{
    assert_ptr_equal(context, &fixture);
    fixture.ended++;
}

static void close_client(void)
{
    umem_uv_close(fixture.client, on_closed, &fixture);
}

static void on_connect_ended(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    fixture.code = failure->code;
}

static void on_ignored_client(uv_stream_t *listener, int status)
{
    (void)listener;
    (void)status;
}

static void on_a_while_later(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
    close_client();
}

/* Connects clients until there is no place left. Returns how many. */
static size_t take_all_places(const char *pipe, umem_client **clients, size_t maximum)
{
    struct umem_options options = {.pipe = pipe, .timeout_ms = 200};
    int code = UMEM_OK;
    size_t count = 0;

    while (code == UMEM_OK && count < maximum) {
        clients[count] = umem_client_new(&options);
        code = umem_connect(clients[count++]);
    }
    assert_int_equal(code, UMEM_E_DEADLINE);
    return count;
}

static void on_connect_late(umem_uv *client, const struct umem_failure *failure, void *context)
{
    on_connect_ended(client, failure, context);
    close_client();
}

/* A daemon that accepts no connection keeps a client waiting, but not one that is closed, at once or after a while. Nor
 * one that has a deadline. */
static void test_closing_while_all_places_are_taken(void **state)
{
    enum { CLIENTS_MAXIMUM = 64, A_WHILE_MS = 600 };
    umem_client *clients[CLIENTS_MAXIMUM];
    struct daemon daemon = {.pipe = ""};
    struct umem_uv_options options = {.pipe = daemon.pipe};
    uv_loop_t asleep;
    uv_pipe_t listener;
    uv_timer_t timer;
    size_t count;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(uv_loop_init(&asleep), 0);
    assert_int_equal(uv_pipe_init(&asleep, &listener, 0), 0);
    assert_int_equal(uv_pipe_bind(&listener, daemon.pipe), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&listener, 1, on_ignored_client), 0);
    count = take_all_places(daemon.pipe, clients, CLIENTS_MAXIMUM);
    for (int waits = 0; waits < 2; waits++) {
        memset(&fixture, 0, sizeof fixture);
        assert_int_equal(uv_loop_init(&fixture.loop), 0);
        fixture.client = umem_uv_new(&fixture.loop, &options);
        uv_ok(fixture.client, umem_uv_connect(fixture.client, on_connect_ended, NULL));
        assert_int_equal(uv_timer_init(&fixture.loop, &timer), 0);
        assert_int_equal(uv_timer_start(&timer, on_a_while_later, waits ? A_WHILE_MS : 0, 0), 0);
        uv_run(&fixture.loop, UV_RUN_DEFAULT);
        assert_int_equal(fixture.ended, 1);
        assert_int_equal(fixture.code, UMEM_E_CONNECTION_LOST);
        assert_int_equal(uv_loop_close(&fixture.loop), 0);
    }
    memset(&fixture, 0, sizeof fixture);
    options.timeout_ms = A_WHILE_MS;
    assert_int_equal(uv_loop_init(&fixture.loop), 0);
    fixture.client = umem_uv_new(&fixture.loop, &options);
    uv_ok(fixture.client, umem_uv_connect(fixture.client, on_connect_late, NULL));
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture.code, UMEM_E_DEADLINE);
    assert_int_equal(uv_loop_close(&fixture.loop), 0);
    while (count != 0)
        umem_client_free(clients[--count]);
    uv_close((uv_handle_t *)&listener, NULL);
    uv_run(&asleep, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&asleep), 0);
    pipe_name_remove(daemon.pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_daemon_that_does_not_answer),
        cmocka_unit_test(test_calls_that_wait_have_longer),
        cmocka_unit_test(test_closing_while_all_places_are_taken),
    };

    pipe_may_break();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
