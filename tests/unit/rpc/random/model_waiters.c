/* The model's calls that wait, and its watches: which session is notified of what, and when. */
#include <stdlib.h>
#include <string.h>

#include "random_engine.h"
#include "umem_errors.h"

struct waiter *new_waiter(struct run *run, enum waiter_kind kind, int session)
{
    struct waiter *waiter = run->waiters;

    while (waiter < run->waiters + WAITERS - 1 && waiter->kind != 0)
        waiter++;
    MUST(waiter->kind == 0);
    *waiter =
        (struct waiter){.kind = kind, .session = session, .born = ++run->sequence, .deadline = UINT64_MAX};
    return waiter;
}

unsigned count_waiters(const struct run *run, int session)
{
    unsigned count = 0;

    for (int i = 0; i < WAITERS; i++)
        count += run->waiters[i].kind != 0 && run->waiters[i].session == session;
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
    /* One that was taken back observes nothing any more, though its answer comes only at the end of the message. */
    for (int i = 0; i < WAITERS && handle != 0; i++)
        count += run->waiters[i].kind != 0 && !run->waiters[i].cancelled && run->waiters[i].handle == handle;
    return count;
}

bool block_is_observed(const struct run *run, uint64_t block)
{
    for (int i = 0; i < WAITERS; i++) {
        if (run->waiters[i].kind == WAITER_FOR_NUMBER && run->waiters[i].handle == block)
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
    for (int i = 0; i < WAITERS; i++) {
        if (run->waiters[i].kind == WAITER_FOR_LOCK && run->waiters[i].handle == heap)
            return true;
    }
    for (int i = 0; i < WATCHES; i++) {
        const struct watch *watch = &run->watches[i];

        if (watch->used && watch->attached && watch->block == 0 && (watch->heap == 0 || watch->heap == heap))
            return true;
    }
    return false;
}

/* ---- notifications for watches ---- */

static bool joins(struct watch *watch, const struct notification *notification)
{
    for (unsigned i = 0; i < watch->count && notification->kind == NOTIFY_CHANGED; i++) {
        struct notification *kept = &watch->notification[i];
        uint64_t end = kept->offset + kept->size;

        if (kept->kind != NOTIFY_CHANGED || kept->handle != notification->handle)
            continue;
        end =
            notification->offset + notification->size > end ? notification->offset + notification->size : end;
        kept->offset = notification->offset < kept->offset ? notification->offset : kept->offset;
        kept->size = end - kept->offset;
        return true;
    }
    return false;
}

static void note(struct watch *watch, const struct notification *notification)
{
    if (watch->overflow || joins(watch, notification))
        return;
    if (watch->count == NOTIFICATIONS || notification->kind == NOTIFY_MANY)
        watch->overflow = true;
    else
        watch->notification[watch->count++] = *notification;
}

static bool overlaps(const struct watch *watch, const struct notification *notification)
{
    uint64_t end = watch->size > UINT64_MAX - watch->offset ? UINT64_MAX : watch->offset + watch->size;

    return watch->size != 0 && notification->offset + notification->size > watch->offset &&
           notification->offset < end;
}

/* The watches of this block (0: none), this heap, or everything. */
static void notify_watches(struct run *run, uint64_t block, uint64_t heap,
                           const struct notification *notification)
{
    for (int i = 0; i < WATCHES; i++) {
        struct watch *watch = &run->watches[i];

        if (!watch->used || !watch->attached)
            continue;
        if (watch->block != 0 && (watch->block != block ||
                                  (notification->kind == NOTIFY_CHANGED && !overlaps(watch, notification))))
            continue;
        if (watch->block == 0 && watch->heap != 0 && watch->heap != heap)
            continue;
        note(watch, notification);
    }
}

/* ---- what happens ---- */

/* Those whose heap is unlocked look again after those whose block was changed. */
#define RESUMED (UINT64_C(1) << 40)

static void mark(struct run *run, struct waiter *waiter)
{
    waiter->mark = ++run->sequence;
    waiter->stall = 0;
}

static void mark_waits(struct run *run, uint64_t block, uint64_t end)
{
    for (int i = 0; i < WAITERS; i++) {
        struct waiter *waiter = &run->waiters[i];

        if (waiter->kind == WAITER_FOR_NUMBER && waiter->handle == block && end > waiter->offset)
            mark(run, waiter);
    }
}

void notify_changed(struct run *run, int block, uint64_t offset, uint64_t size)
{
    uint64_t handle = run->model.blocks[block].handle;
    struct notification notification = {NOTIFY_CHANGED, handle, offset, size};

    if (size == 0)
        return;
    mark_waits(run, handle, offset + size);
    notify_watches(run, handle, run->model.heaps[run->model.blocks[block].heap].handle, &notification);
}

/* If the heap is destroyed, too, its watches are notified of the heap, not of its blocks. */
void notify_block_lost(struct run *run, uint64_t block)
{
    struct notification notification = {.kind = NOTIFY_FREED, .handle = block};

    mark_waits(run, block, UINT64_MAX);
    for (int i = 0; i < WATCHES; i++) {
        struct watch *watch = &run->watches[i];

        if (watch->block != block)
            continue;
        if (watch->used && watch->attached)
            note(watch, &notification);
        watch->attached = false;
    }
}

void notify_freed(struct run *run, uint64_t block, uint64_t heap)
{
    struct notification notification = {.kind = NOTIFY_FREED, .handle = block};

    mark_waits(run, block, UINT64_MAX);
    notify_watches(run, block, heap, &notification);
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].block == block)
            run->watches[i].attached = false;
    }
}

/* The oldest of the calls that queue for a heap, of those younger than `born`; NULL: there is none. */
static struct waiter *next_in_queue(struct run *run, uint64_t heap, uint64_t born)
{
    struct waiter *first = NULL;

    for (int i = 0; i < WAITERS; i++) {
        struct waiter *waiter = &run->waiters[i];

        if (waiter->kind == WAITER_FOR_LOCK && waiter->handle == heap && waiter->born > born &&
            (first == NULL || waiter->born < first->born))
            first = waiter;
    }
    return first;
}

static void mark_queue(struct run *run, uint64_t heap)
{
    for (struct waiter *it = next_in_queue(run, heap, 0); it != NULL; it = next_in_queue(run, heap, it->born))
        mark(run, it);
}

void notify_destroyed(struct run *run, uint64_t heap)
{
    struct notification notification = {.kind = NOTIFY_DESTROYED, .handle = heap};

    mark_queue(run, heap);
    notify_watches(run, 0, heap, &notification);
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].block == 0 && run->watches[i].heap == heap)
            run->watches[i].attached = false;
    }
}

void notify_many(struct run *run, uint64_t heap)
{
    struct notification notification = {.kind = NOTIFY_MANY, .handle = heap};

    notify_watches(run, 0, heap, &notification);
}

void stall(struct run *run, struct waiter *waiter, uint64_t heap)
{
    waiter->stall = ++run->sequence;
    waiter->stalled_by = heap;
}

bool lock_is_wanted(const struct run *run, uint64_t heap, int session)
{
    int number = model_find_heap(&run->model, heap);
    bool wanted = false;

    for (int i = 0; i < WAITERS; i++)
        wanted = wanted || (run->waiters[i].kind == WAITER_FOR_LOCK && run->waiters[i].handle == heap);
    return wanted && number != NONE && run->model.heaps[number].locker != session;
}

/* Calls that waited for a heap's lock or for a long call to end are checked again, in the order in which they began to
 * wait. */
void mark_stalled(struct run *run, uint64_t heap)
{
    for (;;) {
        struct waiter *first = NULL;

        for (int i = 0; i < WAITERS; i++) {
            struct waiter *waiter = &run->waiters[i];

            if (waiter->kind != 0 && waiter->stall != 0 && waiter->stalled_by == heap &&
                (first == NULL || waiter->stall < first->stall))
                first = waiter;
        }
        if (first == NULL)
            return;
        mark(run, first);
        first->mark += RESUMED;
    }
}

void notify_unlocked(struct run *run, uint64_t heap)
{
    mark_stalled(run, heap);
}

/* ---- looking again ---- */

static void end_failed(struct run *run, struct waiter *waiter, int code, uint64_t block, uint64_t heap)
{
    struct call call;

    late_init(&call, run, waiter->session, waiter->entry, &waiter->id);
    if (block != 0)
        fail_block(&call, code, block);
    else if (heap != 0)
        fail_heap(&call, code, heap);
    else
        fail_plain(&call, code);
    waiter->kind = 0;
}

static void look_at_number(struct run *run, struct waiter *waiter)
{
    int block = model_find_block(&run->model, waiter->handle);
    size_t size = um_value_size(waiter->type);
    struct call call;

    if (block == NONE) {
        end_failed(run, waiter, UMEM_E_STALE_HANDLE, waiter->handle, 0);
    } else if (model_is_locked(&run->model, run->model.blocks[block].heap, waiter->session)) {
        stall(run, waiter, run->model.heaps[run->model.blocks[block].heap].handle);
    } else if (waiter->offset + size > run->model.blocks[block].size) {
        end_failed(run, waiter, UMEM_E_OUT_OF_RANGE, waiter->handle, 0);
    } else if (memcmp(run->model.blocks[block].bytes + waiter->offset, waiter->value, size) != 0) {
        late_init(&call, run, waiter->session, waiter->entry, &waiter->id);
        write_number(result_key(&call, "value"), waiter->type,
                     run->model.blocks[block].bytes + waiter->offset);
        result_end(&call);
        waiter->kind = 0;
    }
}

static void look_at_lock(struct run *run, struct waiter *waiter)
{
    int heap = model_find_heap(&run->model, waiter->handle);
    struct call call;

    if (heap == NONE) {
        end_failed(run, waiter, UMEM_E_STALE_HANDLE, 0, waiter->handle);
    } else if (model_is_locked(&run->model, heap, waiter->session) ||
               job_is_at(run, waiter->handle, waiter->session)) {
        stall(run, waiter, waiter->handle);
    } else {
        model_lock(&run->model, heap, waiter->session);
        late_init(&call, run, waiter->session, waiter->entry, &waiter->id);
        result_end(&call);
        waiter->kind = 0;
    }
}

void run_marked_waiters(struct run *run)
{
    for (int i = 0; i < WAITERS; i++) {
        if (run->waiters[i].kind != 0 && run->waiters[i].cancelled)
            end_failed(run, &run->waiters[i], UMEM_E_CANCELLED, 0, 0);
    }
    for (;;) {
        struct waiter *first = NULL;

        for (int i = 0; i < WAITERS; i++) {
            struct waiter *waiter = &run->waiters[i];

            if (waiter->kind != 0 && waiter->mark != 0 && (first == NULL || waiter->mark < first->mark))
                first = waiter;
        }
        if (first == NULL)
            return;
        first->mark = 0;
        if (first->kind == WAITER_FOR_NUMBER)
            look_at_number(run, first);
        else
            look_at_lock(run, first);
    }
}

uint64_t next_deadline(const struct run *run)
{
    uint64_t next = UINT64_MAX;

    for (int i = 0; i < WAITERS; i++) {
        if (run->waiters[i].kind != 0 && run->waiters[i].deadline < next)
            next = run->waiters[i].deadline;
    }
    return next;
}

void expire(struct run *run)
{
    for (int i = 0; i < WAITERS; i++) {
        if (run->waiters[i].kind != 0 && run->waiters[i].deadline <= run->now_ms)
            end_failed(run, &run->waiters[i], UMEM_E_TIMEOUT, 0, 0);
    }
    run_marked_waiters(run);
}

void drop_listeners(struct run *run, int session)
{
    for (int i = 0; i < WAITERS; i++) {
        if (run->waiters[i].session == session)
            run->waiters[i].kind = 0;
    }
    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].session == session)
            run->watches[i].used = false;
    }
}
