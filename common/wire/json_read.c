#include "json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_string.h"
#include "text.h"
#include "umem_errors.h"

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

static bool read_string(struct reader *reader, struct um_json_string *string)
{
    return um_json_read_string(reader->text, reader->size, &reader->at, reader->arena != NULL, string,
                               reader->check);
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
    struct um_json_string string;
    struct um_json *json;

    if (!read_string(reader, &string))
        return false;
    json = add(reader, UM_JSON_STRING);
    if (json != NULL) {
        json->text = string.text;
        json->size = string.size;
        json->has_nul = string.has_nul;
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

/* Reads a member's name and the colon behind it. */
static bool read_key(struct reader *reader)
{
    struct um_json_string key;

    skip_space(reader);
    if (peek(reader) != '"')
        return refuse(reader, reader->at,
                      peek(reader) < 0 ? "the text ends too early" : "a member's name is wanted");
    if (!read_string(reader, &key))
        return false;
    reader->key = key.text;
    skip_space(reader);
    if (peek(reader) != ':')
        return refuse(reader, reader->at, peek(reader) < 0 ? "the text ends too early" : "a colon is wanted");
    reader->at++;
    return true;
}

static bool open_container(struct reader *reader, bool object)
{
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
    return reader->code == UMEM_OK;
}

static void close_container(struct reader *reader)
{
    reader->at++;
    reader->depth--;
    if (reader->arena != NULL)
        reader->place = &reader->open[reader->depth]->next;
}

/* Reads a value's beginning: all of it, unless it is a container with something in it, of which a name may be read already.
 * *whole tells. */
static bool begin_value(struct reader *reader, bool *whole)
{
    int byte;

    skip_space(reader);
    byte = peek(reader);
    *whole = byte != '{' && byte != '[';
    if (byte < 0)
        return refuse(reader, reader->at, "the text ends too early");
    if (*whole)
        return read_scalar(reader) && reader->code == UMEM_OK;
    if (!open_container(reader, byte == '{'))
        return false;
    skip_space(reader);
    if (peek(reader) == (byte == '{' ? '}' : ']')) {
        close_container(reader);
        *whole = true;
        return true;
    }
    return byte == '[' || read_key(reader);
}

/* Reads what stands behind a whole value: ends of containers, until another value is to come or the outermost has ended. */
static bool end_values(struct reader *reader)
{
    while (reader->depth != 0) {
        bool object = in_object(reader);
        int byte;

        skip_space(reader);
        byte = peek(reader);
        if (byte == ',') {
            reader->at++;
            return !object || read_key(reader);
        }
        if (byte != (object ? '}' : ']'))
            return refuse(reader, reader->at,
                          byte < 0 ? "the text ends too early" : "a comma or the container's end is wanted");
        close_container(reader);
    }
    return true;
}

/* Reads one value and all that is in it. */
static bool read_text(struct reader *reader)
{
    size_t valid = um_utf8_check(reader->text, reader->size);
    bool whole;

    if (valid != reader->size)
        return refuse(reader, valid, "a byte that is not UTF-8");
    do {
        if (!begin_value(reader, &whole) || (whole && !end_values(reader)))
            return false;
    } while (reader->depth != 0);
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
