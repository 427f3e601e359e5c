/*
 * The nearest name to one that was mistyped.
 *
 * Owns: nothing. Must not know: what the names are. Pure.
 */
#ifndef UM_SUGGEST_H
#define UM_SUGGEST_H

#include <stddef.h>

struct um_suggestion {
    const char *typed;
    const char *best; /* the nearest name so far, as it was offered; NULL: none is near */
    size_t best_length;
    size_t best_distance; /* one more than what is still near enough, at first */
};

/* Begins to look for what `typed` may have meant. */
void um_suggest_begin(struct um_suggestion *suggestion, const char *typed);

/* Offers a name, or the first `length` characters of one. Of two that are as near, the first one counts. */
void um_suggest_offer(struct um_suggestion *suggestion, const char *name);
void um_suggest_offer_start(struct um_suggestion *suggestion, const char *name, size_t length);

#endif
