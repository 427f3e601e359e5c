/* Whole conversations, cut at every byte: however they arrive, they are answered alike, and each message as
 * soon as it is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server_fixture.h"

enum { MESSAGE_LIMIT = 112, PAYLOAD_LIMIT = 28, MOST_PARTS = 20 };

#define PING "{\"id\":\"end\",\"method\":\"server.ping\"}"
#define PONG "{\"jsonrpc\":\"2.0\",\"id\":\"end\",\"result\":{}}"

/* A conversation: messages one after the other, and what is answered to them. */
struct script {
    struct um_buf bytes;
    struct um_buf answers;
    size_t end[MOST_PARTS]; /* where in `bytes` each message ends */
    size_t due[MOST_PARTS]; /* how many bytes of `answers` have come when it has been answered */
    size_t count;           /* messages */
    const char *ping;       /* a message, in the script's framing, and its answer */
    const char *pong;
};

static const struct script in_lines = {.ping = PING "\n", .pong = PONG "\n"};

static const struct script in_texts = {.ping = PING, .pong = PONG "\n"};

static const struct script in_headers = {.ping = "Content-Length: 35\r\n\r\n" PING,
                                         .pong = "Content-Length: 40\r\n\r\n" PONG};

static void script_init(struct script *script, const struct script *framing)
{
    *script = *framing;
    um_buf_init(&script->bytes, SIZE_MAX);
    um_buf_init(&script->answers, SIZE_MAX);
}

static void script_deinit(struct script *script)
{
    um_buf_deinit(&script->bytes);
    um_buf_deinit(&script->answers);
}

struct ending {
    const struct wire_client *client;
    const char *text;
};

static bool has_ending(const void *what)
{
    const struct ending *ending = what;
    const struct um_buf *received = &ending->client->received;
    size_t size = strlen(ending->text);

    assert_false(ending->client->is_over);
    return received->size >= size && memcmp(received->data + received->size - size, ending->text, size) == 0;
}

/* Adds the bytes from `from` on as a message, and finds out, by sending it whole, what is answered to it. */
static void script_end_part(struct script *script, struct wire_client *client, size_t from, const char *shows)
{
    struct ending ending = {client, script->pong};
    size_t size;

    assert_true(script->count < MOST_PARTS);
    assert_false(script->bytes.failed);
    wire_send_bytes(client, script->bytes.data + from, script->bytes.size - from);
    wire_send(client, script->ping);
    fixture_run_until(fixture_of(client), has_ending, &ending);
    size = client->received.size - strlen(script->pong);
    if (shows != NULL && strstr(client->received.data, shows) == NULL)
        fail_msg("\"%s\" is not in %s", shows, client->received.data);
    assert_true(shows != NULL || size == 0);
    um_buf_append(&script->answers, client->received.data, size);
    um_buf_truncate(&client->received, 0);
    script->end[script->count] = script->bytes.size;
    script->due[script->count] = script->answers.size;
    script->count++;
}

/* A line, or a text without a line's end; its answer must show `shows`. NULL: there is no answer. */
static void add_line(struct script *script, struct wire_client *client, const char *line, const char *shows)
{
    size_t from = script->bytes.size;

    um_buf_append_string(&script->bytes, line);
    script_end_part(script, client, from, shows);
}

/* Likewise a message of headers (without their empty line), a text and a payload. */
static void add_message(struct script *script, struct wire_client *client, const char *headers,
                        const char *text, const char *payload, const char *shows)
{
    size_t from = script->bytes.size;
    char lengths[64];

    snprintf(lengths, sizeof lengths, "Content-Length:%zu\r\n", strlen(text));
    um_buf_append_string(&script->bytes, lengths);
    if (payload[0] != '\0') {
        snprintf(lengths, sizeof lengths, "payload-length: \t%zu \r\n", strlen(payload));
        um_buf_append_string(&script->bytes, lengths);
    }
    um_buf_append_string(&script->bytes, headers);
    um_buf_append_string(&script->bytes, "\r\n");
    um_buf_append_string(&script->bytes, text);
    um_buf_append_string(&script->bytes, payload);
    script_end_part(script, client, from, shows);
}

/* A ping of exactly `size` bytes. */
static void pad_ping(char *text, size_t size)
{
    static const char begin[] = "{\"id\":\"long\",\"method\":\"server.ping\"";

    memset(text, ' ', size);
    memcpy(text, begin, sizeof begin - 1);
    text[size - 1] = '}';
    text[size] = '\0';
}

static void write_lines(struct script *script, struct wire_client *client)
{
    char text[MESSAGE_LIMIT + 4];

    script_init(script, &in_lines);
    add_line(script, client, "{\"id\":\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\",\"method\":\"server.ping\"}\n",
             "\xF0\x9F\x98\x80\",\"result\":{}");
    add_line(script, client, " \t\r\n", NULL);
    add_line(script, client, "{nonsense}\n", "-32700");
    add_line(script, client, "Content-Length: 2\n", "-32700");
    add_line(script, client,
             "{\"jsonrpc\":\"2.0\",\"method\":\"block.set\",\"params\":[\"b\",0,[1,2,3,4]]}\n", NULL);
    add_line(script, client,
             " {\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"hex\"}} \r\n",
             "\"01020304\"");
    add_line(script, client,
             "[{\"id\":1,\"method\":\"server.ping\"},{\"id\":2,\"method\":\"server.ping\"}]\n", "},{");
    add_line(script, client, "\"a string\"\n", "-32600");
    pad_ping(text, MESSAGE_LIMIT);
    memcpy(text + MESSAGE_LIMIT, "\r\n", 3);
    add_line(script, client, text, "\"long\",\"result\"");
    pad_ping(text, MESSAGE_LIMIT + 1);
    memcpy(text + MESSAGE_LIMIT + 1, "\r\n", 3);
    add_line(script, client, text, "too_large");
    add_line(script, client, "{\"id\":7,\"method\":\"server.ping\"}\r\n", "\"id\":7");
}

/* Texts with nothing between them, some of which are no JSON or have a line's end or a byte-order mark behind them. */
static void write_texts(struct script *script, struct wire_client *client)
{
    char text[MESSAGE_LIMIT + 2];

    script_init(script, &in_texts);
    add_line(script, client, "{\"id\":\"}\\\"]\\\\\",\"method\":\"server.ping\"}",
             "}\\\"]\\\\\",\"result\":{}");
    add_line(script, client, "[{\"id\":1,\"method\":\"server.ping\"},{\"id\":2,\"method\":\"server.ping\"}]",
             "},{");
    add_line(script, client,
             "{\"id\":\"\xC3\xA4\",\"method\":\"server.ping\"}{\"id\":4,\"method\":\"server.ping\"}\r\n",
             "\"id\":4");
    add_line(script, client, "{\"id\":\"\xC3\xA4\",\"method\":\"server.ping\"}\xFF\n", "UTF-8 at byte 0");
    add_line(script, client, "{\"a\":[}]", "-32700");
    add_line(script, client, "[tru]{\"id\":\"\xC3\xA4\",\"method\":\"\\u0073erver.ping\"}",
             "\xC3\xA4\",\"result\":{}");
    add_line(script, client, "[\"\\x]\\\"\",1]", "-32700");
    add_line(script, client, "[\"\xC3\",\"]\",1]", "UTF-8 at byte 2");
    add_line(script, client, "{\"method\":\n", "-32700");
    add_line(script, client, "}{\"method\":1}{}\n", "-32700");
    add_line(script, client, "\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}", NULL);
    pad_ping(text, MESSAGE_LIMIT);
    add_line(script, client, text, "\"long\",\"result\"");
    pad_ping(text, MESSAGE_LIMIT + 1);
    add_line(script, client, text, "too_large");
    add_line(script, client, "{\"id\":7,\"method\":\"server.ping\"}", "\"id\":7");
}

static void write_headers(struct script *script, struct wire_client *client)
{
    char text[MESSAGE_LIMIT + 2];
    char payload[PAYLOAD_LIMIT + 2];

    script_init(script, &in_headers);
    add_message(script, client, "Content-Type: application/json; charset=utf-8\r\n",
                "{\"id\":\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\",\r\n\"method\":\"server.ping\"}\n", "",
                "Content-Type: application/json; "
                "charset=utf-8\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":\"\xC3\xA4\xE2\x82\xAC"
                "\xF0\x9F\x98\x80\",\"result\":{}");
    add_message(script, client, "",
                "{\"id\":2,\"method\":\"block.write\",\"params\":{\"block\":\"t\",\"encoding\":\"raw\"}}",
                "Content-Length: 2\r\n\r\n{}", "{\"size\":23}");
    add_message(script, client, "",
                "{\"id\":3,\"method\":\"block.read\",\"params\":{\"block\":\"t\",\"encoding\":\"raw\"}}", "",
                "{\"size\":23}}Content-Length: 2\r\n\r\n{}");
    add_message(script, client, "X-Y:\r\n",
                "{\"jsonrpc\":\"2.0\",\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":"
                "\"raw\"}}",
                "abcd", NULL);
    add_message(script, client, "",
                "{\"id\":5,\"method\":\"block.write\",\"params\":{\"block\":\"b\",\"encoding\":\"raw\","
                "\"offset\":1}}",
                "EFGH", "out_of_range");
    add_message(script, client, "",
                "{\"id\":6,\"method\":\"block.read\",\"params\":{\"block\":\"b\",\"encoding\":\"utf8\"}}", "",
                "\"abcd\"");
    add_message(script, client, "", "{nonsense}", "{\"method\":\"server.ping\"}\r\n", "-32700");
    add_message(script, client, "", "", "", "-32700");
    add_message(script, client, "", "[1]", "", "[{");
    pad_ping(text, MESSAGE_LIMIT);
    add_message(script, client, "", text, "", "\"long\",\"result\"");
    pad_ping(text, MESSAGE_LIMIT + 1);
    add_message(script, client, "", text, "x", "too_large");
    memset(payload, '{', sizeof payload);
    payload[PAYLOAD_LIMIT + 1] = '\0';
    add_message(script, client, "", "{\"id\":7,\"method\":\"server.ping\"}", payload, "too_large");
    payload[PAYLOAD_LIMIT] = '\0';
    add_message(script, client, "", "{\"id\":8,\"method\":\"server.ping\"}", payload, "-32602");
    add_message(script, client, "", "{\"id\":9,\"method\":\"server.ping\"}", "", "\"id\":9");
}

/* Sends the script's bytes from `from` to `to`. What is whole then is answered, what is not even begun is
 * not. At the script's end nothing has to be waited for but the last answer. */
static void send_piece(const struct script *script, struct wire_client *client, struct wire_client *other,
                       size_t from, size_t to)
{
    size_t least = 0;
    size_t most = script->due[0];

    wire_send_bytes(client, script->bytes.data + from, to - from);
    if (to != script->bytes.size)
        client_flush(client, other);
    for (size_t i = 0; i < script->count && script->end[i] <= to; i++) {
        least = script->due[i];
        most = script->end[i] == to || i + 1 == script->count ? least : script->due[i + 1];
    }
    client_await_bytes(client, least);
    assert_true(client->received.size <= most);
}

static void end_script(const struct script *script, struct wire_client *client)
{
    assert_int_equal(client->received.size, script->answers.size);
    assert_memory_equal(client->received.data, script->answers.data, script->answers.size);
    um_buf_truncate(&client->received, 0);
}

static struct wire_client *begin(struct fixture *fixture)
{
    struct wire_client *other;
    char line[256];

    fixture->limits.message_bytes = MESSAGE_LIMIT;
    fixture->limits.payload_bytes = PAYLOAD_LIMIT;
    fixture_start_server(fixture);
    other = client_open(fixture, 0, true);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":4,\"name\":\"b\"}}\n");
    client_take_line(other, line, sizeof line);
    wire_send(other, "{\"method\":\"block.alloc\",\"params\":{\"size\":23,\"name\":\"t\"}}\n");
    client_take_line(other, line, sizeof line);
    return other;
}

typedef void write_script(struct script *script, struct wire_client *client);

static void cut_in_two(struct fixture *fixture, write_script *write)
{
    struct wire_client *other = begin(fixture);
    struct wire_client *client = client_open(fixture, 1, true);
    struct script script;

    write(&script, client);
    for (size_t cut = 1; cut < script.bytes.size; cut++) {
        send_piece(&script, client, other, 0, cut);
        send_piece(&script, client, other, cut, script.bytes.size);
        end_script(&script, client);
    }
    script_deinit(&script);
}

/* In pieces of `step` bytes, on a connection that they begin. */
static void cut_small(const struct script *script, struct wire_client *client, struct wire_client *other,
                      size_t step)
{
    for (size_t at = 0; at < script->bytes.size; at += step) {
        size_t to = at + step < script->bytes.size ? at + step : script->bytes.size;

        send_piece(script, client, other, at, to);
    }
    end_script(script, client);
}

static void cut_into_pieces(struct fixture *fixture, write_script *write)
{
    struct wire_client *other = begin(fixture);
    struct script script;

    write(&script, client_open(fixture, 1, true));
    cut_small(&script, client_open(fixture, 2, true), other, 1);
    cut_small(&script, client_open(fixture, 3, true), other, 5);
    script_deinit(&script);
}

static void lines_cut_in_two(void **state)
{
    cut_in_two(*state, write_lines);
}

static void lines_cut_into_pieces(void **state)
{
    cut_into_pieces(*state, write_lines);
}

static void texts_cut_in_two(void **state)
{
    cut_in_two(*state, write_texts);
}

static void texts_cut_into_pieces(void **state)
{
    cut_into_pieces(*state, write_texts);
}

static void headers_cut_in_two(void **state)
{
    cut_in_two(*state, write_headers);
}

static void headers_cut_into_pieces(void **state)
{
    cut_into_pieces(*state, write_headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_cut_in_two, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lines_cut_into_pieces, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(texts_cut_in_two, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(texts_cut_into_pieces, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(headers_cut_in_two, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(headers_cut_into_pieces, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
