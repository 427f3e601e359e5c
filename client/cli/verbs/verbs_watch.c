/* umem watch: events of blocks and heaps, as they happen. */
#include <inttypes.h>
#include <stdlib.h>

#include <cJSON.h>

#include "base/buf.h"
#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/system/clock.h"
#include "cli/table/verb.h"
#include "wire/json_write.h"

enum { LINE_LIMIT = 1024 };

/* One watch, while its events are printed. */
struct watching {
    struct cli *cli;
    uint64_t left; /* events that are wanted still; 0: no end */
    bool is_over;  /* all that was wanted has come */
    int status;    /* how it ends then */
};

/* What events are called: in a line, and as the daemon's notifications. */
static const struct event_name {
    const char *word;
    const char *method;
} event_names[] = {
    [UMEM_EVENT_CHANGED] = {"changed", "block.changed"},
    [UMEM_EVENT_FREED] = {"freed", "block.freed"},
    [UMEM_EVENT_HEAP_DESTROYED] = {"destroyed", "heap.destroyed"},
    [UMEM_EVENT_OVERFLOW] = {"overflow", "watch.overflow"},
};

/* The event as the daemon's notification. */
static void write_json(struct um_buf *line, const struct umem_event *event)
{
    um_json_begin_object(line);
    um_json_put_string(line, "jsonrpc", "2.0");
    um_json_put_string(line, "method", event_names[event->kind].method);
    um_json_key(line, "params");
    um_json_begin_object(line);
    um_json_put_uint(line, "watch", event->watch);
    if (event->block != 0)
        um_json_put_uint(line, "block", event->block);
    if (event->heap != 0)
        um_json_put_uint(line, "heap", event->heap);
    if (event->kind == UMEM_EVENT_CHANGED) {
        um_json_put_uint(line, "offset", event->offset);
        um_json_put_uint(line, "size", event->size);
    }
    um_json_end_object(line);
    um_json_end_object(line);
}

/* "changed BLOCK OFFSET SIZE", "freed BLOCK", "destroyed HEAP", "overflow". */
static void print_event(const struct umem_event *event)
{
    cli_print(event_names[event->kind].word);
    if (event->block != 0)
        cli_printf(" %" PRIu64, event->block);
    if (event->heap != 0)
        cli_printf(" %" PRIu64, event->heap);
    if (event->kind == UMEM_EVENT_CHANGED)
        cli_printf(" %" PRIu64 " %" PRIu64, event->offset, event->size);
    cli_print_char('\n');
}

static int print_event_as_json(const struct umem_event *event)
{
    struct um_buf line;
    int status = CLI_OK;

    um_buf_init(&line, LINE_LIMIT);
    write_json(&line, event);
    um_buf_append_byte(&line, '\n');
    if (line.failed)
        status = cli_fail_memory();
    else
        cli_print_bytes(line.data, line.size);
    um_buf_deinit(&line);
    return status;
}

/* Whether nothing can come after it: what was watched is gone. */
static bool is_last(const struct cli *cli, const struct umem_event *event)
{
    return (cli->word_count != 0 && event->kind == UMEM_EVENT_FREED) ||
           (cli->option[CLI_HEAP] != NULL && event->kind == UMEM_EVENT_HEAP_DESTROYED);
}

static void on_event(const struct umem_event *event, void *context)
{
    struct watching *watching = context;
    int error;

    /* Several may be delivered at one time. */
    if (watching->is_over)
        return;
    watching->is_over = is_last(watching->cli, event) || watching->left == 1;
    if (watching->is_over)
        cli_ignore_broken_pipe();
    if (watching->cli->option[CLI_JSON] != NULL)
        watching->status = print_event_as_json(event);
    else
        print_event(event);
    error = cli_flush();
    if (error != 0 && watching->status == CLI_OK)
        watching->status = cli_fail_file("standard output", "written", error);
    watching->is_over = watching->is_over || watching->status != CLI_OK;
    watching->left -= watching->left != 0;
}

/* The handle of a heap or block ("heap", "block") that is given by handle or name; 0 where `text` is NULL. */
static int find(struct cli *cli, const char *what, const char *method, const char *text, umem_handle *handle)
{
    struct cli_params params;
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status;

    if (text == NULL)
        return CLI_OK;
    cli_params_begin(&params);
    cli_put_handle(&params, what, text);
    status = cli_call(cli, method, &params, &result);
    if (status == CLI_OK)
        *handle = strtoull(cli_member(result, what, number), NULL, 10);
    cJSON_Delete(result);
    return status;
}

static int read_target(struct cli *cli, struct umem_watch_target *target)
{
    int status = cli_option_size(cli, CLI_OFFSET, 0, &target->offset);

    if (status == CLI_OK)
        status = cli_option_size(cli, CLI_SIZE, UMEM_TO_END, &target->size);
    if (status == CLI_OK && target->size == 0)
        status = cli_fail_usage(cli, "--size 0: there is nothing to watch");
    if (status == CLI_OK)
        status = find(cli, "block", "block.info", cli->words[0], &target->block);
    if (status == CLI_OK)
        status = find(cli, "heap", "heap.info", cli->option[CLI_HEAP], &target->heap);
    return status;
}

/* Prints events until the last one, or for limit_ms (UMEM_FOREVER: no end). */
static int print_events(struct watching *watching, uint64_t limit_ms)
{
    struct cli *cli = watching->cli;
    uint64_t start_ms = cli_now_ms();
    uint64_t passed_ms = 0;

    while (!watching->is_over && passed_ms < limit_ms) {
        uint32_t left_ms = limit_ms == UMEM_FOREVER ? UMEM_FOREVER : (uint32_t)(limit_ms - passed_ms);

        if (umem_poll(cli->client, left_ms, NULL) != UMEM_OK) {
            cli_ignore_broken_pipe();
            return cli_fail_call(cli);
        }
        passed_ms = limit_ms == UMEM_FOREVER ? 0 : cli_now_ms() - start_ms;
    }
    cli_ignore_broken_pipe();
    return watching->status == CLI_OK && watching->left != 0 && !watching->is_over ? CLI_NO
                                                                                   : watching->status;
}

static int watch(struct cli *cli)
{
    struct watching watching = {.cli = cli};
    struct umem_watch_target target = {.heap = 0};
    uint64_t limit_ms;
    uint64_t id;
    int status = cli_option_size(cli, CLI_COUNT, 0, &watching.left);

    if (status == CLI_OK)
        status = cli_option_size(cli, CLI_TIMEOUT, UMEM_FOREVER, &limit_ms);
    if (status == CLI_OK)
        status = read_target(cli, &target);
    if (status != CLI_OK)
        return status;
    if (umem_session_watch(cli->client, &target, on_event, &watching, &id) != UMEM_OK)
        return cli_fail_call(cli);
    cli_exit_on_broken_pipe();
    status = print_events(&watching, limit_ms);
    /* Otherwise it ends with the connection. */
    if (cli->session != NULL && umem_is_connected(cli->client))
        umem_session_unwatch(cli->client, id);
    return status;
}

const struct cli_verb cli_watch_verbs[] = {
    {.name = "watch",
     .words = "[BLOCK]",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(OFFSET) | CLI_TAKES(SIZE) | CLI_TAKES(COUNT),
     .summary = "print what changes in a block, on a heap, or everywhere, as it happens",
     .detail =
         "One line for each event: \"changed BLOCK OFFSET SIZE\", \"freed BLOCK\", \"destroyed HEAP\", "
         "and \"overflow\" where "
         "more has happened than is reported one by one. With --json, each is the daemon's notification. "
         "It ends after --count "
         "events, when the watched block or heap is gone, after --timeout (with 1 where --count had not been "
         "reached), when its output has no reader any more (on Windows, where that is a pipe), or with "
         "Ctrl-C.",
     .example = "umem watch counter --size 8\numem watch --heap scratch --json",
     .need = CLI_NEEDS_DAEMON,
     .waits = true,
     .run = watch},
    {.name = NULL},
};
