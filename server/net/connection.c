#include "net/connection.h"

#include <stdarg.h>
#include <stdlib.h>

#include "net/listener/listener.h"

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
void um_connection_move(struct um_connection *connection, enum um_connection_state state)
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
    case UM_CONNECTION_HALF_CLOSED: /* the timer runs as long as calls are pending: um_connection_linger() */
    case UM_CONNECTION_CLOSED:
        break;
    }
}

void um_connection_close(struct um_connection *connection)
{
    um_connection_move(connection, UM_CONNECTION_CLOSING);
}

void um_connection_end(struct um_connection *connection)
{
    if (connection->state >= UM_CONNECTION_ENDING)
        return;
    um_connection_move(connection, UM_CONNECTION_ENDING);
    um_connection_run(connection);
}

static void on_timer(uv_timer_t *timer)
{
    struct um_connection *connection = timer->data;

    if (connection->state == UM_CONNECTION_DISCARDING ||
        (connection->state == UM_CONNECTION_OPEN && connection->shared->is_ending))
        um_connection_end(connection);
    else if (connection->state == UM_CONNECTION_ENDING || um_listener_is_hung_up(&connection->pipe))
        um_connection_close(connection);
}

void um_connection_end_later(struct um_connection *connection)
{
    uv_timer_start(&connection->timer, on_timer, connection->shared->limits->closing_ms, 0);
}

/* A client that has ended its sending may still wait for answers, or may have ended: both look the same. No
 * event reports that a client has ended, so this is checked from time to time. */
void um_connection_linger(struct um_connection *connection)
{
    if (um_session_is_waiting(&connection->session) && !uv_is_active((uv_handle_t *)&connection->timer))
        uv_timer_start(&connection->timer, on_timer, 0, UM_CONNECTION_LINGER_MS);
}

/* ---- the end ---- */

void um_connection_free(struct um_connection *connection)
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

static void on_closed(uv_handle_t *handle)
{
    struct um_connection *connection = handle->data;

    if (--connection->handles != 0)
        return;
    um_connection_move(connection, UM_CONNECTION_CLOSED);
    if (!connection->has_session) {
        um_buf_deinit(&connection->session.out);
        um_connection_free(connection);
    } else {
        /* At once if the share allows it: a client that waits until a program has ended then sees that its
         * blocks and locks have ended, too. */
        um_scheduler_run_or_enqueue(&connection->scheduled);
    }
}

/* ---- the beginning ---- */

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
