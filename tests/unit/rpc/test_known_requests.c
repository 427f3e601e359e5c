/* Requests of the shape of an earlier one: each is answered to the letter as where it is read in full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/known_request.h"

enum { TRIES = 16 /* messages after which a shape is known at the latest */, OTHERS = 4 };

/* Whether the engine has a shape for it. */
static bool is_known(struct um_rpc *rpc, const char *message)
{
    unsigned char last = 0;
    size_t size = strlen(message);
    char *copy = malloc(size + 1);
    bool found;

    assert_non_null(copy);
    memcpy(copy, message, size + 1);
    found = um_known_requests_find(rpc->known_requests, &last, copy, size) != NULL;
    assert_true(found || strcmp(copy, message) == 0);
    free(copy);
    return found;
}

static char *answer_to(struct um_session *session, const char *message)
{
    return fixture_text(session, message, strlen(message));
}

/* The answer where the message is read in full: it has a member that no other has had. */
static char *full_answer_to(struct um_session *session, const char *message)
{
    static unsigned number;
    size_t size = strlen(message) + 32;
    char *longer = malloc(size);
    char *answer;

    assert_non_null(longer);
    assert_int_equal(message[0], '{');
    snprintf(longer, size, "{\"new%u\":0,%s", number++, message + 1);
    assert_false(is_known(session->rpc, longer));
    answer = answer_to(session, longer);
    free(longer);
    return answer;
}

static void learn(struct um_session *session, const char *message)
{
    for (int i = 0; i < TRIES; i++)
        free(answer_to(session, message));
    if (!is_known(session->rpc, message))
        fail_msg("is not known: %s", message);
}

static void expect_same_answer(struct um_session *session, const char *message)
{
    char *known;
    char *full;

    if (!is_known(session->rpc, message))
        fail_msg("is not known: %s", message);
    known = answer_to(session, message);
    full = full_answer_to(session, message);
    assert_string_equal(known, full);
    free(known);
    free(full);
}

/* Copies a message with a handle in place of "@". */
static void put_handle(char *message, size_t capacity, const char *format, uint64_t handle)
{
    size_t before = strcspn(format, "@");
    const char *behind = format[before] != '\0' ? format + before + 1 : NULL;

    if (behind != NULL)
        snprintf(message, capacity, "%.*s%llu%s", (int)before, format, (ULL)handle, behind);
    else
        snprintf(message, capacity, "%s", format);
}

static void test_answers_are_the_same(void **state)
{
    static const struct {
        const char *example;
        const char *others[OTHERS];
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}",
         {"{\"jsonrpc\":\"2.0\",\"id\":-9007199254740991,\"method\":\"server.ping\"}"}},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"server.ping\",\"params\":null}",
         {"{\"jsonrpc\":\"2.0\",\"id\":\"\",\"method\":\"server.ping\",\"params\":null}"}},
        {"{\"method\":\"server.ping\",\"params\":[{}]}", {NULL}},
        {"{\"id\":null,\"method\":\"server.ping\",\"params\":[]}", {NULL}},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}", {NULL}},
        {"{\"id\":1,\"method\":\"block.read\",\"params\":{\"block\":@,\"offset\":0,\"size\":2}}",
         {"{\"id\":2,\"method\":\"block.read\",\"params\":{\"block\":@,\"offset\":1,\"size\":0}}",
          "{\"id\":3,\"method\":\"block.read\",\"params\":{\"block\":@,\"offset\":5,\"size\":1}}",
          "{\"id\":4,\"method\":\"block.read\",\"params\":{\"block\":99,\"offset\":0,\"size\":2}}",
          "{\"id\":5,\"method\":\"block.read\",\"params\":{\"block\":@,\"offset\":0,\"size\":-1}}"}},
        {"{\"id\":1,\"method\":\"block.read\",\"params\":[@,null,2,\"hex\"]}",
         {"{\"id\":1,\"method\":\"block.read\",\"params\":[@,null,4,\"utf8\"]}",
          "{\"id\":1,\"method\":\"block.read\",\"params\":[@,null,4,\"raw\"]}",
          "{\"id\":1,\"method\":\"block.read\",\"params\":[@,null,4,\"rot13\"]}"}},
        {"{\"id\":1,\"method\":\"block.write\",\"params\":{\"data\":\"aGVsbG8=\",\"block\":@}}",
         {"{\"id\":1,\"method\":\"block.write\",\"params\":{\"data\":\"\",\"block\":@}}",
          "{\"id\":1,\"method\":\"block.write\",\"params\":{\"data\":\"aGVsbG8\",\"block\":@}}",
          "{\"id\":1,\"method\":\"block.write\",\"params\":{\"data\":\"aGVsbG8gd29ybGQ=\",\"block\":@}}",
          "{\"id\":1,\"method\":\"block.write\",\"params\":{\"data\":\"aGk=\",\"block\":0}}"}},
        {"{\"id\":1,\"method\":\"block.info\",\"params\":{\"block\":\"name\"}}",
         {"{\"id\":1,\"method\":\"block.info\",\"params\":{\"block\":\":name\"}}",
          "{\"id\":1,\"method\":\"block.info\",\"params\":{\"block\":\"1\"}}",
          "{\"id\":1,\"method\":\"block.info\",\"params\":{\"block\":\"\"}}",
          "{\"id\":1,\"method\":\"block.info\",\"params\":{\"block\":\"no such\"}}"}},
        {"{\"id\":1,\"method\":\"block.set\",\"params\":{\"block\":@,\"offset\":0,\"type\":\"u8\",\"values\":"
         "[1,2,3]}}",
         {"{\"id\":1,\"method\":\"block.set\",\"params\":{\"block\":@,\"offset\":0,\"type\":\"u8\","
          "\"values\":[1,256,3]}}",
          "{\"id\":1,\"method\":\"block.set\",\"params\":{\"block\":@,\"offset\":0,\"type\":\"u16\","
          "\"values\":[1,2,3]}}",
          "{\"id\":1,\"method\":\"block.set\",\"params\":{\"block\":@,\"offset\":0,\"type\":\"\",\"values\":["
          "1,2,3]}}"}},
        {"{\"id\":1,\"method\":\"block.alloc\",\"params\":{}}", {NULL}},
        {"{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":8,\"name\":\"name\"}}",
         {"{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":-1,\"name\":\"b\"}}",
          "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":8,\"name\":\"\"}}",
          "{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":8,\"name\":\":\"}}"}},
    };
    struct um_session *session = &((struct fixture *)*state)->session;

    uint64_t block = new_block(session, "{\"size\":5,\"name\":\"name\"}");
    char message[256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_handle(message, sizeof message, cases[i].example, block);
        learn(session, message);
        expect_same_answer(session, message);
        for (size_t j = 0; j < OTHERS && cases[i].others[j] != NULL; j++) {
            put_handle(message, sizeof message, cases[i].others[j], block);
            expect_same_answer(session, message);
        }
    }
}

/* A shape is one of a message without mistakes, but for its values. */
static void test_wrong_messages_are_not_learned(void **state)
{
    static const char *const messages[] = {
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"server.ping\"}",
        "{\"id\":1,\"method\":\"no.such\"}",
        "{\"id\":1}",
        "{\"id\":1,\"id\":2,\"method\":\"server.ping\"}",
        "{\"id\":true,\"method\":\"server.ping\"}",
        "{\"id\":1,\"method\":\"server.ping\",\"params\":1}",
        "{\"id\":1,\"method\":\"server.ping\",\"params\":[1]}",
        "{\"id\":1,\"method\":\"block.info\",\"params\":{\"block\":1,\"block\":2}}",
        "{\"id\":1,\"method\":\"block.info\",\"params\":{\"nothing\":1}}",
        "[{\"id\":1,\"method\":\"server.ping\"}]",
        "{\"id\":1,\"method\":\"server.ping\"}{\"id\":2,\"method\":\"server.ping\"}",
        "{\"id\":1,\"method\":\"server.ping\"",
        "1",
    };
    struct um_session *session = &((struct fixture *)*state)->session;

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        for (int j = 0; j < TRIES; j++)
            free(answer_to(session, messages[i]));
        if (is_known(session->rpc, messages[i]))
            fail_msg("is known: %s", messages[i]);
    }
}

/* An id is a value, and may be too long. */
static void test_a_long_id_of_a_known_request(void **state)
{
    static const char format[] = "{\"id\":\"%0*d\",\"method\":\"server.ping\"}";
    struct um_session *session = &((struct fixture *)*state)->session;
    char message[2048];

    snprintf(message, sizeof message, format, 1, 0);
    learn(session, message);
    for (int size = 1023; size <= 1025; size++) {
        snprintf(message, sizeof message, format, size, 0);
        expect_same_answer(session, message);
    }
}

/* With more shapes than there is space for, the last ones are known, and what was replaced is learned anew. */
static void test_more_shapes_than_are_kept(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    char message[128];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++) {
            snprintf(message, sizeof message, "{\"id\":7,\"method\":\"server.ping\",\"x%d\":0}", i);
            learn(session, message);
            expect_same_answer(session, message);
        }
    }
}

/* A call that goes on does not depend on the message that began it. */
static void test_calls_that_wait_keep_nothing_of_the_shape(void **state)
{
    struct um_session *session = &((struct fixture *)*state)->session;
    uint64_t block = new_block(session, "{\"size\":8}");
    char message[256];
    char *text;

    for (int id = 10; id < 10 + TRIES; id++) {
        snprintf(
            message, sizeof message,
            "{\"id\":%d,\"method\":\"block.wait\",\"params\":{\"block\":%llu,\"offset\":0,\"type\":\"u8\","
            "\"value\":0}}",
            id, (ULL)block);
        text = answer_to(session, message);
        assert_string_equal(text, "");
        free(text);
    }
    assert_true(is_known(session->rpc, message));
    put_handle(message, sizeof message,
               "{\"id\":1,\"method\":\"block.set\",\"params\":{\"block\":@,\"offset\":0,\"values\":[5]}}",
               block);
    text = answer_to(session, message);
    for (int id = 10; id < 10 + TRIES; id++) {
        snprintf(message, sizeof message, "\"id\":%d,", id);
        assert_non_null(strstr(text, message));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_are_the_same, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_messages_are_not_learned, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_long_id_of_a_known_request, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_more_shapes_than_are_kept, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_calls_that_wait_keep_nothing_of_the_shape, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
