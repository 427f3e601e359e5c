/* session.*: the sessions, and what each wants notifications of. */
#include "rpc/events/watch.h"
#include "rpc/methods/describe.h"
#include "rpc/methods/methods.h"
#include "wire/json_write.h"

/* Bytes that an entry takes at most: a program's and a user's name, all escaped, and the other members. */
enum { ENTRY_SIZE = 4096 };

static const struct um_member session_members[] = {
    {.name = "session", .type = UM_SESSION, .doc = "Its number."},
    {.name = "pid", .type = UM_UINT, .doc = "The client's process id; 0 where it is not known."},
    {.name = "program", .type = UM_STRING, .doc = "The client's program; \"\" where it is not known."},
    {.name = "user", .type = UM_STRING, .doc = "Who runs it; \"\" where it is not known."},
    {.name = "opened", .type = UM_UINT, .unit = "seconds since 1970-01-01 UTC", .doc = "When it connected."},
    {.name = "blocks", .type = UM_UINT, .doc = "Blocks alive that it made."},
    {.name = "bytes", .type = UM_UINT, .unit = "bytes", .doc = "Their sizes together."},
    {.name = "queued_bytes", .type = UM_UINT, .unit = "bytes", .doc = "Answers that it has not taken yet."},
    {.name = "calls",
     .type = UM_UINT,
     .doc = "Requests of it that were answered, those of batches by themselves."},
    {.name = "errors", .type = UM_UINT, .doc = "Of these, how many with an error."},
    {.name = "bytes_read", .type = UM_UINT, .unit = "bytes", .doc = "Received from it."},
    {.name = "bytes_written", .type = UM_UINT, .unit = "bytes", .doc = "Sent to it."},
    {.name = "last_used",
     .type = UM_UINT,
     .nullable = true,
     .unit = "seconds since 1970-01-01 UTC",
     .doc = "When its last request was answered; null: none was."},
    {.name = NULL},
};

static void describe(struct um_buf *out, const struct um_session *session)
{
    struct um_owner_info owner;

    um_owner_get_info(session->owner, &owner);
    um_json_put_uint(out, "session", session->id);
    um_json_put_int(out, "pid", owner.pid);
    um_json_put_string(out, "program", owner.program);
    um_json_put_string(out, "user", owner.user);
    um_json_put_int(out, "opened", session->opened);
    um_json_put_uint(out, "blocks", owner.blocks);
    um_json_put_uint(out, "bytes", owner.bytes);
    um_json_put_uint(out, "queued_bytes", session->queued_bytes);
    um_json_put_uint(out, "calls", session->calls);
    um_json_put_uint(out, "errors", session->errors);
    um_json_put_uint(out, "bytes_read", session->bytes_read);
    um_json_put_uint(out, "bytes_written", session->bytes_written);
    um_describe_time(out, "last_used", session->last_used);
}

static void info(struct um_call *call, const struct um_args *args)
{
    (void)args;
    describe(um_reply(call), call->session);
    um_reply_end(call);
}

const struct um_method um_method_session_info = {
    .name = "session.info",
    .summary = "Describes this session.",
    .result = session_members,
    .run = info,
};

/* ---- session.list ---- */

enum { LIST_AFTER, LIST_LIMIT };

static const struct um_param list_params[] = {UM_PAGE_PARAMS};

/* The first session with this number or a larger one. NULL: there is none. */
static struct um_session *session_from(const struct um_rpc *rpc, uint64_t id)
{
    const struct um_session key = {.id = id};
    struct um_tree_node *node = um_tree_ceiling(&rpc->sessions_by_id, &key.by_id);

    return node != NULL ? UM_TREE_ITEM(node, struct um_session, by_id) : NULL;
}

static void list(struct um_call *call, const struct um_args *args)
{
    const struct um_rpc *rpc = call->session->rpc;
    uint64_t after = args->value[LIST_AFTER].as.uint;
    uint64_t left = args->value[LIST_LIMIT].as.uint;
    const struct um_session *session = after < UINT64_MAX ? session_from(rpc, after + 1) : NULL;
    bool first = true;
    struct um_buf *out;

    if (!um_call_fits(call, 0, UM_LIST_COST))
        return;
    out = um_reply_key(call, "sessions");
    um_json_begin_array(out);
    /* The first entry is always written, or the client could not continue. */
    for (; session != NULL && left != 0 && (first || um_call_may_append(call, ENTRY_SIZE)); left--) {
        um_json_begin_object(out);
        describe(out, session);
        um_json_end_object(out);
        um_call_charge(call, UM_LISTED_COST);
        after = session->id;
        first = false;
        session = session->in_rpc.next != &rpc->sessions
                      ? UM_LIST_ITEM(session->in_rpc.next, const struct um_session, in_rpc)
                      : NULL;
    }
    um_json_end_array(out);
    if (session != NULL)
        um_reply_uint(call, "next", after);
    else
        um_reply_null(call, "next");
    um_reply_end(call);
}

static const struct um_member list_result[] = {
    {.name = "sessions", .type = UM_ARRAY, .members = session_members, .doc = "Each as in session.info."},
    {.name = "next", .type = UM_UINT, .nullable = true, .doc = "What to pass as `after`; null at the end."},
    {.name = NULL},
};

const struct um_method um_method_session_list = {
    .name = "session.list",
    .summary = "Lists the sessions, a page at a time.",
    UM_PARAMS(list_params),
    .result = list_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = list,
};

/* ---- session.close ---- */

static const struct um_param close_params[] = {
    {.name = "session", .type = UM_SESSION, .required = true, .doc = "The session; it may be one's own."},
};

static void close_session(struct um_call *call, const struct um_args *args)
{
    uint64_t id = args->value[0].as.uint;
    struct um_session *session = session_from(call->session->rpc, id);

    if (session == NULL || session->id != id) {
        um_fail(call, UMEM_E_UNKNOWN_HANDLE, "there is no session %llu; see session.list",
                (unsigned long long)id);
        um_reply_uint(call, "session", id);
        um_reply_end(call);
        return;
    }
    um_reply_end(call);
    if (session->events != NULL && session->events->close != NULL)
        session->events->close(session);
}

const struct um_method um_method_session_close = {
    .name = "session.close",
    .summary = "Ends a session in order: it gets the answers that are due, then its connection is closed.",
    .detail = "Its waiting calls (unanswered), watches, locks, holds, and what it made with lifetime "
              "\"session\" end with it. Until then it is listed, and may be closed again.",
    UM_PARAMS(close_params),
    .errors = {UMEM_E_UNKNOWN_HANDLE},
    .run = close_session,
};

/* ---- session.watch and session.unwatch ---- */

enum { WATCH_HEAP, WATCH_BLOCK, WATCH_OFFSET, WATCH_SIZE };

static const struct um_param watch_params[] = {
    {.name = "heap", .type = UM_HEAP, .doc = "A heap, with all its blocks."},
    {.name = "block", .type = UM_BLOCK, .doc = "A block."},
    {.name = "offset",
     .type = UM_OFFSET,
     .unit = "bytes",
     .doc = "Of a block: where the bytes that matter begin."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end",
     .unit = "bytes",
     .doc = "How many they are; to the end is wherever the block ends at the time."},
};

static bool check(struct um_call *call, const struct um_arg *value)
{
    const char *wrong = NULL;

    if (value[WATCH_HEAP].given && value[WATCH_BLOCK].given)
        wrong = "session.watch: give \"heap\", or \"block\", or neither for everything";
    else if (!value[WATCH_BLOCK].given && (value[WATCH_OFFSET].given || value[WATCH_SIZE].given))
        wrong = "session.watch: \"offset\" and \"size\" are for a block";
    if (wrong == NULL)
        return true;
    um_fail(call, UMEM_E_INVALID_PARAMS, "%s", wrong);
    um_reply_end(call);
    return false;
}

static void watch(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_watch_options options = {
        .block = value[WATCH_BLOCK].as.block,
        .heap = value[WATCH_HEAP].as.heap,
        .offset = value[WATCH_OFFSET].as.uint,
        .size = value[WATCH_SIZE].given ? value[WATCH_SIZE].as.uint : UINT64_MAX,
    };
    uint64_t id = 0;

    if (!check(call, value) || !um_watch_begin(call, &options, &id))
        return;
    um_reply_uint(call, "watch", id);
    um_reply_end(call);
}

static const struct um_member watch_result[] = {
    {.name = "watch", .type = UM_WATCH, .doc = "The watch's number, which its notifications have."},
    {.name = NULL},
};

const struct um_method um_method_session_watch = {
    .name = "session.watch",
    .summary =
        "Asks for notifications when a block, a heap's blocks, or any blocks are written, resized or freed.",
    .detail = "The notifications are those below. They come for what this session does itself, too. A "
              "watch stays until "
              "session.unwatch or the "
              "session's end, even when nothing more can happen there.",
    UM_PARAMS(watch_params),
    .ranges = {{WATCH_BLOCK + 1, WATCH_OFFSET + 1, WATCH_SIZE + 1}},
    .result = watch_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .run = watch,
};

static const struct um_param unwatch_params[] = {
    {.name = "watch", .type = UM_WATCH, .required = true, .doc = "The watch's number."},
};

static void unwatch(struct um_call *call, const struct um_args *args)
{
    uint64_t id = args->value[0].as.uint;

    if (!um_watch_end(call->session, id)) {
        um_fail(call, UMEM_E_UNKNOWN_HANDLE, "this session has no watch %llu", (unsigned long long)id);
        um_reply_uint(call, "watch", id);
    }
    um_reply_end(call);
}

const struct um_method um_method_session_unwatch = {
    .name = "session.unwatch",
    .summary = "Ends a watch of this session. No notification of it comes after this is answered.",
    UM_PARAMS(unwatch_params),
    .errors = {UMEM_E_UNKNOWN_HANDLE},
    .run = unwatch,
};
