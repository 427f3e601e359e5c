/*
 * One client and several threads, of which the test is one after the other: which thread reads or writes, which one is
 * woken, and until when a thread waits for others. Nothing waits (fake_transport.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "fake_client.h"
#include "lib/connection/client.h"

enum { TIMEOUT_MS = 50 };

#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}\n"
#define FREED "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":5,\"block\":7}}\n"

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

static void answer(const char *lines)
{
    fake_answer_text(lines, NULL, 0);
}

/* ---- waiting for one's turn ---- */

static void stop_writing(void)
{
    um_mutex_lock(client->lock);
    client->is_writing = false;
    um_client_wake_next(client);
    um_mutex_unlock(client->lock);
}

static void test_a_write_slot_that_stays_taken(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    client->is_writing = true;
    assert_int_equal(umem_server_ping(client), UMEM_E_DEADLINE);
    assert_string_equal(umem_last_error(client)->message, "another thread's request was not taken in time");
    assert_int_equal(fake.now_ms, begin_ms + TIMEOUT_MS);
    assert_int_equal(fake.sent_size, 0);
    assert_true(umem_is_connected(client));
    assert_true(client->is_writing);
    client->is_writing = false;
}

static void test_a_write_slot_that_is_freed(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    client->is_writing = true;
    fake.others = stop_writing;
    answer(RESULT("1", "{}"));
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake.now_ms, begin_ms);
    assert_false(client->is_writing);
}

/* A wait that is given up while another thread keeps the connection busy: the daemon is left to find out itself, and soon. */
static void test_a_write_slot_to_cancel(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);
    const uint8_t zero = 0;
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    assert_int_equal(umem_submit_block_wait(calls, 1, 0, UMEM_TYPE_U8, &zero, 200, NULL), UMEM_OK);
    assert_int_equal(umem_calls_send(calls), UMEM_OK);
    client->is_writing = true;
    fake_forget();
    assert_int_equal(umem_collect(calls), UMEM_E_DEADLINE);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake.wait_deadline_ms, begin_ms + TIMEOUT_MS + 200 + 100);
    assert_int_equal(fake.sent_size, 0);
    assert_true(umem_is_connected(client));
    client->is_writing = false;
    umem_calls_free(calls);
}

/* ---- waiting for what another thread reads ---- */

/* It is at it, takes what has come, and is not done yet. */
static void read_once(void)
{
    um_mutex_lock(client->lock);
    client->is_reading = false;
    assert_int_equal(um_client_read(client, UM_NO_DEADLINE), UMEM_OK);
    client->is_reading = true;
    um_mutex_unlock(client->lock);
}

/* The same, and it has what it wanted. */
static void read_and_leave(void)
{
    read_once();
    um_mutex_lock(client->lock);
    client->is_reading = false;
    um_client_wake_next(client);
    um_mutex_unlock(client->lock);
}

static void test_an_answer_that_another_reads(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    client->is_reading = true;
    fake.others = read_once;
    answer(RESULT("1", "{}"));
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake.wait_deadline_ms, begin_ms + TIMEOUT_MS);
    assert_int_equal(fake.now_ms, begin_ms);
    client->is_reading = false;
}

/* No thread reads any more: so the waiting one does. */
static void test_reading_is_passed_on(void **state)
{
    (void)state;
    client->is_reading = true;
    fake.others = read_and_leave;
    answer(FREED);
    answer(RESULT("1", "{}"));
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(fake.waits, 1);
    assert_false(client->is_reading);
}

static void test_an_answer_that_does_not_come(void **state)
{
    const uint64_t begin_ms = fake.now_ms;

    (void)state;
    client->is_reading = true;
    assert_int_equal(umem_server_ping(client), UMEM_E_DEADLINE);
    assert_int_equal(fake.now_ms, begin_ms + TIMEOUT_MS);
    assert_true(umem_is_connected(client));
    client->is_reading = false;
}

static void on_event(const struct umem_event *event, void *context)
{
    assert_int_equal(event->block, 7);
    assert_false(fake.is_locked);
    ++*(int *)context;
}

/* Events that another thread reads are delivered by the one that polls. */
static void test_events_that_another_reads(void **state)
{
    const uint64_t begin_ms = fake.now_ms;
    uint64_t watch = 0;
    size_t delivered = 0;
    int events = 0;

    (void)state;
    answer(RESULT("1", "{\"watch\":5}"));
    assert_int_equal(umem_session_watch(client, NULL, on_event, &events, &watch), UMEM_OK);
    client->is_reading = true;
    fake.others = read_once;
    answer(FREED);
    assert_int_equal(umem_poll(client, 300, &delivered), UMEM_OK);
    assert_int_equal(delivered, 1);
    assert_int_equal(events, 1);
    assert_int_equal(fake.wait_deadline_ms, begin_ms + 300);
    assert_int_equal(fake.now_ms, begin_ms);
    fake.others = NULL;
    assert_int_equal(umem_poll(client, 300, &delivered), UMEM_OK);
    assert_int_equal(delivered, 0);
    assert_int_equal(fake.now_ms, begin_ms + 300);
    client->is_reading = false;
}

/* ---- which thread is woken ---- */

/* Threads that wait meanwhile: one to write, and one to read. */
static struct {
    struct um_waiter writer;
    struct um_waiter reader;
} waiting;

static void begin_waiting(void)
{
    waiting.writer = (struct um_waiter){.condition = um_condition_new(), .wants_to_write = true};
    waiting.reader = (struct um_waiter){.condition = um_condition_new(), .next = &waiting.writer};
    client->waiters = &waiting.reader;
}

static void end_waiting(void)
{
    client->waiters = NULL;
    um_condition_free(waiting.writer.condition);
    um_condition_free(waiting.reader.condition);
}

/* A thread that stops reading or writing hands it on. */
static void test_the_next_is_woken(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);

    (void)state;
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    begin_waiting();
    assert_int_equal(umem_calls_send(calls), UMEM_OK);
    assert_true(fake_was_woken(waiting.writer.condition));
    assert_true(fake_was_woken(waiting.reader.condition));
    answer(RESULT("1", "{}"));
    assert_int_equal(umem_collect(calls), UMEM_OK);
    assert_true(fake_was_woken(waiting.reader.condition));
    assert_true(fake_was_woken(waiting.writer.condition));
    umem_calls_free(calls);
    /* While another thread writes, none is woken to write. */
    um_mutex_lock(client->lock);
    client->is_writing = true;
    um_client_wake_next(client);
    assert_false(fake_was_woken(waiting.writer.condition));
    assert_true(fake_was_woken(waiting.reader.condition));
    client->is_reading = true;
    client->is_writing = false;
    um_client_wake_next(client);
    assert_true(fake_was_woken(waiting.writer.condition));
    assert_false(fake_was_woken(waiting.reader.condition));
    client->is_reading = false;
    um_mutex_unlock(client->lock);
    /* umem_poll() reads, too. */
    assert_int_equal(umem_poll(client, 1, NULL), UMEM_OK);
    assert_true(fake_was_woken(waiting.reader.condition));
    end_waiting();
}

/* The end of a connection is for all of them. */
static void test_all_are_woken(void **state)
{
    (void)state;
    begin_waiting();
    client->is_reading = true;
    um_mutex_lock(client->lock);
    um_client_break(client, UMEM_E_CONNECTION_LOST, "gone");
    assert_true(fake_was_woken(waiting.writer.condition));
    assert_true(fake_was_woken(waiting.reader.condition));
    client->is_reading = false;
    um_client_close_if_unused(client);
    um_mutex_unlock(client->lock);
    assert_int_equal(fake.closes, 1);
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_true(fake_was_woken(waiting.writer.condition));
    assert_true(fake_was_woken(waiting.reader.condition));
    end_waiting();
}

/* ---- connecting anew while others are at it ---- */

/* They notice that the connection was ended, and leave. */
static void leave(void)
{
    assert_int_equal(client->broken, UMEM_E_CONNECTION_LOST);
    um_mutex_lock(client->lock);
    client->is_reading = false;
    client->is_writing = false;
    um_client_close_if_unused(client);
    um_client_wake_next(client);
    um_mutex_unlock(client->lock);
}

static void test_connecting_anew(void **state)
{
    (void)state;
    client->is_reading = true;
    client->is_writing = true;
    fake.others = leave;
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake.aborts, 1);
    assert_int_equal(fake.closes, 1);
    assert_int_equal(fake.opens, 2);
    assert_true(umem_is_connected(client));
    assert_false(client->is_reading || client->is_writing);
    fake.others = NULL;
    fake.open_code = UMEM_E_NOT_CONNECTED;
    assert_int_equal(umem_connect(client), UMEM_E_NOT_CONNECTED);
    assert_false(umem_is_connected(client));
    assert_int_equal(fake.closes, 2);
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    assert_non_null(strstr(umem_last_error(client)->message, "nowhere: as the test wants it"));
}

#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_CLIENT(test_a_write_slot_that_stays_taken),
        WITH_CLIENT(test_a_write_slot_that_is_freed),
        WITH_CLIENT(test_a_write_slot_to_cancel),
        WITH_CLIENT(test_an_answer_that_another_reads),
        WITH_CLIENT(test_reading_is_passed_on),
        WITH_CLIENT(test_an_answer_that_does_not_come),
        WITH_CLIENT(test_events_that_another_reads),
        WITH_CLIENT(test_the_next_is_woken),
        WITH_CLIENT(test_all_are_woken),
        WITH_CLIENT(test_connecting_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
