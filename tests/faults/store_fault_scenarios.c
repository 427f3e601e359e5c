#include "store_fault_scenarios.h"

#include <string.h>

enum { MANY = 3000 /* blocks: more than one chunk of records, and than one segment of an index */ };

#define MIB UINT64_C(1048576)

static struct um_heap *heap_of(struct harness *harness, const struct um_heap_options *options)
{
    struct um_heap *heap = NULL;

    assert_int_equal(um_heap_create(harness->store, harness->maker, options, &heap, NULL), 0);
    return heap;
}

static struct um_block *filled(struct harness *harness, struct um_heap *heap, uint64_t size)
{
    struct um_block *block = make_block(harness->store, heap, harness->maker, size);

    memset(um_block_bytes(block), 7, (size_t)size);
    return block;
}

void harness_prepare(struct harness *harness, struct fixture *fixture)
{
    const struct um_heap_options private = {.kind = UM_HEAP_PRIVATE, .name = "private"};
    const struct um_heap_options aligned = {.kind = UM_HEAP_PRIVATE, .name = "aligned", .alignment = 4096};
    const struct um_heap_options shared = {.kind = UM_HEAP_SHARED, .name = "shared", .maximum_size = 8 * MIB};
    uint32_t holders;

    *harness = (struct harness){.fixture = fixture, .store = fixture->store};
    harness->maker = fixture->owners[0];
    harness->other = fixture->owners[1];
    harness->private = heap_of(harness, &private);
    harness->aligned = heap_of(harness, &aligned);
    harness->shared = heap_of(harness, &shared);
    harness->block = filled(harness, NULL, 100);
    harness->there = filled(harness, harness->shared, 100);
    filled(harness, harness->shared, 100);
    harness->large = filled(harness, harness->aligned, 2 * MIB);
    harness->named = make_named(harness->store, harness->maker, 10, "named");
    harness->orphan = make_block(harness->store, NULL, harness->maker, 10);
    assert_int_equal(um_block_release(harness->store, harness->orphan, harness->maker, &holders, NULL), 0);
    assert_int_equal(holders, 0);
}

/* ---- heaps and owners ---- */

static int create(struct harness *harness, enum um_heap_kind kind, const char *name,
                  enum um_lifetime lifetime)
{
    const struct um_heap_options options = {
        .kind = kind, .initial_size = 70000, .maximum_size = 100000, .name = name, .lifetime = lifetime};
    struct um_heap *heap = NULL;
    int code = um_heap_create(harness->store, harness->other, &options, &heap, NULL);

    assert_int_equal(code == 0, heap != NULL);
    return code;
}

static int create_private(struct harness *harness)
{
    return create(harness, UM_HEAP_PRIVATE, NULL, UM_LIFETIME_SERVER);
}

static int create_named(struct harness *harness)
{
    return create(harness, UM_HEAP_PRIVATE, "new", UM_LIFETIME_SESSION);
}

static int create_shared(struct harness *harness)
{
    return create(harness, UM_HEAP_SHARED, "new", UM_LIFETIME_SERVER);
}

static void many_heaps(struct harness *harness)
{
    for (int i = 0; i < 200; i++)
        make_heap(harness->store, harness->maker, NULL, 0);
}

static int open_owner(struct harness *harness)
{
    const struct um_owner_options options = {.id = 9, .pid = 9, .program = "late", .user = "comer"};
    struct um_owner *owner = NULL;
    int code = um_owner_open(harness->store, &options, &owner);

    if (code == 0) {
        assert_null(harness->fixture->owners[2]);
        harness->fixture->owners[2] = owner;
    }
    return code;
}

static void without_third(struct harness *harness)
{
    close_fixture_owner(harness->fixture, 2);
}

static int close_owner(struct harness *harness)
{
    close_fixture_owner(harness->fixture, 0);
    return 0;
}

static int destroy_heaps(struct harness *harness)
{
    uint64_t blocks;
    uint64_t bytes;
    int code = um_heap_destroy(harness->store, harness->aligned, &blocks, &bytes, NULL);

    return code != 0 ? code : um_heap_destroy(harness->store, harness->shared, &blocks, &bytes, NULL);
}

static int lock_and_unlock(struct harness *harness)
{
    int code = um_heap_lock(harness->private, harness->other, NULL);

    return code != 0 ? code : um_heap_unlock(harness->store, harness->private, harness->other, NULL);
}

static int look_around(struct harness *harness)
{
    struct um_block *found;
    int code = validate_all(harness->store, harness->shared, 100, NULL);

    if (code == 0)
        code = find_at(harness->store, info_of(harness->store, harness->block).address, 100, &found);
    if (code == 0)
        compact(harness->shared);
    return code;
}

/* ---- new blocks ---- */

static int alloc(struct harness *harness, struct um_heap *heap, struct um_owner *owner, uint64_t size,
                 const char *name)
{
    const struct um_block_options options = {
        .size = size, .name = name, .lifetime = name != NULL ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER};
    struct um_block *block = NULL;
    int code = um_block_alloc(harness->store, heap, owner, &options, &block, NULL);

    assert_int_equal(code == 0, block != NULL);
    return code;
}

static int alloc_small(struct harness *harness)
{
    return alloc(harness, harness->private, harness->maker, 100, NULL);
}

static int alloc_nothing(struct harness *harness)
{
    return alloc(harness, harness->private, harness->maker, 0, NULL);
}

static int alloc_first_of_owner(struct harness *harness)
{
    return alloc(harness, um_store_process_heap(harness->store), harness->other, 100, NULL);
}

static int alloc_named(struct harness *harness)
{
    return alloc(harness, harness->private, harness->other, 100, "new");
}

static int alloc_aligned(struct harness *harness)
{
    return alloc(harness, harness->aligned, harness->maker, 100, NULL);
}

static int alloc_large(struct harness *harness)
{
    return alloc(harness, harness->private, harness->maker, 2 * MIB, NULL);
}

static int alloc_shared(struct harness *harness)
{
    return alloc(harness, harness->shared, harness->other, 2 * MIB, "new");
}

/* A call that fails is repeated: the last figures are those of a run in which none has failed. */
static int alloc_many(struct harness *harness)
{
    int first = 0;

    for (int i = 0; i < MANY; i++) {
        int code = alloc(harness, harness->private, harness->maker, 8, NULL);

        if (code != 0) {
            first = code;
            assert_int_equal(alloc(harness, harness->private, harness->maker, 8, NULL), 0);
        }
    }
    return first;
}

/* ---- resizing ---- */

static int resize(struct harness *harness, struct um_block *block, uint64_t size)
{
    return um_block_resize(harness->store, block, size, 0, NULL);
}

static int grow(struct harness *harness)
{
    return resize(harness, harness->block, 5000);
}

static int grow_to_large(struct harness *harness)
{
    return resize(harness, harness->block, 3 * MIB);
}

static int grow_large(struct harness *harness)
{
    return resize(harness, harness->large, 5 * MIB);
}

static int grow_shared(struct harness *harness)
{
    return resize(harness, harness->there, MIB);
}

static int shrink(struct harness *harness)
{
    return resize(harness, harness->block, 10);
}

static int shrink_large(struct harness *harness)
{
    return resize(harness, harness->large, 10);
}

static int shrink_shared(struct harness *harness)
{
    return resize(harness, harness->there, 10);
}

/* The old memory stays for the pin. */
static int resize_pinned(struct harness *harness)
{
    struct um_pin *pin = NULL;
    int code = um_pin_new(harness->store, harness->block, &pin);

    if (code != 0)
        return code;
    code = resize(harness, harness->block, 5000);
    assert_int_equal(um_pin_is_current(pin), code != 0);
    assert_int_equal(um_pin_bytes(pin)[99], 7);
    um_pin_release(harness->store, pin);
    return code;
}

static int begin_resize(struct harness *harness)
{
    return um_resize_begin(harness->store, harness->large, 6 * MIB, 0, &harness->resize, NULL);
}

static int resize_in_steps(struct harness *harness)
{
    bool more = true;
    int code = begin_resize(harness);

    if (code != 0)
        return code;
    while (code == 0 && more && harness->resize != NULL)
        code = um_resize_step(harness->store, harness->resize, 1000000, &more, NULL);
    um_resize_end(harness->store, harness->resize);
    harness->resize = NULL;
    return code;
}

/* ---- what few blocks have ---- */

static int change_name(struct harness *harness)
{
    return um_block_change(harness->store, harness->block, harness->maker,
                           &(struct um_block_changes){.name = "new"}, NULL);
}

static int change_all(struct harness *harness)
{
    const enum um_lifetime lifetime = UM_LIFETIME_SESSION;

    return um_block_change(harness->store, harness->named, harness->other,
                           &(struct um_block_changes){.name = "new", .lifetime = &lifetime}, NULL);
}

static int take_name_away(struct harness *harness)
{
    return um_block_change(harness->store, harness->named, harness->other,
                           &(struct um_block_changes){.name = ""}, NULL);
}

static int adopt(struct harness *harness)
{
    return um_block_change(harness->store, harness->orphan, harness->other,
                           &(struct um_block_changes){.name = NULL}, NULL);
}

static int hold(struct harness *harness)
{
    uint32_t holders;

    return um_block_hold(harness->store, harness->block, harness->other, &holders, NULL);
}

static int release(struct harness *harness)
{
    uint32_t holders;

    return um_block_release(harness->store, harness->block, harness->maker, &holders, NULL);
}

static int observe(struct harness *harness)
{
    return um_block_observe(harness->store, harness->block);
}

static int pin_and_free(struct harness *harness)
{
    struct um_pin *pin = NULL;
    int code = um_pin_new(harness->store, harness->block, &pin);

    if (code != 0)
        return code;
    um_block_free(harness->store, harness->block);
    assert_false(um_pin_is_current(pin));
    assert_int_equal(um_pin_bytes(pin)[99], 7);
    um_pin_release(harness->store, pin);
    return 0;
}

static int free_all(struct harness *harness)
{
    um_block_free(harness->store, harness->block);
    um_block_free(harness->store, harness->there);
    um_block_free(harness->store, harness->large);
    um_block_free(harness->store, harness->named);
    um_block_free(harness->store, harness->orphan);
    return 0;
}

const struct scenario store_fault_scenarios[] = {
    {"create a private heap", true, NULL, create_private},
    {"create a named heap", true, NULL, create_named},
    {"create a shared heap", true, NULL, create_shared},
    {"create one of many heaps", true, many_heaps, create_named},
    {"open an owner", true, without_third, open_owner},
    {"close an owner", false, NULL, close_owner},
    {"destroy heaps", false, NULL, destroy_heaps},
    {"lock and unlock", false, NULL, lock_and_unlock},
    {"look around", false, NULL, look_around},
    {"alloc", true, NULL, alloc_small},
    {"alloc 0 bytes", true, NULL, alloc_nothing},
    {"alloc an owner's first block", true, NULL, alloc_first_of_owner},
    {"alloc with a name", true, NULL, alloc_named},
    {"alloc aligned", true, NULL, alloc_aligned},
    {"alloc much", true, NULL, alloc_large},
    {"alloc shared", true, NULL, alloc_shared},
    {"resize: grow", true, NULL, grow},
    {"resize: to a mapping", true, NULL, grow_to_large},
    {"resize: a mapping", true, NULL, grow_large},
    {"resize: shared", true, NULL, grow_shared},
    {"resize: shrink", true, NULL, shrink},
    {"resize: shrink a mapping", true, NULL, shrink_large},
    {"resize: shrink shared", true, NULL, shrink_shared},
    {"resize: pinned", true, NULL, resize_pinned},
    {"resize: in steps", true, NULL, resize_in_steps},
    {"change: name", true, NULL, change_name},
    {"change: name and lifetime", true, NULL, change_all},
    {"change: no name", true, NULL, take_name_away},
    {"change: adopt", true, NULL, adopt},
    {"hold", true, NULL, hold},
    {"release", true, NULL, release},
    {"observe", true, NULL, observe},
    {"pin and free", true, NULL, pin_and_free},
    {"free", false, NULL, free_all},
    {NULL, false, NULL, NULL},
};

const struct scenario store_many_blocks = {"alloc many", true, NULL, alloc_many};
