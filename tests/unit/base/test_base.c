/* common/base: bytes, texts, errors. */
#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/base64_avx2.h"
#include "base/buf.h"
#include "base/digits.h"
#include "base/encoding.h"
#include "base/encoding_avx512.h"
#include "base/hex_avx2.h"
#include "base/processor.h"
#include "base/size.h"
#include "base/text_avx2.h"
#include "umem_errors.h"

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789abcdef";

static void test_buf_keeps_its_limit(void **state)
{
    struct um_buf buf;

    (void)state;
    um_buf_init(&buf, 10);
    assert_true(um_buf_append(&buf, "12345678", 8));
    assert_false(um_buf_append(&buf, "abc", 3));
    assert_true(buf.failed);
    assert_int_equal(buf.size, 8);
    assert_false(um_buf_append(&buf, "a", 1));
    um_buf_truncate(&buf, 8);
    assert_true(um_buf_append(&buf, "ab", 2));
    assert_memory_equal(buf.data, "12345678ab", 10);
    um_buf_consume(&buf, 9);
    assert_int_equal(buf.size, 1);
    assert_int_equal(buf.data[0], 'b');
    um_buf_deinit(&buf);
}

/* The vectors of RFC 4648 section 10. */
static void test_base64_vectors(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *plain = pairs[i][0];
        const char *text = pairs[i][1];
        char out[16] = "";
        size_t size = 99;
        size_t bad = 99;

        assert_int_equal(um_base64_encoded_size(strlen(plain)), strlen(text));
        um_base64_encode(out, plain, strlen(plain));
        assert_memory_equal(out, text, strlen(text));
        assert_true(um_base64_decode(out, text, strlen(text), &size, &bad));
        assert_int_equal(size, strlen(plain));
        assert_memory_equal(out, plain, size);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
    } good[] = {{"0", 0},
                {"1", 1},
                {"007", 7},
                {"1k", 1024},
                {"1K", 1024},
                {"1Ki", 1024},
                {"1KiB", 1024},
                {"1kib", 1024},
                {"10MiB", 10485760},
                {"2m", 2097152},
                {"3G", 3221225472},
                {"1T", 1099511627776},
                {"7P", 7881299347898368},
                {"5B", 5},
                {"1kB", 1000},
                {"1KB", 1000},
                {"10MB", 10000000},
                {"2GB", 2000000000},
                {"3tb", 3000000000000},
                {"0x10", 16},
                {"0XfF", 255},
                {"0xb", 11},
                {"9007199254740991", 9007199254740991}};
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "1 K",
                                      "K",
                                      "-1",
                                      "+1",
                                      "1.5K",
                                      "1e3",
                                      "1i",
                                      "1iB",
                                      "1BB",
                                      "1KK",
                                      "1KiBB",
                                      "1Kb2",
                                      "1Q",
                                      "0x",
                                      "0x1K",
                                      "0xg1",
                                      "1\n",
                                      "x10",
                                      "0x-1",
                                      "8192T",
                                      "8P",
                                      "9PB1",
                                      "1Kix",
                                      "9007199254740992",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    uint64_t size;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(um_size_parse(good[i].text, 9007199254740991, &size));
        assert_int_equal(size, good[i].size);
    }
    size = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(um_size_parse(bad[i], 9007199254740991, &size));
    assert_int_equal(size, 77);
    assert_true(um_size_parse("18446744073709551615", UINT64_MAX, &size));
    assert_true(size == UINT64_MAX);
    assert_true(um_size_parse("0xffffffffffffffff", UINT64_MAX, &size));
    assert_false(um_size_parse("0x10000000000000000", UINT64_MAX, &size));
    assert_false(um_size_parse("16384P", UINT64_MAX, &size));
}

static void test_base64_is_strict(void **state)
{
    static const char *const bad_texts[] = {
        "Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm-v", "Z=g=", "Zg==Zg=="};
    static const size_t bad_offsets[] = {2, 3, 1, 0, 1, 2, 5, 2, 1, 2};
    unsigned char bytes[8];
    size_t size = 99;
    size_t bad;

    (void)state;
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        assert_false(um_base64_decode(bytes, bad_texts[i], strlen(bad_texts[i]), &size, &bad));
        assert_int_equal(bad, bad_offsets[i]);
        assert_int_equal(size, 99);
    }
}

static void test_every_byte_survives_both_encodings(void **state)
{
    unsigned char bytes[256];
    unsigned char back[256];
    char text[512];
    char capitals[512];
    size_t size;
    size_t bad;

    (void)state;
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (unsigned char)(255 - i);
    for (size_t n = 0; n <= 256; n++) {
        um_base64_encode(text, bytes, n);
        assert_true(um_base64_decode(back, text, um_base64_encoded_size(n), &size, &bad));
        assert_int_equal(size, n);
        assert_memory_equal(back, bytes, n);
        assert_true(um_base64_decode(text, text, um_base64_encoded_size(n), &size, &bad));
        assert_memory_equal(text, bytes, n);
        um_hex_encode(text, bytes, n);
        assert_true(um_hex_decode(back, text, 2 * n, &size, &bad));
        assert_int_equal(size, n);
        assert_memory_equal(back, bytes, n);
        for (size_t i = 0; i < 2 * n; i++)
            capitals[i] = (char)toupper((unsigned char)text[i]);
        assert_true(um_hex_decode(text, text, 2 * n, &size, &bad));
        assert_memory_equal(text, bytes, n);
        assert_true(um_hex_decode(capitals, capitals, 2 * n, &size, &bad));
        assert_memory_equal(capitals, bytes, n);
    }
    assert_false(um_hex_decode(back, "abc", 3, &size, &bad));
    assert_int_equal(bad, 3);
    assert_false(um_hex_decode(back, "ag", 2, &size, &bad));
    assert_int_equal(bad, 1);
}

/* Where the processor has wide instructions, every usual build for it has code that takes them. Every distance of what it works on from
 * where the system's memory begins: nothing is taken to be aligned. */
static void test_wide_steps_are_in_this_build(void **state)
{
    enum { SIZE = 24 * 8, SPARE = 64 };
    unsigned char bytes[SIZE + SPARE];
    unsigned char back[SIZE + SPARE];
    char text[2 * SIZE + SPARE];
    bool has_wide_steps = false;

#if !defined(NO_WIDE_STEPS) && (defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC)))
    has_wide_steps = true;
#endif
    (void)state;
    memset(bytes, 'u', sizeof bytes);
    for (size_t shift = 0; shift < 32; shift++) {
        size_t encoded = um_base64_encode_avx2(text + shift, bytes + shift, SIZE);
        size_t decoded;

        um_base64_encode(text + shift, bytes + shift, SIZE);
        decoded = um_base64_decode_avx2(back + shift, (const unsigned char *)text + shift, SIZE / 3 * 4);
        if (has_wide_steps && um_processor_has_avx2()) {
            assert_in_range(encoded, SIZE - 2 * 24, SIZE);
            assert_in_range(decoded, SIZE / 3 * 4 - 2 * 32, SIZE / 3 * 4);
        } else {
            assert_int_equal(encoded, 0);
            assert_int_equal(decoded, 0);
        }
        assert_memory_equal(back + shift, bytes + shift, decoded / 4 * 3);
        encoded = um_hex_encode_avx2(text + shift, bytes + shift, SIZE);
        um_hex_encode(text + shift, bytes + shift, SIZE);
        decoded = um_hex_decode_avx2(back + shift, (const unsigned char *)text + shift, 2 * SIZE);
        assert_int_equal(encoded, has_wide_steps && um_processor_has_avx2() ? SIZE : 0);
        assert_int_equal(um_text_ascii_avx2(bytes + shift, SIZE), encoded);
        assert_int_equal(decoded, 2 * encoded);
        assert_memory_equal(back + shift, bytes + shift, decoded / 2);
    }
}

/* What takes wide steps, by itself: a build that has several takes the widest one for nearly all of a text. */
static const struct wide_coder {
    size_t (*encode)(char *out, const unsigned char *in, size_t size);
    size_t (*decode)(unsigned char *out, const unsigned char *in, size_t length);
    bool (*is_there)(void);
    const char *digits;
    size_t bytes; /* of a step, */
    size_t step;  /* that are so many characters */
} wide_coders[] = {
    {um_base64_encode_avx2, um_base64_decode_avx2, um_processor_has_avx2, base64_digits, 24, 32},
    {um_base64_encode_avx512, um_base64_decode_avx512, um_processor_has_avx512, base64_digits, 48, 64},
    {um_hex_encode_avx2, um_hex_decode_avx2, um_processor_has_avx2, hex_digits, 32, 64},
    {um_hex_encode_avx512, um_hex_decode_avx512, um_processor_has_avx512, hex_digits, 32, 64},
};

enum { WIDE_SIZE = 384, WIDE_SPARE = 64 /* bytes */ };

/* How many bytes a coder is to take of WIDE_SIZE. One of AVX2's loads or writes more than a step has, and stops before. */
static size_t wide_size(const struct wide_coder *coder)
{
    bool has_steps = false;

#if !defined(NO_WIDE_STEPS) && (defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC)))
    has_steps = coder->is_there();
#ifdef __SANITIZE_ADDRESS__
    has_steps = has_steps && coder->is_there != um_processor_has_avx512; /* see base/avx512.h */
#endif
#endif
    if (!has_steps)
        return 0;
    return coder->bytes == 24 ? WIDE_SIZE - 24 : WIDE_SIZE;
}

/* The same by the definition: of each group of bits, from the highest on, a digit. */
static void encode_plainly(char *text, const char *digits, const unsigned char *bytes, size_t size)
{
    unsigned width = digits == hex_digits ? 4 : 6;

    for (size_t at = 0; at < 8 * size; at += width) {
        unsigned number = 0;

        for (size_t bit = at; bit < at + width; bit++)
            number = number << 1 | ((unsigned)bytes[bit / 8] >> (7 - bit % 8) & 1U);
        *text++ = digits[number];
    }
}

static void test_wide_steps_by_themselves(void **state)
{
    unsigned char bytes[WIDE_SIZE + WIDE_SPARE];
    unsigned char back[WIDE_SIZE + WIDE_SPARE + 1];
    char text[2 * WIDE_SIZE + WIDE_SPARE];
    char expected[2 * WIDE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + i / 256);
    for (size_t i = 0; i < sizeof wide_coders / sizeof wide_coders[0]; i++) {
        const struct wide_coder *coder = &wide_coders[i];
        size_t length = WIDE_SIZE / coder->bytes * coder->step;
        size_t all = wide_size(coder);
        size_t all_length = all / coder->bytes * coder->step;

        for (size_t shift = 0; shift < WIDE_SPARE; shift++) {
            encode_plainly(expected, coder->digits, bytes + shift, WIDE_SIZE);
            memset(text, '?', sizeof text);
            assert_int_equal(coder->encode(text + shift, bytes + shift, WIDE_SIZE), all);
            assert_memory_equal(text + shift, expected, all_length);
            memcpy(text + shift, expected, length);
            memset(back, 0, sizeof back);
            assert_int_equal(coder->decode(back + shift, (unsigned char *)text + shift, length), all_length);
            assert_memory_equal(back + shift, bytes + shift, all);
            assert_int_equal(back[shift + WIDE_SIZE], 0);
            /* Where it stands. */
            assert_int_equal(
                coder->decode((unsigned char *)text + shift, (unsigned char *)text + shift, length),
                all_length);
            assert_memory_equal(text + shift, bytes + shift, all);
        }
    }
}

static void test_wide_steps_stop_at_what_is_no_digit(void **state)
{
    char text[2 * WIDE_SIZE];
    unsigned char bytes[WIDE_SIZE];

    (void)state;
    memset(text, 'c', sizeof text);
    for (size_t i = 0; i < sizeof wide_coders / sizeof wide_coders[0]; i++) {
        const struct wide_coder *coder = &wide_coders[i];
        size_t length = WIDE_SIZE / coder->bytes * coder->step;
        size_t all = wide_size(coder) / coder->bytes * coder->step;

        for (size_t place = 0; place < 2 * coder->step; place++) {
            for (int character = 0; character < 256; character++) {
                bool is_digit =
                    character != 0 &&
                    (strchr(coder->digits, character) != NULL ||
                     (coder->digits == hex_digits && strchr(hex_digits, tolower(character)) != NULL));

                text[place] = (char)character;
                assert_int_equal(coder->decode(bytes, (unsigned char *)text, length),
                                 is_digit || all == 0 ? all : place / coder->step * coder->step);
            }
            text[place] = 'c';
        }
    }
}

/* Every character at every position of a text: a digit is taken, and of any other character the position is reported.
 * Steps that take several characters at once end at different positions. */
static void test_every_character_in_every_place(void **state)
{
    char text[4 * 64 + 32];
    unsigned char bytes[3 * 64 + 24];

    (void)state;
    for (size_t place = 0; place < sizeof text; place++) {
        for (int character = 0; character < 256; character++) {
            bool is_base64 = character != 0 && strchr(base64_digits, character) != NULL;
            bool is_hex = character != 0 && strchr(hex_digits, tolower(character)) != NULL;
            size_t size = 0;
            size_t bad = sizeof text;

            memset(text, '0', sizeof text);
            text[place] = (char)character;
            if (character != '=' || place != sizeof text - 1)
                assert_int_equal(um_base64_decode(bytes, text, sizeof text, &size, &bad), is_base64);
            if (!is_base64 && bad != sizeof text)
                assert_int_equal(bad, place);
            memset(text, '0', sizeof text);
            text[place] = (char)character;
            assert_int_equal(um_hex_decode(bytes, text, sizeof text, &size, &bad), is_hex);
            if (!is_hex)
                assert_int_equal(bad, place);
        }
    }
}

/* Every character at every position of a long text: it is passed over or stopped at, by steps of 64 characters. */
static void test_ordinary_characters_in_every_place(void **state)
{
    enum { STEP = 64, SIZE = 5 * STEP };
    unsigned char text[SIZE + 1];
    bool is_wide = um_text_ascii_avx2((const unsigned char *)memset(text, 'a', sizeof text), SIZE) == SIZE;

    (void)state;
    for (size_t place = 0; place < SIZE; place++) {
        for (int character = 0; character < 256; character++) {
            bool is_ascii = character < 0x80;
            bool is_plain = character >= ' ' && character != '"' && character != '\\';
            size_t before = is_wide ? place / STEP * STEP : 0;
            size_t all = is_wide ? SIZE : 0;

            memset(text, 'a', sizeof text);
            text[place + 1] = (unsigned char)character;
            assert_int_equal(um_text_ascii_avx2(text + 1, SIZE), is_ascii ? all : before);
            assert_int_equal(um_text_plain_avx2(text + 1, SIZE, false), is_plain ? all : before);
            assert_int_equal(um_text_plain_avx2(text + 1, SIZE, true), is_plain && is_ascii ? all : before);
        }
    }
    assert_int_equal(um_text_plain_avx2(text, STEP - 1, true), 0);
    assert_int_equal(um_text_ascii_avx2(text, STEP - 1), 0);
}

static void test_utf8_is_found_in_every_place(void **state)
{
    char text[200];

    (void)state;
    for (size_t place = 0; place < sizeof text; place++) {
        memset(text, 'a', sizeof text);
        text[place] = (char)0xff;
        assert_int_equal(um_utf8_check(text, sizeof text), place);
        assert_int_equal(um_utf8_check(text, place), place);
        if (place + 2 <= sizeof text) {
            memcpy(text + place, "\xc3\xa9", 2);
            assert_int_equal(um_utf8_check(text, sizeof text), sizeof text);
            assert_int_equal(um_utf8_check(text, place + 1), place);
        }
    }
}

static void test_utf8_names_the_first_bad_byte(void **state)
{
    (void)state;
    assert_int_equal(um_utf8_check("plain ascii, long enough for a word", 35), 35);
    assert_int_equal(um_utf8_check("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9), 9);
    assert_int_equal(um_utf8_check("ab\xff", 3), 2);
    assert_int_equal(um_utf8_check("a\xc0\x80", 3), 1);         /* overlong */
    assert_int_equal(um_utf8_check("\xe0\x80\x80", 3), 0);      /* overlong */
    assert_int_equal(um_utf8_check("\xed\xa0\x80", 3), 0);      /* surrogate */
    assert_int_equal(um_utf8_check("\xf4\x90\x80\x80", 4), 0);  /* past U+10FFFF */
    assert_int_equal(um_utf8_check("12345678\xe2\x82", 10), 8); /* cut */
}

static void test_every_error_has_its_own_code_and_name(void **state)
{
    static const int codes[] = {
#define CODE(identifier, code, name, text) code,
        UMEM_WIRE_ERRORS(CODE) UMEM_LIBRARY_ERRORS(CODE)
#undef CODE
    };
    size_t count = sizeof codes / sizeof codes[0];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            assert_int_not_equal(codes[i], codes[j]);
            assert_string_not_equal(umem_error_name(codes[i]), umem_error_name(codes[j]));
        }
    }
    assert_string_equal(umem_error_name(UMEM_E_STALE_HANDLE), "stale_handle");
    assert_string_equal(umem_error_name(-1), "unknown");
    assert_string_equal(umem_error_text(-1), "unknown error");
    assert_string_equal(umem_error_name(UMEM_OK), "ok");
}

/* One small chunk stays for the next message, whatever the size of the last one; large ones are freed. */
static void test_an_arena_keeps_one_small_chunk(void **state)
{
    enum { SMALL = 100, LARGE = 1 << 20 };
    struct um_arena arena = {NULL, 0, NULL};
    char *first = um_arena_alloc(&arena, SMALL);
    size_t size = um_arena_size(&arena);
    char *second = um_arena_alloc(&arena, 3);

    (void)state;
    assert_non_null(first);
    assert_true(second >= first + SMALL && (uintptr_t)second % UM_ARENA_ALIGNMENT == 0);
    memset(first, 1, SMALL);
    um_arena_reset(&arena);
    assert_int_equal(um_arena_size(&arena), size);
    assert_ptr_equal(um_arena_alloc(&arena, SMALL), first);
    memset(um_arena_alloc(&arena, LARGE), 1, LARGE);
    memset(um_arena_alloc(&arena, LARGE), 1, LARGE);
    assert_true(um_arena_size(&arena) >= size + 2 * LARGE);
    um_arena_reset(&arena);
    assert_int_equal(um_arena_size(&arena), size);
    assert_ptr_equal(um_arena_alloc(&arena, SMALL), first);
    assert_null(um_arena_alloc(&arena, SIZE_MAX));
    assert_null(um_arena_alloc(&arena, SIZE_MAX - 64));
    um_arena_deinit(&arena);
    /* Of one that had nothing but large ones, nothing is kept. */
    assert_non_null(um_arena_alloc(&arena, LARGE));
    um_arena_reset(&arena);
    assert_int_equal(um_arena_size(&arena), 0);
    um_arena_deinit(&arena);
}

/* As printf() writes the number, and nothing is written behind UM_DIGITS_SIZE bytes. */
static void check_digits(bool is_signed, uint64_t value)
{
    char expected[64];
    char written[UM_DIGITS_SIZE + 8];
    size_t size;

    if (is_signed)
        snprintf(expected, sizeof expected, "%" PRId64, (int64_t)value);
    else
        snprintf(expected, sizeof expected, "%" PRIu64, value);
    memset(written, '#', sizeof written);
    size = is_signed ? um_digits_put_int(written, (int64_t)value) : um_digits_put_uint(written, value);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(written, expected, size);
    assert_memory_equal(written + UM_DIGITS_SIZE, "########", 8);
}

static void test_digits_are_those_of_printf(void **state)
{
    enum { SMALL = 20000, RANDOM = 20000 };
    uint64_t power = 1;
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

    (void)state;
    for (uint64_t value = 0; value < SMALL; value++) {
        check_digits(false, value);
        check_digits(false, 100000000 - 1 - value);
        check_digits(false, value * 10000 + value / 2);
    }
    for (int digits = 1; digits < UM_DIGITS_SIZE; digits++) {
        power *= 10;
        for (uint64_t value = power - 2; value != power + 2; value++) {
            check_digits(false, value);
            check_digits(true, value);
            check_digits(true, 0 - value);
        }
    }
    for (int i = 0; i < RANDOM; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        check_digits(false, random >> i % 64);
        check_digits(true, random >> i % 64);
        check_digits(true, 0 - (random >> i % 64));
    }
    check_digits(false, UINT64_MAX);
    check_digits(true, UINT64_C(1) << 63);
    check_digits(true, (UINT64_C(1) << 63) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits_are_those_of_printf),
        cmocka_unit_test(test_an_arena_keeps_one_small_chunk),
        cmocka_unit_test(test_buf_keeps_its_limit),
        cmocka_unit_test(test_base64_vectors),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_wide_steps_are_in_this_build),
        cmocka_unit_test(test_wide_steps_by_themselves),
        cmocka_unit_test(test_wide_steps_stop_at_what_is_no_digit),
        cmocka_unit_test(test_every_character_in_every_place),
        cmocka_unit_test(test_ordinary_characters_in_every_place),
        cmocka_unit_test(test_utf8_is_found_in_every_place),
        cmocka_unit_test(test_every_byte_survives_both_encodings),
        cmocka_unit_test(test_utf8_names_the_first_bad_byte),
        cmocka_unit_test(test_every_error_has_its_own_code_and_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
