/*
 * The strict reading of one JSON string: a part of json_read.c.
 *
 * Owns: what stands between two quotes, and whether the text is UTF-8. Must not know: what the string is for. Pure.
 */
#ifndef UM_JSON_STRING_H
#define UM_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_read.h"
#include "word.h"

/* The text that strings are read from. */
struct um_json_source {
    char *text; /* the first byte */
    char *end;  /* behind the last one */
    struct um_json_check *check;
    uint64_t
        unknown; /* UM_WORD_TOPS: bytes that are not ASCII make the text be checked for UTF-8; 0: it is UTF-8 */
    bool unescapes; /* strings are changed in place to what they say */
};

/* A string that was read; where it is not unescaped, only has_nul is told. */
struct um_json_string {
    const char *text; /* what it says, with an end, where it stood in the text */
    size_t size;      /* bytes of it */
    bool has_nul;     /* it had \u0000 in it */
};

/* Notes what is wrong at `at`. Always NULL. */
static inline char *um_json_refuse(struct um_json_source *source, const char *at, const char *what)
{
    source->check->bad_offset = (size_t)(at - source->text);
    source->check->what = what;
    return NULL;
}

/* Whether all of the text is UTF-8, looked at once; where it is not, the check tells. */
bool um_json_check_utf8(struct um_json_source *source);

/* The first byte from here on that does not stand for itself: a quote, a backslash, a control character, the end; and of a text
 * that is not known to be UTF-8, one that is not ASCII. One look tells both, as nearly all texts are ASCII. */
static inline char *um_json_skip_plain(const struct um_json_source *source, char *at)
{
    char *end = source->end;

    for (; end - at >= UM_WORD_SIZE; at += UM_WORD_SIZE) {
        uint64_t word = um_word_load(at);
        uint64_t below_quote = (word ^ UM_WORD_ONES * '"') - UM_WORD_ONES;
        uint64_t below_backslash = (word ^ UM_WORD_ONES * '\\') - UM_WORD_ONES;
        uint64_t below_space = word - UM_WORD_ONES * ' ';
        uint64_t marks = (((below_quote | below_backslash | below_space) & ~word) & UM_WORD_TOPS) |
                         (word & source->unknown);

        if (marks != 0)
            return at + um_word_first(marks);
    }
    while (at != end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ' &&
           ((unsigned char)*at < 0x80 || source->unknown == 0))
        at++;
    return at;
}

/* Reads on where a string is not plain, whose quote is at `opening` and whose bytes before `at` are. */
char *um_json_read_special(struct um_json_source *source, char *opening, char *at,
                           struct um_json_string *string);

/* Reads the string whose opening quote is at `opening`. Returns what is behind its closing one; NULL where it is no string, and
 * the check tells. Nearly all strings are plain, and then nothing of them is moved. */
static inline char *um_json_read_string(struct um_json_source *source, char *opening,
                                        struct um_json_string *string)
{
    char *start = opening + 1;
    char *at = um_json_skip_plain(source, start);

    if (at == source->end || *at != '"') {
        /* A place of its own, so that `string` may be kept in registers. */
        struct um_json_string special = {NULL, 0, false};

        at = um_json_read_special(source, opening, at, &special);
        *string = special;
        return at;
    }
    if (source->unescapes)
        *at = '\0';
    *string = (struct um_json_string){start, (size_t)(at - start), false};
    return at + 1;
}

#endif
