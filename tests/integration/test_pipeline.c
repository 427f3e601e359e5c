/* Pipelines and batches of the client library, against the real daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

struct fixture {
    umem_client *client;
    umem_calls *calls;
    umem_handle block;
};

static void begin(struct fixture *fixture, void **state, enum umem_calls_kind kind, uint64_t size)
{
    fixture->client = daemon_connect(*state);
    fixture->calls = umem_calls_new(fixture->client, kind);
    assert_non_null(fixture->calls);
    assert_int_equal(umem_block_alloc(fixture->client, size, NULL, &fixture->block), UMEM_OK);
}

static void end(struct fixture *fixture)
{
    umem_calls_free(fixture->calls);
    assert_int_equal(umem_block_free(fixture->client, fixture->block), UMEM_OK);
    umem_client_free(fixture->client);
}

static void collected(struct fixture *fixture, int expected)
{
    expect_code(fixture->client, umem_collect(fixture->calls), expected);
    assert_int_equal(umem_last_error(fixture->client)->code, expected);
}

/* The same calls, in either way, give the same. */
static void mix(void **state, enum umem_calls_kind kind)
{
    struct fixture fixture;
    int32_t numbers[] = {1, -2, 3};
    int32_t back[3] = {0};
    char text[6] = "";
    char beyond[2] = "";
    char *result = NULL;
    umem_handle other = 0;

    begin(&fixture, state, kind, 32);
    assert_int_equal(umem_submit_block_write(fixture.calls, fixture.block, 0, "hello", 5), UMEM_OK);
    assert_int_equal(umem_submit_block_copy(fixture.calls, fixture.block, 0, fixture.block, 8, 5), UMEM_OK);
    assert_int_equal(umem_submit_block_read(fixture.calls, fixture.block, 8, text, 5), UMEM_OK);
    assert_int_equal(umem_submit_block_read(fixture.calls, fixture.block, 31, beyond, 2), UMEM_OK);
    assert_int_equal(umem_submit_block_set(fixture.calls, fixture.block, 16, UMEM_TYPE_I32, numbers, 3),
                     UMEM_OK);
    assert_int_equal(umem_submit_block_get(fixture.calls, fixture.block, 16, UMEM_TYPE_I32, back, 3),
                     UMEM_OK);
    assert_int_equal(umem_submit_block_alloc(fixture.calls, 4, NULL, &other), UMEM_OK);
    assert_int_equal(umem_submit_call(fixture.calls, "server.ping", "{}", &result), UMEM_OK);
    assert_int_equal(umem_submit_call(fixture.calls, "no.such", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_submit_block_free(fixture.calls, 0), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_calls_count(fixture.calls), 9);
    assert_int_equal(umem_calls_send(fixture.calls), UMEM_OK);
    /* Other calls of the client are possible meanwhile. */
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    collected(&fixture, UMEM_OK);
    collected(&fixture, UMEM_OK);
    collected(&fixture, UMEM_OK);
    assert_string_equal(text, "hello");
    collected(&fixture, UMEM_E_OUT_OF_RANGE);
    assert_string_equal(beyond, "");
    collected(&fixture, UMEM_OK);
    collected(&fixture, UMEM_OK);
    assert_memory_equal(back, numbers, sizeof back);
    collected(&fixture, UMEM_OK);
    collected(&fixture, UMEM_OK);
    assert_string_equal(result, "{}");
    umem_free_text(result);
    collected(&fixture, UMEM_E_METHOD_NOT_FOUND);
    assert_int_equal(umem_collect(fixture.calls), UMEM_E_BAD_ARGUMENT);
    /* And it can be used again. */
    assert_int_equal(umem_submit_block_free(fixture.calls, other), UMEM_OK);
    assert_int_equal(umem_submit_block_free(fixture.calls, other), UMEM_OK);
    assert_int_equal(umem_submit_call(fixture.calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_collect_all(fixture.calls), UMEM_E_STALE_HANDLE);
    assert_string_equal(umem_last_error(fixture.client)->name, "stale_handle");
    end(&fixture);
}

static void test_pipeline(void **state)
{
    mix(state, UMEM_PIPELINE);
}

static void test_batch(void **state)
{
    mix(state, UMEM_BATCH);
}

/* Far more requests and answers than both sides' buffers hold, and none collected meanwhile: neither side may wait for the other. */
static void test_full_buffers(void **state)
{
    enum { CALLS = 10000, SIZE = 1000 };
    struct fixture fixture;
    char *bytes = calloc(CALLS, SIZE);
    char pattern[SIZE];

    assert_non_null(bytes);
    memset(pattern, 'x', SIZE);
    begin(&fixture, state, UMEM_PIPELINE, SIZE);
    assert_int_equal(umem_block_write(fixture.client, fixture.block, 0, pattern, SIZE), UMEM_OK);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(umem_submit_block_read(fixture.calls, fixture.block, 0, bytes + i * SIZE, SIZE),
                         UMEM_OK);
    assert_int_equal(umem_collect_all(fixture.calls), UMEM_OK);
    for (size_t i = 0; i < CALLS; i++)
        assert_memory_equal(bytes + i * SIZE, pattern, SIZE);
    end(&fixture);
    free(bytes);
}

/* Large payloads both ways, each straight from and to its memory. */
static void test_large_payloads(void **state)
{
    enum { PIECE = 1 << 20, PIECES = 12 };
    struct fixture fixture;
    char *bytes = malloc((size_t)PIECE * PIECES);
    char *back = malloc((size_t)PIECE * PIECES);

    assert_non_null(bytes);
    assert_non_null(back);
    for (size_t i = 0; i < (size_t)PIECE * PIECES; i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
    begin(&fixture, state, UMEM_PIPELINE, (uint64_t)PIECE * PIECES);
    for (size_t i = 0; i < PIECES; i++) {
        assert_int_equal(
            umem_submit_block_write(fixture.calls, fixture.block, i * PIECE, bytes + i * PIECE, PIECE),
            UMEM_OK);
        assert_int_equal(
            umem_submit_block_read(fixture.calls, fixture.block, i * PIECE, back + i * PIECE, PIECE),
            UMEM_OK);
    }
    assert_int_equal(umem_collect_all(fixture.calls), UMEM_OK);
    assert_memory_equal(bytes, back, (size_t)PIECE * PIECES);
    end(&fixture);
    free(bytes);
    free(back);
}

/* Calls that are not collected are cancelled, and the connection stays usable. */
static void test_not_collected(void **state)
{
    struct fixture fixture;
    char bytes[8];

    for (int kind = UMEM_PIPELINE; kind <= UMEM_BATCH; kind++) {
        begin(&fixture, state, (enum umem_calls_kind)kind, 8);
        for (int i = 0; i < 10; i++)
            assert_int_equal(umem_submit_block_read(fixture.calls, fixture.block, 0, bytes, 8), UMEM_OK);
        assert_int_equal(umem_calls_send(fixture.calls), UMEM_OK);
        umem_calls_free(fixture.calls);
        fixture.calls = umem_calls_new(fixture.client, (enum umem_calls_kind)kind);
        assert_int_equal(umem_submit_block_read(fixture.calls, fixture.block, 0, bytes, 8), UMEM_OK);
        end(&fixture);
    }
}

/* Raw bytes without a payload receiver are discarded; in a batch they would be among those of others, so that they are
 * not requested. */
static void test_raw_bytes_by_name(void **state)
{
    static const char *const forms[][2] = {{"{\"block\":", ",\"encoding\":\"raw\"}"},
                                           {"[", ",0,4,\"r\\u0061w\"]"}};
    struct fixture fixture;
    char params[96];
    char bytes[4];

    for (int kind = UMEM_PIPELINE; kind <= UMEM_BATCH; kind++) {
        int expected = kind == UMEM_BATCH ? UMEM_E_BAD_ARGUMENT : UMEM_OK;

        begin(&fixture, state, (enum umem_calls_kind)kind, 4);
        for (int i = 0; i < 2; i++) {
            snprintf(params, sizeof params, "%s%llu%s", forms[i][0], (unsigned long long)fixture.block,
                     forms[i][1]);
            assert_int_equal(umem_submit_call(fixture.calls, "block.read", params, NULL), expected);
        }
        assert_int_equal(umem_submit_block_read(fixture.calls, fixture.block, 0, bytes, 4), UMEM_OK);
        assert_int_equal(umem_collect_all(fixture.calls), UMEM_OK);
        end(&fixture);
    }
}

static void test_batch_over_its_limits(void **state)
{
    struct fixture fixture;
    char *bytes = calloc(1, 20 << 20);

    assert_non_null(bytes);
    begin(&fixture, state, UMEM_BATCH, 20 << 20);
    assert_int_equal(umem_submit_block_write(fixture.calls, fixture.block, 0, bytes, 20 << 20), UMEM_OK);
    assert_int_equal(umem_submit_block_fill(fixture.calls, fixture.block, 0, 1, 1), UMEM_OK);
    assert_true(umem_collect(fixture.calls) != UMEM_OK);
    umem_collect(fixture.calls);
    assert_int_equal(umem_server_ping(fixture.client), UMEM_OK);
    end(&fixture);
    free(bytes);
}

static void test_lost(void **state)
{
    struct daemon *daemon = *state;
    umem_client *client = daemon_connect(daemon);
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);

    for (int i = 0; i < 3; i++)
        assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    process_kill(&daemon->process);
    process_finish(&daemon->process);
    assert_int_equal(umem_collect_all(calls), UMEM_E_CONNECTION_LOST);
    assert_int_equal(umem_calls_count(calls), 0);
    daemon_start(daemon);
    assert_int_equal(umem_connect(client), UMEM_OK);
    assert_int_equal(umem_submit_call(calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_collect_all(calls), UMEM_OK);
    umem_calls_free(calls);
    umem_client_free(client);
}

static void test_nothing(void **state)
{
    (void)state;
    assert_int_equal(umem_submit_block_free(NULL, 1), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_collect(NULL), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_collect_all(NULL), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_calls_send(NULL), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_calls_count(NULL), 0);
    umem_calls_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pipeline, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_batch, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_full_buffers, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_large_payloads, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_not_collected, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_raw_bytes_by_name, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_batch_over_its_limits, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_lost, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
