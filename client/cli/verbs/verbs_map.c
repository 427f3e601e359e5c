/* umem map, wake: blocks of shared heaps, for scripts that map them. */
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"

static int map(struct cli *cli)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_handle(&params, "block", cli->words[0]);
    return cli_show_result(cli, "block.map", &params, "");
}

static int wake(struct cli *cli)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_handle(&params, "block", cli->words[0]);
    cli_put_size(&params, "offset", cli->option[CLI_OFFSET]);
    cli_put_size(&params, "size", cli->option[CLI_SIZE]);
    return cli_show_result(cli, "block.wake", &params, NULL);
}

const struct cli_verb cli_map_verbs[] = {
    {.name = "map",
     .words = "BLOCK",
     .summary = "show where a block of a shared heap is in shared memory",
     .detail =
         "The object's name, on Linux the path that it has as a file, and the block's offset and size in it.",
     .example = "umem heap create --name fast --kind shared --maximum-size 1M\n"
                "umem alloc 64 --heap fast --name table\n"
                "umem map table",
     .run = map},
    {.name = "wake",
     .words = "BLOCK",
     .options = CLI_TAKES(OFFSET) | CLI_TAKES(SIZE),
     .summary = "notify clients that wait for a block that it was written through a mapping",
     .example = "umem wake table --size 8",
     .run = wake},
    {.name = NULL},
};
