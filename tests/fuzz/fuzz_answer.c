/*
 * The client's reading of what a daemon sends, be it broken or hostile; and the JSON check that stands before
 * it and before the daemon's own reading: what it accepts, cJSON must accept whole, and a walk over it must
 * stay in it. Input: one JSON text.
 */
#include <float.h>
#include <stdbool.h>
#include <string.h>

#include <cJSON.h>

#include "base/decimal.h"
#include "fuzz.h"
#include "lib/answer/answer.h"
#include "umem_errors.h"
#include "wire/json_read.h"

static bool lies_in(struct um_json_slice slice, const char *text, size_t size)
{
    return slice.text >= text && slice.text <= text + size &&
           slice.size <= (size_t)(text + size - slice.text);
}

/* A number is read as the C library reads it, and what is printed of it is read as the same. */
static void read_number(struct um_json_slice value)
{
    char text[UM_DECIMAL_CAPACITY];
    double number;
    double again;
    float narrow;
    float narrow_again;
    char *copy = malloc(value.size + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, value.text, value.size);
    copy[value.size] = '\0';
    FUZZ_CHECK(um_json_to_double(value, &number) && um_json_to_float(value, &narrow));
    /* Not where the library is known to be wrong: mingw-w64's. */
    if (strtod("3.839223843572815e-239", NULL) == 0x1.fffffffffffffp-793) {
        again = strtod(copy, NULL);
        narrow_again = strtof(copy, NULL);
        FUZZ_CHECK(memcmp(&number, &again, sizeof number) == 0);
        FUZZ_CHECK(memcmp(&narrow, &narrow_again, sizeof narrow) == 0);
    }
    free(copy);
    if (number >= -DBL_MAX && number <= DBL_MAX) {
        FUZZ_CHECK(um_decimal_read_double(text, um_decimal_print_double(number, text), &again));
        FUZZ_CHECK(memcmp(&number, &again, sizeof number) == 0);
    }
    if (narrow >= -FLT_MAX && narrow <= FLT_MAX) {
        FUZZ_CHECK(um_decimal_read_float(text, um_decimal_print_float(narrow, text), &narrow_again));
        FUZZ_CHECK(memcmp(&narrow, &narrow_again, sizeof narrow) == 0);
    }
}

/* Reads a value as everything that it may be. */
static void read_value(struct um_json_slice value)
{
    uint64_t unsigned_number;
    int64_t signed_number;
    char *room = malloc(value.size + 1);
    FUZZ_CHECK(room != NULL);
    if (*value.text == '-' || (*value.text >= '0' && *value.text <= '9'))
        read_number(value);
    if (um_json_to_uint64(value, &unsigned_number) && unsigned_number <= INT64_MAX) {
        FUZZ_CHECK(um_json_to_int64(value, &signed_number));
        FUZZ_CHECK((uint64_t)signed_number == unsigned_number);
    }
    if (um_json_to_text(value, room, value.size + 1)) {
        FUZZ_CHECK(um_json_is_string(value));
        FUZZ_CHECK(strlen(room) <= value.size);
    }
    free(room);
}

/* Goes through all values, as the JSON check has bounded their nesting. Returns how many there are. */
static size_t walk(struct um_json_slice value)
{
    struct um_json_slice key;
    struct um_json_slice inner;
    size_t count = 1;
    FUZZ_CHECK(value.size != 0);
    read_value(value);
    if (!um_json_is_object(value) && !um_json_is_array(value))
        return count;
    struct um_json_walk at = um_json_walk_into(value);
    while (um_json_is_object(value) ? um_json_next_member(&at, &key, &inner)
                                    : um_json_next_element(&at, &inner)) {
        FUZZ_CHECK(lies_in(inner, value.text, value.size));
        FUZZ_CHECK(um_json_is_array(value) || lies_in(key, value.text, value.size));
        count += walk(inner);
    }
    return count;
}

static size_t count_values(const cJSON *value)
{
    size_t count = 1;
    for (const cJSON *inner = value->child; inner != NULL; inner = inner->next)
        count += count_values(inner);
    return count;
}

/* What the check accepts, it accepts again, and all readers understand the same. */
static void check_json(char *text, size_t size)
{
    struct um_json_check check;
    const char *end = NULL;
    if (!um_json_check(text, size, &check)) {
        FUZZ_CHECK(check.what != NULL && check.bad_offset <= size);
        return;
    }
    FUZZ_CHECK(check.what == NULL);
    FUZZ_CHECK(um_json_check(text, size, &check) && !check.has_nul);
    cJSON *value = cJSON_ParseWithLengthOpts(text, size, &end, 0);
    FUZZ_CHECK(value != NULL);
    FUZZ_CHECK(walk(um_json_slice_of(text, size)) == count_values(value));
    cJSON_Delete(value);
}

static void check_answer(char *text, size_t size)
{
    struct um_answer answer = {.code = 1};
    const char *what = NULL;
    int code = um_answer_read(text, size, &answer, &what);
    if (code != UMEM_OK) {
        FUZZ_CHECK(code == UMEM_E_BAD_ANSWER && what != NULL);
        FUZZ_CHECK(answer.code == 1 && answer.id.text == NULL);
        return;
    }
    (void)um_answer_is_for(&answer, 1);
    if (answer.kind == UM_ANSWER_RESULT)
        FUZZ_CHECK(lies_in(answer.result, text, size));
    if (answer.kind == UM_ANSWER_ERROR)
        FUZZ_CHECK(lies_in(answer.message, text, size) && um_json_is_string(answer.message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly as large as the input, so that a sanitizer sees a byte read past it. */
    char *text = malloc(size != 0 ? size : 1);
    FUZZ_CHECK(text != NULL);
    if (size != 0)
        memcpy(text, data, size);
    check_json(text, size);
    if (size != 0)
        memcpy(text, data, size);
    check_answer(text, size);
    free(text);
    return 0;
}
