#include "store/memory/chunks_posix.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "store/memory/extents.h"
#include "store/memory/mapping_posix.h"
#include "store/memory/poison.h"

#define RESERVED_SIZE \
    ((sizeof(void *) > 4 ? UINT64_C(1024) : UINT64_C(1)) \
     << 30) /* bytes of address space, where it is not limited */

enum {
    RESERVED_MINIMUM = 4 * 1024 * 1024, /* bytes */
    OPENED_SIZE = 16 * 1024 * 1024,     /* bytes that are made accessible at once */
    BITS_PER_BYTE = 8
};

/* Address space of which the first bytes are accessible. */
struct stretch {
    unsigned char *start; /* NULL: there is none */
    uint64_t length;      /* bytes */
    uint64_t opened;      /* bytes */
};

static struct stretch pages;
static struct stretch touched; /* a bit for each page, as struct um_segment has it */
static struct stretch idle;    /* likewise */
static struct um_extents *chunks;
static struct um_run_map runs;
static unsigned heaps; /* that began and did not leave */

/* ---- address space ---- */

static uint64_t round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Nothing is promised before it is opened. The start is a multiple of the largest alignment: what lies before it stays reserved. */
static bool reserve(struct stretch *stretch, uint64_t length)
{
    uint64_t whole = length + UM_CHUNK_UNIT;
    unsigned char *start;

    if (whole > SIZE_MAX)
        return false;
    start = mmap(NULL, (size_t)whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return false;
#ifdef MADV_NOHUGEPAGE
    /* One block that lives would keep two megabytes. */
    (void)madvise(start, (size_t)whole, MADV_NOHUGEPAGE);
#endif
    *stretch = (struct stretch){.start = start, .length = length};
    return true;
}

static uint64_t slack_of(const struct stretch *stretch)
{
    return (UM_CHUNK_UNIT - (uintptr_t)stretch->start % UM_CHUNK_UNIT) % UM_CHUNK_UNIT;
}

/* Where the stretch begins at a multiple of a chunk. */
static unsigned char *start_of(const struct stretch *stretch)
{
    return stretch->start + slack_of(stretch);
}

static void unmap(struct stretch *stretch)
{
    if (stretch->start == NULL)
        return;
    /* What the system places there next is in use. */
    UM_UNPOISON(stretch->start, slack_of(stretch) + stretch->opened);
    munmap(stretch->start, (size_t)(stretch->length + UM_CHUNK_UNIT));
    *stretch = (struct stretch){0};
}

/* Makes sure that the first `end` bytes can be touched. */
static bool open_until(struct stretch *stretch, uint64_t end, uint64_t step)
{
    uint64_t opened = round_up(end, step);

    if (end <= stretch->opened)
        return true;
    if (opened > stretch->length)
        opened = stretch->length;
    if (mprotect(start_of(stretch) + stretch->opened, (size_t)(opened - stretch->opened),
                 PROT_READ | PROT_WRITE) != 0)
        return false;
    stretch->opened = opened;
    return true;
}

/* Where address space is limited, half of it: large blocks and the tables of the store have the rest. */
static uint64_t wanted_length(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur / 2 < RESERVED_SIZE)
        return limit.rlim_cur / 2 / OPENED_SIZE * OPENED_SIZE;
    return RESERVED_SIZE;
}

static bool reserve_all(uint64_t length)
{
    uint64_t page = um_mapping_page_size();
    uint64_t bits = round_up(length / page / BITS_PER_BYTE, page);

    if (reserve(&pages, length) && reserve(&touched, bits) && reserve(&idle, bits)) {
        chunks = um_extents_new(length, (uint32_t)UM_CHUNK_UNIT);
        if (chunks != NULL && um_run_map_init(&runs, length))
            return true;
    }
    um_chunks_end();
    return false;
}

/* ---- the calls ---- */

static bool return_pages(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    return madvise(segment->start + offset, (size_t)size, MADV_DONTNEED) == 0;
}

static const struct um_segment_ops ops = {
    .decommit = return_pages, .is_private = true, .renewed_size = UINT64_MAX};

bool um_chunks_begin(struct um_segment *segment)
{
    uint64_t length = pages.start == NULL ? wanted_length() : 0;

    while (pages.start == NULL && length >= RESERVED_MINIMUM && !reserve_all(length))
        length /= 2;
    if (pages.start == NULL)
        return false;
    heaps++;
    *segment = (struct um_segment){.ops = &ops,
                                   .start = start_of(&pages),
                                   .touched = start_of(&touched),
                                   .idle = start_of(&idle),
                                   .unit = (uint32_t)um_mapping_page_size()};
    return true;
}

void um_chunks_leave(void)
{
    heaps--;
}

void um_chunks_end(void)
{
    size_t all = SIZE_MAX;

    if (heaps != 0)
        return;
    unmap(&pages);
    unmap(&touched);
    unmap(&idle);
    um_extents_free(chunks);
    chunks = NULL;
    (void)um_run_map_deinit_step(&runs, &all);
}

struct um_run_map *um_chunks_runs(void)
{
    return &runs;
}

bool um_chunks_take(struct um_segment *segment, uint64_t size, uint64_t *offset)
{
    uint64_t page = segment->unit;
    uint64_t bits;

    if (!um_extents_acquire(chunks, size, offset))
        return false;
    bits = (*offset + size) / page / BITS_PER_BYTE + 1;
    if (bits > touched.length)
        bits = touched.length;
    if (!open_until(&pages, *offset + size, OPENED_SIZE) || !open_until(&touched, bits, page) ||
        !open_until(&idle, bits, page)) {
        um_extents_release(chunks, *offset, size);
        return false;
    }
    UM_POISON(segment->start + *offset, size);
    segment->touched_units += um_segment_count_touched(segment, *offset, size);
    return true;
}

void um_chunks_give(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    segment->touched_units -= um_segment_count_touched(segment, offset, size);
    um_extents_release(chunks, offset, size);
}
