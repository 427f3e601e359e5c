/* Many calls on their way at one time: a pipeline, or a batch that is sent as one. */
#include <stdlib.h>

#include "pipeline.h"

enum { UNSENT_MAXIMUM = 32768 /* bytes of requests that a pipeline gathers before it sends them */ };

/* One call that was submitted. */
struct submitted {
    struct um_ask ask;
    struct submitted *later; /* the one that was submitted after it */
};

struct umem_calls {
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

umem_calls *umem_calls_new(umem_client *client, enum umem_calls_kind kind)
{
    umem_calls *calls = calloc(1, sizeof *calls);

    if (calls == NULL)
        return NULL;
    calls->client = client;
    calls->kind = kind;
    calls->end = &calls->first;
    calls->unsent_end = &calls->unsent;
    return calls;
}

/* ---- submitting ---- */

static void send_unsent(umem_calls *calls)
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
static const char *refusal(const umem_calls *calls)
{
    if (calls->kind == UMEM_BATCH && calls->batch_is_sent)
        return "the batch has been sent: collect all of its calls before others are submitted";
    if (calls->count >= UMEM_CALLS_MAX)
        return "as many calls as may be are submitted: collect some";
    return NULL;
}

struct um_ask *um_calls_begin(umem_calls *calls)
{
    struct submitted *made;
    const char *why;

    if (calls == NULL || calls->client == NULL)
        return NULL;
    why = refusal(calls);
    if (why != NULL) {
        um_failure_show_text(calls->client, UMEM_E_BAD_ARGUMENT, "%s", why);
        return NULL;
    }
    made = malloc(sizeof *made);
    if (made == NULL)
        um_failure_show_text(calls->client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    return made != NULL ? &made->ask : NULL;
}

int um_calls_refuse(const umem_calls *calls)
{
    if (calls == NULL || calls->client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    return umem_last_error(calls->client)->code;
}

int um_calls_end(umem_calls *calls, struct um_ask *ask)
{
    /* The first member of what was allocated. */
    struct submitted *made = (struct submitted *)(void *)ask;

    if (ask->text.failed)
        um_ask_fail(ask, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
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

int umem_calls_send(umem_calls *calls)
{
    if (calls == NULL || calls->client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    send_unsent(calls);
    return um_failure_show(calls->client, UMEM_OK, NULL);
}

/* ---- collecting ---- */

size_t umem_calls_count(const umem_calls *calls)
{
    return calls != NULL ? calls->count : 0;
}

static struct submitted *take_first(umem_calls *calls)
{
    struct submitted *first = calls->first;

    calls->first = first->later;
    if (calls->first == NULL)
        calls->end = &calls->first;
    calls->count--;
    return first;
}

/* Waits for the oldest, or for the batch that it is part of. */
static void wait(umem_calls *calls, struct submitted *oldest)
{
    struct um_ask *ask = calls->kind == UMEM_BATCH ? &calls->batch : &oldest->ask;

    if (!oldest->ask.done)
        um_client_wait(calls->client, ask, um_client_deadline(calls->client, oldest->ask.wait_ms));
}

/* Collects the oldest: returns its code, and its failure's story, which the caller frees. */
static int collect(umem_calls *calls, struct um_failure **failure)
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

int umem_collect(umem_calls *calls)
{
    struct um_failure *failure = NULL;
    int code;

    if (calls == NULL || calls->client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    if (calls->first == NULL)
        return um_failure_show_text(calls->client, UMEM_E_BAD_ARGUMENT, "there is no call to collect");
    code = collect(calls, &failure);
    um_failure_show(calls->client, code, failure);
    free(failure);
    return code;
}

int umem_collect_all(umem_calls *calls)
{
    struct um_failure *first = NULL;
    int first_code = UMEM_OK;

    if (calls == NULL || calls->client == NULL)
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

void umem_calls_free(umem_calls *calls)
{
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
