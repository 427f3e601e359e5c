/* The reader of answers, against answers that a broken or hostile daemon might give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "lib/answer/answer.h"
#include "lib/request/info.h"
#include "umem_client.h"

enum { ID = 7 };

/* What the answer before was, to see that it stays. */
static const struct um_answer before = {.kind = UM_ANSWER_NOTIFICATION, .code = 1};

/* Reads a copy that ends where the memory does, so that the sanitizers see a byte too far. */
static char *copy;
static struct um_arena arena;

static int read_text(struct um_answer *answer, const char *text)
{
    const char *what = NULL;
    size_t size = strlen(text);
    int code;

    free(copy);
    copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, text, size);
    *answer = before;
    code = um_answer_read(copy, size, &arena, answer, &what);
    if (code != UMEM_OK) {
        assert_non_null(what);
        assert_memory_equal(answer, &before, sizeof before);
    }
    return code;
}

static bool text_is(const struct um_json *json, const char *expected)
{
    size_t size;
    const char *text = um_json_text_of(json, &size);

    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

static void test_refused(void **state)
{
    static const char *const hostile[] = {
        "",
        "x",
        "7",
        "[]",
        "{}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}} {}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\xff\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7.5,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1e300,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":-7,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"result\":{}}",
        "{\"jsonrpc\":\"1.0\",\"id\":7,\"result\":{}}",
        "{\"jsonrpc\":2,\"id\":7,\"result\":{}}",
        "{\"id\":7,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"r\\u0065sult\":{}}",
        "{\"jsonrpc\":\"2.0\",\"ID\":7,\"Result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{},\"error\":{\"code\":-32002,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":0,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1e99,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-33001,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32002.5,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32002,\"message\":5}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32002}}",
    };
    struct um_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        if (read_text(&answer, hostile[i]) == UMEM_OK && um_answer_is_for(&answer, ID))
            fail_msg("taken for an answer: %s", hostile[i]);
    }
}

/* A line as the daemon would send it, its end included. */
static void test_result(void **state)
{
    struct um_answer answer;

    (void)state;
    assert_int_equal(
        read_text(&answer,
                  "{\"x\":[\"}]\\\"\",{\"result\":1}], \"result\" : {\"a\":9007199254740990} ,\"id\":7,"
                  "\"jsonrpc\":\"2.0\"}\r\n"),
        UMEM_OK);
    assert_int_equal(answer.kind, UM_ANSWER_RESULT);
    assert_true(um_answer_is_for(&answer, ID));
    assert_false(um_answer_is_for(&answer, ID + 1));
    assert_true(text_is(answer.result, "{\"a\":9007199254740990}"));
    assert_int_equal(read_text(&answer, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null}\n"), UMEM_OK);
    assert_true(um_json_is(answer.result, UM_JSON_NULL));
}

static void test_error(void **state)
{
    struct um_answer answer;

    (void)state;
    assert_int_equal(read_text(&answer,
                               "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32002,\"message\":\"m\","
                               "\"data\":{\"name\":\"stale_handle\",\"block\":12}}}"),
                     UMEM_OK);
    assert_int_equal(answer.kind, UM_ANSWER_ERROR);
    assert_int_equal(answer.code, UMEM_E_STALE_HANDLE);
    assert_true(text_is(answer.message, "\"m\""));
    assert_true(text_is(answer.data, "{\"name\":\"stale_handle\",\"block\":12}"));
    /* To a request that could not be read, and of a newer daemon. */
    assert_int_equal(
        read_text(
            &answer,
            "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32099,\"message\":\"\",\"data\":3}}"),
        UMEM_OK);
    assert_true(um_answer_is_for(&answer, ID));
    assert_int_equal(answer.code, -32099);
    assert_null(answer.data);
}

static void test_notification(void **state)
{
    struct um_answer answer;

    (void)state;
    assert_int_equal(read_text(&answer, "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{}}"),
                     UMEM_OK);
    assert_int_equal(answer.kind, UM_ANSWER_NOTIFICATION);
    assert_false(um_answer_is_for(&answer, ID));
}

/* ---- members ---- */

static const char *const members[][2] = {
    {"block", "5"},
    {"name", "null"},
    {"heap", "9007199254740991"},
    {"size", "4"},
    {"address", "\"18446744073709551615\""},
    {"lifetime", "\"session\""},
    {"owner", "{\"session\":3,\"pid\":4}"},
    {"holders", "1"},
    {"orphaned", "false"},
    {"created", "1700000000"},
};

enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

/* Reads a block's description, in which member number `index` is `text`; NULL: it is missing. */
static const char *read_block(size_t index, const char *text, struct umem_block_info *info)
{
    struct um_json_check check;
    struct um_json *json;
    char object[2048] = "{";
    size_t size = 1;

    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const char *value = i == index ? text : members[i][1];

        if (value != NULL)
            size += (size_t)snprintf(object + size, sizeof object - size, "%s\"%s\":%s", size > 1 ? "," : "",
                                     members[i][0], value);
    }
    snprintf(object + size, sizeof object - size, "}");
    assert_int_equal(um_json_read(object, size + 1, &arena, &json, &check), UMEM_OK);
    return um_info_read_block(json, info);
}

static void test_members(void **state)
{
    struct umem_block_info info;

    (void)state;
    assert_null(read_block(MEMBER_COUNT, NULL, &info));
    assert_true(info.block == 5 && info.heap == UMEM_SIZE_MAX && info.size == 4);
    assert_true(info.address == UINT64_MAX);
    assert_string_equal(info.name, "");
    assert_int_equal(info.lifetime, UMEM_LIFETIME_SESSION);
    assert_true(info.owner.session == 3 && info.owner.pid == 4);
}

static void test_bad_members(void **state)
{
    static const struct {
        size_t index;
        const char *text;
    } bad[] = {
        {0, "-1"},
        {0, "1.5"},
        {0, "[]"},
        {0, "null"},
        {0, "true"},
        {0, "1e999"},
        {1, "5"},
        {3, "\"\""},
        {3, "\"-1\""},
        {3, "\"1x\""},
        {4, "\"18446744073709551616\""},
        {5, "5"},
        {6, "5"},
        {7, "-1"},
        {8, "0"},
        {8, "\"true\""},
        {9, "{}"},
    };
    char name[UMEM_NAME_SIZE + 3];
    struct umem_block_info info;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (read_block(bad[i].index, bad[i].text, &info) == NULL)
            fail_msg("taken for \"%s\": %s", members[bad[i].index][0], bad[i].text);
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        /* The members "name" and "owner" may be absent. */
        if (i != 1 && i != 6 && read_block(i, NULL, &info) == NULL)
            fail_msg("not missed: \"%s\"", members[i][0]);
    }
    memset(name, 'n', sizeof name);
    name[0] = name[sizeof name - 2] = '"';
    name[sizeof name - 1] = '\0';
    assert_string_equal(read_block(1, name, &info), "name");
}

static int free_copy(void **state)
{
    (void)state;
    free(copy);
    um_arena_deinit(&arena);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_result),
        cmocka_unit_test(test_error),   cmocka_unit_test(test_notification),
        cmocka_unit_test(test_members), cmocka_unit_test(test_bad_members),
    };

    return cmocka_run_group_tests(tests, NULL, free_copy);
}
