/*
 * Telling a client that it is not served. It never becomes a peer of the engine.
 */
#include "session.h"

#include "json_out.h"
#include "server_core.h"
#include "umem_errors.h"

enum {
    LINE_LIMIT = 1024, /* bytes in the line that says why */
    REFUSED_LIMIT = 32 /* clients that are let go in order at one time; more are let go at once */
};

static void write_refusal(struct um_buf *out, const struct um_server *server, int code)
{
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
    um_json_cstring(out, code == UMEM_E_DENIED
                             ? "only the user who runs the daemon may connect"
                             : "as many clients are connected as the limit \"sessions\" allows");
    um_json_key(out, "data");
    um_json_begin_object(out);
    um_json_key(out, "name");
    um_json_cstring(out, umem_error_name(code));
    if (code == UMEM_E_LIMIT_EXCEEDED) {
        um_json_key(out, "limit");
        um_json_cstring(out, "sessions");
        um_json_key(out, "maximum");
        um_json_uint(out, server->limits.sessions);
        um_json_key(out, "used");
        um_json_uint(out, server->traffic.sessions);
    }
    um_json_end_object(out);
    um_json_end_object(out);
    um_json_end_object(out);
    um_buf_append_byte(out, '\n');
}

void um_session_refuse(struct um_session *session, int code)
{
    struct um_server *server = session->server;

    um_buf_init(&session->peer.out, LINE_LIMIT);
    write_refusal(&session->peer.out, server, code);
    if (server->refused >= REFUSED_LIMIT) {
        um_session_send(session);
        um_session_close(session);
        return;
    }
    server->refused++;
    session->is_refused = true;
    um_session_begin_discarding(session);
    um_session_go_on(session);
}
