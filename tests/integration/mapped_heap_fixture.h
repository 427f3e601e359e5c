/*
 * What the tests of shared heaps share, on the client's side.
 *
 * Owns: nothing. Must not know: how memory is mapped.
 */
#ifndef TEST_SHARED_H
#define TEST_SHARED_H

#include "daemon_fixture.h"

/* A shared heap of 4 MiB at most, and a block of it. */
umem_handle new_shared_heap(umem_client *client);
umem_handle new_shared_block(umem_client *client, umem_handle heap, uint64_t size);

/* The name of the POSIX shared memory object that contains a block. */
void object_name(umem_client *client, umem_handle block, char name[64]);

/* Maps a block. */
unsigned char *mapped(umem_client *client, umem_handle block);

#endif
