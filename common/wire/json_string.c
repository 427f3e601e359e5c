#include "json_string.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

enum {
    SHORT_SIZE = 16, /* bytes of a string that are looked at one by one */
    LONG_SIZE = 64   /* bytes of a long one that are looked at together */
};

/* The text, and how far it is read. */
struct source {
    char *text;
    size_t size;
    size_t at; /* the next byte */
    struct um_json_check *check;
    bool unescapes;
};

static bool refuse(struct source *source, size_t offset, const char *what)
{
    source->check->bad_offset = offset;
    source->check->what = what;
    return false;
}

/* Reads the four digits of a \u escape whose backslash is at `at`; -1 where it is not one. */
static int32_t escape_unit(const struct source *source, size_t at)
{
    unsigned char bytes[2];
    size_t size;
    size_t bad_offset;

    if (at + 6 > source->size || source->text[at] != '\\' || source->text[at + 1] != 'u')
        return -1;
    if (!um_hex_decode(bytes, source->text + at + 2, 4, &size, &bad_offset))
        return -1;
    return bytes[0] << 8 | bytes[1];
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

static bool read_unicode_escape(struct source *source, struct writer *writer)
{
    size_t at = source->at;
    int32_t unit = escape_unit(source, at);
    uint32_t character = (uint32_t)unit;

    if (unit < 0)
        return refuse(source, at, "\\u without four hexadecimal digits");
    if (unit == 0) {
        character = 0xfdd0;
        writer->has_nul = true;
        source->check->has_nul = true;
        if (!source->unescapes)
            memcpy(source->text + at + 2, "fdd0", 4);
    }
    source->at += 6;
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return refuse(source, at, "a lone surrogate");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        int32_t low = escape_unit(source, at + 6);

        if (low < 0xdc00 || low > 0xdfff)
            return refuse(source, at, "a lone surrogate");
        character = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        source->at += 6;
    }
    if (source->unescapes)
        put_character(writer, character);
    return true;
}

static bool read_escape(struct source *source, struct writer *writer)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    int byte = source->at + 1 < source->size ? source->text[source->at + 1] : -1;
    const char *letter;

    if (byte == 'u')
        return read_unicode_escape(source, writer);
    letter = byte > 0 ? strchr(letters, byte) : NULL;
    if (letter == NULL)
        return refuse(source, source->at, "an escape that JSON does not have");
    if (source->unescapes)
        *writer->end++ = meanings[letter - letters];
    source->at += 2;
    return true;
}

/* Eight bytes at a time: whether one of them is a quote, a backslash or a control character. */
static bool has_special(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones << 7;
    uint64_t word;
    uint64_t quote;
    uint64_t backslash;

    memcpy(&word, bytes, sizeof word);
    quote = word ^ ones * '"';
    backslash = word ^ ones * '\\';
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) &
           tops;
}

/* Likewise for LONG_SIZE bytes: compilers make vector instructions of it. */
static bool has_special_among_many(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned found = 0;

    for (size_t i = 0; i < LONG_SIZE; i++)
        found |= (bytes[i] < 0x20) | (bytes[i] == '"') | (bytes[i] == '\\');
    return found != 0;
}

/* Bytes of a string that do not stand for themselves: control characters, the quote, the backslash. */
static const bool is_special[256] = {
    ['\0'] = true, [1] = true,  [2] = true,  [3] = true,  [4] = true,   [5] = true,    [6] = true,
    [7] = true,    [8] = true,  [9] = true,  [10] = true, [11] = true,  [12] = true,   [13] = true,
    [14] = true,   [15] = true, [16] = true, [17] = true, [18] = true,  [19] = true,   [20] = true,
    [21] = true,   [22] = true, [23] = true, [24] = true, [25] = true,  [26] = true,   [27] = true,
    [28] = true,   [29] = true, [30] = true, [31] = true, ['"'] = true, ['\\'] = true,
};

/* Passes over characters that stand for themselves. Most strings are names of a few bytes. */
static void skip_plain(struct source *source)
{
    const char *text = source->text;
    size_t at = source->at;
    size_t end = source->size - at > SHORT_SIZE ? at + SHORT_SIZE : source->size;

    while (at < end && !is_special[(unsigned char)text[at]])
        at++;
    if (at == end) {
        while (source->size - at >= LONG_SIZE && !has_special_among_many(text + at))
            at += LONG_SIZE;
        while (source->size - at >= 8 && !has_special(text + at))
            at += 8;
        while (at < source->size && !is_special[(unsigned char)text[at]])
            at++;
    }
    source->at = at;
}

static bool read_string(struct source *source, struct um_json_string *string)
{
    size_t opening = source->at++;
    struct writer writer = {source->text + source->at, false};
    const char *start = writer.end;

    for (;;) {
        size_t plain = source->at;

        skip_plain(source);
        if (source->unescapes) {
            if (writer.end != source->text + plain)
                memmove(writer.end, source->text + plain, source->at - plain);
            writer.end += source->at - plain;
        }
        if (source->at == source->size)
            return refuse(source, opening, "a string that does not end");
        if (source->text[source->at] == '"')
            break;
        if (source->text[source->at] != '\\')
            return refuse(source, source->at, "a control character in a string (write it as an escape)");
        if (!read_escape(source, &writer))
            return false;
    }
    source->at++;
    if (source->unescapes)
        *writer.end = '\0';
    *string = (struct um_json_string){start, (size_t)(writer.end - start), writer.has_nul};
    return true;
}

bool um_json_read_string(char *text, size_t size, size_t *at, bool unescapes, struct um_json_string *string,
                         struct um_json_check *check)
{
    struct source source = {text, size, *at, check, unescapes};
    bool good = read_string(&source, string);

    *at = source.at;
    return good;
}
