#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "arena.h"
#include "attributes.h"
#include "table.h"

enum { MESSAGE_SIZE = 8192 };

/* What cJSON makes of answers lives until the test is over, so that tests delete nothing. */
static struct um_arena answers;

static void *CJSON_CDECL keep(size_t size)
{
    return um_arena_alloc(&answers, size);
}

static void CJSON_CDECL forget(void *memory)
{
    (void)memory;
}

static void on_shutdown(void *context)
{
    ((struct fixture *)context)->shutdowns++;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct um_store_options store = {
        .bytes_limit = 1 << 26, .blocks_limit = 100, .heaps_limit = 10, .shared_heaps_limit = 4, .seed = 42};
    struct um_rpc_options options = {0};
    struct um_peer_options peer = {.pid = 77, .program = "tester", .user = "me"};

    cJSON_Hooks hooks = {.malloc_fn = keep, .free_fn = forget};

    assert_non_null(fixture);
    cJSON_InitHooks(&hooks);
    um_limits_init(&fixture->limits);
    fixture->limits.message_bytes = 1 << 20;
    fixture->limits.batch_requests = 8;
    fixture->limits.batch_bytes = 4096;
    assert_int_equal(um_store_new(&store, &fixture->store), UMEM_OK);
    options.store = fixture->store;
    options.limits = &fixture->limits;
    options.events.context = fixture;
    options.events.shutdown = on_shutdown;
    options.version = "0.0.0";
    options.pipe = "nowhere";
    options.pid = 1;
    options.started = 1000;
    assert_int_equal(um_rpc_new(&options, &fixture->rpc), UMEM_OK);
    assert_int_equal(um_peer_open(fixture->rpc, &fixture->peer, &peer), UMEM_OK);
    assert_int_equal(um_peer_open(fixture->rpc, &fixture->other, &peer), UMEM_OK);
    fixture->other.framing = UM_FRAMING_HEADERS;
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    um_peer_close(&fixture->peer);
    um_peer_close(&fixture->other);
    while (um_rpc_work(fixture->rpc))
        continue;
    um_rpc_free(fixture->rpc);
    um_store_free(fixture->store);
    cJSON_InitHooks(NULL);
    um_arena_deinit(&answers);
    free(fixture);
    return 0;
}

char *fixture_text(struct um_peer *peer, const char *message, size_t size)
{
    char *text = malloc(size + 1);
    char *answer;

    assert_non_null(text);
    memcpy(text, message, size);
    um_peer_message(peer, text, size, 0);
    free(text);
    assert_false(peer->broken);
    answer = malloc(peer->out.size + 1);
    assert_non_null(answer);
    if (peer->out.size != 0)
        memcpy(answer, peer->out.data, peer->out.size);
    answer[peer->out.size] = '\0';
    um_buf_truncate(&peer->out, 0);
    return answer;
}

/* What a method answered is what it declares. */
static void check_result(const struct um_method *method, const cJSON *result)
{
    for (const cJSON *item = result->child; item != NULL; item = item->next)
        assert_true(um_method_answers(method, item->string));
    for (const struct um_member *m = method->result; m != NULL && m->name != NULL; m++)
        assert_true(m->optional || cJSON_GetObjectItemCaseSensitive(result, m->name) != NULL);
}

static void check_answer(const char *message, const cJSON *answer)
{
    const cJSON *request = cJSON_Parse(message);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "method");
    const struct um_method *method = cJSON_IsString(name) ? um_table_find(name->valuestring) : NULL;
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");

    if (cJSON_IsObject(answer)) {
        assert_string_equal(string_of(answer, "jsonrpc"), "2.0");
        assert_non_null(cJSON_GetObjectItemCaseSensitive(answer, "id"));
        assert_true((result != NULL) != (error != NULL));
        if (error != NULL)
            assert_string_equal(string_of(member(error, "data"), "name"),
                                umem_error_name((int)member(error, "code")->valuedouble));
        if (method != NULL && result != NULL)
            check_result(method, result);
    }
}

UM_PRINTF(2, 0)
static cJSON *ask_list(struct um_peer *peer, const char *format, va_list list)
{
    char message[MESSAGE_SIZE];
    cJSON *answer;
    char *text;
    char *json;
    int size = vsnprintf(message, sizeof message, format, list);

    assert_in_range(size, 0, MESSAGE_SIZE - 1);
    text = fixture_text(peer, message, (size_t)size);
    json = peer->framing == UM_FRAMING_HEADERS ? strstr(text, "\r\n\r\n") : text;
    assert_non_null(json);
    answer = cJSON_Parse(json);
    if (answer != NULL)
        check_answer(message, answer);
    free(text);
    return answer;
}

cJSON *ask(struct um_peer *peer, const char *format, ...)
{
    cJSON *answer;
    va_list list;

    va_start(list, format);
    answer = ask_list(peer, format, list);
    va_end(list);
    return answer;
}

cJSON *expect_result(struct um_peer *peer, const char *format, ...)
{
    cJSON *answer;
    va_list list;

    va_start(list, format);
    answer = ask_list(peer, format, list);
    va_end(list);
    assert_non_null(answer);
    if (cJSON_HasObjectItem(answer, "error"))
        print_error("%s\n", string_of(member(answer, "error"), "message"));
    return member(answer, "result");
}

cJSON *expect_error(struct um_peer *peer, int code, const char *format, ...)
{
    cJSON *answer;
    va_list list;

    va_start(list, format);
    answer = ask_list(peer, format, list);
    va_end(list);
    assert_non_null(answer);
    assert_int_equal((int)member(member(answer, "error"), "code")->valuedouble, code);
    assert_true(strlen(string_of(member(answer, "error"), "message")) > 0);
    return member(member(answer, "error"), "data");
}

cJSON *member(const cJSON *object, const char *name)
{
    cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);

    if (found == NULL)
        print_error("there is no member %s\n", name);
    assert_non_null(found);
    return found;
}

uint64_t uint_of(const cJSON *object, const char *name)
{
    cJSON *found = member(object, name);

    assert_true(cJSON_IsNumber(found));
    return (uint64_t)found->valuedouble;
}

const char *string_of(const cJSON *object, const char *name)
{
    cJSON *found = member(object, name);

    assert_true(cJSON_IsString(found));
    return found->valuestring;
}

uint64_t new_block(struct um_peer *peer, const char *params)
{
    return uint_of(expect_result(peer, "{\"method\":\"block.alloc\",\"params\":%s}", params), "block");
}

uint64_t new_heap(struct um_peer *peer, const char *params)
{
    return uint_of(expect_result(peer, "{\"method\":\"heap.create\",\"params\":%s}", params), "heap");
}
