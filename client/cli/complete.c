#include "complete.h"

#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "args.h"
#include "cli.h"
#include "output.h"

enum { NAME_ROOM = 64, TOKEN_ROOM = 32, TIMEOUT_MS = 1000, NAMES_MAXIMUM = 2000 };

/* Where the word stands that is completed. */
struct place {
    const char *word;            /* its beginning; "" where there is none yet */
    const struct cli_verb *verb; /* NULL: not named yet */
    char first[NAME_ROOM];       /* the first word, where it is not a verb's whole name */
    int position;                /* of the word behind the verb */
    const char *pipe;            /* what --pipe says */
    enum cli_option option;      /* whose value it is; CLI_OPTION_COUNT: none's */
    bool is_rest;                /* behind "--" */
};

static void offer(const char *word, const char *name)
{
    if (name[0] != '\0' && strncmp(name, word, strlen(word)) == 0)
        cli_print_line(name);
}

/* ---- names that the daemon has ---- */

/* Names that are being offered. */
struct names {
    const char *word;
    int count;
};

static int offer_block(const struct umem_block_info *block, void *context)
{
    struct names *names = context;

    offer(names->word, block->name);
    return ++names->count < NAMES_MAXIMUM ? 0 : 1;
}

static int offer_heap(const struct umem_heap_info *heap, void *context)
{
    struct names *names = context;

    offer(names->word, heap->name);
    return ++names->count < NAMES_MAXIMUM ? 0 : 1;
}

static void offer_members(umem_client *client, const char *word, const char *method, const char *list,
                          const char *member)
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
        char number[TOKEN_ROOM];

        snprintf(number, sizeof number, "%lld", cJSON_IsNumber(value) ? (long long)value->valuedouble : 0);
        offer(word, cJSON_IsString(value) ? value->valuestring : number);
    }
    cJSON_Delete(result);
}

static void offer_from_daemon(const struct place *place, const char *kind)
{
    struct umem_options options = {.pipe = place->pipe, .timeout_ms = TIMEOUT_MS};
    struct names names = {.word = place->word};
    umem_client *client = umem_client_new(&options);

    if (umem_connect(client) == UMEM_OK) {
        if (strcmp(kind, "HEAP") == 0)
            umem_heap_list(client, offer_heap, &names);
        else if (strcmp(kind, "METHOD") == 0)
            offer_members(client, place->word, "rpc.discover", "methods", "name");
        else if (strcmp(kind, "SESSION") == 0)
            offer_members(client, place->word, "session.list", "sessions", "session");
        else
            umem_block_list(client, NULL, offer_block, &names);
    }
    umem_client_free(client);
}

/* ---- from the table ---- */

/* Verbs, or the second words of those that begin with `first`. */
static void offer_verbs(const char *word, const char *first)
{
    char last[NAME_ROOM] = "";
    size_t length = strlen(first);

    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb)) {
        const char *name = verb->name;
        char one[NAME_ROOM];

        if (length != 0 && (strncmp(name, first, length) != 0 || name[length] != ' '))
            continue;
        name += length != 0 ? length + 1 : 0;
        snprintf(one, sizeof one, "%.*s", (int)strcspn(name, " "), name);
        if (strcmp(one, last) != 0)
            offer(word, one);
        snprintf(last, sizeof last, "%s", one);
    }
}

static void offer_words(const char *word, const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        char one[NAME_ROOM];

        snprintf(one, sizeof one, "%.*s", (int)length, words);
        offer(word, one);
        words += length + (words[length] == ' ');
    }
}

/* What a synopsis calls the word tells what it may be. What is not here (files, say) is left to the shell. */
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
        offer_verbs(place->word, place->first);
    else if (strcmp(kind, "TYPE") == 0)
        offer_words(place->word, "u8 i8 u16 i16 u32 i32 u64 i64 f32 f64");
    else if (strcmp(kind, "LIFETIME") == 0)
        offer_words(place->word, "server session");
    else if (strcmp(kind, "FLAGS") == 0)
        offer_words(place->word, "zero_memory no_serialize generate_exceptions realloc_in_place_only");
    else if (strcmp(kind, "SHELL") == 0)
        offer_words(place->word, "bash");
}

static void offer_options(const struct place *place)
{
    uint64_t set = place->verb != NULL ? cli_verb_options(place->verb) : CLI_COMMON_OPTIONS;

    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if ((set & (UINT64_C(1) << i)) != 0)
            offer(place->word, cli_options[i].name);
    }
}

static void offer_word(const struct place *place)
{
    const char *synopsis = place->verb->words;
    char token[TOKEN_ROOM] = "";
    bool is_optional;
    bool is_repeated = false;

    for (int i = 0; i <= place->position && !is_repeated; i++) {
        if (!cli_next_token(&synopsis, token, sizeof token, &is_optional, &is_repeated))
            return;
    }
    offer_kind(place, token);
}

/* ---- the command line so far ---- */

static enum cli_option find_option(const char *word)
{
    for (int i = 0; i < CLI_OPTION_COUNT; i++) {
        if (strcmp(cli_options[i].name, word) == 0 && cli_options[i].value != NULL)
            return (enum cli_option)i;
    }
    return CLI_OPTION_COUNT;
}

static void pass_word(struct place *place, const char *word)
{
    char name[2 * NAME_ROOM];

    if (place->verb != NULL) {
        place->position++;
        return;
    }
    snprintf(name, sizeof name, "%s%s%.*s", place->first, place->first[0] != '\0' ? " " : "", NAME_ROOM - 1,
             word);
    place->verb = cli_find_verb(name);
    if (place->verb != NULL)
        place->first[0] = '\0';
    else
        snprintf(place->first, sizeof place->first, "%s", word);
}

/* The shell gives "--heap=x" as three words. */
static void pass(struct place *place, const char *const *words, int count)
{
    for (int i = 1; i < count; i++) {
        if (place->option != CLI_OPTION_COUNT && strcmp(words[i], "=") == 0)
            continue;
        if (place->option != CLI_OPTION_COUNT) {
            if (place->option == CLI_PIPE)
                place->pipe = words[i];
            place->option = CLI_OPTION_COUNT;
        } else if (strcmp(words[i], "--") == 0) {
            place->is_rest = true;
            return;
        } else if (words[i][0] == '-' && words[i][1] != '\0') {
            place->option = find_option(words[i]);
        } else {
            pass_word(place, words[i]);
        }
    }
}

void cli_complete(const char *index, const char *const *words)
{
    struct place place = {.option = CLI_OPTION_COUNT};
    long wanted = strtol(index, NULL, 10);
    int count = 0;

    while (count < wanted && words[count] != NULL)
        count++;
    place.word = words[count] != NULL ? words[count] : "";
    pass(&place, words, count);
    if (place.option != CLI_OPTION_COUNT && strcmp(place.word, "=") == 0)
        place.word = "";
    if (place.is_rest)
        return;
    if (place.option != CLI_OPTION_COUNT)
        offer_kind(&place, cli_options[place.option].value);
    else if (place.word[0] == '-')
        offer_options(&place);
    else if (place.verb == NULL)
        offer_verbs(place.word, place.first);
    else
        offer_word(&place);
}
