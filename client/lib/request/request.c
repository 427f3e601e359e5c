#include "lib/request/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "lib/request/info.h"
#include "lib/request/number.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

static const char begin_method[] = "{\"jsonrpc\":\"2.0\",\"method\":\"";
static const char begin_params[] = "\",\"params\":{";

void um_request_begin(struct um_request *request, const char *method)
{
    *request = (struct um_request){.code = UMEM_OK, .has_params = true};
    um_buf_init(&request->text, SIZE_MAX / 4);
    um_buf_append(&request->text, begin_method, sizeof begin_method - 1);
    um_buf_append(&request->text, method, strlen(method));
    um_buf_append(&request->text, begin_params, sizeof begin_params - 1);
}

/* What is no JSON would be read as something else together with what follows it. */
static void check_params(struct um_request *request, size_t at)
{
    struct um_json_check check;

    if (request->text.failed)
        return;
    if (!um_json_check(request->text.data + at, request->text.size - at, &check))
        um_request_refuse(request, "the parameters are not JSON: %s, at byte %zu", check.what,
                          check.bad_offset);
    else if (check.has_nul)
        um_request_refuse(request, "the parameters hold \\u0000");
}

/* Whether parameters that were checked want raw bytes of block.read. They are sent as they are: a copy is read. */
static bool wants_raw_answer(struct um_request *request, const char *params, size_t size)
{
    enum { POSITION = 3 };
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check check;
    struct um_json *json = NULL;
    char *copy = malloc(size + 1);
    bool wants = false;

    if (copy != NULL) {
        memcpy(copy, params, size);
        if (um_json_read(copy, size, &arena, &json, &check) == UMEM_OK)
            wants = um_json_says(um_json_member_of(json, "encoding"), "raw") ||
                    um_json_says(um_json_element_of(json, POSITION), "raw");
    }
    if (json == NULL)
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the parameters");
    um_arena_deinit(&arena);
    free(copy);
    return wants;
}

/* Whether what a request makes or takes ends with the connection; in doubt, it does. */
static bool makes_session_things(const char *method, const char *params_json)
{
    return strcmp(method, "heap.lock") == 0 || strcmp(method, "block.hold") == 0 ||
           strcmp(method, "session.watch") == 0 ||
           (params_json != NULL && strstr(params_json, "\"session\"") != NULL);
}

void um_request_begin_raw(struct um_request *request, const char *method, const char *params_json)
{
    bool is_good = method != NULL && um_utf8_check(method, strlen(method)) == strlen(method);
    size_t size = params_json != NULL ? strlen(params_json) : 0;

    *request = (struct um_request){.code = UMEM_OK};
    um_buf_init(&request->text, SIZE_MAX / 4);
    um_buf_append(&request->text, begin_method, sizeof begin_method - 1);
    if (is_good)
        um_json_append_escaped(&request->text, method, strlen(method));
    um_buf_append_byte(&request->text, '"');
    request->discards_raw = true;
    request->keeps_lock = is_good && strcmp(method, "heap.lock") == 0;
    request->waits = request->keeps_lock || (is_good && strcmp(method, "block.wait") == 0);
    request->is_of_session = is_good && makes_session_things(method, params_json);
    if (!is_good)
        um_request_refuse(request, "the method's name is not UTF-8");
    if (params_json == NULL)
        return;
    /* What is written next looks at the last byte, which must be the value's. */
    while (size != 0 && strchr(" \t\r\n", params_json[size - 1]) != NULL)
        size--;
    um_json_key(&request->text, "params");
    um_json_raw(&request->text, params_json, size);
    check_params(request, request->text.size - size);
    if (is_good && request->code == UMEM_OK && !request->text.failed && strcmp(method, "block.read") == 0)
        request->requests_raw = wants_raw_answer(request, params_json, size);
}

void um_request_deinit(struct um_request *request)
{
    um_buf_deinit(&request->text);
    free(request->failure);
    free(request->copy);
    free(request->result);
    request->failure = NULL;
    request->copy = NULL;
    request->result = NULL;
}

void um_request_write(const struct um_request *request, struct um_buf *out)
{
    um_buf_append(out, request->text.data, request->text.size);
    if (request->has_params)
        um_buf_append_byte(out, '}');
    if (request->id != 0) {
        um_json_put_uint(out, "id", request->id);
    }
    um_buf_append_byte(out, '}');
}

/* ---- failures ---- */

UM_PRINTF(3, 0)
static void note(struct um_request *request, int code, const char *format, va_list arguments)
{
    request->code = code;
    request->failure = malloc(sizeof *request->failure);
    if (request->failure != NULL)
        um_failure_write(request->failure, code, format, arguments);
}

UM_PRINTF(3, 4)
static void fail(struct um_request *request, int code, const char *format, ...)
{
    va_list arguments;

    if (request->code != UMEM_OK)
        return;
    va_start(arguments, format);
    note(request, code, format, arguments);
    va_end(arguments);
}

void um_request_refuse(struct um_request *request, const char *format, ...)
{
    va_list arguments;

    if (request->code != UMEM_OK)
        return;
    va_start(arguments, format);
    note(request, UMEM_E_BAD_ARGUMENT, format, arguments);
    va_end(arguments);
}

void um_request_fail(struct um_request *request, int code, const char *text)
{
    for (struct um_request *part = request->parts; part != NULL; part = part->next)
        um_request_fail(part, code, text);
    if (text != NULL)
        fail(request, code, "%s", text);
    else
        fail(request, code, NULL);
}

/* ---- parameters ---- */

/* A name in place of a handle: its address below a mark, where no handle has anything. */
#define NAME_SHIFT 56
#define NAME_TAG (UINT64_C(0xa5) << NAME_SHIFT)

umem_handle umem_named(const char *name)
{
    uint64_t address = (uint64_t)(uintptr_t)name;

    /* Where addresses use those bits, this cannot be had: it is no handle then. */
    return name != NULL && address >> NAME_SHIFT == 0 ? address | NAME_TAG : UINT64_MAX;
}

/* What is no number of a handle may be a name. */
static void write_named(struct um_request *request, const char *key, umem_handle handle)
{
    if (handle >> NAME_SHIFT == NAME_TAG >> NAME_SHIFT)
        um_param_by_name(request, key, (const char *)(uintptr_t)(handle ^ NAME_TAG));
    else
        um_request_refuse(request, "%s: %llu is no handle", key, (unsigned long long)handle);
}

void um_param_handle(struct um_request *request, const char *key, umem_handle handle)
{
    if (handle == 0 || handle > UMEM_SIZE_MAX) {
        write_named(request, key, handle);
        return;
    }
    um_json_put_uint(&request->text, key, handle);
}

void um_param_heap(struct um_request *request, const char *key, umem_handle heap)
{
    if (heap == UMEM_PROCESS_HEAP)
        um_param_word(request, key, "process");
    else
        um_param_handle(request, key, heap);
}

void um_param_heap_or_default(struct um_request *request, const char *key, umem_handle heap)
{
    if (heap != UMEM_PROCESS_HEAP)
        um_param_handle(request, key, heap);
}

void um_param_size(struct um_request *request, const char *key, uint64_t size)
{
    if (size > UMEM_SIZE_MAX)
        um_request_refuse(request, "%s: %llu is past 2^53 - 1", key, (unsigned long long)size);
    um_json_put_uint(&request->text, key, size);
}

void um_param_size_unless(struct um_request *request, const char *key, uint64_t size, uint64_t none)
{
    if (size != none)
        um_param_size(request, key, size);
}

void um_param_number(struct um_request *request, const char *key, uint64_t number)
{
    if (number == 0)
        um_request_refuse(request, "%s: 0 is none", key);
    else
        um_param_size(request, key, number);
}

void um_param_name(struct um_request *request, const char *key, const char *name)
{
    if (name == NULL || um_utf8_check(name, strlen(name)) != strlen(name)) {
        um_request_refuse(request, "the %s is %s", key, name == NULL ? "missing" : "not UTF-8");
        return;
    }
    um_json_put_string(&request->text, key, name);
}

void um_param_by_name(struct um_request *request, const char *key, const char *name)
{
    char marked[1 + UMEM_NAME_SIZE + 1];

    if (name == NULL) {
        um_request_refuse(request, "the %s's name is missing", key);
        return;
    }
    /* Digits may be a handle where no name is, and what stands behind ":" is a name, see protocol.md. Longer texts are neither. */
    if ((name[0] == ':' || (name[0] >= '0' && name[0] <= '9')) && strlen(name) <= UMEM_NAME_SIZE) {
        snprintf(marked, sizeof marked, ":%s", name);
        name = marked;
    }
    um_param_name(request, key, name);
}

void um_param_word(struct um_request *request, const char *key, const char *word)
{
    um_json_put_string(&request->text, key, word);
}

void um_param_true(struct um_request *request, const char *key)
{
    um_json_put_bool(&request->text, key, true);
}

/* Refuses bytes that are nowhere. Returns whether they are. */
static bool lacks_memory(struct um_request *request, const void *bytes, size_t size)
{
    if (bytes != NULL || size == 0)
        return false;
    um_request_refuse(request, "the pointer to the %zu bytes is missing", size);
    return true;
}

void um_param_bytes(struct um_request *request, const char *key, const void *bytes, size_t size)
{
    char *space;

    if (lacks_memory(request, bytes, size))
        return;
    if (size > SIZE_MAX / 8) {
        um_request_refuse(request, "%s: %zu bytes are too many for one request", key, size);
        return;
    }
    um_json_key(&request->text, key);
    space = um_json_begin_raw_string(&request->text, um_base64_encoded_size(size));
    if (space != NULL)
        um_base64_encode(space, bytes, size);
    um_json_end_raw_string(&request->text);
}

void um_param_type(struct um_request *request, enum umem_type type)
{
    if (um_number_name(type) == NULL)
        um_request_refuse(request, "there is no type %d", (int)type);
    else
        um_param_word(request, "type", um_number_name(type));
}

void um_param_value(struct um_request *request, const char *key, enum umem_type type, const void *value)
{
    if (request->code != UMEM_OK)
        return;
    if (value == NULL) {
        um_request_refuse(request, "the %s is missing", key);
        return;
    }
    um_json_key(&request->text, key);
    um_number_write(&request->text, type, value);
}

void um_param_flags(struct um_request *request, uint32_t flags)
{
    um_info_write_flags(&request->text, flags);
}

void um_param_no_flags(struct um_request *request)
{
    um_json_key(&request->text, "flags");
    um_json_begin_array(&request->text);
    um_json_end_array(&request->text);
}

void um_param_lifetime(struct um_request *request, enum umem_lifetime lifetime)
{
    um_info_write_lifetime(&request->text, lifetime);
    request->is_of_session = lifetime == UMEM_LIFETIME_SESSION;
}

void um_param_timeout(struct um_request *request, uint32_t timeout_ms)
{
    request->wait_ms = timeout_ms != UMEM_FOREVER ? timeout_ms : UM_WAIT_FOREVER;
    if (timeout_ms != UMEM_FOREVER)
        um_param_size(request, "timeout_ms", timeout_ms);
}

static const char raw_encoding[] = ",\"encoding\":\"raw\"";

void um_param_payload(struct um_request *request, const void *bytes, size_t size)
{
    um_buf_append(&request->text, raw_encoding, sizeof raw_encoding - 1);
    um_param_size(request, "size", size);
    (void)lacks_memory(request, bytes, size);
    request->payload = bytes;
    request->payload_size = size;
}

void um_param_into(struct um_request *request, void *bytes, size_t size)
{
    um_buf_append(&request->text, raw_encoding, sizeof raw_encoding - 1);
    um_param_size(request, "size", size);
    (void)lacks_memory(request, bytes, size);
    request->into = bytes;
    request->into_size = size;
    request->has_raw_answer = true;
}

void um_param_into_at_most(struct um_request *request, void *bytes, size_t size)
{
    um_buf_append(&request->text, raw_encoding, sizeof raw_encoding - 1);
    um_param_size(request, "at_most", size);
    request->into = bytes;
    request->into_size = size;
    request->has_raw_answer = true;
    request->may_be_shorter = true;
}

void um_param_into_new(struct um_request *request, void **made, size_t size)
{
    um_param_into_at_most(request, NULL, size);
    request->made = made;
}

void um_param_payload_numbers(struct um_request *request, enum umem_type type, const void *values,
                              size_t count)
{
    size_t size = count * umem_type_size(type);

    if (um_number_must_swap(type) && size != 0 && values != NULL) {
        request->copy = malloc(size);
        if (request->copy == NULL) {
            um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the numbers");
            return;
        }
        memcpy(request->copy, values, size);
        um_number_swap(request->copy, type, count);
        values = request->copy;
    }
    um_param_payload(request, values, size);
}

void um_param_into_numbers(struct um_request *request, enum umem_type type, void *values, size_t count)
{
    um_param_into(request, values, count * umem_type_size(type));
    request->swap = type;
    request->swap_count = um_number_must_swap(type) ? count : 0;
}

/* ---- results ---- */

static struct um_output *want(struct um_request *request, enum um_output_kind kind, const char *member,
                              void *target)
{
    struct um_output *made = &request->output[request->output_count++];

    *made = (struct um_output){.kind = kind, .member = member, .target = target};
    return made;
}

void um_output_uint(struct um_request *request, const char *member, uint64_t *target)
{
    want(request, UM_OUTPUT_UINT, member, target);
}

void um_output_offset(struct um_request *request, const char *member, uint64_t *target)
{
    want(request, UM_OUTPUT_OFFSET, member, target);
}

void um_output_bool(struct um_request *request, const char *member, bool *target)
{
    want(request, UM_OUTPUT_BOOL, member, target);
}

void um_output_value(struct um_request *request, const char *member, enum umem_type type, void *target)
{
    want(request, UM_OUTPUT_VALUE, member, target)->type = type;
}

void um_output_text(struct um_request *request, char **target)
{
    if (target != NULL)
        want(request, UM_OUTPUT_TEXT, "result", target);
}

void um_output_result(struct um_request *request, um_result_reader *read, void *target)
{
    want(request, UM_OUTPUT_RESULT, "result", target)->read = read;
}

/* ---- answers ---- */

/* What was read of a result, until all of it has been. */
union output_value {
    uint64_t uint;
    bool boolean;
    unsigned char number[UM_NUMBER_SIZE_MAX];
};

static bool read_output(const struct um_output *output, const struct um_json *result,
                        union output_value *value)
{
    const struct um_json *member = um_json_member_of(result, output->member);

    switch (output->kind) {
    case UM_OUTPUT_OFFSET:
        value->uint = UMEM_NONE;
        return um_json_is(member, UM_JSON_NULL) || um_json_to_uint64(member, &value->uint);
    case UM_OUTPUT_UINT:
        return um_json_to_uint64(member, &value->uint);
    case UM_OUTPUT_BOOL:
        return um_json_to_bool(member, &value->boolean);
    case UM_OUTPUT_VALUE:
        return um_number_read(member, output->type, value->number);
    default:
        /* The result as it stands: there is nothing to take from it. */
        return true;
    }
}

static void write_output(const struct um_output *output, const union output_value *value)
{
    if (output->target == NULL)
        return;
    if (output->kind == UM_OUTPUT_BOOL)
        *(bool *)output->target = value->boolean;
    else if (output->kind == UM_OUTPUT_VALUE)
        memcpy(output->target, value->number, umem_type_size(output->type));
    else if (output->kind == UM_OUTPUT_UINT || output->kind == UM_OUTPUT_OFFSET)
        *(uint64_t *)output->target = value->uint;
}

static void keep_text(struct um_request *request, const struct um_json *result)
{
    size_t size;
    const char *text = um_json_text_of(result, &size);

    request->result = malloc(size + 1);
    if (request->result == NULL) {
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
        return;
    }
    memcpy(request->result, text, size);
    request->result[size] = '\0';
    um_json_restore_nul(request->result, size);
}

/* Reads all outputs of a result, and writes them if all of them are there. Returns the member that is not as it should be. */
static const char *read_outputs(struct um_request *request, const struct um_json *result)
{
    union output_value values[UM_OUTPUTS_MAXIMUM];
    const struct um_output *outputs = request->output;

    for (unsigned i = 0; i < request->output_count; i++) {
        if (!read_output(&outputs[i], result, &values[i]))
            return outputs[i].member;
    }
    for (unsigned i = 0; i < request->output_count; i++) {
        const char *bad = NULL;

        if (outputs[i].kind == UM_OUTPUT_RESULT)
            bad = outputs[i].read(result, outputs[i].target);
        else
            write_output(&outputs[i], &values[i]);
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

/* Whether the raw bytes that come to be are those that the result speaks of, and no more than were asked for. */
static bool is_raw_size(const struct um_request *request, const struct um_json *result, uint64_t payload_size,
                        uint64_t *size)
{
    return um_json_to_uint64(um_json_member_of(result, "size"), size) && *size <= request->into_size &&
           (payload_size == *size || payload_size == UM_RAW_SIZE_TOLD);
}

/* Prepares for as many raw bytes as the block has, which may be fewer than what there is space for. */
static void expect_shorter(struct um_request *request, const struct um_json *result, uint64_t size)
{
    uint64_t block_size;

    request->is_cut = request->wants_whole &&
                      um_json_to_uint64(um_json_member_of(result, "block_size"), &block_size) &&
                      block_size > request->into_size;
    request->into_size = (size_t)size;
    if (request->made == NULL)
        return;
    request->copy = malloc(size != 0 ? (size_t)size : 1);
    request->into = request->copy;
    if (request->copy == NULL)
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the bytes");
}

static const char wrong_raw_size[] = "it brings more or fewer raw bytes than were asked for";

const char *um_request_answer(struct um_request *request, const struct um_answer *answer,
                              uint64_t payload_size, const char **member)
{
    const struct um_json *result;
    uint64_t size = 0;

    *member = NULL;
    if (answer->kind == UM_ANSWER_ERROR && payload_size != 0 && payload_size != UM_RAW_SIZE_TOLD)
        return "raw bytes follow an error";
    if (answer->kind == UM_ANSWER_ERROR) {
        request->code = answer->code;
        request->failure = malloc(sizeof *request->failure);
        if (request->failure != NULL)
            um_failure_write_answer(request->failure, answer);
        return NULL;
    }
    if (!request->discards_raw && !request->may_be_shorter && payload_size != UM_RAW_SIZE_TOLD &&
        payload_size != (request->has_raw_answer ? request->into_size : 0))
        return wrong_raw_size;
    if (request->output_count == 0)
        return NULL;
    if (request->output[0].kind == UM_OUTPUT_TEXT) {
        keep_text(request, answer->result);
        return NULL;
    }
    result = um_answer_tree(answer, answer->result);
    if (result == NULL) {
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
        return NULL;
    }
    if (request->may_be_shorter && !is_raw_size(request, result, payload_size, &size))
        return wrong_raw_size;
    *member = read_outputs(request, result);
    if (request->may_be_shorter && *member == NULL)
        expect_shorter(request, result, size);
    return NULL;
}

void um_request_finish(struct um_request *request)
{
    for (struct um_request *part = request->parts; part != NULL; part = part->next)
        um_request_finish(part);
    if (request->is_cut)
        um_request_fail(request, UMEM_E_OUT_OF_RANGE, "the block has more bytes than there is space for");
    if (request->code == UMEM_OK && request->swap_count != 0)
        um_number_swap(request->into, request->swap, request->swap_count);
    if (request->code == UMEM_OK && request->result != NULL) {
        *(char **)request->output[0].target = request->result;
        request->result = NULL;
    }
    if (request->code == UMEM_OK && request->made != NULL) {
        *request->made = request->copy;
        request->copy = NULL;
    }
    request->done = true;
}
