/*
 * What a shell may complete in umemd's command line, and the scripts with which it asks.
 *
 * Owns: the words that options have as values. Must not know: what the options do.
 */
#ifndef UM_OPTION_COMPLETION_H
#define UM_OPTION_COMPLETION_H

#include <stdio.h>

/* The script for "bash", "zsh", "fish" or "powershell"; NULL for others. */
const char *um_completion_script(const char *shell);

/* Prints, a line each, what `word`, the beginning of a word, may become behind the word `before`: the names of options, or where
 * `before` is an option that has certain words as its values, these. Nothing: a file, or what is not known. Returns 0, or -1 where
 * writing failed. */
int um_completion_print(FILE *out, const char *before, const char *word);

#endif
