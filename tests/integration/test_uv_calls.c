/* The adapter for a program's own loop, against the real daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"
#include "uv_fixture.h"

enum { LARGE = 3 << 20, MANY = 2000 };

/* One loop and one client; each test lets it run until nothing is left to do. */
static struct fixture {
    uv_loop_t loop;
    struct daemon *daemon;
    umem_uv *client;
    umem_handle block;
    uint64_t wait; /* the call that waits */
    uint64_t watch;
    char *bytes; /* LARGE bytes */
    char *back;
    int ended; /* calls whose callback was called */
    int lost;  /* those that were lost */
    int closed;
    int code; /* what the connection gave */
    struct umem_event event;
} fixture;

static void on_closed(void *context)
{
    assert_ptr_equal(context, &fixture);
    fixture.closed++;
}

static void close_client(void)
{
    umem_uv_close(fixture.client, on_closed, &fixture);
}

static void expect(const struct umem_failure *failure, int code)
{
    expect_failure(failure, code);
    fixture.ended++;
}

static void run(struct daemon *daemon, umem_uv_done *on_connected)
{
    struct umem_uv_options options = {.pipe = daemon->pipe};

    memset(&fixture, 0, sizeof fixture);
    fixture.daemon = daemon;
    fixture.bytes = malloc(LARGE);
    fixture.back = calloc(1, LARGE);
    assert_non_null(fixture.bytes);
    assert_non_null(fixture.back);
    for (size_t i = 0; i < LARGE; i++)
        fixture.bytes[i] = (char)(i * 2654435761u >> 24);
    assert_int_equal(uv_loop_init(&fixture.loop), 0);
    fixture.client = umem_uv_new(&fixture.loop, &options);
    assert_non_null(fixture.client);
    assert_int_equal(umem_submit_block_free(umem_uv_call(fixture.client, NULL, NULL), 1),
                     UMEM_E_NOT_CONNECTED);
    uv_ok(fixture.client, umem_uv_connect(fixture.client, on_connected, &fixture));
    assert_int_equal(umem_uv_connect(fixture.client, on_connected, &fixture), UMEM_E_BAD_ARGUMENT);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture.closed, 1);
    assert_int_equal(uv_loop_close(&fixture.loop), 0);
    free(fixture.bytes);
    free(fixture.back);
}

/* ---- calls ---- */

static void on_freed(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_E_STALE_HANDLE);
    assert_string_equal(failure->name, "stale_handle");
    close_client();
}

static void on_ok(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_OK);
}

static void on_read(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    assert_memory_equal(fixture.bytes, fixture.back, LARGE);
    uv_ok(fixture.client, umem_submit_block_free(umem_uv_call(client, on_ok, NULL), fixture.block));
    uv_ok(fixture.client, umem_submit_block_free(umem_uv_call(client, on_freed, NULL), fixture.block));
}

static void on_alloc(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_block_write(umem_uv_call(client, on_ok, NULL), fixture.block, 0, fixture.bytes, LARGE));
    for (int i = 0; i < MANY; i++)
        uv_ok(fixture.client,
              umem_submit_block_read(umem_uv_call(client, on_ok, NULL), fixture.block, 0, fixture.back, 64));
    uv_ok(fixture.client,
          umem_submit_block_read(umem_uv_call(client, on_read, NULL), fixture.block, 0, fixture.back, LARGE));
    assert_int_equal(umem_submit_block_free(umem_uv_call(client, on_ok, NULL), 0), UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_uv_last_error(client)->name, "bad_argument");
}

static void on_connected_calls(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_block_alloc(umem_uv_call(client, on_alloc, NULL), LARGE, NULL, &fixture.block));
}

static void test_calls(void **state)
{
    run(*state, on_connected_calls);
    assert_int_equal(fixture.ended, 1 + 1 + 1 + MANY + 1 + 2);
}

/* ---- cancelling, and watching ---- */

static void on_cancelled(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_E_CANCELLED);
    close_client();
}

static void on_event(const struct umem_event *event, void *context)
{
    assert_ptr_equal(context, &fixture);
    fixture.event = *event;
    assert_true(event->watch == fixture.watch && event->block == fixture.block);
    uv_ok(fixture.client, umem_uv_cancel(fixture.client, fixture.wait));
}

static void on_watched(umem_uv *client, const struct umem_failure *failure, void *context)
{
    static const int64_t zero = 0;

    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client, umem_submit_block_wait(umem_uv_call(client, on_cancelled, NULL), fixture.block, 0,
                                                 UMEM_TYPE_I64, &zero, UMEM_FOREVER, NULL));
    fixture.wait = umem_uv_last_call(client);
    uv_ok(fixture.client, umem_submit_block_fill(umem_uv_call(client, on_ok, NULL), fixture.block, 8, 1, 8));
}

static void on_alloc_watch(umem_uv *client, const struct umem_failure *failure, void *context)
{
    struct umem_watch_target target = {.block = fixture.block};

    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_uv_watch(client, &target, on_event, &fixture, &fixture.watch, on_watched, NULL));
}

static void on_connected_watch(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_block_alloc(umem_uv_call(client, on_alloc_watch, NULL), 16, NULL, &fixture.block));
}

static void test_cancelling_and_watching(void **state)
{
    run(*state, on_connected_watch);
    assert_int_equal(fixture.event.kind, UMEM_EVENT_CHANGED);
    assert_int_equal(fixture.ended, 5);
}

/* ---- ends ---- */

static void on_lost(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    assert_int_equal(fixture.closed, 0);
    expect(failure, UMEM_E_CONNECTION_LOST);
    fixture.lost++;
}

static void on_connected_close(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    for (int i = 0; i < 10; i++)
        uv_ok(fixture.client,
              umem_submit_block_write(umem_uv_call(client, on_lost, NULL), 1, 0, fixture.bytes, LARGE));
    close_client();
    assert_int_equal(umem_submit_block_free(umem_uv_call(client, NULL, NULL), 1), UMEM_E_NOT_CONNECTED);
}

/* Closing with unfinished calls: each callback is called, and then that of the end. */
static void test_closing(void **state)
{
    run(*state, on_connected_close);
    assert_int_equal(fixture.lost, 10);
}

static void on_anew(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_OK);
    close_client();
}

/* The last of the lost calls starts the daemon and connects anew. */
static void on_lost_to_a_killed_daemon(umem_uv *client, const struct umem_failure *failure, void *context)
{
    on_lost(client, failure, context);
    if (fixture.lost < 2)
        return;
    daemon_start(fixture.daemon);
    uv_ok(fixture.client, umem_uv_connect(client, on_anew, NULL));
}

static void on_alloc_kill(umem_uv *client, const struct umem_failure *failure, void *context)
{
    static const int64_t zero = 0;

    (void)context;
    expect(failure, UMEM_OK);
    for (int i = 0; i < 2; i++)
        uv_ok(fixture.client,
              umem_submit_block_wait(umem_uv_call(client, on_lost_to_a_killed_daemon, NULL), fixture.block, 0,
                                     UMEM_TYPE_I64, &zero, UMEM_FOREVER, NULL));
    process_kill(&fixture.daemon->process);
    process_finish(&fixture.daemon->process);
}

static void on_connected_kill(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_block_alloc(umem_uv_call(client, on_alloc_kill, NULL), 8, NULL, &fixture.block));
}

static void test_a_daemon_that_is_killed(void **state)
{
    run(*state, on_connected_kill);
    assert_int_equal(fixture.lost, 2);
    assert_int_equal(fixture.ended, 5);
}

static void on_refused(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_E_NOT_CONNECTED);
    close_client();
}

static void test_no_daemon(void **state)
{
    struct daemon daemon = {.pipe = ""};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    run(&daemon, on_refused);
    assert_int_equal(fixture.ended, 1);
    pipe_name_remove(daemon.pipe);
}

static void on_connect_ended(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    fixture.code = failure->code;
}

static void test_closing_before_anything(void **state)
{
    struct daemon *daemon = *state;
    struct umem_uv_options options = {.pipe = daemon->pipe};

    for (int connects = 0; connects < 2; connects++) {
        memset(&fixture, 0, sizeof fixture);
        assert_int_equal(uv_loop_init(&fixture.loop), 0);
        fixture.client = umem_uv_new(&fixture.loop, &options);
        if (connects)
            uv_ok(fixture.client, umem_uv_connect(fixture.client, on_connect_ended, NULL));
        close_client();
        uv_run(&fixture.loop, UV_RUN_DEFAULT);
        assert_int_equal(fixture.closed, 1);
        assert_int_equal(fixture.code, connects ? UMEM_E_CONNECTION_LOST : UMEM_OK);
        assert_int_equal(uv_loop_close(&fixture.loop), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_cancelling_and_watching, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_closing, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_is_killed, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_no_daemon),
        cmocka_unit_test_setup_teardown(test_closing_before_anything, daemon_setup, daemon_teardown),
    };

    /* As every program on libuv does. */
    pipe_may_break();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
