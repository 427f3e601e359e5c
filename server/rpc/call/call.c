#include "rpc/call/call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/encoding.h"
#include "rpc/call/changes.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/top_consumer.h"
#include "wire/json_read.h"
#include "wire/json_write.h"
#include "wire/length_header.h"

enum {
    ANSWER_RESERVE = 4096,    /* bytes every answer of fixed size fits in, its id not counted */
    MESSAGE_SIZE_LIMIT = 512, /* bytes in an error's message */
    COPIED_TAIL_SIZE =
        65536 /* raw bytes up to this many are copied: cheaper than a pin and a second buffer */
};

/* ---- ids ---- */

bool um_id_from_json(const struct um_json *json, struct um_id *id)
{
    if (json->kind == UM_JSON_NUMBER)
        *id = (struct um_id){UM_ID_NUMBER, um_json_number_size(json), json->text};
    else if (json->kind == UM_JSON_STRING && !json->has_nul)
        *id = (struct um_id){UM_ID_STRING, json->size, json->text};
    else
        *id = (struct um_id){.kind = UM_ID_NULL};
    if (id->size <= UM_ID_SIZE_LIMIT)
        return id->kind != UM_ID_NULL || json->kind == UM_JSON_NULL;
    *id = (struct um_id){.kind = UM_ID_NULL};
    return false;
}

bool um_id_is(const struct um_id *left, const struct um_id *right)
{
    return left->kind == right->kind && left->kind >= UM_ID_NUMBER && left->size == right->size &&
           memcmp(left->text, right->text, left->size) == 0;
}

/* Bytes that it takes at most in an answer, without quotes. */
UM_ALWAYS_INLINE size_t id_written_size(const struct um_id *id)
{
    return id->kind == UM_ID_STRING ? 6 * id->size : id->size;
}

/* ---- frames ---- */

/* Bytes of the headers of most answers: 100 to 999 bytes of text, and no raw ones. */
enum { HEADERS_GUESS = sizeof "Content-Length: 000\r\n\r\n" - 1 };

/* Leaves space for the headers: as much as the last ones took. Its last byte is that of headers, as the writer of JSON looks at it. */
UM_ALWAYS_INLINE size_t begin_frame(struct um_session *session)
{
    struct um_buf *out = &session->out;
    size_t start = out->size;
    size_t size = session->headers.size != 0 ? session->headers.size : HEADERS_GUESS;

    if (session->framing == UM_FRAMING_HEADERS && um_buf_reserve(out, size) != NULL) {
        out->size += size;
        out->data[out->size - 1] = '\n';
    }
    return start;
}

/* Writes the headers of an answer to session->headers. */
static void write_headers(struct um_session *session, size_t content_size, uint64_t payload_size)
{
    static const char content[] = "Content-Length: ";
    static const char payload[] = "Payload-Length: ";
    static const char type[] = "Content-Type: ";
    struct um_last_headers *headers = &session->headers;
    size_t type_size = strlen(session->content_type);
    char *end = um_length_header_put(headers->text, content, sizeof content - 1, content_size);

    if (payload_size != 0)
        end = um_length_header_put(end, payload, sizeof payload - 1, payload_size);
    if (type_size != 0) {
        memcpy(end, type, sizeof type - 1);
        end += sizeof type - 1;
        memcpy(end, session->content_type, type_size);
        end += type_size;
        memcpy(end, "\r\n", 2);
        end += 2;
    }
    memcpy(end, "\r\n", 2);
    headers->size = (size_t)(end + 2 - headers->text);
    headers->content = content_size;
    headers->payload = payload_size;
}

/* Puts the headers between where the message and where its text begins. */
static void insert_headers(struct um_session *session, size_t start, size_t text, uint64_t payload_size)
{
    struct um_last_headers *headers = &session->headers;
    struct um_buf *out = &session->out;
    size_t space = text - start;
    size_t content_size = out->size - text;

    if (headers->size == 0 || headers->content != content_size || headers->payload != payload_size)
        write_headers(session, content_size, payload_size);
    if (headers->size > space && um_buf_reserve(out, headers->size - space) == NULL)
        return;
    if (headers->size != space)
        memmove(out->data + start + headers->size, out->data + text, content_size);
    memcpy(out->data + start, headers->text, headers->size);
    out->size = start + headers->size + content_size;
}

UM_ALWAYS_INLINE void end_frame(struct um_session *session, size_t start, size_t text, uint64_t payload_size)
{
    if (session->framing == UM_FRAMING_HEADERS)
        insert_headers(session, start, text, payload_size);
    else
        um_buf_append_byte(&session->out, '\n');
}

size_t um_framing_begin(struct um_session *session)
{
    return begin_frame(session);
}

void um_framing_end(struct um_session *session, size_t start, size_t text, uint64_t payload_size)
{
    size_t size = session->out.size;

    end_frame(session, start, text, payload_size);
    if (session->framing == UM_FRAMING_HEADERS)
        um_changes_move(session, start, session->out.size - size);
}

/* ---- the answer ---- */

bool um_call_within_message_limit(const struct um_call *call, uint64_t size)
{
    uint64_t limit = call->session->rpc->limits->message_bytes;
    uint64_t used = call->session->out.size - call->text;

    return used <= limit && size <= limit - used;
}

/* What a call touches that stands alone is touched here and now, or slice by slice. */
UM_ALWAYS_INLINE void note_touched(struct um_call *call, uint64_t touched)
{
    if (call->batch != NULL)
        call->batch->bytes_left -= touched;
    else if (touched > UM_CALL_ATOMIC_SIZE)
        touched = UM_CALL_ATOMIC_SIZE;
    um_session_charge(call->session, touched);
    call->session->rpc->touched_bytes += touched;
}

static bool refuse_answer(struct um_call *call, uint64_t size, uint64_t limit)
{
    um_fail(call, UMEM_E_TOO_LARGE,
            "the answer would have about %llu bytes, more than the limit of %llu; ask for less",
            (unsigned long long)size, (unsigned long long)limit);
    um_reply_limit(call, "message_bytes", limit);
    um_reply_uint(call, "asked", size);
    um_reply_end(call);
    return false;
}

static bool refuse_touched(struct um_call *call, uint64_t touched)
{
    uint64_t limit = call->session->rpc->limits->batch_bytes;

    um_fail(call, UMEM_E_LIMIT_EXCEEDED,
            "a batch may touch batch_bytes = %llu bytes of blocks; send this on its own",
            (unsigned long long)limit);
    um_reply_limit(call, "batch_bytes", limit);
    um_reply_uint(call, "used", limit - call->batch->bytes_left);
    um_reply_uint(call, "asked", touched);
    um_reply_end(call);
    return false;
}

bool um_call_fits(struct um_call *call, uint64_t size, uint64_t touched)
{
    uint64_t limit = call->session->rpc->limits->message_bytes;
    uint64_t used = call->session->out.size - call->text;

    if (size != 0 && (used > limit || size > limit - used))
        return refuse_answer(call, used + size, limit);
    if (call->batch != NULL && touched > call->batch->bytes_left)
        return refuse_touched(call, touched);
    if (size > UM_SMALL_ANSWER_SIZE && !um_call_may_send(call, size))
        return false;
    note_touched(call, touched);
    return true;
}

void um_call_charge(struct um_call *call, uint64_t work)
{
    struct um_batch *batch = call->batch;

    if (batch != NULL)
        batch->bytes_left -= work < batch->bytes_left ? work : batch->bytes_left;
    um_session_charge(call->session, work);
}

/* Bytes of the message's answer, if it grows by so many more: in a batch, with the raw ones that are to follow. */
static uint64_t grown(const struct um_call *call, uint64_t size)
{
    uint64_t raw = call->batch != NULL ? call->batch->raw.size : 0;

    return call->session->out.size - call->text + raw + size;
}

/* Whether the message's answer may grow by so many bytes, for all that waits to be sent, and what of it is its process'. */
static bool is_within_total(const struct um_call *call, uint64_t size)
{
    return grown(call, size) <= um_session_unsent_left(call->session);
}

bool um_call_may_append(const struct um_call *call, uint64_t size)
{
    return um_call_within_message_limit(call, size) && is_within_total(call, size);
}

bool um_call_may_send(struct um_call *call, uint64_t size)
{
    const struct um_rpc *rpc = call->session->rpc;
    struct um_fault fault;

    if (size <= UM_SMALL_ANSWER_SIZE || is_within_total(call, size))
        return true;
    fault = (struct um_fault){
        .limit = "unsent_total_bytes",
        .maximum = rpc->limits->unsent_total_bytes,
        .used = rpc->traffic->unsent_bytes + rpc->reserved_bytes,
        .asked = grown(call, size),
        .what = "too much waits for clients that do not read; ask for less, or try again",
    };
    um_fail_fault(call, UMEM_E_LIMIT_EXCEEDED, &fault);
    return false;
}

/* Memory ran out for the answer: what there is of it is taken back, so that the session ends behind a whole message. */
static void fail_session(struct um_call *call)
{
    call->session->broken = true;
    um_buf_truncate(&call->session->out, call->start);
    if (call->tail_size != 0)
        um_session_tail_sent(call->session);
}

/* ---- the record of a call ---- */

static void begin_record(struct um_call *call)
{
    struct um_rpc *rpc = call->session->rpc;

    rpc->record.session = call->session->id;
    rpc->record.method = NULL;
    rpc->record.subject_count = 0;
    rpc->record.size = UM_RECORD_NO_SIZE;
    rpc->record.code = UMEM_OK;
    call->record = &rpc->record;
}

static void end_record(const struct um_call *call, uint64_t ns)
{
    enum { NS_A_US = 1000 };
    const struct um_rpc_events *events = &call->session->rpc->events;
    struct um_call_record *record = call->record;

    record->method = call->method != NULL ? call->method->name : NULL;
    record->us = ns / NS_A_US;
    record->has_waited = call->has_waited;
    events->call_ended(events->context, record);
}

/* For a call that is answered later. Where memory runs out, it is not recorded. */
static struct um_call_record *keep_record(const struct um_call_record *record)
{
    struct um_call_record *kept = record != NULL ? malloc(sizeof *kept) : NULL;

    if (kept != NULL)
        *kept = *record;
    return kept;
}

/* Counts a call that was answered, for its method and its session. */
UM_ALWAYS_INLINE void count_call(const struct um_call *call)
{
    struct um_session *session = call->session;
    struct um_rpc *rpc = session->rpc;
    uint64_t ns;

    session->calls++;
    session->last_used = rpc->unix_seconds;
    if (call->failed) {
        session->errors++;
        rpc->errors++;
    }
    if (!call->is_deferred) {
        um_meter_answered(&rpc->meter, call->failed);
        ns = rpc->meter.last_ns;
    } else {
        ns =
            um_meter_answered_late(&rpc->meter, call->method, call->begun_ns, call->failed, call->has_waited);
    }
    if (call->record != NULL)
        end_record(call, ns);
}

void um_call_start(struct um_call *call)
{
    size_t id_size = id_written_size(&call->id);

    /* Not a call that came before there was a record to keep: its method is known. */
    if (call->session->rpc->records_calls && call->method == NULL && call->record == NULL)
        begin_record(call);
    if (call->batch == NULL) {
        call->start = begin_frame(call->session);
        call->text = call->session->out.size;
    }
    call->body = call->session->out.size;
    /* Space for any answer of fixed size, so that no change is made that cannot be reported. */
    if (um_buf_reserve(&call->session->out, ANSWER_RESERVE + id_size) == NULL)
        fail_session(call);
}

/* Copies the digits of an id: most have a few, for which a call of memcpy() costs most of the time. */
UM_ALWAYS_INLINE void copy_digits(char *to, const char *from, size_t size)
{
    if (size > 8) {
        memcpy(to, from, size);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else {
        to[0] = from[0];
        to[size / 2] = from[size / 2];
        to[size - 1] = from[size - 1];
    }
}

/* What every answer begins with is the same but for the id, and is copied at once; um_call_start() has reserved space. `behind`
 * follows the id. */
UM_ALWAYS_INLINE void begin_envelope(struct um_call *call, const char *behind, size_t behind_size)
{
    static const char before[] = "{\"jsonrpc\":\"2.0\",\"id\":";
    struct um_buf *out = &call->session->out;
    size_t id_size = call->id.kind == UM_ID_NUMBER ? call->id.size : 0;
    char *space;

    /* Between the answers of a batch. */
    if (call->batch != NULL && out->size != 0 && out->data[out->size - 1] == '}')
        um_buf_append_byte(out, ',');
    call->begun = true;
    space = um_buf_reserve(out, sizeof before - 1 + id_size + behind_size);
    if (space == NULL)
        return;
    memcpy(space, before, sizeof before - 1);
    space += sizeof before - 1;
    if (call->id.kind == UM_ID_NUMBER) {
        copy_digits(space, call->id.text, id_size);
        space += id_size;
        memcpy(space, behind, behind_size);
        out->size += sizeof before - 1 + id_size + behind_size;
        return;
    }
    out->size += sizeof before - 1;
    if (call->id.kind == UM_ID_STRING)
        um_json_string(out, call->id.text, call->id.size);
    else
        um_json_null(out);
    um_buf_append(out, behind, behind_size);
}

void um_reply_begin(struct um_call *call)
{
    static const char result[] = ",\"result\":{";

    begin_envelope(call, result, sizeof result - 1);
}

/* The answer did not fit in memory: it is replaced by an error, which fits in the reserve of um_call_start(). */
static void answer_no_memory(struct um_call *call)
{
    /* Another answer's tail may still be waiting. */
    if (call->tail_size != 0)
        um_session_tail_sent(call->session);
    call->tail_size = 0;
    um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for the answer; ask for less");
    um_json_end_object(&call->session->out);
    um_json_end_object(&call->session->out);
    um_json_end_object(&call->session->out);
}

bool um_reply_is_copied(const struct um_call *call, uint64_t size)
{
    return call->batch != NULL || size <= COPIED_TAIL_SIZE;
}

void um_reply_payload(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size)
{
    struct um_session *session = call->session;

    if (call->id.kind == UM_ID_NONE || size == 0)
        return;
    if (call->batch != NULL) {
        if (!um_buf_append(&call->batch->raw, um_block_bytes(block) + offset, (size_t)size))
            session->broken = true;
        return;
    }
    session->tail = (struct um_tail){um_block_bytes(block) + offset, (size_t)size, 0};
    call->tail_size = (size_t)size;
    if (size > COPIED_TAIL_SIZE)
        (void)um_pin_new(call->store, block, &session->tail_pin);
}

/* Without a pin (it is small, or memory ran out) the bytes must leave the block now. */
static void place_tail(struct um_session *session)
{
    session->tail.at = session->out.size;
    if (session->tail.bytes == NULL || session->tail_pin != NULL)
        return;
    um_buf_append(&session->out, session->tail.bytes, session->tail.size);
    session->tail = (struct um_tail){NULL, 0, 0};
}

void um_reply_send_part(struct um_call *call)
{
    struct um_session *session = call->session;

    /* What the answer's place in `out` is used for holds as long as it begins there. */
    if (session->events == NULL || session->events->send_part == NULL || call->batch != NULL ||
        session->framing != UM_FRAMING_LINES || call->id.kind == UM_ID_NONE || call->start != 0 ||
        session->tail.bytes != NULL || session->out.failed || um_changes_are_new(session->rpc))
        return;
    call->is_sent_in_part = true;
    session->events->send_part(session);
}

size_t um_reply_begin_text(struct um_call *call, const char *key, struct um_buf *text)
{
    struct um_buf *out = um_reply_key(call, key);
    size_t front = out->size - call->start;

    um_buf_append(text, out->data + call->start, front);
    um_buf_truncate(out, call->body);
    call->begun = false;
    return front;
}

void um_reply_end_text(struct um_call *call, const char *key, struct um_buf *text, size_t front)
{
    struct um_buf *out = um_reply_key(call, key);

    if (call->start != 0 || out->size != front || out->failed || text->size > out->size_limit) {
        um_buf_append(out, text->data + front, text->size - front);
        return;
    }
    memcpy(text->data, out->data, front);
    um_buf_swap(out, text);
}

void um_reply_end(struct um_call *call)
{
    struct um_session *session = call->session;
    struct um_buf *out = um_reply(call);

    assert(!call->answered);
    if (call->failed)
        um_buf_append(out, "}}}", 3);
    else
        um_buf_append(out, "}}", 2);
    if (out->failed && !call->is_sent_in_part)
        answer_no_memory(call);
    call->answered = true;
    count_call(call);
    if (call->id.kind == UM_ID_NONE) {
        um_buf_truncate(out, call->batch != NULL ? call->body : call->start);
    } else {
        size_t size = out->size - call->body;

        if (call->batch == NULL)
            end_frame(session, call->start, call->body, call->tail_size);
        if (um_changes_are_new(session->rpc) && !call->failed)
            um_changes_note(session, call->method, call->start,
                            out->size - (call->batch == NULL && session->framing == UM_FRAMING_LINES), size);
        /* Another answer's tail may still be waiting: it is not this one's. */
        if (call->batch == NULL && call->tail_size != 0)
            place_tail(session);
    }
    if (out->failed)
        fail_session(call);
}

/* ---- errors ---- */

/* What was quoted in a text, or the text itself, may have been cut in the middle of a UTF-8 sequence: takes the
 * rests of such sequences away. Returns the size of what stays. */
static size_t drop_cut_utf8(char *text, size_t size)
{
    for (size_t at = um_utf8_check(text, size); at < size; at += um_utf8_check(text + at, size - at)) {
        size--;
        memmove(text + at, text + at + 1, size - at);
    }
    return size;
}

void um_fail(struct um_call *call, int code, const char *format, ...)
{
    struct um_buf *out = &call->session->out;
    static const char error[] = ",\"error\":{\"code\":";
    char message[MESSAGE_SIZE_LIMIT];
    int size;
    va_list list;

    assert(call->method == NULL || um_method_declares(call->method, code));
    um_buf_truncate(out, call->body);
    call->failed = true;
    if (call->record != NULL)
        call->record->code = code;
    begin_envelope(call, error, sizeof error - 1);
    um_json_int(out, code);
    um_json_key(out, "message");
    if (format != NULL) {
        va_start(list, format);
        size = vsnprintf(message, sizeof message, format, list);
        va_end(list);
        if (size >= MESSAGE_SIZE_LIMIT)
            size = MESSAGE_SIZE_LIMIT - 1;
        um_json_string(out, message, drop_cut_utf8(message, (size_t)(size > 0 ? size : 0)));
    } else {
        um_json_cstring(out, umem_error_text(code));
    }
    um_json_key(out, "data");
    um_json_begin_object(out);
    um_json_put_string(out, "name", umem_error_name(code));
}

static void fail_with_limit(struct um_call *call, int code, const struct um_fault *fault)
{
    um_fail(call, code, "%s: %s is %llu, %llu in use, %llu asked for%s%s", umem_error_text(code),
            fault->limit, (unsigned long long)fault->maximum, (unsigned long long)fault->used,
            (unsigned long long)fault->asked, fault->what != NULL ? "; " : "",
            fault->what != NULL ? fault->what : "");
    um_reply_limit(call, fault->limit, fault->maximum);
    um_reply_uint(call, "used", fault->used);
    um_reply_uint(call, "asked", fault->asked);
    um_top_consumer_write(call->session, fault->limit, um_reply(call));
}

void um_reply_limit(struct um_call *call, const char *limit, uint64_t maximum)
{
    enum um_limit place = um_limits_find(limit);

    if (place < UM_LIMIT_COUNT)
        call->session->rpc->refusals[place]++;
    um_reply_string(call, "limit", limit);
    um_reply_uint(call, "maximum", maximum);
}

void um_reply_quote(struct um_call *call, const char *key, const char *text)
{
    size_t size = strlen(text);

    if (size > UM_NAME_SIZE_LIMIT) {
        size = UM_NAME_SIZE_LIMIT;
        while (((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    um_json_string(um_reply_key(call, key), text, size);
}

void um_fail_fault(struct um_call *call, int code, const struct um_fault *fault)
{
    const char *text = umem_error_text(code);

    if (fault->limit != NULL)
        fail_with_limit(call, code, fault);
    else if (fault->what != NULL)
        um_fail(call, code, "%s", fault->what);
    else
        um_fail(call, code, "%s", text);
    if (fault->heap != 0)
        um_reply_uint(call, "heap", fault->heap);
    if (fault->block != 0)
        um_reply_uint(call, "block", fault->block);
    if (fault->param != NULL)
        um_reply_string(call, "param", fault->param);
    if (fault->ntstatus != 0) {
        char status[16];

        snprintf(status, sizeof status, "0x%08lX", (unsigned long)fault->ntstatus);
        um_reply_string(call, "ntstatus", status);
    }
    um_reply_end(call);
}

/* ---- answering later ---- */

struct um_call *um_call_defer(struct um_call *call)
{
    struct um_call *deferred = malloc(sizeof *deferred + call->id.size);

    if (deferred == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a call that is answered later");
        um_reply_end(call);
        return NULL;
    }
    *deferred = *call;
    deferred->record = keep_record(call->record);
    deferred->is_deferred = true;
    deferred->begun_ns = um_meter_defer(&call->session->rpc->meter);
    deferred->begun_turn = call->session->rpc->turn;
    if (call->id.size != 0) {
        char *text = (char *)(deferred + 1);

        memcpy(text, call->id.text, call->id.size);
        deferred->id.text = text;
    }
    um_buf_truncate(&call->session->out, call->start);
    return deferred;
}

void um_call_note_bytes(struct um_call *call)
{
    call->has_waited |= call->begun_turn != call->session->rpc->turn;
}

void um_call_free(struct um_call *call)
{
    if (call != NULL && call->record != &call->session->rpc->record)
        free(call->record);
    free(call);
}
