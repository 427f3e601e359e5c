/*
 * What umem says of itself: help for a terminal, and its man page (client/cli/umem.1 is what `umem --print-man` prints).
 *
 * Owns: the texts that no entry has. Must not know: what verbs do.
 */
#ifndef UMEM_CLI_HELP_H
#define UMEM_CLI_HELP_H

#include "cli/table/verb.h"

/* Prints the help of a verb, or of umem as a whole where it is NULL. */
void cli_print_help(const struct cli_verb *verb);

/* Prints the man page. */
void cli_print_man(void);

#endif
