/*
 * Sending: one write for all answers of a turn. The engine appends to rpc_session.out; what libuv cannot take at
 * once stays in place under the name of `sending`, and the engine goes on with an empty buffer. A tail (raw
 * bytes straight from a block) goes out where it belongs among the answers.
 */
#include "net/connection.h"

#include <assert.h>

#include "net/server_core.h"

enum {
    SPARE_LIMIT = 1 << 21, /* bytes: larger memory is not kept for the next session */
    WIDE_SIZE = 1 << 19,   /* bytes that a socket's buffer is made to take, once it has proved too small, */
    WIDE_FROM = 1 << 17,   /* by as many bytes */
    TRY_LIMIT =
        1 << 30, /* bytes in one part of a write that does not wait: a uv_buf_t's length may have 32 bits */
    WRITE_LIMIT =
        1 << 20 /* bytes of a write that waits, one at a time: Windows keeps all of them in non-paged pool */
};

/* Exchanges memory and contents; each keeps its limit. */
static void swap(struct um_buf *left, struct um_buf *right)
{
    struct um_buf other = *left;

    left->data = right->data;
    left->size = right->size;
    left->capacity = right->capacity;
    right->data = other.data;
    right->size = other.size;
    right->capacity = other.capacity;
}

void um_connection_borrow_memory(struct um_connection *session)
{
    if (session->rpc_session.out.data == NULL)
        swap(&session->rpc_session.out, &session->server->spare);
}

/* Empties a buffer and gives its memory to whoever is served next. */
static void give_back(struct um_connection *session, struct um_buf *buf)
{
    struct um_buf *spare = &session->server->spare;

    um_buf_truncate(buf, 0);
    if (spare->data == NULL && buf->capacity <= SPARE_LIMIT)
        swap(buf, spare);
    um_buf_shrink(buf, 0);
}

/* Whether a tail waits to be sent. */
static bool has_tail(const struct um_connection *session)
{
    return session->rpc_session.tail.bytes != NULL && !session->is_sending_tail;
}

static uint64_t parts_size(const struct um_connection *session)
{
    uint64_t size = 0;

    for (int i = 0; i < UM_CONNECTION_PARTS; i++)
        size += session->parts[i].size;
    return size;
}

uint64_t um_connection_unsent(const struct um_connection *session)
{
    uint64_t tail = has_tail(session) ? session->rpc_session.tail.size : 0;
    uint64_t on_the_way = parts_size(session);

    /* Of what libuv has, it knows better how much is gone. */
    if (session->writing_size != 0)
        on_the_way +=
            uv_stream_get_write_queue_size((const uv_stream_t *)&session->pipe) - session->writing_size;
    return session->rpc_session.out.size + tail + on_the_way;
}

/* Puts what the engine has for us on its way. Returns whether there is something. */
static bool load(struct um_connection *session)
{
    struct um_session *rpc_session = &session->rpc_session;
    bool with_tail = has_tail(session);
    size_t head = with_tail ? rpc_session->tail.at : rpc_session->out.size;

    if (rpc_session->out.size == 0 && !with_tail) {
        give_back(session, &rpc_session->out);
        return false;
    }
    swap(&rpc_session->out, &session->sending);
    session->parts[0] = (struct um_connection_part){session->sending.data, head};
    if (with_tail) {
        session->parts[1] =
            (struct um_connection_part){(const char *)rpc_session->tail.bytes, rpc_session->tail.size};
        session->parts[2] =
            (struct um_connection_part){session->sending.data + head, session->sending.size - head};
        session->is_sending_tail = true;
    }
    session->server->traffic.bytes_written += parts_size(session);
    return true;
}

/* All that was on its way has been handed over. */
static void unload(struct um_connection *session)
{
    give_back(session, &session->sending);
    if (session->is_sending_tail) {
        session->is_sending_tail = false;
        um_session_tail_sent(&session->rpc_session);
    }
}

static void advance(struct um_connection *session, size_t size)
{
    for (int i = 0; i < UM_CONNECTION_PARTS; i++) {
        struct um_connection_part *part = &session->parts[i];
        size_t step = size < part->size ? size : part->size;

        part->bytes += step;
        part->size -= step;
        size -= step;
    }
}

/* Writes up to `limit` parts as libuv's buffers, each of at most `part_limit` bytes. Returns how many. */
static unsigned list_parts(const struct um_connection *session, uv_buf_t *bufs, unsigned limit,
                           size_t part_limit)
{
    unsigned count = 0;

    for (int i = 0; i < UM_CONNECTION_PARTS && count < limit; i++) {
        const struct um_connection_part *part = &session->parts[i];
        size_t size = part->size < part_limit ? part->size : part_limit;

        if (size == 0)
            continue;
        bufs[count++] = uv_buf_init((char *)(uintptr_t)part->bytes, (unsigned)size);
        if (size < part->size)
            break;
    }
    return count;
}

static void on_written(uv_write_t *write, int status)
{
    struct um_connection *session = write->data;

    advance(session, session->writing_size);
    session->writing_size = 0;
    if (session->is_closing)
        return;
    um_server_begin_turn(session->server);
    if (status != 0)
        um_connection_close(session);
    else
        um_connection_wake(session);
}

/* Leaves the next part to libuv. One at a time: on Windows it would copy several into one. */
static void write_later(struct um_connection *session)
{
    uv_buf_t buf;
    unsigned count = list_parts(session, &buf, 1, WRITE_LIMIT);

    assert(count == 1);
    session->write.data = session;
    session->writing_size = buf.len;
    if (uv_write(&session->write, (uv_stream_t *)&session->pipe, &buf, count, on_written) != 0) {
        session->writing_size = 0;
        um_connection_close(session);
    }
}

/* A client that reads large answers gets them in fewer turns of the two sides where the system keeps more of them: on Linux a
 * writer is woken only when three quarters of the buffer have been read. Windows' pipes cannot. */
static void widen(struct um_connection *session)
{
    int size = WIDE_SIZE;

    session->is_wide = true;
    (void)uv_send_buffer_size((uv_handle_t *)&session->pipe, &size);
}

void um_connection_send(struct um_connection *session)
{
    uv_buf_t bufs[UM_CONNECTION_PARTS];

    while (!session->is_closing && session->writing_size == 0) {
        unsigned count;
        int sent;

        if (parts_size(session) == 0) {
            unload(session);
            if (!load(session))
                return;
        }
        count = list_parts(session, bufs, UM_CONNECTION_PARTS, TRY_LIMIT);
        /* Windows always answers UV_EAGAIN. */
        sent = uv_try_write((uv_stream_t *)&session->pipe, bufs, count);
        um_scheduler_charge(session->group, 0, UM_COST_WRITE + (sent > 0 ? (uint64_t)sent : 0));
        if (sent > 0) {
            advance(session, (size_t)sent);
            if (!session->is_wide && parts_size(session) >= WIDE_FROM)
                widen(session);
        } else if (sent == UV_EAGAIN) {
            write_later(session);
        } else {
            um_connection_close(session);
        }
    }
}
