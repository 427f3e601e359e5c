#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void um_buf_deinit(struct um_buf *buf)
{
    free(buf->data);
    um_buf_init(buf, buf->size_limit);
}

/* Doubles until `needed` fits, but never past the limit. */
UM_ALWAYS_INLINE size_t next_capacity(const struct um_buf *buf, size_t needed)
{
    size_t capacity = buf->capacity != 0 ? buf->capacity : FIRST_CAPACITY;

    while (capacity < needed && capacity <= buf->size_limit / 2)
        capacity *= 2;
    return capacity < needed || capacity > buf->size_limit ? buf->size_limit : capacity;
}

char *um_buf_grow(struct um_buf *buf, size_t extra)
{
    if (buf->failed)
        return NULL;
    if (extra > buf->capacity - buf->size || buf->data == NULL) {
        size_t capacity;
        char *data;

        if (extra > buf->size_limit - buf->size) {
            buf->failed = true;
            return NULL;
        }
        capacity = next_capacity(buf, buf->size + extra);
        data = realloc(buf->data, capacity != 0 ? capacity : 1);
        if (data == NULL) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

void um_buf_consume(struct um_buf *buf, size_t size)
{
    buf->size -= size;
    if (size != 0 && buf->size != 0)
        memmove(buf->data, buf->data + size, buf->size);
}

void um_buf_shrink(struct um_buf *buf, size_t keep)
{
    if (buf->size == 0 && buf->capacity > keep) {
        free(buf->data);
        buf->data = NULL;
        buf->capacity = 0;
    }
}
