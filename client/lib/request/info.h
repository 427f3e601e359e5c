/*
 * What the protocol tells of heaps, blocks, sessions and the daemon, as C structs; and its words (flags, lifetimes, kinds).
 *
 * Owns: the lists of words. Must not know: connections.
 */
#ifndef UM_INFO_H
#define UM_INFO_H

#include "base/buf.h"
#include "lib/answer/scan.h"
#include "umem_client.h"

/* Each reads a result (or an element of a list) into the struct of its name: a um_result_reader. On a member that is missing or of
 * another type the struct stays as it was, and the member's name (static) is returned. */
const char *um_info_read_heap(struct um_json_slice object, void *heap_info);
const char *um_info_read_block(struct um_json_slice object, void *block_info);
const char *um_info_read_session(struct um_json_slice object, void *session_info);

/* A umem_server_stats. Counters that are missing are 0. */
const char *um_info_read_stats(struct um_json_slice object, void *stats);

/* Writes the parameters "flags" and "lifetime", where they differ from the daemon's defaults. */
void um_info_write_flags(struct um_buf *out, uint32_t flags);
void um_info_write_lifetime(struct um_buf *out, enum umem_lifetime lifetime);

#endif
