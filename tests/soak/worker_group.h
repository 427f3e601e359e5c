/*
 * Groups: the processes that play a role together, from the start of the first to what is left of the last.
 *
 * Owns: their processes, when they are killed, what a dead session must have left and must not. Must not know: laps, the daemon's process.
 */
#ifndef WORKER_GROUP_H
#define WORKER_GROUP_H

#include <uv.h>

#include "role.h"

enum { MEMBERS_MAX = 3 };

struct group;

struct member {
    struct group *group;
    uv_process_t process;
    uv_pipe_t out;
    uv_timer_t timer; /* kills it, or finds that it hangs */
    unsigned handles; /* that are open */
    bool is_killed;
    char text[64]; /* what it has printed: its session's number */
    size_t text_size;
};

struct group_counts {
    uint64_t groups;
    uint64_t processes;
    uint64_t killed;
    uint64_t orphans; /* blocks that the dead had left, and that were freed as orphans */
    uint64_t heaps;   /* likewise */
};

struct group {
    struct soak soak; /* the supervisor's, with this group's name */
    const struct role *role;
    uv_loop_t *loop;
    const char *program; /* this one */
    unsigned percent;
    unsigned running; /* members that have not ended; 0: the place is free */
    struct group_counts *counts;
    void (*ended)(void *context); /* called when the last member has ended */
    void *context;
    struct member members[MEMBERS_MAX];
};

/* Makes what the group shares and starts its members. */
void group_start(struct group *group);

/* Kills those that run: the soak has failed. */
void group_kill(struct group *group);

#endif
