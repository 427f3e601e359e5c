/* The library against results that are not what the method promises, and arguments that no daemon would take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "client_fixture.h"

/* ---- results that are JSON, and not what the method promises ---- */

static int request_alloc(umem_client *client)
{
    umem_handle block = 5;
    int code = umem_block_alloc(client, 1, NULL, &block);

    assert_true(block == 5);
    return code;
}

static int request_read(umem_client *client)
{
    char bytes[4];

    return umem_block_read(client, 1, 0, bytes, sizeof bytes);
}

static int request_get_into(umem_client *client)
{
    char bytes[4];
    size_t size = 77;
    int code = umem_get_into(client, "n", bytes, sizeof bytes, &size);

    assert_int_equal(size, 77);
    return code;
}

static int request_open(umem_client *client)
{
    umem_handle block = 77;
    bool created = true;
    int code = umem_block_open(client, 1, &(struct umem_block_options){.name = "n"}, &block, &created);

    assert_true(block == 77 && created);
    return code;
}

static int request_get(umem_client *client)
{
    uint8_t values[2];

    return umem_block_get(client, 1, 0, UMEM_TYPE_U8, values, 2);
}

static int request_add(umem_client *client)
{
    uint8_t value = 1;
    uint8_t before = 77;
    int code = umem_block_add(client, 1, 0, UMEM_TYPE_U8, &value, &before, NULL);

    assert_int_equal(before, 77);
    return code;
}

static int request_exchange(umem_client *client)
{
    float value = 1;
    float before = 77;
    bool exchanged = false;
    int code = umem_block_exchange(client, 1, 0, UMEM_TYPE_F32, &value, NULL, &before, &exchanged);

    assert_true(before == 77 && !exchanged);
    return code;
}

static int request_compare(umem_client *client)
{
    uint64_t difference = 77;
    int code = umem_block_compare(client, 1, 0, 2, 0, UMEM_TO_END, &difference);

    assert_int_equal(difference, 77);
    return code;
}

static int on_block(const struct umem_block_info *block, void *context)
{
    (void)block;
    (void)context;
    return 0;
}

static int request_list(umem_client *client)
{
    return umem_block_list(client, NULL, on_block, NULL);
}

static int request_destroy(umem_client *client)
{
    return umem_heap_destroy(client, 1, NULL, NULL);
}

static void test_bad_results(void **state)
{
    static const struct {
        int (*request)(umem_client *client);
        const char *answer;
    } cases[] = {
        {request_alloc, RESULT("1", "null")},
        {request_alloc, RESULT("1", "[]")},
        {request_alloc, RESULT("1", "{}")},
        {request_alloc, RESULT("1", "{\"block\":-1}")},
        {request_alloc, RESULT("1", "{\"block\":1.5}")},
        {request_alloc, RESULT("1", "{\"block\":\"99999999999999999999\"}")},
        {request_read, RESULT("1", "{\"size\":4}")},
        {request_get_into, RESULT("1", "{\"size\":5,\"block\":1,\"block_size\":5}")},
        {request_get_into, RESULT("1", "{\"size\":4,\"block\":1,\"block_size\":4}")},
        {request_get_into, RESULT("1", "{\"block\":1,\"block_size\":0}")},
        {request_get_into, RESULT("1", "{\"size\":0,\"block\":1}")},
        {request_get_into, RESULT("1", "{\"size\":0,\"block\":1,\"block_size\":-1}")},
        {request_open, RESULT("1", "{\"block\":1}")},
        {request_open, RESULT("1", "{\"block\":1,\"created\":null}")},
        {request_get, RESULT("1", "{\"size\":2,\"values\":[1,2]}")},
        {request_add, RESULT("1", "{}")},
        {request_add, RESULT("1", "{\"old\":1}")},
        {request_add, RESULT("1", "{\"old\":1,\"new\":256}")},
        {request_add, RESULT("1", "{\"old\":-1,\"new\":2}")},
        {request_add, RESULT("1", "{\"old\":[1],\"new\":2}")},
        {request_add, RESULT("1", "{\"old\":null,\"new\":2}")},
        {request_exchange, RESULT("1", "{\"old\":null,\"exchanged\":true}")},
        {request_exchange, RESULT("1", "{\"old\":\"1\",\"exchanged\":true}")},
        {request_exchange, RESULT("1", "{\"old\":true,\"exchanged\":true}")},
        {request_exchange, RESULT("1", "{\"old\":1.5,\"exchanged\":\"true\"}")},
        {request_exchange, RESULT("1", "{\"old\":1.5,\"exchanged\":1}")},
        {request_compare, RESULT("1", "{\"equal\":true}")},
        {request_compare, RESULT("1", "{\"offset\":-1}")},
        {request_compare, RESULT("1", "{\"offset\":false}")},
        {request_list, RESULT("1", "{}")},
        {request_list, RESULT("1", "{\"blocks\":{},\"next\":null}")},
        {request_list, RESULT("1", "{\"blocks\":[5],\"next\":null}")},
        {request_list, RESULT("1", "{\"blocks\":[{}],\"next\":null}")},
        {request_list, RESULT("1", "{\"blocks\":[],\"next\":\"x\"}")},
        {request_list, RESULT("1", "{\"blocks\":[],\"next\":7}") RESULT("2", "{\"blocks\":[],\"next\":7}")},
        {request_destroy, RESULT("1", "{\"blocks\":1}")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct fake_step steps[] = {{.text = cases[i].answer}};

        BEGIN(steps);
        if (cases[i].request(fixture.client) != UMEM_E_BAD_ANSWER)
            fail_msg("taken for a result: %s", cases[i].answer);
        expect_broken(UMEM_E_BAD_ANSWER);
        fixture_end();
    }
}

/* ---- arguments that are refused before anything is sent ---- */

static void test_bad_arguments(void **state)
{
    static const struct fake_step steps[] = {{.text = RESULT("1", "{}")}};
    umem_handle handle = 0;
    char bytes[1] = {0};

    (void)state;
    BEGIN(steps);
    assert_int_equal(umem_block_free(fixture.client, 0), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_free(fixture.client, UMEM_SIZE_MAX + 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_heap_destroy(fixture.client, 0, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_alloc(fixture.client, UMEM_SIZE_MAX + 1, NULL, &handle), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_read(fixture.client, 1, UMEM_SIZE_MAX, bytes, 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_write(fixture.client, 1, UMEM_SIZE_MAX + 1, bytes, 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_get(fixture.client, 1, 0, (enum umem_type)99, bytes, 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_get(fixture.client, 1, 0, UMEM_TYPE_U64, bytes, SIZE_MAX),
                     UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_copy(fixture.client, 1, 0, 0, 0, 1), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_block_lookup(fixture.client, "\xff", &handle), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_call(fixture.client, "a", "{", NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_call(fixture.client, "a", "{},\"x\":1", NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_call(fixture.client, "\xff", NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_true(handle == 0);
    assert_true(umem_is_connected(fixture.client));
    fixture_end();
}

static void test_no_client(void **state)
{
    umem_handle handle = 0;

    (void)state;
    assert_int_equal(umem_connect(NULL), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_block_alloc(NULL, 1, NULL, &handle), UMEM_E_OUT_OF_MEMORY);
    assert_int_equal(umem_last_error(NULL)->code, UMEM_E_OUT_OF_MEMORY);
    assert_false(umem_is_connected(NULL));
    assert_string_equal(umem_pipe(NULL), "");
    umem_set_timeout(NULL, 1);
    umem_client_free(NULL);
}

static void test_not_connected_yet(void **state)
{
    umem_client *client = umem_client_new(NULL);

    (void)state;
    assert_non_null(client);
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_CONNECTED);
    assert_string_equal(umem_last_error(client)->name, "not_connected");
    umem_client_free(client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_results),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_no_client),
        cmocka_unit_test(test_not_connected_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
