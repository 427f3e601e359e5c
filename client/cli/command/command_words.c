#include "cli/command/command_words.h"

#include <stdlib.h>
#include <string.h>

bool cli_is_one_of(char character, const char *set)
{
    return character != '\0' && strchr(set, character) != NULL;
}

/* Reads one word from *at on, up to an unquoted separator. Returns where the next byte goes. */
static char *read_word(const char **at, char *to, const char *separators, const char *breaks,
                       struct cli_words *words)
{
    const char *start = to;

    words->quote = '\0';
    words->kept = 0;
    for (; **at != '\0' && (words->quote != '\0' || !cli_is_one_of(**at, separators)); ++*at) {
        char character = **at;

        if (words->quote == character) {
            words->quote = '\0';
            words->kept = 0;
        } else if (words->quote == '\0' && cli_is_one_of(character, "'\"")) {
            /* A shell replaces what follows an open quote. */
            words->quote = character;
            words->kept = (size_t)(to - start);
        } else if (character == '\\' && (*at)[1] != '\0' &&
                   (words->quote == '\0' || (words->quote == '"' && cli_is_one_of((*at)[1], "\\\"$`")))) {
            *to++ = *++*at;
        } else {
            *to++ = character;
            if (words->quote == '\0' && cli_is_one_of(character, breaks))
                words->kept = (size_t)(to - start);
        }
    }
    *to = '\0';
    return to + 1;
}

bool cli_words_read(struct cli_words *words, const char *line, const char *separators, const char *breaks)
{
    size_t size = strlen(line) + 2;
    const char *start;
    char *to;

    *words = (struct cli_words){.text = malloc(2 * size), .words = calloc(size + 1, sizeof *words->words)};
    if (words->text == NULL || words->words == NULL)
        return false;
    to = words->text;
    do {
        line += strspn(line, separators);
        start = line;
        words->words[words->count++] = to;
        to = read_word(&line, to, separators, breaks, words);
    } while (*line != '\0');
    words->is_open = start == line;
    return true;
}

void cli_words_free(struct cli_words *words)
{
    free(words->text);
    free(words->words);
}
