#include "results.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench_common.h"
#include "bench_server.h"
#include "drive.h"

void results_open(struct results *results, const char *folder, const struct effort *effort)
{
    char path[1024];
    struct utsname machine;

    *results = (struct results){0};
    snprintf(path, sizeof path, "%s/results.json", folder);
    results->file = fopen(path, "w");
    if (results->file == NULL)
        give_up("cannot write %s: %s", path, strerror(errno));
    uname(&machine);
    fprintf(results->file, "{\"machine\": \"%s %s, %s, %ld processors\", ", machine.sysname, machine.release,
            machine.machine, sysconf(_SC_NPROCESSORS_ONLN));
    fprintf(results->file, "\"rounds\": %u, \"short\": %s, \"versions\": [", effort->rounds,
            effort->is_short || effort->row != NULL ? "true" : "false");
    for (enum server_kind kind = SERVER_UMEMD; kind < SERVER_ECHO; kind++) {
        if (server_is_there(kind))
            fprintf(results->file, "%s\"%s\"", kind > 0 ? ", " : "", server_version(kind));
    }
    fputs("],\n\"records\": [", results->file);
}

void results_add(struct results *results, const struct record *record)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}, {"max_us", 1}};
    FILE *file = results->file;

    if (!(record->value >= 0))
        give_up("%s: %s gave no figure", record->name, record->target);
    fprintf(file,
            "%s\n{\"group\": \"%s\", \"name\": \"%s\", \"target\": \"%s\", \"size\": %zu, \"depth\": %u, ",
            results->records > 0 ? "," : "", record->group, record->name, record->target, record->size,
            record->depth);
    fprintf(file, "\"connections\": %u, \"count\": %llu, \"round\": %u, \"value\": %.6g, \"unit\": \"%s\"",
            record->connections, (unsigned long long)record->count, record->round, record->value,
            record->unit);
    if (record->timing != NULL) {
        fprintf(file, ", \"requests\": %llu", (unsigned long long)record->timing->requests);
        for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
            fprintf(file, ", \"%s\": %.4g", quantiles[i].name,
                    histogram_quantile(record->timing, quantiles[i].share) / 1e3);
        results->answers += record->timing->requests;
    }
    fputc('}', file);
    results->records++;
}

void results_close(struct results *results)
{
    fputs("\n]}\n", results->file);
    if (ferror(results->file) || fclose(results->file) != 0)
        give_up("the results could not be written");
}
