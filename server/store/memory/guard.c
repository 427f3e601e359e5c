#include "store/memory/guard.h"

#include <stdlib.h>
#include <string.h>

#include "store/memory/heap_private.h"
#include "store/memory/heap_shared.h"

enum {
    GUARD_SIZE = 16, /* bytes, on either side; before the block there are as many as the alignment asks for */
    LEAST_PAGE = 4096 /* bytes: no system has smaller pages */
};

/* What create() of these kinds makes: the other kind's heap. */
struct guarded {
    const struct um_heap_ops *base;
    void *memory; /* base's */
    bool guards;  /* there are guards of GUARD_SIZE around each block */
    bool fills;   /* the guard is what is left behind a block */
    bool wipes;
    uint32_t alignment;
};

/* ---- bytes ---- */

static uint64_t size_before(const struct guarded *heap, uint32_t alignment)
{
    if (!heap->guards)
        return 0;
    return alignment > GUARD_SIZE ? alignment : GUARD_SIZE;
}

/* Of the memory that a block of this size lies in. */
static uint64_t whole(const struct guarded *heap, uint64_t size, uint32_t alignment)
{
    return heap->guards ? size_before(heap, alignment) + size + GUARD_SIZE : size;
}

/* A byte of a guard, by its place: neither zero nor text, and no two neighbours alike. */
static unsigned char guard_byte(unsigned place)
{
    return (unsigned char)(0xC5U ^ place * 0x1BU);
}

/* Bytes of the guard behind a block. Where it fills what is left, it lies in the page in which the block ends: that one has memory. */
static unsigned size_behind(const struct guarded *heap, const unsigned char *block, uint64_t size)
{
    uint64_t room;
    uint64_t in_page;

    if (heap->guards)
        return GUARD_SIZE;
    if (!heap->fills || size == 0)
        return 0;
    room = heap->base->capacity(heap->memory, block, size, heap->alignment) - size;
    in_page = LEAST_PAGE - 1 - (uintptr_t)(block + size - 1) % LEAST_PAGE;
    room = room < in_page ? room : in_page;
    return room < GUARD_SIZE ? (unsigned)room : GUARD_SIZE;
}

static void put_guard(unsigned char *bytes, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = guard_byte(i);
}

static bool is_guard_whole(const unsigned char *bytes, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        if (bytes[i] != guard_byte(i))
            return false;
    }
    return true;
}

static void put_guards(const struct guarded *heap, unsigned char *block, uint64_t size)
{
    if (heap->guards)
        put_guard(block - GUARD_SIZE, GUARD_SIZE);
    put_guard(block + size, size_behind(heap, block, size));
}

static bool are_guards_whole(const struct guarded *heap, const unsigned char *block, uint64_t size)
{
    return (!heap->guards || is_guard_whole(block - GUARD_SIZE, GUARD_SIZE)) &&
           is_guard_whole(block + size, size_behind(heap, block, size));
}

/* Clears memory that goes, unless what the system does with it is as good. Not by memset() itself, which a compiler may leave out
 * before memory is freed. */
static void wipe(const struct guarded *heap, void *start, uint64_t size)
{
    static void *(*const volatile set)(void *, int, size_t) = memset;

    if (!heap->wipes || (heap->base->returns_pages != NULL && heap->base->returns_pages(size)))
        return;
    if (heap->base->wipe != NULL)
        heap->base->wipe(heap->memory, start, size);
    else
        set(start, 0, (size_t)size);
}

/* ---- the heap ---- */

static void *alloc(void *memory, uint64_t size, uint32_t alignment)
{
    const struct guarded *heap = memory;
    unsigned char *start = heap->base->alloc(heap->memory, whole(heap, size, alignment), alignment);

    if (start == NULL)
        return NULL;
    start += size_before(heap, alignment);
    put_guards(heap, start, size);
    return start;
}

static void free_block(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    const struct guarded *heap = memory;
    unsigned char *start = (unsigned char *)address - size_before(heap, alignment);
    uint64_t length = whole(heap, size, alignment);

    wipe(heap, start, length);
    heap->base->free(heap->memory, start, length, alignment);
}

/* Puts the guard behind a block that has no memory yet: the last byte's page gets some. */
static bool guard_reserved(const struct guarded *heap, unsigned char *block, uint64_t size)
{
    if (size_behind(heap, block, size) == 0)
        return true;
    if (!heap->base->prepare(heap->memory, block, size - 1, 1))
        return false;
    put_guards(heap, block, size);
    return true;
}

static void *reserve(void *memory, uint64_t size)
{
    const struct guarded *heap = memory;
    void *block = heap->base->reserve(heap->memory, size);

    if (block == NULL || guard_reserved(heap, block, size))
        return block;
    heap->base->free(heap->memory, block, size, heap->alignment);
    return NULL;
}

static bool prepare(void *memory, void *address, uint64_t offset, uint64_t size)
{
    const struct guarded *heap = memory;

    return heap->base->prepare(heap->memory, address, offset, size);
}

/* The guard lies behind the larger size from now on: the old one is in what is prepared. */
static bool extend(void *memory, void *address, uint64_t old_size, uint64_t new_size)
{
    const struct guarded *heap = memory;

    if (!heap->base->extend(heap->memory, address, old_size, new_size))
        return false;
    if (guard_reserved(heap, address, new_size))
        return true;
    heap->base->retract(heap->memory, address, new_size, old_size);
    return false;
}

static void retract(void *memory, void *address, uint64_t old_size, uint64_t new_size)
{
    const struct guarded *heap = memory;

    wipe(heap, (unsigned char *)address + new_size, old_size - new_size);
    heap->base->retract(heap->memory, address, old_size, new_size);
    put_guards(heap, address, new_size);
}

static bool commit(void *memory, uint64_t offset, uint64_t size)
{
    const struct guarded *heap = memory;

    return heap->base->commit(heap->memory, offset, size);
}

/* Lets base resize the memory: for a heap that wipes, where no byte is left behind. */
static bool resize_base(const struct guarded *heap, void **start, uint64_t old_length, uint64_t new_length,
                        uint32_t alignment, bool in_place_only)
{
    bool is_mapped =
        heap->base->moves_uncopied != NULL && heap->base->moves_uncopied(old_length, new_length, alignment);

    if (heap->wipes && !is_mapped) {
        if (new_length < old_length)
            return false;
        in_place_only = true;
    }
    return heap->base->resize(heap->memory, start, old_length, new_length, alignment, in_place_only);
}

/* For um_heap_move(). */
static const struct um_heap_ops own = {.alloc = alloc, .free = free_block};

static bool resize(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only)
{
    const struct guarded *heap = memory;
    uint64_t before = size_before(heap, alignment);
    void *start = (unsigned char *)*address - before;
    unsigned char *block;

    if (!resize_base(heap, &start, whole(heap, old_size, alignment), whole(heap, new_size, alignment),
                     alignment, in_place_only))
        return heap->wipes && !in_place_only &&
               um_heap_move(&own, memory, address, old_size, new_size, alignment);
    block = (unsigned char *)start + before;
    if (heap->guards && new_size > old_size) {
        /* The old guard is now part of the block; base has cleared what lies behind it. */
        uint64_t added = new_size - old_size;

        memset(block + old_size, 0, (size_t)(added < GUARD_SIZE ? added : GUARD_SIZE));
    }
    put_guards(heap, block, new_size);
    *address = block;
    return true;
}

static bool validate(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    const struct guarded *heap = memory;
    unsigned char *block = address;

    if (block == NULL)
        return !heap->base->validates_whole || heap->base->validate(heap->memory, NULL, 0, alignment);
    /* Where a client has taken memory away, there are no guards to look at. */
    return (heap->base->validate == NULL ||
            heap->base->validate(heap->memory, block - size_before(heap, alignment),
                                 whole(heap, size, alignment), alignment)) &&
           are_guards_whole(heap, block, size);
}

static void compact_start(void *memory)
{
    const struct guarded *heap = memory;

    if (heap->base->compact_start != NULL)
        heap->base->compact_start(heap->memory);
}

static bool compact_step(void *memory, uint64_t *largest_free)
{
    const struct guarded *heap = memory;

    return heap->base->compact_step(heap->memory, largest_free);
}

static void destroy(void *memory)
{
    struct guarded *heap = memory;

    heap->base->destroy(heap->memory);
    free(heap);
}

static void get_stats(void *memory, struct um_heap_memory_stats *stats)
{
    const struct guarded *heap = memory;

    heap->base->get_stats(heap->memory, stats);
}

static void locate(void *memory, const void *address, struct um_place *place)
{
    const struct guarded *heap = memory;

    heap->base->locate(heap->memory, address, place);
}

static bool create(struct guarded facts, uint64_t initial_size, uint64_t maximum_size, uint32_t alignment,
                   void **memory)
{
    struct guarded *heap = malloc(sizeof *heap);

    if (heap == NULL)
        return false;
    *heap = facts;
    heap->alignment = alignment;
    if (heap->base->create(initial_size, maximum_size, alignment, &heap->memory)) {
        *memory = heap;
        return true;
    }
    free(heap);
    return false;
}

/* ---- the kinds ---- */

/* What a shared heap has besides. */
#define OF_SHARED \
    .reserve = reserve, .prepare = prepare, .extend = extend, .retract = retract, .commit = commit, \
    .locate = locate

/* X(name, kind, the ops in the back, guards, fills, wipes, other members: at least one) */
#define KINDS(X) \
    X(guarded_process, UM_HEAP_PROCESS, um_heap_process_ops, true, false, false, .locate = NULL) \
    X(wiped_process, UM_HEAP_PROCESS, um_heap_process_ops, false, false, true, .locate = NULL) \
    X(both_process, UM_HEAP_PROCESS, um_heap_process_ops, true, false, true, .locate = NULL) \
    X(guarded_private, UM_HEAP_PRIVATE, um_heap_private_ops, true, false, false, .locate = NULL) \
    X(wiped_private, UM_HEAP_PRIVATE, um_heap_private_ops, false, false, true, .locate = NULL) \
    X(both_private, UM_HEAP_PRIVATE, um_heap_private_ops, true, false, true, .locate = NULL) \
    X(guarded_shared, UM_HEAP_SHARED, um_heap_shared_ops, false, true, false, OF_SHARED) \
    X(wiped_shared, UM_HEAP_SHARED, um_heap_shared_ops, false, false, true, OF_SHARED) \
    X(both_shared, UM_HEAP_SHARED, um_heap_shared_ops, false, true, true, OF_SHARED)

#define DEFINE_KIND(name, of_kind, base_ops, with_guards, with_filling, with_wiping, ...) \
    static bool create_##name(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, \
                              void **memory) \
    { \
        const struct guarded facts = { \
            .base = &(base_ops), .guards = (with_guards), .fills = (with_filling), .wipes = (with_wiping)}; \
        return create(facts, initial_size, maximum_size, alignment, memory); \
    } \
    static struct um_heap_ops name = {.validates_whole = true, \
                                      .checked_when_freed = (with_guards), \
                                      .create = create_##name, \
                                      .destroy = destroy, \
                                      .alloc = alloc, \
                                      .resize = resize, \
                                      .free = free_block, \
                                      .validate = validate, \
                                      .compact_start = compact_start, \
                                      .compact_step = compact_step, \
                                      __VA_ARGS__};
KINDS(DEFINE_KIND)
#undef DEFINE_KIND

struct entry {
    enum um_heap_kind kind;
    bool guards;
    bool wipes;
    const struct um_heap_ops *base;
    struct um_heap_ops *ops;
};

static const struct entry entries[] = {
#define ENTRY(name, of_kind, base_ops, with_guards, with_filling, with_wiping, ...) \
    {of_kind, (with_guards) || (with_filling), with_wiping, &(base_ops), &name},
    KINDS(ENTRY)
#undef ENTRY
};

enum { ENTRY_COUNT = sizeof entries / sizeof entries[0] };

/* Adds what the base decides. Programs may keep a shared heap mapped after its end: its blocks are wiped one by one. The pages of a private
 * heap go back to the system, which clears them. */
static const struct um_heap_ops *complete(const struct entry *entry)
{
    entry->ops->destroy_frees_blocks =
        entry->base->destroy_frees_blocks && !(entry->wipes && entry->kind == UM_HEAP_SHARED);
    entry->ops->get_stats = entry->base->get_stats != NULL ? get_stats : NULL;
    return entry->ops;
}

const struct um_heap_ops *um_guard_ops(enum um_heap_kind kind, bool guards, bool wipes)
{
    for (int i = 0; i < ENTRY_COUNT; i++) {
        const struct entry *entry = &entries[i];

        if (entry->kind == kind && entry->guards == guards && entry->wipes == wipes)
            return complete(entry);
    }
    return NULL;
}
