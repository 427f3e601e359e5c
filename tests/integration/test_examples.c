/* The programs of client/examples, each as a user runs it: by what they print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A program of the build: they lie in one folder. */
#define EXAMPLE(name) EXAMPLES "/example_" name SUFFIX

static struct process program;
static struct process other;

/* They find the daemon by the environment. */
static int setup(void **state)
{
    struct daemon *daemon;

    daemon_setup(state);
    daemon = *state;
    return uv_os_setenv("UMEM_PIPE", daemon->pipe);
}

static void expect(const struct process *process, const char *text)
{
    if (strstr(process->output, text) == NULL)
        print_error("expected:\n%s\nfound:\n%s%s", text, process->output, process->errors);
    assert_non_null(strstr(process->output, text));
}

static uint64_t count_blocks(struct daemon *daemon)
{
    umem_client *client = daemon_connect(daemon);
    struct umem_server_stats stats;

    assert_int_equal(umem_server_stats(client, &stats), UMEM_OK);
    umem_client_free(client);
    return stats.blocks;
}

static void test_first_steps(void **state)
{
    assert_int_equal(
        process_run(&program, WORDS(EXAMPLE("first_steps"), ((struct daemon *)*state)->pipe), NULL), 0);
    expect(&program, "freed; reading it now gives: stale_handle");
    expect(&program, "heap destroyed, and with it 1 block of 8 bytes");
}

static void test_arena(void **state)
{
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("arena"), "(1 + 2) * 3 - 10"), NULL), 0);
    expect(&program, "(- (* (+ 1 2) 3) 10) = -1");
    expect(&program, "one call has freed 7 nodes of 224 bytes together");
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("arena"), "1 + (2 * 3"), NULL), 1);
    expect(&program, "no tree: a \")\" is missing; what was left: \"\"");
    expect(&program, "one call has freed 4 nodes");
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("arena"), "1 2"), NULL), 1);
    expect(&program, "no tree: an operator is missing; what was left: \"2\"");
    assert_int_equal(count_blocks(*state), 0);
}

/* More nodes than the arena has room for; and deeper than the parser goes. */
static void test_arena_limits(void **state)
{
    static char text[4096];

    for (size_t i = 0; i < sizeof text - 2; i += 2)
        memcpy(text + i, "1+", 3);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("arena"), text), NULL), 1);
    expect(&program, "no tree: ");
    expect(&program, "one call has freed 512 nodes of 16384 bytes together");
    memset(text, '(', 1000);
    text[1000] = '\0';
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("arena"), text), NULL), 1);
    expect(&program, "too many parentheses within each other");
    assert_int_equal(count_blocks(*state), 0);
}

static void test_counter(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle counter;
    int64_t sum = 0;

    assert_int_equal(process_start(&other, WORDS(EXAMPLE("counter"), "300"), NULL), 0);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("counter"), "300"), NULL), 0);
    assert_int_equal(process_finish(&other), 0);
    expect(&program, "added 1 300 times, from ");
    expect(&other, "added 1 300 times, from ");
    assert_int_equal(umem_block_lookup(client, "example-counter", &counter), UMEM_OK);
    assert_int_equal(umem_block_get(client, counter, 0, UMEM_TYPE_I64, &sum, 1), UMEM_OK);
    assert_int_equal(sum, 600);
    umem_client_free(client);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("counter"), "2"), NULL), 0);
    expect(&program, "added 1 2 times, from 600 to 602; others have added 0 meanwhile");
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("counter"), "2x"), NULL), 1);
}

/* Nine messages and the end go through a ring of four places, so that each waits for the other. */
static void test_queue(void **state)
{
    assert_int_equal(process_start(&other, WORDS(EXAMPLE("queue"), "take"), NULL), 0);
    assert_int_equal(process_run(&program,
                                 WORDS(EXAMPLE("queue"), "put", "one", "two", "three", "four", "five", "six",
                                       "seven", "eight", "nine"),
                                 NULL),
                     0);
    expect(&program, "put 9 words\n");
    assert_int_equal(process_finish(&other), 0);
    expect(&other, "took one\ntook two\ntook three\ntook four\ntook five\ntook six\ntook seven\ntook "
                   "eight\ntook nine\n");
    assert_int_equal(count_blocks(*state), 0);
}

/* What fits lies there until somebody comes. */
static void test_queue_in_a_second_run(void **state)
{
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("queue"), "put", "one", "two"), NULL), 0);
    assert_int_equal(count_blocks(*state), 1);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("queue"), "take"), NULL), 0);
    assert_string_equal(program.errors, "");
    expect(&program, "took one");
    expect(&program, "took two");
    assert_int_equal(count_blocks(*state), 0);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("queue"), "put"), NULL), 1);
}

static void test_cache(void **state)
{
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("cache"), "1000"), NULL), 0);
    expect(&program, "worked out: 168 primes below 1000\n");
    assert_null(strstr(program.output, "orphan"));
    /* The sieve has gone with its session. The result and what was forgotten have not. */
    assert_int_equal(count_blocks(*state), 2);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("cache"), "1000"), NULL), 0);
    expect(&program, "freed an orphan of 100 bytes, left by example_cache");
    expect(&program, "found: 168 primes below 1000\n");
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("cache"), "100"), NULL), 0);
    expect(&program, "worked out: 25 primes below 100\n");
    assert_int_equal(count_blocks(*state), 3);
}

/* ---- the server ---- */

enum { GREETING_SIZE = 10000 };

/* One that connects, sends, and leaves when all has come back. */
struct guest {
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    char sent[GREETING_SIZE];
    char back[GREETING_SIZE];
    size_t size;
};

static void on_room(uv_handle_t *pipe, size_t suggested, uv_buf_t *buf)
{
    struct guest *guest = pipe->data;

    (void)suggested;
    *buf = uv_buf_init(guest->back + guest->size, (unsigned)(GREETING_SIZE - guest->size));
}

static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *buf)
{
    struct guest *guest = pipe->data;

    (void)buf;
    assert_true(size >= 0);
    guest->size += (size_t)size;
    if (guest->size == GREETING_SIZE)
        uv_close((uv_handle_t *)pipe, NULL);
}

static void on_connect(uv_connect_t *connect, int status)
{
    struct guest *guest = connect->handle->data;
    uv_buf_t buf = uv_buf_init(guest->sent, sizeof guest->sent);

    assert_int_equal(status, 0);
    assert_int_equal(uv_write(&guest->write, connect->handle, &buf, 1, NULL), 0);
    assert_int_equal(uv_read_start(connect->handle, on_room, on_read), 0);
}

static void visit(uv_loop_t *loop, struct guest *guest, const char *pipe, int seed)
{
    for (int i = 0; i < GREETING_SIZE; i++)
        guest->sent[i] = (char)(i * 7 + seed);
    guest->size = 0;
    assert_int_equal(uv_pipe_init(loop, &guest->pipe, 0), 0);
    guest->pipe.data = guest;
    uv_pipe_connect(&guest->connect, &guest->pipe, pipe, on_connect);
}

static void test_uv_server(void **state)
{
    static struct guest guests[2];
    char pipe[128];
    uv_loop_t loop;

    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(process_start(&program, WORDS(EXAMPLE("uv_server"), pipe, "2"), NULL), 0);
    assert_true(process_wait_for(&program, "listening on: "));
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int i = 0; i < 2; i++)
        visit(&loop, &guests[i], pipe, i);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 2; i++)
        assert_memory_equal(guests[i].back, guests[i].sent, GREETING_SIZE);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(process_finish(&program), 0);
    expect(&program, "a client has left after 10000 bytes\na client has left after 10000 bytes\n");
    assert_int_equal(count_blocks(*state), 0);
    pipe_name_remove(pipe);
}

/* Nobody listens where they look. */
static void test_without_daemon(void **state)
{
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(uv_os_setenv("UMEM_PIPE", pipe), 0);
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("arena")), NULL), 1);
    assert_non_null(strstr(program.errors, pipe));
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("counter"), "1"), NULL), 1);
    assert_non_null(strstr(program.errors, pipe));
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("queue"), "take"), NULL), 1);
    assert_non_null(strstr(program.errors, pipe));
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("cache"), "9"), NULL), 1);
    assert_non_null(strstr(program.errors, pipe));
    assert_int_equal(process_run(&program, WORDS(EXAMPLE("uv_server"), pipe, "1"), NULL), 1);
    assert_non_null(strstr(program.errors, "the server cannot begin: "));
    pipe_name_remove(pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_steps, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_arena, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_arena_limits, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_counter, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_queue, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_queue_in_a_second_run, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_cache, setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_uv_server, setup, daemon_teardown),
        cmocka_unit_test(test_without_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
