/*
 * The memory behind the offsets of one heap: which units of it (pages, or 64 KiB of an object) may have memory, and which of those that are
 * free have been so for a period. What the system has to do is in a table of functions.
 *
 * Owns: nothing but the count of touched units; the bits belong to who made the segment, because segments may share them. Must not know: blocks,
 * which extents are free.
 *
 * Offsets and sizes are bytes, of any value within the segment. A unit is touched from when memory is first committed to it until it
 * is decommitted.
 */
#ifndef UM_STORE_SEGMENT_H
#define UM_STORE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

struct um_segment;

/* What systems and kinds of memory differ in. Offsets and sizes are multiples of the unit. */
struct um_segment_ops {
    /* Makes sure that units that are not touched can be: false where the system refuses, with nothing done. NULL: nothing to do. */
    bool (*commit)(struct um_segment *segment, uint64_t offset, uint64_t size);

    /* Returns the memory of units to the system; they are zero when they are touched again. False, with nothing done, where the system
     * cannot. */
    bool (*decommit)(struct um_segment *segment, uint64_t offset, uint64_t size);

    /* Nobody else can write to the memory: a unit that is not touched is zero, and is not cleared again. */
    bool is_private;

    /* Bytes: so much or more is decommitted and committed anew rather than cleared, which is faster: the system clears a page when it
     * is first touched. */
    uint64_t renewed_size;
};

struct um_segment {
    const struct um_segment_ops *ops;
    void *object;           /* the ops' own */
    unsigned char *start;   /* the address of offset 0 */
    unsigned char *touched; /* a bit for each unit */
    unsigned char *idle; /* likewise: of the touched units that are free, those that were so a period ago */
    uint64_t touched_units; /* how many are touched, of this heap's */
    uint32_t unit;          /* bytes, a power of two */
    unsigned unit_bits;     /* which one; um_area_init() sets it */
};

/* Which units of a free range are decommitted. */
enum um_segment_age {
    UM_SEGMENT_IDLE,    /* those that are touched and idle; the other touched ones become idle */
    UM_SEGMENT_TOUCHED, /* those that are touched */
    UM_SEGMENT_ALL      /* all: others may have touched what was never committed */
};

/* How far a call may still go. */
struct um_segment_budget {
    uint64_t units; /* that are decommitted */
    uint64_t looks; /* units that are looked at */
    unsigned calls; /* calls of the system */
};

/* Commits what is not touched of the units that a range lies in. Where it fails, what was committed stays so. */
bool um_segment_commit(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Decommits the units that lie in a range as a whole. Returns false, with nothing done, where the system cannot. */
bool um_segment_decommit(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Commits a range and makes it zero; false as um_segment_commit(). */
bool um_segment_renew(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Makes zero what is touched of a range. */
void um_segment_clear(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Goes on with a free range at *offset: decommits the units in it that `which` says. Stops where the budget ends or all is done, and sets
 * *offset to there. *found is set where a unit was made idle. Returns false where the system cannot decommit. */
bool um_segment_age(struct um_segment *segment, uint64_t *offset, uint64_t end, enum um_segment_age which,
                    struct um_segment_budget *budget, bool *found);

/* How many units of a range are touched. */
uint64_t um_segment_count_touched(const struct um_segment *segment, uint64_t offset, uint64_t size);

/* Makes the units idle that lie in a range as a whole. */
void um_segment_make_idle(struct um_segment *segment, uint64_t offset, uint64_t size);

#endif
