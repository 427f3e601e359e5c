/* umemd --replace: one daemon takes the pipe over from another, while clients go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "durable_fixture.h"
#include "net/listener/hand_over.h"
#include "visitors.h"

enum {
    LONG_MS = 120000, /* more than any start of a daemon takes */
    VISITORS = 3,     /* threads that connect for each call */
    RESIDENTS = 2,    /* threads that stay connected as long as the daemon lets them */
    REPLACEMENTS = 8
};

/* The daemon that runs and the one that replaces it take turns. */
struct pair {
    struct place *place;
    struct process *running;
    struct process *next;
};

static struct pair begin_pair(struct place *place)
{
    return (struct pair){place, &place->daemon.process, &place->other};
}

/* Begins to start a daemon that replaces the one at the pipe, if there is one. */
static void begin_replacing(struct pair *pair)
{
    const char *const args[] = {
        UMEMD, "--pipe", pair->place->daemon.pipe, "--state", pair->place->state, "--replace", NULL};

    assert_int_equal(process_start(pair->next, args, NULL), 0);
}

static void await(struct process *process, const char *text)
{
    if (!process_wait_for(process, text))
        fail_msg("%s", process->errors);
}

/* The next daemon listens, and the one before has ended in order. */
static void replace(struct pair *pair)
{
    struct process *before = pair->running;

    begin_replacing(pair);
    await(pair->next, "has handed over");
    await(pair->next, "listening on");
    assert_int_equal(process_finish(before), 0);
    pair->running = pair->next;
    pair->next = before;
}

static void end_pair(struct pair *pair)
{
    umem_client *client = daemon_connect(&pair->place->daemon);

    ok(client, umem_server_shutdown(client));
    umem_client_free(client);
    assert_int_equal(process_finish(pair->running), 0);
}

static const struct um_principal nobody = {.is_set = false};

/* ---- nobody is refused ---- */

/* Each call is answered, and done once; each connection is answered at least once. */
static void test_nobody_is_refused_and_nothing_is_lost(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);
    struct visitors *visitors;
    uint64_t answered;
    uint64_t lost;
    uint64_t sum = 0;
    umem_client *client;
    umem_handle block;

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    ok(client,
       umem_block_alloc(client, sizeof sum,
                        &(struct umem_block_options){.heap = durable_make_heap(client, NULL)}, &block));
    umem_client_free(client);
    visitors = visitors_start(place->daemon.pipe, block, VISITORS, RESIDENTS);
    for (int i = 0; i < REPLACEMENTS; i++) {
        visitors_wait(visitors);
        replace(&pair);
    }
    visitors_wait(visitors);
    visitors_stop(visitors, &answered, &lost);
    client = daemon_connect(&place->daemon);
    ok(client, umem_block_get(client, block, 0, UMEM_TYPE_U64, &sum, 1));
    assert_true(sum >= answered);
    assert_true(sum <= answered + lost);
    umem_client_free(client);
    end_pair(&pair);
}

/* ---- one at a time ---- */

static void test_without_a_daemon_it_starts(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);

    begin_replacing(&pair);
    await(pair.next, "no daemon to replace");
    await(pair.next, "listening on");
    pair.running = pair.next;
    end_pair(&pair);
}

/* A session that has had no answer yet gets its first one, and then it ends as all do. */
static void test_a_client_that_has_just_connected_is_answered(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);
    umem_client *client;
    umem_client *other;

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    other = daemon_connect(&place->daemon);
    ok(other, umem_server_ping(other));
    begin_replacing(&pair);
    /* The daemon that runs has begun to end when it closes the connection of a client that was answered. */
    while (umem_is_connected(other))
        (void)umem_server_ping(other);
    ok(client, umem_server_ping(client));
    assert_int_equal(umem_server_ping(client), UMEM_E_CONNECTION_LOST);
    await(pair.next, "listening on");
    assert_int_equal(process_finish(pair.running), 0);
    pair.running = pair.next;
    umem_client_free(client);
    umem_client_free(other);
    end_pair(&pair);
}

static void shut_down_for(umem_client *client, const char *successor, int expected)
{
    char params[1024];
    size_t size = (size_t)snprintf(params, sizeof params, "{\"successor\":\"");

    for (const char *at = successor; *at != '\0'; at++)
        size += (size_t)snprintf(params + size, sizeof params - size, *at == '\\' ? "\\\\" : "%c", *at);
    snprintf(params + size, sizeof params - size, "\"}");
    expect_code(client, umem_call(client, "server.shutdown", params, NULL), expected);
}

static void test_a_successor_that_is_not_there_changes_nothing(void **state)
{
    struct place *place = *state;
    umem_client *client;
    char endpoint[256];

    durable_start(place, "second");
    client = daemon_connect(&place->daemon);
    snprintf(endpoint, sizeof endpoint, "%s.new", place->daemon.pipe);
    shut_down_for(client, endpoint, UMEM_E_DENIED);
    assert_non_null(strstr(umem_last_error(client)->message, endpoint));
    shut_down_for(client, "", UMEM_E_DENIED);
    shut_down_for(client, "nowhere", UMEM_E_DENIED);
    shut_down_for(client, "\\\\other\\pipe\\umemd", UMEM_E_DENIED);
    memset(endpoint, 'x', sizeof endpoint - 1);
    endpoint[sizeof endpoint - 1] = '\0';
    shut_down_for(client, endpoint, UMEM_E_DENIED);
    ok(client, umem_server_ping(client));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* The test takes the pipe over, and then does what a daemon that dies does. */
static void test_a_successor_that_dies_loses_nothing(void **state)
{
    struct place *place = *state;
    struct um_take_over *take_over = NULL;
    struct um_handed handed = {.count = 0};
    char why[512] = "";
    umem_client *client;
    umem_handle block;

    durable_start(place, "second");
    client = durable_connect(place, LONG_MS);
    block = durable_make_block(client, durable_make_heap(client, NULL), NULL);
    assert_int_equal(um_take_over_open(place->daemon.pipe, &nobody, &take_over, why, sizeof why), UMEM_OK);
    shut_down_for(client, um_take_over_endpoint(take_over), UMEM_OK);
    assert_int_equal(um_take_over_receive(take_over, &handed, LONG_MS, why, sizeof why), UMEM_OK);
    assert_true(handed.count > UM_HANDED_PIPE);
    assert_int_equal(um_take_over_wait(take_over, LONG_MS), UMEM_OK);
    assert_int_equal(process_finish(&place->daemon.process), 0);
    um_handed_close(&handed);
    um_take_over_close(take_over);
    durable_start(place, "second");
    durable_expect_hello(client, block);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&place->daemon), 0);
}

/* It goes with the pipe: a third daemon is kept out by it. */
static void test_the_lock_is_handed_over(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);
    const char *const args[] = {UMEMD, "--pipe", place->daemon.pipe, NULL};

    durable_start(place, "second");
    replace(&pair);
    assert_int_equal(process_run(pair.next, args, NULL), 3);
    assert_non_null(strstr(pair.next->errors, "another daemon"));
    end_pair(&pair);
}

static void test_one_daemon_at_a_time_takes_over(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);
    struct um_take_over *take_over = NULL;
    char why[512] = "";

    durable_start(place, "second");
    assert_int_equal(um_take_over_open(place->daemon.pipe, &nobody, &take_over, why, sizeof why), UMEM_OK);
    begin_replacing(&pair);
    assert_int_equal(process_finish(pair.next), 3);
    assert_non_null(strstr(pair.next->errors, um_take_over_endpoint(take_over)));
    um_take_over_close(take_over);
    replace(&pair);
    end_pair(&pair);
}

/* ---- what cannot be replaced ---- */

/* A daemon of the test's own, which answers a line with a line. */
struct fake {
    uv_thread_t thread;
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_pipe_t client;
    uv_write_t write;
    const char *answer;
    char space[65536];
};

static void on_closed_client(uv_handle_t *handle)
{
    struct fake *fake = handle->data;

    uv_close((uv_handle_t *)&fake->listener, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct fake *fake = handle->data;

    (void)suggested;
    *buf = uv_buf_init(fake->space, sizeof fake->space);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct fake *fake = stream->data;
    uv_buf_t answer = uv_buf_init((char *)(uintptr_t)fake->answer, (unsigned)strlen(fake->answer));

    if (count < 0)
        uv_close((uv_handle_t *)stream, on_closed_client);
    else if (count > 0 && memchr(buf->base, '\n', (size_t)count) != NULL)
        uv_write(&fake->write, stream, &answer, 1, NULL);
}

static void on_client(uv_stream_t *server, int status)
{
    struct fake *fake = server->data;

    if (status == 0 && uv_accept(server, (uv_stream_t *)&fake->client) == 0)
        uv_read_start((uv_stream_t *)&fake->client, on_alloc, on_read);
}

static void run_fake(void *context)
{
    struct fake *fake = context;

    uv_run(&fake->loop, UV_RUN_DEFAULT);
}

/* What umemd --replace says of a daemon that answers so. */
static void expect_refusal(struct place *place, const char *answer, const char *message)
{
    struct fake *fake = calloc(1, sizeof *fake);
    struct pair pair = begin_pair(place);

    assert_non_null(fake);
    fake->answer = answer;
    assert_int_equal(uv_loop_init(&fake->loop), 0);
    assert_int_equal(uv_pipe_init(&fake->loop, &fake->listener, 0), 0);
    assert_int_equal(uv_pipe_init(&fake->loop, &fake->client, 0), 0);
    fake->listener.data = fake;
    fake->client.data = fake;
    assert_int_equal(uv_pipe_bind(&fake->listener, place->daemon.pipe), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&fake->listener, 1, on_client), 0);
    assert_int_equal(uv_thread_create(&fake->thread, run_fake, fake), 0);
    begin_replacing(&pair);
    assert_int_equal(process_finish(pair.next), 3);
    if (strstr(pair.next->errors, message) == NULL)
        fail_msg("%s", pair.next->errors);
    assert_int_equal(uv_thread_join(&fake->thread), 0);
    assert_int_equal(uv_loop_close(&fake->loop), 0);
    free(fake);
}

/* What would end the new daemon is found before the other one has ended. */
static void expect_no_start(const struct pair *pair, const char *option, const char *value,
                            const char *message)
{
    const char *const args[] = {UMEMD, "--pipe", pair->place->daemon.pipe, "--replace", option, value, NULL};
    umem_client *client = daemon_connect(&pair->place->daemon);

    assert_int_equal(process_run(pair->next, args, NULL), 1);
    if (strstr(pair->next->errors, message) == NULL)
        fail_msg("%s", pair->next->errors);
    ok(client, umem_server_ping(client));
    umem_client_free(client);
}

static void test_a_daemon_that_cannot_start_replaces_nothing(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);
    const char *const args[] = {UMEMD, "--pipe", place->daemon.pipe, NULL};
    char path[700];
    uv_fs_t request;
    FILE *file;

    assert_int_equal(process_start(&place->daemon.process, args, NULL), 0);
    await(&place->daemon.process, "listening on");
    snprintf(path, sizeof path, "%s/none/umemd.pid", place->folder);
    expect_no_start(&pair, "--pid-file", path, "umemd.pid cannot be written");
    assert_int_equal(uv_fs_mkdir(NULL, &request, place->state, 0700, NULL), 0);
    uv_fs_req_cleanup(&request);
    snprintf(path, sizeof path, "%s/handles.1.journal", place->state);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_not_equal(fputs("no journal", file), EOF);
    assert_int_equal(fclose(file), 0);
    expect_no_start(&pair, "--state", place->state, "handles.1.journal is no journal of umemd's");
#ifdef TEST_ON_POSIX
    static struct daemon other;
    const char *const other_args[] = {UMEMD, "--pipe", other.pipe, "--state", place->state, NULL};

    assert_int_equal(remove(path), 0);
    pipe_name_make(other.pipe, sizeof other.pipe);
    assert_int_equal(process_start(&other.process, other_args, NULL), 0);
    await(&other.process, "listening on");
    expect_no_start(&pair, "--state", place->state, "has the state directory");
    assert_int_equal(daemon_shutdown(&other), 0);
    pipe_name_remove(other.pipe);
#endif
    end_pair(&pair);
}

/* It listens, and does nothing else. */
static void test_a_daemon_that_hangs_is_given_up(void **state)
{
    enum { SHORT_MS = 50 };
    struct place *place = *state;
    struct um_take_over *take_over = NULL;
    struct um_handed handed;
    char answer[64];
    char why[512] = "";
    uv_loop_t loop;
    uv_pipe_t listener;

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_pipe_init(&loop, &listener, 0), 0);
    assert_int_equal(um_take_over_open(place->daemon.pipe, &nobody, &take_over, why, sizeof why), UMEM_OK);
    assert_int_equal(um_take_over_ask(take_over, place->daemon.pipe, "{}\n", answer, sizeof answer, SHORT_MS,
                                      why, sizeof why),
                     UMEM_E_UNKNOWN_HANDLE);
    assert_int_equal(uv_pipe_bind(&listener, place->daemon.pipe), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&listener, 1, on_client), 0);
    assert_int_equal(um_take_over_ask(take_over, place->daemon.pipe, "{}\n", answer, sizeof answer, SHORT_MS,
                                      why, sizeof why),
                     UMEM_E_TIMEOUT);
    assert_int_not_equal(um_take_over_receive(take_over, &handed, SHORT_MS, why, sizeof why), UMEM_OK);
    um_take_over_close(take_over);
    uv_close((uv_handle_t *)&listener, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_an_older_daemon_goes_on(void **state)
{
    expect_refusal(
        *state,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"unknown parameter\"}}\n",
        "hands nothing over: end it with \"umem shutdown\"");
}

static void test_a_daemon_that_refuses_says_why(void **state)
{
    expect_refusal(
        *state,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32009,\"message\":\"restart its service\"}}\n",
        "is not replaced: restart its service");
}

static void test_another_program_is_none(void **state)
{
    expect_refusal(*state, "hello\n", "is no umemd");
    expect_refusal(*state, "{\"a\":1}\n", "is no umemd");
}

#ifdef TEST_ON_POSIX
static void test_a_path_without_space_for_another_is_named(void **state)
{
    struct place *place = *state;
    char path[108]; /* bytes of a socket's address */
    const char *const args[] = {UMEMD, "--pipe", path, "--replace", NULL};
    int length = snprintf(path, sizeof path, "%s/", place->folder);

    memset(path + length, 'p', sizeof path - 1 - (size_t)length);
    path[sizeof path - 1] = '\0';
    assert_int_equal(process_run(&place->other, args, NULL), 3);
    assert_non_null(strstr(place->other.errors, "is too long a path for --replace"));
}

/* As systemd starts it. */
static void test_a_service_is_restarted_by_its_manager(void **state)
{
    struct place *place = *state;
    struct pair pair = begin_pair(place);

    assert_int_equal(uv_os_setenv("NOTIFY_SOCKET", "/nowhere/at/all"), 0);
    durable_start(place, "second");
    assert_int_equal(uv_os_unsetenv("NOTIFY_SOCKET"), 0);
    begin_replacing(&pair);
    assert_int_equal(process_finish(pair.next), 3);
    assert_non_null(strstr(pair.next->errors, "restart its service instead"));
    end_pair(&pair);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_is_refused_and_nothing_is_lost, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_daemon_it_starts, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_client_that_has_just_connected_is_answered, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_successor_that_is_not_there_changes_nothing, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_successor_that_dies_loses_nothing, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_the_lock_is_handed_over, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_one_daemon_at_a_time_takes_over, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_cannot_start_replaces_nothing, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_hangs_is_given_up, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_an_older_daemon_goes_on, durable_set_up, durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_daemon_that_refuses_says_why, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_another_program_is_none, durable_set_up, durable_tear_down),
#ifdef TEST_ON_POSIX
        cmocka_unit_test_setup_teardown(test_a_path_without_space_for_another_is_named, durable_set_up,
                                        durable_tear_down),
        cmocka_unit_test_setup_teardown(test_a_service_is_restarted_by_its_manager, durable_set_up,
                                        durable_tear_down),
#endif
    };

    pipe_may_break();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
