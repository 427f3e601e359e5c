/* The allocator beside its model. Input: alignment and the limit of loose blocks, then a call in four bytes, over and over. */
#include "allocator_model.h"
#include "fuzz.h"

enum { CALLS_LIMIT = 600, CHECKED = 16 /* calls from one look at every place to the next */ };

/* Sizes of every class, a few bytes more or less, and far too much. */
static uint64_t take_size(struct fuzz_input *input)
{
    unsigned shape = fuzz_byte(input);
    uint64_t size = fuzz_byte(input);

    switch (shape & 7) {
    case 0:
        return size;
    case 1:
        return size << 4;
    case 2:
        return size << 6;
    case 3:
        return (size << (shape >> 4)) + 1;
    case 4:
        return UINT64_MAX - size;
    default:
        return size * (1 + (shape >> 3));
    }
}

static const char *call(struct allocator_model *model, struct fuzz_input *input)
{
    unsigned kind = fuzz_byte(input);
    size_t block = fuzz_byte(input);

    switch (kind & 15) {
    case 0:
        return allocator_model_add(model, block % ALLOCATOR_MODEL_PIECES);
    case 1:
        return allocator_model_remove(model, block % ALLOCATOR_MODEL_PIECES);
    case 2:
        return allocator_model_age(model, (kind & 16) != 0, block);
    case 3:
        return allocator_model_restore(model, block, (uint64_t)fuzz_byte(input) << ((kind >> 4) + 2),
                                       take_size(input));
    default:
        if (!model->blocks[block].used)
            return allocator_model_acquire(model, block, take_size(input));
        if ((kind & 16) != 0)
            return allocator_model_release(model, block);
        return allocator_model_resize(model, block, take_size(input));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct allocator_model model;
    struct fuzz_input input = {data, size};
    uint32_t alignment = UINT32_C(16) << fuzz_byte(&input) % 13;

    FUZZ_CHECK(allocator_model_init(&model, alignment, fuzz_byte(&input) % 64));
    FUZZ_CHECK(allocator_model_add(&model, 0) == NULL);
    for (int i = 0; i < CALLS_LIMIT && input.size != 0; i++) {
        const char *disagreement = call(&model, &input);

        if (disagreement == NULL && (i % CHECKED == 0 || input.size == 0))
            disagreement = allocator_model_check(&model);
        if (disagreement != NULL)
            fprintf(stderr, "call %d: %s\n", i, disagreement);
        FUZZ_CHECK(disagreement == NULL);
    }
    allocator_model_deinit(&model);
    return 0;
}
