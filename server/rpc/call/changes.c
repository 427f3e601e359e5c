#include "rpc/call/changes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rpc/call/call_record.h"
#include "umem_errors.h"
#include "wire/json_write.h"

/* An answer in session->out, from where its message begins. */
struct change {
    size_t start; /* of the message */
    size_t begin; /* of the JSON; in a batch, with the comma before it */
    size_t end;
    um_handle heap; /* that it tells of */
    const struct um_method *method;
};

static size_t count_of(const struct um_session *session)
{
    return session->changes.size / sizeof(struct change);
}

static struct change *change_at(const struct um_session *session, size_t place)
{
    return (struct change *)(void *)session->changes.data + place;
}

void um_changes_note(struct um_session *session, const struct um_method *method, size_t start, size_t end,
                     size_t size)
{
    const struct change change = {start, end - size, end, session->rpc->store_status->changed, method};

    um_changes_begin(session->rpc);
    if (um_buf_append(&session->changes, &change, sizeof change))
        return;
    /* Without the note, the answer might tell of what is not there. */
    session->broken = true;
    um_buf_truncate(&session->out, start);
}

void um_changes_move(struct um_session *session, size_t start, size_t by)
{
    for (size_t i = count_of(session); i != 0 && change_at(session, i - 1)->start == start; i--) {
        change_at(session, i - 1)->begin += by;
        change_at(session, i - 1)->end += by;
    }
}

void um_session_forget_changes(struct um_session *session)
{
    um_buf_truncate(&session->changes, 0);
}

/* ---- answers that become errors ---- */

/* The output that is written anew. */
struct rewrite {
    const struct um_session *session;
    struct um_buf out;
    size_t at;      /* so far the former output is copied or left out */
    size_t tail_at; /* where the tail goes now */
};

static void copy_to(struct rewrite *rewrite, size_t to)
{
    const struct um_session *session = rewrite->session;

    if (session->tail.at >= rewrite->at && session->tail.at <= to)
        rewrite->tail_at = rewrite->out.size + session->tail.at - rewrite->at;
    um_buf_append(&rewrite->out, session->out.data + rewrite->at, to - rewrite->at);
    rewrite->at = to;
}

static void write_error(struct um_buf *out, const struct change *change, const struct um_fault *fault)
{
    assert(um_method_declares(change->method, UMEM_E_CORRUPTED));
    um_json_key(out, "error");
    um_json_begin_object(out);
    um_json_put_int(out, "code", UMEM_E_CORRUPTED);
    um_json_put_string(out, "message", fault->what);
    um_json_key(out, "data");
    um_json_begin_object(out);
    um_json_put_string(out, "name", umem_error_name(UMEM_E_CORRUPTED));
    um_json_put_uint(out, "heap", change->heap);
    um_json_end_object(out);
    um_json_end_object(out);
    um_json_end_object(out);
}

/* Where the id of an answer ends: what stands before it is the same in every answer. */
static size_t id_end(const struct um_session *session, const struct change *change)
{
    static const char before[] = "{\"jsonrpc\":\"2.0\",\"id\":";
    const char *text = session->out.data;
    size_t at = change->begin + (text[change->begin] == ',') + sizeof before - 1;

    if (text[at] != '"')
        return at + strcspn(text + at, ",");
    for (at++; text[at] != '"'; at++)
        at += text[at] == '\\';
    return at + 1;
}

/* Replaces what follows the id, if the heap has failed: *replaced. Returns how many bytes longer the answer is. */
static size_t write_answer(struct rewrite *rewrite, const struct change *change, bool *replaced)
{
    const struct um_session *session = rewrite->session;
    struct um_fault fault = {0};
    size_t size = rewrite->out.size;

    *replaced = um_store_heap_has_failed(session->rpc->store, change->heap, &fault);
    if (*replaced) {
        copy_to(rewrite, id_end(session, change));
        write_error(&rewrite->out, change, &fault);
        rewrite->at = change->end;
    } else {
        copy_to(rewrite, change->end);
    }
    return rewrite->out.size - size - (change->end - change->begin);
}

/* With headers, a message says how long it is. */
static void write_length(struct rewrite *rewrite, size_t start, size_t grown)
{
    static const char name[] = "Content-Length: ";
    const char *text = rewrite->session->out.data;
    char digits[24];
    size_t length = 0;

    copy_to(rewrite, start + sizeof name - 1);
    for (; text[rewrite->at] >= '0' && text[rewrite->at] <= '9'; rewrite->at++)
        length = length * 10 + (size_t)(text[rewrite->at] - '0');
    snprintf(digits, sizeof digits, "%zu", length + grown);
    um_buf_append_string(&rewrite->out, digits);
}

/* How much longer the message will be whose answers are these; it may be less. */
static size_t growth_of(const struct um_session *session, size_t first, size_t last)
{
    struct rewrite tried = {.session = session};
    size_t grown = 0;
    bool replaced;

    um_buf_init(&tried.out, SIZE_MAX);
    for (size_t i = first; i < last; i++) {
        tried.at = change_at(session, i)->begin;
        um_buf_truncate(&tried.out, 0);
        grown += write_answer(&tried, change_at(session, i), &replaced);
    }
    um_buf_deinit(&tried.out);
    return grown;
}

/* The call was counted when it was answered, and recorded without the error. */
static void count_failure(struct um_session *session, const struct change *change)
{
    struct um_rpc *rpc = session->rpc;
    struct um_call_record record = {
        .session = session->id,
        .method = change->method->name,
        .subjects = {{.param = "heap"}},
        .subject_count = 1,
        .size = UM_RECORD_NO_SIZE,
        .code = UMEM_E_CORRUPTED,
    };

    session->errors++;
    rpc->errors++;
    um_meter_failed(&rpc->meter, change->method);
    if (!rpc->records_calls)
        return;
    snprintf(record.subjects[0].text, sizeof record.subjects[0].text, "%" PRIu64, change->heap);
    rpc->events.call_ended(rpc->events.context, &record);
}

void um_session_fail_changes(struct um_session *session)
{
    struct rewrite rewrite = {.session = session};
    size_t count = count_of(session);
    size_t kept = 0;
    size_t last;

    if (count == 0)
        return;
    um_buf_init(&rewrite.out, session->out.size_limit);
    for (size_t first = 0; first < count; first = last) {
        size_t start = change_at(session, first)->start;
        size_t new_start;

        for (last = first; last < count && change_at(session, last)->start == start; last++)
            continue;
        copy_to(&rewrite, start);
        new_start = rewrite.out.size;
        if (session->framing == UM_FRAMING_HEADERS)
            write_length(&rewrite, start, growth_of(session, first, last));
        for (size_t i = first; i < last; i++) {
            const struct change *change = change_at(session, i);
            struct change moved = {.start = new_start, .heap = change->heap, .method = change->method};
            bool replaced;

            copy_to(&rewrite, change->begin);
            moved.begin = rewrite.out.size;
            (void)write_answer(&rewrite, change, &replaced);
            moved.end = rewrite.out.size;
            if (replaced)
                count_failure(session, change);
            else
                *change_at(session, kept++) = moved;
        }
    }
    copy_to(&rewrite, session->out.size);
    session->changes.size = kept * sizeof(struct change);
    if (rewrite.out.failed) {
        /* The session ends without these answers. */
        session->broken = true;
        um_buf_truncate(&session->out, 0);
        um_session_tail_sent(session);
    } else {
        um_buf_swap(&session->out, &rewrite.out);
        session->tail.at = rewrite.tail_at;
    }
    um_buf_deinit(&rewrite.out);
}
