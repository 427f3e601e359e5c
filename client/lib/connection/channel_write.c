/* Messages as they are sent: headers, then JSON; raw bytes follow from where they lie. */
#include <stdio.h>
#include <string.h>

#include "lib/connection/channel.h"
#include "wire/json_write.h"

/* Headers go before a text whose length is not known yet: a gap is kept, and what is left of it closed. */
enum { HEADERS_SIZE = 80 };

static void write_headers(struct um_buf *out, size_t start, uint64_t payload_size)
{
    char headers[HEADERS_SIZE];
    size_t text_size = out->size - start - HEADERS_SIZE;
    int size;

    if (payload_size != 0)
        size = snprintf(headers, sizeof headers, "Content-Length: %zu\r\nPayload-Length: %llu\r\n\r\n",
                        text_size, (unsigned long long)payload_size);
    else
        size = snprintf(headers, sizeof headers, "Content-Length: %zu\r\n\r\n", text_size);
    memcpy(out->data + start, headers, (size_t)size);
    memmove(out->data + start + size, out->data + start + HEADERS_SIZE, text_size);
    out->size -= HEADERS_SIZE - (size_t)size;
}

/* Keeps a gap for the headers. */
static size_t begin_message(struct um_buf *out)
{
    static const char space[HEADERS_SIZE] = {0};
    size_t start = out->size;

    um_buf_append(out, space, HEADERS_SIZE - 1);
    /* What stands before decides whether a comma is due. */
    um_buf_append_byte(out, '\n');
    return start;
}

void um_channel_write(const struct um_request *request, struct um_buf *out, uint64_t *payload_size)
{
    size_t start = begin_message(out);
    uint64_t sum = request->payload_size;

    if (request->parts == NULL) {
        um_request_write(request, out);
    } else {
        um_json_begin_array(out);
        for (const struct um_request *part = request->parts; part != NULL; part = part->next) {
            if (part != request->parts)
                um_buf_append_byte(out, ',');
            um_request_write(part, out);
            sum += part->payload_size;
        }
        um_json_end_array(out);
    }
    if (out->failed)
        return;
    write_headers(out, start, sum);
    *payload_size = sum;
}

void um_channel_write_notification(const struct um_request *request, struct um_buf *out)
{
    size_t start = begin_message(out);

    um_request_write(request, out);
    if (!out->failed)
        write_headers(out, start, 0);
}
