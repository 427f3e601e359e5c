/* The bytes of blocks. They travel as raw payloads; numbers do too, in the order that the protocol has them. */
#include "lib/request/number.h"
#include "lib/request/requests.h"

static void begin(struct um_request *request, const char *method, umem_handle block, uint64_t offset)
{
    um_request_begin(request, method);
    um_param_handle(request, "block", block);
    um_param_size(request, "offset", offset);
}

static void check_end(struct um_request *request, uint64_t offset, size_t size)
{
    if (offset <= UMEM_SIZE_MAX && size > UMEM_SIZE_MAX - offset)
        um_request_refuse(request, "offset + size is past 2^53 - 1");
}

void um_request_block_read(struct um_request *request, umem_handle block, uint64_t offset, void *bytes,
                           size_t size)
{
    begin(request, "block.read", block, offset);
    check_end(request, offset, size);
    um_param_into(request, bytes, size);
}

void um_request_block_write(struct um_request *request, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size)
{
    begin(request, "block.write", block, offset);
    check_end(request, offset, size);
    um_param_payload(request, bytes, size);
}

/* Whether there is such a type, and so many numbers fit into any block. */
static bool check_numbers(struct um_request *request, uint64_t offset, enum umem_type type, size_t count)
{
    size_t size = umem_type_size(type);

    if (size == 0)
        um_request_refuse(request, "there is no type %d", (int)type);
    else if (count > SIZE_MAX / size)
        um_request_refuse(request, "count: %zu numbers are more than memory holds", count);
    else
        check_end(request, offset, count * size);
    return request->code == UMEM_OK;
}

void um_request_block_get(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count)
{
    begin(request, "block.read", block, offset);
    if (check_numbers(request, offset, type, count))
        um_param_into_numbers(request, type, values, count);
}

void um_request_block_set(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count)
{
    begin(request, "block.write", block, offset);
    if (check_numbers(request, offset, type, count))
        um_param_payload_numbers(request, type, values, count);
}

/* ---- within the daemon ---- */

void um_request_block_fill(struct um_request *request, umem_handle block, uint64_t offset, uint8_t value,
                           uint64_t size)
{
    begin(request, "block.fill", block, offset);
    um_param_size_unless(request, "size", size, UMEM_TO_END);
    um_param_size(request, "value", value);
}

void um_request_block_copy(struct um_request *request, umem_handle source, uint64_t source_offset,
                           umem_handle target, uint64_t target_offset, uint64_t size)
{
    um_request_begin(request, "block.copy");
    um_param_handle(request, "source", source);
    um_param_handle(request, "target", target);
    um_param_size(request, "source_offset", source_offset);
    um_param_size(request, "target_offset", target_offset);
    um_param_size_unless(request, "size", size, UMEM_TO_END);
}

void um_request_block_compare(struct um_request *request, umem_handle left, uint64_t left_offset,
                              umem_handle right, uint64_t right_offset, uint64_t size, uint64_t *difference)
{
    um_request_begin(request, "block.compare");
    um_param_handle(request, "left", left);
    um_param_handle(request, "right", right);
    um_param_size(request, "left_offset", left_offset);
    um_param_size(request, "right_offset", right_offset);
    um_param_size_unless(request, "size", size, UMEM_TO_END);
    um_output_offset(request, "offset", difference);
}

void um_request_block_find(struct um_request *request, umem_handle block, uint64_t offset, const void *bytes,
                           size_t size, uint64_t *found)
{
    begin(request, "block.find", block, offset);
    um_param_bytes(request, "data", bytes, size);
    um_output_offset(request, "offset", found);
}

/* ---- one number ---- */

void um_request_block_add(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *value, void *before, void *after)
{
    begin(request, "block.add", block, offset);
    um_param_type(request, type);
    um_param_value(request, "value", type, value);
    um_output_value(request, "old", type, before);
    um_output_value(request, "new", type, after);
}

void um_request_block_exchange(struct um_request *request, umem_handle block, uint64_t offset,
                               enum umem_type type, const void *value, const void *expected, void *before,
                               bool *exchanged)
{
    begin(request, "block.exchange", block, offset);
    um_param_type(request, type);
    um_param_value(request, "value", type, value);
    if (expected != NULL)
        um_param_value(request, "expected", type, expected);
    um_output_value(request, "old", type, before);
    um_output_bool(request, "exchanged", exchanged);
}

void um_request_block_wait(struct um_request *request, umem_handle block, uint64_t offset,
                           enum umem_type type, const void *value, uint32_t timeout_ms, void *now)
{
    begin(request, "block.wait", block, offset);
    um_param_type(request, type);
    um_param_value(request, "value", type, value);
    um_param_timeout(request, timeout_ms);
    request->waits = true;
    um_output_value(request, "value", type, now);
}
