/* block.read and block.write: bytes of blocks, in and out. */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/payload.h"
#include "rpc/schema/methods.h"
#include "wire/json_write.h"

static const struct um_member size_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes."},
    {.name = NULL},
};

static void reply_size(struct um_call *call, uint64_t size)
{
    um_reply_uint(call, "size", size);
    um_reply_end(call);
}

static void fail_raw_on_lines(struct um_call *call)
{
    um_fail(call, UMEM_E_UNSUPPORTED, "encoding \"raw\" needs the header framing");
    um_reply_end(call);
}

/* Raw bytes travel beside messages with headers. */
static bool may_be_raw(const struct um_call *call)
{
    return call->session->framing == UM_FRAMING_HEADERS;
}

/* ---- block.read ---- */

enum { READ_BLOCK, READ_OFFSET, READ_SIZE, READ_ENCODING };

static const struct um_param read_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end",
     .unit = "bytes",
     .doc = "How much to read."},
    {.name = "encoding",
     .type = UM_CHOICE,
     .words = um_encoding_words,
     .fallback = UM_BASE64,
     .doc = "How `data` is written; \"raw\" sends the bytes behind the answer."},
};

static void read_raw(struct um_call *call, const struct um_range *range)
{
    if (!may_be_raw(call)) {
        fail_raw_on_lines(call);
        return;
    }
    if (range->size > call->session->rpc->limits->payload_bytes) {
        um_fail(call, UMEM_E_TOO_LARGE, "%llu bytes are more than payload_bytes = %llu; read in pieces",
                (unsigned long long)range->size,
                (unsigned long long)call->session->rpc->limits->payload_bytes);
        um_reply_limit(call, "payload_bytes", call->session->rpc->limits->payload_bytes);
        um_reply_uint(call, "asked", range->size);
        um_reply_end(call);
        return;
    }
    if (um_reply_is_copied(call, range->size) && !um_call_may_send(call, range->size))
        return;
    if (!um_call_fits(call, 0, range->size))
        return;
    um_reply_uint(call, "size", range->size);
    um_reply_payload(call, range->block, range->offset, range->size);
    um_reply_end(call);
}

/* The data as a JSON string, encoded straight into the answer. */
static void write_data(struct um_buf *out, enum um_encoding encoding, const unsigned char *bytes, size_t size)
{
    size_t text_size = encoding == UM_HEX ? 2 * size : um_base64_encoded_size(size);
    char *text;

    text = um_json_begin_raw_string(out, text_size);
    if (text == NULL)
        return;
    if (encoding == UM_HEX)
        um_hex_encode(text, bytes, size);
    else
        um_base64_encode(text, bytes, size);
    um_json_end_raw_string(out);
}

/* Characters that `size` bytes of text take in an answer. */
static uint64_t escaped_size(const unsigned char *bytes, uint64_t size)
{
    uint64_t total = size;

    for (uint64_t i = 0; i < size; i++)
        total += bytes[i] < 0x20 ? 5 : bytes[i] == '"' || bytes[i] == '\\';
    return total;
}

static void reply_text(struct um_call *call, const struct um_range *range, const unsigned char *bytes)
{
    size_t size = (size_t)range->size;
    size_t good;

    if (!um_call_fits(call, escaped_size(bytes, size) + 64, 0))
        return;
    good = um_utf8_check(bytes, size);
    if (good != size) {
        um_fail(call, UMEM_E_UNSUPPORTED,
                "the bytes are not UTF-8 from offset %llu on; read them as base64 or hex",
                (unsigned long long)(range->offset + good));
        um_reply_uint(call, "offset", range->offset + good);
    } else {
        um_reply_uint(call, "size", size);
        um_json_string(um_reply_key(call, "data"), (const char *)bytes, size);
    }
    um_reply_end(call);
}

/* Works on a copy, because a client that has mapped the block may write to it between the looks that are taken here. */
static void read_text(struct um_call *call, const struct um_range *range)
{
    size_t size = (size_t)range->size;
    unsigned char *copy = malloc(size != 0 ? size : 1);

    if (copy == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR,
                "the daemon has no memory for a copy of the bytes; ask for less");
        um_reply_end(call);
        return;
    }
    memcpy(copy, um_block_bytes(range->block) + range->offset, size);
    reply_text(call, range, copy);
    free(copy);
}

static void read_bytes(struct um_call *call, const struct um_args *args)
{
    const struct um_range *range = &args->range[0];
    enum um_encoding encoding = (enum um_encoding)args->value[READ_ENCODING].as.word;
    const unsigned char *bytes = um_block_bytes(range->block) + range->offset;
    size_t size = (size_t)range->size;

    if (encoding == UM_RAW) {
        read_raw(call, range);
        return;
    }
    /* The least that it can take is checked first, so that no huge block is looked through in vain. */
    if (!um_call_fits(call, range->size, range->size))
        return;
    if (encoding == UM_UTF8) {
        read_text(call, range);
        return;
    }
    if (!um_call_fits(call, (encoding == UM_HEX ? 2 * range->size : (range->size + 2) / 3 * 4) + 64, 0))
        return;
    um_reply_uint(call, "size", range->size);
    write_data(um_reply_key(call, "data"), encoding, bytes, size);
    um_reply_end(call);
}

static const struct um_member read_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes."},
    {.name = "data", .type = UM_STRING, .optional = true, .doc = "The bytes; missing with \"raw\"."},
    {.name = NULL},
};

const struct um_method um_method_block_read = {
    .name = "block.read",
    .summary = "Reads bytes of a block.",
    UM_PARAMS(read_params),
    .ranges = {{READ_BLOCK + 1, READ_OFFSET + 1, READ_SIZE + 1}},
    .result = read_result,
    .errors = {UMEM_E_UNSUPPORTED, UMEM_E_TOO_LARGE, UMEM_E_LIMIT_EXCEEDED},
    .run = read_bytes,
};

/* ---- block.write ---- */

enum { WRITE_BLOCK, WRITE_DATA, WRITE_OFFSET, WRITE_ENCODING, WRITE_SIZE };

static const struct um_param write_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "data",
     .type = UM_DATA,
     .doc = "The bytes; left out with \"raw\", where they follow the message."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin."},
    {.name = "encoding",
     .type = UM_CHOICE,
     .words = um_encoding_words,
     .fallback = UM_BASE64,
     .doc = "How `data` is written."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "that of the bytes given",
     .unit = "bytes",
     .doc = "How many bytes are given: refused where that is not so."},
};

static void fail_size(struct um_call *call, uint64_t said, uint64_t given, bool raw)
{
    um_fail(call, UMEM_E_INVALID_PARAMS,
            "block.write: parameter \"size\" is %llu, but %llu bytes are given%s", (unsigned long long)said,
            (unsigned long long)given,
            raw ? "; Payload-Length says how many raw ones follow the message" : "");
    um_reply_string(call, "param", "size");
    um_reply_end(call);
}

/* Where the bytes are, and how many: in the message, behind it, or among those of the batch. Returns false where they are not
 * as the parameters say; then the call has been answered. */
static bool find_bytes(struct um_call *call, const struct um_args *args, uint64_t *size)
{
    const struct um_arg *value = args->value;
    bool raw = value[WRITE_ENCODING].as.word == UM_RAW;

    *size = raw ? call->payload_size : value[WRITE_DATA].as.data.size;
    if (raw && !may_be_raw(call)) {
        fail_raw_on_lines(call);
    } else if (!raw && (!value[WRITE_DATA].given || call->payload_size != 0)) {
        um_fail(call, UMEM_E_INVALID_PARAMS,
                "block.write: give \"data\" without a payload, or encoding \"raw\" with one");
        um_reply_string(call, "param", "data");
        um_reply_end(call);
    } else if (value[WRITE_SIZE].given && value[WRITE_SIZE].as.uint != *size) {
        fail_size(call, value[WRITE_SIZE].as.uint, *size, raw);
    } else {
        return true;
    }
    return false;
}

static void write_bytes(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_block *block = value[WRITE_BLOCK].as.block;
    uint64_t offset = value[WRITE_OFFSET].as.uint;
    unsigned char *target;
    uint64_t size;

    if (!find_bytes(call, args, &size) || !um_range_check(call, block, offset, size) ||
        !um_call_fits(call, 0, size))
        return;
    target = um_block_bytes(block) + offset;
    if (value[WRITE_ENCODING].as.word != UM_RAW) {
        um_data_copy(&value[WRITE_DATA].as.data, target);
    } else if (size != 0 && call->payload == NULL) {
        um_payload_begin(call, block, offset);
        return;
    } else if (size != 0) {
        memcpy(target, call->payload, (size_t)size);
    }
    um_call_wrote(call, block, offset, size);
    reply_size(call, size);
}

const struct um_method um_method_block_write = {
    .name = "block.write",
    .summary = "Writes bytes to a block.",
    UM_PARAMS(write_params),
    .result = size_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_UNSUPPORTED, UMEM_E_LIMIT_EXCEEDED},
    .takes_payload = true,
    .run = write_bytes,
};
