/* A state directory of the system's: what its files keep to (state_files.h), and that one process has it at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/journal/journal_recovery.h"
#include "store/journal/state_directory.h"
#include "temp_directory.h"
#include "umem_errors.h"

struct place {
    char path[TEMP_DIRECTORY_CAPACITY];
    struct um_state_directory *directory;
    struct um_files *files;
};

static void open_place(struct place *place)
{
    char why[UM_STATE_WHY_CAPACITY] = "";

    assert_int_equal(um_state_directory_open(place->path, true, &place->directory, why, sizeof why), UMEM_OK);
    place->files = um_state_directory_files(place->directory);
}

static int set_up(void **state)
{
    static struct place place;

    temp_directory_make(place.path);
    open_place(&place);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    um_state_directory_close(place->directory);
    temp_directory_remove(place->path);
    return 0;
}

static void test_files_keep_what_is_written(void **state)
{
    struct place *place = *state;
    const struct um_files_ops *ops = place->files->ops;
    struct um_file *file;
    struct um_file *other;
    char bytes[16];
    uint64_t size;

    assert_int_equal(ops->open(place->files, "a", &file), UM_FILE_NOT_THERE);
    assert_int_equal(ops->create(place->files, "a", &file), UM_FILE_OK);
    assert_int_equal(ops->create(place->files, "a", &other), UM_FILE_EXISTS);
    assert_int_equal(ops->get_size(file, &size), UM_FILE_OK);
    assert_int_equal(size, 0);
    assert_int_equal(ops->write(file, 5, "hello", 5), UM_FILE_OK);
    assert_int_equal(ops->reserve(file, 100000), UM_FILE_OK);
    assert_int_equal(ops->get_size(file, &size), UM_FILE_OK);
    assert_int_equal(size, 100000);
    assert_int_equal(ops->reserve(file, 10), UM_FILE_OK);
    assert_int_equal(ops->get_size(file, &size), UM_FILE_OK);
    assert_int_equal(size, 100000);
    assert_int_equal(ops->read(file, 0, bytes, 12), UM_FILE_OK);
    assert_memory_equal(bytes, "\0\0\0\0\0hello\0\0", 12);
    assert_int_equal(ops->read(file, 99990, bytes, 11), UM_FILE_FAILED);
    assert_int_equal(ops->sync(file), UM_FILE_OK);
    ops->close(file);
    assert_int_equal(ops->sync_names(place->files), UM_FILE_OK);
    assert_int_equal(ops->open(place->files, "a", &file), UM_FILE_OK);
    assert_int_equal(ops->read(file, 5, bytes, 5), UM_FILE_OK);
    assert_memory_equal(bytes, "hello", 5);
    ops->close(file);
    assert_int_equal(ops->remove(place->files, "a"), UM_FILE_OK);
    assert_int_equal(ops->remove(place->files, "a"), UM_FILE_NOT_THERE);
    assert_int_equal(ops->create(place->files, "a", &file), UM_FILE_OK);
    ops->close(file);
}

static void note_name(void *context, const char *name)
{
    strcat(context, name);
    strcat(context, ";");
}

static void test_files_are_listed(void **state)
{
    struct place *place = *state;
    const struct um_files_ops *ops = place->files->ops;
    char names[200] = "";
    struct um_file *file;

    assert_int_equal(ops->create(place->files, "heap-5.1.journal", &file), UM_FILE_OK);
    ops->close(file);
    assert_int_equal(ops->list(place->files, note_name, names), UM_FILE_OK);
    assert_non_null(strstr(names, "heap-5.1.journal;"));
    assert_non_null(strstr(names, "lock;"));
    assert_int_equal(strlen(names), strlen("heap-5.1.journal;lock;"));
}

static void test_one_process_has_it(void **state)
{
    struct place *place = *state;
    struct um_state_directory *second;
    char why[UM_STATE_WHY_CAPACITY] = "";

    assert_int_equal(um_state_directory_open(place->path, true, &second, why, sizeof why), UMEM_E_NAME_TAKEN);
    assert_non_null(strstr(why, place->path));
    um_state_directory_close(place->directory);
    open_place(place);
}

static void test_a_missing_directory_is_made(void **state)
{
    struct place *place = *state;
    struct um_state_directory *made;
    char inner[TEMP_DIRECTORY_CAPACITY + 16];
    char why[UM_STATE_WHY_CAPACITY] = "";

    snprintf(inner, sizeof inner, "%s/inner/inner", place->path);
    assert_int_equal(um_state_directory_open(inner, true, &made, why, sizeof why), UMEM_E_DENIED);
    assert_non_null(strstr(why, inner));
    snprintf(inner, sizeof inner, "%s/inner", place->path);
    assert_int_equal(um_state_directory_open(inner, true, &made, why, sizeof why), UMEM_OK);
    um_state_directory_close(made);
    /* It is made for this user only, and so is opened again. */
    assert_int_equal(um_state_directory_open(inner, true, &made, why, sizeof why), UMEM_OK);
    um_state_directory_close(made);
    temp_directory_remove(inner);
}

static void test_a_file_in_its_place_is_refused(void **state)
{
    struct place *place = *state;
    struct um_state_directory *made;
    struct um_file *file;
    char path[TEMP_DIRECTORY_CAPACITY + 16];
    char why[UM_STATE_WHY_CAPACITY] = "";

    assert_int_equal(place->files->ops->create(place->files, "file", &file), UM_FILE_OK);
    place->files->ops->close(file);
    snprintf(path, sizeof path, "%s/file", place->path);
    assert_int_equal(um_state_directory_open(path, true, &made, why, sizeof why), UMEM_E_DENIED);
    assert_non_null(strstr(why, path));
}

/* A journal on files of the system's: written, written anew, and read. */
static void test_a_journal_is_kept(void **state)
{
    static const struct um_journal_header header = {.id = {1, 2}, .heap = 5, .key = 3};
    static const struct um_journal_entry heap = {.type = UM_JOURNAL_HEAP,
                                                 .handle = 5,
                                                 .alignment = 16,
                                                 .maximum_size = 65536,
                                                 .length = 65536,
                                                 .owner = 1};
    static const struct um_journal_entry owner = {.type = UM_JOURNAL_OWNER, .owner = 1};
    static const struct um_journal_entry block = {
        .type = UM_JOURNAL_BLOCK, .handle = 6, .owner = 1, .size = 10, .name = "x", .name_size = 1};
    struct place *place = *state;
    struct um_journal journal;
    struct um_journal_sync sync;
    struct um_heap_files list;
    struct um_recovery recovery;
    size_t at = 0;

    assert_int_equal(um_journal_create(&journal, place->files, &header, &heap), UM_FILE_OK);
    assert_int_equal(um_journal_reserve(&journal, 1000, false), UM_FILE_OK);
    um_journal_add(&journal, &owner, true);
    um_journal_add(&journal, &block, true);
    assert_true(um_journal_commit(&journal));
    um_journal_sync_begin(&journal, &sync, false);
    um_journal_sync_run(&sync);
    assert_true(um_journal_sync_end(&journal, &sync));
    assert_int_equal(um_journal_compact_begin(&journal, 99), UM_FILE_OK);
    assert_int_equal(um_journal_compact_add(&journal, &heap), UM_FILE_OK);
    assert_int_equal(um_journal_compact_add(&journal, &owner), UM_FILE_OK);
    assert_int_equal(um_journal_compact_add(&journal, &block), UM_FILE_OK);
    assert_int_equal(um_journal_compact_complete(&journal, &sync, false), UM_FILE_OK);
    um_journal_sync_run(&sync);
    assert_true(um_journal_compact_end(&journal, &sync, NULL));
    assert_int_equal(journal.current.number, 2);
    um_journal_close(&journal);

    assert_int_equal(um_heap_files_init(&list, place->files), UM_FILE_OK);
    assert_int_equal(list.count, 1);
    um_recovery_init(&recovery, place->files, &list, &at);
    assert_int_equal(recovery.kind, UM_RECOVERY_HEAP);
    assert_int_equal(recovery.number, 2);
    assert_int_equal(recovery.replay.blocks.count, 1);
    assert_int_equal(um_journal_continue(&journal, place->files, 2, recovery.file, &recovery.summary, 0),
                     UM_FILE_OK);
    recovery.file = NULL;
    um_journal_close(&journal);
    um_recovery_deinit(&recovery, place->files);
    um_heap_files_deinit(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_keep_what_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_process_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_missing_directory_is_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_in_its_place_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_journal_is_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
