#include "net/listener/peer.h"

#include <sys/socket.h>
#include <unistd.h>

bool um_peer_read(int fd, struct um_peer *peer)
{
#ifdef SO_PEERCRED
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    *peer = (struct um_peer){credentials.pid, credentials.uid, credentials.gid};
    return true;
#else
    peer->pid = 0;
    return getpeereid(fd, &peer->user, &peer->group) == 0;
#endif
}
