#include "envelope.h"

#include <math.h>
#include <string.h>

#include <cJSON.h>

#include "args.h"
#include "engine.h"
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
    if (call->method == NULL) {
        um_fail(call, UMEM_E_METHOD_NOT_FOUND, "there is no method \"%.64s\"; see rpc.discover",
                envelope->method->valuestring);
        um_reply_end(call);
        return;
    }
    if (call->payload_size != 0 && !call->method->takes_payload) {
        um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes no payload; leave Payload-Length out",
                call->method->name);
        um_reply_end(call);
        return;
    }
    if (um_args_bind(call, cJSON_IsNull(envelope->params) ? NULL : envelope->params, &args))
        call->method->run(call, &args);
}

void um_envelope_handle(const struct um_call *kind, const cJSON *request)
{
    struct um_call call = *kind;
    struct um_peer *peer = call.peer;
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

void um_envelope_refuse(struct um_peer *peer, int code, const char *what)
{
    struct um_call call = {.peer = peer, .id = {.kind = UM_ID_NULL}};

    um_call_start(&call);
    if (!peer->broken)
        fail_whole(&call, code, what);
}

bool um_envelope_raw_size(const cJSON *request, uint64_t *size)
{
    const struct um_method *method;
    struct envelope envelope;

    *size = 0;
    if (!cJSON_IsObject(request))
        return true;
    read_envelope(request, &envelope);
    method = cJSON_IsString(envelope.method) ? um_table_find(envelope.method->valuestring) : NULL;
    return method == NULL || !method->takes_payload || um_args_raw_size(method, envelope.params, size);
}
