/*
 * A client that connects anew: when it does, how long it tries, what it sends once more and what never. The clock is the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "fake_client.h"
#include "lib/connection/client.h"

enum { TIMEOUT_MS = 5000, RECONNECT_MS = 1000, MOST_PAUSE_MS = 100 };

static umem_client *client;

static int setup(void **state)
{
    (void)state;
    client = fake_connect(TIMEOUT_MS, RECONNECT_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_disconnect(client);
    return 0;
}

/* The daemon closes before a request has come: `times` in a row. */
static void close_before_requests(unsigned times)
{
    fake.write_code = UMEM_E_NOT_CONNECTED;
    fake.write_failures = times;
}

/* A call whose answer is lost: it has been sent. */
static void lose_an_answer(void)
{
    assert_true(fake.read_count < FAKE_STEPS_MAXIMUM);
    fake.reads[fake.read_count++] = (struct fake_read){.code = UMEM_E_CONNECTION_LOST};
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    assert_false(umem_is_connected(client));
}

static void test_a_request_that_nobody_got_is_sent_anew(void **state)
{
    (void)state;
    close_before_requests(1);
    fake_answer_result(2, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(fake_count_sent("server.ping"), 1);
    assert_true(umem_is_connected(client));
}

static void test_a_lost_answer_is_an_error_and_nothing_is_repeated(void **state)
{
    (void)state;
    lose_an_answer();
    assert_non_null(
        strstr(umem_last_error(client)->message, "whether the request was carried out is not known"));
    assert_int_equal(fake_count_sent("server.ping"), 1);
    assert_int_equal(fake.opens, 1);
    /* The next call finds the connection gone. */
    fake_answer_result(2, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(fake_count_sent("server.ping"), 2);
}

static void test_a_request_that_was_sent_in_part_is_not_repeated(void **state)
{
    static const char bytes[10000];

    (void)state;
    fake_answer_result(1, "{\"limits\":{\"message_bytes\":1048576,\"payload_bytes\":1048576}}");
    fake_answer_result(2, "{}");
    assert_int_equal(umem_block_write(client, 5, 0, bytes, sizeof bytes), UMEM_OK);
    fake_forget();
    /* The first write takes a part, and nothing is there to be read. */
    fake.write_maximum = 100;
    close_before_requests(1);
    fake.write_successes = 1;
    fake.reads[fake.read_count++] = (struct fake_read){.code = UMEM_E_DEADLINE};
    fake.reads[fake.read_count++] = (struct fake_read){.code = UMEM_E_CONNECTION_LOST};
    assert_int_equal(umem_block_write(client, 5, 0, bytes, sizeof bytes), UMEM_E_CONNECTION_LOST);
    assert_int_equal(fake.opens, 1);
    assert_int_equal(fake_count_sent("block.write"), 1);
}

/* All of a pipeline that was to be written, in its order. */
static void test_a_pipeline_is_sent_anew(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);

    (void)state;
    assert_int_equal(umem_submit_block_free(calls, 5), UMEM_OK);
    assert_int_equal(umem_submit_block_free(calls, 6), UMEM_OK);
    close_before_requests(1);
    fake_answer_result(3, "{}");
    fake_answer_result(4, "{}");
    assert_int_equal(umem_collect_all(calls), UMEM_OK);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(fake_count_sent("block.free"), 2);
    assert_true(strstr(fake.sent, "\"block\":5") < strstr(fake.sent, "\"block\":6"));
    umem_calls_free(calls);
}

/* Once: a daemon that closes every connection says why. */
static void test_a_daemon_that_refuses_is_not_asked_for_ever(void **state)
{
    (void)state;
    close_before_requests(0);
    fake_answer_text("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"too many\","
                     "\"data\":{\"name\":\"limit_exceeded\",\"limit\":\"sessions\",\"maximum\":7}}}\n",
                     NULL, 0);
    assert_int_equal(umem_server_ping(client), UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(fake.opens, 2);
}

/* ---- how long, how often ---- */

static void test_a_daemon_that_starts_is_waited_for(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    lose_an_answer();
    fake.open_code = UMEM_E_NOT_CONNECTED;
    fake.open_failures = 5;
    fake_answer_result(2, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.opens, 7);
    assert_int_equal(fake.pauses, 5);
    assert_int_equal(fake.now_ms - begin_ms, 1 + 2 + 4 + 8 + 16);
}

static void test_where_no_daemon_comes_it_ends(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    lose_an_answer();
    fake.open_code = UMEM_E_NOT_CONNECTED;
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    assert_non_null(strstr(umem_last_error(client)->message, "nowhere: as the test wants it"));
    assert_true(fake.now_ms - begin_ms <= RECONNECT_MS);
    assert_true(fake.now_ms - begin_ms > RECONNECT_MS - 2 * MOST_PAUSE_MS);
    assert_true(fake.pauses < 7 + RECONNECT_MS / MOST_PAUSE_MS);
    assert_int_equal(fake_count_sent("server.ping"), 1);
    /* It tries again for each call. */
    fake.open_code = UMEM_OK;
    fake_answer_result(2, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
}

static void test_a_calls_deadline_counts(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    lose_an_answer();
    fake.open_code = UMEM_E_NOT_CONNECTED;
    umem_set_timeout(client, 50);
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    assert_true(fake.now_ms - begin_ms <= 50);
    assert_int_equal(fake.open_deadline_ms, begin_ms + 50);
}

static void test_another_users_daemon_ends_it_at_once(void **state)
{
    (void)state;
    lose_an_answer();
    fake.open_code = UMEM_E_NOT_TRUSTED;
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_TRUSTED);
    assert_int_equal(fake.opens, 2);
    assert_int_equal(fake.pauses, 0);
}

static void test_only_where_it_is_wanted(void **state)
{
    (void)state;
    client = fake_connect(TIMEOUT_MS, 0);
    close_before_requests(1);
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    assert_int_equal(fake.opens, 1);
}

static void test_a_client_that_was_never_connected_stays_so(void **state)
{
    (void)state;
    fake_begin();
    client = umem_client_new(&(struct umem_options){.pipe = "nowhere", .reconnect_ms = RECONNECT_MS});
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    fake.open_code = UMEM_E_NOT_CONNECTED;
    assert_int_equal(umem_connect(client), UMEM_E_NOT_CONNECTED);
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    assert_int_equal(fake.opens, 1);
    assert_int_equal(fake.pauses, 0);
}

/* ---- what ends with a session ---- */

/* One call says that the session's things are gone; the next one connects. */
static void expect_one_loss(void)
{
    unsigned opens = fake.opens;
    size_t sent = fake.sent_size;

    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    assert_non_null(
        strstr(umem_last_error(client)->message, "locks, holds, watches and blocks of its session"));
    assert_int_equal(fake.opens, opens);
    assert_int_equal(fake.sent_size, sent);
}

static void test_a_lost_lock_is_an_error(void **state)
{
    (void)state;
    fake_answer_result(1, "{}");
    assert_int_equal(umem_heap_lock(client, 5, 0), UMEM_OK);
    close_before_requests(1);
    expect_one_loss();
    fake_answer_result(3, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    /* The new session has none. */
    close_before_requests(1);
    fake_answer_result(5, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.opens, 3);
}

static void test_each_kind_counts(void **state)
{
    static const enum umem_lifetime session = UMEM_LIFETIME_SESSION;
    const struct umem_block_options block_options = {.lifetime = UMEM_LIFETIME_SESSION};
    const struct umem_heap_options heap_options = {.lifetime = UMEM_LIFETIME_SESSION};
    umem_handle made;
    unsigned id = 0;

    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        fake_answer_result(++id, i == 1             ? "{\"holders\":1}"
                                 : i == 2 || i == 6 ? "{\"block\":5}"
                                                    : "{\"heap\":5}");
        switch (i) {
        case 0:
            assert_int_equal(umem_call(client, "heap.lock", "{\"heap\":5}", NULL), UMEM_OK);
            break;
        case 1:
            assert_int_equal(umem_block_hold(client, 5, NULL), UMEM_OK);
            break;
        case 2:
            assert_int_equal(umem_block_alloc(client, 1, &block_options, &made), UMEM_OK);
            break;
        case 3:
            assert_int_equal(umem_heap_create(client, &heap_options, &made), UMEM_OK);
            break;
        case 4:
            assert_int_equal(umem_block_change(client, 5, NULL, &session, NULL), UMEM_OK);
            break;
        case 5:
            assert_int_equal(umem_call(client, "block.hold", "[5]", NULL), UMEM_OK);
            break;
        default:
            assert_int_equal(umem_call(client, "block.alloc", "[1, null, \"session\"]", NULL), UMEM_OK);
            break;
        }
        close_before_requests(1);
        expect_one_loss();
        id++;
        fake_answer_result(++id, "{}");
        assert_int_equal(umem_server_ping(client), UMEM_OK);
        fake_forget();
    }
}

/* A request that was never sent has made nothing. */
static void test_a_lock_is_requested_anew(void **state)
{
    (void)state;
    close_before_requests(1);
    fake_answer_result(2, "{}");
    assert_int_equal(umem_heap_lock(client, 5, 0), UMEM_OK);
    assert_int_equal(fake.opens, 2);
}

static void test_who_connects_knows(void **state)
{
    (void)state;
    fake_answer_result(1, "{}");
    assert_int_equal(umem_heap_lock(client, 5, 0), UMEM_OK);
    assert_int_equal(umem_connect(client), UMEM_OK);
    close_before_requests(1);
    fake_answer_result(3, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
}

static void on_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
    fail_msg("there is no event");
}

static void test_a_lost_watch_is_an_error_of_polling(void **state)
{
    uint64_t watch;
    size_t delivered = 7;

    (void)state;
    fake_answer_result(1, "{\"watch\":1}");
    assert_int_equal(umem_session_watch(client, NULL, on_event, NULL, &watch), UMEM_OK);
    close_before_requests(1);
    expect_one_loss();
    fake_answer_result(3, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(umem_poll(client, 0, &delivered), UMEM_E_CONNECTION_LOST);
    assert_non_null(strstr(umem_last_error(client)->message, "its watches with it"));
    assert_int_equal(delivered, 0);
    assert_true(umem_is_connected(client));
    assert_int_equal(umem_poll(client, 0, &delivered), UMEM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_request_that_nobody_got_is_sent_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_answer_is_an_error_and_nothing_is_repeated, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_request_that_was_sent_in_part_is_not_repeated, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_pipeline_is_sent_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_refuses_is_not_asked_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_starts_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_where_no_daemon_comes_it_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_calls_deadline_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_users_daemon_ends_it_at_once, setup, teardown),
        cmocka_unit_test_teardown(test_only_where_it_is_wanted, teardown),
        cmocka_unit_test_teardown(test_a_client_that_was_never_connected_stays_so, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_lock_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_kind_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lock_is_requested_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_connects_knows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_watch_is_an_error_of_polling, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
