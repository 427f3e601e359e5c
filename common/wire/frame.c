#include "wire/frame.h"

#include <assert.h>
#include <string.h>

#include "base/word.h"
#include "umem_errors.h"

static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};

static const char long_text[] = "the text is longer than message_bytes";
static const char cut_headers[] = "headers that were not read to their end";
static const char message_bytes[] = "message_bytes";
static const char payload_bytes[] = "payload_bytes";

void um_frame_init(struct um_frame *frame, size_t message_limit, uint64_t payload_limit)
{
    *frame = (struct um_frame){.message_limit = message_limit, .payload_limit = payload_limit};
    um_buf_init(&frame->kept, message_limit + UM_FRAME_FEED_LIMIT);
}

void um_frame_count_brackets(struct um_frame *frame)
{
    frame->always_counts = true;
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

char *um_frame_reserve(struct um_frame *frame, size_t least, size_t *capacity)
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
    /* As long as there is much space, it is filled before there is more, which the message may not need. */
    if (kept->capacity - kept->size >= least && size > kept->capacity - kept->size)
        size = kept->capacity - kept->size;
    space = size != 0 ? um_buf_reserve(kept, size) : NULL;
    if (space == NULL) {
        /* That there is no memory for so much does not keep less from being fed. */
        um_buf_truncate(kept, kept->size);
        return NULL;
    }
    frame->input = kept->data;
    *capacity = size;
    return space;
}

void um_frame_expect(struct um_frame *frame, size_t size)
{
    struct um_buf *kept = &frame->kept;
    size_t taken;

    if (frame->left == 0 || frame->borrowed || size <= kept->capacity)
        return;
    taken = (size_t)(frame->input - kept->data);
    if (um_buf_reserve(kept, size - kept->size) == NULL)
        um_buf_truncate(kept, kept->size);
    frame->input = kept->data + taken;
}

void um_frame_commit(struct um_frame *frame, size_t size)
{
    assert(!frame->ended && !frame->borrowed);
    frame->kept.size += size;
    frame->left += size;
}

int um_frame_keep(struct um_frame *frame)
{
    if (frame->left == 0) {
        um_buf_truncate(&frame->kept, 0);
        if (frame->kept.data != NULL)
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

char *um_frame_give(struct um_frame *frame, const struct um_frame_message *message)
{
    char *memory = frame->kept.data;
    struct um_buf rest;

    if (frame->borrowed || message->text != memory)
        return NULL;
    um_buf_init(&rest, frame->kept.size_limit);
    if (frame->left != 0 && !um_buf_append(&rest, frame->input, frame->left))
        return NULL;
    frame->kept = rest;
    frame->input = rest.data;
    return memory;
}

void um_frame_end(struct um_frame *frame)
{
    frame->ended = true;
}

UM_ALWAYS_INLINE void take(struct um_frame *frame, size_t size)
{
    frame->input += size;
    frame->left -= size;
}

UM_ALWAYS_INLINE enum um_frame_event nothing_left(const struct um_frame *frame)
{
    return frame->ended ? UM_FRAME_END : UM_FRAME_MORE;
}

static enum um_frame_event refuse(struct um_frame_message *message, const char *what, const char *limit,
                                  uint64_t asked)
{
    *message = (struct um_frame_message){.what = what, .limit = limit, .asked = asked};
    return UM_FRAME_TOO_LARGE;
}

/* ---- byte-order marks ---- */

/* How many of the bytes that are left are a mark's, from its first byte on. */
static size_t mark_bytes(const struct um_frame *frame)
{
    size_t size = 0;

    while (size < sizeof mark && size < frame->left && (unsigned char)frame->input[size] == mark[size])
        size++;
    return size;
}

/* ---- lines ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_bracket(char byte)
{
    return byte == '{' || byte == '[';
}

UM_ALWAYS_INLINE void begin_text(struct um_frame *frame)
{
    frame->scanned = 0;
    if (frame->counted == 0)
        return;
    frame->counted = 0;
    frame->brackets = (struct um_json_end){.depth = 0};
}

/* Takes bytes of a line whose end may be known. */
UM_ALWAYS_INLINE void take_of_line(struct um_frame *frame, size_t size)
{
    take(frame, size);
    if (frame->line_size == 0)
        return;
    frame->line_size -= size;
    frame->counts_brackets = frame->line_size != 0;
}

/* Passes over what stands before a text and is no part of it: space, so that blank lines vanish and are never kept, and a mark.
 * Returns whether a text begins here; where it does not, bytes are missing. */
static bool skip_to_text(struct um_frame *frame)
{
    while (frame->left != 0) {
        size_t size = 1;

        if (!is_space(*frame->input)) {
            size = mark_bytes(frame);
            if (size != sizeof mark)
                return size != frame->left || frame->ended;
        }
        take_of_line(frame, size);
    }
    return false;
}

/* How many bytes the text has that is all there is on a line of `size` bytes without its LF. */
UM_ALWAYS_INLINE size_t text_size(const struct um_frame *frame, size_t size)
{
    return frame->input[size - 1] == '\r' ? size - 1 : size;
}

/* Looks for the line's end in what has come since the last look. */
UM_ALWAYS_INLINE void find_line_end(struct um_frame *frame)
{
    const char *end = memchr(frame->input + frame->scanned, '\n', frame->left - frame->scanned);

    frame->scanned = frame->left;
    if (end != NULL)
        frame->line_size = (size_t)(end - frame->input) + 1;
}

/* Where the text ends by its brackets, as far as it or the line has come; 0: not there. */
static size_t count_brackets(struct um_frame *frame)
{
    size_t size = frame->line_size != 0 ? frame->line_size - 1 : frame->left;
    const char *end;

    if (!is_bracket(*frame->input))
        return 0;
    end = um_json_find_end(&frame->brackets, frame->input + frame->counted, frame->input + size);
    frame->counted = size;
    return end != NULL ? (size_t)(end - frame->input) : 0;
}

/* Looks for the next text. Sets its size in *size and how many bytes of the input it uses up in *end, with
 * the line's end if the text reaches it. UM_FRAME_MESSAGE where there is one; it may be over the limit. */
static enum um_frame_event find_text(struct um_frame *frame, size_t *size, size_t *end)
{
    *size = 0;
    if (frame->line_size != 0)
        *size = text_size(frame, frame->line_size - 1);
    *end = count_brackets(frame);
    if (*end != 0) {
        *size = *end;
    } else if (*size != 0) {
        *end = frame->line_size;
    } else if (frame->left > frame->message_limit + 1) {
        /* One byte over the limit may still be the CR of the line's end. */
        take(frame, frame->left);
        frame->state = UM_FRAME_SKIP_LINE;
        return UM_FRAME_TOO_LARGE;
    } else if (frame->ended) {
        *size = text_size(frame, frame->left);
        *end = frame->left;
    } else {
        return UM_FRAME_MORE;
    }
    return UM_FRAME_MESSAGE;
}

/* A line whose end has come is given out as it is, unless it may hold several texts or be too long. */
static enum um_frame_event next_line(struct um_frame *frame, struct um_frame_message *message)
{
    enum um_frame_event event = UM_FRAME_MESSAGE;
    size_t size = 0;
    size_t end;

    if (frame->left == 0)
        return nothing_left(frame);
    if (frame->scanned == 0 && *frame->input != '{' && !skip_to_text(frame))
        return nothing_left(frame);
    if (frame->line_size == 0)
        find_line_end(frame);
    end = frame->line_size;
    if (end != 0)
        size = text_size(frame, end - 1);
    if (size == 0 || size > UM_FRAME_LONG_SIZE || size > frame->message_limit || frame->counts_brackets ||
        frame->always_counts) {
        event = find_text(frame, &size, &end);
        message->run = frame->brackets.run;
    }
    if (event == UM_FRAME_MORE)
        return event;
    message->text = frame->input;
    message->size = size;
    message->payload_size = 0;
    if (event == UM_FRAME_MESSAGE) {
        take_of_line(frame, end);
        frame->given = end;
        begin_text(frame);
    }
    return event == UM_FRAME_TOO_LARGE || size > frame->message_limit
               ? refuse(message, long_text, message_bytes, 0)
               : UM_FRAME_MESSAGE;
}

/* Skips what follows of a text. Its brackets, if it has any, were counted as far as it has come. */
static void skip_line(struct um_frame *frame)
{
    char *line_end = memchr(frame->input, '\n', frame->left);
    char *end = line_end != NULL ? line_end : frame->input + frame->left;
    char *found = frame->brackets.depth != 0 ? um_json_find_end(&frame->brackets, frame->input, end) : NULL;

    if (found != NULL)
        end = found;
    else if (line_end != NULL)
        end = line_end + 1;
    take(frame, (size_t)(end - frame->input));
    if (found == NULL && line_end == NULL)
        return;
    frame->state = UM_FRAME_AT_LINE;
    begin_text(frame);
}

void um_frame_unread(struct um_frame *frame, size_t used)
{
    size_t size = frame->given - used;

    assert(frame->state == UM_FRAME_AT_LINE && used <= frame->given);
    frame->given = 0;
    if (size == 0)
        return;
    frame->input -= size;
    frame->left += size;
    frame->line_size += size;
    /* A last line may have no end. */
    if (frame->line_size == frame->left && frame->input[frame->left - 1] != '\n')
        frame->line_size = 0;
    frame->counts_brackets = frame->line_size != 0;
}

/* ---- headers ---- */

static void break_off(struct um_frame *frame, const char *what)
{
    frame->what = what;
    frame->state = UM_FRAME_FAILED;
}

UM_ALWAYS_INLINE void begin_block(struct um_frame *frame)
{
    um_header_block_init(&frame->block);
    frame->state = UM_FRAME_AT_HEADERS;
}

/* A block is whole, of which the next `size` bytes are the last ones, or all. */
static void end_block(struct um_frame *frame, size_t size)
{
    frame->last_size = 0;
    if (size >= UM_WORD_SIZE && size <= UM_FRAME_LAST_LIMIT && frame->block.size <= size) {
        memcpy(frame->last, frame->input, size);
        frame->last_size = size;
    }
    take(frame, size);
    frame->state = UM_FRAME_AT_TEXT;
}

/* Takes a block that is written as the last one, of which `block` knows what it says. Returns whether it is. */
UM_ALWAYS_INLINE bool repeat_block(struct um_frame *frame)
{
    if (frame->last_size == 0 || frame->left < frame->last_size ||
        !um_words_are_same(frame->input, frame->last, frame->last_size))
        return false;
    take(frame, frame->last_size);
    frame->state = UM_FRAME_AT_TEXT;
    return true;
}

/* Takes `name`, which ends with a space, a number of at most 15 digits, and the line's end. Returns what is behind it; NULL: that is not
 * there. */
UM_ALWAYS_INLINE const char *take_plain_length(const char *at, const char *end, const char *name,
                                               size_t name_size, uint64_t *length)
{
    enum { DIGITS_MAXIMUM = 15 };
    const char *digits = at + name_size;
    uint64_t number = 0;

    if ((size_t)(end - at) < name_size || memcmp(at, name, name_size) != 0)
        return NULL;
    for (at = digits; at != end && *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == digits || at - digits > DIGITS_MAXIMUM || end - at < 2 || at[0] != '\r' || at[1] != '\n')
        return NULL;
    *length = number;
    return at + 2;
}

/* Takes a block that is there whole and written as umemd and its library write it: Content-Length, perhaps Payload-Length, one space
 * before each number. Returns whether it was; else nothing was taken. */
static bool read_plain_headers(struct um_frame *frame)
{
    static const char content[] = "Content-Length: ";
    static const char payload[] = "Payload-Length: ";
    uint64_t *length = frame->block.length;
    const char *end = frame->input + frame->left;
    const char *at =
        take_plain_length(frame->input, end, content, sizeof content - 1, &length[UM_FRAME_CONTENT]);

    if (at != NULL && at != end && *at == 'P')
        at = take_plain_length(at, end, payload, sizeof payload - 1, &length[UM_FRAME_PAYLOAD_LENGTH]);
    if (at == NULL || end - at < 2 || at[0] != '\r' || at[1] != '\n') {
        um_header_block_init(&frame->block);
        return false;
    }
    end_block(frame, (size_t)(at + 2 - frame->input));
    return true;
}

/* Takes the bytes of a block, as far as they are there. */
static void read_headers(struct um_frame *frame)
{
    enum um_header_block_result result = UM_HEADER_BLOCK_MORE;
    size_t size = 0;

    while (result == UM_HEADER_BLOCK_MORE && size < frame->left)
        result = um_header_block_feed(&frame->block, frame->input[size++]);
    if (result == UM_HEADER_BLOCK_WHOLE) {
        end_block(frame, size);
        return;
    }
    take(frame, size);
    if (result != UM_HEADER_BLOCK_MORE)
        break_off(frame, frame->block.what);
    if (result == UM_HEADER_BLOCK_HTTP && !frame->has_message)
        frame->kind = UM_FRAME_HTTP;
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
            return refuse(message, "Content-Length is over message_bytes", message_bytes, content);
        return refuse(message, "Payload-Length is over payload_bytes", payload_bytes, payload);
    }
    if (frame->left < size)
        return nothing_left(frame);
    *message = (struct um_frame_message){.text = frame->input,
                                         .size = size,
                                         .payload_size = payload,
                                         .content_type = frame->block.content_type};
    take(frame, size);
    if (size >= sizeof mark && memcmp(message->text, mark, sizeof mark) == 0) {
        message->text += sizeof mark;
        message->size -= sizeof mark;
    }
    frame->awaited = payload;
    frame->has_message = true;
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

/* Passes over a mark before a message. Returns whether the byte behind it, or the first one where there is no mark, has come. */
static bool skip_mark(struct um_frame *frame)
{
    size_t size = mark_bytes(frame);

    if (size == sizeof mark)
        take(frame, size);
    else if (size == frame->left)
        return false;
    return frame->left != 0;
}

/* Lets the first byte decide. */
static void begin(struct um_frame *frame)
{
    if (is_bracket(*frame->input) || is_space(*frame->input)) {
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
        case UM_FRAME_FAILED:
            *message = (struct um_frame_message){.what = frame->what};
            return UM_FRAME_BROKEN;
        case UM_FRAME_AT_LINE:
            return next_line(frame, message);
        case UM_FRAME_AT_TEXT:
            return next_text(frame, message);
        case UM_FRAME_AT_PAYLOAD:
            if (frame->left == 0 && (frame->awaited == 0 || frame->ended))
                return nothing_left(frame);
            if (frame->awaited != 0)
                return UM_FRAME_PAYLOAD;
            if (!repeat_block(frame))
                begin_block(frame);
            break;
        case UM_FRAME_AT_START:
            if (!skip_mark(frame))
                return nothing_left(frame);
            begin(frame);
            break;
        case UM_FRAME_AT_HEADERS:
            if (frame->left != 0 && frame->block.size == 0 && read_plain_headers(frame))
                break;
            if (frame->left == 0 || (frame->block.size == 0 && !skip_mark(frame)))
                return nothing_left(frame);
            read_headers(frame);
            break;
        default:
            if (frame->left == 0)
                return nothing_left(frame);
            if (frame->state == UM_FRAME_SKIP_LINE)
                skip_line(frame);
            else
                skip_bytes(frame);
        }
    }
}

bool um_frame_is_between(const struct um_frame *frame)
{
    if (frame->state == UM_FRAME_AT_PAYLOAD)
        return frame->left == 0 && frame->awaited == 0;
    return frame->state == UM_FRAME_AT_HEADERS && frame->left == 0 && frame->block.size == 0;
}

const char *um_frame_missing(const struct um_frame *frame)
{
    if (frame->state == UM_FRAME_AT_TEXT)
        return "fewer bytes came than Content-Length says";
    if (frame->state == UM_FRAME_AT_HEADERS)
        return "no empty line came that ends the headers";
    return frame->brackets.depth != 0 ? "no closing bracket and no line end came" : "no line end came";
}

void um_frame_skip_message(struct um_frame *frame)
{
    if (frame->state == UM_FRAME_AT_LINE) {
        frame->state = UM_FRAME_SKIP_LINE;
        take(frame, frame->left);
    } else if (frame->state == UM_FRAME_AT_TEXT) {
        frame->awaited = frame->block.length[UM_FRAME_CONTENT] + frame->block.length[UM_FRAME_PAYLOAD_LENGTH];
        frame->state = UM_FRAME_SKIP_BYTES;
        skip_bytes(frame);
    } else if (frame->state == UM_FRAME_AT_HEADERS) {
        break_off(frame, cut_headers);
    }
}

size_t um_frame_take_payload(struct um_frame *frame, char *space, size_t capacity)
{
    size_t size = frame->left < capacity ? frame->left : capacity;

    assert(frame->state == UM_FRAME_AT_PAYLOAD);
    if (frame->awaited < size)
        size = (size_t)frame->awaited;
    if (size != 0)
        memcpy(space, frame->input, size);
    take(frame, size);
    frame->awaited -= size;
    return size;
}

char *um_frame_whole_payload(const struct um_frame *frame)
{
    uint64_t size = um_frame_payload_left(frame);

    return size != 0 && size <= frame->left ? frame->input : NULL;
}

void um_frame_skip_payload(struct um_frame *frame)
{
    assert(um_frame_whole_payload(frame) != NULL);
    take(frame, (size_t)frame->awaited);
    frame->awaited = 0;
}

void um_frame_payload_consumed(struct um_frame *frame, size_t size)
{
    assert(frame->state == UM_FRAME_AT_PAYLOAD && frame->left == 0 && size <= frame->awaited);
    frame->awaited -= size;
}
