/* Many calls on their way at one time: a pipeline, or a batch that is sent as one. */
#include <stdlib.h>

#include "pipeline.h"

#include "client.h"

enum { UNSENT_MAXIMUM = 32768 /* bytes of requests that a pipeline gathers before it sends them */ };

/* One call that was submitted. */
struct submitted {
    struct um_ask ask;
    struct submitted *later; /* the one that was submitted after it */
};

struct pipeline {
    struct umem_calls base;
    umem_client *client;
    enum umem_calls_kind kind;
    struct submitted *first; /* to be collected next */
    struct submitted **end;  /* where the next one is linked */
    size_t count;            /* how many are to be collected */
    struct um_ask *unsent;   /* requests that wait to be sent, linked */
    struct um_ask **unsent_end;
    size_t unsent_size;  /* bytes of their texts and payloads */
    struct um_ask batch; /* UMEM_BATCH: what they are sent as */
    bool batch_is_sent;
};

/* ---- submitting ---- */

static void send_unsent(struct pipeline *calls)
{
    struct um_ask *asks = calls->unsent;
    uint64_t deadline_ms = um_client_deadline(calls->client, 0);

    if (asks == NULL)
        return;
    calls->unsent = NULL;
    calls->unsent_end = &calls->unsent;
    calls->unsent_size = 0;
    if (calls->kind == UMEM_BATCH) {
        calls->batch = (struct um_ask){.parts = asks};
        calls->batch_is_sent = true;
        asks = &calls->batch;
        if (um_client_check_limits(calls->client, asks) != UMEM_OK) {
            um_ask_finish(asks);
            return;
        }
    }
    um_client_send(calls->client, asks, deadline_ms);
}

/* Why a call cannot be submitted now; NULL: it can. */
static const char *refusal(const struct pipeline *calls)
{
    if (calls->kind == UMEM_BATCH && calls->batch_is_sent)
        return "the batch has been sent: collect all of its calls before others are submitted";
    if (calls->count >= UMEM_CALLS_MAX)
        return "as many calls as may be are submitted: collect some";
    return NULL;
}

static struct um_ask *begin(umem_calls *base, int *code)
{
    struct pipeline *calls = (struct pipeline *)(void *)base;
    const char *why = refusal(calls);
    struct submitted *made;

    if (why != NULL) {
        *code = um_failure_show_text(calls->client, UMEM_E_BAD_ARGUMENT, "%s", why);
        return NULL;
    }
    made = malloc(sizeof *made);
    if (made == NULL)
        *code = um_failure_show_text(calls->client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    return made != NULL ? &made->ask : NULL;
}

static int end(umem_calls *base, struct um_ask *ask)
{
    struct pipeline *calls = (struct pipeline *)(void *)base;
    /* The first member of what was allocated. */
    struct submitted *made = (struct submitted *)(void *)ask;

    if (ask->text.failed)
        um_ask_fail(ask, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    if (calls->kind == UMEM_BATCH && ask->asks_for_raw)
        um_ask_refuse(ask, "in a batch, umem_submit_block_read() is what reads raw bytes");
    if (ask->code == UMEM_OK)
        um_client_check_limits(calls->client, ask);
    if (ask->code != UMEM_OK) {
        int code = um_client_end(calls->client, ask);

        free(made);
        return code;
    }
    made->later = NULL;
    *calls->end = made;
    calls->end = &made->later;
    calls->count++;
    ask->next = NULL;
    *calls->unsent_end = ask;
    calls->unsent_end = &ask->next;
    calls->unsent_size += ask->text.size + ask->payload_size;
    if (calls->kind == UMEM_PIPELINE && calls->unsent_size >= UNSENT_MAXIMUM)
        send_unsent(calls);
    return um_failure_show(calls->client, UMEM_OK, NULL);
}

static const struct um_calls_way pipeline_way = {begin, end};

umem_calls *umem_calls_new(umem_client *client, enum umem_calls_kind kind)
{
    struct pipeline *calls = client != NULL ? calloc(1, sizeof *calls) : NULL;

    if (calls == NULL)
        return NULL;
    calls->base.way = &pipeline_way;
    calls->client = client;
    calls->kind = kind;
    calls->end = &calls->first;
    calls->unsent_end = &calls->unsent;
    return &calls->base;
}

/* What umem_calls_new() has made; NULL for others' ways. */
static struct pipeline *pipeline_of(const umem_calls *base)
{
    return base != NULL && base->way == &pipeline_way ? (struct pipeline *)(void *)(uintptr_t)base : NULL;
}

int umem_calls_send(umem_calls *base)
{
    struct pipeline *calls = pipeline_of(base);

    if (calls == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    send_unsent(calls);
    return um_failure_show(calls->client, UMEM_OK, NULL);
}

/* ---- collecting ---- */

size_t umem_calls_count(const umem_calls *base)
{
    const struct pipeline *calls = pipeline_of(base);

    return calls != NULL ? calls->count : 0;
}

static struct submitted *take_first(struct pipeline *calls)
{
    struct submitted *first = calls->first;

    calls->first = first->later;
    if (calls->first == NULL)
        calls->end = &calls->first;
    calls->count--;
    return first;
}

/* Waits for the oldest, or for the batch that it is part of. */
static void wait(struct pipeline *calls, struct submitted *oldest)
{
    struct um_ask *ask = calls->kind == UMEM_BATCH ? &calls->batch : &oldest->ask;

    /* Also where it is done: whoever read its answer may be another thread. */
    um_client_wait(calls->client, ask, um_client_deadline(calls->client, oldest->ask.wait_ms));
}

/* Collects the oldest: returns its code, and its failure's story, which the caller frees. */
static int collect(struct pipeline *calls, struct um_failure **failure)
{
    struct submitted *oldest;
    int code;

    send_unsent(calls);
    wait(calls, calls->first);
    oldest = take_first(calls);
    code = oldest->ask.code;
    *failure = oldest->ask.failure;
    oldest->ask.failure = NULL;
    um_ask_deinit(&oldest->ask);
    free(oldest);
    if (calls->count == 0 && calls->batch_is_sent) {
        um_ask_deinit(&calls->batch);
        calls->batch_is_sent = false;
    }
    return code;
}

int umem_collect(umem_calls *base)
{
    struct pipeline *calls = pipeline_of(base);
    struct um_failure *failure = NULL;
    int code;

    if (calls == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    if (calls->first == NULL)
        return um_failure_show_text(calls->client, UMEM_E_BAD_ARGUMENT, "there is no call to collect");
    code = collect(calls, &failure);
    um_failure_show(calls->client, code, failure);
    free(failure);
    return code;
}

int umem_collect_all(umem_calls *base)
{
    struct pipeline *calls = pipeline_of(base);
    struct um_failure *first = NULL;
    int first_code = UMEM_OK;

    if (calls == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    while (calls->count != 0) {
        struct um_failure *failure = NULL;
        int code = collect(calls, &failure);

        if (first_code == UMEM_OK && code != UMEM_OK) {
            first_code = code;
            first = failure;
        } else {
            free(failure);
        }
    }
    um_failure_show(calls->client, first_code, first);
    free(first);
    return first_code;
}

void umem_calls_free(umem_calls *base)
{
    struct pipeline *calls = pipeline_of(base);

    if (calls == NULL)
        return;
    while (calls->unsent != NULL) {
        struct um_ask *ask = calls->unsent;

        calls->unsent = ask->next;
        um_ask_finish(ask);
    }
    if (calls->batch_is_sent)
        um_client_take_back(calls->client, &calls->batch);
    while (calls->first != NULL) {
        struct submitted *oldest = take_first(calls);

        if (!calls->batch_is_sent)
            um_client_take_back(calls->client, &oldest->ask);
        um_ask_deinit(&oldest->ask);
        free(oldest);
    }
    um_ask_deinit(&calls->batch);
    free(calls);
}
