/*
 * From one message to its calls: the envelope of JSON-RPC 2.0, batches, and the short form.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cJSON.h>

#include "arena.h"
#include "args.h"
#include "engine.h"
#include "intake.h"
#include "json_check.h"
#include "json_out.h"
#include "table.h"

/* The members of a request object, as they stand; NULL where there is none. */
struct envelope {
    const cJSON *jsonrpc;
    const cJSON *method;
    const cJSON *params;
    const cJSON *id;
    bool twice; /* a member of these stands twice */
};

bool um_engine_has_nul(const struct um_rpc *rpc, const char *text)
{
    return rpc->had_nul && strstr(text, UM_JSON_NUL_MARK) != NULL;
}

/* Other members are ignored: clients send tracing and the like beside the standard's. */
static void read_envelope(const cJSON *request, struct envelope *envelope)
{
    *envelope = (struct envelope){NULL, NULL, NULL, NULL, false};
    for (const cJSON *item = request->child; item != NULL; item = item->next) {
        const cJSON **member = NULL;

        if (strcmp(item->string, "method") == 0)
            member = &envelope->method;
        else if (strcmp(item->string, "params") == 0)
            member = &envelope->params;
        else if (strcmp(item->string, "id") == 0)
            member = &envelope->id;
        else if (strcmp(item->string, "jsonrpc") == 0)
            member = &envelope->jsonrpc;
        if (member == NULL)
            continue;
        if (*member != NULL)
            envelope->twice = true;
        *member = item;
    }
}

/* Reads an id. Returns false for one that is not a string, an exact integer or null; it is then answered as null. */
static bool read_id(const struct um_rpc *rpc, const cJSON *json, struct um_id *id)
{
    id->kind = UM_ID_NULL;
    if (cJSON_IsNull(json))
        return true;
    if (cJSON_IsString(json)) {
        if (um_engine_has_nul(rpc, json->valuestring))
            return false;
        *id = (struct um_id){.kind = UM_ID_STRING, .text = json->valuestring};
        return true;
    }
    if (!cJSON_IsNumber(json) || !(fabs(json->valuedouble) <= (double)UM_JSON_INTEGER_MAX) ||
        floor(json->valuedouble) < json->valuedouble)
        return false;
    *id = (struct um_id){.kind = UM_ID_INTEGER, .integer = (int64_t)json->valuedouble};
    return true;
}

static void fail_whole(struct um_call *call, int code, const char *what)
{
    um_fail(call, code, "%s: %s", umem_error_text(code), what);
    um_reply_end(call);
}

/* What is wrong with the envelope, or NULL. Sets the call's id as far as it can be told. */
static const char *check_envelope(struct um_call *call, const cJSON *request, struct envelope *envelope)
{
    const struct um_rpc *rpc = call->peer->rpc;

    call->id = (struct um_id){.kind = UM_ID_NULL};
    if (!cJSON_IsObject(request))
        return "a request is an object";
    read_envelope(request, envelope);
    if (envelope->twice)
        return "jsonrpc, method, params or id stands twice";
    if (envelope->id != NULL && !read_id(rpc, envelope->id, &call->id))
        return "id must be a string without \\u0000, an integer from -(2^53-1) to 2^53-1, or null";
    if (envelope->jsonrpc != NULL &&
        (!cJSON_IsString(envelope->jsonrpc) || strcmp(envelope->jsonrpc->valuestring, "2.0") != 0))
        return "jsonrpc must be \"2.0\", or be left out";
    if (!cJSON_IsString(envelope->method))
        return "method must be a string";
    if (envelope->params != NULL && !cJSON_IsObject(envelope->params) && !cJSON_IsArray(envelope->params) &&
        !cJSON_IsNull(envelope->params))
        return "params must be an object or an array";
    /* Only the standard's form has notifications; in the short form every request is answered. */
    if (envelope->id == NULL && envelope->jsonrpc != NULL)
        call->id.kind = UM_ID_NONE;
    return NULL;
}

static void run(struct um_call *call, const struct envelope *envelope)
{
    struct um_args args;

    call->method = um_table_find(envelope->method->valuestring);
    if (call->method != NULL && call->payload_size != 0 && !call->method->takes_payload) {
        um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes no payload; leave Payload-Length out",
                call->method->name);
        um_reply_end(call);
        return;
    }
    if (call->method == NULL) {
        um_fail(call, UMEM_E_METHOD_NOT_FOUND, "there is no method \"%.64s\"; see rpc.discover",
                envelope->method->valuestring);
        um_reply_end(call);
        return;
    }
    if (um_args_bind(call, cJSON_IsNull(envelope->params) ? NULL : envelope->params, &args))
        call->method->run(call, &args);
}

static void handle_request(struct um_peer *peer, const cJSON *request, const struct um_call *kind)
{
    struct um_call call = *kind;
    struct envelope envelope;
    const char *wrong = check_envelope(&call, request, &envelope);

    peer->rpc->requests++;
    um_call_start(&call);
    if (peer->broken)
        return;
    if (wrong != NULL)
        fail_whole(&call, UMEM_E_INVALID_REQUEST, wrong);
    else
        run(&call, &envelope);
}

/* Answers something that belongs to no request. */
static void refuse_message(struct um_peer *peer, int code, const char *what)
{
    struct um_call call = {.peer = peer, .id = {.kind = UM_ID_NULL}};

    um_call_start(&call);
    if (!peer->broken)
        fail_whole(&call, code, what);
}

static void handle_batch(struct um_peer *peer, const cJSON *batch)
{
    size_t start = um_framing_begin(peer);
    size_t body = peer->out.size;
    struct um_call kind = {.peer = peer, .in_batch = true, .start = start};

    peer->batch_left = peer->rpc->limits->batch_bytes;
    um_json_begin_array(&peer->out);
    for (const cJSON *request = batch->child; request != NULL && !peer->broken; request = request->next)
        handle_request(peer, request, &kind);
    if (peer->out.size == body + 1) {
        um_buf_truncate(&peer->out, start);
        return;
    }
    um_json_end_array(&peer->out);
    um_framing_end(peer, start, 0);
    if (peer->out.failed)
        peer->broken = true;
}

static void refuse_long_batch(struct um_peer *peer, uint64_t count)
{
    struct um_call call = {.peer = peer, .id = {.kind = UM_ID_NULL}};
    struct um_fault fault = {
        .limit = "batch_requests",
        .maximum = peer->rpc->limits->batch_requests,
        .asked = count,
        .what = "send it in several batches",
    };

    um_call_start(&call);
    if (!peer->broken)
        um_fail_fault(&call, UMEM_E_LIMIT_EXCEEDED, &fault);
}

static void handle_json(struct um_peer *peer, const cJSON *json, uint64_t payload_size)
{
    struct um_call single = {.peer = peer, .payload_size = payload_size};
    uint64_t count = 0;

    if (!cJSON_IsArray(json)) {
        handle_request(peer, json, &single);
        return;
    }
    for (const cJSON *item = json->child; item != NULL; item = item->next)
        count++;
    if (count == 0)
        refuse_message(peer, UMEM_E_INVALID_REQUEST, "a batch holds at least one request");
    else if (payload_size != 0)
        refuse_message(peer, UMEM_E_UNSUPPORTED,
                       "a batch takes no payload; send raw bytes with a request of its own");
    else if (count > peer->rpc->limits->batch_requests)
        refuse_long_batch(peer, count);
    else
        handle_batch(peer, json);
}

void um_peer_refuse(struct um_peer *peer, int code, const char *what)
{
    peer->rpc->requests++;
    refuse_message(peer, code, what);
}

static void refuse_text(struct um_peer *peer, const struct um_json_check *check)
{
    char what[128];

    snprintf(what, sizeof what, "%s at byte %zu", check->what, check->bad_offset);
    um_peer_refuse(peer, UMEM_E_PARSE_ERROR, what);
}

void um_peer_message(struct um_peer *peer, char *text, size_t size, uint64_t payload_size)
{
    struct um_json_check check;

    if (!um_json_check(text, size, &check)) {
        refuse_text(peer, &check);
    } else {
        const cJSON *json = cJSON_ParseWithLengthOpts(text, size, NULL, 0);

        peer->rpc->had_nul = check.has_nul;
        if (json != NULL)
            handle_json(peer, json, payload_size);
        else
            um_peer_refuse(peer, UMEM_E_INTERNAL_ERROR, "no memory to read the message; send a shorter one");
        um_arena_reset();
    }
    if (payload_size != 0 && peer->intake == NULL)
        um_intake_discard(peer, payload_size);
}
