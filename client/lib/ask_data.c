/* The bytes of blocks. They travel as raw payloads; numbers do too, in the order that the protocol has them. */
#include "asks.h"
#include "number.h"

static void begin(struct um_ask *ask, const char *method, umem_handle block, uint64_t offset)
{
    um_ask_begin(ask, method);
    um_param_handle(ask, "block", block);
    um_param_size(ask, "offset", offset);
}

static void check_end(struct um_ask *ask, uint64_t offset, size_t size)
{
    if (offset <= UMEM_SIZE_MAX && size > UMEM_SIZE_MAX - offset)
        um_ask_refuse(ask, "offset + size is past 2^53 - 1");
}

void um_ask_block_read(struct um_ask *ask, umem_handle block, uint64_t offset, void *bytes, size_t size)
{
    begin(ask, "block.read", block, offset);
    check_end(ask, offset, size);
    um_param_into(ask, bytes, size);
}

void um_ask_block_write(struct um_ask *ask, umem_handle block, uint64_t offset, const void *bytes,
                        size_t size)
{
    begin(ask, "block.write", block, offset);
    check_end(ask, offset, size);
    um_param_payload(ask, bytes, size);
}

/* Whether there is such a type, and so many numbers fit into any block. */
static bool check_numbers(struct um_ask *ask, uint64_t offset, enum umem_type type, size_t count)
{
    size_t size = umem_type_size(type);

    if (size == 0)
        um_ask_refuse(ask, "there is no type %d", (int)type);
    else if (count > SIZE_MAX / size)
        um_ask_refuse(ask, "count: %zu numbers are more than memory has room for", count);
    else
        check_end(ask, offset, count * size);
    return ask->code == UMEM_OK;
}

void um_ask_block_get(struct um_ask *ask, umem_handle block, uint64_t offset, enum umem_type type,
                      void *values, size_t count)
{
    begin(ask, "block.read", block, offset);
    if (check_numbers(ask, offset, type, count))
        um_param_into_numbers(ask, type, values, count);
}

void um_ask_block_set(struct um_ask *ask, umem_handle block, uint64_t offset, enum umem_type type,
                      const void *values, size_t count)
{
    begin(ask, "block.write", block, offset);
    if (check_numbers(ask, offset, type, count))
        um_param_payload_numbers(ask, type, values, count);
}

/* ---- within the daemon ---- */

void um_ask_block_fill(struct um_ask *ask, umem_handle block, uint64_t offset, uint8_t value, uint64_t size)
{
    begin(ask, "block.fill", block, offset);
    um_param_size_unless(ask, "size", size, UMEM_TO_END);
    um_param_size(ask, "value", value);
}

void um_ask_block_copy(struct um_ask *ask, umem_handle source, uint64_t source_offset, umem_handle target,
                       uint64_t target_offset, uint64_t size)
{
    um_ask_begin(ask, "block.copy");
    um_param_handle(ask, "source", source);
    um_param_handle(ask, "target", target);
    um_param_size(ask, "source_offset", source_offset);
    um_param_size(ask, "target_offset", target_offset);
    um_param_size_unless(ask, "size", size, UMEM_TO_END);
}

void um_ask_block_compare(struct um_ask *ask, umem_handle left, uint64_t left_offset, umem_handle right,
                          uint64_t right_offset, uint64_t size, uint64_t *difference)
{
    um_ask_begin(ask, "block.compare");
    um_param_handle(ask, "left", left);
    um_param_handle(ask, "right", right);
    um_param_size(ask, "left_offset", left_offset);
    um_param_size(ask, "right_offset", right_offset);
    um_param_size_unless(ask, "size", size, UMEM_TO_END);
    um_want_offset(ask, "offset", difference);
}

void um_ask_block_find(struct um_ask *ask, umem_handle block, uint64_t offset, const void *bytes, size_t size,
                       uint64_t *found)
{
    begin(ask, "block.find", block, offset);
    um_param_bytes(ask, "data", bytes, size);
    um_want_offset(ask, "offset", found);
}

/* ---- one number ---- */

void um_ask_block_add(struct um_ask *ask, umem_handle block, uint64_t offset, enum umem_type type,
                      const void *value, void *before, void *after)
{
    begin(ask, "block.add", block, offset);
    um_param_type(ask, type);
    um_param_value(ask, "value", type, value);
    um_want_value(ask, "old", type, before);
    um_want_value(ask, "new", type, after);
}

void um_ask_block_exchange(struct um_ask *ask, umem_handle block, uint64_t offset, enum umem_type type,
                           const void *value, const void *expected, void *before, bool *exchanged)
{
    begin(ask, "block.exchange", block, offset);
    um_param_type(ask, type);
    um_param_value(ask, "value", type, value);
    if (expected != NULL)
        um_param_value(ask, "expected", type, expected);
    um_want_value(ask, "old", type, before);
    um_want_bool(ask, "exchanged", exchanged);
}

void um_ask_block_wait(struct um_ask *ask, umem_handle block, uint64_t offset, enum umem_type type,
                       const void *value, uint32_t timeout_ms, void *now)
{
    begin(ask, "block.wait", block, offset);
    um_param_type(ask, type);
    um_param_value(ask, "value", type, value);
    um_param_timeout(ask, timeout_ms);
    ask->waits = true;
    um_want_value(ask, "value", type, now);
}
