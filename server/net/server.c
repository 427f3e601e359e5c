#include "net/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/connection.h"
#include "net/listener/identity.h"
#include "net/server_core.h"
#include "umem_errors.h"

void um_server_log(struct um_server *server, enum um_server_log note, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    um_log_limiter_add(&server->notes, uv_now(server->loop), note, format, list);
    va_end(list);
}

void um_server_check(struct um_server *server)
{
    char why[UM_SERVER_WHY_CAPACITY] = "";
    enum um_listener_state state;

    um_log_limiter_report(&server->notes, uv_now(server->loop));
    if (server->is_stopping)
        return;
    state = um_listener_check(server->pipe, why, sizeof why);
    if (state == UM_LISTENER_RECREATED)
        um_server_log(server, UM_SERVER_WARNING, "%s", why);
    else if (state != server->pipe_state && state != UM_LISTENER_PRESENT)
        um_server_log(server, UM_SERVER_WARNING,
                      "%s; the clients that are connected are served, but no others find this daemon", why);
    server->pipe_state = state == UM_LISTENER_RECREATED ? UM_LISTENER_PRESENT : state;
}

enum {
    TURN_CLIENTS = 64, /* clients that are taken in one turn */
    HELD_TURNS =
        64 /* turns for which those wait who come while all sessions are taken, and some have something to read */
};

/* ---- turns ---- */

void um_server_begin_turn(struct um_server *server)
{
    um_rpc_set_time(server->rpc, (int64_t)time(NULL), uv_now(server->loop));
}

static void on_hurry(uv_idle_t *hurry)
{
    (void)hurry;
}

void um_server_request_turn(struct um_server *server)
{
    if (!server->is_closing)
        uv_idle_start(&server->hurry, on_hurry);
}

static void on_work_pending(void *context)
{
    struct um_server *server = context;

    server->has_work = true;
    um_server_request_turn(server);
}

static void on_shutdown(void *context)
{
    struct um_server *server = context;

    server->wants_stop = true;
    um_server_request_turn(server);
}

static void on_alarm(uv_timer_t *alarm)
{
    struct um_server *server = alarm->data;

    server->alarm_ms = UINT64_MAX;
    um_server_begin_turn(server);
    um_rpc_expire(server->rpc);
    um_budget_expire(server);
}

/* An alarm that is too early rings for nothing and is set anew then: mostly the time is never up, and so the timer is touched only
 * now and then, however fast messages begin and end. */
static void set_alarm(struct um_server *server)
{
    uint64_t deadline_ms = um_rpc_next_deadline(server->rpc);
    uint64_t message_ms = um_budget_next_ms(server);
    uint64_t at_ms = deadline_ms < message_ms ? deadline_ms : message_ms;
    uint64_t now_ms = uv_now(server->loop);

    if (at_ms >= server->alarm_ms || server->is_closing)
        return;
    server->alarm_ms = at_ms;
    uv_timer_start(&server->alarm, on_alarm, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

/* ---- clients ---- */

/* One too many. Where many are, one after the other, the operator is told once. */
static void refuse(struct um_server *server, struct um_connection *session, const struct um_identity *who,
                   enum um_refusal_reason reason, const char *why)
{
    if (server->refused_in_a_row++ == 0)
        um_server_log(server, UM_SERVER_WARNING, "refused process %lld: %llu sessions are open, and %s",
                      (long long)who->pid, (unsigned long long)server->traffic.sessions, why);
    server->traffic.refused_sessions++;
    um_connection_refuse(session, reason);
}

static void admit(struct um_server *server, struct um_connection *session)
{
    struct um_identity who;

    um_identity_read(&session->pipe, &who);
    if (!um_scheduler_join(session, who.pid, who.program)) {
        um_connection_close(session);
    } else if (!who.trusted) {
        um_server_log(server, UM_SERVER_WARNING, "refused process %lld of user %s", (long long)who.pid,
                      who.user);
        um_connection_refuse(session, UM_REFUSED_STRANGER);
    } else if (um_listener_is_near_limit(&session->pipe)) {
        refuse(server, session, &who, UM_REFUSED_NO_DESCRIPTORS, "the system gives no more descriptors");
    } else if (server->traffic.sessions >= server->limits.sessions) {
        refuse(server, session, &who, UM_REFUSED_FULL, "that is the limit");
    } else {
        server->refused_in_a_row = 0;
        um_connection_open(session, &who);
    }
}

/* With as many sessions as there may be, those that have closed are gone before somebody is refused: the ones that are closing now,
 * and for a while also those whose end may not have been read yet. */
static bool must_wait(struct um_server *server)
{
    if (server->traffic.sessions < server->limits.sessions)
        return false;
    if (server->ending != 0)
        return true;
    return !um_list_is_empty(&server->turn.active) && server->held_turns < HELD_TURNS;
}

static void on_retry(uv_timer_t *retry)
{
    struct um_server *server = retry->data;

    server->has_clients = true;
    um_server_request_turn(server);
}

/* What the system had no memory or no descriptors for: until a session ends, or for a moment, clients wait. */
static void retry_later(struct um_server *server)
{
    server->has_clients = false;
    uv_timer_start(&server->retry, on_retry, UM_SERVER_RETRY_MS, 0);
}

/* Takes those who wait, so many a turn. A session for which nobody came is used for the next one. */
static void take_clients(struct um_server *server)
{
    struct um_connection *session = NULL;
    bool has_memory = true;

    for (unsigned left = TURN_CLIENTS; left != 0 && has_memory && server->has_clients; left--) {
        int error;

        server->has_clients = !server->is_stopping && um_listener_has_client(server->pipe);
        if (!server->has_clients || must_wait(server))
            break;
        if (session == NULL)
            session = um_connection_new(server);
        error = session != NULL ? um_listener_accept(server->pipe, &session->pipe) : UV_ENOMEM;
        if (error == 0) {
            admit(server, session);
            session = NULL;
        }
        /* One that has gone already is nobody's fault. */
        has_memory = error == 0 || error == UV_ECONNABORTED;
    }
    if (session != NULL)
        um_connection_close(session);
    if (!has_memory)
        retry_later(server);
    server->held_turns = server->has_clients && must_wait(server) ? server->held_turns + 1 : 0;
}

static void on_client(void *context)
{
    struct um_server *server = context;

    server->has_clients = true;
    um_server_request_turn(server);
}

/* ---- the loop ---- */

static void after_poll(uv_check_t *handle)
{
    struct um_server *server = handle->data;

    um_server_begin_turn(server);
    um_scheduler_run(server);
    take_clients(server);
    if (server->wants_stop)
        um_server_stop(server);
    if (server->has_work)
        server->has_work = um_rpc_work(server->rpc);
    um_rpc_end_turn(server->rpc);
    if (!server->has_work && !server->has_clients && um_list_is_empty(&server->turn.active))
        uv_idle_stop(&server->hurry);
}

static void before_poll(uv_prepare_t *handle)
{
    struct um_server *server = handle->data;

    set_alarm(server);
    um_scheduler_begin_turn(server);
}

/* ---- the end ---- */

static void on_server_handle_closed(struct um_server *server)
{
    void (*ended)(void *context) = server->ended;
    void *context = server->context;

    if (--server->handles != 0)
        return;
    um_rpc_free(server->rpc);
    um_store_free(server->store);
    um_buf_deinit(&server->spare);
    um_scheduler_deinit(server);
    free(server);
    if (ended != NULL)
        ended(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_server_handle_closed(handle->data);
}

static void on_pipe_closed(void *context)
{
    on_server_handle_closed(context);
}

static void close_when_empty(struct um_server *server)
{
    if (!server->is_stopping || server->is_closing || !um_list_is_empty(&server->sessions))
        return;
    server->is_closing = true;
    uv_close((uv_handle_t *)&server->after_poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->hurry, on_handle_closed);
    uv_close((uv_handle_t *)&server->before_poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->alarm, on_handle_closed);
    uv_close((uv_handle_t *)&server->retry, on_handle_closed);
}

void um_server_connection_closed(struct um_server *server)
{
    if (!server->is_stopping) {
        um_listener_retry(server->pipe);
        server->has_clients = true;
        um_server_request_turn(server);
    }
    close_when_empty(server);
}

void um_server_stop(struct um_server *server)
{
    if (server->is_stopping)
        return;
    server->is_stopping = true;
    um_listener_close(server->pipe);
    server->pipe = NULL;
    /* Sessions leave the list from the loop only. */
    for (struct um_link *link = server->sessions.next; link != &server->sessions; link = link->next)
        um_connection_end(UM_LIST_ITEM(link, struct um_connection, all));
    close_when_empty(server);
}

/* ---- the beginning ---- */

static struct um_server *new_server(uv_loop_t *loop, const struct um_server_options *options)
{
    struct um_server *server = calloc(1, sizeof *server);
    uint64_t room = um_listener_client_capacity();
    uint64_t *shared_heaps;

    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->limits = *options->limits;
    /* Sessions and shared heaps take descriptors. */
    shared_heaps = &server->limits.shared_heaps;
    if (*shared_heaps > room / 4)
        *shared_heaps = room / 4;
    if (server->limits.sessions > room - *shared_heaps)
        server->limits.sessions = room - *shared_heaps;
    if (server->limits.session_bytes == 0 || server->limits.session_bytes > server->limits.bytes)
        server->limits.session_bytes = server->limits.bytes;
    server->notes = (struct um_log_limiter){.listener = options->note, .context = options->context};
    server->context = options->context;
    snprintf(server->path, sizeof server->path, "%s", options->pipe);
    um_list_init(&server->sessions);
    um_budget_init(server);
    um_buf_init(&server->spare, SIZE_MAX);
    if (!um_scheduler_init(server)) {
        free(server);
        return NULL;
    }
    return server;
}

static int make_engine(struct um_server *server, const struct um_server_options *options)
{
    struct um_store_options store = {
        .bytes_limit = server->limits.bytes,
        .blocks_limit = (uint32_t)server->limits.blocks,
        .heaps_limit = (uint32_t)server->limits.heaps,
        .shared_heaps_limit = (uint32_t)server->limits.shared_heaps,
        .owner_bytes_limit = server->limits.session_bytes,
        .holds_limit = server->limits.holds,
        .guard = options->guard,
        .wipe = options->wipe,
        .seed = options->seed,
    };
    struct um_rpc_options rpc = {
        .limits = &server->limits,
        .traffic = &server->traffic,
        .events = {server, on_shutdown, on_work_pending},
        .version = options->version,
        .seed = options->seed,
        .guard = options->guard,
        .wipe = options->wipe,
        .pipe = server->path,
        .pid = (int64_t)uv_os_getpid(),
        .started = (int64_t)time(NULL),
        .started_ms = uv_now(server->loop),
    };
    size_t leftovers = um_store_remove_stale_objects();
    int code = um_store_new(&store, &server->store);

    if (leftovers != 0)
        um_server_log(server, UM_SERVER_DEBUG, "removed %llu shared heaps that a daemon left behind",
                      (unsigned long long)leftovers);
    if (code != UMEM_OK)
        return code;
    rpc.store = server->store;
    return um_rpc_new(&rpc, &server->rpc);
}

static void open_handles(struct um_server *server)
{
    uv_check_init(server->loop, &server->after_poll);
    uv_idle_init(server->loop, &server->hurry);
    uv_timer_init(server->loop, &server->alarm);
    uv_timer_init(server->loop, &server->retry);
    uv_prepare_init(server->loop, &server->before_poll);
    server->before_poll.data = server;
    server->after_poll.data = server;
    server->hurry.data = server;
    server->alarm.data = server;
    server->retry.data = server;
    server->alarm_ms = UINT64_MAX;
    uv_check_start(&server->after_poll, after_poll);
    uv_prepare_start(&server->before_poll, before_poll);
    server->handles = 6;
}

/* A default that is more than the system has is nobody's concern. */
static void note_lowered(struct um_server *server, const struct um_server_options *options)
{
    const struct um_limits *asked = options->limits;

    if (options->sessions_asked && server->limits.sessions < asked->sessions)
        um_server_log(server, UM_SERVER_WARNING,
                      "the system gives this process descriptors for %llu sessions only, not %llu%s",
                      (unsigned long long)server->limits.sessions, (unsigned long long)asked->sessions,
                      um_listener_capacity_hint());
    if (options->shared_heaps_asked && server->limits.shared_heaps < asked->shared_heaps)
        um_server_log(server, UM_SERVER_WARNING,
                      "the system gives this process descriptors for %llu shared heaps only, not %llu%s",
                      (unsigned long long)server->limits.shared_heaps,
                      (unsigned long long)asked->shared_heaps, um_listener_capacity_hint());
}

int um_server_start(uv_loop_t *loop, const struct um_server_options *options, struct um_server **server,
                    char why[UM_SERVER_WHY_CAPACITY])
{
    struct um_server *made = new_server(loop, options);
    struct um_listener_events events = {made, on_client, on_pipe_closed};
    int code;

    if (made == NULL) {
        snprintf(why, UM_SERVER_WHY_CAPACITY, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    um_identity_prepare();
    um_listener_reserve(loop, made->limits.sessions + made->limits.shared_heaps);
    /* First the pipe: where another server has it, that one's engine may be in this process. */
    code = um_listener_open(loop, options->pipe, options->socket, &events, &made->pipe, why,
                            UM_SERVER_WHY_CAPACITY);
    if (code != UMEM_OK) {
        um_scheduler_deinit(made);
        free(made);
        return code;
    }
    open_handles(made);
    code = make_engine(made, options);
    if (code != UMEM_OK) {
        snprintf(why, UM_SERVER_WHY_CAPACITY, "no memory");
        um_server_stop(made);
        return code;
    }
    made->ended = options->ended;
    note_lowered(made, options);
    *server = made;
    return UMEM_OK;
}
