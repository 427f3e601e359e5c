/*
 * Shared heaps that a client has mapped.
 *
 * Owns: their list. Must not know: how the system maps them (segment.h).
 */
#ifndef UM_MAP_H
#define UM_MAP_H

struct um_mapped;

/* Unmaps all of a client's, however often they are in use. */
void um_mapped_free_all(struct um_mapped *mapped);

#endif
