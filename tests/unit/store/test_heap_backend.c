/* What heaps are made of, against the contract of heap_ops.h: every test runs for each kind that this
 * system has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/memory/heap_memory.h"

enum { MIB = 1024 * 1024, ALIGNMENT = 65536, /* the tests request less, too */ MAXIMUM = 16 * MIB };

static const enum um_heap_kind kinds[] = {UM_HEAP_PROCESS, UM_HEAP_PRIVATE, UM_HEAP_SHARED};

static int open_heap(void **state)
{
    /* The kind is what *state points at from the start; keep it and make the heap in the test. */
    return *state != NULL ? 0 : -1;
}

static const struct um_heap_ops *backend_of(void **state, void **memory)
{
    const enum um_heap_kind *kind = *state;
    const struct um_heap_ops *backend = um_heap_memory_ops(*kind, false, false);
    assert_non_null(backend);
    assert_true(backend->create(0, *kind == UM_HEAP_SHARED ? MAXIMUM : 0, ALIGNMENT, memory));
    return backend;
}

static void compact(const struct um_heap_ops *backend, void *memory)
{
    uint64_t largest = 0;
    unsigned steps = 0;

    if (backend->compact_start != NULL)
        backend->compact_start(memory);
    while (backend->compact_step(memory, &largest))
        assert_in_range(++steps, 1, 1000000);
}

static void expect_bytes(const unsigned char *bytes, int value, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        assert_int_equal(bytes[i], value);
}

static void test_blocks_are_zero_and_aligned(void **state)
{
    static const uint64_t sizes[] = {0, 1, 15, 100, 4096, 70000, MIB - 1, MIB, 3 * MIB + 5};
    void *memory;
    const struct um_heap_ops *backend = backend_of(state, &memory);
    for (uint32_t alignment = 16; alignment <= 65536; alignment *= 4) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (int again = 0; again < 2; again++) { /* the second time it may be memory that was used */
                unsigned char *address = backend->alloc(memory, sizes[i], alignment);
                assert_non_null(address);
                assert_int_equal((uintptr_t)address % alignment, 0);
                expect_bytes(address, 0, 0, sizes[i]);
                memset(address, 0xee, (size_t)sizes[i]);
                assert_true(backend->validate == NULL ||
                            backend->validate(memory, address, sizes[i], alignment));
                backend->free(memory, address, sizes[i], alignment);
            }
        }
    }
    backend->destroy(memory);
}

static void test_resizing_keeps_bytes_and_adds_zeros(void **state)
{
    static const uint64_t sizes[] = {100,     90,      95,      0,  1,       5000, 4990,    MIB + 10, MIB + 5,
                                     MIB + 9, 3 * MIB, 2 * MIB, 64, MIB - 1, MIB,  MIB - 1, 0,        17};
    void *memory;
    const struct um_heap_ops *backend = backend_of(state, &memory);
    for (uint32_t alignment = 16; alignment <= 65536; alignment *= 16) {
        uint64_t size = 0;
        void *address = backend->alloc(memory, 0, alignment);
        assert_non_null(address);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            assert_true(backend->resize(memory, &address, size, sizes[i], alignment, false));
            assert_int_equal((uintptr_t)address % alignment, 0);
            uint64_t kept = size < sizes[i] ? size : sizes[i];
            expect_bytes(address, 0xaa, 0, kept);
            expect_bytes(address, 0, kept, sizes[i]);
            size = sizes[i];
            memset(address, 0xaa, (size_t)size);
        }
        backend->free(memory, address, size, alignment);
    }
    backend->destroy(memory);
}

static void test_in_place_means_in_place(void **state)
{
    static const uint64_t sizes[] = {90,      100,     200,           50, 5000, MIB, 2 * MIB,
                                     4 * MIB, 3 * MIB, 3 * MIB + 100, 10, 80};
    void *memory;
    const struct um_heap_ops *backend = backend_of(state, &memory);
    for (uint32_t alignment = 16; alignment <= 65536; alignment *= 16) {
        for (uint64_t first = 100; first <= 2 * MIB; first += 2 * MIB - 100) {
            uint64_t size = first;
            void *address = backend->alloc(memory, size, alignment);
            void *before = address;
            memset(address, 0xaa, (size_t)size);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                bool done = backend->resize(memory, &address, size, sizes[i], alignment, true);
                assert_ptr_equal(address, before);
                uint64_t now = done ? sizes[i] : size;
                expect_bytes(address, 0xaa, 0, size < now ? size : now);
                expect_bytes(address, 0, size < now ? size : now, now);
                size = now;
                memset(address, 0xaa, (size_t)size);
            }
            backend->free(memory, address, size, alignment);
        }
    }
    backend->destroy(memory);
}

static void test_what_cannot_be_is_refused(void **state)
{
    void *memory;
    const struct um_heap_ops *backend = backend_of(state, &memory);
    static const uint64_t sizes[] = {UINT64_MAX, (uint64_t)INT64_MAX, UINT64_C(1) << 53, UINT64_C(1) << 48};
    void *address = backend->alloc(memory, 10, 16);
    void *before = address;
    memset(address, 0xaa, 10);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t alignment = 16; alignment <= 65536; alignment *= 64)
            assert_null(backend->alloc(memory, sizes[i], alignment));
        assert_false(backend->resize(memory, &address, 10, sizes[i], 16, false));
        assert_ptr_equal(address, before);
        expect_bytes(address, 0xaa, 0, 10);
    }
    backend->free(memory, address, 10, 16);
    backend->destroy(memory);
}

static void test_empty_blocks_have_addresses_of_their_own(void **state)
{
    void *memory;
    const struct um_heap_ops *backend = backend_of(state, &memory);
    void *first = backend->alloc(memory, 0, 16);
    void *second = backend->alloc(memory, 0, 16);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    backend->free(memory, first, 0, 16);
    backend->free(memory, second, 0, 16);
    compact(backend, memory);
    backend->destroy(memory);
}

static void test_destroying_frees_the_blocks_if_declared(void **state)
{
    void *memory;
    const struct um_heap_ops *backend = backend_of(state, &memory);
    for (int i = 0; i < 100; i++) {
        void *address = backend->alloc(memory, (uint64_t)i * 1000, 32);
        assert_non_null(address);
        if (!backend->destroy_frees_blocks)
            backend->free(memory, address, (uint64_t)i * 1000, 32);
    }
    assert_true(!backend->validates_whole || backend->validate(memory, NULL, 0, 32));
    backend->destroy(memory);
}

#define FOR_EACH_KIND(test) \
    {#test " (process)", test, open_heap, NULL, (void *)&kinds[0]}, \
        {#test " (private)", test, open_heap, NULL, (void *)&kinds[1]}, \
    { \
#test " (shared)", test, open_heap, NULL, (void *)&kinds[2] \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOR_EACH_KIND(test_blocks_are_zero_and_aligned),
        FOR_EACH_KIND(test_resizing_keeps_bytes_and_adds_zeros),
        FOR_EACH_KIND(test_in_place_means_in_place),
        FOR_EACH_KIND(test_what_cannot_be_is_refused),
        FOR_EACH_KIND(test_empty_blocks_have_addresses_of_their_own),
        FOR_EACH_KIND(test_destroying_frees_the_blocks_if_declared),
    };
    return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
