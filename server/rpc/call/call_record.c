#include "rpc/call/call_record.h"

#include <stdio.h>
#include <string.h>

#include "wire/json_read.h"

/* Whether parameters of this type say what a call is about. */
static bool is_subject(enum um_type type)
{
    return type == UM_BLOCK || type == UM_HEAP || type == UM_NAME || type == UM_SESSION || type == UM_WATCH;
}

static void note(struct um_call_record *record, const char *param, const struct um_json *value)
{
    struct um_record_subject *subject = &record->subjects[record->subject_count];
    bool is_text = value->kind == UM_JSON_STRING && !value->has_nul;

    if (!is_text && value->kind != UM_JSON_NUMBER)
        return;
    subject->param = param;
    snprintf(subject->text, sizeof subject->text, "%.*s",
             is_text ? (int)sizeof subject->text - 1 : (int)um_json_number_size(value), value->text);
    record->subject_count++;
}

/* The parameter of that place or name among those of an array or an object; NULL: it is not there. With more of them than any method
 * has the call fails: not all of a million are looked at. */
static const struct um_json *find(const struct um_json *params, size_t place, const char *name)
{
    const struct um_json *item = params->child;

    for (size_t at = 0; item != NULL && at < UM_PARAMS_MAXIMUM; at++, item = item->next) {
        if (params->kind == UM_JSON_OBJECT ? strcmp(item->key, name) == 0 : at == place)
            return item;
    }
    return NULL;
}

void um_call_record_note(struct um_call_record *record, const struct um_method *method,
                         const struct um_json *params)
{
    if (params == NULL)
        return;
    /* One object alone in an array is by name. */
    if (params->kind == UM_JSON_ARRAY && params->child != NULL && params->child->next == NULL &&
        params->child->kind == UM_JSON_OBJECT)
        params = params->child;
    for (size_t i = 0; i < method->param_count && record->subject_count < UM_RECORD_SUBJECTS; i++) {
        const struct um_json *value =
            is_subject(method->params[i].type) ? find(params, i, method->params[i].name) : NULL;

        if (value != NULL)
            note(record, method->params[i].name, value);
    }
}
