/*
 * Telling a client that it is not served. It never becomes a rpc_session of the engine.
 */
#include "net/connection.h"

#include <stdio.h>
#include <string.h>

#include "net/server_core.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum {
    LINE_LIMIT = 2048, /* bytes in the line that says why */
    REFUSED_LIMIT = 32 /* clients that are let go in order at one time; more are let go at once */
};

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

/* Looked for only where somebody came or went since the last time, so that a refusal stays cheap. */
static const struct um_top_group *find_crowd(struct um_server *server)
{
    struct um_top_group *crowd = &server->crowd;
    const struct um_connection_group *group;

    if (crowd->changes == server->session_changes)
        return crowd;
    *crowd = (struct um_top_group){.changes = server->session_changes};
    group = um_scheduler_largest_group(server);
    if (group == NULL)
        return crowd;
    crowd->pid = group->pid;
    crowd->sessions = group->open_sessions;
    memcpy(crowd->program, group->program, sizeof crowd->program);
    return crowd;
}

/* ---- the refusal ---- */

static void write_facts(struct um_buf *out, struct um_server *server)
{
    const struct um_top_group *crowd = find_crowd(server);

    um_json_key(out, "limit");
    um_json_cstring(out, "sessions");
    um_json_key(out, "maximum");
    um_json_uint(out, server->limits.sessions);
    um_json_key(out, "used");
    um_json_uint(out, server->traffic.sessions);
    if (crowd->sessions == 0)
        return;
    um_json_key(out, "most");
    um_json_begin_object(out);
    um_json_key(out, "pid");
    um_json_int(out, crowd->pid);
    um_json_key(out, "program");
    um_json_cstring(out, crowd->program);
    um_json_key(out, "used");
    um_json_uint(out, crowd->sessions);
    um_json_end_object(out);
}

static void write_refusal(struct um_buf *out, struct um_server *server, enum um_refusal_reason reason)
{
    int code = refusals[reason].code;

    um_json_begin_object(out);
    um_json_key(out, "jsonrpc");
    um_json_cstring(out, "2.0");
    um_json_key(out, "id");
    um_json_null(out);
    um_json_key(out, "error");
    um_json_begin_object(out);
    um_json_key(out, "code");
    um_json_int(out, code);
    um_json_key(out, "message");
    um_json_cstring(out, refusals[reason].message);
    um_json_key(out, "data");
    um_json_begin_object(out);
    um_json_key(out, "name");
    um_json_cstring(out, umem_error_name(code));
    if (code == UMEM_E_LIMIT_EXCEEDED)
        write_facts(out, server);
    um_json_end_object(out);
    um_json_end_object(out);
    um_json_end_object(out);
    um_buf_append_byte(out, '\n');
}

/* One that has one of the last descriptors does not keep it while it reads its answer. */
void um_connection_refuse(struct um_connection *session, enum um_refusal_reason reason)
{
    struct um_server *server = session->server;

    um_buf_init(&session->rpc_session.out, LINE_LIMIT);
    write_refusal(&session->rpc_session.out, server, reason);
    /* Where memory ran out, a part of a line would be worse than none. */
    if (session->rpc_session.out.failed)
        um_buf_truncate(&session->rpc_session.out, 0);
    if (server->refused >= REFUSED_LIMIT || reason == UM_REFUSED_NO_DESCRIPTORS) {
        um_connection_send(session);
        um_connection_close(session);
        return;
    }
    server->refused++;
    session->is_refused = true;
    um_connection_discard(session);
    um_connection_advance(session);
}

/* RFC 9112. Who wants no body (HEAD) sees the connection end behind the headers. */
void um_connection_refuse_http(struct um_connection *session)
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
    um_buf_append_string(&session->rpc_session.out, head);
    um_buf_append_string(&session->rpc_session.out, text);
}
