/* umem ping, info, sessions, reload, shutdown, endpoint, spawn: the daemon itself. */
#include <string.h>

#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/request/lists.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/system/clock.h"
#include "cli/system/file_io.h"
#include "cli/system/subprocess.h"
#include "cli/table/verb.h"
#include "umem_version.h"
#include "wire/json_write.h"

enum {
    PIPE_TAKEN = 3,         /* umemd's exit status where another one has the pipe */
    TRY_EVERY_MS = 20,      /* how often to look whether a daemon answers */
    SPAWN_LIMIT_MS = 10000, /* how long to look, without --timeout */
    MESSAGES_SIZE = 8 << 10 /* bytes of what umemd writes to standard error */
};

/* Prints one word, with --json as a member of an object. */
static int print_pipe(const struct cli *cli)
{
    const char *pipe = umem_pipe(cli->client);
    struct um_buf out;

    um_buf_init(&out, 1 << 16);
    if (cli->option[CLI_JSON] != NULL) {
        um_json_begin_object(&out);
        um_json_put_string(&out, "pipe", pipe);
        um_json_end_object(&out);
    } else {
        um_buf_append_string(&out, pipe);
    }
    um_buf_append_byte(&out, '\0');
    if (!out.failed)
        cli_print_line(out.data);
    um_buf_deinit(&out);
    return CLI_OK;
}

static int ping(struct cli *cli)
{
    int status = cli_show_result(cli, "server.ping", NULL, NULL);

    if (status == CLI_OK && cli->option[CLI_JSON] == NULL)
        cli_printf("%s answers\n", umem_pipe(cli->client));
    return status;
}

static int info(struct cli *cli)
{
    struct cli_params params;

    if (cli->word_count == 0)
        return cli_show_result(cli, "server.info", NULL, "");
    cli_params_begin(&params);
    cli_put_handle(&params, "block", cli->words[0]);
    return cli_show_result(cli, "block.info", &params, "");
}

static int sessions(struct cli *cli)
{
    static const struct cli_list list = {.method = "session.list", .member = "sessions"};
    static const struct cli_column columns[] = {
        {"session", "session", CLI_COLUMN_NUMBER, 10}, {"pid", "pid", CLI_COLUMN_NUMBER, 8},
        {"blocks", "blocks", CLI_COLUMN_NUMBER, 10},   {"size", "bytes", CLI_COLUMN_SIZE, 5},
        {"user", "user", CLI_COLUMN_TEXT, 12},         {"program", "program", CLI_COLUMN_TEXT, 24},
        {"opened", "opened", CLI_COLUMN_TIME, 0},      {"queued", "queued_bytes", CLI_COLUMN_SIZE, 0},
        {"calls", "calls", CLI_COLUMN_NUMBER, 0},      {"errors", "errors", CLI_COLUMN_NUMBER, 0},
        {"read", "bytes_read", CLI_COLUMN_SIZE, 0},    {"sent", "bytes_written", CLI_COLUMN_SIZE, 0},
        {"used", "last_used", CLI_COLUMN_TIME, 0},     {NULL, NULL, CLI_COLUMN_TEXT, 0},
    };
    struct cli_params params;

    if (cli->option[CLI_CLOSE] == NULL)
        return cli_show_list(cli, &list, columns);
    cli_params_begin(&params);
    cli_put_size(&params, "session", cli->option[CLI_CLOSE]);
    return cli_show_result(cli, "session.close", &params, NULL);
}

static int endpoint(struct cli *cli)
{
    return print_pipe(cli);
}

static int version(struct cli *cli)
{
    (void)cli;
    cli_print_line("umem " UMEM_VERSION);
    return CLI_OK;
}

/* ---- spawn ---- */

/* Runs umemd --daemon, which ends when the pipe is open, and keeps what it writes to standard error. Returns as
 * cli_run_launcher(). */
static int run_umemd(const struct cli *cli, int *status, char messages[MESSAGES_SIZE])
{
    enum { OWN_WORDS = 4, WORDS_MAXIMUM = 64 };
    const char *words[OWN_WORDS + WORDS_MAXIMUM + 1] = {"umemd", "--daemon", "--pipe",
                                                        umem_pipe(cli->client)};
    char path[4096];

    if (cli_find_sibling_program("umemd", path, sizeof path))
        words[0] = path;
    for (int i = 0; cli->rest != NULL && cli->rest[i] != NULL && i < WORDS_MAXIMUM; i++)
        words[OWN_WORDS + i] = cli->rest[i];
    return cli_run_launcher(words, status, messages, MESSAGES_SIZE);
}

/* What umemd has written, as a part of a sentence: without its last line's end, and lines in one. */
static const char *join_lines(char *text)
{
    size_t size = strlen(text);

    while (size != 0 && strchr("\r\n", text[size - 1]) != NULL)
        text[--size] = '\0';
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '\n')
            *at = ';';
    }
    return text;
}

/* Lets the next call last until the deadline. Returns whether that has come. */
static bool limit_call(struct cli *cli, uint64_t deadline_ms)
{
    uint64_t now_ms = cli_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 1;

    umem_set_timeout(cli->client, left_ms < UINT32_MAX ? (uint32_t)left_ms : UINT32_MAX);
    return now_ms >= deadline_ms;
}

/* Another one may have the pipe and not answer yet. */
static bool wait_for_answer(struct cli *cli, uint64_t deadline_ms)
{
    for (;;) {
        bool is_last = limit_call(cli, deadline_ms);

        if (umem_connect(cli->client) == UMEM_OK && umem_server_ping(cli->client) == UMEM_OK)
            return true;
        if (is_last || limit_call(cli, deadline_ms))
            return false;
        uv_sleep(TRY_EVERY_MS);
    }
}

/* Of two that start at once, one is refused, and that is well where the other one answers. */
static int start_umemd(struct cli *cli, uint64_t deadline_ms)
{
    char messages[MESSAGES_SIZE];
    int status;
    int error = run_umemd(cli, &status, messages);

    if (error == UV_ENOENT)
        return cli_fail(CLI_FAILED, "umemd is neither beside umem nor in PATH");
    if (error != 0)
        return cli_fail(CLI_FAILED, "umemd cannot be run: %s", uv_strerror(error));
    if (status != 0 && status != PIPE_TAKEN)
        return cli_fail(CLI_FAILED, "umemd has not started, its exit status is %d, its message: %s", status,
                        join_lines(messages));
    if (!wait_for_answer(cli, deadline_ms)) {
        if (status != PIPE_TAKEN)
            return cli_fail_call(cli);
        return cli_fail(CLI_NO_CONNECTION, "no daemon answers on %s, and none can be started; %s",
                        umem_pipe(cli->client), join_lines(messages));
    }
    /* Warnings of its start, which are no JSON. */
    if (status == 0 && cli->option[CLI_JSON] == NULL)
        cli_write_file(CLI_ERRORS, messages, strlen(messages));
    return print_pipe(cli);
}

static int spawn(struct cli *cli)
{
    uint64_t limit_ms;
    uint64_t deadline_ms;
    int status = cli_option_size(cli, CLI_TIMEOUT, SPAWN_LIMIT_MS, &limit_ms);
    int code;

    if (status != CLI_OK)
        return status;
    deadline_ms = cli_now_ms() + limit_ms;
    limit_call(cli, deadline_ms);
    code = umem_connect(cli->client);
    if (code != UMEM_OK && code != UMEM_E_NOT_CONNECTED)
        return cli_fail_call(cli);
    if (code == UMEM_OK)
        return wait_for_answer(cli, deadline_ms) ? print_pipe(cli) : cli_fail_call(cli);
    return start_umemd(cli, deadline_ms);
}

const struct cli_verb cli_server_verbs[] = {
    {.name = "ping", .words = "", .summary = "check whether the daemon answers", .run = ping},
    {.name = "info",
     .alias = "status",
     .words = "[BLOCK]",
     .summary = "show the daemon and its limits, or a block",
     .example = "umem info\numem info greeting --json",
     .run = info},
    {.name = "sessions",
     .words = "",
     .options = CLI_TAKES(CLOSE) | CLI_LIST_OPTIONS,
     .summary = "list the daemon's clients, or close one's session",
     .detail = "What lives as long as that session is freed. This command's own session is in the list. -o, "
               "--sort and --bytes are as for ls; "
               "there are also the columns opened, queued (answers that were not taken yet), calls, errors, "
               "read, sent and used (when its last request was answered).",
     .example = "umem sessions\numem sessions --close 7",
     .run = sessions},
    {.name = "spawn",
     .words = "[-- OPTION...]",
     .options = CLI_TAKES(TIMEOUT),
     .summary = "start a daemon where none answers, and print the pipe",
     .detail = "Runs umemd --daemon, found beside umem or in PATH, with the OPTIONs of umemd's own, waits "
               "until it answers, "
               "and prints the pipe. Where a daemon answers already, it only prints the pipe; so two at the "
               "same time do no harm. "
               "--timeout is how long to wait, 10000 where it is left out. Where another daemon holds the "
               "pipe and does "
               "not answer, its process is named.",
     .example = "umem spawn\nUMEM_PIPE=$(umem spawn --pipe /tmp/mine -- --limit blocks=1000)",
     .need = CLI_NEEDS_PIPE,
     .place = CLI_ALONE,
     .run = spawn},
    {.name = "reload",
     .words = "",
     .method = "server.reload",
     .shown = "",
     .summary = "have the daemon read its settings again",
     .detail = "Prints which settings have new values, and which have other values now that only a restart "
               "applies. "
               "Where the file is wrong, nothing is changed, and the error says what and in which line. The "
               "daemon's log file is reopened.",
     .run = cli_run_method},
    {.name = "shutdown",
     .words = "",
     .method = "server.shutdown",
     .summary = "end the daemon in order",
     .detail = "All memory is freed with it.",
     .run = cli_run_method},
    {.name = "version",
     .words = "",
     .summary = "print the version of umem",
     .detail = "That of the daemon is in info.",
     .need = CLI_NEEDS_NOTHING,
     .run = version},
    {.name = "endpoint",
     .words = "",
     .summary = "print the pipe's path",
     .detail = "It is --pipe, else the environment's UMEM_PIPE, else the user's own. Whether a daemon "
               "answers there, ping checks.",
     .need = CLI_NEEDS_PIPE,
     .run = endpoint},
    {.name = NULL},
};
