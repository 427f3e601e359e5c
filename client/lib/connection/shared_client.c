#include "lib/connection/shared_client.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t um_client_deadline(umem_client *client, uint64_t wait_ms)
{
    uint64_t deadline_ms = UM_NO_DEADLINE;

    um_mutex_lock(client->lock);
    if (client->timeout_ms != 0 && wait_ms != UM_WAIT_FOREVER)
        deadline_ms = um_transport_now_ms() + client->timeout_ms + wait_ms;
    um_mutex_unlock(client->lock);
    return deadline_ms;
}

static struct um_waiter *take_waiter(umem_client *client)
{
    struct um_waiter *waiter = client->spare;

    if (waiter != NULL) {
        client->spare = waiter->next;
        return waiter;
    }
    waiter = calloc(1, sizeof *waiter);
    if (waiter != NULL)
        waiter->condition = um_condition_new();
    if (waiter != NULL && waiter->condition == NULL) {
        free(waiter);
        waiter = NULL;
    }
    return waiter;
}

static void unlink_waiter(umem_client *client, struct um_waiter *waiter)
{
    struct um_waiter **link = &client->waiters;

    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    waiter->next = client->spare;
    client->spare = waiter;
}

bool um_client_wait_for_change(umem_client *client, struct um_waiter how, struct um_request *request,
                               uint64_t deadline_ms)
{
    struct um_waiter *waiter = take_waiter(client);

    if (waiter == NULL) {
        /* Without memory to wait with, it looks again and again. */
        um_mutex_unlock(client->lock);
        um_mutex_lock(client->lock);
        return um_transport_now_ms() < deadline_ms;
    }
    how.condition = waiter->condition;
    how.next = client->waiters;
    *waiter = how;
    client->waiters = waiter;
    if (request != NULL)
        request->owner = waiter;
    um_condition_wait(waiter->condition, client->lock, deadline_ms);
    if (request != NULL)
        request->owner = NULL;
    unlink_waiter(client, waiter);
    return deadline_ms == UM_NO_DEADLINE || um_transport_now_ms() < deadline_ms;
}

void um_client_wake_next(umem_client *client)
{
    bool may_read = !client->is_reading;
    bool may_write = !client->is_writing;

    for (struct um_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next) {
        bool *may = waiter->wants_to_write ? &may_write : &may_read;

        if (!*may && client->broken == UMEM_OK)
            continue;
        *may = false;
        um_condition_signal(waiter->condition);
    }
}

void um_client_on_done(struct um_channel *channel, struct um_request *request)
{
    struct um_waiter *waiter = request->owner;

    (void)channel;
    if (waiter != NULL)
        um_condition_signal(waiter->condition);
}

/* ---- the end of a connection ---- */

/* Requests that were sent; where the daemon is gone, nobody knows what has become of them. */
static void fail_awaited(umem_client *client)
{
    char text[sizeof client->broken_text + 64];

    snprintf(text, sizeof text,
             client->broken == UMEM_E_CONNECTION_LOST ? "%s; whether the request was carried out is not known"
                                                      : "%s",
             client->broken_text);
    um_channel_fail_all(&client->channel, client->broken, text);
}

void um_client_close_if_unused(umem_client *client)
{
    if (client->broken == UMEM_OK || client->is_reading)
        return;
    if (client->channel.first != NULL || client->channel.receiving != NULL)
        fail_awaited(client);
    if (!client->is_writing) {
        um_transport_close(client->transport);
        client->transport = NULL;
    }
}

void um_client_break(umem_client *client, int code, const char *text)
{
    if (client->broken == UMEM_OK) {
        client->broken = code;
        snprintf(client->broken_text, sizeof client->broken_text, "%s", text);
        um_transport_abort(client->transport);
    }
    um_client_close_if_unused(client);
    um_client_wake_next(client);
}
