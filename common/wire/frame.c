#include "frame.h"

#include <assert.h>
#include <string.h>

#include "umem_errors.h"

static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};

static const char *const length_names[] = {"content-length", "payload-length"};

enum { CONTENT, PAYLOAD };

static const char long_line[] = "the line is longer than message_bytes";
static const char bad_name[] = "a byte that no header name may have";
static const char bare_lf[] = "a header ends in a bare LF";

static const uint64_t LENGTH_LIMIT =
    UINT64_C(9007199254740991); /* 2^53 - 1, as every integer of the protocol */

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

static enum um_frame_event refuse(struct um_frame *frame, struct um_frame_message *message, const char *what)
{
    frame->scanned = 0;
    *message = (struct um_frame_message){.what = what};
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
        return refuse(frame, message, long_line);
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
        return refuse(frame, message, long_line);
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

/* ---- headers: judged byte by byte, none of them kept ---- */

static void break_off(struct um_frame *frame, const char *what)
{
    frame->what = what;
    frame->state = UM_FRAME_AT_BREAK;
}

static void begin_block(struct um_frame *frame)
{
    frame->block = (struct um_frame_block){.wanted = -1};
    frame->state = UM_FRAME_AT_NAME;
}

/* A token character of RFC 9110, section 5.6.2. */
static bool is_token(char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9'))
        return true;
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static void end_name(struct um_frame *frame)
{
    struct um_frame_block *block = &frame->block;

    if (block->name_size == 0) {
        break_off(frame, "a header has no name");
        return;
    }
    block->wanted = -1;
    for (int i = 0; i < 2; i++) {
        if (block->name_size == strlen(length_names[i]) &&
            memcmp(block->name, length_names[i], block->name_size) == 0)
            block->wanted = i;
    }
    if (block->wanted >= 0 && block->given[block->wanted]) {
        break_off(frame, block->wanted == CONTENT ? "Content-Length is given twice"
                                                  : "Payload-Length is given twice");
        return;
    }
    block->has_digit = false;
    block->value_over = false;
    frame->state = UM_FRAME_AT_VALUE;
}

static void name_byte(struct um_frame *frame, char byte)
{
    struct um_frame_block *block = &frame->block;

    if (byte == ':') {
        end_name(frame);
    } else if (byte == '\r' && block->name_size == 0) {
        frame->state = UM_FRAME_AT_LAST_LF;
    } else if (is_token(byte)) {
        if (block->name_size < sizeof block->name)
            block->name[block->name_size] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
        block->name_size++;
    } else {
        break_off(frame, byte == '\n' ? bare_lf : bad_name);
    }
}

/* One byte of a Content-Length or Payload-Length: decimal digits, with spaces around them at most. */
static void length_byte(struct um_frame *frame, char byte)
{
    struct um_frame_block *block = &frame->block;
    uint64_t *length = &block->length[block->wanted];

    if (byte == ' ' || byte == '\t') {
        block->value_over = block->has_digit;
    } else if (byte >= '0' && byte <= '9' && !block->value_over) {
        block->has_digit = true;
        *length = *length * 10 + (uint64_t)(byte - '0');
        if (*length > LENGTH_LIMIT)
            break_off(frame, "a length is over 2^53 - 1");
    } else {
        break_off(frame, "a length is not a whole number");
    }
}

static void value_byte(struct um_frame *frame, char byte)
{
    struct um_frame_block *block = &frame->block;

    if (byte == '\r') {
        if (block->wanted >= 0 && !block->has_digit)
            break_off(frame, "a length is empty");
        else
            frame->state = UM_FRAME_AT_LF;
    } else if (byte == '\n') {
        break_off(frame, bare_lf);
    } else if (((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7F) {
        break_off(frame, "a control character in a header");
    } else if (block->wanted >= 0) {
        length_byte(frame, byte);
    }
}

static void end_header(struct um_frame *frame)
{
    if (frame->block.wanted >= 0)
        frame->block.given[frame->block.wanted] = true;
    frame->block.name_size = 0;
    frame->state = UM_FRAME_AT_NAME;
}

/* Takes one byte of the block. */
static void header_byte(struct um_frame *frame, char byte)
{
    if (++frame->block.size > UM_FRAME_HEADERS_LIMIT) {
        break_off(frame, "the headers are longer than 8192 bytes");
    } else if (frame->state == UM_FRAME_AT_NAME) {
        name_byte(frame, byte);
    } else if (frame->state == UM_FRAME_AT_VALUE) {
        value_byte(frame, byte);
    } else if (byte != '\n') {
        break_off(frame, "a CR without its LF in a header");
    } else if (frame->state == UM_FRAME_AT_LF) {
        end_header(frame);
    } else if (!frame->block.given[CONTENT]) {
        break_off(frame, "there is no Content-Length");
    } else {
        frame->state = UM_FRAME_AT_TEXT;
    }
}

/* The block is whole and the text is next. */
static enum um_frame_event next_text(struct um_frame *frame, struct um_frame_message *message)
{
    const struct um_frame_block *block = &frame->block;
    size_t size;

    if (block->length[CONTENT] > frame->message_limit || block->length[PAYLOAD] > frame->payload_limit) {
        frame->awaited = block->length[CONTENT] + block->length[PAYLOAD];
        frame->state = UM_FRAME_SKIP_BYTES;
        return refuse(frame, message,
                      block->length[CONTENT] > frame->message_limit ? "Content-Length is over message_bytes"
                                                                    : "Payload-Length is over payload_bytes");
    }
    size = (size_t)block->length[CONTENT];
    if (frame->left < size)
        return nothing_left(frame);
    *message =
        (struct um_frame_message){.text = frame->input, .size = size, .payload_size = block->length[PAYLOAD]};
    take(frame, size);
    frame->awaited = message->payload_size;
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
        break_off(frame, bad_name);
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
                char byte = *frame->input;

                take(frame, 1);
                header_byte(frame, byte);
            }
        }
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
