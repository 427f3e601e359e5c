#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "answers.h"
#include "arena.h"
#include "attributes.h"
#include "frame.h"
#include "umem_errors.h"

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
    options.events.work_pending = on_work_pending;
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
static void read_long(struct um_peer *peer)
{
    const struct um_job *reading = peer->job;

    while (reading != NULL && peer->job == reading)
        (void)um_rpc_work(peer->rpc);
}

void feed_message(struct um_peer *peer, const char *message, size_t size, uint64_t payload_size)
{
    char *text = malloc(size + 1);

    assert_non_null(text);
    assert_true(um_peer_is_ready(peer));
    memcpy(text, message, size);
    answers_note(peer, message, size);
    um_peer_message(peer, text, size, payload_size);
    free(text);
    if (size > UM_FRAME_LONG_SIZE)
        read_long(peer);
    assert_false(peer->broken);
}

void feed_payload(struct um_peer *peer, const void *bytes, size_t size, size_t step)
{
    const unsigned char *next = bytes;

    while (size != 0) {
        size_t room = 0;
        char *space = um_peer_payload_space(peer, &room);
        size_t piece = step < size ? step : size;

        assert_in_range(room, 1, um_peer_payload_left(peer));
        if (piece > room)
            piece = room;
        memcpy(space, next, piece);
        um_peer_payload_received(peer, piece);
        next += piece;
        size -= piece;
    }
}

UM_PRINTF(2, 0)
static void tell_list(struct um_peer *peer, const char *format, va_list list)
{
    char message[MESSAGE_SIZE];
    int size = vsnprintf(message, sizeof message, format, list);

    assert_in_range(size, 0, MESSAGE_SIZE - 1);
    feed_message(peer, message, (size_t)size, 0);
}

void tell(struct um_peer *peer, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    tell_list(peer, format, list);
    va_end(list);
}

char *fixture_text(struct um_peer *peer, const char *message, size_t size)
{
    char *answer;

    feed_message(peer, message, size, 0);
    answer = malloc(peer->out.size + 1);
    assert_non_null(answer);
    if (peer->out.size != 0)
        memcpy(answer, peer->out.data, peer->out.size);
    answer[peer->out.size] = '\0';
    um_buf_truncate(&peer->out, 0);
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
static size_t find_message(struct um_peer *peer, size_t *size, size_t *payload_size)
{
    const char *begin;
    const char *end;

    assert_true(um_buf_append_byte(&peer->out, '\0'));
    peer->out.size--;
    begin = peer->out.data;
    if (peer->framing == UM_FRAMING_LINES) {
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

cJSON *take_raw(struct um_peer *peer, void *payload, size_t payload_size)
{
    size_t size;
    size_t raw_size;
    size_t begin;
    cJSON *message;

    if (peer->out.size == 0)
        fail_msg("nothing was sent");
    begin = find_message(peer, &size, &raw_size);
    assert_true(begin + size <= peer->out.size);
    message = cJSON_ParseWithLength(peer->out.data + begin, size);
    assert_non_null(message);
    um_buf_consume(&peer->out, begin + size);
    assert_int_equal(raw_size, payload_size);
    if (peer->tail.bytes != NULL) {
        assert_int_equal(peer->tail.size, payload_size);
        memcpy(payload, peer->tail.bytes, payload_size);
        um_peer_tail_sent(peer);
    } else if (payload_size != 0) {
        assert_true(peer->out.size >= payload_size);
        memcpy(payload, peer->out.data, payload_size);
        um_buf_consume(&peer->out, payload_size);
    }
    answers_check(peer, message);
    return message;
}

cJSON *take(struct um_peer *peer)
{
    return take_raw(peer, NULL, 0);
}

void take_all(struct um_peer *peer)
{
    while (peer->out.size != 0) {
        size_t size;
        size_t raw_size;
        size_t begin = find_message(peer, &size, &raw_size);
        const cJSON *message = cJSON_ParseWithLength(peer->out.data + begin, size);

        assert_non_null(message);
        answers_check(peer, message);
        um_buf_consume(&peer->out, begin + size);
        if (peer->tail.bytes != NULL && raw_size == peer->tail.size)
            um_peer_tail_sent(peer);
        else
            um_buf_consume(&peer->out, raw_size);
    }
}

cJSON *take_result(struct um_peer *peer)
{
    const cJSON *answer = take(peer);

    if (cJSON_HasObjectItem(answer, "error"))
        print_error("%s\n", string_of(member(answer, "error"), "message"));
    return member(answer, "result");
}

cJSON *take_error(struct um_peer *peer, int code)
{
    const cJSON *error = member(take(peer), "error");

    assert_string_equal(string_of(member(error, "data"), "name"), umem_error_name(code));
    return member(error, "data");
}

cJSON *take_notification(struct um_peer *peer, const char *method)
{
    const cJSON *message;

    um_peer_notify(peer);
    message = take(peer);
    assert_string_equal(string_of(message, "method"), method);
    return member(message, "params");
}

void expect_silence(struct um_peer *peer)
{
    um_peer_notify(peer);
    if (peer->out.size != 0)
        print_error("%.*s\n", (int)peer->out.size, peer->out.data);
    assert_int_equal(peer->out.size, 0);
}

/* ---- both ---- */

UM_PRINTF(2, 0)
static cJSON *ask_list(struct um_peer *peer, const char *format, va_list list)
{
    tell_list(peer, format, list);
    while (peer->job != NULL)
        um_rpc_work(peer->rpc);
    return peer->out.size != 0 ? take(peer) : NULL;
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
