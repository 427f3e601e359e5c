/*
 * What is due when: a binary heap of points in time.
 *
 * Owns: the row of pointers; the entries lie inside the members. Must not know: what is due, or any clock.
 */
#ifndef UM_DEADLINES_H
#define UM_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member's entry. One that is all zero stands in no heap. */
struct um_deadline {
    uint64_t at_ms; /* when, on the caller's clock */
    size_t place;   /* in the row, counted from 1; 0: in none */
};

struct um_deadlines {
    struct um_deadline **row; /* row[0] is the earliest; each is no later than the two at 2i + 1 and 2i + 2 */
    size_t count;
    size_t capacity; /* pointers allocated */
};

/* Frees the row. Its entries must be removed. Fine on one that is all zero, which is an empty one. */
void um_deadlines_deinit(struct um_deadlines *deadlines);

/* Adds an entry that stands in none. UMEM_E_NO_MEMORY. */
int um_deadlines_add(struct um_deadlines *deadlines, struct um_deadline *entry, uint64_t at_ms);

/* Takes an entry out; does nothing to one that stands in none. */
void um_deadlines_remove(struct um_deadlines *deadlines, struct um_deadline *entry);

/* The earliest entry, or NULL. */
struct um_deadline *um_deadlines_first(const struct um_deadlines *deadlines);

#endif
