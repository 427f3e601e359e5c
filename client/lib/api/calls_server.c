/* rpc.discover, server.* and session.*, blocking, and any method by its name. */
#include <stdlib.h>
#include <string.h>

#include "lib/api/paged_list.h"
#include "lib/api/server_info.h"
#include "lib/connection/client.h"
#include "lib/request/info.h"
#include "lib/request/requests.h"

int umem_call(umem_client *client, const char *method, const char *params_json, char **result_json)
{
    struct um_request request;

    um_request_begin_raw(&request, method, params_json);
    if (result_json != NULL)
        um_output_text(&request, result_json);
    return um_client_call(client, &request);
}

void umem_free_text(char *text)
{
    free(text);
}

static int call_plain(umem_client *client, const char *method)
{
    struct um_request request;

    um_request_plain(&request, method);
    return um_client_call(client, &request);
}

static int call_text(umem_client *client, const char *method, char **result)
{
    struct um_request request;

    um_request_text(&request, method, result);
    return um_client_call(client, &request);
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
        return um_failure_set_text(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the result");
    *info = made;
    return UMEM_OK;
}

int umem_server_stats(umem_client *client, struct umem_server_stats *stats)
{
    struct um_request request;

    um_request_server_stats(&request, stats);
    return um_client_call(client, &request);
}

/* ---- sessions ---- */

int umem_session_info(umem_client *client, struct umem_session_info *info)
{
    struct um_request request;

    um_request_session_info(&request, info);
    return um_client_call(client, &request);
}

int umem_session_close(umem_client *client, uint64_t session)
{
    struct um_request request;

    um_request_session_close(&request, session);
    return um_client_call(client, &request);
}

/* What the caller wants to be called with, as um_paged_list_visit() hands it on. */
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
    struct um_paged_list list = {
        .method = "session.list", .member = "sessions", .visit = visit_session, .context = &visit};

    return um_paged_list_visit(client, &list);
}
