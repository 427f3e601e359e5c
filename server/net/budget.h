/*
 * How much memory the connections make the server keep for messages that are not whole and for answers, and what happens where that
 * reaches a limit.
 *
 * Owns: the sums in the traffic counters, the queue of those that wait for quota, and the messages that are not whole yet with the
 * time that they may take. Must not know: connections. It is given numbers, and gives verdicts.
 *
 * What is gathered (messages that are not whole, batches' payloads): the connections of one client process
 * may have half of what the others leave of limits.gathered_bytes, so that there is always quota for another
 * process' message. Past that a connection that has gathered more than a little is not read from, but for
 * one: the processes that want quota take turns, and of each the connection that has waited longest. That one
 * is favoured: it is read from until its message is done, so that there is always one that advances, and then
 * it is the next one's turn, however much it sends behind it. No wait is endless: a message that is not whole
 * after limits.message_ms ends, see um_budget_expired().
 *
 * What is unsent: um_session_unsent_limit() leaves each session the less the more all have, and the engine refuses what is large and
 * does not fit. No connection waits for another one there.
 */
#ifndef UM_BUDGET_H
#define UM_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "rpc/rpc.h"

enum {
    UM_BUDGET_MINIMUM = 4096 /* bytes that any connection may gather, and the most that is read at one time
                                where there is no quota */
};

struct um_budget_entry;

/* The server's part. */
struct um_budget {
    struct um_traffic *traffic;                  /* whose sums these are */
    uint64_t gathered_limit;                     /* limits.gathered_bytes */
    uint64_t message_ms;                         /* limits.message_ms */
    void (*wake)(struct um_budget_entry *entry); /* the connection may be read from again: let it look */
    struct um_link
        waiting; /* list of um_budget_group.in_waiting: processes that want quota, the next first */
    struct um_link
        begun; /* list of um_budget_entry.in_begun: messages that are not whole, the oldest first */
    uint64_t begun_messages; /* so many stood in that list since the start */
    uint64_t deadline_ms;    /* when the oldest message runs out of time; UINT64_MAX: there is none */
    bool is_scarce;          /* some group may have no quota left */
};

/* A client process' part. */
struct um_budget_group {
    struct um_link in_waiting; /* place in um_budget.waiting */
    struct um_link waiting; /* list of um_budget_entry.in_waiting: those that want quota, the oldest first */
    uint64_t gathered;      /* bytes of its connections in the server's sum */
    uint64_t unsent;        /* likewise */
};

/* A connection's part. */
struct um_budget_entry {
    struct um_budget_group *group; /* NULL: it is in none */
    struct um_link in_waiting;     /* place among those of its group */
    struct um_link in_begun;
    uint64_t gathered; /* bytes, as they stand in the server's sum */
    uint64_t unsent;   /* likewise */
    uint64_t begun;    /* um_budget.begun_messages when the message began */
    uint64_t begun_ms; /* when that was */
    bool has_waited;   /* it was not read from for want of quota, since then */
    bool is_favoured;  /* it waits first in the first group, and may be read from */
    bool is_listed;    /* it stands in one of the lists */
};

/* What a connection makes the server keep, after a step. */
struct um_budget_usage {
    uint64_t gathered;  /* bytes of memory that hold messages and payloads which are not whole or not done */
    uint64_t unsent;    /* bytes of memory that hold answers */
    bool wants_bytes;   /* it waits for more to be read, or for its turn */
    bool is_in_message; /* a message has begun that is not whole */
    bool has_served;    /* a message was done since the last usage */
};

/* What happens to a message whose time is up. */
enum um_budget_verdict {
    UM_BUDGET_STALLED, /* the client does not go on with it: it gets `timeout`, and the connection ends */
    UM_BUDGET_NO_QUOTA, /* the server did not read it for want of quota: it gets `limit_exceeded` and is skipped */
    UM_BUDGET_RESTARTED /* it was not read for the client's own unread answers, or because others had their
                           turn before it: its time begins anew */
};

/* Initialises the lists; the members before them are the caller's to set. */
void um_budget_init(struct um_budget *budget);

void um_budget_init_group(struct um_budget_group *group);

/* Takes a group out whose connections are all gone. */
void um_budget_remove_group(struct um_budget_group *group);

void um_budget_init_entry(struct um_budget_entry *entry, struct um_budget_group *group);

/* Whether the group has less than its share: half of what the others leave, its own included. */
bool um_budget_has_quota(const struct um_budget *budget, const struct um_budget_group *group);

/* Counts anew what a connection makes the server keep, looks whether its message has begun or is done, and wakes those that wait for
 * quota, where there is some. */
void um_budget_update(struct um_budget *budget, struct um_budget_entry *entry,
                      const struct um_budget_usage *usage, uint64_t now_ms);

/* How many bytes, at most, may be read at one time for a connection whose usage is up to date; 0: none, it
 * waits and is woken. `is_exempt`: what is read is kept nowhere. `is_long`: the engine has still to read a
 * long message of the same process, which is whole and whose memory is in use until then. `has_end`: it is
 * known where the message ends, so that nothing is read behind it. */
struct um_budget_read {
    bool is_exempt;
    bool is_long;
    bool has_end;
};
uint64_t um_budget_read_limit(struct um_budget *budget, struct um_budget_entry *entry,
                              struct um_budget_read read);

/* The connection is closing: it wants nothing any more. What it has stays counted. */
void um_budget_withdraw(struct um_budget *budget, struct um_budget_entry *entry);

/* The connection is gone: all that it had is free. */
void um_budget_forget(struct um_budget *budget, struct um_budget_entry *entry);

/* The oldest message, where its time is up, or NULL. */
struct um_budget_entry *um_budget_expired(const struct um_budget *budget, uint64_t now_ms);

/* Judges such a message, whose time is then no longer counted, or begins anew. `is_reading`: the connection is read from. */
enum um_budget_verdict um_budget_judge(struct um_budget *budget, struct um_budget_entry *entry,
                                       bool is_reading, uint64_t now_ms);

#endif
