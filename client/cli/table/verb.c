/* The lists of options and verbs, and what can be told from an entry alone. */
#include <string.h>

#include "cli/table/verb.h"

const struct cli_option_entry cli_options[CLI_OPTION_COUNT] = {
#define OPTION_ENTRY(identifier, name, value, doc) {name, value, doc},
    CLI_OPTIONS(OPTION_ENTRY)
#undef OPTION_ENTRY
};

static const struct cli_verb *const families[] = {
    cli_block_verbs, cli_bytes_verbs, cli_range_verbs,  cli_value_verbs, cli_heap_verbs, cli_holding_verbs,
    cli_map_verbs,   cli_watch_verbs, cli_server_verbs, cli_call_verbs,  cli_help_verbs,
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
    while (verb != NULL && strcmp(verb->name, name) != 0);
    return verb;
}

uint64_t cli_verb_options(const struct cli_verb *verb)
{
    switch (verb->need) {
    case CLI_NEEDS_DAEMON:
        return verb->options | CLI_COMMON_OPTIONS;
    case CLI_NEEDS_PIPE:
        return verb->options | CLI_TAKES(PIPE) | CLI_TAKES(JSON) | CLI_TAKES(HELP);
    default:
        return verb->options | CLI_TAKES(HELP);
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
