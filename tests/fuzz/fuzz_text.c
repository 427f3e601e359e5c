/*
 * Bytes as text and back, the UTF-8 check beside a simple one, and the search beside a simple one. Input: any
 * bytes; they are taken as bytes and as text.
 */
#include <stdbool.h>
#include <string.h>

#include "base/encoding.h"
#include "base/needle.h"
#include "fuzz.h"

static void *memory(size_t size)
{
    void *bytes = malloc(size != 0 ? size : 1);
    FUZZ_CHECK(bytes != NULL);
    return bytes;
}

/* One encoding's functions, and how much two texts may differ that stand for the same bytes. */
struct encoding {
    void (*encode)(char *out, const void *bytes, size_t size);
    bool (*decode)(void *out, const char *text, size_t length, size_t *size, size_t *bad_offset);
    bool has_cases;
};

static const struct encoding base64 = {um_base64_encode, um_base64_decode, false};
static const struct encoding hex = {um_hex_encode, um_hex_decode, true};

/* What was encoded is decoded to the same bytes. */
static void check_bytes(const struct encoding *encoding, const uint8_t *data, size_t size, size_t length)
{
    char *text = memory(length);
    uint8_t *bytes = memory(size + 2);
    size_t decoded = 0;
    size_t bad_offset = 0;
    encoding->encode(text, data, size);
    FUZZ_CHECK(encoding->decode(bytes, text, length, &decoded, &bad_offset));
    FUZZ_CHECK(decoded == size);
    FUZZ_CHECK(size == 0 || memcmp(bytes, data, size) == 0);
    /* And in place. */
    FUZZ_CHECK(encoding->decode(text, text, length, &decoded, &bad_offset));
    FUZZ_CHECK(decoded == size);
    FUZZ_CHECK(size == 0 || memcmp(text, data, size) == 0);
    free(bytes);
    free(text);
}

static char lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'F' ? letter - 'A' + 'a' : letter);
}

/* A text that is accepted is the one that its bytes are encoded as; of one that is not, something is wrong in
 * it. */
static void check_text(const struct encoding *encoding, const char *text, size_t length)
{
    size_t size = 0;
    size_t bad_offset = SIZE_MAX;
    uint8_t *bytes = memory(length / 4 * 3 > length / 2 ? length / 4 * 3 : length / 2);
    if (!encoding->decode(bytes, text, length, &size, &bad_offset)) {
        FUZZ_CHECK(bad_offset <= length);
        free(bytes);
        return;
    }
    FUZZ_CHECK(size <= length);
    char *again = memory(length);
    encoding->encode(again, bytes, size);
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK(again[i] == (encoding->has_cases ? lower(text[i]) : text[i]));
    free(again);
    free(bytes);
}

/* The length of the UTF-8 sequence at the front, by its value; 0: it is none. */
static size_t utf8_length(const uint8_t *data, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = data[0] < 0x80           ? 1
                    : (data[0] >> 5) == 0x06 ? 2
                    : (data[0] >> 4) == 0x0e ? 3
                    : (data[0] >> 3) == 0x1e ? 4
                                             : 0;
    if (length <= 1 || length > size)
        return length <= size ? length : 0;
    uint32_t value = data[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (data[i] & 0x3fU);
    }
    bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    return value < least[length] || is_surrogate || value > 0x10ffff ? 0 : length;
}

/* The check may blame the sequence or a byte in it, but must stop within the first bad one. */
static void check_utf8(const uint8_t *data, size_t size)
{
    size_t good = 0;
    while (good < size) {
        size_t length = utf8_length(data + good, size - good);
        if (length == 0)
            break;
        good += length;
    }
    FUZZ_CHECK(um_utf8_check(data, size) == good);
}

static void check_search(struct fuzz_input input)
{
    size_t needle_size = fuzz_byte(&input) % 12;
    if (needle_size > input.size)
        needle_size = input.size;
    const uint8_t *bytes = input.data;
    const uint8_t *haystack = input.data + needle_size;
    size_t size = input.size - needle_size;
    size_t at = SIZE_MAX;
    size_t expected = 0;
    struct um_needle needle;
    um_needle_init(&needle, bytes, needle_size);
    while (expected + needle_size <= size && memcmp(haystack + expected, bytes, needle_size) != 0)
        expected++;
    bool is_there = expected + needle_size <= size;
    FUZZ_CHECK(um_needle_find(&needle, haystack, size, &at) == is_there);
    FUZZ_CHECK(at == (is_there ? expected : SIZE_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    if (size == 0)
        return 0;
    check_bytes(&base64, data, size, um_base64_encoded_size(size));
    check_bytes(&hex, data, size, 2 * size);
    check_text(&base64, (const char *)data, size);
    check_text(&hex, (const char *)data, size);
    check_utf8(data, size);
    check_search(input);
    return 0;
}
