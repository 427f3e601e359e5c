/* What clients on POSIX can do to a shared heap, against the real daemon: it survives, and all else is served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mapped_heap_fixture.h"

enum { LARGE = 2 << 20 };

static void cut(umem_client *client, umem_handle block, off_t length)
{
    char name[64];
    int fd;

    object_name(client, block, name);
    fd = shm_open(name, O_RDWR, 0);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, length), 0);
    close(fd);
}

/* All that touches the bytes of the block. What it answers does not matter: it may be that the connection is
 * lost, where the system was to carry bytes that are not there. */
static void use(umem_client *client, umem_handle block, umem_handle other)
{
    unsigned char *bytes = calloc(1, LARGE);
    uint64_t where;
    uint8_t byte;

    (void)umem_block_read(client, block, 0, bytes, LARGE);
    (void)umem_connect(client);
    (void)umem_block_write(client, block, 0, bytes, LARGE);
    (void)umem_connect(client);
    (void)umem_block_fill(client, block, 0, 1, UMEM_TO_END);
    (void)umem_block_copy(client, block, 0, other, 0, UMEM_TO_END);
    (void)umem_block_copy(client, other, 0, block, 0, UMEM_TO_END);
    (void)umem_block_compare(client, block, 0, other, 0, UMEM_TO_END, &where);
    (void)umem_block_find(client, block, 0, "needle", 6, &where);
    (void)umem_block_get(client, block, LARGE - 1, UMEM_TYPE_U8, &byte, 1);
    (void)umem_block_resize(client, block, LARGE / 2, 0);
    (void)umem_block_resize(client, block, LARGE, 0);
    (void)umem_connect(client);
    free(bytes);
}

static void test_a_cut_heap_ends_nothing(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_client *bystander = daemon_connect(*state);
    umem_handle heap = new_shared_heap(client);
    umem_handle sound = new_shared_heap(bystander);
    umem_handle block = new_shared_block(client, heap, LARGE);
    umem_handle other = new_shared_block(bystander, sound, LARGE);
    struct umem_heap_info info;
    void *bytes = NULL;

    ok(bystander, umem_block_fill(bystander, other, 0, 3, UMEM_TO_END));
    cut(client, block, 5000);
    use(client, block, other);
    ok(client, umem_heap_info(client, heap, &info));
    assert_true(info.corrupted);
    assert_int_equal(umem_heap_validate(client, heap, 0), UMEM_E_CORRUPTED);
    assert_int_equal(umem_map(client, block, &bytes, NULL), UMEM_E_CORRUPTED);
    ok(client, umem_block_free(client, block));
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));

    ok(bystander, umem_server_ping(bystander));
    ok(bystander, umem_heap_validate(bystander, sound, 0));
    new_shared_block(bystander, sound, 1000);
    ok(bystander, umem_heap_destroy(bystander, sound, NULL, NULL));
    umem_client_free(bystander);
    umem_client_free(client);
}

/* The raw bytes are read first while all memory exists, so that only memory removed meanwhile is lost. */
static void test_memory_that_is_cut_and_extended(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = new_shared_heap(client);
    umem_handle block = new_shared_block(client, heap, LARGE);
    umem_handle other = new_shared_block(client, heap, LARGE - 65536);

    for (int i = 0; i < 8; i++) {
        cut(client, other, i % 2 == 0 ? i * 100000 : 4 << 20);
        use(client, block, other);
        ok(client, umem_server_ping(client));
        if (i == 0)
            assert_int_equal(umem_heap_validate(client, heap, 0), UMEM_E_CORRUPTED);
        /* block.map no longer returns the name of a corrupted heap: begin with another one. */
        ok(client, umem_heap_destroy(client, heap, NULL, NULL));
        heap = new_shared_heap(client);
        block = new_shared_block(client, heap, LARGE);
        other = new_shared_block(client, heap, LARGE - 65536);
    }
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

/* What a program sees through a pointer to memory that another has cut. */
static void touch(const unsigned char *bytes)
{
    signal(SIGBUS, SIG_DFL);
    _exit(*(const volatile unsigned char *)bytes);
}

static void test_touching_a_cut_heap_ends_the_process(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle heap = new_shared_heap(client);
    umem_handle block = new_shared_block(client, heap, LARGE);
    unsigned char *bytes = mapped(client, block);
    int status = 0;
    pid_t child;

    memset(bytes, 5, LARGE);
    cut(client, block, LARGE / 2);
    assert_int_equal(bytes[LARGE / 2 - 1], 5);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        touch(bytes + LARGE / 2);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

#ifdef __linux__
/* A freed block keeps its bytes until its memory is returned: that of a large one soon is. */
static void test_returned_memory_is_zero(void **state)
{
    enum { SMALL = 1000000 };
    umem_client *client = daemon_connect(*state);
    umem_handle heap = new_shared_heap(client);
    umem_handle block = new_shared_block(client, heap, SMALL);
    volatile unsigned char *bytes = mapped(client, block);

    memset((void *)bytes, 5, SMALL);
    ok(client, umem_block_free(client, block));
    assert_int_equal(bytes[SMALL - 1], 5);
    ok(client, umem_heap_compact(client, heap, NULL));
    assert_int_equal(bytes[SMALL - 1], 0);
    bytes[SMALL - 1] = 1;
    block = new_shared_block(client, heap, LARGE);
    bytes = mapped(client, block);
    memset((void *)bytes, 5, LARGE);
    ok(client, umem_block_free(client, block));
    for (int turns = 0; turns < 10000 && bytes[LARGE - 1] != 0; turns++)
        ok(client, umem_server_ping(client));
    assert_int_equal(bytes[LARGE - 1], 0);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
}

static void test_names_do_not_outlive_the_next_start(void **state)
{
    struct daemon *daemon = *state;
    umem_client *client = daemon_connect(daemon);
    umem_handle heap = new_shared_heap(client);
    char name[64];

    object_name(client, new_shared_block(client, heap, 1), name);
    process_kill(&daemon->process);
    process_finish(&daemon->process);
    umem_client_free(client);
    daemon_start(daemon);
    assert_int_equal(shm_open(name, O_RDWR, 0), -1);

    /* When the daemon ends in order, the objects are removed. */
    client = daemon_connect(daemon);
    heap = new_shared_heap(client);
    object_name(client, new_shared_block(client, heap, 1), name);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(daemon), 0);
    assert_int_equal(shm_open(name, O_RDWR, 0), -1);
    daemon_start(daemon);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_cut_heap_ends_nothing),
        cmocka_unit_test(test_touching_a_cut_heap_ends_the_process),
        cmocka_unit_test(test_memory_that_is_cut_and_extended),
#ifdef __linux__
        cmocka_unit_test(test_returned_memory_is_zero),
        cmocka_unit_test(test_names_do_not_outlive_the_next_start),
#endif
    };

    return cmocka_run_group_tests(tests, daemon_setup, daemon_teardown);
}
