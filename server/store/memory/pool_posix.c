#include "store/memory/pool_posix.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/list.h"
#include "store/memory/extents.h"
#include "store/memory/mapping_posix.h"
#include "store/memory/purge.h"

/* Tests with AddressSanitizer see whoever touches what is not in use. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    SMALL_SIZE = 2048,    /* bytes; up to here a size has slots in runs */
    RUN_SIZE = 64 * 1024, /* bytes, and the alignment of runs */
    CLASS_COUNT = 40,     /* sizes of slots: multiples of 16 to 128, then eight to each power of two */
    ALIGNMENTS = 13,      /* 16 to 65536 */
    PAGE_SIZE =
        4096, /* bytes of which it is known whether they were touched; the system's pages may be larger */
    PIECE_SIZE = 4 * 1024 * 1024,   /* bytes that are returned at once */
    PIECE_CALLS = 64,               /* calls of the system that this takes at most */
    PIECE_LOOKS = 4096,             /* free extents and pages, times 8, that are looked at at once */
    HOLE_SIZE = 32 * 1024,          /* bytes; what is free between two blocks is purged from here on */
    KEPT_SIZE = 8 * 1024 * 1024,    /* bytes that may stay in each region, and an eighth of what is in use */
    OPENED_SIZE = 16 * 1024 * 1024, /* bytes that are opened at once */
    REGION_MINIMUM = 4 * 1024 * 1024, /* bytes, a power of two */
    REGION_LIMITED =
        16 * 1024 *
        1024 /* bytes of the first region where address space is limited; each next one has twice as many */
};

#define REGION_SIZE \
    ((sizeof(void *) > 4 ? UINT64_C(64) : UINT64_C(1) / 4) << 30) /* bytes of address space, else */

/* A run of slots of one size. */
struct run {
    struct um_link in_class; /* place among those of its class that have a free slot */
    unsigned char *start;
    uint32_t slot_size; /* bytes */
    uint32_t slots;
    uint32_t used;    /* slots in use */
    uint32_t hint;    /* words of `taken` before this one have no free slot */
    uint64_t taken[]; /* a bit for each slot, and for each place behind the last one */
};

/* A stretch of address space. The first `opened` bytes can be touched. */
struct region {
    struct region *next;
    unsigned char *start;
    uint64_t length;            /* bytes */
    uint64_t opened;            /* bytes */
    struct um_extents *extents; /* what of it is in use */
    unsigned char *touched;     /* a bit for each page: it may have memory, and other bytes than zero */
    uint64_t touched_pages;     /* how many are set */
    uint64_t released;          /* bytes since purging last began */
    uint64_t cursor;            /* bytes; while purging: up to where it has come */
    bool is_purging;
    bool is_thorough;  /* it returns every free page */
    struct run **runs; /* of those that are for runs: by place; NULL: it is for extents */
};

static struct region *regions[ALIGNMENTS]; /* for extents, by alignment */
static struct region *run_regions;
static size_t purging;                      /* regions with is_purging */
static struct um_link classes[CLASS_COUNT]; /* lists of run.in_class; all zero before the first is made */

static bool purge(struct um_purge_source *purged);

static struct um_purge_source source = {.run = purge};

/* ---- regions ---- */

static uint64_t region_length(const struct region *last)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        return last != NULL ? 2 * last->length : REGION_LIMITED;
    return REGION_SIZE;
}

static void set_purging(struct region *region, bool is_purging)
{
    purging = purging - region->is_purging + is_purging;
    region->is_purging = is_purging;
    um_purge_set_pending(&source, purging != 0);
}

static void free_region(struct region *region)
{
    uint64_t pages = region->length / PAGE_SIZE;

    set_purging(region, false);
    if (region->start != NULL) {
        /* What the system places there next is no slot. */
        ASAN_UNPOISON_MEMORY_REGION(region->start, (size_t)region->opened);
        munmap(region->start, (size_t)region->length);
    }
    if (region->touched != NULL)
        munmap(region->touched, um_mapping_length((size_t)(pages / 8)));
    if (region->runs != NULL)
        munmap(region->runs, um_mapping_length((size_t)(region->length / RUN_SIZE) * sizeof(struct run *)));
    um_extents_free(region->extents);
    free(region);
}

/* Only address space: nothing is promised before it is opened. At a multiple of the largest alignment. */
static unsigned char *reserve(uint64_t length)
{
    size_t whole = (size_t)length + RUN_SIZE;
    unsigned char *start = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (start == MAP_FAILED)
        return NULL;
    before = (size_t)(RUN_SIZE - (uintptr_t)start % RUN_SIZE) % RUN_SIZE;
    if (before != 0)
        munmap(start, before);
    if (before != RUN_SIZE)
        munmap(start + before + (size_t)length, RUN_SIZE - before);
#ifdef MADV_NOHUGEPAGE
    /* One block that lives would keep two megabytes. */
    (void)madvise(start + before, (size_t)length, MADV_NOHUGEPAGE);
#endif
    return start + before;
}

static struct region *new_region(const struct region *last, uint32_t alignment, bool is_for_runs)
{
    struct region *region = calloc(1, sizeof *region);

    if (region == NULL)
        return NULL;
    region->length = region_length(last);
    while (region->start == NULL && region->length >= REGION_MINIMUM) {
        region->start = reserve(region->length);
        if (region->start == NULL)
            region->length /= 2;
    }
    if (region->start != NULL) {
        region->extents = um_extents_new(region->length, alignment);
        region->touched = um_mapping_new((size_t)(region->length / PAGE_SIZE / 8), 1);
        if (is_for_runs)
            region->runs = um_mapping_new((size_t)(region->length / RUN_SIZE) * sizeof(struct run *), 1);
    }
    if (region->extents == NULL || region->touched == NULL || (is_for_runs && region->runs == NULL)) {
        free_region(region);
        return NULL;
    }
    return region;
}

/* The region that an address lies in; NULL where that is none of them. */
static struct region *region_of(struct region *first, const unsigned char *address)
{
    while (first != NULL && !(address >= first->start && (uint64_t)(address - first->start) < first->length))
        first = first->next;
    return first;
}

/* Makes sure that the first `end` bytes can be touched. */
static bool open_until(struct region *region, uint64_t end)
{
    uint64_t opened = (end + OPENED_SIZE - 1) / OPENED_SIZE * OPENED_SIZE;

    if (end <= region->opened)
        return true;
    if (opened > region->length)
        opened = region->length;
    if (mprotect(region->start + region->opened, (size_t)(opened - region->opened), PROT_READ | PROT_WRITE) !=
        0)
        return false;
    ASAN_POISON_MEMORY_REGION(region->start + region->opened, (size_t)(opened - region->opened));
    region->opened = opened;
    return true;
}

/* ---- pages ---- */

static bool is_touched(const struct region *region, uint64_t page)
{
    return (region->touched[page / 8] >> (page % 8) & 1) != 0;
}

/* Makes bytes zero; pages that were not touched are. */
static void clear(struct region *region, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    while (offset < end) {
        uint64_t page = offset / PAGE_SIZE;
        uint64_t next = (page + 1) * PAGE_SIZE < end ? (page + 1) * PAGE_SIZE : end;

        if (is_touched(region, page)) {
            memset(region->start + offset, 0, (size_t)(next - offset));
        } else {
            region->touched[page / 8] |= (unsigned char)(1 << page % 8);
            region->touched_pages++;
        }
        offset = next;
    }
}

/* Returns up to *left bytes of whole pages to the system, in *calls pieces at most. Returns up to which page it has come. */
static uint64_t purge_pages(struct region *region, uint64_t page, uint64_t end, uint64_t *left,
                            unsigned *calls)
{
    while (page < end && *left != 0 && *calls != 0) {
        uint64_t first = page;

        if (region->touched[page / 8] == 0) {
            page = (page / 8 + 1) * 8;
            continue;
        }
        if (!is_touched(region, page)) {
            page++;
            continue;
        }
        while (page < end && is_touched(region, page) && (page - first) * PAGE_SIZE < *left) {
            region->touched[page / 8] &= (unsigned char)~(1 << page % 8);
            page++;
        }
        if (madvise(region->start + first * PAGE_SIZE, (size_t)((page - first) * PAGE_SIZE), MADV_DONTNEED) !=
            0) {
            for (uint64_t kept = first; kept < page; kept++)
                region->touched[kept / 8] |= (unsigned char)(1 << kept % 8);
        } else {
            region->touched_pages -= page - first;
        }
        *left -= (page - first) * PAGE_SIZE;
        --*calls;
    }
    return page < end ? page : end;
}

/* ---- purging ---- */

static uint64_t used_of(const struct region *region)
{
    struct um_extents_stats stats;

    um_extents_get_stats(region->extents, &stats);
    return stats.length - stats.free_bytes;
}

/* Begins to purge a region where much is free, and some of it was freed since this was last done: what lies in small holes stays,
 * however much it is. */
static void purge_if_worthwhile(struct region *region)
{
    uint64_t used;

    if (region->is_purging || region->released < KEPT_SIZE / 2)
        return;
    region->released = 0;
    used = used_of(region);
    if (region->touched_pages * PAGE_SIZE <= used + used / 8 + KEPT_SIZE)
        return;
    set_purging(region, true);
    region->cursor = 0;
}

/* Bounds to whole pages of the system's. */
static uint64_t page_up(uint64_t offset)
{
    uint64_t page = um_mapping_page_size() > PAGE_SIZE ? um_mapping_page_size() : PAGE_SIZE;

    return (offset + page - 1) / page * page;
}

static void purge_some(struct region *region)
{
    uint64_t left = PIECE_SIZE;
    unsigned calls = PIECE_CALLS;
    uint64_t looks = PIECE_LOOKS;
    uint64_t least = region->is_thorough ? PAGE_SIZE : HOLE_SIZE;
    uint64_t offset;
    uint64_t size;

    while (um_extents_next_free(region->extents, region->cursor, &offset, &size) && offset < region->opened) {
        uint64_t end = offset + size < region->opened ? offset + size : region->opened;
        uint64_t first = page_up(offset);
        uint64_t limit = first + looks * 8 * PAGE_SIZE;
        uint64_t last = page_up(end + 1) - page_up(1);

        if (left == 0 || calls == 0 || looks == 0)
            return;
        looks--;
        if (last < first + least) {
            region->cursor = end;
            continue;
        }
        last = last < limit ? last : limit;
        looks -= (last - first) / PAGE_SIZE / 8 < looks ? (last - first) / PAGE_SIZE / 8 : looks;
        region->cursor = purge_pages(region, first / PAGE_SIZE, last / PAGE_SIZE, &left, &calls) * PAGE_SIZE;
        if (region->cursor + PAGE_SIZE > end || region->cursor == page_up(end + 1) - page_up(1))
            region->cursor = end;
    }
    set_purging(region, false);
    region->is_thorough = false;
    purge_if_worthwhile(region); /* what was released behind the cursor */
}

static struct region *next_to_purge(void)
{
    for (int i = 0; i <= ALIGNMENTS; i++) {
        for (struct region *region = i < ALIGNMENTS ? regions[i] : run_regions; region != NULL;
             region = region->next) {
            if (region->is_purging)
                return region;
        }
    }
    return NULL;
}

bool um_pool_purge(void)
{
    struct region *region = next_to_purge();

    if (region != NULL)
        purge_some(region);
    return purging != 0;
}

static bool purge(struct um_purge_source *purged)
{
    (void)purged;
    return um_pool_purge();
}

/* ---- extents ---- */

/* Takes an extent, in a new region where need be. */
static unsigned char *acquire(struct region **list, uint64_t size, uint32_t alignment, bool is_for_runs,
                              struct region **found)
{
    struct region *region = *list;
    uint64_t offset = 0;

    while (region != NULL && !um_extents_acquire(region->extents, size, &offset))
        region = region->next;
    if (region == NULL) {
        region = new_region(*list, alignment, is_for_runs);
        if (region == NULL)
            return NULL;
        region->next = *list;
        *list = region;
        if (!um_extents_acquire(region->extents, size, &offset))
            return NULL;
    }
    if (!open_until(region, offset + (size == 0 ? 1 : size))) {
        um_extents_release(region->extents, offset, size);
        return NULL;
    }
    *found = region;
    return region->start + offset;
}

static void release(struct region *region, unsigned char *address, uint64_t size)
{
    ASAN_POISON_MEMORY_REGION(address, (size_t)size);
    um_extents_release(region->extents, (uint64_t)(address - region->start), size);
    region->released += size;
    purge_if_worthwhile(region);
}

static struct region **list_of(uint32_t alignment)
{
    int place = 0;

    while (UINT32_C(16) << place < alignment)
        place++;
    return &regions[place];
}

/* ---- slots ---- */

static bool is_small(size_t size, uint32_t alignment)
{
    return size <= SMALL_SIZE && alignment <= 16;
}

/* The class of a size: 16, 32... 128, 144... 256, 288... 512, and so on. */
static unsigned class_of(size_t size)
{
    size_t step = 16;
    unsigned first = 0;

    if (size == 0)
        return 0;
    while (size > 16 * step) {
        step *= 2;
        first += 8;
    }
    return first + (unsigned)((size + step - 1) / step) - 1;
}

static uint32_t slot_size_of(unsigned class)
{
    uint32_t step = 16;

    while (class >= 16) {
        class -= 8;
        step *= 2;
    }
    return (class + 1) * step;
}

static unsigned lowest_bit(uint64_t bits)
{
#ifdef __GNUC__
    return (unsigned)__builtin_ctzll(bits);
#else
    unsigned bit = 0;

    while ((bits >> bit & 1) == 0)
        bit++;
    return bit;
#endif
}

static struct run *new_run(unsigned class)
{
    uint32_t slot_size = slot_size_of(class);
    uint32_t slots = RUN_SIZE / slot_size;
    uint32_t words = (slots + 63) / 64;
    struct run *run = calloc(1, sizeof *run + words * sizeof run->taken[0]);
    struct region *region = NULL;

    if (run == NULL)
        return NULL;
    run->start = acquire(&run_regions, RUN_SIZE, RUN_SIZE, true, &region);
    if (run->start == NULL) {
        free(run);
        return NULL;
    }
    /* Its pages count as touched: they soon will be. */
    for (uint64_t page = (uint64_t)(run->start - region->start) / PAGE_SIZE,
                  end = page + RUN_SIZE / PAGE_SIZE;
         page < end; page++) {
        if (!is_touched(region, page))
            region->touched_pages++;
        region->touched[page / 8] |= (unsigned char)(1 << page % 8);
    }
    run->slot_size = slot_size;
    run->slots = slots;
    if (slots % 64 != 0)
        run->taken[words - 1] = UINT64_MAX << slots % 64;
    region->runs[(run->start - region->start) / RUN_SIZE] = run;
    um_list_append(&classes[class], &run->in_class);
    return run;
}

static void *alloc_slot(size_t size)
{
    unsigned class = class_of(size);
    struct run *run;
    unsigned bit;
    unsigned char *address;

    if (classes[class].next == NULL)
        um_list_init(&classes[class]);
    if (um_list_is_empty(&classes[class]))
        run = new_run(class);
    else
        run = UM_LIST_ITEM(classes[class].next, struct run, in_class);
    if (run == NULL)
        return NULL;
    while (run->taken[run->hint] == UINT64_MAX)
        run->hint++;
    bit = lowest_bit(~run->taken[run->hint]);
    run->taken[run->hint] |= UINT64_C(1) << bit;
    if (++run->used == run->slots)
        um_list_remove(&run->in_class);
    address = run->start + (size_t)(run->hint * 64 + bit) * run->slot_size;
    ASAN_UNPOISON_MEMORY_REGION(address, size == 0 ? 1 : size);
    return memset(address, 0, size == 0 ? 1 : size);
}

static struct run **run_of(const struct region *region, const unsigned char *address)
{
    return &region->runs[(address - region->start) / RUN_SIZE];
}

static void free_run(struct region *region, struct run *run)
{
    um_list_remove(&run->in_class);
    *run_of(region, run->start) = NULL;
    release(region, run->start, RUN_SIZE);
    free(run);
}

static void free_slot(struct region *region, unsigned char *address)
{
    struct run *run = *run_of(region, address);
    uint32_t slot = (uint32_t)(address - run->start) / run->slot_size;
    struct um_link *class = &classes[class_of(run->slot_size)];

    assert((run->taken[slot / 64] >> slot % 64 & 1) != 0);
    ASAN_POISON_MEMORY_REGION(address, run->slot_size);
    run->taken[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    if (slot / 64 < run->hint)
        run->hint = slot / 64;
    if (run->used-- == run->slots)
        um_list_append(class, &run->in_class);
    /* The last one of its class with a free slot stays. */
    if (run->used != 0 || (class->next == &run->in_class && class->prev == &run->in_class))
        return;
    free_run(region, run);
}

/* ---- the calls ---- */

void *um_pool_alloc(size_t size, uint32_t alignment)
{
    struct region *region;
    unsigned char *address;

    if (is_small(size, alignment))
        return alloc_slot(size);
    address = acquire(list_of(alignment), size, alignment, false, &region);
    if (address == NULL)
        return NULL;
    ASAN_UNPOISON_MEMORY_REGION(address, size == 0 ? 1 : size);
    clear(region, (uint64_t)(address - region->start), size == 0 ? 1 : size);
    return address;
}

void um_pool_free(void *address, size_t size, uint32_t alignment)
{
    /* A block that was made smaller may have stayed where it was: its place says how it was allocated. */
    struct region *of_runs = region_of(run_regions, address);

    if (of_runs != NULL)
        free_slot(of_runs, address);
    else
        release(region_of(*list_of(alignment), address), address, size);
}

static bool resize_extent(unsigned char *address, size_t old_size, size_t new_size, uint32_t alignment)
{
    struct region *region = region_of(*list_of(alignment), address);
    uint64_t offset = (uint64_t)(address - region->start);

    if (!um_extents_resize(region->extents, offset, old_size, new_size))
        return false;
    if (!open_until(region, offset + new_size)) {
        (void)um_extents_resize(region->extents, offset, new_size, old_size);
        return false;
    }
    if (new_size > old_size) {
        ASAN_UNPOISON_MEMORY_REGION(address, new_size);
        clear(region, offset + old_size, new_size - old_size);
    } else {
        ASAN_POISON_MEMORY_REGION(address + new_size, old_size - new_size);
        ASAN_UNPOISON_MEMORY_REGION(address, new_size == 0 ? 1 : new_size);
        region->released += old_size - new_size;
        purge_if_worthwhile(region);
    }
    return true;
}

bool um_pool_resize(void *address, size_t old_size, size_t new_size, uint32_t alignment, bool in_place_only)
{
    struct region *of_runs = region_of(run_regions, address);
    uint32_t slot_size;

    if (of_runs == NULL)
        return (in_place_only || !is_small(new_size, alignment)) &&
               resize_extent(address, old_size, new_size, alignment);
    slot_size = (*run_of(of_runs, address))->slot_size;
    if (new_size > slot_size || (!in_place_only && class_of(new_size) != class_of(slot_size)))
        return false;
    ASAN_POISON_MEMORY_REGION(address, slot_size);
    ASAN_UNPOISON_MEMORY_REGION(address, new_size == 0 ? 1 : new_size);
    if (new_size > old_size)
        memset((char *)address + old_size, 0, new_size - old_size);
    return true;
}

void um_pool_compact(void)
{
    for (int i = 0; i <= ALIGNMENTS; i++) {
        for (struct region *region = i < ALIGNMENTS ? regions[i] : run_regions; region != NULL;
             region = region->next) {
            set_purging(region, true);
            region->is_thorough = true;
            region->cursor = 0;
            region->released = 0;
        }
    }
}

static void end_unused(struct region **link)
{
    while (*link != NULL) {
        struct region *region = *link;

        if (used_of(region) != 0) {
            link = &region->next;
            continue;
        }
        *link = region->next;
        free_region(region);
    }
}

void um_pool_end(void)
{
    for (int class = 0; class < CLASS_COUNT; class ++) {
        struct run *run = classes[class].next != NULL && !um_list_is_empty(&classes[class])
                              ? UM_LIST_ITEM(classes[class].next, struct run, in_class)
                              : NULL;

        /* The one that was kept is alone there. */
        if (run != NULL && run->used == 0)
            free_run(region_of(run_regions, run->start), run);
    }
    for (int i = 0; i < ALIGNMENTS; i++)
        end_unused(&regions[i]);
    end_unused(&run_regions);
}

void um_pool_get_stats(struct um_pool_stats *stats)
{
    *stats = (struct um_pool_stats){0};
    for (int i = 0; i <= ALIGNMENTS; i++) {
        for (struct region *region = i < ALIGNMENTS ? regions[i] : run_regions; region != NULL;
             region = region->next) {
            stats->used += used_of(region);
            stats->touched += region->touched_pages * PAGE_SIZE;
        }
    }
}
