#include "rpc/schema/openrpc.h"

#include <string.h>

#include "rpc/schema/notification.h"
#include "rpc/schema/table.h"
#include "store/store.h"
#include "wire/json_write.h"

/*
 * Titles: generators of types name them after these, so that each schema has one, and no two schemas that differ share one. It
 * tells the schema's place in the document: "BlockReadOffset", "HeapListResultHeapsItem".
 */
enum { TITLE_SIZE = 128 };

struct title {
    char text[TITLE_SIZE];
};

/* Appends the words of a name, each with a capital: "block.read" becomes "BlockRead". A title too long would be cut. */
static struct title title_of(const char *prefix, const char *name)
{
    struct title title = {{0}};
    size_t size = 0;
    bool begins_word = true;

    for (; *prefix != '\0' && size + 1 < sizeof title.text; prefix++)
        title.text[size++] = *prefix;
    for (; *name != '\0' && size + 1 < sizeof title.text; name++) {
        bool is_small = *name >= 'a' && *name <= 'z';
        bool is_other = (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9');

        if (is_small || is_other)
            title.text[size++] = is_small && begins_word ? (char)(*name - 'a' + 'A') : *name;
        begins_word = !is_small && !is_other;
    }
    return title;
}

static void write_type(struct um_buf *out, const char *type)
{
    um_json_put_string(out, "type", type);
}

static void begin_one_of(struct um_buf *out)
{
    um_json_key(out, "oneOf");
    um_json_begin_array(out);
}

/* One of several schemas, or of an array's items: up to um_json_end_object(). */
static void begin_titled(struct um_buf *out, const char *title)
{
    um_json_begin_object(out);
    um_json_put_string(out, "title", title);
}

static void write_alternative(struct um_buf *out, const char *title, const char *type)
{
    begin_titled(out, title);
    write_type(out, type);
    um_json_end_object(out);
}

/* What follows, up to end_nullable(), describes a value; where null may stand for it, it is one of two schemas. */
static void begin_nullable(struct um_buf *out, const char *title, bool nullable)
{
    if (!nullable)
        return;
    begin_one_of(out);
    begin_titled(out, title_of(title, "value").text);
}

static void end_nullable(struct um_buf *out, bool nullable)
{
    if (!nullable)
        return;
    um_json_end_object(out);
    write_alternative(out, "Null", "null");
    um_json_end_array(out);
}

/* What may be a number or a string: both have the same titles wherever they stand. */
struct pair {
    const char *number_title;
    const char *number_type;
    const char *string_title;
};

static const struct pair reference_pair = {"Handle", "integer", "Name"};
static const struct pair id_pair = {"RequestNumber", "number", "RequestText"};
static const struct pair value_pair = {"ValueNumber", "number", "ValueText"};

static void write_pair(struct um_buf *out, const struct pair *pair, bool nullable)
{
    begin_one_of(out);
    write_alternative(out, pair->number_title, pair->number_type);
    write_alternative(out, pair->string_title, "string");
    if (nullable)
        write_alternative(out, "Null", "null");
    um_json_end_array(out);
}

static void write_words(struct um_buf *out, const struct um_word *words)
{
    write_type(out, "string");
    um_json_key(out, "enum");
    um_json_begin_array(out);
    for (; words->word != NULL; words++)
        um_json_cstring(out, words->word);
    um_json_end_array(out);
}

static void begin_items(struct um_buf *out, const char *title)
{
    write_type(out, "array");
    um_json_key(out, "items");
    begin_titled(out, title_of(title, "item").text);
}

static void write_array_of_values(struct um_buf *out, const char *title)
{
    begin_items(out, title);
    write_pair(out, &value_pair, false);
    um_json_end_object(out);
}

/* ---- parameters ---- */

static void write_default(struct um_buf *out, const struct um_param *param)
{
    if (param->required)
        return;
    switch (param->type) {
    case UM_BOOLEAN:
        um_json_put_bool(out, "default", param->fallback != 0);
        return;
    case UM_STRING:
    case UM_DATA:
    case UM_NAME:
    case UM_FLAGS:
    case UM_VALUE:
    case UM_VALUES:
        return;
    case UM_HEAP:
    case UM_BLOCK:
    case UM_ID:
        if (param->fallback_name != NULL)
            um_json_put_string(out, "default", param->fallback_name);
        return;
    case UM_CHOICE:
        for (const struct um_word *word = param->words; word->word != NULL; word++) {
            if (param->fallback_doc == NULL && word->value == param->fallback)
                um_json_put_string(out, "default", word->word);
        }
        return;
    default:
        if (param->fallback_doc == NULL)
            um_json_put_uint(out, "default", param->fallback);
        return;
    }
}

/* A parameter that is one type only. */
static void write_plain_param(struct um_buf *out, const char *title, const struct um_param *param)
{
    switch (param->type) {
    case UM_BOOLEAN:
        write_type(out, "boolean");
        break;
    case UM_STRING:
    case UM_DATA:
        write_type(out, "string");
        break;
    case UM_NAME:
        write_type(out, "string");
        um_json_put_uint(out, "minLength", param->minimum);
        um_json_put_uint(out, "maxLength", UM_NAME_SIZE_LIMIT);
        break;
    case UM_CHOICE:
        write_words(out, param->words);
        break;
    case UM_FLAGS:
        begin_items(out, title);
        write_words(out, param->words);
        um_json_end_object(out);
        um_json_put_bool(out, "uniqueItems", true);
        break;
    case UM_VALUES:
        write_array_of_values(out, title);
        break;
    default:
        write_type(out, "integer");
        um_json_put_uint(out, "minimum", param->minimum);
        um_json_put_uint(out, "maximum",
                         param->maximum != 0 ? param->maximum : (uint64_t)UM_JSON_INTEGER_MAX);
        break;
    }
}

/* A parameter that may be left out may also be null: by position, that is how to pass it over. */
static void write_param_schema(struct um_buf *out, const char *title, const struct um_param *param)
{
    bool nullable = !param->required;

    um_json_put_string(out, "title", title);
    write_default(out, param);
    switch (param->type) {
    case UM_HEAP:
    case UM_BLOCK:
        write_pair(out, &reference_pair, nullable);
        break;
    case UM_ID:
        write_pair(out, &id_pair, nullable);
        break;
    case UM_VALUE:
        write_pair(out, &value_pair, nullable);
        break;
    default:
        begin_nullable(out, title, nullable);
        write_plain_param(out, title, param);
        end_nullable(out, nullable);
        break;
    }
}

static void write_param(struct um_buf *out, const char *method_title, const struct um_param *param)
{
    um_json_begin_object(out);
    um_json_put_string(out, "name", param->name);
    um_json_put_string(out, "description", param->doc);
    um_json_put_bool(out, "required", param->required);
    um_json_key(out, "schema");
    um_json_begin_object(out);
    write_param_schema(out, title_of(method_title, param->name).text, param);
    um_json_end_object(out);
    um_json_end_object(out);
}

/* ---- results ---- */

static void write_members(struct um_buf *out, const char *title, const struct um_member *members);

static void write_plain_member(struct um_buf *out, const char *title, const struct um_member *member)
{
    switch (member->type) {
    case UM_BOOLEAN:
        write_type(out, "boolean");
        break;
    case UM_STRING:
        write_type(out, "string");
        break;
    case UM_OBJECT:
        write_type(out, "object");
        write_members(out, title, member->members);
        break;
    case UM_ARRAY:
        begin_items(out, title);
        write_type(out, "object");
        write_members(out, title_of(title, "item").text, member->members);
        um_json_end_object(out);
        break;
    case UM_WORDS:
        begin_items(out, title);
        write_type(out, "string");
        um_json_end_object(out);
        break;
    case UM_VALUES:
        write_array_of_values(out, title);
        break;
    default:
        write_type(out, "integer");
        break;
    }
}

static void write_member(struct um_buf *out, const char *title, const struct um_member *member)
{
    um_json_key(out, member->name);
    begin_titled(out, title);
    um_json_put_string(out, "description", member->doc);
    if (member->type == UM_VALUE) {
        write_pair(out, &value_pair, member->nullable);
    } else if (member->type != UM_JSON) {
        begin_nullable(out, title, member->nullable);
        write_plain_member(out, title, member);
        end_nullable(out, member->nullable);
    }
    um_json_end_object(out);
}

/* Extensions of OpenRPC's own document are named "x-...", which is no name of a member in most languages. */
static bool is_extension(const struct um_member *member)
{
    return strncmp(member->name, "x-", 2) == 0;
}

/* "properties" and "required" of an object; NULL members: the empty object. */
static void write_members(struct um_buf *out, const char *title, const struct um_member *members)
{
    um_json_key(out, "properties");
    um_json_begin_object(out);
    for (const struct um_member *m = members; m != NULL && m->name != NULL; m++) {
        if (!is_extension(m))
            write_member(out, title_of(title, m->name).text, m);
    }
    um_json_end_object(out);
    um_json_key(out, "required");
    um_json_begin_array(out);
    for (const struct um_member *m = members; m != NULL && m->name != NULL; m++) {
        if (!m->optional && !is_extension(m))
            um_json_cstring(out, m->name);
    }
    um_json_end_array(out);
}

/* The whole schema of an object. */
static void write_object(struct um_buf *out, const char *title, const struct um_member *members)
{
    begin_titled(out, title);
    write_type(out, "object");
    write_members(out, title, members);
    um_json_end_object(out);
}

static void write_error(struct um_buf *out, int code)
{
    um_json_begin_object(out);
    um_json_put_int(out, "code", code);
    um_json_put_string(out, "message", umem_error_text(code));
    um_json_key(out, "data");
    um_json_begin_object(out);
    um_json_put_string(out, "name", umem_error_name(code));
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
    struct title title = title_of("", method->name);

    um_json_begin_object(out);
    um_json_put_string(out, "name", method->name);
    um_json_put_string(out, "summary", method->summary);
    if (method->detail != NULL)
        um_json_put_string(out, "description", method->detail);
    um_json_put_string(out, "paramStructure", "either");
    um_json_key(out, "params");
    um_json_begin_array(out);
    for (size_t i = 0; i < method->param_count; i++)
        write_param(out, title.text, &method->params[i]);
    um_json_end_array(out);
    um_json_key(out, "result");
    um_json_begin_object(out);
    um_json_put_string(out, "name", "result");
    um_json_key(out, "schema");
    write_object(out, title_of(title.text, "result").text, method->result);
    um_json_end_object(out);
    write_errors(out, method);
    um_json_end_object(out);
}

static void write_notification(struct um_buf *out, const struct um_notification *notification)
{
    um_json_begin_object(out);
    um_json_put_string(out, "name", notification->name);
    um_json_put_string(out, "summary", notification->summary);
    um_json_key(out, "params");
    write_object(out, title_of(title_of("", notification->name).text, "params").text, notification->params);
    um_json_end_object(out);
}

void um_openrpc_write_members(struct um_buf *out, const char *version)
{
    um_json_put_string(out, "openrpc", "1.3.2");
    um_json_key(out, "info");
    um_json_begin_object(out);
    um_json_put_string(out, "title", "umemd");
    um_json_put_string(out, "version", version);
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
