/*
 * Observers of blocks and heaps: waits, watches, and sessions that queue for a lock.
 *
 * Owns: which observer looks at what, and those that have to look again once the message at work is done. Must not know: what
 * an observer does with its events.
 *
 * What happens is noted once for each block, heap, or everything, however many observe it. Observers are
 * informed in um_observe_flush() at the end of the message: a batch runs as a whole before anyone sees what
 * it did, and a batch that writes 10,000 times costs no more for each observer than one write.
 */
#ifndef UM_OBSERVE_H
#define UM_OBSERVE_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/index.h"
#include "base/list.h"
#include "store/store.h"

struct um_limits;

enum um_event_kind {
    UM_EVENT_CHANGED,   /* bytes of a block were written, or its size changed */
    UM_EVENT_FREED,     /* a block was freed */
    UM_EVENT_DESTROYED, /* a heap was destroyed, and its blocks with it */
    UM_EVENT_MANY       /* so much happened in a heap at once that it is not reported one by one */
};

struct um_event {
    enum um_event_kind kind;
    um_handle handle; /* of the block or heap that it happened to */
    uint64_t offset;  /* UM_EVENT_CHANGED: which bytes */
    uint64_t size;
};

struct um_observer;

/* What an observer is, which decides what events it gets. */
enum um_observer_role {
    UM_OBSERVER_WATCH, /* all events, until um_observer_mute() */
    UM_OBSERVER_WAIT,  /* all events of a block, and when its heap's lock ends */
    UM_OBSERVER_QUEUE, /* that its heap is destroyed, and when the lock on it ends */
    UM_OBSERVER_ROLES
};

struct um_observer_kind {
    enum um_observer_role role;
    /* Takes a note. Must not change the store nor end an observer; um_observer_schedule() and um_observer_mute() are what it may
     * do. */
    void (*on_event)(struct um_observer *observer, const struct um_event *event);
    /* Looks again, after um_observer_schedule(). May end itself. NULL for those that never mark themselves. */
    void (*recheck)(struct um_observer *observer);
};

enum {
    UM_EVENTS_KEPT =
        16 /* events of one subject, and of one watch; what is more is joined, or UM_EVENT_MANY */
};

/* What is observed: a block, a heap, or everything. */
struct um_subject {
    struct um_index_node node; /* by handle */
    um_handle handle;          /* 0: everything */
    struct um_link
        observers[UM_OBSERVER_ROLES]; /* by role: lists of um_observer.in_subject, in their order */
    struct um_link
        muted; /* list of um_observer.in_subject: watches that get no event before they have been read */
    struct um_link
        stalled; /* of a heap: list of um_observer.in_marked: they look again when its lock or a long call ends */
    struct um_link in_changed; /* place in um_observers.changed */
    struct um_link in_resumed; /* place in um_observers.resumed */
    uint64_t count;            /* observers of all roles */
    uint64_t blocks;           /* of a heap: waits on its blocks, which may stall here */
    struct um_event *events;   /* UM_EVENTS_KEPT of them: what happened in this message; NULL: nothing */
    unsigned event_count;      /* in `events` */
    unsigned closed_count; /* the first of them, which do not grow any more: some observer came after them */
    bool many;             /* more happened than `events` holds */
    bool is_gone;          /* the block or heap is no more */
};

struct um_observer {
    const struct um_observer_kind *kind;
    struct um_observers *observers;
    struct um_subject *subject; /* NULL: its block or heap is gone */
    struct um_subject *heap;    /* of a wait: the block's heap; else NULL */
    unsigned begins_at; /* the first of the subject's events that it gets; 0 from the next message on */
    struct um_link in_subject;
    struct um_link in_marked; /* place among those that have to look again, or that are stalled */
};

/* What the engine keeps of all this. */
struct um_observers {
    struct um_store *store;
    const struct um_limits *limits;
    struct um_index subjects;     /* blocks and heaps that are observed */
    struct um_subject everything; /* observers of all there is */
    struct um_link changed;       /* list of um_subject.in_changed: something has happened there */
    struct um_link resumed;       /* list of um_subject.in_resumed: those stalled there look again */
    struct um_link marked;        /* list of um_observer.in_marked: look again at the end of the message */
    uint64_t work;                /* for observers since the last um_observe_flush() */
};

/* Sets up what the engine keeps, and the store's events. UMEM_E_NO_MEMORY. */
int um_observe_init(struct um_store *store, const struct um_limits *limits, struct um_observers **observers);

/* Takes it down. There must be no observers any more. NULL is fine. */
void um_observe_deinit(struct um_observers *observers);

/* Whether one more observer is allowed for a block or heap (0: for everything), since each makes every write there slower; else
 * *fault says why. */
bool um_observe_is_allowed(const struct um_observers *observers, um_handle handle, struct um_fault *fault);

/* Begins to observe a block, a heap, or everything where both are NULL. `observer` is the caller's, with its kind set, until
 * um_observe_end(). UMEM_E_NO_MEMORY: then it observes nothing. */
int um_observe_begin(struct um_observers *observers, struct um_block *block, struct um_heap *heap,
                     struct um_observer *observer);

/* Ends it. Fine for one whose subject is gone, or that has never begun (all zero). */
void um_observe_end(struct um_observer *observer);

/* Lets an observer look again at the end of the message; or, where it can only wait for a lock or a long call on its heap to end,
 * then. */
void um_observer_schedule(struct um_observer *observer);
void um_observer_stall(struct um_observer *observer);

/* Gives a watch no more events; or gives it those from now on. */
void um_observer_mute(struct um_observer *observer);
void um_observer_unmute(struct um_observer *observer);

/* A heap was unlocked, or a long call that was at work on it has ended: observers that are stalled by that look again. */
void um_observe_resume(struct um_observers *observers, um_handle heap);

/* Whether a block or heap has an observer of this role. */
bool um_observe_has(const struct um_observers *observers, um_handle handle, enum um_observer_role role);

/* Gives observers their events, and lets those that are marked look again: first those whose block was changed, then those
 * whose heap was unlocked. At the end of a message, and of everything else that changes something. Returns how much work that was, as um_session_charge() counts it. */
uint64_t um_observe_flush(struct um_observers *observers);

/* Whether there is something to be done for observers. */
UM_ALWAYS_INLINE bool um_observe_is_due(const struct um_observers *observers)
{
    return !um_list_is_empty(&observers->changed) || !um_list_is_empty(&observers->resumed) ||
           !um_list_is_empty(&observers->marked) || observers->work != 0;
}

/* Raises the event that bytes of a block are others now, or are no longer there. Cheap where there is no observer. */
void um_observe_changed(struct um_observers *observers, const struct um_block *block, uint64_t offset,
                        uint64_t size);

/* Tells the store that bytes of a block were written, and raises the event. Every method that writes does so. */
UM_ALWAYS_INLINE void um_observe_wrote(struct um_observers *observers, struct um_block *block,
                                       uint64_t offset, uint64_t size)
{
    if (um_block_wrote(observers->store, block, offset, size))
        um_observe_changed(observers, block, offset, size);
}

#endif
