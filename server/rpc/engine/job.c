#include "rpc/engine/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rpc/call/engine_state.h"
#include "rpc/events/lock_queue.h"
#include "rpc/events/observe.h"

struct um_job um_job_for(const struct um_call *call, const struct um_job_kind *kind, uint64_t size,
                         const struct um_block *first, const struct um_block *second)
{
    const struct um_store *store = um_call_store(call);

    return (struct um_job){
        .kind = kind,
        .is_long = size > UM_JOB_ATOMIC_SIZE,
        .heaps = {um_heap_handle(um_block_heap(store, first)),
                  second != NULL ? um_heap_handle(um_block_heap(store, second)) : 0},
    };
}

uint64_t um_job_slice(const struct um_job *job, uint64_t left)
{
    bool runs_at_once = !job->is_long || job->call->batch != NULL;

    return runs_at_once || left < UM_JOB_SLICE_SIZE ? left : UM_JOB_SLICE_SIZE;
}

static void release(struct um_job *job)
{
    if (job->kind->release != NULL)
        job->kind->release(job);
}

static void answer(struct um_job *job, int code, const struct um_fault *fault)
{
    if (code != UMEM_OK) {
        um_fail_fault(job->call, code, fault);
        return;
    }
    job->kind->answer(job, job->call);
    if (job->call != NULL)
        um_reply_end(job->call);
}

/* ---- by heap ---- */

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

/* Keeps the job and its call for the turns to come. Where memory runs out, nothing has been done yet. */
static void keep(struct um_call *call, struct um_job *job, size_t size)
{
    struct um_job *kept = malloc(size);

    if (kept == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a call that takes long");
        um_reply_end(call);
        release(job);
        return;
    }
    memcpy(kept, job, size);
    kept->call = um_call_defer(call);
    if (kept->call == NULL) {
        free(kept);
        release(job);
        return;
    }
    um_job_attach(call->session, kept);
    um_job_start(kept);
}

/* A long call does not begin before those who queue for the heap's lock, or they might wait for ever. */
static bool is_blocked(const struct um_call *call, const struct um_job *job, struct um_fault *fault)
{
    for (int i = 0; i < UM_JOB_HEAPS; i++) {
        if (!um_lock_queue_has_others(call->session, job->heaps[i]))
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

void um_job_run(struct um_call *call, struct um_job *job, size_t size)
{
    struct um_fault fault = {0};
    bool more = true;
    int code = UMEM_OK;

    job->call = call;
    if (job->is_long && call->batch == NULL) {
        if (is_blocked(call, job, &fault)) {
            um_fail_fault(call, UMEM_E_LOCKED, &fault);
            release(job);
        } else {
            keep(call, job, size);
        }
        return;
    }
    while (code == UMEM_OK && more)
        code = job->kind->step(job, &more, &fault);
    answer(job, code, &fault);
    release(job);
}

/* ---- later turns ---- */

/* It is at work no more, so that the session may have another. */
static void leave(struct um_job *job)
{
    struct um_session *session = job->session;

    session->job = NULL;
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
        um_observe_resume(rpc, heaps[i]);
}

static void advance(struct um_job *job)
{
    struct um_session *session = job->session;
    struct um_fault fault = {0};
    bool more = false;
    int code = job->kind->step(job, &more, &fault);

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
