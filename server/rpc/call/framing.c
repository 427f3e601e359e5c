/* The frame around what is sent. */
#include "rpc/call/framing.h"

#include <stdio.h>
#include <string.h>

/* Most answers have 100 to 999 bytes, so that the header that was guessed needs no moving. */
static const char guessed_header[] = "Content-Length: 000\r\n\r\n";

size_t um_framing_begin(struct um_session *session)
{
    size_t start = session->out.size;

    if (session->framing == UM_FRAMING_HEADERS)
        um_buf_append(&session->out, guessed_header, sizeof guessed_header - 1);
    return start;
}

static void insert_header(struct um_session *session, size_t start, uint64_t payload_size)
{
    char header[96 + sizeof session->content_type];
    struct um_buf *out = &session->out;
    size_t guessed = sizeof guessed_header - 1;
    size_t body_size = out->size - start - guessed;
    size_t size;

    size = (size_t)snprintf(header, sizeof header, "Content-Length: %zu\r\n", body_size);
    if (payload_size != 0)
        size += (size_t)snprintf(header + size, sizeof header - size, "Payload-Length: %llu\r\n",
                                 (unsigned long long)payload_size);
    if (session->content_type[0] != '\0')
        size += (size_t)snprintf(header + size, sizeof header - size, "Content-Type: %s\r\n",
                                 session->content_type);
    memcpy(header + size, "\r\n", 2);
    size += 2;
    if (size > guessed && um_buf_reserve(out, size - guessed) == NULL)
        return;
    if (size != guessed)
        memmove(out->data + start + size, out->data + start + guessed, body_size);
    memcpy(out->data + start, header, size);
    out->size = start + size + body_size;
}

void um_framing_end(struct um_session *session, size_t start, uint64_t payload_size)
{
    if (session->framing == UM_FRAMING_HEADERS)
        insert_header(session, start, payload_size);
    else
        um_buf_append_byte(&session->out, '\n');
}
