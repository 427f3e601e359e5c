/* common/base/search: every answer is that of a search which tries each place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/needle.h"

enum {
    NOWHERE = -1,
    LETTERS_CAPACITY = 16 /* more than any text of two letters has */
};

static long naive(const char *needle, size_t needle_size, const char *haystack, size_t size)
{
    for (size_t at = 0; at + needle_size <= size; at++) {
        if (memcmp(haystack + at, needle, needle_size) == 0)
            return (long)at;
    }
    return NOWHERE;
}

static long find(const char *needle, size_t needle_size, const char *haystack, size_t size)
{
    struct um_needle prepared;
    size_t at = 12345;

    um_needle_init(&prepared, needle, needle_size);
    if (!um_needle_find(&prepared, haystack, size, &at)) {
        assert_int_equal(at, 12345);
        return NOWHERE;
    }
    return (long)at;
}

static void compare(const char *needle, size_t needle_size, const char *haystack, size_t size)
{
    long expected = naive(needle, needle_size, haystack, size);
    long found = find(needle, needle_size, haystack, size);

    if (found != expected)
        print_error("\"%.*s\" in \"%.*s\"\n", (int)needle_size, needle, (int)size, haystack);
    assert_int_equal(found, expected);
}

/* Memory that ends where its bytes do, so that a sanitizer sees a byte too many. */
static char *exactly(const char *bytes, size_t size)
{
    char *copy = malloc(size != 0 ? size : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

/* Writes the `number`th text of `size` letters out of a and b. */
static void spell(char *text, size_t size, unsigned number)
{
    for (size_t i = 0; i < size; i++)
        text[i] = (number >> i & 1) != 0 ? 'b' : 'a';
}

/* All needles of up to 7 letters in all haystacks of up to 12: two letters make every kind of period. */
static void test_all_texts_of_two_letters(void **state)
{
    enum { NEEDLE_MOST = 7, HAYSTACK_MOST = 12 };
    char needle[LETTERS_CAPACITY];
    char haystack[LETTERS_CAPACITY];

    (void)state;
    for (size_t needle_size = 1; needle_size <= NEEDLE_MOST; needle_size++) {
        for (unsigned i = 0; i < 1u << needle_size; i++) {
            struct um_needle prepared;

            spell(needle, needle_size, i);
            um_needle_init(&prepared, needle, needle_size);
            for (unsigned j = 0; j < 1u << HAYSTACK_MOST; j++) {
                size_t at = 99;
                bool found;
                long expected;

                /* Shorter haystacks are the starts of these. */
                spell(haystack, HAYSTACK_MOST, j);
                expected = naive(needle, needle_size, haystack, HAYSTACK_MOST);
                found = um_needle_find(&prepared, haystack, HAYSTACK_MOST, &at);
                assert_int_equal(found ? (long)at : NOWHERE, expected);
            }
        }
    }
}

/* Every needle in every haystack that is as long or a little longer, where an edge would be overlooked. */
static void test_needles_about_as_long_as_the_haystack(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 9; size++) {
        for (unsigned i = 0; i < 1u << size; i++) {
            char text[LETTERS_CAPACITY];
            char *haystack;

            spell(text, size, i);
            haystack = exactly(text, size);
            for (size_t needle_size = size >= 2 ? size - 2 : 0; needle_size <= size + 1; needle_size++) {
                for (unsigned j = 0; j < 1u << needle_size; j++) {
                    char letters[LETTERS_CAPACITY];
                    char *needle;

                    spell(letters, needle_size, j);
                    needle = exactly(letters, needle_size);
                    compare(needle, needle_size, haystack, size);
                    free(needle);
                }
            }
            free(haystack);
        }
    }
}

static void test_the_edges(void **state)
{
    (void)state;
    assert_int_equal(find("", 0, "abc", 3), 0);
    assert_int_equal(find("", 0, "", 0), 0);
    assert_int_equal(find("a", 1, "", 0), NOWHERE);
    assert_int_equal(find("abc", 3, "abc", 3), 0);
    assert_int_equal(find("abcd", 4, "abc", 3), NOWHERE);
    assert_int_equal(find("c", 1, "abc", 3), 2);
    assert_int_equal(find("bc", 2, "abc", 3), 1);
    assert_int_equal(find("\0\0\1", 3, "\0\0\0\0\1", 5), 2);
    assert_int_equal(find("\1\0\0", 3, "\0\0\1\0\0", 5), 2);
    assert_int_equal(find("\0\0", 2, "\1\0\1\0\0", 5), 3);
    assert_int_equal(find("\xff\x80", 2, "\x7f\x80\xff\x80", 4), 2);
}

static unsigned next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Needles cut out of what they are looked for in, some of them with one byte changed. */
static void test_random_texts(void **state)
{
    enum { ROUNDS = 20000, MOST = 200 };
    uint32_t seed = 20240607;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        unsigned letters = 1 + next_random(&seed) % 4;
        size_t size = next_random(&seed) % MOST;
        size_t from = size != 0 ? next_random(&seed) % size : 0;
        size_t needle_size = size != from ? next_random(&seed) % (size - from) : 0;
        char haystack[MOST];
        char needle[MOST];

        for (size_t i = 0; i < size; i++)
            haystack[i] = (char)(next_random(&seed) % letters);
        memcpy(needle, haystack + from, needle_size);
        if (needle_size != 0 && next_random(&seed) % 2 == 0)
            needle[next_random(&seed) % needle_size] = (char)(next_random(&seed) % letters);
        compare(needle, needle_size, haystack, size);
    }
}

/* A word over and over, in haystacks that break its rhythm at each place once. */
static void test_periodic_needles(void **state)
{
    static const char *const words[] = {"a", "ab", "aab", "aba", "abb", "abaab", "aabaabb", "abcabd"};
    enum { SIZE = 120 };

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t period = strlen(words[i]);
        char needle[SIZE];
        char haystack[SIZE];

        for (size_t j = 0; j < SIZE; j++)
            needle[j] = words[i][j % period];
        for (size_t needle_size = 1; needle_size < 40; needle_size++) {
            for (size_t broken = 0; broken < SIZE; broken++) {
                memcpy(haystack, needle, SIZE);
                haystack[broken] = 'x';
                compare(needle, needle_size, haystack, SIZE);
                /* The rhythm is met late: a 'x' at each place before. */
                memset(haystack, 'x', broken);
                compare(needle, needle_size, haystack, SIZE);
            }
        }
    }
}

/* A window after the other, each beginning where a match could have been cut. */
static void test_windows(void **state)
{
    static const char haystack[] = "abaabaabaababaabaabaabaaabaabab";
    static const char needle[] = "aabaabaaab";
    size_t size = strlen(haystack);
    size_t needle_size = strlen(needle);
    long expected = naive(needle, needle_size, haystack, size);
    struct um_needle prepared;

    (void)state;
    um_needle_init(&prepared, needle, needle_size);
    for (size_t window = needle_size; window <= size; window++) {
        long found = NOWHERE;

        for (size_t from = 0; from + needle_size <= size && found == NOWHERE;
             from += window - needle_size + 1) {
            size_t left = size - from < window ? size - from : window;
            size_t at = 0;

            if (um_needle_find(&prepared, haystack + from, left, &at))
                found = (long)(from + at);
        }
        assert_int_equal(found, expected);
    }
}

/* Looks for half of `size` bytes that nearly occur everywhere, and does not find them but once. */
static void search_long(char *haystack, size_t size, char *needle, char common, char rare)
{
    size_t half = size / 2;

    memset(haystack, common, size);
    memset(needle, common, half);
    needle[half - 1] = rare;
    assert_int_equal(find(needle, half, haystack, size), NOWHERE);
    haystack[size - 1] = rare;
    assert_int_equal(find(needle, half, haystack, size), half);
    haystack[size - 1] = common;
    needle[half - 1] = common;
    needle[0] = rare;
    assert_int_equal(find(needle, half, haystack, size), NOWHERE);
    needle[0] = common;
    needle[half / 2] = rare;
    assert_int_equal(find(needle, half, haystack, size), NOWHERE);
    /* A rhythm that only one byte of the needle breaks, in a haystack that has it all along. */
    for (size_t i = 0; i < size; i++)
        haystack[i] = i % 3 == 2 ? rare : common;
    memcpy(needle, haystack, half);
    needle[half - 1] = 'c';
    assert_int_equal(find(needle, half, haystack, size), NOWHERE);
    needle[half - 1] = haystack[half - 1];
    needle[0] = 'c';
    assert_int_equal(find(needle, half, haystack, size), NOWHERE);
}

/* Where a search that tries each position needs 10^11 steps, the test would not end. */
static void test_the_worst_cases_end(void **state)
{
    enum { SIZE = 1 << 20 };
    char *haystack = malloc(SIZE);
    char *needle = malloc(SIZE / 2);

    (void)state;
    assert_non_null(haystack);
    assert_non_null(needle);
    search_long(haystack, SIZE, needle, 'a', 'b');
    search_long(haystack, SIZE, needle, 'b', 'a');
    search_long(haystack, SIZE, needle, '\0', 'a');
    search_long(haystack, SIZE, needle, 'a', '\0');
    free(needle);
    free(haystack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_texts_of_two_letters),
        cmocka_unit_test(test_needles_about_as_long_as_the_haystack),
        cmocka_unit_test(test_the_edges),
        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_periodic_needles),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_the_worst_cases_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
