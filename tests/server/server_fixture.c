#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/server_core.h"
#include "umem_errors.h"

enum {
    HANG_MS = 120000,          /* no test takes so long, under Wine and sanitizers either */
    RECEIVED_LIMIT = 256 << 20 /* bytes that a client keeps */
};

/* ---- the fixture ---- */

static void on_hang(uv_timer_t *watchdog)
{
    (void)watchdog;
    fail_msg("nothing happens any more");
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    assert_int_equal(uv_timer_init(&fixture->loop, &fixture->watchdog), 0);
    um_limits_init(&fixture->limits);
    fixture->limits.bytes = 256 << 20;
    for (int i = 0; i < FIXTURE_CLIENTS; i++)
        fixture->clients[i].is_closed = true;
    fixture_make_directory(fixture);
    *state = fixture;
    return 0;
}

static bool is_closed(const void *what)
{
    const struct client *client = what;

    return client->is_closed;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < FIXTURE_CLIENTS; i++)
        client_close(&fixture->clients[i]);
    for (int i = 0; i < FIXTURE_CLIENTS; i++)
        fixture_run_until(fixture, is_closed, &fixture->clients[i]);
    if (fixture->server != NULL)
        fixture_stop_server(fixture);
    uv_close((uv_handle_t *)&fixture->watchdog, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    fixture_remove_directory(fixture);
    free(fixture);
    return 0;
}

static void on_note(void *context, enum um_server_log note, const char *text)
{
    struct fixture *fixture = context;

    assert_true(strlen(text) > 0);
    fixture->warnings += note == UM_SERVER_WARNING;
}

static void on_ended(void *context)
{
    struct fixture *fixture = context;

    fixture->has_ended = true;
    fixture->server = NULL;
}

void fixture_start_server(struct fixture *fixture)
{
    struct um_server_options options = {
        .pipe = fixture->path,
        .limits = &fixture->limits,
        .sessions_asked = fixture->limits_are_set,
        .shared_heaps_asked = fixture->limits_are_set,
        .version = "1.2.3",
        .seed = 42,
        .context = fixture,
        .note = on_note,
        .ended = on_ended,
    };
    char why[UM_SERVER_WHY_CAPACITY] = "";

    fixture->has_ended = false;
    if (um_server_start(&fixture->loop, &options, &fixture->server, why) != UMEM_OK)
        fail_msg("%s", why);
}

static bool has_ended(const void *what)
{
    const struct fixture *fixture = what;

    return fixture->has_ended;
}

void fixture_stop_server(struct fixture *fixture)
{
    um_server_stop(fixture->server);
    fixture_run_until(fixture, has_ended, fixture);
}

/* Notes leave out what comes too often, so that sessions are counted where the server counts them. */
static void run(struct fixture *fixture, uv_run_mode mode)
{
    uint64_t sessions;

    uv_run(&fixture->loop, mode);
    if (fixture->server == NULL)
        return;
    sessions = fixture->server->traffic.sessions;
    fixture->opened = (unsigned)((fixture->server->session_changes + sessions) / 2);
    fixture->closed = (unsigned)(fixture->opened - sessions);
}

void fixture_run_until(struct fixture *fixture, bool (*holds)(const void *what), const void *what)
{
    uv_timer_start(&fixture->watchdog, on_hang, HANG_MS, 0);
    while (!holds(what))
        run(fixture, UV_RUN_ONCE);
    uv_timer_stop(&fixture->watchdog);
}

void fixture_run_once(struct fixture *fixture)
{
    run(fixture, UV_RUN_NOWAIT);
}

/* ---- clients ---- */

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    um_buf_deinit(&client->received);
    client->is_closed = true;
}

void client_close(struct client *client)
{
    if (!client->is_closed && !uv_is_closing((uv_handle_t *)&client->pipe))
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_connected(uv_connect_t *connecting, int status)
{
    struct client *client = connecting->data;

    assert_int_equal(status, 0);
    client->is_connected = true;
}

static bool is_connected(const void *what)
{
    const struct client *client = what;

    return client->is_connected;
}

static struct client *client_init(struct fixture *fixture, unsigned index)
{
    struct client *client = &fixture->clients[index];

    assert_true(client->is_closed);
    *client = (struct client){.fixture = fixture};
    um_buf_init(&client->received, RECEIVED_LIMIT);
    assert_int_equal(uv_pipe_init(&fixture->loop, &client->pipe, 0), 0);
    client->pipe.data = client;
    client->connecting.data = client;
    return client;
}

struct client *client_adopt(struct fixture *fixture, unsigned index, uv_file socket)
{
    struct client *client = client_init(fixture, index);

    assert_int_equal(uv_pipe_open(&client->pipe, socket), 0);
    client->is_connected = true;
    client_read(client);
    return client;
}

struct client *client_open(struct fixture *fixture, unsigned index, bool reads)
{
    struct client *client = client_init(fixture, index);

    uv_pipe_connect(&client->connecting, &client->pipe, fixture->path, on_connected);
    fixture_run_until(fixture, is_connected, client);
    if (reads)
        client_read(client);
    return client;
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    static char space[65536];

    (void)handle;
    (void)suggested_size;
    *buf = uv_buf_init(space, sizeof space);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct client *client = stream->data;

    if (size > 0) {
        assert_true(um_buf_append(&client->received, buf->base, (size_t)size));
        /* An end behind it, not counted: tests look for texts in it. */
        assert_true(um_buf_append_byte(&client->received, '\0'));
        client->received.size--;
    } else if (size < 0) {
        client->is_over = true;
    }
    if (client->enough != 0 && client->received.size >= client->enough)
        uv_read_stop(stream);
}

void client_read(struct client *client)
{
    client->enough = 0;
    assert_int_equal(uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read), 0);
}

struct sending {
    uv_write_t write;
    struct client *client;
    char bytes[];
};

static void on_written(uv_write_t *write, int status)
{
    struct sending *sending = write->data;

    sending->client->unwritten--;
    sending->client->has_failed |= status != 0;
    free(sending);
}

void client_send_bytes(struct client *client, const void *bytes, size_t size)
{
    struct sending *sending = malloc(sizeof *sending + size);
    uv_buf_t buf;

    assert_non_null(sending);
    sending->client = client;
    sending->write.data = sending;
    memcpy(sending->bytes, bytes, size);
    buf = uv_buf_init(sending->bytes, (unsigned)size);
    client->unwritten++;
    if (uv_write(&sending->write, (uv_stream_t *)&client->pipe, &buf, 1, on_written) != 0) {
        client->unwritten--;
        client->has_failed = true;
        free(sending);
    }
}

void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

void client_send_message(struct client *client, const char *text, size_t payload_size)
{
    char head[128];

    snprintf(head, sizeof head, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n", strlen(text),
             payload_size);
    client_send(client, head);
    client_send(client, text);
}

static bool has_written(const void *what)
{
    const struct client *client = what;

    return client->unwritten == 0;
}

void client_flush(struct client *client, struct client *other)
{
    fixture_run_until(client->fixture, has_written, client);
    client_ping(other);
}

struct awaited {
    const struct client *client;
    size_t size;
};

static bool has_come(const void *what)
{
    const struct awaited *awaited = what;

    return awaited->client->received.size >= awaited->size || awaited->client->is_over;
}

void client_await_bytes(struct client *client, size_t size)
{
    struct awaited awaited = {client, size};

    fixture_run_until(client->fixture, has_come, &awaited);
    if (client->received.size < size)
        fail_msg("the server closed after %zu of %zu bytes", client->received.size, size);
}

void client_expect(struct client *client, const char *text)
{
    size_t size = strlen(text);

    client_await_bytes(client, size);
    assert_memory_equal(client->received.data, text, size);
    um_buf_consume(&client->received, size);
}

static bool has_line(const void *what)
{
    const struct client *client = what;

    return client->is_over ||
           (client->received.size != 0 && memchr(client->received.data, '\n', client->received.size) != NULL);
}

void client_take_line(struct client *client, char *line, size_t capacity)
{
    const char *end;
    size_t size;

    fixture_run_until(client->fixture, has_line, client);
    end = client->received.size != 0 ? memchr(client->received.data, '\n', client->received.size) : NULL;
    assert_non_null(end);
    size = (size_t)(end - client->received.data);
    assert_true(size < capacity);
    memcpy(line, client->received.data, size);
    line[size] = '\0';
    um_buf_consume(&client->received, size + 1);
}

void client_take_message(struct client *client, char *text, size_t capacity)
{
    char line[256];
    size_t size = 0;

    do {
        client_take_line(client, line, sizeof line);
        if (strncmp(line, "Content-Length: ", 16) == 0)
            size = (size_t)strtoull(line + 16, NULL, 10);
    } while (strcmp(line, "\r") != 0);
    assert_true(size < capacity);
    client_await_bytes(client, size);
    memcpy(text, client->received.data, size);
    text[size] = '\0';
    um_buf_consume(&client->received, size);
}

static bool is_over(const void *what)
{
    const struct client *client = what;

    return client->is_over;
}

void client_expect_close(struct client *client)
{
    fixture_run_until(client->fixture, is_over, client);
    assert_int_equal(client->received.size, 0);
}

void client_ping(struct client *client)
{
    client_send(client, "{\"id\":\"ping\",\"method\":\"server.ping\"}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":\"ping\",\"result\":{}}\n");
}
