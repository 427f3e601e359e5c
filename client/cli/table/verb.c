/* The lists of options and verbs, and what follows from an entry alone. */
#include <string.h>

#include "cli/table/verb.h"

enum { TOKEN_SIZE = 32 };

static const struct um_option list[CLI_OPTION_COUNT] = {
#define OPTION_ENTRY(identifier, name, value, doc) {name, value, doc},
    CLI_OPTIONS(OPTION_ENTRY)
#undef OPTION_ENTRY
};

const struct um_option_table cli_option_table = {list, CLI_OPTION_COUNT, "umem help"};

static const struct cli_verb *const families[] = {
    cli_block_verbs,   cli_bytes_verbs,  cli_range_verbs,  cli_value_verbs,  cli_heap_verbs,
    cli_holding_verbs, cli_map_verbs,    cli_save_verbs,   cli_load_verbs,   cli_watch_verbs,
    cli_stats_verbs,   cli_server_verbs, cli_report_verbs, cli_record_verbs, cli_call_verbs,
    cli_session_verbs, cli_help_verbs,
};

enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

const struct cli_verb *cli_next_verb(const struct cli_verb *verb)
{
    if (verb == NULL)
        return families[0];
    if (verb[1].name != NULL)
        return verb + 1;
    for (int i = 0; i < FAMILY_COUNT - 1; i++) {
        const struct cli_verb *last = families[i];

        while (last[1].name != NULL)
            last++;
        if (last == verb)
            return families[i + 1];
    }
    return NULL;
}

const struct cli_verb *cli_find_verb(const char *name)
{
    const struct cli_verb *verb = NULL;

    do
        verb = cli_next_verb(verb);
    while (verb != NULL && strcmp(verb->name, name) != 0 &&
           (verb->alias == NULL || strcmp(verb->alias, name) != 0));
    return verb;
}

uint64_t cli_own_options(const struct cli_verb *verb)
{
    uint64_t options = verb->options;

    for (const struct cli_param *param = verb->params; param->key != NULL; param++) {
        if (param->is_option)
            options |= UINT64_C(1) << param->place;
    }
    return options;
}

uint64_t cli_verb_options(const struct cli_verb *verb)
{
    switch (verb->need) {
    case CLI_NEEDS_DAEMON:
        return cli_own_options(verb) | CLI_COMMON_OPTIONS;
    case CLI_NEEDS_PIPE:
        return cli_own_options(verb) | CLI_TAKES(PIPE) | CLI_TAKES(SERVER_USER) | CLI_TAKES(JSON) |
               CLI_TAKES(COLOR) | CLI_TAKES(HELP);
    default:
        return cli_own_options(verb) | CLI_TAKES(COLOR) | CLI_TAKES(HELP);
    }
}

bool cli_verb_has_rest(const struct cli_verb *verb)
{
    return strstr(verb->words, "-- ") != NULL;
}

bool cli_verb_runs_command(const struct cli_verb *verb)
{
    return strstr(verb->words, "-- COMMAND") != NULL;
}

bool cli_next_token(const char **synopsis, char *token, size_t token_size, bool *is_optional,
                    bool *is_repeated)
{
    const char *at = *synopsis + strspn(*synopsis, " ");
    size_t length;

    *is_optional = *at == '[';
    at += *is_optional;
    length = strcspn(at, " ].");
    if (length == 0 || strncmp(at, "--", 2) == 0)
        return false;
    snprintf(token, token_size, "%.*s", (int)length, at);
    at += length;
    *is_repeated = strncmp(at, "...", 3) == 0;
    *synopsis = at + strcspn(at, " ");
    return true;
}

void cli_count_words(const struct cli_verb *verb, int *minimum, int *maximum)
{
    const char *synopsis = verb->words;
    char token[TOKEN_SIZE];
    bool is_optional;
    bool is_repeated;

    *minimum = 0;
    *maximum = 0;
    while (cli_next_token(&synopsis, token, sizeof token, &is_optional, &is_repeated)) {
        *minimum += !is_optional;
        *maximum = is_repeated || *maximum < 0 ? -1 : *maximum + 1;
    }
}

void cli_synopsis(const struct cli_verb *verb, char synopsis[CLI_SYNOPSIS_SIZE])
{
    const uint64_t options = cli_own_options(verb);
    const char *rest = strstr(verb->words, cli_verb_runs_command(verb) ? "-- " : "[-- ");
    int words = rest != NULL ? (int)(rest - verb->words) : (int)strlen(verb->words);
    size_t size = (size_t)snprintf(synopsis, CLI_SYNOPSIS_SIZE, "umem %s%s%.*s", verb->name,
                                   words != 0 ? " " : "", words, verb->words);

    /* Options stand before "--". */
    if (rest != NULL && size != 0 && synopsis[size - 1] == ' ')
        size--;
    for (int i = 0; i < CLI_OPTION_COUNT && size < CLI_SYNOPSIS_SIZE; i++) {
        const struct um_option *option = &list[i];

        if ((options & (UINT64_C(1) << i)) != 0)
            size += (size_t)snprintf(synopsis + size, CLI_SYNOPSIS_SIZE - size, " [%s%s%s]", option->name,
                                     option->value != NULL ? " " : "",
                                     option->value != NULL ? option->value : "");
    }
    if (rest != NULL && size < CLI_SYNOPSIS_SIZE)
        snprintf(synopsis + size, CLI_SYNOPSIS_SIZE - size, " %s", rest);
}
