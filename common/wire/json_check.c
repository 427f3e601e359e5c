#include "json_check.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

struct checker {
    char *text;
    size_t size;
    size_t at;        /* the next byte */
    uint64_t objects; /* bit n: the container at depth n + 1 is an object, not an array */
    unsigned depth;   /* containers open */
    struct um_json_check *check;
};

/* What may come next. */
enum expectation { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COMMA_OR_END, NOTHING };

static bool refuse(struct checker *checker, size_t offset, const char *what)
{
    checker->check->bad_offset = offset;
    checker->check->what = what;
    return false;
}

static int peek(const struct checker *checker)
{
    return checker->at < checker->size ? (unsigned char)checker->text[checker->at] : -1;
}

static void skip_space(struct checker *checker)
{
    while (checker->at < checker->size) {
        char byte = checker->text[checker->at];

        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        checker->at++;
    }
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

/* Reads the four digits of a \u escape whose backslash is at `at`; -1 where it is not one. */
static int32_t escape_unit(const struct checker *checker, size_t at)
{
    unsigned char bytes[2];
    size_t size;
    size_t bad_offset;

    if (at + 6 > checker->size || checker->text[at] != '\\' || checker->text[at + 1] != 'u')
        return -1;
    if (!um_hex_decoded_size(checker->text + at + 2, 4, &size, &bad_offset))
        return -1;
    um_hex_decode(bytes, checker->text + at + 2, 4);
    return bytes[0] << 8 | bytes[1];
}

static bool check_unicode_escape(struct checker *checker)
{
    size_t at = checker->at;
    int32_t unit = escape_unit(checker, at);

    if (unit < 0)
        return refuse(checker, at, "\\u without four hexadecimal digits");
    if (unit == 0) {
        memcpy(checker->text + at + 2, "fdd0", 4);
        checker->check->has_nul = true;
    }
    checker->at += 6;
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return refuse(checker, at, "a lone surrogate");
    if (unit >= 0xd800 && unit <= 0xdbff) {
        int32_t low = escape_unit(checker, at + 6);

        if (low < 0xdc00 || low > 0xdfff)
            return refuse(checker, at, "a lone surrogate");
        checker->at += 6;
    }
    return true;
}

static bool check_escape(struct checker *checker)
{
    int byte = checker->at + 1 < checker->size ? checker->text[checker->at + 1] : -1;

    if (byte == 'u')
        return check_unicode_escape(checker);
    if (byte < 0 || byte == 0 || strchr("\"\\/bfnrt", byte) == NULL)
        return refuse(checker, checker->at, "an escape that JSON does not have");
    checker->at += 2;
    return true;
}

static bool check_string(struct checker *checker)
{
    size_t opening = checker->at++;

    while (checker->at < checker->size) {
        unsigned char byte = (unsigned char)checker->text[checker->at];

        if (byte == '"') {
            checker->at++;
            return true;
        }
        if (byte < 0x20)
            return refuse(checker, checker->at, "a control character in a string (write it as an escape)");
        if (byte != '\\')
            checker->at++;
        else if (!check_escape(checker))
            return false;
    }
    return refuse(checker, opening, "a string that does not end");
}

static void skip_digits(struct checker *checker)
{
    while (is_digit(peek(checker)))
        checker->at++;
}

/* number = [ minus ] int [ frac ] [ exp ], RFC 8259 section 6. */
static bool check_number(struct checker *checker)
{
    size_t start = checker->at;

    if (peek(checker) == '-')
        checker->at++;
    if (!is_digit(peek(checker)))
        return refuse(checker, start, "not a JSON value");
    if (peek(checker) == '0') {
        checker->at++;
        if (is_digit(peek(checker)))
            return refuse(checker, start, "a number with a leading zero");
    }
    skip_digits(checker);
    if (peek(checker) == '.') {
        checker->at++;
        if (!is_digit(peek(checker)))
            return refuse(checker, start, "a number without digits after its point");
        skip_digits(checker);
    }
    if (peek(checker) == 'e' || peek(checker) == 'E') {
        checker->at++;
        if (peek(checker) == '+' || peek(checker) == '-')
            checker->at++;
        if (!is_digit(peek(checker)))
            return refuse(checker, start, "a number without digits in its exponent");
        skip_digits(checker);
    }
    if (checker->at - start > UM_JSON_NUMBER_LIMIT)
        return refuse(checker, start, "a number longer than 63 bytes");
    return true;
}

static bool check_word(struct checker *checker, const char *word)
{
    size_t size = strlen(word);

    if (checker->size - checker->at < size || memcmp(checker->text + checker->at, word, size) != 0)
        return refuse(checker, checker->at, "not a JSON value");
    checker->at += size;
    return true;
}

static bool check_scalar(struct checker *checker)
{
    switch (peek(checker)) {
    case '"':
        return check_string(checker);
    case 't':
        return check_word(checker, "true");
    case 'f':
        return check_word(checker, "false");
    case 'n':
        return check_word(checker, "null");
    default:
        return check_number(checker);
    }
}

static bool in_object(const struct checker *checker)
{
    return (checker->objects >> (checker->depth - 1) & 1) != 0;
}

static enum expectation after_value(const struct checker *checker)
{
    return checker->depth != 0 ? COMMA_OR_END : NOTHING;
}

static bool open_container(struct checker *checker, enum expectation *expected)
{
    bool object = peek(checker) == '{';

    if (checker->depth == UM_JSON_DEPTH_LIMIT)
        return refuse(checker, checker->at, "nested deeper than 64 levels");
    checker->objects &= ~(UINT64_C(1) << checker->depth);
    checker->objects |= (uint64_t)object << checker->depth;
    checker->depth++;
    checker->at++;
    *expected = object ? KEY_OR_END : VALUE_OR_END;
    return true;
}

static bool check_key(struct checker *checker, enum expectation *expected)
{
    if (peek(checker) != '"')
        return refuse(checker, checker->at, "a member's name is wanted");
    if (!check_string(checker))
        return false;
    skip_space(checker);
    if (peek(checker) != ':')
        return refuse(checker, checker->at, "a colon is wanted");
    checker->at++;
    *expected = VALUE;
    return true;
}

static bool check_comma(struct checker *checker, enum expectation *expected)
{
    if (peek(checker) != ',')
        return refuse(checker, checker->at, "a comma or the container's end is wanted");
    checker->at++;
    *expected = in_object(checker) ? KEY : VALUE;
    return true;
}

/* Takes the next token and sets what may follow it. */
static bool check_token(struct checker *checker, enum expectation *expected)
{
    int byte = peek(checker);
    bool may_end = *expected == VALUE_OR_END || *expected == KEY_OR_END || *expected == COMMA_OR_END;

    if (byte < 0)
        return refuse(checker, checker->at, "the text ends too early");
    if (may_end && byte == (in_object(checker) ? '}' : ']')) {
        checker->at++;
        checker->depth--;
        *expected = after_value(checker);
        return true;
    }
    if (*expected == COMMA_OR_END)
        return check_comma(checker, expected);
    if (*expected == KEY || *expected == KEY_OR_END)
        return check_key(checker, expected);
    if (byte == '{' || byte == '[')
        return open_container(checker, expected);
    if (!check_scalar(checker))
        return false;
    *expected = after_value(checker);
    return true;
}

bool um_json_check(char *text, size_t size, struct um_json_check *check)
{
    struct checker checker = {.text = text, .size = size, .check = check};
    enum expectation expected = VALUE;
    size_t valid = um_utf8_check(text, size);

    *check = (struct um_json_check){.what = NULL};
    if (valid != size)
        return refuse(&checker, valid, "a byte that is not UTF-8");
    do {
        skip_space(&checker);
        if (!check_token(&checker, &expected))
            return false;
    } while (expected != NOTHING);
    skip_space(&checker);
    if (checker.at != size)
        return refuse(&checker, checker.at, "text after the value");
    check->bad_offset = size;
    return true;
}
