/* Sessions: how they come and go, and how their payloads arrive. */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "random_engine.h"
#include "umem_errors.h"

/* ---- what the engine asks for ---- */

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

static uint64_t queued(const struct um_session *session)
{
    return QUEUED + session->id;
}

static uint64_t gathered(const struct um_session *session)
{
    return GATHERED * session->id;
}

/* ---- sessions come and go ---- */

void open_session(struct run *run, int session)
{
    static const struct um_session_events events = {
        .flush = on_flush, .close = on_close, .queued = queued, .gathered = gathered};
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
    it->session.framing = session % 2 != 0 ? UM_FRAMING_HEADERS : UM_FRAMING_LINES;
    MUST(it->session.id == it->id);
    model_open_owner(&run->model, session, it->id);
    run->traffic.sessions++;
}

static void forget_intake(struct intake *intake)
{
    free(intake->bytes);
    if (intake->batch != NULL)
        free_message(intake->batch);
    free(intake->batch);
    *intake = (struct intake){0};
}

/* What came of a raw write that does not end as it should. */
static void tell_what_came(struct run *run, const struct intake *intake)
{
    int block = model_find_block(&run->model, intake->span.block);
    uint64_t left;

    if (!intake->answers || block == NONE || run->model.blocks[block].size <= intake->span.offset)
        return;
    left = run->model.blocks[block].size - intake->span.offset;
    tell_changed(run, block, intake->span.offset, intake->done < left ? intake->done : left);
}

void close_session(struct run *run, int session)
{
    struct session *it = &run->sessions[session];

    um_session_close(&it->session);
    it->open = false;
    run->traffic.sessions--;
    drop_listeners(run, session);
    end_job(run, session);
    tell_what_came(run, &it->intake);
    forget_intake(&it->intake);
    free(it->tail.frozen);
    it->tail = (struct tail){0};
    model_close_owner(&run->model, session);
    settle(run);
}

/* ---- payloads ---- */

/* The block of a raw write is gone, too small or locked: the answer comes before the rest of the bytes. */
static void check_target(struct run *run, int session)
{
    struct intake *intake = &run->sessions[session].intake;
    int block = model_find_block(&run->model, intake->span.block);
    struct call call;

    if (!intake->answers)
        return;
    if (block != NONE && !model_is_locked(&run->model, run->model.blocks[block].heap, session) &&
        run->model.blocks[block].size >= intake->span.offset + intake->span.size)
        return;
    tell_what_came(run, intake);
    intake->answers = false;
    late_init(&call, run, session, intake->entry, &intake->id);
    if (block == NONE)
        fail_block(&call, UMEM_E_STALE_HANDLE, intake->span.block);
    else if (model_is_locked(&run->model, run->model.blocks[block].heap, session))
        fail_heap(&call, UMEM_E_LOCKED, run->model.heaps[run->model.blocks[block].heap].handle);
    else
        fail_block(&call, UMEM_E_OUT_OF_RANGE, intake->span.block);
}

static void finish_intake(struct run *run, int session)
{
    struct intake *intake = &run->sessions[session].intake;
    struct intake done = *intake;
    struct call call;

    check_target(run, session);
    done.answers = intake->answers;
    *intake = (struct intake){0};
    if (done.answers) {
        tell_what_came(run, &done);
        late_init(&call, run, session, done.entry, &done.id);
        result_uint(&call, "size", done.size);
        result_end(&call);
    } else if (done.batch != NULL) {
        finish_batch(run, session, done.batch);
    }
    forget_intake(&done);
}

int do_piece(struct run *run)
{
    int session = some_session(run);
    struct session *it = &run->sessions[session];
    struct intake *intake = &it->intake;
    size_t room = 0;
    size_t size;
    char *space;

    if (!intake->is_on)
        return NONE;
    space = um_payload_reserve(&it->session, &room);
    check_target(run, session);
    MUST(room >= 1 && room <= intake->size - intake->done);
    size = one_in(run, 2) ? room : 1 + (size_t)roll(run, room);
    memcpy(space, intake->bytes + intake->done, size);
    um_payload_commit(&it->session, size);
    if (intake->answers)
        memcpy(run->model.blocks[model_find_block(&run->model, intake->span.block)].bytes +
                   intake->span.offset + intake->done,
               intake->bytes + intake->done, size);
    intake->done += size;
    if (intake->done == intake->size)
        finish_intake(run, session);
    settle(run);
    return session;
}
