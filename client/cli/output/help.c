#include "cli/output/help.h"

#include <ctype.h>
#include <string.h>

#include "base/size.h"
#include "cli/output/color.h"
#include "cli/output/output.h"
#include "cli/system/file_io.h"

enum {
    OPTION_COLUMN = 26,
    SYNOPSIS_INDENT = 11,
    SUMMARY_COLUMN = 34,
    STATUS_COLUMN = 8,
    PLACEHOLDER_MINIMUM = 2 /* letters */
};

/* ---- help ---- */

static void print_heading(const char *heading)
{
    cli_printf("%s%s:%s", cli_style(CLI_OUTPUT, CLI_STYLE_TITLE), heading,
               cli_style(CLI_OUTPUT, CLI_STYLE_PLAIN));
}

static void print_options(const char *title, uint64_t options)
{
    cli_print_char('\n');
    print_heading(title);
    cli_print_char('\n');
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if ((options & (UINT64_C(1) << i)) != 0)
            um_help_option(&cli_page, OPTION_COLUMN, &cli_option_table.options[i]);
    }
}

static void print_example(const char *example)
{
    cli_print_char('\n');
    print_heading("Examples");
    cli_print_char('\n');
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
    print_heading("Usage");
    /* One column more than the indent brings a space before the first word. */
    um_help_text(&cli_page, SYNOPSIS_INDENT, SYNOPSIS_INDENT + 1, synopsis);
    if (verb->alias != NULL)
        cli_printf("Also: umem %s\n", verb->alias);
    cli_print_char('\n');
    um_help_text(&cli_page, 2, 0, verb->summary);
    if (verb->detail != NULL) {
        cli_print_char('\n');
        um_help_text(&cli_page, 2, 0, verb->detail);
    }
    print_options("Options", cli_verb_options(verb));
    if (verb->example != NULL)
        print_example(verb->example);
}

static void print_all(void)
{
    cli_print("umem: memory in a umemd daemon, for people and scripts\n\n");
    print_heading("Usage");
    cli_print(" umem VERB [WORDS] [OPTIONS]\n\n");
    print_heading("Verbs");
    cli_print_char('\n');
    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb))
        um_help_entry(&cli_page, SUMMARY_COLUMN, verb->summary, "  %s%s%s", verb->name,
                      verb->words[0] != '\0' ? " " : "", verb->words);
    cli_print_char('\n');
    um_help_text(&cli_page, 2, 0,
                 "umem help VERB describes one verb and its options, umem help METHOD a method of the "
                 "protocol. The man page umem(1) describes everything.");
    print_options("Options of most verbs", CLI_COMMON_OPTIONS);
    cli_print_char('\n');
    um_help_text(
        &cli_page, 0, 0,
        "Options may stand before or after the verb; \"--\" ends them. BLOCK and HEAP are names or handles; "
        "digits that are no name are a handle, and what follows \":\" is a name in any case. A SIZE or "
        "OFFSET is in bytes: " UM_SIZE_FORMS
        ". With --json a result is one JSON text on standard output, a list one array with an element a "
        "line, and an error one JSON text on standard error.");
    cli_print_char('\n');
    print_heading("Exit status");
    cli_print_char('\n');
#define PRINT_STATUS(identifier, number, meaning) \
    um_help_entry(&cli_page, STATUS_COLUMN, meaning, "  %d", number);
    CLI_STATUSES(PRINT_STATUS)
#undef PRINT_STATUS
}

void cli_print_help(const struct cli_verb *verb)
{
    if (verb != NULL)
        print_verb(verb);
    else
        print_all();
}

/* ---- the man page ---- */

/* Paragraphs with an empty line between them, each behind a .IP, so that it stays under its entry. */
static void put_paragraphs(const char *text)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);

        cli_print_line(".IP");
        um_man_line(&cli_page, text, size);
        text += size + (end != NULL ? 2 : 0);
    }
}

static void put_example(const char *example)
{
    cli_print_line(".IP\n.EX");
    while (*example != '\0') {
        size_t length = strcspn(example, "\n");

        um_man_line(&cli_page, example, length);
        example += length + (example[length] == '\n');
    }
    cli_print_line(".EE");
}

static bool is_placeholder(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!isupper((unsigned char)text[i]))
            return false;
    }
    return size >= PLACEHOLDER_MINIMUM;
}

/* A synopsis: what is typed as it stands is bold, what stands for something is slanted. */
static void put_synopsis(const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, " []|.");

        if (size != 0) {
            cli_print(is_placeholder(text, size) ? "\\fI" : "\\fB");
            um_man_literal(&cli_page, text, size);
            cli_print("\\fR");
        }
        text += size;
        if (*text != '\0')
            cli_print_char(*text++);
    }
    cli_print_char('\n');
}

static void put_verb(const struct cli_verb *verb)
{
    char synopsis[CLI_SYNOPSIS_SIZE];

    cli_synopsis(verb, synopsis);
    cli_print_line(".TP");
    put_synopsis(synopsis);
    um_man_sentence(&cli_page, verb->summary);
    if (verb->alias != NULL)
        cli_printf(".IP\nAlso: \\fBumem %s\\fR\n", verb->alias);
    if (verb->detail != NULL)
        put_paragraphs(verb->detail);
    if (verb->example != NULL)
        put_example(verb->example);
}

static const char man_begin[] =
    "# SYNOPSIS\n"
    "*umem* <VERB> [<WORDS>] [<OPTIONS>]\n"
    "# DESCRIPTION\n"
    "umemd owns heap memory and lends it by handle.\n"
    "umem requests blocks of memory from it, reads and writes them, and shows what there is.\n"
    "\n"
    "<BLOCK> and <HEAP> are names or handles; *process* is the daemon's own heap.\n"
    "Digits that are no name are a handle.\n"
    "What follows a colon is a name in any case: *:268435464* is the block of that name, whatever handles "
    "there are.\n"
    "(*umem call* takes a handle as a number, which is never a name.)\n"
    "\n"
    "A <SIZE> or <OFFSET> is in bytes: " UM_SIZE_FORMS ".\n"
    "Units may be written in either case.\n"
    "\n"
    "With *--json* a result is one JSON text on standard output, as the daemon sent it.\n"
    "A list is one array with an element a line; an array without its end was cut short by an error.\n"
    "The events of watch are one text a line.\n"
    "An error is one JSON text on standard error: an object with *error* (*name*, *message* and,\n"
    "as they apply, *code*, *data*, *pipe* and *remedy*) and *status*, the exit status.\n"
    "\n"
    "Reading or writing many bytes shows a bar where standard error is a terminal.\n"
    "# VERBS\n";

static const char man_options[] =
    "# OPTIONS\n"
    "Options stand before or after the verb.\n"
    "An option's value is the next argument, or what follows an equals sign.\n"
    "\"--\" ends the options.\n"
    "Every verb that talks to a daemon takes --pipe, --server-user, --json, --timeout, --color and --help.\n"
    "An option that a verb does not take is refused.\n";

static const char man_end[] =
    "# ENVIRONMENT\n"
    ": *UMEM_PIPE*\n"
    "The daemon's pipe, where --pipe does not name one.\n"
    ": *UMEM_SERVER_USER*\n"
    "Whose daemon it may be beside your own and root's or SYSTEM's, where --server-user does not say: "
    "a name, a number, or on Windows a SID.\n"
    ": *NO_COLOR*\n"
    "No colours, where it is set and not empty, unless --color says otherwise. Without it titles and the "
    "beginning of errors are coloured on a terminal, if *TERM* is set and not *dumb*.\n"
    ": *XDG_RUNTIME_DIR*\n"
    "Where the user's own pipe lies, except on Windows.\n"
    "# SEE ALSO\n"
    "*umem_client*(3), *umemd*(8), *flock*(1), *hexdump*(1)\n";

void cli_print_man(void)
{
    um_man_begin(&cli_page, "umem", 1, "memory in a umemd daemon, for people and scripts");
    um_man_text(&cli_page, man_begin);
    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb))
        put_verb(verb);
    um_man_text(&cli_page, man_options);
    for (int i = 0; i < CLI_OPTION_COUNT; i++)
        um_man_option(&cli_page, &cli_option_table.options[i]);
    cli_print_line(".SH EXIT STATUS");
#define PUT_STATUS(identifier, number, meaning) um_man_status(&cli_page, number, meaning);
    CLI_STATUSES(PUT_STATUS)
#undef PUT_STATUS
    um_man_text(&cli_page, man_end);
}
