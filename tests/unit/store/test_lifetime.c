/* Lifetimes: owners, holders, orphans, names and owners that change. */
#include "store_fixture.h"

#include <string.h>

#include "store/records/records.h"
#include "store/store.h"

static void expect_orphans(const struct fixture *f, uint64_t blocks, uint64_t bytes)
{
    assert_int_equal(stats_of(f->store).orphaned_blocks, blocks);
    assert_int_equal(stats_of(f->store).orphaned_bytes, bytes);
}

static struct um_owner_info owner_of(const struct um_owner *owner)
{
    struct um_owner_info info;
    um_owner_get_info(owner, &info);
    return info;
}

static uint32_t hold(struct fixture *f, struct um_block *block, int owner)
{
    uint32_t holders = 0;
    assert_int_equal(um_block_hold(f->store, block, f->owners[owner], &holders, NULL), 0);
    assert_int_equal(info_of(f->store, block).holders, holders);
    return holders;
}

static uint32_t let_go(struct fixture *f, struct um_block *block, int owner)
{
    uint32_t holders = 0;
    assert_int_equal(um_block_release(f->store, block, f->owners[owner], &holders, NULL), 0);
    assert_int_equal(info_of(f->store, block).holders, holders);
    return holders;
}

static int change(struct fixture *f, struct um_block *block, int owner, const char *name)
{
    return um_block_change(f->store, block, f->owners[owner], &(struct um_block_changes){.name = name}, NULL);
}

static int change_lifetime(struct fixture *f, struct um_block *block, int owner, enum um_lifetime lifetime)
{
    return um_block_change(f->store, block, f->owners[owner],
                           &(struct um_block_changes){.lifetime = &lifetime}, NULL);
}

static void test_an_owner_has_its_number_and_usage(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[1], 100);
    make_session_block(f->store, make_heap(f->store, f->owners[0], NULL, 0), f->owners[1], 20);
    struct um_owner_info info = owner_of(f->owners[1]);
    assert_int_equal(info.id, 2);
    assert_int_equal(info.pid, 101);
    assert_string_equal(info.program, "tester");
    assert_string_equal(info.user, "someone");
    assert_true(info.open);
    assert_int_equal(info.blocks, 2);
    assert_int_equal(info.bytes, 120);
    um_block_free(f->store, block);
    assert_int_equal(owner_of(f->owners[1]).blocks, 1);
}

static void test_an_owner_without_names_has_empty_ones(void **state)
{
    struct fixture *f = *state;
    struct um_owner *owner;
    const struct um_owner_options options = {.id = 9};
    assert_int_equal(um_owner_open(f->store, &options, &owner), 0);
    assert_string_equal(owner_of(owner).program, "");
    assert_string_equal(owner_of(owner).user, "");
    um_owner_close(f->store, owner);
    um_owner_close(f->store, NULL);
}

static void test_session_blocks_go_with_their_owner(void **state)
{
    struct fixture *f = *state;
    um_handle gone[100];
    struct um_heap *heap = make_heap(f->store, f->owners[1], NULL, 10000);
    for (int i = 0; i < 100; i++)
        gone[i] = um_block_handle(f->store, make_session_block(f->store, heap, f->owners[0], 100));
    um_handle kept = um_block_handle(f->store, make_session_block(f->store, NULL, f->owners[1], 7));
    close_fixture_owner(f, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(block_verdict(f->store, gone[i]), UMEM_E_STALE_HANDLE);
    assert_int_equal(block_verdict(f->store, kept), 0);
    assert_int_equal(stats_of(f->store).blocks, 1);
    assert_int_equal(stats_of(f->store).bytes, 7);
    make_block(f->store, heap, f->owners[1], 10000); /* the capacity is available at once */
    expect_orphans(f, 0, 0);
}

static void test_server_blocks_stay_as_orphans_and_name_their_maker(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 100);
    struct um_block *named = make_named(f->store, f->owners[0], 50, "named");
    expect_orphans(f, 0, 0);
    close_fixture_owner(f, 0);
    expect_orphans(f, 1, 100);
    struct um_block_info info = info_of(f->store, block);
    assert_true(info.orphaned);
    assert_int_equal(info.holders, 0);
    assert_false(owner_of(info.owner).open);
    assert_int_equal(owner_of(info.owner).id, 1);
    assert_int_equal(owner_of(info.owner).pid, 100);
    assert_string_equal(owner_of(info.owner).program, "tester");
    assert_int_equal(owner_of(info.owner).blocks, 2);
    assert_false(info_of(f->store, named).orphaned);
    assert_int_equal(um_block_resize(f->store, block, 30, 0, NULL), 0);
    expect_orphans(f, 1, 30);
    um_block_free(f->store, block);
    um_block_free(f->store, named);
    expect_orphans(f, 0, 0);
}

static void test_holds_count_sessions_and_keep_blocks_from_being_orphaned(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 10);
    assert_int_equal(info_of(f->store, block).holders, 1);
    assert_int_equal(hold(f, block, 0), 1);
    assert_int_equal(hold(f, block, 1), 2);
    assert_int_equal(hold(f, block, 1), 2);
    assert_int_equal(let_go(f, block, 2), 2);
    close_fixture_owner(f, 0);
    assert_int_equal(info_of(f->store, block).holders, 1);
    expect_orphans(f, 0, 0);
    assert_int_equal(let_go(f, block, 1), 0);
    expect_orphans(f, 1, 10);
    assert_int_equal(let_go(f, block, 1), 0);
    assert_int_equal(hold(f, block, 2), 1);
    expect_orphans(f, 0, 0);
    close_fixture_owner(f, 2);
    expect_orphans(f, 1, 10);
    assert_int_equal(block_verdict(f->store, um_block_handle(f->store, block)), 0);
}

static void test_a_maker_may_release_and_hold_again(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 10);
    assert_int_equal(let_go(f, block, 0), 0);
    expect_orphans(f, 1, 10);
    assert_int_equal(let_go(f, block, 0), 0);
    assert_int_equal(hold(f, block, 0), 1);
    expect_orphans(f, 0, 0);
    assert_null(um_extra_of(block));
    assert_int_equal(let_go(f, block, 0), 0);
    close_fixture_owner(f, 0);
    expect_orphans(f, 1, 10);
}

static void test_a_hold_does_not_lengthen_lifetime_session(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_session_block(f->store, NULL, f->owners[0], 10);
    um_handle handle = um_block_handle(f->store, block);
    hold(f, block, 1);
    close_fixture_owner(f, 0);
    assert_int_equal(block_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
    close_fixture_owner(f, 1); /* its hold is on a block that waits to be reclaimed */
    reclaim_all(f->store);
    assert_int_equal(block_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
}

static void test_a_released_session_block_is_orphaned_but_ends_with_its_owner(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_session_block(f->store, NULL, f->owners[0], 10);
    um_handle handle = um_block_handle(f->store, block);
    let_go(f, block, 0);
    expect_orphans(f, 1, 10);
    close_fixture_owner(f, 0);
    expect_orphans(f, 0, 0);
    assert_int_equal(block_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
}

static void test_naming_an_orphan_adopts_it(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 10);
    close_fixture_owner(f, 0);
    expect_orphans(f, 1, 10);
    assert_int_equal(change(f, block, 1, "found"), 0);
    expect_orphans(f, 0, 0);
    struct um_block_info info = info_of(f->store, block);
    assert_string_equal(info.name, "found");
    assert_ptr_equal(info.owner, f->owners[1]);
    assert_int_equal(info.holders, 1);
    close_fixture_owner(f, 1);
    expect_orphans(f, 0, 0); /* it has a name */
    assert_int_equal(change(f, block, 2, ""), 0);
    expect_orphans(f, 1, 10); /* it was none when the change began, so that it was not adopted */
    assert_int_equal(change_lifetime(f, block, 2, UM_LIFETIME_SERVER), 0);
    expect_orphans(f, 0, 0);
    assert_ptr_equal(info_of(f->store, block).owner, f->owners[2]);
}

static void test_names_change_and_are_free_again(void **state)
{
    struct fixture *f = *state;
    struct um_block *found;
    struct um_fault fault = {0};
    struct um_block *block = make_named(f->store, f->owners[0], 10, "one");
    struct um_block *other = make_named(f->store, f->owners[0], 10, "other");
    assert_int_equal(change(f, block, 0, "two"), 0);
    assert_int_equal(um_store_find_block_by_name(f->store, "one", &found, NULL), UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(um_store_find_block_by_name(f->store, "two", &found, NULL), 0);
    assert_ptr_equal(found, block);
    assert_int_equal(change(f, block, 0, "two"), 0);
    assert_int_equal(
        um_block_change(f->store, block, f->owners[0], &(struct um_block_changes){.name = "other"}, &fault),
        UMEM_E_NAME_TAKEN);
    assert_int_equal(fault.block, um_block_handle(f->store, other));
    assert_string_equal(info_of(f->store, block).name, "two");
    char name[UM_NAME_SIZE_LIMIT + 2];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(change(f, block, 0, name), UMEM_E_INVALID_PARAMS);
    assert_int_equal(change(f, block, 1, NULL), 0);
    assert_string_equal(info_of(f->store, block).name, "two");
    assert_ptr_equal(info_of(f->store, block).owner, f->owners[0]);
    assert_int_equal(change(f, block, 0, ""), 0);
    assert_null(info_of(f->store, block).name);
    assert_int_equal(change(f, other, 0, "two"), 0);
    assert_int_equal(change(f, block, 0, ""), 0);
}

static void test_lifetime_session_makes_the_changer_the_owner(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 10);
    um_handle handle = um_block_handle(f->store, block);
    hold(f, block, 1);
    assert_int_equal(change_lifetime(f, block, 1, UM_LIFETIME_SESSION), 0);
    struct um_block_info info = info_of(f->store, block);
    assert_ptr_equal(info.owner, f->owners[1]);
    assert_int_equal(info.lifetime, UM_LIFETIME_SESSION);
    assert_int_equal(info.holders, 2); /* the first owner did not release it */
    assert_int_equal(owner_of(f->owners[0]).blocks, 0);
    assert_int_equal(owner_of(f->owners[1]).blocks, 1);
    close_fixture_owner(f, 0);
    assert_int_equal(block_verdict(f->store, handle), 0);
    assert_int_equal(info_of(f->store, block).holders, 1);
    close_fixture_owner(f, 1);
    assert_int_equal(block_verdict(f->store, handle), UMEM_E_STALE_HANDLE);
}

static void test_a_session_block_can_be_made_to_stay(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_session_block(f->store, NULL, f->owners[0], 10);
    assert_int_equal(change_lifetime(f, block, 1, UM_LIFETIME_SERVER), 0);
    assert_ptr_equal(info_of(f->store, block).owner, f->owners[0]);
    close_fixture_owner(f, 0);
    assert_int_equal(block_verdict(f->store, um_block_handle(f->store, block)), 0);
    expect_orphans(f, 1, 10);
}

static void test_a_failed_change_changes_nothing(void **state)
{
    struct fixture *f = *state;
    const enum um_lifetime session = UM_LIFETIME_SESSION;
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 10);
    make_named(f->store, f->owners[0], 10, "taken");
    assert_int_equal(um_block_change(f->store, block, f->owners[1],
                                     &(struct um_block_changes){.name = "taken", .lifetime = &session}, NULL),
                     UMEM_E_NAME_TAKEN);
    struct um_block_info info = info_of(f->store, block);
    assert_null(info.name);
    assert_int_equal(info.lifetime, UM_LIFETIME_SERVER);
    assert_ptr_equal(info.owner, f->owners[0]);
    assert_int_equal(info.holders, 1);
}

static void test_very_many_holds_end_in_slices(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 10000 };
    static struct um_block *blocks[MANY];
    for (int i = 0; i < MANY; i++) {
        blocks[i] = make_block(f->store, NULL, f->owners[0], 1);
        hold(f, blocks[i], 1);
    }
    close_fixture_owner(f, 0);
    expect_orphans(f, 0, 0);
    for (int i = 0; i < 10; i++)
        um_block_free(f->store, blocks[i]);
    close_fixture_owner(f, 1);
    assert_true(stats_of(f->store).orphaned_blocks < MANY - 10);
    for (int i = MANY - 10; i < MANY; i++)
        um_block_free(f->store, blocks[i]);
    reclaim_all(f->store);
    expect_orphans(f, MANY - 20, MANY - 20);
    for (int i = 10; i < MANY - 10; i++) {
        assert_int_equal(info_of(f->store, blocks[i]).holders, 0);
        um_block_free(f->store, blocks[i]);
    }
    expect_orphans(f, 0, 0);
}

static void test_an_owner_that_left_nothing_is_forgotten(void **state)
{
    struct fixture *f = *state;
    const struct um_owner_options options = {.id = 9, .program = "p"};
    uint32_t used = f->store->owners.used;
    for (int i = 0; i < 100; i++) {
        struct um_owner *owner;
        assert_int_equal(um_owner_open(f->store, &options, &owner), 0);
        make_session_block(f->store, NULL, owner, 10);
        um_block_free(f->store, make_block(f->store, NULL, owner, 10));
        um_owner_close(f->store, owner);
        reclaim_all(f->store);
    }
    assert_true(f->store->owners.used <= used + 1);
    assert_true(f->store->accounts.used <= 3);
}

static void test_empty_accounts_do_not_pile_up(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 300; i++) {
        struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
        um_block_free(f->store, make_block(f->store, heap, f->owners[0], 10));
    }
    assert_true(f->store->account_index.count <= 1);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_an_owner_has_its_number_and_usage),
        WITH_FIXTURE(test_an_owner_without_names_has_empty_ones),
        WITH_FIXTURE(test_session_blocks_go_with_their_owner),
        WITH_FIXTURE(test_server_blocks_stay_as_orphans_and_name_their_maker),
        WITH_FIXTURE(test_holds_count_sessions_and_keep_blocks_from_being_orphaned),
        WITH_FIXTURE(test_a_maker_may_release_and_hold_again),
        WITH_FIXTURE(test_a_hold_does_not_lengthen_lifetime_session),
        WITH_FIXTURE(test_a_released_session_block_is_orphaned_but_ends_with_its_owner),
        WITH_FIXTURE(test_naming_an_orphan_adopts_it),
        WITH_FIXTURE(test_names_change_and_are_free_again),
        WITH_FIXTURE(test_lifetime_session_makes_the_changer_the_owner),
        WITH_FIXTURE(test_a_session_block_can_be_made_to_stay),
        WITH_FIXTURE(test_a_failed_change_changes_nothing),
        WITH_FIXTURE(test_very_many_holds_end_in_slices),
        WITH_FIXTURE(test_an_owner_that_left_nothing_is_forgotten),
        WITH_FIXTURE(test_empty_accounts_do_not_pile_up),
    };
    return cmocka_run_group_tests_name("lifetime", tests, NULL, NULL);
}
