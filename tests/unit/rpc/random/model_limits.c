/* Limits of the daemon: the data of their errors, and the top consumer of limits that all sessions share. */
#include "random_engine.h"
#include "umem_errors.h"
#include "wire/json_write.h"

void fact_limit(struct call *call, const char *limit, uint64_t maximum)
{
    enum um_limit place = um_limits_find(limit);

    if (place < UM_LIMIT_COUNT)
        call->run->refusals[place]++;
    fact_text(call, "limit", limit);
    fact_uint(call, "maximum", maximum);
}

/* What one session uses of a limit that all share; false: it is no such limit. */
static bool use_of(const struct run *run, enum um_limit limit, int session, uint64_t *used)
{
    uint64_t id = run->sessions[session].id;

    *used = 0;
    switch (limit) {
    case UM_LIMIT_bytes:
        *used = model_sum_bytes(&run->model, NONE, id);
        return true;
    case UM_LIMIT_blocks:
        *used = model_count_blocks(&run->model, NONE, id);
        return true;
    case UM_LIMIT_heaps:
        for (int i = 0; i < HEAPS; i++)
            *used += run->model.heaps[i].alive && run->model.heaps[i].maker.id == id;
        return true;
    case UM_LIMIT_shared_heaps:
        for (int i = 0; i < HEAPS; i++)
            *used += run->model.heaps[i].alive && run->model.heaps[i].is_shared &&
                     run->model.heaps[i].maker.id == id;
        return true;
    case UM_LIMIT_holds:
        *used = model_count_holds(&run->model, session);
        return true;
    case UM_LIMIT_waits_total:
        *used = count_waiters(run, session);
        return true;
    case UM_LIMIT_watches_total:
        *used = count_watches(run, session);
        return true;
    case UM_LIMIT_unsent_total_bytes:
        *used = QUEUED + id;
        return true;
    case UM_LIMIT_gathered_bytes:
        *used = GATHERED * id;
        return true;
    default:
        return false;
    }
}

/* The first, by age, of the sessions that use most of it. */
static void find_top_consumer(struct run *run, enum um_limit limit)
{
    struct top *top = &run->top[limit];
    uint64_t used;

    *top = (struct top){.known = true, .session = NONE};
    for (int i = 0; i < SESSIONS; i++) {
        if (!run->sessions[i].open || !use_of(run, limit, i, &used) || used == 0 || used < top->used ||
            (used == top->used && run->sessions[i].id > run->sessions[top->session].id))
            continue;
        top->session = i;
        top->used = used;
    }
}

void fact_top_consumer(struct call *call, const char *limit)
{
    enum um_limit place = um_limits_find(limit);
    struct top *top = &call->run->top[place < UM_LIMIT_COUNT ? place : 0];
    char program[] = "program0";

    if (place == UM_LIMIT_COUNT)
        return;
    if (!top->known)
        find_top_consumer(call->run, place);
    if (top->session == NONE)
        return;
    program[7] = (char)('0' + top->session);
    um_json_key(call->out, "most");
    um_json_begin_object(call->out);
    fact_uint(call, "session", call->run->sessions[top->session].id);
    fact_uint(call, "pid", 100 + (uint64_t)top->session);
    fact_text(call, "program", program);
    fact_uint(call, "used", top->used);
    um_json_end_object(call->out);
}

void fail_limit(struct call *call, int code, const char *limit, const uint64_t facts[3], uint64_t heap)
{
    refuse(call, code);
    fact_limit(call, limit, facts[0]);
    fact_uint(call, "used", facts[1]);
    fact_uint(call, "asked", facts[2]);
    fact_top_consumer(call, limit);
    if (heap != 0)
        fact_uint(call, "heap", heap);
}

bool may_send(struct call *call, uint64_t size)
{
    const struct run *run = call->run;
    uint64_t facts[3] = {run->limits.unsent_total_bytes, run->traffic.unsent_bytes, sent_with(call, size)};

    if (size <= SMALL_ANSWER || (facts[1] <= facts[0] && facts[2] <= facts[0] - facts[1]))
        return true;
    fail_limit(call, UMEM_E_LIMIT_EXCEEDED, "unsent_total_bytes", facts, 0);
    fail_end(call);
    return false;
}
