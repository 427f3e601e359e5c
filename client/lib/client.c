#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
    ANSWER_LIMIT_DEFAULT = 64 << 20,
    READ_SPACE = 1 << 18, /* bytes past the longest answer that reading in steps may take */
    KEEP_SIZE = 4 << 20   /* a larger buffer is given back before the next call */
};

/* ---- the client ---- */

umem_client *umem_client_new(const struct umem_options *options)
{
    static const struct umem_options defaults = {.pipe = NULL};
    umem_client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return NULL;
    if (options == NULL)
        options = &defaults;
    if (um_endpoint_find(options->pipe, client->pipe, &client->pipe_fault) == UMEM_OK)
        client->pipe_fault = NULL;
    else
        client->pipe[0] = '\0';
    client->timeout_ms = options->timeout_ms;
    client->answer_limit = options->answer_bytes_max != 0 ? options->answer_bytes_max : ANSWER_LIMIT_DEFAULT;
    if (client->answer_limit > SIZE_MAX / 4)
        client->answer_limit = SIZE_MAX / 4;
    client->broken = UMEM_E_NOT_CONNECTED;
    um_buf_init(&client->out, SIZE_MAX / 4);
    um_buf_init(&client->in, client->answer_limit + READ_SPACE);
    return client;
}

void umem_client_free(umem_client *client)
{
    if (client == NULL)
        return;
    um_transport_close(client->transport);
    um_buf_deinit(&client->out);
    um_buf_deinit(&client->in);
    free(client);
}

/* Forgets the connection that was, and all that came by it. */
static void reset(umem_client *client)
{
    um_transport_close(client->transport);
    client->transport = NULL;
    client->broken = UMEM_E_NOT_CONNECTED;
    client->message_limit = 0;
    client->in_taken = 0;
    um_buf_truncate(&client->in, 0);
    client->answer = (struct um_answer){.kind = UM_ANSWER_RESULT};
    client->failure.seen.code = UMEM_OK;
}

static uint64_t deadline(const umem_client *client)
{
    return client->timeout_ms != 0 ? um_transport_now_ms() + client->timeout_ms : UM_NO_DEADLINE;
}

int umem_connect(umem_client *client)
{
    struct um_reason reason = {""};
    int code;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    reset(client);
    if (client->pipe_fault != NULL)
        return um_client_break(client, UMEM_E_BAD_ARGUMENT, "%s", client->pipe_fault);
    code = um_transport_open(client->pipe, client->timeout_ms, deadline(client), &client->transport, &reason);
    if (code != UMEM_OK)
        return um_client_break(client, code, "%s: %s", client->pipe, reason.text);
    client->broken = UMEM_OK;
    return UMEM_OK;
}

bool umem_is_connected(const umem_client *client)
{
    return client != NULL && client->transport != NULL;
}

void umem_set_timeout(umem_client *client, uint32_t timeout_ms)
{
    if (client != NULL)
        client->timeout_ms = timeout_ms;
}

const char *umem_pipe(const umem_client *client)
{
    return client != NULL ? client->pipe : "";
}

int umem_default_pipe(char *pipe, size_t size)
{
    char path[UM_ENDPOINT_ROOM];
    const char *what;

    if (um_endpoint_find(NULL, path, &what) != UMEM_OK || strlen(path) >= size)
        return UMEM_E_BAD_ARGUMENT;
    memcpy(pipe, path, strlen(path) + 1);
    return UMEM_OK;
}

/* ---- calls ---- */

/* The last answer goes, and with it a buffer that one large answer has left. */
static void drop_answer(umem_client *client)
{
    client->answer = (struct um_answer){.kind = UM_ANSWER_RESULT};
    um_buf_consume(&client->in, client->in_taken);
    client->in_taken = 0;
    um_buf_truncate(&client->in, client->in.size);
    um_buf_shrink(&client->in, KEEP_SIZE);
}

int um_client_begin(umem_client *client)
{
    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    drop_answer(client);
    if (client->transport == NULL) {
        /* What was said when the connection broke is more than could be said now. */
        if (client->failure.seen.code == client->broken)
            return client->broken;
        return um_client_fail(client, client->broken, NULL);
    }
    client->failure.seen.code = UMEM_OK;
    client->deadline_ms = deadline(client);
    return UMEM_OK;
}

int um_client_check_handle(umem_client *client, const char *what, umem_handle handle)
{
    if (handle != 0 && handle <= UMEM_SIZE_MAX)
        return UMEM_OK;
    return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "%s: %llu is no handle", what,
                          (unsigned long long)handle);
}

int um_client_check_size(umem_client *client, const char *what, uint64_t size)
{
    if (size <= UMEM_SIZE_MAX)
        return UMEM_OK;
    return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "%s: %llu is past 2^53 - 1", what,
                          (unsigned long long)size);
}

int um_client_check_name(umem_client *client, const char *name)
{
    if (name != NULL && um_utf8_check(name, strlen(name)) == strlen(name))
        return UMEM_OK;
    return um_client_fail(client, UMEM_E_BAD_ARGUMENT, "the name is %s",
                          name == NULL ? "missing" : "not UTF-8");
}
