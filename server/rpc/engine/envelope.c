#include "rpc/engine/envelope.h"

#include <string.h>

#include "base/attributes.h"
#include "wire/json_read.h"

/* Names of a size that is known are compared as numbers by compilers. */
UM_ALWAYS_INLINE void read_members(const struct um_json *request, struct um_envelope *envelope)
{
    *envelope = (struct um_envelope){NULL, NULL, NULL, NULL, false};
    for (const struct um_json *item = request->child; item != NULL; item = item->next) {
        const struct um_json **member = NULL;

        if (item->key_size == 6 && memcmp(item->key, "method", 6) == 0)
            member = &envelope->method;
        else if (item->key_size == 6 && memcmp(item->key, "params", 6) == 0)
            member = &envelope->params;
        else if (item->key_size == 2 && memcmp(item->key, "id", 2) == 0)
            member = &envelope->id;
        else if (item->key_size == 7 && memcmp(item->key, "jsonrpc", 7) == 0)
            member = &envelope->jsonrpc;
        if (member == NULL)
            continue;
        envelope->twice |= *member != NULL;
        *member = item;
    }
}

void um_envelope_read(const struct um_json *request, struct um_envelope *envelope)
{
    read_members(request, envelope);
}

const char *um_envelope_check(const struct um_json *request, struct um_envelope *envelope, struct um_id *id)
{
    const struct um_json *version;

    *id = (struct um_id){.kind = UM_ID_NULL};
    if (request->kind != UM_JSON_OBJECT)
        return "a request is an object";
    read_members(request, envelope);
    if (envelope->twice)
        return "jsonrpc, method, params or id stands twice";
    if (envelope->id != NULL && !um_id_from_json(envelope->id, id))
        return "id must be a string of at most 1024 bytes without \\u0000, a number of at most 1024 bytes, "
               "or null";
    version = envelope->jsonrpc;
    if (version != NULL &&
        (version->kind != UM_JSON_STRING || version->size != 3 || memcmp(version->text, "2.0", 3) != 0))
        return "jsonrpc must be \"2.0\", or be left out";
    if (envelope->method == NULL || envelope->method->kind != UM_JSON_STRING)
        return "method must be a string";
    if (um_json_is(envelope->params, UM_JSON_NULL))
        envelope->params = NULL;
    if (envelope->params != NULL && envelope->params->kind != UM_JSON_OBJECT &&
        envelope->params->kind != UM_JSON_ARRAY)
        return "params must be an object or an array";
    /* Only the standard's form has notifications; in the short form every request is answered. */
    if (envelope->id == NULL && envelope->jsonrpc != NULL)
        id->kind = UM_ID_NONE;
    return NULL;
}
