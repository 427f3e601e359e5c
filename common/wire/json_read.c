#include "json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "umem_errors.h"

enum { SHORT_SIZE = 16 /* bytes of a string that are looked at one by one */ };

#define INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

struct reader {
    char *text;
    size_t size;
    size_t at;        /* the next byte */
    uint64_t objects; /* bit n: the container at depth n + 1 is an object, not an array */
    unsigned depth;   /* containers open */
    struct um_json_check *check;
    struct um_arena *arena; /* where the tree lies; NULL: the text is only checked */
    struct um_json *root;
    struct um_json *open[UM_JSON_DEPTH_LIMIT]; /* the containers that are open */
    struct um_json **place;                    /* where the next value of the innermost one goes */
    const char *key;                           /* of the member whose value is next */
    size_t values;                             /* in the tree so far */
    int code;                                  /* why the tree cannot be made, 0: it can */
};

/* What may come next. */
enum expectation { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END, NOTHING };

static bool refuse(struct reader *reader, size_t offset, const char *what)
{
    reader->check->bad_offset = offset;
    reader->check->what = what;
    return false;
}

static int peek(const struct reader *reader)
{
    return reader->at < reader->size ? (unsigned char)reader->text[reader->at] : -1;
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->size) {
        char byte = reader->text[reader->at];

        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        reader->at++;
    }
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

/* Reads the four digits of a \u escape whose backslash is at `at`; -1 where it is not one. */
static int32_t escape_unit(const struct reader *reader, size_t at)
{
    unsigned char bytes[2];
    size_t size;
    size_t bad_offset;

    if (at + 6 > reader->size || reader->text[at] != '\\' || reader->text[at + 1] != 'u')
        return -1;
    if (!um_hex_decoded_size(reader->text + at + 2, 4, &size, &bad_offset))
        return -1;
    um_hex_decode(bytes, reader->text + at + 2, 4);
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

static bool read_unicode_escape(struct reader *reader, struct writer *writer)
{
    size_t at = reader->at;
    int32_t unit = escape_unit(reader, at);
    uint32_t character = (uint32_t)unit;

    if (unit < 0)
        return refuse(reader, at, "\\u without four hexadecimal digits");
    if (unit == 0) {
        character = 0xfdd0;
        writer->has_nul = true;
        reader->check->has_nul = true;
        if (reader->arena == NULL)
            memcpy(reader->text + at + 2, "fdd0", 4);
    }
    reader->at += 6;
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return refuse(reader, at, "a lone surrogate");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        int32_t low = escape_unit(reader, at + 6);

        if (low < 0xdc00 || low > 0xdfff)
            return refuse(reader, at, "a lone surrogate");
        character = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        reader->at += 6;
    }
    if (reader->arena != NULL)
        put_character(writer, character);
    return true;
}

static bool read_escape(struct reader *reader, struct writer *writer)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    int byte = reader->at + 1 < reader->size ? reader->text[reader->at + 1] : -1;
    const char *letter;

    if (byte == 'u')
        return read_unicode_escape(reader, writer);
    letter = byte > 0 ? strchr(letters, byte) : NULL;
    if (letter == NULL)
        return refuse(reader, reader->at, "an escape that JSON does not have");
    if (reader->arena != NULL)
        *writer->end++ = meanings[letter - letters];
    reader->at += 2;
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

static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

/* Passes over characters that stand for themselves. Most strings are names of a few bytes. */
static void skip_plain(struct reader *reader)
{
    const char *text = reader->text;
    size_t at = reader->at;
    size_t end = reader->size - at > SHORT_SIZE ? at + SHORT_SIZE : reader->size;

    while (at < end && is_plain(text[at]))
        at++;
    if (at == end) {
        while (reader->size - at >= 8 && !has_special(text + at))
            at += 8;
        while (at < reader->size && is_plain(text[at]))
            at++;
    }
    reader->at = at;
}

/* Reads a string. With a tree, *text is what it says, with an end, where the string stood. */
static bool read_string(struct reader *reader, const char **text, size_t *size, bool *has_nul)
{
    size_t opening = reader->at++;
    struct writer writer = {reader->text + reader->at, false};
    const char *start = writer.end;

    for (;;) {
        size_t plain = reader->at;

        skip_plain(reader);
        if (reader->arena != NULL) {
            if (writer.end != reader->text + plain)
                memmove(writer.end, reader->text + plain, reader->at - plain);
            writer.end += reader->at - plain;
        }
        if (reader->at == reader->size)
            return refuse(reader, opening, "a string that does not end");
        if (reader->text[reader->at] == '"')
            break;
        if (reader->text[reader->at] != '\\')
            return refuse(reader, reader->at, "a control character in a string (write it as an escape)");
        if (!read_escape(reader, &writer))
            return false;
    }
    reader->at++;
    if (reader->arena != NULL)
        *writer.end = '\0';
    *text = start;
    *size = (size_t)(writer.end - start);
    *has_nul = writer.has_nul;
    return true;
}

/* ---- the tree ---- */

/* A value where the next one goes. NULL where the text is only checked, or the tree cannot be made. */
static struct um_json *add(struct reader *reader, enum um_json_kind kind)
{
    struct um_json *json;

    if (reader->arena == NULL)
        return NULL;
    json = um_arena_alloc(reader->arena, sizeof *json);
    if (reader->values++ == UM_JSON_VALUES_LIMIT)
        reader->code = UMEM_E_TOO_LARGE;
    else if (json == NULL)
        reader->code = UMEM_E_NO_MEMORY;
    if (reader->code != UMEM_OK)
        return NULL;
    *json = (struct um_json){.kind = kind, .key = reader->key};
    *reader->place = json;
    reader->place = &json->next;
    reader->key = NULL;
    if (reader->depth != 0)
        reader->open[reader->depth - 1]->size++;
    return json;
}

static bool read_string_value(struct reader *reader)
{
    const char *text;
    size_t size;
    bool has_nul;
    struct um_json *json;

    if (!read_string(reader, &text, &size, &has_nul))
        return false;
    json = add(reader, UM_JSON_STRING);
    if (json != NULL) {
        json->text = text;
        json->size = size;
        json->has_nul = has_nul;
    }
    return true;
}

static void skip_digits(struct reader *reader)
{
    while (is_digit(peek(reader)))
        reader->at++;
}

/* What a number's text says. Most are short rows of digits. */
static void set_number(struct um_json *json, const char *text, size_t size)
{
    char copy[UM_JSON_NUMBER_LIMIT + 1];
    bool is_negative = text[0] == '-';
    size_t at = is_negative ? 1 : 0;
    int64_t integer = 0;

    /* Eighteen digits fit, and the conversion gives the nearest double. */
    for (; at < size && size <= 18 && is_digit((unsigned char)text[at]); at++)
        integer = 10 * integer + (text[at] - '0');
    if (at == size) {
        json->number = is_negative ? -(double)integer : (double)integer;
        json->integer = is_negative ? -integer : integer;
        json->is_integer = integer <= INTEGER_MAX;
        return;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    json->number = strtod(copy, NULL);
    json->is_integer = fabs(json->number) <= (double)INTEGER_MAX && !(floor(json->number) < json->number);
    if (json->is_integer)
        json->integer = (int64_t)json->number;
}

/* number = [ minus ] int [ frac ] [ exp ], RFC 8259 section 6. */
static bool read_number(struct reader *reader)
{
    size_t start = reader->at;
    struct um_json *json;

    if (peek(reader) == '-')
        reader->at++;
    if (!is_digit(peek(reader)))
        return refuse(reader, start, "not a JSON value");
    if (peek(reader) == '0') {
        reader->at++;
        if (is_digit(peek(reader)))
            return refuse(reader, start, "a number with a leading zero");
    }
    skip_digits(reader);
    if (peek(reader) == '.') {
        reader->at++;
        if (!is_digit(peek(reader)))
            return refuse(reader, start, "a number without digits after its point");
        skip_digits(reader);
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-')
            reader->at++;
        if (!is_digit(peek(reader)))
            return refuse(reader, start, "a number without digits in its exponent");
        skip_digits(reader);
    }
    if (reader->at - start > UM_JSON_NUMBER_LIMIT)
        return refuse(reader, start, "a number longer than 63 bytes");
    json = add(reader, UM_JSON_NUMBER);
    if (json != NULL)
        set_number(json, reader->text + start, reader->at - start);
    return true;
}

static bool read_word(struct reader *reader, const char *word, enum um_json_kind kind)
{
    size_t size = strlen(word);

    if (reader->size - reader->at < size || memcmp(reader->text + reader->at, word, size) != 0)
        return refuse(reader, reader->at, "not a JSON value");
    reader->at += size;
    add(reader, kind);
    return true;
}

static bool read_scalar(struct reader *reader)
{
    switch (peek(reader)) {
    case '"':
        return read_string_value(reader);
    case 't':
        return read_word(reader, "true", UM_JSON_TRUE);
    case 'f':
        return read_word(reader, "false", UM_JSON_FALSE);
    case 'n':
        return read_word(reader, "null", UM_JSON_NULL);
    default:
        return read_number(reader);
    }
}

static bool in_object(const struct reader *reader)
{
    return (reader->objects >> (reader->depth - 1) & 1) != 0;
}

static enum expectation after_value(const struct reader *reader)
{
    return reader->depth != 0 ? COMMA_OR_END : NOTHING;
}

static bool open_container(struct reader *reader, enum expectation *expected)
{
    bool object = peek(reader) == '{';
    struct um_json *json;

    if (reader->depth == UM_JSON_DEPTH_LIMIT)
        return refuse(reader, reader->at, "nested deeper than 64 levels");
    json = add(reader, object ? UM_JSON_OBJECT : UM_JSON_ARRAY);
    if (json != NULL) {
        reader->open[reader->depth] = json;
        reader->place = &json->child;
    }
    reader->objects &= ~(UINT64_C(1) << reader->depth);
    reader->objects |= (uint64_t)object << reader->depth;
    reader->depth++;
    reader->at++;
    *expected = object ? KEY_OR_END : VALUE_OR_END;
    return true;
}

static bool read_key(struct reader *reader, enum expectation *expected)
{
    const char *key;
    size_t size;
    bool has_nul;

    if (peek(reader) != '"')
        return refuse(reader, reader->at, "a member's name is wanted");
    if (!read_string(reader, &key, &size, &has_nul))
        return false;
    reader->key = key;
    skip_space(reader);
    if (peek(reader) != ':')
        return refuse(reader, reader->at, "a colon is wanted");
    reader->at++;
    *expected = VALUE;
    return true;
}

static bool read_comma(struct reader *reader, enum expectation *expected)
{
    if (peek(reader) != ',')
        return refuse(reader, reader->at, "a comma or the container's end is wanted");
    reader->at++;
    *expected = in_object(reader) ? KEY : VALUE;
    return true;
}

/* Takes the next token and sets what may follow it. */
static bool read_token(struct reader *reader, enum expectation *expected)
{
    int byte = peek(reader);
    bool may_end = *expected == VALUE_OR_END || *expected == KEY_OR_END || *expected == COMMA_OR_END;

    if (byte < 0)
        return refuse(reader, reader->at, "the text ends too early");
    if (may_end && byte == (in_object(reader) ? '}' : ']')) {
        reader->at++;
        reader->depth--;
        if (reader->arena != NULL)
            reader->place = &reader->open[reader->depth]->next;
        *expected = after_value(reader);
        return true;
    }
    if (*expected == COMMA_OR_END)
        return read_comma(reader, expected);
    if (*expected == KEY || *expected == KEY_OR_END)
        return read_key(reader, expected);
    if (byte == '{' || byte == '[')
        return open_container(reader, expected);
    if (!read_scalar(reader))
        return false;
    *expected = after_value(reader);
    return true;
}

/* Takes all tokens. */
static bool read_text(struct reader *reader)
{
    enum expectation expected = VALUE;
    size_t valid = um_utf8_check(reader->text, reader->size);

    if (valid != reader->size)
        return refuse(reader, valid, "a byte that is not UTF-8");
    do {
        skip_space(reader);
        if (!read_token(reader, &expected) || reader->code != UMEM_OK)
            return false;
    } while (expected != NOTHING);
    skip_space(reader);
    if (reader->at != reader->size)
        return refuse(reader, reader->at, "text after the value");
    reader->check->bad_offset = reader->size;
    return true;
}

bool um_json_check(char *text, size_t size, struct um_json_check *check)
{
    struct reader reader = {.text = text, .size = size, .check = check};

    *check = (struct um_json_check){.what = NULL};
    return read_text(&reader);
}

int um_json_read(char *text, size_t size, struct um_arena *arena, struct um_json **json,
                 struct um_json_check *check)
{
    struct reader reader = {.text = text, .size = size, .check = check, .arena = arena};

    *check = (struct um_json_check){.what = NULL};
    reader.place = &reader.root;
    if (!read_text(&reader))
        return reader.code != UMEM_OK ? reader.code : UMEM_E_PARSE_ERROR;
    *json = reader.root;
    return UMEM_OK;
}

const struct um_json *um_json_element_of(const struct um_json *json, size_t index)
{
    const struct um_json *element = um_json_is(json, UM_JSON_ARRAY) ? json->child : NULL;

    for (; element != NULL && index != 0; index--)
        element = element->next;
    return element;
}

const struct um_json *um_json_member_of(const struct um_json *json, const char *key)
{
    if (!um_json_is(json, UM_JSON_OBJECT))
        return NULL;
    for (const struct um_json *member = json->child; member != NULL; member = member->next) {
        if (strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}
