#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "lock.h"
#include "observe.h"

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
    um_reply_end(job->call);
}

/* Keeps the job and its call for the turns to come. Where memory runs out, nothing has been done yet. */
static void keep(struct um_call *call, struct um_job *job, size_t size)
{
    struct um_rpc *rpc = call->peer->rpc;
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
    call->peer->job = kept;
    um_list_append(&rpc->jobs, &kept->in_jobs);
    if (um_list_is_empty(&call->peer->group->jobs))
        um_list_append(&rpc->working, &call->peer->group->in_rpc);
    um_list_append(&call->peer->group->jobs, &kept->in_group);
    um_engine_work_pending(rpc);
}

/* A long call does not begin before those who queue for the heap's lock, or they might wait for ever. */
static bool is_kept_out(const struct um_call *call, const struct um_job *job, struct um_fault *fault)
{
    for (int i = 0; i < UM_JOB_HEAPS; i++) {
        if (!um_lock_is_wanted(call->peer, job->heaps[i]))
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
        if (is_kept_out(call, job, &fault)) {
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

static void end(struct um_job *job)
{
    struct um_peer *peer = job->call->peer;
    um_handle heaps[UM_JOB_HEAPS];

    memcpy(heaps, job->heaps, sizeof heaps);
    peer->job = NULL;
    um_list_remove(&job->in_jobs);
    um_list_remove(&job->in_group);
    if (um_list_is_empty(&peer->group->jobs))
        um_list_remove(&peer->group->in_rpc);
    release(job);
    um_call_free(job->call);
    free(job);
    for (int i = 0; i < UM_JOB_HEAPS; i++)
        um_observe_resume(peer->rpc, heaps[i]);
}

static void go_on(struct um_job *job)
{
    struct um_peer *peer = job->call->peer;
    struct um_fault fault = {0};
    bool more = false;
    int code = job->kind->step(job, &more, &fault);

    if (code == UMEM_OK && more)
        return;
    um_call_start(job->call);
    if (!peer->broken)
        answer(job, code, &fault);
    end(job);
    um_peer_flush(peer);
}

bool um_job_work(struct um_rpc *rpc)
{
    struct um_peer_group *group;
    struct um_link *first;

    if (um_list_is_empty(&rpc->working))
        return false;
    /* Both go to the end of their lists. */
    first = um_list_take(&rpc->working);
    um_list_append(&rpc->working, first);
    group = UM_LIST_ITEM(first, struct um_peer_group, in_rpc);
    first = um_list_take(&group->jobs);
    um_list_append(&group->jobs, first);
    go_on(UM_LIST_ITEM(first, struct um_job, in_group));
    return !um_list_is_empty(&rpc->jobs);
}

void um_job_drop(struct um_peer *peer)
{
    if (peer->job != NULL)
        end(peer->job);
}

bool um_job_is_at(const struct um_rpc *rpc, um_handle heap, const struct um_peer *peer)
{
    const struct um_link *head = &rpc->jobs;

    for (const struct um_link *link = head->next; link != head; link = link->next) {
        const struct um_job *job = UM_LIST_ITEM(link, const struct um_job, in_jobs);

        if (job->call->peer != peer && (job->heaps[0] == heap || job->heaps[1] == heap))
            return true;
    }
    return false;
}
