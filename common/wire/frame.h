/*
 * The two framings of the wire: bytes in, messages out.
 *
 * Owns: where one message ends and the next begins, for lines and for headers, and the bytes of a message
 * that is not whole yet. Must not know: JSON, sockets, what is at the other end. It does no I/O, and allocates by
 * what has arrived, never by what a length declares.
 *
 * A connection's first byte decides. `{`, `[` and white space begin lines: a text ends where its outermost bracket
 * closes, or at the latest with the line, at "\n" or "\r\n"; lines of white space are ignored. Anything else begins a
 * block of headers: Content-Length, Payload-Length, Content-Type, others ignored, an empty line, the text, the payload.
 * A UTF-8 byte-order mark before a message is skipped. A request line of HTTP is distinguished from broken headers.
 *
 * Most lines hold one text and come whole. Such a line is given out as it is, and no bracket of it is
 * counted: the reader sees where the text ends, and returns what stands behind it, by um_frame_unread().
 * Brackets are counted where the line's end has not come, where the line is longer than UM_FRAME_LONG_SIZE or
 * than a message may be, and where something was put back.
 *
 * How it is used: um_frame_feed() bytes, call um_frame_next() until it answers UM_FRAME_MORE, then
 * um_frame_keep() before the memory that was fed is used for something else. A frame between messages holds
 * no memory of its own. Instead of feeding, the later part of a long message may be read into
 * um_frame_reserve().
 */
#ifndef UM_FRAME_H
#define UM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "wire/header_block.h"
#include "wire/json_end.h"

enum {
    UM_FRAME_FEED_LIMIT = 1 << 20, /* most bytes that may be fed at one time */
    UM_FRAME_LONG_SIZE =
        1 << 18, /* a message of more bytes is one text, behind which nothing has to be put back */
    UM_FRAME_LAST_LIMIT = 128 /* bytes of a block of headers that the next one is compared with */
};

/* Which framing the first byte chose. */
enum um_frame_kind { UM_FRAME_UNDECIDED, UM_FRAME_LINES, UM_FRAME_HEADERS, UM_FRAME_HTTP };

/* What um_frame_next() found. */
enum um_frame_event {
    UM_FRAME_MORE,      /* nothing whole is left: feed more */
    UM_FRAME_MESSAGE,   /* a message: *message says where */
    UM_FRAME_PAYLOAD,   /* the last message's payload comes first: take or skip it */
    UM_FRAME_TOO_LARGE, /* a message over a limit, reported once, then skipped: the next one can be read */
    UM_FRAME_BROKEN,    /* a broken block of headers, or HTTP: no boundary is known any more, for good */
    UM_FRAME_END        /* the input has ended and everything in it was given out */
};

struct um_frame_message {
    char *text;  /* in the frame's or the feeder's memory, may be changed; good until the next call */
    size_t size; /* bytes of text */
    uint64_t payload_size;  /* raw bytes that follow it */
    struct um_json_run run; /* of a message over UM_FRAME_LONG_SIZE: one in it, if one is known */
    const char *
        content_type; /* with headers: what Content-Type says, "" where it says nothing; good as long as the text */
    const char *what;  /* for TOO_LARGE and BROKEN: static, a sentence without a full stop */
    const char *limit; /* for TOO_LARGE: static, the name of the limit that is passed */
    uint64_t asked; /* for TOO_LARGE: bytes, 0 for a line: how many are known would depend on how they come */
};

/* Where the parser stands. The members are the parser's own. */
enum um_frame_state {
    UM_FRAME_AT_START,   /* no byte yet, but a byte-order mark may have come */
    UM_FRAME_AT_LINE,    /* between texts on lines or in one */
    UM_FRAME_SKIP_LINE,  /* in a text on a line that was refused */
    UM_FRAME_AT_HEADERS, /* headers: in a block */
    UM_FRAME_AT_TEXT,    /* headers: in the text */
    UM_FRAME_AT_PAYLOAD, /* headers: in the payload */
    UM_FRAME_SKIP_BYTES, /* headers: in a message that was refused */
    UM_FRAME_FAILED      /* headers: broken */
};

struct um_frame {
    struct um_buf kept;     /* bytes of an incomplete message, or of messages that were not taken yet */
    size_t message_limit;   /* most bytes in one text */
    uint64_t payload_limit; /* most bytes in one payload */
    char *input;            /* the bytes that were not taken yet: in `kept`, or in memory of the feeder's */
    size_t left;            /* how many those are */
    size_t line_size; /* lines: bytes up to the line's end, with it; 0: it has not come, or is not known */
    size_t scanned;   /* lines: how many of them are known to hold no line end */
    size_t counted;   /* lines: in how many of them brackets were counted */
    size_t given;     /* lines: bytes of the last message, and its line's end if that was used up */
    struct um_json_end brackets;  /* lines: of the text */
    bool has_message;             /* headers: one was given out, so that what follows is not HTTP */
    bool counts_brackets;         /* lines: what follows on the line may hold several texts */
    bool always_counts;           /* lines: brackets of every line are counted */
    uint64_t awaited;             /* bytes of payload, or to skip, that are still to come */
    struct um_header_block block; /* headers */
    size_t last_size; /* headers: bytes of the block of the last message; 0: it is not in `last` */
    char last[UM_FRAME_LAST_LIMIT];
    const char *what;        /* why it is broken */
    enum um_frame_kind kind; /* what the first byte chose */
    enum um_frame_state state;
    bool borrowed; /* `input` is the feeder's */
    bool ended;    /* no more will be fed */
};

/* Makes a frame without allocating. The limits are in bytes and inclusive. */
void um_frame_init(struct um_frame *frame, size_t message_limit, uint64_t payload_limit);

/* For readers that do not call um_frame_unread(): brackets are counted in every line, so that each message is one text. Before the first byte. */
void um_frame_count_brackets(struct um_frame *frame);

/* Frees what it keeps. */
void um_frame_deinit(struct um_frame *frame);

/* Gives bytes (at most UM_FRAME_FEED_LIMIT), only after um_frame_next() answered UM_FRAME_MORE or before
 * its first call. The frame borrows them until um_frame_keep(), and messages may lie in them.
 * UMEM_E_NO_MEMORY: the connection is lost. */
int um_frame_feed(struct um_frame *frame, char *bytes, size_t size);

/* Where the next bytes of a message of which at least `least` bytes were kept may be put without being copied: *capacity of them, at
 * most as many as have come already, up to UM_FRAME_FEED_LIMIT. NULL, and *capacity stays: there is no such message, or no memory; then
 * um_frame_feed() takes what comes. When as um_frame_feed(). */
char *um_frame_reserve(struct um_frame *frame, size_t least, size_t *capacity);

/* Makes the memory of a message that has begun large enough for `size` bytes, so that it need not grow step by step. Where there is
 * no memory, it stays as it is. When as um_frame_reserve(). */
void um_frame_expect(struct um_frame *frame, size_t size);

/* Tells that `size` bytes were put there, as um_frame_feed() would. */
void um_frame_commit(struct um_frame *frame, size_t size);

/* Tells that the input has ended: an unterminated last line counts, a cut message with headers does not. */
void um_frame_end(struct um_frame *frame);

/* Finds the next message. *message is set for MESSAGE, TOO_LARGE and BROKEN. */
enum um_frame_event um_frame_next(struct um_frame *frame, struct um_frame_message *message);

/* Lines: returns to the frame, as another text, what stands behind the first `used` bytes of the last
 * message, and the end of its line. To be called right after the um_frame_next() that gave the message. */
void um_frame_unread(struct um_frame *frame, size_t used);

/* What the message that has begun lacks: static, a sentence without a full stop. Only while um_frame_is_in_message(). */
const char *um_frame_missing(const struct um_frame *frame);

/* Copies what was not taken out of the feeder's memory. UMEM_E_NO_MEMORY: the connection is lost. */
int um_frame_keep(struct um_frame *frame);

/* Frees memory that a longer message needed and what is kept now does not. After um_frame_keep(). Where there is no memory to
 * move it to, it stays. */
void um_frame_trim(struct um_frame *frame);

/* Gives the memory of the message that um_frame_next() has just answered away, for its text to outlive the frame without being copied:
 * malloc, the text at its beginning. What follows it is moved. NULL: the text has no memory of its own, or there is none for the rest;
 * then nothing has changed. */
char *um_frame_give(struct um_frame *frame, const struct um_frame_message *message);

/* Whether, with headers, every message is whole and nothing of a next one has come. */
bool um_frame_is_between(const struct um_frame *frame);

/* Whether a message has begun that is not whole: a text or its headers, not a payload nor what is skipped. Where messages are
 * left that were not taken, it may be one of these. */
UM_ALWAYS_INLINE bool um_frame_is_in_message(const struct um_frame *frame)
{
    if (frame->state == UM_FRAME_AT_LINE)
        return frame->left != 0;
    return frame->state == UM_FRAME_AT_TEXT ||
           (frame->state == UM_FRAME_AT_HEADERS && (frame->left != 0 || frame->block.size != 0));
}

/* Skips what follows of that message, with its payload, and drops what has come of it. Headers that are not
 * whole break the frame, since it is not known how long the message is. Only after UM_FRAME_MORE. */
void um_frame_skip_message(struct um_frame *frame);

/* How many bytes of the last message's payload are still to come. */
UM_ALWAYS_INLINE uint64_t um_frame_payload_left(const struct um_frame *frame)
{
    return frame->state == UM_FRAME_AT_PAYLOAD ? frame->awaited : 0;
}

/* Moves payload bytes that were fed already to `space` (capacity bytes). Returns how many; 0: none are left
 * here, so the next ones may be read past the frame. */
size_t um_frame_take_payload(struct um_frame *frame, char *space, size_t capacity);

/* The last message's payload where all of it has been fed, good until the next call; NULL: it has not, or there is none. */
char *um_frame_whole_payload(const struct um_frame *frame);

/* Passes over it. */
void um_frame_skip_payload(struct um_frame *frame);

/* Tells that `size` bytes of the payload (at most what is left) were read past the frame. */
void um_frame_payload_consumed(struct um_frame *frame, size_t size);

#endif
