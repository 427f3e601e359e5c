#include "wire/json_string.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/encoding.h"
#include "base/text_avx2.h"

enum { STEP_SIZE = 64 /* bytes of a long string that are looked at together */ };

const char um_json_not_utf8[] = "a byte that is not UTF-8";

bool um_json_check_utf8(struct um_json_source *source)
{
    size_t size = (size_t)(source->end - source->text);
    size_t valid;

    if (source->is_utf8)
        return true;
    source->is_utf8 = true;
    /* What was unescaped already leaves ASCII and whole characters behind, so that it does no harm to the look. */
    valid = um_utf8_check(source->text, size);
    if (valid == size)
        return true;
    if (source->is_first) {
        source->end = source->text + valid;
        source->window = source->end;
        return true;
    }
    um_json_refuse(source, source->text + valid, um_json_not_utf8);
    return false;
}

/* What a hexadecimal digit stands for, and 1 more; 0: it is none. */
static const unsigned char digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Reads the four digits of the \u escape at `at`; -1 where it is not one. */
static int32_t escape_unit(const struct um_json_source *source, const char *at)
{
    int32_t unit = 0;

    if (source->end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int32_t digit = digits[(unsigned char)at[i]];

        if (digit == 0)
            return -1;
        unit = unit << 4 | (digit - 1);
    }
    return unit;
}

/* What a string is written to as it is unescaped, right behind where it is read. */
struct writer {
    char *end;
    bool has_nul;
};

/* Writes a character as UTF-8. */
static void put_character(struct writer *writer, uint32_t character)
{
    char *end = writer->end;

    if (character < 0x80) {
        *end++ = (char)character;
    } else if (character < 0x800) {
        *end++ = (char)(0xc0 | character >> 6);
        *end++ = (char)(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        *end++ = (char)(0xe0 | character >> 12);
        *end++ = (char)(0x80 | (character >> 6 & 0x3f));
        *end++ = (char)(0x80 | (character & 0x3f));
    } else {
        *end++ = (char)(0xf0 | character >> 18);
        *end++ = (char)(0x80 | (character >> 12 & 0x3f));
        *end++ = (char)(0x80 | (character >> 6 & 0x3f));
        *end++ = (char)(0x80 | (character & 0x3f));
    }
    writer->end = end;
}

/* Digits in place of 0000. */
static const char mark[4] = {'f', 'd', 'd', '0'};

void um_json_restore_nul(char *text, size_t size)
{
    char *end = text + size;

    for (char *at = text; at < end; at++) {
        if (*at != '\\')
            continue;
        at++; /* whatever is escaped is no beginning of an escape */
        if (end - at > (ptrdiff_t)sizeof mark && *at == 'u' && memcmp(at + 1, mark, sizeof mark) == 0)
            memset(at + 1, '0', sizeof mark);
    }
}

static char *read_unicode_escape(struct um_json_source *source, char *at, struct writer *writer)
{
    int32_t unit = escape_unit(source, at);
    uint32_t character = (uint32_t)unit;
    char *next = at + 6;

    if (unit < 0)
        return um_json_refuse(source, at, "\\u without four hexadecimal digits");
    if (unit == 0) {
        character = 0xfdd0;
        writer->has_nul = true;
        source->check->has_nul = true;
        if (!source->unescapes)
            memcpy(at + 2, mark, sizeof mark);
    }
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return um_json_refuse(source, at, "a lone surrogate");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        int32_t low = escape_unit(source, next);

        if (low < 0xdc00 || low > 0xdfff)
            return um_json_refuse(source, at, "a lone surrogate");
        character = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        next += 6;
    }
    if (source->unescapes)
        put_character(writer, character);
    return next;
}

static char *read_escape(struct um_json_source *source, char *at, struct writer *writer)
{
    /* What a letter behind a backslash stands for; 0: nothing. */
    static const char meanings[UCHAR_MAX + 1] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    unsigned char letter = source->end - at >= 2 ? (unsigned char)at[1] : 0;

    if (letter == 'u')
        return read_unicode_escape(source, at, writer);
    if (meanings[letter] == 0)
        return um_json_refuse(source, at, "an escape that JSON does not have");
    if (source->unescapes)
        *writer->end++ = meanings[letter];
    return at + 2;
}

/* Reads escapes that follow each other: *at is where the last one begins. */
static char *read_escapes(struct um_json_source *source, char **at, struct writer *writer)
{
    char *next = read_escape(source, *at, writer);

    while (next != NULL && next != source->end && next < source->window && *next == '\\') {
        *at = next;
        next = read_escape(source, next, writer);
    }
    return next;
}

/* Writes what stands for itself from `plain` to `at`. */
UM_ALWAYS_INLINE void put_plain(struct writer *writer, const char *plain, const char *at)
{
    size_t size = (size_t)(at - plain);

    if (writer->end != plain)
        memmove(writer->end, plain, size);
    writer->end += size;
}

/* Whether a byte stands for itself in a string: of a text that is known to be UTF-8, those of longer characters do, too. */
UM_ALWAYS_INLINE bool is_plain(const struct um_json_source *source, char byte)
{
    return byte != '"' && byte != '\\' && (unsigned char)byte >= ' ' &&
           ((unsigned char)byte < 0x80 || source->is_utf8);
}

/* The same of STEP_SIZE bytes. Compilers make vector instructions of it. */
static bool is_plain_step(const char *text, bool is_utf8)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char tops = is_utf8 ? 0 : 0x80;
    unsigned char found = 0;

    for (size_t i = 0; i < STEP_SIZE; i++)
        found |=
            (unsigned char)((bytes[i] < ' ') | (bytes[i] == '"') | (bytes[i] == '\\') | (bytes[i] & tops));
    return found == 0;
}

/* The first byte from here on that does not stand for itself, or the step's end, if that is not passed yet. */
UM_ALWAYS_INLINE char *skip_plain(const struct um_json_source *source, char *at)
{
    const char *end = source->window;

    while (end - at >= STEP_SIZE && is_plain_step(at, source->is_utf8)) {
        at += STEP_SIZE;
        if (end - at >= UM_TEXT_WIDE_LENGTH)
            at += um_text_plain_avx2((const unsigned char *)at, (size_t)(end - at), !source->is_utf8);
    }
    for (; end - at >= UM_WORD_SIZE; at += UM_WORD_SIZE) {
        uint64_t word = um_word_load(at);
        uint64_t marks = source->is_utf8 ? um_word_mark_special(word) & ~word : um_json_mark_not_ascii(at);

        if (marks != 0)
            return at + um_word_first(marks);
    }
    while (at < end && is_plain(source, *at))
        at++;
    return at;
}

UM_ALWAYS_INLINE bool is_in_run(const struct um_json_source *source, const char *at)
{
    return source->run != NULL && at >= source->run && at < source->run_end;
}

/* Keeps how far it was read for the next step. */
static char *pause_at(struct um_json_source *source, char *opening, char *at, const struct writer *writer)
{
    source->progress = (struct um_json_progress){opening, at, writer->end, writer->has_nul};
    source->is_paused = true;
    return NULL;
}

/* Reads a string from `at` on. */
static char *read_on(struct um_json_source *source, char *opening, char *at, struct writer writer,
                     struct um_json_string *string)
{
    char *start = opening + 1;

    for (;;) {
        const char *plain = at;
        char *next = at;

        if (is_in_run(source, at) && writer.end == at)
            at = source->run_end; /* nothing of it is moved, so that it takes no time, however long it is */
        else
            at = skip_plain(source, at);
        if (source->unescapes)
            put_plain(&writer, plain, at);
        if (at == source->end)
            next = um_json_refuse(source, opening, "a string that does not end");
        else if (at >= source->window)
            return pause_at(source, opening, at, &writer);
        else if (*at == '"')
            break;
        else if ((unsigned char)*at < ' ')
            next = um_json_refuse(source, at, "a control character in a string (write it as an escape)");
        else if (*at == '\\')
            next = read_escapes(source, &at, &writer);
        else
            next = um_json_check_utf8(source) ? at : NULL;
        if (next == NULL) {
            source->stop = at;
            source->in_string = true;
            return NULL;
        }
        at = next;
    }
    if (source->unescapes)
        *writer.end = '\0';
    else
        writer.end = at;
    *string = (struct um_json_string){start, (size_t)(writer.end - start), writer.has_nul};
    return at + 1;
}

char *um_json_read_special(struct um_json_source *source, char *opening, char *at,
                           struct um_json_string *string)
{
    return read_on(source, opening, at, (struct writer){at, false}, string);
}

char *um_json_resume_string(struct um_json_source *source, struct um_json_string *string)
{
    struct um_json_progress from = source->progress;

    source->is_paused = false;
    return read_on(source, from.opening, from.at, (struct writer){from.written, from.has_nul}, string);
}
