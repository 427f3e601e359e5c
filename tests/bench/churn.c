#include "churn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "bench_common.h"

static const char answer_begin[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":";

static int print_make(const struct churn *churn, char *to, size_t capacity)
{
    char data[32] = "";
    char heap[48] = "";

    if (churn->what == CHURN_HEAPS)
        return snprintf(to, capacity, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"heap.create\"}\n");
    if (churn->numbered) {
        uint64_t number = churn->requested;

        memcpy(data, ",\"data\":\"", 9);
        um_base64_encode(data + 9, &number, sizeof number);
        strcat(data, "\"");
    }
    if (churn->heap != 0)
        snprintf(heap, sizeof heap, ",\"heap\":%" PRIu64, churn->heap);
    return snprintf(
        to, capacity,
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"block.alloc\",\"params\":{\"size\":%d%s%s}}\n",
        CHURN_BLOCK_SIZE, heap, data);
}

static int print_take(const struct churn *churn, char *to, size_t capacity)
{
    uint64_t handle = churn->handles[churn->requested - 1];

    if (churn->what == CHURN_HEAPS)
        return snprintf(
            to, capacity,
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"heap.destroy\",\"params\":{\"heap\":%" PRIu64 "}}\n",
            handle);
    return snprintf(to, capacity,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"block.free\",\"params\":{\"block\":%" PRIu64
                    "}}\n",
                    handle);
}

static size_t next(struct source *source, struct cursor *cursor, size_t wanted, const char **bytes,
                   size_t *size)
{
    struct churn *churn = source->data;
    size_t count = 0;

    (void)cursor;
    *size = 0;
    *bytes = churn->requests;
    if (wanted > CHURN_DEPTH_MAX)
        give_up("the depth %zu passes %d", wanted, CHURN_DEPTH_MAX);
    while (count < wanted) {
        /* Only handles that are known can be taken; pairs take what one batch has made in the next one. */
        bool take = churn->mode == CHURN_DRAIN ||
                    (churn->mode == CHURN_PAIRS && churn->count > 0 && churn->requested <= churn->count);
        char *to = churn->requests + *size;
        size_t capacity = sizeof churn->requests - *size;

        if (take ? churn->requested == 0 : churn->requested == churn->limit)
            break;
        *size += (size_t)(take ? print_take(churn, to, capacity) : print_make(churn, to, capacity));
        churn->requested += take ? -(size_t)1 : 1;
        churn->requested_drop[churn->last++ % CHURN_DEPTH_MAX] = take;
        count++;
    }
    return count;
}

/* Reads digits; returns what follows them. */
static const char *skip_number(const char *text, uint64_t *number)
{
    char *end = NULL;

    *number = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    return end != NULL ? end : text;
}

/* Whether the line is the answer that it should be; takes the handle out of it. */
static bool take_answer(struct churn *churn, const char *line, bool take)
{
    uint64_t handle;
    uint64_t address;

    if (strncmp(line, answer_begin, sizeof answer_begin - 1) != 0)
        return false;
    line += sizeof answer_begin - 1;
    if (take) {
        churn->count--;
        return strcmp(line, churn->what == CHURN_HEAPS ? "{\"blocks\":0,\"bytes\":0}}" : "{\"size\":64}}") ==
               0;
    }
    if (strncmp(line, churn->what == CHURN_HEAPS ? "{\"heap\":" : "{\"block\":",
                churn->what == CHURN_HEAPS ? 8 : 9) != 0)
        return false;
    line = skip_number(line + (churn->what == CHURN_HEAPS ? 8 : 9), &handle);
    if (handle == 0)
        return false;
    churn->handles[churn->count++] = handle;
    if (churn->what == CHURN_HEAPS)
        return strcmp(line, "}}") == 0;
    if (strncmp(line, ",\"size\":64,\"address\":", 21) != 0)
        return false;
    line = skip_number(line + 21, &address);
    return address != 0 && strcmp(line, "}}") == 0;
}

static size_t check(struct source *source, struct cursor *cursor, const char *bytes, size_t size)
{
    struct churn *churn = source->data;
    size_t finished = 0;

    (void)cursor;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            if (churn->line_size == sizeof churn->line - 1)
                give_up("an answer is too long: %.200s", churn->line);
            churn->line[churn->line_size++] = bytes[i];
            continue;
        }
        churn->line[churn->line_size] = '\0';
        if (churn->first == churn->last ||
            !take_answer(churn, churn->line, churn->requested_drop[churn->first++ % CHURN_DEPTH_MAX]))
            give_up("making and taking away: wrong answer: %s", churn->line);
        churn->line_size = 0;
        finished++;
    }
    return finished;
}

struct churn *churn_new(enum churn_what what, uint64_t heap, size_t limit, bool numbered)
{
    struct churn *churn = calloc(1, sizeof *churn);

    if (churn == NULL)
        give_up("no memory");
    churn->source = (struct source){next, check, churn};
    churn->what = what;
    churn->heap = heap;
    churn->limit = limit;
    churn->numbered = numbered;
    churn->handles = must_alloc(limit * sizeof *churn->handles);
    return churn;
}

void churn_free(struct churn *churn)
{
    free(churn->handles);
    free(churn);
}

uint64_t churn_all(struct churn *churn, enum churn_mode mode, const char *path)
{
    size_t due = mode == CHURN_FILL ? churn->limit - churn->count : churn->count;
    struct drive drive_all = {path, &churn->source, 1, 64, UINT64_MAX, due};
    struct drive_result result;

    churn->mode = mode;
    if (due == 0)
        return 0;
    drive(&drive_all, &result);
    if (result.requests != due)
        give_up("%zu requests were due, %llu were answered", due, (unsigned long long)result.requests);
    return result.elapsed_ns;
}
