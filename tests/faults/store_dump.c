#include "store_dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "store/records/records.h"
#include "store/store.h"

enum { LINES = 8192, LINE_SIZE = 400 };

struct lines {
    char *line[LINES];
    size_t count;
};

static void add(struct lines *lines, const char *line)
{
    size_t size = strlen(line) + 1;
    char *copy = malloc(size);

    assert_true(lines->count < LINES);
    assert_non_null(copy);
    lines->line[lines->count++] = memcpy(copy, line, size);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static uint64_t id_of(const struct um_owner *owner)
{
    struct um_owner_info info = {0};

    if (owner != NULL)
        um_owner_get_info(owner, &info);
    return info.id;
}

/* Eight bytes at a time: blocks have megabytes. */
static uint64_t hash(const unsigned char *bytes, uint64_t size)
{
    uint64_t sum = size;
    uint64_t piece = 0;

    for (; size >= sizeof piece; size -= sizeof piece, bytes += sizeof piece) {
        memcpy(&piece, bytes, sizeof piece);
        sum = (sum ^ piece) * 0x9E3779B97F4A7C15U;
    }
    piece = 0;
    memcpy(&piece, bytes, (size_t)size);
    return (sum ^ piece) * 0x9E3779B97F4A7C15U;
}

static void add_heap(struct lines *lines, struct um_heap *heap, bool with_handles)
{
    struct um_heap_info info;
    struct um_heap_memory_stats figures = {0};
    char line[LINE_SIZE];

    um_heap_get_info(heap, &info);
    /* One that grows may keep what it reserved for a block that then could not be made. */
    if (!um_heap_get_memory_stats(heap, &figures) || figures.grows)
        figures = (struct um_heap_memory_stats){0};
    snprintf(line, sizeof line,
             "heap %llu %.40s: kind %d flags %u sizes %llu %llu alignment %u blocks %llu bytes %llu peak "
             "%llu lifetime "
             "%d owner %llu locked %llu times %u observed %d free %llu %llu %llu %d",
             with_handles ? (unsigned long long)info.heap : 0, info.name != NULL ? info.name : "", info.kind,
             info.flags, (unsigned long long)info.initial_size, (unsigned long long)info.maximum_size,
             info.alignment, (unsigned long long)info.blocks, (unsigned long long)info.bytes,
             (unsigned long long)info.peak_bytes, info.lifetime, (unsigned long long)id_of(info.owner),
             (unsigned long long)id_of(info.locked_by), heap->lock_count, heap->observed,
             (unsigned long long)figures.free_bytes, (unsigned long long)figures.free_ranges,
             (unsigned long long)figures.largest_free, figures.corrupted);
    add(lines, line);
}

static void add_block(struct lines *lines, struct um_store *store, struct um_block *block, bool with_handles)
{
    struct um_block_info info;
    struct um_heap_info heap;
    char line[LINE_SIZE];

    um_block_get_info(store, block, &info);
    um_heap_get_info(um_block_heap(store, block), &heap);
    snprintf(
        line, sizeof line,
        "block %llu %.40s in %.40s: size %llu lifetime %d owner %llu holders %u orphaned %d created %lld "
        "observed %d bytes %llx",
        with_handles ? (unsigned long long)info.block : 0, info.name != NULL ? info.name : "",
        heap.name != NULL ? heap.name : "", (unsigned long long)info.size, info.lifetime,
        (unsigned long long)id_of(info.owner), info.holders, info.orphaned, (long long)info.created,
        um_block_is_observed(store, block), (unsigned long long)hash(um_block_bytes(block), info.size));
    add(lines, line);
}

static void add_heaps(struct lines *lines, struct um_store *store, bool with_handles)
{
    size_t budget = SIZE_MAX;
    um_handle next;
    struct um_heap *heap = um_store_next_heap(store, 0, &budget, &next);

    while (heap != NULL) {
        add_heap(lines, heap, with_handles);
        heap = um_store_next_heap(store, um_heap_handle(heap), &budget, &next);
    }
}

static void add_blocks(struct lines *lines, struct um_store *store, bool with_handles)
{
    const struct um_block_filter all = {0};
    size_t budget = SIZE_MAX;
    um_handle next;
    struct um_block *block = um_store_next_block(store, &all, 0, &budget, &next);

    while (block != NULL) {
        add_block(lines, store, block, with_handles);
        block = um_store_next_block(store, &all, um_block_handle(store, block), &budget, &next);
    }
}

static void add_owners(struct lines *lines, struct um_store *store)
{
    for (uint32_t slot = 0; slot < store->owners.used; slot++) {
        const struct um_owner *owner = um_slots_at(&store->owners, slot);
        struct um_owner_info info;
        char line[LINE_SIZE];

        if (!um_slot_is_live(&owner->slot))
            continue;
        um_owner_get_info(owner, &info);
        snprintf(line, sizeof line, "owner %llu pid %lld %s %s open %d blocks %llu bytes %llu",
                 (unsigned long long)info.id, (long long)info.pid, info.program, info.user, info.open,
                 (unsigned long long)info.blocks, (unsigned long long)info.bytes);
        add(lines, line);
    }
}

static char *join(struct lines *lines)
{
    size_t size = 1;
    char *text;

    for (size_t i = 0; i < lines->count; i++)
        size += strlen(lines->line[i]) + 1;
    text = malloc(size);
    assert_non_null(text);
    size = 0;
    for (size_t i = 0; i < lines->count; i++) {
        size_t length = strlen(lines->line[i]);

        memcpy(text + size, lines->line[i], length);
        text[size + length] = '\n';
        size += length + 1;
        free(lines->line[i]);
    }
    text[size] = '\0';
    return text;
}

char *state_of(struct um_store *store, bool with_handles)
{
    static struct lines lines;
    struct um_store_stats stats;
    char line[LINE_SIZE];

    lines.count = 0;
    um_store_get_stats(store, &stats);
    snprintf(line, sizeof line,
             "store: heaps %llu blocks %llu bytes %llu peak %llu orphaned %llu %llu reserved %llu shared %u",
             (unsigned long long)stats.heaps, (unsigned long long)stats.blocks,
             (unsigned long long)stats.bytes, (unsigned long long)stats.peak_bytes,
             (unsigned long long)stats.orphaned_blocks, (unsigned long long)stats.orphaned_bytes,
             (unsigned long long)store->reserved, store->shared_heaps);
    add(&lines, line);
    add_heaps(&lines, store, with_handles);
    add_blocks(&lines, store, with_handles);
    add_owners(&lines, store);
    if (!with_handles)
        qsort(lines.line, lines.count, sizeof lines.line[0], compare);
    return join(&lines);
}

/* ---- backends that fail ---- */

static const struct um_heap_ops *real_private;
static const struct um_heap_ops *real_shared;

#define FAULTY(kind) \
    static bool create_##kind(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, \
                              void **memory) \
    { \
        return !fault_is_due() && real_##kind->create(initial_size, maximum_size, alignment, memory); \
    } \
    static void *alloc_##kind(void *memory, uint64_t size, uint32_t alignment) \
    { \
        return fault_is_due() ? NULL : real_##kind->alloc(memory, size, alignment); \
    } \
    static bool resize_##kind(void *memory, void **address, uint64_t old_size, uint64_t new_size, \
                              uint32_t alignment, bool in_place_only) \
    { \
        return !fault_is_due() && \
               real_##kind->resize(memory, address, old_size, new_size, alignment, in_place_only); \
    }

FAULTY(private)
FAULTY(shared)

void state_make_faulty(struct um_store *store)
{
    static struct um_heap_ops faulty_private;
    static struct um_heap_ops faulty_shared;

    real_private = um_heap_memory_ops(UM_HEAP_PRIVATE, false, false);
    real_shared = um_heap_memory_ops(UM_HEAP_SHARED, false, false);
    faulty_private = *real_private;
    faulty_private.create = create_private;
    faulty_private.alloc = alloc_private;
    faulty_private.resize = resize_private;
    faulty_shared = *real_shared;
    faulty_shared.create = create_shared;
    faulty_shared.alloc = alloc_shared;
    faulty_shared.resize = resize_shared;
    store->heap_ops[UM_HEAP_PRIVATE] = &faulty_private;
    store->heap_ops[UM_HEAP_SHARED] = &faulty_shared;
}
