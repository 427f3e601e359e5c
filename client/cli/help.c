#include "help.h"

#include "output.h"

#include <string.h>

enum { LINE_WIDTH = 80, OPTION_COLUMN = 26, SYNOPSIS_INDENT = 11 };

void cli_synopsis(const struct cli_verb *verb, char synopsis[CLI_SYNOPSIS_ROOM])
{
    const char *rest = strstr(verb->words, cli_verb_runs_command(verb) ? "-- " : "[-- ");
    int words = rest != NULL ? (int)(rest - verb->words) : (int)strlen(verb->words);
    size_t size = (size_t)snprintf(synopsis, CLI_SYNOPSIS_ROOM, "umem %s%s%.*s", verb->name,
                                   words != 0 ? " " : "", words, verb->words);

    /* Options stand before "--". */
    if (rest != NULL && size != 0 && synopsis[size - 1] == ' ')
        size--;
    for (int i = 0; i < CLI_OPTION_COUNT && size < CLI_SYNOPSIS_ROOM; i++) {
        const struct cli_option_entry *option = &cli_options[i];

        if ((verb->options & (UINT64_C(1) << i)) != 0)
            size += (size_t)snprintf(synopsis + size, CLI_SYNOPSIS_ROOM - size, " [%s%s%s]", option->name,
                                     option->value != NULL ? " " : "",
                                     option->value != NULL ? option->value : "");
    }
    if (rest != NULL && size < CLI_SYNOPSIS_ROOM)
        snprintf(synopsis + size, CLI_SYNOPSIS_ROOM - size, " %s", rest);
}

void cli_print_wrapped(const char *text, int indent, int column)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");

        if (column > indent && column + 1 + (int)length > LINE_WIDTH) {
            cli_print_char('\n');
            column = 0;
        }
        if (length != 0)
            column += cli_printf("%*s%.*s", column < indent ? indent - column : column > indent, "",
                                 (int)length, text);
        text += length;
        if (*text == '\n') {
            cli_print_char('\n');
            column = 0;
        }
        text += *text != '\0';
    }
    cli_print_char('\n');
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
    char synopsis[CLI_SYNOPSIS_ROOM];

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
    cli_print_line("\n  umem help VERB tells more of one, and its options; umem help METHOD of a\n"
                   "  method of the protocol. The man page umem(1) has it all.");
    print_options("Options of most verbs", CLI_COMMON_OPTIONS);
    cli_print_line("\nOptions may stand before or after the verb; \"--\" ends them. BLOCK and HEAP are\n"
                   "handles or names. A SIZE or OFFSET is in bytes: digits, with K, M, G or T behind\n"
                   "them for powers of 1024, or 0x and hexadecimal digits. With --json a result is\n"
                   "one JSON text on standard output, a list one array with an element a line, and\n"
                   "an error one JSON text on standard error.");
    print_statuses();
}

void cli_print_help(const struct cli_verb *verb)
{
    if (verb != NULL)
        print_verb(verb);
    else
        print_all();
}
