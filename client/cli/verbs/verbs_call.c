/* umem call: any method, and lines or messages of JSON as they are. */
#include <string.h>

#include <cJSON.h>

#include "base/buf.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "cli/transfer/relay.h"

enum { INPUT_LIMIT = 1 << 28, READ_SIZE = 1 << 16 };

/* All of standard input, with a NUL behind it. Returns an exit status; a failure has been reported. */
static int read_params(struct um_buf *params)
{
    long size;

    do {
        char *space = um_buf_reserve(params, READ_SIZE);

        if (space == NULL)
            return cli_fail(CLI_FAILED, "standard input is longer than %d bytes, or memory is used up",
                            INPUT_LIMIT);
        size = cli_read_file(CLI_INPUT, space, READ_SIZE);
        params->size += size > 0 ? (size_t)size : 0;
    } while (size > 0);
    if (size < 0)
        return cli_fail_file("standard input", "read to its end", (int)size);
    /* It would be taken for the end. */
    if (params->size != 0 && memchr(params->data, '\0', params->size) != NULL)
        return cli_fail(CLI_USAGE, "the parameters on standard input are not JSON: they hold a NUL byte");
    return um_buf_append_byte(params, '\0') ? CLI_OK : cli_fail_memory();
}

/* Whether a parameter's value asks for raw bytes, which stand beside a message and not in it. */
static bool is_raw_word(const cJSON *value)
{
    return cJSON_IsString(value) && strcmp(value->valuestring, "raw") == 0;
}

/* The methods that raw bytes belong to, the place of their encoding among parameters by position, and what takes such bytes. */
static const struct raw_method {
    const char *name;
    int place;
    const char *verb;
} raw_methods[] = {{"block.read", 3, "read"}, {"block.write", 3, "write"}, {"block.alloc", 6, "put"}};

static const struct raw_method *find_raw_method(const char *name)
{
    for (size_t i = 0; i < sizeof raw_methods / sizeof raw_methods[0]; i++) {
        if (strcmp(raw_methods[i].name, name) == 0)
            return &raw_methods[i];
    }
    return NULL;
}

/* Parameters by name, also as the only one in an array, or by position. */
static bool wants_raw(const struct raw_method *method, const char *text)
{
    cJSON *params = NULL;
    const cJSON *object;
    bool is_raw;

    if (text == NULL || method == NULL)
        return false;
    params = cJSON_Parse(text);
    object = cJSON_IsArray(params) && cJSON_IsObject(params->child) ? params->child : params;
    is_raw = is_raw_word(cJSON_GetObjectItemCaseSensitive(object, "encoding")) ||
             (cJSON_IsArray(params) && is_raw_word(cJSON_GetArrayItem(params, method->place)));
    cJSON_Delete(params);
    return is_raw;
}

static int call_method(struct cli *cli, const char *params)
{
    const struct raw_method *raw = find_raw_method(cli->words[0]);
    int status;
    int code;

    if (wants_raw(raw, params))
        return cli_fail_usage(cli, "raw bytes are no JSON: umem %s takes them, and so does umem call -",
                              raw->verb);
    status = cli_connect(cli);

    if (status != CLI_OK)
        return status;
    cli_exit_on_broken_pipe();
    code = umem_call(cli->client, cli->words[0], params, &cli->result);
    cli_ignore_broken_pipe();
    if (code != UMEM_OK)
        return cli_fail_call(cli);
    cli_print_line(cli->result);
    return CLI_OK;
}

static int call(struct cli *cli)
{
    bool from_input = cli->word_count == 2 && strcmp(cli->words[1], "-") == 0;
    struct um_buf params;
    int status;

    if (cli_is_input_reserved() && (from_input || strcmp(cli->words[0], "-") == 0))
        return cli_fail_usage(cli, "standard input is where the command lines come from");
    if (strcmp(cli->words[0], "-") == 0) {
        if (cli->word_count == 2)
            return cli_fail_usage(cli,
                                  "\"-\" takes whole requests from standard input, and no JSON beside them");
        if (cli->option[CLI_TIMEOUT] != NULL)
            return cli_fail_usage(cli, "--timeout goes with METHOD; \"-\" lasts as long as standard input");
        return cli_relay(cli);
    }
    if (!from_input)
        return call_method(cli, cli->words[1]);
    um_buf_init(&params, INPUT_LIMIT);
    status = read_params(&params);
    if (status == CLI_OK)
        status = call_method(cli, params.data);
    um_buf_deinit(&params);
    return status;
}

const struct cli_verb cli_call_verbs[] = {
    {.name = "call",
     .words = "METHOD [JSON]",
     .options = CLI_TAKES(TIMEOUT),
     .summary = "call any method of the protocol with JSON parameters",
     .detail = "JSON is an object or an array; with \"-\" it is read from standard input. The result is "
               "printed as JSON. Raw bytes beside it are refused: umem read and umem write are for them.\n\n"
               "With \"-\" instead of METHOD, standard input and output are connected to the pipe: bytes go "
               "by as they are, in both "
               "directions at once, in either framing of the protocol. So a program that can start another "
               "one, but cannot open the "
               "pipe, talks to the daemon through umem call -. It ends when standard input has ended and "
               "everything has been answered, "
               "or when the daemon closes; the exit status is 5 where requests were left without an answer. "
               "An answer that is an "
               "error is passed on like any other and does not change the exit status.",
     .example =
         "umem call block.alloc '{\"size\":16,\"name\":\"note\"}'\numem call block.write - < params.json\n"
         "printf '%s\\n' '{\"method\":\"server.ping\"}' | umem call -",
     .need = CLI_NEEDS_PIPE,
     .run = call},
    {.name = NULL},
};
