#include "net/listener/peer.h"

#include <sys/socket.h>
#include <unistd.h>

bool um_peer_read(int fd, int64_t *pid, uid_t *user)
{
#ifdef SO_PEERCRED
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    *pid = credentials.pid;
    *user = credentials.uid;
    return true;
#else
    gid_t group;

    *pid = 0;
    return getpeereid(fd, user, &group) == 0;
#endif
}
