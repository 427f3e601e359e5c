#include "lib/answer/answer.h"

#include "umem_errors.h"
#include "wire/json_read.h"

static bool is_wire_code(int64_t code)
{
    return code == UMEM_E_CANCELLED || (code >= -32768 && code <= -32000);
}

/* A string of digits is no code. */
static bool read_code(struct um_json_slice slice, int *code)
{
    int64_t value;

    if (slice.text == NULL || um_json_is_string(slice) || !um_json_to_int64(slice, &value) ||
        !is_wire_code(value))
        return false;
    *code = (int)value;
    return true;
}

/* Returns what is wrong with the error; NULL: nothing. */
static const char *take_error(struct um_answer *answer, struct um_json_slice error)
{
    answer->kind = UM_ANSWER_ERROR;
    answer->message = um_json_member(error, "message");
    answer->data = um_json_member(error, "data");
    if (!read_code(um_json_member(error, "code"), &answer->code))
        return "its error has no code of the protocol";
    if (answer->message.text == NULL || !um_json_is_string(answer->message))
        return "its error has no message";
    if (answer->data.text != NULL && !um_json_is_object(answer->data))
        answer->data = (struct um_json_slice){NULL, 0};
    return NULL;
}

static const char *take_message(struct um_answer *answer, struct um_json_slice message)
{
    struct um_json_slice version = um_json_member(message, "jsonrpc");
    struct um_json_slice error = um_json_member(message, "error");
    struct um_json_slice method = um_json_member(message, "method");

    if (version.text == NULL || !um_json_slice_is(version, "\"2.0\""))
        return "it is not JSON-RPC 2.0";
    answer->id = um_json_member(message, "id");
    if (answer->id.text == NULL && method.text != NULL && um_json_is_string(method)) {
        answer->kind = UM_ANSWER_NOTIFICATION;
        answer->method = method;
        answer->params = um_json_member(message, "params");
        return NULL;
    }
    answer->result = um_json_member(message, "result");
    if (answer->id.text == NULL)
        return "it has no id";
    if ((answer->result.text == NULL) == (error.text == NULL))
        return "it has neither result nor error, or both";
    return error.text != NULL ? take_error(answer, error) : NULL;
}

int um_answer_check(char *text, size_t size, struct um_json_slice *json, const char **what)
{
    struct um_json_check check;

    if (!um_json_check(text, size, &check)) {
        *what = check.what;
        return UMEM_E_BAD_ANSWER;
    }
    *json = um_json_slice_of(text, size);
    return UMEM_OK;
}

const char *um_answer_take(struct um_json_slice json, struct um_answer *answer)
{
    struct um_answer read = {.kind = UM_ANSWER_RESULT};
    const char *wrong = take_message(&read, json);

    if (wrong == NULL)
        *answer = read;
    return wrong;
}

int um_answer_read(char *text, size_t size, struct um_answer *answer, const char **what)
{
    struct um_json_slice json;
    const char *wrong;
    int code = um_answer_check(text, size, &json, what);

    if (code != UMEM_OK)
        return code;
    wrong = um_answer_take(json, answer);
    if (wrong != NULL) {
        *what = wrong;
        return UMEM_E_BAD_ANSWER;
    }
    return UMEM_OK;
}

uint64_t um_answer_id(const struct um_answer *answer)
{
    uint64_t id;

    if (answer->id.text == NULL || um_json_is_string(answer->id) || !um_json_to_uint64(answer->id, &id))
        return 0;
    return id;
}

bool um_answer_is_for(const struct um_answer *answer, uint64_t id)
{
    if (answer->id.text == NULL)
        return false;
    if (um_json_is_null(answer->id))
        return answer->kind == UM_ANSWER_ERROR;
    return id != 0 && um_answer_id(answer) == id;
}
