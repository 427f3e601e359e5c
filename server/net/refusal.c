#include "net/refusal.h"

#include <stdio.h>

#include "umem_errors.h"
#include "wire/json_write.h"

static const struct {
    int code;
    const char *message;
} refusals[] = {
    [UM_REFUSED_STRANGER] = {UMEM_E_DENIED, "only the user who runs the daemon may connect"},
    [UM_REFUSED_FULL] = {UMEM_E_LIMIT_EXCEEDED,
                         "as many clients are connected as the limit \"sessions\" allows"},
    [UM_REFUSED_NO_DESCRIPTORS] = {UMEM_E_LIMIT_EXCEEDED,
                                   "the system gives the daemon no descriptors for more clients"},
};

static void write_facts(struct um_buf *out, const struct um_refusal_facts *facts)
{
    um_json_put_string(out, "limit", "sessions");
    um_json_put_uint(out, "maximum", facts->sessions_limit);
    um_json_put_uint(out, "used", facts->sessions);
    if (facts->top_sessions == 0)
        return;
    um_json_key(out, "most");
    um_json_begin_object(out);
    um_json_put_int(out, "pid", facts->top_pid);
    um_json_put_string(out, "program", facts->top_program);
    um_json_put_uint(out, "used", facts->top_sessions);
    um_json_end_object(out);
}

void um_refusal_write(struct um_buf *out, enum um_refusal_reason reason, const struct um_refusal_facts *facts)
{
    int code = refusals[reason].code;

    um_json_begin_object(out);
    um_json_put_string(out, "jsonrpc", "2.0");
    um_json_put_null(out, "id");
    um_json_key(out, "error");
    um_json_begin_object(out);
    um_json_put_int(out, "code", code);
    um_json_put_string(out, "message", refusals[reason].message);
    um_json_key(out, "data");
    um_json_begin_object(out);
    um_json_put_string(out, "name", umem_error_name(code));
    if (code == UMEM_E_LIMIT_EXCEEDED)
        write_facts(out, facts);
    um_json_end_object(out);
    um_json_end_object(out);
    um_json_end_object(out);
    um_buf_append_byte(out, '\n');
}

/* RFC 9112. A client that wants no body (HEAD) sees the connection end behind the headers. */
void um_refusal_write_http(struct um_buf *out)
{
    static const char text[] =
        "This is umemd's pipe. It speaks JSON-RPC 2.0 on lines or with Content-Length headers, not HTTP.\n"
        "Send a line such as {\"id\":1,\"method\":\"server.info\"}, or use the command umem; protocol.md "
        "tells more.\n";
    char head[160];

    snprintf(head, sizeof head,
             "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Length: %zu\r\nConnection: close\r\n\r\n",
             sizeof text - 1);
    um_buf_append_string(out, head);
    um_buf_append_string(out, text);
}
