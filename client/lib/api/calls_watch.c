/* Watches: their requests, and the calls of the program's functions for events. */
#include <stdlib.h>
#include <string.h>

#include "lib/connection/client.h"
#include "lib/request/requests.h"

/* Allocates the ring of events before the daemon can send any. */
static int prepare(umem_client *client)
{
    int code;

    um_mutex_lock(client->lock);
    code = um_event_queue_prepare(&client->channel.events);
    um_mutex_unlock(client->lock);
    return code;
}

int umem_session_watch(umem_client *client, const struct umem_watch_target *target, umem_watcher *watcher,
                       void *context, uint64_t *watch)
{
    struct um_event_watch *made;
    struct um_request request;
    uint64_t id = 0;
    int code;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    made = calloc(1, sizeof *made);
    if (made == NULL || prepare(client) != UMEM_OK) {
        free(made);
        return um_failure_set_text(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for a watch");
    }
    *made =
        (struct um_event_watch){.watcher = watcher, .context = context, .events = &client->channel.events};
    um_request_session_watch(&request, target, made, &id);
    code = um_client_call(client, &request);
    if (code == UMEM_OK && watch != NULL)
        *watch = id;
    else if (code != UMEM_OK)
        free(made);
    return code;
}

int umem_session_unwatch(umem_client *client, uint64_t watch)
{
    struct um_request request;
    int code;

    um_request_session_unwatch(&request, watch);
    code = um_client_call(client, &request);
    if (code == UMEM_OK) {
        um_mutex_lock(client->lock);
        um_event_queue_remove_watch(&client->channel.events, watch);
        um_mutex_unlock(client->lock);
    }
    return code;
}

/* Calls watchers, without the lock, for as many events as there are now: what they cause themselves is for the next time. */
static size_t deliver(umem_client *client)
{
    size_t left = client->channel.events.count + client->channel.events.overflowed;
    struct umem_event event;
    umem_watcher *watcher;
    void *context;
    size_t done = 0;

    for (; left != 0 && um_event_queue_pop(&client->channel.events, &event, &watcher, &context); left--) {
        /* A watcher may take its time, so that another thread reads meanwhile. */
        um_client_wake_next(client);
        um_mutex_unlock(client->lock);
        watcher(&event, context);
        um_mutex_lock(client->lock);
        done++;
    }
    return done;
}

/* Says why there are no events. That watches were lost with an earlier connection, it says once. */
static int report_loss(umem_client *client, char *text)
{
    bool is_gone = client->broken != UMEM_OK;

    snprintf(text, sizeof client->broken_text, "%s",
             is_gone ? client->broken_text : "the connection was lost, and its watches with it");
    client->watches_lost = client->watches_lost && is_gone;
    return is_gone ? client->broken : UMEM_E_CONNECTION_LOST;
}

static int poll_within(umem_client *client, uint64_t deadline_ms, size_t *delivered, char *text)
{
    static const struct um_waiter how = {.wants_events = true};
    int code = UMEM_OK;

    for (;;) {
        *delivered = deliver(client);
        if (*delivered != 0 || code == UMEM_E_DEADLINE)
            return UMEM_OK;
        if (client->broken != UMEM_OK || client->watches_lost)
            return report_loss(client, text);
        if (!client->is_reading)
            code = um_client_read(client, deadline_ms);
        else if (!um_client_wait_for_change(client, how, NULL, deadline_ms))
            code = UMEM_E_DEADLINE;
    }
}

int umem_poll(umem_client *client, uint32_t timeout_ms, size_t *delivered)
{
    uint64_t deadline_ms = UM_NO_DEADLINE;
    char text[sizeof client->broken_text] = "";
    size_t done = 0;
    int code;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    if (timeout_ms != UMEM_FOREVER)
        deadline_ms = um_transport_now_ms() + timeout_ms;
    um_mutex_lock(client->lock);
    code = poll_within(client, deadline_ms, &done, text);
    um_client_wake_next(client);
    um_mutex_unlock(client->lock);
    if (delivered != NULL)
        *delivered = done;
    if (code == UMEM_OK)
        return um_failure_set(client, UMEM_OK, NULL);
    return um_failure_set_text(client, code, "%s", text);
}
