#include "wire/json_end.h"

#include <string.h>

#include "base/text_avx2.h"

/* The first such byte from here on, or the end. */
static char *find_byte(char *at, char *end, char byte)
{
    char *found = memchr(at, byte, (size_t)(end - at));

    return found != NULL ? found : end;
}

enum { STEP = 64 /* bytes of a wide step */ };

/* Passes over bytes in wide steps, and notes those that are ASCII: at the end of what has come, up to the last one. */
static char *skip_wide(struct um_json_end *state, char *at, char *end)
{
    struct um_json_run *run = &state->run;
    size_t offset = state->passed - (size_t)(end - at);
    size_t size = um_text_plain_avx2((const unsigned char *)at, (size_t)(end - at), true);
    char *behind = at + size;

    while (size != 0 && end - behind < STEP && behind != end && (signed char)*behind >= ' ' &&
           *behind != '"' && *behind != '\\')
        behind++;
    size = (size_t)(behind - at);
    if (run->size != 0 && offset == run->at + run->size)
        run->size += size;
    else if (size > run->size)
        *run = (struct um_json_run){offset, size};
    return behind + um_text_plain_avx2((const unsigned char *)behind, (size_t)(end - behind), false);
}

/* Passes over a string's bytes. Returns what is behind its closing quote, or the end. What has no escapes, such as base64, is passed
 * over in wide steps; each other byte is looked at twice at most: the next quote is looked for only once the last one is passed. */
static char *skip_string(struct um_json_end *state, char *at, char *end)
{
    char *near_end;
    char *quote;

    if (state->is_escaped && at != end) {
        state->is_escaped = false;
        at++;
    }
    near_end = end - at > UM_TEXT_WIDE_LENGTH ? at + UM_TEXT_WIDE_LENGTH : end;
    quote = find_byte(at, near_end, '"');
    if (quote == near_end) {
        at = skip_wide(state, at, end);
        quote = find_byte(at < near_end ? near_end : at, end, '"');
    }
    for (;;) {
        char *backslash = find_byte(at, quote, '\\');

        if (backslash == quote)
            break;
        at = backslash + 2;
        if (at > end) {
            state->is_escaped = true;
            return end;
        }
        if (at > quote)
            quote = find_byte(at, end, '"');
    }
    if (quote == end)
        return end;
    state->in_string = false;
    return quote + 1;
}

enum { ROW = 64 /* bytes that are looked at together */ };

/* Whether so many bytes have neither brackets nor quotes. No way out of the loop, so that compilers look at many bytes at once. */
static bool is_plain_row(const char *at)
{
    unsigned char found = 0;

    for (int i = 0; i < ROW; i++)
        found |= (unsigned char)((at[i] == '"') | (at[i] == '{') | (at[i] == '}') | (at[i] == '[') |
                                 (at[i] == ']'));
    return found == 0;
}

char *um_json_find_end(struct um_json_end *state, char *at, char *end)
{
    const char *row_end = at;

    state->passed += (size_t)(end - at);
    while (at != end) {
        /* Looked at once: where a row has some, it is passed byte by byte. */
        if (at >= row_end && !state->in_string && end - at >= ROW) {
            row_end = at + ROW;
            if (is_plain_row(at)) {
                at += ROW;
                continue;
            }
        }
        if (state->in_string) {
            at = skip_string(state, at, end);
            continue;
        }
        switch (*at++) {
        case '"':
            state->in_string = true;
            break;
        case '{':
        case '[':
            state->depth++;
            break;
        case '}':
        case ']':
            if (state->depth <= 1) {
                state->depth = 0;
                return at;
            }
            state->depth--;
            break;
        default:
            break;
        }
    }
    return NULL;
}
