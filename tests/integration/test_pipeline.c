/* Pipelines and batches of the client library, against the real daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon.h"

struct scene {
    umem_client *client;
    umem_calls *calls;
    umem_handle block;
};

static void begin(struct scene *scene, void **state, enum umem_calls_kind kind, uint64_t size)
{
    scene->client = daemon_connect(*state);
    scene->calls = umem_calls_new(scene->client, kind);
    assert_non_null(scene->calls);
    assert_int_equal(umem_block_alloc(scene->client, size, NULL, &scene->block), UMEM_OK);
}

static void end(struct scene *scene)
{
    umem_calls_free(scene->calls);
    assert_int_equal(umem_block_free(scene->client, scene->block), UMEM_OK);
    umem_client_free(scene->client);
}

static void collected(struct scene *scene, int expected)
{
    int code = umem_collect(scene->calls);

    if (code != expected)
        print_error("%s\n", umem_last_error(scene->client)->message);
    assert_int_equal(code, expected);
    assert_int_equal(umem_last_error(scene->client)->code, expected);
}

/* The same calls, in either way, give the same. */
static void mix(void **state, enum umem_calls_kind kind)
{
    struct scene scene;
    int32_t numbers[] = {1, -2, 3};
    int32_t back[3] = {0};
    char text[6] = "";
    char beyond[2] = "";
    char *result = NULL;
    umem_handle other = 0;

    begin(&scene, state, kind, 32);
    assert_int_equal(umem_submit_block_write(scene.calls, scene.block, 0, "hello", 5), UMEM_OK);
    assert_int_equal(umem_submit_block_copy(scene.calls, scene.block, 0, scene.block, 8, 5), UMEM_OK);
    assert_int_equal(umem_submit_block_read(scene.calls, scene.block, 8, text, 5), UMEM_OK);
    assert_int_equal(umem_submit_block_read(scene.calls, scene.block, 31, beyond, 2), UMEM_OK);
    assert_int_equal(umem_submit_block_set(scene.calls, scene.block, 16, UMEM_TYPE_I32, numbers, 3), UMEM_OK);
    assert_int_equal(umem_submit_block_get(scene.calls, scene.block, 16, UMEM_TYPE_I32, back, 3), UMEM_OK);
    assert_int_equal(umem_submit_block_alloc(scene.calls, 4, NULL, &other), UMEM_OK);
    assert_int_equal(umem_submit_call(scene.calls, "server.ping", "{}", &result), UMEM_OK);
    assert_int_equal(umem_submit_call(scene.calls, "no.such", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_submit_block_free(scene.calls, 0), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_calls_count(scene.calls), 9);
    assert_int_equal(umem_calls_send(scene.calls), UMEM_OK);
    /* Other calls of the client go on meanwhile. */
    assert_int_equal(umem_server_ping(scene.client), UMEM_OK);
    collected(&scene, UMEM_OK);
    collected(&scene, UMEM_OK);
    collected(&scene, UMEM_OK);
    assert_string_equal(text, "hello");
    collected(&scene, UMEM_E_OUT_OF_RANGE);
    assert_string_equal(beyond, "");
    collected(&scene, UMEM_OK);
    collected(&scene, UMEM_OK);
    assert_memory_equal(back, numbers, sizeof back);
    collected(&scene, UMEM_OK);
    collected(&scene, UMEM_OK);
    assert_string_equal(result, "{}");
    umem_free_text(result);
    collected(&scene, UMEM_E_METHOD_NOT_FOUND);
    assert_int_equal(umem_collect(scene.calls), UMEM_E_BAD_ARGUMENT);
    /* And it can be used again. */
    assert_int_equal(umem_submit_block_free(scene.calls, other), UMEM_OK);
    assert_int_equal(umem_submit_block_free(scene.calls, other), UMEM_OK);
    assert_int_equal(umem_submit_call(scene.calls, "server.ping", NULL, NULL), UMEM_OK);
    assert_int_equal(umem_collect_all(scene.calls), UMEM_E_STALE_HANDLE);
    assert_string_equal(umem_last_error(scene.client)->name, "stale_handle");
    end(&scene);
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
    struct scene scene;
    char *bytes = calloc(CALLS, SIZE);
    char pattern[SIZE];

    assert_non_null(bytes);
    memset(pattern, 'x', SIZE);
    begin(&scene, state, UMEM_PIPELINE, SIZE);
    assert_int_equal(umem_block_write(scene.client, scene.block, 0, pattern, SIZE), UMEM_OK);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(umem_submit_block_read(scene.calls, scene.block, 0, bytes + i * SIZE, SIZE),
                         UMEM_OK);
    assert_int_equal(umem_collect_all(scene.calls), UMEM_OK);
    for (size_t i = 0; i < CALLS; i++)
        assert_memory_equal(bytes + i * SIZE, pattern, SIZE);
    end(&scene);
    free(bytes);
}

/* Large payloads both ways, each straight from and to its memory. */
static void test_large_payloads(void **state)
{
    enum { PIECE = 1 << 20, PIECES = 12 };
    struct scene scene;
    char *bytes = malloc((size_t)PIECE * PIECES);
    char *back = malloc((size_t)PIECE * PIECES);

    assert_non_null(bytes);
    assert_non_null(back);
    for (size_t i = 0; i < (size_t)PIECE * PIECES; i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
    begin(&scene, state, UMEM_PIPELINE, (uint64_t)PIECE * PIECES);
    for (size_t i = 0; i < PIECES; i++) {
        assert_int_equal(
            umem_submit_block_write(scene.calls, scene.block, i * PIECE, bytes + i * PIECE, PIECE), UMEM_OK);
        assert_int_equal(umem_submit_block_read(scene.calls, scene.block, i * PIECE, back + i * PIECE, PIECE),
                         UMEM_OK);
    }
    assert_int_equal(umem_collect_all(scene.calls), UMEM_OK);
    assert_memory_equal(bytes, back, (size_t)PIECE * PIECES);
    end(&scene);
    free(bytes);
    free(back);
}

/* What is not collected is taken back, and the connection goes on. */
static void test_not_collected(void **state)
{
    struct scene scene;
    char bytes[8];

    for (int kind = UMEM_PIPELINE; kind <= UMEM_BATCH; kind++) {
        begin(&scene, state, (enum umem_calls_kind)kind, 8);
        for (int i = 0; i < 10; i++)
            assert_int_equal(umem_submit_block_read(scene.calls, scene.block, 0, bytes, 8), UMEM_OK);
        assert_int_equal(umem_calls_send(scene.calls), UMEM_OK);
        umem_calls_free(scene.calls);
        scene.calls = umem_calls_new(scene.client, (enum umem_calls_kind)kind);
        assert_int_equal(umem_submit_block_read(scene.calls, scene.block, 0, bytes, 8), UMEM_OK);
        end(&scene);
    }
}

/* Raw bytes that nobody gave room for are passed over; in a batch they stand among those of others, so that they are not asked for. */
static void test_raw_bytes_by_name(void **state)
{
    static const char *const forms[][2] = {{"{\"block\":", ",\"encoding\":\"raw\"}"},
                                           {"[", ",0,4,\"r\\u0061w\"]"}};
    struct scene scene;
    char params[96];
    char bytes[4];

    for (int kind = UMEM_PIPELINE; kind <= UMEM_BATCH; kind++) {
        int expected = kind == UMEM_BATCH ? UMEM_E_BAD_ARGUMENT : UMEM_OK;

        begin(&scene, state, (enum umem_calls_kind)kind, 4);
        for (int i = 0; i < 2; i++) {
            snprintf(params, sizeof params, "%s%llu%s", forms[i][0], (unsigned long long)scene.block,
                     forms[i][1]);
            assert_int_equal(umem_submit_call(scene.calls, "block.read", params, NULL), expected);
        }
        assert_int_equal(umem_submit_block_read(scene.calls, scene.block, 0, bytes, 4), UMEM_OK);
        assert_int_equal(umem_collect_all(scene.calls), UMEM_OK);
        end(&scene);
    }
}

static void test_batch_over_its_limits(void **state)
{
    struct scene scene;
    char *bytes = calloc(1, 20 << 20);

    assert_non_null(bytes);
    begin(&scene, state, UMEM_BATCH, 20 << 20);
    assert_int_equal(umem_submit_block_write(scene.calls, scene.block, 0, bytes, 20 << 20), UMEM_OK);
    assert_int_equal(umem_submit_block_fill(scene.calls, scene.block, 0, 1, 1), UMEM_OK);
    assert_true(umem_collect(scene.calls) != UMEM_OK);
    umem_collect(scene.calls);
    assert_int_equal(umem_server_ping(scene.client), UMEM_OK);
    end(&scene);
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
