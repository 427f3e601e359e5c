/*
 * The examples of test_every_method.c, and the world that they run in.
 *
 * Owns: the table. Must not know: how an example is run.
 */
#ifndef METHOD_EXAMPLES_H
#define METHOD_EXAMPLES_H

#include <stdint.h>

struct fixture;

enum how {
    ALONE,
    IN_A_BATCH, /* of one */
    TIMES_OUT,  /* waits until its time is up */
    CANCELLED,  /* waits until it is taken back */
    SYNCED,     /* waits until a sync has ended */
    UNWRITTEN   /* is answered, but what it changed could not be written */
};

struct example {
    const char *method;
    int code;           /* that is answered; 0: a result */
    const char *params; /* an object; $ and a word stand for the numbers of struct numbers */
    enum how how;
    void (*prepare)(struct fixture *fixture);
    void (*repair)(struct fixture *fixture);
};

/* What the examples' params can name, beside the blocks and heaps of prepare_all(). */
struct numbers {
    uint64_t stale_block;
    uint64_t stale_heap;
    uint64_t watch;
    uint64_t address; /* of block "b" */
};

/* The table's rows; the last has no method. */
extern const struct example examples[];

/* Heap "h" with block "b", block "c" of the process heap, block "large", heap "mine" that the session has
 * locked, and heap "locked", which another has, with block "shut". */
/* Has the sync end that heap "h" waits for. */
void end_sync(struct fixture *fixture);

void prepare_all(struct fixture *fixture, struct numbers *numbers);

#endif
