#include "daemon/system_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

enum { DATAGRAM_SIZE = UM_LOG_LINE_SIZE + 128, DATE_SIZE = 64 };

struct um_system_log {
    struct sockaddr_un address;
    int fd; /* -1: it is not connected */
};

/* Returns 0 or libuv's error. */
static int connect_socket(struct um_system_log *log)
{
    int error;

    log->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (log->fd < 0)
        return uv_translate_sys_error(errno);
    fcntl(log->fd, F_SETFD, FD_CLOEXEC);
    if (connect(log->fd, (const struct sockaddr *)&log->address, sizeof log->address) == 0)
        return 0;
    error = uv_translate_sys_error(errno);
    close(log->fd);
    log->fd = -1;
    return error;
}

const char *um_system_log_name(void)
{
    return "syslog";
}

bool um_system_log_open(const char *path, struct um_system_log **log, char *reason, size_t reason_size)
{
    const char *used = path != NULL ? path : _PATH_LOG;
    struct um_system_log *made = calloc(1, sizeof *made);
    int error;

    if (made == NULL || strlen(used) >= sizeof made->address.sun_path) {
        snprintf(reason, reason_size,
                 made == NULL ? "no memory" : "the path of the system's log is too long");
        free(made);
        return false;
    }
    made->address.sun_family = AF_UNIX;
    memcpy(made->address.sun_path, used, strlen(used) + 1);
    error = connect_socket(made);
    if (error == 0) {
        *log = made;
        return true;
    }
    snprintf(reason, reason_size, "the system's log %s cannot be reached: %s", used, uv_strerror(error));
    free(made);
    return false;
}

/* Sends what is to be one message. Returns 0 or libuv's error. */
static int send_datagram(const struct um_system_log *log, const char *bytes, size_t size)
{
    ssize_t sent;

    do
        sent = send(log->fd, bytes, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? uv_translate_sys_error(errno) : 0;
}

/* The local time as RFC 3164 has it: "Jan  2 03:04:05". */
static void write_date(char date[DATE_SIZE])
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm local;

    date[0] = '\0';
    if (localtime_r(&now, &local) != NULL)
        snprintf(date, DATE_SIZE, "%.3s %2d %02d:%02d:%02d", months + 3 * (size_t)local.tm_mon, local.tm_mday,
                 local.tm_hour, local.tm_min, local.tm_sec);
}

int um_system_log_write(struct um_system_log *log, enum um_log_level level, const char *line)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    char datagram[DATAGRAM_SIZE];
    char date[DATE_SIZE];
    size_t size;
    int error;

    write_date(date);
    size = (size_t)snprintf(datagram, sizeof datagram, "<%d>%s umemd[%ld]: %s",
                            LOG_DAEMON | priorities[level], date, (long)getpid(), line);
    if (size >= sizeof datagram)
        size = sizeof datagram - 1;
    if (log->fd < 0) {
        error = connect_socket(log);
        if (error != 0)
            return error;
    }
    error = send_datagram(log, datagram, size);
    /* The log may have been started anew, with another socket. */
    if (error == UV_ECONNREFUSED || error == UV_ENOTCONN || error == UV_ECONNRESET) {
        close(log->fd);
        error = connect_socket(log);
        if (error == 0)
            error = send_datagram(log, datagram, size);
    }
    return error;
}

void um_system_log_close(struct um_system_log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    free(log);
}
