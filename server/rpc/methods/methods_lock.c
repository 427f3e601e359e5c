/* heap.lock and heap.unlock: one session has a heap to itself. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/job.h"
#include "rpc/events/lock_queue.h"
#include "rpc/events/observe.h"
#include "rpc/events/pending.h"
#include "rpc/schema/methods.h"

/* A session that queues for a heap's lock. The queue is the order of those stalled at the heap. */
struct queued {
    struct um_pending pending;
    struct um_observer observer;
    um_handle heap;
};

/* Locks, where neither a lock nor a long call of another session stands against it. */
static int try_lock(const struct um_session *session, struct um_heap *heap, struct um_fault *fault)
{
    if (um_job_is_on_heap(session->rpc, um_heap_handle(heap), session)) {
        *fault = (struct um_fault){
            .heap = um_heap_handle(heap),
            .what = "a long call of another session is at work on the heap; try again, or give timeout_ms",
        };
        return UMEM_E_LOCKED;
    }
    return um_heap_lock(heap, session->owner, fault);
}

static void on_event(struct um_observer *observer, const struct um_event *event)
{
    if (event->kind == UM_EVENT_DESTROYED || event->kind == UM_EVENT_MANY)
        um_observer_schedule(observer);
}

static void recheck(struct um_observer *observer)
{
    struct queued *queued = UM_LIST_ITEM(observer, struct queued, observer);
    const struct um_session *session = queued->pending.call->session;
    struct um_fault fault = {0};
    struct um_heap *heap = NULL;
    int code = um_store_find_heap(session->rpc->store, queued->heap, &heap, &fault);

    if (code == UMEM_OK)
        code = try_lock(session, heap, &fault);
    if (code == UMEM_E_LOCKED)
        um_observer_stall(observer);
    else
        um_pending_resolve(&queued->pending, code, &fault);
}

static const struct um_observer_kind queue_kind = {
    .role = UM_OBSERVER_QUEUE, .on_event = on_event, .recheck = recheck};

bool um_lock_queue_has_others(const struct um_session *session, um_handle heap)
{
    struct um_heap_info info;
    struct um_heap *found = NULL;

    if (!um_observe_has(session->rpc, heap, UM_OBSERVER_QUEUE) ||
        um_store_find_heap(session->rpc->store, heap, &found, NULL) != UMEM_OK)
        return false;
    um_heap_get_info(found, &info);
    return info.locked_by != session->owner;
}

static void release(struct um_pending *pending)
{
    um_observe_end(&((struct queued *)pending)->observer);
}

static const struct um_pending_kind pending_kind = {
    .what = "the heap was still locked when timeout_ms was over", .release = release};

/* Stands at the end of the queue. */
static void queue(struct um_call *call, struct um_heap *heap, uint64_t timeout_ms)
{
    static const struct um_fault no_memory = {.what = "the daemon has no memory for a call that waits"};
    um_handle handle = um_heap_handle(heap);
    struct queued *queued = um_pending_new(call, handle, sizeof *queued, timeout_ms, &pending_kind);

    if (queued == NULL)
        return;
    queued->observer.kind = &queue_kind;
    queued->heap = handle;
    if (um_observe_begin(queued->pending.call->session->rpc, NULL, heap, &queued->observer) != UMEM_OK)
        um_pending_resolve(&queued->pending, UMEM_E_INTERNAL_ERROR, &no_memory);
    else
        um_observer_stall(&queued->observer);
}

enum { LOCK_HEAP, LOCK_TIMEOUT };

static const struct um_param lock_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap."},
    {.name = "timeout_ms",
     .type = UM_UINT,
     .unit = "milliseconds",
     .doc = "How long to wait for another session's lock to end; 0: not at all."},
};

static void lock(struct um_call *call, const struct um_args *args)
{
    struct um_heap *heap = args->value[LOCK_HEAP].as.heap;
    struct um_fault fault = {.heap = um_heap_handle(heap),
                             .what = "others wait for the heap's lock, and come first"};
    int code = UMEM_E_LOCKED;

    if (!um_lock_queue_has_others(call->session, um_heap_handle(heap)))
        code = try_lock(call->session, heap, &fault);

    if (code == UMEM_E_LOCKED && args->value[LOCK_TIMEOUT].as.uint != 0)
        queue(call, heap, args->value[LOCK_TIMEOUT].as.uint);
    else if (code != UMEM_OK)
        um_fail_fault(call, code, &fault);
    else
        um_reply_end(call);
}

const struct um_method um_method_heap_lock = {
    .name = "heap.lock",
    .summary = "Locks a heap for this session: others get `locked` until it is unlocked (Win32 HeapLock).",
    .detail =
        "A session may lock a heap more than once and unlocks it as often. Who waits is served first come, "
        "first served. A lock ends with its session.",
    UM_PARAMS(lock_params),
    .errors = {UMEM_E_LOCKED, UMEM_E_TIMEOUT, UMEM_E_CANCELLED, UMEM_E_LIMIT_EXCEEDED, UMEM_E_UNSUPPORTED},
    .ignores_lock = true,
    .run = lock,
};

static const struct um_param unlock_params[] = {
    {.name = "heap", .type = UM_HEAP, .required = true, .doc = "The heap."},
};

static void unlock(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    int code = um_heap_unlock(um_call_store(call), args->value[0].as.heap, call->session->owner, &fault);

    if (code != UMEM_OK)
        um_fail_fault(call, code, &fault);
    else
        um_reply_end(call);
}

const struct um_method um_method_heap_unlock = {
    .name = "heap.unlock",
    .summary =
        "Undoes one heap.lock (Win32 HeapUnlock); `denied` where this session has not locked the heap.",
    UM_PARAMS(unlock_params),
    .errors = {UMEM_E_DENIED},
    .ignores_lock = true,
    .run = unlock,
};
