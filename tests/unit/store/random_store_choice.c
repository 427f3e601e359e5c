/* Throwing dice: what a random operation is about. */
#include "random_store.h"

uint64_t roll(struct run *run, uint64_t sides)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (run->random >> 11) % sides;
}

uint64_t random_size(struct run *run)
{
    switch (roll(run, 10)) {
    case 0:
        return roll(run, 4);
    case 1:
        return roll(run, 3000000);
    case 2:
        return (1 << 20) - 10 + roll(run, 20);
    case 3:
        return roll(run, 100000);
    default:
        return roll(run, 300);
    }
}

/* The number of a live block, or -1 where there is none. */
int some_block(struct run *run)
{
    int first = (int)roll(run, MODEL_BLOCKS);
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        int block = (first + i) % MODEL_BLOCKS;
        if (run->model.blocks[block].alive)
            return block;
    }
    return -1;
}

int some_heap(struct run *run)
{
    int heap = (int)roll(run, MODEL_HEAPS);
    return run->model.heaps[heap].alive ? heap : 0;
}

int some_person(struct run *run)
{
    for (;;) {
        int person = (int)roll(run, MODEL_PEOPLE);
        if (run->model.people[person].open)
            return person;
    }
}
