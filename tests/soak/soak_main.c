/* The soak: `soak --daemon UMEMD [options]`, see usage(); it starts itself again as `soak --worker ...`. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "role.h"
#include "supervisor.h"
#include "test_process.h"

/* How much more memory the daemon may have at its last rest than at its first: the load of a lap differs from that of another, and so
 * does what stays: tables for the most blocks at one time, a spare buffer of up to 1 MiB, pages that the allocator keeps because something
 * small is still in them. None of it grows with time; a leak of a few bytes a request would take hundreds of MiB in half an hour. */
enum { GROWTH_MAX = 8 << 20 };

static void usage(void)
{
    fputs("soak --daemon UMEMD [--minutes N | --laps N] [--seed N] [--percent N] [--groups N] [--role NAME]\n"
          "     [--any-growth]\n"
          "Runs a daemon of its own under many clients, and checks all that they are answered.\n"
          "--laps 3: each role in every lap; --percent 100: of the steps that a role takes; --groups 8: at "
          "one time.\n"
          "--any-growth: the daemon's resident memory is printed only.\n",
          stderr);
}

static int work(char *const *arguments)
{
    struct soak soak = {.pipe = arguments[2]};
    const struct role *role = role_named(arguments[0]);
    struct umem_session_info info;

    if (role == NULL)
        return 2;
    soak.role = role->name;
    soak.seed = strtoull(arguments[1], NULL, 10);
    soak.random = soak.seed * 2 + 1;
    soak.steps = strtoull(arguments[3], NULL, 10);
    snprintf(soak.name, sizeof soak.name, "%s", arguments[4]);
    soak.member = (unsigned)strtoul(arguments[5], NULL, 10);
    soak.client = soak_connect(&soak);
    EXPECT(&soak, UMEM_OK, umem_session_info(soak.client, &info));
    EXPECT(&soak, UMEM_OK, umem_server_info(soak.client, &soak.info));
    soak.session = info.session;
    printf("session %llu\n", (unsigned long long)soak.session);
    fflush(stdout);
    role->run(&soak);
    soak_publish_counters(&soak);
    umem_free_server_info(soak.info);
    umem_client_free(soak.client);
    return 0;
}

static bool take_option(struct supervisor_options *options, const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);

    if (strcmp(name, "--daemon") == 0)
        options->umemd = value;
    else if (strcmp(name, "--role") == 0)
        options->role = value;
    else if (strcmp(name, "--seed") == 0)
        options->seed = number;
    else if (strcmp(name, "--minutes") == 0)
        options->minutes = number;
    else if (strcmp(name, "--laps") == 0)
        options->laps = (unsigned)number;
    else if (strcmp(name, "--percent") == 0)
        options->percent = (unsigned)number;
    else if (strcmp(name, "--groups") == 0)
        options->groups = number < 16 ? (unsigned)number : 16;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct supervisor_options options = {.laps = 3, .percent = 100, .groups = 8, .growth_max = GROWTH_MAX};

    pipe_may_break();
    if (argc == 8 && strcmp(argv[1], "--worker") == 0)
        return work(argv + 2);
    uv_random(NULL, NULL, &options.seed, 4, 0, NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--any-growth") == 0) {
            options.growth_max = 0;
        } else if (i + 1 == argc || !take_option(&options, argv[i], argv[i + 1])) {
            usage();
            return 2;
        } else {
            i++;
        }
    }
    if (options.umemd == NULL || options.groups == 0 ||
        (options.role != NULL && role_named(options.role) == NULL)) {
        usage();
        return 2;
    }
    printf("soak: --seed %" PRIu64 "\n", options.seed);
    fflush(stdout);
    return supervise(&options);
}
