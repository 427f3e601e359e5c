/*
 * How much of a turn of the loop each client process gets.
 *
 * Owns: which connections are ready to run, and how much was done for each group of them in this turn. Must not know: what a
 * connection is, or what is done for it.
 *
 * A turn does a bounded amount of work, whichever client asks for it and over however many connections it is spread. Work is counted in the
 * unit of um_session_charge(): what the engine does, and for the connection what the system charges for it (UM_COST_*). A group
 * gets limits.turn_requests messages and limits.turn_bytes of work a turn; all together get UM_SCHEDULER_TURN_SHARES times that, not
 * all of it while the loop polls, so that something is left for connections that wait. What a group took beyond its share, because a
 * message is done whole, it lacks in its next turns.
 *
 * A connection whose group has had its share waits in its group's queue, and the group in the scheduler's.
 */
#ifndef UM_SCHEDULER_H
#define UM_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/list.h"

enum {
    UM_SCHEDULER_TURN_SHARES = 4, /* shares of a group that a turn has, */
    UM_SCHEDULER_POLL_SHARES = 2, /* and those of them that may be used up while the loop polls */
    UM_COST_VISIT =
        16384, /* a connection that was ready runs: it may have to be read from, served and written to */
    UM_COST_READ = 4096,    /* a read */
    UM_COST_READ_BYTE = 2,  /* a byte that is read, to memory that may be new */
    UM_COST_WRITE = 4096,   /* a write */
    UM_COST_MESSAGE = 2048, /* a message, however short */
    UM_COST_TEXT_BYTE = 4,  /* a byte of JSON, read or written */
    UM_COST_CLOSE = 16384,  /* a connection is closed */
    UM_COST_END = 32768     /* the engine ends a session; and half a unit for each byte that it kept */
};

struct um_scheduled;

/* The first four members are set by its owner, the others zero, before um_scheduler_init(). */
struct um_scheduler {
    uint64_t share_messages;                /* messages that a group may have served in a turn */
    uint64_t share_work;                    /* work that a group may have done in a turn */
    void (*run)(struct um_scheduled *item); /* lets a connection advance that was ready; it may free it */
    void (*wake)(
        struct um_scheduler *scheduler); /* asks for um_scheduler_run(), without waiting for an event */
    uint64_t turn;                       /* grows with every turn, from 1 */
    uint64_t messages;                   /* served in this turn */
    uint64_t work;                       /* done in it */
    uint64_t messages_limit;             /* of this part of the turn: it is over when either is reached */
    uint64_t work_limit;
    struct um_link active; /* list of um_scheduler_group.in_active, the next to run first */
    const struct um_scheduler_group *running; /* NULL: none, or it is gone */
};

/* The connections of one client process. */
struct um_scheduler_group {
    struct um_scheduler *scheduler;
    struct um_link in_active; /* place among the groups that have connections that are ready */
    struct um_link ready;     /* list of um_scheduled.in_ready, the next to run first */
    uint64_t turn;            /* number of the turn that `messages` and `work` are about */
    uint64_t messages;        /* served for it */
    uint64_t work;            /* done for it */
};

/* A connection, as the scheduler sees it. */
struct um_scheduled {
    struct um_scheduler_group *group; /* NULL: it is in none */
    struct um_link in_ready;
    uint64_t queued_turn; /* in which it joined the queue that it is in */
    bool was_run;         /* it was ready and was run, so that its next read need not wait */
};

void um_scheduler_init(struct um_scheduler *scheduler);

/* A turn begins, before the loop polls: every group has its share again. */
UM_ALWAYS_INLINE void um_scheduler_begin_turn(struct um_scheduler *scheduler)
{
    scheduler->turn++;
    scheduler->messages = 0;
    scheduler->work = 0;
    scheduler->messages_limit = UM_SCHEDULER_POLL_SHARES * scheduler->share_messages;
    scheduler->work_limit = UM_SCHEDULER_POLL_SHARES * scheduler->share_work;
}

/* Runs the connections that are ready, group by group, each as far as its share allows. To be called after
 * the loop has polled. Connections that are left wait for the next turn and come first in it. */
void um_scheduler_run(struct um_scheduler *scheduler);

void um_scheduler_add_group(struct um_scheduler *scheduler, struct um_scheduler_group *group);

/* Takes a group out whose connections are all gone. */
void um_scheduler_remove_group(struct um_scheduler_group *group);

/* Queues a connection to run at its turn. Calling it again changes nothing; um_list_remove() of its
 * `in_ready` removes it from the queue. */
void um_scheduler_enqueue(struct um_scheduled *item);

/* ---- shares: each request passes these, so that they are compiled into their callers ---- */

/* In a new turn, what the group took too much is made up for by a share for each turn that has passed. */
UM_ALWAYS_INLINE void um_scheduler_renew(struct um_scheduler_group *group)
{
    uint64_t share = group->scheduler->share_work;
    uint64_t turns = group->scheduler->turn - group->turn;

    if (turns == 0)
        return;
    group->work = group->work / share >= turns ? group->work - turns * share : 0;
    group->messages = 0;
    group->turn = group->scheduler->turn;
}

/* Whether something is left of the group's share, and of the turn, when so much that is not charged yet is taken from it. */
UM_ALWAYS_INLINE bool um_scheduler_has_share(struct um_scheduler_group *group, uint64_t messages,
                                             uint64_t work)
{
    const struct um_scheduler *scheduler = group->scheduler;

    um_scheduler_renew(group);
    return group->messages + messages < scheduler->share_messages &&
           scheduler->messages + messages < scheduler->messages_limit &&
           group->work + work < scheduler->share_work && scheduler->work + work < scheduler->work_limit;
}

/* Whether a connection stands in its group's queue, and none in it for more turns than this one. */
UM_ALWAYS_INLINE bool um_scheduler_has_waited_longest(const struct um_scheduled *item)
{
    const struct um_scheduled *first =
        UM_LIST_ITEM(item->group->ready.next, const struct um_scheduled, in_ready);

    return !um_list_is_empty(&item->in_ready) && item->queued_turn == first->queued_turn;
}

/* Whether a connection may be read from or advance in a callback of the loop: others of its group have not waited longer, and
 * something is left of the share. If not, it is to be enqueued. So of many connections, each is read from as its turn comes, in the
 * order in which the loop calls for them, and need not run before. */
UM_ALWAYS_INLINE bool um_scheduler_may_run(struct um_scheduled *item)
{
    bool is_next =
        item->was_run || um_list_is_empty(&item->group->ready) || um_scheduler_has_waited_longest(item);

    item->was_run = false;
    return is_next && um_scheduler_has_share(item->group, 0, 0);
}

/* Runs a connection now, whoever else is ready. It does all that it was queued for, if it was. */
UM_ALWAYS_INLINE void um_scheduler_run_now(struct um_scheduled *item)
{
    um_list_remove(&item->in_ready);
    item->group->scheduler->run(item);
}

/* In a callback of the loop: runs a connection, or enqueues it where others go before. */
UM_ALWAYS_INLINE void um_scheduler_run_or_enqueue(struct um_scheduled *item)
{
    if (um_scheduler_may_run(item))
        um_scheduler_run_now(item);
    else
        um_scheduler_enqueue(item);
}

/* Counts work that was done for a group, and messages that were served. */
UM_ALWAYS_INLINE void um_scheduler_charge(struct um_scheduler_group *group, uint64_t messages, uint64_t work)
{
    um_scheduler_renew(group);
    group->messages += messages;
    group->work += work;
    group->scheduler->messages += messages;
    group->scheduler->work += work;
}

#endif
