/*
 * A growable row of bytes that states its limit when it is made.
 *
 * Owns: its memory. Must not know: what the bytes mean.
 *
 * A buffer that would pass its limit, or for which memory runs out, turns `failed` and stays as it was; further appends do
 * nothing, so a writer may append many times and look at `failed` once.
 */
#ifndef UM_BUF_H
#define UM_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/attributes.h"

struct um_buf {
    char *data;        /* the bytes; NULL while capacity is 0 */
    size_t size;       /* bytes in use */
    size_t capacity;   /* bytes allocated */
    size_t size_limit; /* most bytes that size may reach */
    bool failed;       /* an append was refused since the last um_buf_truncate() */
};

/* Makes an empty buffer without allocating. `size_limit` is in bytes. */
UM_ALWAYS_INLINE void um_buf_init(struct um_buf *buf, size_t size_limit)
{
    *buf = (struct um_buf){.size_limit = size_limit};
}

/* Frees the bytes; the buffer is then as after um_buf_init(). NULL bytes are fine. */
void um_buf_deinit(struct um_buf *buf);

/* As um_buf_reserve(), where the memory there is may not do. */
char *um_buf_grow(struct um_buf *buf, size_t extra);

/* Allocates for `extra` more bytes where that is needed and returns where they go (at data + size), or NULL where the limit or the memory
 * does not allow them (then `failed` is set). Does not change size: the caller adds what it wrote. An answer is made of many
 * small pieces, so that this and the appends are compiled into their callers. */
UM_ALWAYS_INLINE char *um_buf_reserve(struct um_buf *buf, size_t extra)
{
    if (extra < buf->capacity - buf->size && !buf->failed)
        return buf->data + buf->size;
    return um_buf_grow(buf, extra);
}

/* Appends bytes. Returns false where the buffer has failed. */
UM_ALWAYS_INLINE bool um_buf_append(struct um_buf *buf, const void *bytes, size_t size)
{
    char *end = um_buf_reserve(buf, size);

    if (end == NULL)
        return false;
    if (size != 0)
        memcpy(end, bytes, size);
    buf->size += size;
    return true;
}

/* Appends a C string without its end. */
static inline bool um_buf_append_string(struct um_buf *buf, const char *string)
{
    return um_buf_append(buf, string, strlen(string));
}

/* Appends one byte. */
UM_ALWAYS_INLINE bool um_buf_append_byte(struct um_buf *buf, char byte)
{
    char *end = um_buf_reserve(buf, 1);

    if (end == NULL)
        return false;
    *end = byte;
    buf->size++;
    return true;
}

/* Removes `size` bytes (at most buf->size) from the front, moving the remaining bytes down. */
void um_buf_consume(struct um_buf *buf, size_t size);

/* Cuts the buffer back to `size` bytes (at most buf->size) and forgets a failure. */
UM_ALWAYS_INLINE void um_buf_truncate(struct um_buf *buf, size_t size)
{
    buf->size = size;
    buf->failed = false;
}

/* Exchanges memory and contents; each keeps its limit. */
UM_ALWAYS_INLINE void um_buf_swap(struct um_buf *left, struct um_buf *right)
{
    struct um_buf other = *left;

    left->data = right->data;
    left->size = right->size;
    left->capacity = right->capacity;
    right->data = other.data;
    right->size = other.size;
    right->capacity = other.capacity;
}

/* Frees the memory where the buffer is empty and more than `keep` bytes are allocated. */
void um_buf_shrink(struct um_buf *buf, size_t keep);

#endif
