/*
 * What a shell may complete, derived from the table of verbs and from what the daemon has.
 *
 * Owns: nothing. Must not know: a shell's own syntax (umem.bash does).
 */
#ifndef UMEM_CLI_COMPLETE_H
#define UMEM_CLI_COMPLETE_H

/* Prints what the word with number `index` (digits) may become, one a line; words[0] is umem itself. Prints
 * nothing about anything that goes wrong. */
void cli_complete(const char *index, const char *const *words);

#endif
