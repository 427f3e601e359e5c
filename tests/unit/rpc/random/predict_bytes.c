/* What the methods of bytes and numbers in blocks must answer. */
#include <stdlib.h>
#include <string.h>

#include "json_out.h"
#include "predict.h"
#include "store.h"
#include "text.h"
#include "umem_errors.h"

enum {
    COPIED_AT_ONCE = 65536,  /* raw bytes up to this many go with their answer */
    LONG_SIZE = 1024 * 1024, /* bytes: a call over more runs in slices */
    NUMBER_TEXT_SIZE = 26
};

static bool speaks_headers(const struct call *call)
{
    return call->run->sessions[call->session].peer.framing == UM_FRAMING_HEADERS;
}

/* ---- block.read ---- */

static void read_raw(struct call *call, int block, const struct span *span)
{
    struct session *session = &call->run->sessions[call->session];

    if (!speaks_headers(call)) {
        fail_plain(call, UMEM_E_UNSUPPORTED);
    } else if (span->size > call->run->limits.payload_bytes) {
        refuse(call, UMEM_E_TOO_LARGE);
        fact_text(call, "limit", "payload_bytes");
        fact_uint(call, "maximum", call->run->limits.payload_bytes);
        fact_uint(call, "asked", span->size);
        fail_end(call);
    } else if (fits(call, 0, span->size)) {
        result_uint(call, "size", span->size);
        result_end(call);
        if (call->id.kind == ID_NONE || span->size == 0)
            return;
        if (call->batch_left != NULL || span->size <= COPIED_AT_ONCE)
            um_buf_append(&session->raw, call->run->blocks[block].bytes + span->offset, (size_t)span->size);
        else
            session->tail = (struct tail){true, *span, NULL};
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
    const char *encoding = is_given(call->request, "encoding") ? argument_of(call->request, "encoding")->name : "base64";
    int block = resolve_block(call, "block");
    const unsigned char *bytes;
    struct span span;
    size_t good;

    if (block == NONE || !range_of(call, block, "offset", "size", &span))
        return;
    if (strcmp(encoding, "raw") == 0) {
        read_raw(call, block, &span);
        return;
    }
    bytes = call->run->blocks[block].bytes + span.offset;
    if (!fits(call, span.size, span.size) || !fits(call, written_size(encoding, bytes, span.size) + 64, 0))
        return;
    good = um_utf8_check(bytes, (size_t)span.size);
    if (strcmp(encoding, "utf8") == 0 && good != span.size) {
        refuse(call, UMEM_E_UNSUPPORTED);
        fact_uint(call, "offset", span.offset + good);
        fail_end(call);
        return;
    }
    result_uint(call, "size", span.size);
    write_bytes(result_key(call, "data"), encoding, bytes, (size_t)span.size);
    result_end(call);
}

/* ---- block.write ---- */

static void refuse_param(struct call *call, const char *name)
{
    refuse(call, UMEM_E_INVALID_PARAMS);
    fact_text(call, "param", name);
    fail_end(call);
}

/* The bytes of a single raw write are still to come. */
static void begin_intake(struct call *call, int block, uint64_t offset, uint64_t size)
{
    struct intake *intake = &call->run->sessions[call->session].intake;

    intake->answers = true;
    intake->entry = call->entry;
    intake->id = call->id;
    intake->span = make_span(call->run, block, offset, size);
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
            begin_intake(call, block, offset, size);
            return;
        }
        if (size != 0)
            memcpy(call->run->blocks[block].bytes + offset, bytes, (size_t)size);
        tell_changed(call->run, block, offset, size);
        result_uint(call, "size", size);
        result_end(call);
    }
}

/* ---- within the daemon ---- */

static uint64_t heap_of(const struct call *call, int block)
{
    return call->run->heaps[call->run->blocks[block].heap].handle;
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
    struct span span;
    struct job *job;

    if (block == NONE || !range_of(call, block, "offset", "size", &span) || !fits(call, 0, span.size))
        return;
    job = new_job(call, JOB_FILL, heap_of(call, block), 0);
    job->first = span;
    job->value = (unsigned)uint_or(call->request, "value", 0);
    run_job(call, job);
}

/* Two blocks, two ranges of one size. */
static struct job *pair_job(struct call *call, enum job_kind kind, const char *const names[5])
{
    int first = resolve_block(call, names[0]);
    int second = first != NONE ? resolve_block(call, names[1]) : NONE;
    uint64_t offset = uint_or(call->request, names[3], 0);
    struct span span;
    struct job *job;

    if (second == NONE || !range_of(call, first, names[2], names[4], &span) ||
        !check_range(call, second, offset, span.size) || !fits(call, 0, span.size))
        return NULL;
    job = new_job(call, kind, heap_of(call, first), heap_of(call, second));
    job->first = span;
    job->second = make_span(call->run, second, offset, span.size);
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
    struct span span;
    struct job *job;

    if (block == NONE || !range_of(call, block, "offset", NULL, &span) || !fits(call, 0, span.size))
        return;
    job = new_job(call, JOB_FIND, heap_of(call, block), 0);
    job->first = span;
    job->needle = malloc(data->size + 1);
    job->needle_size = data->size;
    memcpy(job->needle, data->bytes, data->size);
    run_job(call, job);
}

/* ---- numbers ---- */

static enum um_value_type type_of(const struct call *call)
{
    return (enum um_value_type)argument_of(call->request, "type")->uint;
}

void predict_block_get(struct call *call)
{
    uint64_t offset = argument_of(call->request, "offset")->uint;
    uint64_t count = uint_or(call->request, "count", 1);
    uint64_t width = um_value_size(type_of(call));
    int block = resolve_block(call, "block");
    struct um_buf *out;

    if (block == NONE || !check_range(call, block, offset, count * width) ||
        !fits(call, count * NUMBER_TEXT_SIZE, count * width))
        return;
    out = result_key(call, "values");
    um_json_begin_array(out);
    for (uint64_t i = 0; i < count; i++)
        write_number(out, type_of(call), call->run->blocks[block].bytes + offset + i * width);
    um_json_end_array(out);
    result_end(call);
}

void predict_block_set(struct call *call)
{
    const struct argument *values = argument_of(call->request, "values");
    uint64_t offset = argument_of(call->request, "offset")->uint;
    int block = resolve_block(call, "block");

    if (block == NONE || !check_range(call, block, offset, values->size) || !fits(call, 0, values->size))
        return;
    memcpy(call->run->blocks[block].bytes + offset, values->bytes, values->size);
    tell_changed(call->run, block, offset, values->size);
    result_uint(call, "size", values->size);
    result_end(call);
}

/* Where a number is; NULL: the call has been answered. */
static unsigned char *find_number(struct call *call, int *block)
{
    uint64_t offset = argument_of(call->request, "offset")->uint;
    size_t width = um_value_size(type_of(call));

    *block = resolve_block(call, "block");
    if (*block == NONE || !check_range(call, *block, offset, width) || !fits(call, 0, width))
        return NULL;
    return call->run->blocks[*block].bytes + offset;
}

/* A NaN's bits follow from the machine: they are taken from the engine, where it still has them. */
static void learn_nan(struct call *call, int block, unsigned char *number, size_t width)
{
    struct um_block *found = NULL;
    float narrow;
    double wide;
    const unsigned char *there;

    if (um_store_find_block(call->run->store, call->run->blocks[block].handle, &found, NULL) != UMEM_OK)
        return;
    there = um_block_bytes(found) + (number - call->run->blocks[block].bytes);
    if (width == sizeof narrow) {
        memcpy(&narrow, there, sizeof narrow);
        wide = (double)narrow;
    } else {
        memcpy(&wide, there, sizeof wide);
    }
    if (!(wide < 0 || wide >= 0))
        memcpy(number, there, width);
}

static void add_doubles(struct call *call, int block, unsigned char *number, const unsigned char *value)
{
    double left;
    double right;

    memcpy(&left, number, sizeof left);
    memcpy(&right, value, sizeof right);
    left += right;
    memcpy(number, &left, sizeof left);
    if (!(left < 0 || left >= 0))
        learn_nan(call, block, number, sizeof left);
}

static void add_floats(struct call *call, int block, unsigned char *number, const unsigned char *value)
{
    float left;
    float right;

    memcpy(&left, number, sizeof left);
    memcpy(&right, value, sizeof right);
    left = (float)((double)left + (double)right);
    memcpy(number, &left, sizeof left);
    if (!(left < 0 || left >= 0))
        learn_nan(call, block, number, sizeof left);
}

void predict_block_add(struct call *call)
{
    enum um_value_type type = type_of(call);
    size_t width = um_value_size(type);
    const unsigned char *value = argument_of(call->request, "value")->bytes;
    unsigned char old[UM_VALUE_SIZE_MAXIMUM];
    uint64_t left = 0;
    uint64_t right = 0;
    int block;
    unsigned char *number = find_number(call, &block);

    if (number == NULL)
        return;
    memcpy(old, number, width);
    memcpy(&left, number, width);
    memcpy(&right, value, width);
    left += right;
    if (type == UM_F64)
        add_doubles(call, block, number, value);
    else if (type == UM_F32)
        add_floats(call, block, number, value);
    else
        memcpy(number, &left, width);
    tell_changed(call->run, block, argument_of(call->request, "offset")->uint, width);
    write_number(result_key(call, "old"), type, old);
    write_number(result_key(call, "new"), type, number);
    result_end(call);
}

void predict_block_exchange(struct call *call)
{
    enum um_value_type type = type_of(call);
    size_t width = um_value_size(type);
    const struct argument *expected = argument_of(call->request, "expected");
    int block;
    unsigned char *number = find_number(call, &block);
    bool exchanges;

    if (number == NULL)
        return;
    exchanges = !expected->given || memcmp(number, expected->bytes, width) == 0;
    write_number(result_key(call, "old"), type, number);
    um_json_bool(result_key(call, "exchanged"), exchanges);
    result_end(call);
    if (!exchanges)
        return;
    memcpy(number, argument_of(call->request, "value")->bytes, width);
    tell_changed(call->run, block, argument_of(call->request, "offset")->uint, width);
}

void predict_block_wait(struct call *call)
{
    struct run *run = call->run;
    enum um_value_type type = type_of(call);
    size_t width = um_value_size(type);
    const unsigned char *value = argument_of(call->request, "value")->bytes;
    uint64_t timeout = uint_or(call->request, "timeout_ms", UINT64_MAX);
    int block;
    const unsigned char *number = find_number(call, &block);
    struct later *later;

    if (number == NULL)
        return;
    if (memcmp(number, value, width) != 0) {
        write_number(result_key(call, "value"), type, number);
        result_end(call);
    } else if (may_wait(call)) {
        later = new_later(run, LATER_WAIT, call->session);
        later->entry = call->entry;
        later->id = call->id;
        later->handle = run->blocks[block].handle;
        later->offset = argument_of(call->request, "offset")->uint;
        later->type = type;
        later->deadline = timeout == UINT64_MAX ? UINT64_MAX : run->now_ms + timeout;
        memcpy(later->value, value, width);
    }
}
