/* rpc.discover and $/cancelRequest: the protocol itself. */
#include <string.h>

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/events/pending.h"
#include "rpc/schema/methods.h"
#include "rpc/schema/openrpc.h"

/* Bytes that the document takes at most. */
enum { DOCUMENT_SIZE = 128 * 1024 };

static void discover(struct um_call *call, const struct um_args *args)
{
    (void)args;
    if (!um_call_fits(call, DOCUMENT_SIZE, UM_DISCOVER_COST))
        return;
    um_openrpc_write_members(um_reply(call), call->session->rpc->version);
    um_reply_end(call);
}

static const struct um_member discover_result[] = {
    {.name = "openrpc", .type = UM_STRING, .doc = "The version of OpenRPC."},
    {.name = "info", .type = UM_JSON, .doc = "Title and version."},
    {.name = "methods", .type = UM_JSON, .doc = "What this reference says, for programs."},
    {.name = "x-notifications", .type = UM_JSON, .doc = "What the daemon says unasked, in the same form."},
    {.name = NULL},
};

const struct um_method um_method_rpc_discover = {
    .name = "rpc.discover",
    .summary = "Tells all methods, as an OpenRPC document.",
    .result = discover_result,
    .errors = {UMEM_E_TOO_LARGE, UMEM_E_LIMIT_EXCEEDED},
    .run = discover,
};

static const struct um_param cancel_params[] = {
    {.name = "id",
     .type = UM_ID,
     .required = true,
     .doc = "The id of the waiting request, written as it was there."},
};

static void cancel(struct um_call *call, const struct um_args *args)
{
    (void)um_pending_cancel(call->session, &args->value[0].as.id);
    um_reply_end(call);
}

const struct um_method um_method_rpc_cancel = {
    .name = "$/cancelRequest",
    .summary = "Takes a waiting call of this session back: it is answered with `cancelled`.",
    .detail = "Where no call with that id waits, perhaps because it has just been answered, nothing happens. "
              "It is mostly "
              "sent as a notification, as the Language Server Protocol has it.",
    UM_PARAMS(cancel_params),
    .run = cancel,
};
