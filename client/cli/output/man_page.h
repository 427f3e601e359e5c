/*
 * The man page, derived from the table of verbs: `umem --print-man`. client/cli/umem.1 is what it prints.
 *
 * Owns: the page's text. Must not know: what verbs do.
 */
#ifndef UMEM_CLI_MAN_H
#define UMEM_CLI_MAN_H

/* Prints it, as man(7) macros. */
void cli_print_man(void);

#endif
