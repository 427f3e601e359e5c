/* umem get, set, add, cas, exchange, wait: numbers in blocks. */
#include <string.h>

#include "base/arena.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

/* Where the number is, and its type. */
#define NUMBER_PARAMS \
    CLI_WORD(0, "block", HANDLE), CLI_WORD(1, "offset", SIZE), CLI_OPTION(TYPE, "type", TEXT)

#define TYPE_DOC "The number's type is --type, little-endian; "

/* Begins parameters with those of the entry: the block, the offset and the type. */
static void begin(struct cli *cli, struct cli_params *params)
{
    const char *type = cli->option[CLI_TYPE];

    cli_params_begin_verb(cli, params);
    params->has_floats = type != NULL && type[0] == 'f';
}

/* A number as the daemon has written it; one of 64 bits past 2^53 comes as a string of digits. */
static void print_number(const struct um_json *number)
{
    bool is_string = um_json_is(number, UM_JSON_STRING);

    if (is_string || um_json_is(number, UM_JSON_NUMBER))
        cli_printf("%.*s\n", (int)(is_string ? number->size : um_json_number_size(number)), number->text);
}

/* Prints the member of a result, a number or an array of them. *exchanged (NULL: not wanted) is what the result says of that. */
static int print_numbers(struct cli *cli, const char *name, bool *exchanged)
{
    struct um_arena arena = {0};
    struct um_json_check check;
    struct um_json *result;
    const struct um_json *member;
    int code = um_json_read(cli->result, strlen(cli->result), &arena, &result, &check);

    if (code == UMEM_OK) {
        member = um_json_member_of(result, name);
        if (um_json_is(member, UM_JSON_ARRAY)) {
            for (const struct um_json *item = member->child; item != NULL; item = item->next)
                print_number(item);
        } else {
            print_number(member);
        }
        if (exchanged != NULL)
            *exchanged = um_json_is(um_json_member_of(result, "exchanged"), UM_JSON_TRUE);
    }
    um_arena_deinit(&arena);
    return code == UMEM_OK ? CLI_OK : cli_fail_memory();
}

/* Calls the method and prints the numbers of its result. */
static int show_numbers(struct cli *cli, struct cli_params *params)
{
    int status = cli_call(cli, cli->verb->method, params, NULL);

    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK)
        status = print_numbers(cli, cli->verb->shown, NULL);
    return status;
}

static int get(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    return show_numbers(cli, &params);
}

static int set(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    um_json_key(&params.json, "values");
    um_json_begin_array(&params.json);
    for (int i = 2; i < cli->word_count; i++)
        cli_put_element(&params, cli->words[i]);
    um_json_end_array(&params.json);
    return cli_show_result(cli, cli->verb->method, &params, NULL);
}

/* The methods that take one number and answer with one. */
static int update(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    return show_numbers(cli, &params);
}

static int compare_and_set(struct cli *cli)
{
    struct cli_params params;
    bool exchanged = false;
    int status;

    begin(cli, &params);
    cli_put_value(&params, "expected", cli->words[2]);
    cli_put_value(&params, "value", cli->words[3]);
    status = cli_call(cli, cli->verb->method, &params, NULL);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    if (status == CLI_OK)
        status = print_numbers(cli, cli->option[CLI_JSON] != NULL ? "" : cli->verb->shown, &exchanged);
    return status == CLI_OK && !exchanged ? CLI_NO : status;
}

static int wait_for(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    cli_put_milliseconds(&params, "timeout_ms", cli->option[CLI_TIMEOUT]);
    cli_exit_on_broken_pipe();
    return show_numbers(cli, &params);
}

const struct cli_verb cli_value_verbs[] = {
    {.name = "get",
     .words = "BLOCK OFFSET",
     .method = "block.get",
     .params = {NUMBER_PARAMS, CLI_OPTION(COUNT, "count", SIZE)},
     .shown = "values",
     .summary = "print numbers of a block, one a line",
     .detail = TYPE_DOC "u8, a byte, where it is left out. --count is how many; 1 where it is left out.",
     .example = "umem get counter 0 --type i64\numem get table 16 --type f32 --count 4",
     .run = get},
    {.name = "set",
     .words = "BLOCK OFFSET VALUE...",
     .method = "block.set",
     .params = {NUMBER_PARAMS},
     .summary = "write numbers to a block",
     .detail = TYPE_DOC "u8, a byte, where it is left out. A VALUE is decimal, 0x and hexadecimal, or has a "
                        "fraction or an exponent; nan, inf and -inf are numbers too.",
     .example = "umem set counter 0 41 --type i64\numem set table 16 0.5 -1.25 inf --type f32",
     .run = set},
    {.name = "add",
     .words = "BLOCK OFFSET VALUE",
     .method = "block.add",
     .params = {NUMBER_PARAMS},
     .shown = "new",
     .summary = "add to a number in one step and print what it is now",
     .detail = TYPE_DOC
     "u8, a byte, where it is left out. No other client's change can come in between. Integers wrap around.",
     .example = "umem add counter 0 1 --type i64\numem add counter 0 -5 --type i64",
     .run = update},
    {.name = "cas",
     .words = "BLOCK OFFSET EXPECTED VALUE",
     .method = "block.exchange",
     .params = {NUMBER_PARAMS},
     .shown = "old",
     .summary = "write VALUE if the number is EXPECTED, in one step",
     .detail = TYPE_DOC "u8, a byte, where it is left out. Prints what the number was. Ends with 1 where "
                        "that was not EXPECTED, and "
                        "nothing was written.",
     .example = "umem cas counter 0 41 42 --type i64 || echo another client was faster",
     .is_test = true,
     .run = compare_and_set},
    {.name = "exchange",
     .words = "BLOCK OFFSET VALUE",
     .method = "block.exchange",
     .params = {NUMBER_PARAMS},
     .shown = "old",
     .summary = "write a number and print what it was, in one step",
     .detail = TYPE_DOC "u8, a byte, where it is left out.",
     .example = "umem exchange counter 0 0 --type i64",
     .run = update},
    {.name = "wait",
     .words = "BLOCK OFFSET VALUE",
     .method = "block.wait",
     .params = {NUMBER_PARAMS},
     .shown = "value",
     .summary = "wait until a number is no longer VALUE and print what it is then",
     .detail = TYPE_DOC
     "u8, a byte, where it is left out. Ends with 1 where --timeout is over before. A block that is freed "
     "meanwhile is the error stale_handle.",
     .example = "umem wait counter 0 0 --type i64 --timeout 5000",
     .is_test = true,
     .waits = true,
     .run = wait_for},
    {.name = NULL},
};
