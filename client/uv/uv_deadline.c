/* Deadlines of calls on a loop: one timer, which is set for the first of them that comes. */
#include "uv_client.h"

static const char late[] = "the daemon did not answer in time";

static struct um_uv_request *request_of(struct um_ask *ask)
{
    return (struct um_uv_request *)(void *)ask;
}

uint64_t um_uv_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void on_due(uv_timer_t *timer);

/* The loop's own time may be a little behind: then the timer comes too early, and is set once more. */
static void set_timer(umem_uv *client, uint64_t due_ms)
{
    uint64_t now_ms = um_uv_now_ms();

    client->due_ms = due_ms;
    if (due_ms == UM_NO_DEADLINE)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_due, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

void um_uv_set_deadline(struct um_uv_request *request)
{
    umem_uv *client = request->client;
    uint64_t wait_ms = request->ask.wait_ms;

    request->deadline_ms = UM_NO_DEADLINE;
    if (client->timeout_ms != 0 && wait_ms != UM_WAITS_FOR_EVER)
        request->deadline_ms = um_uv_now_ms() + client->timeout_ms + wait_ms;
    if (request->deadline_ms < client->due_ms)
        set_timer(client, request->deadline_ms);
}

/* Gives a call up, and the connection where that cannot go on: as the blocking client does. */
static void give_up(umem_uv *client, struct um_uv_request *request)
{
    struct um_ask *ask = &request->ask;
    bool waits = ask->waits;
    uint64_t id = ask->id;

    if (request->is_writing || ask->keeps_lock || !um_channel_forget(&client->channel, ask, true)) {
        um_uv_lose(client, UMEM_E_DEADLINE, late);
        return;
    }
    um_ask_fail(ask, UMEM_E_DEADLINE, late);
    um_ask_finish(ask);
    request->is_answered = true;
    um_uv_add_over(request);
    if (waits)
        umem_uv_cancel(client, id);
}

/* The first call whose time is over; else NULL, and *next_ms is when the next one's is. */
static struct um_uv_request *find_late(umem_uv *client, uint64_t *next_ms)
{
    uint64_t now_ms = um_uv_now_ms();
    struct um_ask *ask =
        client->channel.receiving != NULL ? client->channel.receiving : client->channel.first;

    *next_ms = UM_NO_DEADLINE;
    while (ask != NULL) {
        struct um_uv_request *request = request_of(ask);

        if (request->deadline_ms <= now_ms)
            return request;
        if (request->deadline_ms < *next_ms)
            *next_ms = request->deadline_ms;
        ask = ask == client->channel.receiving ? client->channel.first : ask->next;
    }
    return NULL;
}

static void on_due(uv_timer_t *timer)
{
    umem_uv *client = timer->data;
    uint64_t next_ms = UM_NO_DEADLINE;
    struct um_uv_request *request = NULL;

    if (client->state == UM_UV_OPEN)
        request = find_late(client, &next_ms);
    while (request != NULL && client->state == UM_UV_OPEN) {
        give_up(client, request);
        request = client->state == UM_UV_OPEN ? find_late(client, &next_ms) : NULL;
    }
    set_timer(client, client->state == UM_UV_OPEN ? next_ms : UM_NO_DEADLINE);
    if (client->state == UM_UV_OPEN)
        um_uv_call_back(client);
}

void um_uv_timer_init(umem_uv *client)
{
    uv_timer_init(client->loop, &client->timer);
    /* It is the connection that keeps the loop going. */
    uv_unref((uv_handle_t *)&client->timer);
    client->timer.data = client;
    client->due_ms = UM_NO_DEADLINE;
}
