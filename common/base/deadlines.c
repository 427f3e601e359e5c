#include "base/deadlines.h"

#include <stdlib.h>

#include "umem_errors.h"

enum { FIRST_CAPACITY = 16 };

void um_deadlines_deinit(struct um_deadlines *deadlines)
{
    free(deadlines->row);
    *deadlines = (struct um_deadlines){NULL, 0, 0};
}

static void put(struct um_deadlines *deadlines, size_t index, struct um_deadline *entry)
{
    deadlines->row[index] = entry;
    entry->place = index + 1;
}

/* Moves an entry towards the front until its parent is no later. */
static void move_up(struct um_deadlines *deadlines, size_t index, struct um_deadline *entry)
{
    while (index != 0) {
        size_t parent = (index - 1) / 2;

        if (deadlines->row[parent]->at_ms <= entry->at_ms)
            break;
        put(deadlines, index, deadlines->row[parent]);
        index = parent;
    }
    put(deadlines, index, entry);
}

/* Moves an entry towards the back until neither child is earlier. */
static void move_down(struct um_deadlines *deadlines, size_t index, struct um_deadline *entry)
{
    for (;;) {
        size_t child = 2 * index + 1;

        if (child >= deadlines->count)
            break;
        if (child + 1 < deadlines->count && deadlines->row[child + 1]->at_ms < deadlines->row[child]->at_ms)
            child++;
        if (entry->at_ms <= deadlines->row[child]->at_ms)
            break;
        put(deadlines, index, deadlines->row[child]);
        index = child;
    }
    put(deadlines, index, entry);
}

int um_deadlines_add(struct um_deadlines *deadlines, struct um_deadline *entry, uint64_t at_ms)
{
    if (deadlines->count == deadlines->capacity) {
        size_t capacity = deadlines->capacity == 0 ? FIRST_CAPACITY : 2 * deadlines->capacity;
        struct um_deadline **row = realloc(deadlines->row, capacity * sizeof(struct um_deadline *));

        if (row == NULL)
            return UMEM_E_NO_MEMORY;
        deadlines->row = row;
        deadlines->capacity = capacity;
    }
    entry->at_ms = at_ms;
    deadlines->count++;
    move_up(deadlines, deadlines->count - 1, entry);
    return UMEM_OK;
}

void um_deadlines_remove(struct um_deadlines *deadlines, struct um_deadline *entry)
{
    size_t index = entry->place - 1;
    struct um_deadline *last;

    if (entry->place == 0)
        return;
    entry->place = 0;
    last = deadlines->row[--deadlines->count];
    if (last == entry)
        return;
    if (index != 0 && last->at_ms < deadlines->row[(index - 1) / 2]->at_ms)
        move_up(deadlines, index, last);
    else
        move_down(deadlines, index, last);
}

struct um_deadline *um_deadlines_first(const struct um_deadlines *deadlines)
{
    return deadlines->count != 0 ? deadlines->row[0] : NULL;
}
