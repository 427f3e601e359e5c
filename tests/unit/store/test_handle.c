/* Slot tables and handles, by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/records/handles.h"

struct record {
    struct um_slot slot;
    uint64_t value;
};

static uint64_t take(struct um_slots *slots)
{
    struct record *record = um_slots_acquire(slots);
    assert_non_null(record);
    assert_int_equal(record->value, 0);
    record->value = 1;
    return um_slot_handle(&record->slot, slots->kind);
}

static enum um_slot_verdict verdict(const struct um_slots *slots, uint64_t handle)
{
    void *record = NULL;
    enum um_slot_verdict found = um_slots_find(slots, handle, &record);
    assert_true((record != NULL) == (found == UM_SLOT_OK));
    return found;
}

static void give_back(struct um_slots *slots, uint64_t handle)
{
    void *record = NULL;
    assert_int_equal(um_slots_find(slots, handle, &record), UM_SLOT_OK);
    um_slots_release(slots, record);
}

static void init(struct um_slots *slots, uint32_t limit, uint32_t first_generation)
{
    um_slots_init(slots, UM_HANDLE_BLOCK, sizeof(struct record), sizeof(uint64_t), limit, first_generation);
}

static void test_a_handle_is_live_then_stale(void **state)
{
    (void)state;
    struct um_slots slots;
    init(&slots, 10, 5);
    uint64_t handle = take(&slots);
    assert_true(handle > 0 && handle < UINT64_C(1) << 53);
    assert_int_equal(verdict(&slots, handle), UM_SLOT_OK);
    give_back(&slots, handle);
    assert_int_equal(verdict(&slots, handle), UM_SLOT_STALE);
    uint64_t next = take(&slots);
    assert_int_not_equal(next, handle);
    assert_int_equal(um_handle_slot(next), um_handle_slot(handle));
    assert_int_equal(verdict(&slots, handle), UM_SLOT_STALE);
    assert_int_equal(verdict(&slots, next), UM_SLOT_OK);
    um_slots_deinit(&slots);
}

static void test_what_was_never_given_out_is_unknown(void **state)
{
    (void)state;
    struct um_slots slots;
    init(&slots, 10, 5);
    uint64_t handle = take(&slots);
    uint64_t generation = UINT64_C(1) << UM_HANDLE_GENERATION_SHIFT;
    assert_int_equal(verdict(&slots, 0), UM_SLOT_UNKNOWN);
    assert_int_equal(verdict(&slots, UINT64_MAX), UM_SLOT_UNKNOWN);
    assert_int_equal(verdict(&slots, UINT64_C(1) << 53 | handle), UM_SLOT_UNKNOWN);
    assert_int_equal(verdict(&slots, handle + generation), UM_SLOT_UNKNOWN);
    assert_int_equal(verdict(&slots, handle - generation), UM_SLOT_UNKNOWN);
    assert_int_equal(verdict(&slots, handle + (1 << UM_HANDLE_SLOT_SHIFT)), UM_SLOT_UNKNOWN);
    give_back(&slots, handle);
    assert_int_equal(verdict(&slots, handle + generation), UM_SLOT_UNKNOWN);
    um_slots_deinit(&slots);
}

static void test_another_kind_is_distinguished(void **state)
{
    (void)state;
    struct um_slots slots;
    init(&slots, 10, 5);
    uint64_t handle = take(&slots);
    assert_int_equal(verdict(&slots, handle ^ UM_HANDLE_BLOCK ^ UM_HANDLE_HEAP), UM_SLOT_OTHER_KIND);
    um_slots_deinit(&slots);
}

static void test_the_slot_free_longest_is_reused_first(void **state)
{
    (void)state;
    struct um_slots slots;
    uint64_t handles[4];
    const int order[4] = {2, 0, 3, 1};
    init(&slots, 10, 1);
    for (int i = 0; i < 4; i++)
        handles[i] = take(&slots);
    for (int i = 0; i < 4; i++)
        give_back(&slots, handles[order[i]]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(um_handle_slot(take(&slots)), um_handle_slot(handles[order[i]]));
    assert_int_equal(um_handle_slot(take(&slots)), 4);
    um_slots_deinit(&slots);
}

static void test_a_slot_whose_generations_are_used_up_is_retired(void **state)
{
    (void)state;
    struct um_slots slots;
    init(&slots, 10, UM_GENERATION_LIMIT - 1);
    uint64_t first = take(&slots);
    give_back(&slots, first);
    uint64_t second = take(&slots);
    assert_int_equal(um_handle_slot(second), 0);
    assert_int_equal(second >> UM_HANDLE_GENERATION_SHIFT, UM_GENERATION_LIMIT);
    give_back(&slots, second);
    assert_int_equal(um_handle_slot(take(&slots)), 1);
    assert_int_equal(verdict(&slots, first), UM_SLOT_STALE);
    assert_int_equal(verdict(&slots, second), UM_SLOT_STALE);
    um_slots_deinit(&slots);
}

/* A record has new handles without end if others get their turn, as well as one that has no generation left. */
static void test_a_record_has_handles_one_after_the_other(void **state)
{
    (void)state;
    enum { TIMES = 1000 };
    struct um_slots slots;
    int refused = 0;
    init(&slots, 10, 5);
    uint64_t handle = take(&slots);
    for (int i = 0; i < TIMES; i++) {
        void *record = NULL;
        uint64_t former = handle;
        assert_int_equal(um_slots_find(&slots, handle, &record), UM_SLOT_OK);
        if (um_slot_renew(record)) {
            handle = um_slot_handle(record, slots.kind);
            assert_int_equal(um_handle_slot(handle), um_handle_slot(former));
            assert_int_equal(((struct record *)record)->value, 1);
        } else {
            refused++;
            assert_int_equal(verdict(&slots, former), UM_SLOT_OK);
            handle = take(&slots);
            give_back(&slots, former);
        }
        assert_true(handle != former);
        assert_int_equal(verdict(&slots, former), UM_SLOT_STALE);
        assert_int_equal(verdict(&slots, handle), UM_SLOT_OK);
    }
    assert_in_range(refused, TIMES / 100, TIMES / 10);
    um_slots_deinit(&slots);
    init(&slots, 10, UM_GENERATION_LIMIT);
    void *record = NULL;
    handle = take(&slots);
    assert_int_equal(um_slots_find(&slots, handle, &record), UM_SLOT_OK);
    assert_false(um_slot_renew(record));
    assert_int_equal(verdict(&slots, handle), UM_SLOT_OK);
    um_slots_deinit(&slots);
}

static void test_slots_run_out(void **state)
{
    (void)state;
    struct um_slots slots;
    init(&slots, 2, 1);
    uint64_t first = take(&slots);
    take(&slots);
    assert_null(um_slots_acquire(&slots));
    give_back(&slots, first);
    take(&slots);
    assert_null(um_slots_acquire(&slots));
    um_slots_deinit(&slots);
}

static void test_records_stay_where_they_are(void **state)
{
    (void)state;
    struct um_slots slots;
    init(&slots, UM_SLOT_COUNT_LIMIT, 1);
    struct record *first = um_slots_acquire(&slots);
    first->value = 12345;
    for (int i = 0; i < 300000; i++)
        take(&slots);
    assert_ptr_equal(um_slots_at(&slots, 0), first);
    assert_int_equal(first->value, 12345);
    um_slots_deinit(&slots);
}

static void test_unlinked_records_stay_and_share_no_cache_line(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    struct um_slots slots;
    init(&slots, UM_SLOT_COUNT_LIMIT, 1);
    for (uint32_t i = 0; i < COUNT; i++) {
        take(&slots);
        assert_int_equal((uintptr_t)um_slots_at(&slots, i) % sizeof(struct record), 0);
        assert_int_equal((uintptr_t)um_slots_aside(&slots, i) % sizeof(uint64_t), 0);
        *(uint64_t *)um_slots_aside(&slots, i) = i + 1;
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct record *record = um_slots_at(&slots, i);
        assert_int_equal(record->value, 1);
        assert_int_equal(record->slot.link, i);
        assert_int_equal(*(uint64_t *)um_slots_aside(&slots, i), i + 1);
    }
    um_slots_deinit(&slots);
}

/* ---- groups without records in use have no memory ---- */

enum { MANY = 200000 };

/* How many bytes of records have memory. */
static size_t count_bytes(const struct um_slots *slots)
{
    uint32_t group = UINT32_C(1) << slots->group_bits;
    size_t count = 0;

    for (uint32_t number = 0; number < slots->used; number += group) {
        const struct um_slot *first = um_slots_at(slots, number);
        count += first->state != 0;
    }
    return count * group * sizeof(struct record);
}

static void test_groups_without_records_have_no_memory(void **state)
{
    (void)state;
    static uint64_t handles[MANY];
    uint64_t generation = UINT64_C(1) << UM_HANDLE_GENERATION_SHIFT;
    struct um_slots slots;
    init(&slots, MANY, 3);
    for (int i = 0; i < MANY; i++)
        handles[i] = take(&slots);
    size_t all = count_bytes(&slots);
    assert_true(all >= MANY * sizeof(struct record));
    /* One of them has a slot that was used more often. */
    for (int i = 0; i < 5; i++) {
        give_back(&slots, handles[MANY / 2]);
        handles[MANY / 2] = take(&slots);
    }
    for (int i = 0; i < MANY; i++) {
        if (i != 1000)
            give_back(&slots, handles[i]);
    }
    assert_in_range(count_bytes(&slots), 1, 1200000); /* a megabyte is kept */
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(verdict(&slots, handles[i]), i == 1000 ? UM_SLOT_OK : UM_SLOT_STALE);
        assert_int_equal(verdict(&slots, handles[i] + 100 * generation), UM_SLOT_UNKNOWN);
    }
    /* Walks find nothing there. */
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(um_slot_is_live(um_slots_at(&slots, i)), i == 1000);
    /* All slots come again, with handles that were never given out. */
    for (int i = 1; i < MANY; i++) {
        uint64_t handle = take(&slots);
        assert_true(um_handle_slot(handle) != 1000 && handle != handles[um_handle_slot(handle)]);
        assert_true(handle > handles[um_handle_slot(handle)]);
        assert_int_equal(verdict(&slots, handle), UM_SLOT_OK);
        assert_int_equal(verdict(&slots, handles[um_handle_slot(handle)]), UM_SLOT_STALE);
    }
    assert_int_equal(slots.used, MANY);
    assert_null(um_slots_acquire(&slots));
    assert_int_equal(count_bytes(&slots), all);
    um_slots_deinit(&slots);
}

/* A few are kept, so that a loop at the border of one does not return and take it again and again. */
static void test_a_few_groups_are_kept(void **state)
{
    (void)state;
    static uint64_t handles[MANY];
    struct um_slots slots;
    init(&slots, UM_SLOT_COUNT_LIMIT, 1);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 20000; i++)
            handles[i] = take(&slots);
        size_t all = count_bytes(&slots);
        for (int i = 20000; i-- != 0;)
            give_back(&slots, handles[i]);
        assert_int_equal(count_bytes(&slots), all);
        assert_in_range(slots.used, 20000, 20000 + 4096);
    }
    um_slots_deinit(&slots);
}

/* Nor have those with a retired slot; their handles stay stale. */
static void test_a_group_with_a_retired_slot_has_no_memory(void **state)
{
    (void)state;
    static uint64_t handles[MANY];
    struct um_slots slots;
    init(&slots, UM_SLOT_COUNT_LIMIT, UM_GENERATION_LIMIT);
    for (int i = 0; i < MANY; i++)
        handles[i] = take(&slots);
    for (int i = 0; i < MANY; i++)
        give_back(&slots, handles[i]);
    assert_in_range(count_bytes(&slots), 0, 1200000);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(verdict(&slots, handles[i]), UM_SLOT_STALE);
    uint64_t next = take(&slots);
    assert_true(um_handle_slot(next) >= MANY);
    um_slots_deinit(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handle_is_live_then_stale),
        cmocka_unit_test(test_what_was_never_given_out_is_unknown),
        cmocka_unit_test(test_another_kind_is_distinguished),
        cmocka_unit_test(test_the_slot_free_longest_is_reused_first),
        cmocka_unit_test(test_a_slot_whose_generations_are_used_up_is_retired),
        cmocka_unit_test(test_a_record_has_handles_one_after_the_other),
        cmocka_unit_test(test_slots_run_out),
        cmocka_unit_test(test_records_stay_where_they_are),
        cmocka_unit_test(test_unlinked_records_stay_and_share_no_cache_line),
        cmocka_unit_test(test_groups_without_records_have_no_memory),
        cmocka_unit_test(test_a_few_groups_are_kept),
        cmocka_unit_test(test_a_group_with_a_retired_slot_has_no_memory),
    };
    return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
