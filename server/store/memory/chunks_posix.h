/*
 * The pages of all private heaps: address space that is reserved once for the process, and lent to heaps in chunks of whole pages. So two
 * heaps never share a page, and 100,000 heaps do not need as many mappings, of which a process may have 65,530.
 *
 * Owns: the reservation, which chunks of it are lent, which of its pages are touched. Must not know: heaps, blocks.
 *
 * It belongs to the process, because there is one address space. Offsets count from its start.
 */
#ifndef UM_STORE_CHUNKS_POSIX_H
#define UM_STORE_CHUNKS_POSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "store/memory/run_map.h"
#include "store/memory/segment.h"

#define UM_CHUNK_UNIT UINT64_C(65536) /* bytes; a chunk's offset and size are multiples */

/* Fills in the segment of a heap, of which no chunk is lent yet. Reserves the address space, if that is not done. Returns false, with nothing
 * changed, where the system refuses. */
bool um_chunks_begin(struct um_segment *segment);

/* A heap that began has ended, and has given its chunks back. With the last one the reservation is kept for the next; um_chunks_end()
 * frees it. */
void um_chunks_leave(void);
void um_chunks_end(void);

/* Finds the runs of all private heaps. */
struct um_run_map *um_chunks_runs(void);

/* Lends a chunk of `size` bytes. Its pages that are touched count as the segment's. Returns false, with nothing changed, where there is no more. */
bool um_chunks_take(struct um_segment *segment, uint64_t size, uint64_t *offset);

/* Takes a chunk back, of which the pages should have been decommitted. Cannot fail. */
void um_chunks_give(struct um_segment *segment, uint64_t offset, uint64_t size);

#endif
