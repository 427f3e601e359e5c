/* Many threads in one client of the real daemon: each call as if it were alone. The preset tsan runs it under ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

enum { THREADS = 8, ROUNDS = 50, LARGE = 3 << 20 };

/* The input and the result of one thread. */
struct worker {
    uv_thread_t thread;
    umem_client *client;
    unsigned number;
    const char *fault; /* NULL: all went well */
    int code;          /* what the call that failed gave */
};

static void start(struct worker *workers, size_t count, umem_client *client, uv_thread_cb run)
{
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.client = client, .number = (unsigned)i};
        assert_int_equal(uv_thread_create(&workers[i].thread, run, &workers[i]), 0);
    }
}

static void join(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        uv_thread_join(&workers[i].thread);
    for (size_t i = 0; i < count; i++) {
        if (workers[i].fault != NULL)
            fail_msg("thread %zu: %s: %s", i, workers[i].fault, umem_error_name(workers[i].code));
    }
}

/* Notes the first fault. cmocka's assertions are for its own thread. */
static void expect(struct worker *worker, int code, int expected, const char *what)
{
    if (code == expected || worker->fault != NULL)
        return;
    worker->fault = what;
    worker->code = code;
}

static void check(struct worker *worker, bool holds, const char *what)
{
    expect(worker, holds ? UMEM_OK : UMEM_E_INTERNAL_ERROR, UMEM_OK, what);
}

/* ---- each its own blocks ---- */

static void use_block(struct worker *worker, uint32_t round)
{
    uint32_t written[16];
    uint32_t back[16] = {0};
    umem_handle block = 0;
    int64_t fact = 0;

    for (uint32_t i = 0; i < 16; i++)
        written[i] = worker->number << 24 | round << 8 | i;
    expect(worker, umem_block_alloc(worker->client, sizeof written, NULL, &block), UMEM_OK, "alloc");
    expect(worker, umem_block_set(worker->client, block, 0, UMEM_TYPE_U32, written, 16), UMEM_OK, "set");
    expect(worker, umem_block_get(worker->client, block, 0, UMEM_TYPE_U32, back, 16), UMEM_OK, "get");
    check(worker, memcmp(written, back, sizeof back) == 0, "another thread's numbers");
    expect(worker, umem_block_free(worker->client, block), UMEM_OK, "free");
    /* The error that this thread has made, and no other. */
    expect(worker, umem_block_free(worker->client, block), UMEM_E_STALE_HANDLE, "free again");
    check(worker, umem_last_error(worker->client)->code == UMEM_E_STALE_HANDLE, "another thread's error");
    check(worker, umem_error_integer(worker->client, "handle", &fact) && (umem_handle)fact == block,
          "another thread's fact");
}

static void run_blocks(void *context)
{
    struct worker *worker = context;

    for (uint32_t round = 0; round < ROUNDS && worker->fault == NULL; round++)
        use_block(worker, round);
}

static void test_blocks(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct worker workers[THREADS];
    struct umem_server_stats stats;

    start(workers, THREADS, client, run_blocks);
    join(workers, THREADS);
    assert_int_equal(umem_last_error(client)->code, UMEM_OK);
    assert_int_equal(umem_server_stats(client, &stats), UMEM_OK);
    assert_int_equal(stats.blocks, 0);
    assert_int_equal(stats.sessions, 1);
    umem_client_free(client);
}

/* ---- large data among small calls ---- */

static void run_large(void *context)
{
    struct worker *worker = context;
    unsigned char *bytes = malloc(LARGE);
    unsigned char *back = malloc(LARGE);
    umem_handle block = 0;

    check(worker, bytes != NULL && back != NULL, "no memory");
    if (worker->fault == NULL) {
        for (size_t i = 0; i < LARGE; i++)
            bytes[i] = (unsigned char)(i * 2654435761u >> 24 ^ worker->number);
        expect(worker, umem_block_alloc(worker->client, LARGE, NULL, &block), UMEM_OK, "alloc");
        expect(worker, umem_block_write(worker->client, block, 0, bytes, LARGE), UMEM_OK, "write");
        expect(worker, umem_block_read(worker->client, block, 0, back, LARGE), UMEM_OK, "read");
        check(worker, memcmp(bytes, back, LARGE) == 0, "other bytes");
        expect(worker, umem_block_free(worker->client, block), UMEM_OK, "free");
    }
    free(bytes);
    free(back);
}

static void run_either(void *context)
{
    struct worker *worker = context;

    if (worker->number % 2 == 0)
        run_large(worker);
    else
        run_blocks(worker);
}

static void test_large_among_small(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct worker workers[THREADS];

    start(workers, THREADS, client, run_either);
    join(workers, THREADS);
    umem_client_free(client);
}

/* ---- a daemon that dies, and one that is connected to anew, under threads ---- */

static void run_until_lost(void *context)
{
    struct worker *worker = context;
    int code = UMEM_OK;

    while (code == UMEM_OK)
        code = umem_server_ping(worker->client);
    expect(worker, code, UMEM_E_CONNECTION_LOST, "ping");
    check(worker, umem_last_error(worker->client)->message[0] != '\0', "no message");
}

static void test_killed(void **state)
{
    struct daemon *daemon = *state;
    umem_client *client = daemon_connect(daemon);
    struct worker workers[THREADS];

    start(workers, THREADS, client, run_until_lost);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    process_kill(&daemon->process);
    process_finish(&daemon->process);
    join(workers, THREADS);
    daemon_start(daemon);
    assert_int_equal(umem_connect(client), UMEM_OK);
    start(workers, THREADS, client, run_blocks);
    join(workers, THREADS);
    umem_client_free(client);
}

/* Threads that call while the connection is made anew again and again: lost or done, never anything else. */
static void run_through_reconnects(void *context)
{
    struct worker *worker = context;

    for (int round = 0; round < ROUNDS; round++) {
        int code = umem_server_ping(worker->client);

        if (code != UMEM_E_CONNECTION_LOST && code != UMEM_E_NOT_CONNECTED)
            expect(worker, code, UMEM_OK, "ping");
    }
}

static void test_connecting_anew(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct worker workers[THREADS];

    start(workers, THREADS, client, run_through_reconnects);
    for (int round = 0; round < 10; round++)
        assert_int_equal(umem_connect(client), UMEM_OK);
    join(workers, THREADS);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    umem_client_free(client);
}

/* Several threads that reconnect one client, each while others reconnect and call: nothing is left open, and no thread
 * waits for ever. */
static void run_connecting(void *context)
{
    struct worker *worker = context;

    for (int round = 0; round < ROUNDS; round++) {
        int code = umem_server_ping(worker->client);

        if (worker->number % 2 == 0)
            expect(worker, umem_connect(worker->client), UMEM_OK, "connect");
        if (code != UMEM_E_CONNECTION_LOST && code != UMEM_E_NOT_CONNECTED)
            expect(worker, code, UMEM_OK, "ping");
    }
}

static void test_all_connecting_anew(void **state)
{
    enum { LOOKS_MAXIMUM = 10000 };
    umem_client *client = daemon_connect(*state);
    struct worker workers[THREADS];
    struct umem_server_stats stats = {.sessions = 0};

    umem_set_timeout(client, 20000);
    start(workers, THREADS, client, run_connecting);
    join(workers, THREADS);
    /* The daemon may still be about to see that the others were closed. */
    for (int i = 0; i < LOOKS_MAXIMUM && stats.sessions != 1; i++)
        assert_int_equal(umem_server_stats(client, &stats), UMEM_OK);
    assert_int_equal(stats.sessions, 1);
    umem_client_free(client);
}

/* ---- pipelines side by side ---- */

static void run_pipeline(void *context)
{
    enum { CALLS = 300, ROUNDS_OF_CALLS = 8 };
    struct worker *worker = context;
    umem_calls *calls = umem_calls_new(worker->client, worker->number % 2 == 0 ? UMEM_PIPELINE : UMEM_BATCH);
    uint64_t numbers[CALLS] = {0};
    uint64_t back[CALLS] = {0};
    umem_handle block = 0;

    expect(worker, umem_block_alloc(worker->client, sizeof numbers, NULL, &block), UMEM_OK, "alloc");
    for (uint32_t round = 0; round < ROUNDS_OF_CALLS && worker->fault == NULL; round++) {
        for (size_t i = 0; i < CALLS; i++) {
            numbers[i] = (uint64_t)worker->number << 48 | (uint64_t)round << 24 | i;
            expect(worker, umem_submit_block_set(calls, block, 8 * i, UMEM_TYPE_U64, &numbers[i], 1), UMEM_OK,
                   "submit set");
            expect(worker, umem_submit_block_get(calls, block, 8 * i, UMEM_TYPE_U64, &back[i], 1), UMEM_OK,
                   "submit get");
        }
        expect(worker, umem_collect_all(calls), UMEM_OK, "collect");
        check(worker, memcmp(numbers, back, sizeof back) == 0, "another thread's numbers");
    }
    umem_calls_free(calls);
}

static void test_pipelines(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct worker workers[THREADS];

    start(workers, THREADS, client, run_pipeline);
    join(workers, THREADS);
    umem_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blocks, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_large_among_small, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_killed, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_connecting_anew, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_all_connecting_anew, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_pipelines, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
