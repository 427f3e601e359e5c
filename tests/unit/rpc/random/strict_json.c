/* Whether a text is JSON, to the letter of RFC 8259: a reader that shares nothing with the writer it
 * checks. */
#include <string.h>

#include "base/encoding.h"
#include "random_engine.h"

struct reader {
    const char *at;
    const char *end;
};

static bool read_value(struct reader *reader, unsigned depth);

static bool take(struct reader *reader, char byte)
{
    if (reader->at == reader->end || *reader->at != byte)
        return false;
    reader->at++;
    return true;
}

static bool read_word(struct reader *reader, const char *word)
{
    size_t size = strlen(word);

    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

static bool read_string(struct reader *reader)
{
    if (!take(reader, '"'))
        return false;
    while (reader->at < reader->end && *reader->at != '"') {
        if ((unsigned char)*reader->at < 0x20)
            return false;
        if (*reader->at++ != '\\')
            continue;
        if (reader->at == reader->end || strchr("\"\\/bfnrtu", *reader->at) == NULL)
            return false;
        if (*reader->at++ == 'u') {
            for (int i = 0; i < 4; i++) {
                if (reader->at == reader->end || strchr("0123456789abcdefABCDEF", *reader->at++) == NULL)
                    return false;
            }
        }
    }
    return take(reader, '"');
}

static bool read_digits(struct reader *reader)
{
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at > start;
}

static bool read_number(struct reader *reader)
{
    (void)take(reader, '-');
    if (!take(reader, '0') && !read_digits(reader))
        return false;
    if (take(reader, '.') && !read_digits(reader))
        return false;
    if (take(reader, 'e') || take(reader, 'E')) {
        if (!take(reader, '+'))
            (void)take(reader, '-');
        return read_digits(reader);
    }
    return true;
}

/* The members of an object or the elements of an array, whose opening has been read. */
static bool read_list(struct reader *reader, bool is_object, unsigned depth)
{
    char end = is_object ? '}' : ']';

    if (take(reader, end))
        return true;
    do {
        if (is_object && (!read_string(reader) || !take(reader, ':')))
            return false;
        if (!read_value(reader, depth))
            return false;
    } while (take(reader, ','));
    return take(reader, end);
}

static bool read_value(struct reader *reader, unsigned depth)
{
    if (depth == 0 || reader->at == reader->end)
        return false;
    switch (*reader->at) {
    case '{':
    case '[':
        return read_list(reader, *reader->at++ == '{', depth - 1);
    case '"':
        return read_string(reader);
    case 't':
        return read_word(reader, "true");
    case 'f':
        return read_word(reader, "false");
    case 'n':
        return read_word(reader, "null");
    default:
        return read_number(reader);
    }
}

bool is_json(const char *text, size_t size)
{
    struct reader reader = {text, text + size};

    return um_utf8_check(text, size) == size && read_value(&reader, 64) && reader.at == reader.end;
}
