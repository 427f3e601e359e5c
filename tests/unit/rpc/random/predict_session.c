/* What the methods of the daemon, of sessions and of watches must answer. */
#include <stdio.h>
#include <string.h>

#include "predict.h"
#include "rpc/methods/platform.h"
#include "rpc/schema/openrpc.h"
#include "rpc/schema/table.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum {
    ENTRY_SIZE = 4096,         /* bytes that a page wants for one more session */
    DOCUMENT_SIZE = 128 * 1024 /* bytes that the document wants */
};

/* ---- the daemon ---- */

void predict_empty(struct call *call)
{
    result_end(call);
}

/* The content of the document is tested by test_protocol_reference.c; here it only has to be the same every time. */
void predict_discover(struct call *call)
{
    if (!fits(call, DOCUMENT_SIZE, DISCOVER_COST))
        return;
    um_openrpc_write_members(result(call), "0.0.0");
    call->members = 4;
    result_end(call);
}

void predict_cancel(struct call *call)
{
    const struct argument *id = argument_of(call->request, "id");
    struct waiter *first = NULL;

    for (int i = 0; i < WAITERS; i++) {
        struct waiter *waiter = &call->run->waiters[i];

        if (waiter->kind != 0 && waiter->session == call->session && !waiter->cancelled &&
            waiter->id.kind == (id->by_name ? ID_TEXT : ID_NUMBER) &&
            waiter->id.number == (int64_t)id->uint && (first == NULL || waiter->born < first->born))
            first = waiter;
    }
    if (first != NULL)
        first->cancelled = true;
    result_end(call);
}

void predict_server_info(struct call *call)
{
    const struct run *run = call->run;
    struct um_buf *out;

    if (!fits(call, 0, REPORT_COST))
        return;
    um_json_cstring(result_key(call, "name"), "umemd");
    um_json_cstring(result_key(call, "version"), "0.0.0");
    result_uint(call, "protocol", 1);
    um_json_cstring(result_key(call, "platform"), um_platform_name());
    um_json_cstring(result_key(call, "backend"), um_platform_backend());
    result_uint(call, "pid", 1);
    um_json_cstring(result_key(call, "pipe"), "nowhere");
    result_uint(call, "started", 1000);
    result_uint(call, "uptime_seconds", run->now_ms / 1000);
    out = result_key(call, "limits");
    um_json_begin_object(out);
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        um_json_put_uint(out, um_limits_entry(i)->name, um_limits_value(&run->limits, i));
    }
    um_json_end_object(out);
    out = result_key(call, "features");
    um_json_raw(out, "[\"headers\",\"raw\",\"shared\",\"wait\",\"watch\"]", 41);
    result_end(call);
}

void predict_server_stats(struct call *call)
{
    const struct run *run = call->run;
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    uint64_t waits = 0;
    uint64_t watches = 0;
    uint64_t holds;
    struct um_buf *out;

    if (!fits(call, 0, REPORT_COST))
        return;
    for (int i = 0; i < BLOCKS; i++) {
        blocks += model_is_orphan(&run->model.blocks[i]);
        bytes += model_is_orphan(&run->model.blocks[i]) ? run->model.blocks[i].size : 0;
    }
    result_uint(call, "heaps", model_count_heaps(&run->model));
    result_uint(call, "blocks", model_count_blocks(&run->model, NONE, 0));
    result_uint(call, "bytes", model_sum_bytes(&run->model, NONE, 0));
    result_uint(call, "peak_bytes", run->model.peak);
    result_uint(call, "orphaned_blocks", blocks);
    result_uint(call, "orphaned_bytes", bytes);
    (void)result_key(call, "pinned_bytes");
    um_json_uint(call->out, learn_uint(call));
    result_uint(call, "sessions", run->traffic.sessions);
    result_uint(call, "requests", run->requests);
    result_uint(call, "errors", run->errors);
    result_uint(call, "bytes_read", run->traffic.bytes_read);
    result_uint(call, "bytes_written", run->traffic.bytes_written);
    result_uint(call, "peak_sessions", run->traffic.peak_sessions);
    for (int i = 0; i < SESSIONS; i++) {
        waits += count_waiters(run, i);
        watches += count_watches(run, i);
    }
    result_uint(call, "waits", waits);
    result_uint(call, "watches", watches);
    /* Holds on freed blocks that are not reclaimed yet count, too: see check_step(). */
    out = result_key(call, "holds");
    holds = learn_uint(call);
    MUST(holds >= model_count_holds(&run->model, NONE) || call->id.kind == ID_NONE);
    um_json_uint(out, holds);
    result_uint(call, "unsent_bytes", run->traffic.unsent_bytes);
    result_uint(call, "peak_unsent_bytes", run->traffic.peak_unsent_bytes);
    result_uint(call, "gathered_bytes", run->traffic.gathered_bytes);
    result_uint(call, "peak_gathered_bytes", run->traffic.peak_gathered_bytes);
    result_uint(call, "cpu_user_us", 0);
    result_uint(call, "cpu_system_us", 0);
    result_uint(call, "resident_bytes", 0);
    out = result_key(call, "refusals");
    um_json_begin_object(out);
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++)
        um_json_put_uint(out, um_limits_entry(i)->name,
                         run->refusals[i] + (i == UM_LIMIT_sessions ? run->traffic.refused_sessions : 0));
    um_json_end_object(out);
    result_end(call);
}

/* A counter of calls, which the model does not keep: there are not more of them than this. */
static uint64_t count_up_to(struct call *call, const char *key, uint64_t most)
{
    const struct run *run = call->run;
    uint64_t count;

    um_json_key(call->out, key);
    count = learn_uint(call);
    MUST(count <= most || call->id.kind == ID_NONE);
    um_json_uint(call->out, count);
    return count;
}

/* There is no clock here, so that all calls whose time is measured take no time. */
static void describe_method(struct call *call)
{
    static const uint64_t bounds[] = {1,      2,      5,       10,      20,      50,      100,   200,
                                      500,    1000,   2000,    5000,    10000,   20000,   50000, 100000,
                                      200000, 500000, 1000000, 2000000, 5000000, 10000000};
    enum { BOUNDS = sizeof bounds / sizeof bounds[0] };
    struct um_buf *out = call->out;
    uint64_t calls = count_up_to(call, "calls", call->run->requests);
    uint64_t waited;

    (void)count_up_to(call, "errors", calls);
    waited = count_up_to(call, "waited", calls);
    um_json_put_uint(out, "total_us", 0);
    um_json_put_uint(out, "longest_us", 0);
    um_json_key(out, "latency");
    um_json_begin_array(out);
    for (int i = 0; i <= BOUNDS; i++) {
        um_json_begin_object(out);
        um_json_key(out, "at_most_us");
        if (i < BOUNDS)
            um_json_uint(out, bounds[i]);
        else
            um_json_null(out);
        um_json_put_uint(out, "calls", i == 0 ? calls - waited : 0);
        um_json_end_object(out);
    }
    um_json_end_array(out);
}

/* Which methods were called, and how many of them there is space for, the engine says. */
void predict_server_methods(struct call *call)
{
    uint64_t after = uint_or(call->request, "after", 0);
    uint64_t left = uint_or(call->request, "limit", 1000);
    struct um_buf *out;
    bool is_first = true;

    if (!fits(call, 0, LIST_COST))
        return;
    out = result_key(call, "methods");
    um_json_begin_array(out);
    for (uint64_t place = after; place <= UM_METHOD_COUNT && left != 0; place++) {
        const struct um_method *method = um_table_at((size_t)place);
        char begin[128];

        if (method != NULL)
            snprintf(begin, sizeof begin, "%s{\"method\":\"%s\",", is_first ? "" : ",", method->name);
        else
            snprintf(begin, sizeof begin, "%s{\"method\":null,", is_first ? "" : ",");
        if (!engine_goes_on(call, begin))
            continue;
        um_json_begin_object(out);
        um_json_key(out, "method");
        if (method != NULL)
            um_json_cstring(out, method->name);
        else
            um_json_null(out);
        describe_method(call);
        um_json_end_object(out);
        charge(call, LISTED_COST);
        is_first = false;
        after = place + 1;
        left--;
    }
    um_json_end_array(out);
    if (engine_goes_on(call, ",\"next\":null"))
        um_json_null(result_key(call, "next"));
    else
        result_uint(call, "next", after);
    result_end(call);
}

/* As on_reload() of test_random_requests.c has it: a file without a difference. */
void predict_reload(struct call *call)
{
    struct um_buf *out;

    if (!fits(call, 0, REPORT_COST))
        return;
    um_json_cstring(result_key(call, "config"), "a.conf");
    out = result_key(call, "applied");
    um_json_begin_array(out);
    um_json_end_array(out);
    out = result_key(call, "restart");
    um_json_begin_array(out);
    um_json_end_array(out);
    result_end(call);
}

void predict_shutdown(struct call *call)
{
    call->run->shutdowns_expected++;
    result_end(call);
}

/* ---- sessions ---- */

/* Of what waits for the session itself, the answer at work is no part. */
static void describe_session(struct call *call, struct um_buf *out, int session)
{
    uint64_t calls;
    const struct run *run = call->run;
    const struct session *it = &run->sessions[session];
    char program[] = "program0";

    program[7] = (char)('0' + session);
    um_json_put_uint(out, "session", it->id);
    um_json_put_uint(out, "pid", 100 + (uint64_t)session);
    um_json_put_string(out, "program", program);
    um_json_put_string(out, "user", "me");
    um_json_put_uint(out, "opened", (uint64_t)it->opened);
    um_json_put_uint(out, "blocks", model_count_blocks(&run->model, NONE, it->id));
    um_json_put_uint(out, "bytes", model_sum_bytes(&run->model, NONE, it->id));
    um_json_put_uint(out, "queued_bytes", QUEUED + it->id);
    calls = count_up_to(call, "calls", run->requests);
    (void)count_up_to(call, "errors", calls);
    um_json_put_uint(out, "bytes_read", 0);
    um_json_put_uint(out, "bytes_written", 0);
    um_json_key(out, "last_used");
    if (calls == 0)
        um_json_null(out);
    else
        um_json_uint(out, learn_uint(call));
}

void predict_session_info(struct call *call)
{
    describe_session(call, result(call), call->session);
    call->members = 13;
    result_end(call);
}

/* The open session with the lowest number after this one, or NONE. */
static int next_session(const struct run *run, uint64_t after)
{
    int next = NONE;

    for (int i = 0; i < SESSIONS; i++) {
        const struct session *it = &run->sessions[i];

        if (it->open && it->id > after && (next == NONE || it->id < run->sessions[next].id))
            next = i;
    }
    return next;
}

void predict_session_list(struct call *call)
{
    const struct run *run = call->run;
    uint64_t last = uint_or(call->request, "after", 0);
    uint64_t left = uint_or(call->request, "limit", 1000);
    int session = next_session(run, last);
    bool first = true;
    struct um_buf *out;

    if (!fits(call, 0, LIST_COST))
        return;
    out = result_key(call, "sessions");
    um_json_begin_array(out);
    for (; session != NONE && left != 0 && (first || has_place(call, ENTRY_SIZE)); left--, first = false) {
        um_json_begin_object(out);
        describe_session(call, out, session);
        um_json_end_object(out);
        charge(call, LISTED_COST);
        last = run->sessions[session].id;
        session = next_session(run, last);
    }
    um_json_end_array(out);
    if (session != NONE)
        result_uint(call, "next", last);
    else
        um_json_null(result_key(call, "next"));
    result_end(call);
}

void predict_session_close(struct call *call)
{
    uint64_t id = argument_of(call->request, "session")->uint;
    int session = session_with(call->run, id);

    if (session == NONE) {
        refuse(call, UMEM_E_UNKNOWN_HANDLE);
        fact_uint(call, "session", id);
        fail_end(call);
        return;
    }
    call->run->sessions[session].close_expected = true;
    result_end(call);
}

/* ---- watches ---- */

static struct watch *add_watch(struct run *run, int session)
{
    struct watch *watch = run->watches;

    while (watch < run->watches + WATCHES - 1 && watch->used)
        watch++;
    MUST(!watch->used);
    *watch = (struct watch){.used = true, .attached = true, .session = session, .id = ++run->last_watch};
    return watch;
}

void predict_session_watch(struct call *call)
{
    struct run *run = call->run;
    const struct request *request = call->request;
    bool of_block = is_given(request, "block");
    bool of_heap = is_given(request, "heap");
    bool of_range = is_given(request, "offset") || is_given(request, "size");
    int heap = of_heap ? resolve_heap(call, "heap") : NONE;
    struct range range = {0};
    struct watch *watch;
    uint64_t all = 0;
    int block = NONE;

    if (of_heap && heap == NONE)
        return;
    if (of_block) {
        block = resolve_block(call, "block");
        if (block == NONE || !range_of(call, block, "offset", "size", &range))
            return;
    }
    if ((of_block && of_heap) || (!of_block && of_range)) {
        fail_plain(call, UMEM_E_INVALID_PARAMS);
        return;
    }
    if (count_watches(run, call->session) >= run->limits.watches) {
        fail_limit_of(call, "watches", run->limits.watches, count_watches(run, call->session));
        return;
    }
    for (int i = 0; i < SESSIONS; i++)
        all += count_watches(run, i);
    if (all >= run->limits.watches_total) {
        fail_limit_of(call, "watches_total", run->limits.watches_total, all);
        return;
    }
    if (!may_observe(call, of_block  ? run->model.blocks[block].handle
                           : of_heap ? run->model.heaps[heap].handle
                                     : 0))
        return;
    watch = add_watch(run, call->session);
    watch->block = of_block ? run->model.blocks[block].handle : 0;
    watch->heap = of_heap ? run->model.heaps[heap].handle : 0;
    watch->offset = uint_or(request, "offset", 0);
    watch->size = uint_or(request, "size", UINT64_MAX);
    result_uint(call, "watch", watch->id);
    result_end(call);
}

void predict_session_unwatch(struct call *call)
{
    uint64_t id = argument_of(call->request, "watch")->uint;

    for (int i = 0; i < WATCHES; i++) {
        struct watch *watch = &call->run->watches[i];

        if (watch->used && watch->session == call->session && watch->id == id) {
            watch->used = false;
            result_end(call);
            return;
        }
    }
    refuse(call, UMEM_E_UNKNOWN_HANDLE);
    fact_uint(call, "watch", id);
    fail_end(call);
}
