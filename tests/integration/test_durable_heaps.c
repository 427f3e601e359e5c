/* Durable heaps with the real programs: daemons that end, others that come after them, and what they say of bad directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "durable_fixture.h"

static int check(struct place *place)
{
    const char *const args[] = {UMEMD,     "--check",    "--pipe", place->daemon.pipe,
                                "--state", place->state, NULL};

    return process_run(&place->other, args, NULL);
}

static void test_a_killed_daemons_heap_comes_back(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle heap;
    umem_handle block;
    umem_handle other = 0;
    struct umem_block_info info;
    char bytes[5];

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    heap = durable_make_heap(client, "h");
    block = durable_make_block(client, heap, "b");
    umem_client_free(client);
    durable_kill(place);
    assert_int_equal(check(place), 0);
    assert_non_null(strstr(place->other.output, "1 durable heap can be used"));
    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    ok(client, umem_block_read(client, block, 0, bytes, sizeof bytes));
    assert_memory_equal(bytes, "hello", sizeof bytes);
    ok(client, umem_block_info(client, block, &info));
    assert_string_equal(info.name, "b");
    assert_true(info.heap == heap && info.orphaned == false);
    /* The numbers of sessions go on, so that nobody is taken for the one that made it. */
    assert_true(info.owner.session != 0);
    ok(client, umem_block_alloc(client, 1, NULL, &other));
    ok(client, umem_block_info(client, other, &info));
    assert_true(info.owner.session > 1);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
    assert_int_equal(check(place), 0);
    assert_non_null(strstr(place->other.output, "0 durable heaps can be used"));
}

/* What a program does that does not care whether it is the first one. */
static void test_a_heap_is_opened_or_made(void **state)
{
    const struct umem_heap_options options = {
        .kind = UMEM_HEAP_SHARED, .lifetime = UMEM_LIFETIME_DURABLE, .maximum_size = 65536, .name = "h"};
    struct place *place = *state;
    umem_client *client;
    umem_handle heap = 0;
    umem_handle opened = 0;
    bool created = false;

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    ok(client, umem_heap_open(client, &options, &heap, &created));
    assert_true(created);
    umem_client_free(client);
    durable_kill(place);
    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    ok(client, umem_heap_open(client, &options, &opened, &created));
    assert_true(opened == heap && !created);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_a_mapping_is_shared_with_the_next_daemon(void **state)
{
    struct place *place = *state;
    umem_client *mapper;
    umem_client *client;
    umem_handle block;
    void *bytes = NULL;
    uint64_t size = 0;
    char read[5];

    durable_start(place, "second");
    mapper = daemon_connect(&place->daemon);
    block = durable_make_block(mapper, durable_make_heap(mapper, NULL), NULL);
    ok(mapper, umem_map(mapper, block, &bytes, &size));
    assert_int_equal(size, 5);
    durable_kill(place);
    assert_memory_equal(bytes, "hello", 5);
    memcpy(bytes, "later", 5);
    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    ok(client, umem_block_read(client, block, 0, read, sizeof read));
    assert_memory_equal(read, "later", 5);
    ok(client, umem_block_write(client, block, 0, "again", 5));
    assert_memory_equal(bytes, "again", 5);
    umem_client_free(client);
    umem_client_free(mapper);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* Whether the heap's bytes say that its journal has been on the disk. */
static bool is_marked(const struct place *place, umem_handle heap)
{
    char path[800];
    char mark[8] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/heap-%llu.bytes", place->state, (unsigned long long)heap);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 65536 + 64, SEEK_SET), 0);
    assert_int_equal(fread(mark, 1, sizeof mark, file), sizeof mark);
    assert_int_equal(fclose(file), 0);
    return memcmp(mark, "journal", sizeof mark) == 0;
}

/* Without being asked, and while nobody asks for anything. */
static void test_records_reach_the_disk(void **state)
{
    enum { LIMIT_MS = 60000, EVERY_MS = 20 };
    struct place *place = *state;
    umem_client *client;
    umem_handle heap;
    unsigned waited_ms = 0;

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    heap = durable_make_heap(client, NULL);
    while (!is_marked(place, heap) && waited_ms < LIMIT_MS) {
        uv_sleep(EVERY_MS);
        waited_ms += EVERY_MS;
    }
    assert_true(is_marked(place, heap));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* At once, though nothing is synced otherwise; and more than one at a time. */
static void test_a_heap_is_flushed(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle heap;
    umem_handle other;

    durable_start(place, "never");
    client = daemon_connect(&place->daemon);
    heap = durable_make_heap(client, NULL);
    other = durable_make_heap(client, NULL);
    assert_false(is_marked(place, heap));
    ok(client, umem_heap_flush(client, heap));
    assert_true(is_marked(place, heap));
    assert_false(is_marked(place, other));
    for (int i = 0; i < 10; i++) {
        (void)durable_make_block(client, i % 2 == 0 ? heap : other, NULL);
        ok(client, umem_heap_flush(client, i % 3 == 0 ? heap : other));
    }
    assert_true(is_marked(place, other));
    assert_int_equal(umem_heap_flush(client, UMEM_PROCESS_HEAP), UMEM_E_UNSUPPORTED);
    ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    assert_int_equal(umem_heap_flush(client, heap), UMEM_E_STALE_HANDLE);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* What was answered is on the disk, though nobody flushes: of the journal that is to be seen. */
static void test_always_syncs_before_the_answer(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_client *reader;
    umem_handle heap;

    durable_start(place, "always");
    client = daemon_connect(&place->daemon);
    reader = daemon_connect(&place->daemon);
    for (int i = 0; i < 5; i++) {
        umem_handle block;
        char bytes[4] = "";

        heap = durable_make_heap(client, NULL);
        assert_true(is_marked(place, heap));
        block = durable_make_block(client, heap, NULL);
        ok(client, umem_block_write(client, block, 0, "1234", 4));
        ok(reader, umem_block_read(reader, block, 0, bytes, sizeof bytes));
        assert_memory_equal(bytes, "1234", 4);
        ok(client, umem_block_resize(client, block, 10000, 0));
        ok(client, umem_block_free(client, block));
        ok(client, umem_heap_flush(client, heap));
        if (i % 2 == 0)
            ok(client, umem_heap_destroy(client, heap, NULL, NULL));
    }
    umem_client_free(reader);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* The journals of two heaps are not written in one step. */
static void test_a_block_of_another_durable_heap_is_not_replaced(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle old;
    umem_handle block;
    umem_handle found;

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    old = durable_make_block(client, durable_make_heap(client, "one"), "n");
    block = durable_make_block(client, durable_make_heap(client, "another"), NULL);
    assert_int_equal(umem_block_publish(client, block, "n", NULL, NULL), UMEM_E_DENIED);
    ok(client, umem_block_lookup(client, "n", &found));
    assert_true(found == old);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_without_a_directory_it_is_unsupported(void **state)
{
    struct place *place = *state;
    const struct umem_heap_options options = {
        .kind = UMEM_HEAP_SHARED, .lifetime = UMEM_LIFETIME_DURABLE, .maximum_size = 65536};
    umem_client *client;
    umem_handle heap;

    daemon_start(&place->daemon);
    client = daemon_connect(&place->daemon);
    assert_int_equal(umem_heap_create(client, &options, &heap), UMEM_E_UNSUPPORTED);
    assert_non_null(strstr(umem_last_error(client)->message, "umemd --state DIR"));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_one_daemon_has_a_directory(void **state)
{
    struct place *place = *state;
    char pipe[128];
    const char *const args[] = {UMEMD, "--pipe", pipe, "--state", place->state, NULL};

    durable_start(place, "second");
    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(process_run(&place->other, args, NULL), 1);
    assert_non_null(strstr(place->other.errors, "has the state directory"));
    pipe_name_remove(pipe);
    /* A running daemon's is not looked at, and that is no error. */
    assert_int_equal(check(place), 0);
    assert_non_null(strstr(place->other.output, "has the state directory"));
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

static void test_a_directory_that_cannot_be_is_named(void **state)
{
    struct place *place = *state;
    char path[700];
    const char *const args[] = {UMEMD, "--pipe", place->daemon.pipe, "--state", path, NULL};

    snprintf(path, sizeof path, "%s/no/such", place->folder);
    assert_int_equal(process_run(&place->other, args, NULL), 1);
    assert_non_null(strstr(place->other.errors, path));
    assert_int_equal(check(place), 1);
    assert_non_null(strstr(place->other.output, place->state));
}

/* Changes a byte of a file in the directory. */
static void damage(const struct place *place, umem_handle heap, const char *suffix, long at)
{
    char path[800];
    FILE *file;
    int byte;

    snprintf(path, sizeof path, "%s/heap-%llu.%s", place->state, (unsigned long long)heap, suffix);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    byte = fgetc(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_not_equal(fputc(byte ^ 1, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void test_a_damaged_heap_is_listed(void **state)
{
    struct place *place = *state;
    umem_client *client;
    umem_handle damaged;
    umem_handle whole;
    umem_handle block;
    struct umem_heap_info info;

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    damaged = durable_make_heap(client, "damaged");
    whole = durable_make_heap(client, "whole");
    (void)durable_make_block(client, damaged, NULL);
    block = durable_make_block(client, whole, NULL);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
    damage(place, damaged, "1.journal", 150);
    assert_int_equal(check(place), 1);
    assert_non_null(strstr(place->other.output, "is damaged at byte 64"));
    assert_non_null(strstr(place->other.output, "1 durable heap can be used"));
    durable_start(place, "second");
    assert_true(process_wait_for(&place->daemon.process, "is damaged at byte 64"));
    client = daemon_connect(&place->daemon);
    ok(client, umem_heap_info(client, damaged, &info));
    assert_true(info.corrupted);
    assert_int_equal(info.lifetime, UMEM_LIFETIME_DURABLE);
    assert_int_equal(umem_heap_destroy(client, damaged, NULL, NULL), UMEM_E_DENIED);
    assert_int_equal(umem_heap_compact(client, damaged, NULL), UMEM_OK);
    assert_int_equal(umem_heap_flush(client, damaged), UMEM_E_CORRUPTED);
    ok(client, umem_heap_info(client, whole, &info));
    assert_false(info.corrupted);
    ok(client, umem_block_free(client, block));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
    /* Nothing was written to it: put right, it is whole. */
    damage(place, damaged, "1.journal", 150);
    assert_int_equal(check(place), 0);
    assert_non_null(strstr(place->other.output, "2 durable heaps can be used"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_killed_daemons_heap_comes_back, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_heap_is_opened_or_made, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_mapping_is_shared_with_the_next_daemon, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_records_reach_the_disk, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_heap_is_flushed, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_always_syncs_before_the_answer, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_block_of_another_durable_heap_is_not_replaced, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_directory_it_is_unsupported, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_one_daemon_has_a_directory, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_directory_that_cannot_be_is_named, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_heap_is_listed, durable_set_up, durable_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
