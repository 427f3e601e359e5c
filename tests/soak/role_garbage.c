/*
 * The role "garbage": messages that are wrong in all ways. Their answers are compared where the protocol states them,
 * and must be answers in any case; and the connection stays usable wherever it should.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_client.h"
#include "role.h"

enum { PARSE_ERROR = -32700, INVALID_REQUEST = -32600, NO_METHOD = -32601, INVALID_PARAMS = -32602 };

/* A connection that is served, with that framing. */
static void open_served(struct raw *raw, struct soak *soak, bool has_headers)
{
    static const char ping[] = "{\"id\":1,\"method\":\"server.ping\"}";
    size_t payload_size;

    for (;;) {
        char *answer = NULL;

        if (raw_open(raw, soak)) {
            if (has_headers)
                wire_send_message(&raw->wire, ping, 0);
            else
                wire_send(&raw->wire, "{\"id\":1,\"method\":\"server.ping\"}\n");
            /* A refusal is a line in both framings. */
            while (raw->wire.received.size == 0 && !raw->wire.is_over)
                raw_pause(raw, 1);
            if (raw->wire.received.size != 0 && (!has_headers || raw->wire.received.data[0] == 'C'))
                answer =
                    has_headers ? wire_take_message(&raw->wire, &payload_size) : wire_take_line(&raw->wire);
        }
        if (answer != NULL && strstr(answer, "\"id\":1,\"result\"") != NULL) {
            free(answer);
            return;
        }
        free(answer);
        raw_close(raw);
        soak_pause();
    }
}

/* ---- lines ---- */

static void send_long_line(struct raw *raw)
{
    size_t size = (size_t)soak_limit(raw->soak, "message_bytes") + 10;
    char *line = malloc(size + 1);

    if (line == NULL)
        FAIL(raw->soak, "no memory");
    memset(line, 'x', size);
    line[0] = '{';
    line[size] = '\n';
    wire_send_bytes(&raw->wire, line, size + 1);
    free(line);
    raw_expect_error(raw, UMEM_E_TOO_LARGE);
}

static void send_long_batch(struct raw *raw)
{
    uint64_t count = soak_limit(raw->soak, "batch_requests") + 1;
    char *text = malloc((size_t)count * 32 + 8);
    size_t size = 1;

    if (text == NULL)
        FAIL(raw->soak, "no memory");
    text[0] = '[';
    for (uint64_t i = 0; i < count; i++)
        size += (size_t)sprintf(text + size, "%s{\"method\":\"server.ping\"}", i != 0 ? "," : "");
    memcpy(text + size, "]\n", 2);
    wire_send_bytes(&raw->wire, text, size + 2);
    free(text);
    raw_expect_error(raw, UMEM_E_LIMIT_EXCEEDED);
}

static void send_known(struct raw *raw)
{
    static const struct {
        const char *line;
        int code;
    } known[] = {
        {"{!}\n", PARSE_ERROR},
        {"{\"id\":1,\"method\":\"server.ping\"\n", PARSE_ERROR},
        {"[{\"id\":1,\"method\":\"server.ping\"}}\n", PARSE_ERROR},
        {"{\"id\":1,\"method\":\"server.p\xFFing\"}\n", PARSE_ERROR},
        {"\"text\"\n", INVALID_REQUEST},
        {"[]\n", INVALID_REQUEST},
        {"{}\n", INVALID_REQUEST},
        {"{\"id\":[1],\"method\":\"server.ping\"}\n", INVALID_REQUEST},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"server.ping\"}\n", INVALID_REQUEST},
        {"{\"id\":1,\"id\":1,\"method\":\"server.ping\"}\n", INVALID_REQUEST},
        {"{\"id\":1,\"method\":\"server.pong\"}\n", NO_METHOD},
        {"{\"id\":1,\"method\":\"block.alloc\"}\n", INVALID_PARAMS},
        {"{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":-1}}\n", INVALID_PARAMS},
        {"{\"id\":1,\"method\":\"block.alloc\",\"params\":{\"size\":1,\"colour\":1}}\n", INVALID_PARAMS},
        {"{\"id\":1,\"method\":\"block.read\",\"params\":[\"nobody\"]}\n", UMEM_E_UNKNOWN_HANDLE},
        {"{\"id\":1,\"method\":\"block.read\",\"params\":[0]}\n", UMEM_E_UNKNOWN_HANDLE},
        {"{\"id\":1,\"method\":\"heap.destroy\",\"params\":[\"process\"]}\n", UMEM_E_DENIED},
    };
    unsigned i = (unsigned)soak_below(raw->soak, sizeof known / sizeof known[0]);

    wire_send(&raw->wire, known[i].line);
    raw_expect_error(raw, known[i].code);
}

/* A request of which some bytes are changed, or of bytes that are no request at all. What comes of it is not known, but that every line
 * is an answer, and the next request is served. */
static void send_spoilt(struct raw *raw)
{
    static const char *const requests[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"block.read\",\"params\":[\"nobody\",0,4]}",
        "[{\"id\":7,\"method\":\"block.find\",\"params\":{\"block\":\"nobody\",\"data\":\"AAAA\"}},{}]",
        "{\"id\":\"a\\u00e4\",\"method\":\"block.set\",\"params\":[\"nobody\",0,[1,2.5,\"NaN\"],\"f64\"]}",
        "{\"id\":null,\"method\":\"heap.info\",\"params\":{\"heap\":\"process\"}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"block.fill\",\"params\":{\"block\":123456789,\"value\":1e2}}",
    };
    char line[256];
    size_t size;
    int answers = 0;

    if (soak_chance(raw->soak, 3)) {
        size = (size_t)soak_below(raw->soak, sizeof line - 1);
        soak_random_bytes(raw->soak, line, size);
    } else {
        size = (size_t)snprintf(line, sizeof line, "%s", requests[soak_below(raw->soak, 5)]);
        for (uint64_t i = soak_below(raw->soak, 6); i > 0; i--)
            line[soak_below(raw->soak, size)] = (char)soak_random(raw->soak);
    }
    line[size] = '\n';
    wire_send_bytes(&raw->wire, line, size + 1);
    wire_send(&raw->wire, "{\"id\":\"the end\",\"method\":\"server.ping\"}\n");
    for (;;) {
        char *answer = wire_take_line(&raw->wire);

        if (answer == NULL)
            FAIL(raw->soak, "the daemon has ended a connection of lines after %d answers", answers);
        raw_check_answer(raw->soak, answer, 0);
        if (strstr(answer, "\"the end\"") != NULL) {
            free(answer);
            return;
        }
        free(answer);
        answers++;
    }
}

static void speak_lines(struct soak *soak)
{
    struct raw raw;

    open_served(&raw, soak, false);
    for (uint64_t i = soak_below(soak, 60); i > 0; i--) {
        soak->counters[COUNTER_GARBAGE]++;
        switch (soak_below(soak, 16)) {
        case 0:
            send_long_line(&raw);
            break;
        case 1:
            send_long_batch(&raw);
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            send_spoilt(&raw);
            break;
        default:
            send_known(&raw);
        }
    }
    raw_close(&raw);
}

/* ---- headers ---- */

static void expect_message(struct raw *raw, int code)
{
    size_t payload_size;
    char *text = wire_take_message(&raw->wire, &payload_size);

    if (text == NULL)
        FAIL(raw->soak, "the daemon has ended the connection, the error %d was due", code);
    raw_check_answer(raw->soak, text, code);
    free(text);
}

/* A message of which the daemon passes all bytes over. */
static void send_too_much(struct raw *raw, const char *text, uint64_t size, uint64_t payload_size)
{
    size_t total = (size_t)(size + payload_size) - strlen(text);
    char head[96];
    char *bytes = calloc(total + 1, 1);

    if (bytes == NULL)
        FAIL(raw->soak, "no memory");
    snprintf(head, sizeof head, "Content-Length: %llu\r\nPayload-Length: %llu\r\n\r\n",
             (unsigned long long)size, (unsigned long long)payload_size);
    wire_send(&raw->wire, head);
    wire_send(&raw->wire, text);
    wire_send_bytes(&raw->wire, bytes, total);
    free(bytes);
    expect_message(raw, UMEM_E_TOO_LARGE);
}

static void send_bad_message(struct raw *raw)
{
    static const char write[] =
        "{\"id\":1,\"method\":\"block.write\",\"params\":{\"block\":\"nobody\",\"encoding\":\"raw\"}}";
    static const char ping[] = "{\"id\":1,\"method\":\"server.ping\"}";

    switch (soak_below(raw->soak, 6)) {
    case 0:
        wire_send_message(&raw->wire, "{nonsense}", 0);
        expect_message(raw, PARSE_ERROR);
        break;
    case 1:
        wire_send_message(&raw->wire, ping, 3);
        wire_send(&raw->wire, "abc");
        expect_message(raw, INVALID_PARAMS);
        break;
    case 2:
        wire_send_message(&raw->wire, write, 5);
        wire_send(&raw->wire, "abcde");
        expect_message(raw, UMEM_E_UNKNOWN_HANDLE);
        break;
    case 3:
        send_too_much(raw, "{", soak_limit(raw->soak, "message_bytes") + 1, 0);
        break;
    case 4:
        send_too_much(raw, write, strlen(write), soak_limit(raw->soak, "payload_bytes") + 1);
        break;
    default:
        wire_send_message(&raw->wire, "[]", 0);
        expect_message(raw, INVALID_REQUEST);
    }
    wire_send_message(&raw->wire, ping, 0);
    expect_message(raw, 0);
}

/* The beginning of the next message cannot be found: one error, and the end. */
static void break_headers(struct raw *raw)
{
    static const char *const broken[] = {
        "Content-Length: x\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "Content-Length: 2\n\n{}",
        "Content-Type: nothing\r\n\r\n",
        "Con\x01tent-Length: 2\r\n\r\n",
        "Content-Length : 2\r\n\r\n",
        "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    char junk[512];

    if (soak_chance(raw->soak, 4)) {
        soak_random_bytes(raw->soak, junk, sizeof junk);
        junk[0] = '\x02';
        wire_send_bytes(&raw->wire, junk, sizeof junk);
    } else {
        wire_send(&raw->wire, broken[soak_below(raw->soak, sizeof broken / sizeof broken[0])]);
    }
    expect_message(raw, PARSE_ERROR);
    wire_await_end(&raw->wire);
}

static void speak_headers(struct soak *soak)
{
    struct raw raw;

    open_served(&raw, soak, true);
    for (uint64_t i = soak_below(soak, 20); i > 0; i--) {
        soak->counters[COUNTER_GARBAGE]++;
        send_bad_message(&raw);
    }
    if (soak_chance(soak, 2)) {
        soak->counters[COUNTER_GARBAGE]++;
        break_headers(&raw);
    }
    raw_close(&raw);
}

/* Bytes from the first one on, and the end, without a look at what comes. */
static void shout(struct soak *soak)
{
    char junk[4096];
    struct raw raw;

    soak->counters[COUNTER_GARBAGE]++;
    soak_random_bytes(soak, junk, sizeof junk);
    if (raw_open(&raw, soak))
        wire_send_bytes(&raw.wire, junk, (size_t)soak_below(soak, sizeof junk) + 1);
    raw_close(&raw);
}

static void run(struct soak *soak)
{
    while (soak_next_step(soak)) {
        switch (soak_below(soak, 4)) {
        case 0:
            shout(soak);
            break;
        case 1:
            speak_headers(soak);
            break;
        default:
            speak_lines(soak);
        }
        EXPECT(soak, UMEM_OK, umem_server_ping(soak->client));
    }
}

const struct role role_garbage = {
    .name = "garbage", .members = 1, .steps = 80, .may_be_killed = true, .run = run};
