#include "args.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cJSON.h>

#include "arena.h"
#include "attributes.h"
#include "engine.h"
#include "json_out.h"
#include "text.h"

/* ---- errors ---- */

/* Answers invalid_params for one parameter. Always returns false. */
UM_PRINTF(3, 4)
static bool refuse(struct um_call *call, const char *name, const char *format, ...)
{
    char text[256];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s: parameter \"%.64s\" %s", call->method->name, name, text);
    um_reply_string(call, "param", name);
    um_reply_end(call);
    return false;
}

bool um_range_check(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size)
{
    uint64_t block_size = um_block_size(block);

    if (offset <= block_size && size <= block_size - offset)
        return true;
    um_fail(call, UMEM_E_OUT_OF_RANGE, "offset %llu + size %llu passes the end of the block, which has %llu bytes",
            (unsigned long long)offset, (unsigned long long)size, (unsigned long long)block_size);
    um_reply_uint(call, "block", um_block_handle(um_call_store(call), block));
    um_reply_uint(call, "offset", offset);
    um_reply_uint(call, "size", size);
    um_reply_uint(call, "block_size", block_size);
    um_reply_end(call);
    return false;
}

/* ---- single values ---- */

static bool bind_uint(struct um_call *call, const struct um_param *param, const cJSON *json, uint64_t *value)
{
    double maximum = param->maximum != 0 ? (double)param->maximum : (double)UM_JSON_INTEGER_MAX;
    double number = json->valuedouble;

    if (!cJSON_IsNumber(json) || !(number >= (double)param->minimum && number <= maximum) || floor(number) < number)
        return refuse(call, param->name, "must be an integer from %llu to %.0f", (unsigned long long)param->minimum,
                      maximum);
    *value = (uint64_t)number;
    return true;
}

static const char *string_of(struct um_call *call, const char *name, const cJSON *json)
{
    if (!cJSON_IsString(json)) {
        refuse(call, name, "must be a string");
        return NULL;
    }
    if (um_engine_has_nul(call->peer->rpc, json->valuestring)) {
        refuse(call, name, "must not contain \\u0000; send such bytes as base64 or hex");
        return NULL;
    }
    return json->valuestring;
}

static bool bind_name(struct um_call *call, const struct um_param *param, const cJSON *json, const char **value)
{
    const char *text = string_of(call, param->name, json);
    size_t size;

    if (text == NULL)
        return false;
    size = strlen(text);
    if (size < param->minimum || size > UM_NAME_SIZE_LIMIT)
        return refuse(call, param->name, "must have %d to %d bytes, not %zu", (int)param->minimum, UM_NAME_SIZE_LIMIT,
                      size);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return refuse(call, param->name, "must not contain control characters");
    }
    *value = text;
    return true;
}

static const struct um_word *find_word(const struct um_word *words, const cJSON *json)
{
    for (const struct um_word *word = words; cJSON_IsString(json) && word->word != NULL; word++) {
        if (strcmp(word->word, json->valuestring) == 0)
            return word;
    }
    return NULL;
}

static bool refuse_word(struct um_call *call, const struct um_param *param, const char *wanted)
{
    char list[192] = "";
    size_t used = 0;

    for (const struct um_word *word = param->words; word->word != NULL && used < sizeof list; word++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", word == param->words ? "" : ", ", word->word);
    return refuse(call, param->name, "must be %s: %s", wanted, list);
}

static bool bind_choice(struct um_call *call, const struct um_param *param, const cJSON *json, unsigned *value)
{
    const struct um_word *word = find_word(param->words, json);

    if (word == NULL)
        return refuse_word(call, param, "one of");
    *value = word->value;
    return true;
}

static bool bind_flags(struct um_call *call, const struct um_param *param, const cJSON *json, uint32_t *value)
{
    uint32_t flags = 0;

    if (!cJSON_IsArray(json))
        return refuse_word(call, param, "an array of");
    for (const cJSON *item = json->child; item != NULL; item = item->next) {
        const struct um_word *word = find_word(param->words, item);

        if (word == NULL)
            return refuse_word(call, param, "an array of");
        if ((flags & word->value) != 0)
            return refuse(call, param->name, "names %s twice", word->word);
        flags |= word->value;
    }
    *value = flags;
    return true;
}

static bool bind_id(struct um_call *call, const struct um_param *param, const cJSON *json, const cJSON **value)
{
    if (cJSON_IsString(json)) {
        *value = json;
        return string_of(call, param->name, json) != NULL;
    }
    if (!cJSON_IsNumber(json) || !(fabs(json->valuedouble) <= (double)UM_JSON_INTEGER_MAX) ||
        floor(json->valuedouble) < json->valuedouble)
        return refuse(call, param->name, "must be the id of a request: a string or an integer");
    *value = json;
    return true;
}

/* Types that do not depend on another parameter. Handles are looked up later, when all types are known to be right. */
static bool bind_plain(struct um_call *call, const struct um_param *param, const cJSON *json, struct um_arg *arg)
{
    switch (param->type) {
    case UM_BOOLEAN:
        arg->as.boolean = cJSON_IsTrue(json) != 0;
        return cJSON_IsBool(json) || refuse(call, param->name, "must be true or false");
    case UM_UINT:
    case UM_OFFSET:
    case UM_SIZE:
    case UM_SESSION:
    case UM_WATCH:
        return bind_uint(call, param, json, &arg->as.uint);
    case UM_STRING:
        arg->as.text = string_of(call, param->name, json);
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
        return cJSON_IsNumber(json) || cJSON_IsString(json) || refuse(call, param->name, "must be a handle or a name");
    default:
        return true;
    }
}

static void bind_fallback(const struct um_param *param, struct um_arg *arg)
{
    *arg = (struct um_arg){.given = false};
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

/* ---- types that another parameter decides ---- */

static unsigned sibling_word(const struct um_method *method, const struct um_args *args, const char *name)
{
    for (size_t i = 0; i < method->param_count; i++) {
        if (strcmp(method->params[i].name, name) == 0)
            return args->value[i].as.word;
    }
    return 0;
}

static bool bind_data(struct um_call *call, const struct um_param *param, const cJSON *json, enum um_encoding encoding,
                      struct um_data *data)
{
    const char *text = string_of(call, param->name, json);
    size_t size = 0;
    size_t bad_offset = 0;

    if (text == NULL)
        return false;
    *data = (struct um_data){.text = text, .text_size = strlen(text), .encoding = encoding};
    if (encoding == UM_RAW)
        return refuse(call, param->name, "must be left out with encoding \"raw\": the bytes follow the message");
    if (encoding == UM_BASE64 && !um_base64_decoded_size(text, data->text_size, &size, &bad_offset))
        return refuse(call, param->name, "is not base64 from character %zu on (RFC 4648 section 4, with padding)",
                      bad_offset);
    if (encoding == UM_HEX && !um_hex_decoded_size(text, data->text_size, &size, &bad_offset))
        return refuse(call, param->name, "is not hex from character %zu on (two digits a byte)", bad_offset);
    data->size = encoding == UM_UTF8 ? data->text_size : size;
    return true;
}

void um_data_decode(const struct um_data *data, void *target)
{
    if (data->encoding == UM_BASE64)
        um_base64_decode(target, data->text, data->text_size);
    else if (data->encoding == UM_HEX)
        um_hex_decode(target, data->text, data->text_size);
    else if (data->text_size != 0)
        memcpy(target, data->text, data->text_size);
}

static bool bind_value(struct um_call *call, const struct um_param *param, const cJSON *json, enum um_value_type type,
                       struct um_value *value)
{
    const char *why = "";

    value->type = type;
    if (!um_value_from_json(json, type, value->bytes, &why))
        return refuse(call, param->name, "(%s) %s", um_value_name(type), why);
    return true;
}

static bool bind_values(struct um_call *call, const struct um_param *param, const cJSON *json, enum um_value_type type,
                        struct um_values *values)
{
    size_t width = um_value_size(type);
    size_t count = 0;
    unsigned char *bytes;

    if (!cJSON_IsArray(json))
        return refuse(call, param->name, "must be an array of numbers");
    for (const cJSON *item = json->child; item != NULL; item = item->next)
        count++;
    bytes = um_arena_alloc(count * width);
    if (bytes == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for %zu values; send fewer at a time", count);
        um_reply_end(call);
        return false;
    }
    *values = (struct um_values){.type = type, .bytes = bytes, .count = count};
    count = 0;
    for (const cJSON *item = json->child; item != NULL; item = item->next, count++) {
        const char *why = "";

        if (!um_value_from_json(item, type, bytes + count * width, &why))
            return refuse(call, param->name, "(%s) at index %zu %s", um_value_name(type), count, why);
    }
    return true;
}

static bool bind_dependent(struct um_call *call, const struct um_param *param, const cJSON *json, struct um_args *args,
                           struct um_arg *arg)
{
    const struct um_method *method = call->method;

    switch (param->type) {
    case UM_DATA:
        return bind_data(call, param, json, (enum um_encoding)sibling_word(method, args, "encoding"), &arg->as.data);
    case UM_VALUE:
        return bind_value(call, param, json, (enum um_value_type)sibling_word(method, args, "type"), &arg->as.value);
    case UM_VALUES:
        return bind_values(call, param, json, (enum um_value_type)sibling_word(method, args, "type"), &arg->as.values);
    default:
        return true;
    }
}

/* ---- handles ---- */

static bool fail_handle(struct um_call *call, const struct um_param *param, const cJSON *json, int code,
                        const struct um_fault *fault)
{
    const char *detail = fault->what != NULL ? fault->what : umem_error_text(code);

    if (cJSON_IsString(json))
        um_fail(call, code, "parameter \"%s\": %s: \"%.255s\"", param->name, detail, json->valuestring);
    else
        um_fail(call, code, "parameter \"%s\": %s: %.17g", param->name, detail, json->valuedouble);
    um_reply_string(call, "param", param->name);
    if (cJSON_IsString(json))
        um_reply_string(call, "handle", json->valuestring);
    else
        um_json_double(um_reply_key(call, "handle"), json->valuedouble);
    um_reply_end(call);
    return false;
}

static int find_handle(struct um_store *store, enum um_type type, const cJSON *json, const char *name, struct um_arg *arg,
                       struct um_fault *fault)
{
    um_handle handle;

    if (name != NULL)
        return type == UM_HEAP ? um_store_find_heap_by_name(store, name, &arg->as.heap, fault)
                               : um_store_find_block_by_name(store, name, &arg->as.block, fault);
    /* A number that cannot be a handle is one that was never given out. */
    if (!(json->valuedouble >= 0 && json->valuedouble <= (double)UM_JSON_INTEGER_MAX) ||
        floor(json->valuedouble) < json->valuedouble)
        return UMEM_E_UNKNOWN_HANDLE;
    handle = (um_handle)json->valuedouble;
    return type == UM_HEAP ? um_store_find_heap(store, handle, &arg->as.heap, fault)
                           : um_store_find_block(store, handle, &arg->as.block, fault);
}

/* A lock keeps every other session out of a heap and its blocks. */
static bool check_lock(struct um_call *call, const struct um_param *param, const struct um_arg *arg)
{
    struct um_heap *heap = param->type == UM_HEAP ? arg->as.heap : um_block_heap(um_call_store(call), arg->as.block);
    struct um_fault fault = {0};
    int code;

    if (call->method->ignores_lock)
        return true;
    code = um_heap_check_lock(heap, call->peer->owner, &fault);
    if (code == UMEM_OK)
        return true;
    um_fail_fault(call, code, &fault);
    return false;
}

static bool bind_handle(struct um_call *call, const struct um_param *param, const cJSON *json, struct um_arg *arg)
{
    struct um_fault fault = {0};
    const char *name = NULL;
    int code;

    if (json == NULL && param->fallback_name == NULL) {
        arg->as.heap = NULL;
        return true;
    }
    if (json == NULL) {
        name = param->fallback_name;
    } else if (cJSON_IsString(json)) {
        name = string_of(call, param->name, json);
        if (name == NULL)
            return false;
    }
    code = find_handle(um_call_store(call), param->type, json, name, arg, &fault);
    if (code != UMEM_OK)
        return fail_handle(call, param, json, code, &fault);
    return check_lock(call, param, arg);
}

/* ---- ranges ---- */

static bool bind_range(struct um_call *call, const struct um_range_rule *rule, const struct um_args *args,
                       struct um_range *range)
{
    uint64_t block_size;

    range->block = args->value[rule->block - 1].as.block;
    if (range->block == NULL)
        return true;
    block_size = um_block_size(range->block);
    range->offset = rule->offset != 0 ? args->value[rule->offset - 1].as.uint : 0;
    if (rule->size != 0 && args->value[rule->size - 1].given)
        range->size = args->value[rule->size - 1].as.uint;
    else
        range->size = range->offset < block_size ? block_size - range->offset : 0;
    return um_range_check(call, range->block, range->offset, range->size);
}

/* ---- all parameters ---- */

static const struct um_param *find_param(const struct um_method *method, const char *name, size_t *index)
{
    for (*index = 0; *index < method->param_count; ++*index) {
        if (strcmp(method->params[*index].name, name) == 0)
            return &method->params[*index];
    }
    return NULL;
}

/* Finds which JSON value each parameter has; null is as if left out. */
static bool match(struct um_call *call, const cJSON *params, const cJSON **found)
{
    const struct um_method *method = call->method;
    bool by_position = cJSON_IsArray(params) != 0;
    bool seen[UM_PARAMS_MAXIMUM] = {false};
    size_t index = 0;

    for (const cJSON *item = params != NULL ? params->child : NULL; item != NULL; item = item->next, index++) {
        if (by_position && index >= method->param_count) {
            um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes at most %zu parameters", method->name, method->param_count);
            um_reply_end(call);
            return false;
        }
        if (!by_position && find_param(method, item->string, &index) == NULL)
            return refuse(call, item->string, "is not one of this method's; see rpc.discover");
        if (seen[index])
            return refuse(call, item->string, "is given twice");
        seen[index] = true;
        if (!cJSON_IsNull(item))
            found[index] = item;
    }
    return true;
}

bool um_args_bind(struct um_call *call, const cJSON *params, struct um_args *args)
{
    const struct um_method *method = call->method;
    const cJSON *found[UM_PARAMS_MAXIMUM] = {NULL};

    if (!match(call, params, found))
        return false;
    for (size_t i = 0; i < method->param_count; i++) {
        const struct um_param *param = &method->params[i];

        bind_fallback(param, &args->value[i]);
        if (found[i] == NULL && param->required)
            return refuse(call, param->name, "is missing");
        if (found[i] == NULL)
            continue;
        args->value[i].given = true;
        if (!bind_plain(call, param, found[i], &args->value[i]))
            return false;
    }
    for (size_t i = 0; i < method->param_count; i++) {
        if (found[i] != NULL && !bind_dependent(call, &method->params[i], found[i], args, &args->value[i]))
            return false;
    }
    for (size_t i = 0; i < method->param_count; i++) {
        if ((method->params[i].type == UM_HEAP || method->params[i].type == UM_BLOCK) &&
            !bind_handle(call, &method->params[i], found[i], &args->value[i]))
            return false;
    }
    for (size_t i = 0; i < UM_RANGES_MAXIMUM && method->ranges[i].block != 0; i++) {
        if (!bind_range(call, &method->ranges[i], args, &args->range[i]))
            return false;
    }
    return true;
}
