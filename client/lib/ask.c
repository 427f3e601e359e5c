#include "ask.h"

#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "json_read.h"
#include "number.h"
#include "text.h"

static void begin(struct um_ask *ask, const char *method)
{
    *ask = (struct um_ask){.code = UMEM_OK};
    um_buf_init(&ask->text, SIZE_MAX / 4);
    um_json_begin_object(&ask->text);
    um_json_key(&ask->text, "jsonrpc");
    um_json_cstring(&ask->text, "2.0");
    um_json_key(&ask->text, "method");
    um_json_cstring(&ask->text, method);
}

void um_ask_begin(struct um_ask *ask, const char *method)
{
    begin(ask, method);
    um_json_key(&ask->text, "params");
    um_json_begin_object(&ask->text);
    ask->has_params = true;
}

/* What is no JSON would be read as something else together with what follows it. */
static void check_params(struct um_ask *ask, size_t at)
{
    struct um_json_check check;

    if (ask->text.failed)
        return;
    if (!um_json_check(ask->text.data + at, ask->text.size - at, &check))
        um_ask_refuse(ask, "the parameters are not JSON: %s, at byte %zu", check.what, check.bad_offset);
    else if (check.has_nul)
        um_ask_refuse(ask, "the parameters hold \\u0000");
}

/* Whether parameters that were checked ask block.read for raw bytes. */
static bool asks_for_raw(struct um_json_slice params)
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

void um_ask_begin_raw(struct um_ask *ask, const char *method, const char *params_json)
{
    bool is_good = method != NULL && um_utf8_check(method, strlen(method)) == strlen(method);
    size_t size = params_json != NULL ? strlen(params_json) : 0;

    begin(ask, is_good ? method : "");
    ask->drops_raw = true;
    ask->keeps_lock = is_good && strcmp(method, "heap.lock") == 0;
    ask->waits = ask->keeps_lock || (is_good && strcmp(method, "block.wait") == 0);
    if (!is_good)
        um_ask_refuse(ask, "the method's name is not UTF-8");
    if (params_json == NULL)
        return;
    /* What is written next looks at the last byte, which must be the value's. */
    while (size != 0 && strchr(" \t\r\n", params_json[size - 1]) != NULL)
        size--;
    um_json_key(&ask->text, "params");
    um_json_raw(&ask->text, params_json, size);
    check_params(ask, ask->text.size - size);
    if (is_good && ask->code == UMEM_OK && !ask->text.failed && strcmp(method, "block.read") == 0)
        ask->asks_for_raw = asks_for_raw(um_json_slice_of(params_json, size));
}

void um_ask_deinit(struct um_ask *ask)
{
    um_buf_deinit(&ask->text);
    free(ask->failure);
    free(ask->copy);
    free(ask->result);
    ask->failure = NULL;
    ask->copy = NULL;
    ask->result = NULL;
}

void um_ask_write(const struct um_ask *ask, struct um_buf *out)
{
    um_buf_append(out, ask->text.data, ask->text.size);
    if (ask->has_params)
        um_json_end_object(out);
    if (ask->id != 0) {
        um_json_key(out, "id");
        um_json_uint(out, ask->id);
    }
    um_json_end_object(out);
}

/* ---- failures ---- */

UM_PRINTF(3, 0)
static void note(struct um_ask *ask, int code, const char *format, va_list arguments)
{
    ask->code = code;
    ask->failure = malloc(sizeof *ask->failure);
    if (ask->failure != NULL)
        um_failure_write(ask->failure, code, format, arguments);
}

UM_PRINTF(3, 4)
static void fail(struct um_ask *ask, int code, const char *format, ...)
{
    va_list arguments;

    if (ask->code != UMEM_OK)
        return;
    va_start(arguments, format);
    note(ask, code, format, arguments);
    va_end(arguments);
}

void um_ask_refuse(struct um_ask *ask, const char *format, ...)
{
    va_list arguments;

    if (ask->code != UMEM_OK)
        return;
    va_start(arguments, format);
    note(ask, UMEM_E_BAD_ARGUMENT, format, arguments);
    va_end(arguments);
}

void um_ask_fail(struct um_ask *ask, int code, const char *text)
{
    for (struct um_ask *part = ask->parts; part != NULL; part = part->next)
        um_ask_fail(part, code, text);
    if (text != NULL)
        fail(ask, code, "%s", text);
    else
        fail(ask, code, NULL);
}

/* ---- results ---- */

static struct um_want *want(struct um_ask *ask, enum um_want_kind kind, const char *member, void *target)
{
    struct um_want *made = &ask->want[ask->want_count++];

    *made = (struct um_want){.kind = kind, .member = member, .target = target};
    return made;
}

void um_want_uint(struct um_ask *ask, const char *member, uint64_t *target)
{
    want(ask, UM_WANT_UINT, member, target);
}

void um_want_offset(struct um_ask *ask, const char *member, uint64_t *target)
{
    want(ask, UM_WANT_OFFSET, member, target);
}

void um_want_bool(struct um_ask *ask, const char *member, bool *target)
{
    want(ask, UM_WANT_BOOL, member, target);
}

void um_want_value(struct um_ask *ask, const char *member, enum umem_type type, void *target)
{
    want(ask, UM_WANT_VALUE, member, target)->type = type;
}

void um_want_text(struct um_ask *ask, char **target)
{
    want(ask, UM_WANT_TEXT, "result", target);
}

void um_want_result(struct um_ask *ask, um_result_reader *read, void *target)
{
    want(ask, UM_WANT_RESULT, "result", target)->read = read;
}

/* ---- answers ---- */

/* What was read of a result, until all of it has been. */
union taken {
    uint64_t uint;
    bool boolean;
    unsigned char number[UM_NUMBER_SIZE_MAX];
};

static bool take(const struct um_want *wanted, struct um_json_slice result, union taken *taken)
{
    struct um_json_slice value = um_json_member(result, wanted->member);

    switch (wanted->kind) {
    case UM_WANT_OFFSET:
        if (value.text != NULL && um_json_is_null(value)) {
            taken->uint = UMEM_NONE;
            return true;
        }
        return um_json_to_uint64(value, &taken->uint);
    case UM_WANT_UINT:
        return um_json_to_uint64(value, &taken->uint);
    case UM_WANT_BOOL:
        if (value.text == NULL)
            return false;
        taken->boolean = um_json_slice_is(value, "true");
        return taken->boolean || um_json_slice_is(value, "false");
    case UM_WANT_VALUE:
        return value.text != NULL && um_number_read(value, wanted->type, taken->number);
    default:
        /* The result as it stands: there is nothing to take from it. */
        taken->uint = 0;
        return true;
    }
}

static void give(const struct um_want *wanted, const union taken *taken)
{
    if (wanted->target == NULL)
        return;
    if (wanted->kind == UM_WANT_BOOL)
        *(bool *)wanted->target = taken->boolean;
    else if (wanted->kind == UM_WANT_VALUE)
        memcpy(wanted->target, taken->number, umem_type_size(wanted->type));
    else if (wanted->kind == UM_WANT_UINT || wanted->kind == UM_WANT_OFFSET)
        *(uint64_t *)wanted->target = taken->uint;
}

static void keep_text(struct um_ask *ask, struct um_json_slice result)
{
    ask->result = malloc(result.size + 1);
    if (ask->result == NULL) {
        um_ask_fail(ask, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
        return;
    }
    memcpy(ask->result, result.text, result.size);
    ask->result[result.size] = '\0';
    um_json_restore_nul(ask->result, result.size);
}

/* Returns the member that is not as it should be. */
static const char *take_result(struct um_ask *ask, struct um_json_slice result)
{
    union taken taken[UM_WANTS_MAXIMUM];

    for (unsigned i = 0; i < ask->want_count; i++) {
        if (!take(&ask->want[i], result, &taken[i]))
            return ask->want[i].member;
    }
    for (unsigned i = 0; i < ask->want_count; i++) {
        const struct um_want *wanted = &ask->want[i];
        const char *bad = NULL;

        if (wanted->kind == UM_WANT_RESULT)
            bad = wanted->read(result, wanted->target);
        else if (wanted->kind == UM_WANT_TEXT)
            keep_text(ask, result);
        else
            give(wanted, &taken[i]);
        if (bad != NULL)
            return bad;
    }
    return NULL;
}

const char *um_ask_answer(struct um_ask *ask, const struct um_answer *answer, uint64_t payload_size,
                          const char **member)
{
    *member = NULL;
    if (answer->kind == UM_ANSWER_ERROR && payload_size != 0)
        return "raw bytes follow an error";
    if (answer->kind == UM_ANSWER_ERROR) {
        ask->code = answer->code;
        ask->failure = malloc(sizeof *ask->failure);
        if (ask->failure != NULL)
            um_failure_write_answer(ask->failure, answer);
        return NULL;
    }
    if (!ask->drops_raw && payload_size != (ask->wants_raw ? ask->into_size : 0))
        return "it brings more or fewer raw bytes than were asked for";
    *member = take_result(ask, answer->result);
    return NULL;
}

void um_ask_finish(struct um_ask *ask)
{
    for (struct um_ask *part = ask->parts; part != NULL; part = part->next)
        um_ask_finish(part);
    if (ask->code == UMEM_OK && ask->swap_count != 0)
        um_number_swap(ask->into, ask->swap, ask->swap_count);
    if (ask->code == UMEM_OK && ask->result != NULL) {
        *(char **)ask->want[0].target = ask->result;
        ask->result = NULL;
    }
    ask->done = true;
}
