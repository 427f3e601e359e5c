#include "store/memory/segment.h"

#include <string.h>

#include "base/attributes.h"

enum { MARK_LOOKS = 8 /* looks that take as long as making a unit idle */ };

/* The first unit that begins at an offset or later. */
static uint64_t unit_from(const struct um_segment *segment, uint64_t offset)
{
    return (offset + segment->unit - 1) >> segment->unit_bits;
}

/* The unit that an offset lies in. */
static uint64_t unit_at(const struct um_segment *segment, uint64_t offset)
{
    return offset >> segment->unit_bits;
}

static bool get_bit(const unsigned char *bits, uint64_t place)
{
    return (bits[place / 8] >> (place % 8) & 1) != 0;
}

static void set_bit(unsigned char *bits, uint64_t place)
{
    bits[place / 8] |= (unsigned char)(1 << (place % 8));
}

static void clear_bit(unsigned char *bits, uint64_t place)
{
    bits[place / 8] &= (unsigned char)~(1 << (place % 8));
}

/* The first unit from `unit` on, but before `end`, of which the bit is so; `end` where there is none. */
static uint64_t next_unit(const unsigned char *bits, uint64_t unit, uint64_t end, bool is_set)
{
    const unsigned char none = is_set ? 0 : 0xff; /* a byte without one */

    while (unit < end && get_bit(bits, unit) != is_set) {
        unit++;
        while (unit % 8 == 0 && unit + 8 <= end && bits[unit / 8] == none)
            unit += 8;
    }
    return unit;
}

static void mark_touched(struct um_segment *segment, uint64_t unit)
{
    set_bit(segment->touched, unit);
    segment->touched_units++;
}

static void note_decommitted(struct um_segment *segment, uint64_t unit)
{
    if (!get_bit(segment->touched, unit))
        return;
    clear_bit(segment->touched, unit);
    segment->touched_units--;
}

bool um_segment_commit(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t end = unit_from(segment, offset + size);
    uint64_t first = next_unit(segment->touched, unit_at(segment, offset), end, false);

    while (first < end) {
        uint64_t last = next_unit(segment->touched, first, end, true);

        if (segment->ops->commit != NULL &&
            !segment->ops->commit(segment, first * segment->unit, (last - first) * segment->unit))
            return false;
        for (; first < last; first++)
            mark_touched(segment, first);
        first = next_unit(segment->touched, first, end, false);
    }
    return true;
}

bool um_segment_decommit(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t first = unit_from(segment, offset);
    uint64_t end = unit_at(segment, offset + size);

    if (first >= end)
        return true;
    if (!segment->ops->decommit(segment, first * segment->unit, (end - first) * segment->unit))
        return false;
    for (; first < end; first++)
        note_decommitted(segment, first);
    return true;
}

/* Makes a part of a unit zero where only touched units may be anything else, and touches it. */
UM_ALWAYS_INLINE void renew_in_unit(struct um_segment *segment, uint64_t unit, uint64_t offset, uint64_t size)
{
    clear_bit(segment->idle, unit);
    if (get_bit(segment->touched, unit))
        memset(segment->start + offset, 0, (size_t)size);
    else
        mark_touched(segment, unit);
}

UM_NEVER_INLINE static void renew_private(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    while (offset < end) {
        uint64_t unit = unit_at(segment, offset);
        uint64_t next = (unit + 1) * segment->unit < end ? (unit + 1) * segment->unit : end;

        renew_in_unit(segment, unit, offset, next - offset);
        offset = next;
    }
}

/* Likewise where others can write: it may hold anything. */
UM_NEVER_INLINE static bool renew_shared(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    unsigned char *start = segment->start + offset;
    uint64_t head = unit_from(segment, offset) * segment->unit - offset;
    uint64_t tail = (offset + size) & (segment->unit - 1);
    bool renewed = size >= segment->ops->renewed_size && um_segment_decommit(segment, offset, size);

    if (!um_segment_commit(segment, offset, size))
        return false;
    for (uint64_t unit = unit_at(segment, offset); unit < unit_from(segment, offset + size); unit++)
        clear_bit(segment->idle, unit);
    if (renewed) {
        memset(start, 0, (size_t)head);
        memset(start + size - tail, 0, (size_t)tail);
    } else {
        memset(start, 0, (size_t)size);
    }
    return true;
}

bool um_segment_renew(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t unit = unit_at(segment, offset);

    if (!segment->ops->is_private)
        return renew_shared(segment, offset, size);
    if (unit_at(segment, offset + size - 1) == unit)
        renew_in_unit(segment, unit, offset, size);
    else
        renew_private(segment, offset, size);
    return true;
}

void um_segment_clear(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    while (offset < end) {
        uint64_t unit = unit_at(segment, offset);
        uint64_t next = (unit + 1) * segment->unit < end ? (unit + 1) * segment->unit : end;

        if (get_bit(segment->touched, unit))
            memset(segment->start + offset, 0, (size_t)(next - offset));
        offset = next;
    }
}

/* The next unit that is looked at; `end` where there is none. */
static uint64_t next_to_age(const struct um_segment *segment, uint64_t unit, uint64_t end,
                            enum um_segment_age which)
{
    return which == UM_SEGMENT_ALL ? unit : next_unit(segment->touched, unit, end, true);
}

/* The end of the units from `unit` on that are decommitted together. */
static uint64_t end_of_piece(const struct um_segment *segment, uint64_t unit, uint64_t end,
                             enum um_segment_age which)
{
    if (which == UM_SEGMENT_ALL)
        return end;
    end = next_unit(segment->touched, unit, end, false);
    return which == UM_SEGMENT_TOUCHED ? end : next_unit(segment->idle, unit, end, false);
}

bool um_segment_age(struct um_segment *segment, uint64_t *offset, uint64_t end, enum um_segment_age which,
                    struct um_segment_budget *budget, bool *found)
{
    uint64_t unit = unit_from(segment, *offset);
    uint64_t last = unit_at(segment, end);

    while (unit < last && budget->units != 0 && budget->calls != 0 && budget->looks != 0) {
        uint64_t limit = last - unit > budget->looks ? unit + budget->looks : last;
        uint64_t first = next_to_age(segment, unit, limit, which);

        budget->looks -= first - unit;
        unit = first;
        if (first == limit)
            continue;
        if (which == UM_SEGMENT_IDLE && !get_bit(segment->idle, first)) {
            set_bit(segment->idle, first);
            *found = true;
            budget->looks -= budget->looks < MARK_LOOKS ? budget->looks : MARK_LOOKS;
            unit++;
            continue;
        }
        limit = limit - first > budget->units ? first + budget->units : limit;
        unit = end_of_piece(segment, first, limit, which);
        if (!um_segment_decommit(segment, first * segment->unit, (unit - first) * segment->unit))
            return false;
        budget->units -= unit - first;
        budget->calls--;
    }
    *offset = unit < last ? unit * segment->unit : end;
    return true;
}

void um_segment_make_idle(struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t unit = unit_from(segment, offset);
    uint64_t end = unit_at(segment, offset + size);

    while (unit < end) {
        if (unit % 8 == 0 && end - unit >= 8) {
            memset(segment->idle + unit / 8, 0xff, (size_t)((end - unit) / 8));
            unit += (end - unit) / 8 * 8;
        } else {
            set_bit(segment->idle, unit++);
        }
    }
}

uint64_t um_segment_count_touched(const struct um_segment *segment, uint64_t offset, uint64_t size)
{
    uint64_t end = unit_from(segment, offset + size);
    uint64_t unit = next_unit(segment->touched, unit_at(segment, offset), end, true);
    uint64_t count = 0;

    while (unit < end) {
        uint64_t last = next_unit(segment->touched, unit, end, false);

        count += last - unit;
        unit = next_unit(segment->touched, last, end, true);
    }
    return count;
}
