/*
 * How umemd is set up to be started by Windows: as a service, or when its user logs on.
 *
 * Owns: the service's entry at the service control manager, and the entry for log-on in the user's registry. Must not know: what
 * the daemon's options mean.
 *
 * Elsewhere the system has tools for it: systemctl --user enable.
 */
#ifndef UM_AUTOSTART_H
#define UM_AUTOSTART_H

#include "daemon/daemon_options.h"

/* Does what `options->action` requests, one of UM_ACTION_INSTALL_SERVICE to UM_ACTION_REMOVE_LOGON, prints what it has done, and
 * returns the exit status. The options of `argv` that are about the daemon itself are those of each start from then on. Where
 * something fails, nothing has changed. */
int um_autostart(const struct um_daemon_options *options, char *const *argv);

#endif
