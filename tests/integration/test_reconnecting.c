/* Clients that connect anew, and real daemons that are killed and started again under them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "durable_fixture.h"
#include "visitors.h"

enum {
    LONG_MS = 120000, /* more than any start of a daemon takes */
    THREADS = 4,
    RESTARTS = 3
};

/* While the next daemon starts, the call waits. */
static void test_a_call_finds_the_next_daemon(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle block;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    block = durable_make_block(client, durable_make_heap(client, NULL), NULL);
    durable_kill(place);
    durable_begin(place, "second");
    durable_expect_hello(client, block);
    durable_await(place);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* What is not durable is gone, and that is said. */
static void test_other_blocks_are_gone(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle block;
    char byte;
    int code;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    ok(client, umem_block_alloc(client, 1, NULL, &block));
    durable_kill(place);
    durable_start(place, "second");
    code = umem_block_read(client, block, 0, &byte, 1);
    assert_true(code == UMEM_E_UNKNOWN_HANDLE || code == UMEM_E_STALE_HANDLE);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* Between a request and its answer. */
static void test_a_lost_answer_is_an_error(void **state)
{
    static const uint8_t first = 'h';
    struct place *place = *state;
    umem_client *client;
    struct umem_block_info info;
    umem_calls *calls;
    umem_handle block;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    block = durable_make_block(client, durable_make_heap(client, NULL), NULL);
    calls = umem_calls_new(client, UMEM_PIPELINE);
    ok(client, umem_submit_block_info(calls, block, &info));
    ok(client, umem_submit_block_wait(calls, block, 0, UMEM_TYPE_U8, &first, UMEM_FOREVER, NULL));
    ok(client, umem_collect(calls));
    durable_kill(place);
    durable_start(place, "second");
    expect_code(client, umem_collect(calls), UMEM_E_CONNECTION_LOST);
    assert_non_null(
        strstr(umem_last_error(client)->message, "whether the request was carried out is not known"));
    umem_calls_free(calls);
    durable_expect_hello(client, block);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_a_lock_does_not_come_back(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle heap;
    umem_handle block;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    heap = durable_make_heap(client, NULL);
    block = durable_make_block(client, heap, NULL);
    ok(client, umem_heap_lock(client, heap, 0));
    durable_kill(place);
    durable_start(place, "second");
    expect_code(client, umem_block_write(client, block, 0, "H", 1), UMEM_E_CONNECTION_LOST);
    durable_expect_hello(client, block);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_a_mapping_stays(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle block;
    void *bytes = NULL;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    block = durable_make_block(client, durable_make_heap(client, NULL), NULL);
    ok(client, umem_map(client, block, &bytes, NULL));
    durable_kill(place);
    durable_start(place, "second");
    ok(client, umem_block_write(client, block, 0, "again", 5));
    assert_memory_equal(bytes, "again", 5);
    ok(client, umem_unmap(client, bytes));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_without_a_daemon_it_ends(void **state)
{
    struct place *place = *state;
    umem_client *client;

    durable_start(place, "second");
    client = durable_connect(place, 200);
    durable_kill(place);
    expect_code(client, umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    assert_non_null(strstr(umem_last_error(client)->message, place->daemon.pipe));
    expect_code(client, umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    umem_client_free(client);
}

/* ---- many threads, with one client or with one each ---- */

struct adder {
    umem_client *client;
    umem_handle block;
    uv_mutex_t *lock;
    bool *is_over;     /* within the lock */
    uint64_t answered; /* additions */
    uint64_t lost;     /* of which nobody knows */
    int code;          /* what else went wrong */
};

static bool is_over(const struct adder *adder)
{
    bool over;

    uv_mutex_lock(adder->lock);
    over = *adder->is_over;
    uv_mutex_unlock(adder->lock);
    return over;
}

static void add(void *context)
{
    static const uint64_t one = 1;
    struct adder *adder = context;

    while (adder->code == UMEM_OK && !is_over(adder)) {
        int code = umem_block_add(adder->client, adder->block, 0, UMEM_TYPE_U64, &one, NULL, NULL);

        if (code == UMEM_OK)
            adder->answered++;
        else if (code == UMEM_E_CONNECTION_LOST)
            adder->lost++;
        else
            adder->code = code;
    }
}

/* Waits until the threads have gone on: the number is more than it was. */
static uint64_t wait_for_more(umem_client *client, umem_handle block, uint64_t before)
{
    enum { READS = 10000000 };
    uint64_t now = before;

    for (long i = 0; i < READS && now <= before; i++) {
        int code = umem_block_get(client, block, 0, UMEM_TYPE_U64, &now, 1);

        /* Where the connection is the threads', one of them may have found it closed. */
        expect_code(client, code == UMEM_E_CONNECTION_LOST ? UMEM_OK : code, UMEM_OK);
    }
    assert_true(now > before);
    return now;
}

/* Every addition that was answered has been done, once. */
static void test_threads_share_a_client(void **state)
{
    struct place *place = *state;
    struct adder adders[THREADS];
    uv_thread_t threads[THREADS];
    uv_mutex_t lock;
    bool over = false;
    uint64_t answered = 0;
    uint64_t lost = 0;
    uint64_t sum = 0;
    umem_client *client;
    umem_handle block;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    ok(client,
       umem_block_alloc(client, sizeof sum,
                        &(struct umem_block_options){.heap = durable_make_heap(client, NULL)}, &block));
    assert_int_equal(uv_mutex_init(&lock), 0);
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.client = client, .block = block, .lock = &lock, .is_over = &over};
        assert_int_equal(uv_thread_create(&threads[i], add, &adders[i]), 0);
    }
    for (int i = 0; i < RESTARTS; i++) {
        durable_kill(place);
        durable_start(place, "second");
        sum = wait_for_more(client, block, sum);
    }
    uv_mutex_lock(&lock);
    over = true;
    uv_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
        assert_int_equal(adders[i].code, UMEM_OK);
        answered += adders[i].answered;
        lost += adders[i].lost;
    }
    ok(client, umem_block_get(client, block, 0, UMEM_TYPE_U64, &sum, 1));
    assert_true(sum >= answered);
    assert_true(sum <= answered + lost);
    uv_mutex_destroy(&lock);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_threads_have_clients_of_their_own(void **state)
{
    struct place *place = *state;
    struct visitors *visitors;
    uint64_t answered;
    uint64_t lost;
    uint64_t sum = 0;
    umem_client *client;
    umem_handle block;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    ok(client,
       umem_block_alloc(client, sizeof sum,
                        &(struct umem_block_options){.heap = durable_make_heap(client, NULL)}, &block));
    visitors = visitors_start(place->daemon.pipe, block, 0, THREADS);
    for (int i = 0; i < RESTARTS; i++) {
        visitors_wait(visitors);
        durable_kill(place);
        durable_start(place, "second");
    }
    visitors_wait(visitors);
    visitors_stop(visitors, &answered, &lost);
    ok(client, umem_block_get(client, block, 0, UMEM_TYPE_U64, &sum, 1));
    assert_true(sum >= answered);
    assert_true(sum <= answered + lost);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_call_finds_the_next_daemon, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_other_blocks_are_gone, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_lost_answer_is_an_error, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_lock_does_not_come_back, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_mapping_stays, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_daemon_it_ends, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_threads_share_a_client, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_threads_have_clients_of_their_own, durable_set_up,
                                        durable_tear_down),
    };

    pipe_may_break();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
