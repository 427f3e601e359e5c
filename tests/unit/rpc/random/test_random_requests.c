/* Random requests by several sessions, on an engine and on a simple model of one, which must agree after
 * each. The seed is printed; UMEM_TEST_SEED, or the first argument, repeats another run, UMEM_TEST_STEPS,
 * or the second, makes it longer. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "method_counts.h"
#include "random_engine.h"
#include "store/records/reclaim.h"
#include "store/records/records.h"
#include "store/store.h"
#include "umem_errors.h"
#include "wire/json_write.h"

enum {
    STEPS = 40000, /* from here on, everything must have come about */
    EXTRA = 20,    /* times as many, at most, until it has */
    STEPS_BETWEEN_CHECKS = 100,
    COPIED_AT_ONCE = 5000, /* bytes; so little that many resizes run in slices */
    CLEARED_AT_ONCE = 200, /* likewise, allocations */
    BYTES_LIMIT = 12 * 1024 * 1024,
    BATCH_BYTES = 200000,
    MESSAGE_BYTES = 200000
};

static uint64_t arguments[2] = {20240229, STEPS};

/* ---- callbacks of the engine ---- */

static bool on_reload(void *context, struct um_reload *reload)
{
    (void)context;
    reload->config = "a.conf";
    return true;
}

static void on_shutdown(void *context)
{
    ((struct run *)context)->shutdowns++;
}

static void on_work(void *context)
{
    ((struct run *)context)->work_pending = true;
}

/* ---- messages ---- */

static void remember(struct run *run, int session, const char *text, size_t size, uint64_t payload_size)
{
    snprintf(run->recent[run->recent_count++ % RECENT], sizeof run->recent[0], "%llu session %d +%llu: %.*s",
             (unsigned long long)run->step, session, (unsigned long long)payload_size,
             (int)(size < 500 ? size : 500), text);
}

static void feed(struct run *run, int session, const char *text, size_t size, uint64_t payload_size)
{
    char *copy = malloc(size + 1);

    MUST(copy != NULL);
    memcpy(copy, text, size);
    remember(run, session, text, size, payload_size);
    um_dispatch_message(&run->sessions[session].session, copy, size, payload_size);
    free(copy);
}

static void send_message(struct run *run, int session, struct message *message)
{
    struct payload_receiver *payload_receiver = &run->sessions[session].payload_receiver;

    feed(run, session, message->text.data, message->text.size, message->payload_size);
    predict_message(run, session, message);
    if (payload_receiver->is_on)
        message->payload = NULL;
    if (payload_receiver->batch != NULL)
        payload_receiver->batch->payload = NULL;
    else
        free_message(message);
}

/* A session that may send its next message, or NONE. */
static int some_ready(struct run *run)
{
    int session = some_session(run);
    const struct session *it = &run->sessions[session];

    return um_session_is_ready(&it->session) && it->session.out.size <= run->limits.unsent_bytes ? session
                                                                                                 : NONE;
}

/* Limits are looked at when a message comes, so that every message may have other ones. */
static void choose_limits(struct run *run)
{
    static const uint64_t batch_bytes[] = {10, 300, 3000, BATCH_BYTES};
    static const uint64_t session_bytes[] = {200000, BYTES_LIMIT / 4, BYTES_LIMIT, BYTES_LIMIT};
    static const uint64_t unsent[] = {0, 0, 0, 0, 300000, 396000, 500000, 0};

    run->limits.batch_bytes = batch_bytes[roll(run, 4)];
    run->limits.message_bytes = one_in(run, 8) ? 65536 : MESSAGE_BYTES;
    run->limits.waits = 1 + roll(run, WAITERS / SESSIONS - 1);
    run->limits.watches = 1 + roll(run, WATCHES / SESSIONS - 1);
    run->limits.waits_total = one_in(run, 4) ? 1 + roll(run, WAITERS) : WAITERS;
    run->limits.watches_total = one_in(run, 4) ? 1 + roll(run, WATCHES) : WATCHES;
    run->limits.observers = one_in(run, 4) ? 1 + roll(run, 4) : WATCHES + WAITERS;
    run->limits.unsent_total_bytes = 400000;
    run->limits.gathered_bytes = 100000;
    run->traffic.unsent_bytes = unsent[roll(run, 8)];
    run->traffic.gathered_bytes = one_in(run, 4) ? 99000 : 0;
    run->store->holds_limit = run->limits.holds = one_in(run, 4) ? 1 + roll(run, 10) : 1000;
    run->store->owner_bytes_limit = run->limits.session_bytes = session_bytes[roll(run, 4)];
}

static int do_message(struct run *run)
{
    int session = some_ready(run);
    struct message message;

    if (session == NONE)
        return NONE;
    choose_limits(run);
    generate_message(run, session, &message);
    send_message(run, session, &message);
    MUST(run->store->stats.pinned_bytes == run->model.pinned);
    return session;
}

/* What is no request at all. */
static int do_nonsense(struct run *run)
{
    static const struct {
        const char *text;
        int code;
    } nonsense[] = {
        {"{", UMEM_E_PARSE_ERROR},
        {"5", UMEM_E_INVALID_REQUEST},
        {"{\"method\":7,\"id\":null}", UMEM_E_INVALID_REQUEST},
        {"[]", UMEM_E_INVALID_REQUEST},
        {NULL, UMEM_E_TOO_LARGE},
    };
    static const struct request nothing = {.id = {.kind = ID_NULL}};
    int session = some_ready(run);
    size_t which = (size_t)roll(run, 6);
    struct call call;

    if (session == NONE)
        return NONE;
    if (which == 5) {
        um_dispatch_refuse_limit(&run->sessions[session].session, UMEM_E_TIMEOUT, "it took too long",
                                 "message_ms", 0, 7);
        run->requests++;
        call_init(&call, run, session, &nothing);
        refuse(&call, UMEM_E_TIMEOUT);
        fact_limit(&call, "message_ms", run->limits.message_ms);
        fact_uint(&call, "asked", 7);
        fail_end(&call);
        return session;
    }
    if (nonsense[which].text != NULL)
        feed(run, session, nonsense[which].text, strlen(nonsense[which].text), 0);
    else
        um_dispatch_refuse(&run->sessions[session].session, UMEM_E_TOO_LARGE, "the message is too long");
    run->requests++;
    call_init(&call, run, session, &nothing);
    fail_plain(&call, nonsense[which].code);
    return session;
}

/* ---- other steps ---- */

static int do_work(struct run *run)
{
    run->work_pending = um_rpc_work(run->rpc);
    work(run);
    return NONE;
}

static int do_time(struct run *run)
{
    run->now_ms += roll(run, 120);
    /* It may be set back, too. */
    run->now_s += (int64_t)roll(run, 4) - 1;
    um_rpc_set_time(run->rpc, run->now_s, run->now_ms);
    um_rpc_expire(run->rpc);
    expire(run);
    return NONE;
}

static int do_notify(struct run *run)
{
    int session = some_session(run);

    um_watch_notify(&run->sessions[session].session);
    check_notifications(run, session);
    if (one_in(run, 2))
        send_out(run, session);
    return NONE;
}

static int do_send(struct run *run)
{
    send_out(run, some_session(run));
    return NONE;
}

/* The first session stays open, so that there is always one, unless its end was requested. */
static int do_come_and_go(struct run *run)
{
    int session = (int)roll(run, SESSIONS);

    if (!run->sessions[session].open)
        open_session(run, session);
    else if (run->sessions[session].close_asked || (session != 0 && one_in(run, 8)))
        close_session(run, session);
    if (!run->sessions[0].open) {
        check_step(run, NONE);
        open_session(run, 0);
    }
    return NONE;
}

static const struct action {
    unsigned weight;             /* how often it is done, against the others */
    int (*run)(struct run *run); /* returns the session that it was about, or NONE */
    const char *name;
} actions[] = {
    {60, do_message, "message"},
    {1, do_nonsense, "nonsense"},
    {14, do_piece, "piece"},
    {8, do_work, "work"},
    {6, do_time, "time"},
    {10, do_notify, "notify"},
    {6, do_send, "send"},
    {3, do_come_and_go, "come and go"},
    {10, do_write_behind, "write behind"},
};

/* What the store counts beside blocks: memory for those that are being moved or made, and memory of those that are gone, as long as calls
 * use it. The model follows what becomes of it in the step that comes, so nothing of it may wait to be reclaimed. */
static void note_memory(struct run *run)
{
    const struct um_store *store = run->store;

    while ((store->reserved != 0 || store->stats.pinned_bytes != 0) && um_store_reclaim(run->store, 100000))
        continue;
    run->model.reserved = store->reserved;
    run->model.pinned = store->stats.pinned_bytes;
    run->kept_shared = store->shared_heaps - model_count_shared(run);
    for (int i = 0; i < SESSIONS; i++) {
        struct session *session = &run->sessions[i];

        session->pinned = session->open ? session->session.owner->pinned.bytes : 0;
    }
    for (int i = 0; i < HEAPS; i++) {
        struct um_heap *heap = NULL;

        if (run->model.heaps[i].alive &&
            um_store_find_heap(run->store, run->model.heaps[i].handle, &heap, NULL) == UMEM_OK) {
            run->model.heaps[i].reserved = heap->reserved;
            run->model.heaps[i].is_used = heap->pins != 0;
        }
    }
}

static void do_something(struct run *run)
{
    unsigned weights = 0;
    size_t i = 0;
    uint64_t left;
    int actor;

    note_memory(run);
    run->had_work = um_reclaim_is_pending(run->store);
    /* A turn begins: the top consumer of a limit is looked for anew. */
    um_rpc_set_time(run->rpc, run->now_s, run->now_ms);
    memset(run->top, 0, sizeof run->top);
    for (size_t j = 0; j < sizeof actions / sizeof actions[0]; j++)
        weights += actions[j].weight;
    left = roll(run, weights);
    while (left >= actions[i].weight)
        left -= actions[i++].weight;
    snprintf(run->recent[run->recent_count++ % RECENT], sizeof run->recent[0], "%llu %s",
             (unsigned long long)run->step, actions[i].name);
    actor = actions[i].run(run);
    check_step(run, actor);
    if (run->step % STEPS_BETWEEN_CHECKS == 0)
        check_world(run);
}

/* ---- beginning and end ---- */

static void start(struct run *run)
{
    struct um_store_options store = {.bytes_limit = BYTES_LIMIT,
                                     .blocks_limit = BLOCKS,
                                     .heaps_limit = HEAPS - 1,
                                     .shared_heaps_limit = SHARED_HEAPS,
                                     .seed = arguments[0]};
    struct um_rpc_options options = {
        .limits = &run->limits, .traffic = &run->traffic, .version = "0.0.0", .pipe = "nowhere", .pid = 1};
    struct um_heap_info info;

    run->random = arguments[0] * 2 + 1;
    um_limits_init(&run->limits);
    run->limits.bytes = BYTES_LIMIT;
    run->limits.blocks = BLOCKS;
    run->limits.heaps = HEAPS - 1;
    run->limits.shared_heaps = SHARED_HEAPS;
    run->limits.message_bytes = MESSAGE_BYTES;
    run->limits.payload_bytes = 1 << 20;
    run->limits.batch_requests = BATCH - 1;
    run->limits.batch_bytes = BATCH_BYTES;
    run->limits.unsent_bytes = 3000;
    run->traffic = (struct um_traffic){
        .bytes_read = 12345,
        .bytes_written = 67890,
        .peak_sessions = 11,
        .refused_sessions = 2,
        .peak_unsent_bytes = 22,
        .peak_gathered_bytes = 33,
    };
    run->limits.session_bytes = BYTES_LIMIT;
    assert_int_equal(um_store_new(&store, &run->store), UMEM_OK);
    run->store->copied_at_once = COPIED_AT_ONCE;
    run->store->cleared_at_once = CLEARED_AT_ONCE;
    options.store = run->store;
    options.started = run->now_s = 1000;
    options.events.context = run;
    options.events.reload = on_reload;
    options.events.shutdown = on_shutdown;
    options.events.work_pending = on_work;
    assert_int_equal(um_rpc_new(&options, &run->rpc), UMEM_OK);
    um_heap_get_info(um_store_process_heap(run->store), &info);
    init_model(run);
    model_add_heap(&run->model, 0,
                   &(struct model_heap){.handle = info.heap, .alignment = 16, .name = NAMES - 1});
    for (int i = 0; i < SESSIONS; i++) {
        um_buf_init(&run->sessions[i].direct, SIZE_MAX / 2);
        um_buf_init(&run->sessions[i].raw, SIZE_MAX / 2);
        for (int j = 0; j < LATE; j++)
            um_buf_init(&run->sessions[i].late[j], SIZE_MAX / 2);
    }
    open_session(run, 0);
}

/* A request of one parameter, a handle. */
static void send_release(struct run *run, const char *method, const char *parameter, uint64_t handle)
{
    struct message message = {.count = 1};
    struct request *request = &message.requests[0];

    while (strcmp(entry_at(request->entry)->name, method) != 0)
        request->entry++;
    request->method = method_named(method);
    request->id = (struct id){ID_NUMBER, ++run->last_id};
    give_uint(request, parameter, handle);
    um_buf_init(&message.text, SIZE_MAX / 2);
    write_request(&message.text, request);
    send_message(run, 0, &message);
    check_step(run, 0);
    send_out(run, 0);
}

/* When all sessions are closed and all is freed, nothing is left. */
static void finish(struct run *run)
{
    struct um_store_stats stats;

    for (int i = 0; i < SESSIONS; i++) {
        if (!run->sessions[i].open)
            continue;
        close_session(run, i);
        check_step(run, NONE);
    }
    open_session(run, 0);
    for (int i = 1; i < HEAPS; i++) {
        if (run->model.heaps[i].alive)
            send_release(run, "heap.destroy", "heap", run->model.heaps[i].handle);
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (run->model.blocks[i].alive)
            send_release(run, "block.free", "block", run->model.blocks[i].handle);
    }
    close_session(run, 0);
    while (um_rpc_work(run->rpc))
        continue;
    um_store_get_stats(run->store, &stats);
    MUST(stats.blocks == 0 && stats.bytes == 0 && stats.heaps == 1);
    MUST(stats.orphaned_blocks == 0 && stats.orphaned_bytes == 0);
    MUST(!run->store->observes_all && !run->store->process->observed && run->store->reserved == 0);
    MUST(run->store->process->pins == 0);
    MUST(um_rpc_next_deadline(run->rpc) == UINT64_MAX);
    um_rpc_free(run->rpc);
    um_store_free(run->store);
    for (int i = 0; i < SESSIONS; i++) {
        um_buf_deinit(&run->sessions[i].direct);
        um_buf_deinit(&run->sessions[i].raw);
        for (int j = 0; j < LATE; j++)
            um_buf_deinit(&run->sessions[i].late[j]);
    }
}

static void test_the_engine_and_the_model_agree(void **state)
{
    struct run *run = calloc(1, sizeof *run);
    bool all;

    (void)state;
    assert_non_null(run);
    printf("UMEM_TEST_SEED=%" PRIu64 " UMEM_TEST_STEPS=%" PRIu64 "\n", arguments[0], arguments[1]);
    fflush(stdout);
    check_table();
    start(run);
    for (run->step = 0; run->step < arguments[1]; run->step++)
        do_something(run);
    /* Some results depend on the addresses of blocks, so that rare cases may need a longer run. */
    while (run->step < EXTRA * STEPS && run->step >= STEPS && !has_covered_all(run, false)) {
        for (int i = 0; i < 1000; i++, run->step++)
            do_something(run);
    }
    finish(run);
    all = run->step < STEPS || has_covered_all(run, true);
    free(run);
    assert_true(all);
}

int main(int argc, char **argv)
{
    static const char *const variables[] = {"UMEM_TEST_SEED", "UMEM_TEST_STEPS"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_engine_and_the_model_agree),
    };

    for (int i = 0; i < 2; i++) {
        const char *text = argc > i + 1 ? argv[i + 1] : getenv(variables[i]);

        if (text != NULL)
            arguments[i] = strtoull(text, NULL, 10);
    }
    return cmocka_run_group_tests_name("rpc random", tests, NULL, NULL);
}
