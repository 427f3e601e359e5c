#include "supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "process_usage.h"
#include "test_process.h"
#include "worker_group.h"

enum { GROUPS_MAX = 16, START_TRIES = 60000, IDLE_TRIES = 60000, LAP_ROUNDS = 3, COMMONS_SIZE = 2 << 20 };

/* Low enough to be met. */
static const char *const limits[] = {
    "sessions=56",
    "message_bytes=256K",
    "payload_bytes=1M",
    "batch_requests=64",
    "batch_bytes=1M",
    "bytes=64M",
    "blocks=2000",
    "heaps=48",
    "shared_heaps=12",
    "unsent_bytes=64K",
    "waits=16",
    "watches=16",
    "turn_requests=16",
    "closing_ms=1000",
    /* However little of the machine there is for a client that is stopped in the middle. */
    "message_ms=3600000",
};

enum { LIMIT_COUNT = sizeof limits / sizeof limits[0] };

static struct supervisor {
    const struct supervisor_options *options;
    uv_loop_t loop;
    uv_process_t daemon;
    uv_signal_t signals[2];
    bool daemon_has_ended;
    int64_t daemon_status;
    int daemon_signal;
    bool is_ending; /* the daemon is to end */
    char pipe[256];
    char program[1024]; /* this one */
    struct soak soak;
    struct group groups[GROUPS_MAX];
    unsigned active;   /* groups that run */
    unsigned to_start; /* in this lap */
    unsigned started;  /* in this lap */
    unsigned lap;
    uint64_t group_number;
    struct group_counts counts;
    struct measure begin; /* before the first lap */
    struct measure first; /* idle, after the first lap */
    struct measure idle;  /* idle, after this lap */
} supervisor;

/* A soak that fails leaves no process behind. */
static void kill_all(void)
{
    for (int i = 0; i < GROUPS_MAX; i++)
        group_kill(&supervisor.groups[i]);
    if (!supervisor.daemon_has_ended && supervisor.daemon.pid != 0)
        uv_process_kill(&supervisor.daemon, SIGKILL);
    if (supervisor.pipe[0] != '\0')
        pipe_name_remove(supervisor.pipe);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    exit(128 + number);
}

static void heed_signal(uv_signal_t *handle, int number)
{
    uv_signal_init(&supervisor.loop, handle);
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

/* ---- the daemon ---- */

static void on_daemon_exit(uv_process_t *process, int64_t status, int signal_number)
{
    supervisor.daemon_has_ended = true;
    supervisor.daemon_status = status;
    supervisor.daemon_signal = signal_number;
    uv_close((uv_handle_t *)process, NULL);
    if (!supervisor.is_ending)
        FAIL(&supervisor.soak, "the daemon has ended with status %lld, signal %d", (long long)status,
             signal_number);
}

static void start_daemon(void)
{
    char *arguments[6 + 2 * LIMIT_COUNT] = {(char *)(uintptr_t)supervisor.options->umemd,
                                            (char *)(uintptr_t) "--pipe", supervisor.pipe,
                                            (char *)(uintptr_t) "--log-level", (char *)(uintptr_t) "error"};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_INHERIT_FD, .data.fd = 2}};
    uv_process_options_t options = {0};
    int code;

    for (int i = 0; i < LIMIT_COUNT; i++) {
        arguments[5 + 2 * i] = (char *)(uintptr_t) "--limit";
        arguments[6 + 2 * i] = (char *)(uintptr_t)limits[i];
    }
    options.file = supervisor.options->umemd;
    options.args = arguments;
    options.stdio = stdio;
    options.stdio_count = 3;
    options.exit_cb = on_daemon_exit;
    code = uv_spawn(&supervisor.loop, &supervisor.daemon, &options);
    if (code != 0)
        FAIL(&supervisor.soak, "cannot start %s: %s", options.file, uv_strerror(code));
}

static void connect_to_daemon(void)
{
    struct umem_options options = {.pipe = supervisor.pipe, .timeout_ms = SOAK_HANG_MS};
    struct soak *soak = &supervisor.soak;
    struct umem_session_info info;

    soak->client = umem_client_new(&options);
    for (int i = 0; umem_connect(soak->client) != UMEM_OK; i++) {
        if (i == START_TRIES)
            FAIL(soak, "cannot connect: %s", umem_last_error(soak->client)->message);
        uv_run(&supervisor.loop, UV_RUN_NOWAIT);
        soak_pause();
    }
    EXPECT(soak, UMEM_OK, umem_server_info(soak->client, &soak->info));
    EXPECT(soak, UMEM_OK, umem_session_info(soak->client, &info));
    soak->session = info.session;
}

static void stop_daemon(void)
{
    supervisor.is_ending = true;
    EXPECT(&supervisor.soak, UMEM_OK, umem_server_shutdown(supervisor.soak.client));
    umem_client_free(supervisor.soak.client);
    umem_free_server_info(supervisor.soak.info);
    uv_run(&supervisor.loop, UV_RUN_DEFAULT);
    if (!supervisor.daemon_has_ended || supervisor.daemon_status != 0 || supervisor.daemon_signal != 0)
        FAIL(&supervisor.soak, "the daemon's end was status %lld, signal %d",
             (long long)supervisor.daemon_status, supervisor.daemon_signal);
}

/* ---- groups ---- */

static const struct role *pick_role(void)
{
    unsigned count = 0;

    if (supervisor.options->role != NULL)
        return role_named(supervisor.options->role);
    while (role_at(count) != NULL)
        count++;
    /* Each in its turn first, then by chance. */
    if (supervisor.started < count)
        return role_at(supervisor.started);
    return role_at((unsigned)soak_below(&supervisor.soak, count));
}

static void start_groups(void);

static void on_group_ended(void *context)
{
    struct group *group = context;

    group->role = NULL;
    supervisor.active--;
    start_groups();
}

static void start_group(struct group *group)
{
    const struct role *role = pick_role();

    group->soak = supervisor.soak;
    group->soak.role = "supervisor of";
    group->soak.random = soak_random(&supervisor.soak) | 1;
    snprintf(group->soak.name, sizeof group->soak.name, "%s-%" PRIu64, role->name, ++supervisor.group_number);
    group->role = role;
    group->loop = &supervisor.loop;
    group->program = supervisor.program;
    group->percent = supervisor.options->percent;
    group->counts = &supervisor.counts;
    group->ended = on_group_ended;
    group->context = group;
    supervisor.active++;
    supervisor.started++;
    group_start(group);
}

static void start_groups(void)
{
    for (unsigned i = 0; i < supervisor.options->groups; i++) {
        if (supervisor.groups[i].role == NULL && supervisor.started < supervisor.to_start)
            start_group(&supervisor.groups[i]);
    }
}

/* ---- laps ---- */

static void make_tally(void)
{
    struct umem_block_options options = {.name = "counters"};

    EXPECT(&supervisor.soak, UMEM_OK,
           umem_block_alloc(supervisor.soak.client, COUNTER_COUNT * sizeof(uint64_t), &options,
                            &supervisor.soak.counters_block));
}

static void make_commons(void)
{
    struct umem_heap_options options = {.name = "commons", .maximum_size = COMMONS_SIZE};
    umem_handle heap;

    EXPECT(&supervisor.soak, UMEM_OK, umem_heap_create(supervisor.soak.client, &options, &heap));
}

static int count_block(const struct umem_block_info *block, void *context)
{
    uint64_t *count = context;

    (void)block;
    ++*count;
    return 0;
}

static void read_stats(struct umem_server_stats *stats)
{
    EXPECT(&supervisor.soak, UMEM_OK, umem_server_stats(supervisor.soak.client, stats));
}

/* Only this process is connected: what exists must be what it has made, and the orphans in the commons. */
static void check_remaining(struct umem_server_stats *stats)
{
    static const struct umem_block_filter orphans = {.orphaned_only = true};
    struct soak *soak = &supervisor.soak;
    uint64_t count = 0;
    umem_handle commons;

    read_stats(stats);
    for (int i = 0; stats->sessions != 1 && i < IDLE_TRIES; i++) {
        soak_pause();
        read_stats(stats);
    }
    if (stats->sessions != 1)
        FAIL(soak, "%" PRIu64 " sessions are open, and one client", stats->sessions);
    EXPECT(soak, UMEM_OK, umem_block_list(soak->client, &orphans, count_block, &count));
    if (count != stats->orphaned_blocks)
        FAIL(soak, "%" PRIu64 " orphans are listed, %" PRIu64 " are counted", count, stats->orphaned_blocks);
    EXPECT(soak, UMEM_OK, umem_heap_lookup(soak->client, "commons", &commons));
    EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, commons, NULL, NULL));
    read_stats(stats);
    if (stats->blocks != 1 || stats->bytes != COUNTER_COUNT * sizeof(uint64_t) || stats->heaps != 1 ||
        stats->orphaned_blocks != 0 || stats->orphaned_bytes != 0)
        FAIL(soak,
             "left behind: %" PRIu64 " blocks of %" PRIu64 " bytes, %" PRIu64 " heaps, %" PRIu64
             " orphans of %" PRIu64 " bytes; the counters alone should be there",
             stats->blocks, stats->bytes, stats->heaps, stats->orphaned_blocks, stats->orphaned_bytes);
}

static void measure_daemon(struct measure *measure)
{
    if (!measure_process((int)supervisor.daemon.pid, measure))
        *measure = (struct measure){0};
}

/* The descriptors of sessions that have ended are closed a moment later. */
static void check_descriptors(void)
{
    measure_daemon(&supervisor.idle);
    for (int i = 0; supervisor.idle.descriptors != supervisor.begin.descriptors && i < IDLE_TRIES; i++) {
        soak_pause();
        measure_daemon(&supervisor.idle);
    }
    if (supervisor.idle.descriptors != supervisor.begin.descriptors)
        FAIL(&supervisor.soak, "%" PRIu64 " descriptors are open, it began with %" PRIu64,
             supervisor.idle.descriptors, supervisor.begin.descriptors);
}

static void run_lap(void)
{
    struct umem_server_stats stats;
    unsigned roles = 0;

    while (role_at(roles) != NULL)
        roles++;
    make_commons();
    supervisor.lap++;
    supervisor.started = 0;
    supervisor.to_start = roles * (supervisor.options->percent < 100 ? 1 : LAP_ROUNDS);
    start_groups();
    while (supervisor.active != 0)
        uv_run(&supervisor.loop, UV_RUN_ONCE);
    check_remaining(&stats);
    check_descriptors();
    if (supervisor.lap == 1)
        supervisor.first = supervisor.idle;
    printf("lap %u: %" PRIu64 " groups, %" PRIu64 " processes, %" PRIu64 " killed; %" PRIu64
           " requests, %" PRIu64 " errors, %" PRIu64 " MiB in, %" PRIu64 " MiB out; at rest %" PRIu64
           " KiB resident, %" PRIu64 " descriptors\n",
           supervisor.lap, supervisor.counts.groups, supervisor.counts.processes, supervisor.counts.killed,
           stats.requests, stats.errors, stats.bytes_read >> 20, stats.bytes_written >> 20,
           supervisor.idle.resident_bytes >> 10, supervisor.idle.descriptors);
    fflush(stdout);
}

static void print_end(void)
{
    uint64_t counters[COUNTER_COUNT];
    struct umem_server_stats stats;

    EXPECT(&supervisor.soak, UMEM_OK,
           umem_block_get(supervisor.soak.client, supervisor.soak.counters_block, 0, UMEM_TYPE_U64, counters,
                          COUNTER_COUNT));
    read_stats(&stats);
    printf("%" PRIu64 " steps, %" PRIu64 " answers compared, %" PRIu64 " bad messages, %" PRIu64
           " stalls, %" PRIu64 " limits met (by those that were not killed)\n",
           counters[COUNTER_STEPS], counters[COUNTER_CHECKS], counters[COUNTER_GARBAGE],
           counters[COUNTER_STALLS], counters[COUNTER_LIMITS]);
    printf("%" PRIu64 " blocks and %" PRIu64
           " heaps of the dead were freed as orphans; most bytes at one time: "
           "%" PRIu64 " MiB\n",
           supervisor.counts.orphans, supervisor.counts.heaps, stats.peak_bytes >> 20);
    printf("resident: %" PRIu64 " KiB at the start, %" PRIu64 " KiB at the first rest, %" PRIu64
           " KiB at the last; descriptors: %" PRIu64 " and %" PRIu64 "\n",
           supervisor.begin.resident_bytes >> 10, supervisor.first.resident_bytes >> 10,
           supervisor.idle.resident_bytes >> 10, supervisor.begin.descriptors, supervisor.idle.descriptors);
    fflush(stdout);
}

int supervise(const struct supervisor_options *options)
{
    size_t size = sizeof supervisor.program;
    uint64_t end_ns = uv_hrtime() + options->minutes * 60 * UINT64_C(1000000000);

    supervisor.options = options;
    supervisor.soak.role = "supervisor";
    supervisor.soak.pipe = supervisor.pipe;
    supervisor.soak.seed = options->seed;
    supervisor.soak.random = options->seed * 2 + 1;
    snprintf(supervisor.soak.name, sizeof supervisor.soak.name, "all");
    if (uv_exepath(supervisor.program, &size) != 0 || uv_loop_init(&supervisor.loop) != 0)
        FAIL(&supervisor.soak, "no path to this program, or no loop");
    pipe_name_make(supervisor.pipe, sizeof supervisor.pipe);
    atexit(kill_all);
    heed_signal(&supervisor.signals[0], SIGINT);
    heed_signal(&supervisor.signals[1], SIGTERM);
    start_daemon();
    connect_to_daemon();
    make_tally();
    measure_daemon(&supervisor.begin);
    while (options->minutes != 0 ? uv_hrtime() < end_ns : supervisor.lap < options->laps)
        run_lap();
    print_end();
    if (options->growth_max != 0 &&
        supervisor.idle.resident_bytes > supervisor.first.resident_bytes + options->growth_max)
        FAIL(&supervisor.soak, "resident memory has grown by more than %" PRIu64 " KiB",
             options->growth_max >> 10);
    stop_daemon();
    return 0;
}
