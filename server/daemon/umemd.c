/*
 * umemd: the daemon that lends memory. Reads the command line and does what it requests.
 */
#include <stdio.h>

#include "daemon/daemon_options.h"
#include "daemon/daemon_process.h"
#include "daemon/daemon_run.h"
#include "daemon/exit_status.h"
#include "daemon/pipe_check.h"
#include "daemon/usage.h"
#include "program/program.h"
#include "rpc/schema/reference.h"
#include "umem_errors.h"
#include "umem_version.h"
#include "wire/endpoint.h"

enum { PATH_SIZE = 4096 };

/* Room for the paths of options. */
struct whole_paths {
    char log_file[PATH_SIZE];
    char pid_file[PATH_SIZE];
};

/* A daemon leaves the working directory that its paths may be relative to. */
static bool keep_path(const char **path, char whole[PATH_SIZE])
{
    if (*path == NULL)
        return true;
    if (!um_process_absolute_path(*path, whole, PATH_SIZE)) {
        fprintf(stderr, "umemd: %s is too long, or the working directory is not known\n", *path);
        return false;
    }
    *path = whole;
    return true;
}

static bool keep_paths(struct um_daemon_options *options, struct whole_paths *whole)
{
    return keep_path(&options->log_file, whole->log_file) && keep_path(&options->pid_file, whole->pid_file);
}

static int run(struct um_daemon_options *options)
{
    struct whole_paths whole;
    struct um_starter starter = {.line = NULL};
    char pipe[UM_ENDPOINT_CAPACITY];
    const char *what;
    int status;

    if (um_endpoint_find(options->pipe, pipe, &what) != UMEM_OK) {
        fprintf(stderr, "umemd: %s\n", what);
        return UM_EXIT_FAILED;
    }
    if (options->action == UM_ACTION_CHECK)
        return um_pipe_check_print(stdout, pipe);
    um_process_harden(options->core_dumps);
    if (options->is_daemon && !keep_paths(options, &whole))
        return UM_EXIT_FAILED;
    if (options->is_daemon && um_process_detach(&starter, &status) == UM_ROLE_STARTER)
        return status;
    return um_daemon_run(options, pipe, &starter);
}

int main(int argc, char **argv)
{
    struct um_daemon_options options;
    char error[256];

    if (!um_program_fill_standard_files())
        return UM_EXIT_FAILED;
    um_process_prepare();
    argv = um_program_arguments(&argc, argv);
    if (!um_daemon_options_parse(&options, argv, error, sizeof error)) {
        fprintf(stderr, "umemd: %s (see umemd --help)\n", error);
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
