#include "store/memory/shm_segment.h"

#include <stdlib.h>
#include <string.h>

static uint64_t round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

bool um_segment_init(struct um_segment *segment, uint64_t length)
{
    struct um_segment made = {.length = round_up(length, UM_SHM_UNIT)};

    /* The object first: where it cannot be made, the table need not be. */
    made.shm = um_shm_new(made.length);
    if (made.shm == NULL)
        return false;
    made.committed = calloc((size_t)(round_up(made.length / UM_SHM_UNIT, 8) / 8), 1);
    if (made.committed == NULL) {
        um_shm_free(made.shm);
        return false;
    }
    *segment = made;
    return true;
}

void um_segment_deinit(struct um_segment *segment)
{
    um_shm_free(segment->shm);
    free(segment->committed);
}

static bool is_committed(const struct um_segment *segment, uint64_t unit)
{
    return (segment->committed[unit / 8] >> (unit % 8) & 1) != 0;
}

static void note_committed(struct um_segment *segment, uint64_t unit)
{
    segment->committed[unit / 8] |= (unsigned char)(1 << (unit % 8));
    segment->committed_units++;
}

static void note_decommitted(struct um_segment *segment, uint64_t unit)
{
    segment->committed[unit / 8] &= (unsigned char)~(1 << (unit % 8));
    segment->committed_units--;
}

uint64_t um_segment_next(const struct um_segment *segment, uint64_t unit, uint64_t end, bool committed)
{
    while (unit < end && is_committed(segment, unit) != committed)
        unit++;
    return unit;
}

bool um_segment_commit(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t end = round_up(offset + size, UM_SHM_UNIT) / UM_SHM_UNIT;
    uint64_t first = um_segment_next(segment, offset / UM_SHM_UNIT, end, false);

    while (first < end) {
        uint64_t last = um_segment_next(segment, first, end, true);

        if (!um_shm_commit(segment->shm, first * UM_SHM_UNIT, (last - first) * UM_SHM_UNIT))
            return false;
        for (; first < last; first++)
            note_committed(segment, first);
        first = um_segment_next(segment, first, end, false);
    }
    return true;
}

bool um_segment_decommit(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t first = round_up(offset, UM_SHM_UNIT) / UM_SHM_UNIT;
    uint64_t end = (offset + size) / UM_SHM_UNIT;

    if (first >= end)
        return true;
    if (!um_shm_decommit(segment->shm, first * UM_SHM_UNIT, (end - first) * UM_SHM_UNIT))
        return false;
    for (; first < end; first++) {
        if (is_committed(segment, first))
            note_decommitted(segment, first);
    }
    return true;
}

bool um_segment_renew(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    unsigned char *start = um_shm_start(segment->shm) + offset;
    uint64_t head = round_up(offset, UM_SHM_UNIT) - offset;
    uint64_t tail = (offset + size) % UM_SHM_UNIT;
    bool renewed = size >= UM_SEGMENT_RENEWED && um_segment_decommit(segment, offset, size);

    if (!um_segment_commit(segment, offset, size))
        return false;
    if (renewed) {
        memset(start, 0, (size_t)head);
        memset(start + size - tail, 0, (size_t)tail);
    } else {
        memset(start, 0, (size_t)size);
    }
    return true;
}

void um_segment_clear(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    while (offset < end) {
        uint64_t unit = offset / UM_SHM_UNIT;
        uint64_t next = (unit + 1) * UM_SHM_UNIT < end ? (unit + 1) * UM_SHM_UNIT : end;

        if (is_committed(segment, unit))
            memset(um_shm_start(segment->shm) + offset, 0, (size_t)(next - offset));
        offset = next;
    }
}
