/* Calls that are pending together, each with its expected result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role_model.h"

enum { RANGE_MAX = 16384, NEEDLE_MAX = 8 };

/* One call that was submitted. */
struct pending {
    const char *what;
    int code;               /* that it has to give */
    unsigned char *bytes;   /* bytes that it reads, or sends; NULL: none */
    unsigned char *wanted;  /* what these have to be; NULL: nothing is compared */
    size_t size;            /* of both */
    uint64_t number;        /* that it gives */
    uint64_t wanted_number; /* what that has to be, where it succeeds */
    bool flag;
    bool wanted_flag;
    bool has_number;
    struct umem_block_info info;
    struct umem_heap_info heap;
    uint64_t wanted_blocks; /* of heap.info */
};

struct round {
    struct mirror *mirror;
    struct soak *soak;
    umem_calls *calls;
    bool is_batch;
    uint64_t bytes_left; /* bytes of blocks that the batch may still touch */
    struct pending pending[MIRROR_DEPTH];
    unsigned count;
};

struct range {
    struct model_block *block;
    uint64_t offset;
    uint64_t size;
};

static unsigned char *copy_of(struct soak *soak, const void *bytes, size_t size)
{
    unsigned char *copy = malloc(size + 1);

    if (copy == NULL)
        FAIL(soak, "no memory");
    memcpy(copy, bytes, size);
    return copy;
}

static struct pending *add(struct round *round, const char *what)
{
    struct pending *pending = &round->pending[round->count++];

    memset(pending, 0, sizeof *pending);
    pending->what = what;
    return pending;
}

static void submitted(struct round *round, int code)
{
    if (code != UMEM_OK)
        FAIL(round->soak, "%s was not submitted: %s", round->pending[round->count - 1].what,
             umem_last_error(round->soak->client)->message);
}

/* A part of a block that fits into the batch. */
static bool pick_range(struct round *round, struct range *range, uint64_t size_max)
{
    range->block = mirror_pick(round->mirror);
    if (range->block == NULL)
        return false;
    range->offset = soak_below(round->soak, range->block->size + 1);
    range->size = soak_below(round->soak, range->block->size - range->offset + 1);
    if (range->size > size_max)
        range->size = size_max;
    if (range->size > round->bytes_left)
        range->size = round->bytes_left;
    round->bytes_left -= range->size;
    return true;
}

/* What runs within the daemon may be as large as a block; the larger ones run in slices there. */
static uint64_t inner_max(struct round *round)
{
    return round->is_batch || !soak_chance(round->soak, 8) ? RANGE_MAX : UMEM_SIZE_MAX;
}

static void submit_read(struct round *round)
{
    struct pending *pending;
    struct range range;

    if (!pick_range(round, &range, RANGE_MAX))
        return;
    pending = add(round, "block.read");
    pending->size = (size_t)range.size;
    pending->wanted = copy_of(round->soak, range.block->bytes + range.offset, pending->size);
    pending->bytes = copy_of(round->soak, pending->wanted, pending->size);
    memset(pending->bytes, 0xA5, pending->size);
    submitted(round, umem_submit_block_read(round->calls, range.block->handle, range.offset, pending->bytes,
                                            pending->size));
}

static void submit_write(struct round *round)
{
    struct pending *pending;
    struct range range;

    if (!pick_range(round, &range, RANGE_MAX))
        return;
    pending = add(round, "block.write");
    soak_random_bytes(round->soak, range.block->bytes + range.offset, (size_t)range.size);
    pending->size = (size_t)range.size;
    pending->bytes = copy_of(round->soak, range.block->bytes + range.offset, pending->size);
    submitted(round, umem_submit_block_write(round->calls, range.block->handle, range.offset, pending->bytes,
                                             pending->size));
}

static void submit_fill(struct round *round)
{
    uint8_t value = (uint8_t)soak_random(round->soak);
    struct range range;

    if (!pick_range(round, &range, inner_max(round)))
        return;
    add(round, "block.fill");
    memset(range.block->bytes + range.offset, value, (size_t)range.size);
    submitted(round,
              umem_submit_block_fill(round->calls, range.block->handle, range.offset, value, range.size));
}

/* A second range of the same size, in the same block or another; `range` is made smaller where need be. */
static bool pick_pair(struct round *round, struct range *range, struct range *other)
{
    if (!pick_range(round, range, inner_max(round)))
        return false;
    other->block = mirror_pick(round->mirror);
    if (range->size > other->block->size)
        range->size = other->block->size;
    other->size = range->size;
    other->offset = soak_below(round->soak, other->block->size - other->size + 1);
    return true;
}

static void submit_copy(struct round *round)
{
    struct range source;
    struct range target;

    if (!pick_pair(round, &source, &target))
        return;
    add(round, "block.copy");
    memmove(target.block->bytes + target.offset, source.block->bytes + source.offset, (size_t)source.size);
    submitted(round, umem_submit_block_copy(round->calls, source.block->handle, source.offset,
                                            target.block->handle, target.offset, source.size));
}

static void submit_compare(struct round *round)
{
    struct pending *pending;
    struct range left;
    struct range right;
    uint64_t same = 0;

    if (!pick_pair(round, &left, &right))
        return;
    pending = add(round, "block.compare");
    while (same < left.size &&
           left.block->bytes[left.offset + same] == right.block->bytes[right.offset + same])
        same++;
    pending->has_number = true;
    pending->wanted_number = same == left.size ? UMEM_NONE : same;
    submitted(round,
              umem_submit_block_compare(round->calls, left.block->handle, left.offset, right.block->handle,
                                        right.offset, left.size, &pending->number));
}

static void submit_find(struct round *round)
{
    struct model_block *block = mirror_pick(round->mirror);
    struct pending *pending;
    uint64_t from;
    uint64_t at;
    size_t size;

    if (block == NULL || block->size > round->bytes_left)
        return;
    round->bytes_left -= block->size;
    pending = add(round, "block.find");
    size = (size_t)soak_below(round->soak, NEEDLE_MAX) + 1;
    pending->bytes = copy_of(round->soak, "12345678", NEEDLE_MAX);
    if (block->size >= size && !soak_chance(round->soak, 3))
        memcpy(pending->bytes, block->bytes + soak_below(round->soak, block->size - size + 1), size);
    pending->size = size;
    from = soak_below(round->soak, block->size + 1);
    for (at = from; at + size <= block->size && memcmp(block->bytes + at, pending->bytes, size) != 0;)
        at++;
    pending->has_number = true;
    pending->wanted_number = at + size <= block->size ? at : UMEM_NONE;
    submitted(round, umem_submit_block_find(round->calls, block->handle, from, pending->bytes, size,
                                            &pending->number));
}

static uint64_t load(const unsigned char *bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void store(unsigned char *bytes, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

static void submit_atomic(struct round *round)
{
    struct model_block *block = mirror_pick(round->mirror);
    uint64_t value = soak_random(round->soak);
    struct pending *pending;
    unsigned char *at;
    uint64_t offset;
    uint64_t expected;

    if (block == NULL || block->size < 8 || round->bytes_left < 16)
        return;
    round->bytes_left -= 16;
    offset = soak_below(round->soak, block->size - 7);
    at = block->bytes + offset;
    pending = add(round, "block.add");
    pending->has_number = true;
    pending->wanted_number = load(at);
    if (soak_chance(round->soak, 2)) {
        store(at, load(at) + value);
        submitted(round, umem_submit_block_add(round->calls, block->handle, offset, UMEM_TYPE_U64, &value,
                                               &pending->number, NULL));
        return;
    }
    pending->what = "block.exchange";
    pending->wanted_flag = soak_chance(round->soak, 2);
    expected = load(at) + (pending->wanted_flag ? 0 : 1);
    if (pending->wanted_flag)
        store(at, value);
    submitted(round, umem_submit_block_exchange(round->calls, block->handle, offset, UMEM_TYPE_U64, &value,
                                                &expected, &pending->number, &pending->flag));
}

static void submit_info(struct round *round)
{
    const struct model *model = &round->mirror->model;
    struct model_block *block = mirror_pick(round->mirror);
    struct pending *pending;

    if (model->heaps[OWN_HEAP].alive && soak_chance(round->soak, 2)) {
        pending = add(round, "heap.info");
        pending->wanted_number = model_sum_bytes(model, OWN_HEAP, 0);
        pending->wanted_blocks = model_count_blocks(model, OWN_HEAP, 0);
        submitted(round, umem_submit_heap_info(round->calls, model->heaps[OWN_HEAP].handle, &pending->heap));
    } else if (block != NULL) {
        pending = add(round, "block.info");
        pending->wanted_number = block->size;
        submitted(round, umem_submit_block_info(round->calls, block->handle, &pending->info));
    }
}

/* A range that passes the end, or a handle that was freed. */
static void submit_wrong(struct round *round)
{
    struct model_block *block = mirror_pick(round->mirror);
    umem_handle freed = mirror_pick_freed(round->mirror);
    struct pending *pending;

    if (round->bytes_left < RANGE_MAX)
        return;
    if (block != NULL && soak_chance(round->soak, 2)) {
        pending = add(round, "a write past the end");
        pending->code = UMEM_E_OUT_OF_RANGE;
        pending->size = (size_t)soak_below(round->soak, 64) + 1;
        pending->bytes = calloc(pending->size, 1);
        round->bytes_left -= 64;
        submitted(round, umem_submit_block_write(
                             round->calls, block->handle,
                             block->size < pending->size ? block->size : block->size - pending->size + 1,
                             pending->bytes, pending->size));
    } else if (freed != 0) {
        add(round, "a freed block")->code = UMEM_E_STALE_HANDLE;
        if (soak_chance(round->soak, 2))
            submitted(round, umem_submit_block_free(round->calls, freed));
        else
            submitted(round, umem_submit_block_fill(round->calls, freed, 0, 1, 1));
    }
}

static void submit_one(struct round *round)
{
    static void (*const kinds[])(struct round *) = {
        submit_read, submit_write,  submit_fill, submit_copy,  submit_compare,
        submit_find, submit_atomic, submit_info, submit_wrong, submit_read,
    };

    kinds[soak_below(round->soak, sizeof kinds / sizeof kinds[0])](round);
}

static void check_info(struct round *round, const struct pending *pending)
{
    if (pending->info.block != 0 &&
        (pending->info.size != pending->wanted_number || pending->info.orphaned ||
         pending->info.holders != 1 || pending->info.owner.session != round->soak->session))
        FAIL(round->soak, "block.info tells %llu bytes, %u holders, owner %llu",
             (unsigned long long)pending->info.size, pending->info.holders,
             (unsigned long long)pending->info.owner.session);
    if (pending->heap.heap != 0 && (pending->heap.bytes != pending->wanted_number ||
                                    pending->heap.blocks != pending->wanted_blocks || pending->heap.locked))
        FAIL(round->soak, "heap.info tells %llu bytes in %llu blocks and not %llu in %llu",
             (unsigned long long)pending->heap.bytes, (unsigned long long)pending->heap.blocks,
             (unsigned long long)pending->wanted_number, (unsigned long long)pending->wanted_blocks);
}

static void collect_one(struct round *round, struct pending *pending)
{
    struct soak *soak = round->soak;

    soak_expect(soak, umem_collect(round->calls), pending->code, __FILE__, __LINE__, pending->what);
    if (pending->wanted != NULL && memcmp(pending->bytes, pending->wanted, pending->size) != 0)
        FAIL(soak, "%s gave other bytes than were written", pending->what);
    if (pending->has_number && pending->number != pending->wanted_number)
        FAIL(soak, "%s gave %llu and not %llu", pending->what, (unsigned long long)pending->number,
             (unsigned long long)pending->wanted_number);
    if (pending->flag != pending->wanted_flag)
        FAIL(soak, "%s was wrong about whether it exchanged", pending->what);
    check_info(round, pending);
    free(pending->bytes);
    free(pending->wanted);
}

void mirror_run_calls(struct mirror *mirror)
{
    static struct round round;
    unsigned depth = (unsigned)soak_below(mirror->soak, MIRROR_DEPTH) + 1;

    round = (struct round){.mirror = mirror, .soak = mirror->soak, .bytes_left = UINT64_MAX};
    round.is_batch = soak_chance(mirror->soak, 3);
    if (round.is_batch)
        round.bytes_left = soak_limit(mirror->soak, "batch_bytes");
    round.calls = umem_calls_new(mirror->soak->client, round.is_batch ? UMEM_BATCH : UMEM_PIPELINE);
    for (unsigned i = 0; i < depth; i++)
        submit_one(&round);
    for (unsigned i = 0; i < round.count; i++)
        collect_one(&round, &round.pending[i]);
    umem_calls_free(round.calls);
}
