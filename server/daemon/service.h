/*
 * A service manager that may have started this process: systemd, or Windows' service control manager.
 *
 * Owns: the line to it. Must not know: the server, the pipe, what the daemon does.
 *
 * POSIX: a manager is there where the environment says so. It is notified when the pipe is open and when the end begins
 * (sd_notify(3)), it asks for the end by SIGTERM, for reading the settings again by SIGHUP, and it may have handed the pipe's socket over (sd_listen_fds(3)).
 * Windows: only --service looks for one. It is notified when the pipe is open, when the end begins and with which exit status the
 * daemon ended, and it asks for the end, and for reading the settings again (PARAMCHANGE), by control codes, which a thread of its own
 * forwards to the loop.
 */
#ifndef UM_SERVICE_H
#define UM_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct um_service;

struct um_service_events {
    void *context; /* handed to the call */
    /* The manager requests the end, in order; from the loop, maybe more than once. */
    void (*stop)(void *context);
    void (*reload)(void *context); /* and that the settings are read again, where it can request that */
    uint32_t ending_ms;            /* how long the end may take, by the limits */
};

/* Finds the manager, or none, which is no failure: *service is NULL then, and all that follows does nothing. `asked`: whether
 * --service was given. False where a manager was asked for that is not there, or memory ran out; then `reason` holds a sentence
 * without a full stop, and the loop is to be run once more. What belongs to the loop does not keep it running. One call in a
 * process. */
bool um_service_open(uv_loop_t *loop, bool asked, const struct um_service_events *events,
                     struct um_service **service, char *reason, size_t reason_size);

/* Whether a manager starts and ends this process. */
bool um_service_is_there(const struct um_service *service);

/* The socket that the manager handed over, which listens already, or 0 where it did not; Windows: always 0. It is the
 * caller's. */
int um_service_socket(const struct um_service *service);

/* The pipe is open, at this path. */
void um_service_ready(struct um_service *service, const char *pipe);

/* The end has begun. */
void um_service_ending(struct um_service *service);

/* The last call, once the server has ended or where it never began; the loop is to be run after that. `status` is what the
 * process will end with. */
void um_service_close(struct um_service *service, int status);

#endif
