#include "later.h"

#include <stdlib.h>

#include "engine.h"

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

static bool set_deadline(struct um_rpc *rpc, struct um_later *later, uint64_t timeout_ms)
{
    /* Past the end of the clock is for ever, too. */
    if (timeout_ms >= UM_LATER_FOREVER - rpc->now_ms)
        return true;
    return um_deadlines_add(&rpc->deadlines, &later->deadline, rpc->now_ms + timeout_ms) == UMEM_OK;
}

void *um_later_new(struct um_call *call, um_handle subject, size_t size, uint64_t timeout_ms,
                   const char *what, void (*release)(struct um_later *later))
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
    later->release = release;
    later->what = what;
    um_list_init(&later->in_cancelled);
    um_list_append(&peer->laters, &later->in_peer);
    peer->later_count++;
    peer->rpc->waits++;
    return later;
}

static void free_later(struct um_later *later)
{
    struct um_peer *peer = later->call->peer;

    later->release(later);
    um_deadlines_remove(&peer->rpc->deadlines, &later->deadline);
    um_list_remove(&later->in_peer);
    um_list_remove(&later->in_cancelled);
    peer->later_count--;
    peer->rpc->waits--;
    um_call_free(later->call);
    free(later);
}

struct um_call *um_later_start(struct um_later *later)
{
    um_call_start(later->call);
    return later->call->peer->broken ? NULL : later->call;
}

void um_later_done(struct um_later *later)
{
    struct um_peer *peer = later->call->peer;

    free_later(later);
    um_peer_flush(peer);
}

void um_later_fail(struct um_later *later, int code, const struct um_fault *fault)
{
    struct um_call *call = um_later_start(later);

    if (call != NULL)
        um_fail_fault(call, code, fault);
    um_later_done(later);
}

/* ---- ends that come from here ---- */

bool um_later_cancel(struct um_peer *peer, const struct um_id *id)
{
    for (struct um_link *link = peer->laters.next; link != &peer->laters; link = link->next) {
        struct um_later *later = UM_LIST_ITEM(link, struct um_later, in_peer);

        if (um_list_is_empty(&later->in_cancelled) && um_id_is(&later->call->id, id)) {
            um_list_append(&peer->rpc->cancelled, &later->in_cancelled);
            return true;
        }
    }
    return false;
}

void um_later_settle(struct um_rpc *rpc)
{
    static const struct um_fault nothing;

    while (!um_list_is_empty(&rpc->cancelled))
        um_later_fail(UM_LIST_ITEM(um_list_take(&rpc->cancelled), struct um_later, in_cancelled),
                      UMEM_E_CANCELLED, &nothing);
}

void um_later_drop_all(struct um_peer *peer)
{
    while (!um_list_is_empty(&peer->laters))
        free_later(UM_LIST_ITEM(um_list_take(&peer->laters), struct um_later, in_peer));
}

void um_later_expire(struct um_rpc *rpc)
{
    struct um_deadline *first = um_deadlines_first(&rpc->deadlines);

    while (first != NULL && first->at_ms <= rpc->now_ms) {
        struct um_later *later = UM_LIST_ITEM(first, struct um_later, deadline);
        struct um_fault fault = {.what = later->what};

        um_later_fail(later, UMEM_E_TIMEOUT, &fault);
        first = um_deadlines_first(&rpc->deadlines);
    }
}
