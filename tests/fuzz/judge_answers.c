#include "judge_answers.h"

#include <stdbool.h>
#include <string.h>

#include <cJSON.h>

#include "fuzz.h"
#include "umem_errors.h"
#include "wire/frame.h"
#include "wire/json_read.h"

enum { MESSAGE_LIMIT = 1 << 26 /* bytes: more than any answer has */ };

static cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool is_whole(const cJSON *number)
{
    return cJSON_IsNumber(number) && number->valuedouble == (double)(long long)number->valuedouble;
}

static void check_error(const cJSON *error)
{
    const cJSON *code = member(error, "code");
    const cJSON *message = member(error, "message");
    const cJSON *name = member(member(error, "data"), "name");
    FUZZ_CHECK(cJSON_IsObject(error));
    FUZZ_CHECK(is_whole(code));
    FUZZ_CHECK(cJSON_IsString(message) && message->valuestring[0] != '\0');
    FUZZ_CHECK(cJSON_IsString(name));
    FUZZ_CHECK(strcmp(name->valuestring, umem_error_name((int)code->valuedouble)) == 0);
    FUZZ_CHECK((int)code->valuedouble != UMEM_E_INTERNAL_ERROR);
}

static void check_answer(const cJSON *answer)
{
    const cJSON *id = member(answer, "id");
    const cJSON *result = member(answer, "result");
    const cJSON *error = member(answer, "error");
    FUZZ_CHECK(cJSON_IsString(id) || cJSON_IsNull(id) || cJSON_IsNumber(id));
    FUZZ_CHECK((result != NULL) != (error != NULL));
    FUZZ_CHECK(member(answer, "method") == NULL);
    FUZZ_CHECK(result == NULL || cJSON_IsObject(result));
    if (error != NULL)
        check_error(error);
}

static void check_notification(const cJSON *notification)
{
    FUZZ_CHECK(cJSON_IsString(member(notification, "method")));
    FUZZ_CHECK(cJSON_IsObject(member(notification, "params")));
    FUZZ_CHECK(member(notification, "result") == NULL && member(notification, "error") == NULL);
}

static void check_message(const cJSON *message, bool in_batch)
{
    const cJSON *version = member(message, "jsonrpc");
    FUZZ_CHECK(cJSON_IsObject(message));
    FUZZ_CHECK(cJSON_IsString(version) && strcmp(version->valuestring, "2.0") == 0);
    if (in_batch || member(message, "id") != NULL)
        check_answer(message);
    else
        check_notification(message);
}

static void check_text(char *text, size_t size)
{
    struct um_json_check check;
    const char *end = NULL;
    FUZZ_CHECK(memchr(text, '\n', size) == NULL);
    FUZZ_CHECK(um_json_check(text, size, &check));
    cJSON *message = cJSON_ParseWithLengthOpts(text, size, &end, 0);
    FUZZ_CHECK(message != NULL && end == text + size);
    if (cJSON_IsArray(message)) {
        FUZZ_CHECK(message->child != NULL);
        for (const cJSON *answer = message->child; answer != NULL; answer = answer->next)
            check_message(answer, true);
    } else {
        check_message(message, false);
    }
    cJSON_Delete(message);
}

/* Judges what is in the frame. Ends when it wants more. */
static void check_frame(struct um_frame *frame)
{
    struct um_frame_message message;
    char payload[4096];
    for (;;) {
        enum um_frame_event event = um_frame_next(frame, &message);
        switch (event) {
        case UM_FRAME_MESSAGE:
            check_text(message.text, message.size);
            break;
        case UM_FRAME_PAYLOAD:
            if (um_frame_take_payload(frame, payload, sizeof payload) == 0)
                return;
            break;
        case UM_FRAME_MORE:
        case UM_FRAME_END:
            return;
        default:
            FUZZ_CHECK(event == UM_FRAME_MESSAGE); /* the framing of answers is never at fault */
        }
    }
}

void check_answers(char *bytes, size_t size)
{
    struct um_frame frame;
    um_frame_init(&frame, MESSAGE_LIMIT, MESSAGE_LIMIT);
    FUZZ_CHECK(size == 0 || bytes[size - 1] == '\n' || bytes[0] != '{');
    for (size_t at = 0; at < size;) {
        size_t piece = size - at < UM_FRAME_FEED_LIMIT ? size - at : UM_FRAME_FEED_LIMIT;
        FUZZ_CHECK(um_frame_feed(&frame, bytes + at, piece) == UMEM_OK);
        check_frame(&frame);
        FUZZ_CHECK(um_frame_keep(&frame) == UMEM_OK);
        at += piece;
    }
    /* Nothing is left over: no message was cut, no payload is short. */
    FUZZ_CHECK(frame.left == 0 && um_frame_payload_left(&frame) == 0);
    FUZZ_CHECK(frame.state != UM_FRAME_AT_TEXT && frame.state != UM_FRAME_FAILED);
    um_frame_deinit(&frame);
}
