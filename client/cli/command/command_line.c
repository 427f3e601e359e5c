#include "cli/command/command_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/color.h"
#include "cli/output/fail.h"
#include "cli/request/params.h"
#include "program/suggest.h"

enum { NAME_SIZE = 64, ERROR_SIZE = 512 };

/* ---- options ---- */

static int read_option(struct cli *cli, char **arguments, int *at)
{
    char error[ERROR_SIZE];
    const char *value;
    int option = um_option_read(&cli_option_table, arguments, at, &value, error, sizeof error);

    if (option < 0)
        return cli_fail(CLI_USAGE, "%s", error);
    cli->option[option] = value;
    return CLI_OK;
}

/* A "-" alone is a word, and so is a negative number. */
static bool is_option(const char *text)
{
    return text[0] == '-' && text[1] != '\0' && !cli_is_number(text);
}

/* ---- the verb ---- */

/* Puts the verb's name together of `count` words. */
static void join(const struct cli *cli, int count, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s%s%s", cli->words[0], count == 2 ? " " : "",
             count == 2 ? cli->words[1] : "");
}

static bool is_prefix(const struct cli_verb *verb, const char *word)
{
    size_t length = strlen(word);

    return strncmp(verb->name, word, length) == 0 && verb->name[length] == ' ';
}

/* Offers every verb's name, and the first words of those that have two. */
static void offer_verbs(struct um_suggestion *suggestion, bool first_words)
{
    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb)) {
        const char *space = strchr(verb->name, ' ');

        if (first_words && space != NULL)
            um_suggest_offer_start(suggestion, verb->name, (size_t)(space - verb->name));
        else
            um_suggest_offer(suggestion, verb->name);
    }
}

static int no_such_verb(const struct cli *cli)
{
    struct um_suggestion suggestion;
    char name[NAME_SIZE];

    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb)) {
        if (is_prefix(verb, cli->words[0]) && cli->word_count == 1)
            return cli_fail(CLI_USAGE, "\"%s\" needs another word; umem help %s lists them", cli->words[0],
                            cli->words[0]);
    }
    join(cli, cli->word_count > 1 ? 2 : 1, name);
    um_suggest_begin(&suggestion, name);
    offer_verbs(&suggestion, false);
    if (suggestion.best == NULL) {
        um_suggest_begin(&suggestion, cli->words[0]);
        offer_verbs(&suggestion, true);
        join(cli, 1, name);
    }
    if (suggestion.best != NULL)
        return cli_fail(CLI_USAGE, "there is no verb \"%s\"; did you mean \"%.*s\"?", name,
                        (int)suggestion.best_length, suggestion.best);
    return cli_fail(CLI_USAGE, "there is no verb \"%s\"; umem help lists the verbs", name);
}

/* Finds the verb and takes its name's one or two words away, those before "--" only. */
static int take_verb(struct cli *cli, int *words_before)
{
    for (int words = 2; words >= 1; words--) {
        char name[NAME_SIZE];

        if (cli->word_count < words)
            continue;
        join(cli, words, name);
        cli->verb = cli_find_verb(name);
        if (cli->verb == NULL)
            continue;
        cli->words += words;
        cli->word_count -= words;
        *words_before -= words;
        return CLI_OK;
    }
    return no_such_verb(cli);
}

/* ---- the whole ---- */

static int check_options(const struct cli *cli)
{
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if (cli->option[i] != NULL && (cli_verb_options(cli->verb) & (UINT64_C(1) << i)) == 0)
            return cli_fail_usage(cli, "%s takes no %s", cli->verb->name, cli_option_table.options[i].name);
    }
    return CLI_OK;
}

/* What follows "--" is the verb's own where its synopsis has it: then it is no word. */
static int split_rest(struct cli *cli, int words_before)
{
    if (!cli_verb_has_rest(cli->verb))
        return CLI_OK;
    if (words_before >= 0 && words_before < cli->word_count) {
        for (int i = cli->word_count; i >= words_before; i--)
            cli->words[i + 1] = cli->words[i];
        cli->words[words_before] = NULL;
        cli->rest = cli->words + words_before + 1;
        /* The words after it have moved up by one. */
        cli->word_count = words_before;
    }
    if (cli->session == NULL && cli->rest == NULL && cli_verb_runs_command(cli->verb))
        return cli_fail_usage(cli, "a command must follow \"--\"");
    if (cli->session != NULL && cli->rest != NULL && cli_verb_runs_command(cli->verb))
        return cli_fail_usage(cli, "a session runs no commands: it goes on until it ends, or until %s",
                              strcmp(cli->verb->name, "lock") == 0 ? "unlock" : "release");
    return CLI_OK;
}

static int check_words(const struct cli *cli)
{
    int minimum;
    int maximum;

    cli_count_words(cli->verb, &minimum, &maximum);
    if (cli->word_count < minimum)
        return cli_fail_usage(cli, "%s needs more words", cli->verb->name);
    if (maximum >= 0 && cli->word_count > maximum)
        return cli_fail_usage(cli, "%s does not take the word \"%s\"", cli->verb->name, cli->words[maximum]);
    return CLI_OK;
}

/* Sorts the arguments into options and words. *words_before: how many words are before "--"; -1: there is
 * none. */
static int sort(struct cli *cli, char **arguments, int *words_before)
{
    *words_before = -1;
    for (int i = 1; arguments[i] != NULL; i++) {
        int status = CLI_OK;

        if (*words_before < 0 && strcmp(arguments[i], "--") == 0)
            *words_before = cli->word_count;
        else if (*words_before < 0 && is_option(arguments[i]))
            status = read_option(cli, arguments, &i);
        else
            cli->words[cli->word_count++] = arguments[i];
        if (status != CLI_OK)
            return status;
    }
    return CLI_OK;
}

/* Errors are JSON even where the mistake stands before --json. */
static bool has_json(const struct cli *cli, char **arguments)
{
    bool found = cli->session != NULL && cli->session->option[CLI_JSON] != NULL;

    for (int i = 1; arguments[i] != NULL && strcmp(arguments[i], "--") != 0; i++)
        found = found || strcmp(arguments[i], "--json") == 0;
    return found;
}

/* Errors are in colours, or not, even where the mistake stands before --color. A wrong word is an error by itself, later. */
static void choose_colors(char **arguments)
{
    for (int i = 1; arguments[i] != NULL && strcmp(arguments[i], "--") != 0; i++) {
        if (strncmp(arguments[i], "--color=", 8) == 0)
            cli_color_choose(arguments[i] + 8);
        else if (strcmp(arguments[i], "--color") == 0 && arguments[i + 1] != NULL)
            cli_color_choose(arguments[i + 1]);
    }
}

static int check_place(const struct cli *cli)
{
    bool is_line = cli->session != NULL;

    if (cli->verb->place == CLI_ALONE && is_line)
        return cli_fail_usage(cli, "%s is no line of a session", cli->verb->name);
    if (cli->verb->place == CLI_IN_SESSION && !is_line)
        return cli_fail_usage(cli, "%s is a line of a session: of umem shell or umem batch", cli->verb->name);
    if (is_line && cli->option[CLI_PIPE] != NULL)
        return cli_fail_usage(cli, "--pipe is an option of umem %s: a session has one pipe",
                              cli->session->verb->name);
    if (is_line && cli->option[CLI_COLOR] != NULL)
        return cli_fail_usage(cli, "--color is an option of umem %s", cli->session->verb->name);
    if (is_line && cli->option[CLI_SERVER_USER] != NULL)
        return cli_fail_usage(cli, "--server-user is an option of umem %s: a session has one server",
                              cli->session->verb->name);
    return CLI_OK;
}

int cli_parse(struct cli *cli, char **arguments)
{
    size_t count = 0;
    int words_before;
    int status;

    while (arguments[count] != NULL)
        count++;
    cli_report_as_json(has_json(cli, arguments));
    if (cli->session == NULL)
        choose_colors(arguments);
    /* One more for the end, and one for the gap that split_rest() makes. */
    cli->word_memory = calloc(count + 2, sizeof *cli->words);
    if (cli->word_memory == NULL)
        return cli_fail_memory();
    cli->words = cli->word_memory;
    status = sort(cli, arguments, &words_before);
    if (status == CLI_OK && cli->option[CLI_COLOR] != NULL && !cli_color_choose(cli->option[CLI_COLOR]))
        status = cli_fail(CLI_USAGE, "--color is auto, always or never, not \"%s\"", cli->option[CLI_COLOR]);
    if (status != CLI_OK || (cli->word_count == 0 && cli->option[CLI_HELP] != NULL))
        return status;
    if (cli->word_count == 0)
        return cli_fail(CLI_USAGE, "a verb is missing; umem help lists the verbs");
    assert(cli->words[0] != NULL);
    status = take_verb(cli, &words_before);
    if (status != CLI_OK || cli->option[CLI_HELP] != NULL)
        return status;
    status = check_options(cli);
    if (status == CLI_OK)
        status = check_place(cli);
    if (status == CLI_OK)
        status = split_rest(cli, words_before);
    return status == CLI_OK ? check_words(cli) : status;
}

void cli_parse_free(struct cli *cli)
{
    free(cli->word_memory);
}
