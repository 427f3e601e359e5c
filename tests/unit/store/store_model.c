#include "store_model.h"

#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"

bool model_is_orphan(const struct model_block *block)
{
    return block->alive && block->name == MODEL_NO_NAME && block->holders == 0;
}

static bool counts(const struct model_block *block, int heap, uint64_t maker)
{
    return block->alive && (heap < 0 || block->heap == heap) && (maker == 0 || block->maker == maker);
}

uint64_t model_count(const struct model *model, int heap, uint64_t maker, bool orphans_only)
{
    uint64_t count = 0;
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *block = &model->blocks[i];
        count += counts(block, heap, maker) && (!orphans_only || model_is_orphan(block));
    }
    return count;
}

uint64_t model_bytes(const struct model *model, int heap, uint64_t maker)
{
    uint64_t bytes = 0;
    for (int i = 0; i < MODEL_BLOCKS; i++)
        bytes += counts(&model->blocks[i], heap, maker) ? model->blocks[i].size : 0;
    return bytes;
}

struct model_sums model_sums(const struct model *model)
{
    struct model_sums sums = {
        .blocks = model_count(model, -1, 0, false),
        .bytes = model_bytes(model, -1, 0),
        .orphaned_blocks = model_count(model, -1, 0, true),
    };
    for (int i = 0; i < MODEL_HEAPS; i++)
        sums.heaps += model->heaps[i].alive;
    for (int i = 0; i < MODEL_BLOCKS; i++)
        sums.orphaned_bytes += model_is_orphan(&model->blocks[i]) ? model->blocks[i].size : 0;
    return sums;
}

int model_named(const struct model *model, int name)
{
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (model->blocks[i].alive && model->blocks[i].name == name)
            return i;
    }
    return -1;
}

int model_check_total(const struct model *model, uint64_t added)
{
    uint64_t bytes = model_bytes(model, -1, 0) + model->moving_bytes + model->pinned_bytes;
    return bytes + added > model->bytes_limit ? UMEM_E_LIMIT_EXCEEDED : 0;
}

static int check_bytes(const struct model *model, int heap, uint64_t added)
{
    uint64_t maximum = model->heaps[heap].maximum;
    uint64_t moving = model->moving_bytes;
    if (maximum != 0 &&
        model_bytes(model, heap, 0) + added + (heap == model->moving_heap ? moving : 0) > maximum)
        return UMEM_E_NO_MEMORY;
    return model_check_total(model, added);
}

int model_check_alloc(const struct model *model, int heap, uint64_t size, int name)
{
    int code = check_bytes(model, heap, size);
    if (code == 0 && name >= 0 && model_named(model, name) >= 0)
        code = UMEM_E_NAME_TAKEN;
    return code;
}

int model_check_resize(const struct model *model, int block, uint64_t size)
{
    const struct model_block *found = &model->blocks[block];
    return size > found->size ? check_bytes(model, found->heap, size - found->size) : 0;
}

int model_check_change(const struct model *model, int block, int name)
{
    int bearer = name >= 0 ? model_named(model, name) : -1;
    return bearer >= 0 && bearer != block ? UMEM_E_NAME_TAKEN : 0;
}

static void note_peaks(struct model *model, int heap)
{
    uint64_t bytes = model_bytes(model, heap, 0);
    if (bytes > model->heaps[heap].peak)
        model->heaps[heap].peak = bytes;
    bytes = model_bytes(model, -1, 0);
    if (bytes > model->peak)
        model->peak = bytes;
}

void model_alloc(struct model *model, int block, int heap, int person, uint64_t size, int name, bool session)
{
    model->blocks[block] = (struct model_block){
        .alive = true,
        .session = session,
        .heap = heap,
        .name = name,
        .holders = 1U << person,
        .maker = model->people[person].id,
        .size = size,
        .bytes = calloc(1, (size_t)size + 1),
    };
    note_peaks(model, heap);
}

void model_resize(struct model *model, int block, uint64_t size)
{
    struct model_block *found = &model->blocks[block];
    unsigned char *bytes = calloc(1, (size_t)size + 1);
    memcpy(bytes, found->bytes, (size_t)(size < found->size ? size : found->size));
    free(found->bytes);
    found->bytes = bytes;
    found->size = size;
    note_peaks(model, found->heap);
}

void model_change(struct model *model, int block, int person, int name, const bool *session)
{
    struct model_block *found = &model->blocks[block];
    if (model_is_orphan(found) || (session != NULL && *session)) {
        found->maker = model->people[person].id;
        found->holders |= 1U << person;
    }
    if (session != NULL)
        found->session = *session;
    if (name != MODEL_KEEP_NAME)
        found->name = name;
}

static bool is_observed(const struct model *model, int heap)
{
    return model->observes_all || model->heaps[heap].observed;
}

bool model_is_observed(const struct model *model, const struct model_block *block)
{
    return block->observed || is_observed(model, block->heap);
}

static void tell(struct model *model, enum model_event_kind kind, int heap, uint64_t block)
{
    model->events[model->event_count++] =
        (struct model_event){.kind = (uint64_t)kind, .heap = model->heaps[heap].handle, .block = block};
}

static void drop_block(struct model *model, int block)
{
    struct model_block *found = &model->blocks[block];
    model->stale_blocks[model->stale_block_count++ % MODEL_STALE] = found->handle;
    free(found->bytes);
    *found = (struct model_block){0};
}

/* Together with others, by its heap's or its owner's end. */
static void drop_with_others(struct model *model, int block)
{
    if (model->blocks[block].observed)
        tell(model, MODEL_FREED, model->blocks[block].heap, model->blocks[block].handle);
    drop_block(model, block);
}

void model_free(struct model *model, int block)
{
    if (model_is_observed(model, &model->blocks[block]))
        tell(model, MODEL_FREED, model->blocks[block].heap, model->blocks[block].handle);
    drop_block(model, block);
}

int model_check_lock(const struct model *model, int heap, int person)
{
    uint64_t locker = model->heaps[heap].locker;
    return locker != 0 && locker != model->people[person].id ? UMEM_E_LOCKED : 0;
}

int model_check_unlock(const struct model *model, int heap, int person)
{
    return model->heaps[heap].locker == model->people[person].id ? 0 : UMEM_E_DENIED;
}

void model_lock(struct model *model, int heap, int person)
{
    model->heaps[heap].locker = model->people[person].id;
    model->heaps[heap].locks++;
}

void model_unlock(struct model *model, int heap)
{
    if (--model->heaps[heap].locks > 0)
        return;
    model->heaps[heap].locker = 0;
    tell(model, MODEL_UNLOCKED, heap, 0);
}

void model_destroy(struct model *model, int heap)
{
    struct model_heap *found = &model->heaps[heap];
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (counts(&model->blocks[i], heap, 0))
            drop_with_others(model, i);
    }
    if (is_observed(model, heap))
        tell(model, MODEL_DESTROYED, heap, 0);
    model->stale_heaps[model->stale_heap_count++ % MODEL_STALE] = found->handle;
    *found = (struct model_heap){0};
}

void model_enter(struct model *model, int person)
{
    model->people[person] = (struct model_person){true, ++model->last_id};
}

/* Drops what somebody has with lifetime session in one heap. */
static void leave_heap(struct model *model, int heap, uint64_t id)
{
    bool any = false;
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (counts(&model->blocks[i], heap, id) && model->blocks[i].session) {
            any = true;
            drop_with_others(model, i);
        }
    }
    if (any && is_observed(model, heap))
        tell(model, MODEL_VANISHED, heap, 0);
}

void model_leave(struct model *model, int person)
{
    uint64_t id = model->people[person].id;
    model->people[person].open = false;
    for (int i = 0; i < MODEL_BLOCKS; i++)
        model->blocks[i].holders &= ~(1U << person);
    for (int i = 0; i < MODEL_HEAPS; i++) {
        struct model_heap *heap = &model->heaps[i];
        if (!heap->alive)
            continue;
        if (heap->session && heap->owner == id) {
            model_destroy(model, i);
            continue;
        }
        leave_heap(model, i, id);
        if (heap->locker == id) {
            heap->locks = 1;
            model_unlock(model, i);
        }
    }
}

void model_forget_events(struct model *model)
{
    model->event_count = 0;
}
