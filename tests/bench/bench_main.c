/*
 * bench_daemon: umemd beside Redis and memcached, and beside what the machine itself can do.
 *
 * bench_daemon --umemd FILE --out FOLDER [--quick] [--rounds N] [--row TEXT]
 *
 * Every server does the same work by the same driver over a Unix socket, turn about, several rounds; every answer is
 * compared with the right one. --row runs a part of the load only: "read 64" is every read of 64 bytes, "read 64 1 1" that at
 * depth 1 over 1 connection, "libraries" client libraries side by side, "mapped" accesses through mapped memory, "memory" what stays resident after much was freed. FOLDER/results.json has one
 * record for each round of each figure; report.py makes tables
 * and plots of them. Ends with 0 if everything ran and every answer was right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "figures.h"
#include "growth.h"
#include "workload.h"

static const struct effort full = {
    .rounds = 7,
    .slice_ns = 100000000,
    .connections = 1000,
    .large_depth = 16,
    .random_requests = 50000,
    .blocks = 10000000,
    .blocks_memory = 1000000,
    .blocks_destroy = 1000000,
    .heaps = 100000,
    .mapped_bytes = 1 << 30,
};

static const struct effort quick = {
    .is_short = true,
    .rounds = 1,
    .slice_ns = 1000000,
    .connections = 100,
    .large_depth = 2,
    .random_requests = 256,
    .blocks = 10000,
    .blocks_memory = 10000,
    .blocks_destroy = 10000,
    .heaps = 1000,
    .mapped_bytes = 4 << 20,
};

static _Noreturn void usage(void)
{
    fputs("Usage: bench_daemon --umemd FILE --out FOLDER [--quick] [--rounds N] [--row TEXT]\n", stderr);
    exit(2);
}

/* A thousand connections, and as many in each server, which takes over this limit. */
static void raise_handle_limit(struct effort *effort)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < effort->connections + 100) {
        effort->connections = (unsigned)limit.rlim_cur / 2;
        fprintf(stderr, "only %u connections: this user may not open more files\n", effort->connections);
    }
}

int main(int argc, char **argv)
{
    struct server servers[SERVER_KINDS] = {{.pid = 0}};
    const char *umemd = NULL;
    const char *out = NULL;
    struct effort effort = full;
    struct results results;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            effort = quick;
        else if (strcmp(argv[i], "--umemd") == 0 && i + 1 < argc)
            umemd = argv[++i];
        else if (strcmp(argv[i], "--out") == 0 && i + 1 < argc)
            out = argv[++i];
        else if (strcmp(argv[i], "--row") == 0 && i + 1 < argc)
            effort.row = argv[++i];
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc && atoi(argv[i + 1]) > 0)
            effort.rounds = (unsigned)atoi(argv[++i]);
        else
            usage();
    }
    if (umemd == NULL || out == NULL)
        usage();
    raise_handle_limit(&effort);
    servers_find(umemd);
    results_open(&results, out, &effort);
    if (effort.row == NULL) {
        figures_of_machine(&effort, &results);
        figures_of_servers(&effort, &results);
    }
    for (enum server_kind kind = SERVER_UMEMD; kind < SERVER_KINDS; kind++) {
        if (server_is_there(kind))
            server_start(&servers[kind], kind);
        else
            fprintf(stderr, "%s is not here and is left out\n", server_name(kind));
    }
    workloads_run(&effort, &results, servers);
    if (effort.row == NULL || strcmp(effort.row, "libraries") == 0)
        figures_of_libraries(&effort, &results, servers);
    if (effort.row == NULL || strcmp(effort.row, "mapped") == 0)
        figures_of_mapped(&effort, &results, servers);
    for (enum server_kind kind = SERVER_UMEMD; kind < SERVER_KINDS; kind++)
        server_stop(&servers[kind]);
    if (effort.row == NULL || strcmp(effort.row, "growth") == 0) {
        growth_of_blocks(&effort, &results);
        growth_of_others(&effort, &results);
        growth_of_heaps(&effort, &results);
    }
    if (effort.row == NULL || strcmp(effort.row, "memory") == 0)
        growth_of_resident(&effort, &results);
    results_close(&results);
    fprintf(stderr, "%llu figures; %llu answers checked, all of them right\n",
            (unsigned long long)results.records, (unsigned long long)results.answers);
    return 0;
}
