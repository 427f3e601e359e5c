/* Which word was meant: how far words are from each other, and how far is too far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "program/suggest.h"

/* The number of mistakes between what was typed and a word; SIZE_MAX: too many. */
static size_t mistakes(const char *typed, const char *word)
{
    struct um_suggestion suggestion;

    um_suggest_begin(&suggestion, typed);
    um_suggest_offer(&suggestion, word);
    if (suggestion.best == NULL)
        return SIZE_MAX;
    assert_ptr_equal(suggestion.best, word);
    assert_int_equal(suggestion.best_length, strlen(word));
    return suggestion.best_distance;
}

static void test_mistakes(void **state)
{
    (void)state;
    assert_int_equal(mistakes("alloc", "alloc"), 0);
    assert_int_equal(mistakes("aloc", "alloc"), 1);
    assert_int_equal(mistakes("allloc", "alloc"), 1);
    assert_int_equal(mistakes("allox", "alloc"), 1);
    assert_int_equal(mistakes("lloc", "alloc"), 1);
    assert_int_equal(mistakes("allo", "alloc"), 1);
    /* Neighbours that were swapped are one mistake, wherever they stand. */
    assert_int_equal(mistakes("laloc", "alloc"), 1);
    assert_int_equal(mistakes("lalloc", "alloc"), 1);
    assert_int_equal(mistakes("alolc", "alloc"), 1);
    assert_int_equal(mistakes("allco", "alloc"), 1);
    assert_int_equal(mistakes("craete", "create"), 1);
    assert_int_equal(mistakes("cretea", "create"), 2);
}

/* The shorter the word, the fewer mistakes it may have; one that has to be written anew as a whole was not meant. */
static void test_too_many(void **state)
{
    (void)state;
    assert_int_equal(mistakes("lx", "ls"), 1);
    assert_int_equal(mistakes("xy", "ls"), SIZE_MAX);
    assert_int_equal(mistakes("axy", "alloc"), SIZE_MAX);
    assert_int_equal(mistakes("alxy", "alloc"), SIZE_MAX);
    assert_int_equal(mistakes("allxy", "alloc"), 2);
    assert_int_equal(mistakes("endxyint", "endpoint"), 2);
    assert_int_equal(mistakes("endxyznt", "endpoint"), 3);
    assert_int_equal(mistakes("endxyzzt", "endpoint"), SIZE_MAX);
    assert_int_equal(mistakes("abc", "ls"), SIZE_MAX);
    assert_int_equal(
        mistakes("0123456789012345678901234567890123456789", "0123456789012345678901234567890123456789"), 0);
    assert_int_equal(
        mistakes("01234567890123456789012345678901234567890", "0123456789012345678901234567890123456789"),
        SIZE_MAX);
}

/* The nearest is the best; of two that are as near, the first. */
static void test_the_nearest(void **state)
{
    struct um_suggestion suggestion;

    (void)state;
    um_suggest_begin(&suggestion, "fre");
    um_suggest_offer(&suggestion, "fill");
    um_suggest_offer(&suggestion, "tree");
    um_suggest_offer(&suggestion, "free");
    um_suggest_offer(&suggestion, "fret");
    assert_string_equal(suggestion.best, "free");
    um_suggest_begin(&suggestion, "heaq");
    um_suggest_offer_start(&suggestion, "heap create", 4);
    assert_string_equal(suggestion.best, "heap create");
    assert_int_equal(suggestion.best_length, 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
