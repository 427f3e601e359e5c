#include "cli/command/completion.h"

#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli/command/command_line.h"
#include "cli/command/command_words.h"
#include "cli/output/output.h"
#include "cli/system/clock.h"
#include "cli/table/verb.h"

enum {
    NAME_SIZE = 64,
    TOKEN_SIZE = 32,
    OPTION_SIZE = 32, /* "--option=" */
    CALL_MS = 1000,   /* how long the daemon may take for one call */
    LIST_MS = 3000    /* and for all that it has: what a person waits for */
};

/* Where the word stands that is completed. */
struct place {
    const char *word;            /* its beginning, without quotes; "" where there is none yet */
    const struct cli_verb *verb; /* NULL: not named yet */
    char first[NAME_SIZE];       /* the first word, where it is not a verb's whole name */
    int position;                /* of the word after the verb */
    const char *pipe;            /* what --pipe says */
    const char *server_user;     /* what --server-user says */
    enum cli_option option;      /* whose value it is; CLI_OPTION_COUNT: none's */
    const char *value;           /* the value's beginning: the word, or the part of it after "=" */
    bool is_rest;                /* after "--" */
    char quote;                  /* that is open at the cursor; NUL: none */
    size_t kept;                 /* bytes of the word that the shell keeps: it replaces what follows */
    cli_candidate *found;        /* is called for what is offered; NULL: it is printed for a shell */
    void *context;
};

/* Prints a word, as it is written within the quote that is open. */
static void print_quoted(const char *text, char quote)
{
    for (; *text != '\0'; text++) {
        bool is_plain = (unsigned char)*text >= 0x80 || (*text >= 'a' && *text <= 'z') ||
                        (*text >= 'A' && *text <= 'Z') || cli_is_one_of(*text, "0123456789_@%+=:,./-");

        if (quote == '\'' && *text == '\'')
            cli_print("'\\'");
        else if ((quote == '"' && cli_is_one_of(*text, "\\\"$`")) || (quote == '\0' && !is_plain))
            cli_print_char('\\');
        cli_print_char(*text);
    }
    cli_print_char('\n');
}

/* Offers `name` for what the word, or the value in it, begins with. */
static void offer(const struct place *place, const char *name)
{
    size_t before = (size_t)(place->value - place->word);

    if (name[0] == '\0' || strncmp(name, place->value, strlen(place->value)) != 0)
        return;
    if (place->found != NULL) {
        char whole[UMEM_NAME_SIZE + OPTION_SIZE];

        snprintf(whole, sizeof whole, "%.*s%s", (int)before, place->word, name);
        place->found(place->context, whole);
        return;
    }
    /* What the shell keeps of the word may end before the value or within it. */
    if (place->kept < before)
        cli_printf("%.*s", (int)(before - place->kept), place->word + place->kept);
    print_quoted(name + (place->kept > before ? place->kept - before : 0), place->quote);
}

/* ---- names that the daemon has ---- */

/* Names that are being offered. */
struct names {
    const struct place *place;
    uint64_t deadline_ms;
};

static int offer_name(const struct names *names, const char *name)
{
    char marked[UMEM_NAME_SIZE + 1];

    /* A colon says that a name follows. */
    snprintf(marked, sizeof marked, ":%s", name);
    offer(names->place, names->place->value[0] == ':' && name[0] != '\0' ? marked : name);
    return cli_now_ms() < names->deadline_ms ? 0 : 1;
}

static int offer_block(const struct umem_block_info *block, void *context)
{
    return offer_name(context, block->name);
}

static int offer_heap(const struct umem_heap_info *heap, void *context)
{
    return offer_name(context, heap->name);
}

static void offer_members(umem_client *client, const struct place *place, const char *method,
                          const char *list, const char *member)
{
    const cJSON *item;
    char *text = NULL;
    cJSON *result = NULL;

    if (umem_call(client, method, NULL, &text) == UMEM_OK)
        result = cJSON_Parse(text);
    umem_free_text(text);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(result, list))
    {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, member);
        char number[TOKEN_SIZE];

        snprintf(number, sizeof number, "%lld", cJSON_IsNumber(value) ? (long long)value->valuedouble : 0);
        offer(place, cJSON_IsString(value) ? value->valuestring : number);
    }
    cJSON_Delete(result);
}

static void offer_from_daemon(const struct place *place, const char *kind)
{
    struct umem_options options = {
        .pipe = place->pipe, .server_user = place->server_user, .timeout_ms = CALL_MS};
    struct names names = {place, cli_now_ms() + LIST_MS};
    umem_client *client = umem_client_new(&options);

    if (umem_connect(client) == UMEM_OK) {
        if (strcmp(kind, "HEAP") == 0)
            umem_heap_list(client, offer_heap, &names);
        else if (strcmp(kind, "METHOD") == 0)
            offer_members(client, place, "rpc.discover", "methods", "name");
        else if (strcmp(kind, "SESSION") == 0)
            offer_members(client, place, "session.list", "sessions", "session");
        else
            umem_block_list(client, NULL, offer_block, &names);
    }
    umem_client_free(client);
}

/* ---- from the table ---- */

/* Verbs, or the second words of those that begin with `first`. */
static void offer_verbs(const struct place *place, const char *first)
{
    char last[NAME_SIZE] = "";
    size_t length = strlen(first);

    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb)) {
        const char *name = verb->name;
        char one[NAME_SIZE];

        if (length != 0 && (strncmp(name, first, length) != 0 || name[length] != ' '))
            continue;
        name += length != 0 ? length + 1 : 0;
        snprintf(one, sizeof one, "%.*s", (int)strcspn(name, " "), name);
        if (strcmp(one, last) != 0)
            offer(place, one);
        snprintf(last, sizeof last, "%s", one);
    }
}

static void offer_words(const struct place *place, const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        char one[NAME_SIZE];

        snprintf(one, sizeof one, "%.*s", (int)length, words);
        offer(place, one);
        words += length + (words[length] == ' ');
    }
}

/* The word's name in the synopsis determines what it may be. What is not here (files, say) is left to the shell. */
static void offer_kind(const struct place *place, const char *kind)
{
    static const char *const blocks[] = {"BLOCK", "SOURCE", "TARGET", "LEFT", "RIGHT"};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (strcmp(kind, blocks[i]) == 0)
            offer_from_daemon(place, "BLOCK");
    }
    if (strcmp(kind, "HEAP") == 0 || strcmp(kind, "METHOD") == 0 || strcmp(kind, "SESSION") == 0)
        offer_from_daemon(place, kind);
    else if (strcmp(kind, "NAME") == 0 && place->verb != NULL && strcmp(place->verb->name, "help") == 0)
        offer_verbs(place, place->first);
    else if (strcmp(kind, "TYPE") == 0)
        offer_words(place, "u8 i8 u16 i16 u32 i32 u64 i64 f32 f64");
    else if (strcmp(kind, "LIFETIME") == 0)
        offer_words(place, "server session");
    else if (strcmp(kind, "FLAGS") == 0)
        offer_words(place, "zero_memory no_serialize generate_exceptions realloc_in_place_only");
    else if (strcmp(kind, "WHEN") == 0)
        offer_words(place, "auto always never");
    else if (strcmp(kind, "SHELL") == 0)
        offer_words(place, "bash zsh fish powershell");
}

static void offer_options(const struct place *place)
{
    uint64_t set = place->verb != NULL ? cli_verb_options(place->verb) : CLI_COMMON_OPTIONS;

    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if ((set & (UINT64_C(1) << i)) != 0)
            offer(place, cli_option_table.options[i].name);
    }
}

static void offer_word(const struct place *place)
{
    const char *synopsis = place->verb->words;
    char token[TOKEN_SIZE] = "";
    bool is_optional;
    bool is_repeated = false;

    for (int i = 0; i <= place->position && !is_repeated; i++) {
        if (!cli_next_token(&synopsis, token, sizeof token, &is_optional, &is_repeated))
            return;
    }
    offer_kind(place, token);
}

/* ---- the command line so far ---- */

/* The option of that name, of those that take a value. */
static enum cli_option find_option(const char *name, size_t length)
{
    int option = um_option_find(&cli_option_table, name, length);

    return option >= 0 && cli_option_table.options[option].value != NULL ? (enum cli_option)option
                                                                         : CLI_OPTION_COUNT;
}

static void pass_word(struct place *place, const char *word)
{
    char name[2 * NAME_SIZE];

    if (place->verb != NULL) {
        place->position++;
        return;
    }
    snprintf(name, sizeof name, "%s%s%.*s", place->first, place->first[0] != '\0' ? " " : "", NAME_SIZE - 1,
             word);
    place->verb = cli_find_verb(name);
    if (place->verb != NULL)
        place->first[0] = '\0';
    else
        snprintf(place->first, sizeof place->first, "%s", word);
}

/* Keeps what says where the daemon is. */
static void pass_value(struct place *place, enum cli_option option, const char *value)
{
    if (option == CLI_PIPE)
        place->pipe = value;
    else if (option == CLI_SERVER_USER)
        place->server_user = value;
}

/* An option, whose value is the next word or what follows "=". */
static void pass_option(struct place *place, const char *word)
{
    const char *equals = strchr(word, '=');

    if (equals == NULL)
        place->option = find_option(word, strlen(word));
    else
        pass_value(place, find_option(word, (size_t)(equals - word)), equals + 1);
}

static void pass(struct place *place, const char *word)
{
    if (place->option != CLI_OPTION_COUNT) {
        pass_value(place, place->option, word);
        place->option = CLI_OPTION_COUNT;
    } else if (strcmp(word, "--") == 0) {
        place->is_rest = true;
    } else if (word[0] == '-' && word[1] != '\0') {
        pass_option(place, word);
    } else {
        pass_word(place, word);
    }
}

/* Where the value of an option begins in the word itself. */
static void find_value(struct place *place)
{
    const char *equals = place->word[0] == '-' ? strchr(place->word, '=') : NULL;

    if (equals == NULL || place->option != CLI_OPTION_COUNT)
        return;
    place->option = find_option(place->word, (size_t)(equals - place->word));
    if (place->option != CLI_OPTION_COUNT)
        place->value = equals + 1;
}

static void complete(struct place *place, const struct cli_words *line)
{
    for (size_t i = 1; i + 1 < line->count && !place->is_rest; i++)
        pass(place, line->words[i]);
    place->word = line->count > 1 ? line->words[line->count - 1] : "";
    place->value = place->word;
    place->quote = line->quote;
    place->kept = line->count > 1 ? line->kept : 0;
    find_value(place);
    if (place->is_rest)
        ;
    else if (place->option != CLI_OPTION_COUNT)
        offer_kind(place, cli_option_table.options[place->option].value);
    else if (place->word[0] == '-')
        offer_options(place);
    else if (place->verb == NULL)
        offer_verbs(place, place->first);
    else
        offer_word(place);
}

void cli_complete(const char *text, const char *breaks)
{
    struct place place = {.option = CLI_OPTION_COUNT};
    struct cli_words line;

    if (cli_words_read(&line, text, CLI_WORDS_SHELL, breaks))
        complete(&place, &line);
    cli_words_free(&line);
}

void cli_find_candidates(const char *text, cli_candidate *found, void *context)
{
    struct place place = {.option = CLI_OPTION_COUNT, .found = found, .context = context};
    struct cli_words line;

    if (cli_words_read(&line, text, CLI_WORDS_LINE, ""))
        complete(&place, &line);
    cli_words_free(&line);
}
