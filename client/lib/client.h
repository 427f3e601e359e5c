/*
 * What a umem_client is, for the files of the library.
 *
 * Owns: the connection, its two buffers, the last failure. Must not know: methods and their results (calls_*.c do).
 *
 * How a call is made, by the functions below and in request.h: um_client_begin(), check the arguments, um_request_begin(), write
 * the parameters, um_request_end(), read client->answer.result; the middle as often as the call needs round trips.
 */
#ifndef UM_CLIENT_H
#define UM_CLIENT_H

#include <stdarg.h>

#include "answer.h"
#include "attributes.h"
#include "buf.h"
#include "endpoint.h"
#include "transport.h"
#include "umem_client.h"

enum {
    UM_FAILURE_NAME_SIZE = 64,      /* bytes for an error's name, its end counted */
    UM_FAILURE_MESSAGE_SIZE = 1024, /* bytes for an error's message, its end counted */
    UM_FAILURE_DATA_SIZE = 4096 /* bytes for an error's facts, its end counted; larger ones are left out */
};

/* The last failure, with its texts. */
struct um_failure {
    struct umem_failure seen; /* what the caller sees; points to the texts */
    char name[UM_FAILURE_NAME_SIZE];
    char message[UM_FAILURE_MESSAGE_SIZE];
    char data[UM_FAILURE_DATA_SIZE];
};

struct umem_client {
    char pipe[UM_ENDPOINT_ROOM];    /* where the daemon listens */
    const char *pipe_fault;         /* static: why `pipe` cannot be one; NULL: it can */
    uint32_t timeout_ms;            /* for one call; 0: none */
    size_t answer_limit;            /* bytes in one answer */
    struct um_transport *transport; /* NULL: not connected */
    int broken;                     /* why there is no connection; UMEM_OK: there is one */
    uint64_t deadline_ms;           /* of the call that is being made */
    uint64_t last_id;               /* of the last request */
    uint64_t message_limit;         /* bytes in one message, as the daemon told; 0: not asked yet */
    struct um_buf out;              /* the request that is being written */
    struct um_buf in;               /* what came: the last answer's line, and what may have followed it */
    size_t in_taken;                /* bytes of `in` that are that line */
    struct um_answer answer;        /* the last answer; its slices point into `in` */
    struct um_failure failure;
};

/* Begins a call: forgets the last failure and starts the deadline's clock. Fails where there is no client or no connection. */
int um_client_begin(umem_client *client);

/* Notes a failure and returns its code. The connection goes on. `format` NULL: the code's own text. */
UM_PRINTF(3, 4)
int um_client_fail(umem_client *client, int code, const char *format, ...);

/* Notes a failure after which the connection cannot go on, and closes it. */
UM_PRINTF(3, 4)
int um_client_break(umem_client *client, int code, const char *format, ...);

/* Notes the error that the daemon answered with. */
int um_client_fail_answer(umem_client *client, const struct um_answer *answer);

/* The argument checks that many calls share: UMEM_E_BAD_ARGUMENT, naming `what`. */
int um_client_check_handle(umem_client *client, const char *what, umem_handle handle);
int um_client_check_size(umem_client *client, const char *what, uint64_t size);
int um_client_check_name(umem_client *client, const char *name);

#endif
