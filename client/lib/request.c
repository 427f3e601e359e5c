#include "request.h"

#include <string.h>

enum {
    READ_ROOM = 1 << 16,         /* bytes of room for each read, at least */
    DATA_ROOM_MAXIMUM = 3 << 19, /* bytes that data take as text in one message: 1 MiB in base64, and a bit */
    DEFAULT_MESSAGE_LIMIT = 16 << 20
};

struct um_buf *um_request_begin_raw(umem_client *client, const char *method)
{
    struct um_buf *out = &client->out;

    um_buf_truncate(out, 0);
    um_json_begin_object(out);
    um_json_key(out, "jsonrpc");
    um_json_cstring(out, "2.0");
    um_json_key(out, "id");
    um_json_uint(out, ++client->last_id);
    um_json_key(out, "method");
    um_json_cstring(out, method);
    return out;
}

struct um_buf *um_request_begin(umem_client *client, const char *method)
{
    struct um_buf *out = um_request_begin_raw(client, method);

    um_json_key(out, "params");
    um_json_begin_object(out);
    return out;
}

/* ---- framing: lines ---- */

static int send_message(umem_client *client)
{
    struct um_reason reason = {""};
    struct um_slice slice;
    int code;

    um_buf_append_byte(&client->out, '\n');
    if (client->out.failed)
        return um_client_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    if (client->message_limit != 0 && client->out.size - 1 > client->message_limit)
        return um_client_fail(client, UMEM_E_TOO_LARGE,
                              "the request has %zu bytes, and the daemon takes %llu", client->out.size - 1,
                              (unsigned long long)client->message_limit);
    slice = (struct um_slice){client->out.data, client->out.size};
    code = um_transport_write(client->transport, &slice, 1, client->deadline_ms, &reason);
    if (code != UMEM_OK)
        return um_client_break(client, code, "%s", reason.text);
    return UMEM_OK;
}

/* Reads once, behind what `in` holds. */
static int receive_more(umem_client *client)
{
    struct um_buf *in = &client->in;
    struct um_reason reason = {""};
    size_t size = 0;
    char *space;
    int code;

    if (in->size > client->answer_limit)
        return um_client_break(client, UMEM_E_TOO_LARGE,
                               "the answer is longer than the %zu bytes allowed for one",
                               client->answer_limit);
    space = um_buf_reserve(in, READ_ROOM);
    if (space == NULL)
        return um_client_break(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the answer");
    code = um_transport_read(client->transport, space, in->capacity - in->size, &size, client->deadline_ms,
                             &reason);
    if (code != UMEM_OK)
        return um_client_break(client, code, "%s", reason.text);
    in->size += size;
    return UMEM_OK;
}

/* Waits for the next message: in_taken bytes of `in`, with its line's end. */
static int receive_message(umem_client *client)
{
    struct um_buf *in = &client->in;
    size_t scanned = 0;

    um_buf_consume(in, client->in_taken);
    client->in_taken = 0;
    for (;;) {
        const char *end = in->size > scanned ? memchr(in->data + scanned, '\n', in->size - scanned) : NULL;
        int code;

        if (end != NULL) {
            client->in_taken = (size_t)(end - in->data) + 1;
            return UMEM_OK;
        }
        scanned = in->size;
        code = receive_more(client);
        if (code != UMEM_OK)
            return code;
    }
}

/* ---- request and answer ---- */

/* Waits for the answer to the request that was sent last. What the daemon says unasked is passed over. */
static int receive_answer(umem_client *client)
{
    struct um_answer *answer = &client->answer;

    do {
        const char *what = "";
        int code = receive_message(client);

        if (code == UMEM_OK && um_answer_read(client->in.data, client->in_taken, answer, &what) != UMEM_OK)
            code = um_client_break(client, UMEM_E_BAD_ANSWER, "the daemon's answer is no answer: %s", what);
        if (code != UMEM_OK) {
            *answer = (struct um_answer){.kind = UM_ANSWER_RESULT};
            return code;
        }
    } while (answer->kind == UM_ANSWER_NOTIFICATION);
    if (um_answer_is_for(answer, client->last_id))
        return UMEM_OK;
    *answer = (struct um_answer){.kind = UM_ANSWER_RESULT};
    return um_client_break(client, UMEM_E_BAD_ANSWER, "the daemon answered a request that was not sent");
}

int um_request_end_raw(umem_client *client)
{
    struct um_answer *answer = &client->answer;
    int code;

    um_json_end_object(&client->out);
    code = send_message(client);
    if (code == UMEM_OK)
        code = receive_answer(client);
    /* One large request should not keep its memory for good. */
    um_buf_truncate(&client->out, 0);
    um_buf_shrink(&client->out, 2 * DATA_ROOM_MAXIMUM);
    if (code != UMEM_OK)
        return code;
    if (answer->kind == UM_ANSWER_ERROR) {
        code = um_client_fail_answer(client, answer);
        answer->result = (struct um_json_slice){NULL, 0};
        return code;
    }
    /* There is at least the message's own bracket behind the result. */
    client->in.data[answer->result.text + answer->result.size - client->in.data] = '\0';
    return UMEM_OK;
}

int um_request_end(umem_client *client)
{
    um_json_end_object(&client->out);
    return um_request_end_raw(client);
}

int um_request_simple(umem_client *client, const char *method)
{
    um_request_begin_raw(client, method);
    return um_request_end_raw(client);
}

int um_request_take_answer(umem_client *client, struct um_buf *taken)
{
    struct um_buf rest;

    um_buf_init(&rest, client->in.size_limit);
    if (!um_buf_append(&rest, client->in.data + client->in_taken, client->in.size - client->in_taken))
        return um_client_break(client, UMEM_E_OUT_OF_MEMORY, NULL);
    *taken = client->in;
    client->in = rest;
    client->in_taken = 0;
    client->answer.result = (struct um_json_slice){NULL, 0};
    return UMEM_OK;
}

/* ---- limits ---- */

int um_request_learn_limits(umem_client *client)
{
    struct um_json_slice limits;
    uint64_t limit;
    int code;

    if (client->message_limit != 0)
        return UMEM_OK;
    code = um_request_simple(client, "server.info");
    if (code != UMEM_OK)
        return code;
    limits = um_json_member(client->answer.result, "limits");
    if (!um_json_to_uint64(um_json_member(limits, "message_bytes"), &limit))
        limit = DEFAULT_MESSAGE_LIMIT;
    client->message_limit = limit > UM_MESSAGE_MINIMUM ? limit : UM_MESSAGE_MINIMUM;
    return UMEM_OK;
}

size_t um_request_data_room(const umem_client *client)
{
    uint64_t limit = client->message_limit != 0 ? client->message_limit : UM_MESSAGE_MINIMUM;

    if (limit > client->answer_limit)
        limit = client->answer_limit > UM_MESSAGE_MINIMUM ? client->answer_limit : UM_MESSAGE_MINIMUM;
    limit -= UM_MESSAGE_OVERHEAD;
    return limit < DATA_ROOM_MAXIMUM ? (size_t)limit : DATA_ROOM_MAXIMUM;
}

/* ---- results ---- */

int um_request_bad_result(umem_client *client, const char *member)
{
    return um_client_break(client, UMEM_E_BAD_ANSWER, "the daemon's answer has no proper member \"%s\"",
                           member);
}

int um_result_uint64(umem_client *client, const char *member, uint64_t *value)
{
    if (um_json_to_uint64(um_json_member(client->answer.result, member), value))
        return UMEM_OK;
    return um_request_bad_result(client, member);
}
