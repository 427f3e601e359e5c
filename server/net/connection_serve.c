#include "net/connection_serve.h"

#include <stdlib.h>

#include "net/connection.h"
#include "net/connection_budget.h"
#include "net/connection_read.h"
#include "net/connection_send.h"
#include "net/connection_session.h"
#include "umem_errors.h"

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

    if (message->size > UM_FRAME_LONG_SIZE) {
        session->text_here = um_frame_give(frame, message);
        session->text_run = message->run;
    }
    session->payload_here = offers_payload ? (const unsigned char *)um_frame_whole_payload(frame) : NULL;
    connection->last_size = message->size;
    used = um_dispatch_message(session, message->text, message->size, message->payload_size);
    if (offers_payload && session->payload_here == NULL)
        um_frame_skip_payload(frame);
    session->payload_here = NULL;
    if (session->text_here != NULL) {
        free(session->text_here);
        session->text_here = NULL;
    }
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
        um_connection_move(connection, UM_CONNECTION_DISCARDING);
        return STEP_STOP;
    case UM_FRAME_END:
        um_connection_move(connection, UM_CONNECTION_HALF_CLOSED);
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

        if (um_connection_has_to_send(connection)) {
            um_connection_flush(connection);
            if (connection->state != UM_CONNECTION_OPEN || um_connection_has_to_send(connection))
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

/* Appends the notifications that are due, where there is space for them. */
static void notify(struct um_connection *connection)
{
    struct um_session *session = &connection->session;
    size_t size = session->out.size;

    session->queued_bytes = um_connection_unsent(connection);
    if (um_connection_is_over_limit(connection))
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
    um_connection_flush(connection);
    um_connection_charge(connection);
    if (connection->state >= UM_CONNECTION_CLOSING)
        return;
    if (connection->has_served && connection->shared->is_ending)
        um_connection_move(connection, UM_CONNECTION_ENDING);
    session->queued_bytes = um_connection_unsent(connection);
    /* The end of a write that is under way leads here again. If the system took everything at once, there is
     * no such write. */
    if (is_served && connection->writing_size == 0 && !um_list_is_empty(&session->due_watches))
        um_scheduler_enqueue(&connection->scheduled);
    if (session->broken || um_frame_keep(&connection->frame) != UMEM_OK || is_done(connection)) {
        um_connection_close(connection);
        return;
    }
    wants_bytes = wants_bytes || connection->state == UM_CONNECTION_DISCARDING;
    if (!um_connection_is_budget_current(connection))
        wants_bytes = um_connection_update_budget(connection, wants_bytes);
    if (wants_bytes != connection->is_reading)
        um_connection_set_reading(connection, wants_bytes);
    if (connection->state == UM_CONNECTION_HALF_CLOSED)
        um_connection_linger(connection);
}

/* The scheduler lets it run. If all of it is closed, that is its end. */
void um_connection_step(struct um_scheduled *item)
{
    struct um_connection *connection = UM_LIST_ITEM(item, struct um_connection, scheduled);

    if (connection->state == UM_CONNECTION_CLOSED)
        um_connection_close_session(connection);
    else
        advance(connection);
}
