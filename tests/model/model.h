/*
 * What a daemon, or a store, has to keep and to answer, written as simply as can be: small arrays that are searched from end to end,
 * and sums that are made anew for each query. Random tests hold the real thing against it: the engine (tests/unit/rpc/random), the
 * store (tests/unit/store), shared heaps that a client scribbles on, and the daemon of the soak.
 *
 * Owns: a copy of every block's bytes. Must not know: the store, the protocol, what is tested; handles are numbers that the test enters.
 *
 * The test acts first, and then has the model do the same. The model raises events; the test decides which observers they notify.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MODEL_OWNERS = 6,
    MODEL_HEAPS = 8, /* the process heap is number 0 */
    MODEL_BLOCKS = 160,
    MODEL_NAMES = 10,
    MODEL_STALE = 64, /* handles of the dead that are remembered, of each kind */
    MODEL_NONE = -1   /* no block, no heap, no owner, no name */
};

/* A session, as the store sees it. */
struct model_owner {
    bool open;
    uint64_t id; /* never used twice; 0: no owner */
};

/* The maker of a record: an owner that may be closed, and the place that it had. */
struct model_maker {
    uint64_t id; /* 0: the daemon itself */
    int place;
};

struct model_heap {
    bool alive;
    bool for_session; /* lifetime */
    bool is_observed; /* where the test keeps that here */
    bool is_shared;
    bool is_used; /* by calls that are not done: its memory outlives it */
    int name;
    uint64_t handle;
    unsigned flags;
    uint64_t initial_size;
    uint64_t maximum_size; /* bytes; 0: growable */
    uint64_t alignment;
    uint64_t peak;     /* bytes */
    uint64_t reserved; /* bytes by which blocks that are being moved will grow */
    struct model_maker maker;
    int locker; /* an owner's place, or NONE */
    unsigned locks;
    uint64_t start;  /* address of its object; 0: not known yet */
    char object[64]; /* that object's name, as JSON has it; "": not known yet */
};

struct model_block {
    bool alive;
    bool for_session; /* lifetime */
    bool is_observed; /* by itself, where the test keeps that here */
    int heap;
    int name;
    unsigned holders; /* bit n: the owner at place n, which is open, holds it */
    uint64_t handle;  /* 0: not known yet */
    uint64_t size;    /* bytes */
    uint64_t address;
    uint64_t offset; /* in the object of a shared heap */
    int64_t created; /* as the daemon reports it */
    struct model_maker maker;
    unsigned char *bytes; /* size + 1 are allocated */
};

enum model_event_kind {
    MODEL_FREED = 1, /* a block, by itself */
    MODEL_LOST,      /* a block that was observed by itself, with its heap */
    MODEL_VANISHED,  /* blocks of a heap that stays and is observed: their owner was closed */
    MODEL_DESTROYED, /* a heap */
    MODEL_UNLOCKED
};

struct model_event {
    enum model_event_kind kind;
    int heap; /* number; a destroyed one's record is still to be read */
    uint64_t heap_handle;
    uint64_t block_handle; /* 0: the event is of no block */
    bool is_observed;      /* the block was, by itself */
};

/* What the test adds to the model; NULL where there is nothing to add. */
struct model_hooks {
    void *context;
    /* A block is about to leave its memory: it is freed or resized. */
    void (*leaves)(void *context, int block);
    /* Whether a block is observed by itself, or a heap as a whole (or everything). */
    bool (*block_is_observed)(void *context, int block);
    bool (*heap_is_observed)(void *context, int heap);
    /* What has happened is whole before the first event is raised. */
    void (*event)(void *context, const struct model_event *event);
};

struct model {
    struct model_hooks hooks;
    unsigned block_places; /* that are used, of `blocks` */
    struct model_owner owners[MODEL_OWNERS];
    struct model_heap heaps[MODEL_HEAPS];
    struct model_block blocks[MODEL_BLOCKS];
    uint64_t stale_blocks[MODEL_STALE]; /* a ring; 0: none yet */
    uint64_t stale_heaps[MODEL_STALE];
    unsigned stale_block_count;
    unsigned stale_heap_count;
    uint64_t bytes_limit; /* of all blocks together */
    uint64_t peak;        /* bytes */
    uint64_t reserved;    /* bytes by which blocks that are being moved will grow, in all heaps */
    uint64_t pinned;      /* bytes that are kept of freed blocks */
};

/* ---- finding ---- */

const char *model_name_text(int name); /* NONE: "" */

/* A live one by its handle or name, or NONE. */
int model_find_block(const struct model *model, uint64_t handle);
int model_find_heap(const struct model *model, uint64_t handle);
int model_block_named(const struct model *model, const char *name);
int model_heap_named(const struct model *model, const char *name);

/* A place that is free for a new block, or NONE; a live block, which is drawn (chance.h), or NONE. */
int model_free_place(const struct model *model);
int model_some_block(const struct model *model, uint64_t *random);

/* ---- sums ---- */

bool model_is_orphan(const struct model_block *block);

/* How many owners hold a block. */
unsigned model_holders(const struct model_block *block);

/* Blocks and bytes in a heap (NONE: any) that an owner (0: anybody) made; the same of orphans. */
uint64_t model_count_blocks(const struct model *model, int heap, uint64_t maker);
uint64_t model_sum_bytes(const struct model *model, int heap, uint64_t maker);
uint64_t model_count_orphans(const struct model *model, uint64_t maker);
uint64_t model_sum_orphans(const struct model *model);

uint64_t model_count_heaps(const struct model *model); /* the process heap is one */

/* The place of the owner that made it and is open, or NONE. */
int model_open_maker(const struct model *model, const struct model_maker *maker);

/* Holds on blocks that others made: an owner's, or all owners' (NONE). */
uint64_t model_count_holds(const struct model *model, int owner);

/* Whether another owner has the heap locked. */
bool model_is_locked(const struct model *model, int heap, int owner);

/* 0, or the error where blocks of a heap grow by so many bytes: UMEM_E_NO_MEMORY for the heap's maximum, UMEM_E_LIMIT_EXCEEDED for
 * the limit of all together. */
int model_check_growth(const struct model *model, int heap, uint64_t more);
int model_check_total(const struct model *model, uint64_t more);

/* ---- changes ---- */

/* A new heap or block in a free place, of zeros; its handle is entered by the test. The maker holds the block. */
void model_add_heap(struct model *model, int heap, const struct model_heap *made);
void model_add_block(struct model *model, int block, const struct model_block *made);

void model_resize(struct model *model, int block, uint64_t size);
void model_note_peaks(struct model *model, int heap);

/* Raises no event. */
void model_kill_block(struct model *model, int block);

void model_free_block(struct model *model, int block);
void model_destroy_heap(struct model *model, int heap);

void model_lock(struct model *model, int heap, int owner);
void model_unlock(struct model *model, int heap); /* once; the last unlock raises the event */

void model_open_owner(struct model *model, int owner, uint64_t id);
void model_close_owner(struct model *model, int owner);

/* Frees what the model keeps. */
void model_deinit(struct model *model);

/* ---- offsets of blocks in the object of a shared heap (model_extents.c) ---- */

enum { MODEL_UNIT = 65536 /* bytes: an object's length and what is committed of it are multiples */ };

/* The free ranges between the blocks of a shared heap. */
struct model_gaps {
    uint64_t bytes;
    uint64_t count;
    uint64_t largest; /* bytes */
};

uint64_t model_reserved(const struct model_heap *heap);             /* bytes of its object */
uint64_t model_taken(const struct model_heap *heap, uint64_t size); /* what a block of this size takes up */
struct model_gaps model_find_gaps(const struct model *model, int heap);

/* The required offset of a new block, or of a resized one, where only blocks take up memory; UINT64_MAX: none. */
uint64_t model_find_gap(const struct model *model, int heap, uint64_t size);
uint64_t model_find_gap_to_resize(const struct model *model, int block, uint64_t size, bool in_place);

/* Whether a block's place is aligned, within the object, and no other block's. */
bool model_place_is_right(const struct model *model, int block);

#endif
