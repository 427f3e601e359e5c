/*
 * Kills a daemon at random moments, starts it again, and compares its durable heaps with a model.
 *
 *     survive UMEMD TIMES [SEED]
 *
 * What was answered must be there; what was not, wholly or not at all; of a write, any part. A mapping that was made before stays, and is
 * shared with the daemon that came after.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "chance.h"
#include "test_process.h"
#include "umem_client.h"

enum {
    BLOCKS = 120,
    LARGEST = 3000, /* bytes of a block */
    MAXIMUM_SIZE = 2 * 1024 * 1024,
    KILLED_WITHIN_MS = 150,
    GIVEN_LIMIT = 1000000,
    NAME_CAPACITY = 40
};

struct model_block {
    umem_handle handle; /* 0: none */
    uint64_t size;
    char name[NAME_CAPACITY]; /* "": none */
    unsigned char bytes[LARGEST];
};

enum pending_kind { NOTHING, ALLOC, FREE, RESIZE, RENAME, WRITE };

/* The call that was not answered. */
struct pending {
    enum pending_kind kind;
    struct model_block *block;
    uint64_t size;
    char name[NAME_CAPACITY];
    unsigned char bytes[LARGEST];
};

static const char *umemd;
static char pipe_name[128];
static char state_path[512];
static struct process process;
static umem_client *client;
static umem_handle heap;
static struct model_block blocks[BLOCKS];
static struct pending pending;
static uint64_t chance;
static uint64_t seed;
static uint64_t round_number;
static uint64_t calls;
static unsigned char *mapped; /* a block's bytes, over all rounds */
static umem_handle mapped_block;

static uint64_t roll(uint64_t sides)
{
    return chance_roll(&chance, sides);
}

#define FAIL(...) \
    (fprintf(stderr, "round %" PRIu64 ", seed %" PRIu64 ": ", round_number, seed), \
     fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(EXIT_FAILURE))

/* ---- the daemon ---- */

static void start_daemon(void)
{
    const char *const args[] = {umemd,      "--pipe",      pipe_name, "--state",
                                state_path, "--log-level", "debug",   NULL};
    struct umem_options options = {.pipe = pipe_name, .timeout_ms = 30000};

    if (process_start(&process, args, NULL) != 0 || !process_wait_for(&process, "listening on"))
        FAIL("umemd does not start: %s", process.errors);
    if (strstr(process.errors, "warning") != NULL)
        FAIL("umemd warns: %s", process.errors);
    client = umem_client_new(&options);
    if (umem_connect(client) != UMEM_OK)
        FAIL("%s", umem_last_error(client)->message);
}

static void kill_daemon(void *argument)
{
    uv_sleep((unsigned)(uintptr_t)argument);
    (void)uv_kill(process.child.pid, SIGKILL);
}

static void check(int code, const char *what)
{
    if (code != UMEM_OK)
        FAIL("%s: %s", what, umem_last_error(client)->message);
}

/* ---- the load ---- */

/* Whether a call was answered; else the daemon is dead, and the call is pending. */
static bool is_answered(int code)
{
    calls++;
    if (code == UMEM_OK)
        return true;
    if (code != UMEM_E_CONNECTION_LOST)
        FAIL("unexpected: %s: %s", umem_last_error(client)->name, umem_last_error(client)->message);
    return false;
}

static void draw_bytes(unsigned char *bytes, uint64_t size)
{
    unsigned char value = (unsigned char)(1 + roll(255));

    for (uint64_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value + i);
}

static bool alloc(struct model_block *block)
{
    struct umem_block_options options = {.heap = heap};
    umem_handle handle = 0;

    pending.kind = ALLOC;
    pending.size = roll(LARGEST);
    pending.name[0] = '\0';
    if (roll(2) == 0)
        snprintf(pending.name, sizeof pending.name, "b-%" PRIu64, calls);
    options.name = pending.name[0] != '\0' ? pending.name : NULL;
    if (!is_answered(umem_block_alloc(client, pending.size, &options, &handle)))
        return false;
    memset(block, 0, sizeof *block);
    block->handle = handle;
    block->size = pending.size;
    memcpy(block->name, pending.name, sizeof block->name);
    return true;
}

static bool write_block(struct model_block *block)
{
    pending.kind = WRITE;
    memcpy(pending.bytes, block->bytes, sizeof pending.bytes);
    draw_bytes(pending.bytes, block->size);
    if (!is_answered(umem_block_write(client, block->handle, 0, pending.bytes, (size_t)block->size)))
        return false;
    memcpy(block->bytes, pending.bytes, sizeof block->bytes);
    return true;
}

static void set_size(struct model_block *block, uint64_t size)
{
    if (size > block->size)
        memset(block->bytes + block->size, 0, (size_t)(size - block->size));
    block->size = size;
}

static bool resize(struct model_block *block)
{
    pending.kind = RESIZE;
    pending.size = roll(LARGEST);
    if (!is_answered(umem_block_resize(client, block->handle, pending.size, 0)))
        return false;
    set_size(block, pending.size);
    return true;
}

static bool rename_block(struct model_block *block)
{
    pending.kind = RENAME;
    pending.name[0] = '\0';
    if (roll(2) == 0)
        snprintf(pending.name, sizeof pending.name, "r-%" PRIu64, calls);
    if (!is_answered(umem_block_change(client, block->handle, pending.name, NULL, NULL)))
        return false;
    memcpy(block->name, pending.name, sizeof block->name);
    return true;
}

static bool free_block(struct model_block *block)
{
    pending.kind = FREE;
    if (!is_answered(umem_block_free(client, block->handle)))
        return false;
    memset(block, 0, sizeof *block);
    return true;
}

/* Returns whether the daemon has answered. */
static bool step(void)
{
    struct model_block *block = &blocks[roll(BLOCKS)];
    bool done;

    pending.block = block;
    if (block->handle == 0)
        done = alloc(block);
    else if (roll(2) == 0)
        done = write_block(block);
    else if (roll(3) == 0)
        done = rename_block(block);
    else if (block->handle == mapped_block)
        done = true;
    else if (roll(2) == 0)
        done = resize(block);
    else
        done = free_block(block);
    if (done)
        pending.kind = NOTHING;
    return done;
}

/* ---- comparing ---- */

/* A block that the model does not know must be the one whose allocation was not answered. */
static int on_block(const struct umem_block_info *info, void *context)
{
    size_t *count = context;

    ++*count;
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].handle == info->block)
            return 0;
    }
    if (pending.kind != ALLOC || info->size != pending.size || strcmp(info->name, pending.name) != 0)
        FAIL("there is a block %" PRIu64 " of %" PRIu64 " bytes that nobody has", info->block, info->size);
    memset(pending.block, 0, sizeof *pending.block);
    pending.block->handle = info->block;
    pending.block->size = info->size;
    memcpy(pending.block->name, pending.name, sizeof pending.name);
    pending.kind = NOTHING;
    return 0;
}

/* What was not answered is there or not: the model takes over which. */
static void resolve(const struct umem_block_info *info, struct model_block *block)
{
    if (pending.block != block)
        return;
    if (pending.kind == RESIZE && info->size == pending.size)
        set_size(block, pending.size);
    if (pending.kind == RENAME && strcmp(info->name, pending.name) == 0)
        memcpy(block->name, pending.name, sizeof block->name);
}

static void compare_bytes(struct model_block *block)
{
    unsigned char bytes[LARGEST];
    bool is_pending = pending.kind == WRITE && pending.block == block;

    check(umem_block_read(client, block->handle, 0, bytes, (size_t)block->size), "read");
    for (uint64_t i = 0; i < block->size; i++) {
        if (bytes[i] != block->bytes[i] && !(is_pending && bytes[i] == pending.bytes[i]))
            FAIL("block %" PRIu64 " of %" PRIu64 " bytes has %u at %" PRIu64 ", not %u", block->handle,
                 block->size, bytes[i], i, block->bytes[i]);
        block->bytes[i] = bytes[i];
    }
}

static void compare_block(struct model_block *block)
{
    struct umem_block_info info;
    int code = umem_block_info(client, block->handle, &info);

    if (code == UMEM_E_STALE_HANDLE && pending.kind == FREE && pending.block == block) {
        memset(block, 0, sizeof *block);
        return;
    }
    check(code, "info");
    resolve(&info, block);
    if (info.size != block->size || strcmp(info.name, block->name) != 0)
        FAIL("block %" PRIu64 " has %" PRIu64 " bytes and the name \"%s\", not %" PRIu64 " and \"%s\"",
             block->handle, info.size, info.name, block->size, block->name);
    compare_bytes(block);
}

static void compare(void)
{
    const struct umem_block_filter filter = {.heap = heap};
    size_t listed = 0;
    size_t known = 0;
    struct umem_heap_info info;

    check(umem_heap_info(client, heap, &info), "heap info");
    if (info.lifetime != UMEM_LIFETIME_DURABLE || info.corrupted || strcmp(info.name, "kept") != 0)
        FAIL("the heap is not as it was");
    check(umem_block_list(client, &filter, on_block, &listed), "list");
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].handle != 0)
            compare_block(&blocks[i]);
        known += blocks[i].handle != 0;
    }
    if (listed != known)
        FAIL("%zu blocks are there, not %zu", listed, known);
    check(umem_heap_validate(client, heap, 0), "validate");
    memset(&pending, 0, sizeof pending);
}

/* The mapping of the first round is shared with the daemon of this one. */
static void compare_mapping(void)
{
    struct model_block *block = NULL;

    for (size_t i = 0; i < BLOCKS && block == NULL; i++)
        block = blocks[i].handle == mapped_block ? &blocks[i] : NULL;
    if (block == NULL)
        FAIL("the mapped block is gone");
    if (memcmp(mapped, block->bytes, (size_t)block->size) != 0)
        FAIL("the mapping shows other bytes than the daemon");
    draw_bytes(block->bytes, block->size);
    memcpy(mapped, block->bytes, (size_t)block->size);
    compare_bytes(block);
}

/* ---- rounds ---- */

static void make_heap(umem_client **mapper)
{
    const struct umem_heap_options options = {.kind = UMEM_HEAP_SHARED,
                                              .lifetime = UMEM_LIFETIME_DURABLE,
                                              .maximum_size = MAXIMUM_SIZE,
                                              .name = "kept"};
    struct umem_options connect = {.pipe = pipe_name};
    void *bytes = NULL;

    check(umem_heap_create(client, &options, &heap), "create");
    pending.block = &blocks[0];
    if (!alloc(&blocks[0]) || !write_block(&blocks[0]))
        FAIL("the daemon has gone");
    memset(&pending, 0, sizeof pending);
    mapped_block = blocks[0].handle;
    *mapper = umem_client_new(&connect);
    check(umem_connect(*mapper), "connect");
    check(umem_map(*mapper, mapped_block, &bytes, NULL), "map");
    mapped = bytes;
}

static void run_round(void)
{
    uv_thread_t killer;

    if (uv_thread_create(&killer, kill_daemon, (void *)(uintptr_t)roll(KILLED_WITHIN_MS)) != 0)
        FAIL("no thread");
    while (step())
        continue;
    uv_thread_join(&killer);
    umem_client_free(client);
    (void)process_finish(&process);
    start_daemon();
    compare();
    compare_mapping();
}

/* The last daemon ends in order, and so does its heap. */
static void finish(umem_client *mapper)
{
    umem_client_free(mapper);
    check(umem_heap_destroy(client, heap, NULL, NULL), "destroy");
    check(umem_server_shutdown(client), "shutdown");
    umem_client_free(client);
    if (process_finish(&process) != 0)
        FAIL("umemd ended with an error: %s", process.errors);
}

/* Removes the directory with what is in it. */
static void remove_state(void)
{
    uv_fs_t request;
    uv_dirent_t entry;

    if (uv_fs_scandir(NULL, &request, state_path, 0, NULL) < 0)
        return;
    while (uv_fs_scandir_next(&request, &entry) == 0) {
        char path[1024];
        uv_fs_t removal;

        snprintf(path, sizeof path, "%s/%s", state_path, entry.name);
        uv_fs_unlink(NULL, &removal, path, NULL);
        uv_fs_req_cleanup(&removal);
    }
    uv_fs_req_cleanup(&request);
    uv_fs_rmdir(NULL, &request, state_path, NULL);
    uv_fs_req_cleanup(&request);
}

static void make_state(void)
{
    char folder[256];
    size_t size = sizeof folder;
    uv_fs_t request;

    if (uv_os_tmpdir(folder, &size) != 0)
        FAIL("no temporary directory");
    snprintf(state_path, sizeof state_path, "%s/umem-survive-XXXXXX", folder);
    if (uv_fs_mkdtemp(NULL, &request, state_path, NULL) != 0)
        FAIL("no temporary directory");
    snprintf(state_path, sizeof state_path, "%s", request.path);
    uv_fs_req_cleanup(&request);
}

int main(int argc, char **argv)
{
    umem_client *mapper = NULL;
    uint64_t times = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    if (times == 0) {
        fprintf(stderr, "usage: survive UMEMD TIMES [SEED]\n");
        return 2;
    }
    umemd = argv[1];
    seed = argc > 3 ? strtoull(argv[3], NULL, 10) : uv_hrtime() | 1;
    chance = seed;
    printf("seed %" PRIu64 "\n", seed);
    pipe_name_make(pipe_name, sizeof pipe_name);
    make_state();
    start_daemon();
    make_heap(&mapper);
    for (round_number = 1; round_number <= times; round_number++)
        run_round();
    finish(mapper);
    remove_state();
    pipe_name_remove(pipe_name);
    printf("killed %" PRIu64 " times in %" PRIu64 " calls\n", times, calls);
    return 0;
}
