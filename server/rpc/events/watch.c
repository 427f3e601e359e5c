#include "rpc/events/watch.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/events/observe.h"
#include "rpc/schema/notification.h"
#include "wire/json_write.h"

enum {
    NOTIFICATION_SIZE = 256,   /* bytes that a notification takes at most */
    NOTIFICATIONS_A_TURN = 256 /* that one session writes, from where no other watch of it begins */
};

struct um_watch {
    struct um_observer observer;
    struct um_session *session;
    struct um_index_node by_id; /* place in um_rpc.watch_ids */
    struct um_link in_session;  /* place in um_session.watches */
    struct um_link in_due;      /* place in um_session.due_watches: it has events to send */
    uint64_t id;
    uint64_t offset; /* of a block: which bytes matter */
    uint64_t size;
    bool is_of_block;
    bool overflow;           /* more happened than `events` holds */
    unsigned event_count;    /* in `events` */
    struct um_event *events; /* UM_EVENTS_KEPT of them, in order; NULL: none is kept */
};

/* ---- taking note ---- */

static bool concerns(const struct um_watch *watch, const struct um_event *event)
{
    if (event->kind != UM_EVENT_CHANGED || !watch->is_of_block)
        return true;
    return watch->size != 0 && event->offset + event->size > watch->offset &&
           (event->offset < watch->offset || event->offset - watch->offset < watch->size);
}

/* Two changes of one block become one, whose range covers both. */
static bool join(struct um_watch *watch, const struct um_event *event)
{
    for (unsigned i = 0; i < watch->event_count; i++) {
        struct um_event *kept = &watch->events[i];
        uint64_t end = kept->offset + kept->size;

        if (event->kind != UM_EVENT_CHANGED || kept->kind != UM_EVENT_CHANGED ||
            kept->handle != event->handle)
            continue;
        if (event->offset + event->size > end)
            end = event->offset + event->size;
        if (event->offset < kept->offset)
            kept->offset = event->offset;
        kept->size = end - kept->offset;
        return true;
    }
    return false;
}

static void note(struct um_watch *watch, const struct um_event *event)
{
    if (watch->overflow || join(watch, event))
        return;
    if (watch->events == NULL)
        watch->events = calloc(UM_EVENTS_KEPT, sizeof *watch->events);
    if (watch->events == NULL || watch->event_count == UM_EVENTS_KEPT || event->kind == UM_EVENT_MANY)
        watch->overflow = true;
    else
        watch->events[watch->event_count++] = *event;
}

static void on_event(struct um_observer *observer, const struct um_event *event)
{
    struct um_watch *watch = UM_LIST_ITEM(observer, struct um_watch, observer);
    struct um_session *session = watch->session;

    if (!concerns(watch, event))
        return;
    note(watch, event);
    if (watch->overflow)
        um_observer_mute(observer);
    um_list_remove(&watch->in_due);
    um_list_append(&session->due_watches, &watch->in_due);
    um_session_flush(session);
}

static const struct um_observer_kind watch_kind = {.role = UM_OBSERVER_WATCH, .on_event = on_event};

/* ---- writing notifications ---- */

static const struct um_notification *notification_for(enum um_event_kind kind)
{
    switch (kind) {
    case UM_EVENT_CHANGED:
        return &um_notification_block_changed;
    case UM_EVENT_FREED:
        return &um_notification_block_freed;
    case UM_EVENT_DESTROYED:
        return &um_notification_heap_destroyed;
    default:
        return &um_notification_watch_overflow;
    }
}

static void write_notification(struct um_watch *watch, const struct um_event *event)
{
    struct um_session *session = watch->session;
    struct um_buf *out = &session->out;
    size_t start;
    size_t text;

    if (um_buf_reserve(out, NOTIFICATION_SIZE) == NULL) {
        session->broken = true;
        return;
    }
    start = um_framing_begin(session);
    text = out->size;
    um_json_begin_object(out);
    um_json_put_string(out, "jsonrpc", "2.0");
    um_json_put_string(out, "method", notification_for(event->kind)->name);
    um_json_key(out, "params");
    um_json_begin_object(out);
    um_json_put_uint(out, "watch", watch->id);
    if (event->kind == UM_EVENT_DESTROYED)
        um_json_put_uint(out, "heap", event->handle);
    else if (event->kind != UM_EVENT_MANY)
        um_json_put_uint(out, "block", event->handle);
    if (event->kind == UM_EVENT_CHANGED) {
        um_json_put_uint(out, "offset", event->offset);
        um_json_put_uint(out, "size", event->size);
    }
    um_json_end_object(out);
    um_json_end_object(out);
    um_framing_end(session, start, text, 0);
}

static void write_events(struct um_watch *watch)
{
    static const struct um_event many = {.kind = UM_EVENT_MANY};

    for (unsigned i = 0; i < watch->event_count && !watch->overflow; i++)
        write_notification(watch, &watch->events[i]);
    if (watch->overflow) {
        write_notification(watch, &many);
        um_observer_unmute(&watch->observer);
    }
    free(watch->events);
    watch->events = NULL;
    watch->event_count = 0;
    watch->overflow = false;
}

void um_watch_write_due(struct um_session *session)
{
    uint64_t limit = um_session_unsent_limit(session);
    unsigned left = NOTIFICATIONS_A_TURN;

    while (!um_list_is_empty(&session->due_watches) && session->out.size <= limit && !session->broken &&
           left != 0) {
        struct um_watch *watch = UM_LIST_ITEM(um_list_take(&session->due_watches), struct um_watch, in_due);
        unsigned count = watch->overflow ? 1 : watch->event_count;

        write_events(watch);
        left -= count < left ? count : left;
    }
}

/* ---- beginning and end ---- */

static void free_watch(struct um_watch *watch)
{
    um_observe_end(&watch->observer);
    um_index_remove(&watch->session->rpc->watch_ids, &watch->by_id);
    um_list_remove(&watch->in_session);
    um_list_remove(&watch->in_due);
    watch->session->watch_count--;
    watch->session->rpc->watches--;
    free(watch->events);
    free(watch);
}

static struct um_watch *new_watch(struct um_session *session, const struct um_watch_options *options)
{
    struct um_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    watch->observer.kind = &watch_kind;
    if (um_observe_begin(session->rpc->observers, options->block, options->heap, &watch->observer) !=
        UMEM_OK) {
        free(watch);
        return NULL;
    }
    watch->session = session;
    watch->id = ++session->rpc->last_watch_id;
    watch->by_id.hash = um_hash_mix(watch->id);
    um_index_insert(&session->rpc->watch_ids, &watch->by_id);
    watch->is_of_block = options->block != NULL;
    watch->offset = options->offset;
    watch->size = options->size;
    um_list_init(&watch->in_due);
    um_list_append(&session->watches, &watch->in_session);
    session->watch_count++;
    session->rpc->watches++;
    return watch;
}

static um_handle subject_of(const struct um_rpc *rpc, const struct um_watch_options *options)
{
    if (options->block != NULL)
        return um_block_handle(rpc->store, options->block);
    return options->heap != NULL ? um_heap_handle(options->heap) : 0;
}

/* Whether one more watch is allowed; else *fault says which limit forbids it. */
static bool is_allowed(const struct um_session *session, um_handle subject, struct um_fault *fault)
{
    const struct um_rpc *rpc = session->rpc;

    *fault = (struct um_fault){.asked = 1};
    if (session->watch_count >= rpc->limits->watches) {
        fault->limit = "watches";
        fault->maximum = rpc->limits->watches;
        fault->used = session->watch_count;
        fault->what = "a session may have so many watches; end one with session.unwatch";
    } else if (rpc->watches >= rpc->limits->watches_total) {
        fault->limit = "watches_total";
        fault->maximum = rpc->limits->watches_total;
        fault->used = rpc->watches;
        fault->what = "all sessions together may have so many watches";
    } else {
        return um_observe_is_allowed(rpc->observers, subject, fault);
    }
    return false;
}

bool um_watch_begin(struct um_call *call, const struct um_watch_options *options, uint64_t *id)
{
    struct um_session *session = call->session;
    struct um_fault fault;
    struct um_watch *watch;

    if (!is_allowed(session, subject_of(session->rpc, options), &fault)) {
        um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
        return false;
    }
    watch = new_watch(session, options);
    if (watch == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a watch");
        um_reply_end(call);
        return false;
    }
    *id = watch->id;
    return true;
}

static bool has_number(const struct um_index_node *node, const void *key)
{
    return UM_LIST_ITEM(node, const struct um_watch, by_id)->id == *(const uint64_t *)key;
}

bool um_watch_end(struct um_session *session, uint64_t id)
{
    struct um_index_node *node = um_index_find(&session->rpc->watch_ids, um_hash_mix(id), has_number, &id);
    struct um_watch *watch = node != NULL ? UM_LIST_ITEM(node, struct um_watch, by_id) : NULL;

    if (watch == NULL || watch->session != session)
        return false;
    free_watch(watch);
    return true;
}

void um_watch_drop_all(struct um_session *session)
{
    while (!um_list_is_empty(&session->watches))
        free_watch(UM_LIST_ITEM(um_list_take(&session->watches), struct um_watch, in_session));
}
