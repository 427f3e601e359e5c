/* How much of large requests the adapter gives its loop at one time, to a daemon that reads late, or never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "test_process.h"
#include "uv/uv_client.h"

enum {
    TOTAL = 8 << 20,
    UNDER_WAY_MAX = 1 << 20,
    LARGE = 2,   /* calls of TOTAL bytes, */
    SMALL = 300, /* and of SMALL_SIZE bytes, behind them: together more than UNDER_WAY_MAX */
    SMALL_SIZE = 8000,
    TURNS = 50, /* without an event, until all stands still */
    READ_SIZE = 65536
};

static struct fixture {
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_pipe_t daemon; /* the one connection that it has */
    umem_uv *client;
    char path[128];
    char *bytes;            /* what the large calls write */
    struct um_buf received; /* by the daemon */
    size_t checked;         /* bytes of it */
    bool is_accepted;
    bool is_connected;
    bool is_closed;
    int lost; /* calls that ended with the connection */
} fixture;

static void on_connection(uv_stream_t *listener, int status)
{
    assert_int_equal(status, 0);
    assert_int_equal(uv_pipe_init(&fixture.loop, &fixture.daemon, 0), 0);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&fixture.daemon), 0);
    fixture.is_accepted = true;
}

static void on_connected(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    assert_int_equal(failure->code, UMEM_OK);
    fixture.is_connected = true;
}

static void on_lost(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    assert_int_equal(failure->code, UMEM_E_CONNECTION_LOST);
    fixture.lost++;
}

static void on_closed(void *context)
{
    (void)context;
    fixture.is_closed = true;
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
    if (count < 0)
        uv_read_stop(stream);
    else
        assert_true(um_buf_append(&fixture.received, buf->base, (size_t)count));
}

/* Takes the next message, all of which has come, and shows that its payload is what was to be written. */
static void expect_message(unsigned long long payload_size)
{
    const char *at = fixture.received.data + fixture.checked;
    unsigned long long text = 0;
    unsigned long long payload = 0;
    int size = 0;

    if (payload_size != 0)
        sscanf(at, "Content-Length: %llu\r\nPayload-Length: %llu\r\n\r\n%n", &text, &payload, &size);
    else
        sscanf(at, "Content-Length: %llu\r\n\r\n%n", &text, &size);
    assert_int_not_equal(size, 0);
    assert_int_equal(payload, payload_size);
    assert_int_equal(at[size], '{');
    assert_memory_equal(at + size + text, fixture.bytes, (size_t)payload);
    fixture.checked += (size_t)size + (size_t)text + (size_t)payload;
    assert_true(fixture.checked <= fixture.received.size);
}

static size_t bytes_in_progress(void)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&fixture.client->pipe);
}

static void turn(void)
{
    uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_in_range(bytes_in_progress(), 0, UNDER_WAY_MAX);
    assert_in_range(fixture.client->writing_size, 0, UNDER_WAY_MAX);
}

/* Connects, and begins all calls: two large ones, many small ones, and a large one. */
static void begin(void)
{
    struct umem_uv_options options = {.pipe = fixture.path};
    char params[SMALL_SIZE + 8];
    umem_calls *calls;

    snprintf(params, sizeof params, "{\"t\":\"%0*d\"}", SMALL_SIZE - 8, 0);
    memset(&fixture, 0, sizeof fixture);
    pipe_name_make(fixture.path, sizeof fixture.path);
    um_buf_init(&fixture.received, 2 * (LARGE + 1) * (size_t)TOTAL);
    fixture.bytes = malloc(TOTAL);
    assert_non_null(fixture.bytes);
    /* No two places of a MiB are alike. */
    for (uint32_t i = 0; i < TOTAL / sizeof i; i++)
        memcpy(fixture.bytes + i * sizeof i, &i, sizeof i);
    assert_int_equal(uv_loop_init(&fixture.loop), 0);
    assert_int_equal(uv_pipe_init(&fixture.loop, &fixture.listener, 0), 0);
    assert_int_equal(uv_pipe_bind(&fixture.listener, fixture.path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&fixture.listener, 1, on_connection), 0);
    fixture.client = umem_uv_new(&fixture.loop, &options);
    assert_non_null(fixture.client);
    assert_int_equal(umem_uv_connect(fixture.client, on_connected, NULL), UMEM_OK);
    while (!fixture.is_connected || !fixture.is_accepted)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    for (int i = 0; i < LARGE; i++) {
        calls = umem_uv_call(fixture.client, on_lost, NULL);
        assert_int_equal(umem_submit_block_write(calls, 1, 0, fixture.bytes, TOTAL), UMEM_OK);
    }
    for (int i = 0; i < SMALL; i++) {
        calls = umem_uv_call(fixture.client, on_lost, NULL);
        assert_int_equal(umem_submit_call(calls, "server.ping", params, NULL), UMEM_OK);
    }
    calls = umem_uv_call(fixture.client, on_lost, NULL);
    assert_int_equal(umem_submit_block_write(calls, 1, 0, fixture.bytes, TOTAL), UMEM_OK);
}

/* The peer does not read: a part is being written, and stays so. */
static void stand_still(void)
{
    for (int i = 0; i < TURNS; i++) {
        turn();
        assert_true(bytes_in_progress() != 0);
    }
}

static void end(void)
{
    umem_uv_close(fixture.client, on_closed, NULL);
    uv_close((uv_handle_t *)&fixture.daemon, NULL);
    uv_close((uv_handle_t *)&fixture.listener, NULL);
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_true(fixture.is_closed);
    assert_int_equal(fixture.lost, LARGE + SMALL + 1);
    assert_int_equal(uv_loop_close(&fixture.loop), 0);
    pipe_name_remove(fixture.path);
    um_buf_deinit(&fixture.received);
    free(fixture.bytes);
}

static void test_all_arrives_in_order(void **state)
{
    (void)state;
    begin();
    stand_still();
    assert_int_equal(uv_read_start((uv_stream_t *)&fixture.daemon, on_alloc, on_read), 0);
    while (fixture.client->unwritten != NULL || bytes_in_progress() != 0)
        turn();
    /* What the system still holds comes in the next turns. */
    for (int quiet = 0; quiet < TURNS; quiet++) {
        size_t before = fixture.received.size;

        turn();
        if (fixture.received.size != before)
            quiet = 0;
    }
    for (int i = 0; i < LARGE; i++)
        expect_message(TOTAL);
    for (int i = 0; i < SMALL; i++)
        expect_message(0);
    expect_message(TOTAL);
    assert_int_equal(fixture.checked, fixture.received.size);
    assert_int_equal(fixture.lost, 0);
    end();
}

/* Each begun call is reported once, whether the loop had all of it, a part or nothing. */
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
