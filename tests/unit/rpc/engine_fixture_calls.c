/* Calls that many tests make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "umem_errors.h"

unsigned char *block_bytes(const struct fixture *fixture, uint64_t handle)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(fixture->store, handle, &block, NULL), UMEM_OK);
    return um_block_bytes(block);
}

uint64_t new_block(struct um_session *session, const char *params)
{
    return uint_of(expect_result(session, "{\"method\":\"block.alloc\",\"params\":%s}", params), "block");
}

uint64_t new_heap(struct um_session *session, const char *params)
{
    return uint_of(expect_result(session, "{\"method\":\"heap.create\",\"params\":%s}", params), "heap");
}

void read_hex(struct um_session *session, uint64_t block, uint64_t offset, uint64_t size, const char *hex)
{
    assert_string_equal(
        string_of(expect_result(session, "{\"method\":\"block.read\",\"params\":[%llu,%llu,%llu,\"hex\"]}",
                                (unsigned long long)block, (unsigned long long)offset,
                                (unsigned long long)size),
                  "data"),
        hex);
}

void begin_wait(struct um_session *session, const char *params)
{
    send_message(session, MESSAGE_OF("7", "block.wait", "%s"), params);
    expect_no_message(session);
    assert_true(um_session_is_waiting(session));
    assert_true(um_session_is_ready(session));
}

void take_value(struct um_session *session, const char *value)
{
    const cJSON *answer = take(session);

    assert_int_equal(uint_of(answer, "id"), 7);
    assert_string_equal(cJSON_PrintUnformatted(member(member(answer, "result"), "value")), value);
    assert_false(um_session_is_waiting(session));
}

uint64_t new_watch(struct um_session *session, const char *params)
{
    return uint_of(expect_result(session, MESSAGE("session.watch", "%s"), params), "watch");
}

void expect_changed(struct um_session *session, uint64_t watch, uint64_t block, uint64_t offset,
                    uint64_t size)
{
    const cJSON *params = take_notification(session, "block.changed");

    assert_int_equal(uint_of(params, "watch"), watch);
    assert_int_equal(uint_of(params, "block"), block);
    assert_int_equal(uint_of(params, "offset"), offset);
    assert_int_equal(uint_of(params, "size"), size);
}
