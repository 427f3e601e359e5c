/*
 * The bytes of blocks: their requests, and the blocking calls, which cut what is large into pieces. Two
 * pieces are under way at any time. Bytes travel as raw payloads, and numbers do, too, in the order that the
 * protocol has them.
 */
#include "lib/connection/client.h"
#include "lib/request/number.h"
#include "lib/request/requests.h"

/* ---- requests ---- */

/* Begins a request for a range of bytes, which ends where a block can. */
static void begin_range(struct um_request *request, const char *method, umem_handle block, uint64_t offset,
                        size_t size)
{
    um_request_begin(request, method);
    um_param_handle(request, "block", block);
    um_param_size(request, "offset", offset);
    if (offset <= UMEM_SIZE_MAX && size > UMEM_SIZE_MAX - offset)
        um_request_refuse(request, "offset + size is past 2^53 - 1");
}

/* The same for numbers. Returns whether there is such a type, and so many of them fit into any block. */
static bool begin_numbers(struct um_request *request, const char *method, umem_handle block, uint64_t offset,
                          enum umem_type type, size_t count)
{
    size_t size = umem_type_size(type);

    if (size != 0 && count <= SIZE_MAX / size) {
        begin_range(request, method, block, offset, count * size);
        return request->code == UMEM_OK;
    }
    begin_range(request, method, block, offset, 0);
    if (size == 0)
        um_request_refuse(request, "there is no type %d", (int)type);
    else
        um_request_refuse(request, "count: %zu numbers are more than memory holds", count);
    return false;
}

void um_request_block_read(struct um_request *request, umem_handle block, uint64_t offset, void *bytes,
                           size_t size)
{
    begin_range(request, "block.read", block, offset, size);
    um_param_into(request, bytes, size);
}

void um_request_block_write(struct um_request *request, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size)
{
    begin_range(request, "block.write", block, offset, size);
    um_param_payload(request, bytes, size);
}

void um_request_block_get(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count)
{
    if (begin_numbers(request, "block.read", block, offset, type, count))
        um_param_into_numbers(request, type, values, count);
}

void um_request_block_set(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count)
{
    if (begin_numbers(request, "block.write", block, offset, type, count))
        um_param_payload_numbers(request, type, values, count);
}

/* ---- pieces ---- */

/* A range of a block, here and there, and how it is cut. */
struct range {
    umem_handle block;
    uint64_t offset; /* bytes */
    enum umem_type type;
    size_t unit;       /* bytes of one number */
    size_t count;      /* numbers */
    size_t piece_size; /* bytes in every piece but the last */
    const char *from;  /* what is written; NULL: it is read */
    char *into;        /* where it is read to */
};

/* Makes the request for one piece: `size` bytes from `begin` on. */
static void ask_piece(const struct range *range, struct um_request *request, size_t begin, size_t size)
{
    if (range->from != NULL)
        um_request_block_set(request, range->block, range->offset + begin, range->type, range->from + begin,
                             size / range->unit);
    else
        um_request_block_get(request, range->block, range->offset + begin, range->type, range->into + begin,
                             size / range->unit);
}

/* Waits for a piece, unless there has been a failure: then its own is of no interest. */
static int end_piece(umem_client *client, struct um_request *request, int code, uint64_t deadline_ms)
{
    um_client_wait(client, request, deadline_ms);
    if (code == UMEM_OK)
        return um_client_report(client, request);
    um_request_deinit(request);
    return code;
}

/* Moves the pieces from byte `begin` to byte `end`, where two pieces meet. */
static int move_between(umem_client *client, const struct range *range, size_t begin, size_t end,
                        uint64_t deadline_ms)
{
    struct um_request requests[2];
    unsigned sent = 0;
    unsigned ended = 0;
    int code = UMEM_OK;

    while ((begin < end && code == UMEM_OK) || ended < sent) {
        if (begin < end && code == UMEM_OK && sent - ended < 2) {
            struct um_request *request = &requests[sent++ % 2];
            size_t size = end - begin < range->piece_size ? end - begin : range->piece_size;

            ask_piece(range, request, begin, size);
            if (request->text.failed)
                um_request_fail(request, UMEM_E_OUT_OF_MEMORY, NULL);
            if (request->code == UMEM_OK)
                um_client_send(client, request, deadline_ms);
            else
                um_request_finish(request);
            begin += size;
        } else {
            code = end_piece(client, &requests[ended++ % 2], code, deadline_ms);
        }
    }
    return code;
}

/* What fits one piece, or no block. */
static int move_whole(umem_client *client, const struct range *range)
{
    struct um_request request;

    if (range->from != NULL)
        um_request_block_set(&request, range->block, range->offset, range->type, range->from, range->count);
    else
        um_request_block_get(&request, range->block, range->offset, range->type, range->into, range->count);
    return um_client_call(client, &request);
}

/* The last piece is sent first: if it lies within the block, all do. So a range that does not fit changes
 * nothing. */
static int move(umem_client *client, struct range *range)
{
    uint64_t deadline_ms;
    size_t size;
    size_t last;
    int code = UMEM_OK;

    range->unit = umem_type_size(range->type);
    /* What cannot be is refused where its request is made. */
    if (client == NULL || range->unit == 0 || range->count > SIZE_MAX / range->unit ||
        range->count * range->unit <= UM_PAYLOAD_MINIMUM ||
        range->count * range->unit > UMEM_SIZE_MAX - range->offset)
        return move_whole(client, range);
    size = range->count * range->unit;
    deadline_ms = um_client_deadline(client, 0);
    range->piece_size = um_client_piece_size(client, size, &code);
    if (code != UMEM_OK)
        return code;
    if (size <= range->piece_size)
        return move_whole(client, range);
    last = (size - 1) / range->piece_size * range->piece_size;
    code = move_between(client, range, last, size, deadline_ms);
    if (code == UMEM_OK)
        code = move_between(client, range, 0, last, deadline_ms);
    return code;
}

/* ---- calls ---- */

int umem_block_read(umem_client *client, umem_handle block, uint64_t offset, void *bytes, size_t size)
{
    struct range range = {
        .block = block, .offset = offset, .type = UMEM_TYPE_U8, .count = size, .into = bytes};
    struct um_request request;

    if (size > UM_PAYLOAD_MINIMUM)
        return move(client, &range);
    um_request_block_read(&request, block, offset, bytes, size);
    return um_client_call(client, &request);
}

int umem_block_write(umem_client *client, umem_handle block, uint64_t offset, const void *bytes, size_t size)
{
    struct range range = {.block = block,
                          .offset = offset,
                          .type = UMEM_TYPE_U8,
                          .count = size,
                          .from = bytes != NULL ? bytes : ""};
    struct um_request request;

    if (size > UM_PAYLOAD_MINIMUM)
        return move(client, &range);
    um_request_block_write(&request, block, offset, range.from, size);
    return um_client_call(client, &request);
}

int umem_block_get(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type, void *values,
                   size_t count)
{
    struct range range = {.block = block, .offset = offset, .type = type, .count = count, .into = values};

    return move(client, &range);
}

int umem_block_set(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                   const void *values, size_t count)
{
    struct range range = {
        .block = block, .offset = offset, .type = type, .count = count, .from = values != NULL ? values : ""};

    return move(client, &range);
}
