#include "lib/answer/event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "wire/json_value.h"

/* X(method, kind) */
#define EVENTS(X) \
    X("block.changed", UMEM_EVENT_CHANGED) \
    X("block.freed", UMEM_EVENT_FREED) \
    X("heap.destroyed", UMEM_EVENT_HEAP_DESTROYED) \
    X("watch.overflow", UMEM_EVENT_OVERFLOW)

static const struct {
    const char *method;
    enum umem_event_kind kind;
} kinds[] = {
#define KIND(method, kind) {method, kind},
    EVENTS(KIND)
#undef KIND
};

int um_event_queue_prepare(struct um_event_queue *events)
{
    if (events->ring == NULL)
        events->ring = malloc(UM_EVENT_QUEUE_MAXIMUM * sizeof *events->ring);
    return events->ring != NULL ? UMEM_OK : UMEM_E_OUT_OF_MEMORY;
}

void um_event_queue_clear(struct um_event_queue *events)
{
    while (events->watches != NULL) {
        struct um_event_watch *watch = events->watches;

        events->watches = watch->next;
        free(watch);
    }
    free(events->ring);
    *events = (struct um_event_queue){.watches = NULL};
}

void um_event_queue_add_watch(struct um_event_queue *events, struct um_event_watch *watch)
{
    watch->next = events->watches;
    events->watches = watch;
}

static struct um_event_watch *find_watch(const struct um_event_queue *events, uint64_t id)
{
    struct um_event_watch *watch = events->watches;

    while (watch != NULL && watch->id != id)
        watch = watch->next;
    return watch;
}

void um_event_queue_remove_watch(struct um_event_queue *events, uint64_t id)
{
    struct um_event_watch **link = &events->watches;

    while (*link != NULL && (*link)->id != id)
        link = &(*link)->next;
    if (*link != NULL) {
        struct um_event_watch *watch = *link;

        *link = watch->next;
        free(watch);
    }
}

/* ---- notifications ---- */

static uint64_t read_uint(const struct um_json *params, const char *name)
{
    uint64_t value = 0;

    return um_json_to_uint64(um_json_member_of(params, name), &value) ? value : 0;
}

static bool read_event(const struct um_answer *notification, struct umem_event *event)
{
    const struct um_json *params =
        notification->params != NULL ? um_answer_tree(notification, notification->params) : NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!um_json_says(notification->method, kinds[i].method))
            continue;
        *event = (struct umem_event){.kind = kinds[i].kind,
                                     .watch = read_uint(params, "watch"),
                                     .block = read_uint(params, "block"),
                                     .heap = read_uint(params, "heap"),
                                     .offset = read_uint(params, "offset"),
                                     .size = read_uint(params, "size")};
        return event->size <= UMEM_SIZE_MAX && event->offset <= UMEM_SIZE_MAX;
    }
    return false;
}

/* Joins two changes of one block that one watch has reported right after the other. */
static bool join(struct umem_event *last, const struct umem_event *event)
{
    uint64_t end = event->offset + event->size;
    uint64_t last_end = last->offset + last->size;

    if (last->kind != UMEM_EVENT_CHANGED || event->kind != UMEM_EVENT_CHANGED ||
        last->watch != event->watch || last->block != event->block)
        return false;
    if (event->offset < last->offset)
        last->offset = event->offset;
    last->size = (end > last_end ? end : last_end) - last->offset;
    return true;
}

static struct umem_event *place(const struct um_event_queue *events, size_t index)
{
    return &events->ring[(events->first + index) % UM_EVENT_QUEUE_MAXIMUM];
}

void um_event_queue_push(struct um_event_queue *events, const struct um_answer *notification)
{
    struct um_event_watch *watch;
    struct umem_event event;

    if (!read_event(notification, &event))
        return;
    watch = find_watch(events, event.watch);
    if (watch == NULL)
        return;
    if (events->count != 0 && join(place(events, events->count - 1), &event))
        return;
    /* The ring belongs to a connection: one that was made while session.watch was under way has none yet. */
    if (events->count < UM_EVENT_QUEUE_MAXIMUM && um_event_queue_prepare(events) == UMEM_OK) {
        *place(events, events->count++) = event;
        return;
    }
    watch->overflowed = true;
    events->overflowed = true;
}

/* ---- giving out ---- */

static bool next_overflow(struct um_event_queue *events, struct umem_event *event, umem_watcher **watcher,
                          void **context)
{
    if (!events->overflowed)
        return false;
    for (struct um_event_watch *watch = events->watches; watch != NULL; watch = watch->next) {
        if (!watch->overflowed)
            continue;
        watch->overflowed = false;
        *event = (struct umem_event){.kind = UMEM_EVENT_OVERFLOW, .watch = watch->id};
        *watcher = watch->watcher;
        *context = watch->context;
        return true;
    }
    events->overflowed = false;
    return false;
}

bool um_event_queue_pop(struct um_event_queue *events, struct umem_event *event, umem_watcher **watcher,
                        void **context)
{
    while (events->count != 0) {
        const struct umem_event *oldest = place(events, 0);
        const struct um_event_watch *watch = find_watch(events, oldest->watch);

        if (watch != NULL) {
            *event = *oldest;
            *watcher = watch->watcher;
            *context = watch->context;
        }
        events->first = (events->first + 1) % UM_EVENT_QUEUE_MAXIMUM;
        events->count--;
        if (watch != NULL)
            return true;
    }
    return next_overflow(events, event, watcher, context);
}
