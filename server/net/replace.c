#include "net/replace.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "net/listener/pipe_lock.h"
#include "umem_errors.h"
#include "wire/endpoint.h"
#include "wire/json_read.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

enum {
    ANSWER_SIZE = 4096,
    REQUEST_LIMIT = 4096,
    ANSWER_MS = 20000, /* for the answer, which comes at once from a daemon that is not hung */
    END_MS = 100000,   /* for clients that take their last answers, and for the end of a sync */
    HOLDER_SIZE = 192,
    MESSAGE_SIZE = 512
};

/* The request, a line. */
static bool write_request(struct um_buf *out, const char *endpoint)
{
    um_json_begin_object(out);
    um_json_put_string(out, "jsonrpc", "2.0");
    um_json_put_uint(out, "id", 1);
    um_json_put_string(out, "method", "server.shutdown");
    um_json_key(out, "params");
    um_json_begin_object(out);
    um_json_put_string(out, "successor", endpoint);
    um_json_end_object(out);
    um_json_end_object(out);
    um_buf_append(out, "\n", 2);
    return !out->failed;
}

/* What an answer says is wrong. */
static int read_answer(const char *pipe, char *answer, char *why, size_t capacity)
{
    struct um_arena arena = {0};
    struct um_json_check check;
    struct um_json *json = NULL;
    const struct um_json *error;
    char message[MESSAGE_SIZE] = "";
    int64_t code = UMEM_OK;

    if (um_json_read(answer, strlen(answer), &arena, &json, &check) != UMEM_OK ||
        (um_json_member_of(json, "result") == NULL && um_json_member_of(json, "error") == NULL)) {
        um_arena_deinit(&arena);
        snprintf(why, capacity, "what listens at %s is no umemd", pipe);
        return UMEM_E_DENIED;
    }
    error = um_json_member_of(json, "error");
    if (error != NULL && !um_json_to_int64(um_json_member_of(error, "code"), &code))
        code = UMEM_E_DENIED;
    um_json_to_text(um_json_member_of(error, "message"), message, sizeof message);
    um_arena_deinit(&arena);
    if (code == UMEM_OK)
        return UMEM_OK;
    if (code == UMEM_E_INVALID_PARAMS)
        snprintf(
            why, capacity,
            "the daemon at %s is of a version that hands nothing over: end it with \"umem shutdown\", then "
            "start umemd",
            pipe);
    else
        snprintf(why, capacity, "the daemon at %s is not replaced: %s", pipe, message);
    return code == UMEM_E_UNSUPPORTED ? UMEM_E_UNSUPPORTED : UMEM_E_DENIED;
}

/* Adds who it is that does not do something in time. */
static int explain_timeout(const char *pipe, const char *what, char *why, size_t capacity)
{
    char holder[HOLDER_SIZE] = "a process that is not known";

    um_pipe_lock_find_holder(pipe, holder, sizeof holder);
    snprintf(why, capacity, "the daemon at %s, %s, %s", pipe, holder, what);
    return UMEM_E_TIMEOUT;
}

/* Sends the request and takes what it leads to. */
static int take(struct um_take_over *take_over, const char *pipe, struct um_handed *handed, char *why,
                size_t capacity)
{
    struct um_buf request;
    char answer[ANSWER_SIZE];
    int code = UMEM_E_NO_MEMORY;

    um_buf_init(&request, REQUEST_LIMIT);
    if (write_request(&request, um_take_over_endpoint(take_over)))
        code =
            um_take_over_ask(take_over, pipe, request.data, answer, sizeof answer, ANSWER_MS, why, capacity);
    else
        snprintf(why, capacity, "no memory");
    um_buf_deinit(&request);
    if (code == UMEM_E_TIMEOUT)
        return explain_timeout(pipe, "does not answer: end it, then start umemd", why, capacity);
    if (code == UMEM_OK)
        code = read_answer(pipe, answer, why, capacity);
    if (code == UMEM_OK)
        code = um_take_over_receive(take_over, handed, ANSWER_MS, why, capacity);
    if (code == UMEM_OK && um_take_over_wait(take_over, END_MS) != UMEM_OK) {
        um_handed_close(handed);
        handed->count = 0;
        code = explain_timeout(pipe, "has handed over its pipe but does not end: end it, then start umemd",
                               why, capacity);
    }
    return code;
}

int um_replace(const char *pipe, const struct um_principal *allowed, struct um_handed *handed, char *why,
               size_t capacity)
{
    struct um_take_over *take_over = NULL;
    const char *what = NULL;
    int code = um_endpoint_prepare(pipe, &what);

    handed->count = 0;
    if (code != UMEM_OK) {
        snprintf(why, capacity, "%s: %s", pipe, what);
        return code;
    }
    code = um_take_over_open(pipe, allowed, &take_over, why, capacity);
    if (code == UMEM_OK)
        code = take(take_over, pipe, handed, why, capacity);
    um_take_over_close(take_over);
    return code == UMEM_E_UNKNOWN_HANDLE ? UMEM_OK : code;
}
