/* Shared heaps on a program's own loop, against the real daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"
#include "uv_fixture.h"

static struct fixture {
    uv_loop_t loop;
    umem_uv *client;
    umem_handle heap;
    umem_handle block;
    umem_handle apart; /* a block that cannot be mapped */
    void *bytes;
    void *again;
    uint64_t size;
    uint8_t now;  /* what the wait gave */
    int ended;    /* calls whose callback was called */
    int awaiting; /* of these, the wait and the wake still to come, in either order */
} fixture;

static void expect(const struct umem_failure *failure, int code)
{
    expect_failure(failure, code);
    fixture.ended++;
}

static void on_ok(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)client;
    (void)context;
    expect(failure, UMEM_OK);
}

/* Memory that was mapped and not unmapped is unmapped with the client. */
static void on_last(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    if (--fixture.awaiting == 0)
        umem_uv_close(client, NULL, NULL);
}

static void on_unsupported(umem_uv *client, const struct umem_failure *failure, void *context)
{
    static const uint8_t nothing = 0;
    unsigned char *bytes = fixture.bytes;

    (void)context;
    expect(failure, UMEM_E_UNSUPPORTED);
    fixture.awaiting = 2;
    uv_ok(fixture.client, umem_submit_block_wait(umem_uv_call(client, on_last, NULL), fixture.block, 3,
                                                 UMEM_TYPE_U8, &nothing, UMEM_FOREVER, &fixture.now));
    bytes[3] = 5;
    uv_ok(fixture.client, umem_submit_block_wake(umem_uv_call(client, on_last, NULL), fixture.block, 3, 1));
}

static void on_mapped_again(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    assert_ptr_equal(fixture.again, fixture.bytes);
    assert_int_equal(fixture.size, 100);
    uv_ok(fixture.client, umem_uv_unmap(client, fixture.bytes));
    ((unsigned char *)fixture.bytes)[99] = 1; /* mapped once more than unmapped */
    fixture.again = NULL;
    uv_ok(fixture.client, umem_uv_map(client, fixture.apart, &fixture.again, NULL, on_unsupported, NULL));
}

static void on_mapped(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    assert_int_equal(umem_uv_unmap(client, NULL), UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_uv_last_error(client)->name, "bad_argument");
    uv_ok(fixture.client,
          umem_uv_map(client, fixture.block, &fixture.again, &fixture.size, on_mapped_again, NULL));
}

static void on_alloc(umem_uv *client, const struct umem_failure *failure, void *context)
{
    (void)context;
    expect(failure, UMEM_OK);
    assert_int_equal(umem_uv_map(client, 0, &fixture.bytes, NULL, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_uv_map(client, fixture.block, NULL, NULL, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_uv_watch(client, NULL, NULL, NULL, NULL, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    uv_ok(fixture.client,
          umem_submit_block_alloc(umem_uv_call(client, on_ok, NULL), 8, NULL, &fixture.apart));
    uv_ok(fixture.client, umem_uv_map(client, fixture.block, &fixture.bytes, NULL, on_mapped, NULL));
}

static void on_heap(umem_uv *client, const struct umem_failure *failure, void *context)
{
    const struct umem_block_options options = {.heap = fixture.heap};

    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_block_alloc(umem_uv_call(client, on_alloc, NULL), 100, &options, &fixture.block));
}

static void on_connected(umem_uv *client, const struct umem_failure *failure, void *context)
{
    const struct umem_heap_options options = {.maximum_size = 65536, .kind = UMEM_HEAP_SHARED};

    (void)context;
    expect(failure, UMEM_OK);
    uv_ok(fixture.client,
          umem_submit_heap_create(umem_uv_call(client, on_heap, NULL), &options, &fixture.heap));
}

static void test_mapping_and_waking(void **state)
{
    struct umem_uv_options options = {.pipe = ((struct daemon *)*state)->pipe};

    memset(&fixture, 0, sizeof fixture);
    assert_int_equal(uv_loop_init(&fixture.loop), 0);
    fixture.client = umem_uv_new(&fixture.loop, &options);
    assert_non_null(fixture.client);
    assert_int_equal(umem_uv_map(fixture.client, 1, &fixture.bytes, NULL, NULL, NULL), UMEM_E_NOT_CONNECTED);
    uv_ok(fixture.client, umem_uv_connect(fixture.client, on_connected, NULL));
    uv_run(&fixture.loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture.ended, 9);
    assert_int_equal(fixture.now, 5);
    assert_null(fixture.again);
    assert_int_equal(uv_loop_close(&fixture.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mapping_and_waking, daemon_setup, daemon_teardown),
    };

    pipe_may_break();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
