#include "rpc/schema/reference.h"

#include <inttypes.h>

#include "rpc/schema/notification.h"
#include "rpc/schema/server_limits.h"
#include "rpc/schema/table.h"
#include "umem_errors.h"

static const char *const type_names[] = {
    [UM_BOOLEAN] = "boolean",
    [UM_UINT] = "integer",
    [UM_STRING] = "string",
    [UM_NAME] = "name",
    [UM_CHOICE] = "word",
    [UM_FLAGS] = "array of words",
    [UM_HEAP] = "heap",
    [UM_BLOCK] = "block",
    [UM_SESSION] = "session",
    [UM_WATCH] = "watch",
    [UM_OFFSET] = "integer",
    [UM_SIZE] = "integer",
    [UM_DATA] = "encoded bytes",
    [UM_VALUE] = "number",
    [UM_VALUES] = "array of numbers",
    [UM_ID] = "string or number",
    [UM_OBJECT] = "object",
    [UM_ARRAY] = "array of objects",
    [UM_WORDS] = "array of strings",
    [UM_JSON] = "any",
};

static void write_words(FILE *out, const struct um_word *words)
{
    for (const struct um_word *word = words; word->word != NULL; word++)
        fprintf(out, "%s`%s`", word == words ? ": " : ", ", word->word);
}

static void write_fallback(FILE *out, const struct um_param *param)
{
    if (param->required) {
        fputs("required", out);
    } else if (param->fallback_doc != NULL) {
        fputs(param->fallback_doc, out);
    } else if (param->fallback_name != NULL) {
        fprintf(out, "`\"%s\"`", param->fallback_name);
    } else if (param->type == UM_BOOLEAN) {
        fputs(param->fallback != 0 ? "`true`" : "`false`", out);
    } else if (param->type == UM_FLAGS) {
        fputs("`[]`", out);
    } else if (param->type == UM_CHOICE) {
        for (const struct um_word *word = param->words; word->word != NULL; word++) {
            if (word->value == param->fallback)
                fprintf(out, "`\"%s\"`", word->word);
        }
    } else if (param->type == UM_UINT || param->type == UM_OFFSET || param->type == UM_SIZE) {
        fprintf(out, "`%" PRIu64 "`", param->fallback);
    } else {
        fputs("none", out);
    }
}

static void write_param(FILE *out, const struct um_param *param)
{
    fprintf(out, "| `%s` | %s", param->name, type_names[param->type]);
    if (param->unit != NULL)
        fprintf(out, ", %s", param->unit);
    fputs(" | ", out);
    write_fallback(out, param);
    fprintf(out, " | %s", param->doc);
    if (param->type == UM_UINT && (param->minimum != 0 || param->maximum != 0)) {
        if (param->maximum != 0)
            fprintf(out, " From %" PRIu64 " to %" PRIu64 ".", param->minimum, param->maximum);
        else
            fprintf(out, " At least %" PRIu64 ".", param->minimum);
    }
    if (param->words != NULL) {
        fputs(" Words", out);
        write_words(out, param->words);
        fputc('.', out);
    }
    fputs(" |\n", out);
}

/* Members of arrays' objects are those of another method, which the sentence of the array names. */
static void write_members(FILE *out, const struct um_member *members, const char *prefix)
{
    char inner[64];

    for (const struct um_member *m = members; m != NULL && m->name != NULL; m++) {
        fprintf(out, "| `%s%s` | %s", prefix, m->name, type_names[m->type]);
        if (m->unit != NULL)
            fprintf(out, ", %s", m->unit);
        if (m->nullable)
            fputs(", or null", out);
        if (m->optional)
            fputs(", may be missing", out);
        fprintf(out, " | %s |\n", m->doc);
        if (m->type == UM_OBJECT) {
            snprintf(inner, sizeof inner, "%s%s.", prefix, m->name);
            write_members(out, m->members, inner);
        }
    }
}

static void write_errors(FILE *out, const struct um_method *method)
{
    const char *separator = "Errors: ";

#define ERROR_NAME(identifier, code, name, text) \
    if (um_method_declares(method, code)) { \
        fprintf(out, "%s`%s`", separator, name); \
        separator = ", "; \
    }
    UMEM_WIRE_ERRORS(ERROR_NAME)
#undef ERROR_NAME
    fputs(".\n", out);
}

static void write_method(FILE *out, const struct um_method *method)
{
    fprintf(out, "\n### %s\n\n%s\n", method->name, method->summary);
    if (method->detail != NULL)
        fprintf(out, "%s\n", method->detail);
    if (method->param_count != 0)
        fputs("\n| parameter | type | if left out | |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < method->param_count; i++)
        write_param(out, &method->params[i]);
    if (method->result != NULL)
        fputs("\n| result | type | |\n|---|---|---|\n", out);
    else
        fputs("\nResult: `{}`.\n", out);
    write_members(out, method->result, "");
    fputc('\n', out);
    write_errors(out, method);
}

static void write_notification(FILE *out, const struct um_notification *notification)
{
    fprintf(out, "\n### Notification %s\n\n%s\n", notification->name, notification->summary);
    fputs("\n| member | type | |\n|---|---|---|\n", out);
    write_members(out, notification->params, "");
}

static void write_limits(FILE *out)
{
    fputs("\n### Limits\n\n| limit | default | what it limits |\n|---|---|---|\n", out);
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        const struct um_limit_entry *entry = um_limits_entry(i);

        fprintf(out, "| `%s` | ", entry->name);
        if (entry->fallback != 0)
            fprintf(out, "%" PRIu64, entry->fallback);
        else
            fputs(um_limits_fallback(entry), out);
        fprintf(out, " | %s |\n", entry->doc);
    }
}

int um_reference_write(FILE *out)
{
    for (size_t i = 0; um_table_at(i) != NULL; i++)
        write_method(out, um_table_at(i));
    for (size_t i = 0; um_notification_at(i) != NULL; i++)
        write_notification(out, um_notification_at(i));
    write_limits(out);
    return ferror(out) != 0 ? -1 : 0;
}
