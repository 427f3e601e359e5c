/* Every call that can be submitted sends the request of its direct twin; numbers of every type and flags are carried
 * both ways. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

enum { LARGE_SIZE = 3 << 20 /* bytes, more than one piece */ };

struct fixture {
    umem_client *client;
    umem_calls *calls;
};

static void begin(struct fixture *fixture, void **state)
{
    fixture->client = daemon_connect(*state);
    fixture->calls = umem_calls_new(fixture->client, UMEM_PIPELINE);
    assert_non_null(fixture->calls);
}

static void end(struct fixture *fixture)
{
    umem_calls_free(fixture->calls);
    umem_client_free(fixture->client);
}

/* What was submitted last is answered by `expected`. */
static void answers(struct fixture *fixture, int submitted, int expected)
{
    expect_code(fixture->client, submitted == UMEM_OK ? umem_collect(fixture->calls) : submitted, expected);
}

/* One block of 48 bytes: in a slot, where the heap has size classes. */
static void expect_classes(const struct umem_size_classes *classes)
{
    if (classes->count == 0)
        return;
    assert_int_equal(classes->count, 1);
    assert_int_equal(classes->classes[0].size, 48);
    assert_int_equal(classes->classes[0].used, 1);
}

static void test_heaps(void **state)
{
    struct fixture fixture;
    struct umem_heap_options options = {.flags = UMEM_FLAG_NO_SERIALIZE | UMEM_FLAG_GENERATE_EXCEPTIONS,
                                        .maximum_size = 65536,
                                        .name = "heap"};
    struct umem_size_classes classes = {.count = UINT32_MAX};
    struct umem_heap_info info;
    umem_handle heap = 0;
    umem_handle found = 0;
    umem_handle block = 0;
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    uint64_t largest = 0;

    begin(&fixture, state);
    answers(&fixture, umem_submit_heap_create(fixture.calls, &options, &heap), UMEM_OK);
    answers(&fixture, umem_submit_heap_lookup(fixture.calls, "heap", &found), UMEM_OK);
    assert_int_equal(found, heap);
    answers(&fixture, umem_submit_heap_lookup(fixture.calls, "hea", &found), UMEM_E_UNKNOWN_HANDLE);
    answers(&fixture, umem_submit_heap_info(fixture.calls, heap, &info), UMEM_OK);
    assert_int_equal(info.heap, heap);
    assert_int_equal(info.flags, options.flags);
    assert_int_equal(info.maximum_size, 65536);

    assert_int_equal(umem_block_alloc(fixture.client, 48, &(struct umem_block_options){.heap = heap}, &block),
                     UMEM_OK);
    answers(&fixture, umem_submit_heap_size_classes(fixture.calls, heap, &classes), UMEM_OK);
    expect_classes(&classes);
    answers(&fixture, umem_submit_heap_validate(fixture.calls, heap, block), UMEM_OK);
    answers(&fixture, umem_submit_heap_validate(fixture.calls, heap, heap), UMEM_E_UNKNOWN_HANDLE);
    answers(&fixture, umem_submit_heap_compact(fixture.calls, heap, &largest), UMEM_OK);
    answers(&fixture, umem_submit_heap_flush(fixture.calls, heap), UMEM_E_UNSUPPORTED);
    answers(&fixture, umem_submit_heap_unlock(fixture.calls, heap), UMEM_E_DENIED);
    answers(&fixture, umem_submit_heap_lock(fixture.calls, heap, 0), UMEM_OK);
    assert_int_equal(umem_heap_info(fixture.client, heap, &info), UMEM_OK);
    assert_true(info.locked);
    answers(&fixture, umem_submit_heap_unlock(fixture.calls, heap), UMEM_OK);
    answers(&fixture, umem_submit_heap_destroy(fixture.calls, heap, &blocks, &bytes), UMEM_OK);
    assert_int_equal(blocks, 1);
    assert_int_equal(bytes, 48);
    answers(&fixture, umem_submit_heap_info(fixture.calls, heap, &info), UMEM_E_STALE_HANDLE);
    end(&fixture);
}

static void test_blocks(void **state)
{
    static const enum umem_lifetime session = UMEM_LIFETIME_SESSION;
    struct fixture fixture;
    struct umem_block_info info;
    umem_handle block = 0;
    umem_handle found = 0;
    umem_client *other = daemon_connect(*state);
    uint64_t holders = 0;

    begin(&fixture, state);
    assert_int_equal(umem_block_alloc(other, 8, NULL, &block), UMEM_OK);
    answers(&fixture, umem_submit_block_hold(fixture.calls, block, &holders), UMEM_OK);
    assert_int_equal(holders, 2);
    answers(&fixture, umem_submit_block_release(fixture.calls, block, &holders), UMEM_OK);
    assert_int_equal(holders, 1);
    answers(&fixture, umem_submit_block_change(fixture.calls, block, "name", &session, &info), UMEM_OK);
    assert_string_equal(info.name, "name");
    assert_int_equal(info.lifetime, UMEM_LIFETIME_SESSION);
    answers(&fixture, umem_submit_block_lookup(fixture.calls, "name", &found), UMEM_OK);
    assert_int_equal(found, block);
    answers(&fixture, umem_submit_block_resize(fixture.calls, block, 24, 0), UMEM_OK);
    answers(&fixture, umem_submit_block_info(fixture.calls, block, &info), UMEM_OK);
    assert_int_equal(info.block, block);
    assert_int_equal(info.size, 24);
    answers(&fixture, umem_submit_block_wake(fixture.calls, block, 16, 8), UMEM_OK);
    answers(&fixture, umem_submit_block_wake(fixture.calls, block, 16, 9), UMEM_E_OUT_OF_RANGE);
    answers(&fixture, umem_submit_block_free(fixture.calls, block), UMEM_OK);
    answers(&fixture, umem_submit_block_free(fixture.calls, block), UMEM_E_STALE_HANDLE);
    end(&fixture);
    umem_client_free(other);
}

static void test_bytes(void **state)
{
    struct fixture fixture;
    umem_handle block = 0;
    uint64_t offset = 0;

    begin(&fixture, state);
    assert_int_equal(umem_block_alloc(fixture.client, 16, NULL, &block), UMEM_OK);
    answers(&fixture, umem_submit_block_write(fixture.calls, block, 4, "abcabd", 6), UMEM_OK);
    answers(&fixture, umem_submit_block_compare(fixture.calls, block, 4, block, 7, 3, &offset), UMEM_OK);
    assert_int_equal(offset, 2);
    answers(&fixture, umem_submit_block_compare(fixture.calls, block, 4, block, 7, 2, &offset), UMEM_OK);
    assert_true(offset == UMEM_NONE);
    answers(&fixture, umem_submit_block_find(fixture.calls, block, 0, "abd", 3, &offset), UMEM_OK);
    assert_int_equal(offset, 7);
    answers(&fixture, umem_submit_block_find(fixture.calls, block, 8, "abd", 3, &offset), UMEM_OK);
    assert_true(offset == UMEM_NONE);
    answers(&fixture, umem_submit_block_find(fixture.calls, block, 17, "a", 1, &offset), UMEM_E_OUT_OF_RANGE);
    end(&fixture);
}

/* Numbers go to the daemon and come from it as JSON where they are exchanged, and as bytes where they are set. */
#define EXCHANGES(number, name, first, second) \
    do { \
        number was = (first); \
        number is = (second); \
        number before = 0; \
        bool exchanged = false; \
\
        answers(&fixture, umem_submit_block_set(fixture.calls, block, 0, name, &was, 1), UMEM_OK); \
        answers(&fixture, \
                umem_submit_block_exchange(fixture.calls, block, 0, name, &is, &was, &before, &exchanged), \
                UMEM_OK); \
        assert_true(exchanged); \
        assert_memory_equal(&before, &was, sizeof was); \
        before = 0; \
        answers(&fixture, umem_submit_block_get(fixture.calls, block, 0, name, &before, 1), UMEM_OK); \
        assert_memory_equal(&before, &is, sizeof is); \
    } while (false)

static void test_numbers(void **state)
{
    struct fixture fixture;
    umem_handle block = 0;

    begin(&fixture, state);
    assert_int_equal(umem_block_alloc(fixture.client, 8, NULL, &block), UMEM_OK);
    EXCHANGES(uint8_t, UMEM_TYPE_U8, 1, UINT8_MAX);
    EXCHANGES(int8_t, UMEM_TYPE_I8, INT8_MIN, INT8_MAX);
    EXCHANGES(uint16_t, UMEM_TYPE_U16, 0x0102, UINT16_MAX);
    EXCHANGES(int16_t, UMEM_TYPE_I16, INT16_MIN, INT16_MAX);
    EXCHANGES(uint32_t, UMEM_TYPE_U32, 0x01020304, UINT32_MAX);
    EXCHANGES(int32_t, UMEM_TYPE_I32, INT32_MIN, INT32_MAX);
    EXCHANGES(uint64_t, UMEM_TYPE_U64, 0x0102030405060708, UINT64_MAX);
    EXCHANGES(int64_t, UMEM_TYPE_I64, INT64_MIN, INT64_MAX);
    EXCHANGES(float, UMEM_TYPE_F32, 0.1F, -3.4e38F);
    EXCHANGES(float, UMEM_TYPE_F32, -0.0F, FLT_MAX);
    EXCHANGES(float, UMEM_TYPE_F32, 0x1p-149F, -FLT_MIN);
    EXCHANGES(float, UMEM_TYPE_F32, 16777216.0F, 8.5899346e9F);
    EXCHANGES(double, UMEM_TYPE_F64, 0.1, -1.7e308);
    EXCHANGES(double, UMEM_TYPE_F64, -0.0, DBL_MAX);
    EXCHANGES(double, UMEM_TYPE_F64, 0x1p-1074, 1e20);
    EXCHANGES(double, UMEM_TYPE_F64, 0x0.fffffffffffffp-1022, 0.1 + 0.2);
    EXCHANGES(double, UMEM_TYPE_F64, 9007199254740993e3, (double)INFINITY);
    assert_int_equal(umem_block_free(fixture.client, block), UMEM_OK);
    end(&fixture);
}

/* ---- NULL ---- */

/* Results that are not wanted: each is there all the same. */
static void test_results_that_are_not_wanted(void **state)
{
    const struct umem_heap_options shared = {
        .name = "shared", .kind = UMEM_HEAP_SHARED, .maximum_size = 1 << 20};
    const struct umem_block_options options = {.name = "opened"};
    struct fixture fixture;
    uint8_t one = 1;

    begin(&fixture, state);
    answers(&fixture, umem_submit_heap_create(fixture.calls, &shared, NULL), UMEM_OK);
    answers(&fixture, umem_submit_heap_open(fixture.calls, &shared, NULL, NULL), UMEM_OK);
    answers(&fixture, umem_submit_heap_info(fixture.calls, umem_named("shared"), NULL), UMEM_OK);
    answers(&fixture, umem_submit_heap_size_classes(fixture.calls, umem_named("shared"), NULL), UMEM_OK);
    answers(&fixture, umem_submit_heap_lookup(fixture.calls, "shared", NULL), UMEM_OK);
    answers(&fixture, umem_submit_heap_compact(fixture.calls, umem_named("shared"), NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_alloc(fixture.calls, 8, NULL, NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_open(fixture.calls, 8, &options, NULL, NULL), UMEM_OK);
    answers(&fixture, umem_submit_put(fixture.calls, "name", "bytes", 5, NULL, NULL), UMEM_OK);
    answers(&fixture, umem_submit_put(fixture.calls, "empty", NULL, 0, NULL, NULL), UMEM_OK);
    answers(&fixture, umem_submit_get_into(fixture.calls, "empty", NULL, 0, NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_info(fixture.calls, umem_named("name"), NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_lookup(fixture.calls, "name", NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_change(fixture.calls, umem_named("name"), NULL, NULL, NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_hold(fixture.calls, umem_named("name"), NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_release(fixture.calls, umem_named("name"), NULL), UMEM_OK);
    answers(&fixture, umem_submit_block_find(fixture.calls, umem_named("name"), 0, "b", 1, NULL), UMEM_OK);
    answers(&fixture,
            umem_submit_block_add(fixture.calls, umem_named("name"), 0, UMEM_TYPE_U8, &one, NULL, NULL),
            UMEM_OK);
    answers(&fixture, umem_submit_call(fixture.calls, "server.stats", NULL, NULL), UMEM_OK);

    assert_int_equal(umem_heap_process(fixture.client, NULL), UMEM_OK);
    assert_int_equal(umem_heap_info(fixture.client, 0, NULL), UMEM_OK);
    assert_int_equal(umem_heap_size_classes(fixture.client, 0, NULL), UMEM_OK);
    assert_int_equal(umem_block_info(fixture.client, umem_named("name"), NULL), UMEM_OK);
    assert_int_equal(umem_session_info(fixture.client, NULL), UMEM_OK);
    assert_int_equal(umem_server_stats(fixture.client, NULL), UMEM_OK);
    assert_int_equal(umem_server_info(fixture.client, NULL), UMEM_OK);
    assert_int_equal(umem_rpc_discover(fixture.client, NULL), UMEM_OK);
    end(&fixture);
}

static void on_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

static void test_sizes_and_watches_that_are_not_wanted(void **state)
{
    umem_client *client = daemon_connect(*state);
    void *bytes = NULL;
    char small[8];
    char *large = calloc(1, LARGE_SIZE);

    assert_non_null(large);
    ok(client, umem_put(client, "small", "bytes", 5, NULL, NULL));
    ok(client, umem_put(client, "large", large, LARGE_SIZE, NULL, NULL));
    ok(client, umem_get_into(client, "small", small, sizeof small, NULL));
    assert_memory_equal(small, "bytes", 5);
    ok(client, umem_get_into(client, "large", large, LARGE_SIZE, NULL));
    expect_code(client, umem_get_into(client, "large", small, sizeof small, NULL), UMEM_E_OUT_OF_RANGE);
    expect_code(client, umem_get_into(client, "large", large, LARGE_SIZE - 1, NULL), UMEM_E_OUT_OF_RANGE);
    ok(client, umem_get(client, "small", &bytes, NULL));
    assert_memory_equal(bytes, "bytes", 5);
    umem_free_bytes(bytes);
    ok(client, umem_session_watch(client, NULL, on_event, NULL, NULL));
    free(large);
    umem_client_free(client);
}

static void refused(umem_client *client, int code)
{
    expect_code(client, code, UMEM_E_BAD_ARGUMENT);
    ok(client, umem_server_ping(client));
}

/* What a call cannot do without is missing: nothing is sent, and the client goes on. */
static void test_what_is_needed_is_missing(void **state)
{
    static const size_t sizes[] = {1, LARGE_SIZE};
    struct fixture fixture;
    umem_handle block = 0;
    uint64_t watch = 0;

    begin(&fixture, state);
    ok(fixture.client, umem_block_alloc(fixture.client, LARGE_SIZE, NULL, &block));
    for (size_t i = 0; i < 2; i++) {
        answers(&fixture, umem_submit_block_read(fixture.calls, block, 0, NULL, sizes[i]),
                UMEM_E_BAD_ARGUMENT);
        answers(&fixture, umem_submit_block_write(fixture.calls, block, 0, NULL, sizes[i]),
                UMEM_E_BAD_ARGUMENT);
        answers(&fixture, umem_submit_block_get(fixture.calls, block, 0, UMEM_TYPE_U8, NULL, sizes[i]),
                UMEM_E_BAD_ARGUMENT);
        answers(&fixture, umem_submit_block_set(fixture.calls, block, 0, UMEM_TYPE_U8, NULL, sizes[i]),
                UMEM_E_BAD_ARGUMENT);
        answers(&fixture, umem_submit_put(fixture.calls, "name", NULL, sizes[i], NULL, NULL),
                UMEM_E_BAD_ARGUMENT);
        answers(&fixture, umem_submit_get_into(fixture.calls, "name", NULL, sizes[i], NULL),
                UMEM_E_BAD_ARGUMENT);
        answers(&fixture, umem_submit_block_find(fixture.calls, block, 0, NULL, sizes[i], NULL),
                UMEM_E_BAD_ARGUMENT);
        refused(fixture.client, umem_block_read(fixture.client, block, 0, NULL, sizes[i]));
        refused(fixture.client, umem_block_write(fixture.client, block, 0, NULL, sizes[i]));
        refused(fixture.client, umem_block_get(fixture.client, block, 0, UMEM_TYPE_U8, NULL, sizes[i]));
        refused(fixture.client, umem_block_set(fixture.client, block, 0, UMEM_TYPE_U8, NULL, sizes[i]));
        refused(fixture.client, umem_put(fixture.client, "name", NULL, sizes[i], NULL, NULL));
        refused(fixture.client, umem_get_into(fixture.client, "name", NULL, sizes[i], NULL));
    }
    ok(fixture.client, umem_block_read(fixture.client, block, 0, NULL, 0));
    ok(fixture.client, umem_block_write(fixture.client, block, 0, NULL, 0));
    refused(fixture.client, umem_get(fixture.client, "name", NULL, NULL));
    refused(fixture.client, umem_map(fixture.client, block, NULL, NULL));
    refused(fixture.client, umem_session_watch(fixture.client, NULL, NULL, NULL, &watch));
    refused(fixture.client, umem_block_list(fixture.client, NULL, NULL, NULL));
    refused(fixture.client, umem_heap_list(fixture.client, NULL, NULL));
    refused(fixture.client, umem_session_list(fixture.client, NULL, NULL));
    refused(fixture.client, umem_server_methods(fixture.client, NULL, NULL));
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_heaps, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_blocks, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_bytes, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_numbers, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_results_that_are_not_wanted, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_sizes_and_watches_that_are_not_wanted, daemon_setup,
                                        daemon_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_needed_is_missing, daemon_setup, daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
