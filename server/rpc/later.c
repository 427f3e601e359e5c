#include "later.h"

#include <stdlib.h>

#include "engine.h"
#include "hash.h"

/* Whether one more waiting call is allowed; else *fault tells which limit forbids it. */
static bool has_room(const struct um_peer *peer, um_handle subject, struct um_fault *fault)
{
    const struct um_rpc *rpc = peer->rpc;

    *fault = (struct um_fault){.asked = 1};
    if (peer->later_count >= rpc->limits->waits) {
        fault->limit = "waits";
        fault->maximum = rpc->limits->waits;
        fault->used = peer->later_count;
        fault->what = "a session may have so many calls that wait; take one back with $/cancelRequest";
    } else if (rpc->waits >= rpc->limits->waits_total) {
        fault->limit = "waits_total";
        fault->maximum = rpc->limits->waits_total;
        fault->used = rpc->waits;
        fault->what = "all sessions together may have so many calls that wait";
    } else {
        return um_observe_has_room(rpc, subject, fault);
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
    if (has_room(call->peer, subject, &fault))
        return true;
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

/* ---- by id ---- */

struct id_key {
    const struct um_peer *peer;
    const struct um_id *id;
};

static uint64_t hash_id(const struct um_peer *peer, const struct um_id *id)
{
    uint64_t hash = um_hash_bytes(peer->rpc->hash_key, id->text, id->size);

    return um_hash_mix(hash ^ peer->id ^ (uint64_t)id->kind);
}

static bool has_id(const struct um_index_node *node, const void *key)
{
    const struct id_key *wanted = key;
    const struct um_call *call = UM_LIST_ITEM(node, const struct um_later, by_id)->call;

    return call->peer == wanted->peer && um_id_is(&call->id, wanted->id);
}

/* The oldest of a peer's that has this id and can be taken back, or NULL. */
static struct um_later *find_id(const struct um_peer *peer, const struct um_id *id, uint64_t hash)
{
    const struct id_key key = {peer, id};
    struct um_index_node *node = um_index_find(&peer->rpc->waiting_ids, hash, has_id, &key);

    return node != NULL ? UM_LIST_ITEM(node, struct um_later, by_id) : NULL;
}

static void note_id(struct um_later *later)
{
    const struct um_peer *peer = later->call->peer;
    struct um_later *oldest;

    um_list_init(&later->same_id);
    if (later->call->id.kind == UM_ID_NULL)
        return; /* which nobody can name */
    later->by_id.hash = hash_id(peer, &later->call->id);
    later->has_id = true;
    oldest = find_id(peer, &later->call->id, later->by_id.hash);
    if (oldest != NULL)
        um_list_append(&oldest->same_id, &later->same_id);
    else
        um_index_insert(&peer->rpc->waiting_ids, &later->by_id);
}

/* From here on it cannot be taken back. The next one with its id is the oldest then. */
static void forget_id(struct um_later *later)
{
    struct um_rpc *rpc = later->call->peer->rpc;
    struct um_later *next = UM_LIST_ITEM(later->same_id.next, struct um_later, same_id);

    if (!later->has_id)
        return;
    later->has_id = false;
    if (find_id(later->call->peer, &later->call->id, later->by_id.hash) == later) {
        um_index_remove(&rpc->waiting_ids, &later->by_id);
        if (next != later)
            um_index_insert(&rpc->waiting_ids, &next->by_id);
    }
    um_list_remove(&later->same_id);
}

/* ---- beginning and end ---- */

static bool set_deadline(struct um_rpc *rpc, struct um_later *later, uint64_t timeout_ms)
{
    /* Past the end of the clock is for ever, too. */
    if (timeout_ms >= UM_LATER_FOREVER - rpc->now_ms)
        return true;
    return um_deadlines_add(&rpc->deadlines, &later->deadline, rpc->now_ms + timeout_ms) == UMEM_OK;
}

void *um_later_new(struct um_call *call, um_handle subject, size_t size, uint64_t timeout_ms,
                   const struct um_later_kind *kind)
{
    struct um_peer *peer = call->peer;
    struct um_later *later;

    if (!may_wait(call, subject))
        return NULL;
    later = calloc(1, size);
    if (later == NULL || !set_deadline(peer->rpc, later, timeout_ms)) {
        free(later);
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a call that waits");
        um_reply_end(call);
        return NULL;
    }
    later->call = um_call_defer(call);
    if (later->call == NULL) {
        um_deadlines_remove(&peer->rpc->deadlines, &later->deadline);
        free(later);
        return NULL;
    }
    later->kind = kind;
    um_list_init(&later->in_decided);
    note_id(later);
    um_list_append(&peer->laters, &later->in_peer);
    peer->later_count++;
    peer->rpc->waits++;
    return later;
}

static void free_later(struct um_later *later)
{
    struct um_peer *peer = later->call->peer;

    later->kind->release(later);
    um_deadlines_remove(&peer->rpc->deadlines, &later->deadline);
    forget_id(later);
    um_list_remove(&later->in_peer);
    um_list_remove(&later->in_decided);
    peer->later_count--;
    peer->rpc->waits--;
    um_call_free(later->call);
    free(later);
}

void um_later_decide(struct um_later *later, int code, const struct um_fault *fault)
{
    struct um_rpc *rpc = later->call->peer->rpc;

    later->kind->release(later);
    um_deadlines_remove(&rpc->deadlines, &later->deadline);
    forget_id(later);
    later->code = code;
    if (code != UMEM_OK)
        later->fault = *fault;
    um_list_append(&rpc->decided, &later->in_decided);
}

static void answer(struct um_later *later)
{
    struct um_call *call = later->call;
    struct um_peer *peer = call->peer;

    um_call_start(call);
    if (!peer->broken && later->code != UMEM_OK) {
        um_fail_fault(call, later->code, &later->fault);
    } else if (!peer->broken) {
        if (later->kind->answer != NULL)
            later->kind->answer(later, call);
        um_reply_end(call);
    }
    free_later(later);
    um_peer_flush(peer);
}

void um_later_answer(struct um_rpc *rpc, size_t *budget)
{
    for (; *budget != 0 && !um_list_is_empty(&rpc->decided); --*budget)
        answer(UM_LIST_ITEM(um_list_take(&rpc->decided), struct um_later, in_decided));
}

/* ---- ends that come from here ---- */

bool um_later_cancel(struct um_peer *peer, const struct um_id *id)
{
    static const struct um_fault nothing;
    struct um_later *later = find_id(peer, id, hash_id(peer, id));

    if (later == NULL)
        return false;
    um_later_decide(later, UMEM_E_CANCELLED, &nothing);
    return true;
}

void um_later_drop_all(struct um_peer *peer)
{
    while (!um_list_is_empty(&peer->laters))
        free_later(UM_LIST_ITEM(um_list_take(&peer->laters), struct um_later, in_peer));
}

void um_later_expire(struct um_rpc *rpc, size_t budget)
{
    struct um_deadline *first = um_deadlines_first(&rpc->deadlines);

    for (; budget != 0 && first != NULL && first->at_ms <= rpc->now_ms; budget--) {
        struct um_later *later = UM_LIST_ITEM(first, struct um_later, deadline);
        struct um_fault fault = {.what = later->kind->what};

        um_later_decide(later, UMEM_E_TIMEOUT, &fault);
        first = um_deadlines_first(&rpc->deadlines);
    }
}
