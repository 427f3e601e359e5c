/* Ranges beside their model. Input: alignment, length, then a call in three bytes, over and over. */
#include "extents_model.h"
#include "fuzz.h"
#include "store/memory/extents.h"

enum { CALLS_LIMIT = 2000 /* the model looks at every place after each */ };

/* Sizes from nothing to half of the segment, a byte more or less than whole places, and far too much. */
static uint64_t take_size(struct fuzz_input *input, const struct range_model *model, unsigned call)
{
    uint64_t count = fuzz_byte(input) % (1 + model->places / 2);
    switch (call >> 2 & 7) {
    case 0:
        return count * model->alignment;
    case 1:
        return count * model->alignment + 1;
    case 2:
        return count * model->alignment + model->alignment - 1;
    case 3:
        return UINT64_MAX - count;
    default:
        return (count & 3) * model->alignment + count;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct range_model model;
    struct fuzz_input input = {data, size};
    uint32_t alignment = UM_EXTENTS_ALIGNMENT_MINIMUM << fuzz_byte(&input) % 13;
    uint64_t length = (uint64_t)alignment * (fuzz_byte(&input) * 4) + fuzz_byte(&input) % alignment;
    FUZZ_CHECK(range_model_init(&model, length, alignment));
    for (int i = 0; i < CALLS_LIMIT && input.size != 0; i++) {
        unsigned call = fuzz_byte(&input);
        size_t block = fuzz_byte(&input) % RANGE_MODEL_BLOCKS;
        uint64_t bytes = take_size(&input, &model, call);
        const char *disagreement = NULL;
        if (!model.blocks[block].used)
            disagreement = range_model_acquire(&model, block, bytes);
        else if ((call & 3) == 0)
            disagreement = range_model_release(&model, block);
        else
            disagreement = range_model_resize(&model, block, bytes);
        if (disagreement == NULL)
            disagreement = range_model_check(&model);
        if (disagreement != NULL)
            fprintf(stderr, "call %d: %s\n", i, disagreement);
        FUZZ_CHECK(disagreement == NULL);
    }
    range_model_deinit(&model);
    return 0;
}
