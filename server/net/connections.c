#include "net/connections.h"

#include <string.h>

#include "net/connection.h"
#include "net/connection_send.h"
#include "net/connection_serve.h"

enum {
    LINE_LIMIT = 2048, /* bytes in the line that says why a client is refused */
    REFUSED_LIMIT = 32 /* clients that are let go in order at one time; more are let go at once */
};

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
    connections->scheduler.run = um_connection_step;
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
            um_connection_end_later(connection);
        else
            um_connection_end(connection);
    }
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
        um_connection_flush(connection);
        um_connection_close(connection);
        return;
    }
    shared->refused++;
    um_connection_move(connection, UM_CONNECTION_DISCARDING);
    um_connection_run(connection);
}
