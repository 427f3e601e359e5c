/* umem fill, copy, cmp, find: ranges of bytes, within the daemon. */
#include <stdlib.h>

#include <cJSON.h>

#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"

static int compare(struct cli *cli)
{
    struct cli_params params;
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status;

    cli_params_begin_verb(cli, &params);
    status = cli_call(cli, cli->verb->method, &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    if (status == CLI_OK && !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "equal"))) {
        if (cli->option[CLI_JSON] == NULL)
            cli_printf("%s %s differ: offset %s\n", cli->words[0], cli->words[1],
                       cli_member(result, "offset", number));
        status = CLI_NO;
    }
    cJSON_Delete(result);
    return status;
}

static int find(struct cli *cli)
{
    struct cli_params params;
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    char *bytes = NULL;
    size_t size;
    int status = cli_decode_word(cli, cli->words[1], &bytes, &size);

    if (status != CLI_OK)
        return status;
    cli_params_begin(&params);
    cli_put_handle(&params, "block", cli->words[0]);
    cli_put_bytes(&params, "data", bytes, size);
    cli_put_size(&params, "offset", cli->option[CLI_OFFSET]);
    free(bytes);
    status = cli_call(cli, "block.find", &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    if (status == CLI_OK && !cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(result, "offset")))
        status = CLI_NO;
    else if (status == CLI_OK && cli->option[CLI_JSON] == NULL)
        cli_print_line(cli_member(result, "offset", number));
    cJSON_Delete(result);
    return status;
}

const struct cli_verb cli_range_verbs[] = {
    {.name = "fill",
     .words = "BLOCK [BYTE]",
     .method = "block.fill",
     .params = {CLI_WORD(0, "block", HANDLE), CLI_WORD(1, "value", SIZE), CLI_OPTION(OFFSET, "offset", SIZE),
                CLI_OPTION(SIZE, "size", SIZE)},
     .summary = "set every byte of a range to one value",
     .detail = "BYTE is from 0 to 255; 0 where it is left out.",
     .example = "umem fill table 0xff --size 1K",
     .run = cli_run_method},
    {.name = "copy",
     .words = "SOURCE TARGET",
     .method = "block.copy",
     .params = {CLI_WORD(0, "source", HANDLE), CLI_WORD(1, "target", HANDLE),
                CLI_OPTION(OFFSET, "source_offset", SIZE), CLI_OPTION(SECOND_OFFSET, "target_offset", SIZE),
                CLI_OPTION(SIZE, "size", SIZE)},
     .summary = "copy bytes from one block to another, or within one",
     .detail = "--offset is the source's, --second-offset the target's. Without --size, all from --offset to "
               "the source's end "
               "is copied. The ranges may overlap.",
     .example = "umem copy table backup\numem copy table table --size 16 --second-offset 64",
     .run = cli_run_method},
    {.name = "cmp",
     .words = "LEFT RIGHT",
     .method = "block.compare",
     .params = {CLI_WORD(0, "left", HANDLE), CLI_WORD(1, "right", HANDLE),
                CLI_OPTION(OFFSET, "left_offset", SIZE), CLI_OPTION(SECOND_OFFSET, "right_offset", SIZE),
                CLI_OPTION(SIZE, "size", SIZE)},
     .summary = "compare two blocks",
     .detail = "Ends with 0 where they are the same, and with 1 where they differ; then the offset of the "
               "first difference is "
               "printed, counted from the start of the ranges. Without --size, all from --offset to the left "
               "block's end is "
               "compared; the range must lie in both blocks.",
     .example = "umem cmp table backup && echo the same",
     .is_test = true,
     .run = compare},
    {.name = "find",
     .words = "BLOCK DATA",
     .options = CLI_TAKES(OFFSET) | CLI_TAKES(HEX) | CLI_TAKES(BASE64),
     .summary = "find bytes in a block and print the offset",
     .detail = "Ends with 1 where the bytes are not found from --offset on. The offset is counted from the "
               "start of the block.",
     .example = "umem find table hello\numem find table 2a000000 --hex --offset 64",
     .is_test = true,
     .run = find},
    {.name = NULL},
};
