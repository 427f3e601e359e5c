#include "program/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "program/suggest.h"

enum { NAME_SIZE = 64 };

int um_option_find(const struct um_option_table *table, const char *name, size_t length)
{
    for (int i = 0; i < table->count; i++) {
        if (strlen(table->options[i].name) == length && memcmp(table->options[i].name, name, length) == 0)
            return i;
    }
    return -1;
}

static int fail_unknown(const struct um_option_table *table, const char *name, size_t length, char *error,
                        size_t error_size)
{
    struct um_suggestion suggestion;
    char typed[NAME_SIZE];

    snprintf(typed, sizeof typed, "%.*s", (int)length, name);
    um_suggest_begin(&suggestion, typed);
    for (int i = 0; i < table->count; i++)
        um_suggest_offer(&suggestion, table->options[i].name);
    if (suggestion.best != NULL)
        snprintf(error, error_size, "there is no option %s; did you mean %s?", typed, suggestion.best);
    else if (table->help != NULL)
        snprintf(error, error_size, "there is no option %s; %s lists the options", typed, table->help);
    else
        snprintf(error, error_size, "there is no option %s", typed);
    return -1;
}

int um_option_read(const struct um_option_table *table, char *const *arguments, int *at, const char **value,
                   char *error, size_t error_size)
{
    const char *name = strcmp(arguments[*at], "-h") == 0 ? "--help" : arguments[*at];
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    int found = um_option_find(table, name, length);
    const struct um_option *option = found >= 0 ? &table->options[found] : NULL;
    bool takes_next = equals == NULL && option != NULL && option->value != NULL && option->value[0] != '[';

    if (option == NULL)
        return fail_unknown(table, name, length, error, error_size);
    if (option->value == NULL && equals != NULL) {
        snprintf(error, error_size, "%s takes no value", option->name);
        return -1;
    }
    if (equals != NULL)
        *value = equals + 1;
    else if (takes_next)
        *value = arguments[*at + 1];
    else
        *value = "";
    if (*value == NULL) {
        snprintf(error, error_size, "%s needs a value: %s %s", option->name, option->name, option->value);
        return -1;
    }
    if (option->value != NULL && option->value[0] == '[' && equals != NULL && equals[1] == '\0') {
        snprintf(error, error_size, "%s= needs a value: %s%s", option->name, option->name, option->value);
        return -1;
    }
    *at += takes_next;
    return found;
}
