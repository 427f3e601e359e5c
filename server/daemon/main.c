/*
 * umemd: the daemon that lends memory. From the command line to what it asks for.
 */
#include <stdio.h>

#include "check.h"
#include "endpoint.h"
#include "exit_status.h"
#include "options.h"
#include "process.h"
#include "program.h"
#include "reference.h"
#include "run.h"
#include "umem_errors.h"
#include "usage.h"

static int run(const struct um_options *options)
{
    struct um_starter starter = {NULL};
    char pipe[UM_ENDPOINT_ROOM];
    const char *what;
    int status;

    if (um_endpoint_find(options->pipe, pipe, &what) != UMEM_OK) {
        fprintf(stderr, "umemd: %s\n", what);
        return UM_EXIT_FAILED;
    }
    if (options->action == UM_ACTION_CHECK)
        return um_check_print(stdout, pipe);
    um_process_harden(options->core_dumps);
    if (options->is_daemon && um_process_detach(&starter, &status) == UM_ROLE_STARTER)
        return status;
    return um_run(options, pipe, &starter);
}

int main(int argc, char **argv)
{
    struct um_options options;
    char why[256];

    if (!um_program_fill_standard_files())
        return UM_EXIT_FAILED;
    um_process_prepare();
    argv = um_program_arguments(&argc, argv);
    if (!um_options_parse(&options, argc, argv, why, sizeof why)) {
        fprintf(stderr, "umemd: %s (umemd --help tells more)\n", why);
        return UM_EXIT_USAGE;
    }
    switch (options.action) {
    case UM_ACTION_HELP:
        return um_usage_print_help(stdout) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
    case UM_ACTION_VERSION:
        return puts("umemd " UMEM_VERSION) >= 0 && fflush(stdout) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
    case UM_ACTION_PRINT_PROTOCOL:
        return um_reference_write(stdout) == 0 && fflush(stdout) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
    case UM_ACTION_PRINT_MAN:
        return um_usage_print_man(stdout) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
    case UM_ACTION_CHECK:
    case UM_ACTION_RUN:
        break;
    }
    return run(&options);
}
