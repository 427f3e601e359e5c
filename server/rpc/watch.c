#include "watch.h"

#include <stdlib.h>

#include "engine.h"
#include "framing.h"
#include "hash.h"
#include "json_out.h"
#include "notification.h"

enum {
    NOTIFICATION_SIZE = 256,   /* bytes that a notification takes at most */
    NOTIFICATIONS_A_TURN = 256 /* that one peer writes, from where no other watch of it begins */
};

struct um_watch {
    struct um_observer observer;
    struct um_peer *peer;
    struct um_index_node by_id; /* place in um_rpc.watch_ids */
    struct um_link in_peer;     /* place in um_peer.watches */
    struct um_link in_talking;  /* place in um_peer.talking: it has something to tell */
    uint64_t id;
    uint64_t offset; /* of a block: which bytes matter */
    uint64_t size;
    bool is_of_block;
    bool overflow;        /* more happened than `news` holds */
    unsigned news_count;  /* in `news` */
    struct um_news *news; /* UM_EVENTS_KEPT of them, in order; NULL: none is kept */
};

/* ---- taking note ---- */

static bool concerns(const struct um_watch *watch, const struct um_news *news)
{
    if (news->kind != UM_NEWS_CHANGED || !watch->is_of_block)
        return true;
    return watch->size != 0 && news->offset + news->size > watch->offset &&
           (news->offset < watch->offset || news->offset - watch->offset < watch->size);
}

/* Two changes of one block are told as one, whose range covers both. */
static bool join(struct um_watch *watch, const struct um_news *news)
{
    for (unsigned i = 0; i < watch->news_count; i++) {
        struct um_news *kept = &watch->news[i];
        uint64_t end = kept->offset + kept->size;

        if (news->kind != UM_NEWS_CHANGED || kept->kind != UM_NEWS_CHANGED || kept->handle != news->handle)
            continue;
        if (news->offset + news->size > end)
            end = news->offset + news->size;
        if (news->offset < kept->offset)
            kept->offset = news->offset;
        kept->size = end - kept->offset;
        return true;
    }
    return false;
}

static void note(struct um_watch *watch, const struct um_news *news)
{
    if (watch->overflow || join(watch, news))
        return;
    if (watch->news == NULL)
        watch->news = calloc(UM_EVENTS_KEPT, sizeof *watch->news);
    if (watch->news == NULL || watch->news_count == UM_EVENTS_KEPT || news->kind == UM_NEWS_MANY)
        watch->overflow = true;
    else
        watch->news[watch->news_count++] = *news;
}

static void told(struct um_observer *observer, const struct um_news *news)
{
    struct um_watch *watch = UM_LIST_ITEM(observer, struct um_watch, observer);
    struct um_peer *peer = watch->peer;

    if (!concerns(watch, news))
        return;
    note(watch, news);
    if (watch->overflow)
        um_observer_silence(observer);
    um_list_remove(&watch->in_talking);
    um_list_append(&peer->talking, &watch->in_talking);
    um_peer_flush(peer);
}

static const struct um_observer_kind watch_kind = {.role = UM_OBSERVER_WATCH, .told = told};

/* ---- telling ---- */

static void write_uint(struct um_buf *out, const char *key, uint64_t value)
{
    um_json_key(out, key);
    um_json_uint(out, value);
}

static const struct um_notification *notification_for(enum um_news_kind kind)
{
    switch (kind) {
    case UM_NEWS_CHANGED:
        return &um_notification_block_changed;
    case UM_NEWS_FREED:
        return &um_notification_block_freed;
    case UM_NEWS_DESTROYED:
        return &um_notification_heap_destroyed;
    default:
        return &um_notification_watch_overflow;
    }
}

static void write_notification(struct um_watch *watch, const struct um_news *news)
{
    struct um_peer *peer = watch->peer;
    struct um_buf *out = &peer->out;
    size_t start;

    if (um_buf_reserve(out, NOTIFICATION_SIZE) == NULL) {
        peer->broken = true;
        return;
    }
    start = um_framing_begin(peer);
    um_json_begin_object(out);
    um_json_key(out, "jsonrpc");
    um_json_cstring(out, "2.0");
    um_json_key(out, "method");
    um_json_cstring(out, notification_for(news->kind)->name);
    um_json_key(out, "params");
    um_json_begin_object(out);
    write_uint(out, "watch", watch->id);
    if (news->kind == UM_NEWS_DESTROYED)
        write_uint(out, "heap", news->handle);
    else if (news->kind != UM_NEWS_MANY)
        write_uint(out, "block", news->handle);
    if (news->kind == UM_NEWS_CHANGED) {
        write_uint(out, "offset", news->offset);
        write_uint(out, "size", news->size);
    }
    um_json_end_object(out);
    um_json_end_object(out);
    um_framing_end(peer, start, 0);
}

static void tell(struct um_watch *watch)
{
    static const struct um_news many = {.kind = UM_NEWS_MANY};

    for (unsigned i = 0; i < watch->news_count && !watch->overflow; i++)
        write_notification(watch, &watch->news[i]);
    if (watch->overflow) {
        write_notification(watch, &many);
        um_observer_resume(&watch->observer);
    }
    free(watch->news);
    watch->news = NULL;
    watch->news_count = 0;
    watch->overflow = false;
}

void um_peer_notify(struct um_peer *peer)
{
    uint64_t limit = um_peer_unsent_limit(peer);
    unsigned left = NOTIFICATIONS_A_TURN;

    while (!um_list_is_empty(&peer->talking) && peer->out.size <= limit && !peer->broken && left != 0) {
        struct um_watch *watch = UM_LIST_ITEM(um_list_take(&peer->talking), struct um_watch, in_talking);
        unsigned count = watch->overflow ? 1 : watch->news_count;

        tell(watch);
        left -= count < left ? count : left;
    }
}

bool um_peer_has_news(const struct um_peer *peer)
{
    return !um_list_is_empty(&peer->talking);
}

/* ---- beginning and end ---- */

static void free_watch(struct um_watch *watch)
{
    um_observe_end(&watch->observer);
    um_index_remove(&watch->peer->rpc->watch_ids, &watch->by_id);
    um_list_remove(&watch->in_peer);
    um_list_remove(&watch->in_talking);
    watch->peer->watch_count--;
    watch->peer->rpc->watches--;
    free(watch->news);
    free(watch);
}

static struct um_watch *new_watch(struct um_peer *peer, const struct um_watch_options *options)
{
    struct um_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    watch->observer.kind = &watch_kind;
    if (um_observe_begin(peer->rpc, options->block, options->heap, &watch->observer) != UMEM_OK) {
        free(watch);
        return NULL;
    }
    watch->peer = peer;
    watch->id = ++peer->rpc->last_watch_id;
    watch->by_id.hash = um_hash_mix(watch->id);
    um_index_insert(&peer->rpc->watch_ids, &watch->by_id);
    watch->is_of_block = options->block != NULL;
    watch->offset = options->offset;
    watch->size = options->size;
    um_list_init(&watch->in_talking);
    um_list_append(&peer->watches, &watch->in_peer);
    peer->watch_count++;
    peer->rpc->watches++;
    return watch;
}

static um_handle subject_of(const struct um_rpc *rpc, const struct um_watch_options *options)
{
    if (options->block != NULL)
        return um_block_handle(rpc->store, options->block);
    return options->heap != NULL ? um_heap_handle(options->heap) : 0;
}

/* Whether one more watch is allowed; else *fault tells which limit forbids it. */
static bool has_room(const struct um_peer *peer, um_handle subject, struct um_fault *fault)
{
    const struct um_rpc *rpc = peer->rpc;

    *fault = (struct um_fault){.asked = 1};
    if (peer->watch_count >= rpc->limits->watches) {
        fault->limit = "watches";
        fault->maximum = rpc->limits->watches;
        fault->used = peer->watch_count;
        fault->what = "a session may have so many watches; end one with session.unwatch";
    } else if (rpc->watches >= rpc->limits->watches_total) {
        fault->limit = "watches_total";
        fault->maximum = rpc->limits->watches_total;
        fault->used = rpc->watches;
        fault->what = "all sessions together may have so many watches";
    } else {
        return um_observe_has_room(rpc, subject, fault);
    }
    return false;
}

bool um_watch_begin(struct um_call *call, const struct um_watch_options *options, uint64_t *id)
{
    struct um_peer *peer = call->peer;
    struct um_fault fault;
    struct um_watch *watch;

    if (!has_room(peer, subject_of(peer->rpc, options), &fault)) {
        um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
        return false;
    }
    watch = new_watch(peer, options);
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

bool um_watch_end(struct um_peer *peer, uint64_t id)
{
    struct um_index_node *node = um_index_find(&peer->rpc->watch_ids, um_hash_mix(id), has_number, &id);
    struct um_watch *watch = node != NULL ? UM_LIST_ITEM(node, struct um_watch, by_id) : NULL;

    if (watch == NULL || watch->peer != peer)
        return false;
    free_watch(watch);
    return true;
}

void um_watch_drop_all(struct um_peer *peer)
{
    while (!um_list_is_empty(&peer->watches))
        free_watch(UM_LIST_ITEM(um_list_take(&peer->watches), struct um_watch, in_peer));
}
