/* systemd's two interfaces, which are plain enough to need no library: datagrams of NAME=VALUE lines to the socket that
 * NOTIFY_SOCKET names (sd_notify(3)), and sockets from descriptor 3 on, as many as LISTEN_FDS says, for the process that
 * LISTEN_PID names (sd_listen_fds(3)). */
#include "daemon/service.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/encoding.h"

enum { FIRST_DESCRIPTOR = 3 };

struct um_service {
    struct sockaddr_un address; /* of the manager */
    socklen_t address_size;     /* 0: there is none */
    int socket;                 /* 0: none was handed over */
    bool is_ending;             /* which was reported */
};

static void notify(const struct um_service *service, const char *text)
{
    int fd;

    if (service->address_size == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0)
        return;
    sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&service->address, service->address_size);
    close(fd);
}

/* A path, or with an at sign a name that is in no file system. Anything else is ignored. */
static void find_listener(struct um_service *service)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name != NULL ? strlen(name) : 0;

    if (size < 2 || (*name != '/' && *name != '@') || size >= sizeof service->address.sun_path)
        return;
    service->address.sun_family = AF_UNIX;
    memcpy(service->address.sun_path, name, size);
    if (*name == '@')
        service->address.sun_path[0] = '\0';
    service->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

/* Whether the environment's number under this name is the one that is asked for. */
static bool is_number(const char *name, long number)
{
    const char *text = getenv(name);
    char expected[32];

    snprintf(expected, sizeof expected, "%ld", number);
    return text != NULL && strcmp(text, expected) == 0;
}

static bool find_socket(struct um_service *service, char *reason, size_t reason_size)
{
    if (!is_number("LISTEN_PID", (long)getpid()))
        return true;
    if (!is_number("LISTEN_FDS", 1)) {
        snprintf(reason, reason_size, "umemd takes one socket from its service manager, but LISTEN_FDS is %s",
                 getenv("LISTEN_FDS") != NULL ? getenv("LISTEN_FDS") : "missing");
        return false;
    }
    service->socket = FIRST_DESCRIPTOR;
    fcntl(service->socket, F_SETFD, FD_CLOEXEC);
    return true;
}

bool um_service_open(uv_loop_t *loop, bool asked, const struct um_service_events *events,
                     struct um_service **service, char *reason, size_t reason_size)
{
    struct um_service *made;

    (void)loop;
    (void)events; /* the end is asked for by a signal */
    if (asked) {
        snprintf(reason, reason_size,
                 "--service is for Windows; systemd needs no option, but its unit umemd.service");
        return false;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    find_listener(made);
    if (!find_socket(made, reason, reason_size)) {
        free(made);
        return false;
    }
    *service = made;
    return true;
}

bool um_service_is_there(const struct um_service *service)
{
    return service != NULL && (service->address_size != 0 || service->socket != 0);
}

int um_service_socket(const struct um_service *service)
{
    return service != NULL ? service->socket : 0;
}

void um_service_ready(struct um_service *service, const char *pipe)
{
    char text[600];

    if (service == NULL)
        return;
    /* The status must be UTF-8 on one line; another text is left out. */
    snprintf(text, sizeof text, "READY=1\n");
    if (um_utf8_check(pipe, strlen(pipe)) == strlen(pipe) && strchr(pipe, '\n') == NULL)
        snprintf(text, sizeof text, "READY=1\nSTATUS=Listening on %s", pipe);
    notify(service, text);
}

void um_service_ending(struct um_service *service)
{
    if (service == NULL || service->is_ending)
        return;
    service->is_ending = true;
    notify(service, "STOPPING=1\nSTATUS=Ending");
}

void um_service_close(struct um_service *service, int status)
{
    (void)status; /* the manager sees it */
    free(service);
}
