/*
 * hostile_daemon: programs that do their worst, and how another one fares meanwhile.
 *
 * hostile_daemon --daemon UMEMD [--seconds N] [--stream TEXT] [--short] [--json FILE]
 *
 * Each stream of streams.c runs for some seconds against a daemon of its own, in a process of its own, while this one pings. Prints a
 * table, and ends with 0 if every ping was answered in time. "busy" is the most processor time that the daemon used between a ping and its
 * answer: where that is little and the time is long, it was the machine that had other work. --stream: those whose names have this text in them. --short: each for a
 * moment and with little, only to show that all of it works; no time is too long then. --json: a file that gets the figures as the
 * benchmark's records (tests/bench/results.h).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "hostile.h"
#include "ping_latency.h"

static const double p99_limit_ms = 2;
static const double max_limit_ms = 5;

static _Noreturn void usage(void)
{
    fputs("Usage: hostile_daemon --daemon UMEMD [--seconds N] [--stream TEXT] [--short] [--json FILE]\n",
          stderr);
    exit(2);
}

static const char *verdict(const struct figures *figures)
{
    if (!figures->is_alive)
        return "NOT ANSWERED";
    if (streams_are_short)
        return "works";
    if (figures->p99_ms > p99_limit_ms || figures->max_ms > max_limit_ms)
        return "TOO LONG";
    return "ok";
}

static void write_record(FILE *json, const struct stream *stream, const struct figures *figures)
{
    fprintf(json,
            "%s\n{\"group\": \"stream\", \"name\": \"%s\", \"target\": \"umemd\", \"size\": 0, \"depth\": 1, "
            "\"connections\": 1, \"count\": 0, \"round\": 0, \"value\": %.6g, \"unit\": \"ms\", "
            "\"p50_us\": %.4g, \"p99_us\": %.4g, \"max_us\": %.4g, \"busy_us\": %.4g}",
            ftell(json) > 1 ? "," : "", stream->what, figures->max_ms, figures->p50_ms * 1e3,
            figures->p99_ms * 1e3, figures->max_ms * 1e3, figures->busy_ms * 1e3);
}

/* Returns whether it was within the limits. */
static bool run(const char *umemd, const struct stream *stream, double seconds, FILE *json)
{
    struct figures figures = measure(umemd, stream, seconds);
    const char *what = verdict(&figures);

    printf("%-13s %7zu %8.2f %8.2f %8.2f %8.2f %8.2f  %s\n", stream->name, figures.pings, figures.p50_ms,
           figures.p99_ms, figures.max_ms, figures.busy_ms, figures.connect_ms, what);
    fflush(stdout);
    if (json != NULL)
        write_record(json, stream, &figures);
    return strcmp(what, "ok") == 0 || strcmp(what, "works") == 0;
}

int main(int argc, char **argv)
{
    const char *umemd = NULL;
    const char *only = "";
    double seconds = 3;
    struct rlimit limit;
    unsigned failed = 0;
    const char *json_path = NULL;
    FILE *json = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--daemon") == 0 && i + 1 < argc)
            umemd = argv[++i];
        else if (strcmp(argv[i], "--stream") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc && atof(argv[i + 1]) > 0)
            seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc)
            json_path = argv[++i];
        else if (strcmp(argv[i], "--short") == 0)
            streams_are_short = true;
        else
            usage();
    }
    if (umemd == NULL)
        usage();
    signal(SIGPIPE, SIG_IGN);
    if (json_path != NULL) {
        json = fopen(json_path, "w");
        if (json == NULL) {
            perror(json_path);
            return 1;
        }
        fputc('[', json);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    printf(
        "Pings of one program while another does its worst: at most %g ms for 99 of 100, %g ms for all\n\n",
        p99_limit_ms, max_limit_ms);
    printf("%-13s %7s %8s %8s %8s %8s %8s\n", "stream", "pings", "p50 ms", "p99 ms", "max ms", "busy ms",
           "connect");
    for (size_t i = 0; i < stream_count; i++) {
        if (strstr(streams[i].name, only) != NULL)
            failed += !run(umemd, &streams[i], streams_are_short ? 0.06 : seconds, json);
    }
    if (json != NULL) {
        fputs("\n]\n", json);
        if (ferror(json) || fclose(json) != 0) {
            fprintf(stderr, "%s could not be written\n", json_path);
            return 1;
        }
    }
    return failed != 0;
}
