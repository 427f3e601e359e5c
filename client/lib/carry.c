/* Carrying requests to the daemon and answers back, for threads that share the connection. client.h tells how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "json_out.h"

enum {
    COPY_MAXIMUM =
        4096, /* a payload up to this is copied behind its request, a larger one is written from where it lies */
    GATHER_SIZE = 32768,   /* requests that are written together, in bytes */
    KEEP_SIZE = 1 << 18,   /* a larger buffer is given back after its use */
    CANCEL_TURN_MS = 100,  /* how long a thread that has given up waits until it can say so */
    CANCEL_WRITE_MS = 1000 /* and how long that may take */
};

/* ---- waiting ---- */

static struct um_waiter *take_waiter(umem_client *client)
{
    struct um_waiter *waiter = client->spare;

    if (waiter != NULL) {
        client->spare = waiter->next;
        return waiter;
    }
    waiter = calloc(1, sizeof *waiter);
    if (waiter != NULL)
        waiter->signal = um_signal_new();
    if (waiter != NULL && waiter->signal == NULL) {
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

bool um_client_wait_in_line(umem_client *client, struct um_waiter how, struct um_ask *ask,
                            uint64_t deadline_ms)
{
    struct um_waiter *waiter = take_waiter(client);

    if (waiter == NULL) {
        /* Without memory to wait with, it looks again and again. */
        um_lock_leave(client->lock);
        um_lock_enter(client->lock);
        return um_transport_now_ms() < deadline_ms;
    }
    how.signal = waiter->signal;
    how.next = client->waiters;
    *waiter = how;
    client->waiters = waiter;
    if (ask != NULL)
        ask->owner = waiter;
    um_signal_wait(waiter->signal, client->lock, deadline_ms);
    if (ask != NULL)
        ask->owner = NULL;
    unlink_waiter(client, waiter);
    return deadline_ms == UM_NO_DEADLINE || um_transport_now_ms() < deadline_ms;
}

void um_client_pass_on(umem_client *client)
{
    bool may_read = !client->is_reading;
    bool may_write = !client->is_writing;

    for (struct um_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next) {
        bool *may = waiter->wants_to_write ? &may_write : &may_read;

        if (!*may && client->broken == UMEM_OK)
            continue;
        *may = false;
        um_signal_raise(waiter->signal);
    }
}

/* ---- reading ---- */

static void wake_for_events(umem_client *client)
{
    if (client->channel.events.count == 0 && !client->channel.events.overflowed)
        return;
    for (struct um_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next) {
        if (waiter->wants_events)
            um_signal_raise(waiter->signal);
    }
}

int um_client_read(umem_client *client, uint64_t deadline_ms)
{
    struct um_reason reason = {""};
    size_t room;
    size_t size = 0;
    char *space = um_channel_space(&client->channel, &room);
    int code;

    client->is_reading = true;
    um_lock_leave(client->lock);
    code = um_transport_read(client->transport, space, room, &size, deadline_ms, &reason);
    um_lock_enter(client->lock);
    client->is_reading = false;
    if (client->broken != UMEM_OK) {
        um_client_settle(client);
        um_client_pass_on(client);
        return client->broken;
    }
    if (code == UMEM_OK)
        code = um_channel_took(&client->channel, size, reason.text, sizeof reason.text);
    else if (code == UMEM_E_DEADLINE)
        return code;
    if (code != UMEM_OK)
        um_client_break(client, code, reason.text);
    wake_for_events(client);
    return code;
}

/* ---- writing ---- */

/* Waits until this thread may write. Returns UMEM_OK, UMEM_E_DEADLINE, or why the connection is gone. */
static int take_turn(umem_client *client, uint64_t deadline_ms)
{
    static const struct um_waiter how = {.wants_to_write = true};

    while (client->broken == UMEM_OK && client->is_writing) {
        if (!um_client_wait_in_line(client, how, NULL, deadline_ms) && client->is_writing)
            return UMEM_E_DEADLINE;
    }
    if (client->broken == UMEM_OK)
        client->is_writing = true;
    return client->broken;
}

static void end_turn(umem_client *client)
{
    client->is_writing = false;
    um_client_settle(client);
    um_client_pass_on(client);
}

/* Why the daemon takes no more may be what it said last, unasked. */
static void read_last_words(umem_client *client, const struct um_reason *reason)
{
    if (!client->is_reading && client->channel.first != NULL)
        um_client_read(client, 0);
    um_client_break(client, UMEM_E_CONNECTION_LOST, reason->text);
}

/* Writes slices, without the lock. Where the daemon takes nothing, it reads if nobody else does. */
static int write_slices(umem_client *client, struct um_slice *slices, size_t count, uint64_t deadline_ms)
{
    int code = UMEM_OK;

    count = um_transport_advance(slices, count, 0);
    while (count != 0 && code == UMEM_OK) {
        struct um_reason reason = {""};
        size_t done = 0;
        bool readable;

        um_lock_enter(client->lock);
        readable = !client->is_reading;
        um_lock_leave(client->lock);
        code =
            um_transport_write_some(client->transport, slices, count, &done, &readable, deadline_ms, &reason);
        count = um_transport_advance(slices, count, done);
        if (code == UMEM_OK && !readable)
            continue;
        um_lock_enter(client->lock);
        if (code == UMEM_E_CONNECTION_LOST)
            read_last_words(client, &reason);
        else if (code != UMEM_OK)
            um_client_break(client, code, reason.text);
        else if (!client->is_reading && client->broken == UMEM_OK)
            um_client_read(client, 0);
        um_lock_leave(client->lock);
    }
    return code;
}

/* Writes what was gathered, and `bytes` behind it. */
static int flush(umem_client *client, const void *bytes, size_t size, uint64_t deadline_ms)
{
    struct um_slice slices[] = {{client->out.data, client->out.size}, {bytes, size}};
    int code = write_slices(client, slices, 2, deadline_ms);

    um_buf_truncate(&client->out, 0);
    return code;
}

static int put_payload(umem_client *client, const struct um_ask *ask, uint64_t deadline_ms)
{
    if (ask->payload_size > COPY_MAXIMUM || !um_buf_append(&client->out, ask->payload, ask->payload_size))
        return flush(client, ask->payload, ask->payload_size, deadline_ms);
    return UMEM_OK;
}

/* Takes back one that was added and cannot be written. */
static void take_back(umem_client *client, struct um_ask *ask)
{
    um_lock_enter(client->lock);
    if (!ask->done) {
        um_channel_forget(&client->channel, ask, false);
        um_ask_fail(ask, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
        um_ask_finish(ask);
    }
    um_lock_leave(client->lock);
}

/* Puts one request, which was added, behind what was gathered. */
static int put(umem_client *client, struct um_ask *ask, uint64_t deadline_ms)
{
    struct um_buf *out = &client->out;
    size_t start = out->size;
    uint64_t payload_size;
    int code;

    um_channel_write(ask, out, &payload_size);
    if (out->failed) {
        um_buf_truncate(out, start);
        take_back(client, ask);
        return UMEM_OK;
    }
    code = put_payload(client, ask, deadline_ms);
    for (struct um_ask *part = ask->parts; part != NULL && code == UMEM_OK; part = part->next)
        code = put_payload(client, part, deadline_ms);
    if (code == UMEM_OK && out->size >= GATHER_SIZE)
        code = flush(client, NULL, 0, deadline_ms);
    return code;
}

/* Those that were not sent. */
static void fail_rest(umem_client *client, struct um_ask *ask, int code)
{
    const char *text =
        code == client->broken ? client->broken_text : "another thread's request was not taken in time";

    while (ask != NULL) {
        struct um_ask *next = ask->next;

        um_ask_fail(ask, code, text);
        um_ask_finish(ask);
        ask = next;
    }
}

/* Adds the first of the row to what is awaited. Returns what is left of the row, or the whole row where the connection is gone. */
static struct um_ask *add_first(umem_client *client, struct um_ask *asks)
{
    struct um_ask *rest = asks->next;

    um_lock_enter(client->lock);
    if (client->broken == UMEM_OK)
        um_channel_add(&client->channel, asks);
    else
        rest = asks;
    um_lock_leave(client->lock);
    return rest;
}

/* Writes the row; this thread has its turn. Returns those that were not added. */
static struct um_ask *write_row(umem_client *client, struct um_ask *asks, uint64_t deadline_ms)
{
    int code = UMEM_OK;

    while (asks != NULL && code == UMEM_OK) {
        struct um_ask *rest = add_first(client, asks);

        if (rest == asks)
            break;
        code = put(client, asks, deadline_ms);
        asks = rest;
    }
    if (code == UMEM_OK && client->out.size != 0)
        flush(client, NULL, 0, deadline_ms);
    um_buf_truncate(&client->out, 0);
    um_buf_shrink(&client->out, KEEP_SIZE);
    return asks;
}

void um_client_send(umem_client *client, struct um_ask *asks, uint64_t deadline_ms)
{
    int code;

    um_lock_enter(client->lock);
    code = take_turn(client, deadline_ms);
    if (code == UMEM_OK) {
        um_lock_leave(client->lock);
        asks = write_row(client, asks, deadline_ms);
        um_lock_enter(client->lock);
        end_turn(client);
        code = client->broken;
    }
    fail_rest(client, asks, code);
    um_lock_leave(client->lock);
}

/* ---- giving up ---- */

/* Tells the daemon that nobody waits any more. Where others keep the connection busy, it is left to find out itself. */
static void cancel(umem_client *client, uint64_t id)
{
    uint64_t now_ms = um_transport_now_ms();
    struct um_ask ask;
    struct um_slice slice;

    if (take_turn(client, now_ms + CANCEL_TURN_MS) != UMEM_OK)
        return;
    um_lock_leave(client->lock);
    um_ask_begin(&ask, "$/cancelRequest");
    um_json_key(&ask.text, "id");
    um_json_uint(&ask.text, id);
    um_channel_write_notification(&ask, &client->out);
    slice = (struct um_slice){client->out.data, client->out.failed ? 0 : client->out.size};
    write_slices(client, &slice, 1, now_ms + CANCEL_WRITE_MS);
    um_buf_truncate(&client->out, 0);
    um_ask_deinit(&ask);
    um_lock_enter(client->lock);
    end_turn(client);
}

/* Returns the deadline for what is left to wait for: the end of a connection that cannot go on. */
static uint64_t give_up(umem_client *client, struct um_ask *ask)
{
    static const char text[] = "the daemon did not answer in time";

    um_ask_fail(ask, UMEM_E_DEADLINE, text);
    if (ask->keeps_lock || !um_channel_forget(&client->channel, ask, true)) {
        um_client_break(client, UMEM_E_DEADLINE, text);
        return UM_NO_DEADLINE;
    }
    um_ask_finish(ask);
    if (ask->waits)
        cancel(client, ask->id);
    return UM_NO_DEADLINE;
}

/* Reads once. Returns whether the deadline has come: also where the daemon says something all the time, but not what is awaited. */
static bool read_is_late(umem_client *client, const struct um_ask *ask, uint64_t deadline_ms)
{
    int code = um_client_read(client, deadline_ms);

    if (client->broken != UMEM_OK || ask->done || deadline_ms == UM_NO_DEADLINE)
        return false;
    return code == UMEM_E_DEADLINE || um_transport_now_ms() >= deadline_ms;
}

void um_client_wait(umem_client *client, struct um_ask *ask, uint64_t deadline_ms)
{
    static const struct um_waiter how = {.wants_to_write = false};

    um_lock_enter(client->lock);
    while (!ask->done) {
        bool is_late;

        if (client->is_reading)
            is_late = !um_client_wait_in_line(client, how, ask, deadline_ms);
        else
            is_late = read_is_late(client, ask, deadline_ms);
        if (is_late && !ask->done)
            deadline_ms = give_up(client, ask);
    }
    um_client_pass_on(client);
    um_lock_leave(client->lock);
}

void um_client_take_back(umem_client *client, struct um_ask *ask)
{
    bool was_done;
    bool is_awaited;

    um_lock_enter(client->lock);
    was_done = ask->done;
    if (!was_done && !ask->keeps_lock && um_channel_forget(&client->channel, ask, true))
        um_ask_finish(ask);
    if (!was_done && ask->waits)
        cancel(client, ask->id);
    is_awaited = !ask->done;
    um_lock_leave(client->lock);
    /* Its answer is coming already; or it is a lock's, which comes at once now that it was cancelled. */
    if (is_awaited)
        um_client_wait(client, ask, um_client_deadline(client, 0));
}
