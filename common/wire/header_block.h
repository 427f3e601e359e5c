/*
 * A block of headers, parsed as its bytes arrive.
 *
 * Owns: what a header line may be, and the two lengths that a block states. Must not know: texts, payloads,
 * limits of messages. Pure, and no byte of the block is kept but the start of a name.
 *
 * A block is header lines, each a name, a colon, a value and "\r\n", and then an empty line. Content-Length
 * is in each block, once; Payload-Length may be, once; what Content-Type says is kept where it is printable ASCII and not too
 * long; other headers are passed over. A name is a token of RFC 9110 (section 5.6.2) and may be in any case; a value has no
 * control characters but tabs. A method of HTTP and a space at the beginning are a request line of HTTP (RFC 9112, section 3).
 */
#ifndef UM_HEADER_BLOCK_H
#define UM_HEADER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

enum {
    UM_FRAME_HEADERS_LIMIT = 8192, /* most bytes in one block, its empty line counted */
    UM_FRAME_TYPE_CAPACITY = 128   /* bytes for a Content-Type, with a NUL behind it */
};

/* The lengths that a block may state. */
enum um_frame_length { UM_FRAME_CONTENT, UM_FRAME_PAYLOAD_LENGTH, UM_FRAME_LENGTHS };

/* Which header a line is. The lengths come first. */
enum um_frame_header { UM_FRAME_CONTENT_TYPE = UM_FRAME_LENGTHS, UM_FRAME_OTHER };

/* What a byte made of the block. */
enum um_header_block_result {
    UM_HEADER_BLOCK_MORE,   /* good so far, and not whole */
    UM_HEADER_BLOCK_WHOLE,  /* that was its last byte: `length` holds */
    UM_HEADER_BLOCK_BROKEN, /* no block can begin like this: `what` says why */
    UM_HEADER_BLOCK_HTTP    /* likewise, because it is HTTP */
};

/* Where in a block the next byte is. */
enum um_header_block_state {
    UM_HEADER_BLOCK_IN_NAME,   /* at a line's start or in a name */
    UM_HEADER_BLOCK_IN_VALUE,  /* after the colon */
    UM_HEADER_BLOCK_AT_LF,     /* after the CR that ends a line */
    UM_HEADER_BLOCK_AT_LAST_LF /* after the CR of the empty line */
};

/* The members are the parser's own, but for `length`, `content_type` and `what`. */
struct um_header_block {
    uint64_t length[UM_FRAME_LENGTHS];         /* 0 where the block does not state it */
    const char *what;                          /* why it is broken: static, a sentence without a full stop */
    bool given[UM_FRAME_LENGTHS];              /* which of them it states */
    char name[16];                             /* of the line, in lower case, as far as it fits */
    size_t name_size;                          /* bytes in the name, those that did not fit counted */
    size_t size;                               /* bytes in the block so far */
    char content_type[UM_FRAME_TYPE_CAPACITY]; /* without space around it; "": none, or none that is kept */
    size_t type_size;                          /* bytes of it so far, those that did not fit counted */
    int wanted; /* which header the line is, of um_frame_length or um_frame_header */
    enum um_header_block_state spot;
    bool has_digit;  /* the value has begun */
    bool value_over; /* white space has followed the value */
};

/* Begins a block. */
UM_ALWAYS_INLINE void um_header_block_init(struct um_header_block *block)
{
    /* One by one, since the memory for a type need not be cleared for each message. */
    memset(block->length, 0, sizeof block->length);
    memset(block->given, 0, sizeof block->given);
    block->what = NULL;
    block->name_size = 0;
    block->size = 0;
    block->content_type[0] = '\0';
    block->type_size = 0;
    block->wanted = UM_FRAME_OTHER;
    block->spot = UM_HEADER_BLOCK_IN_NAME;
    block->has_digit = false;
    block->value_over = false;
}

/* Takes the next byte. Only while the answer was UM_HEADER_BLOCK_MORE. */
enum um_header_block_result um_header_block_feed(struct um_header_block *block, char byte);

#endif
