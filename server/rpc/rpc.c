#include "rpc/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/job.h"
#include "rpc/engine/known_request.h"
#include "rpc/engine/payload.h"
#include "rpc/events/flush.h"
#include "rpc/events/observe.h"
#include "rpc/events/pending.h"
#include "rpc/events/watch.h"

/* Pieces of background work in one slice: about as many small blocks, or 32 MiB in large ones; a few milliseconds. */
enum {
    RECLAIM_BUDGET = 2000,
    RECLAIMED_BYTES = 4 * 1024 * 1024 /* returned to the system for one such budget, if there are so many */
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

/* For callers that do not count. */
static const struct um_traffic no_traffic;

int um_rpc_new(const struct um_rpc_options *options, struct um_rpc **rpc)
{
    struct um_rpc *made = calloc(1, sizeof *made);

    if (made == NULL)
        return UMEM_E_NO_MEMORY;
    made->store = options->store;
    made->store_status = um_store_get_status(options->store);
    made->known_requests = um_known_requests_new();
    if (made->known_requests == NULL || !um_index_init(&made->jobs_by_heap) ||
        !um_index_init(&made->pending_ids) || !um_index_init(&made->watch_ids) ||
        um_observe_init(options->store, options->limits, &made->observers) != UMEM_OK) {
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
    um_list_init(&made->flushes);
    made->limits = options->limits;
    made->traffic = options->traffic != NULL ? options->traffic : &no_traffic;
    made->events = options->events;
    um_meter_init(&made->meter, options->events.clock_ns, options->events.context);
    made->version = options->version;
    made->pipe = options->pipe;
    made->guard = options->guard;
    made->wipe = options->wipe;
    made->pid = options->pid;
    made->started = options->started;
    made->started_ms = options->started_ms;
    made->last_session_id = um_store_last_owner_id(options->store);
    made->tick_at_ms = UINT64_MAX;
    um_rpc_set_time(made, options->started, options->started_ms);
    *rpc = made;
    return UMEM_OK;
}

void um_rpc_free(struct um_rpc *rpc)
{
    if (rpc == NULL)
        return;
    um_arena_deinit(&rpc->arena);
    um_buf_deinit(&rpc->document);
    um_known_requests_free(rpc->known_requests);
    um_observe_deinit(rpc->observers);
    um_index_deinit(&rpc->jobs_by_heap);
    um_index_deinit(&rpc->pending_ids);
    um_index_deinit(&rpc->watch_ids);
    um_deadlines_deinit(&rpc->deadlines);
    free(rpc);
}

void um_rpc_set_time(struct um_rpc *rpc, int64_t unix_seconds, uint64_t now_ms)
{
    if (unix_seconds != rpc->unix_seconds || rpc->store_status->turn_is_used)
        um_store_set_time(rpc->store, unix_seconds);
    rpc->unix_seconds = unix_seconds;
    rpc->now_ms = now_ms;
    rpc->turn++;
    rpc->answers_left = ANSWERS_A_TURN;
}

bool um_rpc_work(struct um_rpc *rpc)
{
    bool has_jobs = um_job_work(rpc);
    uint64_t pieces = 1 + rpc->touched_bytes / RECLAIMED_BYTES;

    while (um_store_reclaim(rpc->store, RECLAIM_BUDGET) && --pieces != 0)
        continue;
    um_pending_flush(rpc, NULL);
    um_pending_answer(rpc, &(size_t){ANSWERS_A_TURN});
    um_meter_stop(&rpc->meter);
    return has_jobs || rpc->store_status->has_work || !um_list_is_empty(&rpc->resolved);
}

void um_rpc_commit(struct um_rpc *rpc)
{
    uint64_t failures = rpc->store_status->failures;

    um_store_commit(rpc->store);
    if (rpc->store_status->failures != failures)
        um_pending_flush(rpc, NULL); /* blocks may have gone that are observed */
    if (rpc->store_status->has_work)
        um_engine_work_pending(rpc);
}

uint64_t um_rpc_want_sync(struct um_rpc *rpc)
{
    return um_store_want_sync(rpc->store);
}

bool um_rpc_is_synced(const struct um_rpc *rpc, uint64_t number)
{
    return um_store_is_synced(rpc->store, number);
}

void um_rpc_synced(struct um_rpc *rpc)
{
    if (!um_list_is_empty(&rpc->flushes))
        um_flush_recheck(rpc);
    um_pending_flush(rpc, NULL);
}

void um_rpc_end_turn(struct um_rpc *rpc)
{
    rpc->touched_bytes = 0;
    if (rpc->tick_at_ms == UINT64_MAX && um_store_wants_tick(rpc->store))
        rpc->tick_at_ms = rpc->now_ms + UM_STORE_TICK_MS;
}

void um_rpc_end_step(struct um_rpc *rpc)
{
    um_meter_stop(&rpc->meter);
}

void um_rpc_record_calls(struct um_rpc *rpc, bool are_recorded)
{
    rpc->records_calls = are_recorded;
    um_meter_record(&rpc->meter, are_recorded);
}

uint64_t um_rpc_next_deadline(const struct um_rpc *rpc)
{
    return rpc->deadlines.count != 0 ? rpc->deadlines.row[0]->at_ms : UINT64_MAX;
}

uint64_t um_rpc_next_tick(const struct um_rpc *rpc)
{
    return rpc->tick_at_ms;
}

void um_rpc_expire(struct um_rpc *rpc)
{
    if (rpc->now_ms >= rpc->tick_at_ms) {
        rpc->tick_at_ms = UINT64_MAX;
        um_store_tick(rpc->store);
    }
    um_pending_expire(rpc, EXPIRED_A_TURN);
    um_pending_flush(rpc, NULL);
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
        .rpc = rpc,
        .events = options->events,
        .id = owner.id,
        .opened = rpc->unix_seconds,
    };
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
    um_buf_init(&session->changes, SIZE_MAX);
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
    um_buf_deinit(&session->changes);
    um_owner_close(session->rpc->store, session->owner);
    session->owner = NULL;
    session->group->sessions--;
    um_pending_flush(session->rpc, NULL);
}

/* ---- prefetching ---- */

/* Which blocks the messages that just came are about. Only for speed: a guess from the text, which nothing depends on. Where there
 * are millions of blocks, fetching a record and its bytes takes as long as the rest of a small call, but fetching those of many
 * calls at once takes hardly longer than one. */
enum {
    LOOKED_AT_SIZE =
        16 *
        1024, /* bytes of the text; what comes later is only reached when other things were fetched since */
    BLOCKS_AT_ONCE = 128,
    DIGITS_MAXIMUM = 16 /* in a handle */
};

static um_handle handle_at(const char *text, const char *end)
{
    um_handle handle = 0;

    if (end - text > DIGITS_MAXIMUM)
        end = text + DIGITS_MAXIMUM;
    for (; text < end && *text >= '0' && *text <= '9'; text++)
        handle = handle * 10 + (um_handle)(*text - '0');
    return handle;
}

void um_rpc_prefetch(const struct um_rpc *rpc, const char *text, size_t size)
{
    static const char key[] = "\"block\"";
    const size_t key_size = sizeof key - 1;
    um_handle handles[BLOCKS_AT_ONCE];
    size_t count = 0;
    const char *end = text + (size < LOOKED_AT_SIZE ? size : LOOKED_AT_SIZE);
    const char *at = text;

    if (!rpc->store_status->is_large)
        return;
    while (count < BLOCKS_AT_ONCE && at < end) {
        const char *colon = memchr(at, ':', (size_t)(end - at));

        if (colon == NULL)
            break;
        at = colon + 1;
        if ((size_t)(colon - text) >= key_size && memcmp(colon - key_size, key, key_size) == 0)
            handles[count++] = handle_at(at, end);
    }
    um_store_prefetch(rpc->store, handles, count);
}
