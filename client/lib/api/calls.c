/* The calls that are one request and its answer: blocking, and submitted to a pipeline, a batch or a loop. */
#include <stdlib.h>

#include "lib/api/pipeline.h"
#include "lib/connection/client.h"
#include "lib/request/requests.h"

#define BLOCKING(name, parameters, arguments) \
    int umem_##name(umem_client *client, UM_BARE parameters) \
    { \
        struct um_request request; \
\
        um_request_##name(&request, UM_BARE arguments); \
        return um_client_call(client, &request); \
    }

#define SUBMITTED(name, parameters, arguments) \
    int umem_submit_##name(umem_calls *calls, UM_BARE parameters) \
    { \
        int code; \
        struct um_request *request = begin(calls, &code); \
\
        if (request == NULL) \
            return code; \
        um_request_##name(request, UM_BARE arguments); \
        return calls->ops->end(calls, request); \
    }

#define BLOCKING_OF_STEPS(name, method, parameters, arguments, steps) BLOCKING(name, parameters, arguments)
#define SUBMITTED_OF_STEPS(name, method, parameters, arguments, steps) SUBMITTED(name, parameters, arguments)

UM_CALLS(BLOCKING_OF_STEPS)
UM_BLOCKING_CALLS(BLOCKING_OF_STEPS)
UM_MADE_CALLS(BLOCKING)

/* Where the next submitted call's request is to be made. NULL where there is no place: *code is why. */
static struct um_request *begin(umem_calls *calls, int *code)
{
    *code = UMEM_E_OUT_OF_MEMORY;
    return calls != NULL ? calls->ops->begin(calls, code) : NULL;
}

UM_CALLS(SUBMITTED_OF_STEPS)
UM_MADE_CALLS(SUBMITTED)
UM_DATA_CALLS(SUBMITTED)

/* ---- any method by its name, and those without arguments and results ---- */

int umem_call(umem_client *client, const char *method, const char *params_json, char **result_json)
{
    struct um_request request;

    um_request_call(&request, method, params_json, result_json);
    return um_client_call(client, &request);
}

int umem_submit_call(umem_calls *calls, const char *method, const char *params_json, char **result_json)
{
    int code;
    struct um_request *request = begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_call(request, method, params_json, result_json);
    return calls->ops->end(calls, request);
}

void umem_free_text(char *text)
{
    free(text);
}

static int call_plain(umem_client *client, const char *method)
{
    struct um_request request;

    um_request_begin(&request, method);
    return um_client_call(client, &request);
}

int umem_server_ping(umem_client *client)
{
    return call_plain(client, "server.ping");
}

int umem_server_shutdown(umem_client *client)
{
    return call_plain(client, "server.shutdown");
}
