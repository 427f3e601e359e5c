#include "durable_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void remove_folder(const char *path)
{
    uv_fs_t request;
    uv_dirent_t entry;

    if (uv_fs_scandir(NULL, &request, path, 0, NULL) >= 0) {
        while (uv_fs_scandir_next(&request, &entry) == 0) {
            char name[1024];
            uv_fs_t removal;

            snprintf(name, sizeof name, "%s/%s", path, entry.name);
            (void)uv_fs_unlink(NULL, &removal, name, NULL);
            uv_fs_req_cleanup(&removal);
        }
    }
    uv_fs_req_cleanup(&request);
    (void)uv_fs_rmdir(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
}

int durable_set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    char folder[256];
    size_t size = sizeof folder;
    uv_fs_t request;

    assert_non_null(place);
    pipe_name_make(place->daemon.pipe, sizeof place->daemon.pipe);
    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    snprintf(place->folder, sizeof place->folder, "%s/umem-durable-XXXXXX", folder);
    assert_int_equal(uv_fs_mkdtemp(NULL, &request, place->folder, NULL), 0);
    snprintf(place->folder, sizeof place->folder, "%s", request.path);
    uv_fs_req_cleanup(&request);
    snprintf(place->state, sizeof place->state, "%s/state", place->folder);
    *state = place;
    return 0;
}

int durable_tear_down(void **state)
{
    struct place *place = *state;

    pipe_name_remove(place->daemon.pipe);
    remove_folder(place->state);
    remove_folder(place->folder);
    free(place);
    return 0;
}

void durable_begin(struct place *place, const char *sync)
{
    const char *const args[] = {UMEMD, "--pipe", place->daemon.pipe, "--state", place->state, "--sync",
                                sync,  NULL};

    assert_int_equal(process_start(&place->daemon.process, args, NULL), 0);
}

void durable_await(struct place *place)
{
    if (!process_wait_for(&place->daemon.process, "listening on"))
        fail_msg("%s", place->daemon.process.errors);
}

void durable_start(struct place *place, const char *sync)
{
    durable_begin(place, sync);
    durable_await(place);
}

void durable_kill(struct place *place)
{
    process_kill(&place->daemon.process);
    (void)process_finish(&place->daemon.process);
}

umem_client *durable_connect(const struct place *place, uint32_t reconnect_ms)
{
    const struct umem_options options = {.pipe = place->daemon.pipe, .reconnect_ms = reconnect_ms};
    umem_client *client = umem_client_new(&options);

    assert_non_null(client);
    ok(client, umem_connect(client));
    return client;
}

umem_handle durable_make_heap(umem_client *client, const char *name)
{
    const struct umem_heap_options options = {
        .kind = UMEM_HEAP_SHARED, .lifetime = UMEM_LIFETIME_DURABLE, .maximum_size = 65536, .name = name};
    umem_handle heap = 0;

    ok(client, umem_heap_create(client, &options, &heap));
    return heap;
}

umem_handle durable_make_block(umem_client *client, umem_handle heap, const char *name)
{
    const struct umem_block_options options = {.heap = heap, .name = name};
    umem_handle block = 0;

    ok(client, umem_block_alloc(client, 5, &options, &block));
    ok(client, umem_block_write(client, block, 0, "hello", 5));
    return block;
}

void durable_expect_hello(umem_client *client, umem_handle block)
{
    char bytes[5] = "";

    ok(client, umem_block_read(client, block, 0, bytes, sizeof bytes));
    assert_memory_equal(bytes, "hello", sizeof bytes);
}
