/*
 * From one message to its requests: the text is read, and is one request or a batch of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/call/engine_state.h"
#include "rpc/engine/batch.h"
#include "rpc/engine/envelope.h"
#include "rpc/engine/job.h"
#include "rpc/engine/message.h"
#include "rpc/engine/payload.h"
#include "wire/frame.h"
#include "wire/json_read.h"

void um_dispatch_refuse(struct um_session *session, int code, const char *what)
{
    um_envelope_refuse(session, code, what);
}

void um_dispatch_refuse_limit(struct um_session *session, int code, const char *what, const char *limit,
                              uint64_t used, uint64_t asked)
{
    um_envelope_refuse_limit(session, code, what, limit, used, asked);
}

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

static void charge(struct um_session *session, size_t size, size_t values)
{
    um_session_charge(session, READ_BYTE_COST * (uint64_t)size + READ_VALUE_COST * (uint64_t)values);
}

void um_session_set_content_type(struct um_session *session, const char *type)
{
    if (type[0] != '\0' || session->content_type[0] != '\0')
        snprintf(session->content_type, sizeof session->content_type, "%s", type);
}

/* A batch may take the message over. */
static void handle(struct um_session *session, struct um_message *message, int code,
                   const struct um_json_check *check)
{
    struct um_call single = {.session = session, .payload_size = message->payload_size};
    uint64_t payload_size = message->payload_size;

    if (code != UMEM_OK)
        refuse_text(session, code, check);
    else if (message->json->kind == UM_JSON_ARRAY)
        um_batch_begin(session, message);
    else
        um_envelope_handle(&single, message->json);
    if (payload_size != 0 && session->payload == NULL)
        um_payload_discard(session, payload_size);
}

/* ---- messages that outlive the bytes they came in ---- */

/* Calls may take over the arena that the message at work was read into, and its text. */
static void handle_own(struct um_session *session, struct um_message *message, int code,
                       const struct um_json_check *check)
{
    struct um_rpc *rpc = session->rpc;

    rpc->text = message->text;
    rpc->text_size = message->size;
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
    um_engine_flush(rpc, session);
}

static void refuse_no_memory(struct um_session *session, uint64_t payload_size)
{
    refuse_text(session, UMEM_E_NO_MEMORY, NULL);
    if (payload_size != 0)
        um_payload_discard(session, payload_size);
    um_engine_flush(session->rpc, session);
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
    code = um_json_read(message.text, size, &message.arena, &message.json, &check);
    charge(session, size, check.values);
    handle_own(session, &message, code, &check);
    um_message_deinit(&message);
}

/* ---- long messages ---- */

/* Bytes that are read in one step: 2 to 1,000 microseconds, by how many values they are. */
enum { STEP_SIZE = 64 * 1024 };

/* A long message is read in steps. The messages of one process are read one after the other, because a tree may be 20 times as large as
 * its text. */
struct reading {
    struct um_job job;
    struct um_link in_group; /* place in um_session_group.readings, the first of which is at work */
    struct um_message message;
    struct um_json_reader *reader;
    struct um_json_check check;
    size_t counted; /* of its values, in the session's work */
};

static int reading_step(struct um_job *job, bool *more, struct um_fault *fault)
{
    struct reading *reading = (struct reading *)job;

    (void)fault;
    *more = um_json_reader_step(reading->reader, STEP_SIZE);
    /* Each byte is looked at in two steps. */
    charge(job->session, STEP_SIZE / 2, reading->check.values - reading->counted);
    reading->counted = reading->check.values;
    job->held_bytes = um_message_memory(&reading->message);
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

static const struct um_job_kind reading_kind = {
    .step = reading_step, .answer = reading_handle, .release = reading_release};

static void read_in_steps(struct um_session *session, const char *text, size_t size, uint64_t payload_size)
{
    struct reading *reading = calloc(1, sizeof *reading);
    struct um_message *message;

    if (reading == NULL) {
        refuse_no_memory(session, payload_size);
        return;
    }
    message = &reading->message;
    if (um_message_init(message, text, size, payload_size))
        reading->reader = um_json_reader_new(message->text, size, &message->arena, &reading->check);
    if (reading->reader == NULL) {
        um_message_deinit(message);
        free(reading);
        refuse_no_memory(session, payload_size);
        return;
    }
    reading->job.kind = &reading_kind;
    reading->job.held_bytes = size;
    um_list_append(&session->group->readings, &reading->in_group);
    um_job_attach(session, &reading->job);
    if (session->group->readings.next == &reading->in_group)
        um_job_start(&reading->job);
}

/* ---- all others ---- */

static bool is_array(const char *text, size_t size)
{
    while (size != 0 && strchr(" \t\r\n", *text) != NULL && *text != '\0') {
        text++;
        size--;
    }
    return size != 0 && *text == '[';
}

static size_t read_at_once(struct um_session *session, char *text, size_t size, uint64_t payload_size)
{
    struct um_rpc *rpc = session->rpc;
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
    if (code == UMEM_OK && payload_size == 0 && json->kind != UM_JSON_ARRAY)
        um_envelope_handle(&(struct um_call){.session = session}, json);
    else
        handle(session, &(struct um_message){.json = json, .payload_size = payload_size}, code, &check);
    um_arena_reset(&rpc->arena);
    um_engine_flush(rpc, session);
    return check.size;
}

size_t um_dispatch_message(struct um_session *session, char *text, size_t size, uint64_t payload_size)
{
    if (size > UM_FRAME_LONG_SIZE)
        read_in_steps(session, text, size, payload_size);
    else if (payload_size != 0 && is_array(text, size))
        read_copy(session, text, size, payload_size);
    else
        return read_at_once(session, text, size, payload_size);
    return size;
}
