#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

enum { RECEIVED_MAX = 64 << 20, SPACE = 65536 };

/* ---- the loop ---- */

static void on_timer(uv_timer_t *timer)
{
    struct raw *raw = timer->data;

    raw->has_rung = true;
}

/* Turns the loop once, waiting for something to happen. */
static void turn(struct raw *raw)
{
    raw->has_rung = false;
    uv_timer_start(&raw->timer, on_timer, SOAK_HANG_MS, 0);
    uv_run(&raw->loop, UV_RUN_ONCE);
    uv_timer_stop(&raw->timer);
    if (raw->has_rung)
        FAIL(raw->soak, "the daemon says nothing any more");
}

void raw_pause(struct raw *raw, unsigned ms)
{
    raw->has_rung = false;
    /* It repeats, because a turn that begins with the timer would then wait for something else. */
    uv_timer_start(&raw->timer, on_timer, ms, 1);
    while (!raw->has_rung)
        uv_run(&raw->loop, UV_RUN_ONCE);
    uv_timer_stop(&raw->timer);
}

/* ---- the connection ---- */

static void on_connected(uv_connect_t *connecting, int status)
{
    struct raw *raw = connecting->data;

    raw->is_connected = true;
    raw->is_over = status != 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct raw *raw = handle->data;

    (void)suggested;
    if (raw->capacity - raw->size < SPACE) {
        raw->capacity = 2 * raw->capacity + SPACE;
        raw->received = realloc(raw->received, raw->capacity);
        if (raw->received == NULL || raw->capacity > RECEIVED_MAX)
            FAIL(raw->soak, "too much has come");
    }
    *buf = uv_buf_init(raw->received + raw->size, SPACE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct raw *raw = stream->data;

    (void)buf;
    if (size > 0)
        raw->size += (size_t)size;
    else if (size < 0)
        raw->is_over = true;
}

void raw_read(struct raw *raw)
{
    if (!raw->is_reading && !raw->is_over)
        uv_read_start((uv_stream_t *)&raw->pipe, on_alloc, on_read);
    raw->is_reading = true;
}

void raw_stop_reading(struct raw *raw)
{
    uv_read_stop((uv_stream_t *)&raw->pipe);
    raw->is_reading = false;
}

bool raw_open(struct raw *raw, struct soak *soak)
{
    memset(raw, 0, sizeof *raw);
    raw->soak = soak;
    uv_loop_init(&raw->loop);
    uv_pipe_init(&raw->loop, &raw->pipe, 0);
    uv_timer_init(&raw->loop, &raw->timer);
    raw->pipe.data = raw;
    raw->timer.data = raw;
    raw->connecting.data = raw;
    uv_pipe_connect(&raw->connecting, &raw->pipe, soak->pipe, on_connected);
    while (!raw->is_connected)
        turn(raw);
    raw_read(raw);
    return !raw->is_over;
}

void raw_close(struct raw *raw)
{
    uv_close((uv_handle_t *)&raw->pipe, NULL);
    uv_close((uv_handle_t *)&raw->timer, NULL);
    uv_run(&raw->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&raw->loop) != 0)
        FAIL(raw->soak, "something was left open");
    free(raw->received);
    raw->received = NULL;
}

/* ---- sending ---- */

struct sending {
    uv_write_t write;
    struct raw *raw;
    char bytes[];
};

static void on_written(uv_write_t *write, int status)
{
    struct sending *sending = write->data;

    (void)status;
    sending->raw->unwritten--;
    free(sending);
}

void raw_send(struct raw *raw, const void *bytes, size_t size)
{
    struct sending *sending = malloc(sizeof *sending + size);
    uv_buf_t buf;

    if (sending == NULL)
        FAIL(raw->soak, "no memory");
    sending->raw = raw;
    sending->write.data = sending;
    memcpy(sending->bytes, bytes, size);
    buf = uv_buf_init(sending->bytes, (unsigned)size);
    raw->unwritten++;
    if (uv_write(&sending->write, (uv_stream_t *)&raw->pipe, &buf, 1, on_written) != 0) {
        raw->unwritten--;
        free(sending);
    }
    uv_run(&raw->loop, UV_RUN_NOWAIT);
}

void raw_send_text(struct raw *raw, const char *text)
{
    raw_send(raw, text, strlen(text));
}

void raw_send_message(struct raw *raw, const char *text, size_t payload_size)
{
    char head[96];

    snprintf(head, sizeof head, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n", strlen(text),
             payload_size);
    raw_send_text(raw, head);
    raw_send_text(raw, text);
}

/* ---- receiving ---- */

static void consume(struct raw *raw, size_t size)
{
    memmove(raw->received, raw->received + size, raw->size - size);
    raw->size -= size;
}

static bool await(struct raw *raw, size_t size)
{
    raw_read(raw);
    while (raw->size < size && !raw->is_over)
        turn(raw);
    return raw->size >= size;
}

bool raw_take(struct raw *raw, void *bytes, size_t size)
{
    if (!await(raw, size))
        return false;
    memcpy(bytes, raw->received, size);
    consume(raw, size);
    return true;
}

static char *take_text(struct raw *raw, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        FAIL(raw->soak, "no memory");
    memcpy(text, raw->received, size);
    text[size] = '\0';
    return text;
}

char *raw_take_line(struct raw *raw)
{
    const char *end = NULL;
    size_t looked = 0;
    char *line;

    raw_read(raw);
    for (;;) {
        if (raw->size > looked)
            end = memchr(raw->received + looked, '\n', raw->size - looked);
        looked = raw->size;
        if (end != NULL || raw->is_over)
            break;
        turn(raw);
    }
    if (end == NULL)
        return NULL;
    looked = (size_t)(end - raw->received);
    line = take_text(raw, looked);
    consume(raw, looked + 1);
    return line;
}

char *raw_take_message(struct raw *raw, size_t *payload_size)
{
    size_t size = 0;
    char *text;
    char *line;

    *payload_size = 0;
    for (;;) {
        line = raw_take_line(raw);
        if (line == NULL)
            return NULL;
        if (strcmp(line, "\r") == 0)
            break;
        if (sscanf(line, "Content-Length: %zu", &size) != 1 &&
            sscanf(line, "Payload-Length: %zu", payload_size) != 1)
            FAIL(raw->soak, "no header: %s", line);
        free(line);
    }
    free(line);
    if (!await(raw, size))
        return NULL;
    text = take_text(raw, size);
    consume(raw, size);
    return text;
}

/* ---- checking ---- */

static bool is_answer(const cJSON *answer)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(answer, "jsonrpc");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");

    return cJSON_IsString(version) && strcmp(version->valuestring, "2.0") == 0 &&
           cJSON_GetObjectItemCaseSensitive(answer, "id") != NULL && (error == NULL) != (result == NULL) &&
           (error == NULL || cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(error, "code")));
}

void raw_check_answer(struct soak *soak, const char *text, int code)
{
    cJSON *tree = cJSON_ParseWithOpts(text, NULL, true);
    const cJSON *error;

    soak->counters[COUNTER_CHECKS]++;
    if (tree == NULL)
        FAIL(soak, "an answer is not JSON: %.500s", text);
    if (cJSON_IsArray(tree) && code == 0) {
        const cJSON *one;

        cJSON_ArrayForEach(one, tree)
        {
            if (!is_answer(one))
                FAIL(soak, "no answer: %.500s", text);
        }
        cJSON_Delete(tree);
        return;
    }
    if (!is_answer(tree))
        FAIL(soak, "no answer: %.500s", text);
    error = cJSON_GetObjectItemCaseSensitive(tree, "error");
    if (code != 0 && (error == NULL || cJSON_GetObjectItemCaseSensitive(error, "code")->valueint != code))
        FAIL(soak, "the error %d was due: %.500s", code, text);
    cJSON_Delete(tree);
}

/* A connection that is one too many is told so, by one line. */
static bool is_refusal(const char *line)
{
    return strstr(line, "\"id\":null") != NULL && strstr(line, "\"limit\":\"sessions\"") != NULL;
}

bool raw_expect_result(struct raw *raw, int id)
{
    char *line = raw_take_line(raw);
    char wanted[64];

    snprintf(wanted, sizeof wanted, "\"id\":%d,\"result\":", id);
    if (line == NULL)
        FAIL(raw->soak, "the daemon has ended the connection before it answered %d", id);
    if (is_refusal(line)) {
        free(line);
        return false;
    }
    raw_check_answer(raw->soak, line, 0);
    if (strstr(line, wanted) == NULL)
        FAIL(raw->soak, "the result of %d was due: %.500s", id, line);
    free(line);
    return true;
}

void raw_expect_error(struct raw *raw, int code)
{
    char *line = raw_take_line(raw);

    if (line == NULL)
        FAIL(raw->soak, "the daemon has ended the connection, the error %d was due", code);
    raw_check_answer(raw->soak, line, code);
    free(line);
}

void raw_expect_end(struct raw *raw)
{
    raw_read(raw);
    while (!raw->is_over)
        turn(raw);
}
