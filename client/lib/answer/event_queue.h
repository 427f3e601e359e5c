/*
 * What a client watches, and the events of it.
 *
 * Owns: the watches, and the ring of events whose watchers have not been called yet. Must not know:
 * connections, threads. Pure.
 *
 * The ring has UM_EVENT_QUEUE_MAXIMUM places. A change that touches the same block as the ring's last event of its watch is joined to it.
 * Where the ring is full, the watch is marked instead, and an overflow is reported after what is in the ring.
 */
#ifndef UM_EVENT_QUEUE_H
#define UM_EVENT_QUEUE_H

#include "lib/answer/answer.h"
#include "umem_client.h"

enum { UM_EVENT_QUEUE_MAXIMUM = 1024 };

/* One watch. Allocated by the call that requests it; um_event_queue_add_watch() takes it over. */
struct um_event_watch {
    struct um_event_watch *next;
    uint64_t id;
    umem_watcher *watcher;
    void *context;                 /* handed to it */
    struct um_event_queue *events; /* where it is to be added when it is answered */
    bool overflowed;               /* more has happened than was reported */
};

struct um_event_queue {
    struct um_event_watch *watches;
    struct umem_event *ring; /* NULL: nothing has been watched yet */
    size_t first;            /* the oldest's place */
    size_t count;
    bool overflowed; /* some watch is marked */
};

/* Allocates the ring, for a first watch. UMEM_E_OUT_OF_MEMORY. */
int um_event_queue_prepare(struct um_event_queue *events);

/* Forgets all watches and events. */
void um_event_queue_clear(struct um_event_queue *events);

/* Adds a watch whose id is set. */
void um_event_queue_add_watch(struct um_event_queue *events, struct um_event_watch *watch);

/* Ends a watch. */
void um_event_queue_remove_watch(struct um_event_queue *events, uint64_t id);

/* Takes a notification of the daemon's; what is not about one of these watches is ignored. */
void um_event_queue_push(struct um_event_queue *events, const struct um_answer *notification);

/* Takes the oldest event that has a watch off the queue, with the function to call for it. Returns false where there is none. */
bool um_event_queue_pop(struct um_event_queue *events, struct umem_event *event, umem_watcher **watcher,
                        void **context);

#endif
