/*
 * Whether the user at the other end of a socket is in a group. POSIX only.
 *
 * Owns: nothing. Must not know: what the group is let do.
 *
 * What counts are the groups that the client's process had when it connected, as for files: a user who is removed from a group keeps
 * them in the processes that run. Systems that do not tell them (all but Linux 4.13 and later) tell the main one, and the rest is
 * in the system's lists.
 */
#ifndef UM_GROUP_MEMBER_H
#define UM_GROUP_MEMBER_H

#include <stdbool.h>
#include <sys/types.h>

/* Of the process that connected to this socket, with that user and that main group. */
bool um_group_member_is_peer(int fd, uid_t user, gid_t main_group, gid_t group);

/* By the system's lists alone, which may be on another machine. */
bool um_group_member_is_listed(uid_t user, gid_t group);

#endif
