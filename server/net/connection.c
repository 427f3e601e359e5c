#include "net/connection.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "net/listener/listener.h"
#include "umem_errors.h"

enum {
    /* Reading. */
    READ_LIMIT = 1 << 30, /* bytes in one read: a uv_buf_t's length may have 32 bits */
    LONG_SIZE =
        32768, /* bytes of a message: once so many are kept, the following ones are read directly behind them */
    HEAD_SIZE =
        1024, /* bytes that are read first where a long payload is expected, because what comes with its message is copied */
    PREFETCH_SIZE =
        512, /* bytes from which on several messages may have come, so that fetching their blocks at once pays */
    IDLE_READS_LIMIT = 4, /* turns in which a connection that waits for its own is still looked at */
    /* Sending. */
    SPARE_LIMIT = 1 << 22, /* bytes: larger memory is not kept for the next connection */
    WIDE_SIZE = 1 << 19,   /* bytes that a socket's buffer is made to take, once it has proved too small, */
    WIDE_FROM = 1 << 17,   /* by as many bytes */
    TRY_LIMIT =
        1 << 30, /* bytes in one part of a write that does not wait: a uv_buf_t's length may have 32 bits */
    WRITE_LIMIT =
        1 << 20, /* bytes of a write that waits, one at a time: Windows keeps all of them in non-paged pool */
    /* Refusals. */
    LINE_LIMIT = 2048,  /* bytes in the line that says why */
    REFUSED_LIMIT = 32, /* clients that are let go in order at one time; more are let go at once */
    /* Messages whose time is up, that are ended at one time; the timer fires at once for others. */
    EXPIRE_LIMIT = 64
};

static void advance(struct um_connection *connection);
static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t result, const uv_buf_t *buf);

void um_connections_log(struct um_connections *connections, enum um_log_severity severity, const char *format,
                        ...)
{
    va_list list;

    va_start(list, format);
    um_log_limiter_add(&connections->log, uv_now(connections->loop), severity, format, list);
    va_end(list);
}

/* ---- the state ---- */

static void on_timer(uv_timer_t *timer);
static void on_closed(uv_handle_t *handle);

/* A write that is under way has memory of the connection's and of blocks: both stay until the handles are closed. */
static void close_handles(struct um_connection *connection)
{
    struct um_connections *shared = connection->shared;

    shared->ending += connection->has_session;
    if (connection->group != NULL)
        um_scheduler_charge(&connection->group->turn, 0, UM_COST_CLOSE);
    um_list_remove(&connection->scheduled.in_ready);
    um_list_remove(&connection->in_held);
    um_budget_withdraw(&shared->budget, &connection->budget);
    uv_close((uv_handle_t *)&connection->pipe, on_closed);
    uv_close((uv_handle_t *)&connection->timer, on_closed);
}

/* The one place where the state changes: forward, or not at all. */
static void move_to(struct um_connection *connection, enum um_connection_state state)
{
    enum um_connection_state before = connection->state;

    if (state <= before)
        return;
    connection->state = state;
    switch (state) {
    case UM_CONNECTION_DISCARDING:
        connection->target = UM_CONNECTION_READS_NOTHING;
        uv_timer_start(&connection->timer, on_timer, UM_CONNECTION_DISCARD_MS, 0);
        break;
    case UM_CONNECTION_ENDING:
        uv_timer_start(&connection->timer, on_timer, connection->shared->limits->closing_ms, 0);
        break;
    case UM_CONNECTION_CLOSING:
        if (!connection->has_session && before != UM_CONNECTION_NEW)
            connection->shared->refused--;
        close_handles(connection);
        break;
    case UM_CONNECTION_NEW:
    case UM_CONNECTION_OPEN:
    case UM_CONNECTION_HALF_CLOSED: /* the timer runs as long as calls are pending: linger() */
    case UM_CONNECTION_CLOSED:
        break;
    }
}

void um_connection_close(struct um_connection *connection)
{
    move_to(connection, UM_CONNECTION_CLOSING);
}

static void end(struct um_connection *connection)
{
    if (connection->state >= UM_CONNECTION_ENDING)
        return;
    move_to(connection, UM_CONNECTION_ENDING);
    advance(connection);
}

static void on_timer(uv_timer_t *timer)
{
    struct um_connection *connection = timer->data;

    if (connection->state == UM_CONNECTION_DISCARDING ||
        (connection->state == UM_CONNECTION_OPEN && connection->shared->is_ending))
        end(connection);
    else if (connection->state == UM_CONNECTION_ENDING || um_listener_is_hung_up(&connection->pipe))
        um_connection_close(connection);
}

/* A client that has ended its sending may still wait for answers, or may have ended: both look the same. No
 * event reports that a client has ended, so this is checked from time to time. */
static void linger(struct um_connection *connection)
{
    if (um_session_is_waiting(&connection->session) && !uv_is_active((uv_handle_t *)&connection->timer))
        uv_timer_start(&connection->timer, on_timer, 0, UM_CONNECTION_LINGER_MS);
}

/* ---- events of the engine ---- */

static void on_flush(struct um_session *session)
{
    struct um_connection *connection = UM_LIST_ITEM(session, struct um_connection, session);

    if (connection->state < UM_CONNECTION_CLOSING)
        um_scheduler_enqueue(&connection->scheduled);
}

/* It may be this connection that is being served: it closes at the end of its step, or when it runs. */
static void on_close(struct um_session *session)
{
    struct um_connection *connection = UM_LIST_ITEM(session, struct um_connection, session);

    if (connection->state >= UM_CONNECTION_CLOSING)
        return;
    move_to(connection, UM_CONNECTION_ENDING);
    um_scheduler_enqueue(&connection->scheduled);
}

static const struct um_session_events session_events = {.flush = on_flush, .close = on_close};

/* ---- the end ---- */

static void release(struct um_connection *connection)
{
    struct um_connections *shared = connection->shared;

    um_frame_deinit(&connection->frame);
    um_buf_deinit(&connection->sending);
    if (connection->group != NULL) {
        um_budget_forget(&shared->budget, &connection->budget);
        connection->group->sessions.unsent_bytes = connection->group->budget.unsent;
        um_list_remove(&connection->scheduled.in_ready);
        um_connection_groups_leave(connection->group);
    }
    um_list_remove(&connection->in_all);
    free(connection);
    shared->on_gone(shared);
}

static void note_session(struct um_connection *connection, const struct um_identity *client)
{
    struct um_connections *shared = connection->shared;
    unsigned long long session = connection->session.id;

    if (shared->on_session != NULL)
        shared->on_session(shared, session, client);
    else if (client == NULL)
        um_connections_log(shared, UM_SEVERITY_DEBUG, "session %llu closed", session);
    else
        um_connections_log(shared, UM_SEVERITY_DEBUG, "session %llu opened by %s, process %lld of user %s",
                           session, client->program[0] != '\0' ? client->program : "a program",
                           (long long)client->pid, client->user[0] != '\0' ? client->user : "not known");
}

/* Ends the session and frees the connection. That counts as work, because many may close at one time. */
static void close_session(struct um_connection *connection)
{
    struct um_connections *shared = connection->shared;
    struct um_connection_group *group = connection->group;

    note_session(connection, NULL);
    shared->traffic.sessions--;
    shared->changes++;
    shared->ending--;
    group->open_sessions--;
    um_scheduler_charge(&group->turn, 0,
                        UM_COST_END + (connection->budget.gathered + connection->budget.unsent) / 2);
    um_session_close(&connection->session);
    um_scheduler_charge(&group->turn, 0, connection->session.work);
    release(connection);
}

static void on_closed(uv_handle_t *handle)
{
    struct um_connection *connection = handle->data;

    if (--connection->handles != 0)
        return;
    move_to(connection, UM_CONNECTION_CLOSED);
    if (!connection->has_session) {
        um_buf_deinit(&connection->session.out);
        release(connection);
    } else if (um_scheduler_may_run(&connection->scheduled)) {
        /* At once if the share allows it: a client that waits until a program has ended then sees that its
         * blocks and locks have ended, too. */
        close_session(connection);
    } else {
        um_scheduler_enqueue(&connection->scheduled);
    }
}

/* ---- sending: one write for all answers of a step ---- */

/* The engine appends to session.out. To send it, the buffer is moved to `sending`, and the engine continues
 * with an empty one. A tail (raw bytes straight from a block) is sent at its place among the answers. */

/* Bytes that wait to be sent. */
UM_ALWAYS_INLINE uint64_t unsent_bytes(const struct um_connection *connection)
{
    const struct um_session *session = &connection->session;

    return session->out.size + connection->unsent +
           (connection->parts[1].bytes == NULL ? session->tail.size : 0);
}

/* Whether so much waits to be sent that no more may be added. */
UM_ALWAYS_INLINE bool is_over_limit(const struct um_connection *connection)
{
    uint64_t unsent = unsent_bytes(connection);

    return unsent > connection->shared->small_unsent &&
           unsent > um_session_unsent_limit(&connection->session);
}

/* Whether something has to be sent before the next message is served. */
UM_ALWAYS_INLINE bool has_to_send(const struct um_connection *connection)
{
    return connection->session.tail.bytes != NULL || is_over_limit(connection);
}

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

/* Advances in a callback of the loop, or is enqueued where others go before. */
static void wake(struct um_connection *connection)
{
    if (um_scheduler_may_run(&connection->scheduled))
        advance(connection);
    else
        um_scheduler_enqueue(&connection->scheduled);
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
    wake(connection);
}

/* Leaves the next part to libuv. One at a time: on Windows it would copy several into one. */
static void start_write(struct um_connection *connection)
{
    uv_buf_t buf;
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

/* Sends what there is, unless a part of it is already under way. Closes where the client is gone. */
static void flush(struct um_connection *connection)
{
    uv_buf_t bufs[UM_CONNECTION_PARTS];

    if (connection->shared->rpc != NULL)
        um_rpc_end_step(connection->shared->rpc);
    if (connection->ticket != 0)
        return;
    if (must_hold(connection)) {
        hold(connection);
        return;
    }

    while (connection->state < UM_CONNECTION_CLOSING && connection->writing_size == 0) {
        unsigned count;
        int sent;

        if (connection->unsent == 0 && !take_output(connection))
            return;
        count = list_parts(connection, bufs, UM_CONNECTION_PARTS, TRY_LIMIT);
        /* Windows always answers UV_EAGAIN. */
        sent = uv_try_write((uv_stream_t *)&connection->pipe, bufs, count);
        connection->cost += UM_COST_WRITE + (sent > 0 ? (uint64_t)sent : 0);
        if (sent > 0) {
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

/* ---- serving ---- */

enum step {
    STEP_AGAIN,  /* something was done, and there may be more */
    STEP_SERVED, /* likewise, and it counts as a message served */
    STEP_READ,   /* the next bytes are needed */
    STEP_STOP    /* nothing more to do here */
};

/* Moves payload bytes that have come already. */
static enum step take_payload(struct um_connection *connection)
{
    struct um_session *session = &connection->session;

    connection->target = UM_CONNECTION_READS_PAYLOAD;
    while (um_payload_left(session) != 0) {
        size_t capacity;
        char *space = um_payload_reserve(session, &capacity);
        size_t size = um_frame_take_payload(&connection->frame, space, capacity);

        if (size == 0)
            return STEP_READ;
        um_payload_commit(session, size);
    }
    return STEP_AGAIN;
}

/* Hands a message to the engine: with its payload, if that has come with it and is not long. Returns how many bytes of it are one text. */
UM_ALWAYS_INLINE size_t dispatch(struct um_connection *connection, const struct um_frame_message *message)
{
    struct um_session *session = &connection->session;
    struct um_frame *frame = &connection->frame;
    bool offers_payload = message->payload_size != 0 && message->payload_size <= UM_CONNECTION_READ_SIZE &&
                          um_frame_whole_payload(frame) != NULL;
    size_t used;

    session->payload_here = offers_payload ? (const unsigned char *)um_frame_whole_payload(frame) : NULL;
    session->text_here = message->size > UM_FRAME_LONG_SIZE ? um_frame_text_memory(frame, message) : NULL;
    used = um_dispatch_message(session, message->text, message->size, message->payload_size);
    if (offers_payload && session->payload_here == NULL)
        um_frame_skip_payload(frame);
    session->payload_here = NULL;
    session->text_here = NULL;
    return used;
}

/* Serves the next message, or the next piece of one. */
static enum step serve_next(struct um_connection *connection)
{
    struct um_session *session = &connection->session;
    struct um_frame *frame = &connection->frame;
    struct um_frame_message message;
    size_t used;
    enum um_frame_event event = um_frame_next(frame, &message);

    session->framing = frame->kind == UM_FRAME_HEADERS ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
    switch (event) {
    case UM_FRAME_MESSAGE:
        connection->expects_payload = message.payload_size >= UM_CONNECTION_READ_SIZE;
        if (frame->kind == UM_FRAME_HEADERS)
            um_session_set_content_type(session, message.content_type);
        session->queued_bytes = unsent_bytes(connection);
        used = dispatch(connection, &message);
        if (used < message.size)
            um_frame_unread(frame, used);
        return STEP_SERVED;
    case UM_FRAME_PAYLOAD:
        return take_payload(connection);
    case UM_FRAME_TOO_LARGE:
        um_dispatch_refuse_limit(session, UMEM_E_TOO_LARGE, message.what, message.limit, 0, message.asked);
        return STEP_SERVED;
    case UM_FRAME_BROKEN:
        if (frame->kind == UM_FRAME_HTTP)
            um_refusal_write_http(&session->out);
        else
            um_dispatch_refuse(session, UMEM_E_PARSE_ERROR, message.what);
        move_to(connection, UM_CONNECTION_DISCARDING);
        return STEP_STOP;
    case UM_FRAME_END:
        move_to(connection, UM_CONNECTION_HALF_CLOSED);
        return STEP_STOP;
    case UM_FRAME_MORE:
        break;
    }
    connection->target = UM_CONNECTION_READS_MESSAGE;
    return STEP_READ;
}

/* Hands messages to the engine, as far as the share of the connection's group allows. The next one may be
 * handed over if the tail of the last one has been sent, no long call is at work, and the unsent answers are
 * within their limit; otherwise the connection is woken when a write or the call ends. Returns whether more
 * bytes are wanted. */
static bool serve(struct um_connection *connection)
{
    struct um_session *session = &connection->session;
    struct um_scheduler_group *turn = &connection->group->turn;
    enum step step = STEP_AGAIN;

    if (session->out.data == NULL)
        um_buf_swap(&session->out, &connection->shared->spare);
    while (step <= STEP_SERVED && connection->state == UM_CONNECTION_OPEN) {
        size_t unused;

        if (has_to_send(connection)) {
            flush(connection);
            if (connection->state != UM_CONNECTION_OPEN || has_to_send(connection))
                break;
        }
        if (session->job != NULL || session->broken || connection->ticket != 0)
            break;
        if (!um_scheduler_has_share(turn, connection->served, connection->cost + session->work)) {
            um_scheduler_enqueue(&connection->scheduled);
            break;
        }
        unused = connection->frame.left - session->out.size;
        step = serve_next(connection);
        connection->served += step == STEP_SERVED;
        connection->has_served = connection->has_served || step == STEP_SERVED;
        connection->cost += (unused - (connection->frame.left - session->out.size)) * UM_COST_TEXT_BYTE +
                            (step == STEP_SERVED ? UM_COST_MESSAGE : 0);
    }
    return step == STEP_READ;
}

/* ---- steps ---- */

/* Whether nothing is left to do for the client. */
UM_ALWAYS_INLINE bool is_done(const struct um_connection *connection)
{
    if (connection->state < UM_CONNECTION_HALF_CLOSED || connection->state == UM_CONNECTION_DISCARDING ||
        connection->session.queued_bytes != 0 || connection->session.job != NULL)
        return false;
    return connection->state == UM_CONNECTION_ENDING || !um_session_is_waiting(&connection->session);
}

/* What is to be read counts nowhere, or up to where. */
static uint64_t read_limit(struct um_connection *connection)
{
    struct um_budget_read read = {
        .is_exempt = connection->state == UM_CONNECTION_DISCARDING,
        .is_long = !um_list_is_empty(&connection->group->sessions.readings),
        .has_end = connection->target == UM_CONNECTION_READS_PAYLOAD,
    };

    return um_budget_read_limit(&connection->shared->budget, &connection->budget, read);
}

/* Tells the budget what the connection makes the server keep. Returns whether it may be read from. */
static bool update_budget(struct um_connection *connection, bool wants_bytes)
{
    struct um_connections *shared = connection->shared;
    struct um_session *session = &connection->session;
    struct um_frame *frame = &connection->frame;
    bool is_open = connection->state == UM_CONNECTION_OPEN;
    struct um_budget_usage usage;

    /* What a message that is done has left of a next one is small, mostly. Where quota is wanted, or may stay taken for as long as the
     * client does not read, it does not keep the message's memory. */
    if (connection->served != 0 &&
        (connection->writing_size != 0 || !um_budget_has_quota(&shared->budget, &connection->group->budget)))
        um_frame_trim(frame);
    session->gathered_bytes =
        frame->kept.capacity + (connection->has_session ? um_session_gathered(session) : 0);
    usage = (struct um_budget_usage){
        .gathered = session->gathered_bytes,
        .unsent = session->out.capacity + connection->sending.capacity,
        .wants_bytes = wants_bytes || !um_list_is_empty(&connection->scheduled.in_ready),
        .is_in_message = is_open && (um_frame_is_in_message(frame) || um_payload_is_of_batch(session)),
        .has_served = connection->served != 0,
    };
    um_budget_update(&shared->budget, &connection->budget, &usage, uv_now(shared->loop));
    connection->group->sessions.unsent_bytes = connection->group->budget.unsent;
    return wants_bytes && read_limit(connection) != 0;
}

/* Whether the budget is up to date: the connection keeps what it kept at the last update, waits for no quota,
 * and no time is counted for it. */
UM_ALWAYS_INLINE bool is_budget_current(const struct um_connection *connection)
{
    const struct um_budget_entry *entry = &connection->budget;
    const struct um_session *session = &connection->session;

    return !entry->is_listed && !connection->shared->budget.is_scarce &&
           !um_frame_is_in_message(&connection->frame) && session->payload == NULL && session->job == NULL &&
           entry->gathered == connection->frame.kept.capacity &&
           entry->unsent == session->out.capacity + connection->sending.capacity;
}

/* Reading is stopped inside a read callback but started outside of one only: where both happen in one, libuv 1.49 to 1.51 may hang on
 * Windows. It holds by itself, because a connection whose reading was stopped advances after a write or when it runs. */
static void set_reading(struct um_connection *connection, bool wanted)
{
    connection->is_reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&connection->pipe);
    else if (uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read) != 0)
        um_connection_close(connection);
}

/* Tells the group what the step has cost. */
UM_ALWAYS_INLINE void charge(struct um_connection *connection)
{
    um_scheduler_charge(&connection->group->turn, connection->served,
                        connection->cost + connection->session.work);
    connection->session.work = 0;
    connection->cost = 0;
}

/* Appends the notifications that are due, where there is space for them. */
static void notify(struct um_connection *connection)
{
    struct um_session *session = &connection->session;
    size_t size = session->out.size;

    if (is_over_limit(connection))
        return;
    um_watch_notify(session);
    connection->cost += (session->out.size - size) * UM_COST_TEXT_BYTE;
}

/* Takes a step. */
static void advance(struct um_connection *connection)
{
    struct um_session *session = &connection->session;
    bool is_served =
        connection->state == UM_CONNECTION_OPEN || connection->state == UM_CONNECTION_HALF_CLOSED;
    bool wants_bytes = false;

    if (connection->state >= UM_CONNECTION_CLOSING)
        return;
    connection->served = 0;
    if (connection->state == UM_CONNECTION_OPEN)
        wants_bytes = serve(connection);
    if (is_served && !um_list_is_empty(&session->due_watches))
        notify(connection);
    flush(connection);
    charge(connection);
    if (connection->state >= UM_CONNECTION_CLOSING)
        return;
    if (connection->has_served && connection->shared->is_ending)
        move_to(connection, UM_CONNECTION_ENDING);
    session->queued_bytes = unsent_bytes(connection);
    /* The end of a write that is under way leads here again. If the system took everything at once, there is
     * no such write. */
    if (is_served && connection->writing_size == 0 && !um_list_is_empty(&session->due_watches))
        um_scheduler_enqueue(&connection->scheduled);
    if (session->broken || um_frame_keep(&connection->frame) != UMEM_OK || is_done(connection)) {
        um_connection_close(connection);
        return;
    }
    wants_bytes = wants_bytes || connection->state == UM_CONNECTION_DISCARDING;
    if (!is_budget_current(connection))
        wants_bytes = update_budget(connection, wants_bytes);
    if (wants_bytes != connection->is_reading)
        set_reading(connection, wants_bytes);
    if (connection->state == UM_CONNECTION_HALF_CLOSED)
        linger(connection);
}

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
        flush(connection);
    }
    while (!um_list_is_empty(released))
        wake(UM_LIST_ITEM(um_list_take(released), struct um_connection, in_held));
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

/* The scheduler lets it run. If all of it is closed, that is its end. */
static void run(struct um_scheduled *item)
{
    struct um_connection *connection = UM_LIST_ITEM(item, struct um_connection, scheduled);

    if (connection->state == UM_CONNECTION_CLOSED)
        close_session(connection);
    else
        advance(connection);
}

/* ---- reading ---- */

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
        limit = read_limit(connection);
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
            rest = um_frame_reserve(frame, LONG_SIZE, &size);
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
    set_reading(connection, false);
    connection->cost += UM_COST_READ;
    if (connection->state == UM_CONNECTION_DISCARDING) {
        end(connection);
        return;
    }
    um_frame_end(&connection->frame);
    advance(connection);
}

/* Nothing was read, because there is no quota for it or it is not the connection's turn. Stopping and starting costs as much as reading
 * a few bytes: for a few turns it is tried again instead. */
static void on_no_buffer(struct um_connection *connection)
{
    if (++connection->idle_reads >= IDLE_READS_LIMIT)
        set_reading(connection, false);
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
    charge(connection);
    connection->discarded += size;
    if (connection->discarded >= UM_CONNECTION_DISCARD_SIZE)
        end(connection);
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
    connection->cost += UM_COST_READ + size * UM_COST_READ_BYTE;
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
        advance(connection);
    else
        um_connection_close(connection);
}

/* ---- messages whose time is up ---- */

/* There was no quota for it in all its time: it is skipped, and the next one may be read. */
static void skip_message(struct um_connection *connection)
{
    um_dispatch_refuse_limit(
        &connection->session, UMEM_E_LIMIT_EXCEEDED,
        "messages that are not whole take up all the memory for them; send it again, or in smaller pieces",
        "gathered_bytes", connection->shared->traffic.gathered_bytes, 0);
    if (!um_payload_forget_batch(&connection->session))
        um_frame_skip_message(&connection->frame);
    advance(connection);
}

/* The client has begun a message and does not go on with it. */
static void give_up(struct um_connection *connection)
{
    const char *missing = um_frame_is_in_message(&connection->frame)
                              ? um_frame_missing(&connection->frame)
                              : "the batch's payload did not come whole";

    um_dispatch_refuse_limit(&connection->session, UMEM_E_TIMEOUT, missing, "message_ms", 0, 0);
    (void)um_payload_forget_batch(&connection->session);
    um_frame_deinit(&connection->frame);
    move_to(connection, UM_CONNECTION_DISCARDING);
    advance(connection);
}

void um_connections_expire(struct um_connections *connections)
{
    uint64_t now_ms = uv_now(connections->loop);
    struct um_budget_entry *entry = um_budget_expired(&connections->budget, now_ms);

    for (unsigned left = EXPIRE_LIMIT; left != 0 && entry != NULL; left--) {
        struct um_connection *connection = UM_LIST_ITEM(entry, struct um_connection, budget);

        switch (um_budget_judge(&connections->budget, entry, connection->is_reading, now_ms)) {
        case UM_BUDGET_STALLED:
            give_up(connection);
            break;
        case UM_BUDGET_NO_QUOTA:
            skip_message(connection);
            break;
        case UM_BUDGET_RESTARTED:
            break;
        }
        entry = um_budget_expired(&connections->budget, now_ms);
    }
}

/* ---- the beginning ---- */

static void wake_for_quota(struct um_budget_entry *entry)
{
    um_scheduler_enqueue(&UM_LIST_ITEM(entry, struct um_connection, budget)->scheduled);
}

void um_connections_limits_changed(struct um_connections *connections)
{
    const struct um_limits *limits = connections->limits;

    connections->scheduler.share_messages = limits->turn_requests;
    connections->scheduler.share_work = limits->turn_bytes;
    connections->budget.gathered_limit = limits->gathered_bytes;
    connections->budget.message_ms = limits->message_ms;
}

bool um_connections_init(struct um_connections *connections, uv_loop_t *loop, const struct um_limits *limits)
{
    connections->loop = loop;
    connections->limits = limits;
    um_connections_limits_changed(connections);
    connections->scheduler.run = run;
    um_scheduler_init(&connections->scheduler);
    connections->budget.traffic = &connections->traffic;
    connections->budget.wake = wake_for_quota;
    um_budget_init(&connections->budget);
    um_list_init(&connections->all);
    um_list_init(&connections->held);
    um_list_init(&connections->unsynced);
    um_buf_init(&connections->spare, SIZE_MAX);
    connections->small_unsent =
        limits->unsent_bytes < UM_SMALL_ANSWER_SIZE ? limits->unsent_bytes : UM_SMALL_ANSWER_SIZE;
    connections->top_changes = UINT64_MAX;
    return um_connection_groups_init(&connections->groups, &connections->scheduler);
}

void um_connections_deinit(struct um_connections *connections)
{
    um_buf_deinit(&connections->spare);
    um_connection_groups_deinit(&connections->groups);
}

void um_connections_end(struct um_connections *connections, bool first_answers)
{
    connections->is_ending = true;
    /* Connections leave the list from the loop only. */
    for (struct um_link *link = connections->all.next; link != &connections->all; link = link->next) {
        struct um_connection *connection = UM_LIST_ITEM(link, struct um_connection, in_all);

        if (first_answers && connection->state == UM_CONNECTION_OPEN && !connection->has_served)
            uv_timer_start(&connection->timer, on_timer, connections->limits->closing_ms, 0);
        else
            end(connection);
    }
}

struct um_connection *um_connection_new(struct um_connections *connections)
{
    const struct um_limits *limits = connections->limits;
    struct um_connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return NULL;
    connection->shared = connections;
    uv_pipe_init(connections->loop, &connection->pipe, 0);
    uv_timer_init(connections->loop, &connection->timer);
    connection->pipe.data = connection;
    connection->timer.data = connection;
    connection->handles = 2;
    um_frame_init(&connection->frame, (size_t)limits->message_bytes, limits->payload_bytes);
    um_buf_init(&connection->sending, SIZE_MAX);
    um_list_init(&connection->scheduled.in_ready);
    um_list_init(&connection->in_held);
    um_budget_init_entry(&connection->budget, NULL);
    um_list_append(&connections->all, &connection->in_all);
    return connection;
}

bool um_connection_join(struct um_connection *connection, const struct um_identity *client)
{
    struct um_connection_group *group =
        um_connection_groups_join(&connection->shared->groups, client->pid, client->program);

    if (group == NULL)
        return false;
    connection->group = group;
    connection->scheduled.group = &group->turn;
    connection->budget.group = &group->budget;
    return true;
}

void um_connection_open(struct um_connection *connection, const struct um_identity *client)
{
    struct um_connections *shared = connection->shared;
    struct um_traffic *traffic = &shared->traffic;
    struct um_session_options options = {
        .events = &session_events,
        .group = &connection->group->sessions,
        .pid = client->pid,
        .program = client->program,
        .user = client->user,
    };

    if (um_session_open(shared->rpc, &connection->session, &options) != UMEM_OK) {
        um_connection_close(connection);
        return;
    }
    connection->has_session = true;
    move_to(connection, UM_CONNECTION_OPEN);
    shared->changes++;
    connection->group->open_sessions++;
    traffic->sessions++;
    if (traffic->sessions > traffic->peak_sessions)
        traffic->peak_sessions = traffic->sessions;
    note_session(connection, client);
    set_reading(connection, true);
}

/* ---- refusing ---- */

/* Looked for only where a session was opened or closed since the last time, so that a refusal stays cheap. */
static const struct um_refusal_facts *find_facts(struct um_connections *connections)
{
    struct um_refusal_facts *facts = &connections->top;
    const struct um_connection_group *group;

    facts->sessions_limit = connections->limits->sessions;
    facts->sessions = connections->traffic.sessions;
    if (connections->top_changes == connections->changes)
        return facts;
    connections->top_changes = connections->changes;
    group = um_connection_groups_largest(&connections->groups);
    facts->top_sessions = group != NULL ? group->open_sessions : 0;
    if (group == NULL)
        return facts;
    facts->top_pid = group->pid;
    memcpy(connections->top_program, group->program, sizeof connections->top_program);
    facts->top_program = connections->top_program;
    return facts;
}

/* A client that has one of the last descriptors does not keep it while it reads its answer. */
void um_connection_refuse(struct um_connection *connection, enum um_refusal_reason reason)
{
    struct um_connections *shared = connection->shared;
    struct um_buf *out = &connection->session.out;

    um_buf_init(out, LINE_LIMIT);
    um_refusal_write(out, reason, find_facts(shared));
    /* Where memory ran out, a part of a line would be worse than none. */
    if (out->failed)
        um_buf_truncate(out, 0);
    if (shared->refused >= REFUSED_LIMIT || reason == UM_REFUSED_NO_DESCRIPTORS) {
        flush(connection);
        um_connection_close(connection);
        return;
    }
    shared->refused++;
    move_to(connection, UM_CONNECTION_DISCARDING);
    advance(connection);
}
