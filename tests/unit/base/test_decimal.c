/*
 * common/base: doubles and floats as decimal text. What is expected comes from integer arithmetic of this file's own, which is slow
 * and plain, and from the C library's printf() and strtod() where the two can be compared.
 */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"

/* ---- plain big integers ---- */

enum { WORDS = 90 };

struct integer {
    uint32_t word[WORDS]; /* the lowest first */
    int count;            /* of words that are not 0, with those below */
};

static void set_count(struct integer *integer)
{
    integer->count = WORDS;
    while (integer->count != 0 && integer->word[integer->count - 1] == 0)
        integer->count--;
}

static struct integer integer_of(uint64_t high, uint64_t low)
{
    struct integer integer = {{(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)},
                              0};

    set_count(&integer);
    return integer;
}

static void multiply(struct integer *integer, uint32_t factor)
{
    uint64_t carry = 0;

    for (int i = 0; i < integer->count || carry != 0; i++) {
        assert_true(i < WORDS);
        carry += (uint64_t)integer->word[i] * factor;
        integer->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    set_count(integer);
}

static void multiply_times(struct integer *integer, uint32_t factor, int times)
{
    while (times > 0) {
        uint32_t product = 1;

        for (; times > 0 && product <= UINT32_MAX / factor; times--)
            product *= factor;
        multiply(integer, product);
    }
}

static void add_small(struct integer *integer, int32_t value)
{
    int64_t carry = value;

    for (int i = 0; i < WORDS; i++) {
        carry += integer->word[i];
        integer->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    set_count(integer);
}

static int bits_of(const struct integer *integer)
{
    uint32_t top = integer->count != 0 ? integer->word[integer->count - 1] : 0;
    int bits = 32 * (integer->count - (integer->count != 0));

    for (; top != 0; top >>= 1)
        bits++;
    return bits;
}

static int compare(const struct integer *left, const struct integer *right)
{
    for (int i = WORDS - 1; i >= 0; i--) {
        if (left->word[i] != right->word[i])
            return left->word[i] < right->word[i] ? -1 : 1;
    }
    return 0;
}

/* Writes all its digits. */
static void write_digits(struct integer integer, char *text)
{
    char digits[WORDS * 10 + 10];
    char *at = digits + sizeof digits;

    while (integer.count != 0) {
        uint64_t rest = 0;

        for (int i = integer.count - 1; i >= 0; i--) {
            rest = rest << 32 | integer.word[i];
            integer.word[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        set_count(&integer);
        for (int i = 0; i < 9 && (rest != 0 || integer.count != 0); i++, rest /= 10)
            *--at = (char)('0' + rest % 10);
    }
    memcpy(text, at, (size_t)(digits + sizeof digits - at));
    text[digits + sizeof digits - at] = '\0';
}

/* ---- the table ---- */

static const struct {
    uint64_t high;
    uint64_t low;
} powers[] = {
#include "base/decimal_powers.inc"
};

/* Each is the least integer that is not below 10^n * 2^m, for the m that gives it 128 bits. */
static void test_every_power_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(sizeof powers / sizeof powers[0], 324 + 342 + 1);
    for (int n = -342; n <= 324; n++) {
        struct integer table = integer_of(powers[n + 342].high, powers[n + 342].low);
        struct integer less = table;
        struct integer other = integer_of(0, 1);
        int more;

        assert_int_equal(bits_of(&table), 128);
        add_small(&less, -1);
        multiply_times(&other, 10, n < 0 ? 0 : n);
        multiply_times(&table, 10, n < 0 ? -n : 0);
        multiply_times(&less, 10, n < 0 ? -n : 0);
        /* Both sides with as many bits; then one of them may still be the double of what it must be. */
        more = bits_of(&other) - bits_of(&table);
        multiply_times(&table, 2, more);
        multiply_times(&less, 2, more);
        multiply_times(&other, 2, -more);
        if (compare(&table, &other) < 0) {
            multiply(&table, 2);
            multiply(&less, 2);
        }
        if (compare(&less, &other) >= 0)
            multiply(&other, 2);
        assert_true(compare(&less, &other) < 0 && compare(&other, &table) <= 0);
    }
}

/* ---- both ways ---- */

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void expect_double(const char *text, double wanted)
{
    double value = 42;

    if (!um_decimal_read_double(text, strlen(text), &value) ||
        bits_of_double(value) != bits_of_double(wanted))
        fail_msg("%s is read as %a, not %a", text, value, wanted);
}

static void expect_float(const char *text, float wanted)
{
    float value = 42;

    if (!um_decimal_read_float(text, strlen(text), &value) || bits_of_float(value) != bits_of_float(wanted))
        fail_msg("%s is read as %a, not %a", text, (double)value, (double)wanted);
}

/* A text's digits without point, exponent and zeros around them. */
static void digits_in(const char *text, char digits[32])
{
    size_t count = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (count != 0 || *text != '0'))
            digits[count++] = *text;
    }
    while (count != 0 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
}

/* Whether the number, printed with so many digits or as one of that text's neighbours, reads back. */
static bool some_text_reads_back(double value, int precision, double (*read)(const char *text))
{
    char text[64];
    char digits[32];
    int exponent;

    snprintf(text, sizeof text, "%.*e", precision - 1, value);
    exponent = atoi(strchr(text, 'e') + 1) - (precision - 1);
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, (size_t)precision - 1);
    digits[precision] = '\0';
    for (int step = -1; step <= 1; step++) {
        snprintf(text, sizeof text, "%llde%d", strtoll(digits, NULL, 10) + step, exponent);
        if (read(text) == value)
            return true;
    }
    return false;
}

/* Not every C library reads to the nearest number (mingw-w64's does not). Where it does not, what is tested below with this file's own
 * integers has to do. */
static bool is_library_exact(void)
{
    return strtod("3.839223843572815e-239", NULL) == 0x1.fffffffffffffp-793;
}

static double read_as_double(const char *text)
{
    double value = 0;

    if (is_library_exact())
        return strtod(text, NULL);
    assert_true(um_decimal_read_double(text, strlen(text), &value));
    return value;
}

static double read_as_float(const char *text)
{
    float value = 0;

    if (is_library_exact())
        return (double)strtof(text, NULL);
    assert_true(um_decimal_read_float(text, strlen(text), &value));
    return (double)value;
}

/* The text reads back, no shorter one does, and none with as many digits is nearer: printf() would print that one. A power of two is
 * nearer to the number below it, so that the nearest text may not be its own. */
static void check_text(double value, bool is_power, const char *text, double (*read)(const char *text))
{
    char digits[32];
    char others[32];
    char nearest[64];
    int count;

    if (read(text) != value)
        fail_msg("%a is printed as %s, which is %a", value, text, read(text));
    digits_in(text, digits);
    count = (int)strlen(digits);
    if (count > 1 && some_text_reads_back(value, count - 1, read))
        fail_msg("%a is printed as %s, and fewer digits would do", value, text);
    snprintf(nearest, sizeof nearest, "%.*e", count - 1, value);
    digits_in(nearest, others);
    if (strcmp(digits, others) != 0 && (!is_power || read(nearest) == value))
        fail_msg("%a is printed as %s, and %s is nearer", value, text, nearest);
}

static void check_double(uint64_t bits)
{
    double value = double_of(bits & INT64_MAX);
    char text[UM_DECIMAL_CAPACITY + 1];
    char negative[UM_DECIMAL_CAPACITY + 1];
    size_t size;

    if (!(value <= DBL_MAX) || value == 0)
        return;
    size = um_decimal_print_double(value, text);
    assert_in_range(size, 1, 24);
    text[size] = '\0';
    expect_double(text, value);
    check_text(value, (bits & ((UINT64_C(1) << 52) - 1)) == 0, text, read_as_double);
    size = um_decimal_print_double(-value, negative);
    negative[size] = '\0';
    assert_true(negative[0] == '-' && strcmp(negative + 1, text) == 0);
    expect_double(negative, -value);
}

static void check_float(uint32_t bits)
{
    float value = float_of(bits & INT32_MAX);
    char text[UM_DECIMAL_CAPACITY + 1];
    size_t size;

    if (!(value <= FLT_MAX) || value == 0)
        return;
    size = um_decimal_print_float(value, text);
    assert_in_range(size, 1, 16);
    text[size] = '\0';
    expect_float(text, value);
    check_text((double)value, (bits & 0x7fffff) == 0, text, read_as_float);
}

/* xorshift64*, so that a failure comes back. */
static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random * UINT64_C(2685821657736338717);
}

/* Around each power of two, and at random. */
static void test_doubles_of_every_exponent(void **state)
{
    uint64_t random = UINT64_C(88172645463325252);

    (void)state;
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        uint64_t bits = exponent << 52;

        check_double(bits);
        check_double(bits + 1);
        check_double(bits + UINT64_C(0xfffffffffffff));
        for (int i = 0; i < 3; i++)
            check_double(bits | next_random(&random) >> 12);
        /* Few bits make few digits. */
        check_double(bits | (next_random(&random) >> 60) << 48);
    }
}

static void test_floats_of_every_exponent(void **state)
{
    uint64_t random = UINT64_C(88172645463325252);

    (void)state;
    for (uint32_t exponent = 0; exponent < 255; exponent++) {
        uint32_t bits = exponent << 23;

        check_float(bits);
        check_float(bits + 1);
        check_float(bits + 0x7fffff);
        for (int i = 0; i < 30; i++)
            check_float(bits | (uint32_t)(next_random(&random) >> 41));
    }
}

static void test_decimals_of_every_size(void **state)
{
    (void)state;
    for (int exponent = -323; exponent <= 308; exponent++) {
        for (int digits = 1; digits < 1800; digits = digits * 3 + 1) {
            char text[32];

            snprintf(text, sizeof text, "%de%d", digits, exponent);
            if (strtod(text, NULL) <= DBL_MAX)
                check_double(bits_of_double(strtod(text, NULL)));
            if (strtof(text, NULL) <= FLT_MAX)
                check_float(bits_of_float(strtof(text, NULL)));
        }
    }
}

static void test_how_they_are_written(void **state)
{
    static const struct {
        double value;
        const char *text;
    } doubles[] = {
        {0.0, "0"},
        {-0.0, "-0.0"},
        {1.0, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {100.0, "100"},
        {123456.789, "123456.789"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-5"},
        {1e15, "1000000000000000"},
        {1.5e15, "1500000000000000"},
        {9007199254740991.0, "9007199254740991"},
        {9007199254740992.0, "9007199254740992"},
        {9007199254740994.0, "9007199254740994"},
        {1e16, "1e+16"},
        {1e20, "1e+20"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {9.5e-300, "9.5e-300"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
        {0x1p-1074, "5e-324"},
        {0x1p-1073, "1e-323"},
    };
    static const struct {
        float value;
        const char *text;
    } floats[] = {
        {0.1F, "0.1"},
        {16777216.0F, "16777216"},
        {FLT_MAX, "3.4028235e+38"},
        {FLT_MIN, "1.1754944e-38"},
        {0x1p-149F, "1e-45"},
        {-0.0F, "-0.0"},
        {3.3554432e7F, "33554432"},
        {8.5899346e9F, "8.589935e+9"},
        {1e10F, "10000000000"},
        {33554436.0F, "33554436"},
    };
    char text[UM_DECIMAL_CAPACITY + 1];

    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        text[um_decimal_print_double(doubles[i].value, text)] = '\0';
        assert_string_equal(text, doubles[i].text);
        expect_double(text, doubles[i].value);
    }
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        text[um_decimal_print_float(floats[i].value, text)] = '\0';
        assert_string_equal(text, floats[i].text);
        expect_float(text, floats[i].value);
    }
}

/* ---- middles: the middle of two numbers is rounded to the even one ---- */

/* All digits of (2 * significand + 1) * 2^(exponent - 1) + step in the last place, with a fraction's exponent behind. */
static void write_middle(uint64_t significand, int exponent, int step, const char *more, char *text)
{
    struct integer middle = integer_of(0, 2 * significand + 1);
    int twos = exponent - 1;

    multiply_times(&middle, 2, twos > 0 ? twos : 0);
    multiply_times(&middle, 5, twos < 0 ? -twos : 0);
    /* Makes place for a step that is smaller than the last digit of the middle. */
    multiply(&middle, 10);
    add_small(&middle, step);
    write_digits(middle, text);
    sprintf(text + strlen(text), "%se%d", more, (twos < 0 ? twos : 0) - 1 - (int)strlen(more));
}

static void check_middle(uint64_t significand, int exponent, double lower, double upper)
{
    char text[2000];

    write_middle(significand, exponent, 0, "", text);
    expect_double(text, significand % 2 == 0 ? lower : upper);
    write_middle(significand, exponent, 0, "0000000000000000000", text);
    expect_double(text, significand % 2 == 0 ? lower : upper);
    write_middle(significand, exponent, 0, "0000000000000000000000000000000000000000000001", text);
    expect_double(text, upper);
    write_middle(significand, exponent, 1, "", text);
    expect_double(text, upper);
    write_middle(significand, exponent, -1, "", text);
    expect_double(text, lower);
    write_middle(significand, exponent, -1, "9999999999999999999999", text);
    expect_double(text, lower);
}

static void test_middles_of_doubles(void **state)
{
    uint64_t random = UINT64_C(1234567);

    (void)state;
    for (uint64_t field = 0; field < 2047; field += 1 + field % 13) {
        uint64_t fraction = field % 5 == 0   ? 0
                            : field % 5 == 1 ? UINT64_C(0xfffffffffffff)
                                             : next_random(&random) >> 12;
        uint64_t bits = field << 52 | fraction;
        uint64_t significand = field == 0 ? fraction : fraction | UINT64_C(1) << 52;

        check_middle(significand, (field == 0 ? 1 : (int)field) - 1075, double_of(bits), double_of(bits + 1));
    }
    /* Below the smallest number, and above the largest. */
    check_middle(0, -1074, 0.0, 0x1p-1074);
    check_middle((UINT64_C(1) << 53) - 1, 971, DBL_MAX, (double)INFINITY);
}

/* The middle of two floats is a double. */
static void test_middles_of_floats(void **state)
{
    uint64_t random = UINT64_C(7654321);

    (void)state;
    for (uint32_t field = 0; field < 255; field++) {
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t bits = field << 23 | (i == 0   ? 0
                                           : i == 1 ? 0x7fffff
                                                    : (uint32_t)(next_random(&random) >> 41));
            bool is_last = bits == 0x7f7fffff;
            double upper = is_last ? 0x1p128 : (double)float_of(bits + 1);
            double middle = (double)float_of(bits) / 2 + upper / 2;
            char text[400];
            size_t size;

            /* Exact: no such double has more digits. */
            size = (size_t)snprintf(text, sizeof text, "%.180e", middle);
            expect_float(text, float_of(bits % 2 == 0 ? bits : bits + 1));
            /* Digits put in before the exponent make it larger. */
            memmove(strchr(text, 'e') + 1, strchr(text, 'e'), size - (size_t)(strchr(text, 'e') - text) + 1);
            text[182] = '1';
            expect_float(text, float_of(bits + 1));
            snprintf(text, sizeof text, "%.17e", double_of(bits_of_double(middle) - 1));
            expect_float(text, float_of(bits));
        }
    }
}

/* ---- texts ---- */

static void test_texts_that_are_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } texts[] = {
        {"0", 0.0},
        {"-0", -0.0},
        {"-0.0e-99999999999999999999", -0.0},
        {"0e99999999999999999999999", 0.0},
        {"007", 7.0},
        {"1.", 1.0},
        {".5", 0.5},
        {"-.5e1", -5.0},
        {"1E+2", 100.0},
        {"1e400", (double)INFINITY},
        {"-1e99999999999999999999999999999999999999", -(double)INFINITY},
        {"1e-400", 0.0},
        {"-1e-99999999999999999999999999999999999999", -0.0},
        {"1.7976931348623157e308", DBL_MAX},
        {"1.7976931348623158e308", DBL_MAX},
        {"1.7976931348623159e308", (double)INFINITY},
        {"17976931348623157000000000000e280", DBL_MAX},
        {"4.9406564584124654e-324", 0x1p-1074},
        {"2.4703282292062327e-324", 0.0},
        {"2.4703282292062328e-324", 0x1p-1074},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
        {"2.2250738585072012e-308", DBL_MIN},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.0", 9007199254740992.0},
        {"9007199254740993.00000000000000000000000000000001", 9007199254740994.0},
        {"9007199254740995", 9007199254740996.0},
        {"900719925474099300000000000000e-14", 9007199254740992.0},
        {"18446744073709551615", 18446744073709551616.0},
        {"0.500000000000000166533453693773481063544750213623046875", 0.5000000000000002},
        {"1.00000000000000011102230246251565404236316680908203125", 1.0},
        {"1.00000000000000011102230246251565404236316680908203124", 1.0},
        {"1.00000000000000011102230246251565404236316680908203126", 0x1.0000000000001p0},
        {"1e23", 0x1.52d02c7e14af6p+76},
        {"100000000000000000000000", 0x1.52d02c7e14af6p+76},
        {"100000000000000000000001", 0x1.52d02c7e14af7p+76},
    };
    char text[4096];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_double(texts[i].text, texts[i].value);
    /* Zeros of any number before and behind the digits. */
    for (int count = 1; count < 2000; count += 1 + count / 5) {
        memset(text, '0', sizeof text);
        memcpy(text, "0.", 2);
        snprintf(text + 2 + count, 32, "25e%d", count + 1);
        expect_double(text, 2.5);
        memset(text, '0', sizeof text);
        text[0] = '2';
        text[1] = '5';
        snprintf(text + 2 + count, 32, "e-%d", count + 1);
        expect_double(text, 2.5);
    }
    expect_float("3.4028235e38", FLT_MAX);
    expect_float("3.4028235677973367e38", (float)INFINITY);
    expect_float("3.4028235677973366e38", FLT_MAX);
    expect_float("7.006492321624085e-46", 0.0F);
    expect_float("7.006492321624086e-46", 0x1p-149F);
    /* Not by way of a double, which would be the middle of two floats. */
    expect_float("1.00000005960464477539062501", 0x1.000002p0F);
}

static void test_texts_that_are_none(void **state)
{
    static const char *const texts[] = {
        "",    "-",     ".",   "-.",  "e1",  "1e",  "1e+", "1e-",   "1e1.0",         "+1",  " 1", "1 ",
        "--1", "1.2.3", "0x1", "inf", "nan", "NaN", "1,5", "1e5e5", "1\xd9\xab\x35", "1_0", "1f", "1e 5",
    };
    double value = 42;
    float narrow = 42;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (um_decimal_read_double(texts[i], strlen(texts[i]), &value) ||
            um_decimal_read_float(texts[i], strlen(texts[i]), &narrow))
            fail_msg("\"%s\" is taken as a number", texts[i]);
    }
    assert_true(value == 42 && narrow == 42);
    assert_false(um_decimal_read_double("", 0, &value));
    /* Characters behind the text are not read. */
    assert_true(um_decimal_read_double("12345678.5e3x", 4, &value) && value == 1234);
}

/* How a program's own arithmetic rounds is none of the business of what it sends. */
static void test_no_rounding_mode_matters(void **state)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    char text[UM_DECIMAL_CAPACITY + 1];

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        double third = double_of(UINT64_C(0x3fd5555555555555));
        double value = 0;
        float narrow = 0;

        assert_int_equal(fesetround(modes[i]), 0);
        text[um_decimal_print_double(third, text)] = '\0';
        (void)um_decimal_read_double("0.3333333333333333148296162562473909929394721984863281251", 55, &value);
        (void)um_decimal_read_float("0.1", 3, &narrow);
        fesetround(FE_TONEAREST);
        assert_string_equal(text, "0.3333333333333333");
        assert_true(bits_of_double(value) == UINT64_C(0x3fd5555555555555));
        assert_true(bits_of_float(narrow) == 0x3dcccccd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_power_of_the_table), cmocka_unit_test(test_doubles_of_every_exponent),
        cmocka_unit_test(test_floats_of_every_exponent), cmocka_unit_test(test_decimals_of_every_size),
        cmocka_unit_test(test_how_they_are_written),     cmocka_unit_test(test_middles_of_doubles),
        cmocka_unit_test(test_middles_of_floats),        cmocka_unit_test(test_texts_that_are_numbers),
        cmocka_unit_test(test_texts_that_are_none),      cmocka_unit_test(test_no_rounding_mode_matters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
