#include "rpc/events/pending.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rpc/call/engine_state.h"
#include "rpc/events/observe.h"

/* Whether one more waiting call is allowed; else *fault says which limit forbids it. */
static bool is_allowed(const struct um_session *session, um_handle subject, struct um_fault *fault)
{
    const struct um_rpc *rpc = session->rpc;

    *fault = (struct um_fault){.asked = 1};
    if (session->pending_count >= rpc->limits->waits) {
        fault->limit = "waits";
        fault->maximum = rpc->limits->waits;
        fault->used = session->pending_count;
        fault->what = "a session may have so many calls that wait; take one back with $/cancelRequest";
    } else if (rpc->waits >= rpc->limits->waits_total) {
        fault->limit = "waits_total";
        fault->maximum = rpc->limits->waits_total;
        fault->used = rpc->waits;
        fault->what = "all sessions together may have so many calls that wait";
    } else {
        return um_observe_is_allowed(rpc->observers, subject, fault);
    }
    return false;
}

static bool may_wait(struct um_call *call, um_handle subject)
{
    struct um_fault fault;

    if (call->batch != NULL) {
        um_fail(call, UMEM_E_UNSUPPORTED, "%s would have to wait, which a batch cannot; send it on its own",
                call->method->name);
        um_reply_end(call);
        return false;
    }
    if (call->id.kind == UM_ID_NONE) {
        um_fail(call, UMEM_E_TIMEOUT, "a notification does not wait");
        um_reply_end(call);
        return false;
    }
    if (is_allowed(call->session, subject, &fault))
        return true;
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

/* ---- by id ---- */

struct id_key {
    const struct um_session *session;
    const struct um_id *id;
};

static uint64_t hash_id(const struct um_session *session, const struct um_id *id)
{
    uint64_t hash = um_hash_lookup(session->rpc->hash_key, id->text, id->size);

    return um_hash_mix(hash ^ session->id ^ (uint64_t)id->kind);
}

static bool has_id(const struct um_index_node *node, const void *key)
{
    const struct id_key *wanted = key;
    const struct um_call *call = UM_LIST_ITEM(node, const struct um_pending, by_id)->call;

    return call->session == wanted->session && um_id_is(&call->id, wanted->id);
}

/* The oldest of a session's that has this id and can be taken back, or NULL. */
static struct um_pending *find_id(const struct um_session *session, const struct um_id *id, uint64_t hash)
{
    const struct id_key key = {session, id};
    struct um_index_node *node = um_index_find(&session->rpc->pending_ids, hash, has_id, &key);

    return node != NULL ? UM_LIST_ITEM(node, struct um_pending, by_id) : NULL;
}

static void note_id(struct um_pending *pending)
{
    const struct um_session *session = pending->call->session;
    struct um_pending *oldest;

    um_list_init(&pending->same_id);
    if (pending->call->id.kind == UM_ID_NULL)
        return; /* which no request can name */
    pending->by_id.hash = hash_id(session, &pending->call->id);
    pending->has_id = true;
    oldest = find_id(session, &pending->call->id, pending->by_id.hash);
    if (oldest != NULL)
        um_list_append(&oldest->same_id, &pending->same_id);
    else
        um_index_insert(&session->rpc->pending_ids, &pending->by_id);
}

/* From here on it cannot be taken back. The next one with its id is the oldest then. */
static void forget_id(struct um_pending *pending)
{
    struct um_rpc *rpc = pending->call->session->rpc;
    struct um_pending *next = UM_LIST_ITEM(pending->same_id.next, struct um_pending, same_id);

    if (!pending->has_id)
        return;
    pending->has_id = false;
    if (find_id(pending->call->session, &pending->call->id, pending->by_id.hash) == pending) {
        um_index_remove(&rpc->pending_ids, &pending->by_id);
        if (next != pending)
            um_index_insert(&rpc->pending_ids, &next->by_id);
    }
    um_list_remove(&pending->same_id);
}

/* ---- beginning and end ---- */

static bool set_deadline(struct um_rpc *rpc, struct um_pending *pending, uint64_t timeout_ms)
{
    /* A time past the end of the clock is no limit, either. */
    if (timeout_ms >= UM_PENDING_FOREVER - rpc->now_ms)
        return true;
    return um_deadlines_add(&rpc->deadlines, &pending->deadline, rpc->now_ms + timeout_ms) == UMEM_OK;
}

void *um_pending_new(struct um_call *call, um_handle subject, size_t size, uint64_t timeout_ms,
                     const struct um_pending_kind *kind)
{
    struct um_session *session = call->session;
    struct um_pending *pending;

    if (!may_wait(call, subject))
        return NULL;
    pending = calloc(1, size);
    if (pending == NULL || !set_deadline(session->rpc, pending, timeout_ms)) {
        free(pending);
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a call that waits");
        um_reply_end(call);
        return NULL;
    }
    pending->call = um_call_defer(call);
    if (pending->call == NULL) {
        um_deadlines_remove(&session->rpc->deadlines, &pending->deadline);
        free(pending);
        return NULL;
    }
    pending->call->has_waited = true;
    pending->kind = kind;
    um_list_init(&pending->in_resolved);
    note_id(pending);
    um_list_append(&session->pending_calls, &pending->in_session);
    session->pending_count++;
    session->rpc->waits++;
    return pending;
}

static void free_pending(struct um_pending *pending)
{
    struct um_session *session = pending->call->session;

    pending->kind->release(pending);
    um_deadlines_remove(&session->rpc->deadlines, &pending->deadline);
    forget_id(pending);
    um_list_remove(&pending->in_session);
    um_list_remove(&pending->in_resolved);
    session->pending_count--;
    session->rpc->waits--;
    um_call_free(pending->call);
    free(pending);
}

void um_pending_resolve(struct um_pending *pending, int code, const struct um_fault *fault)
{
    struct um_rpc *rpc = pending->call->session->rpc;

    pending->kind->release(pending);
    um_deadlines_remove(&rpc->deadlines, &pending->deadline);
    forget_id(pending);
    pending->code = code;
    if (code != UMEM_OK)
        pending->fault = *fault;
    um_list_append(&rpc->resolved, &pending->in_resolved);
}

static void answer(struct um_pending *pending)
{
    struct um_call *call = pending->call;
    struct um_session *session = call->session;

    um_call_start(call);
    if (!session->broken && pending->code != UMEM_OK) {
        um_fail_fault(call, pending->code, &pending->fault);
    } else if (!session->broken) {
        if (pending->kind->answer != NULL)
            pending->kind->answer(pending, call);
        um_reply_end(call);
    }
    free_pending(pending);
    um_session_flush(session);
}

void um_pending_answer(struct um_rpc *rpc, size_t *budget)
{
    for (; *budget != 0 && !um_list_is_empty(&rpc->resolved); --*budget)
        answer(UM_LIST_ITEM(um_list_take(&rpc->resolved), struct um_pending, in_resolved));
}

void um_pending_deliver(struct um_rpc *rpc, struct um_session *session)
{
    uint64_t work = um_observe_flush(rpc->observers);

    if (session != NULL)
        um_session_charge(session, work);
    if (!um_list_is_empty(&rpc->resolved))
        um_pending_answer(rpc, &rpc->answers_left);
    if (!um_list_is_empty(&rpc->resolved))
        um_engine_work_pending(rpc);
}

/* ---- ends that come from here ---- */

bool um_pending_cancel(struct um_session *session, const struct um_id *id)
{
    static const struct um_fault nothing;
    struct um_pending *pending = find_id(session, id, hash_id(session, id));

    if (pending == NULL)
        return false;
    um_pending_resolve(pending, UMEM_E_CANCELLED, &nothing);
    return true;
}

void um_pending_drop_all(struct um_session *session)
{
    while (!um_list_is_empty(&session->pending_calls))
        free_pending(UM_LIST_ITEM(um_list_take(&session->pending_calls), struct um_pending, in_session));
}

void um_pending_expire(struct um_rpc *rpc, size_t budget)
{
    struct um_deadline *first = um_deadlines_first(&rpc->deadlines);

    for (; budget != 0 && first != NULL && first->at_ms <= rpc->now_ms; budget--) {
        struct um_pending *pending = UM_LIST_ITEM(first, struct um_pending, deadline);
        struct um_fault fault = {.what = pending->kind->what};

        um_pending_resolve(pending, UMEM_E_TIMEOUT, &fault);
        first = um_deadlines_first(&rpc->deadlines);
    }
}
