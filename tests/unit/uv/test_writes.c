/* How much of large requests the adapter gives its loop at one time, to a daemon that reads late, or never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "child.h"
#include "uv_client.h"

enum {
    TOTAL = 8 << 20,
    UNDER_WAY_MAX = 1 << 20,
    LARGE = 2,   /* calls of TOTAL bytes, */
    SMALL = 300, /* and of SMALL_SIZE bytes, behind them: together more than UNDER_WAY_MAX */
    SMALL_SIZE = 8000,
    TURNS = 50, /* without an event, until all stands still */
    READ_SIZE = 65536
};

static struct scene {
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_pipe_t daemon; /* the one connection that it has */
    umem_uv *client;
    char path[128];
    char *bytes;   /* what the large calls write */
    char tail[64]; /* the last bytes that came */
    uint64_t received;
    bool is_accepted;
    bool is_connected;
    bool is_closed;
    int lost; /* calls that ended with the connection */
} scene;

static void on_connection(uv_stream_t *listener, int status)
{
    assert_int_equal(status, 0);
    assert_int_equal(uv_pipe_init(&scene.loop, &scene.daemon, 0), 0);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&scene.daemon), 0);
    scene.is_accepted = true;
}

static void on_connected(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    assert_int_equal(failure->code, UMEM_OK);
    scene.is_connected = true;
}

static void on_lost(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    assert_int_equal(failure->code, UMEM_E_CONNECTION_LOST);
    scene.lost++;
}

static void on_closed(void *context)
{
    (void)context;
    scene.is_closed = true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char space[READ_SIZE];

    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(space, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    size_t size = count > 0 ? (size_t)count : 0;
    size_t kept = sizeof scene.tail - 1;

    if (count < 0)
        uv_read_stop(stream);
    scene.received += size;
    if (size >= kept) {
        memcpy(scene.tail, buf->base + size - kept, kept);
    } else if (size != 0) {
        memmove(scene.tail, scene.tail + size, kept - size);
        memcpy(scene.tail + kept - size, buf->base, size);
    }
}

static size_t under_way(void)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&scene.client->pipe);
}

static void turn(void)
{
    uv_run(&scene.loop, UV_RUN_NOWAIT);
    assert_in_range(under_way(), 0, UNDER_WAY_MAX);
    assert_in_range(scene.client->writing_size, 0, UNDER_WAY_MAX);
}

/* Connects, and begins all calls: two large ones, many small ones, and a large one. */
static void begin(void)
{
    struct umem_uv_options options = {.pipe = scene.path};
    char params[SMALL_SIZE + 8];
    umem_calls *calls;

    snprintf(params, sizeof params, "{\"t\":\"%0*d\"}", SMALL_SIZE - 8, 0);
    memset(&scene, 0, sizeof scene);
    pipe_name_make(scene.path, sizeof scene.path);
    scene.bytes = calloc(TOTAL, 1);
    assert_non_null(scene.bytes);
    assert_int_equal(uv_loop_init(&scene.loop), 0);
    assert_int_equal(uv_pipe_init(&scene.loop, &scene.listener, 0), 0);
    assert_int_equal(uv_pipe_bind(&scene.listener, scene.path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&scene.listener, 1, on_connection), 0);
    scene.client = umem_uv_new(&scene.loop, &options);
    assert_non_null(scene.client);
    assert_int_equal(umem_uv_connect(scene.client, on_connected, NULL), UMEM_OK);
    while (!scene.is_connected || !scene.is_accepted)
        uv_run(&scene.loop, UV_RUN_ONCE);
    for (int i = 0; i < LARGE; i++) {
        calls = umem_uv_call(scene.client, on_lost, NULL);
        assert_int_equal(umem_submit_block_write(calls, 1, 0, scene.bytes, TOTAL), UMEM_OK);
    }
    for (int i = 0; i < SMALL; i++) {
        calls = umem_uv_call(scene.client, on_lost, NULL);
        assert_int_equal(umem_submit_call(calls, "server.ping", params, NULL), UMEM_OK);
    }
    calls = umem_uv_call(scene.client, on_lost, NULL);
    memcpy(scene.bytes + TOTAL - 8, "the last", 8);
    assert_int_equal(umem_submit_block_write(calls, 1, 0, scene.bytes, TOTAL), UMEM_OK);
}

/* Nobody reads: a part is under way, and stays. */
static void stand_still(void)
{
    for (int i = 0; i < TURNS; i++) {
        turn();
        assert_true(under_way() != 0);
    }
}

static void end(void)
{
    umem_uv_close(scene.client, on_closed, NULL);
    uv_close((uv_handle_t *)&scene.daemon, NULL);
    uv_close((uv_handle_t *)&scene.listener, NULL);
    uv_run(&scene.loop, UV_RUN_DEFAULT);
    assert_true(scene.is_closed);
    assert_int_equal(scene.lost, LARGE + SMALL + 1);
    assert_int_equal(uv_loop_close(&scene.loop), 0);
    pipe_name_remove(scene.path);
    free(scene.bytes);
}

static void test_all_arrives_in_order(void **state)
{
    (void)state;
    begin();
    stand_still();
    assert_int_equal(uv_read_start((uv_stream_t *)&scene.daemon, on_alloc, on_read), 0);
    while (scene.client->unwritten != NULL || under_way() != 0)
        turn();
    while (strcmp(scene.tail + sizeof scene.tail - 1 - 8, "the last") != 0)
        turn();
    assert_in_range(scene.received, (LARGE + 1) * TOTAL + SMALL * SMALL_SIZE,
                    (LARGE + 1) * TOTAL + SMALL * (SMALL_SIZE + 120));
    assert_int_equal(scene.lost, 0);
    end();
}

/* What was begun is told once, whether the loop had all of it, a part or nothing. */
static void test_what_is_not_written_is_lost(void **state)
{
    (void)state;
    begin();
    stand_still();
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_arrives_in_order),
        cmocka_unit_test(test_what_is_not_written_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
