/*
 * A daemon's life: the loop, the server, signals, the log and the pid file, from the start to the end.
 *
 * Owns: those. Must not know: how the process was started.
 */
#ifndef UM_DAEMON_RUN_H
#define UM_DAEMON_RUN_H

#include "daemon/daemon_options.h"
#include "daemon/daemon_process.h"

/* Runs until a signal or server.shutdown ends it. `pipe` is the path to listen at; `starter` is notified once
 * it is known whether the pipe is open. Returns the status to exit with. */
int um_daemon_run(const struct um_daemon_options *options, const char *pipe, struct um_starter *starter);

#endif
