#include "rpc/call/top_consumer.h"

#include <stdio.h>

#include "rpc/call/engine_state.h"
#include "wire/json_write.h"

/* Work that looking at one session counts for. */
enum { SESSION_COST = 256 };

/* How much of a shared limit one session uses. False: it is no limit of that kind. */
static bool use_of(const struct um_session *session, enum um_limit limit, uint64_t *used)
{
    struct um_owner_info owner;

    um_owner_get_info(session->owner, &owner);
    switch (limit) {
    case UM_LIMIT_bytes:
        *used = owner.bytes;
        return true;
    case UM_LIMIT_blocks:
        *used = owner.blocks;
        return true;
    case UM_LIMIT_heaps:
        *used = owner.heaps;
        return true;
    case UM_LIMIT_shared_heaps:
        *used = owner.shared_heaps;
        return true;
    case UM_LIMIT_holds:
        *used = owner.holds;
        return true;
    case UM_LIMIT_waits_total:
        *used = session->pending_count;
        return true;
    case UM_LIMIT_watches_total:
        *used = session->watch_count;
        return true;
    case UM_LIMIT_unsent_total_bytes:
        *used = session->queued_bytes;
        return true;
    case UM_LIMIT_gathered_bytes:
        *used = session->gathered_bytes;
        return true;
    default:
        return false;
    }
}

/* Returns false where the limit is none that sessions share. The session that needs it first in a turn is charged. */
static bool find_top(struct um_session *caller, enum um_limit limit, struct um_top_consumer *top)
{
    const struct um_rpc *rpc = caller->rpc;
    const struct um_session *found = NULL;
    struct um_owner_info owner;

    *top = (struct um_top_consumer){.turn = rpc->turn};
    for (const struct um_link *link = rpc->sessions.next; link != &rpc->sessions; link = link->next) {
        const struct um_session *session = UM_LIST_ITEM(link, const struct um_session, in_rpc);
        uint64_t used;

        um_session_charge(caller, SESSION_COST);
        if (!use_of(session, limit, &used))
            return false;
        if (used <= top->used)
            continue;
        top->used = used;
        found = session;
    }
    if (found == NULL)
        return true;
    um_owner_get_info(found->owner, &owner);
    top->session = found->id;
    top->pid = owner.pid;
    snprintf(top->program, sizeof top->program, "%s", owner.program);
    return true;
}

void um_top_consumer_write(struct um_session *session, const char *limit, struct um_buf *out)
{
    struct um_rpc *rpc = session->rpc;
    enum um_limit place = um_limits_find(limit);
    struct um_top_consumer *top = &rpc->top_consumers[place < UM_LIMIT_COUNT ? place : 0];

    if (place == UM_LIMIT_COUNT || (top->turn != rpc->turn && !find_top(session, place, top)) ||
        top->used == 0)
        return;
    um_json_key(out, "most");
    um_json_begin_object(out);
    um_json_put_uint(out, "session", top->session);
    um_json_put_int(out, "pid", top->pid);
    um_json_put_string(out, "program", top->program);
    um_json_put_uint(out, "used", top->used);
    um_json_end_object(out);
}
