#include "cli/request/results.h"

#include <string.h>
#include <time.h>

#include <cJSON.h>

#include "base/decimal.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "wire/json_write.h"

enum { JSON_LIMIT = 1 << 28, PATH_ROOM = 128, KEY_ROOM = 64, COLUMN = 22 /* where values stand, at least */ };

static const cJSON *find_member(const cJSON *object, const char *path)
{
    const char *dot = strchr(path, '.');
    char key[KEY_ROOM];

    if (dot == NULL)
        return cJSON_GetObjectItemCaseSensitive(object, path);
    snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
    return find_member(cJSON_GetObjectItemCaseSensitive(object, key), dot + 1);
}

static const char *scalar(const cJSON *value, char room[CLI_NUMBER_SIZE])
{
    if (cJSON_IsString(value))
        return value->valuestring;
    if (cJSON_IsBool(value))
        return cJSON_IsTrue(value) ? "yes" : "no";
    if (!cJSON_IsNumber(value))
        return "";
    room[um_decimal_print_double(value->valuedouble, room)] = '\0';
    return room;
}

const char *cli_member(const cJSON *object, const char *path, char room[CLI_NUMBER_SIZE])
{
    return scalar(find_member(object, path), room);
}

void cli_write_json(struct um_buf *out, const cJSON *value)
{
    const cJSON *item;

    if (cJSON_IsObject(value)) {
        um_json_begin_object(out);
        cJSON_ArrayForEach(item, value)
        {
            /* The daemon's word: it may hold what a key of ours never does. */
            um_json_cstring(out, item->string);
            um_buf_append_byte(out, ':');
            cli_write_json(out, item);
        }
        um_json_end_object(out);
    } else if (cJSON_IsArray(value)) {
        um_json_begin_array(out);
        cJSON_ArrayForEach(item, value)
        {
            cli_write_json(out, item);
        }
        um_json_end_array(out);
    } else if (cJSON_IsString(value)) {
        um_json_cstring(out, value->valuestring);
    } else if (cJSON_IsBool(value)) {
        um_json_bool(out, cJSON_IsTrue(value));
    } else if (!cJSON_IsNumber(value)) {
        um_json_null(out);
    } else {
        um_json_double(out, value->valuedouble);
    }
}

static bool is_incomplete; /* memory ran out for something that was to be printed */

bool cli_has_printed_all(void)
{
    return !is_incomplete;
}

static void print_json(const cJSON *value)
{
    struct um_buf out;

    um_buf_init(&out, JSON_LIMIT);
    cli_write_json(&out, value);
    if (!out.failed)
        cli_print_bytes(out.data, out.size);
    is_incomplete |= out.failed;
    um_buf_deinit(&out);
}

void cli_print_json(const cJSON *value)
{
    print_json(value);
    cli_print_char('\n');
}

/* Moments are seconds since 1970 on the wire; people get their own calendar. */
static bool is_moment(const cJSON *item)
{
    static const char *const moments[] = {"created", "opened", "started"};

    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        if (strcmp(item->string, moments[i]) == 0)
            return cJSON_IsNumber(item);
    }
    return false;
}

static const char *readable(const cJSON *item, char room[CLI_NUMBER_SIZE])
{
    time_t seconds = is_moment(item) ? (time_t)item->valuedouble : 0;
    const struct tm *local = is_moment(item) ? localtime(&seconds) : NULL;

    if (local == NULL || strftime(room, CLI_NUMBER_SIZE, "%Y-%m-%d %H:%M:%S", local) == 0)
        return scalar(item, room);
    return room;
}

/* Characters of the longest path that print_members() prints, given those of the prefix. */
static int widest(const cJSON *object, int prefix)
{
    const cJSON *item;
    int width = 0;

    cJSON_ArrayForEach(item, object)
    {
        int own = prefix + (int)strlen(item->string);

        own = cJSON_IsObject(item) ? widest(item, own + 1) : own;
        width = own > width ? own : width;
    }
    return width;
}

static void print_members(const cJSON *object, const char *prefix, int width)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        char path[PATH_ROOM];
        char room[CLI_NUMBER_SIZE];

        snprintf(path, sizeof path, "%s%s", prefix, item->string);
        if (cJSON_IsObject(item)) {
            snprintf(path, sizeof path, "%s%s.", prefix, item->string);
            print_members(item, path, width);
        } else if (cJSON_IsArray(item)) {
            cli_printf("%-*s ", width, path);
            cli_print_json(item);
        } else {
            cli_printf("%-*s %s\n", width, path, readable(item, room));
        }
    }
}

void cli_print_members(const cJSON *object)
{
    int width = widest(object, 0);

    print_members(object, "", width > COLUMN ? width : COLUMN);
}

int cli_show_result(struct cli *cli, const char *method, struct cli_params *params, const char *member)
{
    cJSON *result = NULL;
    char room[CLI_NUMBER_SIZE];
    int status = cli_call(cli, method, params, &result);

    cli_ignore_broken_pipe();
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK && member != NULL && *member != '\0')
        cli_print_line(cli_member(result, member, room));
    else if (status == CLI_OK && member != NULL)
        cli_print_members(result);
    cJSON_Delete(result);
    return status;
}

/* ---- lists ---- */

int cli_visit_list(struct cli *cli, const struct cli_list *list, void *context)
{
    char room[CLI_NUMBER_SIZE];
    char after[CLI_NUMBER_SIZE] = "0";
    int status = CLI_OK;

    while (status == CLI_OK && after[0] != '\0') {
        struct cli_params params;
        const cJSON *entry;
        cJSON *result = NULL;

        cli_params_begin(&params);
        if (list->filter != NULL)
            list->filter(cli, &params);
        cli_put_size(&params, "after", after);
        status = cli_call(cli, list->method, &params, &result);
        for (entry = find_member(result, list->member) != NULL ? find_member(result, list->member)->child
                                                               : NULL;
             status == CLI_OK && entry != NULL; entry = entry->next)
            status = list->visit(cli, entry, context);
        snprintf(after, sizeof after, "%s", cli_member(result, "next", room));
        cJSON_Delete(result);
    }
    return status;
}

/* A table or an array that is being printed. */
struct printing {
    const struct cli_column *columns;
    uint64_t count; /* entries so far */
};

static void print_cell(const struct cli_column *column, const char *text)
{
    bool is_last = column[1].title == NULL;

    cli_printf("%*s%s", is_last ? 0 : column->width, text, is_last ? "\n" : " ");
}

static int print_entry(struct cli *cli, const cJSON *entry, void *context)
{
    struct printing *printing = context;

    if (cli->option[CLI_JSON] != NULL) {
        cli_print(printing->count == 0 ? "[\n" : ",\n");
        print_json(entry);
    } else {
        for (const struct cli_column *column = printing->columns; column->title != NULL; column++) {
            char room[CLI_NUMBER_SIZE];
            const cJSON *member = find_member(entry, column->path);
            const char *text = scalar(member, room);

            /* A truth is told by its column's own word, or by nothing. */
            if (cJSON_IsBool(member))
                text = cJSON_IsTrue(member) ? column->path : "";
            print_cell(column, text);
        }
    }
    printing->count++;
    return CLI_OK;
}

int cli_show_list(struct cli *cli, const struct cli_list *list, const struct cli_column *columns)
{
    struct cli_list printed = *list;
    struct printing printing = {.columns = columns};
    int status;

    printed.visit = print_entry;
    if (cli->option[CLI_JSON] == NULL) {
        for (const struct cli_column *column = columns; column->title != NULL; column++)
            print_cell(column, column->title);
    }
    status = cli_visit_list(cli, &printed, &printing);
    /* An array that is cut short by an error stays without its end, so that nobody takes it for the whole. */
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(printing.count == 0 ? "[]" : "\n]");
    return status;
}
