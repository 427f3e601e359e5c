#include "server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "identity.h"
#include "server_core.h"
#include "session.h"
#include "umem_errors.h"

void um_server_note(struct um_server *server, enum um_server_note note, const char *format, ...)
{
    char text[512];
    va_list list;

    if (server->note == NULL)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    server->note(server->context, note, text);
}

/* ---- turns ---- */

void um_server_begin_turn(struct um_server *server)
{
    um_rpc_set_time(server->rpc, (int64_t)time(NULL), uv_now(server->loop));
}

static void on_hurry(uv_idle_t *hurry)
{
    (void)hurry;
}

static void hurry(struct um_server *server)
{
    if (!server->is_closing)
        uv_idle_start(&server->hurry, on_hurry);
}

void um_server_make_due(struct um_server *server, struct um_session *session)
{
    um_list_remove(&session->due);
    um_list_append(&server->due, &session->due);
    hurry(server);
}

static void on_work_pending(void *context)
{
    struct um_server *server = context;

    server->has_work = true;
    hurry(server);
}

static void on_shutdown(void *context)
{
    struct um_server *server = context;

    server->wants_stop = true;
    hurry(server);
}

/* Those that become due again meanwhile wait for the next turn. */
static void serve_due(struct um_server *server)
{
    struct um_link now;

    um_list_init(&now);
    while (!um_list_is_empty(&server->due)) {
        struct um_link *link = server->due.next;

        um_list_remove(link);
        um_list_append(&now, link);
    }
    while (!um_list_is_empty(&now)) {
        struct um_link *link = now.next;

        um_list_remove(link);
        um_session_go_on(UM_LIST_ITEM(link, struct um_session, due));
    }
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

static void on_turn(uv_check_t *turn)
{
    struct um_server *server = turn->data;

    um_server_begin_turn(server);
    serve_due(server);
    if (server->wants_stop)
        um_server_stop(server);
    if (server->has_work)
        server->has_work = um_rpc_work(server->rpc);
    um_rpc_end_turn(server->rpc);
    if (!server->has_work && um_list_is_empty(&server->due))
        uv_idle_stop(&server->hurry);
}

static void on_rest(uv_prepare_t *rest)
{
    set_alarm(rest->data);
}

/* ---- clients ---- */

/* One too many. Where many are, one after the other, the operator is told once. */
static void refuse(struct um_server *server, struct um_session *session, const struct um_identity *who,
                   enum um_refusal reason, const char *why)
{
    if (server->refused_in_a_row++ == 0)
        um_server_note(server, UM_NOTE_WARNING, "refused process %lld: %llu sessions are open, and %s",
                       (long long)who->pid, (unsigned long long)server->traffic.sessions, why);
    server->traffic.refused_sessions++;
    um_session_refuse(session, reason);
}

static void admit(struct um_server *server, struct um_session *session)
{
    struct um_identity who;

    um_identity_read(&session->pipe, &who);
    if (!who.trusted) {
        um_server_note(server, UM_NOTE_WARNING, "refused process %lld of user %s", (long long)who.pid,
                       who.user);
        um_session_refuse(session, UM_REFUSED_STRANGER);
    } else if (um_pipe_is_tight(&session->pipe)) {
        refuse(server, session, &who, UM_REFUSED_TIGHT, "the system gives no more descriptors");
    } else if (server->traffic.sessions >= server->limits.sessions) {
        refuse(server, session, &who, UM_REFUSED_FULL, "that is the limit");
    } else {
        server->refused_in_a_row = 0;
        um_session_open(session, &who);
    }
}

static void on_retry(uv_timer_t *retry);

/* Takes those who wait. Where there is no memory for one, it waits on: until a session ends, or for a moment. */
static void take_waiting(struct um_server *server)
{
    while (server->unaccepted != 0 && !server->is_stopping) {
        struct um_session *session = um_session_new(server);

        if (session == NULL) {
            uv_timer_start(&server->retry, on_retry, UM_SERVER_RETRY_MS, 0);
            return;
        }
        server->unaccepted--;
        um_server_begin_turn(server);
        if (um_pipe_accept(server->pipe, &session->pipe) == 0)
            admit(server, session);
        else
            um_session_close(session);
    }
}

static void on_retry(uv_timer_t *retry)
{
    take_waiting(retry->data);
}

static void on_client(void *context)
{
    struct um_server *server = context;

    server->unaccepted++;
    take_waiting(server);
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
    uv_close((uv_handle_t *)&server->turn, on_handle_closed);
    uv_close((uv_handle_t *)&server->hurry, on_handle_closed);
    uv_close((uv_handle_t *)&server->rest, on_handle_closed);
    uv_close((uv_handle_t *)&server->alarm, on_handle_closed);
    uv_close((uv_handle_t *)&server->retry, on_handle_closed);
}

void um_server_session_closed(struct um_server *server)
{
    if (!server->is_stopping)
        um_pipe_retry(server->pipe);
    take_waiting(server);
    close_when_empty(server);
}

void um_server_stop(struct um_server *server)
{
    if (server->is_stopping)
        return;
    server->is_stopping = true;
    um_pipe_close(server->pipe);
    server->pipe = NULL;
    /* Sessions leave the list from the loop only. */
    for (struct um_link *link = server->sessions.next; link != &server->sessions; link = link->next)
        um_session_end(UM_LIST_ITEM(link, struct um_session, all));
    close_when_empty(server);
}

/* ---- the beginning ---- */

static struct um_server *new_server(uv_loop_t *loop, const struct um_server_options *options)
{
    struct um_server *server = calloc(1, sizeof *server);
    uint64_t room = um_pipe_client_room();
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
    server->note = options->note;
    server->context = options->context;
    snprintf(server->path, sizeof server->path, "%s", options->pipe);
    um_list_init(&server->sessions);
    um_list_init(&server->due);
    um_budget_init(server);
    um_buf_init(&server->spare, SIZE_MAX);
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
    size_t leftovers = um_store_remove_leftovers();
    int code = um_store_new(&store, &server->store);

    if (leftovers != 0)
        um_server_note(server, UM_NOTE_DEBUG, "removed %llu shared heaps that a daemon left behind",
                       (unsigned long long)leftovers);
    if (code != UMEM_OK)
        return code;
    rpc.store = server->store;
    return um_rpc_new(&rpc, &server->rpc);
}

static void open_handles(struct um_server *server)
{
    uv_check_init(server->loop, &server->turn);
    uv_idle_init(server->loop, &server->hurry);
    uv_timer_init(server->loop, &server->alarm);
    uv_timer_init(server->loop, &server->retry);
    uv_prepare_init(server->loop, &server->rest);
    server->rest.data = server;
    server->turn.data = server;
    server->hurry.data = server;
    server->alarm.data = server;
    server->retry.data = server;
    server->alarm_ms = UINT64_MAX;
    uv_check_start(&server->turn, on_turn);
    uv_prepare_start(&server->rest, on_rest);
    server->handles = 6;
}

int um_server_start(uv_loop_t *loop, const struct um_server_options *options, struct um_server **server,
                    char why[UM_SERVER_WHY_ROOM])
{
    struct um_server *made = new_server(loop, options);
    struct um_pipe_events events = {made, on_client, on_pipe_closed};
    int code;

    if (made == NULL) {
        snprintf(why, UM_SERVER_WHY_ROOM, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    um_identity_prepare();
    um_pipe_reserve(loop, made->limits.sessions + made->limits.shared_heaps);
    /* First the pipe: where another server has it, that one's engine may be in this process. */
    code =
        um_pipe_listen(loop, options->pipe, options->socket, &events, &made->pipe, why, UM_SERVER_WHY_ROOM);
    if (code != UMEM_OK) {
        free(made);
        return code;
    }
    open_handles(made);
    code = make_engine(made, options);
    if (code != UMEM_OK) {
        snprintf(why, UM_SERVER_WHY_ROOM, "no memory");
        um_server_stop(made);
        return code;
    }
    made->ended = options->ended;
    if (made->limits.sessions < options->limits->sessions)
        um_server_note(
            made, UM_NOTE_WARNING,
            "the system gives this process descriptors for %llu sessions only, not %llu; raise the "
            "limit of open files (ulimit -Hn)",
            (unsigned long long)made->limits.sessions, (unsigned long long)options->limits->sessions);
    *server = made;
    return UMEM_OK;
}
