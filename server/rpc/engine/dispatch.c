#include "rpc/engine/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/call/changes.h"
#include "rpc/call/engine_state.h"
#include "rpc/call/top_consumer.h"
#include "rpc/engine/envelope.h"
#include "rpc/engine/job.h"
#include "rpc/engine/known_request.h"
#include "rpc/engine/message.h"
#include "rpc/engine/payload.h"
#include "rpc/events/pending.h"
#include "rpc/schema/table.h"
#include "wire/frame.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

/* ---- what belongs to no request ---- */

static void fail_whole(struct um_call *call, int code, const char *what)
{
    um_fail(call, code, "%s: %s", umem_error_text(code), what);
    um_reply_end(call);
}

void um_dispatch_refuse(struct um_session *session, int code, const char *what)
{
    struct um_call call = {.session = session, .id = {.kind = UM_ID_NULL}};

    session->rpc->requests++;
    um_meter_method(&session->rpc->meter, NULL);
    um_call_start(&call);
    if (!session->broken)
        fail_whole(&call, code, what);
}

void um_dispatch_refuse_limit(struct um_session *session, int code, const char *what, const char *limit,
                              uint64_t used, uint64_t asked)
{
    struct um_call call = {.session = session, .id = {.kind = UM_ID_NULL}};

    session->rpc->requests++;
    um_meter_method(&session->rpc->meter, NULL);
    um_call_start(&call);
    if (session->broken)
        return;
    um_fail(&call, code, "%s: %s", umem_error_text(code), what);
    um_reply_limit(&call, limit, um_limits_value(session->rpc->limits, (unsigned)um_limits_find(limit)));
    if (used != 0)
        um_reply_uint(&call, "used", used);
    if (asked != 0)
        um_reply_uint(&call, "asked", asked);
    um_top_consumer_write(session, limit, um_reply(&call));
    um_reply_end(&call);
}

/* ---- one request ---- */

/* Bytes that a small answer takes: as long as a batch has so many left, its next request is done. */
enum { ANSWER_SIZE = 1024 };

/* Whether the call may run. Where it may not, it has been answered. */
static bool check_call(struct um_call *call, const struct um_envelope *envelope, const char *wrong)
{
    if (wrong != NULL) {
        fail_whole(call, UMEM_E_INVALID_REQUEST, wrong);
    } else if (call->batch != NULL && !um_call_within_message_limit(call, ANSWER_SIZE)) {
        call->method = NULL; /* it is the batch's error, which no method declares */
        fail_whole(call, UMEM_E_TOO_LARGE,
                   "the batch's answers reach message_bytes; send fewer requests in one");
    } else if (call->method == NULL) {
        um_fail(call, UMEM_E_METHOD_NOT_FOUND, "there is no method \"%.64s\"; see rpc.discover",
                envelope->method->text);
        um_reply_end(call);
    } else if (call->payload_size != 0 && !call->method->takes_payload) {
        um_fail(call, UMEM_E_INVALID_PARAMS, "%s takes no payload; leave Payload-Length out",
                call->method->name);
        um_reply_end(call);
    } else {
        return true;
    }
    return false;
}

static void decode_in_steps(struct um_call *call, const struct um_json *request,
                            const struct um_undecoded *undecoded);

/* Notes for an access log how many bytes a call is about: those of its range, of the data that came with it, or of its size. */
static void note_size(const struct um_call *call, const struct um_args *args)
{
    const struct um_method *method = call->method;

    if (method->ranges[0].block != 0)
        call->record->size = (int64_t)args->range[0].size;
    for (size_t i = 0; i < method->param_count && call->record->size == UM_RECORD_NO_SIZE; i++) {
        if (args->value[i].given && method->params[i].type == UM_DATA)
            call->record->size = (int64_t)args->value[i].as.data.size;
        else if (args->value[i].given && method->params[i].type == UM_SIZE)
            call->record->size = (int64_t)args->value[i].as.uint;
    }
}

/* Runs the call, whose parameters are bound: where they are not, it has been answered, or something is to be decoded first. */
UM_ALWAYS_INLINE void run_bound(struct um_call *call, const struct um_json *request,
                                const struct um_args *args, bool is_bound)
{
    if (!is_bound) {
        if (args->undecoded.json != NULL)
            decode_in_steps(call, request, &args->undecoded);
        return;
    }
    if (call->record != NULL)
        note_size(call, args);
    if (call->method->run != NULL)
        call->method->run(call, args);
    else
        um_job_run(call, args, call->method->job);
}

/* Begins the answer. Returns false where that cannot be. */
UM_ALWAYS_INLINE bool start(struct um_call *call)
{
    struct um_session *session = call->session;

    call->store = session->rpc->store;
    session->rpc->requests++;
    um_changes_begin(session->rpc);
    um_call_start(call);
    return !session->broken;
}

/* Handles one request: finds the method, binds its parameters, and runs it. The members of the call that are
 * known before the request is read are set, and all others are zero. */
static void handle_request(struct um_call *call, const struct um_json *request)
{
    struct um_envelope envelope;
    const char *wrong = um_envelope_check(request, &envelope, &call->id);
    struct um_args args;

    if (!start(call))
        return;
    if (wrong == NULL)
        call->method = um_table_find(envelope.method->text, envelope.method->size);
    um_meter_method(&call->session->rpc->meter, call->method);
    if ((wrong != NULL || call->batch != NULL || call->method == NULL || call->payload_size != 0) &&
        !check_call(call, &envelope, wrong))
        return;
    if (call->record != NULL)
        um_call_record_note(call->record, call->method, envelope.params);
    run_bound(call, request, &args, um_args_bind(call, envelope.params, &args));
}

/* Handles a request of whose shape an earlier one was. */
static void handle_known(struct um_call *call, struct um_known_request *known)
{
    call->id.kind = known->no_id;
    if (known->id != NULL && !um_id_from_json(known->id, &call->id)) {
        handle_request(call, known->request);
        return;
    }
    if (!start(call))
        return;
    call->method = known->method;
    um_meter_method(&call->session->rpc->meter, call->method);
    if (call->payload_size != 0 && !call->method->takes_payload && !check_call(call, NULL, NULL))
        return;
    if (call->record != NULL)
        um_call_record_note(call->record, call->method, known->params);
    run_bound(call, known->request, &known->args, um_args_bind_matched(call, &known->match, &known->args));
}

/* ---- batches: several requests in one message, which run as a whole ---- */

/* How many raw bytes a request of a batch takes: those of a method that takes a payload, called with encoding "raw". Returns
 * false where it does not say how many. */
static bool raw_size_of(const struct um_json *request, uint64_t *size)
{
    const struct um_method *method;
    struct um_envelope envelope;

    *size = 0;
    if (!um_json_is(request, UM_JSON_OBJECT))
        return true;
    um_envelope_read(request, &envelope);
    method = um_json_is(envelope.method, UM_JSON_STRING)
                 ? um_table_find(envelope.method->text, envelope.method->size)
                 : NULL;
    return method == NULL || !method->takes_payload || um_args_raw_size(method, envelope.params, size);
}

static void refuse_with_limit(struct um_session *session, const char *limit, uint64_t maximum, uint64_t asked)
{
    struct um_call call = {.session = session, .id = {.kind = UM_ID_NULL}};
    struct um_fault fault = {
        .limit = limit, .maximum = maximum, .asked = asked, .what = "send it in several batches"};

    session->rpc->requests++;
    um_meter_method(&session->rpc->meter, NULL);
    um_call_start(&call);
    if (!session->broken)
        um_fail_fault(&call, UMEM_E_LIMIT_EXCEEDED, &fault);
}

/* Whether the raw writes of a batch take the payload, all of it and no more. Without a payload there is nothing to be shared out:
 * each of them has none, and is answered for itself. */
static bool check_raw_sizes(struct um_session *session, const struct um_json *batch, uint64_t payload_size)
{
    uint64_t total = 0;
    char what[128];

    if (payload_size == 0)
        return true;
    for (const struct um_json *request = batch->child; request != NULL; request = request->next) {
        uint64_t size;

        if (!raw_size_of(request, &size)) {
            um_dispatch_refuse(session, UMEM_E_INVALID_REQUEST,
                               "in a batch, a request with encoding \"raw\" must say the size of its bytes");
            return false;
        }
        /* A sum that is too large need not be exact. */
        if (total <= payload_size)
            total += size;
    }
    if (total == payload_size)
        return true;
    snprintf(what, sizeof what, "the batch's raw writes take %s%llu bytes, Payload-Length is %llu",
             total > payload_size ? "at least " : "", (unsigned long long)total,
             (unsigned long long)payload_size);
    um_dispatch_refuse(session, UMEM_E_INVALID_REQUEST, what);
    return false;
}

static bool check_batch(struct um_session *session, const struct um_json *batch, uint64_t payload_size)
{
    const struct um_limits *limits = session->rpc->limits;
    uint64_t count = batch->size;

    if (count == 0)
        um_dispatch_refuse(session, UMEM_E_INVALID_REQUEST, "a batch holds at least one request");
    else if (count > limits->batch_requests)
        refuse_with_limit(session, "batch_requests", limits->batch_requests, count);
    else if (payload_size > limits->batch_bytes)
        refuse_with_limit(session, "batch_bytes", limits->batch_bytes, payload_size);
    else
        return session->framing == UM_FRAMING_LINES || check_raw_sizes(session, batch, payload_size);
    return false;
}

/* A request uses up its raw bytes whether it succeeds or not. */
static void handle_member(struct um_session *session, struct um_batch *batch, size_t start, size_t text,
                          const struct um_json *request)
{
    struct um_call call = {
        .session = session, .batch = batch, .start = start, .text = text, .payload = batch->payload};

    if (batch->payload != NULL) {
        (void)raw_size_of(request, &call.payload_size);
        batch->payload += call.payload_size;
    }
    handle_request(&call, request);
}

/* How long the answers of a batch will be is not known. With as much unsent as is allowed, none is begun. */
static bool may_begin(struct um_session *session)
{
    if (um_session_unsent_left(session) != 0)
        return true;
    um_dispatch_refuse_limit(
        session, UMEM_E_LIMIT_EXCEEDED,
        "too much waits for clients that do not read; send its requests one by one, or try "
        "again",
        "unsent_total_bytes", session->rpc->traffic->unsent_bytes, 0);
    return false;
}

static void run_batch(struct um_session *session, const struct um_json *json, const unsigned char *payload)
{
    struct um_batch batch = {.bytes_left = session->rpc->limits->batch_bytes, .payload = payload};
    size_t start;
    size_t text;

    if (!may_begin(session))
        return;
    start = um_framing_begin(session);
    text = session->out.size;
    um_buf_init(&batch.raw, (size_t)batch.bytes_left);
    um_json_begin_array(&session->out);
    for (const struct um_json *request = json->child; request != NULL && !session->broken;
         request = request->next)
        handle_member(session, &batch, start, text, request);
    if (session->out.size > text + 1) {
        um_json_end_array(&session->out);
        um_framing_end(session, start, text, batch.raw.size);
        um_buf_append(&session->out, batch.raw.data, batch.raw.size);
    } else {
        um_buf_truncate(&session->out, start);
    }
    um_buf_deinit(&batch.raw);
    /* All the answers, or none. */
    session->broken |= session->out.failed;
    if (session->broken)
        um_buf_truncate(&session->out, start);
}

/* A batch whose raw bytes have come. */
static void on_batch(struct um_session *session, const struct um_message *message, const unsigned char *bytes)
{
    if (bytes == NULL) {
        um_dispatch_refuse(session, UMEM_E_INTERNAL_ERROR, "no memory to keep the batch; send it in several");
        return;
    }
    run_batch(session, message->json, bytes);
    um_arena_reset(&session->rpc->arena);
}

/* Handles an array of requests: now, or once its raw bytes have come, where there are any; then the message's memory is taken over. */
static void begin_batch(struct um_session *session, struct um_message *message)
{
    if (!check_batch(session, message->json, message->payload_size))
        return;
    if (message->payload_size == 0)
        run_batch(session, message->json, NULL);
    else if (!um_payload_gather(session, message, on_batch))
        um_dispatch_refuse(session, UMEM_E_INTERNAL_ERROR, "no memory to keep the batch; send it in several");
}

/* ---- messages ---- */

static void refuse_text(struct um_session *session, int code, const struct um_json_check *check)
{
    char what[128];

    if (code == UMEM_E_TOO_LARGE) {
        um_dispatch_refuse(session, code, "it has more than 1,048,576 values; send it in several messages");
        return;
    }
    if (code == UMEM_E_NO_MEMORY) {
        um_dispatch_refuse(session, UMEM_E_INTERNAL_ERROR,
                           "no memory to read the message; send a shorter one");
        return;
    }
    snprintf(what, sizeof what, "%s at byte %zu", check->what, check->bad_offset);
    um_dispatch_refuse(session, UMEM_E_PARSE_ERROR, what);
}

/* What reading a message costs, as um_session_charge() has it: about 30 ns a value, most of it for new memory, and up to half a
 * nanosecond a byte. */
enum { READ_VALUE_COST = 128, READ_BYTE_COST = 2 };

UM_ALWAYS_INLINE void charge(struct um_session *session, size_t size, size_t values)
{
    um_session_charge(session, READ_BYTE_COST * (uint64_t)size + READ_VALUE_COST * (uint64_t)values);
}

/* Raw bytes that no one has begun to receive are used up, or of no use. */
UM_ALWAYS_INLINE void end_payload(struct um_session *session, uint64_t payload_size)
{
    if (payload_size == 0 || session->payload != NULL)
        return;
    if (session->payload_here == NULL)
        um_payload_discard(session, payload_size);
    session->payload_here = NULL;
}

/* A batch may take the message over. */
static void handle(struct um_session *session, struct um_message *message, int code,
                   const struct um_json_check *check)
{
    struct um_call single = {
        .session = session, .payload_size = message->payload_size, .payload = session->payload_here};
    uint64_t payload_size = message->payload_size;

    if (code != UMEM_OK)
        refuse_text(session, code, check);
    else if (message->json->kind == UM_JSON_ARRAY)
        begin_batch(session, message);
    else
        handle_request(&single, message->json);
    end_payload(session, payload_size);
}

/* ---- messages that outlive the bytes they came in ---- */

/* Calls may take over the arena that the message at work was read into, and its text. */
static void handle_own(struct um_session *session, struct um_message *message, int code,
                       const struct um_json_check *check)
{
    struct um_rpc *rpc = session->rpc;

    rpc->text = message->text;
    rpc->text_size = message->size;
    um_meter_resume(&rpc->meter, message->begun_ns);
    if (code != UMEM_OK || message->json->kind == UM_JSON_ARRAY) {
        handle(session, message, code, check);
        um_arena_reset(&rpc->arena);
    } else {
        struct um_arena arena = rpc->arena;

        rpc->arena = message->arena;
        rpc->own_text = message->text;
        handle(session, message, code, check);
        message->arena = rpc->arena;
        message->text = rpc->own_text;
        rpc->arena = arena;
        rpc->own_text = NULL;
    }
    um_pending_flush(rpc, session);
}

static void refuse_no_memory(struct um_session *session, uint64_t payload_size)
{
    refuse_text(session, UMEM_E_NO_MEMORY, NULL);
    if (payload_size != 0)
        um_payload_discard(session, payload_size);
    um_pending_flush(session->rpc, session);
}

/* Reads a copy. */
static void read_copy(struct um_session *session, const char *text, size_t size, uint64_t payload_size)
{
    struct um_message message;
    struct um_json_check check;
    int code;

    if (!um_message_init(&message, text, size, payload_size)) {
        refuse_no_memory(session, payload_size);
        return;
    }
    message.begun_ns = um_meter_defer(&session->rpc->meter);
    code = um_json_read(message.text, size, &message.arena, &message.json, &check);
    charge(session, size, check.values);
    handle_own(session, &message, code, &check);
    um_message_deinit(&message);
}

/* ---- long messages ---- */

/* Bytes that are read in one step: 2 to 1,000 microseconds, by how many values they are. A slice has several steps, unless they have read
 * many values. */
enum { STEP_SIZE = 64 * 1024, SLICE_SIZE = 4 * STEP_SIZE, SLICE_VALUES = 1024 };

/* A long message is read in steps. The messages of one process are read one after the other, because a tree may be 20 times as large as
 * its text. */
struct reading {
    struct um_job job;
    struct um_link in_group; /* place in um_session_group.readings, the first of which is at work */
    struct um_message message;
    struct um_json_reader *reader;
    struct um_json_check check;
};

static int reading_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct reading *reading = (struct reading *)job;
    size_t counted = reading->check.values;
    size_t size = 0;

    (void)fault;
    do {
        *more = um_json_reader_step(reading->reader, STEP_SIZE);
        size += STEP_SIZE;
    } while (*more && size < SLICE_SIZE && reading->check.values - counted < SLICE_VALUES);
    /* Each byte is looked at in two steps. */
    charge(job->session, size / 2, reading->check.values - counted);
    um_job_set_held(job, um_message_memory(&reading->message));
    return UMEM_OK;
}

/* It is the next one's turn. */
static void leave_group(struct reading *reading)
{
    const struct um_link *readings = &reading->job.session->group->readings;
    bool was_first = readings->next == &reading->in_group;

    um_list_remove(&reading->in_group);
    if (was_first && !um_list_is_empty(readings))
        um_job_start(&UM_LIST_ITEM(readings->next, struct reading, in_group)->job);
}

static void reading_handle(struct um_job *job, struct um_call *call)
{
    struct reading *reading = (struct reading *)job;
    int code = um_json_reader_end(reading->reader, &reading->message.json);

    (void)call;
    reading->reader = NULL;
    leave_group(reading);
    handle_own(job->session, &reading->message, code, &reading->check);
}

static void reading_release(struct um_job *job)
{
    struct reading *reading = (struct reading *)job;

    leave_group(reading);
    um_json_reader_free(reading->reader);
    um_message_deinit(&reading->message);
}

static const struct um_job_ops reading_ops = {.size = sizeof(struct reading),
                                              .step = reading_step,
                                              .answer = reading_handle,
                                              .release = reading_release};

/* The memory of the message, or a copy. False: no memory. */
static bool own_text(struct um_session *session, struct um_message *message, const char *text, size_t size,
                     uint64_t payload_size)
{
    if (session->text_here == NULL)
        return um_message_init(message, text, size, payload_size);
    um_message_take(message, session->text_here, size, payload_size);
    session->text_here = NULL;
    return true;
}

static void read_in_steps(struct um_session *session, const char *text, size_t size, uint64_t payload_size)
{
    struct reading *reading = calloc(1, sizeof *reading);
    struct um_message *message;

    if (reading == NULL) {
        refuse_no_memory(session, payload_size);
        return;
    }
    message = &reading->message;
    if (own_text(session, message, text, size, payload_size))
        reading->reader = um_json_reader_new(message->text, size, &message->arena, &reading->check);
    if (reading->reader == NULL) {
        um_message_deinit(message);
        free(reading);
        refuse_no_memory(session, payload_size);
        return;
    }
    um_json_reader_skip(reading->reader, &session->text_run);
    message->begun_ns = um_meter_defer(&session->rpc->meter);
    reading->job.ops = &reading_ops;
    reading->job.held_bytes = size;
    um_list_append(&session->group->readings, &reading->in_group);
    um_job_attach(session, &reading->job);
    if (session->group->readings.next == &reading->in_group)
        um_job_start(&reading->job);
}

/* ---- long texts of bytes ---- */

/* Characters that are decoded in one step. */
enum { DECODE_SIZE = 512 * 1024 };

/* A request whose bytes take long to be decoded is handled once more when that is done, as if it came then. */
struct decoding {
    struct um_job job;
    struct um_message message;
    struct um_undecoded undecoded;
};

static int decoding_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    (void)fault;
    *more = um_args_decode(&((struct decoding *)job)->undecoded, DECODE_SIZE);
    return UMEM_OK;
}

static void decoding_handle(struct um_job *job, struct um_call *call)
{
    (void)call;
    handle_own(job->session, &((struct decoding *)job)->message, UMEM_OK, NULL);
}

static void decoding_release(struct um_job *job)
{
    um_message_deinit(&((struct decoding *)job)->message);
}

static const struct um_job_ops decoding_ops = {.size = sizeof(struct decoding),
                                               .step = decoding_step,
                                               .answer = decoding_handle,
                                               .release = decoding_release};

/* Takes the message over, which has memory of its own as it is long. */
static void decode_in_steps(struct um_call *call, const struct um_json *request,
                            const struct um_undecoded *undecoded)
{
    struct um_session *session = call->session;
    struct um_rpc *rpc = session->rpc;
    struct decoding *decoding = calloc(1, sizeof *decoding);

    if (decoding == NULL) {
        um_fail(call, UMEM_E_INTERNAL_ERROR, "the daemon has no memory for a call that takes long");
        um_reply_end(call);
        return;
    }
    um_buf_truncate(&session->out, call->start);
    rpc->requests--; /* it is counted when it is handled */
    decoding->message = (struct um_message){.text = rpc->own_text,
                                            .size = rpc->text_size,
                                            .begun_ns = um_meter_defer(&rpc->meter),
                                            .arena = rpc->arena,
                                            .json = (struct um_json *)(uintptr_t)request};
    rpc->own_text = NULL;
    rpc->arena = (struct um_arena){.chunk = NULL};
    decoding->undecoded = *undecoded;
    decoding->job.ops = &decoding_ops;
    decoding->job.held_bytes = um_message_memory(&decoding->message);
    um_job_attach(session, &decoding->job);
    um_job_start(&decoding->job);
}

/* ---- the next message ---- */

static bool is_array(const char *text, size_t size)
{
    while (size != 0 && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')) {
        text++;
        size--;
    }
    return size != 0 && *text == '[';
}

/* Handles a message that is of the shape of an earlier one. Returns whether it is. */
UM_ALWAYS_INLINE bool handle_if_known(struct um_session *session, char *text, size_t size,
                                      uint64_t payload_size)
{
    struct um_rpc *rpc = session->rpc;
    struct um_known_request *known =
        um_known_requests_find(rpc->known_requests, &session->known_request, text, size);
    struct um_call call = {
        .session = session, .payload_size = payload_size, .payload = session->payload_here};

    if (known == NULL)
        return false;
    rpc->text = text;
    rpc->text_size = size;
    charge(session, size, known->shape.value_count);
    handle_known(&call, known);
    end_payload(session, payload_size);
    return true;
}

/* Reads a message and handles it. Returns how many bytes of it are one text. */
static size_t read_and_handle(struct um_session *session, char *text, size_t size, uint64_t payload_size)
{
    struct um_rpc *rpc = session->rpc;
    bool is_kept = um_known_requests_keep(rpc->known_requests, text, size);
    struct um_json *json = NULL;
    struct um_json_check check;
    int code;

    if (session->framing == UM_FRAMING_LINES && size != 0 && (*text == '{' || *text == '[')) {
        code = um_json_read_first(text, size, &rpc->arena, &json, &check);
    } else {
        code = um_json_read(text, size, &rpc->arena, &json, &check);
        check.size = size;
    }
    rpc->text = text;
    rpc->text_size = check.size;
    charge(session, check.size, check.values);
    if (is_kept && code == UMEM_OK && check.size == size)
        um_known_requests_learn(rpc->known_requests, text, size, json);
    handle(session, &(struct um_message){.json = json, .payload_size = payload_size}, code, &check);
    return check.size;
}

UM_ALWAYS_INLINE size_t read_at_once(struct um_session *session, char *text, size_t size,
                                     uint64_t payload_size)
{
    size_t used = size;

    if (!handle_if_known(session, text, size, payload_size))
        used = read_and_handle(session, text, size, payload_size);
    um_arena_reset(&session->rpc->arena);
    um_pending_flush(session->rpc, session);
    return used;
}

size_t um_dispatch_message(struct um_session *session, char *text, size_t size, uint64_t payload_size)
{
    um_meter_message(&session->rpc->meter, text, size);
    if (size > UM_FRAME_LONG_SIZE)
        read_in_steps(session, text, size, payload_size);
    else if (payload_size != 0 && is_array(text, size))
        read_copy(session, text, size, payload_size);
    else
        return read_at_once(session, text, size, payload_size);
    return size;
}
