/* A resize in steps, while all else is done. */
#include "random_store.h"

void end_move(struct run *run)
{
    um_resize_end(run->store, run->moving.resize);
    run->moving = (struct moving){0};
    run->model.moving_bytes = 0;
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

void note_resized(struct run *run, int block)
{
    if (run->moving.resize == NULL || run->moving.block != block)
        return;
    run->moving.begun = false;
    run->model.moving_bytes = 0;
}

/* The block has got its size and has left the memory it had. */
static void arrive(struct run *run, int block, uint64_t size)
{
    if (size != run->model.blocks[block].size)
        freeze_pins(run, block);
    model_resize(&run->model, block, size);
}

static void go_on(struct run *run)
{
    struct moving *moving = &run->moving;
    uint64_t size = run->model.blocks[moving->block].size;
    moving->begun = true;
    run->model.moving_heap = run->model.blocks[moving->block].heap;
    run->model.moving_bytes = moving->size > size ? moving->size - size : 0;
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
        arrive(run, block, size);
        return;
    }
    moving->block = block;
    moving->handle = run->model.blocks[block].handle;
    moving->size = size;
    go_on(run);
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
        go_on(run);
        return;
    }
    if (expected == 0)
        arrive(run, moving->block, moving->size);
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
