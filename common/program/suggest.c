#include "program/suggest.h"

#include <string.h>

enum { LENGTH_LIMIT = 40 };

void um_suggest_begin(struct um_suggestion *suggestion, const char *typed)
{
    size_t length = strlen(typed);

    *suggestion = (struct um_suggestion){.typed = typed};
    suggestion->best_distance = length < 3 ? 2 : length < 7 ? 3 : 4;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t low = a < b ? a : b;

    return low < c ? low : c;
}

/* How many characters must be added, removed, changed or swapped with their neighbour. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LENGTH_LIMIT + 1];
    size_t *before = rows[0];
    size_t *above = rows[1];
    size_t *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *unused = before;

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        before = above;
        above = row;
        row = unused;
    }
    return above[b_length];
}

void um_suggest_offer_start(struct um_suggestion *suggestion, const char *name, size_t length)
{
    size_t typed_length = strlen(suggestion->typed);
    size_t far;

    if (length > LENGTH_LIMIT || typed_length > LENGTH_LIMIT)
        return;
    far = distance(suggestion->typed, typed_length, name, length);
    /* What must be written anew as a whole was not meant. */
    if (far >= suggestion->best_distance || far >= length)
        return;
    suggestion->best = name;
    suggestion->best_length = length;
    suggestion->best_distance = far;
}

void um_suggest_offer(struct um_suggestion *suggestion, const char *name)
{
    um_suggest_offer_start(suggestion, name, strlen(name));
}
