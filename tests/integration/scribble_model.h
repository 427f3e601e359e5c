/*
 * What the scribble test knows: blocks in three heaps, where they lie, what they hold; and how that is compared with what the daemon
 * tells.
 *
 * Owns: the model. Must not know: what is done with the blocks, and who scribbles.
 */
#ifndef TEST_SCRIBBLE_MODEL_H
#define TEST_SCRIBBLE_MODEL_H

#include "mapped_heap_fixture.h"

enum {
    LENGTH = 1 << 20, /* bytes of each shared heap */
    ALIGNMENT = 16,
    BLOCKS = 64,
    CLIENTS = 3,
    HEAPS = 3 /* scribbled on, shared and not scribbled on, private */
};

/* A block that was allocated at some time. */
struct entry {
    umem_handle handle; /* 0: never used */
    int heap;           /* which of the model's */
    bool alive;
    uint64_t size;        /* bytes */
    uint64_t offset;      /* in the heap's memory; of shared ones */
    unsigned char *bytes; /* what it holds; of no account on the first heap */
};

struct model {
    struct daemon *daemon;
    struct process *scribbler;
    umem_client *clients[CLIENTS]; /* each call is made by one of them */
    umem_handle heaps[HEAPS];
    struct entry entries[BLOCKS];
    uint64_t random;
    uint64_t operations; /* so far */
    uint64_t refused;    /* allocations and resizes for which there was no room */
};

/* The next random number below `limit`; one of the clients. */
uint64_t draw(struct model *model, uint64_t limit);
umem_client *some_client(struct model *model);

/* What a block of this size takes up. */
uint64_t taken(uint64_t size);

/* Where a block begins in its heap's memory. */
uint64_t offset_of(umem_client *client, umem_handle block);

/* Sets what heap.info is to tell of the free space of a shared heap. */
void find_gaps(const struct model *model, int heap, struct umem_heap_info *info);

/* Asks where a block lies: nobody else is there. */
void check_place(struct model *model, struct entry *entry);

/* Reads a block; it holds what was written, but on the first heap, where it may hold anything. */
void check_bytes(struct model *model, const struct entry *entry);

/* Compares what is told of a heap, and of a block, alive or not. */
void check_heap(struct model *model, int heap);
void check_entry(struct model *model, const struct entry *entry);

#endif
