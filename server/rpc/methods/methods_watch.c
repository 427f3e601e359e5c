/* session.watch and session.unwatch: being told of what happens to heaps and blocks. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/events/watch.h"
#include "rpc/schema/methods.h"

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
    {.name = "watch", .type = UM_WATCH, .doc = "The watch's number, which its notifications bear."},
    {.name = NULL},
};

const struct um_method um_method_session_watch = {
    .name = "session.watch",
    .summary = "Asks to be told when a block, a heap's blocks, or any blocks are written, resized or freed.",
    .detail = "What comes then are the notifications below. What this session does itself is told, too. A "
              "watch stays until "
              "session.unwatch or the "
              "session's end, even when nothing more can be told.",
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
    .summary = "Ends a watch of this session. Nothing is told for it after this is answered.",
    UM_PARAMS(unwatch_params),
    .errors = {UMEM_E_UNKNOWN_HANDLE},
    .run = unwatch,
};
