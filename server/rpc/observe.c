#include "observe.h"

#include <stdlib.h>

#include "engine.h"
#include "hash.h"

/* ---- subjects ---- */

static bool has_handle(const struct um_index_node *node, const void *key)
{
    return UM_LIST_ITEM(node, const struct um_subject, node)->handle == *(const um_handle *)key;
}

static struct um_subject *find_subject(const struct um_rpc *rpc, um_handle handle)
{
    struct um_index_node *node =
        um_index_find(&rpc->observing.subjects, um_hash_mix(handle), has_handle, &handle);

    return node != NULL ? UM_LIST_ITEM(node, struct um_subject, node) : NULL;
}

static struct um_subject *get_subject(struct um_rpc *rpc, um_handle handle)
{
    struct um_subject *subject = find_subject(rpc, handle);

    if (subject != NULL)
        return subject;
    subject = calloc(1, sizeof *subject);
    if (subject == NULL)
        return NULL;
    subject->handle = handle;
    subject->node.hash = um_hash_mix(handle);
    um_list_init(&subject->observers);
    um_index_insert(&rpc->observing.subjects, &subject->node);
    return subject;
}

/* Frees the record of what nobody observes any more. */
static void settle_subject(struct um_rpc *rpc, struct um_subject *subject)
{
    if (subject == &rpc->observing.everything || !um_list_is_empty(&subject->observers))
        return;
    um_index_remove(&rpc->observing.subjects, &subject->node);
    free(subject);
}

/* ---- beginning and end ---- */

bool um_observe_has_room(const struct um_rpc *rpc, um_handle handle, struct um_fault *fault)
{
    const struct um_subject *subject = handle != 0 ? find_subject(rpc, handle) : &rpc->observing.everything;
    uint64_t limit = rpc->limits->observers;

    if (subject == NULL || subject->count < limit)
        return true;
    *fault = (struct um_fault){
        .limit = "observers",
        .maximum = limit,
        .used = subject->count,
        .asked = 1,
        .what = "so many watches and waiting calls may be on one block, on one heap, or on everything",
    };
    return false;
}

static int observe_everything(struct um_rpc *rpc, struct um_observer *observer)
{
    um_store_observe_all(rpc->store, true);
    observer->subject = &rpc->observing.everything;
    return UMEM_OK;
}

int um_observe_begin(struct um_rpc *rpc, struct um_block *block, struct um_heap *heap,
                     struct um_observer *observer)
{
    observer->rpc = rpc;
    um_list_init(&observer->in_subject);
    um_list_init(&observer->in_marked);
    if (block != NULL) {
        observer->subject = get_subject(rpc, um_block_handle(rpc->store, block));
        if (observer->subject != NULL && um_block_observe(rpc->store, block) != UMEM_OK) {
            settle_subject(rpc, observer->subject);
            observer->subject = NULL;
        }
    } else if (heap != NULL) {
        observer->subject = get_subject(rpc, um_heap_handle(heap));
        if (observer->subject != NULL)
            um_heap_observe(heap);
    } else {
        observe_everything(rpc, observer);
    }
    if (observer->subject == NULL)
        return UMEM_E_NO_MEMORY;
    um_list_append(&observer->subject->observers, &observer->in_subject);
    observer->subject->count++;
    return UMEM_OK;
}

/* The last observer has gone: the store need not tell any more. */
static void stop_observing(struct um_rpc *rpc, um_handle handle)
{
    struct um_block *block = NULL;
    struct um_heap *heap = NULL;

    if (handle == 0)
        um_store_observe_all(rpc->store, false);
    else if (um_store_find_block(rpc->store, handle, &block, NULL) == UMEM_OK)
        um_block_unobserve(rpc->store, block);
    else if (um_store_find_heap(rpc->store, handle, &heap, NULL) == UMEM_OK)
        um_heap_unobserve(heap);
}

void um_observe_end(struct um_observer *observer)
{
    struct um_subject *subject = observer->subject;
    struct um_rpc *rpc = observer->rpc;

    if (rpc == NULL)
        return;
    um_list_remove(&observer->in_subject);
    um_list_remove(&observer->in_marked);
    observer->subject = NULL;
    if (subject == NULL || --subject->count != 0)
        return;
    stop_observing(rpc, subject->handle);
    settle_subject(rpc, subject);
}

/* ---- looking again ---- */

void um_observer_mark(struct um_observer *observer)
{
    um_list_remove(&observer->in_marked);
    um_list_append(&observer->rpc->observing.marked, &observer->in_marked);
    observer->stalled_by = 0;
}

void um_observer_stall(struct um_observer *observer, um_handle heap)
{
    um_list_remove(&observer->in_marked);
    um_list_append(&observer->rpc->observing.stalled, &observer->in_marked);
    observer->stalled_by = heap;
}

void um_observe_resume(struct um_rpc *rpc, um_handle heap)
{
    struct um_link *head = &rpc->observing.stalled;
    struct um_link *link = head->next;

    while (heap != 0 && link != head) {
        struct um_observer *observer = UM_LIST_ITEM(link, struct um_observer, in_marked);

        link = link->next;
        if (observer->stalled_by == heap)
            um_observer_mark(observer);
    }
}

bool um_observe_has(const struct um_rpc *rpc, um_handle handle, const struct um_observer_kind *kind)
{
    const struct um_subject *subject = handle != 0 ? find_subject(rpc, handle) : NULL;
    const struct um_link *head = subject != NULL ? &subject->observers : NULL;

    for (const struct um_link *link = head != NULL ? head->next : NULL; link != head; link = link->next) {
        if (UM_LIST_ITEM(link, const struct um_observer, in_subject)->kind == kind)
            return true;
    }
    return false;
}

void um_observe_settle(struct um_rpc *rpc)
{
    struct um_link *marked = &rpc->observing.marked;

    while (!um_list_is_empty(marked)) {
        struct um_observer *observer = UM_LIST_ITEM(marked->next, struct um_observer, in_marked);

        um_list_remove(&observer->in_marked);
        observer->kind->settle(observer);
    }
}

/* ---- news ---- */

static void tell(const struct um_subject *subject, const struct um_news *news)
{
    const struct um_link *head = &subject->observers;

    for (struct um_link *link = head->next; link != head; link = link->next) {
        struct um_observer *observer = UM_LIST_ITEM(link, struct um_observer, in_subject);

        observer->kind->told(observer, news);
    }
}

static void tell_handle(const struct um_rpc *rpc, um_handle handle, const struct um_news *news)
{
    const struct um_subject *subject = find_subject(rpc, handle);

    if (subject != NULL)
        tell(subject, news);
}

/* Lets the observers go of a block or heap that is no more. */
static void drop_subject(struct um_rpc *rpc, um_handle handle)
{
    struct um_subject *subject = find_subject(rpc, handle);

    if (subject == NULL)
        return;
    while (!um_list_is_empty(&subject->observers)) {
        struct um_observer *observer = UM_LIST_ITEM(subject->observers.next, struct um_observer, in_subject);

        um_list_remove(&observer->in_subject);
        observer->subject = NULL;
    }
    settle_subject(rpc, subject);
}

/* Where the block has gone with its heap, those who observe the heap are told of that, and need not be told of a block that
 * somebody else happens to observe. */
static void on_block_freed(void *context, um_handle block, um_handle heap)
{
    struct um_rpc *rpc = context;
    struct um_news news = {.kind = UM_NEWS_FREED, .handle = block};
    struct um_heap *alive = NULL;

    tell_handle(rpc, block, &news);
    if (um_store_find_heap(rpc->store, heap, &alive, NULL) == UMEM_OK) {
        tell_handle(rpc, heap, &news);
        tell(&rpc->observing.everything, &news);
    }
    drop_subject(rpc, block);
}

static void on_blocks_vanished(void *context, um_handle heap)
{
    struct um_rpc *rpc = context;
    struct um_news news = {.kind = UM_NEWS_MANY, .handle = heap};

    tell_handle(rpc, heap, &news);
    tell(&rpc->observing.everything, &news);
}

static void on_heap_destroyed(void *context, um_handle heap)
{
    struct um_rpc *rpc = context;
    struct um_news news = {.kind = UM_NEWS_DESTROYED, .handle = heap};

    tell_handle(rpc, heap, &news);
    tell(&rpc->observing.everything, &news);
    drop_subject(rpc, heap);
}

static void on_heap_unlocked(void *context, um_handle heap)
{
    struct um_rpc *rpc = context;
    um_observe_resume(rpc, heap);
}

void um_observe_changed(struct um_rpc *rpc, const struct um_block *block, uint64_t offset, uint64_t size)
{
    struct um_news news = {UM_NEWS_CHANGED, 0, offset, size};

    if (size == 0 || !um_block_is_observed(rpc->store, block))
        return;
    news.handle = um_block_handle(rpc->store, block);
    tell_handle(rpc, news.handle, &news);
    tell_handle(rpc, um_heap_handle(um_block_heap(rpc->store, block)), &news);
    tell(&rpc->observing.everything, &news);
}

/* ---- the engine's part ---- */

int um_observe_init(struct um_rpc *rpc)
{
    struct um_store_events events = {
        .context = rpc,
        .block_freed = on_block_freed,
        .blocks_vanished = on_blocks_vanished,
        .heap_destroyed = on_heap_destroyed,
        .heap_unlocked = on_heap_unlocked,
    };

    if (!um_index_init(&rpc->observing.subjects))
        return UMEM_E_NO_MEMORY;
    um_list_init(&rpc->observing.everything.observers);
    um_list_init(&rpc->observing.marked);
    um_list_init(&rpc->observing.stalled);
    um_store_set_events(rpc->store, &events);
    return UMEM_OK;
}

void um_observe_deinit(struct um_rpc *rpc)
{
    static const struct um_store_events nobody;

    um_store_set_events(rpc->store, &nobody);
    um_index_deinit(&rpc->observing.subjects);
}
