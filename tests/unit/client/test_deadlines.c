/*
 * Until when the library waits, to the millisecond, and what it does when that time has come. The clock is the test's own, so that
 * no test waits itself.
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

enum { TIMEOUT_MS = 50, MIB = 1 << 20 };

static umem_client *client;

static int setup(void **state)
{
    (void)state;
    client = fake_connect(TIMEOUT_MS, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_disconnect(client);
    return 0;
}

/* The last request was written, and its answer read, with so much time. */
static void expect_deadlines(uint64_t begin_ms, uint64_t within_ms)
{
    assert_int_equal(fake.write_deadline_ms, begin_ms + within_ms);
    assert_int_equal(fake.read_deadline_ms, begin_ms + within_ms);
}

/* ---- how long each call may take ---- */

static void test_connecting(void **state)
{
    (void)state;
    assert_int_equal(fake.open_timeout_ms, TIMEOUT_MS);
    assert_int_equal(fake.open_deadline_ms, fake.now_ms + TIMEOUT_MS);
    umem_set_timeout(client, 0);
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_int_equal(fake.open_timeout_ms, 0);
    assert_true(fake.open_deadline_ms == UM_NO_DEADLINE);
    assert_int_equal(fake.closes, 1);
}

static void test_calls(void **state)
{
    const uint64_t begin_ms = fake.now_ms;
    const uint8_t value = 0;

    (void)state;
    fake_answer_result(1, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    expect_deadlines(begin_ms, TIMEOUT_MS);
    /* The time that the daemon may let it wait comes on top. */
    fake_answer_result(2, "{\"value\":1}");
    assert_int_equal(umem_block_wait(client, 1, 0, UMEM_TYPE_U8, &value, 200, NULL), UMEM_OK);
    expect_deadlines(begin_ms, TIMEOUT_MS + 200);
    fake_answer_result(3, "{}");
    assert_int_equal(umem_heap_lock(client, 1, 300), UMEM_OK);
    expect_deadlines(begin_ms, TIMEOUT_MS + 300);
    fake_answer_result(4, "{\"value\":1}");
    assert_int_equal(umem_block_wait(client, 1, 0, UMEM_TYPE_U8, &value, UMEM_FOREVER, NULL), UMEM_OK);
    assert_true(fake.read_deadline_ms == UM_NO_DEADLINE && fake.write_deadline_ms == UM_NO_DEADLINE);
    fake_answer_result(5, "{}");
    umem_set_timeout(client, 70);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    expect_deadlines(begin_ms, 70);
    fake_answer_result(6, "{}");
    umem_set_timeout(client, 0);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_true(fake.read_deadline_ms == UM_NO_DEADLINE && fake.write_deadline_ms == UM_NO_DEADLINE);
}

/* Unless it is told not to. */
static void test_calls_may_spin(void **state)
{
    (void)state;
    assert_true(fake.may_spin);
    fake.may_spin = false;
    umem_client_free(client);
    client = umem_client_new(&(struct umem_options){.pipe = "nowhere", .never_spin = true});
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_false(fake.may_spin);
}

/* Each is collected within the time from then on. */
static void test_pipeline(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);
    const uint8_t value = 0;

    (void)state;
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_submit_block_wait(calls, 1, 0, UMEM_TYPE_U8, &value, 200, NULL), UMEM_OK);
    fake_answer_result(1, "{}");
    fake_answer_result(2, "{\"value\":1}");
    assert_int_equal(umem_collect(calls), UMEM_OK);
    expect_deadlines(fake.now_ms, TIMEOUT_MS);
    fake.now_ms += 500;
    assert_int_equal(umem_collect(calls), UMEM_OK);
    assert_int_equal(fake.read_deadline_ms, fake.now_ms + TIMEOUT_MS + 200);
    umem_calls_free(calls);
}

/* All pieces of large data share one time, from the call's beginning on. */
static void test_large_data(void **state)
{
    const uint64_t begin_ms = fake.now_ms;
    char *bytes = calloc(3, MIB);

    (void)state;
    assert_non_null(bytes);
    fake_answer_result(1, "{\"limits\":{\"payload_bytes\":67108864}}");
    fake_answer_result(2, "{\"size\":1048576}");
    fake_answer_result(3, "{\"size\":1048576}");
    fake_answer_result(4, "{\"size\":1048576}");
    for (size_t i = 0; i < fake.read_count; i++)
        fake.reads[i].takes_ms = 5;
    assert_int_equal(umem_block_write(client, 1, 0, bytes, 3 * MIB), UMEM_OK);
    expect_deadlines(begin_ms, TIMEOUT_MS);
    free(bytes);
}

static void test_polling(void **state)
{
    const uint64_t begin_ms = fake.now_ms;
    size_t delivered = 77;

    (void)state;
    assert_int_equal(umem_poll(client, 30, &delivered), UMEM_OK);
    assert_int_equal(delivered, 0);
    assert_int_equal(fake.read_deadline_ms, begin_ms + 30);
    assert_int_equal(fake.now_ms, begin_ms + 30);
    assert_int_equal(umem_poll(client, 0, NULL), UMEM_OK);
    assert_int_equal(fake.read_deadline_ms, fake.now_ms);
    assert_int_equal(umem_poll(client, UMEM_FOREVER, NULL), UMEM_E_CONNECTION_LOST);
    assert_true(fake.read_deadline_ms == UM_NO_DEADLINE);
}

/* ---- when the time has come ---- */

/* A call that was given up costs no more than itself, and its answer is passed over: once. */
static void test_a_late_answer(void **state)
{
    (void)state;
    assert_int_equal(umem_server_ping(client), UMEM_E_DEADLINE);
    assert_int_equal(fake_count_sent("$/cancelRequest"), 0);
    fake_answer_result(1, "{}");
    fake_answer_result(2, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    fake_answer_result(1, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_E_BAD_ANSWER);
    /* What was forgotten on one connection is nothing on the next. */
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_int_equal(umem_server_ping(client), UMEM_E_DEADLINE);
    assert_int_equal(umem_connect(client), UMEM_OK);
    fake_answer_result(4, "{}");
    assert_int_equal(umem_server_ping(client), UMEM_E_BAD_ANSWER);
}

/* When a wait's deadline passes, the client cancels the pending call, and no other call. */
static void test_a_wait_is_cancelled(void **state)
{
    const uint8_t value = 0;
    const uint64_t begin_ms = fake.now_ms;
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);

    (void)state;
    assert_int_equal(umem_block_wait(client, 1, 0, UMEM_TYPE_U8, &value, 200, NULL), UMEM_E_DEADLINE);
    assert_int_equal(fake.now_ms, begin_ms + TIMEOUT_MS + 200);
    assert_int_equal(
        fake_count_sent("\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":1}}"),
        1);
    assert_int_equal(fake_count_sent("$/cancelRequest"), 1);
    /* Telling it may take a second, whatever the call may. */
    assert_int_equal(fake.write_deadline_ms, fake.now_ms + 1000);
    assert_true(umem_is_connected(client));
    fake_forget();
    assert_int_equal(umem_call(client, "block.wait", "[1,0,0]", NULL), UMEM_E_DEADLINE);
    assert_int_equal(fake_count_sent("\"params\":{\"id\":2}}"), 1);
    /* A wait that is never collected is cancelled, too. */
    fake_forget();
    assert_int_equal(umem_submit_block_wait(calls, 1, 0, UMEM_TYPE_U8, &value, 200, NULL), UMEM_OK);
    assert_int_equal(umem_calls_send(calls), UMEM_OK);
    umem_calls_free(calls);
    assert_int_equal(fake_count_sent("\"method\":\"$/cancelRequest\",\"params\":{\"id\":3}}"), 1);
}

/* Where raw bytes have begun to come to the caller's memory, the connection is closed: nothing may write there after the call. Before
 * that, the call costs no more than itself. */
static void test_within_a_payload(void **state)
{
    static const char cut[] = "Content-Length: 44\r\nPayload-Length: 4\r\n\r\n"
                              "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"size\":4}}ab";
    char bytes[4] = "....";

    (void)state;
    for (size_t size = sizeof cut - 1; size != 0; size--) {
        bool has_begun = size >= sizeof cut - 1 - strlen("ab");

        fake.read_count = 0;
        fake.read_next = 0;
        client->channel.last_id = 0;
        fake_answer(cut, size);
        assert_int_equal(umem_block_read(client, 1, 0, bytes, 4), UMEM_E_DEADLINE);
        assert_int_equal(umem_is_connected(client), !has_begun);
        assert_int_equal(umem_connect(client), UMEM_OK);
    }
}

/* A lock granted after the deadline would remain: so the connection is closed. */
static void test_a_lock_that_is_granted_too_late(void **state)
{
    (void)state;
    assert_int_equal(umem_heap_lock(client, 1, 0), UMEM_E_DEADLINE);
    assert_false(umem_is_connected(client));
    assert_int_equal(fake.aborts, 1);
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_int_equal(umem_call(client, "heap.lock", "[1]", NULL), UMEM_E_DEADLINE);
    assert_false(umem_is_connected(client));
}

/* Other messages from the daemon do not extend the deadline. */
static void test_other_messages_do_not_extend_the_deadline(void **state)
{
    const uint64_t begin_ms = fake.now_ms;
    static const char event[] =
        "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":5,\"block\":7}}\n";

    (void)state;
    for (int i = 0; i < 8; i++) {
        fake_answer_text(event, NULL, 0);
        fake.reads[i].takes_ms = TIMEOUT_MS / 2;
    }
    assert_int_equal(umem_server_ping(client), UMEM_E_DEADLINE);
    assert_int_equal(fake.now_ms, begin_ms + TIMEOUT_MS);
    assert_int_equal(fake.read_next, 2);
}

/* ---- the end of a connection ---- */

/* The daemon's last error says why it closed the connection. */
static void test_the_last_error_before_the_end(void **state)
{
    (void)state;
    fake.write_code = UMEM_E_CONNECTION_LOST;
    fake_answer_text("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"too many\","
                     "\"data\":{\"name\":\"limit_exceeded\",\"limit\":\"sessions\",\"maximum\":7}}}\n",
                     NULL, 0);
    assert_int_equal(umem_server_ping(client), UMEM_E_LIMIT_EXCEEDED);
    assert_string_equal(umem_last_error(client)->message, "too many");
    assert_false(umem_is_connected(client));
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
}

/* A request is written to its end, however little the daemon takes at a time. */
static void test_little_by_little(void **state)
{
    static const char bytes[] = "0123456789";
    char *whole;
    size_t size;

    (void)state;
    fake_answer_result(1, "{\"size\":10}");
    assert_int_equal(umem_block_write(client, 1, 0, bytes, 10), UMEM_OK);
    size = fake.sent_size;
    whole = malloc(size);
    assert_non_null(whole);
    memcpy(whole, fake.sent, size);
    for (size_t maximum = 1; maximum <= size; maximum++) {
        fake_forget();
        fake.read_count = 0;
        fake.read_next = 0;
        fake.write_maximum = maximum;
        assert_int_equal(umem_connect(client), UMEM_OK);
        client->channel.last_id = 0;
        fake_answer_result(1, "{\"size\":10}");
        assert_int_equal(umem_block_write(client, 1, 0, bytes, 10), UMEM_OK);
        assert_int_equal(fake.sent_size, size);
        assert_memory_equal(fake.sent, whole, size);
    }
    free(whole);
}

/* ---- the daemon's limits ---- */

/* Limits are requested once per connection, and again on a new one; a request beyond them is not sent. */
static void test_limits(void **state)
{
    static char bytes[4096];

    (void)state;
    fake_answer_result(1, "{\"limits\":{\"message_bytes\":2048,\"payload_bytes\":2048}}");
    memset(bytes, ' ', sizeof bytes - 3);
    memcpy(bytes + sizeof bytes - 4, "[]", 3);
    assert_int_equal(umem_call(client, "x", bytes, NULL), UMEM_E_TOO_LARGE);
    assert_int_equal(umem_call(client, "x", bytes, NULL), UMEM_E_TOO_LARGE);
    assert_int_equal(fake_count_sent("server.info"), 1);
    assert_int_equal(fake_count_sent("\"method\":\"x\""), 0);
    /* What an answer would bring is past them, too. */
    {
        umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);

        assert_int_equal(umem_submit_block_read(calls, 1, 0, bytes, 2049), UMEM_E_TOO_LARGE);
        assert_int_equal(umem_submit_block_write(calls, 1, 0, bytes, 2049), UMEM_E_TOO_LARGE);
        assert_int_equal(umem_calls_count(calls), 0);
        umem_calls_free(calls);
    }
    assert_int_equal(umem_connect(client), UMEM_OK);
    fake_answer_result(2, "{\"limits\":{}}");
    fake_answer_result(3, "{}");
    assert_int_equal(umem_call(client, "x", bytes, NULL), UMEM_OK);
    assert_int_equal(fake_count_sent("server.info"), 2);
}

/* Each piece holds whole numbers whatever the limit is. The last piece is sent first, so that a range past the end
 * changes nothing. */
static void test_pieces(void **state)
{
    enum { LIMIT = 2051, PIECE = 2048 };
    static char bytes[2 * PIECE];

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    fake_answer_result(1, "{\"limits\":{\"payload_bytes\":2051}}");
    fake_answer_text(
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32003,\"message\":\"past the end\"}}\n", NULL, 0);
    assert_int_equal(umem_block_set(client, 1, 0, UMEM_TYPE_U64, bytes, sizeof bytes / 8),
                     UMEM_E_OUT_OF_RANGE);
    assert_int_equal(fake_count_sent("block.write"), 1);
    assert_int_equal(fake_count_sent("\"offset\":2048,\"encoding\":\"raw\",\"size\":2048"), 1);
    fake_forget();
    fake_answer_result(3, "{\"size\":2048}");
    fake_answer_result(4, "{\"size\":2048}");
    assert_int_equal(umem_block_set(client, 1, 0, UMEM_TYPE_U64, bytes, sizeof bytes / 8), UMEM_OK);
    assert_int_equal(fake_count_sent("block.write"), 2);
    assert_int_equal(fake_count_sent("\"offset\":0,\"encoding\":\"raw\",\"size\":2048"), 1);
}

/* If several pieces fail, the first one's failure is reported. */
static void test_pieces_that_fail(void **state)
{
    char *bytes = calloc(3, MIB);

    (void)state;
    assert_non_null(bytes);
    fake_answer_result(1, "{\"limits\":{}}");
    fake_answer_result(2, "{\"size\":1048576}");
    fake_answer_text("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32007,\"message\":\"first\"}}\n"
                     "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32002,\"message\":\"second\"}}\n",
                     NULL, 0);
    assert_int_equal(umem_block_write(client, 1, 0, bytes, 3 * MIB), UMEM_E_LOCKED);
    assert_string_equal(umem_last_error(client)->message, "first");
    free(bytes);
}

#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_CLIENT(test_connecting),
        WITH_CLIENT(test_calls),
        WITH_CLIENT(test_calls_may_spin),
        WITH_CLIENT(test_pipeline),
        WITH_CLIENT(test_large_data),
        WITH_CLIENT(test_polling),
        WITH_CLIENT(test_a_late_answer),
        WITH_CLIENT(test_a_wait_is_cancelled),
        WITH_CLIENT(test_within_a_payload),
        WITH_CLIENT(test_a_lock_that_is_granted_too_late),
        WITH_CLIENT(test_other_messages_do_not_extend_the_deadline),
        WITH_CLIENT(test_the_last_error_before_the_end),
        WITH_CLIENT(test_little_by_little),
        WITH_CLIENT(test_limits),
        WITH_CLIENT(test_pieces),
        WITH_CLIENT(test_pieces_that_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
