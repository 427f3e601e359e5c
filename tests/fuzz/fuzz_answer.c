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
#include "wire/json_value.h"

static bool lies_in(const struct um_json *json, const char *text, size_t size)
{
    size_t own_size;
    const char *own = um_json_text_of(json, &own_size);
    return own >= text && own <= text + size && own_size <= (size_t)(text + size - own);
}

/* A number is read as the C library reads it, and what is printed of it is read as the same. */
static void read_number(const struct um_json *value)
{
    char text[UM_DECIMAL_CAPACITY];
    double number;
    double again;
    float narrow;
    float narrow_again;
    size_t size = um_json_number_size(value);
    char *copy = malloc(size + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, value->text, size);
    copy[size] = '\0';
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
static void read_value(const struct um_json *value)
{
    uint64_t unsigned_number;
    int64_t signed_number;
    bool is_string = value->kind == UM_JSON_STRING;
    size_t capacity = is_string ? value->size + 1 : 1;
    char *text = malloc(capacity);
    FUZZ_CHECK(text != NULL);
    if (value->kind == UM_JSON_NUMBER)
        read_number(value);
    if (um_json_to_uint64(value, &unsigned_number) && unsigned_number <= INT64_MAX) {
        FUZZ_CHECK(um_json_to_int64(value, &signed_number));
        FUZZ_CHECK((uint64_t)signed_number == unsigned_number);
    }
    FUZZ_CHECK(um_json_to_text(value, text, capacity) == is_string);
    FUZZ_CHECK(!is_string || strlen(text) == value->size);
    free(text);
}

/* Visits all values of a tree, as reading has bounded their nesting. Returns how many there are. */
static size_t walk(const struct um_json *value)
{
    size_t count = 1;
    read_value(value);
    if (value->kind != UM_JSON_OBJECT && value->kind != UM_JSON_ARRAY)
        return count;
    for (const struct um_json *inner = value->child; inner != NULL; inner = inner->next)
        count += walk(inner);
    return count;
}

/* Splits a text that is JSON, and reads all that is in it: the tree has as many values as one that is read at once. */
static size_t split_and_walk(char *text, size_t size)
{
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check check;
    struct um_json *json;
    size_t count = 1;
    FUZZ_CHECK(um_json_split(text, size, &arena, &json, &check) == UMEM_OK);
    if (json->kind == UM_JSON_OBJECT || json->kind == UM_JSON_ARRAY) {
        for (const struct um_json *inner = json->child; inner != NULL; inner = inner->next) {
            struct um_json *tree;
            size_t inner_size;
            char *inner_text = um_json_text_of(inner, &inner_size);
            FUZZ_CHECK(lies_in(inner, text, size));
            FUZZ_CHECK(um_json_read(inner_text, inner_size, &arena, &tree, &check) == UMEM_OK);
            count += walk(tree);
        }
    }
    um_arena_deinit(&arena);
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
    FUZZ_CHECK(split_and_walk(text, size) == count_values(value));
    cJSON_Delete(value);
}

static void check_answer(char *text, size_t size)
{
    struct um_answer answer = {.code = 1};
    struct um_arena arena = {NULL, 0, NULL};
    const char *what = NULL;
    int code = um_answer_read(text, size, &arena, &answer, &what);
    if (code != UMEM_OK) {
        FUZZ_CHECK(code == UMEM_E_BAD_ANSWER && what != NULL);
        FUZZ_CHECK(answer.code == 1 && answer.id == 0);
    } else {
        (void)um_answer_is_for(&answer, 1);
        if (answer.kind == UM_ANSWER_RESULT)
            FUZZ_CHECK(lies_in(answer.result, text, size) && um_answer_tree(&answer, answer.result) != NULL);
        if (answer.kind == UM_ANSWER_ERROR)
            FUZZ_CHECK(lies_in(answer.message, text, size) && answer.message->kind == UM_JSON_STRING);
    }
    um_arena_deinit(&arena);
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
