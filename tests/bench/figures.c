#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drive.h"

static void add(struct results *results, const char *name, enum server_kind kind, uint64_t count,
                unsigned round, double value, const char *unit)
{
    results_add(results, &(struct record){.group = "figure",
                                          .name = name,
                                          .target = server_name(kind),
                                          .count = count,
                                          .round = round,
                                          .value = value,
                                          .unit = unit});
}

/* Opens connections that send one request and then do nothing. */
static void measure_idle(const struct effort *effort, struct results *results, const struct server *server,
                         unsigned round)
{
    unsigned count = effort->connections;
    int *handles = must_alloc(count * sizeof *handles);
    uint64_t before = server_private_bytes(server);

    for (unsigned i = 0; i < count; i++) {
        handles[i] = connect_to(server->path);
        if (handles[i] < 0 || !server_ping(server, handles[i]))
            give_up("%s: no answer over connection %u", server_name(server->kind), i);
    }
    uint64_t after = server_private_bytes(server);
    add(results, "memory of an idle connection", server->kind, count, round,
        after > before ? (double)(after - before) / count : 0, "bytes");
    for (unsigned i = 0; i < count; i++)
        close(handles[i]);
    free(handles);
}

void figures_of_servers(const struct effort *effort, struct results *results)
{
    for (unsigned round = 0; round < effort->rounds; round++) {
        fprintf(stderr, "\rstart-up and memory: round %u of %u ", round + 1, effort->rounds);
        for (int turn = 0; turn < SERVER_ECHO; turn++) {
            enum server_kind kind = (enum server_kind)((turn + (int)round) % SERVER_ECHO);
            struct server server;

            if (!server_is_there(kind))
                continue;
            add(results, "start to first answer", kind, 0, round, (double)server_start(&server, kind) / 1e6,
                "ms");
            add(results, "memory of an empty server, private", kind, 0, round,
                (double)server_private_bytes(&server) / 1024, "KiB");
            add(results, "memory of an empty server, resident", kind, 0, round,
                (double)server_resident_bytes(&server) / 1024, "KiB");
            measure_idle(effort, results, &server, round);
            server_stop(&server);
        }
    }
    fputc('\n', stderr);
}
