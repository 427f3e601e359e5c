/* Throwing dice: what a request is about. */
#include "chance.h"
#include "random_engine.h"

uint64_t roll(struct run *run, uint64_t sides)
{
    return chance_roll(&run->random, sides);
}

int some_session(struct run *run)
{
    int first = (int)roll(run, SESSIONS);

    for (int i = 0; i < SESSIONS; i++) {
        if (run->sessions[(first + i) % SESSIONS].open)
            return (first + i) % SESSIONS;
    }
    return 0;
}

int some_block(struct run *run)
{
    return model_some_block(&run->model, &run->random);
}

int some_heap(struct run *run)
{
    int first = (int)roll(run, HEAPS);

    for (int i = 0; i < HEAPS; i++) {
        if (run->model.heaps[(first + i) % HEAPS].alive)
            return (first + i) % HEAPS;
    }
    return 0;
}

/* Mostly small; now and then so large that raw bytes are not copied, or that a call runs in slices. */
uint64_t some_size(struct run *run)
{
    switch (roll(run, 18)) {
    case 0:
        return 0;
    case 1:
        return 60000 + roll(run, 40000);
    case 2:
        return 1024 * 1024 - 20 + roll(run, 600000);
    case 3:
        return roll(run, 9000);
    default:
        return 1 + roll(run, 100);
    }
}

/* Mostly within the block; the first bytes are where sessions meet. */
uint64_t some_offset(struct run *run, uint64_t block_size)
{
    if (one_in(run, 40))
        return block_size + roll(run, 5);
    if (!one_in(run, 3))
        return roll(run, block_size < 16 ? block_size + 1 : 16);
    return roll(run, block_size + 1);
}
