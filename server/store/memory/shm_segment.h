/*
 * The memory of one shared heap: an object (shm.h), and which units of it are committed.
 *
 * Owns: the object and the table of units, which lies outside of it, because clients may write anything into the object. Must not
 * know: blocks, which extents are free.
 *
 * Offsets and sizes are bytes, of any value within the object.
 */
#ifndef UM_STORE_SHM_SEGMENT_H
#define UM_STORE_SHM_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/memory/shm.h"

/* Bytes: so much or more is decommitted and committed anew rather than cleared, which is faster: the system clears a page when it is first
 * touched. */
#define UM_SEGMENT_RENEWED UINT64_C(1048576)

struct um_segment {
    struct um_shm *shm;
    unsigned char *committed; /* a bit for each unit */
    uint64_t committed_units; /* how many are set */
    uint64_t length;          /* bytes in all, a multiple of the unit */
};

/* Makes the object, of at least `length` bytes. Returns false where the system refuses it or memory runs out; then there is nothing to
 * deinit, as there is not in a segment of zeros. */
bool um_segment_init(struct um_segment *segment, uint64_t length);
void um_segment_deinit(struct um_segment *segment);

/* The first unit (by its number) from `unit` on, but before `end`, that is committed or not; `end` where there is none. */
uint64_t um_segment_next(const struct um_segment *segment, uint64_t unit, uint64_t end, bool committed);

/* Commits what is not yet of the units that a range lies in. Where it fails, what was committed stays so. */
bool um_segment_commit(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Decommits the units that lie in a range as a whole. Returns false, with nothing done, where the system cannot. */
bool um_segment_decommit(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Commits a range and makes it zero; false as um_segment_commit(). */
bool um_segment_renew(struct um_segment *segment, uint64_t offset, uint64_t size);

/* Makes zero what is committed of a range. */
void um_segment_clear(struct um_segment *segment, uint64_t offset, uint64_t size);

#endif
