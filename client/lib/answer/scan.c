#include "lib/answer/scan.h"

#include <string.h>

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* `at` stands on the opening quote; returns what follows the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++) {
        if (*at == '\\')
            at++;
    }
    return at < end ? at + 1 : end;
}

/* `at` stands on the opening bracket; returns what follows the one that closes it. */
static const char *skip_nested(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        if (*at == '}' || *at == ']')
            depth--;
        at++;
        if (depth == 0)
            break;
    }
    return at;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"')
        return skip_string(at, end);
    if (at < end && (*at == '{' || *at == '['))
        return skip_nested(at, end);
    while (at < end && !is_space(*at) && *at != ',' && *at != '}' && *at != ']')
        at++;
    return at;
}

struct um_json_slice um_json_slice_of(const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = skip_space(text, end);

    while (end > at && is_space(end[-1]))
        end--;
    return (struct um_json_slice){at, (size_t)(end - at)};
}

struct um_json_walk um_json_walk_into(struct um_json_slice slice)
{
    struct um_json_walk walk = {slice.text + 1, slice.text + slice.size - 1};

    walk.at = skip_space(walk.at, walk.end);
    return walk;
}

bool um_json_next_element(struct um_json_walk *walk, struct um_json_slice *value)
{
    const char *begin = walk->at;

    if (begin >= walk->end)
        return false;
    walk->at = skip_value(begin, walk->end);
    *value = (struct um_json_slice){begin, (size_t)(walk->at - begin)};
    walk->at = skip_space(walk->at, walk->end);
    if (walk->at < walk->end)
        walk->at = skip_space(walk->at + 1, walk->end); /* a comma */
    return true;
}

bool um_json_next_member(struct um_json_walk *walk, struct um_json_slice *key, struct um_json_slice *value)
{
    const char *begin = walk->at;

    if (begin >= walk->end)
        return false;
    walk->at = skip_string(begin, walk->end);
    *key = (struct um_json_slice){begin + 1, (size_t)(walk->at - begin) - 2};
    walk->at = skip_space(walk->at, walk->end);
    walk->at = skip_space(walk->at + 1, walk->end); /* a colon */
    return um_json_next_element(walk, value);
}

bool um_json_slice_is(struct um_json_slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.text, text, slice.size) == 0;
}

struct um_json_slice um_json_member(struct um_json_slice object, const char *key)
{
    struct um_json_slice none = {NULL, 0};
    struct um_json_slice found;
    struct um_json_slice value;
    struct um_json_walk walk;

    if (!um_json_is_object(object))
        return none;
    walk = um_json_walk_into(object);
    while (um_json_next_member(&walk, &found, &value)) {
        if (um_json_slice_is(found, key))
            return value;
    }
    return none;
}

static bool begins_with(struct um_json_slice slice, char byte)
{
    return slice.size != 0 && slice.text[0] == byte;
}

bool um_json_is_object(struct um_json_slice slice)
{
    return begins_with(slice, '{');
}

bool um_json_is_array(struct um_json_slice slice)
{
    return begins_with(slice, '[');
}

bool um_json_is_string(struct um_json_slice slice)
{
    return begins_with(slice, '"');
}

bool um_json_is_null(struct um_json_slice slice)
{
    return begins_with(slice, 'n');
}

struct um_json_slice um_json_string_inside(struct um_json_slice string)
{
    return (struct um_json_slice){string.text + 1, string.size - 2};
}
