#include "client_fault_steps.h"

#include <string.h>

/* ---- the daemon ---- */

static int ping(struct plot *plot)
{
    return umem_server_ping(plot->client);
}

static int info(struct plot *plot)
{
    struct umem_server_info *reported = NULL;
    int code = umem_server_info(plot->client, &reported);

    umem_free_server_info(reported);
    return code;
}

static int stats(struct plot *plot)
{
    struct umem_server_stats reported;

    return umem_server_stats(plot->client, &reported);
}

static int discover(struct plot *plot)
{
    char *document = NULL;
    int code = umem_rpc_discover(plot->client, &document);

    umem_free_text(document);
    return code;
}

static int any_method(struct plot *plot)
{
    char *result = NULL;
    int code = umem_call(plot->client, "heap.info", "[\"process\"]", &result);

    umem_free_text(result);
    return code;
}

/* ---- publishing ---- */

enum { PUT_SIZE = 1100000 /* more than a piece */ };

static char published[PUT_SIZE];

static int put_small(struct plot *plot)
{
    return umem_put(plot->client, "p", "small", 5, NULL, NULL);
}

static int get_small(struct plot *plot)
{
    void *bytes = NULL;
    size_t size = 0;
    int code = umem_get(plot->client, "p", &bytes, &size);

    umem_free_bytes(bytes);
    return code;
}

static int put_large(struct plot *plot)
{
    return umem_put(plot->client, "p", published, sizeof published, NULL, NULL);
}

static int get_into(struct plot *plot)
{
    size_t size = 0;

    return umem_get_into(plot->client, "p", published, sizeof published, &size);
}

static int open_block(struct plot *plot)
{
    const struct umem_block_options options = {.name = "p"};
    umem_handle block = 0;

    return umem_block_open(plot->client, 1, &options, &block, NULL);
}

static int free_by_name(struct plot *plot)
{
    return umem_block_free(plot->client, umem_named("p"));
}

/* ---- heaps ---- */

static int create_heap(struct plot *plot)
{
    const struct umem_heap_options options = {.name = "h", .maximum_size = 10000000};

    return umem_heap_create(plot->client, &options, &plot->heap);
}

static int create_shared(struct plot *plot)
{
    const struct umem_heap_options options = {.kind = UMEM_HEAP_SHARED, .maximum_size = 100000};

    return umem_heap_create(plot->client, &options, &plot->shared);
}

static int lookup_heap(struct plot *plot)
{
    umem_handle heap = 0;

    return umem_heap_lookup(plot->client, "h", &heap);
}

static int on_heap(const struct umem_heap_info *heap, void *context)
{
    (void)heap;
    (void)context;
    return 0;
}

static int list_heaps(struct plot *plot)
{
    return umem_heap_list(plot->client, on_heap, NULL);
}

static int validate(struct plot *plot)
{
    return umem_heap_validate(plot->client, plot->heap, 0);
}

static int lock(struct plot *plot)
{
    return umem_heap_lock(plot->client, plot->heap, 10);
}

static int unlock(struct plot *plot)
{
    return umem_heap_unlock(plot->client, plot->heap);
}

/* ---- blocks ---- */

static int alloc(struct plot *plot)
{
    const struct umem_block_options options = {.heap = plot->heap, .name = "b"};

    return umem_block_alloc(plot->client, CLIENT_BYTES, &options, &plot->block);
}

static int lookup_block(struct plot *plot)
{
    umem_handle block = 0;

    return umem_block_lookup(plot->client, "b", &block);
}

static int change(struct plot *plot)
{
    struct umem_block_info reported;

    return umem_block_change(plot->client, plot->block, "c", NULL, &reported);
}

static int hold(struct plot *plot)
{
    uint64_t holders;

    return umem_block_hold(plot->client, plot->block, &holders);
}

static int resize(struct plot *plot)
{
    return umem_block_resize(plot->client, plot->block, 2 * CLIENT_BYTES, 0);
}

static int on_block(const struct umem_block_info *block, void *context)
{
    (void)block;
    (void)context;
    return 0;
}

static int list_blocks(struct plot *plot)
{
    const struct umem_block_filter filter = {.heap = plot->heap};

    return umem_block_list(plot->client, &filter, on_block, NULL);
}

/* ---- bytes ---- */

static int write_bytes(struct plot *plot)
{
    memset(plot->bytes, 'w', sizeof plot->bytes);
    return umem_block_write(plot->client, plot->block, 0, plot->bytes, sizeof plot->bytes);
}

static int read_bytes(struct plot *plot)
{
    int code;

    memset(plot->bytes, 0, sizeof plot->bytes);
    code = umem_block_read(plot->client, plot->block, 0, plot->bytes, sizeof plot->bytes);
    if (code == UMEM_OK && (plot->bytes[0] != 'w' || plot->bytes[sizeof plot->bytes - 1] != 'w'))
        return UMEM_E_CORRUPTED;
    return code;
}

static int set_numbers(struct plot *plot)
{
    static const int32_t numbers[1000] = {1, 2, 3};

    return umem_block_set(plot->client, plot->block, 0, UMEM_TYPE_I32, numbers, 1000);
}

static int get_numbers(struct plot *plot)
{
    int32_t numbers[1000];

    return umem_block_get(plot->client, plot->block, 0, UMEM_TYPE_I32, numbers, 1000);
}

static int find_text(struct plot *plot)
{
    uint64_t found;

    return umem_block_find(plot->client, plot->block, 0, "www", 3, &found);
}

static int wait_for_change(struct plot *plot)
{
    const int32_t not_there = 99;
    int32_t now;

    return umem_block_wait(plot->client, plot->block, 0, UMEM_TYPE_I32, &not_there, 10, &now);
}

/* ---- many calls ---- */

static int submit_all(struct plot *plot, umem_calls *calls)
{
    int32_t number = 5;
    char *result = NULL;
    struct umem_block_info reported;
    umem_handle block = 0;
    int code = umem_submit_block_write(calls, plot->block, 0, plot->bytes, 10000);
    int collected;

    if (code == UMEM_OK)
        code = umem_submit_block_read(calls, plot->block, 0, plot->bytes, 5000);
    if (code == UMEM_OK)
        code = umem_submit_block_info(calls, plot->block, &reported);
    if (code == UMEM_OK)
        code = umem_submit_block_add(calls, plot->block, 0, UMEM_TYPE_I32, &number, NULL, &number);
    if (code == UMEM_OK)
        code = umem_submit_block_lookup(calls, "c", &block);
    if (code == UMEM_OK)
        code = umem_submit_call(calls, "server.info", NULL, &result);
    if (code == UMEM_OK)
        code = umem_calls_send(calls);
    /* The submitted calls are collected, whatever became of the others. */
    collected = umem_calls_count(calls) != 0 ? umem_collect_all(calls) : UMEM_OK;
    umem_free_text(result);
    return code != UMEM_OK ? code : collected;
}

static int calls_of(struct plot *plot, enum umem_calls_kind kind)
{
    umem_calls *calls = umem_calls_new(plot->client, kind);
    int code = submit_all(plot, calls);

    umem_calls_free(calls);
    return code;
}

static int pipeline(struct plot *plot)
{
    return calls_of(plot, UMEM_PIPELINE);
}

static int batch(struct plot *plot)
{
    return calls_of(plot, UMEM_BATCH);
}

/* ---- watches, mappings, objects ---- */

static void on_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

static int watch(struct plot *plot)
{
    const struct umem_watch_target target = {.heap = plot->heap};

    return umem_session_watch(plot->client, &target, on_event, NULL, &plot->watch);
}

static int bring_about(struct plot *plot)
{
    return umem_block_fill(plot->client, plot->block, 0, 1, 10);
}

static int poll_events(struct plot *plot)
{
    size_t delivered;

    return umem_poll(plot->client, 0, &delivered);
}

static int unwatch(struct plot *plot)
{
    return umem_session_unwatch(plot->client, plot->watch);
}

static int alloc_shared(struct plot *plot)
{
    const struct umem_block_options options = {.heap = plot->shared};

    return umem_block_alloc(plot->client, 1000, &options, &plot->place);
}

static int map(struct plot *plot)
{
    void *bytes = NULL;
    uint64_t size;
    int code = umem_map(plot->client, plot->place, &bytes, &size);

    if (code != UMEM_OK)
        return code;
    memset(bytes, 1, (size_t)size);
    return umem_unmap(plot->client, bytes);
}

/* Left mapped until the client is freed. */
static int map_for_long(struct plot *plot)
{
    void *bytes = NULL;
    uint64_t size;

    return umem_map(plot->client, plot->place, &bytes, &size);
}

static int object(struct plot *plot)
{
    umem_memory *memory = NULL;
    int code = umem_memory_alloc(plot->client, plot->heap, 100, &memory);
    int disposed;

    if (code == UMEM_OK)
        code = umem_memory_set(memory, 99, 1);
    disposed = umem_memory_dispose(memory);
    return code != UMEM_OK ? code : disposed;
}

/* ---- the end ---- */

static int destroy(struct plot *plot)
{
    return umem_heap_destroy(plot->client, plot->heap, NULL, NULL);
}

static int destroy_shared(struct plot *plot)
{
    return umem_heap_destroy(plot->client, plot->shared, NULL, NULL);
}

const struct step client_steps[] = {
    {"ping", ping},
    {"info", info},
    {"stats", stats},
    {"discover", discover},
    {"any method", any_method},
    {"create a heap", create_heap},
    {"create a shared heap", create_shared},
    {"look a heap up", lookup_heap},
    {"list heaps", list_heaps},
    {"lock", lock},
    {"alloc", alloc},
    {"unlock", unlock},
    {"validate", validate},
    {"look a block up", lookup_block},
    {"change", change},
    {"hold", hold},
    {"resize", resize},
    {"list blocks", list_blocks},
    {"write", write_bytes},
    {"read", read_bytes},
    {"set numbers", set_numbers},
    {"get numbers", get_numbers},
    {"find", find_text},
    {"wait", wait_for_change},
    {"put", put_small},
    {"get", get_small},
    {"put in pieces", put_large},
    {"get in pieces", get_small},
    {"get into memory", get_into},
    {"open", open_block},
    {"free by name", free_by_name},
    {"pipeline", pipeline},
    {"batch", batch},
    {"watch", watch},
    {"bring something about", bring_about},
    {"poll", poll_events},
    {"unwatch", unwatch},
    {"alloc shared", alloc_shared},
    {"map", map},
    {"map for long", map_for_long},
    {"object", object},
    {"destroy", destroy},
    {"destroy the shared heap", destroy_shared},
    {NULL, NULL},
};
