#include "session.h"

#include <stdlib.h>

#include "server_core.h"
#include "umem_errors.h"

static void on_flush(struct um_peer *peer)
{
    struct um_session *session = UM_LIST_ITEM(peer, struct um_session, peer);

    if (session->is_closing)
        return;
    um_group_make_due(session);
}

/* It may be this session that is being served: it ends when its turn comes. */
static void on_close(struct um_peer *peer)
{
    struct um_session *session = UM_LIST_ITEM(peer, struct um_session, peer);

    if (session->is_closing)
        return;
    session->wants_end = true;
    um_group_make_due(session);
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

static void release(struct um_session *session)
{
    struct um_server *server = session->server;

    if (session->is_refused)
        server->refused--;
    um_frame_deinit(&session->frame);
    um_buf_deinit(&session->sending);
    um_budget_forget(session);
    um_group_leave(session);
    um_list_remove(&session->all);
    free(session);
    um_server_session_closed(server);
}

/* What the engine has of it ends when it is its turn, and its memory goes back: many may close at one time. */
static void finish(struct um_session *session)
{
    struct um_server *server = session->server;

    um_server_note(server, UM_NOTE_DEBUG, "session %llu closed", (unsigned long long)session->peer.id);
    server->traffic.sessions--;
    server->session_changes++;
    server->ending--;
    session->group->open_sessions--;
    um_group_charge(session->group, 0,
                    UM_GROUP_COST_END + (session->share.gathered + session->share.unsent) / 2);
    um_peer_close(&session->peer);
    um_group_charge(session->group, 0, session->peer.work);
    release(session);
}

static void on_closed(uv_handle_t *handle)
{
    struct um_session *session = handle->data;

    if (--session->handles != 0)
        return;
    if (!session->is_peer_open) {
        um_buf_deinit(&session->peer.out);
        release(session);
    } else if (um_group_admits(session)) {
        /* Now, where it can be: who waits for a program to end, and then asks, sees what became of what it had. */
        finish(session);
    } else {
        um_group_make_due(session);
    }
}

/* A write that is under way has memory of the session's and of blocks: both stay until the handles are
 * closed. */
void um_session_close(struct um_session *session)
{
    if (session->is_closing)
        return;
    session->is_closing = true;
    session->server->ending += session->is_peer_open;
    if (session->group != NULL)
        um_group_charge(session->group, 0, UM_GROUP_COST_CLOSE);
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

/* Hands messages to the engine, as far as the share of the session's group goes. Returns whether more bytes are wanted. */
static bool serve(struct um_session *session)
{
    struct um_peer *peer = &session->peer;
    struct um_group_share left = um_group_share(session->group);
    uint64_t messages = 0;
    uint64_t text = 0; /* bytes read and written */
    enum step step = STEP_ON;

    um_session_borrow_memory(session);
    while (step <= STEP_SERVED && may_serve(session)) {
        uint64_t work = peer->work + text * UM_GROUP_COST_TEXT_BYTE + messages * UM_GROUP_COST_MESSAGE;
        size_t unused = session->frame.left - peer->out.size;

        if (messages >= left.messages || work >= left.work) {
            um_group_make_due(session);
            break;
        }
        step = take_step(session);
        messages += step == STEP_SERVED;
        text += unused - (session->frame.left - peer->out.size);
    }
    um_group_charge(session->group, messages,
                    peer->work + text * UM_GROUP_COST_TEXT_BYTE + messages * UM_GROUP_COST_MESSAGE);
    peer->work = 0;
    session->share.has_served |= messages != 0;
    return step == STEP_READ;
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
    size_t size;

    if (is_served && !session->input_over)
        wants_bytes = serve(session);
    size = session->peer.out.size;
    if (is_served && um_session_unsent(session) <= um_peer_unsent_limit(&session->peer))
        um_peer_notify(&session->peer);
    um_group_charge(session->group, 0, (session->peer.out.size - size) * UM_GROUP_COST_TEXT_BYTE);
    um_session_send(session);
    /* A write that is under way comes back here. Where all was taken at once, nothing else would. */
    if (is_served && !session->is_closing && session->writing_size == 0 && um_peer_has_news(&session->peer))
        um_group_make_due(session);
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
    um_budget_note(session, wants_bytes || !um_list_is_empty(&session->due));
    um_session_read(session, wants_bytes && um_budget_admits(session));
    if (session->input_over)
        linger(session);
}

void um_session_take_turn(struct um_session *session)
{
    if (session->handles == 0)
        finish(session);
    else
        um_session_go_on(session);
}

void um_session_wake(struct um_session *session)
{
    if (um_group_admits(session))
        um_session_go_on(session);
    else
        um_group_make_due(session);
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
        .events = &peer_events,
        .group = &session->group->peers,
        .pid = who->pid,
        .program = who->program,
        .user = who->user,
    };

    if (um_peer_open(server->rpc, &session->peer, &options) != UMEM_OK) {
        um_session_close(session);
        return;
    }
    session->is_peer_open = true;
    server->traffic.sessions++;
    server->session_changes++;
    session->group->open_sessions++;
    if (server->traffic.sessions > server->traffic.peak_sessions)
        server->traffic.peak_sessions = server->traffic.sessions;
    um_server_note(server, UM_NOTE_DEBUG, "session %llu opened by %s, process %lld",
                   (unsigned long long)session->peer.id, who->program[0] != '\0' ? who->program : "a program",
                   (long long)who->pid);
    um_session_read(session, true);
}
