#include "cli/output/man_page.h"

#include <ctype.h>
#include <string.h>

#include "base/size.h"
#include "cli/output/help.h"
#include "cli/output/output.h"
#include "cli/table/verb.h"

enum { TOKEN_MINIMUM = 2 };

/* Prints text so that no character of it is troff's. A line must not begin with a dot or an apostrophe. */
static void put(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (text[i]) {
        case '\\':
            cli_print("\\e");
            break;
        case '-':
            cli_print("\\-");
            break;
        case '\'':
            cli_print("\\(aq");
            break;
        case '^':
            cli_print("\\(ha");
            break;
        case '~':
            cli_print("\\(ti");
            break;
        default:
            cli_print_char(text[i]);
        }
    }
}

/* Text that begins a line. */
static void put_line(const char *text, size_t size)
{
    if (size != 0 && (*text == '.' || *text == '\''))
        cli_print("\\&");
    put(text, size);
    cli_print_char('\n');
}

/* Paragraphs with an empty line between, each behind a .IP, so that it stays under its entry. */
static void put_paragraphs(const char *text)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);

        cli_print_line(".IP");
        put_line(text, size);
        text += size + (end != NULL ? 2 : 0);
    }
}

static bool is_placeholder(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!isupper((unsigned char)text[i]))
            return false;
    }
    return size >= TOKEN_MINIMUM;
}

/* A synopsis: what is typed as it stands is bold, what stands for something is slanted. */
static void put_synopsis(const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, " []|.");

        if (size != 0) {
            cli_print(is_placeholder(text, size) ? "\\fI" : "\\fB");
            put(text, size);
            cli_print("\\fR");
        }
        text += size;
        if (*text != '\0')
            cli_print_char(*text++);
    }
    cli_print_char('\n');
}

static void put_example(const char *example)
{
    cli_print_line(".IP\n.nf");
    while (*example != '\0') {
        size_t length = strcspn(example, "\n");

        put_line(example, length);
        example += length + (example[length] == '\n');
    }
    cli_print_line(".fi");
}

static void put_verb(const struct cli_verb *verb)
{
    char synopsis[CLI_SYNOPSIS_SIZE];

    cli_synopsis(verb, synopsis);
    cli_print_line(".TP");
    put_synopsis(synopsis);
    /* A phrase in the help, a sentence here. */
    cli_print_char((char)toupper((unsigned char)verb->summary[0]));
    put(verb->summary + 1, strlen(verb->summary + 1));
    cli_print_line(".");
    if (verb->detail != NULL)
        put_paragraphs(verb->detail);
    if (verb->example != NULL)
        put_example(verb->example);
}

static void put_options(void)
{
    cli_print_line(
        ".SH OPTIONS\n"
        "Options stand before or after the verb.\n"
        "An option\\(aqs value is the next argument, or what follows \\(lq=\\(rq.\n"
        "\\(lq\\-\\-\\(rq ends the options.\n"
        "Every verb that talks to a daemon takes \\-\\-pipe, \\-\\-json, \\-\\-timeout and \\-\\-help.\n"
        "An option that a verb does not take is refused.");
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        cli_print(".TP\n\\fB");
        put(cli_options[i].name, strlen(cli_options[i].name));
        cli_print("\\fR");
        if (cli_options[i].value != NULL)
            cli_printf(" \\fI%s\\fR", cli_options[i].value);
        cli_print(i == CLI_HELP ? ", \\fB\\-h\\fR\n" : "\n");
        cli_print_char((char)toupper((unsigned char)cli_options[i].doc[0]));
        put(cli_options[i].doc + 1, strlen(cli_options[i].doc + 1));
        cli_print_line(".");
    }
}

static void put_statuses(void)
{
    cli_print_line(".SH EXIT STATUS");
#define PUT_STATUS(identifier, number, meaning) \
    cli_printf(".TP\n%d\n", number); \
    put_line(meaning ".", sizeof meaning);
    CLI_STATUSES(PUT_STATUS)
#undef PUT_STATUS
}

void cli_print_man(void)
{
    cli_print_line(
        ".\\\" Printed by umem \\-\\-print\\-man: change the table of verbs, not this page.\n"
        ".TH UMEM 1 \"\" \"umemd " UMEM_VERSION "\" \"User Commands\"\n"
        ".SH NAME\n"
        "umem \\- memory in a umemd daemon, for people and scripts\n"
        ".SH SYNOPSIS\n"
        "\\fBumem\\fR \\fIVERB\\fR [\\fIWORDS\\fR] [\\fIOPTIONS\\fR]\n"
        ".SH DESCRIPTION\n"
        "umemd owns heap memory and lends it by handle.\n"
        "umem asks it for blocks of memory, reads and writes them, and tells what there is.\n"
        ".PP\n"
        "\\fIBLOCK\\fR and \\fIHEAP\\fR are names or handles; \\fBprocess\\fR is the daemon\\(aqs own heap.\n"
        "Digits that are no name are a handle.\n"
        "What stands behind a colon is a name in any case: \\fB:268435464\\fR is the block of that name, "
        "whatever handles there "
        "are.\n"
        "(\\fBumem call\\fR takes a handle as a number, which is never a name.)\n"
        ".PP\n"
        "A \\fISIZE\\fR or \\fIOFFSET\\fR is in bytes: " UM_SIZE_FORMS ".\n"
        "Units may be written in either case.\n"
        ".PP\n"
        "With \\fB\\-\\-json\\fR a result is one JSON text on standard output, as the daemon gave it.\n"
        "A list is one array with an element a line; an array without its end was cut short by an error.\n"
        "What watch tells is one text a line.\n"
        "An error is one JSON text on standard error: an object with \\fBerror\\fR (\\fBname\\fR, "
        "\\fBmessage\\fR and,\n"
        "as they apply, \\fBcode\\fR, \\fBdata\\fR, \\fBpipe\\fR and \\fBremedy\\fR) and \\fBstatus\\fR, the "
        "exit status.\n"
        ".PP\n"
        "Reading or writing many bytes shows a bar where standard error is a terminal.\n"
        ".SH VERBS");
    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb))
        put_verb(verb);
    put_options();
    put_statuses();
    cli_print_line(".SH ENVIRONMENT\n"
                   ".TP\n\\fBUMEM_PIPE\\fR\nThe daemon\\(aqs pipe, where \\-\\-pipe does not name one.\n"
                   ".TP\n\\fBXDG_RUNTIME_DIR\\fR\nWhere the user\\(aqs own pipe lies, except on Windows.\n"
                   ".SH SEE ALSO\n"
                   "\\fBumem_client\\fR(3), \\fBumemd\\fR(8), \\fBflock\\fR(1), \\fBhexdump\\fR(1)");
}
