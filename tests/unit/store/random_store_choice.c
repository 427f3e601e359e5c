/* Throwing dice: what a random operation is about. */
#include "chance.h"
#include "random_store.h"

uint64_t roll(struct run *run, uint64_t sides)
{
    return chance_roll(&run->random, sides);
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

int some_block(struct run *run)
{
    return model_some_block(&run->model, &run->random);
}

int some_heap(struct run *run)
{
    int heap = (int)roll(run, MODEL_HEAPS);
    return run->model.heaps[heap].alive ? heap : 0;
}

int some_owner(struct run *run)
{
    for (;;) {
        int owner = (int)roll(run, OWNERS);
        if (run->model.owners[owner].open)
            return owner;
    }
}
