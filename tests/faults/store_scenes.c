#include "store_scenes.h"

#include <string.h>

enum { MANY = 3000 /* blocks: more than one chunk of records, and than one segment of an index */ };

#define MIB UINT64_C(1048576)

static struct um_heap *heap_of(struct stage *stage, const struct um_heap_options *options)
{
    struct um_heap *heap = NULL;

    assert_int_equal(um_heap_create(stage->store, stage->maker, options, &heap, NULL), 0);
    return heap;
}

static struct um_block *filled(struct stage *stage, struct um_heap *heap, uint64_t size)
{
    struct um_block *block = make_block(stage->store, heap, stage->maker, size);

    memset(um_block_bytes(block), 7, (size_t)size);
    return block;
}

void stage_prepare(struct stage *stage, struct fixture *fixture)
{
    const struct um_heap_options private = {.kind = UM_HEAP_PRIVATE, .name = "private"};
    const struct um_heap_options aligned = {.kind = UM_HEAP_PRIVATE, .name = "aligned", .alignment = 4096};
    const struct um_heap_options shared = {.kind = UM_HEAP_SHARED, .name = "shared", .maximum_size = 8 * MIB};
    uint32_t holders;

    *stage = (struct stage){.fixture = fixture, .store = fixture->store};
    stage->maker = fixture->people[0];
    stage->other = fixture->people[1];
    stage->private = heap_of(stage, &private);
    stage->aligned = heap_of(stage, &aligned);
    stage->shared = heap_of(stage, &shared);
    stage->block = filled(stage, NULL, 100);
    stage->there = filled(stage, stage->shared, 100);
    filled(stage, stage->shared, 100);
    stage->large = filled(stage, stage->aligned, 2 * MIB);
    stage->named = make_named(stage->store, stage->maker, 10, "named");
    stage->orphan = make_block(stage->store, NULL, stage->maker, 10);
    assert_int_equal(um_block_release(stage->store, stage->orphan, stage->maker, &holders, NULL), 0);
    assert_int_equal(holders, 0);
}

/* ---- heaps and owners ---- */

static int create(struct stage *stage, enum um_heap_kind kind, const char *name, enum um_lifetime lifetime)
{
    const struct um_heap_options options = {
        .kind = kind, .initial_size = 70000, .maximum_size = 100000, .name = name, .lifetime = lifetime};
    struct um_heap *heap = NULL;
    int code = um_heap_create(stage->store, stage->other, &options, &heap, NULL);

    assert_int_equal(code == 0, heap != NULL);
    return code;
}

static int create_private(struct stage *stage)
{
    return create(stage, UM_HEAP_PRIVATE, NULL, UM_LIFETIME_SERVER);
}

static int create_named(struct stage *stage)
{
    return create(stage, UM_HEAP_PRIVATE, "new", UM_LIFETIME_SESSION);
}

static int create_shared(struct stage *stage)
{
    return create(stage, UM_HEAP_SHARED, "new", UM_LIFETIME_SERVER);
}

static void many_heaps(struct stage *stage)
{
    for (int i = 0; i < 200; i++)
        make_heap(stage->store, stage->maker, NULL, 0);
}

static int open_owner(struct stage *stage)
{
    const struct um_owner_options options = {.id = 9, .pid = 9, .program = "late", .user = "comer"};
    struct um_owner *owner = NULL;
    int code = um_owner_open(stage->store, &options, &owner);

    if (code == 0) {
        assert_null(stage->fixture->people[2]);
        stage->fixture->people[2] = owner;
    }
    return code;
}

static void without_third(struct stage *stage)
{
    leave(stage->fixture, 2);
}

static int close_owner(struct stage *stage)
{
    leave(stage->fixture, 0);
    return 0;
}

static int destroy_heaps(struct stage *stage)
{
    uint64_t blocks;
    uint64_t bytes;
    int code = um_heap_destroy(stage->store, stage->aligned, &blocks, &bytes, NULL);

    return code != 0 ? code : um_heap_destroy(stage->store, stage->shared, &blocks, &bytes, NULL);
}

static int lock_and_unlock(struct stage *stage)
{
    int code = um_heap_lock(stage->private, stage->other, NULL);

    return code != 0 ? code : um_heap_unlock(stage->store, stage->private, stage->other, NULL);
}

static int look_around(struct stage *stage)
{
    struct um_block *found;
    uint64_t largest;
    int code = validate_all(stage->store, stage->shared, 100, NULL);

    if (code == 0)
        code = find_at(stage->store, info_of(stage->store, stage->block).address, 100, &found);
    if (code == 0)
        code = um_heap_compact(stage->store, stage->shared, &largest, NULL);
    return code;
}

/* ---- new blocks ---- */

static int alloc(struct stage *stage, struct um_heap *heap, struct um_owner *owner, uint64_t size,
                 const char *name)
{
    const struct um_block_options options = {
        .size = size, .name = name, .lifetime = name != NULL ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER};
    struct um_block *block = NULL;
    int code = um_block_alloc(stage->store, heap, owner, &options, &block, NULL);

    assert_int_equal(code == 0, block != NULL);
    return code;
}

static int alloc_small(struct stage *stage)
{
    return alloc(stage, stage->private, stage->maker, 100, NULL);
}

static int alloc_nothing(struct stage *stage)
{
    return alloc(stage, stage->private, stage->maker, 0, NULL);
}

static int alloc_first_of_owner(struct stage *stage)
{
    return alloc(stage, um_store_process_heap(stage->store), stage->other, 100, NULL);
}

static int alloc_named(struct stage *stage)
{
    return alloc(stage, stage->private, stage->other, 100, "new");
}

static int alloc_aligned(struct stage *stage)
{
    return alloc(stage, stage->aligned, stage->maker, 100, NULL);
}

static int alloc_large(struct stage *stage)
{
    return alloc(stage, stage->private, stage->maker, 2 * MIB, NULL);
}

static int alloc_shared(struct stage *stage)
{
    return alloc(stage, stage->shared, stage->other, 2 * MIB, "new");
}

/* Each that fails is asked for again: the last figures are those of a run in which none has failed. */
static int alloc_many(struct stage *stage)
{
    int first = 0;

    for (int i = 0; i < MANY; i++) {
        int code = alloc(stage, stage->private, stage->maker, 8, NULL);

        if (code != 0) {
            first = code;
            assert_int_equal(alloc(stage, stage->private, stage->maker, 8, NULL), 0);
        }
    }
    return first;
}

/* ---- resizing ---- */

static int resize(struct stage *stage, struct um_block *block, uint64_t size)
{
    return um_block_resize(stage->store, block, size, 0, NULL);
}

static int grow(struct stage *stage)
{
    return resize(stage, stage->block, 5000);
}

static int grow_to_large(struct stage *stage)
{
    return resize(stage, stage->block, 3 * MIB);
}

static int grow_large(struct stage *stage)
{
    return resize(stage, stage->large, 5 * MIB);
}

static int grow_shared(struct stage *stage)
{
    return resize(stage, stage->there, MIB);
}

static int shrink(struct stage *stage)
{
    return resize(stage, stage->block, 10);
}

static int shrink_large(struct stage *stage)
{
    return resize(stage, stage->large, 10);
}

static int shrink_shared(struct stage *stage)
{
    return resize(stage, stage->there, 10);
}

/* The old memory stays for the pin. */
static int resize_pinned(struct stage *stage)
{
    struct um_pin *pin = NULL;
    int code = um_pin_new(stage->store, stage->block, &pin);

    if (code != 0)
        return code;
    code = resize(stage, stage->block, 5000);
    assert_int_equal(um_pin_is_current(pin), code != 0);
    assert_int_equal(um_pin_bytes(pin)[99], 7);
    um_pin_release(stage->store, pin);
    return code;
}

static int begin_resize(struct stage *stage)
{
    return um_resize_begin(stage->store, stage->large, 6 * MIB, 0, &stage->resize, NULL);
}

static int resize_in_steps(struct stage *stage)
{
    bool more = true;
    int code = begin_resize(stage);

    if (code != 0)
        return code;
    while (code == 0 && more && stage->resize != NULL)
        code = um_resize_step(stage->store, stage->resize, 1000000, &more, NULL);
    um_resize_end(stage->store, stage->resize);
    stage->resize = NULL;
    return code;
}

/* ---- what few blocks have ---- */

static int change_name(struct stage *stage)
{
    return um_block_change(stage->store, stage->block, stage->maker, "new", NULL, NULL);
}

static int change_all(struct stage *stage)
{
    const enum um_lifetime lifetime = UM_LIFETIME_SESSION;

    return um_block_change(stage->store, stage->named, stage->other, "new", &lifetime, NULL);
}

static int take_name_away(struct stage *stage)
{
    return um_block_change(stage->store, stage->named, stage->other, "", NULL, NULL);
}

static int adopt(struct stage *stage)
{
    return um_block_change(stage->store, stage->orphan, stage->other, NULL, NULL, NULL);
}

static int hold(struct stage *stage)
{
    uint32_t holders;

    return um_block_hold(stage->store, stage->block, stage->other, &holders, NULL);
}

static int release(struct stage *stage)
{
    uint32_t holders;

    return um_block_release(stage->store, stage->block, stage->maker, &holders, NULL);
}

static int observe(struct stage *stage)
{
    return um_block_observe(stage->store, stage->block);
}

static int pin_and_free(struct stage *stage)
{
    struct um_pin *pin = NULL;
    int code = um_pin_new(stage->store, stage->block, &pin);

    if (code != 0)
        return code;
    um_block_free(stage->store, stage->block);
    assert_false(um_pin_is_current(pin));
    assert_int_equal(um_pin_bytes(pin)[99], 7);
    um_pin_release(stage->store, pin);
    return 0;
}

static int free_all(struct stage *stage)
{
    um_block_free(stage->store, stage->block);
    um_block_free(stage->store, stage->there);
    um_block_free(stage->store, stage->large);
    um_block_free(stage->store, stage->named);
    um_block_free(stage->store, stage->orphan);
    return 0;
}

const struct scene store_scenes[] = {
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

const struct scene store_crowd = {"alloc many", true, NULL, alloc_many};
