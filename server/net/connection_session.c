#include "net/connection_session.h"

#include "net/connection.h"
#include "net/connection_read.h"
#include "net/connection_send.h"
#include "umem_errors.h"

/* ---- events of the engine ---- */

static void on_flush(struct um_session *session)
{
    struct um_connection *connection = UM_LIST_ITEM(session, struct um_connection, session);

    if (connection->state < UM_CONNECTION_CLOSING)
        um_scheduler_enqueue(&connection->scheduled);
}

static void on_send_part(struct um_session *session)
{
    um_connection_send_part(UM_LIST_ITEM(session, struct um_connection, session));
}

/* It may be this connection that is being served: it closes at the end of its step, or when it runs. */
static void on_close(struct um_session *session)
{
    struct um_connection *connection = UM_LIST_ITEM(session, struct um_connection, session);

    if (connection->state >= UM_CONNECTION_CLOSING)
        return;
    um_connection_move(connection, UM_CONNECTION_ENDING);
    um_scheduler_enqueue(&connection->scheduled);
}

static const struct um_session_events session_events = {
    .flush = on_flush, .send_part = on_send_part, .close = on_close};

/* ---- from its beginning to its end ---- */

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
    um_connection_move(connection, UM_CONNECTION_OPEN);
    shared->changes++;
    connection->group->open_sessions++;
    traffic->sessions++;
    if (traffic->sessions > traffic->peak_sessions)
        traffic->peak_sessions = traffic->sessions;
    note_session(connection, client);
    um_connection_set_reading(connection, true);
}

/* Ends the session and frees the connection. That counts as work, because many may close at one time. */
void um_connection_close_session(struct um_connection *connection)
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
    um_connection_free(connection);
}
