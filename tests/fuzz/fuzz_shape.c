/*
 * The reading of JSON by the shape of an earlier text beside um_json_read(). Input: the earlier text, and behind a line's end the
 * one that is read; without such, the same. Then the earlier one is read with each of its bytes replaced by some others.
 */
#include <string.h>

#include "fuzz.h"
#include "shape_pair.h"

enum { EDITED_SIZE = 512 /* bytes of a text that is tried with every byte replaced */ };

struct text {
    const char *bytes;
    size_t size;
};

static void check(struct text example, struct text text)
{
    static const char *const fixed[2] = {"jsonrpc", "method"};
    const char *wrong = NULL;

    (void)shape_pair_check(example.bytes, example.size, text.bytes, text.size, fixed, &wrong);
    FUZZ_CHECK(wrong == NULL);
}

static void check_edited(struct text example)
{
    static const char bytes[] = {'"', '\\', '0', '9', '-', 'e', ' ', '\x80'};
    char edited[EDITED_SIZE];

    memcpy(edited, example.bytes, example.size);
    for (size_t at = 0; at < example.size; at++) {
        edited[at] = bytes[at % sizeof bytes];
        check(example, (struct text){edited, example.size});
        edited[at] = example.bytes[at];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    const char *end = size != 0 ? memchr(bytes, '\n', size) : NULL;
    struct text example = {bytes, end != NULL ? (size_t)(end - bytes) : size};

    if (end != NULL)
        check(example, (struct text){end + 1, (size_t)(bytes + size - end) - 1});
    check(example, example);
    if (example.size != 0 && example.size <= EDITED_SIZE)
        check_edited(example);
    return 0;
}
