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
#include "wire_client.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A program of the build: they are in one folder. */
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

/* More nodes than the capacity of the arena; and deeper than the parser's limit. */
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

/* Nine messages and the end pass a ring of four places, so that each side waits for the other. */
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

/* What fits stays in the queue until another run takes it. */
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
    /* The sieve was freed with its session. The result and the forgotten block were not. */
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

/* Two clients that send at the same time, each of which receives what it has sent. */
static void test_uv_server(void **state)
{
    static char sent[2][GREETING_SIZE];
    static char back[GREETING_SIZE];
    struct wire_client clients[2];
    struct wire_loop loop;
    char pipe[128];

    pipe_name_make(pipe, sizeof pipe);
    assert_int_equal(process_start(&program, WORDS(EXAMPLE("uv_server"), pipe, "2"), NULL), 0);
    assert_true(process_wait_for(&program, "listening on: "));
    wire_loop_open(&loop);
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < GREETING_SIZE; j++)
            sent[i][j] = (char)(j * 7 + i);
        assert_true(wire_connect(&clients[i], &loop.host, pipe));
        wire_send_bytes(&clients[i], sent[i], GREETING_SIZE);
        wire_read(&clients[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(wire_take(&clients[i], back, GREETING_SIZE));
        assert_memory_equal(back, sent[i], GREETING_SIZE);
        assert_int_equal(clients[i].received.size, 0);
        wire_close(&clients[i]);
    }
    wire_loop_close(&loop);
    assert_int_equal(process_finish(&program), 0);
    expect(&program, "a client has left after 10000 bytes\na client has left after 10000 bytes\n");
    assert_int_equal(count_blocks(*state), 0);
    pipe_name_remove(pipe);
}

/* No daemon listens on the pipe. */
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
