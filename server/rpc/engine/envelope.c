#include "rpc/engine/envelope.h"

#include <string.h>

#include "rpc/call/args.h"
#include "rpc/call/engine_state.h"
#include "rpc/schema/table.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

/* Bytes that a small answer takes: as long as a batch has so many left, its next request is done. */
enum { ANSWER_ROOM = 1024 };

/* The members of a request object, as they stand; NULL where there is none. */
struct envelope {
    const struct um_json *jsonrpc;
    const struct um_json *method;
    const struct um_json *params;
    const struct um_json *id;
    bool twice; /* a member of these stands twice */
};

/* The member of this name; NULL for others, which are ignored: clients send tracing and the like beside the standard's. Names of a
 * size that is known are compared as numbers by compilers. */
static const struct um_json **member_named(struct envelope *envelope, const char *key, size_t size)
{
    switch (size) {
    case 2:
        return memcmp(key, "id", 2) == 0 ? &envelope->id : NULL;
    case 6:
        return memcmp(key, "method", 6) == 0   ? &envelope->method
               : memcmp(key, "params", 6) == 0 ? &envelope->params
                                               : NULL;
    case 7:
        return memcmp(key, "jsonrpc", 7) == 0 ? &envelope->jsonrpc : NULL;
    default:
        return NULL;
    }
}

static void read_envelope(const struct um_json *request, struct envelope *envelope)
{
    *envelope = (struct envelope){NULL, NULL, NULL, NULL, false};
    for (const struct um_json *item = request->child; item != NULL; item = item->next) {
        const struct um_json **member = member_named(envelope, item->key, item->key_size);

        if (member == NULL)
            continue;
        if (*member != NULL)
            envelope->twice = true;
        *member = item;
    }
}

static bool is_version(const struct um_json *json)
{
    return um_json_is(json, UM_JSON_STRING) && json->size == 3 && memcmp(json->text, "2.0", 3) == 0;
}

static void fail_whole(struct um_call *call, int code, const char *what)
{
    um_fail(call, code, "%s: %s", umem_error_text(code), what);
    um_reply_end(call);
}

/* What is wrong with the envelope, or NULL. Sets the call's id as far as it can be told. */
static const char *check_envelope(struct um_call *call, const struct um_json *request,
                                  struct envelope *envelope)
{
    call->id = (struct um_id){.kind = UM_ID_NULL};
    if (!um_json_is(request, UM_JSON_OBJECT))
        return "a request is an object";
    read_envelope(request, envelope);
    if (envelope->twice)
        return "jsonrpc, method, params or id stands twice";
    if (envelope->id != NULL && !um_id_from_json(envelope->id, &call->id))
        return "id must be a string of at most 1024 bytes without \\u0000, a number of at most 1024 bytes, "
               "or "
               "null";
    if (envelope->jsonrpc != NULL && !is_version(envelope->jsonrpc))
        return "jsonrpc must be \"2.0\", or be left out";
    if (!um_json_is(envelope->method, UM_JSON_STRING))
        return "method must be a string";
    if (envelope->params != NULL && !um_json_is(envelope->params, UM_JSON_OBJECT) &&
        !um_json_is(envelope->params, UM_JSON_ARRAY) && !um_json_is(envelope->params, UM_JSON_NULL))
        return "params must be an object or an array";
    /* Only the standard's form has notifications; in the short form every request is answered. */
    if (envelope->id == NULL && envelope->jsonrpc != NULL)
        call->id.kind = UM_ID_NONE;
    return NULL;
}

static void run(struct um_call *call, const struct envelope *envelope)
{
    struct um_args args;

    call->method = um_table_find(envelope->method->text, envelope->method->size);
    if (call->method == NULL) {
        um_fail(call, UMEM_E_METHOD_NOT_FOUND, "there is no method \"%.64s\"; see rpc.discover",
                envelope->method->text);
        um_reply_end(call);
        return;
    }
    if (call->payload_size != 0 && !call->method->takes_payload) {
        um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes no payload; leave Payload-Length out",
                call->method->name);
        um_reply_end(call);
        return;
    }
    if (um_args_bind(call, um_json_is(envelope->params, UM_JSON_NULL) ? NULL : envelope->params, &args))
        call->method->run(call, &args);
}

void um_envelope_handle(struct um_call *call, const struct um_json *request)
{
    struct um_session *session = call->session;
    struct envelope envelope;
    const char *wrong = check_envelope(call, request, &envelope);

    session->rpc->requests++;
    um_call_start(call);
    if (session->broken)
        return;
    if (wrong != NULL)
        fail_whole(call, UMEM_E_INVALID_REQUEST, wrong);
    else if (call->batch != NULL && !um_call_within_message_limit(call, ANSWER_ROOM))
        fail_whole(call, UMEM_E_TOO_LARGE,
                   "the batch's answers reach message_bytes; send fewer requests in one");
    else
        run(call, &envelope);
}

void um_envelope_refuse(struct um_session *session, int code, const char *what)
{
    struct um_call call = {.session = session, .id = {.kind = UM_ID_NULL}};

    session->rpc->requests++;
    um_call_start(&call);
    if (!session->broken)
        fail_whole(&call, code, what);
}

void um_envelope_refuse_limit(struct um_session *session, int code, const char *what, const char *limit,
                              uint64_t used, uint64_t asked)
{
    struct um_call call = {.session = session, .id = {.kind = UM_ID_NULL}};

    session->rpc->requests++;
    um_call_start(&call);
    if (session->broken)
        return;
    um_fail(&call, code, "%s: %s", umem_error_text(code), what);
    um_reply_limit(&call, limit, um_limits_value(session->rpc->limits, (unsigned)um_limits_find(limit)));
    if (used != 0)
        um_reply_uint(&call, "used", used);
    if (asked != 0)
        um_reply_uint(&call, "asked", asked);
    um_top_consumer_reply(&call, limit);
    um_reply_end(&call);
}

bool um_envelope_raw_size(const struct um_json *request, uint64_t *size)
{
    const struct um_method *method;
    struct envelope envelope;

    *size = 0;
    if (!um_json_is(request, UM_JSON_OBJECT))
        return true;
    read_envelope(request, &envelope);
    method = um_json_is(envelope.method, UM_JSON_STRING)
                 ? um_table_find(envelope.method->text, envelope.method->size)
                 : NULL;
    return method == NULL || !method->takes_payload || um_args_raw_size(method, envelope.params, size);
}
