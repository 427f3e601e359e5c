/*
 * What the protocol tells of heaps and blocks, as C structs; and its words (flags, lifetimes, kinds).
 *
 * Owns: the lists of words. Must not know: connections.
 */
#ifndef UM_INFO_H
#define UM_INFO_H

#include "buf.h"
#include "scan.h"
#include "umem_client.h"

/* Reads an object as heap.info or block.info give it. On a member that is missing or of another type *bad_member (static) names
 * it, false is returned, and *info is not to be used. */
bool um_info_read_heap(struct um_json_slice object, struct umem_heap_info *info, const char **bad_member);
bool um_info_read_block(struct um_json_slice object, struct umem_block_info *info, const char **bad_member);

/* Writes the parameters "flags" and "lifetime", where they differ from the daemon's defaults. */
void um_info_write_flags(struct um_buf *out, uint32_t flags);
void um_info_write_lifetime(struct um_buf *out, enum umem_lifetime lifetime);

#endif
