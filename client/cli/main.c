/* umem: the command for people and scripts. Reads the command line by the tables of verbs and options. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct cli_verb *const verb_lists[] = {cli_block_verbs, cli_heap_verbs, cli_server_verbs};

enum { LIST_COUNT = sizeof verb_lists / sizeof verb_lists[0], ARGUMENTS_MAXIMUM = 64 };

static const struct {
    const char *name;
    const char *value;
    const char *doc;
} options[] = {
#define OPTION_ENTRY(identifier, name, value, doc) {name, value, doc},
    CLI_OPTIONS(OPTION_ENTRY)
#undef OPTION_ENTRY
};

static int help(void)
{
    puts("umem: memory in a umemd daemon, for people and scripts\n\nUsage: umem VERB [WORDS] "
         "[OPTIONS]\n\nVerbs:");
    for (int i = 0; i < LIST_COUNT; i++) {
        for (const struct cli_verb *verb = verb_lists[i]; verb->name != NULL; verb++)
            printf("  %s %s\n      %s\n", verb->name, verb->usage, verb->summary);
    }
    puts("  help\n      print this\n\nOptions, before or after the verb:");
    for (int i = 0; i < CLI_OPTION_COUNT; i++)
        printf("  %s %s\n      %s\n", options[i].name, options[i].value != NULL ? options[i].value : "",
               options[i].doc);
    puts("\nSizes are bytes: digits, with K, M or G behind them for powers of 1024. HEAP and BLOCK are "
         "handles or names.\n"
         "Exit status: 0 done, 1 the daemon answered with an error, 2 wrong usage, 3 no connection.");
    return CLI_OK;
}

/* The option of an argument; its value is the next argument or what follows "=". */
static int take_option(struct cli *cli, char **arguments, int *at)
{
    const char *text = arguments[*at];
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);

    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if (strlen(options[i].name) != length || strncmp(options[i].name, text, length) != 0)
            continue;
        if (options[i].value == NULL && equals != NULL)
            return cli_fail(CLI_USAGE, "%s takes no value", options[i].name);
        if (options[i].value == NULL)
            cli->option[i] = "";
        else if (equals != NULL)
            cli->option[i] = equals + 1;
        else if (arguments[*at + 1] != NULL)
            cli->option[i] = arguments[++*at];
        else
            return cli_fail(CLI_USAGE, "%s wants a value: %s", options[i].name, options[i].value);
        return CLI_OK;
    }
    return cli_fail(CLI_USAGE, "there is no option %s; see umem help", text);
}

static int read_arguments(struct cli *cli, char **arguments)
{
    bool only_words = false;

    for (int i = 1; arguments[i] != NULL; i++) {
        int status = CLI_OK;

        if (!only_words && strcmp(arguments[i], "--") == 0)
            only_words = true;
        else if (!only_words && strncmp(arguments[i], "--", 2) == 0)
            status = take_option(cli, arguments, &i);
        else if (cli->word_count == CLI_WORDS_MAXIMUM)
            status = cli_fail(CLI_USAGE, "too many words");
        else
            cli->words[cli->word_count++] = arguments[i];
        if (status != CLI_OK)
            return status;
    }
    return CLI_OK;
}

/* Finds the verb and takes its name's one or two words away. */
static const struct cli_verb *take_verb(struct cli *cli)
{
    char name[64];
    int words = cli->word_count > 1 && strcmp(cli->words[0], "heap") == 0 ? 2 : 1;

    snprintf(name, sizeof name, "%s%s%s", cli->words[0], words == 2 ? " " : "",
             words == 2 ? cli->words[1] : "");
    for (int i = 0; i < LIST_COUNT; i++) {
        for (const struct cli_verb *verb = verb_lists[i]; verb->name != NULL; verb++) {
            if (strcmp(verb->name, name) != 0)
                continue;
            cli->word_count -= words;
            memmove(cli->words, cli->words + words, (size_t)cli->word_count * sizeof cli->words[0]);
            cli->words[cli->word_count] = NULL;
            return verb;
        }
    }
    return NULL;
}

static int find_pipe(struct cli *cli)
{
    if (cli->option[CLI_PIPE] != NULL) {
        if ((size_t)snprintf(cli->pipe, sizeof cli->pipe, "%s", cli->option[CLI_PIPE]) >= sizeof cli->pipe)
            return cli_fail(CLI_USAGE, "--pipe: the path is too long");
    } else if (umem_default_pipe(cli->pipe, sizeof cli->pipe) != UMEM_OK) {
        return cli_fail(CLI_USAGE, "no pipe can be told; give one with --pipe or UMEM_PIPE");
    }
    return CLI_OK;
}

static int run(struct cli *cli, const struct cli_verb *verb)
{
    struct umem_options connection = {.pipe = cli->pipe};
    uint64_t timeout_ms = 0;
    int status = find_pipe(cli);

    if (status != CLI_OK || verb->offline)
        return status != CLI_OK ? status : verb->run(cli);
    if (cli->option[CLI_TIMEOUT] != NULL &&
        (!cli_parse_size(cli->option[CLI_TIMEOUT], &timeout_ms) || timeout_ms > UINT32_MAX))
        return cli_fail(CLI_USAGE, "--timeout: not a number of milliseconds");
    connection.timeout_ms = (uint32_t)timeout_ms;
    cli->client = umem_client_new(&connection);
    status = umem_connect(cli->client) == UMEM_OK ? verb->run(cli) : cli_fail_call(cli);
    umem_client_free(cli->client);
    return status;
}

int main(int count, char **arguments)
{
    struct cli cli = {.word_count = 0};
    const struct cli_verb *verb;
    int status;

    if (count == 2 && strcmp(arguments[1], "--version") == 0) {
        puts("umem " UMEM_VERSION);
        return CLI_OK;
    }
    if (count == 2 && strcmp(arguments[1], "--help") == 0)
        return help();
    status = read_arguments(&cli, arguments);
    if (status != CLI_OK)
        return status;
    if (cli.word_count == 0)
        return cli_fail(CLI_USAGE, "a verb is wanted; see umem help");
    if (strcmp(cli.words[0], "help") == 0)
        return help();
    verb = take_verb(&cli);
    if (verb == NULL)
        return cli_fail(CLI_USAGE, "there is no verb \"%s\"; see umem help", cli.words[0]);
    if (cli.word_count < verb->words_minimum || cli.word_count > verb->words_maximum)
        return cli_fail(CLI_USAGE, "usage: umem %s %s", verb->name, verb->usage);
    status = run(&cli, verb);
    if (fflush(stdout) != 0 && status == CLI_OK)
        status = cli_fail(CLI_ERROR, "standard output: cannot be written");
    return status;
}
