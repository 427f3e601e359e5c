#include "cli/output/json_view.h"

#include <string.h>
#include <time.h>

#include <cJSON.h>

#include "base/decimal.h"
#include "cli/output/output.h"
#include "wire/json_write.h"

enum { JSON_LIMIT = 1 << 28, PATH_SIZE = 128, KEY_SIZE = 64, COLUMN = 22 /* where values stand, at least */ };

const cJSON *cli_find_member(const cJSON *object, const char *path)
{
    const char *dot = strchr(path, '.');
    char key[KEY_SIZE];

    if (dot == NULL)
        return cJSON_GetObjectItemCaseSensitive(object, path);
    snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
    return cli_find_member(cJSON_GetObjectItemCaseSensitive(object, key), dot + 1);
}

const char *cli_scalar(const cJSON *value, char number[CLI_NUMBER_SIZE])
{
    if (cJSON_IsString(value))
        return value->valuestring;
    if (cJSON_IsBool(value))
        return cJSON_IsTrue(value) ? "yes" : "no";
    if (!cJSON_IsNumber(value))
        return "";
    number[um_decimal_print_double(value->valuedouble, number)] = '\0';
    return number;
}

void cli_format_size(char text[CLI_NUMBER_SIZE], uint64_t size)
{
    static const char units[] = "KMGTPE";
    double value = (double)size;
    int unit = -1;

    while (value >= 1023.5) {
        value /= 1024;
        unit++;
    }
    if (unit < 0)
        snprintf(text, CLI_NUMBER_SIZE, "%llu", (unsigned long long)size);
    else if (value < 9.95) {
        unsigned tenths = (unsigned)(value * 10 + 0.5);

        snprintf(text, CLI_NUMBER_SIZE, "%u.%u%c", tenths / 10, tenths % 10, units[unit]);
    } else
        snprintf(text, CLI_NUMBER_SIZE, "%u%c", (unsigned)(value + 0.5), units[unit]);
}

const char *cli_member(const cJSON *object, const char *path, char number[CLI_NUMBER_SIZE])
{
    return cli_scalar(cli_find_member(object, path), number);
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

void cli_print_value(const cJSON *value)
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
    cli_print_value(value);
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

static const char *readable(const cJSON *item, char number[CLI_NUMBER_SIZE])
{
    time_t seconds = is_moment(item) ? (time_t)item->valuedouble : 0;
    const struct tm *local = is_moment(item) ? localtime(&seconds) : NULL;

    if (local == NULL || strftime(number, CLI_NUMBER_SIZE, "%Y-%m-%d %H:%M:%S", local) == 0)
        return cli_scalar(item, number);
    return number;
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

/* The members of an object on one line: "size 64, used 3". */
static void print_line(const cJSON *object)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        char number[CLI_NUMBER_SIZE];

        cli_printf("%s %s%s", item->string, readable(item, number), item->next != NULL ? ", " : "\n");
    }
}

static void print_members(const cJSON *object, const char *prefix, int width)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, object)
    {
        char path[PATH_SIZE];
        char number[CLI_NUMBER_SIZE];

        snprintf(path, sizeof path, "%s%s", prefix, item->string);
        if (cJSON_IsObject(item)) {
            snprintf(path, sizeof path, "%s%s.", prefix, item->string);
            print_members(item, path, width);
        } else if (cJSON_IsArray(item) && cJSON_IsObject(item->child)) {
            for (const cJSON *element = item->child; element != NULL; element = element->next) {
                cli_printf("%-*s ", width, path);
                print_line(element);
            }
        } else if (cJSON_IsArray(item)) {
            cli_printf("%-*s ", width, path);
            cli_print_json(item);
        } else {
            cli_printf("%-*s %s\n", width, path, readable(item, number));
        }
    }
}

void cli_print_members(const cJSON *object)
{
    int width = widest(object, 0);

    print_members(object, "", width > COLUMN ? width : COLUMN);
}
