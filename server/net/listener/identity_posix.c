#include "net/listener/identity.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "net/listener/group_member.h"
#include "net/listener/peer.h"

/* Takes only what is printable ASCII: a program may call itself anything. */
void um_identity_read_program(int64_t pid, char *program, size_t capacity)
{
    char path[64];
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    size = fread(program, 1, capacity - 1, file);
    fclose(file);
    program[size] = '\0';
    program[strcspn(program, "\n")] = '\0';
    for (char *at = program; *at != '\0'; at++) {
        if (!isascii((unsigned char)*at) || !isprint((unsigned char)*at))
            *at = '?';
    }
}

static void look_up_user(uid_t user, char *name, size_t capacity)
{
    char space[2048];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(user, &entry, space, sizeof space, &found) == 0 && found != NULL)
        snprintf(name, capacity, "%s", found->pw_name);
    else
        snprintf(name, capacity, "%lu", (unsigned long)user);
}

/* Nearly all clients are of one user, and where users come from a directory service, asking may take long: the last answer is
 * kept. */
static void read_user(uid_t user, char *name, size_t capacity)
{
    static char last_name[sizeof((struct um_identity *)0)->user];
    static uid_t last_user;

    if (last_name[0] == '\0' || last_user != user) {
        look_up_user(user, last_name, sizeof last_name);
        last_user = user;
    }
    snprintf(name, capacity, "%s", last_name);
}

void um_identity_prepare(void)
{
    char name[sizeof((struct um_identity *)0)->user];

    read_user(geteuid(), name, sizeof name);
}

void um_identity_read(const uv_pipe_t *client, const struct um_principal *allowed,
                      struct um_identity *identity)
{
    uv_os_fd_t fd;
    struct um_peer peer;

    *identity = (struct um_identity){0};
    if (uv_fileno((const uv_handle_t *)client, &fd) != 0 || !um_peer_read(fd, &peer))
        return;
    identity->pid = peer.pid;
    identity->trusted =
        peer.user == geteuid() || peer.user == 0 ||
        (allowed->is_set && um_group_member_is_peer(fd, peer.user, peer.group, (gid_t)allowed->number));
    if (identity->pid != 0)
        um_identity_read_program(identity->pid, identity->program, sizeof identity->program);
    read_user(peer.user, identity->user, sizeof identity->user);
}
