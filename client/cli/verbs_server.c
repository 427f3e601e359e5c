/* umem call, ping, info, stats, shutdown, endpoint: the daemon itself. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli.h"
#include "transport.h"

enum { LINE_LIMIT = 1 << 26, READ_SIZE = 65536 };

/* Prints each member of a result on a line of its own. */
static int print_members(struct cli *cli, const char *method)
{
    char *result = NULL;
    const cJSON *item;
    int status = cli_call(cli, method, NULL, &result);

    if (status == CLI_OK && cli->option[CLI_JSON] == NULL) {
        cJSON *json = cJSON_Parse(result);

        cJSON_ArrayForEach(item, json)
        {
            char *text = cJSON_PrintUnformatted(item);

            printf("%-16s %s\n", item->string, text != NULL ? text : "");
            free(text);
        }
        cJSON_Delete(json);
    }
    umem_free_text(result);
    return status;
}

static int ping(struct cli *cli)
{
    int status = cli_call(cli, "server.ping", NULL, NULL);

    if (status == CLI_OK && cli->option[CLI_JSON] == NULL)
        printf("%s answers\n", cli->pipe);
    return status;
}

static int info(struct cli *cli)
{
    return print_members(cli, "server.info");
}

static int stats(struct cli *cli)
{
    return print_members(cli, "server.stats");
}

static int stop(struct cli *cli)
{
    return cli_call(cli, "server.shutdown", NULL, NULL);
}

static int endpoint(struct cli *cli)
{
    puts(cli->pipe);
    return CLI_OK;
}

/* ---- lines of JSON from standard input ---- */

/* One line of standard input, its end included, the last one's added. Returns false at the end of the input. */
static bool read_line(struct um_buf *line)
{
    int byte = getc(stdin);

    um_buf_truncate(line, 0);
    for (; byte != EOF && byte != '\n'; byte = getc(stdin))
        um_buf_append_byte(line, (char)byte);
    if (byte == EOF && line->size == 0)
        return false;
    um_buf_append_byte(line, '\n');
    return !line->failed;
}

/* A request that is answered: not empty, and no notification (nor a batch of nothing else). A text that is not JSON is. */
static bool is_notification(const cJSON *request)
{
    return cJSON_IsObject(request) && cJSON_HasObjectItem(request, "jsonrpc") &&
           !cJSON_HasObjectItem(request, "id");
}

static bool wants_answer(const struct um_buf *line)
{
    cJSON *json = cJSON_ParseWithLength(line->data, line->size);
    const cJSON *item;
    bool wants = !is_notification(json);

    if (cJSON_IsArray(json) && cJSON_GetArraySize(json) > 0) {
        wants = false;
        cJSON_ArrayForEach(item, json)
        {
            if (!is_notification(item))
                wants = true;
        }
    }
    cJSON_Delete(json);
    return wants;
}

static bool is_blank(const struct um_buf *line)
{
    for (size_t i = 0; i < line->size; i++) {
        if (strchr(" \t\r\n", line->data[i]) == NULL)
            return false;
    }
    return true;
}

/* Prints what comes until one line has ended. Answers come one a line, so that what was read ends with it. */
static int pass_answer(struct um_transport *transport, struct um_reason *reason)
{
    static char bytes[READ_SIZE];
    size_t size = 0;

    do {
        int code = um_transport_read(transport, bytes, sizeof bytes, &size, UM_NO_DEADLINE, reason);

        if (code != UMEM_OK)
            return code;
        fwrite(bytes, 1, size, stdout);
    } while (bytes[size - 1] != '\n');
    fflush(stdout);
    return UMEM_OK;
}

static int pass_lines(struct um_transport *transport, struct um_reason *reason)
{
    struct um_buf line;
    int code = UMEM_OK;

    um_buf_init(&line, LINE_LIMIT);
    while (code == UMEM_OK && read_line(&line)) {
        struct um_slice slice = {line.data, line.size};

        if (is_blank(&line))
            continue;
        code = um_transport_write(transport, &slice, 1, UM_NO_DEADLINE, reason);
        if (code == UMEM_OK && wants_answer(&line))
            code = pass_answer(transport, reason);
    }
    um_buf_deinit(&line);
    return code;
}

/* Whole requests go over a connection of their own, as they are: what a script would write to the pipe itself. */
static int call_lines(struct cli *cli)
{
    struct um_transport *transport = NULL;
    struct um_reason reason = {""};
    int code = um_transport_open(cli->pipe, 0, UM_NO_DEADLINE, &transport, &reason);

    cli_binary_mode();
    if (code == UMEM_OK)
        code = pass_lines(transport, &reason);
    um_transport_close(transport);
    if (code != UMEM_OK)
        return cli_fail(CLI_NO_CONNECTION, "%s: %s", cli->pipe, reason.text);
    return CLI_OK;
}

static int call(struct cli *cli)
{
    char *result = NULL;

    if (strcmp(cli->words[0], "-") == 0)
        return call_lines(cli);
    if (umem_call(cli->client, cli->words[0], cli->words[1], &result) != UMEM_OK)
        return cli_fail_call(cli);
    puts(result);
    umem_free_text(result);
    return CLI_OK;
}

const struct cli_verb cli_server_verbs[] = {
    {"call", "METHOD [JSON]",
     "call any method with JSON parameters; - for lines of whole requests from standard input", 1, 2, false,
     call},
    {"ping", "", "ask whether the daemon answers", 0, 0, false, ping},
    {"info", "", "tell what the daemon is, and its limits", 0, 0, false, info},
    {"stats", "", "tell what the daemon holds and has done", 0, 0, false, stats},
    {"shutdown", "", "end the daemon in order", 0, 0, false, stop},
    {"endpoint", "", "print the pipe's path", 0, 0, true, endpoint},
    {NULL, NULL, NULL, 0, 0, false, NULL},
};
