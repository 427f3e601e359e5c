#include "net/connection_budget.h"

#include "net/connection.h"
#include "umem_errors.h"

/* Messages whose time is up, that are ended at one time; the timer fires at once for others. */
enum { EXPIRE_LIMIT = 64 };

/* What is to be read counts nowhere, or up to where. */
uint64_t um_connection_read_limit(struct um_connection *connection)
{
    struct um_budget_read read = {
        .is_exempt = connection->state == UM_CONNECTION_DISCARDING,
        .is_long = !um_list_is_empty(&connection->group->sessions.readings),
        .has_end = connection->target == UM_CONNECTION_READS_PAYLOAD,
    };

    return um_budget_read_limit(&connection->shared->budget, &connection->budget, read);
}

/* Tells the budget what the connection makes the server keep. Returns whether it may be read from. */
bool um_connection_update_budget(struct um_connection *connection, bool wants_bytes)
{
    struct um_connections *shared = connection->shared;
    struct um_session *session = &connection->session;
    struct um_frame *frame = &connection->frame;
    bool is_open = connection->state == UM_CONNECTION_OPEN;
    struct um_budget_usage usage;

    /* What a message that is done has left of a next one is small, mostly. Where quota is wanted, or may stay taken for as long as the
     * client does not read, it does not keep the message's memory. */
    if (connection->served != 0 &&
        (connection->writing_size != 0 || !um_budget_has_quota(&shared->budget, &connection->group->budget)))
        um_frame_trim(frame);
    session->gathered_bytes =
        frame->kept.capacity + (connection->has_session ? um_session_gathered(session) : 0);
    usage = (struct um_budget_usage){
        .gathered = session->gathered_bytes,
        .unsent = session->out.capacity + connection->sending.capacity,
        .wants_bytes = wants_bytes || !um_list_is_empty(&connection->scheduled.in_ready),
        .is_in_message = is_open && (um_frame_is_in_message(frame) || um_payload_is_of_batch(session)),
        .has_served = connection->served != 0,
    };
    um_budget_update(&shared->budget, &connection->budget, &usage, uv_now(shared->loop));
    connection->group->sessions.unsent_bytes = connection->group->budget.unsent;
    return wants_bytes && um_connection_read_limit(connection) != 0;
}

/* Whether the budget is up to date: the connection keeps what it kept at the last update, waits for no quota,
 * and no time is counted for it. */
bool um_connection_is_budget_current(const struct um_connection *connection)
{
    const struct um_budget_entry *entry = &connection->budget;
    const struct um_session *session = &connection->session;

    return !entry->is_listed && !connection->shared->budget.is_scarce &&
           !um_frame_is_in_message(&connection->frame) && session->payload == NULL && session->job == NULL &&
           entry->gathered == connection->frame.kept.capacity &&
           entry->unsent == session->out.capacity + connection->sending.capacity;
}

/* ---- messages whose time is up ---- */

/* There was no quota for it in all its time: it is skipped, and the next one may be read. */
static void skip_message(struct um_connection *connection)
{
    um_dispatch_refuse_limit(
        &connection->session, UMEM_E_LIMIT_EXCEEDED,
        "messages that are not whole take up all the memory for them; send it again, or in smaller pieces",
        "gathered_bytes", connection->shared->traffic.gathered_bytes, 0);
    if (!um_payload_forget_batch(&connection->session))
        um_frame_skip_message(&connection->frame);
    um_connection_run(connection);
}

/* The client has begun a message and does not go on with it. */
static void give_up(struct um_connection *connection)
{
    const char *missing = um_frame_is_in_message(&connection->frame)
                              ? um_frame_missing(&connection->frame)
                              : "the batch's payload did not come whole";

    um_dispatch_refuse_limit(&connection->session, UMEM_E_TIMEOUT, missing, "message_ms", 0, 0);
    (void)um_payload_forget_batch(&connection->session);
    um_frame_deinit(&connection->frame);
    um_connection_move(connection, UM_CONNECTION_DISCARDING);
    um_connection_run(connection);
}

void um_connections_expire(struct um_connections *connections)
{
    uint64_t now_ms = uv_now(connections->loop);
    struct um_budget_entry *entry = um_budget_expired(&connections->budget, now_ms);

    for (unsigned left = EXPIRE_LIMIT; left != 0 && entry != NULL; left--) {
        struct um_connection *connection = UM_LIST_ITEM(entry, struct um_connection, budget);

        switch (um_budget_judge(&connections->budget, entry, connection->is_reading, now_ms)) {
        case UM_BUDGET_STALLED:
            give_up(connection);
            break;
        case UM_BUDGET_NO_QUOTA:
            skip_message(connection);
            break;
        case UM_BUDGET_RESTARTED:
            break;
        }
        entry = um_budget_expired(&connections->budget, now_ms);
    }
}
