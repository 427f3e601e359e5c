/* umem get, set, add, cas, exchange, wait: numbers in blocks. */
#include <cJSON.h>

#include "cli.h"
#include "json_out.h"
#include "output.h"
#include "params.h"
#include "report.h"
#include "show.h"

#define TYPE_DOC "The number's type is --type, little-endian; "

/* Begins parameters with the block, the offset and the type. */
static void begin(struct cli *cli, struct cli_params *params)
{
    cli_params_begin(params);
    cli_put_handle(params, "block", cli->words[0]);
    cli_put_size(params, "offset", cli->words[1]);
    cli_put_text(params, "type", cli->option[CLI_TYPE]);
}

static int get(struct cli *cli)
{
    struct cli_params params;
    const cJSON *value;
    cJSON *result = NULL;
    int status;

    begin(cli, &params);
    cli_put_size(&params, "count", cli->option[CLI_COUNT]);
    status = cli_call(cli, "block.get", &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL) {
        cli_print_line(cli->result);
    } else if (status == CLI_OK) {
        cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(result, "values"))
        {
            /* 64-bit values past 2^53 come as strings of digits. */
            if (cJSON_IsString(value))
                cli_print_line(value->valuestring);
            else
                cli_print_json(value);
        }
    }
    cJSON_Delete(result);
    return status;
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
    return cli_show(cli, "block.set", &params, NULL);
}

static int add(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    return cli_show(cli, "block.add", &params, "new");
}

static int exchange(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    return cli_show(cli, "block.exchange", &params, "old");
}

static int compare_and_set(struct cli *cli)
{
    struct cli_params params;
    cJSON *result = NULL;
    char room[CLI_NUMBER_ROOM];
    int status;

    begin(cli, &params);
    cli_put_value(&params, "expected", cli->words[2]);
    cli_put_value(&params, "value", cli->words[3]);
    status = cli_call(cli, "block.exchange", &params, &result);
    if (status == CLI_OK) {
        cli_print_line(cli->option[CLI_JSON] != NULL ? cli->result : cli_member(result, "old", room));
        if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "exchanged")))
            status = CLI_NO;
    }
    cJSON_Delete(result);
    return status;
}

static int wait_for(struct cli *cli)
{
    struct cli_params params;

    begin(cli, &params);
    cli_put_value(&params, "value", cli->words[2]);
    cli_put_milliseconds(&params, "timeout_ms", cli->option[CLI_TIMEOUT]);
    cli_end_without_reader();
    return cli_show(cli, "block.wait", &params, "value");
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
                        "fraction; nan, inf and -inf "
                        "are numbers too.",
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
     .example = "umem cas counter 0 41 42 --type i64 || echo somebody was faster",
     .asks = true,
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
     .asks = true,
     .waits = true,
     .run = wait_for},
    {.name = NULL},
};
