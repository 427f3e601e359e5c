#include "cli/output/help.h"

#include "base/size.h"
#include "base/wrap.h"
#include "cli/output/output.h"

#include <string.h>

enum { OPTION_COLUMN = 26, SYNOPSIS_INDENT = 11 };

void cli_synopsis(const struct cli_verb *verb, char synopsis[CLI_SYNOPSIS_SIZE])
{
    const char *rest = strstr(verb->words, cli_verb_runs_command(verb) ? "-- " : "[-- ");
    int words = rest != NULL ? (int)(rest - verb->words) : (int)strlen(verb->words);
    size_t size = (size_t)snprintf(synopsis, CLI_SYNOPSIS_SIZE, "umem %s%s%.*s", verb->name,
                                   words != 0 ? " " : "", words, verb->words);

    /* Options stand before "--". */
    if (rest != NULL && size != 0 && synopsis[size - 1] == ' ')
        size--;
    for (int i = 0; i < CLI_OPTION_COUNT && size < CLI_SYNOPSIS_SIZE; i++) {
        const struct cli_option_entry *option = &cli_options[i];

        if ((verb->options & (UINT64_C(1) << i)) != 0)
            size += (size_t)snprintf(synopsis + size, CLI_SYNOPSIS_SIZE - size, " [%s%s%s]", option->name,
                                     option->value != NULL ? " " : "",
                                     option->value != NULL ? option->value : "");
    }
    if (rest != NULL && size < CLI_SYNOPSIS_SIZE)
        snprintf(synopsis + size, CLI_SYNOPSIS_SIZE - size, " %s", rest);
}

static void put(void *context, const char *bytes, size_t size)
{
    (void)context;
    cli_print_bytes(bytes, size);
}

void cli_print_wrapped(const char *text, int indent, int column)
{
    um_wrap(text, indent, column, put, NULL);
}

static void print_option(int i)
{
    int column =
        cli_printf("  %s%s%s%s", cli_options[i].name, cli_options[i].value != NULL ? " " : "",
                   cli_options[i].value != NULL ? cli_options[i].value : "", i == CLI_HELP ? ", -h" : "");

    cli_print_wrapped(cli_options[i].doc, OPTION_COLUMN, column);
}

static void print_options(const char *title, uint64_t options)
{
    if (options == 0)
        return;
    cli_printf("\n%s:\n", title);
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if ((options & (UINT64_C(1) << i)) != 0)
            print_option(i);
    }
}

static void print_example(const char *example)
{
    cli_print_line("\nExamples:");
    while (*example != '\0') {
        size_t length = strcspn(example, "\n");

        cli_printf("  %.*s\n", (int)length, example);
        example += length + (example[length] == '\n');
    }
}

static void print_verb(const struct cli_verb *verb)
{
    char synopsis[CLI_SYNOPSIS_SIZE];

    cli_synopsis(verb, synopsis);
    cli_print("Usage:");
    /* One column more than the indent brings a space before the first word. */
    cli_print_wrapped(synopsis, SYNOPSIS_INDENT, SYNOPSIS_INDENT + 1);
    cli_print_char('\n');
    cli_print_wrapped(verb->summary, 2, 0);
    if (verb->detail != NULL) {
        cli_print_char('\n');
        cli_print_wrapped(verb->detail, 2, 0);
    }
    print_options("Options", cli_verb_options(verb));
    if (verb->example != NULL)
        print_example(verb->example);
}

static void print_statuses(void)
{
    cli_print_line("\nExit status:");
#define PRINT_STATUS(identifier, number, meaning) cli_print_wrapped(meaning, 8, cli_printf("  %d", number));
    CLI_STATUSES(PRINT_STATUS)
#undef PRINT_STATUS
}

static void print_all(void)
{
    cli_print_line("umem: memory in a umemd daemon, for people and scripts\n\n"
                   "Usage: umem VERB [WORDS] [OPTIONS]\n\nVerbs:");
    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb)) {
        int column = cli_printf("  %s%s%s", verb->name, verb->words[0] != '\0' ? " " : "", verb->words);

        cli_print_wrapped(verb->summary, 34, column);
    }
    cli_print_char('\n');
    cli_print_wrapped(
        "umem help VERB tells more of one, and its options; umem help METHOD of a method of the protocol. "
        "The man page umem(1) has it all.",
        2, 0);
    print_options("Options of most verbs", CLI_COMMON_OPTIONS);
    cli_print_char('\n');
    cli_print_wrapped(
        "Options may stand before or after the verb; \"--\" ends them. BLOCK and HEAP are names or handles; "
        "digits that "
        "are no name are a handle, and what stands behind \":\" is a name in any case. A SIZE or OFFSET is "
        "in bytes: " UM_SIZE_FORMS
        ". With --json a result is one JSON text on standard output, a list one array with an element a "
        "line, and an error one JSON text on standard error.",
        0, 0);
    print_statuses();
}

void cli_print_help(const struct cli_verb *verb)
{
    if (verb != NULL)
        print_verb(verb);
    else
        print_all();
}
