/*
 * A run of random operations: a store, the model of it, and what compares them.
 *
 * Owns: both, and the pins. Must not know: how an operation is chosen.
 */
#ifndef UM_TEST_STORE_RANDOM_RUN_H
#define UM_TEST_STORE_RANDOM_RUN_H

#include "model.h"
#include "store_fixture.h"

enum {
    OWNERS = 5, /* owners */
    BLOCKS = 160,
    PINS = 12,
    EVENTS = 400,   /* most that one step can cause */
    KEEP_NAME = -2, /* beside the model's names and NONE */
    NONE = MODEL_NONE
};

struct pinned {
    struct um_pin *pin;    /* NULL: this place is free */
    int block;             /* number in the model; -1 once the block has left this memory */
    uint64_t handle;       /* of that block */
    unsigned char *frozen; /* the bytes that the memory still contains when the block has left it */
    uint64_t size;         /* bytes in `frozen` */
};

/* A resize in steps. */
struct moving {
    struct um_resize *resize; /* NULL: there is none */
    int block;                /* number in the model */
    uint64_t handle;          /* of that block */
    uint64_t size;            /* that it is to have */
    bool begun;               /* it is being moved, not waiting */
};

/* What the store, or the model, has raised. */
struct seen {
    uint64_t kind;  /* of enum model_event_kind */
    uint64_t heap;  /* handle */
    uint64_t block; /* handle, or 0 */
};

struct run {
    struct um_store *store;
    struct um_owner *owners[OWNERS]; /* NULL: closed */
    struct model model;
    uint64_t last_id; /* of owners */
    bool observes_all;
    struct pinned pins[PINS];
    struct moving moving;
    struct seen events[EVENTS]; /* what the store has raised since the last check_step() */
    unsigned event_count;
    struct seen expected[EVENTS]; /* and what the model has */
    unsigned expected_count;
    struct um_store_stats stats_seen; /* the store's, when it raised the first of them */
    struct um_heap_check check;       /* in progress, if it is begun */
    bool check_begun;
    uint64_t random; /* state of the generator */
};

/* ---- random_store_choice.c ---- */

uint64_t roll(struct run *run, uint64_t sides);
uint64_t random_size(struct run *run);

/* The number of a live block, or -1 where there is none; of a live heap, often the process heap; of an open owner. */
int some_block(struct run *run);
int some_heap(struct run *run);
int some_owner(struct run *run);

/* ---- random_store_events.c: observing, locking, and what is done in slices ---- */

/* Has the store's events and the model's noted in the run. */
void watch_events(struct run *run);

/* Whether a heap is observed, or everything. */
bool is_observed(const struct run *run, int heap);

void do_observe(struct run *run);
void do_lock(struct run *run);
void do_validate(struct run *run);
void do_find_at(struct run *run);

/* ---- random_store_resize.c ---- */

/* Begins a resize in steps, or does a step of the one there is. */
void do_move(struct run *run);

/* To be called before a block leaves its memory. */
void note_leaving(struct run *run, int block);

/* Ends the resize if its block is freed, or in any case. */
void end_move_of_the_dead(struct run *run);
void end_move(struct run *run);

/* ---- test_random_store.c ---- */

/* Has the store count all that pins keep, and the model learn how much that is. */
void learn_pinned(struct run *run);

/* What a resize should answer: a block that is pinned moves, and what it had counts until the pin is released. */
int expected_of_resize(const struct run *run, int block, uint64_t size);

/* Writes something somewhere in a block, and in the model of it. */
void write_to(struct run *run, int block);

/* ---- random_store_check.c ---- */

/* A name as the store wants it: "" for none, NULL to keep what there is. */
const char *name_text(int name);

/* What the store finds for a number in the model, which must be alive. */
struct um_block *block_of(struct run *run, int block);
struct um_heap *heap_of(struct run *run, int heap);

/* Compares sums, events and the handles of the dead: after each step. */
void check_step(struct run *run);

/* Compares everything, byte by byte. */
void check_all(struct run *run);

#endif
