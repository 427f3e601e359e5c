#include "cli/command/command_run.h"

#include <string.h>

#include <uv.h>

#include "cli/command/command_line.h"
#include "cli/command/command_words.h"
#include "cli/output/fail.h"
#include "cli/output/help.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"

/* Reads --timeout, and connects as far as the verb needs it. */
static int prepare(struct cli *cli)
{
    const struct cli_verb *verb = cli->verb;
    const char *timeout = cli->option[CLI_TIMEOUT];
    uint64_t timeout_ms = 0;

    if (timeout == NULL && cli->session != NULL)
        timeout = cli->session->option[CLI_TIMEOUT];
    if (timeout != NULL && (strspn(timeout, "0123456789") != strlen(timeout) ||
                            !cli_parse_size(timeout, &timeout_ms) || timeout_ms > UINT32_MAX))
        return cli_fail_usage(cli, "--timeout \"%s\" is not a number of milliseconds", timeout);
    if (cli->option[CLI_PIPE] != NULL && *cli->option[CLI_PIPE] == '\0')
        return cli_fail_usage(cli, "--pipe is empty");
    if (cli->option[CLI_SERVER_USER] != NULL && *cli->option[CLI_SERVER_USER] == '\0')
        return cli_fail_usage(cli, "--server-user is empty");
    /* For all that connects: this client, umem call -, and the command of umem hold. */
    if (cli->option[CLI_SERVER_USER] != NULL)
        uv_os_setenv("UMEM_SERVER_USER", cli->option[CLI_SERVER_USER]);
    if (cli->session == NULL) {
        const struct umem_options options = {.pipe = cli->option[CLI_PIPE]};

        cli->client = umem_client_new(&options);
    } else {
        cli->client = cli->session->client;
    }
    umem_set_timeout(cli->client, verb->waits ? 0 : (uint32_t)timeout_ms);
    if (*umem_pipe(cli->client) == '\0' || verb->need == CLI_NEEDS_DAEMON)
        return cli_connect(cli);
    return CLI_OK;
}

static int run_with_pipe(struct cli *cli)
{
    int status = prepare(cli);

    if (status == CLI_OK)
        status = cli->verb->run(cli);
    cli_free_result(cli);
    if (!cli->keeps_client && cli->session == NULL)
        umem_client_free(cli->client);
    return status;
}

int cli_run(struct cli *cli)
{
    int status = cli->verb->need == CLI_NEEDS_NOTHING ? cli->verb->run(cli) : run_with_pipe(cli);

    if (cli_verb_runs_command(cli->verb) && cli->session == NULL && !cli->has_run && status != CLI_OK)
        status = CLI_NOT_RUN;
    return status;
}

static int run_words(const struct cli *session, char **words)
{
    struct cli cli = {.session = session};
    int status = cli_parse(&cli, words);

    /* What --json says for the session is good for all its lines. */
    if (status == CLI_OK && session->option[CLI_JSON] != NULL && cli.verb != NULL &&
        (cli_verb_options(cli.verb) & CLI_TAKES(JSON)) != 0)
        cli.option[CLI_JSON] = "";
    if (status == CLI_OK && cli.option[CLI_HELP] != NULL)
        cli_print_help(cli.verb);
    else if (status == CLI_OK)
        status = cli_run(&cli);
    cli_parse_free(&cli);
    return status;
}

int cli_run_line(const struct cli *session, const char *line)
{
    static const char name[] = "umem ";
    struct cli_words words;
    struct um_buf whole;
    int status = CLI_OK;

    line += strspn(line, CLI_WORDS_LINE);
    if (*line == '\0' || *line == '#')
        return CLI_OK;
    /* The name stands before, as in a shell's command line. */
    um_buf_init(&whole, SIZE_MAX / 4);
    um_buf_append_string(&whole, name);
    um_buf_append(&whole, line, strlen(line) + 1);
    if (whole.failed)
        status = cli_fail_memory();
    if (status == CLI_OK) {
        if (!cli_words_read(&words, whole.data, CLI_WORDS_LINE, ""))
            status = cli_fail_memory();
        else if (words.quote != '\0')
            status = cli_fail(CLI_USAGE, "a quote (%c) is not closed", words.quote);
        else if (words.is_open)
            words.words[words.count - 1] = NULL;
        if (status == CLI_OK)
            status = run_words(session, words.words);
        cli_words_free(&words);
    }
    um_buf_deinit(&whole);
    return status;
}
