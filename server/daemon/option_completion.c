#include "daemon/option_completion.h"

#include <string.h>

#include "daemon/daemon_options.h"
#include "daemon/system_log.h"
#include "rpc/schema/server_limits.h"

enum { WORDS_MAXIMUM = 4 };

static const struct {
    const char *shell;
    const char *script;
} scripts[] = {
    {
        "bash",
#include "umemd_bash.inc"
    },
    {
        "zsh",
#include "umemd_zsh.inc"
    },
    {
        "fish",
#include "umemd_fish.inc"
    },
    {
        "powershell",
#include "umemd_ps1.inc"
    },
};

/* Options whose values are words. Those whose value may be left out are yes or no beside. */
static const struct {
    const char *option;
    const char *words[WORDS_MAXIMUM];
} values[] = {
    {"--log-level", {"error", "warning", "info", "debug"}},
    {"--log-format", {"text", "json"}},
    {"--log", {"stderr", "file"}},
    {"--sync", {"second", "always", "never"}},
    {"--completion", {"bash", "zsh", "fish", "powershell"}},
};

const char *um_completion_script(const char *shell)
{
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (strcmp(scripts[i].shell, shell) == 0)
            return scripts[i].script;
    }
    return NULL;
}

static void offer(FILE *out, const char *candidate, const char *end, const char *word)
{
    if (strncmp(candidate, word, strlen(word)) == 0)
        fprintf(out, "%s%s\n", candidate, end);
}

static void offer_values(FILE *out, const struct um_option *option, const char *word)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (size_t j = 0; strcmp(values[i].option, option->name) == 0 && j < WORDS_MAXIMUM; j++) {
            if (values[i].words[j] != NULL)
                offer(out, values[i].words[j], "", word);
        }
    }
    if (strcmp(option->name, "--log") == 0)
        offer(out, um_system_log_name(), "", word);
    for (unsigned i = 0; strcmp(option->name, "--limit") == 0 && um_limits_entry(i) != NULL; i++)
        offer(out, um_limits_entry(i)->name, "=", word);
}

int um_completion_print(FILE *out, const char *before, const char *word)
{
    const struct um_option_table *table = &um_daemon_option_table;
    int found = um_option_find(table, before, strlen(before));
    const struct um_option *option = found >= 0 ? &table->options[found] : NULL;

    if (option != NULL && option->value != NULL && option->value[0] != '[') {
        offer_values(out, option, word);
    } else {
        for (int i = 0; i < table->count; i++)
            offer(out, table->options[i].name, "", word);
    }
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
