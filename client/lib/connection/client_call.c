/* One call from its beginning to its end, and the daemon's limits. */
#include "lib/connection/client.h"

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
static int fetch_limits(umem_client *client, struct limits *limits)
{
    struct um_request request;
    int code;

    um_mutex_lock(client->lock);
    *limits = (struct limits){client->message_limit, client->payload_limit};
    um_mutex_unlock(client->lock);
    if (limits->message != 0)
        return UMEM_OK;
    um_request_begin(&request, "server.info");
    um_output_result(&request, read_limits, limits);
    code = um_client_call(client, &request);
    if (code != UMEM_OK)
        return code;
    um_mutex_lock(client->lock);
    client->message_limit = limits->message;
    client->payload_limit = limits->payload;
    um_mutex_unlock(client->lock);
    return UMEM_OK;
}

/* What a request has, and those of a batch together. */
struct sizes {
    uint64_t message; /* bytes of JSON */
    uint64_t payload; /* raw bytes sent */
    uint64_t into;    /* raw bytes wanted */
};

static void add_sizes(struct sizes *sizes, const struct um_request *request)
{
    sizes->message += request->text.size + MESSAGE_OVERHEAD;
    sizes->payload += request->payload_size;
    sizes->into += request->into_size;
}

static void refuse(struct um_request *request, const char *what, uint64_t size, uint64_t limit)
{
    char text[160];

    snprintf(text, sizeof text, "%s has %llu bytes, and the daemon takes %llu", what,
             (unsigned long long)size, (unsigned long long)limit);
    um_request_fail(request, UMEM_E_TOO_LARGE, text);
}

int um_client_check_limits(umem_client *client, struct um_request *request)
{
    struct sizes sizes = {0, 0, 0};
    struct limits limits;
    int code;

    if (request->parts == NULL)
        add_sizes(&sizes, request);
    for (const struct um_request *part = request->parts; part != NULL; part = part->next)
        add_sizes(&sizes, part);
    if (sizes.message <= UM_MESSAGE_MINIMUM && sizes.payload <= UM_PAYLOAD_MINIMUM &&
        sizes.into <= UM_PAYLOAD_MINIMUM)
        return UMEM_OK;
    code = fetch_limits(client, &limits);
    if (code != UMEM_OK)
        um_request_fail(request, code, umem_last_error(client)->message);
    else if (sizes.message > limits.message)
        refuse(request, "the request", sizes.message, limits.message);
    else if (sizes.payload > limits.payload)
        refuse(request, "its payload", sizes.payload, limits.payload);
    else if (sizes.into > limits.payload)
        refuse(request, "its answer", sizes.into, limits.payload);
    return request->code;
}

size_t um_client_piece_size(umem_client *client, size_t size, int *code)
{
    struct limits limits = {0, UM_PAYLOAD_MINIMUM};

    *code = size > UM_PAYLOAD_MINIMUM ? fetch_limits(client, &limits) : UMEM_OK;
    return limits.payload < UM_PIECE_MAXIMUM ? (size_t)limits.payload / 8 * 8 : UM_PIECE_MAXIMUM;
}

/* ---- one call ---- */

static void carry(umem_client *client, struct um_request *request)
{
    uint64_t deadline_ms = um_client_deadline(client, request->wait_ms);

    if (request->text.failed)
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    if (request->code != UMEM_OK || um_client_check_limits(client, request) != UMEM_OK)
        return;
    um_client_send(client, request, deadline_ms);
    um_client_wait(client, request, deadline_ms);
}

int um_client_report(umem_client *client, struct um_request *request)
{
    int code = um_failure_set(client, request->code, request->failure);

    um_request_deinit(request);
    return code;
}

int um_client_call(umem_client *client, struct um_request *request)
{
    if (client == NULL) {
        um_request_deinit(request);
        return UMEM_E_OUT_OF_MEMORY;
    }
    carry(client, request);
    return um_client_report(client, request);
}
