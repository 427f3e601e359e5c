/*
 * What the scribble test compares: blocks in three heaps, their addresses and bytes, and the daemon's answers about
 * them.
 *
 * Owns: the run, with the model. Must not know: what is done with the blocks, and which process scribbles.
 */
#ifndef TEST_SCRIBBLE_MODEL_H
#define TEST_SCRIBBLE_MODEL_H

#include "mapped_heap_fixture.h"
#include "model.h"

enum {
    LENGTH = 1 << 20, /* bytes of each shared heap */
    ALIGNMENT = 16,
    BLOCKS = 64,
    ANCHOR = BLOCKS, /* the number of a block that stays, by which the heap is mapped that is scribbled on */
    CLIENTS = 3,
    HEAPS = 3, /* scribbled on, shared and not scribbled on, private: their numbers in the model */
    PRIVATE = 2
};

struct run {
    struct daemon *daemon;
    struct process *scribbler;
    umem_client *clients[CLIENTS]; /* each call is made by one of them */
    struct model model;            /* what the blocks of the first heap hold is of no account */
    uint64_t random;
    uint64_t operations; /* so far */
    uint64_t refused;    /* allocations and resizes for which there was no memory */
};

/* The next random number below `limit`; one of the clients. */
uint64_t draw(struct run *run, uint64_t limit);
umem_client *some_client(struct run *run);

/* Where a block begins in its heap's memory. */
uint64_t offset_of(umem_client *client, umem_handle block);

/* Requests the address of a block, if it is in a shared heap: others have none. */
void check_place(struct run *run, int block);

/* Reads a block; it holds what was written, but on the first heap, where it may hold anything. */
void check_bytes(struct run *run, int block);

/* Compares what the daemon answers about a heap, and about a block, alive or not. */
void check_heap(struct run *run, int heap);
void check_block(struct run *run, int block);

/* Whether a block of that size fits between the others of a heap. */
bool fits(const struct run *run, int heap, uint64_t size);

#endif
