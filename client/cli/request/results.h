/*
 * How results are shown: one member or all of them; with --json as the daemon said them. Lists are shown by lists.h.
 *
 * Owns: the look of results. Must not know: which methods there are.
 *
 * With --json a result is one line of JSON.
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

#endif
