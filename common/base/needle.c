#include "base/needle.h"

#include <string.h>

/* Finds the greatest suffix of the needle by the order of bytes, or by the reverse order. Returns where it
 * begins, which is below size, and sets *period to the suffix's own period. */
static size_t greatest_suffix(const unsigned char *bytes, size_t size, bool reverse, size_t *period)
{
    size_t best = 0;
    size_t rival = 1;
    size_t same = 0; /* bytes that the two suffixes have in common, as far as known */

    *period = 1;
    while (rival + same < size) {
        unsigned char ours = bytes[best + same];
        unsigned char theirs = bytes[rival + same];

        if (ours == theirs) {
            same++;
            if (same == *period) {
                rival += *period;
                same = 0;
            }
        } else if ((theirs < ours) != reverse) {
            /* No suffix that begins in the compared part can win any more. */
            rival += same + 1;
            same = 0;
            *period = rival - best;
        } else {
            best = rival;
            rival = best + 1;
            same = 0;
            *period = 1;
        }
    }
    return best;
}

/* Memory that was never written is all zeros, so another byte is found faster than a zero. */
static size_t choose_probe(const unsigned char *bytes, size_t size, size_t split)
{
    if (bytes[split] != 0)
        return split;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return i;
    }
    return split;
}

void um_needle_init(struct um_needle *needle, const void *bytes, size_t size)
{
    size_t period;
    size_t other_period;
    size_t split;
    size_t other;

    *needle = (struct um_needle){.bytes = bytes, .size = size};
    if (size < 2)
        return;
    split = greatest_suffix(bytes, size, false, &period);
    other = greatest_suffix(bytes, size, true, &other_period);
    if (other > split) {
        split = other;
        period = other_period;
    }
    needle->split = split;
    /* The suffix's period is that of the whole needle if the left part continues it. Then a move by it keeps
     * what fitted; if not, the needle's period is longer than either part, and the move may be, too. */
    if (memcmp(needle->bytes, needle->bytes + period, split) == 0) {
        needle->shift = period;
        needle->overlap = size - period;
    } else {
        needle->shift = (split > size - split ? split : size - split) + 1;
    }
    needle->probe = choose_probe(needle->bytes, size, split);
}

/* Moves *at to the next place, at most `last`, where the probe's byte fits. Returns whether there is one. */
static bool skip_to_probe(const struct um_needle *needle, const unsigned char *haystack, size_t last,
                          size_t *at)
{
    const unsigned char *from = haystack + *at + needle->probe;
    const unsigned char *hit = memchr(from, needle->bytes[needle->probe], last - *at + 1);

    if (hit == NULL)
        return false;
    *at += (size_t)(hit - from);
    return true;
}

/* For a needle of two bytes and more, in a haystack that is not shorter. */
static bool find_long(const struct um_needle *needle, const unsigned char *haystack, size_t size, size_t *at)
{
    const unsigned char *bytes = needle->bytes;
    size_t last = size - needle->size;
    size_t place = 0;
    size_t known = 0; /* bytes at the needle's start that are known to fit here */

    while (place <= last) {
        size_t i;

        if (known == 0 && !skip_to_probe(needle, haystack, last, &place))
            return false;
        i = known > needle->split ? known : needle->split;
        while (i < needle->size && bytes[i] == haystack[place + i])
            i++;
        if (i < needle->size) {
            place += i - needle->split + 1;
            known = 0;
            continue;
        }
        i = needle->split;
        while (i > known && bytes[i - 1] == haystack[place + i - 1])
            i--;
        if (i <= known) {
            *at = place;
            return true;
        }
        place += needle->shift;
        known = needle->overlap;
    }
    return false;
}

bool um_needle_find(const struct um_needle *needle, const void *haystack, size_t size, size_t *at)
{
    const unsigned char *hit;

    if (needle->size > size)
        return false;
    if (needle->size == 0) {
        *at = 0;
        return true;
    }
    if (needle->size > 1)
        return find_long(needle, haystack, size, at);
    hit = memchr(haystack, needle->bytes[0], size);
    if (hit == NULL)
        return false;
    *at = (size_t)(hit - (const unsigned char *)haystack);
    return true;
}
