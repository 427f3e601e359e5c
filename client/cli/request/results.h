/*
 * How results are shown: one member, all of them, or lists as tables; with --json as the daemon said them.
 *
 * Owns: the look of results. Must not know: which methods there are.
 *
 * With --json a result is one line of JSON. A list is one array with an element a line, so that both a JSON
 * parser and a line-minded tool can take it.
 */
#ifndef UMEM_CLI_RESULTS_H
#define UMEM_CLI_RESULTS_H

#include "cli/request/params.h"
#include "cli/table/verb.h"

struct cJSON;

/* Calls a method and shows its result: with --json all of it, else one member; "": all members; NULL:
 * nothing. Returns an exit status; a failure has been reported. */
int cli_show_result(struct cli *cli, const char *method, struct cli_params *params, const char *member);

/* Calls the verb's method with the parameters that its entry names, and shows what it names of the result. */
int cli_run_method(struct cli *cli);

/* A column of a table. A list of them ends with one without a title; the last one is as wide as it comes. */
struct cli_column {
    const char *title;
    const char *path; /* of the member */
    int width;        /* negative: to the left */
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

/* Shows a list as a table or as JSON; list->visit is not used. */
int cli_show_list(struct cli *cli, const struct cli_list *list, const struct cli_column *columns);

#endif
