#include "cli/metrics/snapshot.h"

#include <cJSON.h>

#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/request/lists.h"
#include "cli/request/method_call.h"
#include "cli/system/clock.h"

enum { MS_A_SECOND = 1000, US_A_MS = 1000 };

/* The entries of a list, as they are gathered. */
struct entries {
    cJSON *array;
    int count;
    bool are_enough;
};

static int keep(struct cli *cli, const cJSON *entry, void *context)
{
    struct entries *entries = context;
    cJSON *copy = cJSON_Duplicate(entry, true);

    (void)cli;
    if (copy == NULL || !cJSON_AddItemToArray(entries->array, copy)) {
        cJSON_Delete(copy);
        return cli_fail_memory();
    }
    entries->are_enough = ++entries->count >= CLI_SNAPSHOT_ENTRIES;
    return entries->are_enough ? CLI_NO : CLI_OK;
}

static int take_list(struct cli *cli, const char *method, const char *member, cJSON **array)
{
    const struct cli_list list = {.method = method, .member = member, .visit = keep};
    struct entries entries = {.array = cJSON_CreateArray()};
    int status;

    if (entries.array == NULL)
        return cli_fail_memory();
    *array = entries.array;
    status = cli_visit_list(cli, &list, &entries);
    return entries.are_enough ? CLI_OK : status;
}

int cli_snapshot_take(struct cli *cli, unsigned parts, struct cli_snapshot *snapshot)
{
    int status;

    *snapshot = (struct cli_snapshot){.taken_ms = cli_now_ms()};
    status = cli_call(cli, "server.stats", NULL, &snapshot->stats);
    if (status == CLI_OK && (parts & CLI_SNAPSHOT_INFO) != 0)
        status = cli_call(cli, "server.info", NULL, &snapshot->info);
    if (status == CLI_OK && (parts & CLI_SNAPSHOT_METHODS) != 0)
        status = take_list(cli, "server.methods", "methods", &snapshot->methods);
    if (status == CLI_OK && (parts & CLI_SNAPSHOT_HEAPS) != 0)
        status = take_list(cli, "heap.list", "heaps", &snapshot->heaps);
    if (status == CLI_OK && (parts & CLI_SNAPSHOT_SESSIONS) != 0)
        status = take_list(cli, "session.list", "sessions", &snapshot->sessions);
    if (status != CLI_OK)
        cli_snapshot_free(snapshot);
    return status;
}

void cli_snapshot_free(struct cli_snapshot *snapshot)
{
    cJSON_Delete(snapshot->info);
    cJSON_Delete(snapshot->stats);
    cJSON_Delete(snapshot->methods);
    cJSON_Delete(snapshot->heaps);
    cJSON_Delete(snapshot->sessions);
    *snapshot = (struct cli_snapshot){.stats = NULL};
}

uint64_t cli_snapshot_uint(const cJSON *object, const char *path)
{
    const cJSON *member = object != NULL ? cli_find_member(object, path) : NULL;

    return cJSON_IsNumber(member) && member->valuedouble > 0 ? (uint64_t)member->valuedouble : 0;
}

/* Seconds between two snapshots; never 0. */
static double seconds_between(const struct cli_snapshot *before, const struct cli_snapshot *now)
{
    uint64_t ms = now->taken_ms > before->taken_ms ? now->taken_ms - before->taken_ms : 1;

    return (double)ms / MS_A_SECOND;
}

double cli_snapshot_rate(const struct cli_snapshot *before, const struct cli_snapshot *now, const char *path)
{
    uint64_t was = cli_snapshot_uint(before->stats, path);
    uint64_t is = cli_snapshot_uint(now->stats, path);

    return is > was ? (double)(is - was) / seconds_between(before, now) : 0;
}

uint64_t cli_round(double value)
{
    return (uint64_t)(value + 0.5);
}

double cli_snapshot_cpu(const struct cli_snapshot *before, const struct cli_snapshot *now)
{
    double us_a_second =
        cli_snapshot_rate(before, now, "cpu_user_us") + cli_snapshot_rate(before, now, "cpu_system_us");

    return us_a_second / US_A_MS / MS_A_SECOND;
}
