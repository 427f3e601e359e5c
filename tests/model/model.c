#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "base/umem_errors.h"
#include "chance.h"

static const char *const names[MODEL_NAMES] = {"alpha", "beta",      "gamma \"quoted\"", "d\\elta",
                                               "e",     "zeta/zeta", "\xc3\xa9ta",       "process",
                                               "theta", "iota"};

/* ---- finding ---- */

const char *model_name_text(int name)
{
    return name < 0 ? "" : names[name];
}

int model_find_block(const struct model *model, uint64_t handle)
{
    for (int i = 0; i < (int)model->block_places; i++) {
        if (model->blocks[i].alive && model->blocks[i].handle == handle)
            return i;
    }
    return MODEL_NONE;
}

int model_find_heap(const struct model *model, uint64_t handle)
{
    for (int i = 0; i < MODEL_HEAPS; i++) {
        if (model->heaps[i].alive && model->heaps[i].handle == handle)
            return i;
    }
    return MODEL_NONE;
}

static bool is_named(int name, const char *text)
{
    return name != MODEL_NONE && strcmp(model_name_text(name), text) == 0;
}

int model_block_named(const struct model *model, const char *name)
{
    for (int i = 0; i < (int)model->block_places; i++) {
        if (model->blocks[i].alive && is_named(model->blocks[i].name, name))
            return i;
    }
    return MODEL_NONE;
}

int model_heap_named(const struct model *model, const char *name)
{
    for (int i = 0; i < MODEL_HEAPS; i++) {
        if (model->heaps[i].alive && is_named(model->heaps[i].name, name))
            return i;
    }
    return MODEL_NONE;
}

int model_free_place(const struct model *model)
{
    for (int i = 0; i < (int)model->block_places; i++) {
        if (!model->blocks[i].alive)
            return i;
    }
    return MODEL_NONE;
}

int model_some_block(const struct model *model, uint64_t *random)
{
    int first = (int)chance_roll(random, model->block_places);

    for (int i = 0; i < (int)model->block_places; i++) {
        int block = (first + i) % (int)model->block_places;

        if (model->blocks[block].alive)
            return block;
    }
    return MODEL_NONE;
}

/* ---- sums ---- */

bool model_is_orphan(const struct model_block *block)
{
    return block->alive && block->name == MODEL_NONE && block->holders == 0;
}

unsigned model_holders(const struct model_block *block)
{
    unsigned count = 0;

    for (int i = 0; i < MODEL_OWNERS; i++)
        count += block->holders >> i & 1;
    return count;
}

static bool counts(const struct model_block *block, int heap, uint64_t maker)
{
    return block->alive && (heap == MODEL_NONE || block->heap == heap) &&
           (maker == 0 || block->maker.id == maker);
}

uint64_t model_count_blocks(const struct model *model, int heap, uint64_t maker)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < model->block_places; i++)
        sum += counts(&model->blocks[i], heap, maker);
    return sum;
}

uint64_t model_sum_bytes(const struct model *model, int heap, uint64_t maker)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < model->block_places; i++)
        sum += counts(&model->blocks[i], heap, maker) ? model->blocks[i].size : 0;
    return sum;
}

uint64_t model_count_orphans(const struct model *model, uint64_t maker)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < model->block_places; i++)
        sum += counts(&model->blocks[i], MODEL_NONE, maker) && model_is_orphan(&model->blocks[i]);
    return sum;
}

uint64_t model_sum_orphans(const struct model *model)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < model->block_places; i++)
        sum += model_is_orphan(&model->blocks[i]) ? model->blocks[i].size : 0;
    return sum;
}

uint64_t model_count_heaps(const struct model *model)
{
    uint64_t count = 0;

    for (int i = 0; i < MODEL_HEAPS; i++)
        count += model->heaps[i].alive;
    return count;
}

int model_open_maker(const struct model *model, const struct model_maker *maker)
{
    const struct model_owner *owner = &model->owners[maker->place];

    return maker->id != 0 && owner->open && owner->id == maker->id ? maker->place : MODEL_NONE;
}

uint64_t model_count_holds(const struct model *model, int owner)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < model->block_places; i++) {
        const struct model_block *it = &model->blocks[i];
        int maker = it->alive ? model_open_maker(model, &it->maker) : MODEL_NONE;

        for (int j = 0; j < MODEL_OWNERS && it->alive; j++)
            count += (it->holders >> j & 1) != 0 && j != maker && (owner == MODEL_NONE || owner == j);
    }
    return count;
}

bool model_is_locked(const struct model *model, int heap, int owner)
{
    return model->heaps[heap].locker != MODEL_NONE && model->heaps[heap].locker != owner;
}

int model_check_total(const struct model *model, uint64_t more)
{
    uint64_t used = model_sum_bytes(model, MODEL_NONE, 0) + model->reserved + model->pinned;

    return used > model->bytes_limit || more > model->bytes_limit - used ? UMEM_E_LIMIT_EXCEEDED : 0;
}

int model_check_growth(const struct model *model, int heap, uint64_t more)
{
    const struct model_heap *it = &model->heaps[heap];

    if (it->maximum_size != 0 && more > it->maximum_size - model_sum_bytes(model, heap, 0) - it->reserved)
        return UMEM_E_NO_MEMORY;
    return model_check_total(model, more);
}

/* ---- changes ---- */

static void leave(const struct model *model, int block)
{
    if (model->hooks.leaves != NULL)
        model->hooks.leaves(model->hooks.context, block);
}

static bool block_is_observed(const struct model *model, int block)
{
    return model->hooks.block_is_observed != NULL &&
           model->hooks.block_is_observed(model->hooks.context, block);
}

static bool heap_is_observed(const struct model *model, int heap)
{
    return model->hooks.heap_is_observed != NULL && model->hooks.heap_is_observed(model->hooks.context, heap);
}

static void raise_event(const struct model *model, const struct model_event *event)
{
    if (model->hooks.event != NULL)
        model->hooks.event(model->hooks.context, event);
}

static void raise_heap_event(const struct model *model, enum model_event_kind kind, int heap)
{
    const struct model_event event = {.kind = kind, .heap = heap, .heap_handle = model->heaps[heap].handle};

    raise_event(model, &event);
}

static struct model_event block_event(const struct model *model, enum model_event_kind kind, int block)
{
    const struct model_block *it = &model->blocks[block];

    return (struct model_event){.kind = kind,
                                .heap = it->heap,
                                .heap_handle = model->heaps[it->heap].handle,
                                .block_handle = it->handle,
                                .is_observed = block_is_observed(model, block)};
}

/* memcpy() wants memory where there is nothing to copy, too. */
static unsigned char *zeros(uint64_t size)
{
    unsigned char *bytes = calloc(1, (size_t)size + 1);

    if (bytes == NULL)
        abort();
    return bytes;
}

void model_note_peaks(struct model *model, int heap)
{
    uint64_t all = model_sum_bytes(model, MODEL_NONE, 0);
    uint64_t here = model_sum_bytes(model, heap, 0);

    if (all > model->peak)
        model->peak = all;
    if (here > model->heaps[heap].peak)
        model->heaps[heap].peak = here;
}

void model_add_heap(struct model *model, int heap, const struct model_heap *made)
{
    model->heaps[heap] = *made;
    model->heaps[heap].alive = true;
    model->heaps[heap].locker = MODEL_NONE;
}

void model_add_block(struct model *model, int block, const struct model_block *made)
{
    struct model_block *it = &model->blocks[block];

    *it = *made;
    it->alive = true;
    it->holders = 1U << made->maker.place;
    it->bytes = zeros(made->size);
    model_note_peaks(model, made->heap);
}

void model_resize(struct model *model, int block, uint64_t size)
{
    struct model_block *it = &model->blocks[block];
    unsigned char *bytes;

    if (size == it->size)
        return;
    leave(model, block);
    bytes = zeros(size);
    memcpy(bytes, it->bytes, (size_t)(size < it->size ? size : it->size));
    free(it->bytes);
    it->bytes = bytes;
    it->size = size;
    model_note_peaks(model, it->heap);
}

void model_kill_block(struct model *model, int block)
{
    struct model_block *it = &model->blocks[block];

    leave(model, block);
    free(it->bytes);
    it->bytes = NULL;
    it->alive = false;
    model->stale_blocks[model->stale_block_count++ % MODEL_STALE] = it->handle;
}

void model_free_block(struct model *model, int block)
{
    const struct model_event event = block_event(model, MODEL_FREED, block);

    model_kill_block(model, block);
    raise_event(model, &event);
}

/* Everything is freed before the first event. Only blocks that are observed by themselves have events of their own. */
void model_destroy_heap(struct model *model, int heap)
{
    struct model_event events[MODEL_BLOCKS];
    unsigned count = 0;

    for (int i = 0; i < (int)model->block_places; i++) {
        if (!counts(&model->blocks[i], heap, 0))
            continue;
        events[count] = block_event(model, MODEL_LOST, i);
        count += events[count].is_observed;
        model_kill_block(model, i);
    }
    model->heaps[heap].alive = false;
    model->stale_heaps[model->stale_heap_count++ % MODEL_STALE] = model->heaps[heap].handle;
    for (unsigned i = 0; i < count; i++)
        raise_event(model, &events[i]);
    raise_heap_event(model, MODEL_DESTROYED, heap);
}

void model_lock(struct model *model, int heap, int owner)
{
    model->heaps[heap].locker = owner;
    model->heaps[heap].locks++;
}

void model_unlock(struct model *model, int heap)
{
    if (--model->heaps[heap].locks != 0)
        return;
    model->heaps[heap].locker = MODEL_NONE;
    raise_heap_event(model, MODEL_UNLOCKED, heap);
}

void model_open_owner(struct model *model, int owner, uint64_t id)
{
    model->owners[owner] = (struct model_owner){.open = true, .id = id};
}

/* An owner's blocks of lifetime session in heaps that stay: one event a heap, where the heap is observed. */
static void end_blocks(struct model *model, uint64_t owner)
{
    struct model_event events[MODEL_BLOCKS];
    bool vanished[MODEL_HEAPS] = {false};
    unsigned count = 0;

    for (int i = 0; i < (int)model->block_places; i++) {
        const struct model_block *it = &model->blocks[i];

        if (!it->alive || !it->for_session || it->maker.id != owner)
            continue;
        vanished[it->heap] = true;
        events[count] = block_event(model, MODEL_FREED, i);
        count += events[count].is_observed;
        model_kill_block(model, i);
    }
    for (unsigned i = 0; i < count; i++)
        raise_event(model, &events[i]);
    for (int i = 0; i < MODEL_HEAPS; i++) {
        if (vanished[i] && heap_is_observed(model, i))
            raise_heap_event(model, MODEL_VANISHED, i);
    }
}

void model_close_owner(struct model *model, int owner)
{
    uint64_t id = model->owners[owner].id;
    bool unlocked[MODEL_HEAPS];

    model->owners[owner].open = false;
    for (int i = 0; i < MODEL_HEAPS; i++) {
        unlocked[i] = model->heaps[i].alive && model->heaps[i].locker == owner;
        if (unlocked[i]) {
            model->heaps[i].locker = MODEL_NONE;
            model->heaps[i].locks = 0;
        }
    }
    for (unsigned i = 0; i < model->block_places; i++)
        model->blocks[i].holders &= ~(1U << owner);
    for (int i = 1; i < MODEL_HEAPS; i++) {
        if (model->heaps[i].alive && model->heaps[i].for_session && model->heaps[i].maker.id == id)
            model_destroy_heap(model, i);
    }
    end_blocks(model, id);
    for (int i = 0; i < MODEL_HEAPS; i++) {
        if (unlocked[i] && model->heaps[i].alive)
            raise_heap_event(model, MODEL_UNLOCKED, i);
    }
}

void model_deinit(struct model *model)
{
    for (unsigned i = 0; i < model->block_places; i++)
        free(model->blocks[i].bytes);
}
