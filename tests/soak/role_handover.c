/*
 * The roles "handover" and "relay": two processes, of which one puts bytes into a block and the other takes them out,
 * each waiting for the other by block.wait. In a handover all bytes are carried by requests; in a relay the block is
 * mapped, and block.wake reports what was written there.
 */
#include <string.h>

#include "role.h"

enum {
    HEAD = 0, /* the last number that was put there */
    TAIL = 8, /* the last one that was taken out */
    SIZE = 16,
    BYTES = 24,
    BYTES_MAX = 8000,
    WAIT_MS = 300
};

struct place {
    struct soak *soak;
    umem_handle block;
    umem_handle stop;      /* the block that announces the group's end */
    unsigned char *mapped; /* NULL: all bytes are carried by requests */
};

static void make(struct soak *supervisor, enum umem_heap_kind kind)
{
    struct umem_heap_options heap = {.maximum_size = 65536, .kind = kind};
    struct umem_block_options options = {0};
    char name[UMEM_NAME_SIZE];
    umem_handle block;

    heap.name = soak_name(supervisor, "heap", name);
    while (!MADE(supervisor, umem_heap_create(supervisor->client, &heap, &options.heap))) {
        /* Its members then find that it cannot be mapped. */
        heap.kind = UMEM_HEAP_PRIVATE;
        soak_pause();
    }
    options.name = soak_name(supervisor, "data", name);
    while (!MADE(supervisor, umem_block_alloc(supervisor->client, BYTES + BYTES_MAX, &options, &block)))
        soak_pause();
    soak_make_stop(supervisor);
}

static void open_handover(struct soak *supervisor)
{
    make(supervisor, UMEM_HEAP_PRIVATE);
}

static void open_relay(struct soak *supervisor)
{
    make(supervisor, UMEM_HEAP_SHARED);
}

/* One alone would wait for ever: it learns that by the block's end. */
static void left_group(struct soak *supervisor)
{
    umem_handle block = soak_find(supervisor, "data");

    soak_set_stop(supervisor);
    if (block != 0)
        EXPECT(supervisor, UMEM_OK, umem_block_free(supervisor->client, block));
}

static void close_group(struct soak *supervisor)
{
    char name[UMEM_NAME_SIZE];
    umem_handle heap;
    uint64_t blocks;

    EXPECT(supervisor, UMEM_OK,
           umem_heap_lookup(supervisor->client, soak_name(supervisor, "heap", name), &heap));
    EXPECT(supervisor, UMEM_OK, umem_heap_destroy(supervisor->client, heap, &blocks, NULL));
    REQUIRE(supervisor, blocks == 0);
    soak_free_stop(supervisor);
}

/* Whether a call was done. The block may have been freed, but only after the supervisor has announced it. */
static bool done(struct place *place, int code)
{
    if (code != UMEM_E_STALE_HANDLE) {
        EXPECT(place->soak, UMEM_OK, code);
        return true;
    }
    REQUIRE(place->soak, soak_is_stopped(place->soak, place->stop));
    return false;
}

/* Waits until the other one has come to `number`. Returns false where the group ends. */
static bool wait_for(struct place *place, uint64_t offset, uint64_t number)
{
    uint64_t before = number - 1;
    uint64_t now = 0;
    int code;

    do {
        if (place->mapped != NULL) {
            memcpy(&now, place->mapped + offset, sizeof now);
            if (now == number)
                return true;
        }
        code =
            umem_block_wait(place->soak->client, place->block, offset, UMEM_TYPE_U64, &before, WAIT_MS, &now);
    } while (code == UMEM_E_TIMEOUT);
    if (!done(place, code))
        return false;
    REQUIRE(place->soak, now == number);
    return true;
}

static bool tell(struct place *place, uint64_t offset, uint64_t number)
{
    if (place->mapped == NULL)
        return done(place,
                    umem_block_set(place->soak->client, place->block, offset, UMEM_TYPE_U64, &number, 1));
    memcpy(place->mapped + offset, &number, sizeof number);
    return done(place, umem_block_wake(place->soak->client, place->block, offset, sizeof number));
}

/* The bytes that belong to a number; both processes know them. */
static uint64_t bytes_of(const struct soak *soak, uint64_t number, unsigned char *bytes)
{
    struct soak sequence = {.random = number * 2 + 1};
    uint64_t size;

    (void)soak;
    soak_random(&sequence);
    size = soak_below(&sequence, BYTES_MAX);
    soak_random_bytes(&sequence, bytes, (size_t)size);
    return size;
}

static bool put(struct place *place, uint64_t number)
{
    unsigned char bytes[BYTES_MAX];
    uint64_t size = bytes_of(place->soak, number, bytes);

    if (place->mapped != NULL) {
        memcpy(place->mapped + SIZE, &size, sizeof size);
        memcpy(place->mapped + BYTES, bytes, (size_t)size);
    } else if (!done(place,
                     umem_block_set(place->soak->client, place->block, SIZE, UMEM_TYPE_U64, &size, 1)) ||
               !done(place,
                     umem_block_write(place->soak->client, place->block, BYTES, bytes, (size_t)size))) {
        return false;
    }
    return tell(place, HEAD, number) && wait_for(place, TAIL, number);
}

static bool take(struct place *place, uint64_t number)
{
    unsigned char bytes[BYTES_MAX];
    unsigned char found[BYTES_MAX];
    uint64_t size = bytes_of(place->soak, number, bytes);
    uint64_t found_size = 0;

    if (!wait_for(place, HEAD, number))
        return false;
    /* What was written through a mapping is seen by requests, too. */
    if (!done(place,
              umem_block_get(place->soak->client, place->block, SIZE, UMEM_TYPE_U64, &found_size, 1)) ||
        !done(place, umem_block_read(place->soak->client, place->block, BYTES, found, (size_t)size)))
        return false;
    REQUIRE(place->soak, found_size == size && memcmp(found, bytes, (size_t)size) == 0);
    if (place->mapped != NULL && memcmp(place->mapped + BYTES, bytes, (size_t)size) != 0) {
        /* The memory may have been returned meanwhile: then the block is freed. */
        struct umem_block_info info;

        if (done(place, umem_block_info(place->soak->client, place->block, &info)))
            FAIL(place->soak, "the mapping has other bytes than block.read gave");
        return false;
    }
    return tell(place, TAIL, number);
}

static void run(struct soak *soak)
{
    struct place place = {.soak = soak, .block = soak_find(soak, "data"), .stop = soak_find(soak, "stop")};
    void *mapped = NULL;
    uint64_t size;
    bool goes_on = place.block != 0;

    if (goes_on && soak->role == role_relay.name) {
        int code = umem_map(soak->client, place.block, &mapped, &size);

        if (code == UMEM_OK)
            place.mapped = mapped;
        else if (code != UMEM_E_UNSUPPORTED)
            goes_on = done(&place, code);
    }
    while (goes_on && soak_next_step(soak))
        goes_on = soak->member == 0 ? put(&place, soak->step) : take(&place, soak->step);
    if (mapped != NULL)
        EXPECT(soak, UMEM_OK, umem_unmap(soak->client, mapped));
}

const struct role role_handover = {.name = "handover",
                                   .members = 2,
                                   .steps = 600,
                                   .may_be_killed = true,
                                   .open = open_handover,
                                   .left = left_group,
                                   .close = close_group,
                                   .run = run};

const struct role role_relay = {.name = "relay",
                                .members = 2,
                                .steps = 900,
                                .may_be_killed = true,
                                .open = open_relay,
                                .left = left_group,
                                .close = close_group,
                                .run = run};
