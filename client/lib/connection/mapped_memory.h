/*
 * The shared memory of a heap, in this process.
 *
 * Owns: one mapping of one object. Must not know: blocks, clients, who else maps it.
 *
 * mapped_memory_posix.c and mapped_memory_win32.c keep this contract.
 */
#ifndef UM_SEGMENT_H
#define UM_SEGMENT_H

#include <stddef.h>

#include "lib/connection/transport.h"

/* Mappings start at a multiple, as they do in the daemon, so that blocks are aligned here as there. */
enum { UM_SEGMENT_ALIGNMENT = 65536 };

/* Maps the whole object of this name. UMEM_E_UNSUPPORTED: this process cannot open it; Windows: also where it belongs to another logon
 * session, whose `Local\` names are not seen here. UMEM_E_OUT_OF_MEMORY: no address space is left for it. *reason tells more. */
int um_mapped_memory_open(const char *name, unsigned char **start, size_t *length, struct um_reason *reason);

void um_mapped_memory_close(unsigned char *start, size_t length);

#endif
