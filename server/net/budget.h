/*
 * What all sessions together make the server keep, and what happens where that reaches a limit.
 *
 * Owns: the sums in server->traffic, the sessions that have to wait for room, and those whose message is not
 * whole yet, with the time that it may take. Must not know: what requests mean.
 *
 * What is gathered (messages that are not whole, batches' payloads): the sessions of one client process may have half of what the
 * others leave of limits.gathered_bytes, so that there is always capacity for another process' message. Past that a session that
 * has gathered more than a little is not read from, but for one: the processes that want capacity take turns, and of each the
 * session that has waited longest. That one goes on until its message is done, so that there is always one that does, and then it is
 * the next one's turn, however much it sends behind it. Nobody waits for ever: a message that is not whole after limits.message_ms ends, see
 * um_budget_expire().
 *
 * What is unsent: um_session_unsent_limit() leaves each session the less the more all have, and the engine refuses
 * what is large and does not fit. Nobody waits for another session there.
 */
#ifndef UM_BUDGET_H
#define UM_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct um_connection_group;
struct um_server;
struct um_connection;

enum {
    UM_BUDGET_MINIMUM =
        4096 /* bytes that any session may gather, and the most that is read at one time where there is no room */
};

/* The server's part. */
struct um_budget {
    struct um_link
        waiting; /* list of um_connection_group.in_waiting: processes with sessions that want room, the next one first */
    struct um_link
        begun; /* list of um_budget_share.in_begun: messages that are not whole, the oldest first */
    uint64_t begun_messages; /* since the start, each of which was not whole when the turn ended */
};

/* A session's part. */
struct um_budget_share {
    struct um_link in_waiting; /* place among those of its group */
    struct um_link in_begun;
    uint64_t gathered; /* bytes, as they stand in the server's sum */
    uint64_t unsent;   /* likewise */
    uint64_t begun;    /* um_budget.begun_messages when the message began */
    uint64_t begun_ms; /* when that was, on the loop's clock */
    bool has_waited;   /* it was not read from for want of room, since then */
    bool
        is_favoured; /* the first of those that wait in the first group, and has been told that it may go on */
    bool has_served; /* a message was done since the last um_budget_note() */
};

void um_budget_init(struct um_server *server);

/* Counts anew what a session makes the server keep, after anything was done for it (`wants_bytes`: it waits for more to be read);
 * looks whether its message has begun or is
 * done; and lets those go on that wait for room, where there is some. */
void um_budget_note(struct um_connection *session, bool wants_bytes);

/* The session is closed: all it had is free. */
void um_budget_forget(struct um_connection *session);

/* Whether the session may be read from. Where it may not, it is made due when it may. */
bool um_budget_admits(struct um_connection *session);

/* How many bytes, at most, it may be read at one time; 0: none. */
uint64_t um_budget_read_limit(struct um_connection *session);

/* When the first message runs out of time, on the loop's clock; UINT64_MAX: none does. */
uint64_t um_budget_next_ms(const struct um_server *server);

/* Ends messages whose time is up. A client that stalls gets `timeout`, and its session ends. Where it was the server that did not
 * read, for want of room, the message gets `limit_exceeded` and is passed over; and where that was for the session's own unread
 * answers, or because others had their turn before it, its time begins anew. */
void um_budget_expire(struct um_server *server);

#endif
