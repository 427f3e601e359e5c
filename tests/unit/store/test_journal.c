/* A journal on files that lose what was not synced, and whose calls fail: what comes back is what was there at some commit, not older
 * than the last sync. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../model/chance.h"
#include "base/hash.h"
#include "fake_files.h"
#include "store/journal/journal_recovery.h"

enum {
    BLOCKS = 40,    /* at one time */
    HISTORY = 6000, /* commits of one history */
    TURNS = 60,     /* at most, of one life of the journal */
    ROUNDS = 120,   /* lives */
    HEAP = 5,       /* its handle */
    NEVER = HISTORY + 1
};

struct model_block {
    uint64_t handle; /* 0: there is none */
    uint64_t offset;
    uint64_t size;
    uint64_t is_session;
    uint64_t name; /* 0: none */
};

struct world {
    struct um_files *files;
    struct um_journal journal;
    struct model_block blocks[BLOCKS];
    uint64_t last_handle;
    uint64_t chance;
    uint64_t history[HISTORY]; /* a hash of the blocks after each commit */
    size_t commits;
    size_t on_disk;     /* the commit that is on the disk for sure; NEVER: not even the first */
    size_t sync_covers; /* the commit that the sync at work began after */
    struct um_journal_sync sync;
    bool syncs_next;    /* the sync at work is a compaction's */
    size_t cursor;      /* of a compaction: blocks before it are in the new file */
    unsigned compacted; /* compactions that came to their end */
};

static const struct um_journal_header header = {.id = {1, 2}, .heap = HEAP, .key = 3};
static const struct um_journal_entry heap_entry = {.type = UM_JOURNAL_HEAP,
                                                   .handle = HEAP,
                                                   .alignment = 16,
                                                   .maximum_size = 65536,
                                                   .length = 65536,
                                                   .owner = 1};
static const struct um_journal_entry owner_entry = {
    .type = UM_JOURNAL_OWNER, .owner = 1, .name = "program", .name_size = 7};

static uint64_t roll(struct world *world, uint64_t sides)
{
    return chance_roll(&world->chance, sides);
}

static int by_handle(const void *left, const void *right)
{
    const struct model_block *a = left;
    const struct model_block *b = right;

    return (a->handle > b->handle) - (a->handle < b->handle);
}

/* Does not depend on the places of blocks in the row. */
static uint64_t hash_of(const struct model_block *blocks)
{
    static const uint64_t key[2] = {1, 2};
    struct model_block sorted[BLOCKS];

    memcpy(sorted, blocks, sizeof sorted);
    qsort(sorted, BLOCKS, sizeof *sorted, by_handle);
    return um_hash_bytes(key, sorted, sizeof sorted);
}

static void note_commit(struct world *world)
{
    assert_true(world->commits < HISTORY);
    world->history[world->commits++] = hash_of(world->blocks);
}

/* ---- changes ---- */

static const char *name_text(uint64_t name, char text[32])
{
    snprintf(text, 32, "name %llu", (unsigned long long)name);
    return text;
}

static struct um_journal_entry entry_of(const struct model_block *block, enum um_journal_entry_type type,
                                        char text[32])
{
    bool has_name = block->name != 0 && type != UM_JOURNAL_PLACE;

    return (struct um_journal_entry){
        .type = type,
        .is_session = type != UM_JOURNAL_PLACE && block->is_session != 0,
        .handle = block->handle,
        .owner = type != UM_JOURNAL_PLACE ? 1 : 0,
        .offset = type != UM_JOURNAL_CHANGE ? block->offset : 0,
        .size = type != UM_JOURNAL_CHANGE ? block->size : 0,
        .name = has_name ? name_text(block->name, text) : "",
        .name_size = has_name ? (uint8_t)strlen(text) : 0,
    };
}

static void place(struct world *world, struct model_block *block)
{
    block->offset = roll(world, 1000) * 16;
    block->size = roll(world, 5000);
}

/* One random change, if there is space for it. */
static void change(struct world *world)
{
    size_t number = (size_t)roll(world, BLOCKS);
    struct model_block *block = &world->blocks[number];
    struct model_block changed = *block;
    struct um_journal_entry entry = {.type = UM_JOURNAL_FREE, .handle = block->handle};
    char text[32];

    if (block->handle == 0) {
        changed.handle = world->last_handle + 4;
        place(world, &changed);
        changed.is_session = roll(world, 4) == 0;
        changed.name = roll(world, 3) == 0 ? changed.handle : 0;
        entry = entry_of(&changed, UM_JOURNAL_BLOCK, text);
    } else if (roll(world, 2) == 0) {
        place(world, &changed);
        entry = entry_of(&changed, UM_JOURNAL_PLACE, text);
    } else if (roll(world, 2) == 0) {
        changed.name = roll(world, 2) == 0 ? roll(world, 1000) : 0;
        changed.is_session = roll(world, 2);
        entry = entry_of(&changed, UM_JOURNAL_CHANGE, text);
    } else {
        memset(&changed, 0, sizeof changed);
    }
    if (um_journal_reserve(&world->journal, um_journal_entry_size(&entry), entry.type == UM_JOURNAL_FREE) !=
        UM_FILE_OK)
        return;
    um_journal_add(&world->journal, &entry, number < world->cursor);
    if (world->journal.state != UM_JOURNAL_OPEN)
        return;
    if (block->handle == 0)
        world->last_handle = changed.handle;
    *block = changed;
}

/* One that fails may hold all the same. */
static void commit(struct world *world)
{
    bool was_open = world->journal.state == UM_JOURNAL_OPEN;

    (void)um_journal_commit(&world->journal);
    if (was_open)
        note_commit(world);
}

/* ---- syncs and compactions ---- */

static void begin_sync(struct world *world)
{
    if (!um_journal_wants_sync(&world->journal))
        return;
    world->sync_covers = world->commits - 1;
    world->syncs_next = false;
    um_journal_sync_begin(&world->journal, &world->sync, false);
}

static void end_sync(struct world *world)
{
    bool done;

    um_journal_sync_run(&world->sync);
    if (world->sync.status == UM_FILE_OK)
        world->sync.status = world->files->ops->sync_names(world->files);
    if (world->syncs_next) {
        done = um_journal_compact_end(&world->journal, &world->sync, NULL);
        world->compacted += done;
        world->cursor = 0;
    } else {
        done = um_journal_sync_end(&world->journal, &world->sync);
    }
    if (done && (world->on_disk == NEVER || world->sync_covers > world->on_disk))
        world->on_disk = world->sync_covers;
}

/* One step of a compaction: some blocks are added to the new file. */
static void compact(struct world *world)
{
    struct um_journal *journal = &world->journal;
    char text[32];

    if (journal->state != UM_JOURNAL_OPEN || journal->is_syncing)
        return;
    if (journal->compaction == UM_JOURNAL_NOT_COMPACTING) {
        world->cursor = 0;
        if (um_journal_compact_begin(journal, roll(world, UINT32_MAX)) == UM_FILE_OK &&
            um_journal_compact_add(journal, &heap_entry) == UM_FILE_OK)
            (void)um_journal_compact_add(journal, &owner_entry);
    }
    for (uint64_t left = 1 + roll(world, BLOCKS); left != 0 && world->cursor < BLOCKS; left--) {
        const struct model_block *block = &world->blocks[world->cursor];
        const struct um_journal_entry entry = entry_of(block, UM_JOURNAL_BLOCK, text);

        if (!um_journal_is_compacting(journal) ||
            (block->handle != 0 && um_journal_compact_add(journal, &entry) != UM_FILE_OK))
            return;
        world->cursor++;
    }
    if (world->cursor == BLOCKS && um_journal_is_compacting(journal) &&
        um_journal_compact_complete(journal, &world->sync, false) == UM_FILE_OK) {
        world->sync_covers = world->commits - 1;
        world->syncs_next = true;
    }
}

/* A life: turns with changes, commits, syncs and compactions. */
static void live(struct world *world)
{
    for (uint64_t turns = roll(world, TURNS); turns != 0; turns--) {
        for (uint64_t changes = roll(world, 6); changes != 0; changes--)
            change(world);
        commit(world);
        if (world->journal.is_syncing) {
            if (roll(world, 3) == 0)
                end_sync(world);
        } else if (roll(world, 8) == 0) {
            begin_sync(world);
        } else if (roll(world, 4) == 0 || world->journal.compaction != UM_JOURNAL_NOT_COMPACTING) {
            compact(world);
            commit(world);
        }
    }
    /* What is not committed is lost. */
    for (uint64_t changes = roll(world, 3); changes != 0; changes--)
        change(world);
}

/* A process that ends closes its files, whatever it was about. */
static void die(struct world *world)
{
    /* Not um_journal_close(), which would tidy up. */
    if (world->journal.next.file != NULL)
        world->files->ops->close(world->journal.next.file);
    um_buf_deinit(&world->journal.next.batch);
    um_buf_deinit(&world->journal.next.full);
    if (world->journal.current.file != NULL)
        world->files->ops->close(world->journal.current.file);
    um_buf_deinit(&world->journal.current.batch);
    um_buf_deinit(&world->journal.current.full);
    assert_int_equal(fake_files_count_open(world->files), 0);
}

/* ---- coming back ---- */

static void create(struct world *world)
{
    memset(world->blocks, 0, sizeof world->blocks);
    world->commits = 0;
    world->on_disk = NEVER;
    world->cursor = 0;
    world->last_handle = 2;
    assert_int_equal(um_journal_create(&world->journal, world->files, &header, &heap_entry), UM_FILE_OK);
    assert_int_equal(um_journal_reserve(&world->journal, um_journal_entry_size(&owner_entry), false),
                     UM_FILE_OK);
    um_journal_add(&world->journal, &owner_entry, true);
    assert_true(um_journal_commit(&world->journal));
    note_commit(world);
}

/* Reads the blocks back. Where they are in the row does not matter. */
static void take_blocks(const struct um_replay *replay, struct model_block *blocks)
{
    size_t count = 0;

    memset(blocks, 0, BLOCKS * sizeof *blocks);
    for (size_t i = 0; i < replay->blocks.count; i++) {
        const struct um_replay_block *found = um_replay_block_at(replay, i);
        char text[32] = "";

        if (found->is_freed)
            continue;
        assert_true(count < BLOCKS && found->name_size < sizeof text);
        memcpy(text, found->name, found->name_size);
        blocks[count++] = (struct model_block){
            .handle = found->handle,
            .offset = found->offset,
            .size = found->size,
            .is_session = found->is_session,
            .name = found->name_size != 0 ? strtoull(text + 5, NULL, 10) : 0,
        };
    }
}

/* Reads what is there, compares it with the history from commit `first` on, and continues. */
static void come_back(struct world *world, size_t first, bool was_cut_off)
{
    struct um_heap_files list;
    struct um_recovery recovery;
    struct model_block blocks[BLOCKS];
    size_t at = 0;
    size_t found;
    uint64_t hash;

    fake_files_fail_after(world->files, SIZE_MAX, UM_FILE_OK);
    assert_int_equal(um_heap_files_init(&list, world->files), UM_FILE_OK);
    if (list.count == 0) {
        assert_int_equal(first, NEVER);
        um_heap_files_deinit(&list);
        create(world);
        return;
    }
    um_recovery_init(&recovery, world->files, &list, &at);
    assert_int_equal(at, list.count);
    assert_int_equal(um_recovery_tidy(&recovery, world->files, &list), UM_FILE_OK);
    if (recovery.kind != UM_RECOVERY_HEAP) {
        assert_int_equal(recovery.kind, UM_RECOVERY_UNFINISHED);
        assert_int_equal(first, NEVER);
        assert_int_equal(fake_files_count(world->files), 0);
        um_heap_files_deinit(&list);
        create(world);
        return;
    }
    assert_int_equal(fake_files_count(world->files), 1);
    take_blocks(&recovery.replay, blocks);
    hash = hash_of(blocks);
    for (found = first == NEVER ? 0 : first; found < world->commits && world->history[found] != hash; found++)
        continue;
    /* A heap that was never synced may be there without the owner that its first commit wrote. */
    assert_true(found < world->commits || (first == NEVER && recovery.replay.owners.count == 0));
    memcpy(world->blocks, blocks, sizeof blocks);
    assert_int_equal(um_journal_continue(&world->journal, world->files, recovery.number, recovery.file,
                                         &recovery.summary, recovery.summary.end),
                     UM_FILE_OK);
    recovery.file = NULL;
    if (recovery.replay.owners.count == 0) {
        assert_int_equal(um_journal_reserve(&world->journal, 1000, false), UM_FILE_OK);
        um_journal_add(&world->journal, &owner_entry, true);
        assert_true(um_journal_commit(&world->journal));
    }
    if (was_cut_off) {
        /* Only what is on the disk is left: that is the beginning of another history. */
        world->history[0] = hash;
        world->commits = 1;
        world->on_disk = world->on_disk == NEVER ? NEVER : 0;
    }
    world->cursor = 0;
    um_recovery_deinit(&recovery, world->files);
    um_heap_files_deinit(&list);
}

static struct world world;

static void begin(uint64_t seed)
{
    memset(&world, 0, sizeof world);
    world.chance = seed;
    world.files = fake_files_new(seed);
    create(&world);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("UMEM_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261129;

    print_message("seed %llu\n", (unsigned long long)seed);
    return seed;
}

static void finish(void)
{
    die(&world);
    assert_true(world.compacted != 0);
    fake_files_free(world.files);
}

/* The process is killed: what was committed is there. */
static void test_commits_outlive_the_process(void **state)
{
    (void)state;
    begin(seed_of_run());
    for (int i = 0; i < ROUNDS; i++) {
        size_t last;

        live(&world);
        last = world.commits - 1;
        die(&world);
        come_back(&world, last, false);
        if (world.commits > HISTORY - TURNS * 3) {
            world.history[0] = world.history[world.commits - 1];
            world.commits = 1;
            world.on_disk = NEVER;
        }
    }
    finish();
}

/* The power fails: what was synced is there, and of what came later, all up to some commit. */
static void test_syncs_outlive_the_power(void **state)
{
    (void)state;
    begin(seed_of_run() + 1);
    for (int i = 0; i < ROUNDS; i++) {
        size_t first;

        live(&world);
        first = world.on_disk;
        die(&world);
        fake_files_power_failure(world.files);
        come_back(&world, first, true);
    }
    finish();
}

/* Any call fails, and so does the power: a failed change has changed nothing, and a journal that has failed stays so. */
static void test_failures_lose_nothing(void **state)
{
    static const enum um_file_status failures[] = {UM_FILE_NO_SPACE, UM_FILE_FAILED, UM_FILE_NO_MEMORY};
    unsigned failed = 0;

    (void)state;
    begin(seed_of_run() + 2);
    for (int i = 0; i < 3 * ROUNDS; i++) {
        size_t first;

        fake_files_fail_after(world.files, (size_t)roll(&world, 30), failures[roll(&world, 3)]);
        live(&world);
        failed += fake_files_have_failed(world.files);
        first = world.on_disk;
        die(&world);
        fake_files_power_failure(world.files);
        come_back(&world, first, true);
    }
    assert_true(failed > ROUNDS / 2);
    finish();
}

/* ---- in particular ---- */

static void test_a_failed_sync_is_not_tried_again(void **state)
{
    struct um_journal_sync sync;

    (void)state;
    begin(9);
    um_journal_sync_begin(&world.journal, &sync, false);
    fake_files_fail_after(world.files, 0, UM_FILE_FAILED);
    um_journal_sync_run(&sync);
    assert_int_equal(sync.status, UM_FILE_FAILED);
    assert_false(um_journal_sync_end(&world.journal, &sync));
    assert_false(um_journal_wants_sync(&world.journal));
    assert_int_equal(um_journal_reserve(&world.journal, 8, true), UM_FILE_FAILED);
    assert_false(um_journal_commit(&world.journal));
    die(&world);
    fake_files_free(world.files);
}

static void test_freeing_may_take_the_last_space(void **state)
{
    const struct um_journal_entry entry = {.type = UM_JOURNAL_FREE, .handle = 6};
    size_t size = UM_JOURNAL_RESERVED - (size_t)UM_JOURNAL_HEADER_SIZE - 2000;

    (void)state;
    begin(9);
    fake_files_fail_after(world.files, 0, UM_FILE_NO_SPACE);
    assert_int_equal(um_journal_reserve(&world.journal, size, false), UM_FILE_NO_SPACE);
    assert_int_equal(world.journal.state, UM_JOURNAL_OPEN);
    fake_files_fail_after(world.files, 0, UM_FILE_NO_SPACE);
    assert_int_equal(um_journal_reserve(&world.journal, size, true), UM_FILE_OK);
    assert_int_equal(um_journal_reserve(&world.journal, um_journal_entry_size(&entry), true), UM_FILE_OK);
    assert_false(fake_files_have_failed(world.files));
    die(&world);
    fake_files_free(world.files);
}

/* All that a sync takes is written by it, however many batches that are. */
static void test_full_batches_wait_for_the_sync(void **state)
{
    const struct um_journal_entry entry = {.type = UM_JOURNAL_FREE, .handle = 6};
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_journal_summary summary;
    struct um_journal_sync sync;
    unsigned char *bytes;
    uint64_t size;
    uint64_t end;

    (void)state;
    begin(9);
    um_journal_name(name, HEAP, 1);
    assert_true(um_journal_commit(&world.journal));
    end = world.journal.current.end;
    world.journal.holds = true;
    while (world.journal.current.end < end + 2 * UM_JOURNAL_BATCH_LIMIT) {
        assert_int_equal(um_journal_reserve(&world.journal, 16, true), UM_FILE_OK);
        um_journal_add(&world.journal, &entry, true);
    }
    assert_true(um_journal_is_uncommitted(&world.journal));
    um_journal_sync_begin(&world.journal, &sync, true);
    bytes = fake_files_bytes(world.files, name, &size);
    assert_true(size > end);
    for (uint64_t at = end; at < size; at++)
        assert_int_equal(bytes[at], 0);
    um_journal_sync_run(&sync);
    assert_true(um_journal_sync_end(&world.journal, &sync));
    assert_false(um_journal_is_uncommitted(&world.journal));
    bytes = fake_files_bytes(world.files, name, &size);
    assert_int_equal(um_journal_examine(bytes, size, &summary), UM_JOURNAL_WHOLE);
    assert_int_equal(summary.end, world.journal.current.end);
    assert_int_equal(summary.batches, world.journal.current.batches);
    die(&world);
    fake_files_free(world.files);
}

/* Under load, what would be won is little each time. */
static void test_it_is_written_anew_once_in_a_sync(void **state)
{
    const uint64_t mebibyte = 1024 * 1024;
    struct um_journal journal = {.state = UM_JOURNAL_OPEN, .compacted_size = 4096};

    (void)state;
    journal.current.end = 4096 + mebibyte;
    journal.current.synced_end = 8192;
    assert_false(um_journal_wants_compaction(&journal)); /* there is not enough to win */
    journal.current.end++;
    assert_true(um_journal_wants_compaction(&journal));
    journal.current.synced_end = 4096;
    assert_false(um_journal_wants_compaction(&journal)); /* no sync has passed since the last time */
    journal.current.end = 4096 + 32 * mebibyte;
    assert_false(um_journal_wants_compaction(&journal));
    journal.current.end++;
    assert_true(um_journal_wants_compaction(&journal)); /* too much of the disk is used */
    journal.compacted_size = 64 * mebibyte;
    journal.current.end = 128 * mebibyte;
    journal.current.synced_end = 100 * mebibyte;
    assert_false(um_journal_wants_compaction(&journal)); /* most of it is needed */
    journal.current.end++;
    assert_true(um_journal_wants_compaction(&journal));
    journal.compaction = UM_JOURNAL_COMPACTING;
    assert_false(um_journal_wants_compaction(&journal));
}

/* A disk that has space for so much of a file. */
static uint64_t disk_space;
static unsigned extensions;

static enum um_file_status extend(struct um_file *file, uint64_t size)
{
    (void)file;
    extensions++;
    return size <= disk_space ? UM_FILE_OK : UM_FILE_NO_SPACE;
}

static void test_a_file_is_extended_by_what_there_is_space_for(void **state)
{
    static const struct um_files_ops extending = {.reserve = extend};
    const uint64_t mebibyte = 1024 * 1024;
    struct um_files files = {.ops = &extending};
    struct um_journal journal = {.files = &files, .state = UM_JOURNAL_OPEN};

    (void)state;
    um_buf_init(&journal.current.batch, UM_JOURNAL_BATCH_LIMIT);
    disk_space = UINT64_MAX;
    /* By a quarter of what it has, at most by a mebibyte. */
    for (journal.current.end = 0; journal.current.end < 64 * mebibyte; journal.current.end += 65536) {
        uint64_t before = journal.current.reserved;

        assert_int_equal(um_journal_reserve(&journal, 16, true), UM_FILE_OK);
        if (journal.current.reserved == before)
            continue;
        assert_true(journal.current.reserved - before <= mebibyte);
        assert_true(journal.current.end >= mebibyte ||
                    journal.current.reserved - before == UM_JOURNAL_RESERVED);
    }
    assert_true(extensions < 64 + 16);
    /* Where there is no space for a mebibyte, by what does. */
    journal.current.end = journal.current.reserved;
    disk_space = journal.current.reserved + UM_JOURNAL_RESERVED;
    assert_int_equal(um_journal_reserve(&journal, 16, true), UM_FILE_OK);
    assert_int_equal(journal.current.reserved, disk_space);
    journal.current.end = journal.current.reserved;
    assert_int_equal(um_journal_reserve(&journal, 16, true), UM_FILE_NO_SPACE);
    assert_int_equal(journal.current.reserved, disk_space);
    assert_int_equal(journal.state, UM_JOURNAL_OPEN);
    um_buf_deinit(&journal.current.batch);
}

static void test_names_of_files(void **state)
{
    static const char *const others[] = {"heap-5.bytes ",
                                         "heap-.bytes",
                                         "heap-05.bytes",
                                         "heap-5.0.journal",
                                         "heap-5.journal",
                                         "heap-5.1.journal~",
                                         "Heap-5.bytes",
                                         "lock",
                                         "heap-5.01.journal",
                                         "heap-5.4294967296.journal",
                                         "heap-18446744073709551616.bytes",
                                         "heap--5.bytes",
                                         "handles.bytes",
                                         "handles.journal",
                                         "heap-0.1.journal",
                                         ""};
    char name[UM_JOURNAL_NAME_CAPACITY];
    uint64_t heap;
    uint32_t number;

    (void)state;
    um_journal_name(name, UINT64_MAX, UINT32_MAX);
    assert_string_equal(name, "heap-18446744073709551615.4294967295.journal");
    assert_true(um_journal_parse_name(name, &heap, &number));
    assert_true(heap == UINT64_MAX && number == UINT32_MAX);
    um_journal_name(name, 7, 0);
    assert_string_equal(name, "heap-7.bytes");
    assert_true(um_journal_parse_name(name, &heap, &number));
    assert_true(heap == 7 && number == 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(um_journal_parse_name(others[i], &heap, &number));
}

/* ---- damage is told, and left alone ---- */

static const char first_name[] = "heap-5.1.journal";

static void examine(struct um_recovery *recovery)
{
    struct um_heap_files list;
    size_t at = 0;
    uint64_t size = 0;
    uint64_t size_after = 0;
    unsigned char *before;

    assert_int_equal(um_heap_files_init(&list, world.files), UM_FILE_OK);
    assert_non_null(fake_files_bytes(world.files, first_name, &size));
    before = malloc((size_t)size);
    memcpy(before, fake_files_bytes(world.files, first_name, &size), (size_t)size);
    um_recovery_init(recovery, world.files, &list, &at);
    assert_int_equal(um_recovery_tidy(recovery, world.files, &list), UM_FILE_OK);
    um_recovery_deinit(recovery, world.files);
    assert_memory_equal(before, fake_files_bytes(world.files, first_name, &size_after), (size_t)size);
    assert_true(size == size_after);
    free(before);
    um_heap_files_deinit(&list);
}

static void make_synced(void)
{
    begin(9);
    for (int i = 0; i < 20; i++)
        change(&world);
    commit(&world);
    begin_sync(&world);
    end_sync(&world);
    for (int i = 0; i < 20; i++)
        change(&world);
    commit(&world);
    die(&world);
}

static void assert_explained(const struct um_recovery *recovery, const char *expected)
{
    char text[512];

    um_recovery_explain(recovery, "/var/state", text, sizeof text);
    if (strstr(text, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", text, expected);
    assert_non_null(strstr(text, "/var/state/heap-5."));
}

static void test_a_flipped_bit_is_corruption(void **state)
{
    struct um_recovery recovery;
    uint64_t size;

    (void)state;
    make_synced();
    fake_files_bytes(world.files, first_name, &size)[200] ^= 4;
    examine(&recovery);
    assert_int_equal(recovery.kind, UM_RECOVERY_CORRUPTED);
    assert_int_equal(recovery.verdict, UM_JOURNAL_DAMAGED);
    assert_explained(&recovery, "is damaged at byte ");
    fake_files_free(world.files);
}

static void test_a_cut_file_is_corruption(void **state)
{
    struct um_recovery recovery;

    (void)state;
    make_synced();
    fake_files_cut(world.files, first_name, UM_JOURNAL_RESERVED - 4096);
    examine(&recovery);
    assert_int_equal(recovery.kind, UM_RECOVERY_CORRUPTED);
    assert_int_equal(recovery.verdict, UM_JOURNAL_CUT);
    assert_explained(&recovery, "ends at byte 258048, and was longer");
    fake_files_free(world.files);
}

static void test_a_newer_format_is_left_alone(void **state)
{
    struct um_recovery recovery;
    uint64_t size;

    (void)state;
    make_synced();
    fake_files_bytes(world.files, first_name, &size)[8] = 2;
    examine(&recovery);
    assert_int_equal(recovery.kind, UM_RECOVERY_CORRUPTED);
    assert_explained(&recovery, "has format 2, and this umemd reads formats up to 1; start a newer umemd");
    fake_files_free(world.files);
}

static void test_a_foreign_file_is_left_alone(void **state)
{
    struct um_recovery recovery;
    uint64_t size;

    (void)state;
    make_synced();
    memcpy(fake_files_bytes(world.files, first_name, &size), "MZ", 2);
    examine(&recovery);
    assert_int_equal(recovery.kind, UM_RECOVERY_CORRUPTED);
    assert_explained(&recovery, "is no journal of umemd's");
    fake_files_free(world.files);
}

/* A journal under another heap's name. */
static void test_a_renamed_file_is_corruption(void **state)
{
    struct um_heap_files list;
    struct um_recovery recovery;
    struct um_file *file;
    uint64_t size;
    size_t at = 0;

    (void)state;
    make_synced();
    assert_int_equal(world.files->ops->create(world.files, "heap-9.1.journal", &file), UM_FILE_OK);
    assert_non_null(fake_files_bytes(world.files, first_name, &size));
    assert_int_equal(
        world.files->ops->write(file, 0, fake_files_bytes(world.files, first_name, &size), (size_t)size),
        UM_FILE_OK);
    world.files->ops->close(file);
    assert_int_equal(um_heap_files_init(&list, world.files), UM_FILE_OK);
    assert_int_equal(list.count, 2);
    um_recovery_init(&recovery, world.files, &list, &at);
    assert_int_equal(recovery.kind, UM_RECOVERY_HEAP);
    um_recovery_deinit(&recovery, world.files);
    um_recovery_init(&recovery, world.files, &list, &at);
    assert_int_equal(at, 2);
    assert_int_equal(recovery.kind, UM_RECOVERY_CORRUPTED);
    assert_int_equal(recovery.heap, 9);
    assert_non_null(strstr(recovery.what, "renamed"));
    um_recovery_deinit(&recovery, world.files);
    um_heap_files_deinit(&list);
    fake_files_free(world.files);
}

/* A destroyed heap's files may be left: they are removed, and its older journal is not taken for the heap. */
static void test_a_destroyed_heap_is_removed(void **state)
{
    const struct um_journal_entry destroyed = {.type = UM_JOURNAL_DESTROYED};
    struct um_heap_files list;
    struct um_recovery recovery;
    size_t at = 0;

    (void)state;
    begin(9);
    while (!world.syncs_next) {
        compact(&world);
        commit(&world);
    }
    assert_int_equal(fake_files_count(world.files), 2);
    assert_int_equal(um_journal_reserve(&world.journal, um_journal_entry_size(&destroyed), true), UM_FILE_OK);
    um_journal_add(&world.journal, &destroyed, true);
    commit(&world);
    assert_int_equal(fake_files_count(world.files), 2);
    die(&world);
    assert_int_equal(um_heap_files_init(&list, world.files), UM_FILE_OK);
    um_recovery_init(&recovery, world.files, &list, &at);
    assert_int_equal(recovery.kind, UM_RECOVERY_UNFINISHED);
    assert_int_equal(um_recovery_tidy(&recovery, world.files, &list), UM_FILE_OK);
    assert_int_equal(fake_files_count(world.files), 0);
    um_recovery_deinit(&recovery, world.files);
    um_heap_files_deinit(&list);
    fake_files_free(world.files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_outlive_the_process),
        cmocka_unit_test(test_syncs_outlive_the_power),
        cmocka_unit_test(test_failures_lose_nothing),
        cmocka_unit_test(test_a_failed_sync_is_not_tried_again),
        cmocka_unit_test(test_freeing_may_take_the_last_space),
        cmocka_unit_test(test_full_batches_wait_for_the_sync),
        cmocka_unit_test(test_it_is_written_anew_once_in_a_sync),
        cmocka_unit_test(test_a_file_is_extended_by_what_there_is_space_for),
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_a_flipped_bit_is_corruption),
        cmocka_unit_test(test_a_cut_file_is_corruption),
        cmocka_unit_test(test_a_newer_format_is_left_alone),
        cmocka_unit_test(test_a_foreign_file_is_left_alone),
        cmocka_unit_test(test_a_renamed_file_is_corruption),
        cmocka_unit_test(test_a_destroyed_heap_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
