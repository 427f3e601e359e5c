/*
 * How answers are dispatched: which call an answer ends, which failure is reported, which events are kept, and that
 * nothing is done twice. The transport is the test's own (fake_transport.h).
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

#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}\n"
#define FAILURE(id, code, message) \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message "\"}}\n"
#define CHANGED(watch, block, offset, size) \
    "{\"jsonrpc\":\"2.0\",\"method\":\"block.changed\",\"params\":{\"watch\":" watch ",\"block\":" block \
    ",\"offset\":" offset ",\"size\":" size "}}\n"
#define FREED(watch, block) \
    "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":" watch ",\"block\":" block "}}" \
    "\n"

static umem_client *client;

static int setup(void **state)
{
    (void)state;
    client = fake_connect(50, 0);
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

static void expect_error(int code, const char *message)
{
    assert_int_equal(umem_last_error(client)->code, code);
    assert_string_equal(umem_last_error(client)->message, message);
}

static umem_calls *submit_pings(enum umem_calls_kind kind, int count)
{
    umem_calls *calls = umem_calls_new(client, kind);

    assert_non_null(calls);
    for (int i = 0; i < count; i++)
        assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    return calls;
}

/* ---- pipelines ---- */

static void test_the_first_failure_is_reported(void **state)
{
    umem_calls *calls = submit_pings(UMEM_PIPELINE, 4);

    (void)state;
    answer(RESULT("1", "{}") FAILURE("2", "-32007", "first") FAILURE("3", "-32002", "second")
               RESULT("4", "{}"));
    assert_int_equal(umem_collect_all(calls), UMEM_E_LOCKED);
    expect_error(UMEM_E_LOCKED, "first");
    assert_int_equal(umem_calls_count(calls), 0);
    assert_int_equal(umem_collect_all(calls), UMEM_OK);
    expect_error(UMEM_OK, "");
    umem_calls_free(calls);
}

/* A full pipeline is sent before umem_calls_send(). */
static void test_a_pipeline_that_is_full(void **state)
{
    enum { MIB = 1 << 20 };
    umem_calls *calls = submit_pings(UMEM_PIPELINE, 3);
    char *bytes = malloc(MIB);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', MIB);
    assert_int_equal(fake.sent_size, 0);
    answer(RESULT("1", "{\"limits\":{}}"));
    assert_int_equal(umem_submit_block_write(calls, 1, 0, bytes, MIB), UMEM_OK);
    assert_int_equal(fake_count_sent("server.ping"), 3);
    assert_int_equal(fake_count_sent("block.write"), 1);
    umem_calls_free(calls);
    free(bytes);
}

static void test_as_many_as_may_be(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_BATCH);

    (void)state;
    for (int i = 0; i < UMEM_CALLS_MAX; i++)
        assert_int_equal(umem_submit_block_free(calls, 1), UMEM_OK);
    assert_int_equal(umem_submit_block_free(calls, 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_calls_count(calls), UMEM_CALLS_MAX);
    umem_calls_free(calls);
    assert_int_equal(fake.sent_size, 0);
}

/* ---- batches ---- */

static void test_batches(void **state)
{
    umem_calls *calls = submit_pings(UMEM_BATCH, 2);
    umem_handle block = 0;

    (void)state;
    assert_int_equal(fake.sent_size, 0);
    answer("[{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}},"
           "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32007,\"message\":\"m\"}}]\n");
    assert_int_equal(umem_collect(calls), UMEM_E_LOCKED);
    /* Until all are collected, no other is taken. */
    assert_int_equal(umem_submit_block_free(calls, 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_collect(calls), UMEM_OK);
    assert_int_equal(umem_submit_block_alloc(calls, 1, NULL, &block), UMEM_OK);
    answer("[{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"block\":5}}]\n");
    assert_int_equal(umem_collect_all(calls), UMEM_OK);
    assert_int_equal(block, 5);
    umem_calls_free(calls);
}

static void test_what_is_no_answer_to_a_batch(void **state)
{
    static const char *const answers[] = {
        "[]\n",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}]\n",
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}},"
         "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}]\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        umem_calls *calls = submit_pings(UMEM_BATCH, 2);

        client->channel.last_id = 0;
        answer(answers[i]);
        if (umem_collect_all(calls) != UMEM_E_BAD_ANSWER)
            fail_msg("taken for an answer: %s", answers[i]);
        umem_calls_free(calls);
        fake.read_next = fake.read_count = 0;
        assert_int_equal(umem_connect(client), UMEM_OK);
    }
}

/* Raw bytes belong to those that have succeeded, in their order. */
static void test_raw_bytes_of_a_batch(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_BATCH);
    char first[3] = "--";
    char second[3] = "--";
    char third[4] = "---";

    (void)state;
    assert_int_equal(umem_submit_block_read(calls, 1, 0, first, 2), UMEM_OK);
    assert_int_equal(umem_submit_block_read(calls, 1, 0, second, 2), UMEM_OK);
    assert_int_equal(umem_submit_block_write(calls, 1, 0, "wxyz", 4), UMEM_OK);
    assert_int_equal(umem_submit_block_read(calls, 1, 0, third, 3), UMEM_OK);
    fake_answer_text("[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32003,\"message\":\"m\"}},"
                     "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"size\":2}},"
                     "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"size\":4}},"
                     "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"size\":3}}]\n",
                     "abcde", 5);
    assert_int_equal(umem_collect_all(calls), UMEM_E_OUT_OF_RANGE);
    assert_string_equal(first, "--");
    assert_string_equal(second, "ab");
    assert_string_equal(third, "cde");
    assert_int_equal(fake_count_sent("Payload-Length: 4\r\n"), 1);
    assert_int_equal(fake_count_sent("]wxyz"), 1);
    umem_calls_free(calls);
}

/* ---- which call it is about ---- */

/* An error without id is about the oldest that cannot be waiting. */
static void test_an_error_without_id(void **state)
{
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);
    const uint8_t zero = 0;
    uint8_t now = 0;

    (void)state;
    assert_int_equal(umem_submit_block_wait(calls, 1, 0, UMEM_TYPE_U8, &zero, UMEM_FOREVER, &now), UMEM_OK);
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    answer(FAILURE("null", "-32010", "too long") RESULT("3", "{}") RESULT("1", "{\"value\":7}"));
    assert_int_equal(umem_collect(calls), UMEM_OK);
    assert_int_equal(now, 7);
    assert_int_equal(umem_collect(calls), UMEM_E_TOO_LARGE);
    assert_int_equal(umem_collect(calls), UMEM_OK);
    umem_calls_free(calls);
}

static void test_raw_bytes_without_a_receiver(void **state)
{
    char bytes[4] = "";

    (void)state;
    /* Of a call by its name they are passed over. */
    fake_answer_text(RESULT("1", "{\"size\":4}"), "abcd", 4);
    answer(RESULT("2", "{}"));
    assert_int_equal(umem_call(client, "block.read", "[1,0,4,\"raw\"]", NULL), UMEM_OK);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    /* Behind an event, an error, or a result without any they cannot be. */
    fake_answer_text(FREED("5", "7"), "abcd", 4);
    assert_int_equal(umem_server_ping(client), UMEM_E_BAD_ANSWER);
    assert_int_equal(umem_connect(client), UMEM_OK);
    fake_answer_text(FAILURE("4", "-32003", "m"), "abcd", 4);
    assert_int_equal(umem_block_read(client, 1, 0, bytes, 4), UMEM_E_BAD_ANSWER);
    assert_int_equal(umem_connect(client), UMEM_OK);
    fake_answer_text(RESULT("5", "{}"), "abcd", 4);
    assert_int_equal(umem_server_ping(client), UMEM_E_BAD_ANSWER);
}

/* Large ones are read to where they belong, and no more is read before than what stands there. */
static void test_large_raw_bytes(void **state)
{
    enum { LITTLE = 1025, LARGE = 100000, HEAD = 1024 };
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"size\":100000}}";
    static char bytes[LARGE];
    static char payload[LARGE];
    char head[256];

    (void)state;
    memset(payload, 'x', sizeof payload);
    answer(RESULT("1", "{\"limits\":{}}"));
    fake_answer_text(RESULT("2", "{\"size\":1025}"), payload, LITTLE);
    assert_int_equal(umem_block_read(client, 1, 0, bytes, LITTLE), UMEM_OK);
    snprintf(head, sizeof head, "Content-Length: %zu\r\nPayload-Length: %d\r\n\r\n%s", strlen(text), LARGE,
             text);
    fake_answer(head, strlen(head));
    fake_answer(payload, LARGE);
    fake_forget();
    assert_int_equal(umem_block_read(client, 1, 0, bytes, LARGE), UMEM_OK);
    assert_memory_equal(bytes, payload, LARGE);
    assert_int_equal(fake.first_capacity, HEAD);
    assert_ptr_equal(fake.read_to, bytes);
}

/* In a batch, raw bytes requested by position would be taken for the payload of another call. */
static void test_raw_bytes_by_name(void **state)
{
    static const char *const raw[] = {"{\"block\":1,\"encoding\":\"raw\"}", "[1,0,4,\"raw\"]"};
    static const char *const others[] = {"{\"block\":1,\"encoding\":\"hex\"}", "[1,0,4,\"hex\"]", "[1,0,4]",
                                         "[\"raw\",0,\"raw\"]", "[1,0,4,7,\"raw\"]"};
    umem_calls *calls = umem_calls_new(client, UMEM_BATCH);

    (void)state;
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++)
        assert_int_equal(umem_submit_call(calls, "block.read", raw[i], NULL), UMEM_E_BAD_ARGUMENT);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(umem_submit_call(calls, "block.read", others[i], NULL), UMEM_OK);
    umem_calls_free(calls);
}

/* ---- events ---- */

enum { EVENTS_MAXIMUM = 2048 };

static struct {
    struct umem_event event[EVENTS_MAXIMUM];
    size_t count;
} delivered_events;

static void on_event(const struct umem_event *event, void *context)
{
    (void)context;
    assert_true(delivered_events.count < EVENTS_MAXIMUM);
    delivered_events.event[delivered_events.count++] = *event;
}

static void watch_as(const char *result, uint64_t expected)
{
    uint64_t watch = 0;

    answer(result);
    assert_int_equal(umem_session_watch(client, NULL, on_event, NULL, &watch), UMEM_OK);
    assert_int_equal(watch, expected);
    memset(&delivered_events, 0, sizeof delivered_events);
}

static void expect_change(size_t index, uint64_t watch, umem_handle block, uint64_t offset, uint64_t size)
{
    const struct umem_event *event = &delivered_events.event[index];

    assert_true(index < delivered_events.count);
    assert_int_equal(event->kind, UMEM_EVENT_CHANGED);
    assert_true(event->watch == watch && event->block == block && event->offset == offset &&
                event->size == size);
}

/* Successive changes are delivered as one event if they are of one block and for one watch. */
static void test_joined_changes(void **state)
{
    size_t delivered = 0;

    (void)state;
    watch_as(RESULT("1", "{\"watch\":5}"), 5);
    watch_as(RESULT("2", "{\"watch\":6}"), 6);
    answer(CHANGED("5", "7", "4", "10") CHANGED("5", "7", "6", "2") CHANGED("5", "7", "2", "3")
               CHANGED("5", "8", "2", "3") CHANGED("6", "8", "2", "3") FREED("6", "8")
                   CHANGED("6", "8", "4", "1") CHANGED("6", "8", "5", "1"));
    assert_int_equal(umem_poll(client, 10, &delivered), UMEM_OK);
    assert_int_equal(delivered, 5);
    expect_change(0, 5, 7, 2, 12);
    expect_change(1, 5, 8, 2, 3);
    expect_change(2, 6, 8, 2, 3);
    assert_int_equal(delivered_events.event[3].kind, UMEM_EVENT_FREED);
    expect_change(4, 6, 8, 4, 2);
}

/* More than is kept: one overflow for each watch that has lost something, after what was kept, and no more of them. */
static void test_overflow(void **state)
{
    size_t delivered = 0;
    static char many[1100 * (sizeof FREED("5", "1000") + 1)];
    size_t size = 0;

    (void)state;
    watch_as(RESULT("1", "{\"watch\":5}"), 5);
    watch_as(RESULT("2", "{\"watch\":6}"), 6);
    watch_as(RESULT("3", "{\"watch\":7}"), 7);
    for (int i = 0; i < 1030; i++)
        size += (size_t)snprintf(many + size, sizeof many - size, "%s",
                                 i < 1026 ? FREED("5", "8") : FREED("6", "8"));
    answer(many);
    fake_answer_text(RESULT("4", "{}"), NULL, 0);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    for (size_t round = 0; round < 4; round++) {
        assert_int_equal(umem_poll(client, 0, &delivered), UMEM_OK);
        if (delivered == 0)
            break;
    }
    assert_int_equal(delivered, 0);
    assert_int_equal(delivered_events.count, 1024 + 2);
    assert_int_equal(delivered_events.event[1023].kind, UMEM_EVENT_FREED);
    for (size_t i = 1024; i < delivered_events.count; i++)
        assert_int_equal(delivered_events.event[i].kind, UMEM_EVENT_OVERFLOW);
    assert_int_equal(delivered_events.event[1024].watch + delivered_events.event[1025].watch, 5 + 6);
    /* And then all is as before. */
    answer(FREED("5", "9"));
    assert_int_equal(umem_poll(client, 10, &delivered), UMEM_OK);
    assert_int_equal(delivered, 1);
    assert_int_equal(delivered_events.event[1026].block, 9);
}

/* Events of a watch are dropped once it has ended, also those that were received before. */
static void test_unwatched(void **state)
{
    size_t delivered = 77;

    (void)state;
    watch_as(RESULT("1", "{\"watch\":5}"), 5);
    answer(FREED("5", "8") RESULT("2", "{}"));
    assert_int_equal(umem_session_unwatch(client, 5), UMEM_OK);
    answer(FREED("5", "9") RESULT("3", "{}"));
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    assert_int_equal(umem_poll(client, 0, &delivered), UMEM_OK);
    assert_int_equal(delivered, 0);
}

static void test_a_watch_that_is_refused(void **state)
{
    uint64_t watch = 77;

    (void)state;
    answer(FAILURE("1", "-32005", "m"));
    assert_int_equal(umem_session_watch(client, NULL, on_event, NULL, &watch), UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(watch, 77);
}

/* ---- failures ---- */

/* An error is the client's own, and the next success clears it. */
static void test_the_error_belongs_to_one_client(void **state)
{
    umem_client *other = umem_client_new(NULL);

    (void)state;
    expect_error(UMEM_OK, "");
    answer(FAILURE("1", "-32007", "one"));
    assert_int_equal(umem_server_ping(client), UMEM_E_LOCKED);
    expect_error(UMEM_E_LOCKED, "one");
    assert_int_equal(umem_last_error(other)->code, UMEM_OK);
    assert_int_equal(umem_server_ping(other), UMEM_E_NOT_CONNECTED);
    assert_int_equal(umem_last_error(other)->code, UMEM_E_NOT_CONNECTED);
    umem_client_free(other);
    answer(RESULT("2", "{}"));
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    expect_error(UMEM_OK, "");
    assert_string_equal(umem_last_error(client)->data, "{}");
    assert_int_equal(umem_unmap(client, &other), UMEM_E_BAD_ARGUMENT);
    expect_error(UMEM_E_BAD_ARGUMENT, "nothing is mapped at this address");
}

/* Data that fill the space are whole, and longer ones are left out rather than cut. */
static void test_long_data(void **state)
{
    enum { CAPACITY = sizeof((struct um_failure *)NULL)->data };
    static const char begin[] = "{\"name\":\"n\",\"x\":\"";
    static char line[2 * CAPACITY];
    static char data[CAPACITY + 1];

    (void)state;
    for (size_t size = CAPACITY - 1; size <= CAPACITY; size++) {
        unsigned id = size == CAPACITY ? 2 : 1;

        memset(data, 'x', size);
        memcpy(data, begin, sizeof begin - 1);
        memcpy(data + size - 2, "\"}", 3);
        snprintf(
            line, sizeof line,
            "{\"jsonrpc\":\"2.0\",\"id\":%u,\"error\":{\"code\":-32007,\"message\":\"m\",\"data\":%s}}\n", id,
            data);
        answer(line);
        assert_int_equal(umem_server_ping(client), UMEM_E_LOCKED);
        assert_string_equal(umem_last_error(client)->data, size < CAPACITY ? data : "{}");
        assert_string_equal(umem_last_error(client)->name, "n");
    }
}

/* A message that does not fit is replaced by the code's own text; a name that has none, by the code's own name. */
static void test_long_messages(void **state)
{
    static char long_text[1100];
    static char line[3 * sizeof long_text];

    (void)state;
    memset(long_text, 'x', sizeof long_text - 1);
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32007,\"message\":\"%s\",\"data\":{\"name\":"
             "\"%s\"}}}\n",
             long_text, long_text);
    answer(line);
    assert_int_equal(umem_server_ping(client), UMEM_E_LOCKED);
    expect_error(UMEM_E_LOCKED, umem_error_text(UMEM_E_LOCKED));
    assert_string_equal(umem_last_error(client)->name, "locked");
    answer("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32099,\"message\":\"a \\\"b\\\" \\u20ac\","
           "\"data\":{\"name\":\"newer\"}}}\n");
    assert_int_equal(umem_server_ping(client), -32099);
    expect_error(-32099, "a \"b\" \xe2\x82\xac");
    assert_string_equal(umem_last_error(client)->name, "newer");
    answer("{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32000,\"message\":\"m\",\"data\":7}}\n");
    assert_int_equal(umem_server_ping(client), -32000);
    assert_string_equal(umem_last_error(client)->data, "{}");
    assert_string_equal(umem_last_error(client)->name, "unknown");
}

static void test_integers_of_errors(void **state)
{
    int64_t value = 77;

    (void)state;
    answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32003,\"message\":\"m\",\"data\":{\"name\":"
           "\"out_of_range\","
           "\"a\":5,\"b\":-9007199254740991,\"c\":1e3,\"d\":1.5,\"e\":\"x\",\"f\":1e16,\"g\":null}}}\n");
    assert_int_equal(umem_server_ping(client), UMEM_E_OUT_OF_RANGE);
    assert_true(umem_error_integer(client, "a", &value) && value == 5);
    assert_true(umem_error_integer(client, "b", &value) && value == -9007199254740991);
    assert_true(umem_error_integer(client, "c", &value) && value == 1000);
    value = 77;
    assert_false(umem_error_integer(client, "d", &value));
    assert_false(umem_error_integer(client, "e", &value));
    assert_false(umem_error_integer(client, "f", &value));
    assert_false(umem_error_integer(client, "g", &value));
    assert_false(umem_error_integer(client, "h", &value));
    assert_int_equal(value, 77);
}

/* The first reason for a lost connection is reported, whatever follows it. */
static void test_the_first_reason(void **state)
{
    (void)state;
    answer("nonsense\n");
    fake.write_code = UMEM_E_CONNECTION_LOST;
    assert_int_equal(umem_server_ping(client), UMEM_E_BAD_ANSWER);
    assert_int_equal(umem_server_ping(client), UMEM_E_BAD_ANSWER);
}

/* A list that would never end is no list; then the daemon is not believed any more. */
static int visit_block(const struct umem_block_info *block, void *context)
{
    (void)block;
    (void)context;
    return 0;
}

static void test_a_list_without_end(void **state)
{
    (void)state;
    answer(RESULT("1", "{\"blocks\":[],\"next\":7}"));
    answer(RESULT("2", "{\"blocks\":[],\"next\":7}"));
    answer(RESULT("3", "{\"blocks\":[],\"next\":null}"));
    assert_int_equal(umem_block_list(client, NULL, visit_block, NULL), UMEM_E_BAD_ANSWER);
    assert_false(umem_is_connected(client));
    assert_int_equal(fake.aborts, 1);
    fake.read_next = fake.read_count = 0;
    assert_int_equal(umem_connect(client), UMEM_OK);
    answer(RESULT("3", "{\"blocks\":[{\"block\":1}],\"next\":null}"));
    assert_int_equal(umem_block_list(client, NULL, visit_block, NULL), UMEM_E_BAD_ANSWER);
    assert_string_equal(umem_last_error(client)->message,
                        "the daemon's answer has no proper member \"heap\"");
    assert_false(umem_is_connected(client));
}

/* ---- blocks as objects ---- */

static void test_objects(void **state)
{
    umem_memory *memory = NULL;
    uint8_t byte = 0;

    (void)state;
    answer(FAILURE("1", "-32004", "m"));
    assert_int_equal(umem_memory_alloc(client, UMEM_PROCESS_HEAP, 4, &memory), UMEM_E_NO_MEMORY);
    assert_null(memory);
    answer(RESULT("2", "{\"block\":7}"));
    assert_int_equal(umem_memory_alloc(client, 9, 4, &memory), UMEM_OK);
    assert_int_equal(fake_count_sent("\"params\":{\"size\":4,\"heap\":9}"), 1);
    assert_true(umem_memory_block(memory) == 7 && umem_memory_size(memory) == 4);
    fake_answer_text(RESULT("3", "{\"size\":1}"), "x", 1);
    assert_int_equal(umem_memory_get(memory, 2, &byte), UMEM_OK);
    assert_int_equal(byte, 'x');
    assert_int_equal(fake_count_sent("\"params\":{\"block\":7,\"offset\":2,\"encoding\":\"raw\",\"size\":1}"),
                     1);
    answer(RESULT("4", "{\"size\":1}"));
    assert_int_equal(umem_memory_set(memory, 3, 'y'), UMEM_OK);
    assert_int_equal(
        fake_count_sent("\"params\":{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":1},\"id\":4}y"),
        1);
    answer(RESULT("5", "{}"));
    assert_int_equal(umem_memory_copy(memory, memory, 2), UMEM_OK);
    assert_int_equal(
        fake_count_sent("\"source\":7,\"target\":7,\"source_offset\":0,\"target_offset\":0,\"size\":2}"), 1);
    /* Freed once, whichever way. */
    assert_true(umem_memory_is_free_on_dispose(memory));
    answer(RESULT("6", "{}"));
    assert_int_equal(umem_memory_free(memory), UMEM_OK);
    assert_int_equal(umem_memory_dispose(memory), UMEM_OK);
    assert_int_equal(fake_count_sent("block.free"), 1);
    answer(RESULT("7", "{\"block\":8}"));
    assert_int_equal(umem_memory_alloc(client, UMEM_PROCESS_HEAP, 4, &memory), UMEM_OK);
    answer(RESULT("8", "{}"));
    assert_int_equal(umem_memory_dispose(memory), UMEM_OK);
    assert_int_equal(fake_count_sent("block.free"), 2);
    answer(RESULT("9", "{\"block\":8}"));
    assert_int_equal(umem_memory_alloc(client, UMEM_PROCESS_HEAP, 4, &memory), UMEM_OK);
    umem_memory_set_free_on_dispose(memory, false);
    assert_int_equal(umem_memory_dispose(memory), UMEM_OK);
    assert_int_equal(fake_count_sent("block.free"), 2);
    assert_int_equal(umem_memory_dispose(NULL), UMEM_OK);
}

/* ---- the pipe ---- */

static void test_the_default_pipe(void **state)
{
    char path[UM_ENDPOINT_CAPACITY];
    char again[UM_ENDPOINT_CAPACITY];
    size_t length;

    (void)state;
    assert_int_equal(umem_default_pipe(path, sizeof path), UMEM_OK);
    length = strlen(path);
    memset(again, 'x', sizeof again);
    assert_int_equal(umem_default_pipe(again, length), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(again[0], 'x');
    assert_int_equal(umem_default_pipe(again, length + 1), UMEM_OK);
    assert_string_equal(again, path);
}

static void test_the_version(void **state)
{
    char numbers[64];

    (void)state;
    snprintf(numbers, sizeof numbers, "%d.%d.%d", UMEM_VERSION_MAJOR, UMEM_VERSION_MINOR, UMEM_VERSION_PATCH);
    assert_string_equal(umem_version(), numbers);
    assert_string_equal(UMEM_VERSION, numbers);
    assert_int_equal(UMEM_VERSION_NUMBER,
                     UMEM_VERSION_MAJOR * 10000 + UMEM_VERSION_MINOR * 100 + UMEM_VERSION_PATCH);
}

#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_CLIENT(test_the_first_failure_is_reported),
        WITH_CLIENT(test_a_pipeline_that_is_full),
        WITH_CLIENT(test_as_many_as_may_be),
        WITH_CLIENT(test_batches),
        WITH_CLIENT(test_what_is_no_answer_to_a_batch),
        WITH_CLIENT(test_raw_bytes_of_a_batch),
        WITH_CLIENT(test_an_error_without_id),
        WITH_CLIENT(test_raw_bytes_without_a_receiver),
        WITH_CLIENT(test_large_raw_bytes),
        WITH_CLIENT(test_raw_bytes_by_name),
        WITH_CLIENT(test_joined_changes),
        WITH_CLIENT(test_overflow),
        WITH_CLIENT(test_unwatched),
        WITH_CLIENT(test_a_watch_that_is_refused),
        WITH_CLIENT(test_the_error_belongs_to_one_client),
        WITH_CLIENT(test_long_data),
        WITH_CLIENT(test_long_messages),
        WITH_CLIENT(test_integers_of_errors),
        WITH_CLIENT(test_the_first_reason),
        WITH_CLIENT(test_a_list_without_end),
        WITH_CLIENT(test_objects),
        WITH_CLIENT(test_the_default_pipe),
        cmocka_unit_test(test_the_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
