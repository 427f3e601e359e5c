#include "net/connection_send.h"

#include <assert.h>

#include "net/connection.h"

enum {
    SPARE_LIMIT = 1 << 22, /* bytes: larger memory is not kept for the next connection */
    WIDE_SIZE = 1 << 19,   /* bytes that a socket's buffer is made to take, once it has proved too small, */
    WIDE_FROM = 1 << 17,   /* by as many bytes */
    TRY_LIMIT = 1 << 20,   /* bytes in a step: while the client reads, the system goes on taking more */
    WRITE_LIMIT =
        1 << 20 /* bytes of a write that waits, one at a time: Windows keeps all of them in non-paged pool */
};

/* Empties a buffer and lends its memory to the connection that is served next. */
UM_ALWAYS_INLINE void release_memory(struct um_connection *connection, struct um_buf *buf)
{
    struct um_buf *spare = &connection->shared->spare;

    um_buf_truncate(buf, 0);
    if (spare->data == NULL && buf->capacity <= SPARE_LIMIT)
        um_buf_swap(buf, spare);
    if (buf->data != NULL)
        um_buf_shrink(buf, 0);
}

/* Takes what the engine has for the client. Returns whether there is something. */
static bool take_output(struct um_connection *connection)
{
    struct um_session *session = &connection->session;
    struct um_tail *tail = &session->tail;
    struct um_buf *sending = &connection->sending;
    size_t head = tail->bytes != NULL ? tail->at : session->out.size;

    if (session->out.size == 0 && tail->bytes == NULL) {
        if (session->out.data != NULL)
            release_memory(connection, &session->out);
        return false;
    }
    um_buf_swap(&session->out, sending);
    um_session_forget_changes(session);
    connection->parts[0] = (struct um_connection_part){sending->data, head};
    connection->parts[1] = (struct um_connection_part){(const char *)tail->bytes, tail->size};
    connection->parts[2] = (struct um_connection_part){sending->data + head, sending->size - head};
    connection->unsent = sending->size + tail->size;
    connection->shared->traffic.bytes_written += connection->unsent;
    session->bytes_written += connection->unsent;
    return true;
}

/* So many bytes have been sent. */
UM_ALWAYS_INLINE void drop_output(struct um_connection *connection, size_t size)
{
    connection->unsent -= size;
    for (int i = 0; i < UM_CONNECTION_PARTS; i++) {
        struct um_connection_part *part = &connection->parts[i];
        size_t step = size < part->size ? size : part->size;

        if (step == 0)
            continue;
        part->bytes += step;
        part->size -= step;
        size -= step;
    }
    if (connection->unsent != 0)
        return;
    release_memory(connection, &connection->sending);
    if (connection->parts[1].bytes == NULL)
        return;
    connection->parts[1].bytes = NULL;
    um_session_tail_sent(&connection->session);
}

/* Writes up to `limit` parts as libuv's buffers, each of at most `part_limit` bytes. Returns how many. */
UM_ALWAYS_INLINE unsigned list_parts(const struct um_connection *connection, uv_buf_t *bufs, unsigned limit,
                                     size_t part_limit)
{
    unsigned count = 0;

    for (int i = 0; i < UM_CONNECTION_PARTS && count < limit; i++) {
        const struct um_connection_part *part = &connection->parts[i];
        size_t size = part->size < part_limit ? part->size : part_limit;

        if (size == 0)
            continue;
        bufs[count].base = (char *)(uintptr_t)part->bytes;
        bufs[count++].len = (unsigned)size;
        if (size < part->size)
            break;
    }
    return count;
}

static void on_written(uv_write_t *write, int status)
{
    struct um_connection *connection = write->data;
    size_t size = connection->writing_size;

    connection->writing_size = 0;
    if (connection->state >= UM_CONNECTION_CLOSING)
        return;
    um_connections_set_time(connection->shared);
    if (status != 0) {
        um_connection_close(connection);
        return;
    }
    drop_output(connection, size);
    um_scheduler_run_or_enqueue(&connection->scheduled);
}

/* Leaves the next part to libuv. One at a time: on Windows it would copy several into one. */
static void start_write(struct um_connection *connection)
{
    uv_buf_t buf = uv_buf_init(NULL, 0);
    unsigned count = list_parts(connection, &buf, 1, WRITE_LIMIT);

    assert(count == 1);
    connection->write.data = connection;
    connection->writing_size = buf.len;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &buf, count, on_written) != 0) {
        connection->writing_size = 0;
        um_connection_close(connection);
    }
}

/* A client that reads large answers gets them in fewer turns of the two sides where the system keeps more of them: on Linux a
 * writer is woken only when three quarters of the buffer have been read. Windows' pipes cannot. */
static void widen(struct um_connection *connection)
{
    int size = WIDE_SIZE;

    connection->is_wide = true;
    (void)uv_send_buffer_size((uv_handle_t *)&connection->pipe, &size);
}

/* What was changed must be written before an answer tells of it: that is done once a turn, for all connections. */
static void hold(struct um_connection *connection)
{
    struct um_connections *shared = connection->shared;

    if (um_list_is_empty(&connection->in_held))
        um_list_append(&shared->held, &connection->in_held);
    shared->scheduler.wake(&shared->scheduler);
}

/* Whether its answers tell of what is not written, or not on the disk where it has to be. */
UM_ALWAYS_INLINE bool must_hold(const struct um_connection *connection)
{
    const struct um_connections *shared = connection->shared;

    return (shared->store_status != NULL && shared->store_status->is_uncommitted) ||
           (shared->waits_for_syncs && um_session_tells_of_changes(&connection->session));
}

static void send_output(struct um_connection *connection)
{
    uv_buf_t bufs[UM_CONNECTION_PARTS];
    size_t left = TRY_LIMIT;

    while (connection->state < UM_CONNECTION_CLOSING && connection->writing_size == 0) {
        unsigned count;
        int sent;

        if (connection->unsent == 0 && !take_output(connection))
            return;
        if (left == 0) {
            start_write(connection); /* its end comes in another turn */
            return;
        }
        count = list_parts(connection, bufs, UM_CONNECTION_PARTS, left);
        /* Windows always answers UV_EAGAIN. */
        sent = uv_try_write((uv_stream_t *)&connection->pipe, bufs, count);
        connection->cost += UM_COST_WRITE + (sent > 0 ? (uint64_t)sent : 0);
        if (sent > 0) {
            left -= (size_t)sent < left ? (size_t)sent : left;
            drop_output(connection, (size_t)sent);
            if (!connection->is_wide && connection->unsent >= WIDE_FROM)
                widen(connection);
        } else if (sent == UV_EAGAIN) {
            start_write(connection);
        } else {
            um_connection_close(connection);
        }
    }
}

void um_connection_flush(struct um_connection *connection)
{
    if (connection->shared->rpc != NULL)
        um_rpc_end_step(connection->shared->rpc);
    if (connection->ticket != 0)
        return;
    if (must_hold(connection))
        hold(connection);
    else
        send_output(connection);
}

void um_connection_send_part(struct um_connection *connection)
{
    struct um_session *session = &connection->session;

    if (connection->ticket != 0 || connection->writing_size != 0 || must_hold(connection))
        return;
    send_output(connection);
    if (session->out.data == NULL)
        um_buf_swap(&session->out, &connection->shared->spare);
}

/* ---- answers that tell of changes ---- */

/* Where a heap could not be written, answers that tell of its changes become errors, whoever has them and wherever they wait. */
static void fail_changes(struct um_connections *connections)
{
    if (connections->failures == connections->store_status->failures)
        return;
    connections->failures = connections->store_status->failures;
    for (struct um_link *link = connections->all.next; link != &connections->all; link = link->next) {
        struct um_connection *connection = UM_LIST_ITEM(link, struct um_connection, in_all);

        if (connection->has_session && connection->state < UM_CONNECTION_CLOSING)
            um_session_fail_changes(&connection->session);
    }
}

/* Sends what those in a list have; then they may go on, and change something again. */
static void release_held(struct um_link *released)
{
    for (struct um_link *link = released->next; link != released;) {
        struct um_connection *connection = UM_LIST_ITEM(link, struct um_connection, in_held);

        link = link->next; /* where it closes, it leaves the list */
        um_connection_flush(connection);
    }
    while (!um_list_is_empty(released))
        um_scheduler_run_or_enqueue(
            &UM_LIST_ITEM(um_list_take(released), struct um_connection, in_held)->scheduled);
}

void um_connections_commit(struct um_connections *connections)
{
    struct um_link now;
    uint64_t ticket = 0;

    if (um_list_is_empty(&connections->held) &&
        (connections->store_status == NULL || (!connections->store_status->is_uncommitted &&
                                               connections->failures == connections->store_status->failures)))
        return;
    um_rpc_commit(connections->rpc);
    fail_changes(connections);
    um_list_init(&now);
    while (!um_list_is_empty(&connections->held)) {
        struct um_connection *connection =
            UM_LIST_ITEM(um_list_take(&connections->held), struct um_connection, in_held);

        if (!connections->waits_for_syncs || !um_session_tells_of_changes(&connection->session)) {
            um_list_append(&now, &connection->in_held);
            continue;
        }
        if (ticket == 0)
            ticket = um_rpc_want_sync(connections->rpc);
        connection->ticket = ticket;
        um_list_append(&connections->unsynced, &connection->in_held);
    }
    release_held(&now);
}

void um_connections_synced(struct um_connections *connections)
{
    struct um_link now;

    um_rpc_synced(connections->rpc);
    fail_changes(connections);
    um_list_init(&now);
    while (!um_list_is_empty(&connections->unsynced)) {
        struct um_connection *connection =
            UM_LIST_ITEM(connections->unsynced.next, struct um_connection, in_held);

        if (!um_rpc_is_synced(connections->rpc, connection->ticket))
            break;
        connection->ticket = 0;
        um_session_forget_changes(&connection->session);
        um_list_remove(&connection->in_held);
        um_list_append(&now, &connection->in_held);
    }
    release_held(&now);
}
