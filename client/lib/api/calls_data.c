/* Blocking calls that read and write the bytes of blocks. What is large is cut into pieces, of which two are under way at any time. */
#include <stdlib.h>

#include "lib/connection/client.h"
#include "lib/request/requests.h"

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
    if (range->block > UMEM_SIZE_MAX) {
        /* A name: its block may be replaced between two pieces. */
        struct um_request request;

        um_request_begin(&request, "block.info");
        um_param_handle(&request, "block", range->block);
        um_output_uint(&request, "block", &range->block);
        code = um_client_call(client, &request);
        if (code != UMEM_OK)
            return code;
    }
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

    if (size > UM_PAYLOAD_MINIMUM && bytes != NULL)
        return move(client, &range);
    um_request_block_read(&request, block, offset, bytes, size);
    return um_client_call(client, &request);
}

int umem_block_write(umem_client *client, umem_handle block, uint64_t offset, const void *bytes, size_t size)
{
    struct range range = {
        .block = block, .offset = offset, .type = UMEM_TYPE_U8, .count = size, .from = bytes};
    struct um_request request;

    if (size > UM_PAYLOAD_MINIMUM && bytes != NULL)
        return move(client, &range);
    um_request_block_write(&request, block, offset, bytes, size);
    return um_client_call(client, &request);
}

int umem_block_get(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type, void *values,
                   size_t count)
{
    struct range range = {.block = block, .offset = offset, .type = type, .count = count, .into = values};

    return values != NULL ? move(client, &range) : move_whole(client, &range);
}

int umem_block_set(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                   const void *values, size_t count)
{
    struct range range = {.block = block, .offset = offset, .type = type, .count = count, .from = values};
    struct um_request request;

    if (values != NULL)
        return move(client, &range);
    um_request_block_set(&request, block, offset, type, NULL, count);
    return um_client_call(client, &request);
}

/* ---- put and get ---- */

/* Frees a block after a failure, which stays the last error. */
static void free_quietly(umem_client *client, umem_handle block)
{
    uint64_t deadline_ms = um_client_deadline(client, 0);
    struct um_request request;

    um_request_block_free(&request, block);
    if (request.text.failed)
        um_request_fail(&request, UMEM_E_OUT_OF_MEMORY, NULL);
    if (request.code == UMEM_OK) {
        um_client_send(client, &request, deadline_ms);
        um_client_wait(client, &request, deadline_ms);
    }
    um_request_deinit(&request);
}

/* What passes one message: the block has its bytes before it has its name, and goes with this session if it never gets it. */
static int put_in_pieces(umem_client *client, const char *name, const void *bytes, size_t size,
                         const struct umem_block_options *options, umem_handle *block)
{
    struct umem_block_options unnamed = options != NULL ? *options : (struct umem_block_options){.heap = 0};
    const enum umem_lifetime lifetime = unnamed.lifetime;
    umem_handle made;
    int code;

    unnamed.name = NULL;
    unnamed.lifetime = UMEM_LIFETIME_SESSION;
    code = umem_block_alloc(client, size, &unnamed, &made);
    if (code != UMEM_OK)
        return code;
    code = umem_block_write(client, made, 0, bytes, size);
    if (code == UMEM_OK)
        code = umem_block_publish(client, made, name, &lifetime, NULL);
    if (code == UMEM_OK) {
        if (block != NULL)
            *block = made;
        return UMEM_OK;
    }
    free_quietly(client, made);
    return code;
}

int umem_put(umem_client *client, const char *name, const void *bytes, size_t size,
             const struct umem_block_options *options, umem_handle *block)
{
    struct um_request request;
    int code = UMEM_OK;

    /* An empty name would only take the name from the block that is made first. The daemon refuses it, whatever the bytes are. */
    if (name != NULL && name[0] == '\0')
        size = 0;
    um_request_put(&request, name, bytes, size, options, block);
    if (client == NULL || request.code != UMEM_OK || size <= UM_PAYLOAD_MINIMUM)
        return um_client_call(client, &request);
    if (size <= um_client_piece_size(client, size, &code) && code == UMEM_OK)
        return um_client_call(client, &request);
    um_request_deinit(&request);
    return code == UMEM_OK ? put_in_pieces(client, name, bytes, size, options, block) : code;
}

enum { GET_TRIES = 16 /* how often a large block may be replaced while it is read */ };

/* What a get has of a block. */
struct got {
    umem_handle block;
    uint64_t size;       /* bytes that are there, from the start on */
    uint64_t block_size; /* bytes */
};

static int end_first(umem_client *client, struct um_request *request, struct got *got)
{
    um_output_uint(request, "block", &got->block);
    um_output_uint(request, "size", &got->size);
    um_output_uint(request, "block_size", &got->block_size);
    return um_client_call(client, request);
}

/* Whether a block is to be looked up anew: it was replaced, or made smaller, while it was read. */
static bool is_outdated(int code)
{
    return code == UMEM_E_STALE_HANDLE || code == UMEM_E_OUT_OF_RANGE;
}

static int try_get(umem_client *client, const char *name, size_t piece_size, void **bytes, size_t *size)
{
    struct um_request request;
    struct got got;
    void *made = NULL;
    void *grown;
    int code;

    um_request_begin(&request, "block.read");
    um_param_by_name(&request, "block", name);
    um_param_into_new(&request, &made, piece_size);
    code = end_first(client, &request, &got);
    if (code == UMEM_OK && got.block_size > got.size) {
        grown = got.block_size <= SIZE_MAX ? realloc(made, (size_t)got.block_size) : NULL;
        if (grown == NULL)
            code = um_failure_set_text(client, UMEM_E_OUT_OF_MEMORY,
                                       "there is no memory for the %llu bytes of the block",
                                       (unsigned long long)got.block_size);
        else
            made = grown;
        if (code == UMEM_OK)
            code = umem_block_read(client, got.block, got.size, (char *)made + got.size,
                                   (size_t)(got.block_size - got.size));
    }
    if (code != UMEM_OK) {
        free(made);
        return code;
    }
    *bytes = made;
    if (size != NULL)
        *size = (size_t)got.block_size;
    return UMEM_OK;
}

int umem_get(umem_client *client, const char *name, void **bytes, size_t *size)
{
    size_t piece_size = 0;
    int code = UMEM_OK;

    if (client != NULL && bytes == NULL)
        return um_failure_set_text(client, UMEM_E_BAD_ARGUMENT,
                                   "there is no place for the pointer to the bytes");
    if (client != NULL)
        piece_size = um_client_piece_size(client, SIZE_MAX, &code);
    for (int tries = 0; code == UMEM_OK; tries++) {
        code = try_get(client, name, piece_size, bytes, size);
        if (!is_outdated(code) || tries == GET_TRIES)
            break;
        code = UMEM_OK;
    }
    return client != NULL ? code : UMEM_E_OUT_OF_MEMORY;
}

void umem_free_bytes(void *bytes)
{
    free(bytes);
}

static int try_get_into(umem_client *client, const char *name, void *bytes, size_t capacity,
                        size_t piece_size, size_t *size)
{
    struct um_request request;
    struct got got;
    int code;

    um_request_begin(&request, "block.read");
    um_param_by_name(&request, "block", name);
    um_param_into_at_most(&request, bytes, capacity < piece_size ? capacity : piece_size);
    code = end_first(client, &request, &got);
    if (code != UMEM_OK)
        return code;
    *size = got.block_size <= SIZE_MAX ? (size_t)got.block_size : SIZE_MAX;
    if (got.block_size > capacity)
        return um_failure_set_text(client, UMEM_E_OUT_OF_RANGE,
                                   "the block has %llu bytes, and there is space for %zu",
                                   (unsigned long long)got.block_size, capacity);
    if (got.block_size == got.size)
        return UMEM_OK;
    return umem_block_read(client, got.block, got.size, (char *)bytes + got.size,
                           (size_t)(got.block_size - got.size));
}

int umem_get_into(umem_client *client, const char *name, void *bytes, size_t capacity, size_t *size)
{
    struct um_request request;
    size_t piece_size;
    size_t ignored = 0;
    int code = UMEM_OK;

    if (size == NULL)
        size = &ignored;
    if (client == NULL || (bytes == NULL && capacity != 0) || capacity <= UM_PAYLOAD_MINIMUM) {
        um_request_get_into(&request, name, bytes, capacity, size);
        return um_client_call(client, &request);
    }
    piece_size = um_client_piece_size(client, capacity, &code);
    for (int tries = 0; code == UMEM_OK; tries++) {
        code = try_get_into(client, name, bytes, capacity, piece_size, size);
        if (!is_outdated(code) || (code == UMEM_E_OUT_OF_RANGE && *size > capacity) || tries == GET_TRIES)
            break;
        code = UMEM_OK;
    }
    return code;
}
