#include "rpc/call/args.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/encoding.h"
#include "base/steps.h"
#include "rpc/call/engine_state.h"
#include "rpc/schema/words.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

enum { QUOTED_DIGITS = 40 /* bytes of a number that an error's message repeats */ };

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

/* ---- ranges ---- */

bool um_range_refuse(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size)
{
    uint64_t block_size = um_block_size(block);

    um_fail(call, UMEM_E_OUT_OF_RANGE,
            "offset %llu + size %llu passes the end of the block, which has %llu bytes",
            (unsigned long long)offset, (unsigned long long)size, (unsigned long long)block_size);
    um_reply_uint(call, "block", um_block_handle(call->store, block));
    um_reply_uint(call, "offset", offset);
    um_reply_uint(call, "size", size);
    um_reply_uint(call, "block_size", block_size);
    um_reply_end(call);
    return false;
}

struct um_range um_range_of(const struct um_call *call, struct um_block *block, uint64_t offset,
                            uint64_t size)
{
    return (struct um_range){block, um_block_handle(call->store, block), offset, size};
}

int um_range_find(const struct um_call *call, struct um_range *range, struct um_fault *fault)
{
    struct um_block *found = NULL;
    int code = um_owner_find_block(call->store, call->session->owner, range->handle, &found, fault);

    if (code != UMEM_OK)
        return code;
    if (um_block_size(found) < range->offset + range->size) {
        *fault = (struct um_fault){.block = range->handle,
                                   .what = "the block was made smaller while the call was at work on it"};
        return UMEM_E_OUT_OF_RANGE;
    }
    range->block = found;
    return UMEM_OK;
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

/* A string without NUL, good as long as the message; NULL where it is none: then the call is answered. */
UM_ALWAYS_INLINE const char *bind_string(struct um_call *call, const char *name, const struct um_json *json)
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
    const char *text = bind_string(call, param->name, json);
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
        if (word->word[0] == json->text[0] && strcmp(word->word, json->text) == 0)
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
                        uint64_t *value)
{
    const struct um_word *word = find_word(param->words, json);

    if (word == NULL)
        return refuse_word(call, param, "one of");
    *value = word->value;
    return true;
}

static bool bind_flags(struct um_call *call, const struct um_param *param, const struct um_json *json,
                       uint64_t *value)
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
    if (um_json_is(json, UM_JSON_STRING) && bind_string(call, param->name, json) == NULL)
        return false;
    if (!um_id_from_json(json, value) || value->kind == UM_ID_NULL)
        return um_args_refuse(call, param->name,
                              "must be the id of a request: a string or a number of at most 1024 bytes");
    return true;
}

/* Types that do not depend on another parameter. A handle is looked up later, when all types are known to be right: here are those of
 * which may_be_handle() is false. */
static bool bind_plain(struct um_call *call, const struct um_param *param, const struct um_json *json,
                       struct um_arg *arg)
{
    switch (param->type) {
    case UM_BOOLEAN:
        arg->as.boolean = json->kind == UM_JSON_TRUE;
        return arg->as.boolean || json->kind == UM_JSON_FALSE ||
               um_args_refuse(call, param->name, "must be true or false");
    case UM_UINT:
    case UM_OFFSET:
    case UM_SIZE:
    case UM_SESSION:
    case UM_WATCH:
        return bind_uint(call, param, json, &arg->as.uint);
    case UM_STRING:
        arg->as.text = bind_string(call, param->name, json);
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
        return um_args_refuse(call, param->name, "must be a handle or a name");
    default:
        return true;
    }
}

/* ---- types that another parameter decides ---- */

/* Decodes bytes where their text stands, so that they are looked at once and take no memory of their own. Nothing is to be done for
 * UM_UTF8, which stands for itself. */
UM_ALWAYS_INLINE bool decode_text(enum um_encoding encoding, void *bytes, const char *text, size_t text_size,
                                  size_t *size, size_t *bad_offset)
{
    if (encoding == UM_BASE64)
        return um_base64_decode(bytes, text, text_size, size, bad_offset);
    if (encoding == UM_HEX)
        return um_hex_decode(bytes, text, text_size, size, bad_offset);
    *size = text_size;
    return true;
}

static bool refuse_data(struct um_call *call, const struct um_param *param, enum um_encoding encoding,
                        size_t bad_offset)
{
    return encoding == UM_HEX
               ? um_args_refuse(call, param->name, "is not hex from character %zu on (two digits a byte)",
                                bad_offset)
               : um_args_refuse(call, param->name,
                                "is not base64 from character %zu on (RFC 4648 section 4, with padding)",
                                bad_offset);
}

/* Whether a text is to be decoded in steps: a batch runs as a whole, and raw bytes behind the message would come meanwhile. */
UM_ALWAYS_INLINE bool takes_long(const struct um_call *call, enum um_encoding encoding, size_t size)
{
    return size > UM_CALL_ATOMIC_SIZE && encoding != UM_UTF8 && call->batch == NULL &&
           call->payload_size == 0 && call->session->rpc->own_text != NULL;
}

static bool bind_data(struct um_call *call, const struct um_param *param, const struct um_json *json,
                      enum um_encoding encoding, struct um_args *args, struct um_data *data)
{
    const char *text = json->text;
    size_t bad_offset = 0;
    size_t size = 0;

    if (json->kind == UM_JSON_STRING && json->is_decoded) {
        *data = (struct um_data){(const unsigned char *)text, json->size};
        return text != NULL || refuse_data(call, param, encoding, json->size);
    }
    text = bind_string(call, param->name, json);
    if (text == NULL)
        return false;
    if (encoding == UM_RAW)
        return um_args_refuse(call, param->name,
                              "must be left out with encoding \"raw\": the bytes follow the message");
    if (takes_long(call, encoding, json->size)) {
        args->undecoded =
            (struct um_undecoded){.json = (struct um_json *)(uintptr_t)json, .encoding = encoding};
        return false;
    }
    if (!decode_text(encoding, (void *)(uintptr_t)text, text, json->size, &size, &bad_offset))
        return refuse_data(call, param, encoding, bad_offset);
    *data = (struct um_data){(const unsigned char *)text, size};
    return true;
}

bool um_args_decode(struct um_undecoded *undecoded, size_t budget)
{
    struct um_json *json = undecoded->json;
    const char *text = json->text + undecoded->read;
    char *bytes = (char *)(uintptr_t)json->text + undecoded->written;
    size_t left = json->size - undecoded->read;
    size_t size = left > budget ? budget / 4 * 4 : left;
    size_t decoded = 0;
    size_t bad_offset = 0;
    bool is_right;

    /* Padding stands at the very end only. */
    if (size < left && undecoded->encoding == UM_BASE64)
        is_right = um_base64_decode_part(bytes, text, size, &decoded, &bad_offset);
    else
        is_right = decode_text(undecoded->encoding, bytes, text, size, &decoded, &bad_offset);
    UM_TOUCH(size);
    undecoded->read += size;
    undecoded->written += decoded;
    if (is_right && size < left)
        return true;
    json->is_decoded = true;
    json->size = is_right ? undecoded->written : undecoded->read - size + bad_offset;
    if (!is_right)
        json->text = NULL;
    return false;
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
        json->size * um_value_cost(type) + call->session->rpc->text_size > UM_CALL_ATOMIC_SIZE) {
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

UM_ALWAYS_INLINE bool bind_dependent(struct um_call *call, const struct um_param *param,
                                     const struct um_json *json, struct um_args *args, struct um_arg *arg)
{
    uint64_t word = param->by != 0 ? args->value[param->by - 1].as.word : 0;

    switch (param->type) {
    case UM_DATA:
        return bind_data(call, param, json, (enum um_encoding)word, args, &arg->as.data);
    case UM_VALUE:
        return bind_value(call, param, json, (enum um_value_type)word, &arg->as.value);
    default:
        return bind_values(call, param, json, (enum um_value_type)word, &arg->as.values);
    }
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

/* A lock keeps every other session out of a heap and its blocks. */
static int use_heap(const struct um_call *call, struct um_heap *heap, struct um_fault *fault)
{
    int code = call->method->ignores_lock ? UMEM_OK : um_heap_check_lock(heap, call->session->owner, fault);

    if (code == UMEM_OK)
        um_heap_note_call(call->store, heap);
    return code;
}

/* That a heap's or a block's argument is about. */
static struct um_heap *heap_of(const struct um_call *call, enum um_type type, const struct um_arg *arg)
{
    return type == UM_HEAP ? arg->as.heap : um_block_heap(call->store, arg->as.block);
}

UM_ALWAYS_INLINE int find_number(const struct um_call *call, enum um_type type, um_handle handle,
                                 struct um_arg *arg, struct um_fault *fault)
{
    int code;

    if (type == UM_BLOCK && !call->method->ignores_lock)
        return um_owner_use_block(call->store, call->session->owner, handle, &arg->as.block, fault);
    code = type == UM_BLOCK ? um_store_find_block(call->store, handle, &arg->as.block, fault)
                            : um_store_find_heap(call->store, handle, &arg->as.heap, fault);
    return code != UMEM_OK ? code : use_heap(call, heap_of(call, type, arg), fault);
}

static int find_name(const struct um_call *call, enum um_type type, const char *name, struct um_arg *arg,
                     struct um_fault *fault)
{
    int code = type == UM_HEAP ? um_store_find_heap_by_name(call->store, name, &arg->as.heap, fault)
                               : um_store_find_block_by_name(call->store, name, &arg->as.block, fault);

    if (code != UMEM_OK)
        return code;
    return use_heap(call, heap_of(call, type, arg), fault);
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
static int find_string(const struct um_call *call, enum um_type type, const char *text, struct um_arg *arg,
                       struct um_fault *fault)
{
    um_handle handle;
    int code;

    if (text[0] == UM_NAME_MARK)
        return find_name(call, type, text + 1, arg, fault);
    code = find_name(call, type, text, arg, fault);
    if (code != UMEM_E_UNKNOWN_HANDLE || !to_handle(text, &handle))
        return code;
    *fault = (struct um_fault){0};
    return find_number(call, type, handle, arg, fault);
}

static bool bind_handle(struct um_call *call, const struct um_param *param, const struct um_json *json,
                        struct um_arg *arg)
{
    struct um_fault fault = {0};
    int64_t integer;
    int code;

    if (json == NULL) {
        assert(strcmp(param->fallback_name, "process") ==
               0); /* no other heap stands for one that is left out */
        arg->as.heap = um_store_process_heap(call->store);
        code = use_heap(call, arg->as.heap, &fault);
    } else if (json->kind == UM_JSON_STRING) {
        const char *name = bind_string(call, param->name, json);

        if (name == NULL)
            return false;
        code = find_string(call, param->type, name, arg, &fault);
    } else if (um_json_integer_of(json, &integer) && integer >= 0) {
        code = find_number(call, param->type, (um_handle)integer, arg, &fault);
    } else {
        /* A number that cannot be a handle is one that was never given out. */
        code = UMEM_E_UNKNOWN_HANDLE;
    }
    if (code == UMEM_OK)
        return true;
    if (code != UMEM_E_LOCKED)
        return fail_handle(call, param, json, code, &fault);
    um_fail_fault(call, code, &fault);
    return false;
}

static bool bind_range(struct um_call *call, const struct um_range_rule *rule, const struct um_args *args,
                       struct um_range *range)
{
    uint64_t block_size;

    range->block = args->value[rule->block - 1].as.block;
    if (range->block == NULL)
        return true;
    range->handle = um_block_handle(call->store, range->block);
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
UM_ALWAYS_INLINE size_t find_param(const struct um_method *method, const char *name, size_t next)
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
UM_ALWAYS_INLINE const struct um_json *unwrap(const struct um_json *params)
{
    bool is_wrapped = params != NULL && params->kind == UM_JSON_ARRAY && params->size == 1 &&
                      params->child->kind == UM_JSON_OBJECT;

    return is_wrapped ? params->child : params;
}

/* What may be wrong with the parameters before their values are looked at. */
enum mismatch { MISMATCH_NONE, MISMATCH_TOO_MANY, MISMATCH_UNKNOWN, MISMATCH_TWICE };

/* Finds which JSON value each parameter has; null is as if left out, also behind the last parameter. *wrong is the value where something
 * is wrong. */
UM_ALWAYS_INLINE enum mismatch find_values(const struct um_method *method, const struct um_json *params,
                                           const struct um_json **found, const struct um_json **wrong)
{
    bool by_position = um_json_is(params, UM_JSON_ARRAY);
    unsigned seen = 0; /* bit n: parameter n */
    size_t index = 0;

    for (const struct um_json *item = params != NULL ? params->child : NULL; item != NULL;
         item = item->next, index++) {
        if (!by_position)
            index = find_param(method, item->key, index);
        if (index >= method->param_count && by_position && um_json_is(item, UM_JSON_NULL))
            continue;
        *wrong = item;
        if (index >= method->param_count)
            return by_position ? MISMATCH_TOO_MANY : MISMATCH_UNKNOWN;
        if ((seen >> index & 1) != 0)
            return MISMATCH_TWICE;
        seen |= 1U << index;
        if (!um_json_is(item, UM_JSON_NULL))
            found[index] = item;
    }
    return MISMATCH_NONE;
}

static bool refuse_match(struct um_call *call, enum mismatch mismatch, const struct um_json *wrong)
{
    const struct um_method *method = call->method;

    if (mismatch == MISMATCH_UNKNOWN)
        return um_args_refuse(call, wrong->key, "is not one of this method's; see rpc.discover");
    if (mismatch == MISMATCH_TWICE)
        return um_args_refuse(call, wrong->key, "is given twice");
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes at most %zu parameters", method->name,
            method->param_count);
    um_reply_end(call);
    return false;
}

static void list_param(struct um_param_list *list, size_t number)
{
    list->of[list->count++] = (unsigned char)number;
}

/* Whether this may stand for a heap or a block: of all texts of one shape, or of none. */
static bool may_be_handle(const struct um_json *json)
{
    return json->kind == UM_JSON_NUMBER || json->kind == UM_JSON_STRING;
}

/* Sorts the parameters by how they are bound, and sets what is read of one that is left out: a number, a pointer, or bytes. */
static void sort_params(const struct um_method *method, struct um_args_match *match, struct um_args *args)
{
    for (size_t i = 0; i < method->param_count; i++) {
        const struct um_param *param = &method->params[i];
        bool is_handle = param->type == UM_HEAP || param->type == UM_BLOCK;

        args->value[i].given = match->found[i] != NULL;
        if (match->found[i] == NULL) {
            if (param->required) {
                match->missing = param;
                return;
            }
            args->value[i].as.data.size = 0;
            args->value[i].as.uint = param->fallback;
            is_handle = param->fallback_name != NULL;
        } else if (param->type == UM_DATA || param->type == UM_VALUE || param->type == UM_VALUES) {
            list_param(&match->dependents, i);
        } else if (!is_handle || !may_be_handle(match->found[i])) {
            list_param(&match->plain, i);
        }
        if (is_handle)
            list_param(&match->handles, i);
    }
}

bool um_args_match(const struct um_method *method, const struct um_json *params, struct um_args_match *match,
                   struct um_args *args)
{
    const struct um_json *wrong;

    *match = (struct um_args_match){.missing = NULL};
    if (find_values(method, unwrap(params), match->found, &wrong) != MISMATCH_NONE)
        return false;
    sort_params(method, match, args);
    return true;
}

bool um_args_bind(struct um_call *call, const struct um_json *params, struct um_args *args)
{
    struct um_args_match match = {.missing = NULL};
    const struct um_json *wrong;
    enum mismatch mismatch = find_values(call->method, unwrap(params), match.found, &wrong);

    args->undecoded.json = NULL;
    if (mismatch != MISMATCH_NONE)
        return refuse_match(call, mismatch, wrong);
    sort_params(call->method, &match, args);
    return um_args_bind_matched(call, &match, args);
}

/* A handle is looked up when all else is known to be right. */
bool um_args_bind_matched(struct um_call *call, const struct um_args_match *match, struct um_args *args)
{
    const struct um_method *method = call->method;

    args->undecoded.json = NULL;
    if (method->param_count == 0)
        return true;
    for (size_t i = 0; i < match->plain.count; i++) {
        size_t number = match->plain.of[i];

        if (!bind_plain(call, &method->params[number], match->found[number], &args->value[number]))
            return false;
    }
    if (match->missing != NULL)
        return um_args_refuse(call, match->missing->name, "is missing");
    for (size_t i = 0; i < match->dependents.count; i++) {
        size_t number = match->dependents.of[i];

        if (!bind_dependent(call, &method->params[number], match->found[number], args, &args->value[number]))
            return false;
    }
    for (size_t i = 0; i < match->handles.count; i++) {
        size_t number = match->handles.of[i];

        if (!bind_handle(call, &method->params[number], match->found[number], &args->value[number]))
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
