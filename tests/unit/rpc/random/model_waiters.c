/* The model's calls that wait, and its watches: who is told what, and when. */
#include <stdlib.h>
#include <string.h>

#include "random_engine.h"
#include "umem_errors.h"

struct later *new_later(struct run *run, enum later_kind kind, int session)
{
    struct later *later = run->laters;

    while (later < run->laters + LATERS - 1 && later->kind != 0)
        later++;
    MUST(later->kind == 0);
    *later =
        (struct later){.kind = kind, .session = session, .born = ++run->sequence, .deadline = UINT64_MAX};
    return later;
}

unsigned count_laters(const struct run *run, int session)
{
    unsigned count = 0;

    for (int i = 0; i < LATERS; i++)
        count += run->laters[i].kind != 0 && run->laters[i].session == session;
    return count;
}

unsigned count_watches(const struct run *run, int session)
{
    unsigned count = 0;

    for (int i = 0; i < WATCHES; i++)
        count += run->watches[i].used && run->watches[i].session == session;
    return count;
}

unsigned count_observers(const struct run *run, uint64_t handle)
{
    unsigned count = 0;

    for (int i = 0; i < WATCHES; i++) {
        const struct watch *watch = &run->watches[i];

        count += watch->used && watch->attached && (watch->block != 0 ? watch->block : watch->heap) == handle;
    }
    for (int i = 0; i < LATERS && handle != 0; i++)
        count += run->laters[i].kind != 0 && run->laters[i].handle == handle;
    return count;
}

bool block_is_observed(const struct run *run, uint64_t block)
{
    for (int i = 0; i < LATERS; i++) {
        if (run->laters[i].kind == LATER_WAIT && run->laters[i].handle == block)
            return true;
    }
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].used && run->watches[i].attached && run->watches[i].block == block)
            return true;
    }
    return false;
}

bool heap_is_observed(const struct run *run, uint64_t heap)
{
    for (int i = 0; i < LATERS; i++) {
        if (run->laters[i].kind == LATER_LOCK && run->laters[i].handle == heap)
            return true;
    }
    for (int i = 0; i < WATCHES; i++) {
        const struct watch *watch = &run->watches[i];

        if (watch->used && watch->attached && watch->block == 0 && (watch->heap == 0 || watch->heap == heap))
            return true;
    }
    return false;
}

/* ---- news for watches ---- */

static bool joins(struct watch *watch, const struct news *news)
{
    for (unsigned i = 0; i < watch->count && news->kind == NEWS_CHANGED; i++) {
        struct news *kept = &watch->news[i];
        uint64_t end = kept->offset + kept->size;

        if (kept->kind != NEWS_CHANGED || kept->handle != news->handle)
            continue;
        end = news->offset + news->size > end ? news->offset + news->size : end;
        kept->offset = news->offset < kept->offset ? news->offset : kept->offset;
        kept->size = end - kept->offset;
        return true;
    }
    return false;
}

static void note(struct watch *watch, const struct news *news)
{
    if (watch->overflow || joins(watch, news))
        return;
    if (watch->count == NEWS || news->kind == NEWS_MANY)
        watch->overflow = true;
    else
        watch->news[watch->count++] = *news;
}

static bool overlaps(const struct watch *watch, const struct news *news)
{
    uint64_t end = watch->size > UINT64_MAX - watch->offset ? UINT64_MAX : watch->offset + watch->size;

    return watch->size != 0 && news->offset + news->size > watch->offset && news->offset < end;
}

/* Whoever watches this block (0: none), this heap, or everything. */
static void tell_watches(struct run *run, uint64_t block, uint64_t heap, const struct news *news)
{
    for (int i = 0; i < WATCHES; i++) {
        struct watch *watch = &run->watches[i];

        if (!watch->used || !watch->attached)
            continue;
        if (watch->block != 0 &&
            (watch->block != block || (news->kind == NEWS_CHANGED && !overlaps(watch, news))))
            continue;
        if (watch->block == 0 && watch->heap != 0 && watch->heap != heap)
            continue;
        note(watch, news);
    }
}

/* ---- what happens ---- */

/* Those whose heap is unlocked look again after those whose block was changed. */
#define RESUMED (UINT64_C(1) << 40)

static void mark(struct run *run, struct later *later)
{
    later->mark = ++run->sequence;
    later->stall = 0;
}

static void mark_waits(struct run *run, uint64_t block, uint64_t end)
{
    for (int i = 0; i < LATERS; i++) {
        struct later *later = &run->laters[i];

        if (later->kind == LATER_WAIT && later->handle == block && end > later->offset)
            mark(run, later);
    }
}

void tell_changed(struct run *run, int block, uint64_t offset, uint64_t size)
{
    uint64_t handle = run->model.blocks[block].handle;
    struct news news = {NEWS_CHANGED, handle, offset, size};

    if (size == 0)
        return;
    mark_waits(run, handle, offset + size);
    tell_watches(run, handle, run->model.heaps[run->model.blocks[block].heap].handle, &news);
}

/* Where the heap goes too, those who watch that are told of the heap, not of its blocks. */
void tell_block_lost(struct run *run, uint64_t block)
{
    struct news news = {.kind = NEWS_FREED, .handle = block};

    mark_waits(run, block, UINT64_MAX);
    for (int i = 0; i < WATCHES; i++) {
        struct watch *watch = &run->watches[i];

        if (watch->block != block)
            continue;
        if (watch->used && watch->attached)
            note(watch, &news);
        watch->attached = false;
    }
}

void tell_freed(struct run *run, uint64_t block, uint64_t heap)
{
    struct news news = {.kind = NEWS_FREED, .handle = block};

    mark_waits(run, block, UINT64_MAX);
    tell_watches(run, block, heap, &news);
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].block == block)
            run->watches[i].attached = false;
    }
}

/* The oldest of the calls that queue for a heap, of those younger than `born`; NULL: there is none. */
static struct later *next_in_queue(struct run *run, uint64_t heap, uint64_t born)
{
    struct later *first = NULL;

    for (int i = 0; i < LATERS; i++) {
        struct later *later = &run->laters[i];

        if (later->kind == LATER_LOCK && later->handle == heap && later->born > born &&
            (first == NULL || later->born < first->born))
            first = later;
    }
    return first;
}

static void mark_queue(struct run *run, uint64_t heap)
{
    for (struct later *it = next_in_queue(run, heap, 0); it != NULL; it = next_in_queue(run, heap, it->born))
        mark(run, it);
}

void tell_destroyed(struct run *run, uint64_t heap)
{
    struct news news = {.kind = NEWS_DESTROYED, .handle = heap};

    mark_queue(run, heap);
    tell_watches(run, 0, heap, &news);
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].block == 0 && run->watches[i].heap == heap)
            run->watches[i].attached = false;
    }
}

void tell_many(struct run *run, uint64_t heap)
{
    struct news news = {.kind = NEWS_MANY, .handle = heap};

    tell_watches(run, 0, heap, &news);
}

void stall(struct run *run, struct later *later, uint64_t heap)
{
    later->stall = ++run->sequence;
    later->stalled_by = heap;
}

bool lock_is_wanted(const struct run *run, uint64_t heap, int session)
{
    int number = model_find_heap(&run->model, heap);
    bool wanted = false;

    for (int i = 0; i < LATERS; i++)
        wanted = wanted || (run->laters[i].kind == LATER_LOCK && run->laters[i].handle == heap);
    return wanted && number != NONE && run->model.heaps[number].locker != session;
}

/* Whoever could only wait for a heap's lock or for a long call to end looks again, in the order in which
 * they came to wait. */
void resume_stalled(struct run *run, uint64_t heap)
{
    for (;;) {
        struct later *first = NULL;

        for (int i = 0; i < LATERS; i++) {
            struct later *later = &run->laters[i];

            if (later->kind != 0 && later->stall != 0 && later->stalled_by == heap &&
                (first == NULL || later->stall < first->stall))
                first = later;
        }
        if (first == NULL)
            return;
        mark(run, first);
        first->mark += RESUMED;
    }
}

void tell_unlocked(struct run *run, uint64_t heap)
{
    resume_stalled(run, heap);
}

/* ---- looking again ---- */

static void end_failed(struct run *run, struct later *later, int code, uint64_t block, uint64_t heap)
{
    struct call call;

    late_init(&call, run, later->session, later->entry, &later->id);
    if (block != 0)
        fail_block(&call, code, block);
    else if (heap != 0)
        fail_heap(&call, code, heap);
    else
        fail_plain(&call, code);
    later->kind = 0;
}

static void look_at_number(struct run *run, struct later *later)
{
    int block = model_find_block(&run->model, later->handle);
    size_t size = um_value_size(later->type);
    struct call call;

    if (block == NONE) {
        end_failed(run, later, UMEM_E_STALE_HANDLE, later->handle, 0);
    } else if (model_is_locked(&run->model, run->model.blocks[block].heap, later->session)) {
        stall(run, later, run->model.heaps[run->model.blocks[block].heap].handle);
    } else if (later->offset + size > run->model.blocks[block].size) {
        end_failed(run, later, UMEM_E_OUT_OF_RANGE, later->handle, 0);
    } else if (memcmp(run->model.blocks[block].bytes + later->offset, later->value, size) != 0) {
        late_init(&call, run, later->session, later->entry, &later->id);
        write_number(result_key(&call, "value"), later->type, run->model.blocks[block].bytes + later->offset);
        result_end(&call);
        later->kind = 0;
    }
}

static void look_at_lock(struct run *run, struct later *later)
{
    int heap = model_find_heap(&run->model, later->handle);
    struct call call;

    if (heap == NONE) {
        end_failed(run, later, UMEM_E_STALE_HANDLE, 0, later->handle);
    } else if (model_is_locked(&run->model, heap, later->session) ||
               job_is_at(run, later->handle, later->session)) {
        stall(run, later, later->handle);
    } else {
        model_lock(&run->model, heap, later->session);
        late_init(&call, run, later->session, later->entry, &later->id);
        result_end(&call);
        later->kind = 0;
    }
}

void settle(struct run *run)
{
    for (int i = 0; i < LATERS; i++) {
        if (run->laters[i].kind != 0 && run->laters[i].cancelled)
            end_failed(run, &run->laters[i], UMEM_E_CANCELLED, 0, 0);
    }
    for (;;) {
        struct later *first = NULL;

        for (int i = 0; i < LATERS; i++) {
            struct later *later = &run->laters[i];

            if (later->kind != 0 && later->mark != 0 && (first == NULL || later->mark < first->mark))
                first = later;
        }
        if (first == NULL)
            return;
        first->mark = 0;
        if (first->kind == LATER_WAIT)
            look_at_number(run, first);
        else
            look_at_lock(run, first);
    }
}

uint64_t next_deadline(const struct run *run)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < LATERS; i++) {
        if (run->laters[i].kind != 0 && run->laters[i].deadline < next)
            next = run->laters[i].deadline;
    }
    return next;
}

void expire(struct run *run)
{
    for (int i = 0; i < LATERS; i++) {
        if (run->laters[i].kind != 0 && run->laters[i].deadline <= run->now_ms)
            end_failed(run, &run->laters[i], UMEM_E_TIMEOUT, 0, 0);
    }
    settle(run);
}

void drop_listeners(struct run *run, int session)
{
    for (int i = 0; i < LATERS; i++) {
        if (run->laters[i].session == session)
            run->laters[i].kind = 0;
    }
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].session == session)
            run->watches[i].used = false;
    }
}
