/*
 * Requests and their right answers, in a ring that is repeated for as long as is measured.
 *
 * Owns: the bytes of both. Must not know: sockets, protocols.
 *
 * Everything that is sent and everything that must come is made before the clock runs: sending is one system call,
 * checking one memcmp(), so that the driver costs the same, and little, whatever it drives.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "drive.h"

/* In an answer: digits that are not known before, one or more. */
#define RING_NUMBER "\1\2"

struct ring {
    struct source source;   /* what drive() takes */
    struct um_buf requests; /* all of them, one after the other */
    struct um_buf answers;  /* likewise */
    struct ring_end *ends;  /* where each one ends */
    size_t count;           /* how many there are */
    size_t capacity;        /* capacity of `ends` */
    bool has_numbers;       /* answers have RING_NUMBER in them */
    const char *name;       /* printed where an answer is wrong */
};

struct ring_end {
    size_t request; /* in the bytes of all requests */
    size_t answer;  /* in the bytes of all answers */
};

/* Makes an empty ring. `name` must live as long as it does. */
void ring_init(struct ring *ring, const char *name);
void ring_deinit(struct ring *ring);

/* Append to the request, or to the answer, that is being made. */
void ring_request(struct ring *ring, const char *format, ...) UM_PRINTF(2, 3);
void ring_request_bytes(struct ring *ring, const void *bytes, size_t size);
void ring_expect(struct ring *ring, const char *format, ...) UM_PRINTF(2, 3);
void ring_expect_bytes(struct ring *ring, const void *bytes, size_t size);

/* Ends the request and the answer that are being made. */
void ring_end(struct ring *ring);

#endif
