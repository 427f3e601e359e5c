/* umem batch, shell: many verbs in one session. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/buf.h"
#include "cli/command/command_run.h"
#include "cli/command/completion.h"
#include "cli/lines/line_editor.h"
#include "cli/lines/line_reader.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "cli/transfer/block_file.h"

enum { LINE_LIMIT = 1 << 26 };

/* ---- batch ---- */

static int run_lines(struct cli *cli, struct cli_line_reader *reader, bool keeps_going)
{
    int first = CLI_OK;

    for (;;) {
        char *line;
        int status = cli_line_reader_next(reader, &line);

        if (line == NULL)
            return first != CLI_OK ? first : status;
        cli_report_line(reader->number);
        if (status == CLI_OK)
            status = cli_run_line(cli, line);
        cli_report_line(0);
        if (first == CLI_OK)
            first = status;
        /* What a session had is lost with its connection, so that nothing after it would be as it was meant. */
        if (status != CLI_OK && (!keeps_going || !umem_is_connected(cli->client)))
            return first;
    }
}

static int batch(struct cli *cli)
{
    struct cli_line_reader reader;
    struct cli_source source;
    int status = cli_source_open(&source, cli->option[CLI_FILE]);

    if (status != CLI_OK)
        return status;
    if (source.file == CLI_INPUT)
        cli_reserve_input();
    cli_line_reader_init(&reader, source.file, source.name);
    status = run_lines(cli, &reader, cli->option[CLI_KEEP_GOING] != NULL);
    cli_line_reader_deinit(&reader);
    cli_source_close(&source);
    return status;
}

/* ---- shell ---- */

/* The verb of a line stands where umem's does behind its name. */
static void complete(const char *line, cli_editor_found *found, void *context)
{
    struct um_buf whole;

    um_buf_init(&whole, LINE_LIMIT);
    um_buf_append_string(&whole, "umem ");
    um_buf_append(&whole, line, strlen(line) + 1);
    if (!whole.failed)
        cli_find_candidates(whole.data, found, context);
    um_buf_deinit(&whole);
}

/* A connection that was lost is made anew with the next line. */
static int run_typed(struct cli *cli, const char *line)
{
    int status;

    if (!umem_is_connected(cli->client)) {
        if (umem_connect(cli->client) != UMEM_OK)
            return cli_fail_connecting(cli, umem_last_error(cli->client)->code,
                                       umem_last_error(cli->client)->message);
        cli_print_line("connected anew: locks, holds and blocks of the session before are gone");
    }
    status = cli_run_line(cli, line);
    cli_flush();
    return status;
}

static bool is_end(const char *line)
{
    return strcmp(line, "exit") == 0 || strcmp(line, "quit") == 0;
}

static int shell(struct cli *cli)
{
    struct cli_editor *editor;
    const char *line;
    int status = CLI_OK;

    if (!cli_is_terminal(CLI_INPUT))
        return cli_fail_usage(cli, "standard input is no terminal; umem batch reads lines from it");
    /* For what completion connects to. */
    uv_os_setenv("UMEM_PIPE", umem_pipe(cli->client));
    cli_reserve_input();
    editor = cli_editor_new("umem> ", complete);
    if (editor == NULL)
        return cli_fail_memory();
    cli_printf("connected to %s; help lists the verbs, exit ends\n", umem_pipe(cli->client));
    for (;;) {
        int read = cli_editor_read(editor, &line);

        if (line == NULL || read != CLI_OK) {
            status = read != CLI_OK ? read : status;
            break;
        }
        if (is_end(line))
            break;
        status = run_typed(cli, line);
    }
    cli_editor_free(editor);
    return status;
}

#define WORDS_OF_A_LINE \
    "A line is what follows umem in a shell: quotes and backslashes mean what they mean there, and nothing " \
    "is expanded. An empty line " \
    "and one that begins with \"#\" do nothing. All lines are one session: lock and hold take no command " \
    "and last until unlock, " \
    "release or the end, and blocks of lifetime session live as long. "

const struct cli_verb cli_session_verbs[] = {
    {.name = "batch",
     .words = "",
     .options = CLI_TAKES(FILE) | CLI_TAKES(KEEP_GOING),
     .summary = "run many verbs, a line each, in one session",
     .detail = "Lines are read from standard input, or from --file. " WORDS_OF_A_LINE
               "The first line that fails ends the batch, and its exit status is the batch's; with "
               "--keep-going the other lines are run "
               "all the same, unless the connection is lost. Errors name the line. A verb that reads "
               "standard input itself needs --file.",
     .example = "printf '%s\\n' 'alloc 16 --name note' 'write note \"hello\"' | umem batch\numem batch "
                "--file setup.umem",
     .place = CLI_ALONE,
     .run = batch},
    {.name = "shell",
     .words = "",
     .summary = "type verbs at a prompt, in one session",
     .detail = WORDS_OF_A_LINE "Where umem was built with libedit, lines are edited with the usual keys, Tab "
                               "completes verbs, options and names, and "
                               "the history is kept in .umem_history in the home folder (UMEM_HISTFILE names "
                               "another file; empty: none); a line that "
                               "begins with a space is not kept. Ctrl-C drops the line that is being typed, "
                               "and ends umem while a verb runs. "
                               "exit, quit or Ctrl-D end the session; the exit status is the last line's.",
     .example = "umem shell",
     .place = CLI_ALONE,
     .run = shell},
    {.name = NULL},
};
