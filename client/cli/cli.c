#include "cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "json_out.h"

enum { PARAMS_LIMIT = 1 << 26 };

int cli_fail(int status, const char *format, ...)
{
    va_list list;

    fputs("umem: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return status;
}

int cli_fail_call(const struct cli *cli)
{
    const struct umem_failure *failure = umem_last_error(cli->client);

    switch (failure->code) {
    case UMEM_E_NOT_CONNECTED:
        return cli_fail(CLI_NO_CONNECTION, "%s: %s; start a daemon with: umemd --daemon --pipe %s", cli->pipe,
                        failure->message, cli->pipe);
    case UMEM_E_CONNECTION_LOST:
    case UMEM_E_NOT_TRUSTED:
    case UMEM_E_BAD_ANSWER:
    case UMEM_E_DEADLINE:
        return cli_fail(CLI_NO_CONNECTION, "%s: %s", cli->pipe, failure->message);
    case UMEM_E_BAD_ARGUMENT:
        return cli_fail(CLI_USAGE, "%s", failure->message);
    default:
        return cli_fail(CLI_ERROR, "%s: %s", failure->name, failure->message);
    }
}

bool cli_parse_size(const char *text, uint64_t *size)
{
    static const char units[] = "KMG";
    char *end;
    const char *unit;
    unsigned shift = 0;
    uint64_t number;

    if (*text < '0' || *text > '9' || strlen(text) > 17)
        return false;
    number = strtoull(text, &end, 10);
    if (*end != '\0') {
        unit = strchr(units, *end);
        if (unit == NULL || end[1] != '\0')
            return false;
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (number > UMEM_SIZE_MAX >> shift)
        return false;
    *size = number << shift;
    return true;
}

void cli_begin(struct um_buf *params)
{
    um_buf_init(params, PARAMS_LIMIT);
    um_json_begin_object(params);
}

void cli_put_text(struct um_buf *params, const char *key, const char *text)
{
    if (text == NULL)
        return;
    um_json_key(params, key);
    um_json_cstring(params, text);
}

void cli_put_handle(struct um_buf *params, const char *key, const char *text)
{
    if (text == NULL)
        return;
    /* Longer digits cannot be a handle, and no number says them exactly: then it is a name. */
    if (*text != '\0' && *text != '0' && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 16) {
        um_json_key(params, key);
        um_json_raw(params, text, strlen(text));
    } else {
        cli_put_text(params, key, text);
    }
}

bool cli_put_size(struct um_buf *params, const char *key, const char *text)
{
    uint64_t size;

    if (text == NULL)
        return true;
    if (!cli_parse_size(text, &size)) {
        cli_fail(CLI_USAGE, "%s: not a size; write digits, with K, M or G behind them", text);
        return false;
    }
    um_json_key(params, key);
    um_json_uint(params, size);
    return true;
}

int cli_call(struct cli *cli, const char *method, struct um_buf *params, char **result)
{
    char *text = NULL;
    int code = UMEM_E_OUT_OF_MEMORY;

    if (params != NULL) {
        um_json_end_object(params);
        um_buf_append_byte(params, '\0');
    }
    if (params == NULL || !params->failed)
        code = umem_call(cli->client, method, params != NULL ? params->data : NULL, &text);
    if (params != NULL)
        um_buf_deinit(params);
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    if (cli->option[CLI_JSON] != NULL)
        puts(text);
    if (result != NULL)
        *result = text;
    else
        umem_free_text(text);
    return CLI_OK;
}

const char *cli_member(const cJSON *object, const char *name, char room[32])
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

    if (cJSON_IsString(member))
        return member->valuestring;
    if (!cJSON_IsNumber(member))
        return cJSON_IsTrue(member) ? "yes" : "";
    snprintf(room, 32, "%.0f", member->valuedouble);
    return room;
}
