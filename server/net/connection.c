#include "net/connection.h"

#include <stdlib.h>

#include "net/server_core.h"
#include "umem_errors.h"

static void on_flush(struct um_session *rpc_session)
{
    struct um_connection *session = UM_LIST_ITEM(rpc_session, struct um_connection, rpc_session);

    if (session->is_closing)
        return;
    um_scheduler_enqueue(session);
}

/* It may be this session that is being served: it ends when its turn comes. */
static void on_close(struct um_session *rpc_session)
{
    struct um_connection *session = UM_LIST_ITEM(rpc_session, struct um_connection, rpc_session);

    if (session->is_closing)
        return;
    session->wants_end = true;
    um_scheduler_enqueue(session);
}

static uint64_t on_queued(const struct um_session *rpc_session)
{
    return um_connection_unsent(UM_LIST_ITEM(rpc_session, const struct um_connection, rpc_session));
}

static uint64_t on_gathered(const struct um_session *rpc_session)
{
    return um_connection_gathered(UM_LIST_ITEM(rpc_session, const struct um_connection, rpc_session));
}

static const struct um_session_events peer_events = {
    .flush = on_flush, .close = on_close, .queued = on_queued, .gathered = on_gathered};

/* ---- the end ---- */

static void release(struct um_connection *session)
{
    struct um_server *server = session->server;

    if (session->is_refused)
        server->refused--;
    um_frame_deinit(&session->frame);
    um_buf_deinit(&session->sending);
    um_budget_forget(session);
    um_scheduler_leave(session);
    um_list_remove(&session->all);
    free(session);
    um_server_connection_closed(server);
}

/* What the engine has of it ends when it is its turn, and its memory goes back: many may close at one time. */
static void finish(struct um_connection *session)
{
    struct um_server *server = session->server;

    um_server_log(server, UM_SERVER_DEBUG, "session %llu closed",
                  (unsigned long long)session->rpc_session.id);
    server->traffic.sessions--;
    server->session_changes++;
    server->ending--;
    session->group->open_sessions--;
    um_scheduler_charge(session->group, 0,
                        UM_COST_END + (session->share.gathered + session->share.unsent) / 2);
    um_session_close(&session->rpc_session);
    um_scheduler_charge(session->group, 0, session->rpc_session.work);
    release(session);
}

static void on_closed(uv_handle_t *handle)
{
    struct um_connection *session = handle->data;

    if (--session->handles != 0)
        return;
    if (!session->is_peer_open) {
        um_buf_deinit(&session->rpc_session.out);
        release(session);
    } else if (um_scheduler_may_run(session)) {
        /* Now, where it can be: who waits for a program to end, and then asks, sees what became of what it had. */
        finish(session);
    } else {
        um_scheduler_enqueue(session);
    }
}

/* A write that is under way has memory of the session's and of blocks: both stay until the handles are
 * closed. */
void um_connection_close(struct um_connection *session)
{
    if (session->is_closing)
        return;
    session->is_closing = true;
    session->server->ending += session->is_peer_open;
    if (session->group != NULL)
        um_scheduler_charge(session->group, 0, UM_COST_CLOSE);
    um_list_remove(&session->due);
    uv_close((uv_handle_t *)&session->pipe, on_closed);
    uv_close((uv_handle_t *)&session->timer, on_closed);
}

static void on_time_up(uv_timer_t *timer)
{
    struct um_connection *session = timer->data;

    if (session->is_discarding)
        um_connection_end(session);
    else
        um_connection_close(session);
}

void um_connection_end(struct um_connection *session)
{
    if (session->is_ending || session->is_closing)
        return;
    session->is_ending = true;
    session->is_discarding = false;
    uv_timer_start(&session->timer, on_time_up, session->server->limits.closing_ms, 0);
    um_connection_advance(session);
}

void um_connection_discard(struct um_connection *session)
{
    session->is_discarding = true;
    uv_timer_start(&session->timer, on_time_up, UM_CONNECTION_DISCARD_MS, 0);
}

/* ---- serving ---- */

/* Moves payload bytes that have come already. Returns whether all of them have. */
static bool take_payload(struct um_connection *session)
{
    struct um_session *rpc_session = &session->rpc_session;

    while (um_payload_left(rpc_session) != 0) {
        size_t room;
        char *space = um_payload_reserve(rpc_session, &room);
        size_t size = um_frame_take_payload(&session->frame, space, room);

        if (size == 0)
            return false;
        um_payload_commit(rpc_session, size);
    }
    return true;
}

enum step {
    STEP_ON,     /* something was done, and there may be more */
    STEP_SERVED, /* likewise, and it counts as a message served */
    STEP_READ,   /* the next bytes are needed */
    STEP_STOP    /* nothing more to do here */
};

static enum step take_step(struct um_connection *session)
{
    struct um_session *rpc_session = &session->rpc_session;
    struct um_frame_message message;
    size_t used;
    enum um_frame_event event = um_frame_next(&session->frame, &message);

    rpc_session->framing = session->frame.kind == UM_FRAME_HEADERS ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
    switch (event) {
    case UM_FRAME_MESSAGE:
        session->expects_payload = message.payload_size >= UM_SERVER_READ_SIZE;
        if (rpc_session->framing == UM_FRAMING_HEADERS)
            um_session_set_content_type(rpc_session, message.content_type);
        used = um_dispatch_message(rpc_session, message.text, message.size, message.payload_size);
        if (used < message.size)
            um_frame_unread(&session->frame, used);
        return STEP_SERVED;
    case UM_FRAME_PAYLOAD:
        return take_payload(session) ? STEP_ON : STEP_READ;
    case UM_FRAME_TOO_LARGE:
        um_dispatch_refuse_limit(rpc_session, UMEM_E_TOO_LARGE, message.what, message.limit, 0,
                                 message.asked);
        return STEP_SERVED;
    case UM_FRAME_BROKEN:
        if (session->frame.kind == UM_FRAME_HTTP)
            um_connection_refuse_http(session);
        else
            um_dispatch_refuse(rpc_session, UMEM_E_PARSE_ERROR, message.what);
        um_connection_discard(session);
        return STEP_STOP;
    case UM_FRAME_END:
        session->input_over = true;
        return STEP_STOP;
    case UM_FRAME_MORE:
        break;
    }
    return STEP_READ;
}

/* Whether the next message may be handed to the engine: the last one's tail is gone, no long call is at work,
 * and what waits to be sent is within its limit. A session that has to wait here is woken when a write or the
 * call ends. */
static bool may_serve(struct um_connection *session)
{
    struct um_session *rpc_session = &session->rpc_session;
    uint64_t limit = um_session_unsent_limit(rpc_session);

    if (rpc_session->tail.bytes != NULL || um_connection_unsent(session) > limit)
        um_connection_send(session);
    return !session->is_closing && !session->wants_end && !rpc_session->broken &&
           rpc_session->tail.bytes == NULL && rpc_session->job == NULL &&
           um_connection_unsent(session) <= limit;
}

/* Hands messages to the engine, as far as the share of the session's group goes. Returns whether more bytes are wanted. */
static bool serve(struct um_connection *session)
{
    struct um_session *rpc_session = &session->rpc_session;
    struct um_scheduler_share left = um_scheduler_share(session->group);
    uint64_t messages = 0;
    uint64_t text = 0; /* bytes read and written */
    enum step step = STEP_ON;

    um_connection_borrow_memory(session);
    while (step <= STEP_SERVED && may_serve(session)) {
        uint64_t work = rpc_session->work + text * UM_COST_TEXT_BYTE + messages * UM_COST_MESSAGE;
        size_t unused = session->frame.left - rpc_session->out.size;

        if (messages >= left.messages || work >= left.work) {
            um_scheduler_enqueue(session);
            break;
        }
        step = take_step(session);
        messages += step == STEP_SERVED;
        text += unused - (session->frame.left - rpc_session->out.size);
    }
    um_scheduler_charge(session->group, messages,
                        rpc_session->work + text * UM_COST_TEXT_BYTE + messages * UM_COST_MESSAGE);
    rpc_session->work = 0;
    session->share.has_served |= messages != 0;
    return step == STEP_READ;
}

/* ---- going on ---- */

/* Whether nothing is left to do for the client. */
static bool is_done(const struct um_connection *session)
{
    if (um_connection_unsent(session) != 0 || session->rpc_session.job != NULL)
        return false;
    return session->is_ending || (session->input_over && !um_session_is_waiting(&session->rpc_session));
}

static void on_linger(uv_timer_t *timer)
{
    struct um_connection *session = timer->data;

    if (um_listener_is_hung_up(&session->pipe))
        um_connection_close(session);
}

/* A client that has ended its sending may still wait for answers, or be gone: the end of what it sends looks
 * the same. No event tells when it goes, so that it is looked for now and then. */
static void linger(struct um_connection *session)
{
    if (session->is_lingering || session->is_ending || !um_session_is_waiting(&session->rpc_session))
        return;
    session->is_lingering = true;
    uv_timer_start(&session->timer, on_linger, 0, UM_CONNECTION_LINGER_MS);
}

/* Serves and sends. Returns whether more bytes are wanted. */
static bool work(struct um_connection *session)
{
    bool is_served = session->is_peer_open && !session->is_discarding && !session->is_ending;
    bool wants_bytes = false;
    size_t size;

    if (is_served && !session->input_over)
        wants_bytes = serve(session);
    size = session->rpc_session.out.size;
    if (is_served && um_connection_unsent(session) <= um_session_unsent_limit(&session->rpc_session))
        um_watch_notify(&session->rpc_session);
    um_scheduler_charge(session->group, 0, (session->rpc_session.out.size - size) * UM_COST_TEXT_BYTE);
    um_connection_send(session);
    /* A write that is under way comes back here. Where all was taken at once, nothing else would. */
    if (is_served && !session->is_closing && session->writing_size == 0 &&
        um_watch_has_events(&session->rpc_session))
        um_scheduler_enqueue(session);
    return wants_bytes;
}

void um_connection_advance(struct um_connection *session)
{
    bool wants_bytes;

    if (session->wants_end && !session->is_ending) {
        um_connection_end(session);
        return;
    }
    if (session->is_closing)
        return;
    wants_bytes = work(session);
    if (session->is_closing)
        return;
    if (session->rpc_session.broken || um_frame_keep(&session->frame) != UMEM_OK || is_done(session)) {
        um_connection_close(session);
        return;
    }
    wants_bytes = wants_bytes || session->is_discarding;
    um_budget_note(session, wants_bytes || !um_list_is_empty(&session->due));
    um_connection_read(session, wants_bytes && um_budget_admits(session));
    if (session->input_over)
        linger(session);
}

void um_connection_run(struct um_connection *session)
{
    if (session->handles == 0)
        finish(session);
    else
        um_connection_advance(session);
}

void um_connection_wake(struct um_connection *session)
{
    if (um_scheduler_may_run(session))
        um_connection_advance(session);
    else
        um_scheduler_enqueue(session);
}

/* ---- the beginning ---- */

struct um_connection *um_connection_new(struct um_server *server)
{
    struct um_connection *session = calloc(1, sizeof *session);

    if (session == NULL)
        return NULL;
    session->server = server;
    uv_pipe_init(server->loop, &session->pipe, 0);
    uv_timer_init(server->loop, &session->timer);
    session->pipe.data = session;
    session->timer.data = session;
    session->handles = 2;
    um_frame_init(&session->frame, (size_t)server->limits.message_bytes, server->limits.payload_bytes);
    um_buf_init(&session->sending, SIZE_MAX);
    um_list_init(&session->due);
    um_list_init(&session->share.in_waiting);
    um_list_init(&session->share.in_begun);
    um_list_append(&server->sessions, &session->all);
    return session;
}

void um_connection_open(struct um_connection *session, const struct um_identity *who)
{
    struct um_server *server = session->server;
    struct um_session_options options = {
        .events = &peer_events,
        .group = &session->group->sessions,
        .pid = who->pid,
        .program = who->program,
        .user = who->user,
    };

    if (um_session_open(server->rpc, &session->rpc_session, &options) != UMEM_OK) {
        um_connection_close(session);
        return;
    }
    session->is_peer_open = true;
    server->traffic.sessions++;
    server->session_changes++;
    session->group->open_sessions++;
    if (server->traffic.sessions > server->traffic.peak_sessions)
        server->traffic.peak_sessions = server->traffic.sessions;
    um_server_log(server, UM_SERVER_DEBUG, "session %llu opened by %s, process %lld",
                  (unsigned long long)session->rpc_session.id,
                  who->program[0] != '\0' ? who->program : "a program", (long long)who->pid);
    um_connection_read(session, true);
}
