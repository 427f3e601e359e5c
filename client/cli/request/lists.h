/*
 * Lists: fetched page by page, and shown as tables; with --json as the daemon said them.
 *
 * Owns: the look of tables. Must not know: which methods there are.
 *
 * With --json a list is one array with an element a line, so that both a JSON parser and a line-minded tool can take it.
 */
#ifndef UMEM_CLI_LISTS_H
#define UMEM_CLI_LISTS_H

#include "cli/request/params.h"
#include "cli/table/verb.h"

struct cJSON;

/* How a column's member is shown. */
enum cli_column_kind {
    CLI_COLUMN_TEXT,
    CLI_COLUMN_NUMBER,
    CLI_COLUMN_SIZE, /* bytes: 17, 1.5K, 64M; with --bytes, or by -o, in full */
    CLI_COLUMN_HEAP, /* a heap's handle, shown by its name where it has one */
    CLI_COLUMN_TIME, /* seconds since 1970, shown as UTC */
    CLI_COLUMN_FLAG  /* true: the column's name; false: nothing */
};

/* A column of a table. A list of them ends with one without a name. */
struct cli_column {
    const char *name; /* for -o and --sort; in capitals, the title */
    const char *path; /* of the member */
    enum cli_column_kind kind;
    int width; /* most characters that a terminal shows of it; 0: only with -o */
};

/* What a list's pages are asked for, and where they are in the result. */
struct cli_list {
    const char *method;                                       /* "block.list" */
    const char *member;                                       /* "blocks" */
    void (*filter)(struct cli *, struct cli_params *);        /* adds parameters; NULL: none */
    int (*visit)(struct cli *, const struct cJSON *, void *); /* returns an exit status; not CLI_OK: ends */
};

/* Calls list->visit for each entry, page by page. */
int cli_visit_list(struct cli *cli, const struct cli_list *list, void *context);

/* Shows a list as a table or as JSON, as its options say (-o, --sort, --bytes): the entries whose `name` is like one of the verb's words,
 * in which * and ? stand for any characters; all where there is no word. list->visit is not used. */
int cli_show_list(struct cli *cli, const struct cli_list *list, const struct cli_column *columns);

/* The options of a verb that shows a list. */
#define CLI_LIST_OPTIONS (CLI_TAKES(COLUMNS) | CLI_TAKES(SORT) | CLI_TAKES(BYTES))

#endif
