/*
 * umemd: the daemon that lends memory. Reads the command line and does what it requests.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/autostart.h"
#include "daemon/daemon_options.h"
#include "daemon/daemon_process.h"
#include "daemon/daemon_run.h"
#include "daemon/exit_status.h"
#include "daemon/option_completion.h"
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
    char state[PATH_SIZE];
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
    return keep_path(&options->log_file, whole->log_file) && keep_path(&options->pid_file, whole->pid_file) &&
           keep_path(&options->state, whole->state);
}

static int check(const struct um_daemon_options *options, unsigned errors)
{
    char pipe[UM_ENDPOINT_CAPACITY];
    const char *what;

    printf("%-10s %s\n", "settings", options->config_path[0] != '\0' ? options->config_path : "of no file");
    if (um_endpoint_find(options->pipe, pipe, &what) == UMEM_OK)
        return um_pipe_check_print(stdout, pipe, &options->allowed, options->state, errors);
    fprintf(stderr, "umemd: %s\n", what);
    return UM_EXIT_FAILED;
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
    um_process_harden(options->core_dumps);
    if (options->is_daemon && !keep_paths(options, &whole))
        return UM_EXIT_FAILED;
    if (options->is_daemon && um_process_detach(&starter, &status) == UM_ROLE_STARTER)
        return status;
    return um_daemon_run(options, pipe, &starter);
}

static int print_completion(const char *shell)
{
    const char *script = um_completion_script(shell);

    if (script == NULL) {
        fprintf(stderr,
                "umemd: there is no completion for %s; there is one for bash, zsh, fish and powershell\n",
                *shell != '\0' ? shell : "an empty name");
        return UM_EXIT_USAGE;
    }
    return fputs(script, stdout) >= 0 && fflush(stdout) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
}

static int print_version(void)
{
    return puts("umemd " UMEM_VERSION) >= 0 && fflush(stdout) == 0 ? 0 : -1;
}

static int print_protocol(void)
{
    return um_reference_write(stdout) == 0 && fflush(stdout) == 0 ? 0 : -1;
}

/* Does what the options request. `errors`: how many there are in them, which only a check goes on with. */
static int act(struct um_daemon_options *options, unsigned errors, char *const *argv)
{
    int result = -1;

    switch (options->action) {
    case UM_ACTION_RUN:
        return run(options);
    case UM_ACTION_CHECK:
        return check(options, errors);
    case UM_ACTION_INSTALL_SERVICE:
    case UM_ACTION_REMOVE_SERVICE:
    case UM_ACTION_INSTALL_LOGON:
    case UM_ACTION_REMOVE_LOGON:
        return um_autostart(options, argv);
    case UM_ACTION_PRINT_CONFIG:
        result = um_daemon_options_print(options, stdout);
        break;
    case UM_ACTION_HELP:
        result = um_usage_print_help(stdout);
        break;
    case UM_ACTION_VERSION:
        result = print_version();
        break;
    case UM_ACTION_PRINT_PROTOCOL:
        result = print_protocol();
        break;
    case UM_ACTION_PRINT_COMPLETION:
        return print_completion(options->completion);
    case UM_ACTION_PRINT_MAN:
        result = um_usage_print_man(stdout);
        break;
    }
    return result == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
}

/* Errors of the options, as they are found. */
struct errors {
    const struct um_daemon_options *options; /* read so far */
    bool is_usage;                           /* one is of the command line */
};

static void on_error(void *context, const char *place, const char *text)
{
    struct errors *errors = context;

    if (*place == '\0') {
        errors->is_usage = true;
        fprintf(stderr, "umemd: %s (see umemd --help)\n", text);
    } else if (errors->options->action == UM_ACTION_CHECK) {
        printf("ERROR: %s: %s\n", place, text);
    } else {
        fprintf(stderr, "umemd: %s: %s\n", place, text);
    }
}

int main(int argc, char **argv)
{
    static struct um_daemon_options options;
    struct errors errors = {.options = &options};
    const struct um_option_errors listener = {on_error, &errors};
    unsigned count;
    int status = UM_EXIT_USAGE;

    if (!um_program_fill_standard_files())
        return UM_EXIT_FAILED;
    um_process_prepare();
    argv = um_program_arguments(&argc, argv);
    /* What the scripts of --completion call. */
    if (argc >= 3 && argc <= 4 && strcmp(argv[1], "--candidates") == 0)
        return um_completion_print(stdout, argv[2], argc == 4 ? argv[3] : "") == 0 ? UM_EXIT_ENDED
                                                                                   : UM_EXIT_FAILED;
    count = um_daemon_options_read(&options, argv, NULL, &listener);
    if (count == 0 || (options.action == UM_ACTION_CHECK && !errors.is_usage))
        status = act(&options, count, argv);
    else if (options.is_out_of_memory)
        status = UM_EXIT_FAILED;
    um_daemon_options_deinit(&options);
    return status;
}
