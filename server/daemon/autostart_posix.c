#include "daemon/autostart.h"

#include <stdio.h>

#include "daemon/exit_status.h"

int um_autostart(const struct um_daemon_options *options, char *const *argv)
{
    (void)options;
    (void)argv;
    fprintf(stderr, "umemd: services and starts at log-on are set up this way on Windows only; "
                    "with systemd: systemctl --user enable --now umemd.socket\n");
    return UM_EXIT_USAGE;
}
