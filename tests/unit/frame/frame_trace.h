/*
 * The results of a frame, as a text that tests compare.
 *
 * Owns: a frame, and the text. Must not know: what is tested.
 *
 * A line's text is read as far as its outermost bracket closes, and what stands behind it is put back, as the engine does.
 *
 * The text has "M<text>" and "P<payload bytes>" for each message, "L" for one too large, "B<why>" for broken
 * headers, "H" for HTTP, "E" for the end; each with a "|" after it.
 */
#ifndef FRAME_TRACE_H
#define FRAME_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/frame.h"

enum { MESSAGE_LIMIT = 64, PAYLOAD_LIMIT = 32, TRACE_CAPACITY = 4096 };

struct trace {
    struct um_frame frame;
    struct um_buf text;
};

void trace_init(struct trace *trace);
void trace_deinit(struct trace *trace);

/* Feeds a piece out of memory that is spoilt afterwards, as a shared read buffer is, and listens. Returns
 * whether more may be fed. */
bool trace_feed(struct trace *trace, const char *bytes, size_t size);

/* Takes all that there is. Returns whether more may be fed. */
bool trace_drain(struct trace *trace);

/* Compares the trace so far. */
void trace_expect(struct trace *trace, const char *expected);

/* Feeds `size` bytes in pieces of `first`, then of `step` bytes, ends the input and compares the trace. Three times:
 * the second time the remaining bytes of a message are put to where its beginning is kept, the third time the frame
 * counts all brackets. */
void expect_in_pieces(const char *bytes, size_t size, size_t first, size_t step, const char *expected);

/* Feeds the bytes whole, cut in two at each byte, and in pieces of 1, 2 and 3 bytes: the trace is always the same. */
void expect_bytes(const char *bytes, size_t size, const char *expected);

/* Likewise a text. */
void expect(const char *bytes, const char *expected);

#endif
