/* The model's long calls: what each slice does, whatever happens between two of them. */
#include <stdlib.h>
#include <string.h>

#include "random_engine.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum { SLICE = 256 * 1024 /* bytes */ };

bool job_is_at(const struct run *run, uint64_t heap, int session)
{
    for (int i = 0; i < SESSIONS; i++) {
        const struct job *job = &run->sessions[i].job;

        if (i != session && job->kind != 0 && (job->heaps[0] == heap || job->heaps[1] == heap))
            return true;
    }
    return false;
}

struct job *new_job(struct call *call, enum job_kind kind, uint64_t first_heap, uint64_t second_heap)
{
    const struct run *run = call->run;
    struct job *job = &call->run->sessions[call->session].job;

    MUST(job->kind == 0);
    *job =
        (struct job){.kind = kind, .entry = call->entry, .id = call->id, .heaps = {first_heap, second_heap}};
    job->turn = ++call->run->sequence;
    return job;
}

/* ---- resizes ---- */

bool session_may_have(const struct run *run, int block, uint64_t more)
{
    const struct model_block *it = &run->model.blocks[block];
    uint64_t limit = run->limits.session_bytes;
    int maker = model_open_maker(&run->model, &it->maker);
    uint64_t used = maker != NONE ? session_bytes(run, maker) : 0;

    return limit >= run->limits.bytes || maker == NONE || (used <= limit && more <= limit - used);
}

int check_growth(const struct run *run, int block, uint64_t size)
{
    const struct model_block *it = &run->model.blocks[block];
    uint64_t more = size > it->size ? size - it->size : 0;
    int code = more != 0 ? model_check_growth(&run->model, it->heap, more) : UMEM_OK;

    if (code == UMEM_OK && more != 0 && !session_may_have(run, block, more))
        return UMEM_E_LIMIT_EXCEEDED;
    /* What is being sent stays where it is, and counts on. */
    return code == UMEM_OK && size != it->size && is_being_sent(run, block)
               ? model_check_total(&run->model, size)
               : code;
}

/* What was set aside for the bytes by which a block grows is free again; with its heap it is so when that is reclaimed. */
static void unreserve(struct run *run, const struct model_block *block, uint64_t size)
{
    struct model_heap *heap = &run->model.heaps[block->heap];

    if (size <= block->size || run->ending == heap->handle)
        return;
    run->model.reserved -= size - block->size;
    heap->reserved -= size - block->size;
}

/* A block that is freed or resized otherwise is not being moved any more: the next slice begins anew. */
void part_moves(struct run *run, int block)
{
    const struct model_block *it = &run->model.blocks[block];

    for (int i = 0; i < SESSIONS; i++) {
        struct job *job = &run->sessions[i].job;

        if (job->kind != JOB_RESIZE || job->first.block != it->handle)
            continue;
        if (job->moving)
            unreserve(run, it, job->first.size);
        job->moving = false;
    }
}

bool is_being_moved(const struct run *run, uint64_t block)
{
    for (int i = 0; i < SESSIONS; i++) {
        const struct job *job = &run->sessions[i].job;

        if (job->kind == JOB_RESIZE && job->moving && job->first.block == block)
            return true;
    }
    return false;
}

/* Only one resize at a time moves a block; others wait for it. */
void start_move(const struct run *run, struct job *job)
{
    job->moving = job->moving || !is_being_moved(run, job->first.block);
}

/* The number of slices of a resize depends on the backend: the engine reports its end. */
static int step_resize(struct run *run, int session, struct job *job, bool *more)
{
    int block = model_find_block(&run->model, job->first.block);
    uint64_t old_size;
    int code;

    if (block == NONE)
        return UMEM_E_STALE_HANDLE;
    code = job->moving || is_being_moved(run, job->first.block) ? UMEM_OK
                                                                : check_growth(run, block, job->first.size);
    if (code != UMEM_OK)
        return code;
    *more = run->sessions[session].session.job != NULL;
    if (*more) {
        start_move(run, job);
        return UMEM_OK;
    }
    old_size = run->model.blocks[block].size;
    if (job->first.size > old_size && !session_may_have(run, block, job->first.size - old_size))
        return UMEM_E_LIMIT_EXCEEDED; /* its maker has allocated others meanwhile */
    if (run->model.heaps[run->model.blocks[block].heap].is_shared &&
        store_size(run, job->first.block) != job->first.size) {
        job->no_gap = true;
        return UMEM_E_NO_MEMORY;
    }
    model_resize(&run->model, block, job->first.size);
    run->model.blocks[block].address = (uint64_t)(uintptr_t)store_bytes(run, job->first.block);
    learn_place(run, block);
    job->done = old_size;
    return UMEM_OK;
}

/* ---- slices ---- */

/* The block of a range, if it is still there and large enough. */
static int find_range(const struct run *run, const struct range *range, int *block, uint64_t *culprit)
{
    *block = model_find_block(&run->model, range->block);
    *culprit = range->block;
    if (*block == NONE)
        return UMEM_E_STALE_HANDLE;
    return run->model.blocks[*block].size < range->offset + range->size ? UMEM_E_OUT_OF_RANGE : UMEM_OK;
}

static int find_ranges(const struct run *run, const struct job *job, int blocks[2], uint64_t *culprit)
{
    int code = find_range(run, &job->first, &blocks[0], culprit);

    if (code == UMEM_OK && job->second.block != 0)
        code = find_range(run, &job->second, &blocks[1], culprit);
    return code;
}

static void look_through(const struct run *run, struct job *job, int block, uint64_t size, bool *more)
{
    const unsigned char *bytes = run->model.blocks[block].bytes + job->first.offset;
    uint64_t left = job->first.size - job->done;
    uint64_t starts = job->needle_size > size ? job->needle_size : size;

    *more = false;
    if (left < job->needle_size)
        return;
    if (starts > left - job->needle_size)
        starts = left - job->needle_size + 1;
    else
        *more = true;
    for (uint64_t i = 0; i < starts || job->needle_size == 0; i++) {
        if (job->needle_size == 0 || (bytes[job->done + i] == job->needle[0] &&
                                      memcmp(bytes + job->done + i, job->needle, job->needle_size) == 0)) {
            job->number = 1;
            job->done += i;
            *more = false;
            return;
        }
    }
    job->done += starts;
}

static void compare_slice(const struct run *run, struct job *job, const int blocks[2], uint64_t size)
{
    const unsigned char *left = run->model.blocks[blocks[0]].bytes + job->first.offset + job->done;
    const unsigned char *right = run->model.blocks[blocks[1]].bytes + job->second.offset + job->done;
    uint64_t same = 0;

    if (memcmp(left, right, (size_t)size) == 0)
        same = size;
    while (same < size && left[same] == right[same])
        same++;
    job->done += same;
    job->number = same < size;
}

static int step_bytes(struct run *run, struct job *job, bool at_once, bool *more, uint64_t *culprit)
{
    int blocks[2] = {NONE, NONE};
    uint64_t left = job->first.size - job->done;
    uint64_t size = at_once || left < SLICE ? left : SLICE;
    uint64_t at = job->from_behind ? left - size : job->done;
    int code = find_ranges(run, job, blocks, culprit);

    if (code != UMEM_OK)
        return code;
    if (job->kind == JOB_FIND) {
        look_through(run, job, blocks[0], size, more);
        return UMEM_OK;
    }
    if (job->kind == JOB_COMPARE) {
        compare_slice(run, job, blocks, size);
        *more = job->number == 0 && job->done < job->first.size;
        return UMEM_OK;
    }
    if (job->kind == JOB_FILL) {
        memset(run->model.blocks[blocks[0]].bytes + job->first.offset + at, (int)job->value, (size_t)size);
        notify_changed(run, blocks[0], job->first.offset + at, size);
    } else {
        memmove(run->model.blocks[blocks[1]].bytes + job->second.offset + at,
                run->model.blocks[blocks[0]].bytes + job->first.offset + at, (size_t)size);
        notify_changed(run, blocks[1], job->second.offset + at, size);
    }
    job->done += size;
    *more = job->done < job->first.size;
    return UMEM_OK;
}

static int step(struct run *run, int session, struct job *job, bool at_once, bool *more, uint64_t *culprit)
{
    *more = false;
    *culprit = 0;
    if (job->kind == JOB_RESIZE)
        return step_resize(run, session, job, more);
    if (job->kind ==
        JOB_ALLOC) { /* blocks are so small here that there is one slice, and its answer has all */
        MUST(run->sessions[session].session.job == NULL);
        return UMEM_OK;
    }
    if (job->kind == JOB_VALIDATE || job->kind == JOB_COMPACT) {
        if (model_find_heap(&run->model, job->number) == NONE)
            return UMEM_E_STALE_HANDLE;
        /* In how many pieces memory is returned is the allocator's business; but some day it is all. */
        *more = job->kind == JOB_COMPACT && run->sessions[session].session.job != NULL;
        MUST(++job->done < 1000);
        return UMEM_OK;
    }
    if (job->kind == JOB_AT) {
        for (int i = 0; i < BLOCKS; i++) {
            if (run->model.blocks[i].alive && run->model.blocks[i].address == job->number) {
                job->first.block = run->model.blocks[i].handle;
                return UMEM_OK;
            }
        }
        return UMEM_E_UNKNOWN_HANDLE;
    }
    return step_bytes(run, job, at_once, more, culprit);
}

/* ---- answers ---- */

static void answer_resize(struct call *call, const struct job *job)
{
    int block = model_find_block(&call->run->model, job->first.block);
    const struct model_block *it = &call->run->model.blocks[block];
    uint64_t old_size = job->done;

    if (it->size > old_size)
        notify_changed(call->run, block, old_size, it->size - old_size);
    else
        notify_changed(call->run, block, it->size, old_size - it->size);
    result_uint(call, "block", it->handle);
    result_uint(call, "size", it->size);
    um_json_uint64(result_key(call, "address"), it->address);
}

/* How much is free depends on the system, but in a shared heap in which only blocks take up memory. */
static void answer_compact(struct call *call, int heap)
{
    if (call->run->model.heaps[heap].is_shared && is_quiet(call, heap))
        result_uint(call, "largest_free", model_find_gaps(&call->run->model, heap).largest);
    else
        um_buf_append(result_key(call, "largest_free"), "\2", 1);
}

static void answer(struct call *call, const struct job *job)
{
    switch (job->kind) {
    case JOB_FILL:
    case JOB_COPY:
        result_uint(call, "size", job->first.size);
        break;
    case JOB_COMPARE:
        um_json_bool(result_key(call, "equal"), job->number == 0);
        if (job->number != 0)
            result_uint(call, "offset", job->done);
        else
            um_json_null(result_key(call, "offset"));
        break;
    case JOB_FIND:
        if (job->number != 0)
            result_uint(call, "offset", job->first.offset + job->done);
        else
            um_json_null(result_key(call, "offset"));
        break;
    case JOB_RESIZE:
        answer_resize(call, job);
        break;
    case JOB_VALIDATE:
        um_json_bool(result_key(call, "valid"), true);
        break;
    case JOB_COMPACT:
        answer_compact(call, model_find_heap(&call->run->model, job->number));
        break;
    case JOB_AT:
        result_uint(call, "block", job->first.block);
        break;
    case JOB_ALLOC:
        answer_alloc(call, job); /* to the end: it may fail too */
        return;
    }
    result_end(call);
}

static void fail_job(struct call *call, const struct job *job, int code, uint64_t culprit)
{
    if (job->no_gap)
        fail_no_gap(call, model_find_block(&call->run->model, job->first.block), job->flags);
    else if (job->kind == JOB_RESIZE && code != UMEM_E_STALE_HANDLE)
        fail_growth(call, code, model_find_block(&call->run->model, job->first.block), job->first.size,
                    job->flags);
    else if (job->kind == JOB_RESIZE)
        fail_block(call, code, job->first.block);
    else if (job->kind == JOB_VALIDATE || job->kind == JOB_COMPACT)
        fail_heap(call, code, job->number);
    else if (job->kind == JOB_AT)
        fail_plain(call, code);
    else
        fail_block(call, code, culprit);
}

void run_at_once(struct call *call, struct job *job)
{
    uint64_t culprit;
    bool more = true;
    int code = UMEM_OK;

    while (code == UMEM_OK && more)
        code = step(call->run, call->session, job, true, &more, &culprit);
    if (code == UMEM_OK)
        answer(call, job);
    else
        fail_job(call, job, code, culprit);
    drop_job(call->run, call->session);
}

void drop_job(struct run *run, int session)
{
    struct job *job = &run->sessions[session].job;

    free(job->needle);
    *job = (struct job){0};
}

/* Calls that waited for the job to end are checked again. */
void end_job(struct run *run, int session)
{
    uint64_t heaps[2];

    memcpy(heaps, run->sessions[session].job.heaps, sizeof heaps);
    drop_job(run, session);
    for (int i = 0; i < 2; i++)
        mark_stalled(run, heaps[i]);
}

void keep_job(struct call *call, struct job *job)
{
    for (int i = 0; i < 2; i++) {
        uint64_t heap = job->heaps[i];

        if (!lock_is_wanted(call->run, heap, call->session))
            continue;
        drop_job(call->run, call->session);
        fail_heap(call, UMEM_E_LOCKED, heap);
        return;
    }
}

void work(struct run *run)
{
    int next = NONE;
    struct job *job;
    struct call call;
    uint64_t culprit;
    bool more;
    int code;

    for (int i = 0; i < SESSIONS; i++) {
        if (run->sessions[i].job.kind != 0 &&
            (next == NONE || run->sessions[i].job.turn < run->sessions[next].job.turn))
            next = i;
    }
    if (next != NONE) {
        job = &run->sessions[next].job;
        job->turn = ++run->sequence;
        code = step(run, next, job, false, &more, &culprit);
        if (code != UMEM_OK || !more) {
            late_init(&call, run, next, job->entry, &job->id);
            if (code == UMEM_OK)
                answer(&call, job);
            else
                fail_job(&call, job, code, culprit);
            end_job(run, next);
        }
    }
    run_marked_waiters(run);
}
