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

#define TYPE_DOC "The number's type is --type, little-endian; "

/* Begins parameters with the block, the offset and the type. */
static void begin(struct cli *cli, struct cli_params *params)
{
    const char *type = cli->option[CLI_TYPE];

    cli_params_begin(params);
    params->has_floats = type != NULL && type[0] == 'f';
    cli_put_handle(params, "block", cli->words[0]);
    cli_put_size(params, "offset", cli->words[1]);
    cli_put_text(params, "type", type);
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

/* Calls the method and prints the numbers that this member of its result has. */
static int show_numbers(struct cli *cli, const char *method, struct cli_params *params, const char *name)
{
    int status = cli_call(cli, method, params, NULL);

    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK)
        status = print_numbers(cli, name, NULL);
    return status;
}

static int get(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_size(&params, "count", cli->option[CLI_COUNT]);
    return show_numbers(cli, "block.get", &params, "values");
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
    return cli_show_result(cli, "block.set", &params, NULL);
}

static int add(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    return show_numbers(cli, "block.add", &params, "new");
}

static int exchange(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    return show_numbers(cli, "block.exchange", &params, "old");
}

static int compare_and_set(struct cli *cli)
{
    struct cli_params params;
    bool exchanged = false;
    int status;

    begin(cli, &params);
    cli_put_value(&params, "expected", cli->words[2]);
    cli_put_value(&params, "value", cli->words[3]);
    status = cli_call(cli, "block.exchange", &params, NULL);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    if (status == CLI_OK)
        status = print_numbers(cli, cli->option[CLI_JSON] != NULL ? "" : "old", &exchanged);
    return status == CLI_OK && !exchanged ? CLI_NO : status;
}

static int wait_for(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    cli_put_milliseconds(&params, "timeout_ms", cli->option[CLI_TIMEOUT]);
    cli_exit_on_broken_pipe();
    return show_numbers(cli, "block.wait", &params, "value");
}

const struct cli_verb cli_value_verbs[] = {
    {.name = "get",
     .words = "BLOCK OFFSET",
     .options = CLI_TAKES(TYPE) | CLI_TAKES(COUNT),
     .summary = "print numbers of a block, one a line",
     .detail = TYPE_DOC "u8, a byte, where it is left out. --count is how many; 1 where it is left out.",
     .example = "umem get counter 0 --type i64\numem get table 16 --type f32 --count 4",
     .run = get},
    {.name = "set",
     .words = "BLOCK OFFSET VALUE...",
     .options = CLI_TAKES(TYPE),
     .summary = "write numbers to a block",
     .detail = TYPE_DOC "u8, a byte, where it is left out. A VALUE is decimal, 0x and hexadecimal, or has a "
                        "fraction or an exponent; nan, inf and -inf are numbers too.",
     .example = "umem set counter 0 41 --type i64\numem set table 16 0.5 -1.25 inf --type f32",
     .run = set},
    {.name = "add",
     .words = "BLOCK OFFSET VALUE",
     .options = CLI_TAKES(TYPE),
     .summary = "add to a number in one step and print what it is now",
     .detail = TYPE_DOC
     "u8, a byte, where it is left out. No other client's change can come in between. Integers wrap around.",
     .example = "umem add counter 0 1 --type i64\numem add counter 0 -5 --type i64",
     .run = add},
    {.name = "cas",
     .words = "BLOCK OFFSET EXPECTED VALUE",
     .options = CLI_TAKES(TYPE),
     .summary = "write VALUE if the number is EXPECTED, in one step",
     .detail = TYPE_DOC "u8, a byte, where it is left out. Prints what the number was. Ends with 1 where "
                        "that was not EXPECTED, and "
                        "nothing was written.",
     .example = "umem cas counter 0 41 42 --type i64 || echo another client was faster",
     .is_test = true,
     .run = compare_and_set},
    {.name = "exchange",
     .words = "BLOCK OFFSET VALUE",
     .options = CLI_TAKES(TYPE),
     .summary = "write a number and print what it was, in one step",
     .detail = TYPE_DOC "u8, a byte, where it is left out.",
     .example = "umem exchange counter 0 0 --type i64",
     .run = exchange},
    {.name = "wait",
     .words = "BLOCK OFFSET VALUE",
     .options = CLI_TAKES(TYPE),
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
