/* block.read, block.write, block.fill, block.copy, block.compare, block.find: bytes of blocks. */
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/encoding.h"
#include "base/needle.h"
#include "rpc/engine/job.h"
#include "rpc/engine/payload.h"
#include "rpc/events/observe.h"
#include "rpc/methods/given_bytes.h"
#include "rpc/methods/methods.h"
#include "wire/json_write.h"

static const struct um_member size_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes."},
    {.name = NULL},
};

/* ---- block.read ---- */

enum { READ_BLOCK, READ_OFFSET, READ_SIZE, READ_ENCODING, READ_AT_MOST };

/* Bytes whose text is sent at one time: as many as the socket takes at first. Three of them make four characters of base64. */
enum { PART_SIZE = 3 * 32 * 1024 };

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
    {.name = "at_most",
     .type = UM_SIZE,
     .fallback_doc = "no bound",
     .unit = "bytes",
     .doc = "In place of `size`: read to the end, but no more than this, and tell which block it is and how "
            "large."},
};

/* What is to be read where the request has at_most: less than the range, if that is larger. */
static struct um_range cut_range(const struct um_args *args)
{
    struct um_range range = args->range[0];

    if (range.size > args->value[READ_AT_MOST].as.uint)
        range.size = args->value[READ_AT_MOST].as.uint;
    return range;
}

/* The result's first members. `block_size` is told with at_most. */
UM_ALWAYS_INLINE void reply_read(struct um_call *call, const struct um_range *range, bool tells_block,
                                 uint64_t block_size)
{
    um_reply_uint(call, "size", range->size);
    if (!tells_block)
        return;
    um_reply_uint(call, "block", range->handle);
    um_reply_uint(call, "block_size", block_size);
}

static void read_raw(struct um_call *call, const struct um_range *range, bool tells_block)
{
    if (!um_given_may_be_raw(call)) {
        um_given_fail_raw(call);
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
    reply_read(call, range, tells_block, um_block_size(range->block));
    um_reply_payload(call, range->block, range->offset, range->size);
    um_reply_end(call);
}

static void encode(char *text, enum um_encoding encoding, const unsigned char *bytes, size_t size)
{
    if (encoding == UM_HEX)
        um_hex_encode(text, bytes, size);
    else
        um_base64_encode(text, bytes, size);
}

static size_t encoded_size(enum um_encoding encoding, size_t size)
{
    return encoding == UM_HEX ? 2 * size : um_base64_encoded_size(size);
}

/* A part of the data, encoded straight into the answer. */
static void append_data(struct um_buf *out, enum um_encoding encoding, const unsigned char *bytes,
                        size_t size)
{
    size_t text_size = encoded_size(encoding, size);
    char *text = um_buf_reserve(out, text_size);

    if (text == NULL)
        return;
    encode(text, encoding, bytes, size);
    out->size += text_size;
}

/* The data as a JSON string. A part of many bytes is under way while the next one is encoded. */
static void write_data(struct um_call *call, enum um_encoding encoding, const unsigned char *bytes,
                       size_t size)
{
    struct um_buf *out = um_reply_key(call, "data");
    size_t done = 0;

    if (um_json_begin_raw_string(out, 0) == NULL)
        return;
    while (size - done > PART_SIZE && um_buf_reserve(out, encoded_size(encoding, size - done)) != NULL) {
        append_data(out, encoding, bytes + done, PART_SIZE);
        done += PART_SIZE;
        um_reply_send_part(call);
    }
    append_data(out, encoding, bytes + done, size - done);
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

static void fail_not_utf8(struct um_call *call, uint64_t offset)
{
    um_fail(call, UMEM_E_UNSUPPORTED,
            "the bytes are not UTF-8 from offset %llu on; read them as base64 or hex",
            (unsigned long long)offset);
    um_reply_uint(call, "offset", offset);
}

static const char no_memory[] = "the daemon has no memory for the answer; ask for less";

static void fail_no_memory(struct um_call *call)
{
    um_fail(call, UMEM_E_INTERNAL_ERROR, "%s", no_memory);
    um_reply_end(call);
}

/* Works on a copy, because a client that has mapped the block may write to it between the looks that are taken here. */
static void read_text(struct um_call *call, const struct um_range *range, bool tells_block)
{
    size_t size = (size_t)range->size;
    unsigned char *copy = malloc(size != 0 ? size : 1);
    size_t valid;

    if (copy == NULL) {
        fail_no_memory(call);
        return;
    }
    memcpy(copy, um_call_bytes(call, range->block, range->offset, size), size);
    if (um_call_fits(call, escaped_size(copy, size) + 64, 0)) {
        valid = um_utf8_check(copy, size);
        if (valid != size) {
            fail_not_utf8(call, range->offset + valid);
        } else {
            reply_read(call, range, tells_block, um_block_size(range->block));
            um_json_string(um_reply_key(call, "data"), (const char *)copy, size);
        }
        um_reply_end(call);
    }
    free(copy);
}

/* Many bytes are encoded in slices, straight from the block's memory, which stays whatever becomes of the block. UTF-8 is looked at more
 * than once, and copied first, as a client that has mapped the block may write to it meanwhile. */
struct read_job {
    struct um_job job;
    enum um_encoding encoding;
    struct um_range range;
    bool tells_block;
    uint64_t block_size;   /* when the call came */
    uint64_t done;         /* bytes that are encoded, or whose escapes are counted */
    uint64_t escaped_size; /* UM_UTF8: characters that the text takes, when is_counted */
    bool is_counted;
    bool is_bad;           /* UM_UTF8: it is none, at `done` */
    uint64_t reserved;     /* um_session_reserve_answer() */
    struct um_pin *pin;    /* of the block */
    unsigned char *copied; /* UM_UTF8: malloc */
    struct um_buf text;    /* the JSON string, behind what comes before it in the answer */
    size_t front;          /* bytes of that */
};

/* Whether the answer fits, of which UTF-8 may take more than is checked here. */
static bool read_fits(struct um_call *call, enum um_encoding encoding, uint64_t size)
{
    return um_call_fits(call, encoding == UM_UTF8 ? size : encoded_size(encoding, (size_t)size) + 64, size);
}

/* The next bytes of the range, as they are now. */
static const unsigned char *read_next(const struct read_job *read, uint64_t size)
{
    UM_TOUCH(size);
    (void)size;
    return um_pin_bytes(read->pin) + read->range.offset + read->done;
}

static bool read_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct read_job *read = (struct read_job *)job;
    const struct um_range *range = &read->range;
    uint64_t text_limit;

    read->tells_block = args->value[READ_AT_MOST].given;
    read->range = read->tells_block ? cut_range(args) : args->range[0];
    read->block_size = um_block_size(range->block);
    read->encoding = (enum um_encoding)args->value[READ_ENCODING].as.word;
    job->is_long = true;
    if (!read_fits(call, read->encoding, range->size))
        return false;
    if (read->encoding == UM_UTF8)
        read->copied = malloc((size_t)range->size);
    if ((read->encoding == UM_UTF8 && read->copied == NULL) ||
        um_pin_new(call->store, range->block, &read->pin) != UMEM_OK) {
        free(read->copied);
        fail_no_memory(call);
        return false;
    }
    /* Of UTF-8, each byte may be an escape of six characters, and the text grows as it is written. */
    text_limit =
        2 + (read->encoding == UM_UTF8 ? 6 * range->size : encoded_size(read->encoding, (size_t)range->size));
    um_buf_init(&read->text, (size_t)text_limit + UM_REPLY_FRONT_SIZE);
    if (read->encoding != UM_UTF8)
        (void)um_buf_reserve(&read->text, read->text.size_limit);
    read->reserved = read->encoding == UM_UTF8 ? 3 * range->size + 2 : text_limit;
    um_session_reserve_answer(call->session, read->reserved);
    reply_read(call, range, read->tells_block, read->block_size);
    read->front = um_reply_begin_text(call, "data", &read->text);
    return true;
}

/* Text of a slice. A character that lies across the slice's end belongs to the next slice. */
static void read_text_slice(struct read_job *read, uint64_t size)
{
    enum { CHARACTER_SIZE = 4 };
    const unsigned char *bytes = read->copied + read->done;
    bool is_last = read->done + size == read->range.size;
    size_t valid = um_utf8_check(bytes, (size_t)size);

    um_json_append_escaped(&read->text, (const char *)bytes, valid);
    read->done += valid;
    read->is_bad = valid != size && (is_last || size - valid >= CHARACTER_SIZE);
}

/* Copies a slice of text, and counts the characters that it takes. Returns whether there is more to do: not for a text that is too
 * long. */
static bool read_count(struct read_job *read, uint64_t size)
{
    struct um_session *session = read->job.call->session;

    memcpy(read->copied + read->done, read_next(read, size), (size_t)size);
    read->escaped_size += escaped_size(read->copied + read->done, size);
    read->done += size;
    if (read->done != read->range.size)
        return true;
    read->is_counted = true;
    read->done = 0;
    if (read->escaped_size + 64 > session->rpc->limits->message_bytes)
        return false;
    um_session_release_answer(session, read->reserved);
    read->reserved = read->range.size + read->escaped_size + 2;
    um_session_reserve_answer(session, read->reserved);
    return true;
}

static int read_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct read_job *read = (struct read_job *)job;
    uint64_t size = um_job_slice(job, read->range.size - read->done);

    if (read->encoding == UM_UTF8 && !read->is_counted) {
        *more = read_count(read, size);
        return UMEM_OK;
    }
    if (read->done == 0)
        um_buf_append_byte(&read->text, '"');
    if (read->encoding == UM_UTF8) {
        read_text_slice(read, size);
    } else {
        /* Three bytes make four characters of base64. */
        size = read->done + size < read->range.size ? size / 3 * 3 : size;
        append_data(&read->text, read->encoding, read_next(read, size), (size_t)size);
        read->done += size;
    }
    *more = !read->is_bad && read->done < read->range.size;
    if (!*more)
        um_buf_append_byte(&read->text, '"');
    if (!read->text.failed)
        return UMEM_OK;
    *fault = (struct um_fault){.what = no_memory};
    return UMEM_E_INTERNAL_ERROR;
}

static void read_answer(struct um_job *job, struct um_call *call)
{
    struct read_job *read = (struct read_job *)job;

    um_session_release_answer(call->session, read->reserved);
    read->reserved = 0;
    if (read->is_bad) {
        fail_not_utf8(call, read->range.offset + read->done);
    } else if (read->encoding != UM_UTF8 || um_call_fits(call, read->escaped_size + 64, 0)) {
        reply_read(call, &read->range, read->tells_block, read->block_size);
        um_reply_end_text(call, "data", &read->text, read->front);
    }
}

static void read_release(struct um_job *job)
{
    struct read_job *read = (struct read_job *)job;

    um_session_release_answer(job->call->session, read->reserved);
    um_pin_release(job->call->store, read->pin);
    free(read->copied);
    um_buf_deinit(&read->text);
}

static const struct um_job_ops read_ops = {.size = sizeof(struct read_job),
                                           .begin = read_begin,
                                           .step = read_step,
                                           .answer = read_answer,
                                           .release = read_release};

static void read_bytes(struct um_call *call, const struct um_args *args)
{
    enum um_encoding encoding = (enum um_encoding)args->value[READ_ENCODING].as.word;
    bool tells_block = args->value[READ_AT_MOST].given;
    const struct um_range *range = &args->range[0];
    struct um_range cut;

    if (tells_block) {
        cut = cut_range(args);
        range = &cut;
    }
    if (tells_block && args->value[READ_SIZE].given) {
        um_args_refuse(call, "at_most", "stands in place of size: give one of them");
    } else if (encoding == UM_RAW) {
        read_raw(call, range, tells_block);
    } else if (call->batch == NULL && range->size > UM_CALL_ATOMIC_SIZE) {
        um_job_run(call, args, &read_ops);
    } else if (!read_fits(call, encoding, range->size)) {
        return;
    } else if (encoding == UM_UTF8) {
        read_text(call, range, tells_block);
    } else {
        reply_read(call, range, tells_block, um_block_size(range->block));
        write_data(call, encoding, um_call_bytes(call, range->block, range->offset, range->size),
                   (size_t)range->size);
        um_reply_end(call);
    }
}

static const struct um_member read_result[] = {
    {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "How many bytes."},
    {.name = "block", .type = UM_BLOCK, .optional = true, .doc = "With `at_most`: the block."},
    {.name = "block_size",
     .type = UM_UINT,
     .optional = true,
     .unit = "bytes",
     .doc = "With `at_most`: how large the block is."},
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
     .by = WRITE_ENCODING + 1,
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

/* How many bytes are given. Returns false where they are not as the parameters say; then the call has been answered. */
UM_ALWAYS_INLINE bool find_bytes(struct um_call *call, const struct um_args *args, uint64_t *size)
{
    const struct um_arg *value = args->value;
    bool raw = value[WRITE_ENCODING].as.word == UM_RAW;

    if (!um_given_find(call, &value[WRITE_DATA], &value[WRITE_ENCODING], size))
        return false;
    if (!raw && !value[WRITE_DATA].given)
        um_given_fail_data(call);
    else if (value[WRITE_SIZE].given && value[WRITE_SIZE].as.uint != *size)
        um_given_fail_size(call, value[WRITE_SIZE].as.uint, *size, raw);
    else
        return true;
    return false;
}

static void write_bytes(struct um_call *call, const struct um_args *args)
{
    const struct um_arg *value = args->value;
    struct um_block *block = value[WRITE_BLOCK].as.block;
    uint64_t offset = value[WRITE_OFFSET].as.uint;
    const unsigned char *bytes = value[WRITE_DATA].as.data.bytes;
    uint64_t size;

    if (!find_bytes(call, args, &size) || !um_range_check(call, block, offset, size) ||
        !um_call_fits(call, 0, size))
        return;
    if (value[WRITE_ENCODING].as.word == UM_RAW) {
        bytes = call->payload;
        if (size != 0 && bytes == NULL) {
            um_payload_begin(call, block, offset);
            return;
        }
    }
    um_call_put(call, block, offset, bytes, size);
    um_observe_wrote(call->session->rpc->observers, block, offset, size);
    um_reply_uint(call, "size", size);
    um_reply_end(call);
}

const struct um_method um_method_block_write = {
    .name = "block.write",
    .summary = "Writes bytes to a block.",
    UM_PARAMS(write_params),
    .result = size_result,
    .errors = {UMEM_E_OUT_OF_RANGE, UMEM_E_UNSUPPORTED, UMEM_E_LIMIT_EXCEEDED, UMEM_E_CORRUPTED},
    .takes_payload = true,
    .run = write_bytes,
};

/* ---- block.fill ---- */

enum { FILL_BLOCK, FILL_VALUE, FILL_OFFSET, FILL_SIZE };

struct fill_job {
    struct um_job job;
    struct um_range range;
    uint64_t done; /* bytes */
    int value;
};

static bool fill_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct fill_job *fill = (struct fill_job *)job;

    fill->range = args->range[0];
    fill->value = (int)args->value[FILL_VALUE].as.uint;
    um_job_works_on(job, fill->range.size, fill->range.block, NULL);
    return um_call_fits(call, 0, fill->range.size);
}

static int fill_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct fill_job *fill = (struct fill_job *)job;
    uint64_t size = um_job_slice(job, fill->range.size - fill->done);
    int code = um_range_find(job->call, &fill->range, fault);

    if (code != UMEM_OK)
        return code;
    if (size != 0)
        memset(um_job_bytes(job, &fill->range, fill->done, size), fill->value, (size_t)size);
    um_observe_wrote(job->call->session->rpc->observers, fill->range.block, fill->range.offset + fill->done,
                     size);
    fill->done += size;
    *more = fill->done < fill->range.size;
    return UMEM_OK;
}

static void fill_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "size", ((struct fill_job *)job)->range.size);
}

static const struct um_job_ops fill_ops = {
    .size = sizeof(struct fill_job), .begin = fill_begin, .step = fill_step, .answer = fill_answer};

static const struct um_param fill_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "value", .type = UM_UINT, .maximum = 255, .doc = "The byte to write."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end",
     .unit = "bytes",
     .doc = "How many bytes to fill."},
};

const struct um_method um_method_block_fill = {
    .name = "block.fill",
    .summary = "Sets every byte of a range to one value (Win32 FillMemory).",
    UM_PARAMS(fill_params),
    .ranges = {{FILL_BLOCK + 1, FILL_OFFSET + 1, FILL_SIZE + 1}},
    .result = size_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED, UMEM_E_CORRUPTED},
    .job = &fill_ops,
};

/* ---- block.copy ---- */

enum { COPY_SOURCE, COPY_TARGET, COPY_SOURCE_OFFSET, COPY_TARGET_OFFSET, COPY_SIZE };

struct copy_job {
    struct um_job job;
    struct um_range source;
    struct um_range target;
    uint64_t done;    /* bytes */
    bool from_behind; /* the ranges overlap so that the last bytes must go first */
};

static bool copy_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct copy_job *copy = (struct copy_job *)job;
    struct um_block *target = args->value[COPY_TARGET].as.block;
    uint64_t offset = args->value[COPY_TARGET_OFFSET].as.uint;
    uint64_t size = args->range[0].size;

    copy->source = args->range[0];
    copy->target = um_range_of(call, target, offset, size);
    copy->from_behind = copy->source.block == target && offset > copy->source.offset;
    um_job_works_on(job, size, copy->source.block, target);
    return um_range_check(call, target, offset, size) && um_call_fits(call, 0, size);
}

static int copy_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct copy_job *copy = (struct copy_job *)job;
    uint64_t size = um_job_slice(job, copy->source.size - copy->done);
    uint64_t at = copy->from_behind ? copy->source.size - copy->done - size : copy->done;
    int code = um_range_find(job->call, &copy->source, fault);

    if (code == UMEM_OK)
        code = um_range_find(job->call, &copy->target, fault);
    if (code != UMEM_OK)
        return code;
    memmove(um_job_bytes(job, &copy->target, at, size), um_job_bytes(job, &copy->source, at, size),
            (size_t)size);
    um_observe_wrote(job->call->session->rpc->observers, copy->target.block, copy->target.offset + at, size);
    copy->done += size;
    *more = copy->done < copy->source.size;
    return UMEM_OK;
}

static void copy_answer(struct um_job *job, struct um_call *call)
{
    um_reply_uint(call, "size", ((struct copy_job *)job)->source.size);
}

static const struct um_job_ops copy_ops = {
    .size = sizeof(struct copy_job), .begin = copy_begin, .step = copy_step, .answer = copy_answer};

static const struct um_param copy_params[] = {
    {.name = "source", .type = UM_BLOCK, .required = true, .doc = "The block to copy from."},
    {.name = "target",
     .type = UM_BLOCK,
     .required = true,
     .doc = "The block to copy to; it may be the same."},
    {.name = "source_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the source."},
    {.name = "target_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the target."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end of the source",
     .unit = "bytes",
     .doc = "How much to copy."},
};

const struct um_method um_method_block_copy = {
    .name = "block.copy",
    .summary = "Copies bytes from one block to another, or within one (Win32 CopyMemory).",
    .detail = "The ranges may overlap.",
    UM_PARAMS(copy_params),
    .ranges = {{COPY_SOURCE + 1, COPY_SOURCE_OFFSET + 1, COPY_SIZE + 1}},
    .result = size_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED, UMEM_E_CORRUPTED},
    .job = &copy_ops,
};

/* ---- block.compare ---- */

enum { COMPARE_LEFT, COMPARE_RIGHT, COMPARE_LEFT_OFFSET, COMPARE_RIGHT_OFFSET, COMPARE_SIZE };

struct compare_job {
    struct um_job job;
    struct um_range left;
    struct um_range right;
    uint64_t done; /* bytes that are equal so far */
    bool differs;  /* at `done` */
};

/* How many bytes at the start of both are equal. Halves the range in which the first difference lies. */
static size_t equal_size(const unsigned char *left, const unsigned char *right, size_t size)
{
    size_t begin = 0;

    if (size == 0 || memcmp(left, right, size) == 0)
        return size;
    while (size > 1) {
        size_t half = size / 2;

        if (memcmp(left + begin, right + begin, half) == 0) {
            begin += half;
            size -= half;
        } else {
            size = half;
        }
    }
    return begin;
}

static bool compare_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct compare_job *compare = (struct compare_job *)job;
    struct um_block *right = args->value[COMPARE_RIGHT].as.block;
    uint64_t offset = args->value[COMPARE_RIGHT_OFFSET].as.uint;
    uint64_t size = args->range[0].size;

    compare->left = args->range[0];
    compare->right = um_range_of(call, right, offset, size);
    um_job_works_on(job, size, compare->left.block, right);
    return um_range_check(call, right, offset, size) && um_call_fits(call, 0, size);
}

static int compare_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct compare_job *compare = (struct compare_job *)job;
    uint64_t size = um_job_slice(job, compare->left.size - compare->done);
    size_t equal;
    int code = um_range_find(job->call, &compare->left, fault);

    if (code == UMEM_OK)
        code = um_range_find(job->call, &compare->right, fault);
    if (code != UMEM_OK)
        return code;
    equal = equal_size(um_job_bytes(job, &compare->left, compare->done, size),
                       um_job_bytes(job, &compare->right, compare->done, size), (size_t)size);
    compare->differs = equal < size;
    compare->done += equal;
    *more = !compare->differs && compare->done < compare->left.size;
    return UMEM_OK;
}

static void compare_answer(struct um_job *job, struct um_call *call)
{
    const struct compare_job *compare = (struct compare_job *)job;

    um_reply_bool(call, "equal", !compare->differs);
    if (compare->differs)
        um_reply_uint(call, "offset", compare->done);
    else
        um_reply_null(call, "offset");
}

static const struct um_job_ops compare_ops = {.size = sizeof(struct compare_job),
                                              .begin = compare_begin,
                                              .step = compare_step,
                                              .answer = compare_answer};

static const struct um_param compare_params[] = {
    {.name = "left", .type = UM_BLOCK, .required = true, .doc = "One block."},
    {.name = "right", .type = UM_BLOCK, .required = true, .doc = "The other; it may be the same."},
    {.name = "left_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the one."},
    {.name = "right_offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin in the other."},
    {.name = "size",
     .type = UM_SIZE,
     .fallback_doc = "to the end of `left`",
     .unit = "bytes",
     .doc = "How much to compare."},
};

static const struct um_member compare_result[] = {
    {.name = "equal", .type = UM_BOOLEAN, .doc = "Whether all bytes are."},
    {.name = "offset",
     .type = UM_OFFSET,
     .nullable = true,
     .unit = "bytes",
     .doc = "Of the first difference, from the start of the ranges; null: there is none."},
    {.name = NULL},
};

const struct um_method um_method_block_compare = {
    .name = "block.compare",
    .summary = "Compares bytes of two blocks (RtlCompareMemory).",
    UM_PARAMS(compare_params),
    .ranges = {{COMPARE_LEFT + 1, COMPARE_LEFT_OFFSET + 1, COMPARE_SIZE + 1}},
    .result = compare_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .job = &compare_ops,
};

/* ---- block.find ---- */

enum { FIND_BLOCK, FIND_DATA, FIND_OFFSET, FIND_ENCODING };

struct find_job {
    struct um_job job;
    struct um_range range;
    struct um_needle needle;
    unsigned char *bytes; /* what is looked for */
    uint64_t done;        /* bytes of the range at which it does not begin */
    bool found;           /* at `done` */
};

/* What a long search looks for is kept until it ends, and counts as what is gathered. */
static bool may_keep(struct um_call *call, const struct find_job *find, uint64_t size)
{
    const struct um_rpc *rpc = call->session->rpc;
    struct um_fault fault = {
        .limit = "gathered_bytes",
        .maximum = rpc->limits->gathered_bytes,
        .used = rpc->traffic->gathered_bytes,
        .asked = size,
        .what = "too much is kept for calls that are not done; look for less, or try again",
    };

    if (!find->job.is_long || call->batch != NULL || size <= UM_SMALL_ANSWER_SIZE ||
        (fault.used <= fault.maximum && size <= fault.maximum - fault.used))
        return true;
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

static bool find_begin(struct um_call *call, const struct um_args *args, struct um_job *job)
{
    struct find_job *find = (struct find_job *)job;
    const struct um_data *data = &args->value[FIND_DATA].as.data;

    find->range = args->range[0];
    um_job_works_on(job, find->range.size, find->range.block, NULL);
    if (data->size > UM_CALL_ATOMIC_SIZE)
        return um_args_refuse(call, "data", "has %llu bytes, and at most %d can be looked for",
                              (unsigned long long)data->size, (int)UM_CALL_ATOMIC_SIZE);
    if (!um_call_fits(call, 0, find->range.size) || !may_keep(call, find, data->size))
        return false;
    job->held_bytes = data->size;
    find->bytes = malloc(data->size != 0 ? (size_t)data->size : 1);
    if (find->bytes == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for the bytes to look for");
        um_reply_end(call);
        return false;
    }
    if (data->size != 0)
        memcpy(find->bytes, data->bytes, (size_t)data->size);
    um_needle_init(&find->needle, find->bytes, (size_t)data->size);
    return true;
}

/* A slice is as long as what is looked for, at least, so that a search costs no more for being cut. */
static int find_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct find_job *find = (struct find_job *)job;
    uint64_t wanted = find->needle.size;
    uint64_t left = find->range.size - find->done;
    uint64_t slice = um_job_slice(job, left);
    uint64_t starts = wanted > slice ? wanted : slice;
    const unsigned char *bytes;
    size_t at = 0;
    int code = um_range_find(job->call, &find->range, fault);

    if (code != UMEM_OK)
        return code;
    *more = false;
    if (left < wanted)
        return UMEM_OK;
    if (starts > left - wanted)
        starts = left - wanted + 1;
    else
        *more = true;
    bytes = um_job_bytes(job, &find->range, find->done, wanted != 0 ? starts + wanted - 1 : 0);
    find->found = um_needle_find(&find->needle, bytes, (size_t)(starts + wanted - 1), &at);
    find->done += find->found ? at : starts;
    *more = *more && !find->found;
    return UMEM_OK;
}

static void find_answer(struct um_job *job, struct um_call *call)
{
    const struct find_job *find = (struct find_job *)job;

    if (find->found)
        um_reply_uint(call, "offset", find->range.offset + find->done);
    else
        um_reply_null(call, "offset");
}

static void find_release(struct um_job *job)
{
    free(((struct find_job *)job)->bytes);
}

static const struct um_job_ops find_ops = {.size = sizeof(struct find_job),
                                           .begin = find_begin,
                                           .step = find_step,
                                           .answer = find_answer,
                                           .release = find_release};

static const struct um_param find_params[] = {
    {.name = "block", .type = UM_BLOCK, .required = true, .doc = "The block."},
    {.name = "data",
     .type = UM_DATA,
     .by = FIND_ENCODING + 1,
     .required = true,
     .doc = "The bytes to look for: at most 1 MiB."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where to begin."},
    {.name = "encoding",
     .type = UM_CHOICE,
     .words = um_text_encoding_words,
     .fallback = UM_BASE64,
     .doc = UM_ENCODING_DOC "."},
};

static const struct um_member find_result[] = {
    {.name = "offset",
     .type = UM_OFFSET,
     .nullable = true,
     .unit = "bytes",
     .doc = "Where they first stand, from the start of the block; null: nowhere."},
    {.name = NULL},
};

const struct um_method um_method_block_find = {
    .name = "block.find",
    .summary = "Finds bytes in a block.",
    UM_PARAMS(find_params),
    .ranges = {{FIND_BLOCK + 1, FIND_OFFSET + 1, 0}},
    .result = find_result,
    .errors = {UMEM_E_LIMIT_EXCEEDED},
    .job = &find_ops,
};
