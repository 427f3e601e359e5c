/* umem map, wake: blocks of shared heaps, for scripts that map them. */
#include "cli/request/results.h"
#include "cli/table/verb.h"

const struct cli_verb cli_map_verbs[] = {
    {.name = "map",
     .words = "BLOCK",
     .method = "block.map",
     .params = {CLI_WORD(0, "block", HANDLE)},
     .shown = "",
     .summary = "show where a block of a shared heap is in shared memory",
     .detail =
         "The object's name, on Linux the path that it has as a file, and the block's offset and size in it.",
     .example = "umem heap create --name fast --kind shared --maximum-size 1M\n"
                "umem alloc 64 --heap fast --name table\n"
                "umem map table",
     .run = cli_run_method},
    {.name = "wake",
     .words = "BLOCK",
     .method = "block.wake",
     .params = {CLI_WORD(0, "block", HANDLE), CLI_OPTION(OFFSET, "offset", SIZE),
                CLI_OPTION(SIZE, "size", SIZE)},
     .summary = "notify clients that wait for a block that it was written through a mapping",
     .example = "umem wake table --size 8",
     .run = cli_run_method},
    {.name = NULL},
};
