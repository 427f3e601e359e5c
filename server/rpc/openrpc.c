#include "openrpc.h"

#include <stdio.h>

#include "json_out.h"
#include "notification.h"
#include "store.h"
#include "table.h"

static void member_string(struct um_buf *out, const char *key, const char *value)
{
    um_json_key(out, key);
    um_json_cstring(out, value);
}

static void member_uint(struct um_buf *out, const char *key, uint64_t value)
{
    um_json_key(out, key);
    um_json_uint(out, value);
}

/* "type": a name, or ["name","null"]. */
static void write_type(struct um_buf *out, const char *type, bool nullable)
{
    um_json_key(out, "type");
    if (!nullable) {
        um_json_cstring(out, type);
        return;
    }
    um_json_begin_array(out);
    um_json_cstring(out, type);
    um_json_cstring(out, "null");
    um_json_end_array(out);
}

/* "type": ["number","string"] and the like, with "null" where that may stand too. */
static void write_types(struct um_buf *out, const char *first, const char *second, bool nullable)
{
    um_json_key(out, "type");
    um_json_begin_array(out);
    um_json_cstring(out, first);
    um_json_cstring(out, second);
    if (nullable)
        um_json_cstring(out, "null");
    um_json_end_array(out);
}

static void write_words(struct um_buf *out, const struct um_word *words, bool nullable)
{
    um_json_key(out, "enum");
    um_json_begin_array(out);
    for (; words->word != NULL; words++)
        um_json_cstring(out, words->word);
    if (nullable)
        um_json_null(out);
    um_json_end_array(out);
}

static void begin_items(struct um_buf *out)
{
    um_json_key(out, "items");
    um_json_begin_object(out);
}

static void write_integer(struct um_buf *out, const struct um_param *param)
{
    write_type(out, "integer", !param->required);
    member_uint(out, "minimum", param->minimum);
    member_uint(out, "maximum", param->maximum != 0 ? param->maximum : (uint64_t)UM_JSON_INTEGER_MAX);
    if (!param->required && param->fallback_doc == NULL)
        member_uint(out, "default", param->fallback);
}

static void write_choice(struct um_buf *out, const struct um_param *param)
{
    write_type(out, "string", !param->required);
    write_words(out, param->words, !param->required);
    for (const struct um_word *word = param->words; word->word != NULL; word++) {
        if (!param->required && param->fallback_doc == NULL && word->value == param->fallback)
            member_string(out, "default", word->word);
    }
}

/* A parameter that may be left out may also be null: by position, that is how to pass it over. */
static void write_param_schema(struct um_buf *out, const struct um_param *param)
{
    bool nullable = !param->required;

    switch (param->type) {
    case UM_BOOLEAN:
        write_type(out, "boolean", nullable);
        um_json_key(out, "default");
        um_json_bool(out, param->fallback != 0);
        break;
    case UM_STRING:
    case UM_DATA:
        write_type(out, "string", nullable);
        break;
    case UM_NAME:
        write_type(out, "string", nullable);
        member_uint(out, "minLength", param->minimum);
        member_uint(out, "maxLength", UM_NAME_SIZE_LIMIT);
        break;
    case UM_CHOICE:
        write_choice(out, param);
        break;
    case UM_FLAGS:
        write_type(out, "array", nullable);
        begin_items(out);
        write_words(out, param->words, false);
        um_json_end_object(out);
        break;
    case UM_HEAP:
    case UM_BLOCK:
        write_types(out, "integer", "string", nullable);
        if (param->fallback_name != NULL)
            member_string(out, "default", param->fallback_name);
        break;
    case UM_ID:
    case UM_VALUE:
        write_types(out, "number", "string", nullable);
        break;
    case UM_VALUES:
        write_type(out, "array", nullable);
        begin_items(out);
        write_types(out, "number", "string", false);
        um_json_end_object(out);
        break;
    default:
        write_integer(out, param);
        break;
    }
}

static void write_param(struct um_buf *out, const struct um_param *param)
{
    um_json_begin_object(out);
    member_string(out, "name", param->name);
    member_string(out, "description", param->doc);
    um_json_key(out, "required");
    um_json_bool(out, param->required);
    um_json_key(out, "schema");
    um_json_begin_object(out);
    write_param_schema(out, param);
    um_json_end_object(out);
    um_json_end_object(out);
}

static void write_members(struct um_buf *out, const struct um_member *members);

static void write_member_schema(struct um_buf *out, const struct um_member *member)
{
    switch (member->type) {
    case UM_BOOLEAN:
        write_type(out, "boolean", member->nullable);
        break;
    case UM_STRING:
        write_type(out, "string", member->nullable);
        break;
    case UM_OBJECT:
        write_type(out, "object", member->nullable);
        write_members(out, member->members);
        break;
    case UM_ARRAY:
        write_type(out, "array", member->nullable);
        begin_items(out);
        write_type(out, "object", false);
        write_members(out, member->members);
        um_json_end_object(out);
        break;
    case UM_WORDS:
        write_type(out, "array", member->nullable);
        begin_items(out);
        write_type(out, "string", false);
        um_json_end_object(out);
        break;
    case UM_VALUES:
        write_type(out, "array", member->nullable);
        begin_items(out);
        write_types(out, "number", "string", false);
        um_json_end_object(out);
        break;
    case UM_VALUE:
        write_types(out, "number", "string", member->nullable);
        break;
    case UM_JSON:
        break;
    default:
        write_type(out, "integer", member->nullable);
        break;
    }
}

/* "properties" and "required" of an object; NULL members: the empty object. */
static void write_members(struct um_buf *out, const struct um_member *members)
{
    um_json_key(out, "properties");
    um_json_begin_object(out);
    for (const struct um_member *m = members; m != NULL && m->name != NULL; m++) {
        um_json_key(out, m->name);
        um_json_begin_object(out);
        member_string(out, "description", m->doc);
        write_member_schema(out, m);
        um_json_end_object(out);
    }
    um_json_end_object(out);
    um_json_key(out, "required");
    um_json_begin_array(out);
    for (const struct um_member *m = members; m != NULL && m->name != NULL; m++) {
        if (!m->optional)
            um_json_cstring(out, m->name);
    }
    um_json_end_array(out);
}

static void write_error(struct um_buf *out, int code)
{
    um_json_begin_object(out);
    um_json_key(out, "code");
    um_json_int(out, code);
    member_string(out, "message", umem_error_text(code));
    um_json_key(out, "data");
    um_json_begin_object(out);
    member_string(out, "name", umem_error_name(code));
    um_json_end_object(out);
    um_json_end_object(out);
}

static void write_errors(struct um_buf *out, const struct um_method *method)
{
    static const int codes[] = {
#define ERROR_CODE(identifier, code, name, text) code,
        UMEM_WIRE_ERRORS(ERROR_CODE)
#undef ERROR_CODE
    };

    um_json_key(out, "errors");
    um_json_begin_array(out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (um_method_declares(method, codes[i]))
            write_error(out, codes[i]);
    }
    um_json_end_array(out);
}

static void write_method(struct um_buf *out, const struct um_method *method)
{
    um_json_begin_object(out);
    member_string(out, "name", method->name);
    member_string(out, "summary", method->summary);
    if (method->detail != NULL)
        member_string(out, "description", method->detail);
    member_string(out, "paramStructure", "either");
    um_json_key(out, "params");
    um_json_begin_array(out);
    for (size_t i = 0; i < method->param_count; i++)
        write_param(out, &method->params[i]);
    um_json_end_array(out);
    um_json_key(out, "result");
    um_json_begin_object(out);
    member_string(out, "name", "result");
    um_json_key(out, "schema");
    um_json_begin_object(out);
    write_type(out, "object", false);
    write_members(out, method->result);
    um_json_end_object(out);
    um_json_end_object(out);
    write_errors(out, method);
    um_json_end_object(out);
}

static void write_notification(struct um_buf *out, const struct um_notification *notification)
{
    um_json_begin_object(out);
    member_string(out, "name", notification->name);
    member_string(out, "summary", notification->summary);
    um_json_key(out, "params");
    um_json_begin_object(out);
    write_type(out, "object", false);
    write_members(out, notification->params);
    um_json_end_object(out);
    um_json_end_object(out);
}

void um_openrpc_write_members(struct um_buf *out, const char *version)
{
    member_string(out, "openrpc", "1.3.2");
    um_json_key(out, "info");
    um_json_begin_object(out);
    member_string(out, "title", "umemd");
    member_string(out, "version", version);
    um_json_end_object(out);
    um_json_key(out, "methods");
    um_json_begin_array(out);
    for (size_t i = 0; um_table_at(i) != NULL; i++)
        write_method(out, um_table_at(i));
    um_json_end_array(out);
    um_json_key(out, "x-notifications");
    um_json_begin_array(out);
    for (size_t i = 0; um_notification_at(i) != NULL; i++)
        write_notification(out, um_notification_at(i));
    um_json_end_array(out);
}
