/*
 * The sessions of one client process, and what that process gets of a turn.
 *
 * Owns: the groups, one for each process that has sessions (where the system does not tell the process, one for each session); which
 * of their sessions are due; how much was done for each group in this turn. Must not know: what is done.
 *
 * A turn of the loop does a bounded amount of work, whoever asks for it and over however many sessions it is spread. Work is counted
 * in the unit of um_session_charge(): what is done in the engine, and for the connection what the system charges for it
 * (UM_GROUP_COST_*). A group gets limits.turn_requests messages and limits.turn_bytes of work a turn; all together get
 * UM_SCHEDULER_TURN_SHARES times that, not all of it while the loop polls, so that something is left for those who wait. What a
 * group took beyond its share, because a message is done whole, it lacks in its next turns.
 *
 * A session whose group has had its share is due: it is not read from and waits in its group's queue, and the group in the turn's.
 */
#ifndef UM_SCHEDULER_H
#define UM_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/index.h"
#include "base/list.h"
#include "rpc/rpc.h"

struct um_server;
struct um_connection;

enum {
    UM_SCHEDULER_TURN_SHARES = 4, /* shares of a group that a turn has, */
    UM_SCHEDULER_POLL_SHARES = 2, /* and those of them that may be used up while the loop polls */
    UM_COST_VISIT =
        16384, /* a session that was due goes on: it may have to be read from, served and written to */
    UM_COST_READ = 4096,    /* a read */
    UM_COST_READ_BYTE = 2,  /* a byte that is read, to memory that may be new */
    UM_COST_WRITE = 4096,   /* a write */
    UM_COST_MESSAGE = 2048, /* a message, however short */
    UM_COST_TEXT_BYTE = 4,  /* a byte of JSON, read or written */
    UM_COST_CLOSE = 16384,  /* a connection is closed */
    UM_COST_END = 32768     /* the engine lets go of a session; and half a unit for each byte that it kept */
};

/* The server's part. */
struct um_scheduler {
    uint64_t number;         /* grows with every turn, from 1 */
    uint64_t messages;       /* served in this turn */
    uint64_t work;           /* done in it */
    uint64_t messages_limit; /* of this part of the turn: it is over when either is reached */
    uint64_t work_limit;
    struct um_index groups; /* by process id */
    struct um_link all;     /* list of um_connection_group.in_all */
    struct um_link active;  /* list of um_connection_group.in_active, the next to be served first */
};

/* What is left in this turn. */
struct um_scheduler_share {
    uint64_t messages;
    uint64_t work;
};

struct um_connection_group {
    struct um_server *server;
    struct um_index_node in_index; /* where `pid` is not 0 */
    struct um_link in_all;
    struct um_link in_active;  /* place among the groups that have sessions that are due */
    struct um_link due;        /* list of um_connection.due, the next to go on first */
    struct um_link in_waiting; /* place in um_budget.waiting */
    struct um_link
        waiting; /* list of um_budget_share.in_waiting: sessions that want capacity, the oldest first */
    struct um_session_group sessions; /* the engine's part */
    int64_t pid;                      /* 0: not known */
    uint64_t members;                 /* sessions, closing ones among them */
    uint64_t open_sessions;           /* sessions that are served */
    uint64_t turn;                    /* number of the turn that `messages` and `work` are about */
    uint64_t messages;
    uint64_t work;
    uint64_t gathered; /* bytes that its sessions have in um_traffic.gathered_bytes */
    char program[128]; /* its name, as it was when its first session opened */
};

/* Makes the server's part. False: no memory. */
bool um_scheduler_init(struct um_server *server);
void um_scheduler_deinit(struct um_server *server);

/* A turn begins, before the loop polls: everybody has its share again. */
void um_scheduler_begin_turn(struct um_server *server);

/* Lets groups go on that have sessions that are due, one after the other, each as far as its share goes. After the loop has polled.
 * What is left waits for the next turn, and comes first there. */
void um_scheduler_run(struct um_server *server);

/* Takes a session in: into the group of its process. False: no memory. */
bool um_scheduler_join(struct um_connection *session, int64_t pid, const char *program);

/* The session is about to be freed. Does nothing where it has not joined. */
void um_scheduler_leave(struct um_connection *session);

/* The group with most open sessions whose process is known, or NULL. */
const struct um_connection_group *um_scheduler_largest_group(const struct um_server *server);

/* Lets a session go on as soon as it is its turn. Once is enough. */
void um_scheduler_enqueue(struct um_connection *session);

/* What is left of the group's share, and of the turn. */
struct um_scheduler_share um_scheduler_share(struct um_connection_group *group);

/* Whether there is something left. */
bool um_scheduler_has_share(struct um_connection_group *group);

/* Whether a session may be read from or go on in a callback of the loop: others of its group do not wait before it, and there is
 * something left. If not, it is to be made due. */
bool um_scheduler_may_run(struct um_connection *session);

/* Counts work that was done for a group, and messages that were served. */
void um_scheduler_charge(struct um_connection_group *group, uint64_t messages, uint64_t work);

#endif
