#include "net/connection_read.h"

#include "net/connection.h"
#include "net/connection_budget.h"
#include "umem_errors.h"

enum {
    READ_LIMIT = 1 << 20, /* bytes in one read: while the client sends, the system goes on giving more */
    LONG_SIZE =
        32768, /* bytes of a message: once so many are kept, the following ones are read directly behind them */
    EXPECTED_LIMIT = 1 << 22, /* bytes: memory for a longer message grows as it comes */
    HEAD_SIZE =
        1024, /* bytes that are read first where a long payload is expected, because what comes with its message is copied */
    PREFETCH_SIZE =
        512, /* bytes from which on several messages may have come, so that fetching their blocks at once pays */
    IDLE_READS_LIMIT = 16,  /* turns in which a connection that waits for its own is still looked at, */
    IDLE_READS_OF_MANY = 4, /* and where its process has very many: a look at all of them takes long */
    MANY_SESSIONS = 1024
};

/* Memory behind what has come of a long message. A client that has sent a long one is likely to send more of them: then there is memory
 * for as many bytes at once, unless memory for messages is scarce. */
static char *reserve_rest(struct um_connection *connection, size_t *size)
{
    size_t expected = connection->last_size;

    if (expected > UM_FRAME_LONG_SIZE && expected <= EXPECTED_LIMIT && !connection->shared->budget.is_scarce)
        um_frame_expect(&connection->frame, expected);
    return um_frame_reserve(&connection->frame, LONG_SIZE, size);
}

/* Selects where the next bytes are read to. A raw payload is read straight into the block, the later part of
 * a long message into the frame's memory, and everything else into the common buffer. */
static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct um_connection *connection = handle->data;
    struct um_frame *frame = &connection->frame;
    bool is_payload = connection->target == UM_CONNECTION_READS_PAYLOAD;
    size_t size = UM_CONNECTION_READ_SIZE;
    char *space = connection->shared->read_buffer;
    char *rest = NULL;
    uint64_t limit = READ_LIMIT;

    (void)suggested_size;
    *buf = uv_buf_init(NULL, 0);
    /* Raw bytes that go into a block are kept nowhere else. */
    if (connection->shared->budget.is_scarce && (!is_payload || um_payload_is_of_batch(&connection->session)))
        limit = um_connection_read_limit(connection);
    if (limit == 0)
        connection->idle_reads = IDLE_READS_LIMIT;
    if (limit == 0 || !um_scheduler_may_run(&connection->scheduled))
        return;
    if (is_payload) {
        space = um_payload_reserve(&connection->session, &size);
    } else if (connection->target != UM_CONNECTION_READS_NOTHING) {
        if (connection->expects_payload && um_frame_is_between(frame))
            size = HEAD_SIZE;
        else if (frame->left >= LONG_SIZE)
            rest = reserve_rest(connection, &size);
        connection->target = rest != NULL ? UM_CONNECTION_READS_FRAME : UM_CONNECTION_READS_MESSAGE;
    }
    buf->base = rest != NULL ? rest : space;
    if (limit > READ_LIMIT)
        limit = READ_LIMIT;
    buf->len = (unsigned)(size < limit ? size : limit);
}

/* The client sends no more. */
static void on_end(struct um_connection *connection)
{
    um_connection_set_reading(connection, false);
    connection->cost += UM_COST_READ;
    if (connection->state == UM_CONNECTION_DISCARDING) {
        um_connection_end(connection);
        return;
    }
    um_frame_end(&connection->frame);
    um_connection_run(connection);
}

/* Nothing was read, because there is no quota for it or it is not the connection's turn. Stopping and starting costs as much as reading
 * a few bytes: for a few turns it is tried again instead. */
static void on_no_buffer(struct um_connection *connection)
{
    bool is_of_many = connection->group->sessions.sessions > MANY_SESSIONS;

    if (++connection->idle_reads >= (is_of_many ? IDLE_READS_OF_MANY : IDLE_READS_LIMIT))
        um_connection_set_reading(connection, false);
    um_scheduler_enqueue(&connection->scheduled);
}

static void on_read_failed(struct um_connection *connection, ssize_t error)
{
    if (error == UV_EOF)
        on_end(connection);
    else if (error == UV_ENOBUFS)
        on_no_buffer(connection);
    else
        um_connection_close(connection);
}

static void discard(struct um_connection *connection, size_t size)
{
    connection->served = 0; /* the messages of its last step are counted already */
    um_connection_charge(connection);
    connection->discarded += size;
    if (connection->discarded >= UM_CONNECTION_DISCARD_SIZE)
        um_connection_end(connection);
}

static void on_read(uv_stream_t *stream, ssize_t result, const uv_buf_t *buf)
{
    struct um_connection *connection = stream->data;
    struct um_connections *shared = connection->shared;
    size_t size = result > 0 ? (size_t)result : 0;
    int code = UMEM_OK;

    if (connection->state >= UM_CONNECTION_CLOSING || result == 0)
        return;
    um_connections_set_time(shared);
    if (result < 0) {
        on_read_failed(connection, result);
        return;
    }
    shared->traffic.bytes_read += size;
    connection->session.bytes_read += size;
    connection->idle_reads = 0;
    /* Of a text, brackets are counted, or its end is looked for. */
    connection->cost +=
        UM_COST_READ +
        size * (connection->target == UM_CONNECTION_READS_PAYLOAD ? UM_COST_READ_BYTE : UM_COST_TEXT_BYTE);
    switch (connection->target) {
    case UM_CONNECTION_READS_NOTHING:
        discard(connection, size);
        return;
    case UM_CONNECTION_READS_PAYLOAD:
        um_frame_payload_consumed(&connection->frame, size);
        um_payload_commit(&connection->session, size);
        break;
    case UM_CONNECTION_READS_FRAME:
        um_frame_commit(&connection->frame, size);
        break;
    case UM_CONNECTION_READS_MESSAGE:
        if (size >= PREFETCH_SIZE)
            um_rpc_prefetch(shared->rpc, buf->base, size);
        code = um_frame_feed(&connection->frame, buf->base, size);
        break;
    }
    if (code == UMEM_OK)
        um_connection_run(connection);
    else
        um_connection_close(connection);
}

/* Reading is stopped inside a read callback but started outside of one only: where both happen in one, libuv 1.49 to 1.51 may hang on
 * Windows. It holds by itself, because a connection whose reading was stopped advances after a write or when it runs. */
void um_connection_set_reading(struct um_connection *connection, bool wanted)
{
    connection->is_reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&connection->pipe);
    else if (uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read) != 0)
        um_connection_close(connection);
}
