/*
 * Reading: bytes go to where they are wanted. Raw ones that come by themselves go straight into the block, the rest of a long
 * message to where the frame keeps it, and all others through the server's one buffer.
 */
#include "net/connection.h"

#include "net/server_core.h"
#include "umem_errors.h"

enum {
    READ_LIMIT = 1 << 30, /* bytes in one read: a uv_buf_t's length may have 32 bits */
    LONG_SIZE = 32768, /* bytes of a message that are kept from which on the rest is read to where they are */
    /* Bytes that are read first where a long payload is expected, because what comes with its message is copied. */
    HEAD_SIZE = 1024,
    PASSES_LIMIT = 4 /* turns in which a session that waits for its own is still looked at */
};

static void discard(struct um_connection *session, size_t size)
{
    session->discarded += size;
    if (session->discarded >= UM_CONNECTION_DISCARD_SIZE)
        um_connection_end(session);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct um_connection *session = handle->data;
    char *space = session->server->read_buffer;
    size_t room = UM_SERVER_READ_SIZE;
    uint64_t limit = READ_LIMIT;

    (void)suggested_size;
    session->reads_payload = !session->is_discarding && um_frame_payload_left(&session->frame) != 0;
    session->fills_frame = false;
    /* Raw bytes that go into a block are kept nowhere else. */
    if (!session->reads_payload || um_payload_is_of_batch(&session->rpc_session))
        limit = um_budget_read_limit(session);
    if (limit == 0 || !um_scheduler_may_run(session)) {
        if (limit == 0)
            session->passes = PASSES_LIMIT;
        *buf = uv_buf_init(NULL, 0);
        return;
    }
    session->passes = 0;
    if (session->reads_payload) {
        space = um_payload_reserve(&session->rpc_session, &room);
    } else if (session->expects_payload && um_frame_is_between(&session->frame)) {
        room = HEAD_SIZE;
    } else if (!session->is_discarding) {
        char *rest = um_frame_reserve(&session->frame, LONG_SIZE, &room);

        session->fills_frame = rest != NULL;
        if (rest != NULL)
            space = rest;
    }
    if (limit > READ_LIMIT)
        limit = READ_LIMIT;
    *buf = uv_buf_init(space, (unsigned)(room < limit ? room : limit));
}

static void on_bytes(struct um_connection *session, const uv_buf_t *buf, size_t size)
{
    session->server->traffic.bytes_read += size;
    um_scheduler_charge(session->group, 0, UM_COST_READ + size * UM_COST_READ_BYTE);
    if (session->is_discarding) {
        discard(session, size);
        return;
    }
    if (session->reads_payload) {
        um_frame_payload_consumed(&session->frame, size);
        um_payload_commit(&session->rpc_session, size);
    } else if (session->fills_frame) {
        um_frame_commit(&session->frame, size);
    } else {
        um_rpc_prefetch(session->server->rpc, buf->base, size);
        if (um_frame_feed(&session->frame, buf->base, size) != UMEM_OK) {
            um_connection_close(session);
            return;
        }
    }
    um_connection_advance(session);
}

static void on_end(struct um_connection *session)
{
    session->is_reading = false;
    uv_read_stop((uv_stream_t *)&session->pipe);
    um_scheduler_charge(session->group, 0, UM_COST_READ);
    if (session->is_discarding) {
        um_connection_end(session);
        return;
    }
    um_frame_end(&session->frame);
    um_connection_advance(session);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf);

/* Reading is stopped inside a read callback but started outside of one only: where both happen in one,
 * libuv 1.49 to 1.51 may hang on Windows. It holds by itself, because a session whose reading was stopped
 * goes on after a write or in a turn. */
void um_connection_read(struct um_connection *session, bool wanted)
{
    if (wanted == session->is_reading)
        return;
    session->is_reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&session->pipe);
    else if (uv_read_start((uv_stream_t *)&session->pipe, on_alloc, on_read) != 0)
        um_connection_close(session);
}

/* Nothing was read, because there is no room for it or it is not the session's turn. Stopping and starting costs as much as reading a
 * few bytes: for a few turns it is asked again instead. */
static void wait_for_turn(struct um_connection *session)
{
    if (++session->passes >= PASSES_LIMIT)
        um_connection_read(session, false);
    um_scheduler_enqueue(session);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct um_connection *session = stream->data;

    if (session->is_closing || size == 0)
        return;
    um_server_begin_turn(session->server);
    if (size > 0)
        on_bytes(session, buf, (size_t)size);
    else if (size == UV_EOF)
        on_end(session);
    else if (size == UV_ENOBUFS)
        wait_for_turn(session);
    else
        um_connection_close(session);
}
