/*
 * Who wants to know what happens to blocks and heaps: waits, watches, and those who queue for a lock.
 *
 * Owns: which observer looks at what, and those that have to look again once the message at work is done. Must not know: what
 * an observer does with its news.
 *
 * News come in the middle of a change, so an observer only takes a note of them. What it does about them waits for
 * um_observe_settle() at the end of the message: a batch runs as a whole before anybody sees what it did.
 */
#ifndef UM_OBSERVE_H
#define UM_OBSERVE_H

#include <stdint.h>

#include "call.h"
#include "index.h"
#include "list.h"

enum um_news_kind {
    UM_NEWS_CHANGED,   /* bytes of a block were written, or its size changed */
    UM_NEWS_FREED,     /* a block was freed */
    UM_NEWS_DESTROYED, /* a heap was destroyed, and its blocks with it */
    UM_NEWS_MANY       /* so much happened in a heap at once that it is not told one by one */
};

struct um_news {
    enum um_news_kind kind;
    um_handle handle; /* of the block or heap that it happened to */
    uint64_t offset;  /* UM_NEWS_CHANGED: which bytes */
    uint64_t size;
};

struct um_observer;

struct um_observer_kind {
    /* Takes a note. Must not change the store nor end an observer; um_observer_mark() is what it may do. */
    void (*told)(struct um_observer *observer, const struct um_news *news);
    /* Looks again, after um_observer_mark(). May end itself. NULL for those that never mark themselves. */
    void (*settle)(struct um_observer *observer);
};

/* What is observed: a block, a heap, or everything. */
struct um_subject {
    struct um_index_node node; /* by handle */
    um_handle handle;          /* 0: everything */
    struct um_link observers;  /* list of um_observer.in_subject, in the order in which they came */
    uint64_t count;            /* length of `observers` */
};

struct um_observer {
    const struct um_observer_kind *kind;
    struct um_rpc *rpc;
    struct um_subject *subject; /* NULL: its block or heap is gone */
    struct um_link in_subject;
    struct um_link in_marked; /* place among those that have to look again, or that are stalled */
    um_handle stalled_by;     /* the heap that it is stalled by; 0: it is not */
};

/* What the engine keeps of all this; all zero before um_observe_init(). */
struct um_observing {
    struct um_index subjects;     /* blocks and heaps that are observed */
    struct um_subject everything; /* observers of all there is */
    struct um_link marked;        /* list of um_observer.in_marked: look again at the end of the message */
    struct um_link stalled; /* likewise: look again when some heap is unlocked or some long call has ended */
};

/* Sets up what the engine keeps, and the store's events. UMEM_E_NO_MEMORY. */
int um_observe_init(struct um_rpc *rpc);

/* Takes it down. There must be no observers any more. */
void um_observe_deinit(struct um_rpc *rpc);

/* Whether one more observer is allowed for a block or heap (0: for everything), since each makes every write there slower; else
 * *fault tells. */
bool um_observe_has_room(const struct um_rpc *rpc, um_handle handle, struct um_fault *fault);

/* Begins to observe a block, a heap, or everything where both are NULL. `observer` is the caller's, with its kind set, until
 * um_observe_end(). UMEM_E_NO_MEMORY: then it observes nothing. */
int um_observe_begin(struct um_rpc *rpc, struct um_block *block, struct um_heap *heap,
                     struct um_observer *observer);

/* Ends it. Fine for one whose subject is gone, or that has never begun (all zero). */
void um_observe_end(struct um_observer *observer);

/* Lets an observer look again at the end of the message; or, where it can only wait for a lock or a long call to end, then. */
void um_observer_mark(struct um_observer *observer);
void um_observer_stall(struct um_observer *observer, um_handle heap);

/* A heap was unlocked, or a long call that was at work on it has ended: whoever is stalled by that looks again. */
void um_observe_resume(struct um_rpc *rpc, um_handle heap);

/* Whether a block or heap has an observer of this kind. */
bool um_observe_has(const struct um_rpc *rpc, um_handle handle, const struct um_observer_kind *kind);

/* Lets those that are marked look again. At the end of a message, and of everything else that changes something. */
void um_observe_settle(struct um_rpc *rpc);

/* Tells that bytes of a block were written. Cheap where nobody looks. */
void um_observe_changed(struct um_rpc *rpc, const struct um_block *block, uint64_t offset, uint64_t size);

#endif
