#include "engine.h"

#include <stdlib.h>

#include "arena.h"
#include "intake.h"

/* Blocks freed in one slice of background work: well under a millisecond. */
enum { RECLAIM_BUDGET = 2000 };

int um_rpc_new(const struct um_rpc_options *options, struct um_rpc **rpc)
{
    struct um_rpc *made = calloc(1, sizeof *made);

    if (made == NULL)
        return UMEM_E_NO_MEMORY;
    if (um_arena_init() != UMEM_OK) {
        free(made);
        return UMEM_E_NO_MEMORY;
    }
    made->store = options->store;
    made->limits = options->limits;
    made->traffic = options->traffic;
    made->events = options->events;
    made->version = options->version;
    made->pipe = options->pipe;
    made->pid = options->pid;
    made->started = options->started;
    um_rpc_set_time(made, options->started);
    *rpc = made;
    return UMEM_OK;
}

void um_rpc_free(struct um_rpc *rpc)
{
    if (rpc == NULL)
        return;
    um_arena_deinit();
    free(rpc);
}

void um_rpc_set_time(struct um_rpc *rpc, int64_t unix_seconds)
{
    rpc->unix_seconds = unix_seconds;
    um_store_set_time(rpc->store, unix_seconds);
}

bool um_rpc_work(struct um_rpc *rpc)
{
    return um_store_reclaim(rpc->store, RECLAIM_BUDGET);
}

void um_engine_work_pending(struct um_rpc *rpc)
{
    if (rpc->events.work_pending != NULL)
        rpc->events.work_pending(rpc->events.context);
}

/* ---- peers ---- */

int um_peer_open(struct um_rpc *rpc, struct um_peer *peer, const struct um_peer_options *options)
{
    const struct um_limits *limits = rpc->limits;
    struct um_owner_options owner = {
        .id = rpc->last_peer_id + 1,
        .pid = options->pid,
        .program = options->program,
        .user = options->user,
    };
    int code;

    *peer =
        (struct um_peer){.rpc = rpc, .events = options->events, .id = owner.id, .opened = rpc->unix_seconds};
    code = um_owner_open(rpc->store, &owner, &peer->owner);
    if (code != UMEM_OK)
        return code;
    rpc->last_peer_id = owner.id;
    /* What waits to be sent, the answer at work, and the small answers that a batch may add to its large ones. */
    um_buf_init(&peer->out, (size_t)(limits->unsent_bytes + 4 * limits->message_bytes));
    return UMEM_OK;
}

void um_peer_close(struct um_peer *peer)
{
    um_intake_abandon(peer);
    um_peer_tail_sent(peer);
    um_buf_deinit(&peer->out);
    um_owner_close(peer->rpc->store, peer->owner);
    um_engine_work_pending(peer->rpc);
    peer->owner = NULL;
}

bool um_peer_is_ready(const struct um_peer *peer)
{
    return peer->tail.bytes == NULL && peer->intake == NULL && !peer->broken;
}

void um_peer_tail_sent(struct um_peer *peer)
{
    if (peer->tail_pin != NULL)
        um_pin_release(peer->rpc->store, peer->tail_pin);
    peer->tail_pin = NULL;
    peer->tail = (struct um_tail){NULL, 0};
}
