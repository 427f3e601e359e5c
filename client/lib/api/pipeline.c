/* Many calls under way at one time: a pipeline, or a batch that is sent as one message. */
#include <stdlib.h>

#include "lib/api/pipeline.h"

#include "lib/connection/client.h"

enum { UNSENT_MAXIMUM = 32768 /* bytes of requests that a pipeline gathers before it sends them */ };

/* One call that was submitted. */
struct submitted {
    struct um_request request;
    struct submitted *next_submitted; /* the one that was submitted after it */
};

struct pipeline {
    struct umem_calls base;
    umem_client *client;
    enum umem_calls_kind kind;
    struct submitted *first;   /* to be collected next */
    struct submitted **end;    /* where the next one is linked */
    size_t count;              /* how many are to be collected */
    struct um_request *unsent; /* requests that wait to be sent, linked */
    struct um_request **unsent_end;
    size_t unsent_size;      /* bytes of their texts and payloads */
    struct um_request batch; /* UMEM_BATCH: what they are sent as */
    bool batch_is_sent;
};

/* ---- submitting ---- */

static void send_unsent(struct pipeline *calls)
{
    struct um_request *requests = calls->unsent;
    uint64_t deadline_ms = um_client_deadline(calls->client, 0);

    if (requests == NULL)
        return;
    calls->unsent = NULL;
    calls->unsent_end = &calls->unsent;
    calls->unsent_size = 0;
    if (calls->kind == UMEM_BATCH) {
        calls->batch = (struct um_request){.parts = requests};
        calls->batch_is_sent = true;
        requests = &calls->batch;
        if (um_client_check_limits(calls->client, requests) != UMEM_OK) {
            um_request_finish(requests);
            return;
        }
    }
    um_client_send(calls->client, requests, deadline_ms);
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

static struct um_request *begin(umem_calls *base, int *code)
{
    struct pipeline *calls = (struct pipeline *)(void *)base;
    const char *why = refusal(calls);
    struct submitted *made;

    if (why != NULL) {
        *code = um_failure_set_text(calls->client, UMEM_E_BAD_ARGUMENT, "%s", why);
        return NULL;
    }
    made = malloc(sizeof *made);
    if (made == NULL)
        *code = um_failure_set_text(calls->client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    return made != NULL ? &made->request : NULL;
}

static int end(umem_calls *base, struct um_request *request)
{
    struct pipeline *calls = (struct pipeline *)(void *)base;
    /* The first member of what was allocated. */
    struct submitted *made = (struct submitted *)(void *)request;

    if (request->text.failed)
        um_request_fail(request, UMEM_E_OUT_OF_MEMORY, "there is no memory for the request");
    if (calls->kind == UMEM_BATCH && request->requests_raw)
        um_request_refuse(request, "in a batch, umem_submit_block_read() is what reads raw bytes");
    if (request->code == UMEM_OK)
        um_client_check_limits(calls->client, request);
    if (request->code != UMEM_OK) {
        int code = um_client_report(calls->client, request);

        free(made);
        return code;
    }
    made->next_submitted = NULL;
    *calls->end = made;
    calls->end = &made->next_submitted;
    calls->count++;
    request->next = NULL;
    *calls->unsent_end = request;
    calls->unsent_end = &request->next;
    calls->unsent_size += request->text.size + request->payload_size;
    if (calls->kind == UMEM_PIPELINE && calls->unsent_size >= UNSENT_MAXIMUM)
        send_unsent(calls);
    return um_failure_set(calls->client, UMEM_OK, NULL);
}

static const struct um_calls_ops pipeline_ops = {begin, end};

umem_calls *umem_calls_new(umem_client *client, enum umem_calls_kind kind)
{
    struct pipeline *calls = client != NULL ? calloc(1, sizeof *calls) : NULL;

    if (calls == NULL)
        return NULL;
    calls->base.ops = &pipeline_ops;
    calls->client = client;
    calls->kind = kind;
    calls->end = &calls->first;
    calls->unsent_end = &calls->unsent;
    return &calls->base;
}

/* What umem_calls_new() has made; NULL for other carriers'. */
static struct pipeline *pipeline_of(const umem_calls *base)
{
    return base != NULL && base->ops == &pipeline_ops ? (struct pipeline *)(void *)(uintptr_t)base : NULL;
}

int umem_calls_send(umem_calls *base)
{
    struct pipeline *calls = pipeline_of(base);

    if (calls == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    send_unsent(calls);
    return um_failure_set(calls->client, UMEM_OK, NULL);
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

    calls->first = first->next_submitted;
    if (calls->first == NULL)
        calls->end = &calls->first;
    calls->count--;
    return first;
}

/* Waits for the oldest, or for the batch that it is part of. */
static void wait(struct pipeline *calls, struct submitted *oldest)
{
    struct um_request *request = calls->kind == UMEM_BATCH ? &calls->batch : &oldest->request;

    /* Also where it is done: another thread may have read its answer. */
    um_client_wait(calls->client, request, um_client_deadline(calls->client, oldest->request.wait_ms));
}

/* Collects the oldest: returns its code, and its failure's texts, which the caller frees. */
static int collect(struct pipeline *calls, struct um_failure **failure)
{
    struct submitted *oldest;
    int code;

    send_unsent(calls);
    wait(calls, calls->first);
    oldest = take_first(calls);
    code = oldest->request.code;
    *failure = oldest->request.failure;
    oldest->request.failure = NULL;
    um_request_deinit(&oldest->request);
    free(oldest);
    if (calls->count == 0 && calls->batch_is_sent) {
        um_request_deinit(&calls->batch);
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
        return um_failure_set_text(calls->client, UMEM_E_BAD_ARGUMENT, "there is no call to collect");
    code = collect(calls, &failure);
    um_failure_set(calls->client, code, failure);
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
    um_failure_set(calls->client, first_code, first);
    free(first);
    return first_code;
}

void umem_calls_free(umem_calls *base)
{
    struct pipeline *calls = pipeline_of(base);

    if (calls == NULL)
        return;
    while (calls->unsent != NULL) {
        struct um_request *request = calls->unsent;

        calls->unsent = request->next;
        um_request_finish(request);
    }
    if (calls->batch_is_sent)
        um_client_withdraw(calls->client, &calls->batch);
    while (calls->first != NULL) {
        struct submitted *oldest = take_first(calls);

        if (!calls->batch_is_sent)
            um_client_withdraw(calls->client, &oldest->request);
        um_request_deinit(&oldest->request);
        free(oldest);
    }
    um_request_deinit(&calls->batch);
    free(calls);
}
