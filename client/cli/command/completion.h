/*
 * What a shell, or umem's own, may complete, derived from the table of verbs and from what the daemon has.
 *
 * Owns: how words of a command line are quoted, as bash has it. Must not know: a shell's interface for completion (umem.bash does).
 */
#ifndef UMEM_CLI_COMPLETION_H
#define UMEM_CLI_COMPLETION_H

/* Prints what the last word of a command line may become, one a line, quoted as that word is. `line` is the
 * line up to the cursor, umem itself first; `breaks` are the characters at which the shell begins a word to
 * be completed, although it is none: of a word with such a character in it, only what follows the last one is
 * printed. Prints nothing about failures. */
void cli_complete(const char *line, const char *breaks);

/* Calls `found` for each whole word, unquoted, that the last one of a line may become; `line` begins with a word that stands for umem. */
typedef void cli_candidate(void *context, const char *word);
void cli_find_candidates(const char *line, cli_candidate *found, void *context);

#endif
