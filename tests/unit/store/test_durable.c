/* Durable heaps beside a model: stores that end, in order or not, and others that come after them with the same directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../model/chance.h"
#include "store/journal/state_directory.h"
#include "store/records/durable.h"
#include "store/store.h"
#include "temp_directory.h"
#include "umem_errors.h"

enum {
    BLOCKS = 64,
    HEAPS = 3,
    LIVES = 15,
    STEPS = 300,
    HANDLES = 100000,          /* that are ever given out */
    LARGEST = 6000,            /* bytes of a block */
    MAXIMUM_SIZE = 1024 * 1024 /* bytes of a heap */
};

struct model_block {
    um_handle handle; /* 0: none */
    um_handle heap;
    uint64_t size;
    uint64_t seed;  /* of its bytes */
    uint64_t owner; /* the session's number */
    char name[32];  /* "": none */
    bool is_session;
};

struct world {
    char path[TEMP_DIRECTORY_CAPACITY];
    struct um_state_directory *directory;
    struct um_store *store;
    struct um_owner *owner;
    uint64_t owner_id;
    uint64_t chance;
    um_handle heaps[HEAPS]; /* 0: none */
    struct model_block blocks[BLOCKS];
    um_handle given[HANDLES]; /* all handles of blocks that were ever given out */
    size_t given_count;
    unsigned reports;
    char report[1024];
    bool has_power_failures; /* the store uses `losing` */
    bool is_always;
};

static struct world world;

static uint64_t roll(uint64_t sides)
{
    return chance_roll(&world.chance, sides);
}

static void on_report(void *context, const char *text)
{
    (void)context;
    /* After a power failure, heaps may be of two moments. */
    world.reports += !world.has_power_failures || strstr(text, "is of another moment") == NULL;
    snprintf(world.report, sizeof world.report, "%s", text);
}

/* ---- a directory that loses what was not synced ---- */

enum { FILES = 32, SECTOR = 512 };

/* A file of the directory, as it was when it was synced last. */
struct synced {
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_file *file; /* opened last with this name */
    unsigned char *bytes; /* NULL: never synced */
    uint64_t size;
};

static struct losing {
    struct um_files files;
    struct synced row[FILES];
    size_t count;
    const char *fails;      /* syncs of files whose name has this at its end fail; NULL: none */
    const char *unwritable; /* likewise writes */
    size_t removed;         /* files, so far */
    size_t synced;          /* likewise, and the names */
} losing;

static struct um_files *real_files(void)
{
    return um_state_directory_files(world.directory);
}

static void note_opened(const char *name, struct um_file *file)
{
    size_t i = 0;

    while (i < losing.count && strcmp(losing.row[i].name, name) != 0)
        i++;
    assert_true(i < FILES);
    losing.count += i == losing.count;
    snprintf(losing.row[i].name, sizeof losing.row[i].name, "%s", name);
    losing.row[i].file = file;
}

static enum um_file_status losing_create(struct um_files *files, const char *name, struct um_file **file)
{
    enum um_file_status status = real_files()->ops->create(real_files(), name, file);

    (void)files;
    if (status == UM_FILE_OK)
        note_opened(name, *file);
    return status;
}

static enum um_file_status losing_open(struct um_files *files, const char *name, struct um_file **file)
{
    enum um_file_status status = real_files()->ops->open(real_files(), name, file);

    (void)files;
    if (status == UM_FILE_OK)
        note_opened(name, *file);
    return status;
}

static void losing_close(struct um_file *file)
{
    for (size_t i = 0; i < losing.count; i++) {
        if (losing.row[i].file == file)
            losing.row[i].file = NULL;
    }
    real_files()->ops->close(file);
}

static struct synced *synced_of(const struct um_file *file)
{
    struct synced *synced = losing.row;

    while (synced->file != file)
        synced++;
    return synced;
}

static enum um_file_status losing_write(struct um_file *file, uint64_t offset, const void *bytes, size_t size)
{
    if (losing.unwritable != NULL && strstr(synced_of(file)->name, losing.unwritable) != NULL)
        return UM_FILE_FAILED;
    return real_files()->ops->write(file, offset, bytes, size);
}

static enum um_file_status losing_sync(struct um_file *file)
{
    const struct um_files_ops *real = real_files()->ops;
    struct synced *synced = synced_of(file);

    losing.synced++;
    if (losing.fails != NULL && strstr(synced->name, losing.fails) != NULL)
        return UM_FILE_FAILED;
    assert_int_equal(real->get_size(file, &synced->size), UM_FILE_OK);
    free(synced->bytes);
    synced->bytes = malloc((size_t)synced->size);
    assert_non_null(synced->bytes);
    return real->read(file, 0, synced->bytes, (size_t)synced->size);
}

static enum um_file_status losing_remove(struct um_files *files, const char *name)
{
    (void)files;
    losing.removed++;
    return real_files()->ops->remove(real_files(), name);
}

static enum um_file_status losing_sync_names(struct um_files *files)
{
    (void)files;
    losing.synced++;
    return UM_FILE_OK;
}

static enum um_file_status losing_list(struct um_files *files, void (*each)(void *context, const char *name),
                                       void *context)
{
    (void)files;
    return real_files()->ops->list(real_files(), each, context);
}

static struct um_files *losing_files(void)
{
    static struct um_files_ops ops;

    ops = *real_files()->ops;
    ops.create = losing_create;
    ops.open = losing_open;
    ops.close = losing_close;
    ops.write = losing_write;
    ops.sync = losing_sync;
    ops.remove = losing_remove;
    ops.sync_names = losing_sync_names;
    ops.list = losing_list;
    losing.files.ops = &ops;
    return &losing.files;
}

/* Of the sectors that were not synced, some are as they were when they were. */
static void lose_sectors(const struct synced *synced)
{
    char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", world.path, synced->name);
    file = fopen(path, "r+b");
    if (file == NULL)
        return; /* removed since */
    for (uint64_t at = 0; at < synced->size; at += SECTOR) {
        size_t size = synced->size - at < SECTOR ? (size_t)(synced->size - at) : SECTOR;

        if (chance_roll(&world.chance, 2) == 0)
            continue;
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        assert_int_equal(fwrite(synced->bytes + at, 1, size, file), size);
    }
    assert_int_equal(fclose(file), 0);
}

/* No store may be open. */
static void fail_power(void)
{
    for (size_t i = 0; i < losing.count; i++) {
        if (losing.row[i].bytes != NULL)
            lose_sectors(&losing.row[i]);
    }
}

static void forget_synced(void)
{
    for (size_t i = 0; i < losing.count; i++)
        free(losing.row[i].bytes);
    memset(&losing, 0, sizeof losing);
}

/* ---- lives of a store ---- */

static void open_store(void)
{
    const struct um_store_options options = {
        .bytes_limit = UINT64_C(1) << 40,
        .blocks_limit = 1 << 20,
        .heaps_limit = 100,
        .shared_heaps_limit = 100,
        .seed = roll(UINT32_MAX),
    };
    struct um_state_options state = {
        .is_always = world.is_always, .seed = roll(UINT32_MAX), .report = on_report};
    struct um_owner_options owner = {.pid = 4711, .program = "tester", .user = "eve"};
    char why[UM_STATE_WHY_CAPACITY] = "";

    assert_int_equal(um_state_directory_open(world.path, true, &world.directory, why, sizeof why), UMEM_OK);
    state.files = world.has_power_failures ? losing_files() : real_files();
    state.path = um_state_directory_path(world.directory);
    assert_int_equal(um_store_new(&options, &world.store), UMEM_OK);
    um_store_set_time(world.store, 1000000);
    if (um_store_open_state(world.store, &state, why, sizeof why) != UMEM_OK)
        fail_msg("%s", why);
    world.owner_id = um_store_last_owner_id(world.store) + 1;
    owner.id = world.owner_id;
    assert_int_equal(um_owner_open(world.store, &owner, &world.owner), UMEM_OK);
}

static void free_store(void)
{
    um_owner_close(world.store, world.owner);
    um_store_free(world.store);
    um_state_directory_close(world.directory);
}

/* The process is killed: its files are closed as they are. */
static void kill_store(void)
{
    struct um_state *state = world.store->state;
    const struct um_files_ops *ops = state->files->ops;

    for (int list = 0; list < 3; list++) {
        struct um_link *head = list == 0 ? &state->all : list == 1 ? &state->ended : &state->failed;

        while (!um_list_is_empty(head)) {
            struct um_durable *durable = UM_LIST_ITEM(um_list_take(head), struct um_durable, in_all);

            if (durable->heap != NULL)
                durable->heap->durable = NULL;
            ops->close(durable->bytes);
            um_durable_end_changes(durable, durable->change_count);
            free(durable->changes);
            if (durable->journal.next.file != NULL)
                ops->close(durable->journal.next.file);
            um_buf_deinit(&durable->journal.next.batch);
            ops->close(durable->journal.current.file);
            um_buf_deinit(&durable->journal.current.batch);
            free(durable);
        }
    }
    for (int i = 0; i < UM_FORMERS; i++) {
        if (state->formers[i].file != NULL)
            ops->close(state->formers[i].file);
    }
    if (state->handles.next.file != NULL)
        ops->close(state->handles.next.file);
    um_buf_deinit(&state->handles.next.batch);
    ops->close(state->handles.current.file);
    um_buf_deinit(&state->handles.current.batch);
    free(state->path);
    free(state);
    world.store->state = NULL;
    free_store();
}

static void commit(void)
{
    um_store_commit(world.store);
    assert_int_equal(um_store_get_status(world.store)->failures, 0);
    assert_false(um_store_get_status(world.store)->is_uncommitted);
}

static void sync_all(void)
{
    um_store_sync_all(world.store);
}

/* ---- the model ---- */

static unsigned char byte_at(const struct model_block *block, uint64_t at)
{
    return (unsigned char)(block->seed * 31 + at * 7 + (at >> 8));
}

static struct um_heap *heap_of(um_handle handle)
{
    struct um_heap *heap = NULL;

    assert_int_equal(um_store_find_heap(world.store, handle, &heap, NULL), UMEM_OK);
    return heap;
}

static struct um_block *find(um_handle handle)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(world.store, handle, &block, NULL), UMEM_OK);
    return block;
}

static void fill(struct model_block *model)
{
    unsigned char *bytes = um_block_bytes(find(model->handle));

    for (uint64_t i = 0; i < model->size; i++)
        bytes[i] = byte_at(model, i);
    (void)um_block_wrote(world.store, find(model->handle), 0, model->size);
}

static void check_bytes(const struct model_block *model)
{
    const unsigned char *bytes = um_block_bytes(find(model->handle));

    for (uint64_t i = 0; i < model->size; i++) {
        if (bytes[i] != byte_at(model, i))
            fail_msg("block %llu differs at %llu", (unsigned long long)model->handle, (unsigned long long)i);
    }
}

static void note_given(um_handle handle)
{
    for (size_t i = 0; i < world.given_count; i++)
        assert_true(world.given[i] != handle);
    assert_true(world.given_count < HANDLES);
    world.given[world.given_count++] = handle;
}

static void check_block(const struct model_block *model)
{
    struct um_block_info info;
    struct um_owner_info owner;

    um_block_get_info(world.store, find(model->handle), &info);
    assert_true(info.heap == model->heap && info.size == model->size);
    assert_string_equal(info.name != NULL ? info.name : "", model->name);
    assert_int_equal(info.lifetime, model->is_session ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER);
    assert_int_equal(info.created, 1000000);
    um_owner_get_info(info.owner, &owner);
    assert_true(owner.id == model->owner);
    assert_int_equal(owner.pid, 4711);
    assert_string_equal(owner.program, "tester");
    assert_string_equal(owner.user, "eve");
    check_bytes(model);
}

static void check_all(void)
{
    uint64_t count = 0;
    struct um_store_stats stats;

    for (size_t i = 0; i < BLOCKS; i++) {
        if (world.blocks[i].handle == 0)
            continue;
        check_block(&world.blocks[i]);
        count++;
    }
    um_store_get_stats(world.store, &stats);
    assert_int_equal(stats.blocks, count);
    for (size_t i = 0; i < HEAPS; i++) {
        struct um_heap_check check;
        bool more = true;

        if (world.heaps[i] == 0)
            continue;
        um_heap_check_begin(&check, heap_of(world.heaps[i]));
        while (more)
            assert_int_equal(um_heap_check_step(world.store, &check, 1000, &more, NULL), UMEM_OK);
    }
}

/* ---- steps ---- */

static um_handle some_heap(void)
{
    size_t at = (size_t)roll(HEAPS);

    while (world.heaps[at] == 0)
        at = (at + 1) % HEAPS;
    return world.heaps[at];
}

static um_handle make_heap(const char *name)
{
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED,
                                            .maximum_size = MAXIMUM_SIZE,
                                            .alignment = 64,
                                            .flags = UM_FLAG_NO_SERIALIZE,
                                            .name = name,
                                            .is_durable = true};
    struct um_heap *heap = NULL;
    struct um_fault fault = {0};

    if (um_heap_create(world.store, world.owner, &options, &heap, &fault) != UMEM_OK)
        fail_msg("%s", fault.what);
    return um_heap_handle(heap);
}

static void alloc_on(struct model_block *model, um_handle heap, bool is_session)
{
    struct um_block_options options = {.size = roll(LARGEST)};
    struct um_block *block = NULL;

    memset(model, 0, sizeof *model);
    model->heap = heap;
    model->is_session = is_session;
    options.lifetime = model->is_session ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER;
    if (roll(3) == 0)
        snprintf(model->name, sizeof model->name, "block %llu", (unsigned long long)world.given_count);
    options.name = model->name[0] != '\0' ? model->name : NULL;
    if (um_block_alloc(world.store, heap_of(model->heap), world.owner, &options, &block, NULL) != UMEM_OK) {
        memset(model, 0, sizeof *model);
        return;
    }
    model->handle = um_block_handle(world.store, block);
    model->size = options.size;
    model->owner = world.owner_id;
    model->seed = roll(1000);
    note_given(model->handle);
    fill(model);
}

static void alloc(struct model_block *model)
{
    um_handle heap = some_heap();

    alloc_on(model, heap, roll(4) == 0);
}

static void resize(struct model_block *model)
{
    struct model_block before = *model;
    uint64_t size = roll(LARGEST);

    if (um_block_resize(world.store, find(model->handle), size, 0, NULL) != UMEM_OK)
        return;
    before.size = size < before.size ? size : before.size;
    check_bytes(&before);
    model->size = size;
    model->seed = roll(1000);
    fill(model);
}

static void change(struct model_block *model)
{
    enum um_lifetime lifetime = roll(2) == 0 ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER;
    struct um_block_changes changes = {0};
    struct um_block_info info;
    char name[32] = "";

    if (roll(2) == 0)
        snprintf(name, sizeof name, "changed %llu", (unsigned long long)model->handle);
    um_block_get_info(world.store, find(model->handle), &info);
    if (info.orphaned || lifetime == UM_LIFETIME_SESSION)
        model->owner = world.owner_id;
    changes.name = name;
    changes.lifetime = &lifetime;
    assert_int_equal(um_block_change(world.store, find(model->handle), world.owner, &changes, NULL), UMEM_OK);
    memcpy(model->name, name, sizeof name);
    model->is_session = lifetime == UM_LIFETIME_SESSION;
}

static void free_one(um_handle handle)
{
    assert_int_equal(um_block_check(world.store, find(handle), NULL), UMEM_OK);
    um_block_free(world.store, find(handle));
}

static void free_block(struct model_block *model)
{
    free_one(model->handle);
    memset(model, 0, sizeof *model);
}

static void step(void)
{
    struct model_block *model = &world.blocks[roll(BLOCKS)];

    if (model->handle == 0)
        alloc(model);
    else if (roll(3) == 0)
        resize(model);
    else if (roll(3) == 0)
        change(model);
    else
        free_block(model);
}

static void live(void)
{
    for (uint64_t steps = roll(STEPS); steps != 0; steps--) {
        step();
        if (roll(4) == 0)
            commit();
        if (roll(20) == 0)
            sync_all();
        if (roll(4) == 0)
            (void)um_store_reclaim(world.store, 1000);
    }
    commit();
}

/* What was not committed is lost: it is done, but the model does not know it. What was freed comes back with its bytes. */
static void do_uncommitted(void)
{
    static struct model_block before[BLOCKS];
    size_t given_before = world.given_count;

    memcpy(before, world.blocks, sizeof before);
    for (uint64_t steps = roll(20); steps != 0; steps--) {
        struct model_block *model = &world.blocks[roll(BLOCKS)];

        if (model->handle == 0)
            alloc(model);
        else
            free_block(model);
        /* So much was freed, or memory so scarce, that it was committed. */
        if (!um_store_get_status(world.store)->is_uncommitted) {
            memcpy(before, world.blocks, sizeof before);
            given_before = world.given_count;
        }
    }
    memcpy(world.blocks, before, sizeof before);
    world.given_count = given_before; /* nobody was told of them */
}

static void forget_session_blocks(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (world.blocks[i].is_session)
            memset(&world.blocks[i], 0, sizeof world.blocks[i]);
    }
}

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.chance = seed;
    temp_directory_make(world.path);
    open_store();
}

static void finish(void)
{
    assert_int_equal(world.reports, 0);
    free_store();
    temp_directory_remove(world.path);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("UMEM_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 17;

    print_message("seed %llu\n", (unsigned long long)seed);
    return seed;
}

/* ---- flushing ---- */

static void flush_all(void)
{
    uint64_t tickets[HEAPS];

    for (int i = 0; i < HEAPS; i++)
        assert_int_equal(um_heap_flush(heap_of(world.heaps[i]), &tickets[i], NULL), UMEM_OK);
    assert_int_equal(um_store_sync_urgency(world.store), UM_SYNC_NOW);
    sync_all();
    for (int i = 0; i < HEAPS; i++) {
        bool done = false;

        assert_int_equal(um_heap_check_flush(heap_of(world.heaps[i]), tickets[i], &done, NULL), UMEM_OK);
        assert_true(done);
    }
}

/* Frees, allocates and writes the blocks from the middle on. */
static void touch_half(void)
{
    for (size_t i = BLOCKS / 2; i < BLOCKS; i++) {
        struct model_block *model = &world.blocks[i];

        if (model->handle == 0) {
            alloc(model);
        } else if (roll(2) == 0) {
            free_block(model);
        } else {
            model->seed = roll(1000);
            fill(model);
        }
        if (roll(4) == 0)
            commit();
    }
    commit();
}

/* Nothing is known of the blocks from the middle on. */
static void free_half(const struct model_block *before)
{
    for (size_t i = BLOCKS / 2; i < BLOCKS; i++) {
        const um_handle handles[] = {before[i].handle, world.blocks[i].handle};

        for (int j = 0; j < 2; j++) {
            struct um_block *block = NULL;

            if (um_store_find_block(world.store, handles[j], &block, NULL) == UMEM_OK)
                free_one(um_block_handle(world.store, block));
        }
        memset(&world.blocks[i], 0, sizeof world.blocks[i]);
    }
    commit();
}

/* ---- tests ---- */

static void begin_with_power_failures(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.chance = seed;
    world.has_power_failures = true;
    temp_directory_make(world.path);
    open_store();
    for (int i = 0; i < HEAPS; i++)
        world.heaps[i] = make_heap(NULL);
    commit();
}

static void test_what_was_flushed_outlives_the_power(void **state)
{
    static struct model_block before[BLOCKS];

    (void)state;
    begin_with_power_failures(seed_of_run());
    for (int life = 0; life < LIVES; life++) {
        size_t given;

        live();
        flush_all();
        memcpy(before, world.blocks, sizeof before);
        given = world.given_count;
        touch_half();
        if (roll(2) == 0)
            sync_all(); /* records, not bytes */
        kill_store();
        fail_power();
        open_store();
        free_half(before);
        world.given_count = given; /* of the later ones, some are not known any more */
        forget_session_blocks();
        check_all();
    }
    finish();
    forget_synced();
}

/* Changes of all kinds, but for those that give bytes up or overwrite them: what was there before is not to be seen at all. */
static void change_without_end(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        struct model_block *model = &world.blocks[i];

        if (model->handle == 0)
            alloc(model);
        else if (roll(3) == 0)
            free_block(model);
        else if (roll(2) == 0)
            (void)um_block_resize(world.store, find(model->handle), model->size + roll(LARGEST), 0, NULL);
        else
            change(model);
        if (roll(4) == 0)
            commit();
        if (roll(4) == 0)
            (void)um_store_reclaim(world.store, 1000);
    }
    commit();
}

/* Where answers wait for that, what a sync has ended for is there after a power failure, records and bytes; and nothing of what came after. */
static void test_what_was_synced_outlives_the_power_as_a_whole(void **state)
{
    static struct model_block before[BLOCKS];

    (void)state;
    begin_with_power_failures(seed_of_run());
    kill_store();
    world.is_always = true;
    open_store();
    for (int i = 0; i < HEAPS; i++)
        world.heaps[i] = make_heap(NULL);
    for (int life = 0; life < LIVES; life++) {
        size_t given;

        live();
        sync_all();
        assert_int_equal(um_store_sync_urgency(world.store), UM_SYNC_NOT_DUE);
        memcpy(before, world.blocks, sizeof before);
        given = world.given_count;
        change_without_end();
        assert_int_equal(um_store_sync_urgency(world.store), UM_SYNC_NOW);
        kill_store();
        fail_power();
        open_store();
        memcpy(world.blocks, before, sizeof before);
        world.given_count = given; /* nobody was told of the later ones */
        forget_session_blocks();
        check_all();
    }
    finish();
    forget_synced();
}

/* ---- journals of two moments ---- */

enum { JOURNAL_CAPACITY = 1024 * 1024 };

static void journal_path(um_handle heap, char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY])
{
    char name[UM_JOURNAL_NAME_CAPACITY];

    um_journal_name(name, heap, 1);
    snprintf(path, TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY, "%s/%s", world.path, name);
}

static size_t save_journal(um_handle heap, unsigned char *bytes)
{
    char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];
    FILE *file;
    size_t size;

    journal_path(heap, path);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, JOURNAL_CAPACITY, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size != 0 && size < JOURNAL_CAPACITY);
    return size;
}

static void put_back_journal(um_handle heap, const unsigned char *bytes, size_t size)
{
    char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];
    FILE *file;

    journal_path(heap, path);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static um_handle alloc_named(um_handle heap, const char *name)
{
    const struct um_block_options options = {.size = 100, .name = name, .lifetime = UM_LIFETIME_SERVER};
    struct um_block *block = NULL;

    assert_int_equal(um_block_alloc(world.store, heap_of(heap), world.owner, &options, &block, NULL),
                     UMEM_OK);
    return um_block_handle(world.store, block);
}

static um_handle alloc_brief(um_handle heap)
{
    const struct um_block_options options = {.size = 1, .lifetime = UM_LIFETIME_SESSION};
    struct um_block *block = NULL;

    assert_int_equal(um_block_alloc(world.store, heap_of(heap), world.owner, &options, &block, NULL),
                     UMEM_OK);
    return um_block_handle(world.store, block);
}

static bool is_there(um_handle handle)
{
    struct um_block *block = NULL;

    return um_store_find_block(world.store, handle, &block, NULL) == UMEM_OK;
}

/* A block of one heap was freed, and its slot and its name went to one of another heap; of the former's journal, that was lost. */
static void expect_the_newer_block(int older, int newer)
{
    static unsigned char bytes[JOURNAL_CAPACITY];
    um_handle freed;
    um_handle reused; /* likewise, but its slot's next block was of a session, and is not there any more */
    um_handle brief;
    um_handle renamed;
    um_handle taker;
    um_handle bearer;
    size_t size;
    struct um_block_info info;

    begin(9);
    for (int i = 0; i < HEAPS; i++)
        world.heaps[i] = make_heap(NULL);
    freed = alloc_named(world.heaps[older], NULL);
    reused = alloc_named(world.heaps[older], NULL);
    renamed = alloc_named(world.heaps[older], "name");
    commit();
    size = save_journal(world.heaps[older], bytes);
    free_one(freed);
    free_one(reused);
    assert_int_equal(um_block_change(world.store, find(renamed), world.owner,
                                     &(struct um_block_changes){.name = ""}, NULL),
                     UMEM_OK);
    commit(); /* the slot is free */
    taker = alloc_named(world.heaps[newer], NULL);
    assert_int_equal(um_handle_slot(taker), um_handle_slot(freed));
    brief = alloc_brief(world.heaps[newer]);
    assert_int_equal(um_handle_slot(brief), um_handle_slot(reused));
    bearer = alloc_named(world.heaps[newer], "name");
    commit();
    kill_store();
    put_back_journal(world.heaps[older], bytes, size);
    for (int starts = 0; starts < 2; starts++) {
        open_store();
        assert_int_equal(world.reports, starts == 0 ? 1 : 0);
        if (starts == 0)
            assert_non_null(strstr(world.report, ": 2 blocks or names of blocks were given up"));
        world.reports = 0;
        assert_true(is_there(taker));
        assert_true(is_there(renamed));
        assert_true(is_there(bearer));
        assert_false(is_there(freed));
        assert_true(is_there(reused));
        um_block_get_info(world.store, find(older < newer ? renamed : bearer), &info);
        assert_string_equal(info.name, "name");
        um_block_get_info(world.store, find(older < newer ? bearer : renamed), &info);
        assert_null(info.name);
        /* It is in the journals now, whatever comes of the newer block. */
        if (starts == 0) {
            commit();
            kill_store();
        }
    }
    free_one(reused);
    commit();
    for (um_handle next = 0; um_handle_slot(next) != um_handle_slot(reused);) {
        next = alloc_named(world.heaps[newer], NULL);
        assert_true(next != brief);
    }
    free_one(taker);
    commit();
    kill_store();
    open_store();
    assert_false(is_there(freed) || is_there(taker));
    finish();
}

static void test_two_journals_are_of_two_moments(void **state)
{
    (void)state;
    expect_the_newer_block(0, 1);
    expect_the_newer_block(1, 0);
}

static void expect_failed_flush(const char *of_file)
{
    struct um_fault fault = {0};
    struct um_heap *heap;
    uint64_t ticket;
    bool done;

    begin_with_power_failures(3);
    heap = heap_of(world.heaps[0]);
    alloc_on(&world.blocks[0], world.heaps[0], false);
    losing.fails = of_file;
    assert_int_equal(um_heap_flush(heap, &ticket, NULL), UMEM_OK);
    sync_all();
    assert_int_equal(um_heap_check_flush(heap, ticket, &done, &fault), UMEM_E_CORRUPTED);
    assert_non_null(strstr(fault.what, of_file));
    /* It is not tried again as if nothing had happened. */
    losing.fails = NULL;
    assert_int_equal(um_heap_flush(heap, &ticket, &fault), UMEM_E_CORRUPTED);
    assert_int_equal(um_block_check(world.store, find(world.blocks[0].handle), NULL), UMEM_E_CORRUPTED);
    check_bytes(&world.blocks[0]);
    kill_store();
    temp_directory_remove(world.path);
    forget_synced();
}

static void test_a_flush_that_failed_leaves_the_heap_readable(void **state)
{
    (void)state;
    expect_failed_flush(".bytes");
    expect_failed_flush(".journal");
}

/* A heap's memory stays as long as it is flushed. */
static void test_a_heap_is_destroyed_while_it_is_flushed(void **state)
{
    struct um_store_sync sync;
    uint64_t ticket;
    uint64_t blocks;
    uint64_t bytes;
    struct um_heap *heap;

    (void)state;
    begin_with_power_failures(3);
    heap = heap_of(world.heaps[0]);
    alloc_on(&world.blocks[0], world.heaps[0], false);
    assert_int_equal(um_heap_flush(heap, &ticket, NULL), UMEM_OK);
    assert_true(um_store_sync_begin(world.store, &sync));
    assert_int_equal(um_heap_destroy(world.store, heap, &blocks, &bytes, NULL), UMEM_OK);
    while (um_store_reclaim(world.store, 1000))
        continue;
    um_store_sync_run(&sync);
    um_store_sync_end(world.store, &sync);
    assert_int_equal(um_store_get_status(world.store)->failures, 0);
    sync_all();
    assert_int_equal(um_store_find_heap(world.store, world.heaps[0], &heap, NULL), UMEM_E_STALE_HANDLE);
    /* Also one that waits for its turn. */
    heap = heap_of(world.heaps[1]);
    assert_int_equal(um_heap_flush(heap, &ticket, NULL), UMEM_OK);
    assert_int_equal(um_heap_destroy(world.store, heap, &blocks, &bytes, NULL), UMEM_OK);
    sync_all();
    finish();
    forget_synced();
}

static bool has_file(um_handle heap, uint32_t number)
{
    char name[UM_JOURNAL_NAME_CAPACITY];
    char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];
    FILE *file;

    um_journal_name(name, heap, number);
    snprintf(path, sizeof path, "%s/%s", world.path, name);
    file = fopen(path, "rb");
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

static void destroy_all(void)
{
    uint64_t blocks;
    uint64_t bytes;

    for (int i = 0; i < HEAPS; i++)
        assert_int_equal(um_heap_destroy(world.store, heap_of(world.heaps[i]), &blocks, &bytes, NULL),
                         UMEM_OK);
    while (um_store_reclaim(world.store, 1000))
        continue;
}

static size_t count_files(void)
{
    size_t count = 0;

    for (int i = 0; i < HEAPS; i++)
        count += (size_t)has_file(world.heaps[i], 0) + (size_t)has_file(world.heaps[i], 1);
    return count;
}

/* Removing a file may take long, and is no work for the thread that serves clients. */
static void test_files_are_removed_by_the_sync(void **state)
{
    struct um_store_sync sync;
    uint32_t former;
    size_t removed;

    (void)state;
    begin_with_power_failures(3);
    destroy_all();
    former = world.store->state->handles.current.number;
    removed = losing.removed;
    assert_true(um_store_sync_begin(world.store, &sync));
    assert_int_equal(sync.kind, UM_SYNC_REMOVAL);
    assert_int_equal(count_files(), 2 * HEAPS);
    assert_int_equal(losing.removed, removed);
    um_store_sync_run(&sync);
    assert_int_equal(count_files(), 0); /* one sync for all of them */
    removed = losing.removed;
    um_store_sync_end(world.store, &sync);
    assert_int_equal(losing.removed, removed);
    assert_true(has_file(0, former) && has_file(0, former + 1));
    assert_int_equal(um_store_sync_urgency(world.store), UM_SYNC_NOW);
    sync_all();
    assert_false(has_file(0, former));
    assert_int_equal(um_store_sync_urgency(world.store), UM_SYNC_NOT_DUE);
    assert_int_equal(um_store_get_status(world.store)->failures, 0);
    finish();
    forget_synced();
}

/* How often the disk was waited for. */
static size_t count_waits(void)
{
    return losing.synced + losing.removed;
}

/* As sync_all(); only what runs on another thread waits. */
static void sync_apart(void)
{
    struct um_store_sync sync;
    size_t waits = count_waits();

    while (um_store_sync_begin(world.store, &sync)) {
        assert_int_equal(count_waits(), waits);
        um_store_sync_run(&sync);
        waits = count_waits();
        um_store_sync_end(world.store, &sync);
    }
    assert_int_equal(count_waits(), waits);
}

/* Neither a sync nor the removal of a file is for the thread that serves clients. */
static void test_only_syncs_wait_for_the_disk(void **state)
{
    const struct um_journal *journal;
    size_t waits;

    (void)state;
    begin_with_power_failures(3);
    sync_apart();
    waits = count_waits();
    journal = &heap_of(world.heaps[0])->durable->journal;
    while (!um_journal_wants_compaction(journal)) {
        world.given_count = 0;
        alloc_on(&world.blocks[0], world.heaps[0], false);
        free_block(&world.blocks[0]);
        commit();
        assert_int_equal(count_waits(), waits);
        sync_apart();
        waits = count_waits();
    }
    while (um_store_reclaim(world.store, 1000))
        continue;
    assert_int_equal(count_waits(), waits);
    sync_apart();
    assert_int_equal(journal->current.number, 2);
    waits = count_waits();
    destroy_all();
    assert_int_equal(count_waits(), waits);
    sync_apart();
    assert_int_equal(count_files(), 0);
    assert_false(has_file(world.heaps[0], 2));
    finish();
    forget_synced();
}

/* What is left to be removed when the daemon ends, is removed then. */
static void test_files_are_removed_at_the_end(void **state)
{
    (void)state;
    begin_with_power_failures(3);
    destroy_all();
    assert_int_equal(count_files(), 2 * HEAPS);
    free_store();
    assert_int_equal(count_files(), 0);
    temp_directory_remove(world.path);
    forget_synced();
}

/* Without them, it would not be known any more which handles were given out. */
static void test_files_stay_where_handles_are_not_on_the_disk(void **state)
{
    (void)state;
    begin_with_power_failures(3);
    destroy_all();
    losing.fails = "handles.";
    sync_all();
    losing.fails = NULL;
    assert_int_equal(count_files(), 2 * HEAPS);
    kill_store();
    world.reports = 0;
    open_store();
    assert_int_equal(count_files(), 0);
    finish();
    forget_synced();
}

/* A heap is destroyed while its journal is written anew: both files go with the sync. */
static void test_a_heap_is_destroyed_while_its_journal_is_written_anew(void **state)
{
    struct um_state *kept;
    size_t removed;

    (void)state;
    begin_with_power_failures(3);
    kept = world.store->state;
    alloc_on(&world.blocks[0], world.heaps[0], false);
    assert_int_equal(um_journal_compact_begin(&heap_of(world.heaps[0])->durable->journal, 1), UM_FILE_OK);
    kept->compacting = heap_of(world.heaps[0])->durable;
    removed = losing.removed;
    destroy_all();
    assert_null(kept->compacting);
    assert_int_equal(losing.removed, removed);
    assert_true(has_file(world.heaps[0], 2));
    sync_all();
    assert_false(has_file(world.heaps[0], 2));
    assert_int_equal(count_files(), 0);
    finish();
    forget_synced();
}

static void test_heaps_come_back(void **state)
{
    (void)state;
    begin(seed_of_run());
    for (int i = 0; i < HEAPS; i++) {
        char name[16];

        snprintf(name, sizeof name, "heap %d", i);
        world.heaps[i] = make_heap(i == 0 ? NULL : name);
    }
    commit();
    for (int life = 0; life < LIVES; life++) {
        live();
        check_all();
        if (roll(3) == 0) {
            free_store();
        } else {
            do_uncommitted();
            kill_store();
        }
        forget_session_blocks();
        open_store();
        check_all();
    }
    finish();
}

static void test_a_heap_is_as_it_was(void **state)
{
    struct um_heap_info info;
    struct um_owner_info owner;
    struct um_heap *heap;
    um_handle handle;

    (void)state;
    begin(3);
    handle = make_heap("photos");
    commit();
    kill_store();
    open_store();
    um_heap_get_info(heap_of(handle), &info);
    assert_string_equal(info.name, "photos");
    assert_true(info.is_durable && !info.is_corrupted);
    assert_int_equal(info.kind, UM_HEAP_SHARED);
    assert_int_equal(info.alignment, 64);
    assert_int_equal(info.maximum_size, MAXIMUM_SIZE);
    assert_int_equal(info.flags, UM_FLAG_NO_SERIALIZE);
    um_owner_get_info(info.owner, &owner);
    assert_int_equal(owner.id, world.owner_id - 1);
    assert_int_equal(um_store_find_heap_by_name(world.store, "photos", &heap, NULL), UMEM_OK);
    finish();
}

/* The files are there, but not who made it: that was not answered. */
static void test_a_heap_that_was_begun_is_none(void **state)
{
    um_handle begun;
    um_handle handle;
    struct um_heap *heap = NULL;

    (void)state;
    begin(3);
    handle = make_heap("whole");
    commit();
    begun = make_heap("begun");
    kill_store();
    open_store();
    assert_int_equal(world.reports, 0);
    assert_int_not_equal(um_store_find_heap(world.store, begun, &heap, NULL), UMEM_OK);
    assert_string_equal(heap_of(handle)->name->text, "whole");
    assert_int_not_equal(make_heap("begun"), begun);
    commit();
    finish();
}

static void test_a_destroyed_heap_stays_away(void **state)
{
    struct um_heap *heap = NULL;
    um_handle handle;
    uint64_t blocks;
    uint64_t bytes;

    (void)state;
    begin(3);
    for (int i = 0; i < 4; i++) {
        world.heaps[0] = make_heap("h");
        alloc(&world.blocks[0]);
        handle = world.heaps[0];
        commit();
        assert_int_equal(um_heap_destroy(world.store, heap_of(handle), &blocks, &bytes, NULL), UMEM_OK);
        memset(world.blocks, 0, sizeof world.blocks);
        commit();
        if (i % 2 == 0)
            sync_all(); /* the files are removed, or still there */
        kill_store();
        open_store();
        assert_int_equal(um_store_find_heap(world.store, handle, &heap, NULL), UMEM_E_STALE_HANDLE);
    }
    finish();
}

/* In one step within a heap; not between two, whose journals are two files. */
static void test_a_block_is_replaced_by_name(void **state)
{
    struct um_block_options options = {.size = 10, .name = "n"};
    struct um_block *block = NULL;
    um_handle first;
    um_handle heap;
    um_handle other;

    (void)state;
    begin(3);
    heap = make_heap("h");
    other = make_heap("other");
    assert_int_equal(um_block_alloc(world.store, heap_of(heap), world.owner, &options, &block, NULL),
                     UMEM_OK);
    first = um_block_handle(world.store, block);
    commit();
    options.replaced = block;
    assert_int_equal(um_block_alloc(world.store, heap_of(heap), world.owner, &options, &block, NULL),
                     UMEM_OK);
    commit();
    kill_store();
    open_store();
    assert_int_equal(um_store_find_block(world.store, first, &block, NULL), UMEM_E_STALE_HANDLE);
    assert_int_equal(um_store_find_block_by_name(world.store, "n", &options.replaced, NULL), UMEM_OK);
    assert_int_equal(um_block_alloc(world.store, heap_of(other), world.owner, &options, &block, NULL),
                     UMEM_E_DENIED);
    finish();
}

/* The disk cannot be written: nothing more is changed, and all can be read. */
static void test_a_failed_journal_can_only_be_read(void **state)
{
    struct um_durable *durable;
    struct um_block_options options = {.size = 10};
    struct um_block_changes changes = {.name = "x"};
    struct um_block *block = NULL;
    struct um_fault fault = {0};
    uint64_t blocks;
    uint64_t bytes;

    (void)state;
    begin(3);
    world.heaps[0] = make_heap("h");
    alloc_on(&world.blocks[0], world.heaps[0], false);
    commit();
    durable = heap_of(world.heaps[0])->durable;
    durable->journal.state = UM_JOURNAL_FAILED;
    durable->journal.failure = UM_FILE_FAILED;
    block = find(world.blocks[0].handle);
    assert_int_equal(um_block_check(world.store, block, &fault), UMEM_E_CORRUPTED);
    assert_non_null(strstr(fault.what, world.path));
    assert_int_equal(um_block_change(world.store, block, world.owner, &changes, NULL), UMEM_E_CORRUPTED);
    assert_int_equal(um_block_resize(world.store, block, 1, 0, NULL), UMEM_E_CORRUPTED);
    assert_int_equal(um_block_resize(world.store, block, LARGEST + 1, 0, NULL), UMEM_E_CORRUPTED);
    assert_int_equal(um_heap_destroy(world.store, heap_of(world.heaps[0]), &blocks, &bytes, NULL),
                     UMEM_E_CORRUPTED);
    assert_int_equal(
        um_block_alloc(world.store, heap_of(world.heaps[0]), world.owner, &options, &block, NULL),
        UMEM_E_CORRUPTED);
    check_block(&world.blocks[0]);
    kill_store();
    open_store();
    check_block(&world.blocks[0]);
    finish();
}

/* ---- what cannot be written is undone ---- */

/* Changes of all kinds, but for those that overwrite bytes. They may be committed on the way, where memory is scarce: `before` and `given`
 * are as of the last time. */
static void change_for_nothing(struct model_block before[BLOCKS], size_t *given)
{
    memcpy(before, world.blocks, sizeof world.blocks);
    *given = world.given_count;
    for (uint64_t steps = 1 + roll(60); steps != 0; steps--) {
        struct model_block *model = &world.blocks[roll(BLOCKS)];
        uint64_t size = model->size + roll(LARGEST);

        if (model->handle == 0) {
            alloc(model);
        } else if (roll(3) == 0) {
            if (um_block_resize(world.store, find(model->handle), size, 0, NULL) == UMEM_OK)
                model->size = size;
        } else if (roll(2) == 0) {
            change(model);
        } else {
            free_block(model);
        }
        if (um_store_get_status(world.store)->is_uncommitted)
            continue;
        memcpy(before, world.blocks, sizeof world.blocks);
        *given = world.given_count;
    }
}

/* All is as it was, and handles that were given out in between are stale. */
static void expect_undone(const struct model_block before[BLOCKS], size_t given)
{
    struct um_block *block = NULL;

    for (size_t i = given; i < world.given_count; i++)
        assert_int_equal(um_store_find_block(world.store, world.given[i], &block, NULL), UMEM_E_STALE_HANDLE);
    memcpy(world.blocks, before, sizeof world.blocks);
    world.given_count = given;
    check_all();
}

static void begin_undoing(uint64_t seed, bool is_always)
{
    begin_with_power_failures(seed);
    if (!is_always)
        return;
    kill_store();
    world.is_always = true;
    open_store();
    for (int i = 0; i < HEAPS; i++)
        world.heaps[i] = make_heap(NULL);
    sync_all();
}

/* Commits, and syncs, what the disk does not take. */
static void fail_to_write(void)
{
    losing.unwritable = ".journal";
    um_store_commit(world.store);
    sync_all();
    losing.unwritable = NULL;
    assert_false(um_store_get_status(world.store)->is_uncommitted);
}

/* What was undone is what the files say, too. */
static void finish_undoing(void)
{
    kill_store();
    forget_session_blocks();
    open_store();
    check_all();
    free_store();
    temp_directory_remove(world.path);
    forget_synced();
}

static void undo_at_random(bool is_always)
{
    static struct model_block before[BLOCKS];
    uint64_t seed = seed_of_run();
    uint64_t failures = 0;
    size_t given;

    for (uint64_t run = 0; run < LIVES; run++) {
        begin_undoing(seed + run, is_always);
        live();
        sync_all();
        change_for_nothing(before, &given);
        fail_to_write();
        failures += um_store_get_status(world.store)->failures;
        assert_int_equal(world.reports, um_store_get_status(world.store)->failures);
        expect_undone(before, given);
        finish_undoing();
    }
    assert_true(failures > LIVES);
}

static void test_what_cannot_be_written_is_undone(void **state)
{
    (void)state;
    undo_at_random(false);
}

static void test_what_cannot_be_synced_is_undone(void **state)
{
    (void)state;
    undo_at_random(true);
}

static struct um_block *put(um_handle heap, struct um_owner *owner, const char *name)
{
    struct um_block_options options = {.size = 100, .name = name, .lifetime = UM_LIFETIME_SERVER};
    struct um_block *block = NULL;

    if (name != NULL)
        (void)um_store_find_block_by_name(world.store, name, &options.replaced, NULL);
    assert_int_equal(um_block_alloc(world.store, heap_of(heap), owner, &options, &block, NULL), UMEM_OK);
    return block;
}

static um_handle handle_named(const char *name)
{
    struct um_block *block = NULL;

    if (um_store_find_block_by_name(world.store, name, &block, NULL) != UMEM_OK)
        return 0;
    return um_block_handle(world.store, block);
}

/* The name goes from block to block, by new blocks and by a change. */
static void test_a_put_is_undone(void **state)
{
    struct um_block *taker;
    um_handle first;
    um_handle other;

    (void)state;
    begin_undoing(3, false);
    first = um_block_handle(world.store, put(world.heaps[0], world.owner, "a"));
    other = um_block_handle(world.store, put(world.heaps[0], world.owner, "b"));
    commit();
    (void)put(world.heaps[0], world.owner, "a");
    taker = put(world.heaps[0], world.owner, "a");
    assert_int_equal(um_block_change(world.store, find(other), world.owner,
                                     &(struct um_block_changes){.name = "a", .replaced = taker}, NULL),
                     UMEM_OK);
    (void)put(world.heaps[0], world.owner, "b");
    assert_true(handle_named("a") == other);
    fail_to_write();
    assert_true(handle_named("a") == first && handle_named("b") == other);
    kill_store();
    open_store();
    assert_true(handle_named("a") == first && handle_named("b") == other);
    free_store();
    temp_directory_remove(world.path);
    forget_synced();
}

/* A block of another heap has the name by then, and it was answered that it has. */
static void test_a_name_that_was_taken_stays_with_its_taker(void **state)
{
    struct um_block_options options = {.size = 8, .name = "a"};
    struct um_block_info info;
    struct um_block *taker = NULL;
    um_handle first;

    (void)state;
    begin_undoing(3, false);
    first = um_block_handle(world.store, put(world.heaps[0], world.owner, "a"));
    commit();
    free_one(first);
    assert_int_equal(
        um_block_alloc(world.store, um_store_process_heap(world.store), world.owner, &options, &taker, NULL),
        UMEM_OK);
    fail_to_write();
    assert_true(handle_named("a") == um_block_handle(world.store, taker));
    um_block_get_info(world.store, find(first), &info);
    assert_null(info.name);
    kill_store();
    open_store();
    assert_true(handle_named("a") == first);
    free_store();
    temp_directory_remove(world.path);
    forget_synced();
}

static struct um_owner *open_owner(uint64_t id)
{
    const struct um_owner_options options = {.id = id, .pid = 4712, .program = "other", .user = "bob"};
    struct um_owner *owner = NULL;

    assert_int_equal(um_owner_open(world.store, &options, &owner), UMEM_OK);
    return owner;
}

/* An orphan that was adopted is one again, though who adopted it has ended, and though nothing else of its owner is left. */
static void test_an_owner_is_the_former_one_again(void **state)
{
    enum um_lifetime session = UM_LIFETIME_SESSION;
    struct um_block_changes changes = {.name = "mine", .lifetime = &session};
    struct um_block_info info;
    struct um_owner_info owner;
    struct um_owner *maker;
    um_handle orphan;

    (void)state;
    begin_undoing(3, false);
    maker = open_owner(100);
    orphan = um_block_handle(world.store, put(world.heaps[0], maker, NULL));
    um_owner_close(world.store, maker);
    commit();
    assert_int_equal(um_block_change(world.store, find(orphan), world.owner, &changes, NULL), UMEM_OK);
    fail_to_write();
    um_block_get_info(world.store, find(orphan), &info);
    um_owner_get_info(info.owner, &owner);
    assert_true(owner.id == 100 && info.orphaned);
    assert_null(info.name);
    assert_int_equal(info.lifetime, UM_LIFETIME_SERVER);
    kill_store();
    open_store();
    um_block_get_info(world.store, find(orphan), &info);
    um_owner_get_info(info.owner, &owner);
    assert_true(owner.id == 100);
    free_store();
    temp_directory_remove(world.path);
    forget_synced();
}

/* Its session's end comes to a block before its own end is undone. */
static void test_blocks_of_a_session_that_has_ended_stay_away(void **state)
{
    enum um_lifetime server = UM_LIFETIME_SERVER;
    struct um_block_changes changes = {.lifetime = &server};
    struct um_block_options options = {.size = 10};
    struct um_store_stats stats;
    struct um_block *block = NULL;
    struct um_owner *owner;
    um_handle handles[3];

    (void)state;
    begin_undoing(3, false);
    owner = open_owner(100);
    for (int i = 0; i < 3; i++) {
        options.lifetime = UM_LIFETIME_SESSION;
        assert_int_equal(um_block_alloc(world.store, heap_of(world.heaps[0]), owner, &options, &block, NULL),
                         UMEM_OK);
        handles[i] = um_block_handle(world.store, block);
    }
    commit();
    free_one(handles[0]);
    assert_int_equal(um_block_change(world.store, find(handles[1]), owner, &changes, NULL), UMEM_OK);
    um_owner_close(world.store, owner);
    while (um_store_reclaim(world.store, 1000))
        continue;
    assert_int_equal(um_store_find_block(world.store, handles[1], &block, NULL), UMEM_OK);
    fail_to_write();
    for (int i = 0; i < 3; i++)
        assert_int_equal(um_store_find_block(world.store, handles[i], &block, NULL), UMEM_E_STALE_HANDLE);
    um_store_get_stats(world.store, &stats);
    assert_int_equal(stats.blocks, 0);
    kill_store();
    temp_directory_remove(world.path);
    forget_synced();
}

/* An answer that is sent from its memory goes on. */
static void test_a_pinned_block_is_back(void **state)
{
    struct um_pin *pin = NULL;

    (void)state;
    begin_undoing(3, false);
    alloc_on(&world.blocks[0], world.heaps[0], false);
    commit();
    assert_int_equal(um_pin_new(world.store, find(world.blocks[0].handle), &pin), UMEM_OK);
    free_one(world.blocks[0].handle);
    assert_false(um_pin_is_current(pin));
    fail_to_write();
    check_all();
    um_pin_release(world.store, pin);
    check_all();
    finish_undoing();
}

/* With records that are written by syncs, the rest of a block that was made smaller is free before. */
static void test_a_smaller_block_is_as_large_as_it_was(void **state)
{
    for (int is_always = 0; is_always < 2; is_always++) {
        struct model_block *model = &world.blocks[0];
        int code;

        (void)state;
        begin_undoing(3, is_always != 0);
        do
            alloc_on(model, world.heaps[0], false);
        while (model->size < 100);
        for (size_t i = 1; i < BLOCKS; i++)
            memset(&world.blocks[i], 0, sizeof world.blocks[i]);
        sync_all();
        losing.unwritable = ".journal";
        code = um_block_resize(world.store, find(model->handle), 50, 0, NULL);
        assert_int_equal(code, is_always != 0 ? UMEM_OK : UMEM_E_CORRUPTED);
        fail_to_write();
        assert_int_equal(um_store_get_status(world.store)->failures, 1);
        check_block(model);
        kill_store();
        temp_directory_remove(world.path);
        forget_synced();
    }
}

static unsigned destroyed_heaps;

static void on_heap_destroyed(void *context, um_handle heap)
{
    (void)context;
    (void)heap;
    destroyed_heaps++;
}

/* It is gone with its blocks, those who observe it are told, and its name is free. */
static void test_a_heap_that_was_not_written_is_gone(void **state)
{
    const struct um_store_events events = {.heap_destroyed = on_heap_destroyed};

    for (int is_always = 0; is_always < 2; is_always++) {
        struct um_fault fault = {0};
        struct um_heap *heap = NULL;
        struct um_block *block = NULL;
        um_handle blocks[2];
        um_handle made;

        (void)state;
        begin_undoing(3, is_always != 0);
        um_store_set_events(world.store, &events);
        destroyed_heaps = 0;
        made = make_heap("new");
        um_heap_observe(heap_of(made));
        for (int i = 0; i < 2; i++)
            blocks[i] = um_block_handle(world.store, put(made, world.owner, i == 0 ? "a" : NULL));
        free_one(blocks[1]);
        fail_to_write();
        assert_int_equal(destroyed_heaps, 1);
        assert_int_equal(um_store_find_heap(world.store, made, &heap, NULL), UMEM_E_STALE_HANDLE);
        assert_true(um_store_heap_has_failed(world.store, made, &fault));
        assert_non_null(strstr(fault.what, ".journal"));
        for (int i = 0; i < 2; i++)
            assert_int_equal(um_store_find_block(world.store, blocks[i], &block, NULL), UMEM_E_STALE_HANDLE);
        assert_true(handle_named("a") == 0);
        assert_true(make_heap("new") != made);
        while (um_store_reclaim(world.store, 1000))
            continue;
        kill_store();
        open_store();
        assert_int_equal(um_store_find_heap(world.store, made, &heap, NULL), UMEM_E_STALE_HANDLE);
        free_store();
        temp_directory_remove(world.path);
        forget_synced();
    }
}

static void test_a_heap_whose_end_is_not_written_stays(void **state)
{
    for (int is_always = 0; is_always < 2; is_always++) {
        struct um_heap *heap;
        uint64_t blocks;
        uint64_t bytes;

        (void)state;
        begin_undoing(3, is_always != 0);
        alloc_on(&world.blocks[0], world.heaps[0], false);
        commit();
        sync_all();
        heap = heap_of(world.heaps[0]);
        losing.unwritable = ".journal";
        assert_int_equal(um_heap_destroy(world.store, heap, &blocks, &bytes, NULL), UMEM_E_CORRUPTED);
        fail_to_write();
        check_all();
        assert_int_equal(um_heap_destroy(world.store, heap, &blocks, &bytes, NULL), UMEM_E_CORRUPTED);
        finish_undoing();
    }
}

/* One slot is used over and over, its heap is destroyed, and its handles are not given out again. */
static void test_handles_are_given_out_once(void **state)
{
    uint64_t blocks;
    uint64_t bytes;

    (void)state;
    begin(5);
    for (int life = 0; life < 12; life++) {
        world.heaps[0] = make_heap(NULL);
        for (int i = 0; i < 200; i++) {
            memset(world.blocks, 0, sizeof world.blocks);
            alloc(&world.blocks[0]);
            free_block(&world.blocks[0]);
            commit();
        }
        assert_int_equal(um_heap_destroy(world.store, heap_of(world.heaps[0]), &blocks, &bytes, NULL),
                         UMEM_OK);
        commit();
        sync_all();
        if (life % 2 == 0)
            kill_store();
        else
            free_store();
        open_store();
    }
    finish();
}

/* So many changes that the journal is written anew, more than once. */
static void test_a_journal_is_written_anew(void **state)
{
    struct um_durable *durable;
    uint64_t largest = 0;

    (void)state;
    begin(7);
    world.heaps[0] = make_heap("h");
    durable = heap_of(world.heaps[0])->durable;
    for (int i = 0; i < 90000; i++) {
        struct model_block *model = &world.blocks[roll(4)];

        if (model->handle == 0) {
            alloc(model);
            world.given_count = 0; /* too many to compare */
        } else {
            free_block(model);
        }
        if (i % 8 != 0)
            continue;
        commit();
        while (um_store_has_work(world.store) && um_store_reclaim(world.store, 1000))
            continue;
        if (roll(8) == 0)
            sync_all();
        if (durable->journal.current.end > largest)
            largest = durable->journal.current.end;
    }
    commit();
    assert_true(durable->journal.current.number > 2);
    assert_true(largest < 4 * 1024 * 1024);
    kill_store();
    forget_session_blocks();
    open_store();
    check_all();
    finish();
}

/* Other clients wait no longer than one piece takes: so many bytes are written in it, at most. */
static void test_a_journal_is_written_anew_in_pieces(void **state)
{
    enum { MANY = 12000, FREED = 11000, PIECE_LIMIT = 1024 * 40 + 4096 /* bytes */ };
    static um_handle handles[MANY];
    const struct um_block_options options = {.size = 16, .lifetime = UM_LIFETIME_SERVER};
    struct um_durable *durable;
    unsigned pieces = 0;

    (void)state;
    begin(8);
    world.heaps[0] = make_heap("h");
    durable = heap_of(world.heaps[0])->durable;
    for (unsigned i = 0; i < MANY + FREED; i++) {
        struct um_block *block = NULL;

        if (i >= MANY)
            um_block_free(world.store, find(handles[i - MANY]));
        assert_int_equal(
            um_block_alloc(world.store, heap_of(world.heaps[0]), world.owner, &options, &block, NULL),
            UMEM_OK);
        handles[i % MANY] = um_block_handle(world.store, block);
        if (i % 64 == 0)
            um_store_commit(world.store);
    }
    sync_all();
    assert_true(um_journal_wants_compaction(&durable->journal));
    while (um_store_has_work(world.store)) {
        uint64_t before = um_journal_is_compacting(&durable->journal) ? durable->journal.next.end : 0;

        (void)um_store_reclaim(world.store, 1000);
        assert_true(durable->journal.next.end - before <= PIECE_LIMIT);
        pieces++;
    }
    assert_true(pieces >= MANY / 1024);
    sync_all();
    assert_int_equal(durable->journal.current.number, 2);
    kill_store();
    open_store();
    for (unsigned i = 0; i < MANY; i++)
        assert_non_null(find(handles[i]));
    finish();
}

static void test_without_a_directory_there_are_none(void **state)
{
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = 100, .is_durable = true};
    const struct um_store_options store_options = {
        .bytes_limit = 1000, .blocks_limit = 10, .heaps_limit = 10, .shared_heaps_limit = 10};
    const struct um_owner_options owner_options = {.id = 1};
    struct um_store *store;
    struct um_owner *owner;
    struct um_heap *heap;
    struct um_fault fault = {0};

    (void)state;
    assert_int_equal(um_store_new(&store_options, &store), UMEM_OK);
    assert_int_equal(um_owner_open(store, &owner_options, &owner), UMEM_OK);
    assert_int_equal(um_heap_create(store, owner, &options, &heap, &fault), UMEM_E_UNSUPPORTED);
    assert_non_null(strstr(fault.what, "umemd --state DIR"));
    um_owner_close(store, owner);
    um_store_free(store);
}

/* ---- damage ---- */

static void damage(uint64_t heap, uint32_t number, uint64_t at, bool cuts)
{
    struct um_state_directory *directory;
    struct um_files *files;
    struct um_file *file;
    char why[UM_STATE_WHY_CAPACITY];
    char name[UM_JOURNAL_NAME_CAPACITY];
    unsigned char byte;

    assert_int_equal(um_state_directory_open(world.path, true, &directory, why, sizeof why), UMEM_OK);
    files = um_state_directory_files(directory);
    um_journal_name(name, heap, number);
    if (cuts) {
        assert_int_equal(files->ops->remove(files, name), UM_FILE_OK);
        assert_int_equal(files->ops->create(files, name, &file), UM_FILE_OK);
        assert_int_equal(files->ops->set_size(file, at), UM_FILE_OK);
    } else {
        assert_int_equal(files->ops->open(files, name, &file), UM_FILE_OK);
        assert_int_equal(files->ops->read(file, at, &byte, 1), UM_FILE_OK);
        byte ^= 4;
        assert_int_equal(files->ops->write(file, at, &byte, 1), UM_FILE_OK);
    }
    files->ops->close(file);
    um_state_directory_close(directory);
}

/* The first of two heaps is damaged: it is listed, and the other one is served. */
static void assert_one_is_lost(const char *expected)
{
    struct um_block_options options = {.size = 10};
    struct um_heap_check check;
    struct um_heap_info info;
    struct um_block *block;
    uint64_t blocks;
    uint64_t bytes;
    bool more = true;

    world.reports = 0;
    open_store();
    assert_int_equal(world.reports, 1);
    if (strstr(world.report, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", world.report, expected);
    um_heap_get_info(heap_of(world.heaps[0]), &info);
    assert_true(info.is_durable && info.is_corrupted);
    assert_int_equal(
        um_block_alloc(world.store, heap_of(world.heaps[0]), world.owner, &options, &block, NULL),
        UMEM_E_CORRUPTED);
    assert_int_equal(um_heap_destroy(world.store, heap_of(world.heaps[0]), &blocks, &bytes, NULL),
                     UMEM_E_DENIED);
    um_heap_check_begin(&check, heap_of(world.heaps[0]));
    assert_int_equal(um_heap_check_step(world.store, &check, 100000, &more, NULL), UMEM_E_CORRUPTED);
    check_block(&world.blocks[1]);
    free_store();
    world.reports = 0;
}

static void make_two(void)
{
    begin(11);
    world.heaps[0] = make_heap("damaged");
    alloc_on(&world.blocks[0], world.heaps[0], false);
    world.heaps[1] = make_heap("whole");
    alloc_on(&world.blocks[1], world.heaps[1], false);
    free_store();
}

static void test_damage_is_told(void **state)
{
    (void)state;
    make_two();
    damage(world.heaps[0], 1, 100, false);
    assert_one_is_lost("is damaged at byte 64");
    /* Nothing was written to it: without the damage it is whole. */
    damage(world.heaps[0], 1, 100, false);
    open_store();
    assert_int_equal(world.reports, 0);
    free_store();
    damage(world.heaps[0], 0, MAXIMUM_SIZE + 20, false);
    assert_one_is_lost("is not the file that its journal is about");
    damage(world.heaps[0], 0, MAXIMUM_SIZE + 20, false);
    damage(world.heaps[0], 0, 4096, true);
    assert_one_is_lost("has 4096 bytes, not 1052672");
    temp_directory_remove(world.path);
}

static void test_a_cut_journal_is_told(void **state)
{
    (void)state;
    make_two();
    damage(world.heaps[0], 1, 0, true);
    assert_one_is_lost("ends at byte 0, and was longer");
    temp_directory_remove(world.path);
}

/* ---- files that were copied, renamed, put back ---- */

/* Both files of a heap. */
struct saved {
    unsigned char bytes[2][MAXIMUM_SIZE + JOURNAL_CAPACITY];
    size_t size[2];
};

static void path_of(um_handle heap, uint32_t number,
                    char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY])
{
    char name[UM_JOURNAL_NAME_CAPACITY];

    um_journal_name(name, heap, number);
    snprintf(path, TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY, "%s/%s", world.path, name);
}

static void save_files(um_handle heap, struct saved *saved)
{
    for (uint32_t i = 0; i < 2; i++) {
        char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];
        FILE *file;

        path_of(heap, i, path);
        file = fopen(path, "rb");
        assert_non_null(file);
        saved->size[i] = fread(saved->bytes[i], 1, sizeof saved->bytes[i], file);
        assert_true(saved->size[i] < sizeof saved->bytes[i]);
        assert_int_equal(fclose(file), 0);
    }
}

/* Under that handle's names. */
static void put_files(um_handle heap, const struct saved *saved)
{
    for (uint32_t i = 0; i < 2; i++) {
        char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];
        FILE *file;

        path_of(heap, i, path);
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(saved->bytes[i], 1, saved->size[i], file), saved->size[i]);
        assert_int_equal(fclose(file), 0);
    }
}

static void remove_files(um_handle heap)
{
    for (uint32_t i = 0; i < 2; i++) {
        char path[TEMP_DIRECTORY_CAPACITY + UM_JOURNAL_NAME_CAPACITY];

        path_of(heap, i, path);
        assert_int_equal(remove(path), 0);
    }
}

static struct saved saved;
static struct saved found;

static void assert_reported(const char *expected)
{
    assert_int_equal(world.reports, 1);
    if (strstr(world.report, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", world.report, expected);
    world.reports = 0;
}

static bool is_listed(um_handle handle)
{
    struct um_heap *heap = NULL;

    return um_store_find_heap(world.store, handle, &heap, NULL) == UMEM_OK;
}

static void destroy(um_handle handle)
{
    uint64_t blocks;
    uint64_t bytes;

    assert_int_equal(um_heap_destroy(world.store, heap_of(handle), &blocks, &bytes, NULL), UMEM_OK);
    um_store_commit(world.store);
    sync_all();
}

/* What `umemd --check` says: so many heaps can be used, and of another one this. */
static void assert_examined(size_t expected, const char *text)
{
    const struct um_state_options options = {.path = world.path, .report = on_report};
    char why[UM_STATE_WHY_CAPACITY] = "";
    size_t heaps = 0;

    assert_int_equal(um_state_examine(&options, &heaps, why, sizeof why), UMEM_OK);
    assert_int_equal(heaps, expected);
    assert_reported(text);
}

/* The slot of a destroyed heap goes to another one. Then the files are there again: from a backup, or because the power failed before the
 * disk had that it was destroyed. */
static void test_a_heap_that_was_destroyed_has_no_slot(void **state)
{
    (void)state;
    begin(12);
    world.heaps[0] = make_heap("former");
    alloc_on(&world.blocks[0], world.heaps[0], false);
    free_store();
    save_files(world.heaps[0], &saved);
    open_store();
    destroy(world.heaps[0]);
    world.heaps[1] = make_heap("latter");
    assert_int_equal(um_handle_slot(world.heaps[1]), um_handle_slot(world.heaps[0]));
    alloc_on(&world.blocks[1], world.heaps[1], false);
    free_store();
    put_files(world.heaps[0], &saved);
    assert_examined(1, "is of a heap that was destroyed before heap ");
    open_store();
    assert_reported("is of a heap that was destroyed before heap ");
    check_block(&world.blocks[1]);
    assert_false(is_listed(world.heaps[0]));
    free_store();
    save_files(world.heaps[0], &found);
    assert_memory_equal(&found, &saved, sizeof found);
    /* Without the latter it is there. */
    remove_files(world.heaps[1]);
    open_store();
    assert_int_equal(world.reports, 0);
    check_block(&world.blocks[0]);
    finish();
}

/* No name of a file keeps the daemon from its other heaps. */
static void test_files_are_renamed(void **state)
{
    static const um_handle names[] = {1,
                                      2,
                                      5,
                                      999,
                                      UINT64_C(1) << 28,
                                      (UINT64_C(1) << 28) + 1,
                                      (UINT64_C(1) << 28) - 3,
                                      (UINT64_C(1) << 53) - 3,
                                      (UINT64_C(1) << 53) + 1,
                                      UINT64_MAX - 2};
    char right[UM_JOURNAL_NAME_CAPACITY];

    (void)state;
    make_two();
    save_files(world.heaps[0], &saved);
    um_journal_name(right, world.heaps[0], 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0] + 2; i++) {
        size_t own = i - sizeof names / sizeof names[0];
        /* That may also have the slot of the other one. */
        um_handle name = i < sizeof names / sizeof names[0] ? names[i]
                         : own == 0                         ? world.heaps[1] + (UINT64_C(1) << 28)
                                                            : world.heaps[1] - (UINT64_C(1) << 28);

        put_files(name, &saved);
        world.reports = 0;
        assert_examined(2, right);
        open_store();
        assert_reported(right);
        check_block(&world.blocks[0]);
        check_block(&world.blocks[1]);
        free_store();
        save_files(world.heaps[0], &found);
        remove_files(world.heaps[0]);
        assert_one_is_lost("was renamed or copied: it is heap-");
        put_files(world.heaps[0], &found);
        save_files(name, &found);
        assert_memory_equal(&found, &saved, sizeof found);
        remove_files(name);
    }
    temp_directory_remove(world.path);
}

/* A heap of another directory is refused where its handles are others' here, however old it is, and is one of this directory's where not. */
static void test_files_come_from_another_directory(void **state)
{
    (void)state;
    for (unsigned seed = 13; seed < 17; seed++) {
        um_handle heap;
        struct model_block block;

        make_two();
        heap = world.heaps[1];
        block = world.blocks[1];
        save_files(heap, &saved);
        temp_directory_remove(world.path);
        begin(seed);
        world.heaps[0] = make_heap("here");
        alloc_on(&world.blocks[0], world.heaps[0], false);
        alloc_on(&world.blocks[1], world.heaps[0], false);
        free_store();
        put_files(heap, &saved);
        for (int starts = 0; starts < 2; starts++) {
            open_store();
            assert_reported("tells of a handle or a name that another heap or block has already");
            check_block(&world.blocks[0]);
            check_block(&world.blocks[1]);
            if (starts == 1)
                destroy(world.heaps[0]);
            free_store();
            save_files(heap, &found);
            assert_memory_equal(&found, &saved, sizeof found);
        }
        for (int starts = 0; starts < 2; starts++) {
            open_store();
            assert_int_equal(world.reports, 0);
            check_block(&block);
            assert_int_equal(heap_of(heap)->durable->journal.header.place,
                             world.store->state->handles.header.place);
            free_store();
        }
        temp_directory_remove(world.path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_heap_that_was_destroyed_has_no_slot),
        cmocka_unit_test(test_files_are_renamed),
        cmocka_unit_test(test_files_come_from_another_directory),
        cmocka_unit_test(test_heaps_come_back),
        cmocka_unit_test(test_a_heap_is_as_it_was),
        cmocka_unit_test(test_files_are_removed_by_the_sync),
        cmocka_unit_test(test_only_syncs_wait_for_the_disk),
        cmocka_unit_test(test_files_are_removed_at_the_end),
        cmocka_unit_test(test_files_stay_where_handles_are_not_on_the_disk),
        cmocka_unit_test(test_a_heap_is_destroyed_while_its_journal_is_written_anew),
        cmocka_unit_test(test_a_heap_that_was_begun_is_none),
        cmocka_unit_test(test_a_destroyed_heap_stays_away),
        cmocka_unit_test(test_a_block_is_replaced_by_name),
        cmocka_unit_test(test_a_failed_journal_can_only_be_read),
        cmocka_unit_test(test_what_was_flushed_outlives_the_power),
        cmocka_unit_test(test_what_was_synced_outlives_the_power_as_a_whole),
        cmocka_unit_test(test_two_journals_are_of_two_moments),
        cmocka_unit_test(test_a_flush_that_failed_leaves_the_heap_readable),
        cmocka_unit_test(test_what_cannot_be_written_is_undone),
        cmocka_unit_test(test_what_cannot_be_synced_is_undone),
        cmocka_unit_test(test_a_put_is_undone),
        cmocka_unit_test(test_a_name_that_was_taken_stays_with_its_taker),
        cmocka_unit_test(test_an_owner_is_the_former_one_again),
        cmocka_unit_test(test_blocks_of_a_session_that_has_ended_stay_away),
        cmocka_unit_test(test_a_pinned_block_is_back),
        cmocka_unit_test(test_a_smaller_block_is_as_large_as_it_was),
        cmocka_unit_test(test_a_heap_that_was_not_written_is_gone),
        cmocka_unit_test(test_a_heap_whose_end_is_not_written_stays),
        cmocka_unit_test(test_a_heap_is_destroyed_while_it_is_flushed),
        cmocka_unit_test(test_handles_are_given_out_once),
        cmocka_unit_test(test_a_journal_is_written_anew),
        cmocka_unit_test(test_a_journal_is_written_anew_in_pieces),
        cmocka_unit_test(test_without_a_directory_there_are_none),
        cmocka_unit_test(test_damage_is_told),
        cmocka_unit_test(test_a_cut_journal_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
