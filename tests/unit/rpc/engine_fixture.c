#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answer_schema.h"
#include "base/arena.h"
#include "base/attributes.h"
#include "umem_errors.h"
#include "wire/frame.h"

enum { MESSAGE_SIZE = 8192 };

/* What cJSON makes of answers lives until the test is over, so that tests delete nothing. */
static struct um_arena memory;

static void *CJSON_CDECL keep(size_t size)
{
    return um_arena_alloc(&memory, size);
}

static void CJSON_CDECL forget(void *piece)
{
    (void)piece;
}

static bool on_reload(void *context, struct um_reload *reload)
{
    if (((struct fixture *)context)->refuses_reload) {
        strcpy(reload->error, "a.conf:1: wrong");
        return false;
    }
    reload->config = "a.conf";
    reload->count = 2;
    strcpy(reload->settings[0].name, "log-level");
    reload->settings[0].is_applied = true;
    strcpy(reload->settings[1].name, "pipe");
    return true;
}

static void on_shutdown(void *context)
{
    ((struct fixture *)context)->shutdowns++;
}

static void on_work_pending(void *context)
{
    ((struct fixture *)context)->works++;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct um_store_options store = {
        .bytes_limit = 1 << 26, .blocks_limit = 100, .heaps_limit = 10, .shared_heaps_limit = 4, .seed = 42};
    struct um_rpc_options options = {0};
    struct um_session_options session = {.pid = 77, .program = "tester", .user = "me"};

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
    options.events.reload = on_reload;
    options.events.shutdown = on_shutdown;
    options.events.work_pending = on_work_pending;
    options.version = "0.0.0";
    options.pipe = "nowhere";
    options.pid = 1;
    options.started = 1000;
    assert_int_equal(um_rpc_new(&options, &fixture->rpc), UMEM_OK);
    assert_int_equal(um_session_open(fixture->rpc, &fixture->session, &session), UMEM_OK);
    assert_int_equal(um_session_open(fixture->rpc, &fixture->other, &session), UMEM_OK);
    fixture->other.framing = UM_FRAMING_HEADERS;
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    um_session_close(&fixture->session);
    um_session_close(&fixture->other);
    work(fixture->rpc);
    um_rpc_free(fixture->rpc);
    um_store_free(fixture->store);
    cJSON_InitHooks(NULL);
    um_arena_deinit(&memory);
    free(fixture);
    answers_forget();
    return 0;
}

/* ---- messages in ---- */

/* Until the message is read, and a long call has begun perhaps. */
static void read_long(struct um_session *session)
{
    const struct um_job *reading = session->job;

    while (reading != NULL && session->job == reading)
        (void)um_rpc_work(session->rpc);
}

void feed_message(struct um_session *session, const char *message, size_t size, uint64_t payload_size)
{
    char *text = malloc(size + 1);

    assert_non_null(text);
    assert_true(um_session_is_ready(session));
    memcpy(text, message, size);
    answers_note(session, message, size);
    um_dispatch_message(session, text, size, payload_size);
    free(text);
    if (size > UM_FRAME_LONG_SIZE)
        read_long(session);
    assert_false(session->broken);
}

void feed_payload(struct um_session *session, const void *bytes, size_t size, size_t step)
{
    const unsigned char *next = bytes;

    while (size != 0) {
        size_t capacity = 0;
        char *space = um_payload_reserve(session, &capacity);
        size_t piece = step < size ? step : size;

        assert_in_range(capacity, 1, um_payload_left(session));
        if (piece > capacity)
            piece = capacity;
        memcpy(space, next, piece);
        um_payload_commit(session, piece);
        next += piece;
        size -= piece;
    }
}

UM_PRINTF(2, 0)
static void send_list(struct um_session *session, const char *format, va_list list)
{
    char message[MESSAGE_SIZE];
    int size = vsnprintf(message, sizeof message, format, list);

    assert_in_range(size, 0, MESSAGE_SIZE - 1);
    feed_message(session, message, (size_t)size, 0);
}

void send_message(struct um_session *session, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    send_list(session, format, list);
    va_end(list);
}

char *fixture_text(struct um_session *session, const char *message, size_t size)
{
    char *answer;

    feed_message(session, message, size, 0);
    answer = malloc(session->out.size + 1);
    assert_non_null(answer);
    if (session->out.size != 0)
        memcpy(answer, session->out.data, session->out.size);
    answer[session->out.size] = '\0';
    um_buf_truncate(&session->out, 0);
    return answer;
}

void work(struct um_rpc *rpc)
{
    while (um_rpc_work(rpc))
        continue;
}

void set_time(struct fixture *fixture, uint64_t now_ms)
{
    um_rpc_set_time(fixture->rpc, 1000 + (int64_t)(now_ms / 1000), now_ms);
    um_rpc_expire(fixture->rpc);
}

/* ---- answers out ---- */

/* Reads a header of a message; 0 where it does not stand before `end`. */
static size_t header_of(const char *text, const char *end, const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL && at < end ? (size_t)strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Where the first message's JSON begins in out, and how large it and its payload are. */
static size_t find_message(struct um_session *session, size_t *size, size_t *payload_size)
{
    const char *begin;
    const char *end;

    assert_true(um_buf_append_byte(&session->out, '\0'));
    session->out.size--;
    begin = session->out.data;
    if (session->framing == UM_FRAMING_LINES) {
        end = strchr(begin, '\n');
        assert_non_null(end);
        *size = (size_t)(end - begin) + 1;
        *payload_size = 0;
        return 0;
    }
    assert_memory_equal(begin, "Content-Length: ", 16);
    end = strstr(begin, "\r\n\r\n");
    assert_non_null(end);
    *size = header_of(begin, end, "Content-Length: ");
    *payload_size = header_of(begin, end, "Payload-Length: ");
    return (size_t)(end - begin) + 4;
}

cJSON *take_raw(struct um_session *session, void *payload, size_t payload_size)
{
    size_t size;
    size_t raw_size;
    size_t begin;
    cJSON *message;

    if (session->out.size == 0)
        fail_msg("nothing was sent");
    begin = find_message(session, &size, &raw_size);
    assert_true(begin + size <= session->out.size);
    message = cJSON_ParseWithLength(session->out.data + begin, size);
    assert_non_null(message);
    um_buf_consume(&session->out, begin + size);
    assert_int_equal(raw_size, payload_size);
    if (session->tail.bytes != NULL) {
        assert_int_equal(session->tail.size, payload_size);
        memcpy(payload, session->tail.bytes, payload_size);
        um_session_tail_sent(session);
    } else if (payload_size != 0) {
        assert_true(session->out.size >= payload_size);
        memcpy(payload, session->out.data, payload_size);
        um_buf_consume(&session->out, payload_size);
    }
    answers_check(session, message);
    return message;
}

cJSON *take(struct um_session *session)
{
    return take_raw(session, NULL, 0);
}

void take_all(struct um_session *session)
{
    while (session->out.size != 0) {
        size_t size;
        size_t raw_size;
        size_t begin = find_message(session, &size, &raw_size);
        const cJSON *message = cJSON_ParseWithLength(session->out.data + begin, size);

        assert_non_null(message);
        answers_check(session, message);
        um_buf_consume(&session->out, begin + size);
        if (session->tail.bytes != NULL && raw_size == session->tail.size)
            um_session_tail_sent(session);
        else
            um_buf_consume(&session->out, raw_size);
    }
}

cJSON *take_result(struct um_session *session)
{
    const cJSON *answer = take(session);

    if (cJSON_HasObjectItem(answer, "error"))
        print_error("%s\n", string_of(member(answer, "error"), "message"));
    return member(answer, "result");
}

cJSON *take_error(struct um_session *session, int code)
{
    const cJSON *error = member(take(session), "error");

    assert_string_equal(string_of(member(error, "data"), "name"), umem_error_name(code));
    return member(error, "data");
}

cJSON *take_notification(struct um_session *session, const char *method)
{
    const cJSON *message;

    um_watch_notify(session);
    message = take(session);
    assert_string_equal(string_of(message, "method"), method);
    return member(message, "params");
}

void expect_no_message(struct um_session *session)
{
    um_watch_notify(session);
    if (session->out.size != 0)
        print_error("%.*s\n", (int)session->out.size, session->out.data);
    assert_int_equal(session->out.size, 0);
}

/* ---- both ---- */

UM_PRINTF(2, 0)
static cJSON *call_list(struct um_session *session, const char *format, va_list list)
{
    send_list(session, format, list);
    while (session->job != NULL)
        um_rpc_work(session->rpc);
    return session->out.size != 0 ? take(session) : NULL;
}

cJSON *call(struct um_session *session, const char *format, ...)
{
    cJSON *answer;
    va_list list;

    va_start(list, format);
    answer = call_list(session, format, list);
    va_end(list);
    return answer;
}

cJSON *expect_result(struct um_session *session, const char *format, ...)
{
    cJSON *answer;
    va_list list;

    va_start(list, format);
    answer = call_list(session, format, list);
    va_end(list);
    assert_non_null(answer);
    if (cJSON_HasObjectItem(answer, "error"))
        print_error("%s\n", string_of(member(answer, "error"), "message"));
    return member(answer, "result");
}

cJSON *expect_error(struct um_session *session, int code, const char *format, ...)
{
    cJSON *answer;
    va_list list;

    va_start(list, format);
    answer = call_list(session, format, list);
    va_end(list);
    assert_non_null(answer);
    if (!cJSON_HasObjectItem(answer, "error"))
        print_error("instead of %s there was a result for %s\n", umem_error_name(code), format);
    assert_string_equal(string_of(member(member(answer, "error"), "data"), "name"), umem_error_name(code));
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

bool bool_of(const cJSON *object, const char *name)
{
    cJSON *found = member(object, name);

    assert_true(cJSON_IsBool(found));
    return cJSON_IsTrue(found) != 0;
}

bool is_null(const cJSON *object, const char *name)
{
    return cJSON_IsNull(member(object, name)) != 0;
}
