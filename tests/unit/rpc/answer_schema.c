#include "answer_schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/schema/notification.h"
#include "rpc/schema/table.h"
#include "umem_errors.h"

/* ---- what was requested ---- */

struct note {
    struct note *next;
    const struct um_session *session;
    const struct um_method *method;
    bool is_text; /* the id */
    double number;
    char text[];
};

static struct note *notes; /* the oldest first */

static void note_request(const struct um_session *session, const cJSON *request)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "method");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    const char *text = cJSON_IsString(id) ? id->valuestring : "";
    struct note **last = &notes;
    struct note *note;

    if (!cJSON_IsString(name) || (id == NULL && cJSON_HasObjectItem(request, "jsonrpc")))
        return;
    note = calloc(1, sizeof *note + strlen(text) + 1);
    assert_non_null(note);
    note->session = session;
    note->method = um_table_find(name->valuestring, strlen(name->valuestring));
    note->is_text = cJSON_IsString(id) != 0;
    note->number = cJSON_IsNumber(id) ? id->valuedouble : (double)NAN;
    memcpy(note->text, text, strlen(text));
    while (*last != NULL)
        last = &(*last)->next;
    *last = note;
}

void answers_note(const struct um_session *session, const char *message, size_t size)
{
    const cJSON *json = cJSON_ParseWithLength(message, size);

    if (!cJSON_IsArray(json)) {
        note_request(session, json);
        return;
    }
    for (const cJSON *request = json->child; request != NULL; request = request->next)
        note_request(session, request);
}

static bool is_for(const struct note *note, const struct um_session *session, const cJSON *id)
{
    if (note->session != session || note->is_text != (cJSON_IsString(id) != 0))
        return false;
    if (note->is_text)
        return strcmp(note->text, id->valuestring) == 0;
    if (!cJSON_IsNumber(id))
        return note->number != note->number;
    return note->number >= id->valuedouble && note->number <= id->valuedouble;
}

/* The method of the oldest request with this id, which is answered now. NULL: it is not known. */
static const struct um_method *take_note(const struct um_session *session, const cJSON *id)
{
    for (struct note **link = &notes; *link != NULL; link = &(*link)->next) {
        struct note *note = *link;
        const struct um_method *method = note->method;

        if (!is_for(note, session, id))
            continue;
        *link = note->next;
        free(note);
        return method;
    }
    return NULL;
}

size_t answers_missing(const struct um_session *session)
{
    size_t count = 0;

    for (const struct note *note = notes; note != NULL; note = note->next)
        count += note->session == session;
    return count;
}

void answers_forget_session(const struct um_session *session)
{
    struct note **link = &notes;

    while (*link != NULL) {
        struct note *note = *link;

        if (note->session != session) {
            link = &note->next;
            continue;
        }
        *link = note->next;
        free(note);
    }
}

void answers_forget(void)
{
    while (notes != NULL) {
        struct note *note = notes;

        notes = note->next;
        free(note);
    }
}

/* ---- what was answered ---- */

static bool is_integer(const cJSON *value, double minimum)
{
    return cJSON_IsNumber(value) && value->valuedouble >= minimum &&
           value->valuedouble <= 9007199254740991.0 && floor(value->valuedouble) >= value->valuedouble;
}

static bool is_value(const cJSON *value)
{
    return cJSON_IsNumber(value) || cJSON_IsString(value);
}

static bool is_array_of(const cJSON *value, bool (*is_one)(const cJSON *item))
{
    for (const cJSON *item = value->child; item != NULL; item = item->next) {
        if (!is_one(item))
            return false;
    }
    return cJSON_IsArray(value) != 0;
}

static bool is_string(const cJSON *value)
{
    return cJSON_IsString(value) != 0;
}

static bool is_of_type(const cJSON *value, enum um_type type)
{
    switch (type) {
    case UM_BOOLEAN:
        return cJSON_IsBool(value) != 0;
    case UM_UINT:
    case UM_OFFSET:
    case UM_SIZE:
        return is_integer(value, 0);
    case UM_HEAP:
    case UM_BLOCK:
    case UM_SESSION:
    case UM_WATCH:
        return is_integer(value, 1);
    case UM_STRING:
        return is_string(value);
    case UM_VALUE:
        return is_value(value);
    case UM_VALUES:
        return is_array_of(value, is_value);
    case UM_WORDS:
        return is_array_of(value, is_string);
    case UM_OBJECT:
        return cJSON_IsObject(value) != 0;
    case UM_ARRAY:
        return cJSON_IsArray(value) != 0;
    case UM_JSON:
        return true;
    default:
        return false;
    }
}

static void check_members(const char *whose, const struct um_member *members, const cJSON *object);

static void check_member(const char *whose, const struct um_member *member, const cJSON *value)
{
    if (value == NULL && !member->optional)
        fail_msg("%s answers no \"%s\"", whose, member->name);
    if (value == NULL || (cJSON_IsNull(value) && member->nullable))
        return;
    if (!is_of_type(value, member->type))
        fail_msg("%s answers a \"%s\" of another type than it declares", whose, member->name);
    if (member->type == UM_OBJECT)
        check_members(whose, member->members, value);
    if (member->type != UM_ARRAY)
        return;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        check_members(whose, member->members, item);
}

/* An object has all members of the list, as they are declared, and no others. NULL: it has none. */
static void check_members(const char *whose, const struct um_member *members, const cJSON *object)
{
    assert_true(cJSON_IsObject(object));
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        const struct um_member *member = members;

        while (member != NULL && member->name != NULL && strcmp(member->name, item->string) != 0)
            member++;
        if (member == NULL || member->name == NULL)
            fail_msg("%s answers a \"%s\", which it does not declare", whose, item->string);
    }
    for (const struct um_member *member = members; member != NULL && member->name != NULL; member++)
        check_member(whose, member, cJSON_GetObjectItemCaseSensitive(object, member->name));
}

/* Errors of a message that has not come as far as a method. */
static bool is_of_message(int code)
{
    return code == UMEM_E_PARSE_ERROR || code == UMEM_E_INVALID_REQUEST || code == UMEM_E_METHOD_NOT_FOUND;
}

/* The top consumer of a limit. */
static bool is_most(const cJSON *item)
{
    static const char *const members[] = {"session", "pid", "program", "used"};
    const cJSON *member = item->child;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++, member = member->next) {
        bool is_text = strcmp(members[i], "program") == 0;

        if (member == NULL || strcmp(member->string, members[i]) != 0 ||
            !(is_text ? cJSON_IsString(member) != 0 : is_integer(member, 0)))
            return false;
    }
    return member == NULL;
}

/* The facts that an error's data may have, as protocol.md lists them. */
static void check_facts(const cJSON *data)
{
    static const char *const numbers[] = {"heap",    "block", "offset",  "size",  "block_size",
                                          "maximum", "used",  "session", "watch", "asked"};
    static const char *const strings[] = {"name", "param", "limit", "ntstatus"};

    for (const cJSON *item = data->child; item != NULL; item = item->next) {
        bool is_known = (strcmp(item->string, "handle") == 0 && is_value(item)) ||
                        (strcmp(item->string, "most") == 0 && is_most(item));

        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            is_known |= strcmp(item->string, numbers[i]) == 0 && is_integer(item, 0);
        for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
            is_known |= strcmp(item->string, strings[i]) == 0 && cJSON_IsString(item);
        if (!is_known)
            fail_msg("an error has the fact \"%s\", which protocol.md does not name", item->string);
    }
}

static bool is_in_batch; /* the answer that is checked is one of a batch */

static void check_error(const struct um_method *method, const cJSON *error)
{
    int code = (int)member(error, "code")->valuedouble;

    assert_true(strlen(string_of(error, "message")) > 0);
    assert_string_equal(string_of(member(error, "data"), "name"), umem_error_name(code));
    check_facts(member(error, "data"));
    /* A batch may have no capacity left for the answer of any of its requests. */
    if (method != NULL && !is_of_message(code) && !(is_in_batch && code == UMEM_E_TOO_LARGE) &&
        !um_method_declares(method, code))
        fail_msg("%s answers with %s, which it does not declare", method->name, umem_error_name(code));
}

static void check_answer(const struct um_session *session, const cJSON *answer)
{
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const struct um_method *method = take_note(session, member(answer, "id"));

    assert_int_equal(cJSON_GetArraySize(answer), 3);
    assert_true((result != NULL) != (error != NULL));
    if (error != NULL)
        check_error(method, error);
    else if (method != NULL)
        check_members(method->name, method->result, result);
}

static void check_notification(const cJSON *message)
{
    const char *name = string_of(message, "method");

    assert_int_equal(cJSON_GetArraySize(message), 3);
    for (size_t i = 0; um_notification_at(i) != NULL; i++) {
        if (strcmp(um_notification_at(i)->name, name) != 0)
            continue;
        check_members(name, um_notification_at(i)->params, member(message, "params"));
        return;
    }
    fail_msg("the notification \"%s\" is not declared", name);
}

void answers_check(const struct um_session *session, const cJSON *message)
{
    if (cJSON_IsArray(message)) {
        assert_true(cJSON_GetArraySize(message) > 0);
        for (const cJSON *answer = message->child; answer != NULL; answer = answer->next) {
            assert_false(cJSON_HasObjectItem(answer, "method"));
            is_in_batch = true;
            answers_check(session, answer);
            is_in_batch = false;
        }
        return;
    }
    assert_string_equal(string_of(message, "jsonrpc"), "2.0");
    if (cJSON_HasObjectItem(message, "method"))
        check_notification(message);
    else
        check_answer(session, message);
}
