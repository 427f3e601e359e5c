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

#include "base/attributes.h"
#include "base/word.h"
#include "wire/json_check.h"

/* How far a string was read that is not plain. */
struct um_json_progress {
    char *opening; /* its quote */
    char *at;      /* the next byte */
    char *written; /* the place of the next decoded byte, not behind `at` */
    bool has_nul;  /* it had \u0000 in it so far */
};

/* The text that strings are read from. */
struct um_json_source {
    char *text; /* the first byte */
    char *end;  /* behind the last one */
    struct um_json_check *check;
    char *
        window; /* where a step of reading ends, at the next byte that it can; `end`, where all is read at once */
    char *run;      /* what um_json_reader_skip() told, */
    char *run_end;  /* and where it ends; NULL: nothing */
    char *stop;     /* where reading stopped, if it did: what stands from there on was not changed */
    bool in_string; /* that is in a string */
    bool is_utf8;   /* all of the text has been looked at for that */
    bool unescapes; /* strings are changed in place to what they say */
    bool is_first;  /* other texts may follow in it, which may be no UTF-8 */
    bool is_paused; /* the step ended in a string: um_json_resume_string() continues it */
    struct um_json_progress progress; /* how far that was read */
};

/* A string that was read; where it is not unescaped, `text` and `size` are as it is written. */
struct um_json_string {
    const char *text; /* what it says, with an end, where it stood in the text */
    size_t size;      /* bytes of it */
    bool has_nul;     /* it had \u0000 in it */
};

/* Notes what is wrong at `at`. Always NULL. */
UM_ALWAYS_INLINE char *um_json_refuse(struct um_json_source *source, char *at, const char *what)
{
    source->check->bad_offset = (size_t)(at - source->text);
    source->check->what = what;
    source->stop = at;
    return NULL;
}

/* What is wrong then. */
extern const char um_json_not_utf8[];

/* Whether all of the text is UTF-8, looked at once; where it is not, the check tells. Where other texts may follow, the text ends
 * for its reader before the first byte that is not UTF-8: it has ended before that, or it is wrong. */
bool um_json_check_utf8(struct um_json_source *source);

/* Marks, of the eight bytes at `at`, what is no plain ASCII character of a string: quotes, backslashes, control characters,
 * bytes of longer characters. Right as far as to the first mark. Nearly all strings are ASCII, so that one look tells that they
 * are UTF-8, too. */
UM_ALWAYS_INLINE uint64_t um_json_mark_not_ascii(const char *at)
{
    uint64_t word = um_word_load(at);

    return um_word_mark_special(word) | (word & UM_WORD_TOPS);
}

enum {
    UM_JSON_NEAR =
        128 /* bytes of a string that are read in line; what follows of a long one is read in larger steps */
};

/* Reads on where a string is not plain, is long, or ends where the text nearly does. Its quote is at `opening`, and the bytes
 * before `at` are plain. */
char *um_json_read_special(struct um_json_source *source, char *opening, char *at,
                           struct um_json_string *string);

/* Reads on where the last step ended in a string. Answers as um_json_read_string(). */
char *um_json_resume_string(struct um_json_source *source, struct um_json_string *string);

/* Reads the string whose opening quote is at `opening`. Returns what is behind its closing one; NULL where it is no string, and
 * the check tells, or where source->is_paused. Nearly all strings are plain, and then nothing of them is moved. */
UM_ALWAYS_INLINE char *um_json_read_string(struct um_json_source *source, char *opening,
                                           struct um_json_string *string)
{
    struct um_json_string special;
    char *start = opening + 1;
    char *at = start;
    const char *end = source->end - at > UM_JSON_NEAR ? at + UM_JSON_NEAR : source->end;

    for (; end - at >= UM_WORD_SIZE; at += UM_WORD_SIZE) {
        uint64_t marks = um_json_mark_not_ascii(at);

        if (marks == 0)
            continue;
        at += um_word_first(marks);
        if (*at != '"')
            break;
        if (source->unescapes)
            *at = '\0';
        *string = (struct um_json_string){start, (size_t)(at - start), false};
        return at + 1;
    }
    /* Nearly at the end of the text, byte by byte. */
    while (at < end && source->end - at < UM_WORD_SIZE && (signed char)*at >= ' ' && *at != '"' &&
           *at != '\\')
        at++;
    if (at < end && *at == '"') {
        if (source->unescapes)
            *at = '\0';
        *string = (struct um_json_string){start, (size_t)(at - start), false};
        return at + 1;
    }
    /* A place of its own, so that `string` may be kept in registers. */
    special = (struct um_json_string){NULL, 0, false};
    at = um_json_read_special(source, opening, at, &special);
    *string = special;
    return at;
}

#endif
