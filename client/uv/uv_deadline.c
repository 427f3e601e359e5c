/* Deadlines of calls on a loop: one timer, which is set for the first of them that comes. */
#include "uv/uv_client.h"

static const char late_text[] = "the daemon did not answer in time";

static struct um_uv_call *call_of(struct um_request *request)
{
    return (struct um_uv_call *)(void *)request;
}

uint64_t um_uv_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void on_timer(uv_timer_t *timer);

/* The loop's own time may be a little behind: then the timer comes too early, and is set once more. */
static void set_timer(umem_uv *client, uint64_t due_ms)
{
    uint64_t now_ms = um_uv_now_ms();

    client->due_ms = due_ms;
    if (due_ms == UM_NO_DEADLINE)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

void um_uv_set_deadline(struct um_uv_call *call)
{
    umem_uv *client = call->client;
    uint64_t wait_ms = call->request.wait_ms;

    call->deadline_ms = UM_NO_DEADLINE;
    if (client->timeout_ms != 0 && wait_ms != UM_WAIT_FOREVER)
        call->deadline_ms = um_uv_now_ms() + client->timeout_ms + wait_ms;
    if (call->deadline_ms < client->due_ms)
        set_timer(client, call->deadline_ms);
}

/* Gives a call up, and the connection where that cannot go on: as the blocking client does. */
static void expire(umem_uv *client, struct um_uv_call *call)
{
    struct um_request *request = &call->request;
    bool waits = request->waits;
    uint64_t id = request->id;

    if (call->is_writing || request->keeps_lock || !um_channel_withdraw(&client->channel, request, true)) {
        um_uv_disconnect(client, UMEM_E_DEADLINE, late_text);
        return;
    }
    um_request_fail(request, UMEM_E_DEADLINE, late_text);
    um_request_finish(request);
    call->is_answered = true;
    um_uv_add_finished(call);
    if (waits)
        umem_uv_cancel(client, id);
}

/* The first call whose time is over; else NULL, and *next_ms is when the next one's is. */
static struct um_uv_call *find_expired(umem_uv *client, uint64_t *next_ms)
{
    uint64_t now_ms = um_uv_now_ms();
    struct um_request *request =
        client->channel.receiving != NULL ? client->channel.receiving : client->channel.first;

    *next_ms = UM_NO_DEADLINE;
    while (request != NULL) {
        struct um_uv_call *call = call_of(request);

        if (call->deadline_ms <= now_ms)
            return call;
        if (call->deadline_ms < *next_ms)
            *next_ms = call->deadline_ms;
        request = request == client->channel.receiving ? client->channel.first : request->next;
    }
    return NULL;
}

static void on_timer(uv_timer_t *timer)
{
    umem_uv *client = timer->data;
    uint64_t next_ms = UM_NO_DEADLINE;
    struct um_uv_call *call = NULL;

    if (client->state == UM_UV_OPEN)
        call = find_expired(client, &next_ms);
    while (call != NULL && client->state == UM_UV_OPEN) {
        expire(client, call);
        call = client->state == UM_UV_OPEN ? find_expired(client, &next_ms) : NULL;
    }
    set_timer(client, client->state == UM_UV_OPEN ? next_ms : UM_NO_DEADLINE);
    if (client->state == UM_UV_OPEN)
        um_uv_run_callbacks(client);
}

void um_uv_timer_init(umem_uv *client)
{
    uv_timer_init(client->loop, &client->timer);
    /* It is the connection that keeps the loop going. */
    uv_unref((uv_handle_t *)&client->timer);
    client->timer.data = client;
    client->due_ms = UM_NO_DEADLINE;
}
