#include "most.h"

#include <stdio.h>

#include "engine.h"
#include "json_out.h"
#include "methods.h"

/* How much of a shared limit one session uses. False: it is no limit of that kind. */
static bool use_of(const struct um_peer *peer, enum um_limit limit, uint64_t *used)
{
    struct um_owner_info owner;

    um_owner_get_info(peer->owner, &owner);
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
        *used = peer->later_count;
        return true;
    case UM_LIMIT_watches_total:
        *used = peer->watch_count;
        return true;
    case UM_LIMIT_unsent_total_bytes:
        *used = um_peer_queued(peer);
        return true;
    case UM_LIMIT_gathered_bytes:
        *used = peer->events != NULL && peer->events->gathered != NULL ? peer->events->gathered(peer)
                                                                       : um_peer_gathered(peer);
        return true;
    default:
        return false;
    }
}

/* Returns false where the limit is none that sessions share. The peer that asks first in a turn has it counted. */
static bool look(struct um_peer *asker, enum um_limit limit, struct um_most *most)
{
    const struct um_rpc *rpc = asker->rpc;
    const struct um_peer *found = NULL;
    struct um_owner_info owner;

    *most = (struct um_most){.turn = rpc->turn};
    for (const struct um_link *link = rpc->peers.next; link != &rpc->peers; link = link->next) {
        const struct um_peer *peer = UM_LIST_ITEM(link, const struct um_peer, in_rpc);
        uint64_t used;

        um_peer_charge(asker, UM_PEER_COST);
        if (!use_of(peer, limit, &used))
            return false;
        if (used <= most->used)
            continue;
        most->used = used;
        found = peer;
    }
    if (found == NULL)
        return true;
    um_owner_get_info(found->owner, &owner);
    most->session = found->id;
    most->pid = owner.pid;
    snprintf(most->program, sizeof most->program, "%s", owner.program);
    return true;
}

void um_most_reply(struct um_call *call, const char *limit)
{
    struct um_rpc *rpc = call->peer->rpc;
    enum um_limit place = um_limits_find(limit);
    struct um_most *most = &rpc->most[place < UM_LIMIT_COUNT ? place : 0];
    struct um_buf *out;

    if (place == UM_LIMIT_COUNT || (most->turn != rpc->turn && !look(call->peer, place, most)) ||
        most->used == 0)
        return;
    out = um_reply_key(call, "most");
    um_json_begin_object(out);
    um_json_key(out, "session");
    um_json_uint(out, most->session);
    um_json_key(out, "pid");
    um_json_int(out, most->pid);
    um_json_key(out, "program");
    um_json_cstring(out, most->program);
    um_json_key(out, "used");
    um_json_uint(out, most->used);
    um_json_end_object(out);
}
