/*
 * What a client watches, and what has been told of it.
 *
 * Owns: the watches, and the row of events that nobody has been called for yet. Must not know: connections, threads. Pure.
 *
 * The row has UM_EVENTS_MAXIMUM places. A change that touches the same block as the row's last event of its watch is joined to it.
 * Where the row is full, the watch is marked instead, and an overflow is told after what is in the row.
 */
#ifndef UM_EVENTS_H
#define UM_EVENTS_H

#include "answer.h"
#include "umem_client.h"

enum { UM_EVENTS_MAXIMUM = 1024 };

/* One watch. Allocated by whoever asks for it; um_events_add() gives it away. */
struct um_event_watch {
    struct um_event_watch *next;
    uint64_t id;
    umem_watcher *watcher;
    void *context;            /* handed to it */
    struct um_events *events; /* where it is to be added when it is answered */
    bool overflowed;          /* more has happened than was told */
};

struct um_events {
    struct um_event_watch *watches;
    struct umem_event *row; /* a ring; NULL: nothing has been watched yet */
    size_t first;           /* the oldest's place */
    size_t count;
    bool overflowed; /* some watch is marked */
};

/* Makes room for a first watch. UMEM_E_OUT_OF_MEMORY. */
int um_events_prepare(struct um_events *events);

/* Forgets all watches and events. */
void um_events_clear(struct um_events *events);

/* Adds a watch whose id is set. */
void um_events_add(struct um_events *events, struct um_event_watch *watch);

/* Ends a watch. */
void um_events_remove(struct um_events *events, uint64_t id);

/* Takes a notification of the daemon's; what is not about one of these watches is passed over. */
void um_events_take(struct um_events *events, const struct um_answer *notification);

/* Gives out the oldest event that has a watch, and who is to be called. Returns false where there is none. */
bool um_events_next(struct um_events *events, struct umem_event *event, umem_watcher **watcher,
                    void **context);

#endif
