/* A client's life, and its connection's. */
#include "lib/connection/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_LIMIT_DEFAULT = 64 << 20,
    RECONNECT_PAUSE_MS = 100 /* most time between two attempts to connect anew */
};

static bool init(umem_client *client, const struct umem_options *options)
{
    size_t answer_limit = options->answer_bytes_max != 0 ? options->answer_bytes_max : ANSWER_LIMIT_DEFAULT;

    if (um_endpoint_find(options->pipe, client->pipe, &client->pipe_fault) != UMEM_OK)
        client->pipe[0] = '\0';
    else if (um_endpoint_find_server_user(options->server_user, client->server_user, &client->pipe_fault) ==
             UMEM_OK)
        client->pipe_fault = NULL;
    client->timeout_ms = options->timeout_ms;
    client->never_spins = options->never_spin;
    client->reconnect_ms = options->reconnect_ms;
    client->broken = UMEM_E_NOT_CONNECTED;
    snprintf(client->broken_text, sizeof client->broken_text,
             "there is no connection; umem_connect() makes one");
    um_buf_init(&client->out, SIZE_MAX / 4);
    client->lock = um_mutex_new();
    if (um_channel_init(&client->channel, answer_limit < SIZE_MAX / 4 ? answer_limit : SIZE_MAX / 4) !=
        UMEM_OK)
        return false;
    client->channel.on_done = um_client_on_done;
    return client->lock != NULL;
}

umem_client *umem_client_new(const struct umem_options *options)
{
    static const struct umem_options defaults = {.pipe = NULL};
    umem_client *client = calloc(1, sizeof *client);

    if (client != NULL && !init(client, options != NULL ? options : &defaults)) {
        umem_client_free(client);
        client = NULL;
    }
    /* A client that lay at the same address is no concern of this one's. */
    um_failure_set(client, UMEM_OK, NULL);
    return client;
}

void umem_client_free(umem_client *client)
{
    if (client == NULL)
        return;
    um_transport_close(client->transport);
    um_channel_deinit(&client->channel);
    um_buf_deinit(&client->out);
    um_mapped_heap_free_all(client->mapped);
    um_mutex_free(client->lock);
    while (client->spare != NULL) {
        struct um_waiter *waiter = client->spare;

        client->spare = waiter->next;
        um_condition_free(waiter->condition);
        free(waiter);
    }
    um_failure_set(NULL, UMEM_OK, NULL);
    free(client);
}

/* ---- the connection ---- */

/* Keeps all threads from the connection that is being made; none uses the one that was. */
static void reserve_connection(umem_client *client)
{
    um_client_close_if_unused(client);
    client->is_reading = true;
    client->is_writing = true;
    client->broken = UMEM_E_NOT_CONNECTED;
    snprintf(client->broken_text, sizeof client->broken_text, "%s", umem_error_text(UMEM_E_NOT_CONNECTED));
    client->message_limit = 0;
    client->payload_limit = 0;
    client->has_session_things = false;
    um_channel_reset(&client->channel);
}

/* Waits until no thread uses the connection that was, and keeps all others from one that is being made. */
static void begin_connecting(umem_client *client)
{
    static const struct um_waiter how = {.wants_to_write = true};

    /* While this thread waits, another one may have connected: that connection is closed, too. */
    while (client->broken == UMEM_OK || client->is_reading || client->is_writing) {
        if (client->broken == UMEM_OK)
            um_client_break(client, UMEM_E_CONNECTION_LOST, "umem_connect() closed the connection");
        else
            um_client_wait_for_change(client, how, NULL, UM_NO_DEADLINE);
    }
    reserve_connection(client);
    client->watches_lost = false;
}

static void end_connecting(umem_client *client, struct um_transport *transport, int code, const char *text)
{
    client->transport = transport;
    client->is_reading = false;
    client->is_writing = false;
    client->was_connected = client->was_connected || code == UMEM_OK;
    client->broken = code;
    snprintf(client->broken_text, sizeof client->broken_text, "%s", text);
    um_client_wake_next(client);
}

static int open_transport(const umem_client *client, uint32_t timeout_ms, uint64_t deadline_ms,
                          struct um_transport **transport, struct um_reason *reason)
{
    int code =
        um_transport_open(client->pipe, client->server_user, timeout_ms, deadline_ms, transport, reason);

    if (code == UMEM_OK && !client->never_spins)
        um_transport_let_spin(*transport);
    return code;
}

int umem_connect(umem_client *client)
{
    struct um_reason reason = {""};
    char text[sizeof client->broken_text];
    struct um_transport *transport = NULL;
    uint32_t timeout_ms;
    int code;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    um_mutex_lock(client->lock);
    begin_connecting(client);
    timeout_ms = client->timeout_ms;
    um_mutex_unlock(client->lock);
    if (client->pipe_fault != NULL) {
        code = UMEM_E_BAD_ARGUMENT;
        snprintf(text, sizeof text, "%s", client->pipe_fault);
    } else {
        code = open_transport(client, timeout_ms, um_client_deadline(client, 0), &transport, &reason);
        snprintf(text, sizeof text, "%.300s: %.200s", client->pipe, reason.text);
    }
    um_mutex_lock(client->lock);
    end_connecting(client, transport, code, text);
    um_mutex_unlock(client->lock);
    if (code == UMEM_OK)
        return um_failure_set(client, UMEM_OK, NULL);
    return um_failure_set_text(client, code, "%s", text);
}

/* Tries to connect until there is a daemon, or the deadline. */
static int open_again(umem_client *client, uint32_t timeout_ms, uint64_t deadline_ms,
                      struct um_transport **transport, struct um_reason *reason)
{
    uint32_t pause_ms = 1;

    for (;;) {
        int code = open_transport(client, timeout_ms, deadline_ms, transport, reason);

        if (code != UMEM_E_NOT_CONNECTED || um_transport_now_ms() + pause_ms >= deadline_ms)
            return code;
        um_transport_pause(pause_ms);
        pause_ms = pause_ms * 2 < RECONNECT_PAUSE_MS ? pause_ms * 2 : RECONNECT_PAUSE_MS;
    }
}

int um_client_reconnect(umem_client *client, uint64_t deadline_ms)
{
    static const struct um_waiter how = {.wants_to_write = true};
    uint64_t until_ms = um_transport_now_ms() + client->reconnect_ms;
    struct um_reason reason = {""};
    char text[sizeof client->broken_text];
    struct um_transport *transport = NULL;
    uint32_t timeout_ms = client->timeout_ms;
    int code;

    if (deadline_ms < until_ms)
        until_ms = deadline_ms;
    while (client->broken != UMEM_OK && (client->is_reading || client->is_writing)) {
        if (!um_client_wait_for_change(client, how, NULL, until_ms))
            return client->broken;
    }
    if (client->broken == UMEM_OK || !client->was_connected)
        return client->broken;
    if (client->has_session_things) {
        client->has_session_things = false;
        client->broken = UMEM_E_CONNECTION_LOST;
        snprintf(client->broken_text, sizeof client->broken_text,
                 "the connection was lost, and with it the locks, holds, watches and blocks of its session; "
                 "nothing was sent, and the next call connects anew");
        return client->broken;
    }
    client->watches_lost = client->watches_lost || client->channel.events.watches != NULL;
    reserve_connection(client);
    um_mutex_unlock(client->lock);
    code = open_again(client, timeout_ms, until_ms, &transport, &reason);
    snprintf(text, sizeof text, "%.300s: %.200s", client->pipe, reason.text);
    um_mutex_lock(client->lock);
    end_connecting(client, transport, code, text);
    return client->broken;
}

bool umem_is_connected(const umem_client *client)
{
    bool is_connected;

    if (client == NULL)
        return false;
    um_mutex_lock(client->lock);
    is_connected = client->broken == UMEM_OK;
    um_mutex_unlock(client->lock);
    return is_connected;
}

void umem_set_timeout(umem_client *client, uint32_t timeout_ms)
{
    if (client == NULL)
        return;
    um_mutex_lock(client->lock);
    client->timeout_ms = timeout_ms;
    um_mutex_unlock(client->lock);
}

const char *umem_pipe(const umem_client *client)
{
    return client != NULL ? client->pipe : "";
}

int umem_default_pipe(char *pipe, size_t size)
{
    char path[UM_ENDPOINT_CAPACITY];
    const char *what;

    if (um_endpoint_find(NULL, path, &what) != UMEM_OK || strlen(path) >= size)
        return UMEM_E_BAD_ARGUMENT;
    memcpy(pipe, path, strlen(path) + 1);
    return UMEM_OK;
}

const char *umem_version(void)
{
    return UMEM_VERSION;
}
