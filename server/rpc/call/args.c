#include "rpc/call/args.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/call/args_values.h"
#include "rpc/call/engine_state.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

enum { QUOTED_DIGITS = 40 /* bytes of a number that an error's message repeats */ };

/* ---- ranges ---- */

bool um_range_check(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size)
{
    uint64_t block_size = um_block_size(block);

    if (offset <= block_size && size <= block_size - offset)
        return true;
    um_fail(call, UMEM_E_OUT_OF_RANGE,
            "offset %llu + size %llu passes the end of the block, which has %llu bytes",
            (unsigned long long)offset, (unsigned long long)size, (unsigned long long)block_size);
    um_reply_uint(call, "block", um_block_handle(um_call_store(call), block));
    um_reply_uint(call, "offset", offset);
    um_reply_uint(call, "size", size);
    um_reply_uint(call, "block_size", block_size);
    um_reply_end(call);
    return false;
}

/* ---- handles ---- */

enum { HANDLE_DIGITS = 16 };

static bool fail_handle(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        int code, const struct um_fault *fault)
{
    const char *detail = fault->what != NULL ? fault->what : umem_error_text(code);
    size_t size;
    int64_t integer;

    /* What stands for a parameter that is left out is always found. */
    assert(json != NULL);
    if (um_json_is(json, UM_JSON_STRING)) {
        um_fail(call, code, "parameter \"%s\": %s: \"%.255s\"", param->name, detail, json->text);
    } else {
        size = um_json_number_size(json);
        um_fail(call, code, "parameter \"%s\": %s: %.*s%s", param->name, detail,
                (int)(size < QUOTED_DIGITS ? size : QUOTED_DIGITS), json->text,
                size > QUOTED_DIGITS ? "..." : "");
    }
    um_reply_string(call, "param", param->name);
    if (um_json_is(json, UM_JSON_STRING))
        um_reply_quote(call, "handle", json->text);
    else if (um_json_integer_of(json, &integer))
        um_json_int(um_reply_key(call, "handle"), integer);
    else
        um_json_double(um_reply_key(call, "handle"), um_json_double_of(json));
    um_reply_end(call);
    return false;
}

static int find_number(struct um_store *store, enum um_type type, um_handle handle, struct um_arg *arg,
                       struct um_fault *fault)
{
    return type == UM_HEAP ? um_store_find_heap(store, handle, &arg->as.heap, fault)
                           : um_store_find_block(store, handle, &arg->as.block, fault);
}

static int find_name(struct um_store *store, enum um_type type, const char *name, struct um_arg *arg,
                     struct um_fault *fault)
{
    return type == UM_HEAP ? um_store_find_heap_by_name(store, name, &arg->as.heap, fault)
                           : um_store_find_block_by_name(store, name, &arg->as.block, fault);
}

/* A handle as digits, which is what languages whose numbers are strings send. */
static bool to_handle(const char *text, um_handle *handle)
{
    size_t length = strspn(text, "0123456789");

    if (length == 0 || length > HANDLE_DIGITS || text[length] != '\0' || text[0] == '0')
        return false;
    *handle = strtoull(text, NULL, 10);
    return *handle <= UM_JSON_INTEGER_MAX;
}

/* A string is a name; behind UM_NAME_MARK it is nothing else, and digits that are no name are a handle. */
static int find_string(struct um_store *store, enum um_type type, const char *text, struct um_arg *arg,
                       struct um_fault *fault)
{
    um_handle handle;
    int code;

    if (text[0] == UM_NAME_MARK)
        return find_name(store, type, text + 1, arg, fault);
    code = find_name(store, type, text, arg, fault);
    if (code != UMEM_E_UNKNOWN_HANDLE || !to_handle(text, &handle))
        return code;
    *fault = (struct um_fault){0};
    return find_number(store, type, handle, arg, fault);
}

static int find_handle(struct um_store *store, enum um_type type, const struct um_json *json,
                       const char *name, struct um_arg *arg, struct um_fault *fault)
{
    int64_t integer;

    if (name != NULL)
        return find_string(store, type, name, arg, fault);
    /* A number that cannot be a handle is one that was never given out. */
    if (!um_json_integer_of(json, &integer) || integer < 0)
        return UMEM_E_UNKNOWN_HANDLE;
    return find_number(store, type, (um_handle)integer, arg, fault);
}

/* A lock keeps every other session out of a heap and its blocks. */
static bool check_lock(struct um_call *call, const struct um_param *param, const struct um_arg *arg)
{
    struct um_heap *heap =
        param->type == UM_HEAP ? arg->as.heap : um_block_heap(um_call_store(call), arg->as.block);
    struct um_fault fault = {0};
    int code;

    if (call->method->ignores_lock)
        return true;
    code = um_heap_check_lock(heap, call->session->owner, &fault);
    if (code == UMEM_OK)
        return true;
    um_fail_fault(call, code, &fault);
    return false;
}

static bool bind_handle(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        struct um_arg *arg)
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
    } else if (um_json_is(json, UM_JSON_STRING)) {
        name = um_args_string(call, param->name, json);
        if (name == NULL)
            return false;
    }
    code = find_handle(um_call_store(call), param->type, json, name, arg, &fault);
    if (code != UMEM_OK)
        return fail_handle(call, param, json, code, &fault);
    return check_lock(call, param, arg);
}

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

/* Which parameter has this name; the count of them where none does. Most calls name them in their order, so that the look begins
 * at the one that may be next. */
static size_t find_param(const struct um_method *method, const char *name, size_t next)
{
    for (size_t tried = 0; tried < method->param_count; tried++, next++) {
        const char *other;

        if (next >= method->param_count)
            next = 0;
        other = method->params[next].name;
        if (other[0] == name[0] && strcmp(other, name) == 0)
            return next;
    }
    return method->param_count;
}

/* One object in an array is by name, too: no parameter is an object, and some clients send nothing else. */
static const struct um_json *unwrap(const struct um_json *params)
{
    bool is_wrapped =
        um_json_is(params, UM_JSON_ARRAY) && params->size == 1 && um_json_is(params->child, UM_JSON_OBJECT);

    return is_wrapped ? params->child : params;
}

/* Finds which JSON value each parameter has; null is as if left out, also behind the last parameter. */
static bool match(struct um_call *call, const struct um_json *params, const struct um_json **found)
{
    const struct um_method *method = call->method;
    bool by_position = um_json_is(params, UM_JSON_ARRAY);
    unsigned seen = 0; /* bit n: parameter n */
    size_t index = 0;

    for (const struct um_json *item = params != NULL ? params->child : NULL; item != NULL;
         item = item->next, index++) {
        if (!by_position)
            index = find_param(method, item->key, index);
        if (index >= method->param_count && by_position && um_json_is(item, UM_JSON_NULL))
            continue;
        if (index >= method->param_count && by_position) {
            um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes at most %zu parameters", method->name,
                    method->param_count);
            um_reply_end(call);
            return false;
        }
        if (index >= method->param_count)
            return um_args_refuse(call, item->key, "is not one of this method's; see rpc.discover");
        if ((seen >> index & 1) != 0)
            return um_args_refuse(call, item->key, "is given twice");
        seen |= 1U << index;
        if (!um_json_is(item, UM_JSON_NULL))
            found[index] = item;
    }
    return true;
}

/* Handles are looked up when all else is known to be right. */
static bool is_handle(const struct um_param *param)
{
    return param->type == UM_HEAP || param->type == UM_BLOCK;
}

/* Whether another parameter decides how it is read. */
static bool is_dependent(const struct um_param *param)
{
    return param->type == UM_DATA || param->type == UM_VALUE || param->type == UM_VALUES;
}

bool um_args_bind(struct um_call *call, const struct um_json *params, struct um_args *args)
{
    const struct um_method *method = call->method;
    const struct um_json *found[UM_PARAMS_MAXIMUM] = {NULL};
    unsigned dependents = 0; /* bit n: parameter n is one, and is given */
    unsigned handles = 0;    /* likewise, given or not */

    if (!match(call, unwrap(params), found))
        return false;
    for (size_t i = 0; i < method->param_count; i++) {
        const struct um_param *param = &method->params[i];

        if (is_handle(param))
            handles |= 1U << i;
        else if (found[i] != NULL && is_dependent(param))
            dependents |= 1U << i;
        if (found[i] == NULL && param->required)
            return um_args_refuse(call, param->name, "is missing");
        if (!um_args_bind_plain(call, param, found[i], &args->value[i]))
            return false;
    }
    for (size_t i = 0; dependents >> i != 0; i++) {
        if ((dependents >> i & 1) != 0 &&
            !um_args_bind_dependent(call, &method->params[i], found[i], args, &args->value[i]))
            return false;
    }
    for (size_t i = 0; handles >> i != 0; i++) {
        if ((handles >> i & 1) != 0 && !bind_handle(call, &method->params[i], found[i], &args->value[i]))
            return false;
    }
    for (size_t i = 0; i < UM_RANGES_MAXIMUM && method->ranges[i].block != 0; i++) {
        if (!bind_range(call, &method->ranges[i], args, &args->range[i]))
            return false;
    }
    return true;
}

/* ---- raw bytes ---- */

/* What a call has for a parameter, by name or by position, or NULL. */
static const struct um_json *value_of(const struct um_method *method, const struct um_json *params,
                                      const char *name)
{
    size_t index = find_param(method, name, 0);

    if (index == method->param_count)
        return NULL;
    return um_json_is(params, UM_JSON_ARRAY) ? um_json_element_of(params, index)
                                             : um_json_member_of(params, name);
}

bool um_args_raw_size(const struct um_method *method, const struct um_json *params, uint64_t *size)
{
    const struct um_json *encoding = value_of(method, unwrap(params), "encoding");
    const struct um_json *said = value_of(method, unwrap(params), "size");
    int64_t integer;

    *size = 0;
    if (!um_json_is(encoding, UM_JSON_STRING) || strcmp(encoding->text, "raw") != 0)
        return true;
    if (said == NULL || !um_json_integer_of(said, &integer) || integer < 0)
        return false;
    *size = (uint64_t)integer;
    return true;
}
