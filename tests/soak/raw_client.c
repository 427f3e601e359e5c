#include "raw_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

/* ---- the loop ---- */

static void on_timer(uv_timer_t *timer)
{
    struct raw *raw = timer->data;

    raw->has_rung = true;
}

static struct raw *raw_of(struct wire_host *host)
{
    return (struct raw *)((char *)host - offsetof(struct raw, host));
}

static void run_until(struct wire_host *host, bool (*holds)(const void *what), const void *what)
{
    struct raw *raw = raw_of(host);

    while (!holds(what)) {
        raw->has_rung = false;
        uv_timer_start(&raw->timer, on_timer, SOAK_HANG_MS, 0);
        uv_run(&raw->loop, UV_RUN_ONCE);
        uv_timer_stop(&raw->timer);
        if (raw->has_rung)
            FAIL(raw->soak, "the daemon says nothing any more");
    }
}

static void fail_soak(struct wire_host *host, const char *reason)
{
    FAIL(raw_of(host)->soak, "%s", reason);
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

bool raw_open(struct raw *raw, struct soak *soak)
{
    memset(raw, 0, sizeof *raw);
    raw->soak = soak;
    raw->host = (struct wire_host){&raw->loop, run_until, fail_soak};
    uv_loop_init(&raw->loop);
    uv_timer_init(&raw->loop, &raw->timer);
    raw->timer.data = raw;
    if (wire_connect(&raw->wire, &raw->host, soak->pipe))
        wire_read(&raw->wire);
    return !raw->wire.is_over;
}

void raw_close(struct raw *raw)
{
    wire_close(&raw->wire);
    uv_close((uv_handle_t *)&raw->timer, NULL);
    uv_run(&raw->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&raw->loop) != 0)
        FAIL(raw->soak, "something was left open");
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

/* A connection beyond the limit of sessions is refused with one line. */
static bool is_refusal(const char *line)
{
    return strstr(line, "\"id\":null") != NULL && strstr(line, "\"limit\":\"sessions\"") != NULL;
}

bool raw_expect_result(struct raw *raw, int id)
{
    char *line = wire_take_line(&raw->wire);
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
    char *line = wire_take_line(&raw->wire);

    if (line == NULL)
        FAIL(raw->soak, "the daemon has ended the connection, the error %d was due", code);
    raw_check_answer(raw->soak, line, code);
    free(line);
}
