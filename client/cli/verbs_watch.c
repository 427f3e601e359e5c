/* umem watch: what happens to blocks and heaps, told as it happens. */
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "buf.h"
#include "cli.h"
#include "frame.h"
#include "json_out.h"
#include "params.h"
#include "report.h"
#include "show.h"
#include "transport.h"

enum { READ_SIZE = 1 << 16, LINE_LIMIT = 1 << 24 };

/* One watch over a connection of its own, in lines. */
struct watching {
    struct um_transport *transport;
    struct um_frame frame;
    char bytes[READ_SIZE];
    uint64_t left; /* events that are wanted still; 0: no end */
    bool is_begun; /* the daemon has answered */
    bool is_over;  /* all that was wanted has come */
};

static int send_request(struct cli *cli, struct watching *watching)
{
    struct cli_params params;
    struct um_buf line;
    struct um_reason reason = {""};
    struct um_slice slice;
    int status = CLI_OK;

    cli_params_begin(&params);
    if (cli->word_count != 0)
        cli_put_handle(&params, "block", cli->words[0]);
    cli_put_handle(&params, "heap", cli->option[CLI_HEAP]);
    cli_put_size(&params, "offset", cli->option[CLI_OFFSET]);
    cli_put_size(&params, "size", cli->option[CLI_SIZE]);
    um_json_end_object(&params.json);
    um_buf_init(&line, LINE_LIMIT);
    um_buf_append_string(&line, "{\"id\":1,\"method\":\"session.watch\",\"params\":");
    um_buf_append(&line, params.json.data, params.json.size);
    um_buf_append_string(&line, "}\n");
    slice = (struct um_slice){line.data, line.size};
    if (params.is_wrong)
        status = CLI_USAGE;
    else if (params.json.failed || line.failed)
        status = cli_fail_memory();
    else if (um_transport_write(watching->transport, &slice, 1, UM_NO_DEADLINE, &reason) != UMEM_OK)
        status = cli_fail_connection(cli, UMEM_E_CONNECTION_LOST, reason.text);
    um_buf_deinit(&line);
    cli_params_drop(&params);
    return status;
}

/* The answer to the request: the watch, or an error. */
static int take_answer(struct cli *cli, struct watching *watching, const cJSON *message)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(message, "error");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(error, "code");
    char room[CLI_NUMBER_ROOM];

    watching->is_begun = true;
    if (error == NULL)
        return CLI_OK;
    return cli_fail_as(cli, cJSON_IsNumber(code) ? (int)code->valuedouble : UMEM_E_INTERNAL_ERROR, "%s",
                       cli_member(error, "message", room));
}

/* "changed BLOCK OFFSET SIZE", "freed BLOCK", "destroyed HEAP", "overflow". */
static void print_event(const char *event, const cJSON *facts)
{
    static const char *const members[] = {"block", "heap", "offset", "size"};
    const char *dot = strchr(event, '.');

    fputs(dot != NULL ? dot + 1 : event, stdout);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char room[CLI_NUMBER_ROOM];
        const char *text = cli_member(facts, members[i], room);

        if (*text != '\0')
            printf(" %s", text);
    }
    putchar('\n');
}

/* Whether nothing can come after it: what was watched is gone. */
static bool is_last(const struct cli *cli, const char *event)
{
    return (cli->word_count != 0 && strcmp(event, "block.freed") == 0) ||
           (cli->option[CLI_HEAP] != NULL && strcmp(event, "heap.destroyed") == 0);
}

static int take_message(struct cli *cli, struct watching *watching, const struct um_frame_message *text)
{
    cJSON *message = cJSON_ParseWithLength(text->text, text->size);
    const cJSON *event = cJSON_GetObjectItemCaseSensitive(message, "method");
    int status = CLI_OK;

    if (!cJSON_IsString(event)) {
        if (!watching->is_begun)
            status = take_answer(cli, watching, message);
        cJSON_Delete(message);
        return status;
    }
    if (cli->option[CLI_JSON] != NULL)
        cli_print_json(message);
    else
        print_event(event->valuestring, cJSON_GetObjectItemCaseSensitive(message, "params"));
    watching->is_over = is_last(cli, event->valuestring) || watching->left == 1;
    watching->left -= watching->left != 0;
    cJSON_Delete(message);
    if (fflush(stdout) != 0)
        status = cli_fail(CLI_FAILED, "standard output cannot be written");
    return status;
}

static int take_messages(struct cli *cli, struct watching *watching)
{
    struct um_frame_message message;
    int status = CLI_OK;

    while (status == CLI_OK && !watching->is_over &&
           um_frame_next(&watching->frame, &message) == UM_FRAME_MESSAGE)
        status = take_message(cli, watching, &message);
    if (status == CLI_OK && !watching->is_over && um_frame_keep(&watching->frame) != UMEM_OK)
        status = cli_fail_memory();
    return status;
}

static int receive(struct cli *cli, struct watching *watching)
{
    struct um_reason reason = {""};
    int status = CLI_OK;

    while (status == CLI_OK && !watching->is_over) {
        size_t size = 0;

        if (um_transport_read(watching->transport, watching->bytes, sizeof watching->bytes, &size,
                              UM_NO_DEADLINE, &reason) != UMEM_OK)
            return cli_fail_connection(cli, UMEM_E_CONNECTION_LOST, reason.text);
        if (um_frame_feed(&watching->frame, watching->bytes, size) != UMEM_OK)
            return cli_fail_memory();
        status = take_messages(cli, watching);
    }
    return status;
}

static int watch(struct cli *cli)
{
    struct watching *watching = calloc(1, sizeof *watching);
    struct um_reason reason = {""};
    int status;

    if (watching == NULL)
        return cli_fail_memory();
    status = cli_option_size(cli, CLI_COUNT, 0, &watching->left);
    um_frame_init(&watching->frame, LINE_LIMIT, 0);
    if (status == CLI_OK) {
        int code =
            um_transport_open(umem_pipe(cli->client), 0, UM_NO_DEADLINE, &watching->transport, &reason);

        if (code != UMEM_OK)
            status = cli_fail_connecting(cli, code, reason.text);
    }
    if (status == CLI_OK)
        status = send_request(cli, watching);
    if (status == CLI_OK)
        status = receive(cli, watching);
    um_transport_close(watching->transport);
    um_frame_deinit(&watching->frame);
    free(watching);
    return status;
}

const struct cli_verb cli_watch_verbs[] = {
    {.name = "watch",
     .words = "[BLOCK]",
     .options = CLI_TAKES(HEAP) | CLI_TAKES(OFFSET) | CLI_TAKES(SIZE) | CLI_TAKES(COUNT),
     .summary = "tell what changes in a block, on a heap, or everywhere, as it happens",
     .detail = "One line for each event: \"changed BLOCK OFFSET SIZE\", \"freed BLOCK\", \"destroyed HEAP\", "
               "and \"overflow\" where "
               "more has happened than is told one by one. With --json, each is the daemon's notification. "
               "It ends after --count "
               "events, when the watched block or heap is gone, or with Ctrl-C.",
     .example = "umem watch counter --size 8\numem watch --heap scratch --json",
     .need = CLI_NEEDS_PIPE,
     .run = watch},
    {.name = NULL},
};
