/* One call from its beginning to its end, and the daemon's limits. */
#include "client.h"

#include <stdio.h>

enum {
    MESSAGE_OVERHEAD = 64, /* bytes that a request gets beside its text: its id, its end */
    DEFAULT_MESSAGE_LIMIT = 16 << 20,
    DEFAULT_PAYLOAD_LIMIT = 64 << 20
};

/* ---- limits ---- */

struct limits {
    uint64_t message;
    uint64_t payload;
};

static uint64_t read_limit(struct um_json_slice limits, const char *name, uint64_t fallback, uint64_t minimum)
{
    uint64_t limit;

    if (!um_json_to_uint64(um_json_member(limits, name), &limit))
        limit = fallback;
    return limit > minimum ? limit : minimum;
}

static const char *read_limits(struct um_json_slice result, void *target)
{
    struct um_json_slice told = um_json_member(result, "limits");
    struct limits *limits = target;

    limits->message = read_limit(told, "message_bytes", DEFAULT_MESSAGE_LIMIT, UM_MESSAGE_MINIMUM);
    limits->payload = read_limit(told, "payload_bytes", DEFAULT_PAYLOAD_LIMIT, UM_PAYLOAD_MINIMUM);
    return NULL;
}

/* Asks for the limits, once a connection. */
static int learn(umem_client *client, struct limits *limits)
{
    struct um_ask ask;
    int code;

    um_lock_enter(client->lock);
    *limits = (struct limits){client->message_limit, client->payload_limit};
    um_lock_leave(client->lock);
    if (limits->message != 0)
        return UMEM_OK;
    um_ask_begin(&ask, "server.info");
    um_want_result(&ask, read_limits, limits);
    code = um_client_run(client, &ask);
    if (code != UMEM_OK)
        return code;
    um_lock_enter(client->lock);
    client->message_limit = limits->message;
    client->payload_limit = limits->payload;
    um_lock_leave(client->lock);
    return UMEM_OK;
}

/* What a request has, and those of a batch together. */
struct extent {
    uint64_t message; /* bytes of JSON */
    uint64_t payload; /* raw bytes sent */
    uint64_t into;    /* raw bytes wanted */
};

static void add_extent(struct extent *extent, const struct um_ask *ask)
{
    extent->message += ask->text.size + MESSAGE_OVERHEAD;
    extent->payload += ask->payload_size;
    extent->into += ask->into_size;
}

static void refuse(struct um_ask *ask, const char *what, uint64_t size, uint64_t limit)
{
    char text[160];

    snprintf(text, sizeof text, "%s has %llu bytes, and the daemon takes %llu", what,
             (unsigned long long)size, (unsigned long long)limit);
    um_ask_fail(ask, UMEM_E_TOO_LARGE, text);
}

int um_client_check_limits(umem_client *client, struct um_ask *ask)
{
    struct extent extent = {0, 0, 0};
    struct limits limits;
    int code;

    if (ask->parts == NULL)
        add_extent(&extent, ask);
    for (const struct um_ask *part = ask->parts; part != NULL; part = part->next)
        add_extent(&extent, part);
    if (extent.message <= UM_MESSAGE_MINIMUM && extent.payload <= UM_PAYLOAD_MINIMUM &&
        extent.into <= UM_PAYLOAD_MINIMUM)
        return UMEM_OK;
    code = learn(client, &limits);
    if (code != UMEM_OK)
        um_ask_fail(ask, code, umem_last_error(client)->message);
    else if (extent.message > limits.message)
        refuse(ask, "the request", extent.message, limits.message);
    else if (extent.payload > limits.payload)
        refuse(ask, "its payload", extent.payload, limits.payload);
    else if (extent.into > limits.payload)
        refuse(ask, "its answer", extent.into, limits.payload);
    return ask->code;
}

size_t um_client_piece_size(umem_client *client, size_t size, int *code)
{
    struct limits limits = {0, UM_PAYLOAD_MINIMUM};

    *code = size > UM_PAYLOAD_MINIMUM ? learn(client, &limits) : UMEM_OK;
    return limits.payload < UM_PIECE_MAXIMUM ? (size_t)limits.payload / 8 * 8 : UM_PIECE_MAXIMUM;
}

/* ---- one call ---- */

static void carry(umem_client *client, struct um_ask *ask)
{
    uint64_t deadline_ms = um_client_deadline(client, ask->wait_ms);

    if (ask->text.failed)
        um_ask_fail(ask, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    if (ask->code != UMEM_OK || um_client_check_limits(client, ask) != UMEM_OK)
        return;
    um_client_send(client, ask, deadline_ms);
    um_client_wait(client, ask, deadline_ms);
}

int um_client_end(umem_client *client, struct um_ask *ask)
{
    int code = um_failure_show(client, ask->code, ask->failure);

    um_ask_deinit(ask);
    return code;
}

int um_client_run(umem_client *client, struct um_ask *ask)
{
    if (client == NULL) {
        um_ask_deinit(ask);
        return UMEM_E_OUT_OF_MEMORY;
    }
    carry(client, ask);
    return um_client_end(client, ask);
}
