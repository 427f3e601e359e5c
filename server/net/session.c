#include "session.h"

#include <stdlib.h>

#include "server_core.h"
#include "umem_errors.h"

static void on_flush(struct um_peer *peer)
{
    struct um_session *session = UM_LIST_ITEM(peer, struct um_session, peer);

    if (session->is_closing)
        return;
    um_server_make_due(session->server, session);
}

/* It may be this session that is being served: it ends when its turn comes. */
static void on_close(struct um_peer *peer)
{
    struct um_session *session = UM_LIST_ITEM(peer, struct um_session, peer);

    if (session->is_closing)
        return;
    session->wants_end = true;
    um_server_make_due(session->server, session);
}

static uint64_t on_queued(const struct um_peer *peer)
{
    return um_session_unsent(UM_LIST_ITEM(peer, const struct um_session, peer));
}

static uint64_t on_gathered(const struct um_peer *peer)
{
    return um_session_gathered(UM_LIST_ITEM(peer, const struct um_session, peer));
}

static const struct um_peer_events peer_events = {
    .flush = on_flush, .close = on_close, .queued = on_queued, .gathered = on_gathered};

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct um_session *session = handle->data;
    struct um_server *server = session->server;

    if (--session->handles != 0)
        return;
    if (session->is_peer_open) {
        um_server_note(server, UM_NOTE_DEBUG, "session %llu closed", (unsigned long long)session->peer.id);
        server->traffic.sessions--;
        server->session_changes++;
        um_peer_close(&session->peer);
    } else {
        um_buf_deinit(&session->peer.out);
    }
    if (session->is_refused)
        server->refused--;
    um_frame_deinit(&session->frame);
    um_buf_deinit(&session->sending);
    um_budget_forget(session);
    um_list_remove(&session->all);
    free(session);
    um_server_session_closed(server);
}

/* A write that is under way has memory of the session's and of blocks: both stay until the handles are
 * closed. */
void um_session_close(struct um_session *session)
{
    if (session->is_closing)
        return;
    session->is_closing = true;
    um_list_remove(&session->due);
    uv_close((uv_handle_t *)&session->pipe, on_closed);
    uv_close((uv_handle_t *)&session->timer, on_closed);
}

static void on_time_up(uv_timer_t *timer)
{
    struct um_session *session = timer->data;

    if (session->is_discarding)
        um_session_end(session);
    else
        um_session_close(session);
}

void um_session_end(struct um_session *session)
{
    if (session->is_ending || session->is_closing)
        return;
    session->is_ending = true;
    session->is_discarding = false;
    uv_timer_start(&session->timer, on_time_up, session->server->limits.closing_ms, 0);
    um_session_go_on(session);
}

void um_session_begin_discarding(struct um_session *session)
{
    session->is_discarding = true;
    uv_timer_start(&session->timer, on_time_up, UM_SESSION_DISCARD_MS, 0);
}

/* ---- serving ---- */

/* Moves payload bytes that have come already. Returns whether all of them have. */
static bool take_payload(struct um_session *session)
{
    struct um_peer *peer = &session->peer;

    while (um_peer_payload_left(peer) != 0) {
        size_t room;
        char *space = um_peer_payload_space(peer, &room);
        size_t size = um_frame_take_payload(&session->frame, space, room);

        if (size == 0)
            return false;
        um_peer_payload_received(peer, size);
    }
    return true;
}

enum step {
    STEP_ON,     /* something was done, and there may be more */
    STEP_SERVED, /* likewise, and it counts as a message served */
    STEP_READ,   /* the next bytes are needed */
    STEP_STOP    /* nothing more to do here */
};

static enum step take_step(struct um_session *session)
{
    struct um_peer *peer = &session->peer;
    struct um_frame_message message;
    size_t used;
    enum um_frame_event event = um_frame_next(&session->frame, &message);

    peer->framing = session->frame.kind == UM_FRAME_HEADERS ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
    switch (event) {
    case UM_FRAME_MESSAGE:
        session->expects_payload = message.payload_size >= UM_SERVER_READ_SIZE;
        if (peer->framing == UM_FRAMING_HEADERS)
            um_peer_set_content_type(peer, message.content_type);
        used = um_peer_message(peer, message.text, message.size, message.payload_size);
        if (used < message.size)
            um_frame_put_back(&session->frame, used);
        return STEP_SERVED;
    case UM_FRAME_PAYLOAD:
        return take_payload(session) ? STEP_ON : STEP_READ;
    case UM_FRAME_TOO_LARGE:
        um_peer_refuse_limit(peer, UMEM_E_TOO_LARGE, message.what, message.limit, 0, message.asked);
        return STEP_SERVED;
    case UM_FRAME_BROKEN:
        if (session->frame.kind == UM_FRAME_HTTP)
            um_session_refuse_http(session);
        else
            um_peer_refuse(peer, UMEM_E_PARSE_ERROR, message.what);
        um_session_begin_discarding(session);
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
static bool may_serve(struct um_session *session)
{
    struct um_peer *peer = &session->peer;
    uint64_t limit = um_peer_unsent_limit(peer);

    if (peer->tail.bytes != NULL || um_session_unsent(session) > limit)
        um_session_send(session);
    return !session->is_closing && !session->wants_end && !peer->broken && peer->tail.bytes == NULL &&
           peer->job == NULL && um_session_unsent(session) <= limit;
}

/* Hands messages to the engine. Returns whether more bytes are wanted. */
static bool serve(struct um_session *session)
{
    const struct um_limits *limits = &session->server->limits;
    uint64_t left = limits->turn_requests;

    session->peer.work = 0;
    um_session_borrow_memory(session);
    while (may_serve(session)) {
        enum step step;

        if (left == 0 || session->peer.work >= limits->turn_bytes) {
            um_server_make_due(session->server, session);
            return false;
        }
        step = take_step(session);
        if (step == STEP_SERVED) {
            session->share.has_served = true;
            left--;
        } else if (step != STEP_ON)
            return step == STEP_READ;
    }
    return false;
}

/* ---- going on ---- */

/* Whether nothing is left to do for the client. */
static bool is_done(const struct um_session *session)
{
    if (um_session_unsent(session) != 0 || session->peer.job != NULL)
        return false;
    return session->is_ending || (session->input_over && !um_peer_is_waiting(&session->peer));
}

static void on_linger(uv_timer_t *timer)
{
    struct um_session *session = timer->data;

    if (um_pipe_is_cut(&session->pipe))
        um_session_close(session);
}

/* A client that has ended its sending may still wait for answers, or be gone: the end of what it sends looks
 * the same. No event tells when it goes, so that it is looked for now and then. */
static void linger(struct um_session *session)
{
    if (session->is_lingering || session->is_ending || !um_peer_is_waiting(&session->peer))
        return;
    session->is_lingering = true;
    uv_timer_start(&session->timer, on_linger, 0, UM_SESSION_LINGER_MS);
}

/* Serves and sends. Returns whether more bytes are wanted. */
static bool work(struct um_session *session)
{
    bool is_served = session->is_peer_open && !session->is_discarding && !session->is_ending;
    bool wants_bytes = false;

    if (is_served && !session->input_over)
        wants_bytes = serve(session);
    if (is_served && um_session_unsent(session) <= um_peer_unsent_limit(&session->peer))
        um_peer_notify(&session->peer);
    um_session_send(session);
    /* A write that is under way comes back here. Where all was taken at once, nothing else would. */
    if (is_served && !session->is_closing && session->writing_size == 0 && um_peer_has_news(&session->peer))
        um_server_make_due(session->server, session);
    return wants_bytes;
}

void um_session_go_on(struct um_session *session)
{
    bool wants_bytes;

    if (session->wants_end && !session->is_ending) {
        um_session_end(session);
        return;
    }
    if (session->is_closing)
        return;
    wants_bytes = work(session);
    if (session->is_closing)
        return;
    if (session->peer.broken || um_frame_keep(&session->frame) != UMEM_OK || is_done(session)) {
        um_session_close(session);
        return;
    }
    wants_bytes = wants_bytes || session->is_discarding;
    um_budget_note(session, wants_bytes);
    um_session_read(session, wants_bytes && um_budget_admits(session));
    if (session->input_over)
        linger(session);
}

/* ---- the beginning ---- */

struct um_session *um_session_new(struct um_server *server)
{
    struct um_session *session = calloc(1, sizeof *session);

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

void um_session_open(struct um_session *session, const struct um_identity *who)
{
    struct um_server *server = session->server;
    struct um_peer_options options = {
        .events = &peer_events, .pid = who->pid, .program = who->program, .user = who->user};

    if (um_peer_open(server->rpc, &session->peer, &options) != UMEM_OK) {
        um_session_close(session);
        return;
    }
    session->is_peer_open = true;
    server->traffic.sessions++;
    server->session_changes++;
    if (server->traffic.sessions > server->traffic.peak_sessions)
        server->traffic.peak_sessions = server->traffic.sessions;
    um_server_note(server, UM_NOTE_DEBUG, "session %llu opened by %s, process %lld",
                   (unsigned long long)session->peer.id, who->program[0] != '\0' ? who->program : "a program",
                   (long long)who->pid);
    um_session_read(session, true);
}
