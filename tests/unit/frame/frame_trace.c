#include "frame_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_errors.h"

void trace_init(struct trace *trace)
{
    um_frame_init(&trace->frame, MESSAGE_LIMIT, PAYLOAD_LIMIT);
    um_buf_init(&trace->text, TRACE_CAPACITY);
}

void trace_deinit(struct trace *trace)
{
    um_frame_deinit(&trace->frame);
    um_buf_deinit(&trace->text);
}

static void trace_payload(struct trace *trace, const char *bytes, size_t size)
{
    um_buf_append(&trace->text, bytes, size);
    if (um_frame_payload_left(&trace->frame) == 0 && size != 0)
        um_buf_append_string(&trace->text, "|");
}

/* How many bytes of a message its first text has, space behind it not counted. What follows is put back. */
static size_t read_text(struct trace *trace, const struct um_frame_message *message)
{
    struct um_json_end brackets = {.depth = 0};
    char *text = message->text;
    char *end = text + message->size;

    if (trace->frame.kind == UM_FRAME_LINES && message->size != 0 && (*text == '{' || *text == '[')) {
        char *found = um_json_find_end(&brackets, text, end);

        end = found != NULL ? found : end;
        um_frame_unread(&trace->frame, (size_t)(end - text));
    }
    return (size_t)(end - text);
}

bool trace_drain(struct trace *trace)
{
    struct um_frame_message message;

    for (;;) {
        switch (um_frame_next(&trace->frame, &message)) {
        case UM_FRAME_MORE:
            return true;
        case UM_FRAME_MESSAGE:
            um_buf_append_string(&trace->text, "M");
            message.size = read_text(trace, &message);
            um_buf_append(&trace->text, message.text, message.size);
            um_buf_append_string(&trace->text, message.payload_size != 0 ? "|P" : "|");
            memset(message.text, '#', message.size); /* it may be changed */
            assert_int_equal(um_frame_payload_left(&trace->frame), message.payload_size);
            break;
        case UM_FRAME_PAYLOAD: {
            char space[3];
            size_t size = um_frame_take_payload(&trace->frame, space, sizeof space);

            trace_payload(trace, space, size);
            if (size == 0)
                return true;
            break;
        }
        case UM_FRAME_TOO_LARGE:
            assert_non_null(message.what);
            um_buf_append_string(&trace->text, "L|");
            break;
        case UM_FRAME_BROKEN:
            um_buf_append_string(&trace->text, trace->frame.kind == UM_FRAME_HTTP ? "H" : "B");
            um_buf_append_string(&trace->text, message.what);
            um_buf_append_string(&trace->text, "|");
            return false;
        case UM_FRAME_END:
            um_buf_append_string(&trace->text, "E|");
            return false;
        }
    }
}

/* Puts a piece to where its message's beginning is kept, as far as it fits. Returns how much. */
static size_t fill(struct trace *trace, const char *bytes, size_t size, bool *goes_on)
{
    size_t capacity = 0;
    char *space = um_frame_reserve(&trace->frame, 1, &capacity);

    if (space == NULL)
        return 0;
    assert_int_not_equal(capacity, 0);
    size = size < capacity ? size : capacity;
    memcpy(space, bytes, size);
    um_frame_commit(&trace->frame, size);
    *goes_on = trace_drain(trace);
    assert_int_equal(um_frame_keep(&trace->frame), UMEM_OK);
    um_frame_trim(&trace->frame);
    return size;
}

bool trace_feed(struct trace *trace, const char *bytes, size_t size)
{
    char *piece = malloc(size != 0 ? size : 1);
    bool goes_on;

    assert_non_null(piece);
    memcpy(piece, bytes, size);
    assert_int_equal(um_frame_feed(&trace->frame, piece, size), UMEM_OK);
    goes_on = trace_drain(trace);
    assert_int_equal(um_frame_keep(&trace->frame), UMEM_OK);
    free(piece);
    return goes_on;
}

void trace_expect(struct trace *trace, const char *expected)
{
    um_buf_append_byte(&trace->text, '\0');
    assert_false(trace->text.failed);
    assert_string_equal(trace->text.data, expected);
}

static void trace_once(const char *bytes, size_t size, size_t first, size_t step, bool fills, bool counts,
                       const char *expected)
{
    struct trace trace;
    size_t at = 0;
    bool goes_on = true;

    trace_init(&trace);
    if (counts)
        um_frame_count_brackets(&trace.frame);
    while (goes_on && at < size) {
        size_t piece = at == 0 && first != 0 ? first : step;
        size_t filled;

        if (piece > size - at)
            piece = size - at;
        filled = fills ? fill(&trace, bytes + at, piece, &goes_on) : 0;
        at += filled;
        if (filled != 0)
            continue;
        goes_on = trace_feed(&trace, bytes + at, piece);
        at += piece;
    }
    if (goes_on) {
        um_frame_end(&trace.frame);
        trace_drain(&trace);
    }
    trace_expect(&trace, expected);
    trace_deinit(&trace);
}

void expect_in_pieces(const char *bytes, size_t size, size_t first, size_t step, const char *expected)
{
    trace_once(bytes, size, first, step, false, false, expected);
    trace_once(bytes, size, first, step, true, false, expected);
    trace_once(bytes, size, first, step, false, true, expected);
}

void expect_bytes(const char *bytes, size_t size, const char *expected)
{
    expect_in_pieces(bytes, size, 0, size != 0 ? size : 1, expected);
    for (size_t cut = 1; cut < size; cut++)
        expect_in_pieces(bytes, size, cut, size, expected);
    for (size_t step = 1; step < 4; step++)
        expect_in_pieces(bytes, size, 0, step, expected);
}

void expect(const char *bytes, const char *expected)
{
    expect_bytes(bytes, strlen(bytes), expected);
}
