/*
 * Owners: an owner is a session as the store sees it, an id that owns heaps, blocks, locks and holds.
 *
 * Owns: its identity, as long as something refers to it. Must not know: sessions, sockets.
 */
#ifndef UM_STORE_OWNERS_H
#define UM_STORE_OWNERS_H

#include "store/records/store_types.h"

struct um_owner_options {
    uint64_t id;         /* the session's number, from 1, never reused */
    int64_t pid;         /* process id, or 0 where it is not known */
    const char *program; /* name of the program, copied; NULL or "" where it is not known */
    const char *user;    /* name of the user, copied; NULL or "" where it is not known */
};

/* An owner, open or closed. */
struct um_owner_info {
    uint64_t id;
    int64_t pid;
    const char *program; /* "" where not known */
    const char *user;    /* "" where not known */
    bool open;
    uint64_t blocks; /* alive blocks that it made */
    uint64_t bytes;
    uint64_t heaps;        /* alive heaps that it made */
    uint64_t shared_heaps; /* those among them of kind shared */
    uint64_t holds;        /* that it has on blocks that others made */
};

int um_owner_open(struct um_store *store, const struct um_owner_options *options, struct um_owner **owner);

/* Ends an owner: frees its blocks and destroys its heaps of lifetime session, ends its holds, and last unlocks
 * its heaps. What it made and left is remembered with its pid and program until the last such block or heap is
 * gone. What has lifetime session is stale at once, however much there is. All else takes effect at once where
 * it is up to 4,096 heaps, accounts (what it has in one heap with one lifetime), holds and locks, of all owners
 * that end between two calls of um_store_set_time(); more is ended by um_store_reclaim(), and counts until
 * then. NULL is fine. */
void um_owner_close(struct um_store *store, struct um_owner *owner);

void um_owner_get_info(const struct um_owner *owner, struct um_owner_info *info);

#endif
