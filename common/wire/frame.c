#include "frame.h"

#include <assert.h>
#include <string.h>

#include "umem_errors.h"

static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};

static const char long_line[] = "the line is longer than message_bytes";
static const char cut_headers[] = "headers that were not read to their end";
static const char message_bytes[] = "message_bytes";
static const char payload_bytes[] = "payload_bytes";
static const char half_mark[] = "a byte that no header name may have";

void um_frame_init(struct um_frame *frame, size_t message_limit, uint64_t payload_limit)
{
    *frame = (struct um_frame){.message_limit = message_limit, .payload_limit = payload_limit};
    um_buf_init(&frame->kept, message_limit + UM_FRAME_FEED_LIMIT);
}

void um_frame_deinit(struct um_frame *frame)
{
    um_buf_deinit(&frame->kept);
    frame->input = NULL;
    frame->left = 0;
}

/* ---- the window: which bytes were not taken yet, and whose memory they are in ---- */

int um_frame_feed(struct um_frame *frame, char *bytes, size_t size)
{
    assert(!frame->ended && !frame->borrowed && size <= UM_FRAME_FEED_LIMIT);
    if (frame->left == 0) {
        um_buf_truncate(&frame->kept, 0);
        frame->input = bytes;
        frame->left = size;
        frame->borrowed = true;
        return UMEM_OK;
    }
    um_buf_consume(&frame->kept, (size_t)(frame->input - frame->kept.data));
    if (!um_buf_append(&frame->kept, bytes, size))
        return UMEM_E_NO_MEMORY;
    frame->input = frame->kept.data;
    frame->left = frame->kept.size;
    return UMEM_OK;
}

char *um_frame_space(struct um_frame *frame, size_t least, size_t *room)
{
    struct um_buf *kept = &frame->kept;
    size_t size = frame->left < UM_FRAME_FEED_LIMIT ? frame->left : UM_FRAME_FEED_LIMIT;
    char *space;

    if (frame->left == 0 || frame->left < least || frame->borrowed)
        return NULL;
    um_buf_consume(kept, (size_t)(frame->input - kept->data));
    frame->input = kept->data;
    if (size > kept->size_limit - kept->size)
        size = kept->size_limit - kept->size;
    space = size != 0 ? um_buf_reserve(kept, size) : NULL;
    if (space == NULL) {
        /* That there is no memory for so much does not keep less from being fed. */
        um_buf_truncate(kept, kept->size);
        return NULL;
    }
    frame->input = kept->data;
    *room = size;
    return space;
}

void um_frame_filled(struct um_frame *frame, size_t size)
{
    assert(!frame->ended && !frame->borrowed);
    frame->kept.size += size;
    frame->left += size;
}

int um_frame_keep(struct um_frame *frame)
{
    if (frame->left == 0) {
        um_buf_truncate(&frame->kept, 0);
        um_buf_shrink(&frame->kept, 0);
        frame->input = NULL;
    } else if (frame->borrowed) {
        if (!um_buf_append(&frame->kept, frame->input, frame->left))
            return UMEM_E_NO_MEMORY;
        frame->input = frame->kept.data;
    }
    frame->borrowed = false;
    return UMEM_OK;
}

void um_frame_trim(struct um_frame *frame)
{
    struct um_buf *kept = &frame->kept;
    struct um_buf less;

    if (frame->left == 0 || frame->borrowed || frame->left > kept->capacity / 2)
        return;
    um_buf_init(&less, kept->size_limit);
    if (!um_buf_append(&less, frame->input, frame->left))
        return;
    um_buf_deinit(kept);
    *kept = less;
    frame->input = kept->data;
}

void um_frame_end(struct um_frame *frame)
{
    frame->ended = true;
}

static void take(struct um_frame *frame, size_t size)
{
    frame->input += size;
    frame->left -= size;
}

static enum um_frame_event nothing_left(const struct um_frame *frame)
{
    return frame->ended ? UM_FRAME_END : UM_FRAME_MORE;
}

static enum um_frame_event refuse(struct um_frame *frame, struct um_frame_message *message, const char *what,
                                  const char *limit, uint64_t asked)
{
    frame->scanned = 0;
    *message = (struct um_frame_message){.what = what, .limit = limit, .asked = asked};
    return UM_FRAME_TOO_LARGE;
}

/* ---- lines ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Gives out the first `size` bytes as a line; `end` is how many of the input it uses up, with its line
 * end. */
static enum um_frame_event give_line(struct um_frame *frame, size_t size, size_t end,
                                     struct um_frame_message *message)
{
    if (frame->input[size - 1] == '\r')
        size--;
    *message = (struct um_frame_message){.text = frame->input, .size = size};
    take(frame, end);
    frame->scanned = 0;
    if (size > frame->message_limit)
        return refuse(frame, message, long_line, message_bytes, 0);
    return UM_FRAME_MESSAGE;
}

static enum um_frame_event next_line(struct um_frame *frame, struct um_frame_message *message)
{
    char *end;

    /* Space before a text is no part of it, so blank lines vanish and are never kept. */
    while (frame->scanned == 0 && frame->left != 0 && is_space(*frame->input))
        take(frame, 1);
    if (frame->left == 0)
        return nothing_left(frame);
    end = memchr(frame->input + frame->scanned, '\n', frame->left - frame->scanned);
    if (end != NULL) {
        size_t size = (size_t)(end - frame->input);

        return give_line(frame, size, size + 1, message);
    }
    frame->scanned = frame->left;
    /* One byte over the limit may still be the CR of the line's end. */
    if (frame->left > frame->message_limit + 1) {
        take(frame, frame->left);
        frame->state = UM_FRAME_SKIP_LINE;
        return refuse(frame, message, long_line, message_bytes, 0);
    }
    if (frame->ended)
        return give_line(frame, frame->left, frame->left, message);
    return UM_FRAME_MORE;
}

static void skip_line(struct um_frame *frame)
{
    char *end = memchr(frame->input, '\n', frame->left);

    if (end != NULL)
        frame->state = UM_FRAME_AT_LINE;
    take(frame, end != NULL ? (size_t)(end - frame->input) + 1 : frame->left);
}

/* ---- headers ---- */

static void break_off(struct um_frame *frame, const char *what)
{
    frame->what = what;
    frame->state = UM_FRAME_AT_BREAK;
}

static void begin_block(struct um_frame *frame)
{
    um_frame_block_init(&frame->block);
    frame->state = UM_FRAME_AT_HEADERS;
}

/* Takes the bytes of a block, as far as they are there. */
static void read_headers(struct um_frame *frame)
{
    enum um_frame_verdict verdict = UM_FRAME_BLOCK_MORE;

    while (verdict == UM_FRAME_BLOCK_MORE && frame->left != 0) {
        verdict = um_frame_block_take(&frame->block, *frame->input);
        take(frame, 1);
    }
    if (verdict == UM_FRAME_BLOCK_WHOLE)
        frame->state = UM_FRAME_AT_TEXT;
    else if (verdict == UM_FRAME_BLOCK_BROKEN)
        break_off(frame, frame->block.what);
}

/* The block is whole and the text is next. */
static enum um_frame_event next_text(struct um_frame *frame, struct um_frame_message *message)
{
    uint64_t content = frame->block.length[UM_FRAME_CONTENT];
    uint64_t payload = frame->block.length[UM_FRAME_PAYLOAD_LENGTH];
    size_t size = (size_t)content;

    if (content > frame->message_limit || payload > frame->payload_limit) {
        frame->awaited = content + payload;
        frame->state = UM_FRAME_SKIP_BYTES;
        if (content > frame->message_limit)
            return refuse(frame, message, "Content-Length is over message_bytes", message_bytes, content);
        return refuse(frame, message, "Payload-Length is over payload_bytes", payload_bytes, payload);
    }
    if (frame->left < size)
        return nothing_left(frame);
    *message = (struct um_frame_message){.text = frame->input, .size = size, .payload_size = payload};
    take(frame, size);
    frame->awaited = payload;
    frame->state = UM_FRAME_AT_PAYLOAD;
    return UM_FRAME_MESSAGE;
}

static void skip_bytes(struct um_frame *frame)
{
    size_t size = frame->awaited < frame->left ? (size_t)frame->awaited : frame->left;

    take(frame, size);
    frame->awaited -= size;
    if (frame->awaited == 0)
        begin_block(frame);
}

/* ---- both ---- */

/* Takes the byte-order mark and lets the first byte decide. */
static void begin(struct um_frame *frame)
{
    unsigned char byte = (unsigned char)*frame->input;

    if (frame->mark_size < sizeof mark && byte == mark[frame->mark_size]) {
        frame->mark_size++;
        take(frame, 1);
        return;
    }
    /* A part of a mark is part of a header's name, and none that may be. */
    if (frame->mark_size != 0 && frame->mark_size < sizeof mark) {
        frame->kind = UM_FRAME_HEADERS;
        break_off(frame, half_mark);
    } else if (byte == '{' || byte == '[' || is_space((char)byte)) {
        frame->kind = UM_FRAME_LINES;
        frame->state = UM_FRAME_AT_LINE;
    } else {
        frame->kind = UM_FRAME_HEADERS;
        begin_block(frame);
    }
}

enum um_frame_event um_frame_next(struct um_frame *frame, struct um_frame_message *message)
{
    for (;;) {
        switch (frame->state) {
        case UM_FRAME_AT_BREAK:
            *message = (struct um_frame_message){.what = frame->what};
            return UM_FRAME_BROKEN;
        case UM_FRAME_AT_LINE:
            return next_line(frame, message);
        case UM_FRAME_AT_TEXT:
            return next_text(frame, message);
        case UM_FRAME_AT_PAYLOAD:
            if (frame->awaited != 0)
                return frame->left == 0 && frame->ended ? UM_FRAME_END : UM_FRAME_PAYLOAD;
            begin_block(frame);
            break;
        default:
            if (frame->left == 0)
                return nothing_left(frame);
            if (frame->state == UM_FRAME_AT_START) {
                begin(frame);
            } else if (frame->state == UM_FRAME_SKIP_LINE) {
                skip_line(frame);
            } else if (frame->state == UM_FRAME_SKIP_BYTES) {
                skip_bytes(frame);
            } else {
                read_headers(frame);
            }
        }
    }
}

bool um_frame_is_between(const struct um_frame *frame)
{
    return frame->state == UM_FRAME_AT_HEADERS && frame->left == 0 && frame->block.size == 0;
}

bool um_frame_is_in_message(const struct um_frame *frame)
{
    if (frame->state == UM_FRAME_AT_LINE)
        return frame->left != 0;
    return frame->state == UM_FRAME_AT_TEXT ||
           (frame->state == UM_FRAME_AT_HEADERS && (frame->left != 0 || frame->block.size != 0));
}

void um_frame_pass_over(struct um_frame *frame)
{
    if (frame->state == UM_FRAME_AT_LINE) {
        frame->state = UM_FRAME_SKIP_LINE;
        frame->scanned = 0;
        take(frame, frame->left);
    } else if (frame->state == UM_FRAME_AT_TEXT) {
        frame->awaited = frame->block.length[UM_FRAME_CONTENT] + frame->block.length[UM_FRAME_PAYLOAD_LENGTH];
        frame->state = UM_FRAME_SKIP_BYTES;
        skip_bytes(frame);
    } else if (frame->state == UM_FRAME_AT_HEADERS) {
        break_off(frame, cut_headers);
    }
}

uint64_t um_frame_payload_left(const struct um_frame *frame)
{
    return frame->state == UM_FRAME_AT_PAYLOAD ? frame->awaited : 0;
}

size_t um_frame_take_payload(struct um_frame *frame, char *space, size_t room)
{
    size_t size = frame->left < room ? frame->left : room;

    assert(frame->state == UM_FRAME_AT_PAYLOAD);
    if (frame->awaited < size)
        size = (size_t)frame->awaited;
    if (size != 0)
        memcpy(space, frame->input, size);
    take(frame, size);
    frame->awaited -= size;
    return size;
}

void um_frame_payload_passed(struct um_frame *frame, size_t size)
{
    assert(frame->state == UM_FRAME_AT_PAYLOAD && frame->left == 0 && size <= frame->awaited);
    frame->awaited -= size;
}
