/* Calls that many tests make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>
#include <cmocka.h>

#include "fixture.h"
#include "umem_errors.h"

unsigned char *block_bytes(const struct fixture *fixture, uint64_t handle)
{
    struct um_block *block = NULL;

    assert_int_equal(um_store_find_block(fixture->store, handle, &block, NULL), UMEM_OK);
    return um_block_bytes(block);
}

uint64_t new_block(struct um_peer *peer, const char *params)
{
    return uint_of(expect_result(peer, "{\"method\":\"block.alloc\",\"params\":%s}", params), "block");
}

uint64_t new_heap(struct um_peer *peer, const char *params)
{
    return uint_of(expect_result(peer, "{\"method\":\"heap.create\",\"params\":%s}", params), "heap");
}

void read_hex(struct um_peer *peer, uint64_t block, uint64_t offset, uint64_t size, const char *hex)
{
    assert_string_equal(
        string_of(expect_result(peer, "{\"method\":\"block.read\",\"params\":[%llu,%llu,%llu,\"hex\"]}",
                                (unsigned long long)block, (unsigned long long)offset,
                                (unsigned long long)size),
                  "data"),
        hex);
}

void begin_wait(struct um_peer *peer, const char *params)
{
    tell(peer, MESSAGE_OF("7", "block.wait", "%s"), params);
    expect_silence(peer);
    assert_true(um_peer_is_waiting(peer));
    assert_true(um_peer_is_ready(peer));
}

void take_value(struct um_peer *peer, const char *value)
{
    const cJSON *answer = take(peer);

    assert_int_equal(uint_of(answer, "id"), 7);
    assert_string_equal(cJSON_PrintUnformatted(member(member(answer, "result"), "value")), value);
    assert_false(um_peer_is_waiting(peer));
}

uint64_t new_watch(struct um_peer *peer, const char *params)
{
    return uint_of(expect_result(peer, MESSAGE("session.watch", "%s"), params), "watch");
}

void expect_changed(struct um_peer *peer, uint64_t watch, uint64_t block, uint64_t offset, uint64_t size)
{
    const cJSON *params = take_notification(peer, "block.changed");

    assert_int_equal(uint_of(params, "watch"), watch);
    assert_int_equal(uint_of(params, "block"), block);
    assert_int_equal(uint_of(params, "offset"), offset);
    assert_int_equal(uint_of(params, "size"), size);
}
