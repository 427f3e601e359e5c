/* The pool of pages: the pages are zero, aligned and used by one block only; free pages are returned to the system, in
 * pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/memory/pool_posix.h"
#include "store/memory/purge.h"

enum { MIB = 1024 * 1024, PIECE = 4 * MIB, KEPT = 8 * MIB, BLOCKS = 700, STEPS = 20000, REGIONS = 3 };

struct block {
    unsigned char *address; /* NULL: there is none */
    size_t size;
    uint32_t alignment;
    unsigned char fill;
};

static uint64_t random_state;

static uint64_t roll(uint64_t sides)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % sides;
}

static size_t some_size(void)
{
    static const size_t limits[] = {20, 300, 2049, 5000, 70000, MIB};

    return (size_t)roll(limits[roll(6)]);
}

static void expect_fill(const unsigned char *bytes, size_t size, unsigned char fill)
{
    if (size != 0)
        assert_true(bytes[0] == fill && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void get(struct block *block)
{
    *block = (struct block){.size = some_size(),
                            .alignment = roll(4) == 0 ? UINT32_C(16) << roll(13) : 16,
                            .fill = (unsigned char)(1 + roll(255))};
    block->address = um_pool_alloc(block->size, block->alignment);
    assert_non_null(block->address);
    assert_int_equal((uintptr_t)block->address % block->alignment, 0);
    expect_fill(block->address, block->size, 0);
    memset(block->address, block->fill, block->size);
}

static void put(struct block *block)
{
    expect_fill(block->address, block->size, block->fill);
    um_pool_free(block->address, block->size, block->alignment);
    block->address = NULL;
}

static void change(struct block *block)
{
    size_t size = some_size();
    bool in_place_only = roll(2) == 0;
    size_t kept = size < block->size ? size : block->size;

    if (!um_pool_resize(block->address, block->size, size, block->alignment, in_place_only)) {
        expect_fill(block->address, block->size, block->fill);
        return;
    }
    expect_fill(block->address, kept, block->fill);
    expect_fill(block->address + kept, size - kept, 0);
    block->size = size;
    memset(block->address, block->fill, size);
}

static struct um_pool_stats figures(void)
{
    struct um_pool_stats figures;

    um_pool_get_stats(&figures);
    return figures;
}

/* Purges to the end; no piece is larger than its limit. Returns the number of pieces. */
static unsigned purge_all(void)
{
    unsigned pieces = 0;

    while (um_purge_is_pending()) {
        uint64_t before = figures().touched;

        um_purge_run();
        assert_in_range(before - figures().touched, 0, PIECE);
        assert_in_range(++pieces, 1, 1000000);
    }
    return pieces;
}

static void test_against_a_model(void **state)
{
    static struct block blocks[BLOCKS];

    (void)state;
    random_state = 7;
    for (int i = 0; i < STEPS; i++) {
        struct block *block = &blocks[roll(BLOCKS)];

        if (block->address == NULL)
            get(block);
        else if (roll(3) == 0)
            change(block);
        else
            put(block);
        if (roll(5000) == 0)
            um_pool_compact();
        um_purge_run();
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (blocks[i].address != NULL)
            put(&blocks[i]);
    }
    purge_all();
    um_pool_end();
    assert_int_equal(figures().used, 0);
    assert_int_equal(figures().touched, 0);
}

/* Of many blocks one in so many stays; the memory of the others is returned without a request. */
static void expect_returned(size_t size, int count, int one_in)
{
    void **blocks = calloc((size_t)count, sizeof *blocks);
    uint64_t touched;

    assert_non_null(blocks);
    for (int i = 0; i < count; i++) {
        blocks[i] = um_pool_alloc(size, 16);
        assert_non_null(blocks[i]);
    }
    touched = figures().touched;
    assert_true(touched >= (uint64_t)count * size);
    for (int i = 0; i < count; i++) {
        if (i % one_in != 0)
            um_pool_free(blocks[i], size, 16);
    }
    assert_true(purge_all() >= (touched - KEPT) / PIECE / 2);
    assert_in_range(figures().touched, figures().used, figures().used * 13 / 10 + REGIONS * KEPT);
    /* Compacting returns all of it. */
    um_pool_compact();
    purge_all();
    assert_in_range(figures().touched, 0, figures().used + (uint64_t)(count / one_in + 2) * 2 * 4096);
    for (int i = 0; i < count; i += one_in)
        um_pool_free(blocks[i], size, 16);
    free(blocks);
    purge_all();
    um_pool_end();
    assert_int_equal(figures().used, 0);
}

static void test_free_pages_are_returned(void **state)
{
    (void)state;
    expect_returned(65536, 2000, 2000);
    expect_returned(4000, 40000, 1000);
    expect_returned(1000, 100000, 1000);
    expect_returned(100, 400000, 10000);
}

/* A block that is allocated and freed in turn keeps its pages. */
static void test_a_quick_exchange_gives_nothing_back(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        void *block = um_pool_alloc(MIB - 1, 16);

        assert_non_null(block);
        um_pool_free(block, MIB - 1, 16);
        assert_false(um_purge_is_pending());
    }
    um_pool_end();
}

/* Small holes that are not worth a call of the system are no work that never ends. */
static void test_small_holes_are_left(void **state)
{
    enum { COUNT = 20000, SIZE = 6000 };
    static void *blocks[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++)
        blocks[i] = um_pool_alloc(SIZE, 16);
    for (int i = 0; i < COUNT; i += 2)
        um_pool_free(blocks[i], SIZE, 16);
    purge_all();
    for (int i = 1; i < COUNT; i += 2)
        um_pool_free(blocks[i], SIZE, 16);
    purge_all();
    um_pool_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_free_pages_are_returned),
        cmocka_unit_test(test_a_quick_exchange_gives_nothing_back),
        cmocka_unit_test(test_small_holes_are_left),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
