/*
 * The connections of one client process, which share its part of a turn, of the budget and of the engine.
 *
 * Owns: the groups: one for each process that has connections, and one for each connection whose process the system does not tell. Must not know: what
 * connections do.
 */
#ifndef UM_CONNECTION_GROUP_H
#define UM_CONNECTION_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/index.h"
#include "base/list.h"
#include "net/budget.h"
#include "net/scheduler.h"
#include "rpc/rpc.h"

struct um_connection_groups {
    struct um_scheduler *scheduler; /* whose groups they are */
    struct um_index by_pid;
    struct um_link all; /* list of um_connection_group.in_all */
};

struct um_connection_group {
    struct um_scheduler_group turn;   /* the scheduler's part */
    struct um_budget_group budget;    /* the budget's part */
    struct um_session_group sessions; /* the engine's part */
    struct um_connection_groups *groups;
    struct um_index_node in_index; /* where `pid` is not 0 */
    struct um_link in_all;
    int64_t pid;            /* 0: not known */
    uint64_t members;       /* connections, closing ones among them */
    uint64_t open_sessions; /* connections that are served */
    char program[128];      /* its name, as it was when its first connection was accepted */
};

/* False: no memory. */
bool um_connection_groups_init(struct um_connection_groups *groups, struct um_scheduler *scheduler);
void um_connection_groups_deinit(struct um_connection_groups *groups);

/* The group of a process, which has one member more from now on. NULL: no memory. */
struct um_connection_group *um_connection_groups_join(struct um_connection_groups *groups, int64_t pid,
                                                      const char *program);

/* A member is gone, and with the last one the group. */
void um_connection_groups_leave(struct um_connection_group *group);

/* The group with most open sessions whose process is known, or NULL. */
const struct um_connection_group *um_connection_groups_largest(const struct um_connection_groups *groups);

#endif
