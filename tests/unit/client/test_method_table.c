/*
 * The client's requests against the daemon's table of methods: each names an existing method, with parameters that it
 * accepts and all that it requires, and reads results that it declares.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "lib/request/requests.h"
#include "rpc/schema/table.h"
#include "wire/json_read.h"

enum { CALLS_MAXIMUM = 128 };

static const char *checked[CALLS_MAXIMUM]; /* the requests that were */
static size_t checked_count;

static const struct um_param *find_param(const struct um_method *method, const char *name)
{
    for (size_t i = 0; i < method->param_count; i++) {
        if (strcmp(method->params[i].name, name) == 0)
            return &method->params[i];
    }
    return NULL;
}

static void check_params(const char *call, const struct um_method *method, const struct um_json *params)
{
    for (const struct um_json *param = params->child; param != NULL; param = param->next) {
        if (find_param(method, param->key) == NULL)
            fail_msg("um_request_%s(): %s takes no parameter %s", call, method->name, param->key);
    }
    for (size_t i = 0; i < method->param_count; i++) {
        if (method->params[i].required && um_json_member_of(params, method->params[i].name) == NULL)
            fail_msg("um_request_%s(): %s must have %s", call, method->name, method->params[i].name);
    }
}

static void check_outputs(const char *call, const struct um_method *method, const struct um_request *request)
{
    for (unsigned i = 0; i < request->output_count; i++) {
        const struct um_output *output = &request->output[i];

        if (output->kind != UM_OUTPUT_TEXT && output->kind != UM_OUTPUT_RESULT &&
            !um_method_answers(method, output->member))
            fail_msg("um_request_%s(): the result of %s has no member %s", call, method->name,
                     output->member);
    }
}

static void check(const char *call, struct um_request *request)
{
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check check;
    struct um_json *json;
    struct um_buf text;
    const struct um_json *name;
    const struct um_method *method;

    um_buf_init(&text, SIZE_MAX / 4);
    um_request_write(request, &text);
    assert_int_equal(request->code, UMEM_OK);
    assert_int_equal(um_json_read(text.data, text.size, &arena, &json, &check), UMEM_OK);
    name = um_json_member_of(json, "method");
    assert_true(um_json_is(name, UM_JSON_STRING));
    method = um_table_find(name->text, name->size);
    if (method == NULL)
        fail_msg("um_request_%s(): there is no method %s", call, name->text);
    else {
        check_params(call, method, um_json_member_of(json, "params"));
        check_outputs(call, method, request);
    }
    um_buf_deinit(&text);
    um_arena_deinit(&arena);
    um_request_deinit(request);
    assert_true(checked_count < CALLS_MAXIMUM);
    checked[checked_count++] = call;
}

#define CHECK(name, ...) \
    do { \
        struct um_request request; \
\
        um_request_##name(&request, __VA_ARGS__); \
        check(#name, &request); \
    } while (0)

static void take_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

static void test_requests(void **state)
{
    static const struct umem_heap_options heap_options = {.flags = UMEM_FLAG_NO_SERIALIZE,
                                                          .initial_size = 4096,
                                                          .maximum_size = 65536,
                                                          .alignment = 64,
                                                          .name = "heap",
                                                          .lifetime = UMEM_LIFETIME_SESSION,
                                                          .kind = UMEM_HEAP_SHARED};
    static const struct umem_block_options block_options = {
        .heap = 3, .flags = UMEM_FLAG_ZERO_MEMORY, .name = "block", .lifetime = UMEM_LIFETIME_SESSION};
    static const struct umem_watch_target target = {.heap = 3, .block = 4, .offset = 8, .size = 16};
    static const enum umem_lifetime lifetime = UMEM_LIFETIME_SERVER;
    struct um_event_watch watch = {.id = 1, .watcher = take_event};
    struct um_block_location location;
    struct umem_server_stats stats;
    struct umem_session_info session;
    struct umem_heap_info heap;
    struct umem_size_classes classes;
    struct umem_block_info block;
    uint64_t first;
    uint64_t second;
    uint64_t number = 5;
    char bytes[16];
    size_t size;
    char *text;
    bool exchanged;

    (void)state;
    CHECK(heap_process, &first);
    CHECK(heap_create, &heap_options, &first);
    CHECK(heap_open, &heap_options, &first, &exchanged);
    CHECK(heap_info, 3, &heap);
    CHECK(heap_size_classes, 3, &classes);
    CHECK(heap_lookup, "heap", &first);
    CHECK(heap_destroy, 3, &first, &second);
    CHECK(heap_validate, 3, 4);
    CHECK(heap_compact, 3, &first);
    CHECK(heap_flush, 3);
    CHECK(heap_lock, 3, 1000);
    CHECK(heap_unlock, 3);
    CHECK(block_alloc, 16, &block_options, &first);
    CHECK(block_open, 16, &block_options, &first, &exchanged);
    CHECK(put, "name", bytes, sizeof bytes, &block_options, &first);
    CHECK(get_into, "name", bytes, sizeof bytes, &size);
    CHECK(block_resize, 4, 32, UMEM_FLAG_REALLOC_IN_PLACE_ONLY);
    CHECK(block_info, 4, &block);
    CHECK(block_lookup, "block", &first);
    CHECK(block_at, 65536, &first);
    CHECK(block_change, 4, "name", &lifetime, &block);
    CHECK(block_publish, 4, "name", &lifetime, &block);
    CHECK(block_hold, umem_named("name"), &first);
    CHECK(block_release, 4, &first);
    CHECK(block_free, 4);
    CHECK(block_free_orphan, 4);
    CHECK(block_wake, 4, 8, 16);
    CHECK(block_map, 4, &location);
    CHECK(block_read, 4, 8, bytes, sizeof bytes);
    CHECK(block_write, 4, 8, bytes, sizeof bytes);
    CHECK(block_get, 4, 8, UMEM_TYPE_U64, &number, 1);
    CHECK(block_set, 4, 8, UMEM_TYPE_U64, &number, 1);
    CHECK(block_fill, 4, 8, 1, 16);
    CHECK(block_copy, 4, 8, 5, 9, 16);
    CHECK(block_compare, 4, 8, 5, 9, 16, &first);
    CHECK(block_find, 4, 8, "bytes", 5, &first);
    CHECK(block_add, 4, 8, UMEM_TYPE_U64, &number, &first, &second);
    CHECK(block_exchange, 4, 8, UMEM_TYPE_U64, &number, &number, &first, &exchanged);
    CHECK(block_wait, 4, 8, UMEM_TYPE_U64, &number, 1000, &first);
    CHECK(rpc_discover, &text);
    CHECK(server_reload, &text);
    CHECK(server_stats, &stats);
    CHECK(session_info, &session);
    CHECK(session_close, 7);
    CHECK(session_watch, &target, &watch, &first);
    CHECK(session_unwatch, 1);
    CHECK(page, "block.list", 9, &text);
}

/* After the one above: of the calls that are listed, none was left out there. */
static void test_all_calls(void **state)
{
    static const char *const calls[] = {
#define NAME(name, method, parameters, arguments, steps) #name,
        UM_CALLS(NAME) UM_BLOCKING_CALLS(NAME)
#undef NAME
#define NAME(name, parameters, arguments) #name,
            UM_MADE_CALLS(NAME) UM_DATA_CALLS(NAME)
#undef NAME
    };
    bool is_good = true;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t at = 0;

        while (at < checked_count && strcmp(checked[at], calls[i]) != 0)
            at++;
        if (at == checked_count) {
            print_error("umem_%s has no test\n", calls[i]);
            is_good = false;
        }
    }
    assert_true(is_good);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_all_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
