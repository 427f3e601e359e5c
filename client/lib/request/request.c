#include "lib/request/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "lib/request/number.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

static void begin(struct um_request *request, const char *method)
{
    *request = (struct um_request){.code = UMEM_OK};
    um_buf_init(&request->text, SIZE_MAX / 4);
    um_json_begin_object(&request->text);
    um_json_key(&request->text, "jsonrpc");
    um_json_cstring(&request->text, "2.0");
    um_json_key(&request->text, "method");
    um_json_cstring(&request->text, method);
}

void um_request_begin(struct um_request *request, const char *method)
{
    begin(request, method);
    um_json_key(&request->text, "params");
    um_json_begin_object(&request->text);
    request->has_params = true;
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

/* Whether parameters that were checked request raw bytes of block.read. */
static bool requests_raw(struct um_json_slice params)
{
    enum { POSITION = 3, ROOM = 8 };
    struct um_json_slice encoding = um_json_member(params, "encoding");
    struct um_json_walk walk;
    char text[ROOM];

    if (um_json_is_array(params)) {
        walk = um_json_walk_into(params);
        for (int i = 0; i <= POSITION; i++) {
            if (!um_json_next_element(&walk, &encoding))
                return false;
        }
    }
    return um_json_to_text(encoding, text, sizeof text) && strcmp(text, "raw") == 0;
}

void um_request_begin_raw(struct um_request *request, const char *method, const char *params_json)
{
    bool is_good = method != NULL && um_utf8_check(method, strlen(method)) == strlen(method);
    size_t size = params_json != NULL ? strlen(params_json) : 0;

    begin(request, is_good ? method : "");
    request->discards_raw = true;
    request->keeps_lock = is_good && strcmp(method, "heap.lock") == 0;
    request->waits = request->keeps_lock || (is_good && strcmp(method, "block.wait") == 0);
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
        request->requests_raw = requests_raw(um_json_slice_of(params_json, size));
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
        um_json_end_object(out);
    if (request->id != 0) {
        um_json_key(out, "id");
        um_json_uint(out, request->id);
    }
    um_json_end_object(out);
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
    want(request, UM_OUTPUT_TEXT, "result", target);
}

void um_output_result(struct um_request *request, um_result_reader *read, void *target)
{
    want(request, UM_OUTPUT_RESULT, "result", target)->read = read;
}

/* ---- answers ---- */

/* What was read of a result, until all of it has been. */
union taken {
    uint64_t uint;
    bool boolean;
    unsigned char number[UM_NUMBER_SIZE_MAX];
};

static bool take(const struct um_output *wanted, struct um_json_slice result, union taken *taken)
{
    struct um_json_slice value = um_json_member(result, wanted->member);

    switch (wanted->kind) {
    case UM_OUTPUT_OFFSET:
        if (value.text != NULL && um_json_is_null(value)) {
            taken->uint = UMEM_NONE;
            return true;
        }
        return um_json_to_uint64(value, &taken->uint);
    case UM_OUTPUT_UINT:
        return um_json_to_uint64(value, &taken->uint);
    case UM_OUTPUT_BOOL:
        if (value.text == NULL)
            return false;
        taken->boolean = um_json_slice_is(value, "true");
        return taken->boolean || um_json_slice_is(value, "false");
    case UM_OUTPUT_VALUE:
        return value.text != NULL && um_number_read(value, wanted->type, taken->number);
    default:
        /* The result as it stands: there is nothing to take from it. */
        taken->uint = 0;
        return true;
    }
}

static void give(const struct um_output *wanted, const union taken *taken)
{
    if (wanted->target == NULL)
        return;
    if (wanted->kind == UM_OUTPUT_BOOL)
        *(bool *)wanted->target = taken->boolean;
    else if (wanted->kind == UM_OUTPUT_VALUE)
        memcpy(wanted->target, taken->number, umem_type_size(wanted->type));
    else if (wanted->kind == UM_OUTPUT_UINT || wanted->kind == UM_OUTPUT_OFFSET)
        *(uint64_t *)wanted->target = taken->uint;
}

static void keep_text(struct um_request *request, struct um_json_slice result)
{
    request->result = malloc(result.size + 1);
    if (request->result == NULL) {
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
        return;
    }
    memcpy(request->result, result.text, result.size);
    request->result[result.size] = '\0';
    um_json_restore_nul(request->result, result.size);
}

/* Returns the member that is not as it should be. */
static const char *take_result(struct um_request *request, struct um_json_slice result)
{
    union taken taken[UM_OUTPUTS_MAXIMUM];

    for (unsigned i = 0; i < request->output_count; i++) {
        if (!take(&request->output[i], result, &taken[i]))
            return request->output[i].member;
    }
    for (unsigned i = 0; i < request->output_count; i++) {
        const struct um_output *wanted = &request->output[i];
        const char *bad = NULL;

        if (wanted->kind == UM_OUTPUT_RESULT)
            bad = wanted->read(result, wanted->target);
        else if (wanted->kind == UM_OUTPUT_TEXT)
            keep_text(request, result);
        else
            give(wanted, &taken[i]);
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

const char *um_request_answer(struct um_request *request, const struct um_answer *answer,
                              uint64_t payload_size, const char **member)
{
    *member = NULL;
    if (answer->kind == UM_ANSWER_ERROR && payload_size != 0)
        return "raw bytes follow an error";
    if (answer->kind == UM_ANSWER_ERROR) {
        request->code = answer->code;
        request->failure = malloc(sizeof *request->failure);
        if (request->failure != NULL)
            um_failure_write_answer(request->failure, answer);
        return NULL;
    }
    if (!request->discards_raw && payload_size != (request->has_raw_answer ? request->into_size : 0))
        return "it brings more or fewer raw bytes than were asked for";
    *member = take_result(request, answer->result);
    return NULL;
}

void um_request_finish(struct um_request *request)
{
    for (struct um_request *part = request->parts; part != NULL; part = part->next)
        um_request_finish(part);
    if (request->code == UMEM_OK && request->swap_count != 0)
        um_number_swap(request->into, request->swap, request->swap_count);
    if (request->code == UMEM_OK && request->result != NULL) {
        *(char **)request->output[0].target = request->result;
        request->result = NULL;
    }
    request->done = true;
}
