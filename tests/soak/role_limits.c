/* The role "limits": reaches each limit of the daemon and tries one more. Limits that others use, too, may be reached
 * sooner; those of each session alone must be reached exactly. Everything is freed with the session, also where it is
 * killed. */
#include <stdlib.h>
#include <string.h>

#include "raw_client.h"
#include "role.h"

enum { LARGE = 4 << 20, KEPT_MAX = 4096 };

static umem_handle kept[KEPT_MAX];

/* Allocates until it is refused, and frees all again. */
static void fill_up(struct soak *soak, uint64_t size, uint64_t limit)
{
    struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    unsigned count = 0;
    int code = UMEM_OK;

    if (limit >= KEPT_MAX)
        return;
    while (count <= limit && code == UMEM_OK) {
        code = umem_block_alloc(soak->client, size, &options, &kept[count]);
        if (MADE(soak, code))
            count++;
    }
    REQUIRE(soak, count <= limit);
    while (count != 0)
        EXPECT(soak, UMEM_OK, umem_block_free(soak->client, kept[--count]));
}

static void heaps(struct soak *soak, enum umem_heap_kind kind, uint64_t limit)
{
    struct umem_heap_options options = {
        .lifetime = UMEM_LIFETIME_SESSION, .kind = kind, .maximum_size = 65536};
    unsigned count = 0;
    int code = UMEM_OK;

    if (limit >= KEPT_MAX)
        return;
    while (count <= limit && code == UMEM_OK) {
        code = umem_heap_create(soak->client, &options, &kept[count]);
        if (MADE(soak, code))
            count++;
    }
    REQUIRE(soak, count <= limit);
    while (count != 0)
        EXPECT(soak, UMEM_OK, umem_heap_destroy(soak->client, kept[--count], NULL, NULL));
}

static void on_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

static void watches(struct soak *soak)
{
    uint64_t limit = soak_limit(soak, "watches");
    uint64_t *watch;
    uint64_t one_more;

    if (limit >= KEPT_MAX)
        return;
    watch = calloc((size_t)limit + 1, sizeof *watch);
    for (uint64_t i = 0; i < limit; i++)
        EXPECT(soak, UMEM_OK, umem_session_watch(soak->client, NULL, on_event, NULL, &watch[i]));
    EXPECT(soak, UMEM_E_LIMIT_EXCEEDED, umem_session_watch(soak->client, NULL, on_event, NULL, &one_more));
    soak_check_limit(soak, soak->client);
    EXPECT(soak, UMEM_OK, umem_poll(soak->client, 0, NULL));
    for (uint64_t i = 0; i < limit; i++)
        EXPECT(soak, UMEM_OK, umem_session_unwatch(soak->client, watch[i]));
    free(watch);
}

/* As many calls wait as the limit allows, then the block is freed, and the calls end. */
static void waits(struct soak *soak)
{
    struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    uint64_t limit = soak_limit(soak, "waits");
    uint64_t zero = 0;
    umem_handle block;
    umem_calls *calls;

    if (limit >= KEPT_MAX || !MADE(soak, umem_block_alloc(soak->client, 8, &options, &block)))
        return;
    calls = umem_calls_new(soak->client, UMEM_PIPELINE);
    for (uint64_t i = 0; i < limit + 2; i++) {
        if (umem_submit_block_wait(calls, block, 0, UMEM_TYPE_U64, &zero, UMEM_FOREVER, NULL) != UMEM_OK)
            FAIL(soak, "cannot submit");
    }
    if (umem_submit_block_free(calls, block) != UMEM_OK)
        FAIL(soak, "cannot submit");
    for (uint64_t i = 0; i < limit; i++)
        EXPECT(soak, UMEM_E_STALE_HANDLE, umem_collect(calls));
    EXPECT(soak, UMEM_E_LIMIT_EXCEEDED, umem_collect(calls));
    soak_check_limit(soak, soak->client);
    EXPECT(soak, UMEM_E_LIMIT_EXCEEDED, umem_collect(calls));
    EXPECT(soak, UMEM_OK, umem_collect(calls));
    umem_calls_free(calls);
}

/* Connections until one is refused with a line. */
static void sessions(struct soak *soak)
{
    static struct raw raws[128];
    uint64_t limit = soak_limit(soak, "sessions");
    unsigned count = 0;
    bool is_served = true;

    if (limit >= sizeof raws / sizeof raws[0])
        return;
    while (is_served && count <= limit) {
        is_served = raw_open(&raws[count], soak);
        if (is_served) {
            wire_send(&raws[count].wire, "{\"id\":1,\"method\":\"server.ping\"}\n");
            is_served = raw_expect_result(&raws[count], 1);
        }
        count++;
    }
    REQUIRE(soak, !is_served);
    soak->counters[COUNTER_LIMITS]++;
    while (count != 0)
        raw_close(&raws[--count]);
}

static void run(struct soak *soak)
{
    while (soak_next_step(soak)) {
        switch (soak_below(soak, 7)) {
        case 0:
            fill_up(soak, soak_below(soak, 64), soak_limit(soak, "blocks"));
            break;
        case 1:
            fill_up(soak, LARGE, soak_limit(soak, "bytes") / LARGE);
            break;
        case 2:
            heaps(soak, UMEM_HEAP_PRIVATE, soak_limit(soak, "heaps"));
            break;
        case 3:
            heaps(soak, UMEM_HEAP_SHARED, soak_limit(soak, "shared_heaps"));
            break;
        case 4:
            watches(soak);
            break;
        case 5:
            waits(soak);
            break;
        default:
            sessions(soak);
        }
    }
}

const struct role role_limits = {
    .name = "limits", .members = 1, .steps = 24, .may_be_killed = true, .run = run};
