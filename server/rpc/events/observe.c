#include "rpc/events/observe.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rpc/schema/server_limits.h"

/* ---- subjects ---- */

static bool has_handle(const struct um_index_node *node, const void *key)
{
    return UM_LIST_ITEM(node, const struct um_subject, node)->handle == *(const um_handle *)key;
}

static struct um_subject *find_subject(const struct um_observers *observers, um_handle handle)
{
    struct um_index_node *node =
        um_index_find(&observers->subjects, um_hash_mix(handle), has_handle, &handle);

    return node != NULL ? UM_LIST_ITEM(node, struct um_subject, node) : NULL;
}

static void init_subject(struct um_subject *subject)
{
    for (int role = 0; role < UM_OBSERVER_ROLES; role++)
        um_list_init(&subject->observers[role]);
    um_list_init(&subject->muted);
    um_list_init(&subject->stalled);
    um_list_init(&subject->in_changed);
    um_list_init(&subject->in_resumed);
}

static struct um_subject *get_subject(struct um_observers *observers, um_handle handle)
{
    struct um_subject *subject = find_subject(observers, handle);

    if (subject != NULL)
        return subject;
    subject = calloc(1, sizeof *subject);
    if (subject == NULL)
        return NULL;
    init_subject(subject);
    subject->handle = handle;
    subject->node.hash = um_hash_mix(handle);
    um_index_insert(&observers->subjects, &subject->node);
    return subject;
}

static void forget_events(struct um_subject *subject)
{
    um_list_remove(&subject->in_changed);
    free(subject->events);
    subject->events = NULL;
    subject->event_count = 0;
    subject->closed_count = 0;
    subject->many = false;
}

/* Frees the record of what has no observer any more. */
static void free_unused_subject(struct um_observers *observers, struct um_subject *subject)
{
    if (subject == &observers->everything || subject->count != 0 || subject->blocks != 0)
        return;
    forget_events(subject);
    um_list_remove(&subject->in_resumed);
    um_index_remove(&observers->subjects, &subject->node);
    free(subject);
}

/* ---- beginning and end ---- */

bool um_observe_is_allowed(const struct um_observers *observers, um_handle handle, struct um_fault *fault)
{
    const struct um_subject *subject = handle != 0 ? find_subject(observers, handle) : &observers->everything;
    uint64_t limit = observers->limits->observers;

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

static bool observe_block(struct um_observers *observers, struct um_block *block,
                          struct um_observer *observer)
{
    struct um_subject *subject = get_subject(observers, um_block_handle(observers->store, block));
    struct um_subject *heap = NULL;

    if (subject == NULL)
        return false;
    if (observer->kind->role == UM_OBSERVER_WAIT) {
        heap = get_subject(observers, um_heap_handle(um_block_heap(observers->store, block)));
        if (heap == NULL) {
            free_unused_subject(observers, subject);
            return false;
        }
    }
    if (um_block_observe(observers->store, block) != UMEM_OK) {
        free_unused_subject(observers, subject);
        if (heap != NULL)
            free_unused_subject(observers, heap);
        return false;
    }
    observer->subject = subject;
    observer->heap = heap;
    if (heap != NULL)
        heap->blocks++;
    return true;
}

/* It gets no event of what happened before. */
static void begin_here(struct um_observer *observer)
{
    struct um_subject *subject = observer->subject;

    observer->begins_at = subject->event_count;
    subject->closed_count = subject->event_count;
    um_list_append(&subject->observers[observer->kind->role], &observer->in_subject);
}

int um_observe_begin(struct um_observers *observers, struct um_block *block, struct um_heap *heap,
                     struct um_observer *observer)
{
    observer->observers = observers;
    um_list_init(&observer->in_subject);
    um_list_init(&observer->in_marked);
    if (block != NULL) {
        (void)observe_block(observers, block, observer);
    } else if (heap != NULL) {
        observer->subject = get_subject(observers, um_heap_handle(heap));
        if (observer->subject != NULL)
            um_heap_observe(heap);
    } else {
        um_store_observe_all(observers->store, true);
        observer->subject = &observers->everything;
    }
    if (observer->subject == NULL)
        return UMEM_E_NO_MEMORY;
    begin_here(observer);
    observer->subject->count++;
    return UMEM_OK;
}

/* The last observer has gone: the store need not raise events any more. */
static void stop_observing(struct um_observers *observers, um_handle handle)
{
    struct um_block *block = NULL;
    struct um_heap *heap = NULL;

    if (handle == 0)
        um_store_observe_all(observers->store, false);
    else if (um_store_find_block(observers->store, handle, &block, NULL) == UMEM_OK)
        um_block_unobserve(observers->store, block);
    else if (um_store_find_heap(observers->store, handle, &heap, NULL) == UMEM_OK)
        um_heap_unobserve(heap);
}

/* A wait does not need the subject of its heap any more. */
static void leave_heap(struct um_observer *observer)
{
    struct um_subject *heap = observer->heap;

    observer->heap = NULL;
    if (heap == NULL)
        return;
    heap->blocks--;
    free_unused_subject(observer->observers, heap);
}

void um_observe_end(struct um_observer *observer)
{
    struct um_subject *subject = observer->subject;
    struct um_observers *observers = observer->observers;

    if (observers == NULL)
        return;
    um_list_remove(&observer->in_subject);
    um_list_remove(&observer->in_marked);
    observer->subject = NULL;
    leave_heap(observer);
    if (subject == NULL || --subject->count != 0)
        return;
    if (!subject->is_gone)
        stop_observing(observers, subject->handle);
    if (subject == &observers->everything)
        forget_events(subject);
    free_unused_subject(observers, subject);
}

/* ---- looking again ---- */

void um_observer_schedule(struct um_observer *observer)
{
    um_list_remove(&observer->in_marked);
    um_list_append(&observer->observers->marked, &observer->in_marked);
}

/* Those of a block stall at its heap, those of a heap there. */
void um_observer_stall(struct um_observer *observer)
{
    struct um_subject *heap = observer->heap != NULL ? observer->heap : observer->subject;

    um_list_remove(&observer->in_marked);
    um_list_append(&heap->stalled, &observer->in_marked);
}

void um_observe_resume(struct um_observers *observers, um_handle heap)
{
    struct um_subject *subject = heap != 0 ? find_subject(observers, heap) : NULL;

    if (subject == NULL || um_list_is_empty(&subject->stalled) || !um_list_is_empty(&subject->in_resumed))
        return;
    um_list_append(&observers->resumed, &subject->in_resumed);
}

void um_observer_mute(struct um_observer *observer)
{
    if (observer->subject == NULL)
        return;
    um_list_remove(&observer->in_subject);
    um_list_append(&observer->subject->muted, &observer->in_subject);
}

void um_observer_unmute(struct um_observer *observer)
{
    if (observer->subject == NULL)
        return;
    um_list_remove(&observer->in_subject);
    begin_here(observer);
}

bool um_observe_has(const struct um_observers *observers, um_handle handle, enum um_observer_role role)
{
    const struct um_subject *subject = handle != 0 ? find_subject(observers, handle) : NULL;

    return subject != NULL && !um_list_is_empty(&subject->observers[role]);
}

/* ---- giving events to observers ---- */

/* What giving one event to one observer counts for, and having one look again. */
enum { NOTIFY_COST = 64, RECHECK_COST = 512 };

static void notify_observers(struct um_observers *observers, const struct um_subject *subject,
                             enum um_observer_role role, const struct um_event *events, unsigned count)
{
    const struct um_link *head = &subject->observers[role];
    struct um_link *link = head->next;

    while (link != head) {
        struct um_observer *observer = UM_LIST_ITEM(link, struct um_observer, in_subject);

        link = link->next; /* it may leave the list: muted from now on */
        observers->work += (uint64_t)count * NOTIFY_COST;
        for (unsigned i = observer->begins_at; i < count; i++)
            observer->kind->on_event(observer, &events[i]);
        observer->begins_at = 0;
    }
}

/* Detaches the observers of a block or heap that is no more. */
static void detach_observers(struct um_link *observers)
{
    while (!um_list_is_empty(observers))
        UM_LIST_ITEM(um_list_take(observers), struct um_observer, in_subject)->subject = NULL;
}

/* Gives all observers of a subject the events of it. The subject may be gone after that. */
static void deliver(struct um_observers *observers, struct um_subject *subject)
{
    const struct um_event many = {.kind = UM_EVENT_MANY, .handle = subject->handle};
    struct um_event *events = subject->events;
    unsigned count = subject->event_count;
    bool has_more = subject->many;

    subject->events = NULL;
    forget_events(subject);
    for (int role = 0; role < UM_OBSERVER_ROLES; role++) {
        notify_observers(observers, subject, (enum um_observer_role)role, events, count);
        if (has_more)
            notify_observers(observers, subject, (enum um_observer_role)role, &many, 1);
    }
    free(events);
    if (!subject->is_gone)
        return;
    for (int role = 0; role < UM_OBSERVER_ROLES; role++)
        detach_observers(&subject->observers[role]);
    detach_observers(&subject->muted);
    subject->count = 0;
    free_unused_subject(observers, subject);
}

uint64_t um_observe_flush(struct um_observers *observers)
{
    uint64_t work;

    while (!um_list_is_empty(&observers->changed))
        deliver(observers, UM_LIST_ITEM(observers->changed.next, struct um_subject, in_changed));
    while (!um_list_is_empty(&observers->resumed)) {
        struct um_subject *heap =
            UM_LIST_ITEM(um_list_take(&observers->resumed), struct um_subject, in_resumed);

        while (!um_list_is_empty(&heap->stalled))
            um_observer_schedule(UM_LIST_ITEM(heap->stalled.next, struct um_observer, in_marked));
    }
    while (!um_list_is_empty(&observers->marked)) {
        struct um_observer *observer =
            UM_LIST_ITEM(um_list_take(&observers->marked), struct um_observer, in_marked);

        observers->work += RECHECK_COST;
        observer->kind->recheck(observer);
    }
    work = observers->work;
    observers->work = 0;
    return work;
}

/* ---- what happens ---- */

/* Whether any observer would get an event. */
static bool has_listeners(const struct um_subject *subject)
{
    for (int role = 0; role < UM_OBSERVER_ROLES; role++) {
        if (!um_list_is_empty(&subject->observers[role]))
            return true;
    }
    return false;
}

/* A change that lies in one which is noted already, or one that lies in it, becomes one with it. Where no more are kept, a block's last
 * one grows: it says which bytes were changed at most. Returns whether it was joined. */
static bool join(const struct um_subject *subject, const struct um_event *event)
{
    bool is_full = subject->event_count == UM_EVENTS_KEPT;

    for (unsigned i = subject->event_count; event->kind == UM_EVENT_CHANGED && i-- > subject->closed_count;) {
        struct um_event *kept = &subject->events[i];
        uint64_t end = event->offset + event->size;
        uint64_t kept_end = kept->offset + kept->size;
        bool is_same = (event->offset >= kept->offset && end <= kept_end) ||
                       (kept->offset >= event->offset && kept_end <= end);

        if (kept->kind != UM_EVENT_CHANGED || kept->handle != event->handle)
            continue;
        /* For observers of a heap or of everything, all changes of a block are one. */
        if (!is_same && !is_full && subject->handle == event->handle)
            continue;
        kept->offset = event->offset < kept->offset ? event->offset : kept->offset;
        kept->size = (end > kept_end ? end : kept_end) - kept->offset;
        return true;
    }
    return false;
}

static void note(struct um_observers *observers, struct um_subject *subject, const struct um_event *event)
{
    if (!has_listeners(subject))
        return;
    if (um_list_is_empty(&subject->in_changed))
        um_list_append(&observers->changed, &subject->in_changed);
    if (subject->many || join(subject, event))
        return;
    if (subject->events == NULL)
        subject->events = malloc(UM_EVENTS_KEPT * sizeof *subject->events);
    if (subject->events == NULL || subject->event_count == UM_EVENTS_KEPT || event->kind == UM_EVENT_MANY)
        subject->many = true;
    else
        subject->events[subject->event_count++] = *event;
}

static void note_handle(struct um_observers *observers, um_handle handle, const struct um_event *event)
{
    struct um_subject *subject = find_subject(observers, handle);

    if (subject != NULL)
        note(observers, subject, event);
}

/* The last event of a block or heap. */
static void note_end(struct um_observers *observers, um_handle handle, const struct um_event *event)
{
    struct um_subject *subject = find_subject(observers, handle);

    if (subject == NULL)
        return;
    note(observers, subject, event);
    subject->is_gone = true;
    /* Muted observers are detached, too. */
    if (um_list_is_empty(&subject->in_changed))
        um_list_append(&observers->changed, &subject->in_changed);
}

/* Where the block has gone with its heap, observers of the heap get that event, and no event of a block that
 * another happens to observe. */
static void on_block_freed(void *context, um_handle block, um_handle heap)
{
    struct um_observers *observers = context;
    struct um_event event = {.kind = UM_EVENT_FREED, .handle = block};
    struct um_heap *alive = NULL;

    if (um_store_find_heap(observers->store, heap, &alive, NULL) == UMEM_OK) {
        note_handle(observers, heap, &event);
        note(observers, &observers->everything, &event);
    }
    note_end(observers, block, &event);
}

static void on_blocks_vanished(void *context, um_handle heap)
{
    struct um_observers *observers = context;
    struct um_event event = {.kind = UM_EVENT_MANY, .handle = heap};

    note_handle(observers, heap, &event);
    note(observers, &observers->everything, &event);
}

static void on_heap_destroyed(void *context, um_handle heap)
{
    struct um_observers *observers = context;
    struct um_event event = {.kind = UM_EVENT_DESTROYED, .handle = heap};

    note(observers, &observers->everything, &event);
    note_end(observers, heap, &event);
}

static void on_heap_unlocked(void *context, um_handle heap)
{
    struct um_observers *observers = context;
    um_observe_resume(observers, heap);
}

void um_observe_changed(struct um_observers *observers, const struct um_block *block, uint64_t offset,
                        uint64_t size)
{
    struct um_event event = {UM_EVENT_CHANGED, 0, offset, size};

    if (size == 0 || !um_block_is_observed(observers->store, block))
        return;
    event.handle = um_block_handle(observers->store, block);
    note_handle(observers, event.handle, &event);
    note_handle(observers, um_heap_handle(um_block_heap(observers->store, block)), &event);
    note(observers, &observers->everything, &event);
}

/* ---- the engine's part ---- */

int um_observe_init(struct um_store *store, const struct um_limits *limits, struct um_observers **observers)
{
    struct um_observers *made = calloc(1, sizeof *made);
    struct um_store_events events = {
        .context = made,
        .block_freed = on_block_freed,
        .blocks_vanished = on_blocks_vanished,
        .heap_destroyed = on_heap_destroyed,
        .heap_unlocked = on_heap_unlocked,
    };

    if (made == NULL || !um_index_init(&made->subjects)) {
        free(made);
        return UMEM_E_NO_MEMORY;
    }
    made->store = store;
    made->limits = limits;
    init_subject(&made->everything);
    um_list_init(&made->changed);
    um_list_init(&made->resumed);
    um_list_init(&made->marked);
    um_store_set_events(store, &events);
    *observers = made;
    return UMEM_OK;
}

void um_observe_deinit(struct um_observers *observers)
{
    static const struct um_store_events none;

    if (observers == NULL)
        return;
    um_store_set_events(observers->store, &none);
    free(observers->everything.events);
    um_index_deinit(&observers->subjects);
    free(observers);
}
