/* rpc.discover, server.* and session.*, blocking, and any method by its name. */
#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "client.h"
#include "info.h"
#include "list.h"
#include "server_info.h"

int umem_call(umem_client *client, const char *method, const char *params_json, char **result_json)
{
    struct um_ask ask;

    um_ask_begin_raw(&ask, method, params_json);
    if (result_json != NULL)
        um_want_text(&ask, result_json);
    return um_client_run(client, &ask);
}

void umem_free_text(char *text)
{
    free(text);
}

static int call_plain(umem_client *client, const char *method)
{
    struct um_ask ask;

    um_ask_plain(&ask, method);
    return um_client_run(client, &ask);
}

static int call_text(umem_client *client, const char *method, char **result)
{
    struct um_ask ask;

    um_ask_text(&ask, method, result);
    return um_client_run(client, &ask);
}

int umem_rpc_discover(umem_client *client, char **document_json)
{
    return call_text(client, "rpc.discover", document_json);
}

int umem_server_ping(umem_client *client)
{
    return call_plain(client, "server.ping");
}

int umem_server_shutdown(umem_client *client)
{
    return call_plain(client, "server.shutdown");
}

int umem_server_info(umem_client *client, struct umem_server_info **info)
{
    struct umem_server_info *made;
    char *text = NULL;
    int code = call_text(client, "server.info", &text);

    if (code != UMEM_OK)
        return code;
    made = um_server_info_new(um_json_slice_of(text, strlen(text)));
    umem_free_text(text);
    if (made == NULL)
        return um_failure_show_text(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
    *info = made;
    return UMEM_OK;
}

int umem_server_stats(umem_client *client, struct umem_server_stats *stats)
{
    struct um_ask ask;

    um_ask_server_stats(&ask, stats);
    return um_client_run(client, &ask);
}

/* ---- sessions ---- */

int umem_session_info(umem_client *client, struct umem_session_info *info)
{
    struct um_ask ask;

    um_ask_session_info(&ask, info);
    return um_client_run(client, &ask);
}

int umem_session_close(umem_client *client, uint64_t session)
{
    struct um_ask ask;

    um_ask_session_close(&ask, session);
    return um_client_run(client, &ask);
}

/* What the caller wants to be called with, as um_list_run() hands it on. */
struct visit {
    umem_session_visitor *visitor;
    void *context;
};

static int visit_session(void *context, struct um_json_slice element, const char **bad_member)
{
    const struct visit *visit = context;
    struct umem_session_info info;

    *bad_member = um_info_read_session(element, &info);
    return *bad_member == NULL ? visit->visitor(&info, visit->context) : UMEM_OK;
}

int umem_session_list(umem_client *client, umem_session_visitor *visitor, void *context)
{
    struct visit visit = {visitor, context};
    struct um_list list = {
        .method = "session.list", .member = "sessions", .visit = visit_session, .context = &visit};

    return um_list_run(client, &list);
}
