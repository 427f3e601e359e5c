#include "rpc/call/args_values.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/job.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

bool um_args_refuse(struct um_call *call, const char *name, const char *format, ...)
{
    char text[256];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s: parameter \"%.64s\" %s", call->method->name, name, text);
    um_reply_quote(call, "param", name);
    um_reply_end(call);
    return false;
}

/* ---- single values ---- */

static bool bind_uint(struct um_call *call, const struct um_param *param, const struct um_json *json,
                      uint64_t *value)
{
    uint64_t maximum = param->maximum != 0 ? param->maximum : (uint64_t)UM_JSON_INTEGER_MAX;
    int64_t integer;

    if (!um_json_integer_of(json, &integer) || integer < 0 || (uint64_t)integer < param->minimum ||
        (uint64_t)integer > maximum)
        return um_args_refuse(call, param->name, "must be an integer from %llu to %llu",
                              (unsigned long long)param->minimum, (unsigned long long)maximum);
    *value = (uint64_t)integer;
    return true;
}

const char *um_args_string(struct um_call *call, const char *name, const struct um_json *json)
{
    if (!um_json_is(json, UM_JSON_STRING)) {
        um_args_refuse(call, name, "must be a string");
        return NULL;
    }
    if (json->has_nul) {
        um_args_refuse(call, name, "must not contain \\u0000; send such bytes as base64 or hex");
        return NULL;
    }
    return json->text;
}

static bool bind_name(struct um_call *call, const struct um_param *param, const struct um_json *json,
                      const char **value)
{
    const char *text = um_args_string(call, param->name, json);
    size_t size;

    if (text == NULL)
        return false;
    size = json->size;
    if (size < param->minimum || size > UM_NAME_SIZE_LIMIT)
        return um_args_refuse(call, param->name, "must have %d to %d bytes, not %zu", (int)param->minimum,
                              UM_NAME_SIZE_LIMIT, size);
    if (text[0] == UM_NAME_MARK)
        return um_args_refuse(
            call, param->name,
            "must not begin with \"%c\", which stands before names where a handle may stand too",
            UM_NAME_MARK);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return um_args_refuse(call, param->name, "must not contain control characters");
    }
    *value = text;
    return true;
}

static const struct um_word *find_word(const struct um_word *words, const struct um_json *json)
{
    for (const struct um_word *word = words; um_json_is(json, UM_JSON_STRING) && word->word != NULL; word++) {
        if (strcmp(word->word, json->text) == 0)
            return word;
    }
    return NULL;
}

static bool refuse_word(struct um_call *call, const struct um_param *param, const char *wanted)
{
    char list[192] = "";
    size_t used = 0;

    for (const struct um_word *word = param->words; word->word != NULL && used < sizeof list; word++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", word == param->words ? "" : ", ",
                                 word->word);
    return um_args_refuse(call, param->name, "must be %s: %s", wanted, list);
}

static bool bind_choice(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        unsigned *value)
{
    const struct um_word *word = find_word(param->words, json);

    if (word == NULL)
        return refuse_word(call, param, "one of");
    *value = word->value;
    return true;
}

static bool bind_flags(struct um_call *call, const struct um_param *param, const struct um_json *json,
                       uint32_t *value)
{
    uint32_t flags = 0;

    if (!um_json_is(json, UM_JSON_ARRAY))
        return refuse_word(call, param, "an array of");
    for (const struct um_json *item = json->child; item != NULL; item = item->next) {
        const struct um_word *word = find_word(param->words, item);

        if (word == NULL)
            return refuse_word(call, param, "an array of");
        if ((flags & word->value) != 0)
            return um_args_refuse(call, param->name, "names %s twice", word->word);
        flags |= word->value;
    }
    *value = flags;
    return true;
}

static bool bind_id(struct um_call *call, const struct um_param *param, const struct um_json *json,
                    struct um_id *value)
{
    if (um_json_is(json, UM_JSON_STRING) && um_args_string(call, param->name, json) == NULL)
        return false;
    if (!um_id_from_json(json, value) || value->kind == UM_ID_NULL)
        return um_args_refuse(call, param->name,
                              "must be the id of a request: a string or a number of at most 1024 bytes");
    return true;
}

static void bind_fallback(const struct um_param *param, struct um_arg *arg)
{
    switch (param->type) {
    case UM_BOOLEAN:
        arg->as.boolean = param->fallback != 0;
        break;
    case UM_CHOICE:
        arg->as.word = (unsigned)param->fallback;
        break;
    case UM_FLAGS:
        arg->as.flags = (uint32_t)param->fallback;
        break;
    case UM_UINT:
    case UM_OFFSET:
    case UM_SIZE:
    case UM_SESSION:
    case UM_WATCH:
        arg->as.uint = param->fallback;
        break;
    default:
        break;
    }
}

/* Types that do not depend on another parameter. Handles are looked up later, when all types are known to be right. */
bool um_args_bind_plain(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        struct um_arg *arg)
{
    *arg = (struct um_arg){.given = json != NULL};
    if (json == NULL) {
        bind_fallback(param, arg);
        return true;
    }
    switch (param->type) {
    case UM_BOOLEAN:
        arg->as.boolean = um_json_is(json, UM_JSON_TRUE);
        return arg->as.boolean || um_json_is(json, UM_JSON_FALSE) ||
               um_args_refuse(call, param->name, "must be true or false");
    case UM_UINT:
    case UM_OFFSET:
    case UM_SIZE:
    case UM_SESSION:
    case UM_WATCH:
        return bind_uint(call, param, json, &arg->as.uint);
    case UM_STRING:
        arg->as.text = um_args_string(call, param->name, json);
        return arg->as.text != NULL;
    case UM_NAME:
        return bind_name(call, param, json, &arg->as.text);
    case UM_CHOICE:
        return bind_choice(call, param, json, &arg->as.word);
    case UM_FLAGS:
        return bind_flags(call, param, json, &arg->as.flags);
    case UM_ID:
        return bind_id(call, param, json, &arg->as.id);
    case UM_HEAP:
    case UM_BLOCK:
        return um_json_is(json, UM_JSON_NUMBER) || um_json_is(json, UM_JSON_STRING) ||
               um_args_refuse(call, param->name, "must be a handle or a name");
    default:
        return true;
    }
}

/* ---- types that another parameter decides ---- */

static unsigned sibling_word(const struct um_method *method, const struct um_args *args, const char *name)
{
    for (size_t i = 0; i < method->param_count; i++) {
        if (method->params[i].type == UM_CHOICE && strcmp(method->params[i].name, name) == 0)
            return args->value[i].as.word;
    }
    return 0;
}

/* Decodes the bytes where their text stands, so that they are looked at once and take no memory of their own. */
static bool bind_data(struct um_call *call, const struct um_param *param, const struct um_json *json,
                      enum um_encoding encoding, struct um_data *data)
{
    const char *text = um_args_string(call, param->name, json);
    void *bytes = (void *)(uintptr_t)text;
    size_t size = 0;
    size_t bad_offset = 0;

    if (text == NULL)
        return false;
    if (encoding == UM_RAW)
        return um_args_refuse(call, param->name,
                              "must be left out with encoding \"raw\": the bytes follow the message");
    if (encoding == UM_BASE64 && !um_base64_decode(bytes, text, json->size, &size, &bad_offset))
        return um_args_refuse(call, param->name,
                              "is not base64 from character %zu on (RFC 4648 section 4, with padding)",
                              bad_offset);
    if (encoding == UM_HEX && !um_hex_decode(bytes, text, json->size, &size, &bad_offset))
        return um_args_refuse(call, param->name, "is not hex from character %zu on (two digits a byte)",
                              bad_offset);
    *data = (struct um_data){bytes, encoding == UM_UTF8 ? json->size : size};
    return true;
}

void um_data_copy(const struct um_data *data, void *target)
{
    if (data->size != 0)
        memcpy(target, data->bytes, (size_t)data->size);
}

static bool bind_value(struct um_call *call, const struct um_param *param, const struct um_json *json,
                       enum um_value_type type, struct um_value *value)
{
    const char *why = "";

    value->type = type;
    if (!um_value_from_json(json, type, value->bytes, &why))
        return um_args_refuse(call, param->name, "(%s) %s", um_value_name(type), why);
    return true;
}

void um_args_fail_value(struct um_call *call, const char *name, const struct um_values *values, size_t index,
                        const char *why)
{
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s: parameter \"%s\" (%s) at index %zu %s", call->method->name,
            name, um_value_name(values->type), index, why);
    um_reply_quote(call, "param", name);
}

/* Reads numbers to `bytes`, in a batch no more than it may still have. */
static bool read_values(struct um_call *call, const struct um_param *param, struct um_values *values,
                        unsigned char *bytes)
{
    size_t width = um_value_size(values->type);
    const struct um_json *item = values->items;

    for (size_t i = 0; item != NULL; item = item->next, i++) {
        const char *why = "";

        if (!um_value_from_json(item, values->type, bytes + i * width, &why)) {
            um_args_fail_value(call, param->name, values, i, why);
            um_reply_end(call);
            return false;
        }
        values->cost += um_value_reading_cost(item, values->type);
        if (call->batch != NULL && values->cost > call->batch->bytes_left)
            return um_call_fits(call, 0,
                                values->cost + (values->count - i - 1) * um_value_cost(values->type));
    }
    values->bytes = bytes;
    return true;
}

static bool bind_values(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        enum um_value_type type, struct um_values *values)
{
    size_t size = json->size * um_value_size(type);
    unsigned char *bytes;

    if (!um_json_is(json, UM_JSON_ARRAY))
        return um_args_refuse(call, param->name, "must be an array of numbers");
    *values = (struct um_values){.type = type, .items = json->child, .count = json->size};
    if (call->batch == NULL &&
        json->size * um_value_cost(type) + call->session->rpc->text_size > UM_JOB_ATOMIC_SIZE) {
        values->cost = json->size * um_value_cost(type);
        return true;
    }
    bytes = um_arena_alloc(&call->session->rpc->arena, size);
    if (bytes != NULL)
        return read_values(call, param, values, bytes);
    um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for %zu values; send fewer at a time",
            json->size);
    um_reply_end(call);
    return false;
}

bool um_args_bind_dependent(struct um_call *call, const struct um_param *param, const struct um_json *json,
                            struct um_args *args, struct um_arg *arg)
{
    const struct um_method *method = call->method;

    switch (param->type) {
    case UM_DATA:
        return bind_data(call, param, json, (enum um_encoding)sibling_word(method, args, "encoding"),
                         &arg->as.data);
    case UM_VALUE:
        return bind_value(call, param, json, (enum um_value_type)sibling_word(method, args, "type"),
                          &arg->as.value);
    case UM_VALUES:
        return bind_values(call, param, json, (enum um_value_type)sibling_word(method, args, "type"),
                           &arg->as.values);
    default:
        return true;
    }
}
