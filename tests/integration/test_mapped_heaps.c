/* Shared heaps: the client library's mappings, against the real daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapped_heap_fixture.h"

static void test_everybody_sees_what_is_written(void **state)
{
    umem_client *left = daemon_connect(*state);
    umem_client *right = daemon_connect(*state);
    umem_handle heap = new_shared_heap(left);
    umem_handle block = new_shared_block(left, heap, 100);
    unsigned char *here = mapped(left, block);
    unsigned char *there = mapped(right, block);
    char text[6] = "";

    assert_ptr_not_equal(here, there);
    memcpy(here + 10, "hello", 5);
    assert_memory_equal(there + 10, "hello", 5);
    ok(right, umem_block_read(right, block, 10, text, 5));
    assert_string_equal(text, "hello");
    ok(right, umem_block_write(right, block, 90, "from there", 10));
    assert_memory_equal(here + 90, "from there", 10);
    umem_client_free(right);
    ok(left, umem_unmap(left, here));
    ok(left, umem_heap_destroy(left, heap, NULL, NULL));
    umem_client_free(left);
}

static void test_a_heap_is_mapped_once(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = new_shared_heap(client);
    umem_handle first = new_shared_block(client, heap, 64);
    umem_handle second = new_shared_block(client, heap, 64);
    unsigned char *bytes = mapped(client, first);

    assert_ptr_equal(mapped(client, second), bytes + 64);
    assert_ptr_equal(mapped(client, first), bytes);
    ok(client, umem_unmap(client, bytes));
    ok(client, umem_unmap(client, bytes + 64 + 63));
    bytes[0] = 1; /* still mapped once */
    assert_int_equal(umem_unmap(client, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_last_error(client)->code, UMEM_E_BAD_ARGUMENT);
    ok(client, umem_unmap(client, bytes));
    assert_int_equal(umem_last_error(client)->code, UMEM_OK);
    assert_int_equal(umem_unmap(client, bytes), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_unmap(client, NULL), UMEM_E_BAD_ARGUMENT);
    bytes = mapped(client, second);
    assert_int_equal((uintptr_t)bytes % 65536, 64);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client); /* unmaps what is left */
}

static void test_a_pointer_outlives_block_heap_and_daemon(void **state)
{
    struct daemon *daemon = *state;
    umem_client *client = daemon_connect(daemon);
    umem_handle heap = new_shared_heap(client);
    umem_handle block = new_shared_block(client, heap, 100);
    unsigned char *bytes = mapped(client, block);
    void *again = NULL;

    memset(bytes, 7, 100);
    ok(client, umem_block_free(client, block));
    assert_int_equal(bytes[99], 7);
    assert_int_equal(umem_map(client, block, &again, NULL), UMEM_E_STALE_HANDLE);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    assert_int_equal(bytes[99], 7);

    heap = new_shared_heap(client);
    again = mapped(client, new_shared_block(client, heap, 100));
    memset(again, 8, 100);
    process_kill(&daemon->process);
    process_finish(&daemon->process);
    assert_int_not_equal(umem_server_ping(client), UMEM_OK);
    bytes[0] = 9;
    assert_int_equal(((unsigned char *)again)[99], 8);
    ok(client, umem_unmap(client, bytes));
    ok(client, umem_unmap(client, again));
    umem_client_free(client);
    daemon_start(daemon);
}

/* A kept pointer, as umem_client.h describes it. */
static void test_what_a_kept_pointer_shows(void **state)
{
    struct daemon *daemon = *state;
    umem_client *left = daemon_connect(daemon);
    umem_client *right = daemon_connect(daemon);
    umem_handle heap = new_shared_heap(left);
    umem_handle block = new_shared_block(left, heap, 100);
    umem_handle wall = new_shared_block(left, heap, 100);
    unsigned char *bytes = mapped(left, block);
    unsigned char *moved;
    unsigned char *here;
    unsigned char *there;

    /* Freed, and handed out again: cleared, and its new owner's. */
    memset(bytes, 7, 100);
    ok(left, umem_block_free(left, block));
    assert_int_equal(bytes[99], 7);
    block = new_shared_block(right, heap, 100);
    assert_int_equal(bytes[99], 0);
    ok(right, umem_block_fill(right, block, 0, 8, UMEM_TO_END));
    assert_int_equal(bytes[99], 8);

    /* Resized to where it had to move: the pointer shows where it was. */
    ok(left, umem_block_resize(left, block, 1000, 0));
    ok(right, umem_block_fill(right, block, 0, 9, UMEM_TO_END));
    assert_int_equal(bytes[99], 8);
    moved = mapped(left, block);
    assert_ptr_not_equal(moved, bytes);
    assert_int_equal(moved[99], 9);

    /* The heap is destroyed, the daemon is gone: it is still shared memory. */
    here = mapped(left, wall);
    there = mapped(right, wall);
    ok(left, umem_heap_destroy(left, heap, NULL, NULL));
    there[50] = 1;
    assert_int_equal(here[50], 1);
    process_kill(&daemon->process);
    process_finish(&daemon->process);
    there[51] = 1;
    assert_int_equal(here[51], 1);
    assert_int_equal(bytes[99], 8);
    ok(left, umem_unmap(left, bytes));
    umem_client_free(right);
    umem_client_free(left);
    daemon_start(daemon);
}

static void test_what_cannot_be_mapped(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle block = 0;
    void *bytes = &block;

    ok(client, umem_block_alloc(client, 8, NULL, &block));
    assert_int_equal(umem_map(client, block, &bytes, NULL), UMEM_E_UNSUPPORTED);
    assert_int_equal(umem_map(client, 0, &bytes, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_map(NULL, block, &bytes, NULL), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_unmap(NULL, &block), UMEM_E_OUT_OF_MEMORY);
    assert_ptr_equal(bytes, &block);
    ok(client, umem_block_free(client, block));
    umem_client_free(client);
}

static void test_info_gives_how_the_memory_is_used(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = new_shared_heap(client);
    umem_handle first = new_shared_block(client, heap, 100);
    umem_handle second = new_shared_block(client, heap, 1000000);
    struct umem_heap_info info;

    /* Two free ranges, of which the larger holds most: hardly fragmented. Committed are the units that contain
     * blocks. */
    ok(client, umem_block_free(client, first));
    ok(client, umem_heap_info(client, heap, &info));
    assert_int_equal(info.blocks, 1);
    assert_int_equal(info.bytes, 1000000);
    assert_int_equal(info.committed, 16 * 65536);
    assert_int_equal(info.free_bytes, (4 << 20) - 1000000);
    assert_int_equal(info.free_ranges, 2);
    assert_int_equal(info.largest_free, (4 << 20) - 1000000 - 112);
    ok(client, umem_block_free(client, second));
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    heap = new_shared_heap(client);
    new_shared_block(client, heap, 100);
    ok(client, umem_heap_info(client, heap, &info));
    assert_int_equal(info.kind, UMEM_HEAP_SHARED);
    assert_int_equal(info.reserved, 4 << 20);
    assert_int_equal(info.committed, 65536);
    assert_int_equal(info.free_bytes, (4 << 20) - 112);
    assert_int_equal(info.free_ranges, 1);
    assert_int_equal(info.largest_free, info.free_bytes);
    assert_false(info.corrupted);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    /* Of other heaps it is known where they are not Win32's. */
    ok(client, umem_heap_info(client, UMEM_PROCESS_HEAP, &info));
    assert_int_equal(info.kind, UMEM_HEAP_PROCESS);
    assert_true(info.committed <= info.reserved); /* both 0 of a Win32 heap */
    assert_true(info.committed <= info.reserved && info.free_bytes <= info.reserved);
    assert_true(info.largest_free <= info.free_bytes);
    umem_client_free(client);
}

static void test_a_wait_ends_when_it_is_woken(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *waiter = daemon_connect(*state);
    umem_calls *calls = umem_calls_new(waiter, UMEM_PIPELINE);
    umem_handle heap = new_shared_heap(client);
    umem_handle block = new_shared_block(client, heap, 16);
    unsigned char *bytes = mapped(client, block);
    uint8_t nothing = 0;
    uint8_t now = 0;

    ok(waiter, umem_submit_block_wait(calls, block, 3, UMEM_TYPE_U8, &nothing, UMEM_FOREVER, &now));
    ok(waiter, umem_calls_send(calls));
    /* The wait has begun when the next request is answered. */
    ok(waiter, umem_server_ping(waiter));
    bytes[3] = 5;
    ok(client, umem_block_wake(client, block, 3, 1));
    ok(waiter, umem_collect(calls));
    assert_int_equal(now, 5);
    assert_int_equal(umem_block_wake(client, block, 16, 1), UMEM_E_OUT_OF_RANGE);
    /* Waking is one more call of a pipeline. */
    nothing = 5;
    ok(waiter, umem_submit_block_wait(calls, block, 3, UMEM_TYPE_U8, &nothing, UMEM_FOREVER, &now));
    bytes[3] = 6;
    ok(waiter, umem_submit_block_wake(calls, block, 17, 1));
    ok(waiter, umem_submit_block_wake(calls, block, 3, 1));
    ok(waiter, umem_collect(calls));
    assert_int_equal(now, 6);
    assert_int_equal(umem_collect(calls), UMEM_E_OUT_OF_RANGE);
    ok(waiter, umem_collect(calls));
    ok(client, umem_block_wake(client, block, 0, UMEM_TO_END));
    umem_calls_free(calls);
    umem_client_free(waiter);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

static void test_the_example(void **state)
{
    const char *const args[] = {SHARED_MEMORY, ((struct daemon *)*state)->pipe, NULL};
    struct process *process = test_malloc(sizeof *process);
    int status = process_run(process, args, NULL);

    if (status != 0)
        print_error("%s\n", process->errors);
    assert_int_equal(status, 0);
    assert_non_null(strstr(process->output, "the sum of 1000 squares: 332833500"));
    test_free(process);
}

/* Two programs of which neither has a copy: the one is woken by the other. */
static void test_the_example_as_two_programs(void **state)
{
    const char *pipe = ((struct daemon *)*state)->pipe;
    const char *const wait[] = {SHARED_MEMORY, "wait", pipe, NULL};
    const char *const fill[] = {SHARED_MEMORY, "fill", pipe, NULL};
    struct process *waiter = test_malloc(sizeof *waiter);
    struct process *filler = test_malloc(sizeof *filler);

    assert_int_equal(process_start(waiter, wait, NULL), 0);
    assert_true(process_wait_for(waiter, "the table is there"));
    if (process_poll(waiter))
        print_error("%s%s\n", waiter->errors, waiter->output);
    assert_false(waiter->exited);
    assert_int_equal(process_run(filler, fill, NULL), 0);
    assert_int_equal(process_finish(waiter), 0);
    assert_non_null(strstr(waiter->output, "the sum of 1000 squares: 332833500"));
    /* The table went with the program that made it. */
    assert_int_equal(process_run(filler, fill, NULL), EXIT_FAILURE);
    assert_non_null(strstr(filler->errors, "finding the table"));
    test_free(filler);
    test_free(waiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_sees_what_is_written),
        cmocka_unit_test(test_a_heap_is_mapped_once),
        cmocka_unit_test(test_a_pointer_outlives_block_heap_and_daemon),
        cmocka_unit_test(test_what_a_kept_pointer_shows),
        cmocka_unit_test(test_what_cannot_be_mapped),
        cmocka_unit_test(test_info_gives_how_the_memory_is_used),
        cmocka_unit_test(test_a_wait_ends_when_it_is_woken),
        cmocka_unit_test(test_the_example),
        cmocka_unit_test(test_the_example_as_two_programs),
    };

    return cmocka_run_group_tests(tests, daemon_setup, daemon_teardown);
}
