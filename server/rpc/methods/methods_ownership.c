/* block.hold, release, change: which sessions keep a block, and under which name. */
#include "rpc/methods/describe.h"
#include "rpc/methods/methods.h"
#include "rpc/methods/replaced_block.h"
#include "wire/json_write.h"

/* ---- block.hold and block.release ---- */

static const struct um_param hold_params[] = {
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

static void hold_block(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint32_t holders = 0;
    int code = um_block_hold(call->store, args->value[0].as.block, call->session->owner, &holders, &fault);

    reply_holders(call, code, holders, &fault);
}

const struct um_method um_method_block_hold = {
    .name = "block.hold",
    .summary = "Holds a block for this session, so that it is not orphaned while the session is open.",
    .detail = "A session holds a block once, however often it calls this. A hold does not lengthen lifetime "
              "\"session\".",
    UM_PARAMS(hold_params),
    .result = holders_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED},
    .ignores_lock = true,
    .run = hold_block,
};

static void release_block(struct um_call *call, const struct um_args *args)
{
    struct um_fault fault = {0};
    uint32_t holders = 0;
    int code = um_block_release(call->store, args->value[0].as.block, call->session->owner, &holders, &fault);

    reply_holders(call, code, holders, &fault);
}

const struct um_method um_method_block_release = {
    .name = "block.release",
    .summary = "Ends this session's hold on a block; the session that made a block holds it from the start.",
    .detail = "Nothing is freed. A block that this session does not hold stays as it is.",
    UM_PARAMS(hold_params),
    .result = holders_result,
    .errors = {UMEM_E_NO_MEMORY},
    .ignores_lock = true,
    .run = release_block,
};

/* ---- block.change ---- */

enum { CHANGE_BLOCK, CHANGE_NAME, CHANGE_LIFETIME, CHANGE_IF_EXISTS };

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
    {.name = "if_exists",
     .type = UM_CHOICE,
     .words = um_if_exists_block_words,
     .fallback = UM_IF_EXISTS_FAIL,
     .doc = "What to do if another block has the name: fail as `name_taken`, or free it and give this one "
            "its name."},
};

static void change_block(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_block *block = value[CHANGE_BLOCK].as.block;
    enum um_lifetime lifetime = (enum um_lifetime)value[CHANGE_LIFETIME].as.word;
    enum um_if_exists if_exists = (enum um_if_exists)value[CHANGE_IF_EXISTS].as.word;
    struct um_block_changes changes = {
        .name = value[CHANGE_NAME].as.text,
        .lifetime = value[CHANGE_LIFETIME].given ? &lifetime : NULL,
    };
    struct um_fault fault = {0};
    um_handle replaced;
    uint64_t cost;
    int code;

    if (!um_replaced_check(call, &value[CHANGE_NAME], if_exists))
        return;
    if (if_exists == UM_IF_EXISTS_REPLACE && changes.name != NULL && changes.name[0] != '\0')
        changes.replaced = um_replaced_find(call, changes.name, block);
    replaced = um_replaced_handle(call, changes.replaced);
    cost = replaced != 0 ? um_block_end_cost(call, changes.replaced) : 0;
    if (cost != 0 && !um_call_fits(call, 0, cost))
        return;
    code = um_block_change(call->store, block, call->session->owner, &changes, &fault);
    if (code != UMEM_OK) {
        um_fail_fault(call, code, &fault);
        return;
    }
    um_describe_block(um_reply(call), call->store, block);
    if (replaced != 0)
        um_reply_uint(call, "replaced", replaced);
    um_reply_end(call);
}

static const struct um_member change_result[] = {
    UM_BLOCK_MEMBERS,
    {.name = "replaced",
     .type = UM_BLOCK,
     .optional = true,
     .doc = "The block that had the name and was freed; missing where none was."},
    {.name = NULL},
};

const struct um_method um_method_block_change = {
    .name = "block.change",
    .summary = "Names a block, changes its lifetime, or adopts an orphan.",
    .detail = "Whoever changes an orphan becomes its owner and holds it.",
    UM_PARAMS(change_params),
    .result = change_result,
    .errors = {UMEM_E_NO_MEMORY, UMEM_E_NAME_TAKEN, UMEM_E_LIMIT_EXCEEDED, UMEM_E_DENIED, UMEM_E_CORRUPTED},
    .run = change_block,
};
