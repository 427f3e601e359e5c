/* A program that has mapped a shared heap writes random bytes all over it, is killed in the middle, and another one continues;
 * meanwhile others work with blocks of that heap and of two more. The handles, sizes and free space that the daemon
 * reports are those of a model, and blocks of the other heaps keep their bytes.
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
static uint64_t draw_size(struct run *run)
{
    return draw(run, 4) == 0 ? draw(run, LENGTH / 2) : draw(run, LARGEST);
}

/* ---- the program that scribbles ---- */

static void scribbler_start(struct run *run)
{
    const char *const args[] = {SCRIBBLER, run->daemon->pipe, "anchor", "3600", NULL};

    assert_int_equal(process_start(run->scribbler, args, NULL), 0);
    if (!process_wait_for(run->scribbler, "scribbling"))
        print_error("%s\n", run->scribbler->errors);
    assert_false(run->scribbler->exited);
}

static void scribbler_kill(struct run *run)
{
    assert_false(process_poll(run->scribbler));
    process_kill(run->scribbler);
    process_finish(run->scribbler);
}

/* ---- what is done ---- */

static void alloc(struct run *run, int block)
{
    umem_client *client = some_client(run);
    int heap = (int)draw(run, HEAPS);
    const struct umem_block_options options = {.heap = run->model.heaps[heap].handle};
    uint64_t size = draw_size(run);
    umem_handle handle = 0;
    int code = umem_block_alloc(client, size, &options, &handle);

    assert_int_equal(code, fits(run, heap, size) ? UMEM_OK : UMEM_E_NO_MEMORY);
    run->refused += code != UMEM_OK;
    if (code != UMEM_OK)
        return;
    model_add_block(&run->model, block,
                    &(struct model_block){.heap = heap, .name = MODEL_NONE, .handle = handle, .size = size});
    check_place(run, block);
    check_bytes(run, block);
}

static void write_some(struct run *run, int block)
{
    struct model_block *it = &run->model.blocks[block];
    umem_client *client = some_client(run);
    uint64_t offset = draw(run, it->size + 1);
    uint64_t size = draw(run, it->size - offset + 1);

    for (uint64_t i = 0; i < size; i++)
        it->bytes[offset + i] = (unsigned char)draw(run, 256);
    ok(client, umem_block_write(client, it->handle, offset, it->bytes + offset, (size_t)size));
    assert_int_equal(umem_block_write(client, it->handle, it->size, "x", 1), UMEM_E_OUT_OF_RANGE);
}

/* A block may have to move, for which there must be a gap beside it. */
static void resize(struct run *run, int block)
{
    const struct model_block *it = &run->model.blocks[block];
    umem_client *client = some_client(run);
    uint64_t size = draw_size(run);
    int code = umem_block_resize(client, it->handle, size, 0);

    assert_true(code == UMEM_OK ||
                (code == UMEM_E_NO_MEMORY && size > it->size && !fits(run, it->heap, size)));
    run->refused += code != UMEM_OK;
    if (code != UMEM_OK)
        return;
    model_resize(&run->model, block, size);
    check_place(run, block);
    check_bytes(run, block);
}

/* Whatever the bytes are while they are looked at, the daemon has an answer. */
static void look(struct run *run, int block)
{
    const struct model_block *it = &run->model.blocks[block];
    umem_client *client = some_client(run);
    uint64_t found;
    char params[80];
    char *result = NULL;
    int code;

    ok(client, umem_block_compare(client, it->handle, 0, it->handle, 0, it->size, &found));
    ok(client, umem_block_find(client, it->handle, 0, "\0\1\2", 3, &found));
    snprintf(params, sizeof params, "{\"block\":%llu,\"encoding\":\"%s\"}", (unsigned long long)it->handle,
             draw(run, 2) == 0 ? "utf8" : "base64");
    code = umem_call(client, "block.read", params, &result);
    assert_true(code == UMEM_OK || (code == UMEM_E_UNSUPPORTED && strstr(params, "utf8") != NULL));
    umem_free_text(result);
}

static void release(struct run *run, int block)
{
    umem_handle handle = run->model.blocks[block].handle;
    umem_client *client = some_client(run);

    ok(client, umem_block_free(client, handle));
    assert_int_equal(umem_block_free(client, handle), UMEM_E_STALE_HANDLE);
    model_free_block(&run->model, block);
}

static void do_something(struct run *run)
{
    int block = (int)draw(run, BLOCKS);

    run->operations++;
    if (!run->model.blocks[block].alive)
        alloc(run, block);
    else if (draw(run, 4) == 0)
        resize(run, block);
    else if (draw(run, 3) == 0)
        write_some(run, block);
    else if (draw(run, 2) == 0)
        look(run, block);
    else
        release(run, block);
    check_block(run, (int)draw(run, BLOCKS));
    if (run->operations % 8 == 0)
        check_heap(run, (int)draw(run, HEAPS));
}

/* ---- beginning and end ---- */

static void create_heap(struct run *run, int heap)
{
    struct umem_heap_options options = {.kind = heap == PRIVATE ? UMEM_HEAP_PRIVATE : UMEM_HEAP_SHARED};
    umem_handle handle = 0;

    if (heap != PRIVATE)
        options.maximum_size = options.initial_size = LENGTH;
    ok(run->clients[0], umem_heap_create(run->clients[0], &options, &handle));
    model_add_heap(&run->model, heap,
                   &(struct model_heap){.is_shared = heap != PRIVATE,
                                        .name = MODEL_NONE,
                                        .handle = handle,
                                        .maximum_size = options.maximum_size,
                                        .alignment = ALIGNMENT});
}

static void start(struct run *run)
{
    struct umem_block_options anchor = {.name = "anchor"};
    umem_handle block = 0;

    run->scribbler = calloc(1, sizeof *run->scribbler);
    assert_non_null(run->scribbler);
    run->model.block_places = BLOCKS + 1;
    for (int i = 0; i < CLIENTS; i++)
        run->clients[i] = daemon_connect(run->daemon);
    for (int i = 0; i < HEAPS; i++)
        create_heap(run, i);
    anchor.heap = run->model.heaps[0].handle;
    ok(run->clients[0], umem_block_alloc(run->clients[0], 1, &anchor, &block));
    model_add_block(&run->model, ANCHOR,
                    &(struct model_block){.heap = 0, .name = MODEL_NONE, .handle = block, .size = 1});
    check_place(run, ANCHOR);
}

/* What was scribbled over is handed out as zeros. */
static void check_zeros(struct run *run)
{
    const struct umem_block_options options = {.heap = run->model.heaps[0].handle};
    umem_client *client = run->clients[0];
    unsigned char *bytes = malloc(LENGTH);
    uint64_t largest = model_find_gaps(&run->model, 0).largest;
    umem_handle block = 0;

    assert_non_null(bytes);
    ok(client, umem_block_alloc(client, largest, &options, &block));
    ok(client, umem_block_read(client, block, 0, bytes, (size_t)largest));
    for (uint64_t i = 0; i < largest; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
}

static void finish(struct run *run)
{
    for (int i = 0; i < HEAPS; i++)
        check_heap(run, i);
    for (int i = 0; i < BLOCKS; i++) {
        check_block(run, i);
        if (run->model.blocks[i].alive)
            check_bytes(run, i);
    }
    check_zeros(run);
    for (int i = 0; i < HEAPS; i++)
        ok(run->clients[0], umem_heap_destroy(run->clients[0], run->model.heaps[i].handle, NULL, NULL));
    for (int i = 0; i < CLIENTS; i++)
        umem_client_free(run->clients[i]);
    model_deinit(&run->model);
    free(run->scribbler);
}

static void test_scribbling_changes_no_answer(void **state)
{
    struct run run = {.daemon = *state, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    time_t begin = time(NULL);

    start(&run);
    for (int i = 0; i < RESTARTS; i++) {
        uint64_t operations = (uint64_t)(i + 1) * OPERATIONS / RESTARTS;
        time_t end = begin + (time_t)(seconds * (unsigned long)(i + 1) / RESTARTS);

        scribbler_start(&run);
        while (seconds != 0 ? time(NULL) < end : run.operations < operations)
            do_something(&run);
        scribbler_kill(&run);
    }
    finish(&run);
    print_message(
        "%llu random operations, %llu of them without memory, by %d clients; %d programs that scribbled\n",
        (unsigned long long)run.operations, (unsigned long long)run.refused, CLIENTS, RESTARTS);
    assert_true(run.operations != 0);
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
