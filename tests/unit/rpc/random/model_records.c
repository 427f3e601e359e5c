/* The model's heaps and blocks: who made them, who holds them, and the sums that follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_engine.h"

static const char *const names[NAMES] = {"alpha", "beta",      "gamma \"quoted\"", "d\\elta",
                                         "e",     "zeta/zeta", "\xc3\xa9ta",       "process"};

const char *name_text(int name)
{
    return name < 0 ? "" : names[name];
}

/* ---- finding ---- */

int find_block(const struct run *run, uint64_t handle)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (run->blocks[i].alive && run->blocks[i].handle == handle)
            return i;
    }
    return NONE;
}

int find_heap(const struct run *run, uint64_t handle)
{
    for (int i = 0; i < HEAPS; i++) {
        if (run->heaps[i].alive && run->heaps[i].handle == handle)
            return i;
    }
    return NONE;
}

int block_named(const struct run *run, const char *name)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (run->blocks[i].alive && run->blocks[i].name != NONE &&
            strcmp(name_text(run->blocks[i].name), name) == 0)
            return i;
    }
    return NONE;
}

int heap_named(const struct run *run, const char *name)
{
    for (int i = 0; i < HEAPS; i++) {
        if (run->heaps[i].alive && run->heaps[i].name != NONE &&
            strcmp(name_text(run->heaps[i].name), name) == 0)
            return i;
    }
    return NONE;
}

/* Every generation of a slot was given out before the next: a number of the right kind that is not alive
 * was so once, unless its generation is 0, which no handle has. */
bool is_stale(const struct run *run, bool block, uint64_t handle)
{
    (void)run;
    return (handle & 3) == (block ? 2U : 1U) && handle >> 28 != 0;
}

/* ---- sums ---- */

bool is_orphan(const struct model_block *block)
{
    return block->alive && block->name == NONE && block->holders == 0;
}

unsigned count_bits(unsigned bits)
{
    unsigned count = 0;

    for (; bits != 0; bits >>= 1)
        count += bits & 1;
    return count;
}

static bool counts(const struct model_block *block, int heap, uint64_t maker)
{
    return block->alive && (heap == NONE || block->heap == heap) &&
           (maker == 0 || block->maker.session == maker);
}

uint64_t sum_blocks(const struct run *run, int heap, uint64_t maker)
{
    uint64_t sum = 0;

    for (int i = 0; i < BLOCKS; i++)
        sum += counts(&run->blocks[i], heap, maker);
    return sum;
}

uint64_t sum_bytes(const struct run *run, int heap, uint64_t maker)
{
    uint64_t sum = 0;

    for (int i = 0; i < BLOCKS; i++)
        sum += counts(&run->blocks[i], heap, maker) ? run->blocks[i].size : 0;
    return sum;
}

uint64_t count_heaps(const struct run *run)
{
    uint64_t count = 0;

    for (int i = 0; i < HEAPS; i++)
        count += run->heaps[i].alive;
    return count;
}

int open_maker(const struct run *run, const struct maker *maker)
{
    const struct session *it = &run->sessions[maker->place];

    return maker->session != 0 && it->open && it->id == maker->session ? maker->place : NONE;
}

uint64_t count_holds(const struct run *run, int session)
{
    uint64_t count = 0;

    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *it = &run->blocks[i];
        int maker = it->alive ? open_maker(run, &it->maker) : NONE;

        for (int j = 0; j < SESSIONS && it->alive; j++)
            count += (it->holders >> j & 1) != 0 && j != maker && (session == NONE || session == j);
    }
    return count;
}

void note_peaks(struct run *run, int heap)
{
    uint64_t all = sum_bytes(run, NONE, 0);
    uint64_t here = sum_bytes(run, heap, 0);

    if (all > run->peak)
        run->peak = all;
    if (here > run->heaps[heap].peak)
        run->heaps[heap].peak = here;
}

bool is_locked(const struct run *run, int heap, int session)
{
    return run->heaps[heap].locker != NONE && run->heaps[heap].locker != session;
}

/* ---- changes ---- */

/* What is being sent of a block stays as it was when its memory stops being the block's. */
void freeze_tails(struct run *run, int block)
{
    const struct model_block *from = &run->blocks[block];

    for (int i = 0; i < SESSIONS; i++) {
        struct tail *tail = &run->sessions[i].tail;

        if (!tail->is_on || tail->frozen != NULL || tail->span.block != from->handle)
            continue;
        tail->frozen = malloc((size_t)tail->span.size + 1);
        MUST(tail->frozen != NULL);
        memcpy(tail->frozen, from->bytes + tail->span.offset, (size_t)tail->span.size);
    }
}

void set_size(struct run *run, int block, uint64_t size)
{
    struct model_block *it = &run->blocks[block];
    unsigned char *bytes;

    if (size == it->size)
        return;
    freeze_tails(run, block);
    part_moves(run, it->handle);
    bytes = calloc(1, (size_t)size + 1);
    MUST(bytes != NULL);
    memcpy(bytes, it->bytes, (size_t)(size < it->size ? size : it->size));
    free(it->bytes);
    it->bytes = bytes;
    it->size = size;
    note_peaks(run, it->heap);
}

void kill_block(struct run *run, int block)
{
    struct model_block *it = &run->blocks[block];

    freeze_tails(run, block);
    part_moves(run, it->handle);
    free(it->bytes);
    it->bytes = NULL;
    it->alive = false;
    run->stale_blocks[run->stale_block_count++ % STALE] = it->handle;
}

void free_block(struct run *run, int block)
{
    uint64_t handle = run->blocks[block].handle;
    uint64_t heap = run->heaps[run->blocks[block].heap].handle;

    kill_block(run, block);
    tell_freed(run, handle, heap);
}

/* Everything is gone before anybody is told. Only blocks that somebody observes by themselves are told one
 * by one. */
void destroy_heap(struct run *run, int heap)
{
    struct model_heap *it = &run->heaps[heap];
    uint64_t observed[BLOCKS];
    unsigned count = 0;

    for (int i = 0; i < BLOCKS; i++) {
        if (!run->blocks[i].alive || run->blocks[i].heap != heap)
            continue;
        if (block_is_observed(run, run->blocks[i].handle))
            observed[count++] = run->blocks[i].handle;
        kill_block(run, i);
    }
    it->alive = false;
    run->stale_heaps[run->stale_heap_count++ % STALE] = it->handle;
    for (unsigned i = 0; i < count; i++)
        tell_block_lost(run, observed[i]);
    tell_destroyed(run, it->handle);
}

void unlock_heap(struct run *run, int heap)
{
    run->heaps[heap].locker = NONE;
    run->heaps[heap].locks = 0;
    tell_unlocked(run, run->heaps[heap].handle);
}

/* A session's blocks of lifetime session in heaps that stay: told as many, where the heap is observed. */
static void end_blocks(struct run *run, uint64_t session)
{
    bool vanished[HEAPS] = {false};
    uint64_t observed[BLOCKS];
    uint64_t heaps[BLOCKS];
    unsigned count = 0;

    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *it = &run->blocks[i];

        if (!it->alive || !it->for_session || it->maker.session != session)
            continue;
        vanished[it->heap] = true;
        if (block_is_observed(run, it->handle)) {
            heaps[count] = run->heaps[it->heap].handle;
            observed[count++] = it->handle;
        }
        kill_block(run, i);
    }
    for (unsigned i = 0; i < count; i++)
        tell_freed(run, observed[i], heaps[i]);
    for (int i = 0; i < HEAPS; i++) {
        if (vanished[i] && heap_is_observed(run, run->heaps[i].handle))
            tell_many(run, run->heaps[i].handle);
    }
}

void end_session_blocks(struct run *run, int session)
{
    uint64_t id = run->sessions[session].id;
    bool unlocked[HEAPS];

    for (int i = 0; i < HEAPS; i++) {
        unlocked[i] = run->heaps[i].alive && run->heaps[i].locker == session;
        if (unlocked[i]) {
            run->heaps[i].locker = NONE;
            run->heaps[i].locks = 0;
        }
    }
    for (int i = 0; i < BLOCKS; i++)
        run->blocks[i].holders &= ~(1U << session);
    for (int i = 1; i < HEAPS; i++) {
        if (run->heaps[i].alive && run->heaps[i].for_session && run->heaps[i].maker.session == id)
            destroy_heap(run, i);
    }
    end_blocks(run, id);
    for (int i = 0; i < HEAPS; i++) {
        if (unlocked[i] && run->heaps[i].alive)
            tell_unlocked(run, run->heaps[i].handle);
    }
}
