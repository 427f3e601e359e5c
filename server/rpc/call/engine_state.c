#include "rpc/call/engine_state.h"

#include <stdio.h>
#include <string.h>

#include "base/attributes.h"

void um_engine_work_pending(struct um_rpc *rpc)
{
    if (rpc->events.work_pending != NULL)
        rpc->events.work_pending(rpc->events.context);
}

/* ---- sessions ---- */

void um_session_set_content_type(struct um_session *session, const char *type)
{
    if (type[0] == '\0' && session->content_type[0] == '\0')
        return;
    if (strcmp(type, session->content_type) == 0)
        return;
    snprintf(session->content_type, sizeof session->content_type, "%s", type);
    session->headers.size = 0;
}

void um_session_flush(struct um_session *session)
{
    if (session->events != NULL && session->events->flush != NULL)
        session->events->flush(session);
}

void um_session_reserve_answer(struct um_session *session, uint64_t bytes)
{
    session->rpc->reserved_bytes += bytes;
    session->group->reserved_bytes += bytes;
}

void um_session_release_answer(struct um_session *session, uint64_t bytes)
{
    session->rpc->reserved_bytes -= bytes;
    session->group->reserved_bytes -= bytes;
}

UM_ALWAYS_INLINE uint64_t unsent_left(const struct um_session *session)
{
    uint64_t limit = session->rpc->limits->unsent_total_bytes;
    uint64_t used = session->rpc->traffic->unsent_bytes + session->rpc->reserved_bytes;
    uint64_t own = session->group->unsent_bytes + session->group->reserved_bytes;
    uint64_t left = used < limit ? limit - used : 0;

    if (session->group == &session->own_group)
        return left;
    /* Half of (left + own) is the share, and own of that is taken. */
    return left > own ? (left - own) / 2 : 0;
}

uint64_t um_session_unsent_left(const struct um_session *session)
{
    return unsent_left(session);
}

/* The nearer all sessions together come to their limit, the less each may have: a quarter of what is left. So clients that do not
 * read always leave something for others, and with a few bytes unsent every session is served. */
uint64_t um_session_unsent_limit(const struct um_session *session)
{
    const struct um_limits *limits = session->rpc->limits;
    uint64_t share = unsent_left(session) / 4;

    if (share < UM_SMALL_ANSWER_SIZE)
        share = UM_SMALL_ANSWER_SIZE;
    return share < limits->unsent_bytes ? share : limits->unsent_bytes;
}

bool um_session_is_ready(const struct um_session *session)
{
    return session->tail.bytes == NULL && session->payload == NULL && session->job == NULL &&
           !session->broken;
}

bool um_session_is_waiting(const struct um_session *session)
{
    return session->job != NULL || !um_list_is_empty(&session->pending_calls);
}

void um_session_tail_sent(struct um_session *session)
{
    if (session->tail_pin != NULL)
        um_pin_release(session->rpc->store, session->tail_pin);
    session->tail_pin = NULL;
    session->tail = (struct um_tail){NULL, 0, 0};
    /* The block may have been freed meanwhile, and its memory was kept for this. */
    if (session->rpc->store_status->has_work)
        um_engine_work_pending(session->rpc);
}
