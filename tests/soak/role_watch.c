/*
 * The role "watch": one process makes blocks in a heap, writes numbers to them and frees them, one block after the
 * other; the other one watches the heap. It must be notified of every change that it can see, of every block's end in
 * order, and of nothing after a block's end.
 */
#include <string.h>

#include "role.h"

enum { CELLS = 16, LOG_MAX = 1200, WRITES_MAX = 40, NUMBER = 0 /* in the log: how many blocks were made */ };

static void open_group(struct soak *supervisor)
{
    struct umem_heap_options heap = {0};
    struct umem_block_options options = {0};
    char name[UMEM_NAME_SIZE];
    umem_handle made;

    heap.name = soak_name(supervisor, "heap", name);
    while (!MADE(supervisor, umem_heap_create(supervisor->client, &heap, &made)))
        soak_pause();
    options.name = soak_name(supervisor, "log", name);
    while (!MADE(supervisor, umem_block_alloc(supervisor->client, (LOG_MAX + 1) * 8, &options, &made)))
        soak_pause();
    soak_make_stop(supervisor);
}

/* The end of the heap notifies the watcher. */
static void left_group(struct soak *supervisor)
{
    char name[UMEM_NAME_SIZE];
    umem_handle heap;
    int code = umem_heap_lookup(supervisor->client, soak_name(supervisor, "heap", name), &heap);

    soak_set_stop(supervisor);
    if (code != UMEM_E_UNKNOWN_HANDLE) {
        EXPECT(supervisor, UMEM_OK, code);
        EXPECT(supervisor, UMEM_OK, umem_heap_destroy(supervisor->client, heap, NULL, NULL));
    }
}

static void close_group(struct soak *supervisor)
{
    EXPECT(supervisor, UMEM_OK, umem_block_free(supervisor->client, soak_find(supervisor, "log")));
    soak_free_stop(supervisor);
}

/* ---- the one that writes ---- */

/* Returns false where the heap was destroyed, as the supervisor has announced. */
static bool done(struct soak *soak, umem_handle stop, int code)
{
    if (code != UMEM_E_STALE_HANDLE) {
        EXPECT(soak, UMEM_OK, code);
        return true;
    }
    REQUIRE(soak, soak_is_stopped(soak, stop));
    return false;
}

static bool write_block(struct soak *soak, umem_handle heap, umem_handle log, umem_handle stop,
                        uint64_t number)
{
    struct umem_block_options options = {.heap = heap};
    uint64_t writes = soak_below(soak, WRITES_MAX);
    umem_handle block;
    int code;

    do {
        code = umem_block_alloc(soak->client, CELLS * 8, &options, &block);
        if (code == UMEM_E_LIMIT_EXCEEDED)
            soak_pause();
    } while (code == UMEM_E_LIMIT_EXCEEDED);
    if (!done(soak, stop, code))
        return false;
    EXPECT(soak, UMEM_OK, umem_block_set(soak->client, log, number * 8, UMEM_TYPE_U64, &block, 1));
    EXPECT(soak, UMEM_OK, umem_block_set(soak->client, log, NUMBER, UMEM_TYPE_U64, &number, 1));
    for (uint64_t i = 1; i <= writes; i++) {
        uint64_t cell = soak_below(soak, CELLS);

        if (!done(soak, stop, umem_block_set(soak->client, block, cell * 8, UMEM_TYPE_U64, &i, 1)))
            return false;
    }
    return done(soak, stop, umem_block_free(soak->client, block));
}

static void run_writer(struct soak *soak, umem_handle heap)
{
    umem_handle log = soak_find(soak, "log");
    umem_handle stop = soak_find(soak, "stop");

    while (soak->step < LOG_MAX && soak_next_step(soak)) {
        if (!write_block(soak, heap, log, stop, soak->step))
            return;
    }
}

/* ---- the one that watches ---- */

struct watcher {
    struct soak *soak;
    umem_handle log;
    umem_handle handles[LOG_MAX + 1]; /* the log, as far as it is known */
    uint64_t known;
    uint64_t freed;          /* the last block of which an event reported the end */
    bool has_begun;          /* of `freed` one is known */
    bool overflow;           /* since the last look */
    bool is_over;            /* an event reported the heap's end */
    bool covered[CELLS];     /* cells of block `looked_at` that events covered since the last look */
    bool was_covered[CELLS]; /* and between the last two */
    umem_handle looked_at;   /* the block that is read, or was read last */
    bool is_first;           /* it is read for the first time */
    uint64_t cells[CELLS];   /* as it was then */
};

static uint64_t number_of(struct watcher *watcher, umem_handle block)
{
    struct soak *soak = watcher->soak;
    uint64_t known = 0;

    for (int i = 0; i < 2; i++) {
        for (uint64_t number = watcher->known; number > 0; number--) {
            if (watcher->handles[number] == block)
                return number;
        }
        /* It was made since the log was read. */
        EXPECT(soak, UMEM_OK, umem_block_get(soak->client, watcher->log, NUMBER, UMEM_TYPE_U64, &known, 1));
        EXPECT(soak, UMEM_OK,
               umem_block_get(soak->client, watcher->log, 8, UMEM_TYPE_U64, watcher->handles + 1,
                              (size_t)known));
        watcher->known = known;
    }
    /* The writer was killed before it noted the block, or has not noted it yet. */
    return 0;
}

static void on_changed(struct watcher *watcher, const struct umem_event *event)
{
    uint64_t number = number_of(watcher, event->block);

    if (number == 0 || (watcher->has_begun && number <= watcher->freed))
        FAIL(watcher->soak, "an event of block %llu came after the event of its end",
             (unsigned long long)number);
    if (event->block != watcher->looked_at)
        return;
    for (uint64_t cell = 0; cell < CELLS; cell++) {
        if (event->offset <= cell * 8 && cell * 8 + 8 <= event->offset + event->size)
            watcher->covered[cell] = true;
    }
}

static void on_freed(struct watcher *watcher, const struct umem_event *event)
{
    uint64_t number = number_of(watcher, event->block);

    if (number == 0 || (watcher->has_begun && number <= watcher->freed) ||
        (watcher->has_begun && !watcher->overflow && number != watcher->freed + 1))
        FAIL(watcher->soak, "the end of block %llu was reported after that of %llu",
             (unsigned long long)number, (unsigned long long)watcher->freed);
    watcher->freed = number;
    watcher->has_begun = true;
}

static void on_event(const struct umem_event *event, void *context)
{
    struct watcher *watcher = context;

    watcher->soak->counters[COUNTER_CHECKS]++;
    switch (event->kind) {
    case UMEM_EVENT_CHANGED:
        on_changed(watcher, event);
        break;
    case UMEM_EVENT_FREED:
        on_freed(watcher, event);
        break;
    case UMEM_EVENT_HEAP_DESTROYED:
        watcher->is_over = true;
        break;
    case UMEM_EVENT_OVERFLOW:
        watcher->overflow = true;
        watcher->has_begun = false;
        break;
    }
}

static void poll_all(struct watcher *watcher, uint32_t timeout_ms)
{
    size_t delivered;

    do {
        EXPECT(watcher->soak, UMEM_OK, umem_poll(watcher->soak->client, timeout_ms, &delivered));
        timeout_ms = 0;
    } while (delivered != 0);
}

/* Every change between two looks was reported by an event before a later request is answered. */
static void compare(struct watcher *watcher, const uint64_t *cells)
{
    for (unsigned cell = 0; cell < CELLS && !watcher->overflow; cell++) {
        if (cells[cell] < watcher->cells[cell])
            FAIL(watcher->soak, "cell %u went back from %llu to %llu", cell,
                 (unsigned long long)watcher->cells[cell], (unsigned long long)cells[cell]);
        if (cells[cell] != watcher->cells[cell] && !watcher->covered[cell] && !watcher->was_covered[cell])
            FAIL(watcher->soak, "cell %u changed from %llu to %llu, and no event came", cell,
                 (unsigned long long)watcher->cells[cell], (unsigned long long)cells[cell]);
    }
}

static void look(struct watcher *watcher)
{
    struct soak *soak = watcher->soak;
    uint64_t cells[CELLS];
    uint64_t known = 0;
    umem_handle block = 0;
    int code;

    EXPECT(soak, UMEM_OK, umem_block_get(soak->client, watcher->log, NUMBER, UMEM_TYPE_U64, &known, 1));
    if (known == 0)
        return;
    EXPECT(soak, UMEM_OK, umem_block_get(soak->client, watcher->log, known * 8, UMEM_TYPE_U64, &block, 1));
    if (block != watcher->looked_at) {
        watcher->looked_at = block;
        watcher->is_first = true;
        memset(watcher->covered, 0, sizeof watcher->covered);
    }
    code = umem_block_get(soak->client, block, 0, UMEM_TYPE_U64, cells, CELLS);
    EXPECT(soak, UMEM_OK, umem_server_ping(soak->client));
    poll_all(watcher, 0);
    if (code == UMEM_E_STALE_HANDLE) {
        if (watcher->has_begun && !watcher->is_over && watcher->freed < known)
            FAIL(soak, "block %llu is freed, and the last end reported is that of %llu",
                 (unsigned long long)known, (unsigned long long)watcher->freed);
        watcher->looked_at = 0;
        return;
    }
    EXPECT(soak, UMEM_OK, code);
    if (!watcher->is_first)
        compare(watcher, cells);
    watcher->is_first = false;
    memcpy(watcher->was_covered, watcher->covered, sizeof watcher->covered);
    memset(watcher->covered, 0, sizeof watcher->covered);
    memcpy(watcher->cells, cells, sizeof cells);
    watcher->overflow = false;
}

static void run_watcher(struct soak *soak, umem_handle heap)
{
    static struct watcher watcher;
    struct umem_watch_target target = {.heap = heap};
    umem_handle stop = soak_find(soak, "stop");
    uint64_t watch;
    int code;

    watcher.soak = soak;
    watcher.log = soak_find(soak, "log");
    code = umem_session_watch(soak->client, &target, on_event, &watcher, &watch);
    if (!done(soak, stop, code))
        return;
    while (!watcher.is_over && !soak_is_stopped(soak, stop) && soak_next_step(soak)) {
        if (soak_chance(soak, 2))
            look(&watcher);
        else
            poll_all(&watcher, (uint32_t)soak_below(soak, 20));
    }
    if (soak_is_stopped(soak, stop)) {
        while (!watcher.is_over && !watcher.overflow)
            poll_all(&watcher, SOAK_HANG_MS);
    }
    EXPECT(soak, UMEM_OK, umem_session_unwatch(soak->client, watch));
}

static void run(struct soak *soak)
{
    char name[UMEM_NAME_SIZE];
    umem_handle heap;
    int code = umem_heap_lookup(soak->client, soak_name(soak, "heap", name), &heap);

    if (code == UMEM_E_UNKNOWN_HANDLE)
        return;
    EXPECT(soak, UMEM_OK, code);
    if (soak->member == 0)
        run_writer(soak, heap);
    else
        run_watcher(soak, heap);
}

const struct role role_watch = {.name = "watch",
                                .members = 2,
                                .steps = 500,
                                .may_be_killed = true,
                                .open = open_group,
                                .left = left_group,
                                .close = close_group,
                                .run = run};
