/*
 * What workers do: each role is one file, and one line in the list of roles.c.
 *
 * Owns: the shape of a role. Must not know: how processes are started and ended.
 *
 * A group of `members` processes plays a role together. What they share is made, and taken away again, by the supervisor; it has names
 * that begin with the group's. Workers of a role that may be killed are killed at any moment, also while they wait or hold a lock.
 */
#ifndef ROLE_H
#define ROLE_H

#include <stdbool.h>

#include "soak.h"

struct role {
    const char *name;
    unsigned members; /* processes that play it together */
    unsigned steps;   /* that each of them takes, about */
    bool may_be_killed;
    /* In the supervisor. NULL: nothing is shared. */
    void (*open)(
        struct soak *supervisor); /* before the first member starts; `supervisor->name` is the group's */
    void (*left)(struct soak *supervisor);  /* when a member has ended, however; may come more than once */
    void (*close)(struct soak *supervisor); /* when the last has ended */
    /* In each member: all that it does. */
    void (*run)(struct soak *worker);
};

extern const struct role role_commons;
extern const struct role role_counter;
extern const struct role role_garbage;
extern const struct role role_handover;
extern const struct role role_limits;
extern const struct role role_lock;
extern const struct role role_mapped;
extern const struct role role_model;
extern const struct role role_relay;
extern const struct role role_stall;
extern const struct role role_watch;

/* The i-th role, or NULL past the end; the role of a name, or NULL. */
const struct role *role_at(unsigned index);
const struct role *role_named(const char *name);

#endif
