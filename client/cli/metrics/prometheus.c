#include "cli/metrics/prometheus.h"

#include <inttypes.h>
#include <stdio.h>

#include <cJSON.h>

#include "base/decimal.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"

enum { US_A_SECOND = 1000000 };

/* ---- the format ---- */

static void begin_family(const char *name, const char *type, const char *help)
{
    cli_printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line's end are escaped. */
static void print_label_value(const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            cli_print("\\n");
            continue;
        }
        if (*value == '\\' || *value == '"')
            cli_print_char('\\');
        cli_print_char(*value);
    }
}

/* The name of a metric with a label, but for its value. `more` is what other labels follow, as text. */
static void begin_sample(const char *name, const char *suffix, const char *label, const char *value,
                         const char *more)
{
    cli_printf("%s%s{%s=\"", name, suffix, label);
    print_label_value(value);
    cli_printf("\"%s} ", more);
}

static void print_count(uint64_t count)
{
    cli_printf("%" PRIu64 "\n", count);
}

static void print_seconds(uint64_t us)
{
    cli_printf("%" PRIu64 ".%06" PRIu64 "\n", us / US_A_SECOND, us % US_A_SECOND);
}

/* ---- the daemon ---- */

/* Members of server.stats that are metrics without labels. */
static const struct figure {
    const char *member;
    const char *metric;
    const char *type;
    const char *help;
} figures[] = {
    {"heaps", "umem_heaps", "gauge", "Heaps, the process heap counted."},
    {"blocks", "umem_blocks", "gauge", "Blocks."},
    {"bytes", "umem_block_bytes", "gauge", "Sizes of all blocks together."},
    {"orphaned_blocks", "umem_orphaned_blocks", "gauge", "Blocks without a name that no open session holds."},
    {"orphaned_bytes", "umem_orphaned_bytes", "gauge", "Sizes of these blocks together."},
    {"pinned_bytes", "umem_pinned_bytes", "gauge",
     "Of blocks that are gone, from which answers are still sent."},
    {"sessions", "umem_sessions", "gauge", "Clients connected."},
    {"waits", "umem_waiting_calls", "gauge", "Calls that wait."},
    {"watches", "umem_watches", "gauge", "Watches of all sessions."},
    {"holds", "umem_holds", "gauge", "Holds of sessions on blocks that others made."},
    {"unsent_bytes", "umem_unsent_bytes", "gauge", "Memory of answers that clients have not read yet."},
    {"gathered_bytes", "umem_gathered_bytes", "gauge",
     "Memory of messages that are not whole or not done yet."},
    {"resident_bytes", "umem_resident_memory_bytes", "gauge", "Memory that the daemon has from the system."},
    {"requests", "umem_requests_total", "counter", "Requests, bad ones counted."},
    {"errors", "umem_request_errors_total", "counter", "Requests that were answered with an error."},
    {"bytes_read", "umem_read_bytes_total", "counter", "Received from all clients."},
    {"bytes_written", "umem_written_bytes_total", "counter", "Sent to all clients."},
};

static void print_figures(const cJSON *stats)
{
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        const struct figure *figure = &figures[i];

        begin_family(figure->metric, figure->type, figure->help);
        cli_printf("%s ", figure->metric);
        print_count(cli_snapshot_uint(stats, figure->member));
    }
}

static void print_process(const struct cli_snapshot *snapshot)
{
    static const char cpu[] = "umem_cpu_seconds_total";
    char number[CLI_NUMBER_SIZE];

    begin_family(cpu, "counter", "Processor time of the daemon.");
    begin_sample(cpu, "", "mode", "user", "");
    print_seconds(cli_snapshot_uint(snapshot->stats, "cpu_user_us"));
    begin_sample(cpu, "", "mode", "system", "");
    print_seconds(cli_snapshot_uint(snapshot->stats, "cpu_system_us"));
    begin_family("umem_start_time_seconds", "gauge", "When the daemon started, since 1970-01-01 UTC.");
    cli_print("umem_start_time_seconds ");
    print_count(cli_snapshot_uint(snapshot->info, "started"));
    begin_family("umem_build_info", "gauge", "The daemon's version, in the label; always 1.");
    begin_sample("umem_build_info", "", "version", cli_member(snapshot->info, "version", number), "");
    print_count(1);
}

/* An object whose members are numbers, as a metric with their names as label. */
static void print_by_name(const cJSON *object, const char *metric, const char *type, const char *help)
{
    begin_family(metric, type, help);
    for (const cJSON *member = object != NULL ? object->child : NULL; member != NULL; member = member->next) {
        begin_sample(metric, "", "limit", member->string, "");
        print_count(cli_snapshot_uint(object, member->string));
    }
}

/* ---- methods ---- */

/* What an entry of a list is called, "": it has no name; `number` is for its text. */
typedef const char *name_function(const cJSON *entry, char number[CLI_NUMBER_SIZE]);

static const char *name_of_method(const cJSON *method, char number[CLI_NUMBER_SIZE])
{
    const char *name = cli_member(method, "method", number);

    return *name != '\0' ? name : "unknown";
}

/* One member of all entries that have a name. */
static void print_counts(const cJSON *entries, const char *label, name_function *name_of, const char *member,
                         const char *metric, const char *type, const char *help)
{
    char number[CLI_NUMBER_SIZE];

    begin_family(metric, type, help);
    for (const cJSON *entry = entries->child; entry != NULL; entry = entry->next) {
        const char *name = name_of(entry, number);

        if (*name == '\0')
            continue;
        begin_sample(metric, "", label, name, "");
        print_count(cli_snapshot_uint(entry, member));
    }
}

/* The buckets are cumulative here, and the last one has all. */
static void print_latency(const cJSON *method)
{
    static const char metric[] = "umem_call_duration_seconds";
    const cJSON *latency = cli_find_member(method, "latency");
    char number[CLI_NUMBER_SIZE];
    const char *name = name_of_method(method, number);
    uint64_t sum = 0;

    for (const cJSON *bucket = latency != NULL ? latency->child : NULL; bucket != NULL;
         bucket = bucket->next) {
        uint64_t us = cli_snapshot_uint(bucket, "at_most_us");
        char seconds[UM_DECIMAL_CAPACITY];
        char bound[64] = ",le=\"+Inf\"";

        sum += cli_snapshot_uint(bucket, "calls");
        if (us != 0)
            snprintf(bound, sizeof bound, ",le=\"%.*s\"",
                     (int)um_decimal_print_double((double)us / US_A_SECOND, seconds), seconds);
        begin_sample(metric, "_bucket", "method", name, bound);
        print_count(sum);
    }
    begin_sample(metric, "_sum", "method", name, "");
    print_seconds(cli_snapshot_uint(method, "total_us"));
    begin_sample(metric, "_count", "method", name, "");
    print_count(sum);
}

static void print_methods(const cJSON *methods)
{
    print_counts(methods, "method", name_of_method, "calls", "umem_calls_total", "counter",
                 "Calls that were answered.");
    print_counts(methods, "method", name_of_method, "errors", "umem_call_errors_total", "counter",
                 "Calls that were answered with an error.");
    print_counts(methods, "method", name_of_method, "waited", "umem_calls_waited_total", "counter",
                 "Calls that waited for something; their time is not measured.");
    begin_family("umem_call_duration_seconds", "histogram",
                 "How long the daemon worked on the calls that did not wait.");
    for (const cJSON *method = methods->child; method != NULL; method = method->next)
        print_latency(method);
}

/* ---- heaps ---- */

static const char *name_of_heap(const cJSON *heap, char number[CLI_NUMBER_SIZE])
{
    return cli_member(heap, "name", number);
}

/* Those with names: handles would be another time series whenever a heap is made anew. */
static void print_heaps(const cJSON *heaps)
{
    print_counts(heaps, "heap", name_of_heap, "blocks", "umem_heap_blocks", "gauge",
                 "Blocks on a named heap.");
    print_counts(heaps, "heap", name_of_heap, "bytes", "umem_heap_bytes", "gauge",
                 "Sizes of these blocks together.");
    print_counts(heaps, "heap", name_of_heap, "maximum_size", "umem_heap_maximum_bytes", "gauge",
                 "Most that a named heap's blocks may have together; 0: it is growable.");
    print_counts(heaps, "heap", name_of_heap, "calls", "umem_heap_calls_total", "counter",
                 "Calls about a named heap or its blocks.");
    print_counts(heaps, "heap", name_of_heap, "touched_bytes", "umem_heap_touched_bytes_total", "counter",
                 "Bytes of a named heap's blocks that these calls were about.");
}

void cli_print_prometheus(const struct cli_snapshot *snapshot)
{
    print_figures(snapshot->stats);
    print_process(snapshot);
    print_by_name(cli_find_member(snapshot->info, "limits"), "umem_limit", "gauge", "The daemon's limits.");
    print_by_name(cli_find_member(snapshot->stats, "refusals"), "umem_refusals_total", "counter",
                  "Errors that were about a limit.");
    print_methods(snapshot->methods);
    print_heaps(snapshot->heaps);
}
