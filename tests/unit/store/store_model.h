/*
 * What a store should do, written as simply as can be: small arrays that are searched from end to end, and
 * sums that are made anew whenever somebody asks.
 *
 * Owns: its own copy of every block's bytes. Must not know: the store; handles are numbers that the test
 * enters.
 */
#ifndef UM_TEST_STORE_MODEL_H
#define UM_TEST_STORE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MODEL_PEOPLE = 5,
    MODEL_HEAPS = 8, /* the process heap is number 0 */
    MODEL_BLOCKS = 160,
    MODEL_NAMES = 10,   /* blocks' names: 0 to 9; -1 is none */
    MODEL_STALE = 64,   /* handles of the dead that are remembered */
    MODEL_EVENTS = 400, /* most that one step can cause */
    MODEL_NO_NAME = -1,
    MODEL_KEEP_NAME = -2 /* for model_change() */
};

struct model_person {
    bool open;
    uint64_t id; /* never used twice */
};

struct model_heap {
    bool alive;
    bool session; /* lifetime */
    bool observed;
    uint64_t handle;
    uint64_t owner;   /* id of who made it; 0: nobody */
    uint64_t locker;  /* id of who has it locked; 0: nobody */
    unsigned locks;   /* how often */
    uint64_t maximum; /* bytes; 0: growable */
    uint64_t peak;    /* bytes */
};

struct model_block {
    bool alive;
    bool session; /* lifetime */
    bool observed;
    int heap;
    int name;
    unsigned holders; /* bit n: person n, who is open, holds it */
    uint64_t handle;
    uint64_t maker; /* id */
    uint64_t size;
    unsigned char *bytes; /* what it should contain; size + 1 bytes are allocated */
};

enum model_event_kind { MODEL_FREED = 1, MODEL_VANISHED, MODEL_DESTROYED, MODEL_UNLOCKED };

struct model_event {
    uint64_t kind;  /* of enum model_event_kind */
    uint64_t heap;  /* handle */
    uint64_t block; /* handle, or 0 */
};

struct model {
    struct model_person people[MODEL_PEOPLE];
    struct model_heap heaps[MODEL_HEAPS];
    struct model_block blocks[MODEL_BLOCKS];
    bool observes_all;
    int moving_heap;       /* where a block is being moved */
    uint64_t moving_bytes; /* by which it will grow; 0 too where none is being moved */
    uint64_t pinned_bytes; /* of blocks that are gone, as the store counts them */
    uint64_t bytes_limit;
    uint64_t peak; /* bytes */
    uint64_t last_id;
    uint64_t stale_blocks[MODEL_STALE]; /* a ring; 0: none yet */
    uint64_t stale_heaps[MODEL_STALE];
    unsigned stale_block_count;
    unsigned stale_heap_count;
    struct model_event events[MODEL_EVENTS]; /* what should have been told since model_forget_events() */
    unsigned event_count;
};

struct model_sums {
    uint64_t heaps, blocks, bytes, orphaned_blocks, orphaned_bytes;
};

bool model_is_orphan(const struct model_block *block);
struct model_sums model_sums(const struct model *model);

/* Live blocks and bytes in a heap (by number; -1: any) that a person (by id; 0: anybody) made. */
uint64_t model_count(const struct model *model, int heap, uint64_t maker, bool orphans_only);
uint64_t model_bytes(const struct model *model, int heap, uint64_t maker);

bool model_is_observed(const struct model *model, const struct model_block *block);

/* The live block with a name, or -1. */
int model_named(const struct model *model, int name);

/* What is to be answered: 0 or the error. */
int model_check_alloc(const struct model *model, int heap, uint64_t size, int name);
int model_check_resize(const struct model *model, int block, uint64_t size);

/* Whether all blocks together may have so many more bytes. */
int model_check_total(const struct model *model, uint64_t added);
int model_check_change(const struct model *model, int block, int name);
int model_check_lock(const struct model *model, int heap, int person);
int model_check_unlock(const struct model *model, int heap, int person);

/* What happens where the answer is 0. */
void model_alloc(struct model *model, int block, int heap, int person, uint64_t size, int name, bool session);
void model_resize(struct model *model, int block, uint64_t size);
void model_change(struct model *model, int block, int person, int name, const bool *session);
void model_lock(struct model *model, int heap, int person);
void model_unlock(struct model *model, int heap);
void model_free(struct model *model, int block);
void model_destroy(struct model *model, int heap);
void model_enter(struct model *model, int person);
void model_leave(struct model *model, int person);

void model_forget_events(struct model *model);

#endif
