/* umem heap ...: create, ls, info, validate, compact, destroy. */
#include "cli/request/lists.h"
#include "cli/request/results.h"
#include "cli/table/verb.h"

static int list(struct cli *cli)
{
    static const struct cli_list heaps = {.method = "heap.list", .member = "heaps"};
    static const struct cli_column columns[] = {
        {"name", "name", CLI_COLUMN_TEXT, 18},
        {"heap", "heap", CLI_COLUMN_NUMBER, 16},
        {"kind", "kind", CLI_COLUMN_TEXT, 7},
        {"blocks", "blocks", CLI_COLUMN_NUMBER, 9},
        {"size", "bytes", CLI_COLUMN_SIZE, 5},
        {"maximum", "maximum_size", CLI_COLUMN_SIZE, 5},
        {"locked", "locked", CLI_COLUMN_FLAG, 6},
        {"corrupted", "corrupted", CLI_COLUMN_FLAG, 9},
        {"peak", "peak_bytes", CLI_COLUMN_SIZE, 0},
        {"alignment", "alignment", CLI_COLUMN_NUMBER, 0},
        {"lifetime", "lifetime", CLI_COLUMN_TEXT, 0},
        {"session", "owner.session", CLI_COLUMN_NUMBER, 0},
        {"pid", "owner.pid", CLI_COLUMN_NUMBER, 0},
        {"program", "owner.program", CLI_COLUMN_TEXT, 0},
        {"user", "owner.user", CLI_COLUMN_TEXT, 0},
        {"calls", "calls", CLI_COLUMN_NUMBER, 0},
        {"touched", "touched_bytes", CLI_COLUMN_SIZE, 0},
        {"used", "last_used", CLI_COLUMN_TIME, 0},
        {NULL, NULL, CLI_COLUMN_TEXT, 0},
    };

    return cli_show_list(cli, &heaps, columns);
}

const struct cli_verb cli_heap_verbs[] = {
    {.name = "heap create",
     .words = "",
     .method = "heap.create",
     .params = {CLI_OPTION(NAME, "name", TEXT), CLI_OPTION(FLAGS, "flags", LIST),
                CLI_OPTION(LIFETIME, "lifetime", TEXT), CLI_OPTION(INITIAL_SIZE, "initial_size", SIZE),
                CLI_OPTION(MAXIMUM_SIZE, "maximum_size", SIZE), CLI_OPTION(ALIGNMENT, "alignment", SIZE),
                CLI_OPTION(KIND, "kind", TEXT), CLI_OPTION(IF_EXISTS, "if_exists", TEXT)},
     .shown = "heap",
     .summary = "make a heap and print its handle",
     .detail =
         "With --maximum-size the heap is a quota: the sizes of its blocks never add up to more. Lifetime "
         "\"session\" is of little use here, because the session ends with this command. With --if-exists "
         "open, a heap that has the "
         "name already and fits is the one that is printed.",
     .example = "umem heap create --name scratch --maximum-size 64M --if-exists open",
     .run = cli_run_method},
    {.name = "heap ls",
     .words = "[PATTERN...]",
     .options = CLI_LIST_OPTIONS,
     .summary = "list the heaps",
     .detail = "PATTERN, -o, --sort and --bytes are as for ls. There are also the columns peak, alignment, "
               "lifetime, session, pid, program, user, locked and corrupted (which are shown where a heap "
               "is), and of the calls about a heap or its blocks calls, "
               "touched (bytes) and used (the last "
               "one's time).",
     .example = "umem heap ls --sort size",
     .run = list},
    {.name = "heap info",
     .words = "HEAP",
     .method = "heap.info",
     .params = {CLI_WORD(0, "heap", HANDLE)},
     .shown = "",
     .summary = "show a heap",
     .example = "umem heap info process",
     .run = cli_run_method},
    {.name = "heap validate",
     .words = "[HEAP]",
     .method = "heap.validate",
     .params = {CLI_WORD(0, "heap", HANDLE), CLI_OPTION(BLOCK, "block", HANDLE)},
     .summary = "check a heap for damage",
     .detail = "Checks the process heap where none is named, or one block. Prints nothing where all is well; "
               "damage is "
               "the error \"corrupted\", which names the first damaged block.",
     .example = "umem heap validate scratch && echo sound",
     .run = cli_run_method},
    {.name = "heap compact",
     .words = "[HEAP]",
     .method = "heap.compact",
     .params = {CLI_WORD(0, "heap", HANDLE)},
     .shown = "largest_free",
     .summary = "return unused memory to the system and print the largest free piece",
     .detail = "The largest free piece is in bytes; 0 where the system does not report it.",
     .run = cli_run_method},
    {.name = "heap flush",
     .words = "HEAP",
     .method = "heap.flush",
     .params = {CLI_WORD(0, "heap", HANDLE)},
     .summary = "wait until a durable heap is on the disk",
     .detail = "Returns when all that was written to it before, records and bytes, is on the disk. Prints "
               "nothing.",
     .example = "umem heap flush photos",
     .run = cli_run_method},
    {.name = "heap destroy",
     .words = "HEAP",
     .method = "heap.destroy",
     .params = {CLI_WORD(0, "heap", HANDLE)},
     .shown = "",
     .summary = "destroy a heap and free its blocks",
     .example = "umem heap destroy scratch",
     .run = cli_run_method},
    {.name = NULL},
};
