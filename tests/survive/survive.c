/*
 * Kills a daemon at random moments, starts it again, and compares its durable heaps with a model.
 *
 *     survive UMEMD TIMES [SEED [PRELOAD]]
 *
 * What was answered must be there; what was not, wholly or not at all; of a write, any part. A mapping that was made before stays, and is
 * shared with the daemon that came after.
 *
 * With PRELOAD, which is disk_preload.c, the power fails instead: of what was not on the disk, any part is lost. With --sync always the same must be
 * there; with --sync second, the records of one moment since the last flush, and the bytes of blocks that were not touched since. A second
 * client publishes by name meanwhile.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "chance.h"
#include "power_failure.h"
#include "test_process.h"
#include "umem_client.h"

enum {
    BLOCKS = 120,
    LARGEST = 3000, /* bytes of a block */
    MAXIMUM_SIZE = 2 * 1024 * 1024,
    KILLED_WITHIN_MS = 150,
    MOMENTS = 4096,         /* that are remembered; then comes a flush */
    FLUSHED_EVERY = 60,     /* calls, about */
    PUBLISHED = 6,          /* names */
    PUBLISHED_SIZE = 20000, /* bytes, at most */
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
static bool is_always; /* the daemon was started with --sync always */

/* Of power failures. */
static const char *preload; /* NULL: there are none */
static char shadow_path[512];
static struct {
    umem_handle handle;
    uint64_t size;
    char name[NAME_CAPACITY];
} moments[MOMENTS][BLOCKS]; /* the blocks as they were since the last flush, after each call */
static size_t moment_count;
static bool is_touched[BLOCKS]; /* since the last flush: nothing is known of its bytes */

static uint64_t roll(uint64_t sides)
{
    return chance_roll(&chance, sides);
}

#define FAIL(...) \
    (fprintf(stderr, "round %" PRIu64 ", seed %" PRIu64 ", --sync %s: ", round_number, seed, \
             is_always ? "always" : "second"), \
     fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(EXIT_FAILURE))

/* ---- the daemon ---- */

/* Whether a line has a text. */
static bool says(const char *line, const char *text)
{
    const char *found = strstr(line, text);

    return found != NULL && memchr(line, '\n', (size_t)(found - line)) == NULL;
}

/* Whether a log has a warning. After a power failure, heaps are of different moments, and the daemon says so. */
static bool warns(const char *log)
{
    const char *warning = strstr(log, "warning");

    while (warning != NULL) {
        if (preload == NULL || (!says(warning, "is of another moment than other heaps") &&
                                !says(warning, "was destroyed before heap")))
            return true;
        warning = strstr(warning + 1, "warning");
    }
    return false;
}

static void start_daemon(void)
{
    const char *const args[] = {
        umemd,         "--pipe", pipe_name, "--state", state_path, "--sync", is_always ? "always" : "second",
        "--log-level", "debug",  NULL};
    struct umem_options options = {.pipe = pipe_name, .timeout_ms = 30000};

    if (preload != NULL) {
        (void)uv_os_setenv("LD_PRELOAD", preload);
        (void)uv_os_setenv("DISK_DIRECTORY", state_path);
        (void)uv_os_setenv("DISK_SHADOW", shadow_path);
    }
    if (process_start(&process, args, NULL) != 0 || !process_wait_for(&process, "listening on"))
        FAIL("umemd does not start: %s", process.errors);
    if (warns(process.errors))
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

/* All is on the disk. */
static void forget_moments(void)
{
    memset(is_touched, 0, sizeof is_touched);
    moment_count = 0;
}

static void note_moment(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        moments[moment_count][i].handle = blocks[i].handle;
        moments[moment_count][i].size = blocks[i].size;
        memcpy(moments[moment_count][i].name, blocks[i].name, NAME_CAPACITY);
    }
    moment_count++;
}

/* Returns whether it was answered. */
static bool flush(void)
{
    if (!is_answered(umem_heap_flush(client, heap)))
        return false;
    forget_moments();
    note_moment();
    return true;
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

    if (preload != NULL && (moment_count == MOMENTS || roll(FLUSHED_EVERY) == 0) && !flush())
        return false;
    pending.block = block;
    is_touched[block - blocks] = true;
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
    if (done && preload != NULL)
        note_moment();
    return done;
}

static umem_handle make_heap(const char *name)
{
    const struct umem_heap_options options = {.kind = UMEM_HEAP_SHARED,
                                              .lifetime = UMEM_LIFETIME_DURABLE,
                                              .maximum_size = MAXIMUM_SIZE,
                                              .name = name};
    umem_handle made = 0;

    check(umem_heap_create(client, &options, &made), "create");
    return made;
}

/* ---- a client that publishes ---- */

static umem_handle published;
static struct {
    uint64_t version; /* that was answered */
    uint64_t pending; /* that was not; 0: none */
} publications[PUBLISHED];

static size_t publication_size(uint64_t version)
{
    return (size_t)(version * 7919 % PUBLISHED_SIZE) + 8;
}

static unsigned char publication_byte(uint64_t version, size_t at)
{
    return (unsigned char)(version * 31 + at * 7 + (at >> 8));
}

/* Until the daemon has gone. */
static void publish(void *argument)
{
    static unsigned char bytes[PUBLISHED_SIZE + 8];
    static uint64_t version;
    const struct umem_options connect = {.pipe = pipe_name, .timeout_ms = 30000};
    const struct umem_block_options options = {.heap = published};
    umem_client *publisher = umem_client_new(&connect);
    int code = umem_connect(publisher);

    (void)argument;
    while (code == UMEM_OK) {
        size_t which = (size_t)(++version % PUBLISHED);
        size_t size = publication_size(version);
        char name[NAME_CAPACITY];

        snprintf(name, sizeof name, "p-%zu", which);
        for (size_t i = 0; i < size; i++)
            bytes[i] = publication_byte(version, i);
        publications[which].pending = version;
        code = umem_put(publisher, name, bytes, size, &options, NULL);
        if (code == UMEM_OK) {
            publications[which].version = version;
            publications[which].pending = 0;
        }
    }
    umem_client_free(publisher);
}

static bool is_publication(uint64_t version, const unsigned char *bytes, size_t size)
{
    bool is_same = version != 0 && size == publication_size(version);

    for (size_t i = 0; i < size && is_same; i++)
        is_same = bytes[i] == publication_byte(version, i);
    return is_same;
}

/* Nothing is known of them: they go. */
static void forget_publications(void)
{
    check(umem_heap_destroy(client, published, NULL, NULL), "destroy");
    published = make_heap("published");
    check(umem_heap_flush(client, published), "flush");
    memset(publications, 0, sizeof publications);
}

/* Under each name is what was answered, or the next: all of it. */
static void compare_publications(void)
{
    for (size_t i = 0; i < PUBLISHED; i++) {
        char name[NAME_CAPACITY];
        void *bytes = NULL;
        size_t size = 0;
        int code;

        snprintf(name, sizeof name, "p-%zu", i);
        code = umem_get(client, name, &bytes, &size);
        if (code == UMEM_E_UNKNOWN_HANDLE && publications[i].version == 0)
            continue;
        check(code, name);
        if (is_publication(publications[i].pending, bytes, size))
            publications[i].version = publications[i].pending;
        else if (!is_publication(publications[i].version, bytes, size))
            FAIL("%s has %zu other bytes, which are not version %" PRIu64 " or %" PRIu64, name, size,
                 publications[i].version, publications[i].pending);
        publications[i].pending = 0;
        umem_free_bytes(bytes);
    }
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
    bool is_lost = preload != NULL && !is_always && is_touched[block - blocks];

    check(umem_block_read(client, block->handle, 0, bytes, (size_t)block->size), "read");
    for (uint64_t i = 0; i < block->size; i++) {
        if (bytes[i] != block->bytes[i] && !is_lost && !(is_pending && bytes[i] == pending.bytes[i]))
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

static bool is_known(umem_handle block)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].handle == block)
            return true;
    }
    return false;
}

static bool is_found(umem_handle block, const struct umem_block_info *info, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (info[i].block == block)
            return true;
    }
    return false;
}

/* Whether the blocks are those of a moment, but for some that were freed later. */
static bool is_moment(size_t moment, const struct umem_block_info *info, size_t count)
{
    size_t same = 0;

    for (size_t i = 0; i < BLOCKS; i++) {
        umem_handle block = moments[moment][i].handle;

        for (size_t j = 0; j < count && block != 0; j++)
            same += info[j].block == block && info[j].size == moments[moment][i].size &&
                    strcmp(info[j].name, moments[moment][i].name) == 0;
        if (block != 0 && is_known(block) && !is_found(block, info, count))
            return false;
    }
    return same == count;
}

static int on_found(const struct umem_block_info *info, void *context)
{
    struct umem_block_info **next = context;

    *(*next)++ = *info;
    return 0;
}

/* Takes the model back to the moment that the records are of: the latest that there is. One with the call that was not answered is found
 * by compare(). */
static void find_moment(void)
{
    static struct umem_block_info info[2 * BLOCKS];
    const struct umem_block_filter filter = {.heap = heap};
    struct umem_block_info *next = info;
    size_t moment = moment_count;

    check(umem_block_list(client, &filter, on_found, &next), "list");
    while (moment != 0 && !is_moment(moment - 1, info, (size_t)(next - info)))
        moment--;
    if (moment == 0)
        return;
    if (moment != moment_count)
        memset(&pending, 0, sizeof pending);
    for (size_t i = 0; i < BLOCKS; i++) {
        umem_handle block = moments[moment - 1][i].handle;

        blocks[i].handle = is_found(block, info, (size_t)(next - info)) ? block : 0;
        blocks[i].size = moments[moment - 1][i].size;
        memcpy(blocks[i].name, moments[moment - 1][i].name, NAME_CAPACITY);
    }
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

static void map_block(umem_client **mapper)
{
    struct umem_options connect = {.pipe = pipe_name};
    void *bytes = NULL;

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
    is_always = roll(2) == 0;
    start_daemon();
    compare();
    compare_mapping();
}

/* The same with a power failure. */
static void run_round_with_power_failure(void)
{
    uv_thread_t killer;
    uv_thread_t publisher;
    bool was_always = is_always;

    if (uv_thread_create(&publisher, publish, NULL) != 0 ||
        uv_thread_create(&killer, kill_daemon, (void *)(uintptr_t)roll(KILLED_WITHIN_MS)) != 0)
        FAIL("no thread");
    while (step())
        continue;
    uv_thread_join(&killer);
    uv_thread_join(&publisher);
    umem_client_free(client);
    (void)process_finish(&process);
    power_failure(state_path, shadow_path, &chance);
    start_daemon();
    if (!is_always)
        find_moment();
    compare();
    if (is_always)
        compare_publications();
    check(umem_heap_validate(client, published, 0), "validate");
    /* The next one may be another. */
    is_always = roll(2) == 0;
    if (is_always != was_always) {
        check(umem_server_shutdown(client), "shutdown");
        umem_client_free(client);
        (void)process_finish(&process);
        power_failure_remove(shadow_path);
        start_daemon();
    }
    forget_moments();
    note_moment();
    if (!was_always)
        forget_publications();
}

/* The last daemon ends in order, and so does its heap. */
static void finish(umem_client *mapper)
{
    umem_client_free(mapper);
    check(umem_heap_destroy(client, heap, NULL, NULL), "destroy");
    if (preload != NULL)
        check(umem_heap_destroy(client, published, NULL, NULL), "destroy");
    check(umem_server_shutdown(client), "shutdown");
    umem_client_free(client);
    if (process_finish(&process) != 0)
        FAIL("umemd ended with an error: %s", process.errors);
}

/* Removes a directory with what is in it. */
static void remove_directory(const char *path_of_directory)
{
    uv_fs_t request;
    uv_dirent_t entry;

    if (uv_fs_scandir(NULL, &request, path_of_directory, 0, NULL) < 0)
        return;
    while (uv_fs_scandir_next(&request, &entry) == 0) {
        char path[1024];
        uv_fs_t removal;

        snprintf(path, sizeof path, "%s/%s", path_of_directory, entry.name);
        uv_fs_unlink(NULL, &removal, path, NULL);
        uv_fs_req_cleanup(&removal);
    }
    uv_fs_req_cleanup(&request);
    uv_fs_rmdir(NULL, &request, path_of_directory, NULL);
    uv_fs_req_cleanup(&request);
}

static void make_directory(char made[512])
{
    char folder[256];
    size_t size = sizeof folder;
    uv_fs_t request;

    if (uv_os_tmpdir(folder, &size) != 0)
        FAIL("no temporary directory");
    snprintf(made, 512, "%s/umem-survive-XXXXXX", folder);
    if (uv_fs_mkdtemp(NULL, &request, made, NULL) != 0)
        FAIL("no temporary directory");
    snprintf(made, 512, "%s", request.path);
    uv_fs_req_cleanup(&request);
}

int main(int argc, char **argv)
{
    umem_client *mapper = NULL;
    uint64_t times = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

    if (times == 0) {
        fprintf(stderr, "usage: survive UMEMD TIMES [SEED [PRELOAD]]\n");
        return 2;
    }
    umemd = argv[1];
    seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if (seed == 0)
        seed = uv_hrtime() | 1;
    preload = argc > 4 ? argv[4] : NULL;
    chance = seed;
    printf("seed %" PRIu64 "\n", seed);
    pipe_name_make(pipe_name, sizeof pipe_name);
    make_directory(state_path);
    make_directory(shadow_path);
    start_daemon();
    heap = make_heap("kept");
    if (preload != NULL) {
        published = make_heap("published");
        check(umem_heap_flush(client, heap), "flush");
        check(umem_heap_flush(client, published), "flush");
        note_moment();
    } else {
        map_block(&mapper);
    }
    for (round_number = 1; round_number <= times; round_number++) {
        if (preload != NULL)
            run_round_with_power_failure();
        else
            run_round();
    }
    finish(mapper);
    remove_directory(state_path);
    remove_directory(shadow_path);
    pipe_name_remove(pipe_name);
    printf("killed %" PRIu64 " times in %" PRIu64 " calls\n", times, calls);
    return 0;
}
