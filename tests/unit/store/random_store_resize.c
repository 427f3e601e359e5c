/* A resize in steps, while all else is done. */
#include "random_store.h"

#include <stdlib.h>
#include <string.h>

/* Bytes by which the block will grow that is being moved; 0: none is. */
static void reserve(struct run *run, int heap, uint64_t bytes)
{
    for (int i = 0; i < MODEL_HEAPS; i++)
        run->model.heaps[i].reserved = 0;
    run->model.heaps[heap].reserved = run->model.reserved = bytes;
}

void end_move(struct run *run)
{
    um_resize_end(run->store, run->moving.resize);
    run->moving = (struct moving){0};
    reserve(run, 0, 0);
}

void end_move_of_the_dead(struct run *run)
{
    bool more = false;
    if (run->moving.resize == NULL || block_verdict(run->store, run->moving.handle) == 0)
        return;
    assert_int_equal(um_resize_step(run->store, run->moving.resize, 1, &more, NULL), UMEM_E_STALE_HANDLE);
    assert_false(more);
    end_move(run);
}

static void freeze_pins(struct run *run, int block)
{
    const struct model_block *from = &run->model.blocks[block];
    for (int i = 0; i < PINS; i++) {
        struct pinned *pinned = &run->pins[i];
        if (pinned->pin == NULL || pinned->block != block)
            continue;
        pinned->size = from->size;
        pinned->frozen = malloc((size_t)from->size + 1);
        memcpy(pinned->frozen, from->bytes, (size_t)from->size);
        pinned->block = NONE;
    }
}

/* A block that is resized otherwise is not being moved any more. */
void note_leaving(struct run *run, int block)
{
    freeze_pins(run, block);
    if (run->moving.resize == NULL || run->moving.block != block)
        return;
    run->moving.begun = false;
    reserve(run, 0, 0);
}

static void keep_moving(struct run *run)
{
    struct moving *moving = &run->moving;
    uint64_t size = run->model.blocks[moving->block].size;
    moving->begun = true;
    reserve(run, run->model.blocks[moving->block].heap, moving->size > size ? moving->size - size : 0);
}

static void begin(struct run *run)
{
    struct moving *moving = &run->moving;
    int block = some_block(run);
    uint64_t size = random_size(run);
    if (block < 0)
        return;
    learn_pinned(run);
    int expected = expected_of_resize(run, block, size);
    int code = um_resize_begin(run->store, block_of(run, block), size, 0, &moving->resize, NULL);
    assert_int_equal(code, expected);
    if (code != 0)
        return;
    if (moving->resize == NULL) {
        model_resize(&run->model, block, size);
        return;
    }
    moving->block = block;
    moving->handle = run->model.blocks[block].handle;
    moving->size = size;
    keep_moving(run);
}

static void step(struct run *run)
{
    struct moving *moving = &run->moving;
    bool more = false;
    uint64_t budget = roll(run, 3) == 0 ? roll(run, 1000000) : roll(run, 50);
    if (roll(run, 2) == 0)
        write_to(run, moving->block);
    learn_pinned(run);
    int expected = moving->begun ? 0 : expected_of_resize(run, moving->block, moving->size);
    assert_int_equal(um_resize_step(run->store, moving->resize, budget, &more, NULL), expected);
    if (expected == 0 && more) {
        keep_moving(run);
        return;
    }
    if (expected == 0)
        model_resize(&run->model, moving->block, moving->size);
    end_move(run);
}

void do_move(struct run *run)
{
    if (run->moving.resize == NULL)
        begin(run);
    else if (roll(run, 50) == 0)
        end_move(run);
    else
        step(run);
}
