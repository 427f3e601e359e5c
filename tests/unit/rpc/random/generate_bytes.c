/* Random parameters for the methods of bytes and numbers in blocks. */
#include "generate.h"

#include <stdlib.h>
#include <string.h>

enum { LONG_SIZE = 1024 * 1024 /* bytes: a call over more runs in slices */ };

static void maybe_type(struct run *run, struct request *request)
{
    static const unsigned types[] = {UM_U8,  UM_I64, UM_U16, UM_I32, UM_F32,
                                     UM_F64, UM_U64, UM_I8,  UM_I16, UM_U32};

    if (one_in(run, 3)) /* left out: the model needs the default all the same */
        argument(request, "type")->uint = UM_U8;
    else
        give_word(request, "type", types[roll(run, 10)]);
}

/* ---- bytes ---- */

void generate_block_read(struct run *run, int session, struct request *request)
{
    static const char *const encodings[] = {"base64", "hex", "utf8", "raw"};
    int block;

    (void)session;
    give_block(run, request, "block", &block);
    maybe_range(run, request, "offset", "size", size_of(run, block));
    if (!one_in(run, 4))
        give_text(request, "encoding", encodings[roll(run, 4)]);
    if (one_in(run, 4) && (!is_given(request, "size") || one_in(run, 10)))
        give_uint(request, "at_most", roll(run, one_in(run, 3) ? 20 : size_of(run, block) + 20));
}

void give_payload(struct run *run, struct request *request, uint64_t size)
{
    request->payload_size = size;
    request->payload = malloc((size_t)size + 1);
    for (uint64_t i = 0; i < size; i++)
        request->payload[i] = (unsigned char)('A' + (i + size + run->step) % 23);
}

void generate_block_write(struct run *run, int session, struct request *request)
{
    uint64_t block_size;
    uint64_t offset;
    uint64_t size;
    int block;

    (void)session;
    give_block(run, request, "block", &block);
    block_size = size_of(run, block);
    offset = one_in(run, 3) ? 0 : some_offset(run, block_size);
    size = roll(run, (offset < block_size ? block_size - offset : 0) + 1);
    size = size < run->limits.payload_bytes ? size : run->limits.payload_bytes - 100;
    if (one_in(run, 20))
        size += 30;
    if (offset != 0 || one_in(run, 2))
        give_uint(request, "offset", offset);
    if (one_in(run, 2)) {
        give_data(run, request, "data", (size_t)(size < 200 ? size : roll(run, 200)));
        size = argument(request, "data")->size;
        if (one_in(run, 40)) { /* data beside raw bytes makes no sense */
            give_text(request, "encoding", "raw");
            give_payload(run, request, 0);
            return;
        }
    } else {
        give_text(request, "encoding", "raw");
        give_payload(run, request, size);
    }
    if (one_in(run, 2))
        give_uint(request, "size", size + (one_in(run, 12) && request->payload == NULL ? 1 : 0));
}

void generate_block_get(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    give_block(run, request, "block", &block);
    give_uint(request, "offset", some_offset(run, size_of(run, block)));
    maybe_type(run, request);
    if (!one_in(run, 3))
        give_uint(request, "count", one_in(run, 4) && size_of(run, block) > 73000 ? 9000 : roll(run, 6));
}

void generate_block_set(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    give_block(run, request, "block", &block);
    give_uint(request, "offset", some_offset(run, size_of(run, block)));
    maybe_type(run, request);
    give_values(run, request, "values", (unsigned)roll(run, 5), true);
}

void generate_block_fill(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    if (one_in(run, 6))
        give_large_block(run, request, "block", LONG_SIZE, &block);
    else
        give_block(run, request, "block", &block);
    if (!one_in(run, 3))
        give_uint(request, "value", roll(run, 256));
    maybe_range(run, request, "offset", "size", size_of(run, block));
}

static void give_pair(struct run *run, struct request *request, const char *names[5])
{
    int first;
    int second;

    if (one_in(run, 4)) {
        give_large_block(run, request, names[0], LONG_SIZE, &first);
        give_large_block(run, request, names[1], LONG_SIZE, &second);
        if (one_in(run, 2))
            give_uint(request, names[4], LONG_SIZE + roll(run, 1000));
        return;
    }
    give_block(run, request, names[0], &first);
    give_block(run, request, names[1], &second);
    maybe_range(run, request, names[2], names[4], size_of(run, first));
    if (one_in(run, 3))
        give_uint(request, names[3], some_offset(run, size_of(run, second)));
}

void generate_block_copy(struct run *run, int session, struct request *request)
{
    static const char *names[5] = {"source", "target", "source_offset", "target_offset", "size"};

    (void)session;
    give_pair(run, request, names);
}

void generate_block_compare(struct run *run, int session, struct request *request)
{
    static const char *names[5] = {"left", "right", "left_offset", "right_offset", "size"};

    (void)session;
    give_pair(run, request, names);
}

void generate_block_find(struct run *run, int session, struct request *request)
{
    int block;

    (void)session;
    if (one_in(run, 6))
        give_large_block(run, request, "block", LONG_SIZE, &block);
    else
        give_block(run, request, "block", &block);
    give_data(run, request, "data", (size_t)roll(run, 5));
    if (one_in(run, 2))
        give_uint(request, "offset", some_offset(run, size_of(run, block)));
}

/* ---- numbers that sessions share ---- */

static int give_number_place(struct run *run, struct request *request)
{
    int block;

    give_block(run, request, "block", &block);
    give_uint(request, "offset", some_offset(run, size_of(run, block)));
    maybe_type(run, request);
    return block;
}

void generate_block_add(struct run *run, int session, struct request *request)
{
    (void)session;
    give_number_place(run, request);
    give_values(run, request, "value", 1, false);
}

/* The number that stands in the block now, so that it is the one that is expected. */
static void give_present(struct run *run, struct request *request, const char *name, int block)
{
    enum um_value_type type = (enum um_value_type)argument(request, "type")->uint;
    uint64_t offset = argument(request, "offset")->uint;
    size_t size = um_value_size(type);
    struct argument *it;

    give_values(run, request, name, 1, false);
    if (block == NONE || offset + size > run->model.blocks[block].size || type == UM_F32 || type == UM_F64)
        return;
    it = argument(request, name);
    memcpy(it->bytes, run->model.blocks[block].bytes + offset, size);
    um_buf_truncate(&it->json, 0);
    write_number(&it->json, type, it->bytes);
}

void generate_block_exchange(struct run *run, int session, struct request *request)
{
    int block = give_number_place(run, request);

    (void)session;
    give_values(run, request, "value", 1, false);
    if (one_in(run, 2))
        give_present(run, request, "expected", block);
}

void generate_block_wait(struct run *run, int session, struct request *request)
{
    int block = give_number_place(run, request);

    (void)session;
    if (one_in(run, 6))
        give_values(run, request, "value", 1, false);
    else
        give_present(run, request, "value", block);
    if (one_in(run, 2))
        give_timeout(run, request);
}
