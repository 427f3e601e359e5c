#include "net/listener/group_member.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SPACE_SIZE = 4096,    /* bytes for an entry of the system's list of users */
    GROUPS_FIRST = 64,    /* of one user; more where these are too few */
    GROUPS_LIMIT = 262144 /* more than any system lets a user have */
};

/* macOS has another type for these groups. */
#ifdef __APPLE__
typedef int listed_group;
#else
typedef gid_t listed_group;
#endif

bool um_group_member_is_listed(uid_t user, gid_t group)
{
    char space[SPACE_SIZE];
    struct passwd entry;
    struct passwd *found = NULL;
    bool is_whole = false;
    bool is_member = false;

    if (getpwuid_r(user, &entry, space, sizeof space, &found) != 0 || found == NULL)
        return false;
    for (int capacity = GROUPS_FIRST; !is_whole && capacity <= GROUPS_LIMIT; capacity *= 4) {
        listed_group *groups = malloc((size_t)capacity * sizeof *groups);
        int count = capacity;

        if (groups == NULL)
            return false;
        is_whole = getgrouplist(entry.pw_name, (listed_group)entry.pw_gid, groups, &count) >= 0;
        for (int i = 0; is_whole && i < count; i++)
            is_member = is_member || (gid_t)groups[i] == group;
        free(groups);
    }
    return is_member;
}

#ifdef SO_PEERGROUPS

/* Looks for the group among those of the peer. Returns false where the system does not tell them. */
static bool look_among_peers(int fd, gid_t group, bool *is_member)
{
    gid_t few[GROUPS_FIRST];
    gid_t *groups = few;
    socklen_t size = sizeof few;
    bool is_told = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0;

    /* Too few: `size` is what it takes now. The groups of a socket never change. */
    if (!is_told && errno == ERANGE) {
        groups = malloc(size);
        is_told = groups != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0;
    }
    for (size_t i = 0; is_told && i < size / sizeof *groups; i++)
        *is_member = *is_member || groups[i] == group;
    if (groups != few)
        free(groups);
    return is_told;
}

#else

static bool look_among_peers(int fd, gid_t group, bool *is_member)
{
    (void)fd;
    (void)group;
    (void)is_member;
    return false;
}

#endif

bool um_group_member_is_peer(int fd, uid_t user, gid_t main_group, gid_t group)
{
    bool is_member = false;

    if (main_group == group)
        return true;
    return look_among_peers(fd, group, &is_member) ? is_member : um_group_member_is_listed(user, group);
}
