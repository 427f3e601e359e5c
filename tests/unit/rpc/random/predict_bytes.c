/* What the methods of bytes in blocks must answer. */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "predict.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum {
    COPIED_AT_ONCE = 65536,  /* raw bytes up to this many are sent with their answer */
    LONG_SIZE = 1024 * 1024, /* bytes: a call over more runs in slices */
    NUMBER_TEXT_SIZE = 26
};

static bool speaks_headers(const struct call *call)
{
    return call->run->sessions[call->session].session.framing == UM_FRAMING_HEADERS;
}

/* ---- block.read ---- */

static void refuse_param(struct call *call, const char *name)
{
    refuse(call, UMEM_E_INVALID_PARAMS);
    fact_text(call, "param", name);
    fail_end(call);
}

static void result_read(struct call *call, int block, const struct range *range)
{
    result_uint(call, "size", range->size);
    if (!is_given(call->request, "at_most"))
        return;
    result_uint(call, "block", range->block);
    result_uint(call, "block_size", call->run->model.blocks[block].size);
}

static void read_raw(struct call *call, int block, const struct range *range)
{
    struct session *session = &call->run->sessions[call->session];

    if (!speaks_headers(call)) {
        fail_plain(call, UMEM_E_UNSUPPORTED);
    } else if (range->size > call->run->limits.payload_bytes) {
        refuse(call, UMEM_E_TOO_LARGE);
        fact_limit(call, "payload_bytes", call->run->limits.payload_bytes);
        fact_uint(call, "asked", range->size);
        fail_end(call);
    } else if (((call->batch_left == NULL && range->size > COPIED_AT_ONCE) || may_send(call, range->size)) &&
               fits(call, 0, range->size)) {
        result_read(call, block, range);
        result_end(call);
        if (call->id.kind == ID_NONE || range->size == 0)
            return;
        if (call->batch_left != NULL || range->size <= COPIED_AT_ONCE)
            um_buf_append(&session->raw, call->run->model.blocks[block].bytes + range->offset,
                          (size_t)range->size);
        else
            session->tail = (struct tail){true, *range, NULL};
    }
}

static uint64_t written_size(const char *encoding, const unsigned char *bytes, uint64_t size)
{
    uint64_t total = size;

    if (strcmp(encoding, "hex") == 0)
        return 2 * size;
    if (strcmp(encoding, "utf8") != 0)
        return (size + 2) / 3 * 4;
    for (uint64_t i = 0; i < size; i++)
        total += bytes[i] < 0x20 ? 5 : bytes[i] == '"' || bytes[i] == '\\';
    return total;
}

static void write_bytes(struct um_buf *out, const char *encoding, const unsigned char *bytes, size_t size)
{
    bool hex = strcmp(encoding, "hex") == 0;
    char *text;

    if (strcmp(encoding, "utf8") == 0) {
        um_json_string(out, (const char *)bytes, size);
        return;
    }
    text = um_json_begin_raw_string(out, hex ? 2 * size : um_base64_encoded_size(size));
    if (hex)
        um_hex_encode(text, bytes, size);
    else
        um_base64_encode(text, bytes, size);
    um_json_end_raw_string(out);
}

void predict_block_read(struct call *call)
{
    const char *encoding =
        is_given(call->request, "encoding") ? argument_of(call->request, "encoding")->name : "base64";
    int block = resolve_block(call, "block");
    const unsigned char *bytes;
    struct range range;
    uint64_t text_size;
    size_t good;

    if (block == NONE || !range_of(call, block, "offset", "size", &range))
        return;
    if (is_given(call->request, "at_most") && is_given(call->request, "size")) {
        refuse_param(call, "at_most");
        return;
    }
    if (range.size > uint_or(call->request, "at_most", UINT64_MAX))
        range.size = uint_or(call->request, "at_most", UINT64_MAX);
    if (strcmp(encoding, "raw") == 0) {
        read_raw(call, block, &range);
        return;
    }
    bytes = call->run->model.blocks[block].bytes + range.offset;
    text_size = written_size(encoding, bytes, range.size) + 64;
    if (strcmp(encoding, "utf8") == 0 ? !fits(call, range.size, range.size) || !fits(call, text_size, 0)
                                      : !fits(call, text_size, range.size))
        return;
    good = um_utf8_check(bytes, (size_t)range.size);
    if (strcmp(encoding, "utf8") == 0 && good != range.size) {
        refuse(call, UMEM_E_UNSUPPORTED);
        fact_uint(call, "offset", range.offset + good);
        fail_end(call);
        return;
    }
    result_read(call, block, &range);
    write_bytes(result_key(call, "data"), encoding, bytes, (size_t)range.size);
    result_end(call);
}

/* ---- block.write ---- */

/* The bytes of a single raw write are still to come. */
static void begin_receiver(struct call *call, int block, uint64_t offset, uint64_t size)
{
    struct payload_receiver *payload_receiver = &call->run->sessions[call->session].payload_receiver;

    payload_receiver->answers = true;
    payload_receiver->entry = call->entry;
    payload_receiver->id = call->id;
    payload_receiver->range = make_range(call->run, block, offset, size);
}

void predict_block_write(struct call *call)
{
    const struct request *request = call->request;
    const struct argument *data = argument_of(request, "data");
    bool raw = has_text(request, "encoding", "raw");
    uint64_t size = raw ? request->payload_size : data->size;
    uint64_t offset = uint_or(request, "offset", 0);
    const unsigned char *bytes = raw ? request->payload : data->bytes;
    int block;

    if (raw && data->given) {
        refuse_param(call, "data");
        return;
    }
    block = resolve_block(call, "block");
    if (block == NONE)
        return;
    if (raw && !speaks_headers(call))
        fail_plain(call, UMEM_E_UNSUPPORTED);
    else if (!raw && (!data->given || request->payload_size != 0))
        refuse_param(call, "data");
    else if (uint_or(request, "size", size) != size)
        refuse_param(call, "size");
    else if (check_range(call, block, offset, size) && fits(call, 0, size)) {
        if (raw && call->batch_left == NULL && size != 0) {
            begin_receiver(call, block, offset, size);
            return;
        }
        if (size != 0)
            memcpy(call->run->model.blocks[block].bytes + offset, bytes, (size_t)size);
        notify_changed(call->run, block, offset, size);
        result_uint(call, "size", size);
        result_end(call);
    }
}

/* ---- within the daemon ---- */

static uint64_t heap_of(const struct call *call, int block)
{
    return call->run->model.heaps[call->run->model.blocks[block].heap].handle;
}

static void run_job(struct call *call, struct job *job)
{
    if (call->batch_left != NULL || job->first.size <= LONG_SIZE)
        run_at_once(call, job);
    else
        keep_job(call, job);
}

void predict_block_fill(struct call *call)
{
    int block = resolve_block(call, "block");
    struct range range;
    struct job *job;

    if (block == NONE || !range_of(call, block, "offset", "size", &range) || !fits(call, 0, range.size))
        return;
    job = new_job(call, JOB_FILL, heap_of(call, block), 0);
    job->first = range;
    job->value = (unsigned)uint_or(call->request, "value", 0);
    run_job(call, job);
}

/* Two blocks, two ranges of one size. */
static struct job *pair_job(struct call *call, enum job_kind kind, const char *const names[5])
{
    int first = resolve_block(call, names[0]);
    int second = first != NONE ? resolve_block(call, names[1]) : NONE;
    uint64_t offset = uint_or(call->request, names[3], 0);
    struct range range;
    struct job *job;

    if (second == NONE || !range_of(call, first, names[2], names[4], &range) ||
        !check_range(call, second, offset, range.size) || !fits(call, 0, range.size))
        return NULL;
    job = new_job(call, kind, heap_of(call, first), heap_of(call, second));
    job->first = range;
    job->second = make_range(call->run, second, offset, range.size);
    return job;
}

void predict_block_copy(struct call *call)
{
    static const char *const names[5] = {"source", "target", "source_offset", "target_offset", "size"};
    struct job *job = pair_job(call, JOB_COPY, names);

    if (job == NULL)
        return;
    job->from_behind = job->first.block == job->second.block && job->second.offset > job->first.offset;
    run_job(call, job);
}

void predict_block_compare(struct call *call)
{
    static const char *const names[5] = {"left", "right", "left_offset", "right_offset", "size"};
    struct job *job = pair_job(call, JOB_COMPARE, names);

    if (job != NULL)
        run_job(call, job);
}

void predict_block_find(struct call *call)
{
    const struct argument *data = argument_of(call->request, "data");
    int block = resolve_block(call, "block");
    uint64_t facts[3] = {call->run->limits.gathered_bytes, call->run->traffic.gathered_bytes, data->size};
    struct range range;
    struct job *job;

    if (block == NONE || !range_of(call, block, "offset", NULL, &range) || !fits(call, 0, range.size))
        return;
    if (range.size > LONG_SIZE && call->batch_left == NULL && data->size > SMALL_ANSWER &&
        data->size > facts[0] - facts[1]) {
        fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "gathered_bytes", facts, 0);
        fail_end(call);
        return;
    }
    job = new_job(call, JOB_FIND, heap_of(call, block), 0);
    job->first = range;
    job->needle = malloc(data->size + 1);
    job->needle_size = data->size;
    memcpy(job->needle, data->bytes, data->size);
    run_job(call, job);
}
