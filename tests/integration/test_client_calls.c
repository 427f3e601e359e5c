/* The client library against the real daemon: every call, and every error by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

/* cmocka's state: the daemon; each test has a client of its own. */
static umem_client *connect_of(void **state)
{
    return daemon_connect(*state);
}

static void test_server(void **state)
{
    umem_client *client = connect_of(state);
    struct umem_server_info *info = NULL;
    struct umem_server_stats stats;
    char *document = NULL;

    ok(client, umem_server_ping(client));
    ok(client, umem_server_info(client, &info));
    assert_string_equal(info->name, "umemd");
    assert_string_equal(info->backend, BACKEND);
    assert_true(info->limit_count > 5);
    umem_free_server_info(info);
    ok(client, umem_server_stats(client, &stats));
    assert_int_equal(stats.sessions, 1);
    assert_true(stats.requests >= 3);
    ok(client, umem_rpc_discover(client, &document));
    assert_non_null(strstr(document, "\"block.alloc\""));
    umem_free_text(document);
    umem_client_free(client);
}

static int count_heap(const struct umem_heap_info *heap, void *context)
{
    (void)heap;
    ++*(int *)context;
    return 0;
}

static int count_block(const struct umem_block_info *block, void *context)
{
    (void)block;
    ++*(int *)context;
    return 0;
}

static void test_heaps(void **state)
{
    umem_client *client = connect_of(state);
    struct umem_heap_options options = {.maximum_size = 1000, .name = "small"};
    struct umem_block_options on_heap = {0};
    struct umem_heap_info info;
    umem_handle process = 0;
    umem_handle heap = 0;
    umem_handle block = 0;
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    int64_t fact = 0;
    int count = 0;

    ok(client, umem_heap_process(client, &process));
    ok(client, umem_heap_create(client, &options, &heap));
    assert_int_equal(umem_heap_create(client, &options, &block), UMEM_E_NAME_TAKEN);
    on_heap.heap = heap;
    ok(client, umem_block_alloc(client, 600, &on_heap, &block));
    assert_int_equal(umem_block_alloc(client, 401, &on_heap, &block), UMEM_E_NO_MEMORY);
    assert_string_equal(umem_last_error(client)->name, "no_memory");
    assert_true(umem_error_integer(client, "maximum", &fact));
    assert_int_equal(fact, 1000);
    ok(client, umem_heap_info(client, heap, &info));
    assert_int_equal(info.bytes, 600);
    assert_string_equal(info.name, "small");
    ok(client, umem_heap_list(client, count_heap, &count));
    assert_int_equal(count, 2);
    ok(client, umem_heap_lookup(client, "small", &heap));
    ok(client, umem_heap_destroy(client, heap, &blocks, &bytes));
    assert_int_equal(blocks, 1);
    assert_int_equal(bytes, 600);
    assert_int_equal(umem_heap_destroy(client, heap, NULL, NULL), UMEM_E_STALE_HANDLE);
    assert_int_equal(umem_block_free(client, block), UMEM_E_STALE_HANDLE);
    assert_int_equal(umem_heap_destroy(client, process, NULL, NULL), UMEM_E_DENIED);
    umem_client_free(client);
}

static void test_blocks(void **state)
{
    umem_client *client = connect_of(state);
    struct umem_block_options named = {.name = "numbers"};
    struct umem_block_info info;
    umem_handle first = 0;
    umem_handle second = 0;
    umem_handle found = 0;
    int32_t numbers[3] = {1, -2, INT32_MAX};
    int32_t back[3] = {0};
    uint64_t large = UINT64_MAX;
    uint64_t large_back = 0;
    char bytes[5] = "";
    char digits[24];
    int count = 0;

    ok(client, umem_block_alloc(client, 12, &named, &first));
    ok(client, umem_block_set(client, first, 0, UMEM_TYPE_I32, numbers, 3));
    ok(client, umem_block_alloc(client, 12, NULL, &second));
    ok(client, umem_block_copy(client, first, 0, second, 0, UMEM_TO_END));
    ok(client, umem_block_get(client, second, 0, UMEM_TYPE_I32, back, 3));
    assert_memory_equal(numbers, back, sizeof numbers);
    ok(client, umem_block_set(client, second, 1, UMEM_TYPE_U64, &large, 1));
    ok(client, umem_block_get(client, second, 1, UMEM_TYPE_U64, &large_back, 1));
    assert_true(large_back == large);
    ok(client, umem_block_write(client, second, 0, "abcde", 5));
    ok(client, umem_block_read(client, second, 0, bytes, 5));
    assert_memory_equal(bytes, "abcde", 5);
    ok(client, umem_block_lookup(client, "numbers", &found));
    assert_true(found == first);
    /* A handle's digits are no name, until a block is named so. */
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)second);
    assert_int_equal(umem_block_lookup(client, digits, &found), UMEM_E_UNKNOWN_HANDLE);
    ok(client, umem_block_change(client, first, digits, NULL, NULL));
    ok(client, umem_block_lookup(client, digits, &found));
    assert_true(found == first);
    ok(client, umem_block_info(client, first, &info));
    assert_int_equal(info.size, 12);
    assert_int_equal(info.holders, 1);
    ok(client, umem_block_list(client, NULL, count_block, &count));
    assert_int_equal(count, 2);
    ok(client, umem_block_free(client, first));
    ok(client, umem_block_free(client, second));
    umem_client_free(client);
}

static void test_errors_by_name(void **state)
{
    umem_client *client = connect_of(state);
    umem_handle block = 0;
    umem_handle process = 0;
    char bytes[8];

    ok(client, umem_heap_process(client, &process));
    ok(client, umem_block_alloc(client, 4, NULL, &block));
    assert_int_equal(umem_block_read(client, block, 2, bytes, 3), UMEM_E_OUT_OF_RANGE);
    assert_int_equal(umem_block_free(client, process), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(umem_heap_destroy(client, block, NULL, NULL), UMEM_E_UNKNOWN_HANDLE);
    ok(client, umem_block_free(client, block));
    assert_int_equal(umem_block_free(client, block), UMEM_E_STALE_HANDLE);
    assert_int_equal(umem_block_read(client, block, 0, bytes, 1), UMEM_E_STALE_HANDLE);
    assert_int_equal(umem_call(client, "no.such", NULL, NULL), UMEM_E_METHOD_NOT_FOUND);
    assert_int_equal(umem_call(client, "block.alloc", "{\"size\":9007199254740992}", NULL),
                     UMEM_E_INVALID_PARAMS);
    ok(client, umem_server_ping(client));
    umem_client_free(client);
}

static void test_large_data_in_pieces(void **state)
{
    enum { SIZE = 5 * 1024 * 1024 + 3 };
    umem_client *client = connect_of(state);
    unsigned char *bytes = malloc(SIZE);
    unsigned char *back = malloc(SIZE);
    umem_handle block = 0;

    assert_non_null(bytes);
    assert_non_null(back);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    ok(client, umem_block_alloc(client, SIZE, NULL, &block));
    ok(client, umem_block_write(client, block, 0, bytes, SIZE));
    ok(client, umem_block_read(client, block, 0, back, SIZE));
    assert_memory_equal(bytes, back, SIZE);
    ok(client, umem_block_free(client, block));
    free(bytes);
    free(back);
    umem_client_free(client);
}

static void test_memory_object(void **state)
{
    umem_client *client = connect_of(state);
    umem_memory *memory = NULL;
    umem_handle block;
    uint8_t byte = 1;

    ok(client, umem_memory_alloc(client, UMEM_PROCESS_HEAP, 4, &memory));
    ok(client, umem_memory_get(memory, 3, &byte));
    assert_int_equal(byte, 0);
    ok(client, umem_memory_set(memory, 3, 0xff));
    ok(client, umem_memory_get(memory, 3, &byte));
    assert_int_equal(byte, 0xff);
    assert_int_equal(umem_memory_get(memory, 4, &byte), UMEM_E_OUT_OF_RANGE);
    block = umem_memory_block(memory);
    assert_true(umem_memory_is_free_on_dispose(memory));
    ok(client, umem_memory_dispose(memory));
    assert_int_equal(umem_block_free(client, block), UMEM_E_STALE_HANDLE);
    umem_client_free(client);
}

static void test_session_blocks_go_with_the_client(void **state)
{
    umem_client *client = connect_of(state);
    umem_client *other = connect_of(state);
    struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    struct umem_server_stats stats;
    umem_handle block = 0;

    ok(client, umem_block_alloc(client, 4, &options, &block));
    umem_client_free(client);
    /* The daemon learns of the end in its own time; a bounded number of questions is enough. */
    for (int i = 0; i < 100000; i++) {
        ok(other, umem_server_stats(other, &stats));
        if (stats.sessions == 1)
            break;
    }
    assert_int_equal(umem_block_free(other, block), UMEM_E_STALE_HANDLE);
    umem_client_free(other);
}

static void test_no_daemon(void **state)
{
    struct umem_options options = {.pipe = NULL};
    umem_client *client;
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    options.pipe = pipe;
    client = umem_client_new(&options);
    assert_int_equal(umem_connect(client), UMEM_E_NOT_CONNECTED);
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    umem_client_free(client);
    pipe_name_remove(pipe);
}

static void test_a_daemon_that_is_killed(void **state)
{
    struct daemon *daemon = *state;
    umem_client *client = connect_of(state);

    ok(client, umem_server_ping(client));
    process_kill(&daemon->process);
    process_finish(&daemon->process);
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    daemon_start(daemon);
    ok(client, umem_connect(client));
    ok(client, umem_server_ping(client));
    umem_client_free(client);
}

static void expect_not_connected(umem_client *client, int code)
{
    assert_int_equal(code, UMEM_E_NOT_CONNECTED);
    assert_int_equal(umem_last_error(client)->code, code);
    assert_non_null(strstr(umem_last_error(client)->message, "umem_connect()"));
}

static int take_block(const struct umem_block_info *info, void *context)
{
    (void)info;
    (void)context;
    return 0;
}

static void take_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

/* Every call, made first, reports that the client is not connected. */
static void test_calls_before_connecting(void **state)
{
    umem_client *client = umem_client_new(NULL);
    const struct umem_watch_target target = {.heap = 0};
    umem_calls *calls;
    umem_handle block;
    uint64_t watch;

    (void)state;
    assert_non_null(client);
    expect_not_connected(client, umem_server_ping(client));
    expect_not_connected(client, umem_call(client, "server.ping", NULL, NULL));
    expect_not_connected(client, umem_block_alloc(client, 4, NULL, &block));
    expect_not_connected(client, umem_block_list(client, NULL, take_block, NULL));
    expect_not_connected(client, umem_session_watch(client, &target, take_event, NULL, &watch));
    expect_not_connected(client, umem_poll(client, 0, NULL));
    calls = umem_calls_new(client, UMEM_PIPELINE);
    umem_submit_call(calls, "server.ping", NULL, NULL);
    expect_not_connected(client, umem_collect(calls));
    umem_calls_free(calls);
    umem_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_server, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_heaps, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_blocks, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_errors_by_name, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_large_data_in_pieces, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_memory_object, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_session_blocks_go_with_the_client, daemon_setup,
                                        daemon_teardown),
        cmocka_unit_test(test_no_daemon),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_is_killed, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_calls_before_connecting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
