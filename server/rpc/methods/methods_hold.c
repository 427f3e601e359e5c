/* block.hold, block.release, block.change: who keeps a block, and under which name. */
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/methods/describe.h"
#include "rpc/schema/methods.h"

static const struct um_param block_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
};

static const struct um_member holders_result[] = {
    {.name = "holders", .type = UM_UINT, .doc = "Open sessions that hold it now."},
    {.name = NULL},
};

static void reply_holders(struct um_call *call, int code, uint32_t holders, const struct um_fault *fault)
{
    if (code != UMEM_OK) {
        um_fail_fault(call, code, fault);
        return;
    }
    um_reply_uint(call, "holders", holders);
    um_reply_end(call);
}

static void hold(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint32_t holders = 0;
    int code =
        um_block_hold(um_call_store(call), args->value[0].as.block, call->session->owner, &holders, &fault);

    reply_holders(call, code, holders, &fault);
}

const struct um_method um_method_block_hold = {
    .name = "block.hold",
    .summary = "Holds a block for this session, so that it is not orphaned while the session is open.",
    .detail =
        "A session holds a block once, however often it asks. A hold does not lengthen lifetime \"session\".",
    UM_PARAMS(block_params),
    .result = holders_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED},
    .ignores_lock = true,
    .run = hold,
};

static void release(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint32_t holders = 0;
    int code = um_block_release(um_call_store(call), args->value[0].as.block, call->session->owner, &holders,
                                &fault);

    reply_holders(call, code, holders, &fault);
}

const struct um_method um_method_block_release = {
    .name = "block.release",
    .summary = "Ends this session's hold on a block; the session that made a block holds it from the start.",
    .detail = "Nothing is freed. A block that this session does not hold stays as it is.",
    UM_PARAMS(block_params),
    .result = holders_result,
    .errors = {UMEM_E_NO_MEMORY},
    .ignores_lock = true,
    .run = release,
};

enum { CHANGE_BLOCK, CHANGE_NAME, CHANGE_LIFETIME };

static const struct um_param change_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "name",
     .type = UM_NAME,
     .fallback_doc = "as it is",
     .doc = "Its new name; \"\" takes the name away."},
    {.name = "lifetime",
     .type = UM_CHOICE,
     .words = um_lifetime_words,
     .fallback_doc = "as it is",
     .doc = "\"session\": of this session, which becomes its owner."},
};

static void change(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_block *block = value[CHANGE_BLOCK].as.block;
    enum um_lifetime lifetime = (enum um_lifetime)value[CHANGE_LIFETIME].as.word;
    struct um_fault fault = {0};
    int code = um_block_change(um_call_store(call), block, call->session->owner, value[CHANGE_NAME].as.text,
                               value[CHANGE_LIFETIME].given ? &lifetime : NULL, &fault);

    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_describe_block(um_reply(call), um_call_store(call), block);
    um_reply_end(call);
}

const struct um_method um_method_block_change = {
    .name = "block.change",
    .summary = "Names a block, changes its lifetime, or adopts an orphan.",
    .detail = "Whoever changes an orphan becomes its owner and holds it.",
    UM_PARAMS(change_params),
    .result = um_block_members,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_NAME_TAKEN, UMEM_E_LIMIT_EXCEEDED},
    .run = change,
};
