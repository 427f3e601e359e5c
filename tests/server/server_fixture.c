#include "server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/server_state.h"
#include "umem_errors.h"

enum {
    HANG_MS = 120000 /* no test takes so long, under Wine and sanitizers either */
};

/* ---- the fixture ---- */

static void on_hang(uv_timer_t *watchdog)
{
    (void)watchdog;
    fail_msg("nothing happens any more");
}

static void run_until(struct wire_host *host, bool (*holds)(const void *what), const void *what)
{
    fixture_run_until((struct fixture *)host, holds, what);
}

static void fail_test(struct wire_host *host, const char *reason)
{
    (void)host;
    fail_msg("%s", reason);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    assert_int_equal(uv_timer_init(&fixture->loop, &fixture->watchdog), 0);
    fixture->host = (struct wire_host){&fixture->loop, run_until, fail_test};
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
    const struct wire_client *client = what;

    return client->is_closed;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < FIXTURE_CLIENTS; i++)
        wire_close(&fixture->clients[i]);
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

static void on_log(void *context, enum um_log_severity severity, const char *text)
{
    struct fixture *fixture = context;

    assert_true(strlen(text) > 0);
    fixture->warnings += severity == UM_SEVERITY_WARNING;
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
        .log = on_log,
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
    sessions = fixture->server->connections.traffic.sessions;
    fixture->opened = (unsigned)((fixture->server->connections.changes + sessions) / 2);
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

struct fixture *fixture_of(const struct wire_client *client)
{
    return (struct fixture *)client->host;
}

static struct wire_client *new_client(struct fixture *fixture, unsigned index)
{
    struct wire_client *client = &fixture->clients[index];

    assert_true(client->is_closed);
    return client;
}

struct wire_client *client_adopt(struct fixture *fixture, unsigned index, uv_file socket)
{
    struct wire_client *client = new_client(fixture, index);

    wire_adopt(client, &fixture->host, socket);
    wire_read(client);
    return client;
}

struct wire_client *client_open(struct fixture *fixture, unsigned index, bool reads)
{
    struct wire_client *client = new_client(fixture, index);

    assert_true(wire_connect(client, &fixture->host, fixture->path));
    if (reads)
        wire_read(client);
    return client;
}

void client_flush(struct wire_client *client, struct wire_client *other)
{
    wire_await_written(client);
    client_ping(other);
}

void client_await_bytes(struct wire_client *client, size_t size)
{
    if (!wire_await_bytes(client, size))
        fail_msg("the server closed after %zu of %zu bytes", client->received.size, size);
}

void client_expect(struct wire_client *client, const char *text)
{
    size_t size = strlen(text);

    client_await_bytes(client, size);
    assert_memory_equal(client->received.data, text, size);
    um_buf_consume(&client->received, size);
}

/* Copies a text that the client has taken, and frees it. */
static void copy_text(char *taken, char *text, size_t capacity)
{
    assert_non_null(taken);
    assert_true(strlen(taken) < capacity);
    strcpy(text, taken);
    free(taken);
}

void client_take_line(struct wire_client *client, char *line, size_t capacity)
{
    copy_text(wire_take_line(client), line, capacity);
}

void client_take_message(struct wire_client *client, char *text, size_t capacity)
{
    copy_text(wire_take_message(client, NULL), text, capacity);
}

void client_expect_close(struct wire_client *client)
{
    wire_await_end(client);
    assert_int_equal(client->received.size, 0);
}

void client_ping(struct wire_client *client)
{
    wire_send(client, "{\"id\":\"ping\",\"method\":\"server.ping\"}\n");
    client_expect(client, "{\"jsonrpc\":\"2.0\",\"id\":\"ping\",\"result\":{}}\n");
}
