#include "ring.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_common.h"

static size_t next(struct source *source, struct cursor *cursor, size_t wanted, const char **bytes,
                   size_t *size)
{
    struct ring *ring = source->data;
    size_t first = cursor->sent % ring->count;
    size_t count = ring->count - first < wanted ? ring->count - first : wanted;
    size_t begin = first > 0 ? ring->ends[first - 1].request : 0;

    *bytes = ring->requests.data + begin;
    *size = ring->ends[first + count - 1].request - begin;
    return count;
}

/* Shows the bytes around the first one that is wrong. */
static void complain(const struct ring *ring, const char *came, const char *right, size_t size)
{
    size_t wrong = 0;

    while (wrong < size && came[wrong] == right[wrong])
        wrong++;
    size_t from = wrong > 120 ? wrong - 120 : 0;
    int shown = (int)(size - from < 200 ? size - from : 200);
    give_up("%s: wrong answer\nexpected: %.*s\ncame:     %.*s", ring->name, shown, right + from, shown,
            came + from);
}

/* How many of these bytes are as they should be from there on, up to a number or within one; *at is advanced past as much of the right
 * ones. */
static size_t match(const struct ring *ring, size_t *at, size_t end, const char *bytes, size_t size)
{
    const char *right = ring->answers.data + *at;
    const char *number;
    size_t part = end - *at < size ? end - *at : size;
    size_t digits = 0;

    if (*right == RING_NUMBER[0] || *right == RING_NUMBER[1]) {
        bool is_first = *right == RING_NUMBER[0];

        while (digits < size && bytes[digits] >= '0' && bytes[digits] <= '9')
            digits++;
        if (is_first && digits == 0)
            complain(ring, bytes, right, 1);
        /* More of them may come with the next bytes. */
        *at += (is_first ? 1U : 0U) + (digits < size ? 1U : 0U);
        return digits;
    }
    number = memchr(right, RING_NUMBER[0], part);
    if (number != NULL)
        part = (size_t)(number - right);
    if (memcmp(bytes, right, part) != 0)
        complain(ring, bytes, right, part);
    *at += part;
    return part;
}

static size_t check_numbers(struct source *source, struct cursor *cursor, const char *bytes, size_t size)
{
    struct ring *ring = source->data;
    size_t finished = 0;

    while (size > 0) {
        size_t index = (cursor->answered + finished) % ring->count;
        size_t begin = index > 0 ? ring->ends[index - 1].answer : 0;
        size_t at = begin + cursor->answer_offset;
        size_t part = match(ring, &at, ring->ends[index].answer, bytes, size);

        bytes += part;
        size -= part;
        cursor->answer_offset = at - begin;
        if (at == ring->ends[index].answer) {
            cursor->answer_offset = 0;
            finished++;
        }
    }
    return finished;
}

static size_t check(struct source *source, struct cursor *cursor, const char *bytes, size_t size)
{
    struct ring *ring = source->data;
    size_t finished = 0;

    if (ring->has_numbers)
        return check_numbers(source, cursor, bytes, size);
    while (size > 0) {
        size_t index = (cursor->answered + finished) % ring->count;
        size_t at = (index > 0 ? ring->ends[index - 1].answer : 0) + cursor->answer_offset;
        size_t part = ring->answers.size - at < size ? ring->answers.size - at : size;

        if (memcmp(bytes, ring->answers.data + at, part) != 0)
            complain(ring, bytes, ring->answers.data + at, part);
        bytes += part;
        size -= part;
        for (at += part; index < ring->count && ring->ends[index].answer <= at; index++)
            finished++;
        cursor->answer_offset = at - (index > 0 ? ring->ends[index - 1].answer : 0);
        if (index == ring->count)
            cursor->answer_offset = 0;
    }
    return finished;
}

void ring_init(struct ring *ring, const char *name)
{
    memset(ring, 0, sizeof *ring);
    ring->source = (struct source){next, check, ring};
    ring->name = name;
    um_buf_init(&ring->requests, SIZE_MAX / 4);
    um_buf_init(&ring->answers, SIZE_MAX / 4);
}

void ring_deinit(struct ring *ring)
{
    um_buf_deinit(&ring->requests);
    um_buf_deinit(&ring->answers);
    free(ring->ends);
}

static void UM_PRINTF(2, 0) append(struct um_buf *buf, const char *format, va_list args)
{
    char text[512];
    int size = vsnprintf(text, sizeof text, format, args);

    if (size < 0 || (size_t)size >= sizeof text || !um_buf_append(buf, text, (size_t)size))
        give_up("a request does not fit: %.60s", format);
}

void ring_request(struct ring *ring, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    append(&ring->requests, format, args);
    va_end(args);
}

void ring_expect(struct ring *ring, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    append(&ring->answers, format, args);
    va_end(args);
}

void ring_request_bytes(struct ring *ring, const void *bytes, size_t size)
{
    if (!um_buf_append(&ring->requests, bytes, size))
        give_up("no memory for a request of %zu bytes", size);
}

void ring_expect_bytes(struct ring *ring, const void *bytes, size_t size)
{
    if (!um_buf_append(&ring->answers, bytes, size))
        give_up("no memory for an answer of %zu bytes", size);
}

void ring_end(struct ring *ring)
{
    if (ring->count == ring->capacity) {
        ring->capacity = ring->capacity != 0 ? 2 * ring->capacity : 64;
        struct ring_end *grown = realloc(ring->ends, ring->capacity * sizeof *grown);

        if (grown == NULL)
            give_up("no memory for %zu requests", ring->capacity);
        ring->ends = grown;
    }
    ring->ends[ring->count++] = (struct ring_end){ring->requests.size, ring->answers.size};
}
