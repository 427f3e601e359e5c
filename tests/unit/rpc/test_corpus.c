/*
 * The corpus: each file of tests/corpus is one message, and its name states the expected result, through
 * both framings.
 *
 *   y_*.json           is understood; y_*.answer is the answer to the letter, empty where none is due
 *   s_*.json           is several texts, or a text and more: on a line s_*.answer is the answers, with headers as n_text_*
 *   n_text_*.json      is no JSON: -32700, and the answer's id is null
 *   n_request_*.json   is no request, or its id cannot be read: -32600, id null; for each element of a batch
 *   n_envelope_*.json  has a good id and is wrong elsewhere: -32600
 *   m_*.json           is a request of a method that there is not: -32601
 *   p_*.json           is a request with wrong parameters: -32602
 *
 * What is refused changes nothing, and a ping behind it is answered. Before each file there is a block "b" of
 * 16 zeros.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "umem_errors.h"
#include "wire/frame.h"
#include "wire/json_read.h"

enum { FILE_LIMIT = 1 << 20 };

static const char ping[] = "{\"id\":\"ping\",\"method\":\"server.ping\"}";
static const char pong[] = "{\"jsonrpc\":\"2.0\",\"id\":\"ping\",\"result\":{}}";

/* What the beginning of a file's name means. */
static const struct rule {
    const char *prefix;
    int code;    /* of the error; UMEM_OK: it is understood */
    bool has_id; /* the error has the request's id, which is 1 in all these files; else it has null */
} rules[] = {
    {"y_", UMEM_OK, false},
    {"s_", UMEM_E_PARSE_ERROR, false},
    {"n_text_", UMEM_E_PARSE_ERROR, false},
    {"n_request_", UMEM_E_INVALID_REQUEST, false},
    {"n_envelope_", UMEM_E_INVALID_REQUEST, true},
    {"m_", UMEM_E_METHOD_NOT_FOUND, true},
    {"p_", UMEM_E_INVALID_PARAMS, true},
};

/* One framing's way from bytes to answers. */
struct wire {
    struct um_session *session;
    struct um_frame frame;
};

static void read_file(const char *name, struct um_buf *bytes)
{
    char path[512];
    FILE *file;
    char *space;

    assert_in_range(snprintf(path, sizeof path, "%s/%s", CORPUS, name), 1, sizeof path - 1);
    file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    um_buf_init(bytes, FILE_LIMIT);
    space = um_buf_reserve(bytes, FILE_LIMIT);
    assert_non_null(space);
    bytes->size = fread(space, 1, FILE_LIMIT, file);
    assert_true(bytes->size < FILE_LIMIT);
    fclose(file);
}

/* ---- to the engine and back ---- */

static void wire_init(struct wire *wire, struct fixture *fixture, struct um_session *session)
{
    wire->session = session;
    um_frame_init(&wire->frame, (size_t)fixture->limits.message_bytes, fixture->limits.payload_bytes);
}

static void append_message(struct um_buf *bytes, const struct um_session *session, const char *text,
                           size_t size)
{
    char head[64];

    if (session->framing == UM_FRAMING_HEADERS) {
        snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n", size);
        um_buf_append_string(bytes, head);
    }
    um_buf_append(bytes, text, size);
    if (session->framing == UM_FRAMING_LINES)
        um_buf_append_byte(bytes, '\n');
}

/* Feeds bytes as a session does; the answers are then in session->out. */
static void feed(struct wire *wire, struct um_buf *bytes)
{
    struct um_frame_message message;

    assert_false(bytes->failed);
    assert_int_equal(um_frame_feed(&wire->frame, bytes->data, bytes->size), UMEM_OK);
    while (um_frame_next(&wire->frame, &message) == UM_FRAME_MESSAGE) {
        size_t used = um_dispatch_message(wire->session, message.text, message.size, message.payload_size);

        if (used < message.size)
            um_frame_unread(&wire->frame, used);
    }
    assert_int_equal(um_frame_next(&wire->frame, &message), UM_FRAME_MORE);
    assert_int_equal(um_frame_keep(&wire->frame), UMEM_OK);
    assert_false(wire->session->broken);
}

/* Feeds one message and a ping, and returns the message's answer with its frame, to be freed; the ping's is
 * checked. */
static char *answer_to(struct wire *wire, const char *text, size_t size)
{
    struct um_buf *out = &wire->session->out;
    struct um_buf bytes;
    struct um_buf last;
    char *answer;

    um_buf_init(&bytes, SIZE_MAX);
    um_buf_init(&last, SIZE_MAX);
    append_message(&bytes, wire->session, text, size);
    append_message(&bytes, wire->session, ping, strlen(ping));
    append_message(&last, wire->session, pong, strlen(pong));
    feed(wire, &bytes);
    assert_true(out->size >= last.size);
    out->size -= last.size;
    assert_memory_equal(out->data + out->size, last.data, last.size);
    answer = calloc(1, out->size + 1);
    assert_non_null(answer);
    memcpy(answer, out->data, out->size);
    um_buf_truncate(out, 0);
    um_buf_deinit(&bytes);
    um_buf_deinit(&last);
    return answer;
}

/* ---- what the answer must be ---- */

static void expect_answer(const struct wire *wire, const char *answer, const char *name)
{
    struct um_buf wanted;
    struct um_buf framed;
    char other[256];

    snprintf(other, sizeof other, "%.*s.answer", (int)(strlen(name) - strlen(".json")), name);
    read_file(other, &wanted);
    um_buf_init(&framed, SIZE_MAX);
    if (wanted.size != 0)
        append_message(&framed, wire->session, wanted.data, wanted.size);
    um_buf_append_byte(&framed, '\0');
    assert_string_equal(answer, framed.data);
    um_buf_deinit(&framed);
    um_buf_deinit(&wanted);
}

static void expect_refusal(const cJSON *answer, const struct rule *rule)
{
    const cJSON *error = member(answer, "error");

    assert_int_equal((int)member(error, "code")->valuedouble, rule->code);
    assert_string_equal(string_of(member(error, "data"), "name"), umem_error_name(rule->code));
    if (rule->has_id)
        assert_int_equal(uint_of(answer, "id"), 1);
    else
        assert_true(cJSON_IsNull(member(answer, "id")));
}

static void expect_refusals(char *text, const struct rule *rule)
{
    struct um_json_check check;
    const cJSON *json;

    assert_non_null(text);
    /* The answer is itself JSON of the strict kind, whatever it quotes. */
    if (!um_json_check(text, strlen(text), &check))
        fail_msg("%s at byte %zu of %s", check.what, check.bad_offset, text);
    json = cJSON_Parse(text);
    assert_non_null(json);
    if (!cJSON_IsArray(json)) {
        expect_refusal(json, rule);
        return;
    }
    assert_non_null(json->child);
    for (const cJSON *item = json->child; item != NULL; item = item->next)
        expect_refusal(item, rule);
}

/* What is no JSON may leave more behind it on its line than one text. */
static void expect_refused(const struct wire *wire, char *answer, const struct rule *rule)
{
    char *line;

    if (wire->session->framing == UM_FRAMING_HEADERS) {
        expect_refusals(strstr(answer, "\r\n\r\n"), rule);
        return;
    }
    line = strtok(answer, "\n");
    do {
        expect_refusals(line, rule);
        line = strtok(NULL, "\n");
    } while (line != NULL);
}

static void expect_nothing_changed(struct fixture *fixture)
{
    const cJSON *result = expect_result(&fixture->session, "{\"method\":\"block.read\",\"params\":[\"b\"]}");

    assert_string_equal(string_of(result, "data"), "AAAAAAAAAAAAAAAAAAAAAA==");
    result = expect_result(&fixture->session, "{\"method\":\"server.stats\"}");
    assert_int_equal(uint_of(result, "blocks"), 1);
    assert_int_equal(uint_of(result, "heaps"), 1);
}

static void try_file(struct fixture *fixture, struct um_session *session, const char *name,
                     const struct rule *rule)
{
    struct um_buf message;
    struct wire wire;
    char *answer;

    read_file(name, &message);
    wire_init(&wire, fixture, session);
    /* A first message, so that the framing is known when the file comes. */
    answer = answer_to(&wire, ping, strlen(ping));
    free(answer);
    answer = answer_to(&wire, message.data, message.size);
    if (rule->code == UMEM_OK || (*name == 's' && session->framing == UM_FRAMING_LINES)) {
        expect_answer(&wire, answer, name);
    } else {
        expect_refused(&wire, answer, rule);
        expect_nothing_changed(fixture);
    }
    free(answer);
    um_frame_deinit(&wire.frame);
    um_buf_deinit(&message);
}

/* A line has no line ends in it, and a blank one is no message. */
static bool fits_a_line(const char *name)
{
    struct um_buf message;
    bool fits;

    read_file(name, &message);
    fits = memchr(message.data, '\n', message.size) == NULL && message.size != 0;
    um_buf_deinit(&message);
    return fits;
}

static void check_file(void **state)
{
    const char *name = *state;
    const struct rule *rule = rules;
    const struct rule *end = rules + sizeof rules / sizeof rules[0];
    void *fixture = NULL;

    while (rule != end && strncmp(name, rule->prefix, strlen(rule->prefix)) != 0)
        rule++;
    if (rule == end)
        fail_msg("the name does not say what must become of it");
    fixture_setup(&fixture);
    new_block(&((struct fixture *)fixture)->session, "{\"size\":16,\"name\":\"b\"}");
    if (fits_a_line(name))
        try_file(fixture, &((struct fixture *)fixture)->session, name, rule);
    try_file(fixture, &((struct fixture *)fixture)->other, name, rule);
    fixture_teardown(&fixture);
}

int main(void)
{
    /* One test a file, so that a failure names it. */
    static const struct CMUnitTest tests[] = {
#define CORPUS_FILE(name) {name, check_file, NULL, NULL, (void *)(name)},
#include "corpus_files.inc"
#undef CORPUS_FILE
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
