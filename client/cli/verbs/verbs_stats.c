/* umem stats: the daemon's counters, once, as rates, or for Prometheus. umem top: a live look at them. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include "cli/metrics/prometheus.h"
#include "cli/metrics/screen.h"
#include "cli/metrics/snapshot.h"
#include "cli/metrics/top_view.h"
#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/lists.h"
#include "cli/request/params.h"
#include "cli/request/results.h"

/* ---- rates ---- */

enum { LINES_A_TITLE = 20 };

static void print_title(void)
{
    cli_printf("%-8s %8s %7s %7s %7s %8s %8s %6s %5s %6s\n", "TIME", "CALLS/S", "ERRS/S", "READ/S", "SENT/S",
               "SESSIONS", "BLOCKS", "SIZE", "CPU", "MEMORY");
}

static void print_rates(const struct cli_snapshot *before, const struct cli_snapshot *now)
{
    char size[4][CLI_NUMBER_SIZE];
    char clock[16] = "";
    time_t seconds = time(NULL);
    const struct tm *utc = gmtime(&seconds);

    if (utc != NULL)
        strftime(clock, sizeof clock, "%H:%M:%S", utc);
    cli_format_size(size[0], (uint64_t)cli_snapshot_rate(before, now, "bytes_read"));
    cli_format_size(size[1], (uint64_t)cli_snapshot_rate(before, now, "bytes_written"));
    cli_format_size(size[2], cli_snapshot_uint(now->stats, "bytes"));
    cli_format_size(size[3], cli_snapshot_uint(now->stats, "resident_bytes"));
    cli_printf("%-8s %8" PRIu64 " %7" PRIu64 " %7s %7s %8" PRIu64 " %8" PRIu64 " %6s %4" PRIu64 "%% %6s\n",
               clock, cli_round(cli_snapshot_rate(before, now, "requests")),
               cli_round(cli_snapshot_rate(before, now, "errors")), size[0], size[1],
               cli_snapshot_uint(now->stats, "sessions"), cli_snapshot_uint(now->stats, "blocks"), size[2],
               cli_round(100 * cli_snapshot_cpu(before, now)), size[3]);
}

/* The first line says what happened in the first interval. */
static int show_rates(struct cli *cli, uint64_t interval_ms, uint64_t count)
{
    struct cli_snapshot before;
    int status = cli_snapshot_take(cli, 0, &before);

    if (status != CLI_OK)
        return status;
    cli_exit_on_broken_pipe();
    for (uint64_t line = 0; status == CLI_OK && (count == 0 || line < count); line++) {
        struct cli_snapshot now;
        int error;

        uv_sleep((unsigned)interval_ms);
        status = cli_snapshot_take(cli, 0, &now);
        if (status != CLI_OK)
            break;
        if (count != 0 && line == count - 1)
            cli_ignore_broken_pipe();
        if (cli->option[CLI_JSON] != NULL) {
            cli_print_json(now.stats);
        } else {
            if (line % LINES_A_TITLE == 0)
                print_title();
            print_rates(&before, &now);
        }
        error = cli_flush();
        if (error != 0)
            status = cli_fail_file("standard output", "written", error);
        cli_snapshot_free(&before);
        before = now;
    }
    cli_snapshot_free(&before);
    return status;
}

/* ---- umem stats ---- */

static int show_prometheus(struct cli *cli)
{
    struct cli_snapshot snapshot;
    int status = cli_snapshot_take(cli, CLI_PROMETHEUS_PARTS, &snapshot);

    if (status != CLI_OK)
        return status;
    cli_print_prometheus(&snapshot);
    cli_snapshot_free(&snapshot);
    return CLI_OK;
}

static int show_methods(struct cli *cli)
{
    static const struct cli_list list = {.method = "server.methods", .member = "methods"};
    static const struct cli_column columns[] = {
        {"method", "method", CLI_COLUMN_TEXT, 20},
        {"calls", "calls", CLI_COLUMN_NUMBER, 12},
        {"errors", "errors", CLI_COLUMN_NUMBER, 10},
        {"waited", "waited", CLI_COLUMN_NUMBER, 10},
        {"total_us", "total_us", CLI_COLUMN_NUMBER, 12},
        {"longest_us", "longest_us", CLI_COLUMN_NUMBER, 10},
        {NULL, NULL, CLI_COLUMN_TEXT, 0},
    };

    return cli_show_list(cli, &list, columns);
}

static bool is_given(const struct cli *cli, enum cli_option option)
{
    return cli->option[option] != NULL;
}

/* Options that say nothing without another one, or contradict it. */
static int check_options(const struct cli *cli)
{
    bool has_list = is_given(cli, CLI_COLUMNS) || is_given(cli, CLI_SORT) || is_given(cli, CLI_BYTES);
    int kinds = is_given(cli, CLI_METHODS) + is_given(cli, CLI_PROMETHEUS) + is_given(cli, CLI_INTERVAL);

    if (kinds > 1)
        return cli_fail_usage(cli, "--methods, --prometheus and --interval exclude each other");
    if (is_given(cli, CLI_PROMETHEUS) && is_given(cli, CLI_JSON))
        return cli_fail_usage(cli, "--prometheus is a format of its own, and takes no --json");
    if (is_given(cli, CLI_COUNT) && !is_given(cli, CLI_INTERVAL))
        return cli_fail_usage(cli, "--count is for --interval");
    if (has_list && !is_given(cli, CLI_METHODS))
        return cli_fail_usage(cli, "-o, --sort and --bytes are for --methods");
    return CLI_OK;
}

static int stats(struct cli *cli)
{
    uint64_t interval_ms = 0;
    uint64_t count = 0;
    int status = check_options(cli);

    if (status == CLI_OK)
        status = cli_option_seconds(cli, CLI_INTERVAL, 0, &interval_ms);
    if (status == CLI_OK)
        status = cli_option_size(cli, CLI_COUNT, 0, &count);
    if (status != CLI_OK)
        return status;
    if (is_given(cli, CLI_METHODS))
        return show_methods(cli);
    if (is_given(cli, CLI_PROMETHEUS))
        return show_prometheus(cli);
    if (is_given(cli, CLI_INTERVAL))
        return show_rates(cli, interval_ms, count);
    return cli_show_result(cli, "server.stats", NULL, "");
}

/* ---- umem top ---- */

enum {
    PLAIN_WIDTH = 80,
    PLAIN_HEIGHT = 48,    /* lines of a look that no terminal bounds */
    PAGE_LIMIT = 1 << 20, /* bytes of one look */
    TOP_INTERVAL_MS = 1000,
    TOP_PATIENCE_MS = 5000 /* for an answer: keys wait for it, too */
};

struct top {
    struct cli *cli;
    struct cli_snapshot before;
    struct cli_snapshot now; /* both are empty until the first one was taken */
    enum cli_top_order order;
};

static int update_top(void *context)
{
    struct top *top = context;
    struct cli_snapshot next;
    int status = cli_snapshot_take(top->cli, CLI_TOP_PARTS, &next);

    if (status != CLI_OK)
        return status;
    cli_snapshot_free(&top->before);
    top->before = top->now;
    top->now = next;
    return CLI_OK;
}

/* Until there are two, nothing has happened between them. */
static bool write_top(const struct top *top, int width, int height, bool has_keys, struct um_buf *out)
{
    const struct cli_snapshot *before = top->before.stats != NULL ? &top->before : &top->now;

    return top->now.stats == NULL ||
           cli_top_draw(out, before, &top->now, top->order, width, height, has_keys);
}

static void draw_top(void *context, int width, int height, struct um_buf *out)
{
    if (!write_top(context, width, height, true, out))
        out->failed = true;
}

static bool press_key(void *context, char key)
{
    struct top *top = context;

    (void)cli_top_order_of(key, &top->order);
    return key != 'q';
}

static int print_top(const struct top *top)
{
    struct um_buf out;
    int status = CLI_OK;
    int error;

    um_buf_init(&out, PAGE_LIMIT);
    if (write_top(top, PLAIN_WIDTH, PLAIN_HEIGHT, false, &out))
        cli_print_bytes(out.data, out.size);
    else
        status = cli_fail_memory();
    um_buf_deinit(&out);
    error = cli_flush();
    return error != 0 ? cli_fail_file("standard output", "written", error) : status;
}

/* Each look is at what has happened since the one before. */
static int print_looks(struct top *top, uint64_t interval_ms, uint64_t count)
{
    int status = update_top(top);

    cli_exit_on_broken_pipe();
    for (uint64_t look = 0; status == CLI_OK && (count == 0 || look < count); look++) {
        if (look != 0)
            cli_print_char('\n');
        uv_sleep((unsigned)interval_ms);
        status = update_top(top);
        if (count != 0 && look == count - 1)
            cli_ignore_broken_pipe();
        if (status == CLI_OK)
            status = print_top(top);
    }
    return status;
}

static int read_order(const struct cli *cli, enum cli_top_order *order)
{
    const char *text = cli->option[CLI_SORT];

    *order = CLI_TOP_BY_TIME;
    if (text == NULL || (strcmp(text, "time") != 0 && strcmp(text, "calls") != 0 &&
                         strcmp(text, "bytes") != 0 && strcmp(text, "errors") != 0))
        return text == NULL ? CLI_OK
                            : cli_fail_usage(cli, "--sort is \"time\", \"calls\", \"bytes\" or \"errors\"");
    (void)cli_top_order_of(text[0], order);
    return CLI_OK;
}

static int top(struct cli *cli)
{
    static const struct cli_screen_events events = {
        .update = update_top, .draw = draw_top, .press = press_key};
    struct top state = {.cli = cli};
    bool is_once = is_given(cli, CLI_ONCE);
    uint64_t interval_ms = TOP_INTERVAL_MS;
    uint64_t count = 0;
    int status = read_order(cli, &state.order);

    if (status == CLI_OK && is_given(cli, CLI_JSON))
        status = cli_fail_usage(cli, "this is for people; stats --interval takes --json");
    if (status == CLI_OK && is_once && is_given(cli, CLI_COUNT))
        status = cli_fail_usage(cli, "--once and --count exclude each other");
    if (status == CLI_OK)
        status = cli_option_seconds(cli, CLI_INTERVAL, TOP_INTERVAL_MS, &interval_ms);
    if (status == CLI_OK)
        status = cli_option_size(cli, CLI_COUNT, 0, &count);
    if (status != CLI_OK)
        return status;
    if (!is_given(cli, CLI_TIMEOUT))
        umem_set_timeout(cli->client, TOP_PATIENCE_MS);
    if (!is_once && count == 0 && cli_screen_is_possible())
        status = cli_screen_run(&events, &state, interval_ms);
    else
        status = print_looks(&state, interval_ms, is_once ? 1 : count);
    cli_snapshot_free(&state.before);
    cli_snapshot_free(&state.now);
    return status;
}

const struct cli_verb cli_stats_verbs[] = {
    {.name = "stats",
     .words = "",
     .options = CLI_TAKES(METHODS) | CLI_TAKES(PROMETHEUS) | CLI_TAKES(INTERVAL) | CLI_TAKES(COUNT) |
                CLI_LIST_OPTIONS,
     .summary = "show what the daemon holds and has done",
     .detail = "--interval prints a line every so many seconds, with what happened in between by the second, "
               "until it is "
               "interrupted, or --count lines were printed; this command's own calls are counted. With "
               "--json such a line is all "
               "counters. CPU is of one processor.\n\n"
               "--methods lists the methods that were called since the daemon's start: calls, errors, calls "
               "that waited for "
               "something, and what the others took together and at most, in microseconds. -o, --sort and "
               "--bytes are as for "
               "ls.\n\n"
               "--prometheus prints all counters, limits, the latencies of methods, and the heaps that have "
               "names, for "
               "a textfile collector, say.",
     .example =
         "umem stats --interval 1\numem stats --methods --sort total_us\numem stats --prometheus > umem.prom",
     .run = stats},
    {.name = "top",
     .words = "",
     .options = CLI_TAKES(INTERVAL) | CLI_TAKES(SORT) | CLI_TAKES(COUNT) | CLI_TAKES(ONCE),
     .summary = "watch the daemon at work: rates, methods, heaps, sessions",
     .detail = "A live screen, new every second or --interval: methods by the time that they took (BUSY is "
               "of one second, MEAN US of the "
               "last interval, LONGEST in microseconds since the start), heaps by size, sessions by calls. "
               "Keys, which --sort is "
               "for, too: t time, c calls, b bytes, e errors; q ends it. Without a terminal, or with "
               "--count, it prints such looks one after the other; "
               "with --once one, after one interval. Its own calls are counted; at most 10,000 heaps and "
               "sessions are looked at.",
     .example = "umem top\numem top --once --sort bytes",
     .place = CLI_ALONE,
     .run = top},
    {.name = NULL},
};
