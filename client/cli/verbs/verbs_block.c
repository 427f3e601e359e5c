/* umem alloc, put, resize, free, change, at, ls, orphans: blocks as a whole. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/lists.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"
#include "cli/transfer/block_file.h"
#include "wire/json_write.h"

/* How a block is made. */
struct making {
    const char *name; /* NULL: it has none */
    const char *size; /* NULL: as many bytes as come */
    const char *if_exists;
    bool prints; /* its handle is wanted */
};

/* Where it is made, and what of. */
static void put_place(const struct cli *cli, struct cli_params *params)
{
    cli_put_handle(params, "heap", cli->option[CLI_HEAP]);
    cli_put_string_list(params, "flags", cli->option[CLI_FLAGS]);
}

static void put_block(struct cli_params *params, umem_handle block)
{
    um_json_put_uint(&params->json, "block", block);
}

/* Calls block.resize; *result is put in place of what it was. */
static int resize_to(struct cli *cli, umem_handle block, uint64_t size, cJSON **result)
{
    struct cli_params params;

    cJSON_Delete(*result);
    *result = NULL;
    cli_params_begin(&params);
    put_block(&params, block);
    um_json_put_uint(&params.json, "size", size);
    return cli_call(cli, "block.resize", &params, result);
}

/* Fills a block that has just been made. One without a given size becomes as large as what comes. */
static int fill(struct cli *cli, const struct making *making, struct cli_source *source, umem_handle block,
                cJSON **result)
{
    char number[CLI_NUMBER_SIZE];
    uint64_t size = strtoull(cli_member(*result, "size", number), NULL, 10);
    int status;

    if (making->size != NULL)
        return cli_send(cli, source, block, size, 0);
    status = cli_send_growing(cli, source, block, size);
    return status == CLI_OK && source->sent != size ? resize_to(cli, block, source->sent, result) : status;
}

/* Gives a block that is filled its name and its lifetime, both at once. */
static int keep(struct cli *cli, const struct making *making, umem_handle block)
{
    const char *lifetime = cli->option[CLI_LIFETIME];
    struct cli_params params;

    cli_params_begin(&params);
    put_block(&params, block);
    cli_put_text(&params, "name", making->name);
    cli_put_text(&params, "lifetime", lifetime != NULL ? lifetime : "server");
    cli_put_text(&params, "if_exists", making->if_exists);
    return cli_call(cli, "block.change", &params, NULL);
}

static void print_made(const struct cli *cli, const struct making *making, const cJSON *result)
{
    char number[CLI_NUMBER_SIZE];

    if (cli->option[CLI_JSON] != NULL)
        cli_print_json(result);
    else if (making->prints)
        cli_print_line(cli_member(result, "block", number));
}

/* A block that is filled has neither name nor another lifetime than its session's before it is: where this command is ended in the
 * middle, or the block cannot be filled, nothing stays. */
static int make_of_source(struct cli *cli, const struct making *making, struct cli_source *source)
{
    char size[CLI_NUMBER_SIZE];
    char number[CLI_NUMBER_SIZE];
    struct cli_params params;
    cJSON *result = NULL;
    umem_handle block;
    int status;

    snprintf(size, sizeof size, "%llu", (unsigned long long)(source->is_sized ? source->size : 0));
    cli_params_begin(&params);
    cli_put_size(&params, "size", making->size != NULL ? making->size : size);
    put_place(cli, &params);
    cli_put_text(&params, "lifetime", "session");
    status = cli_call(cli, "block.alloc", &params, &result);
    if (status != CLI_OK)
        return status;
    block = strtoull(cli_member(result, "block", number), NULL, 10);
    if (block == 0) {
        cJSON_Delete(result);
        return cli_fail_connection(cli, UMEM_E_BAD_ANSWER, "the daemon's answer names no block");
    }
    status = fill(cli, making, source, block, &result);
    if (status == CLI_OK)
        status = keep(cli, making, block);
    if (status == CLI_OK)
        print_made(cli, making, result);
    else if (cli->session != NULL) /* which has other things to do yet */
        (void)umem_block_free(cli->client, block);
    cJSON_Delete(result);
    return status;
}

static int make_of_file(struct cli *cli, const struct making *making, const char *path)
{
    struct cli_source source;
    int status = cli_source_open(&source, path);

    if (status == CLI_OK)
        status = make_of_source(cli, making, &source);
    cli_source_close(&source);
    return status;
}

/* In one request: `bytes` NULL: there are none. */
static int make_at_once(struct cli *cli, const struct making *making, const char *bytes, size_t size)
{
    struct cli_params params;
    cJSON *result = NULL;
    int status;

    cli_params_begin(&params);
    cli_put_size(&params, "size", making->size);
    put_place(cli, &params);
    cli_put_text(&params, "name", making->name);
    cli_put_text(&params, "lifetime", cli->option[CLI_LIFETIME]);
    cli_put_text(&params, "if_exists", making->if_exists);
    if (bytes != NULL)
        cli_put_bytes(&params, "data", bytes, size);
    status = cli_call(cli, "block.alloc", &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK)
        print_made(cli, making, result);
    cJSON_Delete(result);
    return status;
}

static bool is_option(const struct cli *cli, enum cli_option option, const char *text)
{
    return cli->option[option] != NULL && strcmp(cli->option[option], text) == 0;
}

static int alloc(struct cli *cli)
{
    const struct making making = {.name = cli->option[CLI_NAME],
                                  .size = cli->word_count != 0 ? cli->words[0] : NULL,
                                  .if_exists = cli->option[CLI_IF_EXISTS],
                                  .prints = true};

    if (making.if_exists != NULL && making.name == NULL)
        return cli_fail_usage(cli, "--if-exists is about a --name, which is missing");
    if (making.name != NULL && making.name[0] == '\0')
        return cli_fail_usage(cli, "--name is empty; leave it out for a block without a name");
    if (cli->option[CLI_FILE] == NULL)
        return cli->word_count != 0 ? make_at_once(cli, &making, NULL, 0)
                                    : cli_fail_usage(cli, "SIZE or --file is missing");
    if (is_option(cli, CLI_IF_EXISTS, "open"))
        return cli_fail_usage(
            cli, "what is opened stays as it is: --if-exists open and --file do not go together");
    return make_of_file(cli, &making, cli->option[CLI_FILE]);
}

static int put(struct cli *cli)
{
    const struct making making = {.name = cli->words[0],
                                  .if_exists = cli->option[CLI_IF_EXISTS] != NULL ? cli->option[CLI_IF_EXISTS]
                                                                                  : "replace"};
    char *bytes = NULL;
    size_t size;
    int status;

    if (making.name[0] == '\0')
        return cli_fail_usage(cli, "NAME is empty");
    if (is_option(cli, CLI_IF_EXISTS, "open"))
        return cli_fail_usage(cli, "--if-exists can be \"replace\" or \"fail\" here");
    if (cli->word_count == 2 && cli->option[CLI_FILE] != NULL)
        return cli_fail_usage(cli, "the bytes are DATA or the file's, not both");
    if (cli->word_count == 1 && (cli->option[CLI_HEX] != NULL || cli->option[CLI_BASE64] != NULL))
        return cli_fail_usage(cli, "--hex and --base64 say how DATA is written; files are read as they are");
    if (cli->word_count == 1)
        return make_of_file(cli, &making, cli->option[CLI_FILE]);
    status = cli_decode_word(cli, cli->words[1], &bytes, &size);
    if (status == CLI_OK)
        status = make_at_once(cli, &making, bytes, size);
    free(bytes);
    return status;
}

static int free_block(struct cli *cli, const char *text)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_handle(&params, "block", text);
    return cli_call(cli, "block.free", &params, NULL);
}

/* Frees one after the other and continues after a failure, as rm does; the status is the first failure's.
 * Several results are one array, with null for what failed. */
static int free_blocks(struct cli *cli)
{
    bool as_json = cli->option[CLI_JSON] != NULL;
    int first = CLI_OK;

    if (cli->word_count == 1) {
        first = free_block(cli, cli->words[0]);
        if (as_json && first == CLI_OK)
            cli_print_line(cli->result);
        return first;
    }
    for (int i = 0; i < cli->word_count; i++) {
        int status = free_block(cli, cli->words[i]);

        if (as_json)
            cli_printf("%s%s", i == 0 ? "[\n" : ",\n", status == CLI_OK ? cli->result : "null");
        if (first == CLI_OK)
            first = status;
        /* An array that is cut short by an error stays without its end. */
        if (!umem_is_connected(cli->client))
            return first;
    }
    if (as_json)
        cli_print_line("\n]");
    return first;
}

static int change(struct cli *cli)
{
    if (cli->option[CLI_NAME] == NULL && cli->option[CLI_LIFETIME] == NULL)
        return cli_fail_usage(cli, "--name or --lifetime is missing");
    if (cli->session == NULL && cli->option[CLI_LIFETIME] != NULL &&
        strcmp(cli->option[CLI_LIFETIME], "session") == 0)
        return cli_fail_usage(cli, "with --lifetime session the block would be freed as this command ends");
    return cli_run_method(cli);
}

/* ---- lists ---- */

static void put_filter(struct cli *cli, struct cli_params *params)
{
    cli_put_handle(params, "heap", cli->option[CLI_HEAP]);
    cli_put_size(params, "session", cli->option[CLI_SESSION]);
    if (cli->option[CLI_ORPHANED] != NULL || strcmp(cli->verb->name, "orphans") == 0) {
        um_json_put_bool(&params->json, "orphaned", true);
    }
}

static const struct cli_column block_columns[] = {
    {"name", "name", CLI_COLUMN_TEXT, 22},
    {"block", "block", CLI_COLUMN_NUMBER, 16},
    {"size", "size", CLI_COLUMN_SIZE, 5},
    {"heap", "heap", CLI_COLUMN_HEAP, 10},
    {"program", "owner.program", CLI_COLUMN_TEXT, 9},
    {"orphaned", "orphaned", CLI_COLUMN_FLAG, 8},
    {"lifetime", "lifetime", CLI_COLUMN_TEXT, 0},
    {"holders", "holders", CLI_COLUMN_NUMBER, 0},
    {"created", "created", CLI_COLUMN_TIME, 0},
    {"address", "address", CLI_COLUMN_NUMBER, 0},
    {"session", "owner.session", CLI_COLUMN_NUMBER, 0},
    {"pid", "owner.pid", CLI_COLUMN_NUMBER, 0},
    {"user", "owner.user", CLI_COLUMN_TEXT, 0},
    {NULL, NULL, CLI_COLUMN_TEXT, 0},
};

static int list(struct cli *cli)
{
    static const struct cli_list blocks = {.method = "block.list", .member = "blocks", .filter = put_filter};

    return cli_show_list(cli, &blocks, block_columns);
}

/* What `orphans --free` has freed. */
struct freed {
    uint64_t blocks;
    uint64_t bytes;
};

/* A block that was held, named or freed since it was listed is no orphan any more, and stays. */
static int free_orphan(struct cli *cli, const cJSON *block, void *context)
{
    struct freed *freed = context;
    char number[CLI_NUMBER_SIZE];
    char params[96];
    int code;

    snprintf(params, sizeof params, "{\"block\":%s,\"if_orphaned\":true}",
             cli_member(block, "block", number));
    code = umem_call(cli->client, "block.free", params, NULL);
    if (code == UMEM_E_DENIED || code == UMEM_E_STALE_HANDLE)
        return CLI_OK;
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    freed->blocks++;
    freed->bytes += strtoull(cli_member(block, "size", number), NULL, 10);
    return CLI_OK;
}

static int orphans(struct cli *cli)
{
    static const struct cli_list blocks = {
        .method = "block.list", .member = "blocks", .filter = put_filter, .visit = free_orphan};
    struct freed freed = {0};
    int status;

    if (cli->option[CLI_FREE] == NULL)
        return list(cli);
    status = cli_visit_list(cli, &blocks, &freed);
    if (status == CLI_OK)
        cli_printf(cli->option[CLI_JSON] != NULL ? "{\"blocks\":%llu,\"bytes\":%llu}\n"
                                                 : "freed %llu blocks, %llu bytes\n",
                   (unsigned long long)freed.blocks, (unsigned long long)freed.bytes);
    return status;
}

const struct cli_verb cli_block_verbs[] = {
    {.name = "alloc",
     .words = "[SIZE]",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(NAME) | CLI_TAKES(IF_EXISTS) | CLI_TAKES(FLAGS) |
                CLI_TAKES(LIFETIME) | CLI_TAKES(FILE),
     .summary = "allocate a block and print its handle",
     .detail =
         "The block's bytes are zero, or with --file the file's; then SIZE may be left out, and the "
         "block is as large as the file. \"--file -\" is standard input. The block receives its name and "
         "lifetime when its bytes are "
         "there; where umem is ended before, nothing stays. Lifetime \"session\" is of "
         "little use here, because the session ends with this "
         "command. A "
         "block without a name is an orphan afterwards, because no session holds it: see orphans. With "
         "--if-exists, a block that has the name already is opened (without --file: its handle is printed) "
         "or replaced.",
     .example = "umem alloc 64K --name table --if-exists open\numem alloc --file picture.png --name "
                "picture\ndate | umem "
                "alloc --file - --name now",
     .run = alloc},
    {.name = "put",
     .words = "NAME [DATA]",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(IF_EXISTS) | CLI_TAKES(FLAGS) | CLI_TAKES(FILE) | CLI_TAKES(HEX) |
                CLI_TAKES(BASE64),
     .summary = "publish DATA, a file or standard input under a name",
     .detail = "A new block has the name as soon as all bytes are there, and the block that had it is freed, "
               "in one step: who "
               "reads by name has all of the old bytes or all of the new ones. Where umem fails, or is ended "
               "before, the old "
               "block stays and nothing else does. With --if-exists fail, a name that is taken is an error.",
     .example = "umem put config < config.json\numem put motd \"hello\"\numem cat config",
     .run = put},
    {.name = "resize",
     .words = "BLOCK SIZE",
     .method = "block.resize",
     .params = {CLI_WORD(0, "block", HANDLE), CLI_WORD(1, "size", SIZE), CLI_OPTION(FLAGS, "flags", LIST)},
     .summary = "make a block larger or smaller",
     .detail = "The handle and the name stay. Bytes that are added are zero.",
     .example = "umem resize table 128K",
     .run = cli_run_method},
    {.name = "free",
     .alias = "rm",
     .words = "BLOCK...",
     .summary = "free blocks",
     .detail =
         "Continues after a failure; the exit status is that of the first one. With --json, the results "
         "of several are "
         "one array, with null for what failed.",
     .run = free_blocks},
    {.name = "change",
     .words = "BLOCK",
     .method = "block.change",
     .params = {CLI_WORD(0, "block", HANDLE), CLI_OPTION(NAME, "name", TEXT),
                CLI_OPTION(LIFETIME, "lifetime", TEXT), CLI_OPTION(IF_EXISTS, "if_exists", TEXT)},
     .summary = "set a block's name or lifetime",
     .detail = "An empty name removes the name. A named block is no orphan. With --if-exists replace, the "
               "block that has the "
               "name already is freed in the same step.",
     .example = "umem change 268435464 --name found\numem change found --name \"\"",
     .run = change},
    {.name = "at",
     .words = "ADDRESS",
     .method = "block.at",
     .params = {CLI_WORD(0, "address", SIZE)},
     .shown = "block",
     .summary = "print the block that starts at an address of the daemon's",
     .detail = "For debugging: the address is what umem info BLOCK shows, or a debugger that is attached to "
               "the daemon.",
     .example = "umem at 0x7f52d4c01000",
     .run = cli_run_method},
    {.name = "ls",
     .alias = "list",
     .words = "[PATTERN...]",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(SESSION) | CLI_TAKES(ORPHANED) | CLI_LIST_OPTIONS,
     .summary = "list the blocks",
     .detail = "With PATTERN, only those whose name is like one of them: * stands for any characters, ? for "
               "one. Sizes are shortened, and on a terminal names, so that a line fits; --bytes prints them "
               "in full, and so does -o, which "
               "chooses the columns: "
               "name, block, size, heap, program, orphaned, lifetime, holders, created, address, session, "
               "pid and user. Without "
               "--sort blocks come as the daemon has them.",
     .example = "umem ls --heap scratch\numem ls 'cache:*' --sort size\numem ls -o name,size,created\numem "
                "ls --json | jq '.[].size'",
     .run = list},
    {.name = "orphans",
     .words = "",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(FREE) | CLI_LIST_OPTIONS,
     .summary = "list or free blocks that have no name and that no session holds",
     .detail = "With --free, each is freed if it is still an orphan at that moment, and how many they were "
               "is printed.",
     .example = "umem orphans\numem orphans --free",
     .run = orphans},
    {.name = NULL},
};
