/*
 * The nearest name to one that was mistyped.
 *
 * Owns: nothing. Must not know: what the names are. Pure.
 */
#ifndef UMEM_CLI_SUGGEST_H
#define UMEM_CLI_SUGGEST_H

#include <stddef.h>

struct cli_suggestion {
    const char *typed;
    const char *best; /* the nearest name so far, as it was offered; NULL: none is near */
    size_t best_length;
    size_t best_distance; /* one more than what is still near enough, at first */
};

/* Begins to look for what `typed` may have meant. */
void cli_suggest_begin(struct cli_suggestion *suggestion, const char *typed);

/* Offers a name, or the first `length` characters of one. Of two that are as near, the first one counts. */
void cli_suggest_offer(struct cli_suggestion *suggestion, const char *name);
void cli_suggest_offer_start(struct cli_suggestion *suggestion, const char *name, size_t length);

#endif
