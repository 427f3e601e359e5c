#include "rpc/call/engine_state.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rpc/engine/job.h"
#include "rpc/engine/payload.h"
#include "rpc/events/pending.h"
#include "rpc/events/watch.h"

/* Pieces of background work in one slice: about as many small blocks, or 32 MiB in large ones; a few milliseconds. */
enum {
    RECLAIM_BUDGET = 2000,
    RECLAIMED_BYTES =
        4 * 1024 * 1024 /* that go back to the system for one such budget, where there are so many */
};

/* Calls that waited: answered in one turn, at the end of messages and by um_rpc_work(); and out of time in one turn. */
enum { ANSWERS_A_TURN = 1024, EXPIRED_A_TURN = 4096 };

/* Bytes that an answer of fixed size takes at most, with the id of a call that waits, all escaped. */
enum { SMALL_ANSWER_SIZE = 16384 };

static int compare_sessions(const struct um_tree_node *left, const struct um_tree_node *right)
{
    uint64_t left_id = UM_TREE_ITEM(left, const struct um_session, by_id)->id;
    uint64_t right_id = UM_TREE_ITEM(right, const struct um_session, by_id)->id;

    return (left_id > right_id) - (left_id < right_id);
}

int um_rpc_new(const struct um_rpc_options *options, struct um_rpc **rpc)
{
    struct um_rpc *made = calloc(1, sizeof *made);

    if (made == NULL)
        return UMEM_E_NO_MEMORY;
    made->store = options->store;
    if (!um_index_init(&made->jobs_by_heap) || !um_index_init(&made->pending_ids) ||
        !um_index_init(&made->watch_ids) || um_observe_init(made) != UMEM_OK) {
        um_rpc_free(made);
        return UMEM_E_NO_MEMORY;
    }
    made->hash_key[0] = um_hash_mix(options->seed);
    made->hash_key[1] = um_hash_mix(made->hash_key[0] ^ options->seed);
    um_tree_init(&made->sessions_by_id, compare_sessions);
    um_list_init(&made->sessions);
    um_list_init(&made->jobs);
    um_list_init(&made->working);
    um_list_init(&made->resolved);
    made->limits = options->limits;
    made->traffic = options->traffic;
    made->events = options->events;
    made->version = options->version;
    made->pipe = options->pipe;
    made->guard = options->guard;
    made->wipe = options->wipe;
    made->pid = options->pid;
    made->started = options->started;
    made->started_ms = options->started_ms;
    um_rpc_set_time(made, options->started, options->started_ms);
    *rpc = made;
    return UMEM_OK;
}

void um_rpc_free(struct um_rpc *rpc)
{
    if (rpc == NULL)
        return;
    um_arena_deinit(&rpc->arena);
    um_observe_deinit(rpc);
    um_index_deinit(&rpc->jobs_by_heap);
    um_index_deinit(&rpc->pending_ids);
    um_index_deinit(&rpc->watch_ids);
    um_deadlines_deinit(&rpc->deadlines);
    free(rpc);
}

void um_rpc_set_time(struct um_rpc *rpc, int64_t unix_seconds, uint64_t now_ms)
{
    rpc->unix_seconds = unix_seconds;
    rpc->now_ms = now_ms;
    rpc->turn++;
    rpc->answers_left = ANSWERS_A_TURN;
    um_store_set_time(rpc->store, unix_seconds);
}

bool um_rpc_work(struct um_rpc *rpc)
{
    bool has_jobs = um_job_work(rpc);
    uint64_t pieces = 1 + rpc->touched_bytes / RECLAIMED_BYTES;

    while (um_store_reclaim(rpc->store, RECLAIM_BUDGET) && --pieces != 0)
        continue;
    um_engine_flush(rpc, NULL);
    um_pending_answer(rpc, &(size_t){ANSWERS_A_TURN});
    return has_jobs || um_store_has_work(rpc->store) || !um_list_is_empty(&rpc->resolved);
}

void um_session_charge(struct um_session *session, uint64_t work)
{
    session->work += work;
}

void um_rpc_end_turn(struct um_rpc *rpc)
{
    rpc->touched_bytes = 0;
}

uint64_t um_rpc_next_deadline(const struct um_rpc *rpc)
{
    const struct um_deadline *first = um_deadlines_first(&rpc->deadlines);

    return first != NULL ? first->at_ms : UINT64_MAX;
}

void um_rpc_expire(struct um_rpc *rpc)
{
    um_pending_expire(rpc, EXPIRED_A_TURN);
    um_engine_flush(rpc, NULL);
}

void um_engine_work_pending(struct um_rpc *rpc)
{
    if (rpc->events.work_pending != NULL)
        rpc->events.work_pending(rpc->events.context);
}

void um_engine_flush(struct um_rpc *rpc, struct um_session *session)
{
    uint64_t work;

    um_observe_flush(rpc);
    work = um_observe_take_work(rpc);
    if (session != NULL)
        um_session_charge(session, work);
    if (!um_list_is_empty(&rpc->resolved))
        um_pending_answer(rpc, &rpc->answers_left);
    if (um_store_has_work(rpc->store) || !um_list_is_empty(&rpc->resolved))
        um_engine_work_pending(rpc);
}

/* ---- sessions ---- */

/* Most that a session's answers may take: what waits to be sent, the answer at work with what it repeats of the
 * request, a batch's raw bytes, and the small answers of a batch or of all calls that wait. */
static size_t out_limit(const struct um_limits *limits)
{
    uint64_t small_answers = limits->batch_requests + limits->waits;
    uint64_t limit = limits->unsent_bytes + 4 * limits->message_bytes + limits->batch_bytes +
                     small_answers * SMALL_ANSWER_SIZE;

    return limit < SIZE_MAX ? (size_t)limit : SIZE_MAX;
}

static void join_group(struct um_session *session, struct um_session_group *group)
{
    session->group = group != NULL ? group : &session->own_group;
    if (session->group->sessions++ != 0)
        return;
    um_list_init(&session->group->jobs);
    um_list_init(&session->group->readings);
    um_list_init(&session->group->in_rpc);
}

int um_session_open(struct um_rpc *rpc, struct um_session *session, const struct um_session_options *options)
{
    const struct um_limits *limits = rpc->limits;
    struct um_owner_options owner = {
        .id = rpc->last_session_id + 1,
        .pid = options->pid,
        .program = options->program,
        .user = options->user,
    };
    int code;

    *session = (struct um_session){
        .rpc = rpc, .events = options->events, .id = owner.id, .opened = rpc->unix_seconds};
    code = um_owner_open(rpc->store, &owner, &session->owner);
    if (code != UMEM_OK)
        return code;
    rpc->last_session_id = owner.id;
    join_group(session, options->group);
    um_list_append(&rpc->sessions, &session->in_rpc);
    um_tree_insert(&rpc->sessions_by_id, &session->by_id);
    um_list_init(&session->pending_calls);
    um_list_init(&session->watches);
    um_list_init(&session->due_watches);
    um_buf_init(&session->out, out_limit(limits));
    return UMEM_OK;
}

void um_session_close(struct um_session *session)
{
    um_list_remove(&session->in_rpc);
    um_tree_remove(&session->rpc->sessions_by_id, &session->by_id);
    session->events = NULL;
    um_pending_drop_all(session);
    um_watch_drop_all(session);
    um_job_drop(session);
    um_payload_abandon(session);
    um_session_tail_sent(session);
    um_buf_deinit(&session->out);
    um_owner_close(session->rpc->store, session->owner);
    session->owner = NULL;
    session->group->sessions--;
    um_engine_flush(session->rpc, NULL);
}

void um_session_flush(struct um_session *session)
{
    if (session->events != NULL && session->events->flush != NULL)
        session->events->flush(session);
}

uint64_t um_session_gathered(const struct um_session *session)
{
    return um_payload_memory(session) + (session->job != NULL ? session->job->held_bytes : 0);
}

const struct um_traffic *um_engine_traffic(const struct um_rpc *rpc)
{
    static const struct um_traffic none;

    return rpc->traffic != NULL ? rpc->traffic : &none;
}

void um_session_reserve_answer(struct um_session *session, uint64_t bytes)
{
    session->rpc->reserved_bytes += bytes;
    session->group->reserved_bytes += bytes;
}

void um_session_release_answer(struct um_session *session, uint64_t bytes)
{
    session->rpc->reserved_bytes -= bytes;
    session->group->reserved_bytes -= bytes;
}

uint64_t um_session_unsent_left(const struct um_session *session)
{
    uint64_t limit = session->rpc->limits->unsent_total_bytes;
    uint64_t used = um_engine_traffic(session->rpc)->unsent_bytes + session->rpc->reserved_bytes;
    uint64_t own = session->group->unsent_bytes + session->group->reserved_bytes;
    uint64_t left = used < limit ? limit - used : 0;

    if (session->group == &session->own_group)
        return left;
    /* Half of (left + own) is the share, and own of that is taken. */
    return left > own ? (left - own) / 2 : 0;
}

/* The nearer all sessions together come to their limit, the less each may have: a quarter of what is left. So those who do not
 * read never leave nothing for others, and with a few bytes unsent everybody is served. */
uint64_t um_session_unsent_limit(const struct um_session *session)
{
    const struct um_limits *limits = session->rpc->limits;
    uint64_t share = um_session_unsent_left(session) / 4;

    if (share < UM_SMALL_ANSWER_SIZE)
        share = UM_SMALL_ANSWER_SIZE;
    return share < limits->unsent_bytes ? share : limits->unsent_bytes;
}

bool um_session_is_ready(const struct um_session *session)
{
    return session->tail.bytes == NULL && session->payload == NULL && session->job == NULL &&
           !session->broken;
}

bool um_session_is_waiting(const struct um_session *session)
{
    return session->job != NULL || !um_list_is_empty(&session->pending_calls);
}

void um_session_tail_sent(struct um_session *session)
{
    if (session->tail_pin != NULL)
        um_pin_release(session->rpc->store, session->tail_pin);
    session->tail_pin = NULL;
    session->tail = (struct um_tail){NULL, 0, 0};
    /* The block may have been freed meanwhile, and its memory was kept for this. */
    if (um_store_has_work(session->rpc->store))
        um_engine_work_pending(session->rpc);
}
