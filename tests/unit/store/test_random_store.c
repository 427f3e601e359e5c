/* Random operations on a store and on a simple model of one, which must agree after each. The seed is
 * printed; UMEM_TEST_SEED repeats another run, UMEM_TEST_STEPS makes it longer. */
#include "random_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/records/records.h"
#include "store/store.h"

enum {
    STEPS = 6000,
    STEPS_BETWEEN_CHECKS = 25,
    BYTES_LIMIT = 16 * 1024 * 1024,
    COPIED_AT_ONCE = 50 /* bytes; so little that many resizes run in steps */
};

void learn_pinned(struct run *run)
{
    bool has_frozen = false;
    for (int i = 0; i < PINS; i++)
        has_frozen = has_frozen || run->pins[i].frozen != NULL;
    while (has_frozen && um_store_reclaim(run->store, 1000))
        um_store_set_time(run->store, 0);
    run->model.pinned = stats_of(run->store).pinned_bytes;
}

int expected_of_resize(const struct run *run, int block, uint64_t size)
{
    const struct model_block *it = &run->model.blocks[block];
    int code = size > it->size ? model_check_growth(&run->model, it->heap, size - it->size) : 0;
    bool is_pinned = false;
    for (int i = 0; i < PINS; i++)
        is_pinned = is_pinned || (run->pins[i].pin != NULL && run->pins[i].block == block);
    if (code == 0 && is_pinned && size != it->size)
        code = model_check_total(&run->model, size);
    return code;
}

static int expected_of_alloc(const struct run *run, int heap, uint64_t size, int name)
{
    int code = model_check_growth(&run->model, heap, size);
    if (code == 0 && name != NONE && model_block_named(&run->model, name_text(name)) != NONE)
        code = UMEM_E_NAME_TAKEN;
    return code;
}

static void do_alloc(struct run *run)
{
    int heap = some_heap(run);
    int owner = some_owner(run);
    int name = roll(run, 6) == 0 ? (int)roll(run, MODEL_NAMES) : NONE;
    bool session = roll(run, 4) == 0;
    int block = model_free_place(&run->model);
    struct um_block *made = NULL;
    learn_pinned(run);
    const struct um_block_options options = {.size = random_size(run),
                                             .name = name >= 0 ? name_text(name) : NULL,
                                             .lifetime = session ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER};
    int expected = block == NONE ? UMEM_E_LIMIT_EXCEEDED : expected_of_alloc(run, heap, options.size, name);
    int code = um_block_alloc(run->store, heap_of(run, heap), run->owners[owner], &options, &made, NULL);
    assert_int_equal(code, expected);
    if (code != 0)
        return;
    model_add_block(&run->model, block,
                    &(struct model_block){.for_session = session,
                                          .heap = heap,
                                          .name = name,
                                          .handle = um_block_handle(run->store, made),
                                          .size = options.size,
                                          .maker = {run->model.owners[owner].id, owner}});
    assert_true(is_zero(um_block_bytes(made), options.size));
}

static void do_free(struct run *run)
{
    int block = some_block(run);
    if (block < 0)
        return;
    um_block_free(run->store, block_of(run, block));
    model_free_block(&run->model, block);
}

static void do_resize(struct run *run)
{
    int block = some_block(run);
    uint64_t size = random_size(run);
    bool in_place = roll(run, 5) == 0;
    if (block < 0)
        return;
    struct um_block *found = block_of(run, block);
    const unsigned char *before = um_block_bytes(found);
    learn_pinned(run);
    int expected = expected_of_resize(run, block, size);
    int code = um_block_resize(run->store, found, size, in_place ? UM_FLAG_REALLOC_IN_PLACE_ONLY : 0, NULL);
    assert_true(code == expected || (in_place && code == UMEM_E_NO_MEMORY));
    assert_true(!in_place || um_block_bytes(found) == before);
    if (code == 0)
        model_resize(&run->model, block, size);
}

void write_to(struct run *run, int block)
{
    struct model_block *to = &run->model.blocks[block];
    if (to->size == 0)
        return;
    uint64_t offset = roll(run, to->size);
    size_t size = (size_t)roll(run, to->size - offset + 1);
    int value = (int)roll(run, 256);
    memset(to->bytes + offset, value, size);
    memset(um_block_bytes(block_of(run, block)) + offset, value, size);
    um_block_wrote(run->store, block_of(run, block), offset, size);
}

static void do_write(struct run *run)
{
    int block = some_block(run);
    if (block >= 0)
        write_to(run, block);
}

static void do_create(struct run *run)
{
    static const uint64_t maxima[] = {0, 1000, 100000, 5 * 1024 * 1024};
    int owner = some_owner(run);
    int heap = 1 + (int)roll(run, MODEL_HEAPS - 1);
    if (run->model.heaps[heap].alive)
        return;
    struct um_heap *made = NULL;
    struct um_heap_info info;
    const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE,
                                            .maximum_size = maxima[roll(run, 4)],
                                            .alignment = UINT32_C(16) << roll(run, 5) * 3,
                                            .lifetime =
                                                roll(run, 3) == 0 ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER};
    assert_int_equal(um_heap_create(run->store, run->owners[owner], &options, &made, NULL), 0);
    um_heap_get_info(made, &info);
    model_add_heap(&run->model, heap,
                   &(struct model_heap){.for_session = options.lifetime == UM_LIFETIME_SESSION,
                                        .name = NONE,
                                        .handle = info.heap,
                                        .maker = {run->model.owners[owner].id, owner},
                                        .maximum_size = options.maximum_size});
}

static void do_destroy(struct run *run)
{
    int heap = some_heap(run);
    uint64_t blocks;
    uint64_t bytes;
    struct um_heap *found = heap_of(run, heap);
    if (heap == 0) {
        assert_int_equal(um_heap_destroy(run->store, found, &blocks, &bytes, NULL), UMEM_E_DENIED);
        return;
    }
    assert_int_equal(um_heap_destroy(run->store, found, &blocks, &bytes, NULL), 0);
    assert_int_equal(blocks, model_count_blocks(&run->model, heap, 0));
    assert_int_equal(bytes, model_sum_bytes(&run->model, heap, 0));
    model_destroy_heap(&run->model, heap);
}

static void open_owner(struct run *run, int owner)
{
    model_open_owner(&run->model, owner, ++run->last_id);
    const struct um_owner_options options = {.id = run->model.owners[owner].id, .program = "random"};
    assert_int_equal(um_owner_open(run->store, &options, &run->owners[owner]), 0);
}

static void close_owner(struct run *run, int owner)
{
    um_owner_close(run->store, run->owners[owner]);
    model_close_owner(&run->model, owner);
    run->owners[owner] = NULL;
}

/* Owner 0 is never closed, so that there is always one. */
static void do_come_and_go(struct run *run)
{
    int owner = 1 + (int)roll(run, OWNERS - 1);
    if (run->model.owners[owner].open)
        close_owner(run, owner);
    else
        open_owner(run, owner);
}

static void do_hold(struct run *run)
{
    int block = some_block(run);
    int owner = some_owner(run);
    uint32_t holders;
    if (block < 0)
        return;
    if (roll(run, 2) == 0) {
        run->model.blocks[block].holders |= 1U << owner;
        assert_int_equal(um_block_hold(run->store, block_of(run, block), run->owners[owner], &holders, NULL),
                         0);
    } else {
        run->model.blocks[block].holders &= ~(1U << owner);
        assert_int_equal(
            um_block_release(run->store, block_of(run, block), run->owners[owner], &holders, NULL), 0);
    }
    assert_int_equal(holders, model_holders(&run->model.blocks[block]));
}

/* A new name or lifetime; an orphan, and a block of lifetime session, then belongs to the owner that has changed it. */
static void change_model(struct run *run, int block, int owner, int name, const bool *session)
{
    struct model_block *it = &run->model.blocks[block];
    if (model_is_orphan(it) || (session != NULL && *session)) {
        it->maker = (struct model_maker){run->model.owners[owner].id, owner};
        it->holders |= 1U << owner;
    }
    if (session != NULL)
        it->for_session = *session;
    if (name != KEEP_NAME)
        it->name = name;
}

static void do_change(struct run *run)
{
    int block = some_block(run);
    int owner = some_owner(run);
    int name = (int)roll(run, MODEL_NAMES + 4) - 4;
    const bool to_session = roll(run, 2) == 0;
    const bool *session = roll(run, 2) == 0 ? &to_session : NULL;
    const enum um_lifetime lifetime = to_session ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER;
    if (block < 0)
        return;
    if (name < 0)
        name = name == -1 ? NONE : KEEP_NAME;
    int named = name >= 0 ? model_block_named(&run->model, name_text(name)) : NONE;
    int expected = named != NONE && named != block ? UMEM_E_NAME_TAKEN : 0;
    int code = um_block_change(
        run->store, block_of(run, block), run->owners[owner],
        &(struct um_block_changes){.name = name_text(name), .lifetime = session != NULL ? &lifetime : NULL},
        NULL);
    assert_int_equal(code, expected);
    if (code == 0)
        change_model(run, block, owner, name, session);
}

static void do_pin(struct run *run)
{
    int block = some_block(run);
    struct pinned *pinned = &run->pins[roll(run, PINS)];
    if (pinned->pin != NULL) {
        um_pin_release(run->store, pinned->pin);
        free(pinned->frozen);
        *pinned = (struct pinned){0};
    } else if (block >= 0) {
        assert_int_equal(um_pin_new(run->store, block_of(run, block), &pinned->pin), 0);
        pinned->block = block;
        pinned->handle = run->model.blocks[block].handle;
    }
}

static void do_reclaim(struct run *run)
{
    (void)um_store_reclaim(run->store, (size_t)roll(run, 10));
}

static const struct operation {
    unsigned weight; /* how often it is done, against the others */
    void (*run)(struct run *run);
} operations[] = {
    {30, do_alloc},  {15, do_free},     {12, do_resize},     {20, do_write},
    {6, do_create},  {3, do_destroy},   {5, do_come_and_go}, {12, do_hold},
    {12, do_change}, {10, do_pin},      {8, do_reclaim},     {12, do_observe},
    {10, do_lock},   {10, do_validate}, {3, do_find_at},     {25, do_move},
};

static void do_something(struct run *run)
{
    unsigned weights = 0;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        weights += operations[i].weight;
    uint64_t left = roll(run, weights);
    size_t i = 0;
    while (left >= operations[i].weight)
        left -= operations[i++].weight;
    operations[i].run(run);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void start(struct run *run, uint64_t seed, bool guard, bool wipe)
{
    const struct um_store_options options = {.bytes_limit = BYTES_LIMIT,
                                             .blocks_limit = BLOCKS,
                                             .heaps_limit = MODEL_HEAPS,
                                             .shared_heaps_limit = 4,
                                             .guard = guard,
                                             .wipe = wipe,
                                             .seed = seed};
    struct um_heap_info info;
    run->random = seed * 2 + 1;
    run->model.bytes_limit = BYTES_LIMIT;
    assert_int_equal(um_store_new(&options, &run->store), 0);
    run->store->copied_at_once = COPIED_AT_ONCE;
    watch_events(run);
    um_heap_get_info(um_store_process_heap(run->store), &info);
    run->model.block_places = BLOCKS;
    model_add_heap(&run->model, 0, &(struct model_heap){.name = NONE, .handle = info.heap});
    open_owner(run, 0);
}

static void finish(struct run *run)
{
    for (int i = 0; i < OWNERS; i++) {
        if (run->model.owners[i].open) {
            close_owner(run, i);
            check_step(run);
        }
    }
    check_all(run);
    end_move(run);
    for (int i = 0; i < PINS; i++) {
        if (run->pins[i].pin != NULL)
            um_pin_release(run->store, run->pins[i].pin);
        free(run->pins[i].frozen);
    }
    const struct um_store_events no_events = {0};
    um_store_set_events(run->store, &no_events);
    um_store_free(run->store);
    model_deinit(&run->model);
}

static void walk(bool guard, bool wipe, uint64_t seed, uint64_t steps)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    start(run, seed, guard, wipe);
    for (uint64_t i = 0; i < steps; i++) {
        do_something(run);
        check_step(run);
        if (i % STEPS_BETWEEN_CHECKS == 0)
            check_all(run);
    }
    finish(run);
    free(run);
}

static void test_the_store_and_the_model_agree(void **state)
{
    (void)state;
    uint64_t seed = number_from("UMEM_TEST_SEED", 20240229);
    uint64_t steps = number_from("UMEM_TEST_STEPS", STEPS);
    printf("UMEM_TEST_SEED=%" PRIu64 " UMEM_TEST_STEPS=%" PRIu64 "\n", seed, steps);
    fflush(stdout);
    walk(false, false, seed, steps);
    walk(true, false, seed, steps / 4);
    walk(false, true, seed, steps / 4);
    walk(true, true, seed, steps / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_store_and_the_model_agree),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
