/* Sessions: how they are opened and closed, and how their payloads arrive. */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "random_engine.h"
#include "umem_errors.h"

/* ---- callbacks of the engine ---- */

static struct session *session_of(const struct um_session *session)
{
    return UM_LIST_ITEM(session, struct session, session);
}

static void on_flush(struct um_session *session)
{
    session_of(session)->flushed = true;
}

static void on_close(struct um_session *session)
{
    session_of(session)->close_asked = true;
}

/* ---- opening and closing sessions ---- */

void open_session(struct run *run, int session)
{
    static const struct um_session_events events = {.flush = on_flush, .close = on_close};
    static const char *const programs[] = {"program0", "program1", "program2",
                                           "program3", "program4", "program5"};
    struct um_session_options options = {
        .events = &events, .pid = 100 + session, .program = programs[session], .user = "me"};
    struct session *it = &run->sessions[session];

    it->open = true;
    it->close_asked = false;
    it->close_expected = false;
    it->checked = 0;
    it->id = ++run->last_session;
    it->opened = run->now_s;
    MUST(um_session_open(run->rpc, &it->session, &options) == UMEM_OK);
    it->session.queued_bytes = QUEUED + it->id;
    it->session.gathered_bytes = GATHERED * it->id;
    it->session.framing = session % 2 != 0 ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
    MUST(it->session.id == it->id);
    model_open_owner(&run->model, session, it->id);
    run->traffic.sessions++;
}

static void forget_receiver(struct payload_receiver *payload_receiver)
{
    free(payload_receiver->bytes);
    if (payload_receiver->batch != NULL)
        free_message(payload_receiver->batch);
    free(payload_receiver->batch);
    *payload_receiver = (struct payload_receiver){0};
}

/* What came of a raw write that does not end as it should. */
static void notify_received(struct run *run, const struct payload_receiver *payload_receiver)
{
    int block = model_find_block(&run->model, payload_receiver->range.block);
    uint64_t left;

    if (!payload_receiver->answers || block == NONE ||
        run->model.blocks[block].size <= payload_receiver->range.offset)
        return;
    left = run->model.blocks[block].size - payload_receiver->range.offset;
    notify_changed(run, block, payload_receiver->range.offset,
                   payload_receiver->done < left ? payload_receiver->done : left);
}

void close_session(struct run *run, int session)
{
    struct session *it = &run->sessions[session];

    um_session_close(&it->session);
    it->open = false;
    run->traffic.sessions--;
    drop_listeners(run, session);
    end_job(run, session);
    notify_received(run, &it->payload_receiver);
    forget_receiver(&it->payload_receiver);
    free(it->tail.frozen);
    it->tail = (struct tail){0};
    model_close_owner(&run->model, session);
    run_marked_waiters(run);
}

/* ---- payloads ---- */

/* The block of a raw write is freed, too small or locked: the answer comes before the remaining bytes. */
static void check_target(struct run *run, int session)
{
    struct payload_receiver *payload_receiver = &run->sessions[session].payload_receiver;
    int block = model_find_block(&run->model, payload_receiver->range.block);
    struct call call;

    if (payload_receiver->allocates && !has_alloc_heap(run, session, &payload_receiver->alloc)) {
        payload_receiver->allocates = false;
        late_init(&call, run, session, payload_receiver->entry, &payload_receiver->id);
        fail_alloc_heap(&call, &payload_receiver->alloc);
    }
    if (!payload_receiver->answers)
        return;
    if (block != NONE && !model_is_locked(&run->model, run->model.blocks[block].heap, session) &&
        run->model.blocks[block].size >= payload_receiver->range.offset + payload_receiver->range.size)
        return;
    notify_received(run, payload_receiver);
    payload_receiver->answers = false;
    late_init(&call, run, session, payload_receiver->entry, &payload_receiver->id);
    if (block == NONE)
        fail_block(&call, UMEM_E_STALE_HANDLE, payload_receiver->range.block);
    else if (model_is_locked(&run->model, run->model.blocks[block].heap, session))
        fail_heap(&call, UMEM_E_LOCKED, run->model.heaps[run->model.blocks[block].heap].handle);
    else
        fail_block(&call, UMEM_E_OUT_OF_RANGE, payload_receiver->range.block);
}

static void finish_receiver(struct run *run, int session)
{
    struct payload_receiver *payload_receiver = &run->sessions[session].payload_receiver;
    struct payload_receiver done = *payload_receiver;
    struct call call;

    check_target(run, session);
    done.answers = payload_receiver->answers;
    done.allocates = payload_receiver->allocates;
    *payload_receiver = (struct payload_receiver){0};
    if (done.answers) {
        notify_received(run, &done);
        late_init(&call, run, session, done.entry, &done.id);
        result_uint(&call, "size", done.size);
        result_end(&call);
    } else if (done.allocates) {
        late_init(&call, run, session, done.entry, &done.id);
        done.alloc.needle = done.bytes;
        answer_alloc(&call, &done.alloc);
    } else if (done.batch != NULL) {
        finish_batch(run, session, done.batch);
    }
    forget_receiver(&done);
}

int do_piece(struct run *run)
{
    int session = some_session(run);
    struct session *it = &run->sessions[session];
    struct payload_receiver *payload_receiver = &it->payload_receiver;
    size_t capacity = 0;
    size_t size;
    char *space;

    if (!payload_receiver->is_on)
        return NONE;
    space = um_payload_reserve(&it->session, &capacity);
    check_target(run, session);
    MUST(capacity >= 1 && capacity <= payload_receiver->size - payload_receiver->done);
    size = one_in(run, 2) ? capacity : 1 + (size_t)roll(run, capacity);
    memcpy(space, payload_receiver->bytes + payload_receiver->done, size);
    um_payload_commit(&it->session, size);
    if (payload_receiver->answers)
        memcpy(run->model.blocks[model_find_block(&run->model, payload_receiver->range.block)].bytes +
                   payload_receiver->range.offset + payload_receiver->done,
               payload_receiver->bytes + payload_receiver->done, size);
    payload_receiver->done += size;
    if (payload_receiver->done == payload_receiver->size)
        finish_receiver(run, session);
    run_marked_waiters(run);
    return session;
}
