/* umem heap ...: create, ls, info, validate, compact, destroy. */
#include "cli/request/params.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"

static int create(struct cli *cli)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_text(&params, "name", cli->option[CLI_NAME]);
    cli_put_string_list(&params, "flags", cli->option[CLI_FLAGS]);
    cli_put_text(&params, "lifetime", cli->option[CLI_LIFETIME]);
    cli_put_size(&params, "initial_size", cli->option[CLI_INITIAL_SIZE]);
    cli_put_size(&params, "maximum_size", cli->option[CLI_MAXIMUM_SIZE]);
    cli_put_size(&params, "alignment", cli->option[CLI_ALIGNMENT]);
    cli_put_text(&params, "kind", cli->option[CLI_KIND]);
    return cli_show_result(cli, "heap.create", &params, "heap");
}

static int list(struct cli *cli)
{
    static const struct cli_list heaps = {.method = "heap.list", .member = "heaps"};
    static const struct cli_column columns[] = {
        {"HEAP", "heap", -17},
        {"KIND", "kind", -8},
        {"BLOCKS", "blocks", 10},
        {"BYTES", "bytes", 14},
        {"MAXIMUM", "maximum_size", 14},
        {"", "locked", -6},
        {"NAME", "name", 0},
        {NULL, NULL, 0},
    };

    return cli_show_list(cli, &heaps, columns);
}

/* The methods that take a heap only. */
static int with_heap(struct cli *cli, const char *method, const char *member)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_handle(&params, "heap", cli->words[0]);
    return cli_show_result(cli, method, &params, member);
}

static int info(struct cli *cli)
{
    return with_heap(cli, "heap.info", "");
}

static int validate(struct cli *cli)
{
    struct cli_params params;

    cli_params_begin(&params);
    cli_put_handle(&params, "heap", cli->words[0]);
    cli_put_handle(&params, "block", cli->option[CLI_BLOCK]);
    return cli_show_result(cli, "heap.validate", &params, NULL);
}

static int compact(struct cli *cli)
{
    return with_heap(cli, "heap.compact", "largest_free");
}

static int destroy(struct cli *cli)
{
    return with_heap(cli, "heap.destroy", "");
}

const struct cli_verb cli_heap_verbs[] = {
    {.name = "heap create",
     .words = "",
     .options = CLI_TAKES(NAME) | CLI_TAKES(MAXIMUM_SIZE) | CLI_TAKES(INITIAL_SIZE) | CLI_TAKES(ALIGNMENT) |
                CLI_TAKES(FLAGS) | CLI_TAKES(LIFETIME) | CLI_TAKES(KIND),
     .summary = "make a heap and print its handle",
     .detail =
         "With --maximum-size the heap is a quota: the sizes of its blocks never add up to more. Lifetime "
         "\"session\" is of little use here, because the session ends with this command.",
     .example = "umem heap create --name scratch --maximum-size 64M",
     .run = create},
    {.name = "heap ls", .words = "", .summary = "list the heaps", .run = list},
    {.name = "heap info",
     .words = "HEAP",
     .summary = "show a heap",
     .example = "umem heap info process",
     .run = info},
    {.name = "heap validate",
     .words = "[HEAP]",
     .options = CLI_TAKES(BLOCK),
     .summary = "check a heap for damage",
     .detail = "Checks the process heap where none is named, or one block. Prints nothing where all is well; "
               "damage is "
               "the error \"corrupted\", which names the first damaged block.",
     .example = "umem heap validate scratch && echo sound",
     .run = validate},
    {.name = "heap compact",
     .words = "[HEAP]",
     .summary = "return unused memory to the system and print the largest free piece",
     .detail = "The largest free piece is in bytes; 0 where the system does not report it.",
     .run = compact},
    {.name = "heap destroy",
     .words = "HEAP",
     .summary = "destroy a heap and free its blocks",
     .example = "umem heap destroy scratch",
     .run = destroy},
    {.name = NULL},
};
