#include "rpc/events/flush.h"

#include <stdio.h>

#include "rpc/events/observe.h"
#include "rpc/events/pending.h"

/* A call that waits for a sync. */
struct flush {
    struct um_pending pending;
    struct um_observer observer; /* of the heap's end */
    struct um_link in_flushes;   /* place in um_rpc.flushes */
    um_handle heap;
    uint64_t ticket;
    char what[512]; /* why it failed: the store has one text for all */
};

static void recheck(struct flush *flush)
{
    struct um_store *store = flush->pending.call->session->rpc->store;
    struct um_fault fault = {0};
    struct um_heap *heap = NULL;
    bool done = false;
    int code = um_store_find_heap(store, flush->heap, &heap, &fault);

    if (code == UMEM_OK)
        code = um_heap_check_flush(heap, flush->ticket, &done, &fault);
    if (code != UMEM_OK && fault.what != NULL) {
        snprintf(flush->what, sizeof flush->what, "%s", fault.what);
        fault.what = flush->what;
    }
    if (code != UMEM_OK || done)
        um_pending_resolve(&flush->pending, code, &fault);
}

void um_flush_recheck(struct um_rpc *rpc)
{
    struct um_link *link = rpc->flushes.next;

    while (link != &rpc->flushes) {
        struct flush *flush = UM_LIST_ITEM(link, struct flush, in_flushes);

        link = link->next; /* it may leave the list */
        recheck(flush);
    }
}

static void on_event(struct um_observer *observer, const struct um_event *event)
{
    if (event->kind == UM_EVENT_DESTROYED || event->kind == UM_EVENT_MANY)
        um_observer_schedule(observer);
}

static void on_recheck(struct um_observer *observer)
{
    recheck(UM_LIST_ITEM(observer, struct flush, observer));
}

static const struct um_observer_kind observer_kind = {
    .role = UM_OBSERVER_WATCH, .on_event = on_event, .recheck = on_recheck};

static void release(struct um_pending *pending)
{
    struct flush *flush = (struct flush *)pending;

    um_list_remove(&flush->in_flushes);
    um_observe_end(&flush->observer);
}

static const struct um_pending_kind pending_kind = {.what = "the heap was not on the disk",
                                                    .release = release};

void um_flush_wait(struct um_call *call, struct um_heap *heap, uint64_t ticket)
{
    static const struct um_fault no_memory = {.what = "the daemon has no memory for a call that waits"};
    struct um_rpc *rpc = call->session->rpc;
    um_handle handle = um_heap_handle(heap);
    struct flush *flush = um_pending_new(call, handle, sizeof *flush, UM_PENDING_FOREVER, &pending_kind);

    if (flush == NULL)
        return;
    flush->observer.kind = &observer_kind;
    flush->heap = handle;
    flush->ticket = ticket;
    um_list_append(&rpc->flushes, &flush->in_flushes);
    if (um_observe_begin(rpc->observers, NULL, heap, &flush->observer) != UMEM_OK)
        um_pending_resolve(&flush->pending, UMEM_E_INTERNAL_ERROR, &no_memory);
}
