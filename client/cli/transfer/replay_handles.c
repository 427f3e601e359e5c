#include "cli/transfer/replay_handles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64, DIGITS_MAXIMUM = 16 /* of a handle */, NUMBER_SIZE = 24 };

void cli_handles_free(struct cli_replay_handles *handles)
{
    free(handles->pairs);
    *handles = (struct cli_replay_handles){.pairs = NULL};
}

/* Where the handle is, or would be. */
static struct cli_handle_pair *place_of(const struct cli_replay_handles *handles, uint64_t recorded)
{
    size_t at = (size_t)((recorded * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (handles->capacity - 1);

    while (handles->pairs[at].recorded != 0 && handles->pairs[at].recorded != recorded)
        at = (at + 1) & (handles->capacity - 1);
    return &handles->pairs[at];
}

static bool grow(struct cli_replay_handles *handles)
{
    struct cli_replay_handles larger = {.capacity =
                                            handles->capacity != 0 ? 2 * handles->capacity : CAPACITY_FIRST};

    larger.pairs = calloc(larger.capacity, sizeof *larger.pairs);
    if (larger.pairs == NULL)
        return false;
    for (size_t i = 0; i < handles->capacity; i++) {
        if (handles->pairs[i].recorded != 0)
            *place_of(&larger, handles->pairs[i].recorded) = handles->pairs[i];
    }
    larger.count = handles->count;
    free(handles->pairs);
    *handles = larger;
    return true;
}

bool cli_handles_add(struct cli_replay_handles *handles, uint64_t recorded, uint64_t now)
{
    struct cli_handle_pair *place;

    if (recorded == 0)
        return true;
    if (2 * handles->count >= handles->capacity && !grow(handles))
        return false;
    place = place_of(handles, recorded);
    handles->count += place->recorded == 0;
    *place = (struct cli_handle_pair){recorded, now};
    return true;
}

uint64_t cli_handles_find(const struct cli_replay_handles *handles, uint64_t recorded)
{
    return handles->count != 0 && recorded != 0 ? place_of(handles, recorded)->now : 0;
}

static bool are_digits(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size && text[at] >= '0' && text[at] <= '9')
        at++;
    return size != 0 && at == size;
}

/* Appends digits, or those of the handle that stands for them. */
static void put_digits(const struct cli_replay_handles *handles, const char *text, size_t size,
                       struct um_buf *out)
{
    char number[NUMBER_SIZE] = "";
    uint64_t now = 0;

    if (size <= DIGITS_MAXIMUM && are_digits(text, size)) {
        snprintf(number, sizeof number, "%.*s", (int)size, text);
        now = cli_handles_find(handles, strtoull(number, NULL, 10));
    }
    if (now == 0) {
        um_buf_append(out, text, size);
        return;
    }
    snprintf(number, sizeof number, "%llu", (unsigned long long)now);
    um_buf_append_string(out, number);
}

/* Bytes of the string that begins at `text`, its quotes counted. */
static size_t string_size(const char *text, size_t size)
{
    size_t at = 1;

    while (at < size && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at < size ? at + 1 : size;
}

static bool is_key(const char *behind, size_t size)
{
    size_t at = 0;

    while (at < size && memchr(" \t\r\n", behind[at], 4) != NULL)
        at++;
    return at < size && behind[at] == ':';
}

void cli_handles_rewrite(const struct cli_replay_handles *handles, const char *text, size_t size,
                         struct um_buf *out)
{
    size_t at = 0;

    while (at < size) {
        size_t length = 1;

        if (text[at] == '"') {
            length = string_size(text + at, size - at);
            if (length < 2 || is_key(text + at + length, size - at - length)) {
                um_buf_append(out, text + at, length);
            } else {
                um_buf_append_byte(out, '"');
                put_digits(handles, text + at + 1, length - 2, out);
                um_buf_append_byte(out, '"');
            }
        } else if (memchr("+-.0123456789eE", text[at], 15) != NULL) {
            while (at + length < size && memchr("+-.0123456789eE", text[at + length], 15) != NULL)
                length++;
            put_digits(handles, text + at, length, out);
        } else {
            um_buf_append_byte(out, text[at]);
        }
        at += length;
    }
}
