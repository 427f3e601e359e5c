/* A journal's bytes: written, read, and damaged in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/journal/journal_format.h"
#include "store/journal/journal_replay.h"
#include "umem_errors.h"

enum { CAPACITY = 8192, KEY = 77 };

static const struct um_journal_header header = {.id = {11, 12}, .heap = 5, .key = KEY};

/* One entry of each type, with and without a name. */
static const struct um_journal_entry entries[] = {
    {.type = UM_JOURNAL_HEAP,
     .flags = 9,
     .alignment = 64,
     .handle = 5,
     .owner = 3,
     .initial_size = 4096,
     .maximum_size = 100000,
     .length = 131072,
     .name = "photos",
     .name_size = 6,
     .user = ""},
    {.type = UM_JOURNAL_COMPLETE, .name = "", .user = ""},
    {.type = UM_JOURNAL_OWNER,
     .owner = 3,
     .pid = 4711,
     .name = "viewer",
     .name_size = 6,
     .user = "eve",
     .user_size = 3},
    {.type = UM_JOURNAL_OWNER, .owner = 4, .name = "", .user = ""},
    {.type = UM_JOURNAL_BLOCK,
     .created = 1700000000,
     .handle = 0x1000000000A,
     .offset = 64,
     .size = 1000,
     .owner = 3,
     .name = "first",
     .name_size = 5,
     .user = ""},
    {.type = UM_JOURNAL_BLOCK,
     .is_session = true,
     .created = 1,
     .handle = 0x1000000000E,
     .offset = 0,
     .size = 64,
     .owner = 4,
     .name = "",
     .user = ""},
    {.type = UM_JOURNAL_PLACE, .handle = 0x1000000000A, .offset = 1088, .size = 2000, .name = "", .user = ""},
    {.type = UM_JOURNAL_CHANGE,
     .handle = 0x1000000000E,
     .owner = 3,
     .name = "second name",
     .name_size = 11,
     .user = ""},
    {.type = UM_JOURNAL_CHANGE,
     .is_session = true,
     .handle = 0x1000000000E,
     .owner = 4,
     .name = "",
     .user = ""},
    {.type = UM_JOURNAL_FREE, .handle = 0x1000000000A, .name = "", .user = ""},
    {.type = UM_JOURNAL_CLOSED, .name = "", .user = ""},
};

enum { ENTRIES = sizeof entries / sizeof *entries };

struct image {
    unsigned char bytes[CAPACITY];
    uint64_t size;                   /* of the file */
    uint64_t end;                    /* of its last batch */
    uint64_t batch_end[ENTRIES + 1]; /* where the batch with this entry ends; [0]: the header's end */
};

/* Writes a batch of some entries. */
static void add_batch(struct image *image, const struct um_journal_entry *first, size_t count,
                      uint64_t number, uint64_t synced_end, uint64_t synced_size)
{
    const struct um_journal_batch batch = {number, synced_end, synced_size};
    size_t size = UM_JOURNAL_BATCH_HEAD;

    for (size_t i = 0; i < count; i++) {
        um_journal_put_entry(image->bytes + image->end + size, &first[i]);
        size += um_journal_entry_size(&first[i]);
    }
    size += UM_JOURNAL_BATCH_TAIL;
    um_journal_seal_batch(image->bytes + image->end, size, &batch, KEY);
    image->end += size;
}

/* Each entry is a batch. All but the last two batches are on the disk, as the last one says. */
static void make(struct image *image)
{
    memset(image, 0, sizeof *image);
    um_journal_put_header(image->bytes, &header);
    image->end = UM_JOURNAL_HEADER_SIZE;
    image->batch_end[0] = image->end;
    for (size_t i = 0; i < ENTRIES; i++) {
        bool is_last = i == ENTRIES - 1;

        add_batch(image, &entries[i], 1, i + 1, is_last ? image->batch_end[ENTRIES - 2] : 0,
                  is_last ? 4096 : 0);
        image->batch_end[i + 1] = image->end;
    }
    image->size = 4096;
    assert_true(image->end < image->size);
}

static void assert_entry(const struct um_journal_entry *read, const struct um_journal_entry *written)
{
    assert_int_equal(read->type, written->type);
    assert_int_equal(read->is_session, written->is_session);
    assert_int_equal(read->created, written->created);
    assert_int_equal(read->flags, written->flags);
    assert_int_equal(read->alignment, written->alignment);
    assert_true(read->handle == written->handle && read->owner == written->owner);
    assert_true(read->offset == written->offset && read->size == written->size);
    assert_true(read->initial_size == written->initial_size && read->maximum_size == written->maximum_size);
    assert_true(read->length == written->length && read->pid == written->pid);
    assert_int_equal(read->name_size, written->name_size);
    assert_memory_equal(read->name, written->name, written->name_size);
    assert_int_equal(read->user_size, written->user_size);
    assert_memory_equal(read->user, written->user, written->user_size);
}

/* Reads all entries, which must be the first of those written. Returns how many. */
static size_t read_all(const unsigned char *bytes, const struct um_journal_summary *summary)
{
    struct um_journal_walk walk;
    struct um_journal_entry entry;
    const char *what;
    size_t count = 0;

    um_journal_walk_begin(&walk, bytes, summary);
    while (um_journal_walk_next(&walk, &entry, &what)) {
        assert_true(count < ENTRIES);
        assert_entry(&entry, &entries[count++]);
    }
    assert_null(what);
    return count;
}

static void test_what_is_written_is_read(void **state)
{
    struct image image;
    struct um_journal_summary summary;

    (void)state;
    make(&image);
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_WHOLE);
    assert_true(summary.end == image.end && summary.batches == ENTRIES);
    assert_true(summary.header.heap == 5 && summary.header.id[0] == 11 && summary.header.id[1] == 12);
    assert_int_equal(read_all(image.bytes, &summary), ENTRIES);
}

/* Whatever bit changes: what was on the disk before is told as damage, and of the rest a beginning is read. */
static void test_each_changed_bit_is_noticed(void **state)
{
    struct image image;
    struct um_journal_summary summary;
    uint64_t synced;

    (void)state;
    make(&image);
    synced = image.batch_end[ENTRIES - 2];
    for (uint64_t bit = 0; bit < image.size * 8; bit++) {
        enum um_journal_verdict verdict;

        image.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        verdict = um_journal_examine(image.bytes, image.size, &summary);
        if (bit / 8 < 8)
            assert_int_equal(verdict, UM_JOURNAL_FOREIGN);
        else if (bit / 8 < 12)
            assert_true(verdict == UM_JOURNAL_NEWER || verdict == UM_JOURNAL_DAMAGED);
        else if (bit / 8 < synced)
            assert_int_equal(verdict, UM_JOURNAL_DAMAGED);
        else
            assert_true(um_journal_is_usable(verdict));
        if (verdict == UM_JOURNAL_DAMAGED && bit / 8 >= UM_JOURNAL_HEADER_SIZE) {
            size_t whole = 0;

            while (image.batch_end[whole + 1] <= bit / 8)
                whole++;
            assert_true(summary.at == image.batch_end[whole]);
            assert_non_null(summary.what);
        }
        if (um_journal_is_usable(verdict))
            assert_true(read_all(image.bytes, &summary) >= ENTRIES - 2);
        image.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
}

static void test_each_cut_is_noticed(void **state)
{
    struct image image;
    struct um_journal_summary summary;

    (void)state;
    make(&image);
    for (uint64_t size = 0; size < image.size; size++) {
        /* Of its own, so that a sanitizer sees each byte read beyond it. */
        unsigned char *bytes = malloc((size_t)size + 1);
        enum um_journal_verdict verdict;

        memcpy(bytes, image.bytes, (size_t)size);
        verdict = um_journal_examine(bytes, size, &summary);
        if (size == 0 || size == UM_JOURNAL_HEADER_SIZE)
            assert_int_equal(verdict, UM_JOURNAL_EMPTY);
        else if (size < UM_JOURNAL_HEADER_SIZE || size >= image.end)
            assert_int_equal(verdict, UM_JOURNAL_CUT);
        else if (um_journal_is_usable(verdict))
            assert_true(read_all(bytes, &summary) < ENTRIES);
        else
            assert_int_equal(verdict, UM_JOURNAL_EMPTY);
        free(bytes);
    }
}

/* A later batch reached the disk, an earlier one did not, and none of both was confirmed. */
static void test_a_torn_end_is_no_damage(void **state)
{
    struct image image;
    struct um_journal_summary summary;

    (void)state;
    make(&image);
    memset(image.bytes + image.batch_end[ENTRIES - 2], 0,
           (size_t)(image.batch_end[ENTRIES - 1] - image.batch_end[ENTRIES - 2]));
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_TORN);
    assert_true(summary.end == image.batch_end[ENTRIES - 2]);
    assert_int_equal(read_all(image.bytes, &summary), ENTRIES - 2);
}

static void test_other_files_are_told_apart(void **state)
{
    static const char text[] =
        "#!/bin/sh\necho this is no journal, but long enough for one: it has more than 64 bytes\n";
    struct image image;
    struct um_journal_summary summary;

    (void)state;
    assert_int_equal(um_journal_examine((const unsigned char *)text, sizeof text, &summary),
                     UM_JOURNAL_FOREIGN);
    assert_int_equal(um_journal_examine((const unsigned char *)text, 3, &summary), UM_JOURNAL_FOREIGN);
    make(&image);
    image.bytes[8] = UM_JOURNAL_VERSION + 1;
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_NEWER);
    assert_int_equal(summary.version, UM_JOURNAL_VERSION + 1);
}

/* A batch of another file's, in the place of the next one. */
static void test_a_batch_of_another_file_is_none(void **state)
{
    const struct um_journal_batch batch = {ENTRIES + 1, 0, 0};
    struct image image;
    struct um_journal_summary summary;
    size_t size = UM_JOURNAL_BATCH_HEAD + UM_JOURNAL_BATCH_TAIL;

    (void)state;
    make(&image);
    um_journal_seal_batch(image.bytes + image.end, size, &batch, KEY + 1);
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_TORN);
    assert_true(summary.end == image.end);
    um_journal_seal_batch(image.bytes + image.end, size, &batch, KEY);
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_WHOLE);
    assert_true(summary.end == image.end + size);
}

/* ---- what entries come to ---- */

static const struct um_replay_block *find_block(const struct um_replay *replay, uint64_t handle)
{
    for (size_t i = 0; i < replay->blocks.count; i++) {
        if (um_replay_block_at(replay, i)->handle == handle)
            return um_replay_block_at(replay, i);
    }
    return NULL;
}

static void test_entries_are_replayed(void **state)
{
    struct image image;
    struct um_journal_summary summary;
    struct um_replay replay;

    (void)state;
    make(&image);
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_WHOLE);
    assert_int_equal(um_replay_init(&replay, image.bytes, &summary), UMEM_OK);
    assert_true(replay.is_complete && replay.is_closed && !replay.is_destroyed);
    assert_int_equal(replay.heap.length, 131072);
    assert_int_equal(replay.owners.count, 2);
    assert_int_equal(um_replay_owner_at(&replay, 0)->pid, 4711);
    assert_int_equal(replay.blocks.count, 2);
    assert_true(find_block(&replay, 0x1000000000A)->is_freed);
    assert_true(find_block(&replay, 0x1000000000A)->offset == 1088);
    assert_false(find_block(&replay, 0x1000000000E)->is_freed);
    assert_true(find_block(&replay, 0x1000000000E)->is_session);
    assert_true(find_block(&replay, 0x1000000000E)->owner == 4);
    assert_int_equal(find_block(&replay, 0x1000000000E)->name_size, 0);
    um_replay_deinit(&replay);
}

/* A batch with one more entry, after all others but the last; it contradicts them. */
static void assert_refused(const struct um_journal_entry *entry)
{
    struct image image;
    struct um_journal_summary summary;
    struct um_replay replay;

    make(&image);
    image.end = image.batch_end[ENTRIES - 1];
    memset(image.bytes + image.end, 0, (size_t)(image.size - image.end));
    add_batch(&image, entry, 1, ENTRIES, 0, 0);
    assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_WHOLE);
    assert_int_equal(um_replay_init(&replay, image.bytes, &summary), UMEM_E_CORRUPTED);
    assert_non_null(replay.what);
    assert_true(replay.at >= image.batch_end[ENTRIES - 1] && replay.at < image.end);
    um_replay_deinit(&replay);
}

static void test_contradictions_are_damage(void **state)
{
    const struct um_journal_entry wrong[] = {
        {.type = UM_JOURNAL_SLOTS, .handle = 6},                               /* in a heap's journal */
        entries[0],                                                            /* a second heap */
        {.type = UM_JOURNAL_OWNER, .owner = 0},                                /* no number */
        {.type = UM_JOURNAL_FREE, .handle = 0x1000000000A},                    /* freed already */
        {.type = UM_JOURNAL_FREE, .handle = 12345},                            /* never there */
        {.type = UM_JOURNAL_CHANGE, .handle = 0x1000000000A, .owner = 3},      /* freed */
        {.type = UM_JOURNAL_CHANGE, .handle = 0x1000000000E, .owner = 99},     /* no such owner */
        {.type = UM_JOURNAL_PLACE, .handle = 0x1000000000E, .offset = 131072}, /* outside */
        {.type = UM_JOURNAL_PLACE, .handle = 0x1000000000E, .offset = 64, .size = 131072},
        {.type = UM_JOURNAL_PLACE, .handle = 0x1000000000E, .offset = 63, .size = 1}, /* not aligned */
        {.type = UM_JOURNAL_BLOCK, .handle = 0x1000000000E, .owner = 3},              /* there already */
        {.type = UM_JOURNAL_BLOCK, .handle = 0x1000000000A, .owner = 3},              /* a handle twice */
        {.type = UM_JOURNAL_BLOCK, .handle = 0, .owner = 3},                          /* no handle */
        {.type = UM_JOURNAL_BLOCK, .handle = 0x2000000000A, .owner = 9},              /* no such owner */
        {.type = UM_JOURNAL_BLOCK, .handle = 0x2000000000A, .owner = 3, .size = UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(&wrong[i]);
}

/* A heap's own entry that cannot be, with a right check. */
static void test_a_heap_that_cannot_be_is_damage(void **state)
{
    struct um_journal_entry wrong[7];

    (void)state;
    for (size_t i = 0; i < 7; i++)
        wrong[i] = entries[0];
    wrong[0].alignment = 48;
    wrong[1].length = 1000;
    wrong[2].maximum_size = 131073;
    wrong[3].maximum_size = 0;
    wrong[4].initial_size = 100001;
    wrong[5].handle = 6;
    wrong[6] = entries[1];
    for (size_t i = 0; i < 7; i++) {
        struct image image;
        struct um_journal_summary summary;
        struct um_replay replay;

        make(&image);
        image.end = UM_JOURNAL_HEADER_SIZE;
        memset(image.bytes + image.end, 0, (size_t)(image.size - image.end));
        add_batch(&image, &wrong[i], 1, 1, 0, 0);
        assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_WHOLE);
        assert_int_equal(um_replay_init(&replay, image.bytes, &summary), UMEM_E_CORRUPTED);
        um_replay_deinit(&replay);
    }
}

/* Every byte of an entry that has no meaning must be zero, and every size must be right: each change of one byte with a new
 * check is refused, or read as another entry that is written back the same. */
static void test_entries_have_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < ENTRIES; i++) {
        size_t size = um_journal_entry_size(&entries[i]);

        for (size_t at = 0; at < size; at++) {
            struct image image;
            struct um_journal_summary summary;
            struct um_journal_walk walk;
            struct um_journal_entry entry;
            const struct um_journal_batch batch = {1, 0, 0};
            unsigned char again[UM_JOURNAL_ENTRY_LIMIT];
            const char *what;

            make(&image);
            image.end = UM_JOURNAL_HEADER_SIZE;
            memset(image.bytes + image.end, 0, (size_t)(image.size - image.end));
            add_batch(&image, &entries[i], 1, 1, 0, 0);
            image.bytes[UM_JOURNAL_HEADER_SIZE + UM_JOURNAL_BATCH_HEAD + at] ^= 0x21;
            um_journal_seal_batch(image.bytes + UM_JOURNAL_HEADER_SIZE,
                                  UM_JOURNAL_BATCH_HEAD + size + UM_JOURNAL_BATCH_TAIL, &batch, KEY);
            assert_int_equal(um_journal_examine(image.bytes, image.size, &summary), UM_JOURNAL_WHOLE);
            um_journal_walk_begin(&walk, image.bytes, &summary);
            if (!um_journal_walk_next(&walk, &entry, &what)) {
                assert_non_null(what);
                continue;
            }
            assert_int_equal(um_journal_entry_size(&entry), size);
            um_journal_put_entry(again, &entry);
            assert_memory_equal(again, image.bytes + UM_JOURNAL_HEADER_SIZE + UM_JOURNAL_BATCH_HEAD, size);
        }
    }
}

/* ---- a file of format 1, which every later version must read ---- */

static void test_format_1_is_read(void **state)
{
    struct image image;
    unsigned char bytes[CAPACITY];
    struct um_journal_summary summary;
    FILE *file = fopen(UM_TEST_FIXTURE, "rb");
    size_t size;

    (void)state;
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(um_journal_examine(bytes, size, &summary), UM_JOURNAL_WHOLE);
    assert_int_equal(read_all(bytes, &summary), ENTRIES);
    /* And it is what is written now. */
    make(&image);
    assert_int_equal(size, image.size);
    assert_memory_equal(bytes, image.bytes, size);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_each_changed_bit_is_noticed),
        cmocka_unit_test(test_each_cut_is_noticed),
        cmocka_unit_test(test_a_torn_end_is_no_damage),
        cmocka_unit_test(test_other_files_are_told_apart),
        cmocka_unit_test(test_a_batch_of_another_file_is_none),
        cmocka_unit_test(test_entries_are_replayed),
        cmocka_unit_test(test_contradictions_are_damage),
        cmocka_unit_test(test_a_heap_that_cannot_be_is_damage),
        cmocka_unit_test(test_entries_have_one_form),
        cmocka_unit_test(test_format_1_is_read),
    };

    /* To make the fixture of a new format: unit_store_journal_format FILE. */
    if (argc > 1) {
        struct image image;
        FILE *file = fopen(argv[1], "wb");

        make(&image);
        return file != NULL && fwrite(image.bytes, 1, (size_t)image.size, file) == image.size &&
                       fclose(file) == 0
                   ? 0
                   : 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
