#include "net/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/connection_budget.h"
#include "net/connection_send.h"
#include "net/connection_session.h"
#include "net/connections.h"
#include "net/listener/identity.h"
#include "net/server_state.h"
#include "umem_errors.h"

enum {
    ACCEPTS_A_TURN = 64, /* clients that are accepted in one turn */
    WAITED_TURNS =
        64, /* turns for which clients wait that come while all sessions are taken, and some have something to read */
    SYNC_MS = 1000, /* from a change of a durable heap to its sync */
    RETRY_MS = 100  /* from a client for which there was no memory to the next attempt */
};

/* The server that has these connections. */
static struct um_server *server_of(struct um_connections *connections)
{
    return UM_LIST_ITEM(connections, struct um_server, connections);
}

void um_server_check(struct um_server *server)
{
    char why[UM_SERVER_WHY_CAPACITY] = "";
    enum um_listener_state state;

    um_log_limiter_report(&server->connections.log, uv_now(server->loop));
    if (server->is_stopping)
        return;
    state = um_listener_check(server->listener, why, sizeof why);
    if (state == UM_LISTENER_RECREATED)
        um_connections_log(&server->connections, UM_SEVERITY_WARNING, "%s", why);
    else if (state != server->listener_state && state != UM_LISTENER_PRESENT)
        um_connections_log(&server->connections, UM_SEVERITY_WARNING,
                           "%s; the clients that are connected are served, but no others find this daemon",
                           why);
    server->listener_state = state == UM_LISTENER_RECREATED ? UM_LISTENER_PRESENT : state;
}

/* ---- turns ---- */

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

/* Lets the loop come round without waiting. */
static void request_turn(struct um_server *server)
{
    if (!server->is_closing)
        uv_idle_start(&server->idle, on_idle);
}

static void on_ready(struct um_scheduler *scheduler)
{
    request_turn(server_of(UM_LIST_ITEM(scheduler, struct um_connections, scheduler)));
}

static void on_work_pending(void *context)
{
    struct um_server *server = context;

    server->has_work = true;
    request_turn(server);
}

static void on_shutdown(void *context)
{
    struct um_server *server = context;

    server->wants_stop = true;
    request_turn(server);
}

static int on_hand_over(void *context, const char *successor, char *why, size_t capacity)
{
    struct um_server *server = context;

    if (server->is_managed) {
        snprintf(why, capacity, "a service manager has started this daemon: restart its service instead");
        return UMEM_E_UNSUPPORTED;
    }
    if (server->is_stopping || server->hand_over != NULL) {
        snprintf(why, capacity, "the daemon is ending already");
        return UMEM_E_DENIED;
    }
    return um_listener_hand_over(server->listener, successor, &server->hand_over, why, capacity);
}

static bool on_reload(void *context, struct um_reload *reload)
{
    struct um_server *server = context;

    return server->reload(server->context, reload);
}

static uint64_t clock_ns(void *context)
{
    (void)context;
    return uv_hrtime();
}

static uint64_t us_of(uv_timeval_t time)
{
    enum { US_A_SECOND = 1000000 };

    return (uint64_t)time.tv_sec * US_A_SECOND + (uint64_t)time.tv_usec;
}

/* What the system does not tell stays 0. */
static struct um_process_usage read_process_usage(void)
{
    struct um_process_usage usage = {0};
    uv_rusage_t used;
    size_t resident = 0;

    if (uv_getrusage(&used) == 0) {
        usage.cpu_user_us = us_of(used.ru_utime);
        usage.cpu_system_us = us_of(used.ru_stime);
    }
    if (uv_resident_set_memory(&resident) == 0)
        usage.resident_bytes = resident;
    return usage;
}

/* The system takes as long as for ten requests to tell: it is asked once a turn. */
static void get_process_usage(void *context, struct um_process_usage *usage)
{
    struct um_server *server = context;
    uint64_t turn = server->connections.scheduler.turn;

    if (server->usage_turn != turn)
        server->usage = read_process_usage();
    server->usage_turn = turn;
    *usage = server->usage;
}

static void on_call_ended(void *context, const struct um_call_record *record)
{
    struct um_server *server = context;

    server->call_ended(server->context, record);
}

static void on_session(struct um_connections *connections, uint64_t session, const struct um_identity *client)
{
    struct um_server *server = server_of(connections);

    server->session_changed(server->context, session, client);
}

void um_server_record(struct um_server *server, bool calls, bool sessions)
{
    um_rpc_record_calls(server->connections.rpc, calls);
    server->connections.on_session = sessions ? on_session : NULL;
}

static void on_deadline(uv_timer_t *timer)
{
    struct um_server *server = timer->data;

    server->timer_ms = UINT64_MAX;
    um_connections_set_time(&server->connections);
    um_rpc_expire(server->connections.rpc);
    um_connections_expire(&server->connections);
}

/* ---- clients ---- */

/* Refuses a client beyond the limit. Of refusals in a row only the first is logged. */
static void refuse(struct um_server *server, struct um_connection *connection,
                   const struct um_identity *client, enum um_refusal_reason reason, const char *why)
{
    struct um_traffic *traffic = &server->connections.traffic;

    if (server->refused_in_a_row++ == 0)
        um_connections_log(&server->connections, UM_SEVERITY_WARNING,
                           "refused process %lld: %llu sessions are open, and %s", (long long)client->pid,
                           (unsigned long long)traffic->sessions, why);
    traffic->refused_sessions++;
    um_connection_refuse(connection, reason);
}

static void admit(struct um_server *server, struct um_connection *connection)
{
    struct um_identity client;

    um_identity_read(&connection->pipe, &server->allowed, &client);
    if (!um_connection_join(connection, &client)) {
        um_connection_close(connection);
    } else if (!client.trusted) {
        um_connections_log(&server->connections, UM_SEVERITY_WARNING, "refused process %lld of user %s",
                           (long long)client.pid, client.user);
        um_connection_refuse(connection, UM_REFUSED_STRANGER);
    } else if (um_listener_is_near_limit(&connection->pipe)) {
        refuse(server, connection, &client, UM_REFUSED_NO_DESCRIPTORS,
               "the system gives no more descriptors");
    } else if (server->connections.traffic.sessions >= server->limits.sessions) {
        refuse(server, connection, &client, UM_REFUSED_FULL, "that is the limit");
    } else {
        server->refused_in_a_row = 0;
        um_connection_open(connection, &client);
    }
}

/* With as many sessions as there may be, those that have closed are gone before a client is refused: the ones that are closing now,
 * and for a while also those whose end may not have been read yet. */
static bool must_wait(struct um_server *server)
{
    const struct um_connections *connections = &server->connections;

    if (connections->traffic.sessions < server->limits.sessions)
        return false;
    if (connections->ending != 0)
        return true;
    return !um_list_is_empty(&connections->scheduler.active) && server->waited_turns < WAITED_TURNS;
}

static void on_retry(uv_timer_t *timer)
{
    struct um_server *server = timer->data;

    server->has_clients = true;
    request_turn(server);
}

/* What the system had no memory or no descriptors for: until a session ends, or for a moment, clients wait. */
static void retry_later(struct um_server *server)
{
    server->has_clients = false;
    uv_timer_start(&server->retry_timer, on_retry, RETRY_MS, 0);
}

/* Accepts clients that wait, so many a turn. A connection for which none came is used for the next one. */
static void accept_clients(struct um_server *server)
{
    struct um_connection *connection = NULL;
    bool has_memory = true;

    for (unsigned left = ACCEPTS_A_TURN; left != 0 && has_memory && server->has_clients; left--) {
        int error;

        server->has_clients = !server->is_stopping && um_listener_has_client(server->listener);
        if (!server->has_clients || must_wait(server))
            break;
        if (connection == NULL)
            connection = um_connection_new(&server->connections);
        error = connection != NULL ? um_listener_accept(server->listener, &connection->pipe) : UV_ENOMEM;
        if (error == 0) {
            admit(server, connection);
            connection = NULL;
        }
        /* A client that has gone already is no lack of memory. */
        has_memory = error == 0 || error == UV_ECONNABORTED;
    }
    if (connection != NULL)
        um_connection_close(connection);
    if (!has_memory)
        retry_later(server);
    server->waited_turns = server->has_clients && must_wait(server) ? server->waited_turns + 1 : 0;
}

static void on_client(void *context)
{
    struct um_server *server = context;

    server->has_clients = true;
    request_turn(server);
}

/* ---- durable heaps: syncs take long, and are done on another thread ---- */

static void close_when_empty(struct um_server *server);

static void on_sync(uv_work_t *work)
{
    um_store_sync_run(&((struct um_server *)work->data)->sync);
}

static void schedule_sync(struct um_server *server);

static void on_synced(uv_work_t *work, int status)
{
    struct um_server *server = work->data;

    (void)status;
    server->is_syncing = false;
    um_store_sync_end(server->store, &server->sync);
    um_connections_set_time(&server->connections);
    um_connections_synced(&server->connections);
    if (um_store_has_work(server->store))
        on_work_pending(server);
    schedule_sync(server);
    close_when_empty(server);
}

static void begin_sync(struct um_server *server)
{
    if (server->is_closing || server->is_syncing)
        return;
    if (!um_store_sync_begin(server->store, &server->sync)) {
        um_connections_synced(&server->connections); /* nothing is to be waited for */
        return;
    }
    server->sync_work.data = server;
    server->is_syncing = true;
    if (uv_queue_work(server->loop, &server->sync_work, on_sync, on_synced) == 0)
        return;
    /* Where there are no threads, everybody waits. */
    um_store_sync_run(&server->sync);
    server->is_syncing = false;
    um_store_sync_end(server->store, &server->sync);
    um_connections_synced(&server->connections);
}

static void on_sync_timer(uv_timer_t *timer)
{
    begin_sync(timer->data);
}

static void schedule_sync(struct um_server *server)
{
    enum um_sync_urgency urgency = um_store_sync_urgency(server->store);

    if (urgency == UM_SYNC_NOT_DUE || server->is_closing)
        return;
    if (urgency == UM_SYNC_NOW)
        begin_sync(server);
    else if (server->syncs && !uv_is_active((uv_handle_t *)&server->sync_timer))
        uv_timer_start(&server->sync_timer, on_sync_timer, SYNC_MS, 0);
}

/* ---- the loop ---- */

/* Whether something is left to do, for which the loop does not wait. */
UM_ALWAYS_INLINE bool has_more(const struct um_server *server)
{
    return !um_list_is_empty(&server->connections.scheduler.active) || server->has_clients ||
           server->has_work || !um_list_is_empty(&server->connections.held) ||
           (server->wants_stop && !server->is_stopping);
}

static void on_check(uv_check_t *handle)
{
    struct um_server *server = handle->data;
    struct um_connections *connections = &server->connections;

    if (has_more(server)) {
        um_connections_set_time(connections);
        um_scheduler_run(&connections->scheduler);
        accept_clients(server);
        if (server->wants_stop)
            um_server_stop(server);
        if (server->has_work)
            server->has_work = um_rpc_work(connections->rpc);
    }
    um_connections_commit(connections);
    if (server->has_state)
        schedule_sync(server);
    if (!has_more(server))
        uv_idle_stop(&server->idle);
    um_rpc_end_turn(connections->rpc);
}

/* The timer is not moved to a later time: if it fires too early, it is set again. Most messages end before
 * their time is up, and so the timer is rarely set, however fast messages begin and end. */
static void on_prepare(uv_prepare_t *handle)
{
    struct um_server *server = handle->data;
    uint64_t at_ms = um_rpc_next_deadline(server->connections.rpc);
    uint64_t tick_ms = um_rpc_next_tick(server->connections.rpc);
    uint64_t now_ms = uv_now(server->loop);

    if (tick_ms < at_ms)
        at_ms = tick_ms;
    if (server->connections.budget.deadline_ms < at_ms)
        at_ms = server->connections.budget.deadline_ms;
    if (at_ms < server->timer_ms && !server->is_closing) {
        server->timer_ms = at_ms;
        uv_timer_start(&server->deadline_timer, on_deadline, at_ms > now_ms ? at_ms - now_ms : 0, 0);
    }
    um_scheduler_begin_turn(&server->connections.scheduler);
}

/* ---- the end ---- */

static void on_last_handle_closed(struct um_server *server)
{
    void (*ended)(void *context) = server->ended;
    void *context = server->context;

    if (--server->handles != 0)
        return;
    um_rpc_free(server->connections.rpc);
    um_store_free(server->store);
    um_connections_deinit(&server->connections);
    um_hand_over_close(server->hand_over);
    free(server);
    if (ended != NULL)
        ended(context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    on_last_handle_closed(handle->data);
}

static void on_listener_closed(void *context)
{
    on_last_handle_closed(context);
}

static void close_when_empty(struct um_server *server)
{
    if (!server->is_stopping || server->is_closing || server->is_syncing ||
        !um_list_is_empty(&server->connections.all))
        return;
    server->is_closing = true;
    uv_close((uv_handle_t *)&server->check, on_handle_closed);
    uv_close((uv_handle_t *)&server->idle, on_handle_closed);
    uv_close((uv_handle_t *)&server->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&server->deadline_timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->retry_timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->sync_timer, on_handle_closed);
}

static void on_connection_gone(struct um_connections *connections)
{
    struct um_server *server = server_of(connections);

    if (!server->is_stopping) {
        um_listener_retry(server->listener);
        server->has_clients = true;
        request_turn(server);
    }
    close_when_empty(server);
}

void um_server_stop(struct um_server *server)
{
    bool is_lasting = server->hand_over != NULL || server->is_handed;

    if (server->is_stopping)
        return;
    /* Where the pipe lasts, clients come all the time, and one of them may have been taken out of its queue already. */
    if (is_lasting && server->connections.rpc != NULL) {
        server->has_clients = true;
        accept_clients(server);
    }
    server->is_stopping = true;
    um_listener_close(server->listener);
    server->listener = NULL;
    um_connections_end(&server->connections, is_lasting);
    close_when_empty(server);
}

/* ---- the beginning ---- */

/* Limits as they can be kept. Sessions and shared heaps take descriptors, durable heaps three. */
static struct um_limits lower_limits(const struct um_limits *asked, bool has_state)
{
    struct um_limits limits = *asked;
    uint64_t descriptors = um_listener_client_capacity();
    uint64_t of_heaps;

    if (limits.shared_heaps > descriptors / 4)
        limits.shared_heaps = descriptors / 4;
    of_heaps = limits.shared_heaps * (has_state ? 3 : 1);
    if (limits.sessions > descriptors - of_heaps)
        limits.sessions = descriptors - of_heaps;
    if (limits.session_bytes == 0 || limits.session_bytes > limits.bytes)
        limits.session_bytes = limits.bytes;
    return limits;
}

static struct um_server *new_server(uv_loop_t *loop, const struct um_server_options *options)
{
    struct um_server *server = calloc(1, sizeof *server);
    struct um_connections *connections;

    if (server == NULL)
        return NULL;
    server->loop = loop;
    server->limits = lower_limits(options->limits, options->state != NULL);
    server->context = options->context;
    server->reload = options->reload;
    server->is_managed = options->is_managed;
    server->is_handed = options->socket != 0;
    server->call_ended = options->call_ended;
    server->session_changed = options->session_changed;
    if (options->allowed != NULL)
        server->allowed = *options->allowed;
    snprintf(server->path, sizeof server->path, "%s", options->pipe);
    connections = &server->connections;
    if (!um_connections_init(connections, loop, &server->limits)) {
        free(server);
        return NULL;
    }
    connections->log = (struct um_log_limiter){.listener = options->log, .context = options->context};
    connections->on_gone = on_connection_gone;
    connections->scheduler.wake = on_ready;
    return server;
}

static void on_state_report(void *context, const char *text)
{
    struct um_server *server = context;

    um_connections_log(&server->connections, UM_SEVERITY_WARNING, "%s", text);
}

/* Restores the durable heaps. */
static int open_state(struct um_server *server, const struct um_server_options *options,
                      char why[UM_SERVER_WHY_CAPACITY])
{
    const struct um_state_options state = {
        .path = options->state,
        .is_always = options->sync == UM_SYNC_ALWAYS,
        .seed = options->seed,
        .context = server,
        .report = on_state_report,
    };

    int code = UMEM_OK;

    server->has_state = options->state != NULL;
    server->syncs = options->sync != UM_SYNC_NEVER;
    server->connections.waits_for_syncs = options->sync == UM_SYNC_ALWAYS;
    if (server->has_state)
        code = um_store_open_state(server->store, &state, why, UM_SERVER_WHY_CAPACITY);
    return code == UMEM_E_NAME_TAKEN ? UMEM_E_DENIED : code; /* it is not the pipe that is taken */
}

static struct um_store_options store_limits(const struct um_limits *limits)
{
    return (struct um_store_options){
        .bytes_limit = limits->bytes,
        .blocks_limit = (uint32_t)limits->blocks,
        .heaps_limit = (uint32_t)limits->heaps,
        .shared_heaps_limit = (uint32_t)limits->shared_heaps,
        .owner_bytes_limit = limits->session_bytes,
        .holds_limit = limits->holds,
    };
}

static int make_engine(struct um_server *server, const struct um_server_options *options,
                       char why[UM_SERVER_WHY_CAPACITY])
{
    struct um_store_options store = store_limits(&server->limits);
    struct um_rpc_options rpc = {
        .limits = &server->limits,
        .traffic = &server->connections.traffic,
        .events = {.context = server,
                   .shutdown = on_shutdown,
                   .hand_over = on_hand_over,
                   .work_pending = on_work_pending},
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
    int code;

    store.guard = options->guard;
    store.wipe = options->wipe;
    store.seed = options->seed;
    um_store_allow(&server->allowed);
    code = um_store_new(&store, &server->store);
    if (options->reload != NULL)
        rpc.events.reload = on_reload;
    rpc.events.clock_ns = clock_ns;
    rpc.events.get_process_usage = get_process_usage;
    rpc.events.call_ended = on_call_ended;
    if (leftovers != 0)
        um_connections_log(&server->connections, UM_SEVERITY_DEBUG,
                           "removed %llu shared heaps that a daemon left behind",
                           (unsigned long long)leftovers);
    if (code == UMEM_OK) {
        code = open_state(server, options, why);
        if (code != UMEM_OK)
            return code;
        rpc.store = server->store;
        server->connections.store_status = um_store_get_status(server->store);
        code = um_rpc_new(&rpc, &server->connections.rpc);
    }
    if (code != UMEM_OK)
        snprintf(why, UM_SERVER_WHY_CAPACITY, "no memory");
    return code;
}

void um_server_set_limits(struct um_server *server, const struct um_limits *limits)
{
    struct um_limits lowered = lower_limits(limits, server->has_state);
    struct um_store_options store;

    if (lowered.sessions + lowered.shared_heaps > server->limits.sessions + server->limits.shared_heaps)
        um_listener_reserve(server->loop, lowered.sessions + lowered.shared_heaps);
    um_limits_change(&server->limits, &lowered);
    um_connections_limits_changed(&server->connections);
    store = store_limits(&server->limits);
    um_store_set_limits(server->store, &store);
    /* Clients may have waited for a place. */
    request_turn(server);
}

static void open_handles(struct um_server *server)
{
    uv_check_init(server->loop, &server->check);
    uv_idle_init(server->loop, &server->idle);
    uv_timer_init(server->loop, &server->deadline_timer);
    uv_timer_init(server->loop, &server->retry_timer);
    uv_timer_init(server->loop, &server->sync_timer);
    uv_prepare_init(server->loop, &server->prepare);
    server->prepare.data = server;
    server->check.data = server;
    server->idle.data = server;
    server->deadline_timer.data = server;
    server->retry_timer.data = server;
    server->sync_timer.data = server;
    server->timer_ms = UINT64_MAX;
    uv_check_start(&server->check, on_check);
    uv_prepare_start(&server->prepare, on_prepare);
    server->handles = 7;
}

/* Only what was asked for: a default that is more than the system has is of no concern. */
static void log_lowered(struct um_server *server, const struct um_server_options *options)
{
    const struct um_limits *asked = options->limits;

    if (options->sessions_asked && server->limits.sessions < asked->sessions)
        um_connections_log(&server->connections, UM_SEVERITY_WARNING,
                           "the system gives this process descriptors for %llu sessions only, not %llu%s",
                           (unsigned long long)server->limits.sessions, (unsigned long long)asked->sessions,
                           um_listener_capacity_hint());
    if (options->shared_heaps_asked && server->limits.shared_heaps < asked->shared_heaps)
        um_connections_log(&server->connections, UM_SEVERITY_WARNING,
                           "the system gives this process descriptors for %llu shared heaps only, not %llu%s",
                           (unsigned long long)server->limits.shared_heaps,
                           (unsigned long long)asked->shared_heaps, um_listener_capacity_hint());
}

int um_server_start(uv_loop_t *loop, const struct um_server_options *options, struct um_server **server,
                    char why[UM_SERVER_WHY_CAPACITY])
{
    struct um_server *made = new_server(loop, options);
    struct um_listener_events events = {made, on_client, on_listener_closed};
    struct um_listener_place place = {
        .path = options->pipe, .handed = options->socket, .inherited = options->inherited};
    int code;

    if (made == NULL) {
        snprintf(why, UM_SERVER_WHY_CAPACITY, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    if (made->limits.sessions == 0) {
        snprintf(why, UM_SERVER_WHY_CAPACITY,
                 "the system gives this process too few descriptors for a session%s",
                 um_listener_capacity_hint());
        um_connections_deinit(&made->connections);
        free(made);
        return UMEM_E_LIMIT_EXCEEDED;
    }
    um_identity_prepare();
    um_listener_reserve(loop, made->limits.sessions + made->limits.shared_heaps);
    /* First the pipe: where another server has it, that one's engine may be in this process. */
    place.allowed = &made->allowed;
    code = um_listener_open(loop, &place, &events, &made->listener, why, UM_SERVER_WHY_CAPACITY);
    if (code != UMEM_OK) {
        um_connections_deinit(&made->connections);
        free(made);
        return code;
    }
    open_handles(made);
    code = make_engine(made, options, why);
    if (code != UMEM_OK) {
        um_server_stop(made);
        return code;
    }
    made->ended = options->ended;
    log_lowered(made, options);
    *server = made;
    return UMEM_OK;
}
