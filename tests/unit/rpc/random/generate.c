/* Random parameters for every method: mostly ones that work, on few blocks and heaps, so that sessions
 * meet. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umem_errors.h"

enum { MOVED_SIZE = 5000 /* bytes: a resize that has to copy more runs in slices */ };

uint64_t size_of(const struct run *run, int block)
{
    return block != NONE ? run->model.blocks[block].size : 20;
}

static void maybe_page(struct run *run, struct request *request, uint64_t after)
{
    if (one_in(run, 2))
        give_uint(request, "after", one_in(run, 4) ? 0 : after);
    if (one_in(run, 2))
        give_uint(request, "limit", 1 + roll(run, 6));
}

static unsigned some_flags(struct run *run)
{
    unsigned flags = 0;

    for (unsigned bit = 1; bit <= UM_FLAG_REALLOC_IN_PLACE_ONLY; bit <<= 1)
        flags |= one_in(run, bit == UM_FLAG_CREATE_ENABLE_EXECUTE ? 16 : 4) ? bit : 0;
    return flags;
}

/* Offset and size of a range, either of which may be left out. */
void maybe_range(struct run *run, struct request *request, const char *offset, const char *size,
                 uint64_t block_size)
{
    uint64_t at = one_in(run, 3) ? 0 : some_offset(run, block_size);
    uint64_t rest = at < block_size ? block_size - at : 0;

    if (at != 0)
        give_uint(request, offset, at);
    if (!one_in(run, 4))
        give_uint(request, size, one_in(run, 4) ? rest : some_offset(run, rest));
}

/* ---- rpc and server ---- */

void generate_nothing(struct run *run, int session, struct request *request)
{
    (void)run;
    (void)session;
    (void)request;
}

/* Mostly of a call that waits in this session. */
void generate_cancel(struct run *run, int session, struct request *request)
{
    struct argument *it;
    int first = (int)roll(run, WAITERS);
    bool is_other = false;
    char text[64];

    for (int i = 0; i < WAITERS; i++) {
        const struct waiter *waiter = &run->waiters[(first + i) % WAITERS];

        if (waiter->kind == 0 || waiter->session != session || waiter->id.kind < ID_NUMBER)
            continue;
        if (waiter->id.kind == ID_NUMBER) {
            spell_id(text, sizeof text, waiter->id.number);
            /* The same number written otherwise is another id. */
            is_other = strpbrk(text, "eE") == NULL && one_in(run, 8);
            if (is_other)
                strcat(text, strchr(text, '.') != NULL ? "0" : ".0");
            give_spelled(request, "id", text);
        } else {
            snprintf(text, sizeof text, "t%lld", (long long)waiter->id.number);
            give_text(request, "id", text);
        }
        it = argument(request, "id");
        it->uint = is_other ? 0 : (uint64_t)waiter->id.number;
        it->by_name = waiter->id.kind == ID_TEXT;
        return;
    }
    give_uint(request, "id", 1 + roll(run, 1000000));
}

/* ---- heaps ---- */

void generate_heap_create(struct run *run, int session, struct request *request)
{
    static const uint64_t maxima[] = {0, 0, 300, 100000, 3000000};
    static const uint64_t initial[] = {0, 100, 5000, 40000000};

    (void)session;
    if (one_in(run, 2))
        give_flags(request, "flags", some_flags(run));
    if (one_in(run, 3))
        give_uint(request, "initial_size", initial[roll(run, 4)]);
    if (!one_in(run, 3))
        give_uint(request, "maximum_size", maxima[roll(run, 5)]);
    if (!one_in(run, 3))
        give_name(run, request, "name");
    if (one_in(run, 2))
        give_text(request, "kind", one_in(run, 6) ? "private" : "shared");
    if (one_in(run, 2))
        give_text(request, "lifetime", one_in(run, 2) ? "session" : "server");
    if (one_in(run, 2))
        give_uint(request, "alignment", one_in(run, 12) ? 48 : UINT64_C(16) << roll(run, 13));
    if (one_in(run, 3))
        give_text(request, "if_exists", one_in(run, 4) ? "fail" : "open");
}

void generate_heap_list(struct run *run, int session, struct request *request)
{
    (void)session;
    maybe_page(run, request, run->model.heaps[some_heap(run)].handle);
}

void generate_heap(struct run *run, int session, struct request *request)
{
    int heap;

    (void)session;
    give_heap(run, request, "heap", &heap);
}

void generate_heap_validate(struct run *run, int session, struct request *request)
{
    int heap = NONE;
    int block;

    (void)session;
    if (one_in(run, 2))
        give_heap(run, request, "heap", &heap);
    if (one_in(run, 2))
        give_block(run, request, "block", &block);
}

void generate_heap_compact(struct run *run, int session, struct request *request)
{
    if (!one_in(run, 3))
        generate_heap(run, session, request);
}

/* No two calls time out at once, since the order of their answers is not specified. */
void give_timeout(struct run *run, struct request *request)
{
    uint64_t timeout = roll(run, 400);
    bool taken = true;

    while (taken) {
        taken = false;
        for (int i = 0; i < WAITERS; i++)
            taken = taken || (run->waiters[i].kind != 0 && run->waiters[i].deadline == run->now_ms + timeout);
        timeout += taken;
    }
    give_uint(request, "timeout_ms", timeout);
}

void generate_heap_lock(struct run *run, int session, struct request *request)
{
    generate_heap(run, session, request);
    if (!one_in(run, 3))
        give_timeout(run, request);
}

/* One that this session has locked; where there is none, any. */
static void give_own_heap(struct run *run, int session, struct request *request)
{
    for (int i = HEAPS - 1; i >= 0; i--) {
        if (run->model.heaps[i].alive && run->model.heaps[i].locker == session && !one_in(run, 8)) {
            give_uint(request, "heap", run->model.heaps[i].handle);
            return;
        }
    }
    generate_heap(run, session, request);
}

void generate_heap_unlock(struct run *run, int session, struct request *request)
{
    give_own_heap(run, session, request);
}

void generate_heap_destroy(struct run *run, int session, struct request *request)
{
    if (one_in(run, 2))
        generate_heap(run, session, request);
    else
        give_own_heap(run, session, request);
}

/* ---- blocks and their lives ---- */

void generate_block_alloc(struct run *run, int session, struct request *request)
{
    static const char *const kinds[] = {"replace", "replace", "replace", "open", "fail"};
    uint64_t size = one_in(run, 60) ? UINT64_C(1) << (20 + roll(run, 33)) : some_size(run);
    int heap;

    (void)session;
    if (!one_in(run, 4))
        give_heap(run, request, "heap", &heap);
    if (one_in(run, 6))
        give_flags(request, "flags", some_flags(run));
    if (one_in(run, 3)) {
        give_text(request, "if_exists", kinds[roll(run, 5)]);
        if (!one_in(run, 20))
            give_name(run, request, "name");
    } else if (one_in(run, 5)) {
        give_name(run, request, "name");
    }
    if (one_in(run, 2))
        give_text(request, "lifetime", one_in(run, 2) ? "session" : "server");
    if (one_in(run, 4)) {
        size = size < run->limits.payload_bytes ? size : run->limits.payload_bytes - 100;
        give_text(request, "encoding", "raw");
        give_payload(run, request, one_in(run, 40) ? 0 : size);
    } else if (one_in(run, 3)) {
        give_data(run, request, "data",
                  (size_t)roll(run, (size < 40 ? size : 40) + (one_in(run, 8) ? 5 : 1)));
    }
    if ((request->payload == NULL && !is_given(request, "data") && !one_in(run, 40)) || one_in(run, 2))
        give_uint(request, "size", size);
}

void generate_block_resize(struct run *run, int session, struct request *request)
{
    uint64_t size = some_size(run);
    int block;

    (void)session;
    if (one_in(run, 3))
        give_busy_block(run, request, "block", &block);
    else if (one_in(run, 2))
        give_large_block(run, request, "block", MOVED_SIZE, &block);
    else
        give_block(run, request, "block", &block);
    if (one_in(run, 8))
        size = UINT64_C(1) << (20 + roll(run, 33));
    else if (size_of(run, block) > MOVED_SIZE && !one_in(run, 3)) /* so that it has to be copied */
        size = size_of(run, block) + roll(run, 70000) - roll(run, 4000);
    give_uint(request, "size", size);
    if (one_in(run, 4))
        give_flags(request, "flags", some_flags(run));
}

void generate_block(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    give_block(run, request, "block", &block);
}

void generate_block_wake(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    give_block(run, request, "block", &block);
    maybe_range(run, request, "offset", "size", size_of(run, block));
}

void generate_block_list(struct run *run, int session, struct request *request)
{
    int block = some_block(run);
    int heap;

    if (one_in(run, 3))
        give_heap(run, request, "heap", &heap);
    if (one_in(run, 3))
        give_uint(request, "session", one_in(run, 3) ? 1 + roll(run, 9) : run->sessions[session].id);
    if (one_in(run, 3))
        give_bool(request, "orphaned", !one_in(run, 4));
    maybe_page(run, request, block != NONE ? run->model.blocks[block].handle : 0);
}

void generate_block_at(struct run *run, int session, struct request *request)
{
    int block = some_block(run);

    (void)session;
    give_uint(request, "address",
              block != NONE && !one_in(run, 4) ? run->model.blocks[block].address : roll(run, 100000));
}

void generate_block_change(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    give_block(run, request, "block", &block);
    if (one_in(run, 3))
        give_name(run, request, "name");
    else if (one_in(run, 3))
        give_text(request, "name", "");
    if (one_in(run, 2))
        give_text(request, "lifetime", one_in(run, 2) ? "session" : "server");
    if (one_in(run, 2))
        give_text(request, "if_exists", one_in(run, 4) ? "fail" : "replace");
}

void generate_block_free(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    if (one_in(run, 3))
        give_busy_block(run, request, "block", &block);
    else
        give_block(run, request, "block", &block);
    if (one_in(run, 3))
        give_bool(request, "if_orphaned", !one_in(run, 4));
}

/* ---- sessions ---- */

void generate_session_list(struct run *run, int session, struct request *request)
{
    maybe_page(run, request, roll(run, run->sessions[session].id + 2));
}

void generate_session_watch(struct run *run, int session, struct request *request)
{
    int number;

    (void)session;
    if (one_in(run, 2)) {
        give_block(run, request, "block", &number);
        if (one_in(run, 2))
            maybe_range(run, request, "offset", "size", size_of(run, number));
    } else if (one_in(run, 12)) {
        give_uint(request, "offset", 1);
    }
    if (one_in(run, 12) || (!is_given(request, "block") && one_in(run, 2)))
        give_heap(run, request, "heap", &number);
}

void generate_session_unwatch(struct run *run, int session, struct request *request)
{
    uint64_t id = roll(run, run->last_watch + 2);

    for (int i = 0; i < WATCHES; i++) {
        if (run->watches[i].used && run->watches[i].session == session && one_in(run, 2))
            id = run->watches[i].id;
    }
    give_uint(request, "watch", id);
}

void generate_session_close(struct run *run, int session, struct request *request)
{
    (void)session;
    give_uint(request, "session", one_in(run, 3) ? roll(run, 9) : run->sessions[some_session(run)].id);
}
