#include "rpc/engine/job.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rpc/call/changes.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/payload.h"
#include "rpc/events/observe.h"

void um_job_works_on(struct um_job *job, uint64_t size, const struct um_block *first,
                     const struct um_block *second)
{
    const struct um_store *store = job->call->store;

    job->is_long = size > UM_CALL_ATOMIC_SIZE;
    job->heaps[0] = um_heap_handle(um_block_heap(store, first));
    job->heaps[1] = second != NULL ? um_heap_handle(um_block_heap(store, second)) : 0;
}

bool um_job_is_allowed(struct um_call *call)
{
    if (call->batch == NULL)
        return true;
    um_fail(call, UMEM_E_UNSUPPORTED, "%s may take long, which a batch must not; send it on its own",
            call->method->name);
    um_reply_end(call);
    return false;
}

uint64_t um_job_slice(const struct um_job *job, uint64_t left)
{
    bool runs_at_once = !job->is_long || job->call->batch != NULL;

    return runs_at_once || left < UM_JOB_SLICE_SIZE ? left : UM_JOB_SLICE_SIZE;
}

static void release(struct um_job *job)
{
    if (job->ops->release != NULL)
        job->ops->release(job);
}

static void answer(struct um_job *job, int code, const struct um_fault *fault)
{
    if (code != UMEM_OK) {
        um_fail_fault(job->call, code, fault);
        return;
    }
    job->ops->answer(job, job->call);
    if (job->call != NULL && !job->call->answered)
        um_reply_end(job->call);
}

/* ---- which heaps have jobs ---- */

static bool has_heap(const struct um_index_node *node, const void *key)
{
    return UM_LIST_ITEM(node, const struct um_job_place, node)->heap == *(const um_handle *)key;
}

/* One of those at work on a heap, or NULL. */
static struct um_job_place *find_place(const struct um_rpc *rpc, um_handle heap)
{
    struct um_index_node *node = um_index_find(&rpc->jobs_by_heap, um_hash_mix(heap), has_heap, &heap);

    return node != NULL ? UM_LIST_ITEM(node, struct um_job_place, node) : NULL;
}

static void note_heaps(struct um_rpc *rpc, struct um_job *job)
{
    for (int i = 0; i < UM_JOB_HEAPS; i++) {
        struct um_job_place *place = &job->at[i];
        struct um_job_place *first;

        *place = (struct um_job_place){.heap = job->heaps[i]};
        if (place->heap == 0 || (i != 0 && place->heap == job->heaps[0]))
            continue;
        place->job = job;
        place->node.hash = um_hash_mix(place->heap);
        um_list_init(&place->at_heap);
        first = find_place(rpc, place->heap);
        if (first != NULL)
            um_list_append(&first->at_heap, &place->at_heap);
        else
            um_index_insert(&rpc->jobs_by_heap, &place->node);
    }
}

static void forget_heaps(struct um_rpc *rpc, struct um_job *job)
{
    for (int i = 0; i < UM_JOB_HEAPS; i++) {
        struct um_job_place *place = &job->at[i];
        struct um_job_place *next;

        if (place->job == NULL)
            continue;
        next = UM_LIST_ITEM(place->at_heap.next, struct um_job_place, at_heap);
        if (find_place(rpc, place->heap) == place) {
            um_index_remove(&rpc->jobs_by_heap, &place->node);
            if (next != place)
                um_index_insert(&rpc->jobs_by_heap, &next->node);
        }
        um_list_remove(&place->at_heap);
    }
}

void um_job_attach(struct um_session *session, struct um_job *job)
{
    job->session = session;
    um_list_init(&job->in_jobs);
    um_list_init(&job->in_group);
    note_heaps(session->rpc, job);
    session->job = job;
    session->job_bytes = job->held_bytes;
}

void um_job_set_held(struct um_job *job, uint64_t bytes)
{
    job->held_bytes = bytes;
    job->session->job_bytes = bytes;
}

void um_job_start(struct um_job *job)
{
    struct um_session_group *group = job->session->group;
    struct um_rpc *rpc = job->session->rpc;

    um_list_append(&rpc->jobs, &job->in_jobs);
    if (um_list_is_empty(&group->jobs))
        um_list_append(&rpc->working, &group->in_rpc);
    um_list_append(&group->jobs, &job->in_group);
    um_engine_work_pending(rpc);
}

/* A copy of the job and its call that stays. NULL where memory runs out: the call has been answered, and nothing has been done. */
static struct um_job *keep(struct um_call *call, struct um_job *job)
{
    struct um_job *kept = malloc(job->ops->size);

    if (kept == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a call that takes long");
        um_reply_end(call);
        release(job);
        return NULL;
    }
    memcpy(kept, job, job->ops->size);
    kept->call = um_call_defer(call);
    if (kept->call != NULL)
        return kept;
    free(kept);
    release(job);
    return NULL;
}

/* Keeps the job and its call for the turns to come. */
static void defer(struct um_call *call, struct um_job *job)
{
    struct um_session *session = call->session;
    struct um_job *kept = keep(call, job);

    if (kept == NULL)
        return;
    um_job_attach(session, kept);
    um_job_start(kept);
}

/* ---- calls whose raw bytes come first ---- */

static void end_receiving(struct um_job *job)
{
    release(job);
    um_call_free(job->call);
    free(job);
}

static void answer_received(struct um_job *job, int code, struct um_fault *fault)
{
    struct um_session *session = job->session;
    bool more = true;

    while (code == UMEM_OK && more)
        code = job->ops->step(job, &more, fault);
    um_call_note_bytes(job->call);
    um_call_start(job->call);
    if (!session->broken)
        answer(job, code, fault);
    end_receiving(job);
}

static char *receiver_reserve(void *receiver, uint64_t done, size_t *available)
{
    struct um_job *job = receiver;
    struct um_session *session = job->session;
    struct um_fault fault = {0};
    unsigned char *bytes = NULL;
    uint64_t size = 0;
    int code = job->ops->space(job, done, &bytes, &size, &fault);

    if (code == UMEM_OK) {
        *available = size < SIZE_MAX ? (size_t)size : SIZE_MAX;
        return (char *)bytes;
    }
    answer_received(job, code, &fault);
    um_session_flush(session);
    return NULL;
}

static void receiver_finish(void *receiver)
{
    struct um_fault fault = {0};

    answer_received(receiver, UMEM_OK, &fault);
}

static void receiver_abandon(void *receiver)
{
    end_receiving(receiver);
}

static const struct um_payload_ops receiver_ops = {
    .reserve = receiver_reserve, .finish = receiver_finish, .abandon = receiver_abandon};

static void receive(struct um_call *call, struct um_job *job)
{
    struct um_session *session = call->session;
    uint64_t size = call->payload_size;
    struct um_job *kept = keep(call, job);

    if (kept == NULL)
        return;
    kept->session = session;
    um_payload_receive(session, size, &receiver_ops, kept);
}

bool um_job_lock_is_queued(const struct um_session *session, um_handle heap)
{
    struct um_heap_info info;
    struct um_heap *found = NULL;

    if (!um_observe_has(session->rpc->observers, heap, UM_OBSERVER_QUEUE) ||
        um_store_find_heap(session->rpc->store, heap, &found, NULL) != UMEM_OK)
        return false;
    um_heap_get_info(found, &info);
    return info.locked_by != session->owner;
}

static bool is_blocked(const struct um_call *call, const struct um_job *job, struct um_fault *fault)
{
    for (int i = 0; i < UM_JOB_HEAPS; i++) {
        if (!um_job_lock_is_queued(call->session, job->heaps[i]))
            continue;
        *fault = (struct um_fault){
            .heap = job->heaps[i],
            .what =
                "another session waits for the heap's lock, which a long call would keep it from; try again",
        };
        return true;
    }
    return false;
}

void um_job_run(struct um_call *call, const struct um_args *args, const struct um_job_ops *ops)
{
    union {
        struct um_job job;
        max_align_t alignment;
        unsigned char bytes[UM_JOB_SIZE_MAXIMUM];
    } space;
    struct um_job *job = &space.job;
    struct um_fault fault = {0};
    bool more = true;
    int code = UMEM_OK;

    assert(ops->size >= sizeof *job && ops->size <= sizeof space);
    memset(&space, 0, ops->size);
    job->ops = ops;
    job->call = call;
    if (!ops->begin(call, args, job))
        return;
    if (job->takes_payload) {
        receive(call, job);
        return;
    }
    if (job->is_long && call->batch == NULL) {
        if (is_blocked(call, job, &fault)) {
            um_fail_fault(call, UMEM_E_LOCKED, &fault);
            release(job);
        } else {
            defer(call, job);
        }
        return;
    }
    while (code == UMEM_OK && more)
        code = ops->step(job, &more, &fault);
    answer(job, code, &fault);
    release(job);
}

/* ---- slices ---- */

/* It is at work no more, so that the session may have another. */
static void leave(struct um_job *job)
{
    struct um_session *session = job->session;

    session->job = NULL;
    session->job_bytes = 0;
    um_list_remove(&job->in_jobs);
    um_list_remove(&job->in_group);
    if (um_list_is_empty(&session->group->jobs))
        um_list_remove(&session->group->in_rpc);
    forget_heaps(session->rpc, job);
}

static void discard(struct um_job *job)
{
    struct um_rpc *rpc = job->session->rpc;
    um_handle heaps[UM_JOB_HEAPS];

    memcpy(heaps, job->heaps, sizeof heaps);
    release(job);
    um_call_free(job->call);
    free(job);
    for (int i = 0; i < UM_JOB_HEAPS; i++)
        um_observe_resume(rpc->observers, heaps[i]);
}

static void advance(struct um_job *job)
{
    struct um_session *session = job->session;
    struct um_fault fault = {0};
    bool more = false;
    int code;

    um_changes_begin(session->rpc);
    code = job->ops->step(job, &more, &fault);
    if (code == UMEM_OK && more)
        return;
    leave(job);
    if (job->call != NULL)
        um_call_start(job->call);
    if (!session->broken)
        answer(job, code, &fault);
    discard(job);
    um_session_flush(session);
}

bool um_job_work(struct um_rpc *rpc)
{
    struct um_session_group *group;
    struct um_link *first;

    if (um_list_is_empty(&rpc->working))
        return false;
    /* Both go to the end of their lists. */
    first = um_list_take(&rpc->working);
    um_list_append(&rpc->working, first);
    group = UM_LIST_ITEM(first, struct um_session_group, in_rpc);
    first = um_list_take(&group->jobs);
    um_list_append(&group->jobs, first);
    advance(UM_LIST_ITEM(first, struct um_job, in_group));
    return !um_list_is_empty(&rpc->jobs);
}

void um_job_drop(struct um_session *session)
{
    struct um_job *job = session->job;

    if (job == NULL)
        return;
    leave(job);
    discard(job);
}

bool um_job_is_on_heap(const struct um_rpc *rpc, um_handle heap, const struct um_session *session)
{
    const struct um_job_place *place = find_place(rpc, heap);

    if (place == NULL)
        return false;
    /* A session has one call at work. */
    if (place->job->session == session)
        place = UM_LIST_ITEM(place->at_heap.next, const struct um_job_place, at_heap);
    return place->job->session != session;
}
