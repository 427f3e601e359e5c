/*
 * The protocol's descriptions of heaps, blocks, sessions and the daemon as C structs; and its words (flags, lifetimes, kinds).
 *
 * Owns: the lists of words. Must not know: connections.
 */
#ifndef UM_INFO_H
#define UM_INFO_H

#include "base/buf.h"
#include "umem_client.h"
#include "wire/json_read.h"

/* Each reads a result (or an element of a list) into the struct of its name: a um_result_reader. On a member that is missing or of
 * another type the struct stays as it was, and the member's name (static) is returned. */
const char *um_info_read_heap(const struct um_json *object, void *heap_info);
const char *um_info_read_block(const struct um_json *object, void *block_info);
const char *um_info_read_session(const struct um_json *object, void *session_info);

/* The size classes of a result of heap.info, as a umem_size_classes: none where it has no such member. Those beyond
 * UMEM_SIZE_CLASSES_MAXIMUM are left out. */
const char *um_info_read_size_classes(const struct um_json *object, void *size_classes);

enum { UM_OBJECT_NAME_SIZE = 128 /* bytes for an object's name, its end counted: they have about 40 */ };

/* Where a block of a shared heap lies. */
struct um_block_location {
    char name[UM_OBJECT_NAME_SIZE]; /* the heap's object */
    uint64_t offset;                /* bytes */
    uint64_t size;                  /* bytes */
};

/* The result of block.map, as a um_block_location. */
const char *um_info_read_location(const struct um_json *object, void *block_location);

/* A umem_server_stats. Counters that are missing are 0. */
const char *um_info_read_stats(const struct um_json *object, void *stats);

/* An entry of server.methods. */
const char *um_info_read_method(const struct um_json *object, void *method_stats);

/* Writes the parameters "flags" and "lifetime", where they differ from the daemon's defaults. */
void um_info_write_flags(struct um_buf *out, uint32_t flags);
void um_info_write_lifetime(struct um_buf *out, enum umem_lifetime lifetime);

#endif
