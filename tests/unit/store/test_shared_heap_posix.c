/* What only POSIX lets other processes do to shared memory: cut it, be another user, and leave it behind. */
#include "shared_heap_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"

static void cut(const struct um_store *store, const struct um_block *block, off_t length)
{
    int fd = shm_open(place_of(store, block).name, O_RDWR, 0);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, length), 0);
    close(fd);
}

static void test_a_cut_object_is_survived(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_heap *other = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *kept = make_block(f->store, heap, f->owners[0], UNIT);
    struct um_block *lost = make_block(f->store, heap, f->owners[0], 2 * UNIT);
    struct um_block *bystander = make_block(f->store, other, f->owners[0], UNIT);
    struct um_fault fault = {0};
    struct um_place place;

    memset(um_block_bytes(kept), 1, UNIT);
    memset(um_block_bytes(lost), 2, 2 * UNIT);
    memset(um_block_bytes(bystander), 3, UNIT);
    cut(f->store, kept, UNIT + 5000);
    /* From the page on where the object ends now, all is zero and can be written. */
    assert_int_equal(um_block_bytes(lost)[4999], 2);
    assert_true(is_zero(um_block_bytes(lost) + 8192, 2 * UNIT - 8192));
    memset(um_block_bytes(lost), 4, 2 * UNIT);
    assert_int_equal(um_block_bytes(lost)[2 * UNIT - 1], 4);
    assert_int_equal(um_block_bytes(kept)[UNIT - 1], 1);

    assert_true(figures_of(heap).corrupted);
    assert_int_equal(validate_all(f->store, heap, 100, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(um_block_locate(f->store, kept, &place, &fault), UMEM_E_CORRUPTED);
    try_block(f->store, heap, f->owners[0], 1, UMEM_E_CORRUPTED);
    assert_int_equal(um_block_resize(f->store, kept, 2 * UNIT, 0, &fault), UMEM_E_CORRUPTED);

    assert_int_equal(validate_all(f->store, other, 100, NULL), 0);
    assert_int_equal(um_block_bytes(bystander)[UNIT - 1], 3);
    try_block(f->store, other, f->owners[0], UNIT, 0);
    um_block_free(f->store, lost);
    destroy_heap(f->store, heap);
}

static void test_an_object_cut_to_nothing_again_and_again(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], SHARED_LENGTH);
    int fd = shm_open(place_of(f->store, block).name, O_RDWR, 0);

    for (uint64_t at = SHARED_LENGTH; at > 0; at -= UNIT) {
        assert_int_equal(ftruncate(fd, (off_t)at - UNIT), 0);
        assert_int_equal(um_block_bytes(block)[at - 1], 0);
        um_block_bytes(block)[at - 1] = 1;
    }
    close(fd);
    assert_int_equal(validate_all(f->store, heap, 100, NULL), UMEM_E_CORRUPTED);
}

static void test_a_cut_is_noticed_before_it_is_touched(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 1);

    cut(f->store, block, 0);
    assert_int_equal(validate_all(f->store, heap, 100, NULL), UMEM_E_CORRUPTED);
    try_block(f->store, heap, f->owners[0], 1, UMEM_E_CORRUPTED);
}

static void test_a_cut_amid_an_allocation_ends_it(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *first = make_block(f->store, heap, f->owners[0], 100);
    const struct um_block_options options = {.size = 10 * UNIT};
    struct um_alloc *alloc = NULL;
    struct um_block *block = NULL;
    bool more = true;

    f->store->cleared_at_once = UNIT;
    assert_int_equal(um_alloc_begin(f->store, heap, f->owners[0], &options, &alloc, &block, NULL), 0);
    assert_int_equal(um_alloc_step(f->store, alloc, 5 * UNIT, &more, NULL), 0);
    cut(f->store, first, UNIT);
    assert_int_equal(um_alloc_step(f->store, alloc, UNIT, &more, NULL), UMEM_E_CORRUPTED);
    um_alloc_end(f->store, alloc);
    assert_int_equal(f->store->reserved, 0);
    assert_int_equal(figures_of(heap).free_ranges, 1);
    assert_int_equal(stats_of(f->store).blocks, 1);
}

static void test_a_cut_amid_a_resize_ends_it(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 2 * UNIT);
    struct um_resize *resize = NULL;
    bool more = true;

    f->store->grown_at_once = UNIT;
    assert_int_equal(um_resize_begin(f->store, block, 8 * UNIT, 0, &resize, NULL), 0);
    assert_non_null(resize);
    assert_int_equal(um_resize_step(f->store, resize, UNIT, &more, NULL), 0);
    cut(f->store, block, 0);
    assert_int_equal(um_resize_step(f->store, resize, UNIT, &more, NULL), UMEM_E_CORRUPTED);
    um_resize_end(f->store, resize);
    assert_int_equal(f->store->reserved, 0);
    assert_int_equal(um_block_size(block), 2 * UNIT);
    assert_int_equal(figures_of(heap).free_bytes, SHARED_LENGTH - 2 * UNIT);
}

#ifdef __linux__
/* A range without memory is released at once, whatever its size; one with memory is released in pieces. */
static void test_a_heap_that_is_mostly_empty_is_released_soon(void **state)
{
    struct fixture *f = *state;
    const uint64_t mebibyte = 1024 * 1024;
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = 65536 * mebibyte};
    struct um_heap *heap = NULL;
    int pieces = 0;

    assert_int_equal(um_heap_create(f->store, f->owners[0], &options, &heap, NULL), 0);
    memset(um_block_bytes(make_block(f->store, heap, f->owners[0], 60 * mebibyte)), 1, 60 * mebibyte);
    destroy_heap(f->store, heap);
    while (um_store_reclaim(f->store, 1000))
        pieces++;
    assert_in_range(pieces, 3, 30);
}
#endif

/* Runs `work` in a child and returns its status of waitpid(). */
static int in_child(int (*work)(const char *name), const char *name)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(work(name));
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int fault_elsewhere(const char *name)
{
    volatile char *nowhere =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shm_open(name, O_RDWR, 0), SHARED_LENGTH);

    *nowhere = 1;
    return 0;
}

static int send_bus_error(const char *name)
{
    (void)name;
    raise(SIGBUS);
    return 0;
}

static void test_other_bus_errors_end_the_process(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap;
    const char *name;
    int status;

    /* Not the test framework's handler, which would go on with the next test. */
    signal(SIGBUS, SIG_DFL);
    heap = make_shared(f->store, f->owners[0], 0, 0);
    name = place_of(f->store, make_block(f->store, heap, f->owners[0], 1)).name;
    status = in_child(send_bus_error, name);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    status = in_child(fault_elsewhere, name);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static int open_as_another_user(const char *name)
{
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 2;
    return shm_open(name, O_RDONLY, 0) < 0 && errno == EACCES ? 0 : 1;
}

static void test_only_the_owner_opens_it(void **state)
{
    struct fixture *f = *state;
    mode_t mask = umask(0);
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    const char *name = place_of(f->store, make_block(f->store, heap, f->owners[0], 1)).name;
    int fd = shm_open(name, O_RDONLY, 0);
    struct stat facts;

    umask(mask);
    assert_int_equal(fstat(fd, &facts), 0);
    close(fd);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(facts.st_uid, geteuid());
    if (geteuid() == 0)
        assert_int_equal(in_child(open_as_another_user, name), 0);
}

static void test_names_are_not_alike(void **state)
{
    struct fixture *f = *state;
    struct um_heap *left = make_shared(f->store, f->owners[0], 0, 0);
    struct um_heap *right = make_shared(f->store, f->owners[0], 0, 0);
    struct um_place first = place_of(f->store, make_block(f->store, left, f->owners[0], 1));
    struct um_place second = place_of(f->store, make_block(f->store, right, f->owners[0], 1));

    assert_int_equal(strlen(first.name), strlen("/umemd-") + 24);
    assert_string_not_equal(first.name + strlen("/umemd-"), second.name + strlen("/umemd-"));
#ifdef __linux__
    assert_int_equal(access(first.path, R_OK | W_OK), 0);
#endif
}

#ifdef __linux__
/* Makes a shared heap, reports its name, and keeps it until it is killed. */
static void leave_a_heap(int out)
{
    struct um_owner *owner;
    struct um_store *store = small_store(UINT64_MAX, 10, 10, &owner);
    struct um_heap *heap = make_shared(store, owner, 0, 0);
    const char *name = place_of(store, make_block(store, heap, owner, 1)).name;

    if (write(out, name, strlen(name)) < 0)
        _exit(1);
    /* Not for ever, should the test fail. */
    alarm(60);
    for (;;)
        pause();
}

/* .NET takes a shared lock of each file that it opens: the daemon's must let it, and keep out those who want the object alone. */
static void expect_shared_lock(const char *name)
{
    int fd = shm_open(name, O_RDWR, 0);

    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    close(fd);
}

static void test_what_a_killed_daemon_left_is_removed(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_shared(f->store, f->owners[0], 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 1);
    struct segment segment;
    char name[64] = "";
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        leave_a_heap(ends[1]);
    assert_true(read(ends[0], name, sizeof name - 1) > 0);
    close(ends[0]);
    close(ends[1]);
    /* As long as it is in use, it stays, whichever process removes leftovers: also a daemon of another test that starts
     * just now. */
    um_store_remove_stale_objects();
    assert_int_equal(segment_open(&segment, name, SHARED_LENGTH), 0);
    segment_close(&segment);
    expect_shared_lock(name);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* That other daemon may be faster now. */
    um_store_remove_stale_objects();
    assert_int_equal(segment_open(&segment, name, SHARED_LENGTH), -1);
    segment = segment_of(f->store, block);
    segment_close(&segment);
}

static void make_object(const char *name)
{
    int fd = shm_open(name, O_RDWR | O_CREAT, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static int make_as_another_user(const char *name)
{
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 2;
    return shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600) < 0;
}

/* Names that are like ours, and the last, which is one. */
static void make_name(char name[64], int kind, unsigned number)
{
    int size = kind == 0   ? snprintf(name, 64, "/umemd-notes%u", number)
               : kind == 1 ? snprintf(name, 64, "/umemd-%023x", number)
               : kind == 2 ? snprintf(name, 64, "/umemd-%025x", number)
               : kind == 3 ? snprintf(name, 64, "/umemd-%023xg", number)
               : kind == 4 ? snprintf(name, 64, "/umemdx%024x", number)
                           : snprintf(name, 64, "/umemd-%024x", number);

    assert_true(size > 0 && size < 64);
}

/* One that is ours is only taken where it is this user's. */
static void test_nothing_else_is_removed(void **state)
{
    enum { LIKE_OURS = 5 };
    const unsigned number = (unsigned)getpid();
    char name[64];

    (void)state;
    for (int i = 0; i < LIKE_OURS; i++) {
        make_name(name, i, number);
        make_object(name);
    }
    make_name(name, LIKE_OURS, number);
    if (geteuid() == 0)
        assert_int_equal(in_child(make_as_another_user, name), 0);
    um_store_remove_stale_objects();
    if (geteuid() == 0)
        assert_int_equal(shm_unlink(name), 0);
    make_object(name);
    um_store_remove_stale_objects();
    assert_int_equal(shm_unlink(name), -1);
    for (int i = 0; i < LIKE_OURS; i++) {
        make_name(name, i, number);
        assert_int_equal(shm_unlink(name), 0);
    }
}
#endif

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_a_cut_object_is_survived),
        WITH_FIXTURE(test_an_object_cut_to_nothing_again_and_again),
        WITH_FIXTURE(test_a_cut_is_noticed_before_it_is_touched),
        WITH_FIXTURE(test_a_cut_amid_an_allocation_ends_it),
        WITH_FIXTURE(test_a_cut_amid_a_resize_ends_it),
        WITH_FIXTURE(test_other_bus_errors_end_the_process),
        WITH_FIXTURE(test_only_the_owner_opens_it),
        WITH_FIXTURE(test_names_are_not_alike),
#ifdef __linux__
        WITH_FIXTURE(test_a_heap_that_is_mostly_empty_is_released_soon),
        WITH_FIXTURE(test_what_a_killed_daemon_left_is_removed),
        WITH_FIXTURE(test_nothing_else_is_removed),
#endif
    };
    return cmocka_run_group_tests_name("shared on POSIX", tests, NULL, NULL);
}
