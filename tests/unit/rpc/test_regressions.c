/* What random requests found: which locks matter, which watches are notified of a raw write that fails, how
 * handles are reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "umem_errors.h"

#define ULL unsigned long long

/* A handle is an integer in every answer, those that end in zeros and are long, too. */
static void test_a_bad_handle_is_reported_as_an_integer(void **state)
{
    struct fixture *fixture = *state;
    static const char message[] = "{\"method\":\"block.info\",\"params\":[1012422844350470]}";
    char *text = fixture_text(&fixture->session, message, sizeof message - 1);

    assert_non_null(strstr(text, "\"handle\":1012422844350470}"));
    free(text);
}

/* Without the parameter "heap" the heap is that of the block: a lock on the process heap does not matter. */
static void test_validating_a_block_takes_no_notice_of_other_heaps_locks(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t heap = new_heap(session, "{}");
    char params[64];
    uint64_t block;

    snprintf(params, sizeof params, "[10,%llu]", (ULL)heap);
    block = new_block(session, params);
    expect_result(&fixture->other, "{\"method\":\"heap.lock\",\"params\":[\"process\"]}");
    expect_result(session, "{\"method\":\"heap.validate\",\"params\":{\"block\":%llu}}", (ULL)block);
    expect_error(session, UMEM_E_LOCKED, "{\"method\":\"heap.validate\"}");
    expect_error(session, UMEM_E_LOCKED, "{\"method\":\"heap.validate\",\"params\":[\"process\",%llu]}",
                 (ULL)block);
    expect_result(&fixture->other, "{\"method\":\"heap.lock\",\"params\":[%llu]}", (ULL)heap);
    expect_error(session, UMEM_E_LOCKED, "{\"method\":\"heap.validate\",\"params\":{\"block\":%llu}}",
                 (ULL)block);
}

static void put_piece(struct um_session *session, size_t size)
{
    size_t capacity = 0;
    char *space = um_payload_reserve(session, &capacity);

    assert_true(size <= capacity);
    memset(space, 1, size);
    um_payload_commit(session, size);
}

/* A raw write is locked out after its first piece: the holder of the lock is notified of that piece now, not with the
 * remaining bytes, which are discarded. */
static void test_a_raw_write_to_a_locked_heap_fails_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    uint64_t block = new_block(session, "[16]");
    char message[128];
    int size =
        snprintf(message, sizeof message,
                 "{\"method\":\"block.write\",\"params\":{\"block\":%llu,\"encoding\":\"raw\"}}", (ULL)block);

    um_dispatch_message(&fixture->other, message, (size_t)size, 16);
    assert_null(call(session, "{\"id\":1,\"method\":\"block.wait\",\"params\":[%llu,0,0]}", (ULL)block));
    put_piece(&fixture->other, 8);
    assert_true(um_session_is_waiting(session));
    expect_result(session, "{\"method\":\"heap.lock\",\"params\":[\"process\"]}");
    assert_true(um_session_is_waiting(session));
    put_piece(&fixture->other, 1);
    assert_false(um_session_is_waiting(session));
    put_piece(&fixture->other, 7);
    um_buf_truncate(&fixture->other.out, 0);
    um_buf_truncate(&session->out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_bad_handle_is_reported_as_an_integer, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_validating_a_block_takes_no_notice_of_other_heaps_locks,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_raw_write_to_a_locked_heap_fails_at_once, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}
