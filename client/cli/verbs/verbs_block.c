/* umem alloc, resize, free, change, at, ls, orphans: blocks as a whole. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"
#include "cli/transfer/block_file.h"
#include "wire/json_write.h"

/* A block that is filled has neither name nor another lifetime than its session's before it is: where this command is ended in the
 * middle, nothing stays. */
static int alloc_of_size(struct cli *cli, const char *size, bool is_filled, cJSON **result)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_size(&params, "size", size);
    cli_put_handle(&params, "heap", cli->option[CLI_HEAP]);
    cli_put_string_list(&params, "flags", cli->option[CLI_FLAGS]);
    cli_put_text(&params, "name", is_filled ? NULL : cli->option[CLI_NAME]);
    cli_put_text(&params, "lifetime", is_filled ? "session" : cli->option[CLI_LIFETIME]);
    return cli_call(cli, "block.alloc", &params, result);
}

static void put_block(struct cli_params *params, umem_handle block)
{
    um_json_key(&params->json, "block");
    um_json_uint(&params->json, block);
}

/* Calls block.resize; *result is put in place of what it was. */
static int resize_to(struct cli *cli, umem_handle block, uint64_t size, cJSON **result)
{
    struct cli_params params;

    cJSON_Delete(*result);
    *result = NULL;
    cli_params_begin(&params);
    put_block(&params, block);
    um_json_key(&params.json, "size");
    um_json_uint(&params.json, size);
    return cli_call(cli, "block.resize", &params, result);
}

/* Fills a block that has just been made. One without a given size becomes as large as what comes. */
static int fill(struct cli *cli, struct cli_source *source, umem_handle block, cJSON **result)
{
    char number[CLI_NUMBER_SIZE];
    uint64_t size = strtoull(cli_member(*result, "size", number), NULL, 10);
    int status;

    if (cli->word_count != 0)
        return cli_send(cli, source, block, size, 0);
    status = cli_send_growing(cli, source, block, size);
    return status == CLI_OK && source->sent != size ? resize_to(cli, block, source->sent, result) : status;
}

/* Gives a block that is filled its name and its lifetime, both at once. */
static int keep(struct cli *cli, umem_handle block)
{
    const char *lifetime = cli->option[CLI_LIFETIME];
    struct cli_params params;

    cli_params_begin(&params);
    put_block(&params, block);
    cli_put_text(&params, "name", cli->option[CLI_NAME]);
    cli_put_text(&params, "lifetime", lifetime != NULL ? lifetime : "server");
    return cli_call(cli, "block.change", &params, NULL);
}

/* One that cannot be filled ends with this session. */
static int alloc_file(struct cli *cli, struct cli_source *source)
{
    char size[CLI_NUMBER_SIZE];
    char number[CLI_NUMBER_SIZE];
    cJSON *result = NULL;
    umem_handle block;
    int status;

    snprintf(size, sizeof size, "%llu", (unsigned long long)(source->is_sized ? source->size : 0));
    status = alloc_of_size(cli, cli->word_count != 0 ? cli->words[0] : size, true, &result);
    if (status != CLI_OK)
        return status;
    block = strtoull(cli_member(result, "block", number), NULL, 10);
    if (block == 0) {
        cJSON_Delete(result);
        return cli_fail_connection(cli, UMEM_E_BAD_ANSWER, "the daemon's answer names no block");
    }
    status = fill(cli, source, block, &result);
    if (status == CLI_OK)
        status = keep(cli, block);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_json(result);
    else if (status == CLI_OK)
        cli_print_line(cli_member(result, "block", number));
    cJSON_Delete(result);
    return status;
}

static int alloc(struct cli *cli)
{
    struct cli_source source;
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status;

    if (cli->option[CLI_FILE] != NULL) {
        status = cli_source_open(&source, cli->option[CLI_FILE]);
        if (status == CLI_OK)
            status = alloc_file(cli, &source);
        cli_source_close(&source);
        return status;
    }
    if (cli->word_count == 0)
        return cli_fail_usage(cli, "SIZE or --file is missing");
    status = alloc_of_size(cli, cli->words[0], false, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK)
        cli_print_line(cli_member(result, "block", number));
    cJSON_Delete(result);
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
        um_json_key(&params->json, "orphaned");
        um_json_bool(&params->json, true);
    }
}

static const struct cli_column block_columns[] = {
    {"BLOCK", "block", -17},           {"BYTES", "size", 14}, {"HEAP", "heap", -17}, {"PID", "owner.pid", 8},
    {"PROGRAM", "owner.program", -16}, {"", "orphaned", -8},  {"NAME", "name", 0},   {NULL, NULL, 0},
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
     .options = CLI_TAKES(HEAP) | CLI_TAKES(NAME) | CLI_TAKES(FLAGS) | CLI_TAKES(LIFETIME) | CLI_TAKES(FILE),
     .summary = "allocate a block and print its handle",
     .detail =
         "The block's bytes are zero, or with --file the file's; then SIZE may be left out, and the "
         "block is as large as the file. \"--file -\" is standard input. The block receives its name and "
         "lifetime when its bytes are "
         "there; where umem is ended before, nothing stays. Lifetime \"session\" is of "
         "little use here, because the session ends with this "
         "command. A "
         "block without a name is an orphan afterwards, because no session holds it: see orphans.",
     .example = "umem alloc 64K --name table\numem alloc --file picture.png --name picture\ndate | umem "
                "alloc --file - --name now",
     .run = alloc},
    {.name = "resize",
     .words = "BLOCK SIZE",
     .method = "block.resize",
     .params = {CLI_WORD(0, "block", HANDLE), CLI_WORD(1, "size", SIZE), CLI_OPTION(FLAGS, "flags", LIST)},
     .summary = "make a block larger or smaller",
     .detail = "The handle and the name stay. Bytes that are added are zero.",
     .example = "umem resize table 128K",
     .run = cli_run_method},
    {.name = "free",
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
                CLI_OPTION(LIFETIME, "lifetime", TEXT)},
     .summary = "set a block's name or lifetime",
     .detail = "An empty name removes the name. A named block is no orphan.",
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
     .words = "",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(SESSION) | CLI_TAKES(ORPHANED),
     .summary = "list the blocks",
     .example = "umem ls --heap scratch\numem ls --json | jq '.[].size'",
     .run = list},
    {.name = "orphans",
     .words = "",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(FREE),
     .summary = "list or free blocks that have no name and that no session holds",
     .detail = "With --free, each is freed if it is still an orphan at that moment, and how many they were "
               "is printed.",
     .example = "umem orphans\numem orphans --free",
     .run = orphans},
    {.name = NULL},
};
