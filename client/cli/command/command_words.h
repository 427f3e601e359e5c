/*
 * A command line taken apart into words, with quotes and backslashes as bash has them, but without anything that it expands.
 *
 * Owns: the words' memory. Must not know: verbs, options.
 */
#ifndef UMEM_CLI_COMMAND_WORDS_H
#define UMEM_CLI_COMMAND_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* What stands between words: in a shell's command line, and where a line is one command. */
#define CLI_WORDS_SHELL " \t\n;|&()<>"
#define CLI_WORDS_LINE " \t\r"

struct cli_words {
    char *text; /* all words without quotes, each with its end */
    char **
        words; /* ends with NULL. Behind a separator at the line's end stands an empty word, which may be completed. */
    size_t count;
    char quote;   /* that is open at the line's end; NUL: none */
    size_t kept;  /* bytes of the last word that a shell keeps where it completes the word */
    bool is_open; /* the last word is the empty one behind a separator, or all of an empty line */
};

/* Whether a character that is not NUL is in the set. */
bool cli_is_one_of(char character, const char *set);

/* Takes a line apart. `breaks` are the characters behind which a shell completes a word's rest only. Returns whether there was memory;
 * cli_words_free() frees it in either case. */
bool cli_words_read(struct cli_words *words, const char *line, const char *separators, const char *breaks);
void cli_words_free(struct cli_words *words);

#endif
