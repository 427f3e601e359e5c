/* Shared memory that really runs out: shm_exhaustion.sh runs this where there is 1 MiB of it. A call without memory
 * fails with an error and changes nothing, the daemon survives, all other clients are served. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mapped_heap_fixture.h"

enum { UNIT = 65536, ALL = 16 * UNIT, LENGTH = 4 * ALL };

/* Fails where there is more shared memory, since nothing would run out. */
static int is_tiny(void **state)
{
    struct statvfs facts;

    (void)state;
    return statvfs("/dev/shm", &facts) == 0 && facts.f_blocks * facts.f_frsize == ALL ? 0 : -1;
}

static umem_handle try_heap(umem_client *client, uint64_t initial_size, int code)
{
    const struct umem_heap_options options = {
        .initial_size = initial_size, .maximum_size = LENGTH, .kind = UMEM_HEAP_SHARED};
    umem_handle heap = 0;

    assert_int_equal(umem_heap_create(client, &options, &heap), code);
    return heap;
}

static umem_handle try_block(umem_client *client, umem_handle heap, uint64_t size, int code)
{
    const struct umem_block_options options = {.heap = heap};
    umem_handle block = 0;

    assert_int_equal(umem_block_alloc(client, size, &options, &block), code);
    return block;
}

/* Another session is served, on a heap of its own and on the process heap. */
static void serve(struct daemon *daemon)
{
    umem_client *other = daemon_connect(daemon);
    umem_handle block = try_block(other, UMEM_PROCESS_HEAP, 3 * ALL, UMEM_OK);
    char text[6] = "";

    ok(other, umem_block_write(other, block, 2 * ALL, "hello", 5));
    ok(other, umem_block_read(other, block, 2 * ALL, text, 5));
    assert_string_equal(text, "hello");
    ok(other, umem_block_free(other, block));
    umem_client_free(other);
}

static void test_what_has_no_memory_changes_nothing(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = try_heap(client, 0, UMEM_OK); /* four times what there is: only the name */
    umem_handle block = try_block(client, heap, ALL / 2, UMEM_OK);
    struct umem_heap_info before;
    struct umem_heap_info after;
    uint8_t byte = 7;

    ok(client, umem_block_fill(client, block, 0, 7, UMEM_TO_END));
    ok(client, umem_heap_info(client, heap, &before));
    try_block(client, heap, ALL, UMEM_E_NO_MEMORY);
    assert_non_null(strstr(umem_last_error(client)->message, "system has no memory"));
    assert_int_equal(umem_block_resize(client, block, 2 * ALL, 0), UMEM_E_NO_MEMORY);
    try_heap(client, ALL, UMEM_E_NO_MEMORY);
    assert_non_null(strstr(umem_last_error(client)->message, "shared memory"));
    ok(client, umem_heap_info(client, heap, &after));
    assert_int_equal(after.committed, before.committed);
    assert_int_equal(after.free_bytes, before.free_bytes);
    assert_int_equal(after.bytes, ALL / 2);
    assert_false(after.corrupted);
    ok(client, umem_block_get(client, block, ALL / 2 - 1, UMEM_TYPE_U8, &byte, 1));
    assert_int_equal(byte, 7);
    serve(*state);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

/* Every block that was given out has memory behind it, up to the last that there is. */
static void test_what_was_given_out_can_be_used(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heaps[2] = {try_heap(client, 0, UMEM_OK), try_heap(client, 0, UMEM_OK)};
    umem_handle blocks[ALL / UNIT];

    for (int i = 0; i < ALL / UNIT; i++)
        blocks[i] = try_block(client, heaps[i % 2], UNIT, UMEM_OK);
    try_block(client, heaps[0], 1, UMEM_E_NO_MEMORY);
    try_block(client, heaps[1], 1, UMEM_E_NO_MEMORY);
    for (int i = 0; i < ALL / UNIT; i++) {
        memset(mapped(client, blocks[i]), i, UNIT);
        ok(client, umem_block_fill(client, blocks[i], 0, (uint8_t)(i + 1), UMEM_TO_END));
        assert_int_equal(*mapped(client, blocks[i]), i + 1);
    }
    serve(*state);
    /* Memory that one heap has free can be used by the other, where the system has no more. */
    ok(client, umem_block_free(client, blocks[0]));
    try_block(client, heaps[1], UNIT, UMEM_OK);
    try_block(client, heaps[0], 1, UMEM_E_NO_MEMORY);
    for (int i = 0; i < 2; i++)
        ok(client, umem_heap_destroy(client, heaps[i], NULL, NULL));
    umem_client_free(client);
}

/* A program that maps the heap and writes to it from `from` on, whether memory was reserved for that or not. It returns
 * the memory before `from` to the system, though others use it. Waits until the memory runs out, which ends it. */
static void take_all(const char *name, off_t from)
{
    int fd = shm_open(name, O_RDWR, 0);
    unsigned char *bytes = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGBUS, SIG_DFL);
        if (from != 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, from) != 0)
            _exit(1);
        memset(bytes + from, 0xee, (size_t)(LENGTH - from));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    munmap(bytes, LENGTH);
    close(fd);
}

static void test_a_client_that_takes_all_there_is(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = try_heap(client, 0, UMEM_OK);
    umem_handle block = try_block(client, heap, UNIT, UMEM_OK);
    umem_handle other = try_heap(client, 0, UMEM_OK);
    char name[64];
    uint8_t byte = 0;

    object_name(client, block, name);
    take_all(name, 0);
    try_block(client, other, 1, UMEM_E_NO_MEMORY);
    ok(client, umem_block_get(client, block, UNIT - 1, UMEM_TYPE_U8, &byte, 1));
    assert_int_equal(byte, 0xee);
    ok(client, umem_heap_validate(client, heap, 0));
    serve(*state);
    /* It can be had back: by its heap's blocks, which are cleared, and for others. */
    block = try_block(client, heap, UNIT, UMEM_OK);
    ok(client, umem_block_get(client, block, UNIT - 1, UMEM_TYPE_U8, &byte, 1));
    assert_int_equal(byte, 0);
    ok(client, umem_heap_compact(client, heap, NULL));
    try_block(client, other, ALL / 2, UMEM_OK);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    ok(client, umem_heap_destroy(client, other, NULL, NULL));
    umem_client_free(client);
}

/* The daemon finds no page where it has promised one, and the system has none to give. */
static void test_a_client_that_takes_what_was_promised(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = try_heap(client, 0, UMEM_OK);
    umem_handle block = try_block(client, heap, UNIT, UMEM_OK);
    struct umem_heap_info info;
    char name[64];
    uint8_t byte = 1;

    ok(client, umem_block_fill(client, block, 0, 7, UMEM_TO_END));
    object_name(client, block, name);
    take_all(name, UNIT);
    ok(client, umem_block_get(client, block, UNIT - 1, UMEM_TYPE_U8, &byte, 1));
    assert_int_equal(byte, 0);
    ok(client, umem_heap_info(client, heap, &info));
    assert_true(info.corrupted);
    assert_int_equal(umem_heap_validate(client, heap, 0), UMEM_E_CORRUPTED);
    try_block(client, heap, 1, UMEM_E_CORRUPTED);
    serve(*state);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    heap = try_heap(client, ALL / 2, UMEM_OK);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_has_no_memory_changes_nothing, daemon_setup,
                                        daemon_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_given_out_can_be_used, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_takes_all_there_is, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_a_client_that_takes_what_was_promised, daemon_setup,
                                        daemon_teardown),
    };

    return cmocka_run_group_tests(tests, is_tiny, NULL);
}
