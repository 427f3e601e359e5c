#include "net/budget.h"

#include "net/connection.h"
#include "net/server_core.h"
#include "umem_errors.h"

enum { EXPIRE_LIMIT = 64 /* messages that are ended at one time; the alarm rings at once for others */ };

void um_budget_init(struct um_server *server)
{
    um_list_init(&server->budget.waiting);
    um_list_init(&server->budget.begun);
}

/* ---- the sums ---- */

uint64_t um_connection_gathered(const struct um_connection *session)
{
    return session->frame.kept.capacity +
           (session->is_peer_open ? um_session_gathered(&session->rpc_session) : 0);
}

/* Memory, not bytes to send: what is large stays until the last byte of it is gone. */
static uint64_t unsent_memory(const struct um_connection *session)
{
    return session->rpc_session.out.capacity + session->sending.capacity;
}

static void count(uint64_t *sum, uint64_t *peak, uint64_t *counted, uint64_t now)
{
    *sum += now - *counted;
    *counted = now;
    if (*sum > *peak)
        *peak = *sum;
}

static void recount(struct um_connection *session, uint64_t gathered, uint64_t unsent)
{
    struct um_traffic *traffic = &session->server->traffic;
    struct um_budget_share *share = &session->share;

    if (gathered != share->gathered) {
        session->group->gathered += gathered - share->gathered;
        count(&traffic->gathered_bytes, &traffic->peak_gathered_bytes, &share->gathered, gathered);
    }
    if (unsent != share->unsent) {
        session->group->sessions.unsent_bytes += unsent - share->unsent;
        count(&traffic->unsent_bytes, &traffic->peak_unsent_bytes, &share->unsent, unsent);
    }
}

/* Whether the group has less than its share: half of what the others leave, its own included. */
static bool has_room(const struct um_connection_group *group)
{
    uint64_t limit = group->server->limits.gathered_bytes;
    uint64_t used = group->server->traffic.gathered_bytes;

    return used < limit && group->gathered < limit - used;
}

/* One at a time: when it has gone on, and there is room still, it is the next one's turn. */
static void wake(struct um_server *server)
{
    const struct um_link *groups = &server->budget.waiting;

    for (struct um_link *link = groups->next; link != groups; link = link->next) {
        struct um_connection_group *group = UM_LIST_ITEM(link, struct um_connection_group, in_waiting);
        struct um_connection *first =
            UM_LIST_ITEM(group->waiting.next, struct um_connection, share.in_waiting);
        bool may_go_on = has_room(group) || (link == groups->next && !first->share.is_favoured);

        if (may_go_on && !first->is_closing) {
            um_scheduler_enqueue(first);
            return;
        }
    }
}

/* ---- messages that are not whole ---- */

static bool is_in_message(const struct um_connection *session)
{
    if (session->is_discarding || session->is_ending || session->input_over || !session->is_peer_open)
        return false;
    return um_frame_is_in_message(&session->frame) || um_payload_is_of_batch(&session->rpc_session);
}

static void stop_clock(struct um_budget_share *share)
{
    um_list_remove(&share->in_begun);
}

static void start_clock(struct um_connection *session)
{
    struct um_server *server = session->server;

    session->share.begun = ++server->budget.begun_messages;
    session->share.begun_ms = uv_now(server->loop);
    session->share.has_waited = false;
    um_list_remove(&session->share.in_begun);
    um_list_append(&server->budget.begun, &session->share.in_begun);
}

/* Whose message began first comes first: there may have been room for a moment, and others have used it up. */
static void queue(struct um_connection *session)
{
    struct um_connection_group *group = session->group;
    struct um_link *next = &group->waiting;

    if (!um_list_is_empty(&session->share.in_waiting))
        return;
    if (um_list_is_empty(&group->waiting))
        um_list_append(&session->server->budget.waiting, &group->in_waiting);
    while (next->prev != &group->waiting &&
           UM_LIST_ITEM(next->prev, struct um_connection, share.in_waiting)->share.begun >
               session->share.begun)
        next = next->prev;
    um_list_append(next, &session->share.in_waiting);
}

/* Where it was favoured, the next group's turn comes. */
static void leave_queue(struct um_connection *session)
{
    struct um_connection_group *group = session->group;

    um_list_remove(&session->share.in_waiting);
    if (session->share.is_favoured || um_list_is_empty(&group->waiting))
        um_list_remove(&group->in_waiting);
    if (session->share.is_favoured && !um_list_is_empty(&group->waiting))
        um_list_append(&session->server->budget.waiting, &group->in_waiting);
    session->share.is_favoured = false;
}

/* What a message that is done has left of a next one is small, mostly. Where room is wanted, or may stay taken for as long as
 * the client does not read, it does not keep the message's memory. */
static void trim(struct um_connection *session)
{
    if (session->share.has_served && (!has_room(session->group) || session->writing_size != 0))
        um_frame_trim(&session->frame);
}

void um_budget_note(struct um_connection *session, bool wants_bytes)
{
    struct um_budget_share *share = &session->share;

    trim(session);
    recount(session, um_connection_gathered(session), unsent_memory(session));
    if (share->gathered <= UM_BUDGET_MINIMUM || !wants_bytes)
        leave_queue(session);
    if (!is_in_message(session))
        stop_clock(share);
    else if (share->has_served || um_list_is_empty(&share->in_begun))
        start_clock(session);
    share->has_served = false;
    wake(session->server);
}

void um_budget_forget(struct um_connection *session)
{
    if (session->group == NULL)
        return;
    recount(session, 0, 0);
    stop_clock(&session->share);
    leave_queue(session);
    wake(session->server);
}

/* ---- reading ---- */

bool um_budget_admits(struct um_connection *session)
{
    struct um_server *server = session->server;
    struct um_budget_share *share = &session->share;

    if (share->gathered <= UM_BUDGET_MINIMUM || session->is_discarding || has_room(session->group)) {
        leave_queue(session);
        return true;
    }
    queue(session);
    /* A long message of its process that is whole goes first: until it has been read, its memory is taken. */
    share->is_favoured = um_list_is_empty(&session->group->sessions.readings) &&
                         server->budget.waiting.next == &session->group->in_waiting &&
                         session->group->waiting.next == &share->in_waiting;
    share->has_waited = share->has_waited || !share->is_favoured;
    return share->is_favoured;
}

uint64_t um_budget_read_limit(struct um_connection *session)
{
    if (!um_budget_admits(session))
        return 0;
    if (has_room(session->group) || session->is_discarding)
        return UINT64_MAX;
    /* Where a message ends is not known before. Of what comes behind it no more is read than may be kept when its turn is over. */
    return session->share.is_favoured && session->reads_payload ? UINT64_MAX : UM_BUDGET_MINIMUM;
}

/* ---- time ---- */

uint64_t um_budget_next_ms(const struct um_server *server)
{
    const struct um_link *first = server->budget.begun.next;

    if (um_list_is_empty(&server->budget.begun))
        return UINT64_MAX;
    return UM_LIST_ITEM(first, const struct um_connection, share.in_begun)->share.begun_ms +
           server->limits.message_ms;
}

/* There was no room for it in all its time: it is passed over, and the next one may be read. */
static void pass_over(struct um_connection *session)
{
    const struct um_server *server = session->server;

    um_dispatch_refuse_limit(
        &session->rpc_session, UMEM_E_LIMIT_EXCEEDED,
        "messages that are not whole took up all the room; send it again, or in smaller pieces",
        "gathered_bytes", server->traffic.gathered_bytes, 0);
    if (!um_payload_forget_batch(&session->rpc_session))
        um_frame_skip_message(&session->frame);
    stop_clock(&session->share);
    um_connection_advance(session);
}

/* The client has begun a message and does not go on with it. */
static void give_up(struct um_connection *session)
{
    const char *lacks = um_frame_is_in_message(&session->frame) ? um_frame_missing(&session->frame)
                                                                : "the batch's payload did not come whole";

    um_dispatch_refuse_limit(&session->rpc_session, UMEM_E_TIMEOUT, lacks, "message_ms", 0, 0);
    stop_clock(&session->share);
    (void)um_payload_forget_batch(&session->rpc_session);
    um_frame_deinit(&session->frame);
    um_connection_discard(session);
    um_connection_advance(session);
}

void um_budget_expire(struct um_server *server)
{
    uint64_t now_ms = uv_now(server->loop);

    for (unsigned left = EXPIRE_LIMIT; left != 0 && um_budget_next_ms(server) <= now_ms; left--) {
        struct um_connection *session =
            UM_LIST_ITEM(server->budget.begun.next, struct um_connection, share.in_begun);

        if (session->is_closing)
            stop_clock(&session->share);
        else if (session->is_reading && !session->share.has_waited)
            give_up(session);
        else if (!session->is_reading && !um_list_is_empty(&session->share.in_waiting))
            pass_over(session);
        else
            start_clock(session);
    }
}
