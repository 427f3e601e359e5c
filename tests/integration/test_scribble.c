/* A program that has mapped a shared heap writes random bytes all over it, is killed in the middle, and another one goes on; meanwhile
 * others work with blocks of that heap and of two more. What the daemon tells them of handles, sizes and free space is what a model
 * says, and blocks of the other heaps keep their bytes.
 *
 *     integration_scribble [SECONDS [SEED]]
 *
 * Without SECONDS it does a fixed amount of work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "scribble_model.h"

enum {
    LARGEST = 40000,  /* bytes of most blocks */
    OPERATIONS = 500, /* of the short form */
    RESTARTS = 10     /* programs that scribble, one after the other */
};

static unsigned long seconds;
static unsigned long seed = 1;

/* Some are a good part of the heap. */
static uint64_t draw_size(struct model *model)
{
    return draw(model, 4) == 0 ? draw(model, LENGTH / 2) : draw(model, LARGEST);
}

/* ---- the program that scribbles ---- */

static void scribbler_start(struct model *model)
{
    const char *const args[] = {SCRIBBLER, model->daemon->pipe, "anchor", "3600", NULL};

    assert_int_equal(process_start(model->scribbler, args, NULL), 0);
    if (!process_wait_for(model->scribbler, "scribbling"))
        print_error("%s\n", model->scribbler->errors);
    assert_false(model->scribbler->exited);
}

static void scribbler_kill(struct model *model)
{
    assert_false(process_poll(model->scribbler));
    process_kill(model->scribbler);
    process_finish(model->scribbler);
}

/* ---- what is done ---- */

static void alloc(struct model *model, struct entry *entry)
{
    umem_client *client = some_client(model);
    int heap = (int)draw(model, HEAPS);
    const struct umem_block_options options = {.heap = model->heaps[heap]};
    uint64_t size = draw_size(model);
    struct umem_heap_info gaps = {.largest_free = UINT64_MAX};
    umem_handle handle = 0;
    int code = umem_block_alloc(client, size, &options, &handle);

    if (heap != 2)
        find_gaps(model, heap, &gaps);
    assert_int_equal(code, taken(size) <= gaps.largest_free ? UMEM_OK : UMEM_E_NO_MEMORY);
    model->refused += code != UMEM_OK;
    if (code != UMEM_OK)
        return;
    *entry = (struct entry){.handle = handle, .heap = heap, .alive = true, .size = size};
    entry->bytes = calloc(1, (size_t)size + 1);
    assert_non_null(entry->bytes);
    check_place(model, entry);
    check_bytes(model, entry);
}

static void write_some(struct model *model, struct entry *entry)
{
    umem_client *client = some_client(model);
    uint64_t offset = draw(model, entry->size + 1);
    uint64_t size = draw(model, entry->size - offset + 1);

    for (uint64_t i = 0; i < size; i++)
        entry->bytes[offset + i] = (unsigned char)draw(model, 256);
    ok(client, umem_block_write(client, entry->handle, offset, entry->bytes + offset, (size_t)size));
    assert_int_equal(umem_block_write(client, entry->handle, entry->size, "x", 1), UMEM_E_OUT_OF_RANGE);
}

/* A block may have to move, for which there must be room beside it. */
static void resize(struct model *model, struct entry *entry)
{
    umem_client *client = some_client(model);
    uint64_t size = draw_size(model);
    struct umem_heap_info gaps = {.largest_free = UINT64_MAX};
    int code = umem_block_resize(client, entry->handle, size, 0);

    if (entry->heap != 2)
        find_gaps(model, entry->heap, &gaps);
    assert_true(code == UMEM_OK ||
                (code == UMEM_E_NO_MEMORY && size > entry->size && taken(size) > gaps.largest_free));
    model->refused += code != UMEM_OK;
    if (code != UMEM_OK)
        return;
    entry->bytes = realloc(entry->bytes, (size_t)size + 1);
    assert_non_null(entry->bytes);
    if (size > entry->size)
        memset(entry->bytes + entry->size, 0, (size_t)(size - entry->size));
    entry->size = size;
    check_place(model, entry);
    check_bytes(model, entry);
}

/* Whatever the bytes are while they are looked at, the daemon has an answer. */
static void look(struct model *model, const struct entry *entry)
{
    umem_client *client = some_client(model);
    uint64_t found;
    char params[80];
    char *result = NULL;
    int code;

    ok(client, umem_block_compare(client, entry->handle, 0, entry->handle, 0, entry->size, &found));
    ok(client, umem_block_find(client, entry->handle, 0, "\0\1\2", 3, &found));
    snprintf(params, sizeof params, "{\"block\":%llu,\"encoding\":\"%s\"}", (unsigned long long)entry->handle,
             draw(model, 2) == 0 ? "utf8" : "base64");
    code = umem_call(client, "block.read", params, &result);
    assert_true(code == UMEM_OK || (code == UMEM_E_UNSUPPORTED && strstr(params, "utf8") != NULL));
    umem_free_text(result);
}

static void release(struct model *model, struct entry *entry)
{
    umem_client *client = some_client(model);

    ok(client, umem_block_free(client, entry->handle));
    assert_int_equal(umem_block_free(client, entry->handle), UMEM_E_STALE_HANDLE);
    free(entry->bytes);
    entry->bytes = NULL;
    entry->alive = false;
}

static void do_something(struct model *model)
{
    struct entry *entry = &model->entries[draw(model, BLOCKS)];

    model->operations++;
    if (!entry->alive)
        alloc(model, entry);
    else if (draw(model, 4) == 0)
        resize(model, entry);
    else if (draw(model, 3) == 0)
        write_some(model, entry);
    else if (draw(model, 2) == 0)
        look(model, entry);
    else
        release(model, entry);
    check_entry(model, &model->entries[draw(model, BLOCKS)]);
    if (model->operations % 8 == 0)
        check_heap(model, (int)draw(model, HEAPS));
}

/* ---- beginning and end ---- */

static void start(struct model *model)
{
    static const enum umem_heap_kind kinds[HEAPS] = {UMEM_HEAP_SHARED, UMEM_HEAP_SHARED, UMEM_HEAP_PRIVATE};
    struct umem_block_options anchor = {.name = "anchor"};
    umem_handle block = 0;

    model->scribbler = calloc(1, sizeof *model->scribbler);
    assert_non_null(model->scribbler);
    for (int i = 0; i < CLIENTS; i++)
        model->clients[i] = daemon_connect(model->daemon);
    for (int i = 0; i < HEAPS; i++) {
        struct umem_heap_options options = {.kind = kinds[i]};

        if (kinds[i] == UMEM_HEAP_SHARED)
            options.maximum_size = options.initial_size = LENGTH;
        ok(model->clients[0], umem_heap_create(model->clients[0], &options, &model->heaps[i]));
    }
    anchor.heap = model->heaps[0];
    ok(model->clients[0], umem_block_alloc(model->clients[0], 1, &anchor, &block));
    assert_int_equal(offset_of(model->clients[0], block), 0);
}

/* What was scribbled over is handed out as zeros. */
static void check_zeros(struct model *model)
{
    const struct umem_block_options options = {.heap = model->heaps[0]};
    umem_client *client = model->clients[0];
    unsigned char *bytes = malloc(LENGTH);
    struct umem_heap_info gaps;
    umem_handle block = 0;

    assert_non_null(bytes);
    find_gaps(model, 0, &gaps);
    ok(client, umem_block_alloc(client, gaps.largest_free, &options, &block));
    ok(client, umem_block_read(client, block, 0, bytes, (size_t)gaps.largest_free));
    for (uint64_t i = 0; i < gaps.largest_free; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
}

static void finish(struct model *model)
{
    for (int i = 0; i < HEAPS; i++)
        check_heap(model, i);
    for (int i = 0; i < BLOCKS; i++) {
        check_entry(model, &model->entries[i]);
        if (model->entries[i].alive)
            check_bytes(model, &model->entries[i]);
        free(model->entries[i].bytes);
    }
    check_zeros(model);
    for (int i = 0; i < HEAPS; i++)
        ok(model->clients[0], umem_heap_destroy(model->clients[0], model->heaps[i], NULL, NULL));
    for (int i = 0; i < CLIENTS; i++)
        umem_client_free(model->clients[i]);
    free(model->scribbler);
}

static void test_scribbling_changes_no_answer(void **state)
{
    struct model model = {.daemon = *state, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    time_t begin = time(NULL);

    start(&model);
    for (int i = 0; i < RESTARTS; i++) {
        uint64_t operations = (uint64_t)(i + 1) * OPERATIONS / RESTARTS;
        time_t end = begin + (time_t)(seconds * (unsigned long)(i + 1) / RESTARTS);

        scribbler_start(&model);
        while (seconds != 0 ? time(NULL) < end : model.operations < operations)
            do_something(&model);
        scribbler_kill(&model);
    }
    finish(&model);
    print_message(
        "%llu random operations, %llu of them without room, by %d clients; %d programs that scribbled\n",
        (unsigned long long)model.operations, (unsigned long long)model.refused, CLIENTS, RESTARTS);
    assert_true(model.operations != 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scribbling_changes_no_answer, daemon_setup, daemon_teardown),
    };

    if (argc > 1)
        seconds = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests_name("scribble", tests, NULL, NULL);
}
