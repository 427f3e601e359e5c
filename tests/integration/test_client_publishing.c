/* The client library's put and get, names in place of handles, and what opens or makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

/* More than one piece, and more than one message may carry. */
enum { LARGE = 3 * 1024 * 1024 + 17 };

/* What this thread's last failure is about. */
static const char *message_of(umem_client *client)
{
    return umem_last_error(client)->message;
}

static void expect_got(umem_client *client, const char *name, const void *expected, size_t expected_size)
{
    void *bytes = NULL;
    size_t size = 1;

    ok(client, umem_get(client, name, &bytes, &size));
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, expected, size);
    umem_free_bytes(bytes);
}

static uint64_t count_blocks(umem_client *client)
{
    struct umem_server_stats stats;

    ok(client, umem_server_stats(client, &stats));
    return stats.blocks;
}

static void test_put_and_get(void **state)
{
    umem_client *client = daemon_connect(*state);
    uint64_t before = count_blocks(client);
    umem_handle first = 0;
    umem_handle second = 0;
    struct umem_block_info info;
    char small[16];
    size_t size = 0;

    ok(client, umem_put(client, "config", "one", 3, NULL, &first));
    expect_got(client, "config", "one", 3);
    ok(client, umem_put(client, "config", "twenty-two", 10, NULL, &second));
    expect_got(client, "config", "twenty-two", 10);
    assert_true(first != second);
    assert_int_equal(umem_block_info(client, first, &info), UMEM_E_STALE_HANDLE);
    ok(client, umem_get_into(client, "config", small, sizeof small, &size));
    assert_int_equal(size, 10);
    assert_memory_equal(small, "twenty-two", 10);
    ok(client, umem_get_into(client, "config", small, 10, &size));
    assert_int_equal(umem_get_into(client, "config", small, 9, &size), UMEM_E_OUT_OF_RANGE);
    assert_int_equal(size, 10);
    assert_int_equal(umem_get_into(client, "config", NULL, 0, &size), UMEM_E_OUT_OF_RANGE);
    ok(client, umem_put(client, "config", NULL, 0, NULL, NULL));
    ok(client, umem_get_into(client, "config", NULL, 0, &size));
    assert_int_equal(size, 0);
    expect_got(client, "config", "", 0);
    assert_int_equal(umem_get_into(client, "config", NULL, 4, &size), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(count_blocks(client), before + 1);
    ok(client, umem_block_free(client, umem_named("config")));
    assert_int_equal(umem_get_into(client, "config", small, 9, &size), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(umem_put(client, NULL, "x", 1, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_put(client, ":x", "x", 1, NULL, NULL), UMEM_E_INVALID_PARAMS);
    umem_client_free(client);
}

/* Names that are digits, or could be taken for marked ones. */
static void test_names_that_look_like_handles(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle other = 0;

    ok(client, umem_block_alloc(client, 1, NULL, &other));
    ok(client, umem_put(client, "123456", "digits", 6, NULL, NULL));
    expect_got(client, "123456", "digits", 6);
    ok(client, umem_block_free(client, umem_named("123456")));
    ok(client, umem_block_free(client, other));
    umem_client_free(client);
}

static void test_large_ones_travel_in_pieces(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *other = daemon_connect(*state);
    struct umem_block_options session = {.lifetime = UMEM_LIFETIME_SESSION};
    struct umem_block_info info;
    unsigned char *bytes = malloc(LARGE);
    unsigned char *read = malloc(LARGE);
    uint64_t before = count_blocks(client);
    size_t size = 0;

    assert_true(bytes != NULL && read != NULL);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    ok(client, umem_put(client, "large", bytes, LARGE, NULL, NULL));
    expect_got(other, "large", bytes, LARGE);
    bytes[0]++;
    ok(other, umem_put(other, "large", bytes, LARGE, &session, NULL));
    ok(client, umem_get_into(client, "large", read, LARGE, &size));
    assert_int_equal(size, LARGE);
    assert_memory_equal(read, bytes, LARGE);
    assert_int_equal(umem_get_into(client, "large", read, LARGE - 1, &size), UMEM_E_OUT_OF_RANGE);
    assert_int_equal(size, LARGE);
    ok(client, umem_block_read(client, umem_named("large"), 1, read, LARGE - 1));
    assert_memory_equal(read, bytes + 1, LARGE - 1);
    ok(client, umem_block_info(client, umem_named("large"), &info));
    assert_int_equal(info.lifetime, UMEM_LIFETIME_SESSION);
    assert_int_equal(count_blocks(client), before + 1);
    /* What fails leaves nothing, and the name as it was. */
    assert_int_equal(umem_put(client, "a\nb", bytes, LARGE, NULL, NULL), UMEM_E_INVALID_PARAMS);
    assert_non_null(strstr(message_of(client), "control characters"));
    assert_int_equal(umem_put(client, "", bytes, LARGE, NULL, NULL), UMEM_E_INVALID_PARAMS);
    assert_non_null(strstr(message_of(client), "1 to 255 bytes"));
    assert_int_equal(count_blocks(client), before + 1);
    umem_client_free(other);
    assert_int_equal(umem_get_into(client, "large", read, LARGE, &size), UMEM_E_UNKNOWN_HANDLE);
    free(bytes);
    free(read);
    umem_client_free(client);
}

static void test_options(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_block_options options = {0};
    struct umem_heap_options small = {.name = "small", .maximum_size = 10};
    struct umem_block_info info;
    umem_handle heap = 0;

    ok(client, umem_heap_create(client, &small, &heap));
    options.heap = heap;
    options.name = "not used";
    ok(client, umem_put(client, "here", "123456", 6, &options, NULL));
    ok(client, umem_block_info(client, umem_named("here"), &info));
    assert_int_equal(info.heap, heap);
    assert_string_equal(info.name, "here");
    /* There is no space for both. */
    assert_int_equal(umem_put(client, "here", "12345", 5, &options, NULL), UMEM_E_NO_MEMORY);
    expect_got(client, "here", "123456", 6);
    ok(client, umem_put(client, "here", "1234", 4, &options, NULL));
    options.heap = umem_named("small");
    ok(client, umem_put(client, "here", "abcd", 4, &options, NULL));
    ok(client, umem_heap_destroy(client, umem_named("small"), NULL, NULL));
    umem_client_free(client);
}

static void take_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

static void test_names_in_place_of_handles(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_heap_options shared = {.name = "shared", .kind = UMEM_HEAP_SHARED, .maximum_size = 65536};
    struct umem_heap_info heap_info;
    struct umem_block_info info;
    struct umem_watch_target target = {0};
    umem_handle block = 0;
    uint64_t one = 1;
    uint64_t now = 0;
    uint64_t watch = 0;
    void *mapped = NULL;
    char bytes[4];

    ok(client, umem_heap_create(client, &shared, NULL));
    ok(client, umem_heap_info(client, umem_named("shared"), &heap_info));
    ok(client,
       umem_block_alloc(client, 64, &(struct umem_block_options){.heap = umem_named("shared"), .name = "n"},
                        &block));
    ok(client, umem_block_add(client, umem_named("n"), 0, UMEM_TYPE_U64, &one, NULL, &now));
    assert_int_equal(now, 1);
    ok(client, umem_block_copy(client, umem_named("n"), 0, block, 8, 8));
    ok(client, umem_block_read(client, umem_named("n"), 8, bytes, 4));
    assert_memory_equal(bytes, "\1\0\0\0", 4);
    ok(client, umem_map(client, umem_named("n"), &mapped, NULL));
    assert_memory_equal(mapped, "\1\0\0\0", 4);
    ok(client, umem_unmap(client, mapped));
    target.block = umem_named("n");
    ok(client, umem_session_watch(client, &target, take_event, NULL, &watch));
    ok(client, umem_heap_lock(client, umem_named("shared"), 0));
    ok(client, umem_heap_unlock(client, heap_info.heap));
    assert_int_equal(umem_block_info(client, umem_named("nobody"), &info), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(umem_heap_info(client, umem_named("n"), &heap_info), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(umem_block_info(client, umem_named(NULL), &info), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_info(client, umem_named("\xff"), &info), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_info(client, UINT64_MAX, &info), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_info(client, UMEM_SIZE_MAX + 1, &info), UMEM_E_BAD_ARGUMENT);
    ok(client, umem_heap_destroy(client, umem_named("shared"), NULL, NULL));
    umem_client_free(client);
}

static void test_open(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *other = daemon_connect(*state);
    struct umem_heap_options heap_options = {.name = "h", .kind = UMEM_HEAP_SHARED, .maximum_size = 65536};
    struct umem_block_options options = {.name = "b"};
    umem_handle heap = 0;
    umem_handle same = 0;
    umem_handle block = 0;
    bool created = false;

    ok(client, umem_heap_open(client, &heap_options, &heap, &created));
    assert_true(created);
    ok(other, umem_heap_open(other, &heap_options, &same, &created));
    assert_false(created);
    assert_int_equal(heap, same);
    heap_options.kind = UMEM_HEAP_PRIVATE;
    assert_int_equal(umem_heap_open(other, &heap_options, &same, &created), UMEM_E_NAME_TAKEN);
    assert_non_null(strstr(message_of(other), "kind"));
    heap_options.kind = UMEM_HEAP_SHARED;
    heap_options.lifetime = UMEM_LIFETIME_SESSION;
    assert_int_equal(umem_heap_open(other, &heap_options, &same, NULL), UMEM_E_NAME_TAKEN);
    options.heap = heap;
    ok(client, umem_block_open(client, 64, &options, &block, &created));
    assert_true(created);
    ok(other, umem_block_open(other, 32, &options, &same, &created));
    assert_false(created);
    assert_int_equal(block, same);
    assert_int_equal(umem_block_open(other, 65, &options, &same, NULL), UMEM_E_NAME_TAKEN);
    options.lifetime = UMEM_LIFETIME_SESSION;
    assert_int_equal(umem_block_open(other, 64, &options, &same, NULL), UMEM_E_NAME_TAKEN);
    options.name = NULL;
    assert_int_equal(umem_block_open(other, 64, &options, &same, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_open(other, 64, NULL, &same, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_heap_open(other, NULL, &same, NULL), UMEM_E_BAD_ARGUMENT);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(other);
    umem_client_free(client);
}

/* Filled through a mapping, and then named. */
static void test_publish(void **state)
{
    umem_client *client = daemon_connect(*state);
    const enum umem_lifetime server = UMEM_LIFETIME_SERVER;
    struct umem_heap_options heap_options = {.name = "maps", .kind = UMEM_HEAP_SHARED, .maximum_size = 65536};
    struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    struct umem_block_info info;
    umem_handle block = 0;
    void *bytes = NULL;

    ok(client, umem_put(client, "frame", "old", 3, NULL, NULL));
    ok(client, umem_heap_create(client, &heap_options, &options.heap));
    ok(client, umem_block_alloc(client, 4, &options, &block));
    ok(client, umem_map(client, block, &bytes, NULL));
    memcpy(bytes, "new!", 4);
    ok(client, umem_block_publish(client, block, "frame", &server, &info));
    assert_string_equal(info.name, "frame");
    assert_int_equal(info.lifetime, UMEM_LIFETIME_SERVER);
    expect_got(client, "frame", "new!", 4);
    assert_int_equal(umem_block_publish(client, block, "", NULL, NULL), UMEM_E_BAD_ARGUMENT);
    ok(client, umem_heap_destroy(client, options.heap, NULL, NULL));
    umem_client_free(client);
}

static void test_submitted(void **state)
{
    enum { COUNT = 3 };
    umem_client *client = daemon_connect(*state);

    for (int kind = UMEM_PIPELINE; kind <= UMEM_BATCH; kind++) {
        umem_calls *calls = umem_calls_new(client, (enum umem_calls_kind)kind);
        umem_handle block[COUNT] = {0};
        bool created = true;
        char bytes[COUNT][8] = {{0}};
        size_t size[COUNT] = {0};
        umem_handle heap = 0;

        ok(client, umem_submit_put(calls, "a", "alpha", 5, NULL, &block[0]));
        ok(client, umem_submit_put(calls, "b", "be", 2, NULL, &block[1]));
        ok(client, umem_submit_put(calls, "a", "aleph", 5, NULL, &block[2]));
        ok(client, umem_submit_get_into(calls, "a", bytes[0], 8, &size[0]));
        ok(client, umem_submit_get_into(calls, "b", bytes[1], 8, &size[1]));
        ok(client,
           umem_submit_block_open(calls, 1, &(struct umem_block_options){.name = "b"}, &block[1], &created));
        ok(client, umem_submit_heap_open(calls, &(struct umem_heap_options){.name = "g"}, &heap, NULL));
        ok(client, umem_submit_block_publish(calls, umem_named("b"), "c", NULL, NULL));
        ok(client, umem_submit_get_into(calls, "c", bytes[2], 8, &size[2]));
        ok(client, umem_submit_block_free(calls, umem_named("a")));
        ok(client, umem_submit_heap_destroy(calls, umem_named("g"), NULL, NULL));
        ok(client, umem_collect_all(calls));
        assert_int_equal(size[0], 5);
        assert_memory_equal(bytes[0], "aleph\0\0\0", 8);
        assert_int_equal(size[1], 2);
        assert_memory_equal(bytes[1], "be\0\0\0\0\0\0", 8);
        assert_false(created);
        assert_int_equal(size[2], 2);
        assert_memory_equal(bytes[2], "be", 2);
        /* Too large for its buffer: the others go on. */
        ok(client, umem_submit_get_into(calls, "c", bytes[0], 1, &size[0]));
        ok(client, umem_submit_get_into(calls, "c", bytes[1], 2, &size[1]));
        assert_int_equal(umem_collect(calls), UMEM_E_OUT_OF_RANGE);
        assert_int_equal(size[0], 2);
        ok(client, umem_collect(calls));
        assert_int_equal(size[1], 2);
        umem_calls_free(calls);
        ok(client, umem_block_free(client, umem_named("c")));
    }
    umem_client_free(client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_get),
        cmocka_unit_test(test_names_that_look_like_handles),
        cmocka_unit_test(test_large_ones_travel_in_pieces),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_names_in_place_of_handles),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_submitted),
    };

    return cmocka_run_group_tests(tests, daemon_setup, daemon_teardown);
}
