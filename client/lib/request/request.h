/*
 * One request: how it is written, where its raw bytes lie, and what is wanted of its answer.
 *
 * Owns: the request's text and the failure's texts. Must not know: connections, threads, what waits for it. Pure: the blocking
 * calls, the pipeline and the batch all stand on it, and so could any other carrier of requests.
 *
 * How one is made: um_request_begin(), um_param_*() for each parameter, um_output_*() for each result. A parameter that no daemon
 * would take is noted as a failure (`code`) and the request is not to be sent. requests.h has one maker for each method.
 *
 * How one is answered, once: um_request_answer() for its answer, with the raw bytes moved to `into` by the code that reads them, or
 * um_request_fail(). What is wanted is written to where the caller wants it only if all of it is there.
 */
#ifndef UM_REQUEST_H
#define UM_REQUEST_H

#include <stdarg.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "lib/answer/answer.h"
#include "lib/answer/failure.h"
#include "umem_client.h"

enum { UM_OUTPUTS_MAXIMUM = 3 };

/* How long a request may wait that has no time-out. */
#define UM_WAIT_FOREVER UINT64_MAX

enum um_output_kind {
    UM_OUTPUT_UINT,   /* uint64_t */
    UM_OUTPUT_OFFSET, /* uint64_t; null is UMEM_NONE */
    UM_OUTPUT_BOOL,   /* bool */
    UM_OUTPUT_VALUE,  /* a number of a block's type */
    UM_OUTPUT_TEXT,   /* char *: the whole result as JSON text, allocated; there is no other output then */
    UM_OUTPUT_RESULT  /* what `read` makes of the whole result */
};

/* Reads a whole result into `target`. Returns the member (static) that is not as it should be, and then has written nothing; NULL:
 * all is well. */
typedef const char *um_result_reader(const struct um_json *result, void *target);

/* One thing that is wanted of a result. */
struct um_output {
    enum um_output_kind kind;
    enum umem_type type;    /* UM_OUTPUT_VALUE */
    const char *member;     /* its name; static */
    void *target;           /* where it goes; NULL: it must be there, and is not wanted */
    um_result_reader *read; /* UM_OUTPUT_RESULT */
};

struct um_request {
    struct um_request *next; /* in whatever list it is in */
    struct um_buf text;      /* the request, but for its id and its end */
    const void *payload;     /* raw bytes that are sent behind it; the caller's */
    size_t payload_size;     /* 0: none */
    void *into;              /* where the raw bytes of its answer go */
    size_t into_size;        /* how many there must be */
    size_t into_done;        /* how many have come */
    char *result;            /* UM_OUTPUT_TEXT: the result, until it is given to the caller */
    void **
        made; /* where the raw bytes are allocated for the caller, as `copy` until then; NULL: they are not */
    void *copy;          /* the payload, where it is no memory of the caller's; freed with the request */
    size_t swap_count;   /* how many numbers at `into` must have their bytes turned round */
    enum umem_type swap; /* of what type they are */
    bool has_raw_answer; /* its answer has raw bytes, into_size of them */
    bool may_be_shorter; /* or fewer: as many as the result's "size" says, which into_size is then */
    bool wants_whole;    /* and it fails in the end if the block has more than into_size */
    bool is_cut;         /* which it has */
    bool discards_raw;   /* its answer may have raw bytes, which are discarded */
    bool requests_raw;   /* and has, by its parameters: in a batch they would be taken for those of others */
    bool has_params;     /* the parameters' object was begun */
    bool waits;          /* the daemon may let it wait while it answers others */
    bool keeps_lock;     /* being answered late would leave something locked */
    bool is_of_session;  /* what it makes or takes ends with the connection */
    bool done;           /* answered, or failed for good */
    int code;            /* UMEM_OK, or why it failed */
    uint64_t id;         /* 0: not sent yet; a batch has none */
    uint64_t wait_ms;    /* how long the daemon may let it wait; UM_WAIT_FOREVER */
    struct um_output output[UM_OUTPUTS_MAXIMUM];
    unsigned output_count;
    struct um_failure *failure; /* texts for `code`; NULL: the code's own text */
    struct um_request *parts;   /* a batch: its requests, linked by `next`; else NULL */
    void *owner;                /* its carrier's own: what waits for it */
};

/* Begins a request with parameters by name. `method` needs no escapes. */
void um_request_begin(struct um_request *request, const char *method);

/* Begins one whose parameters are the caller's JSON text (NULL: none), which is checked. */
void um_request_begin_raw(struct um_request *request, const char *method, const char *params_json);

/* Frees what it keeps. */
void um_request_deinit(struct um_request *request);

/* The request, its id (unless it is 0: a notification) and its end written behind what `out` holds. */
void um_request_write(const struct um_request *request, struct um_buf *out);

/* ---- parameters ---- */

/* 0 and what is past 2^53 - 1 are refused. */
void um_param_handle(struct um_request *request, const char *key, umem_handle handle);

/* As um_param_handle(), but 0 is the process heap, by its name; or left out. */
void um_param_heap(struct um_request *request, const char *key, umem_handle heap);
void um_param_heap_or_default(struct um_request *request, const char *key, umem_handle heap);

/* What is past 2^53 - 1 is refused. */
void um_param_size(struct um_request *request, const char *key, uint64_t size);

/* As um_param_size(), but 0 is refused: a session's or a watch's number. */
void um_param_number(struct um_request *request, const char *key, uint64_t number);

/* As um_param_size(), but `none` is left out. */
void um_param_size_unless(struct um_request *request, const char *key, uint64_t size, uint64_t none);

/* A name; NULL is refused. */
void um_param_name(struct um_request *request, const char *key, const char *name);

/* What has this name; NULL is refused. What could be taken for a handle is sent so that it is none. */
void um_param_by_name(struct um_request *request, const char *key, const char *name);

/* A word of the protocol's. */
void um_param_word(struct um_request *request, const char *key, const char *word);

void um_param_true(struct um_request *request, const char *key);

/* Bytes, as base64. */
void um_param_bytes(struct um_request *request, const char *key, const void *bytes, size_t size);

/* "type", which is refused where it is none. */
void um_param_type(struct um_request *request, enum umem_type type);

/* A number of that type, which um_param_type() has accepted (else nothing is read). */
void um_param_value(struct um_request *request, const char *key, enum umem_type type, const void *value);

void um_param_flags(struct um_request *request, uint32_t flags);
void um_param_no_flags(struct um_request *request);
void um_param_lifetime(struct um_request *request, enum umem_lifetime lifetime);

/* "timeout_ms": the daemon may let the request wait so long, and it is given so much longer. UMEM_FOREVER: no end. */
void um_param_timeout(struct um_request *request, uint32_t timeout_ms);

/* Raw bytes that are sent behind the request: "encoding" and "size", behind another parameter. */
void um_param_payload(struct um_request *request, const void *bytes, size_t size);

/* Raw bytes that the answer brings: "encoding" and "size", behind another parameter. */
void um_param_into(struct um_request *request, void *bytes, size_t size);

/* Raw bytes to the end of the block, but at most `size`: "encoding" and "at_most", behind another parameter. For the second,
 * *made is then so many bytes as have come, allocated; it stays as it is if the request fails. */
void um_param_into_at_most(struct um_request *request, void *bytes, size_t size);
void um_param_into_new(struct um_request *request, void **made, size_t size);

/* The same for `count` numbers in the machine's own byte order. */
void um_param_payload_numbers(struct um_request *request, enum umem_type type, const void *values,
                              size_t count);
void um_param_into_numbers(struct um_request *request, enum umem_type type, void *values, size_t count);

/* Notes that an argument is not valid, in words. Only the first failure counts. */
UM_PRINTF(2, 3)
void um_request_refuse(struct um_request *request, const char *format, ...);

/* ---- results ---- */

void um_output_uint(struct um_request *request, const char *member, uint64_t *target);
void um_output_offset(struct um_request *request, const char *member, uint64_t *target);
void um_output_bool(struct um_request *request, const char *member, bool *target);
void um_output_value(struct um_request *request, const char *member, enum umem_type type, void *target);
void um_output_text(struct um_request *request, char **target);
void um_output_result(struct um_request *request, um_result_reader *read, void *target);

/* ---- answers ---- */

/* In place of the number of raw bytes: as many as the answer itself says, which is one of a batch. */
#define UM_RAW_SIZE_TOLD UINT64_MAX

/* Takes the answer, whose raw bytes (`payload_size` of them) may still be to come: `done` is not set here. into_size is how many they
 * are, where it has any.
 * Returns NULL, or what is wrong with it, a phrase (static, or a member's name in *member): then the
 * connection is of no use any more. */
const char *um_request_answer(struct um_request *request, const struct um_answer *answer,
                              uint64_t payload_size, const char **member);

/* Ends what um_request_answer() or um_request_fail() began: all raw bytes have come. A batch's parts end with it. */
void um_request_finish(struct um_request *request);

/* Notes why it failed (`text` NULL: the code's own), and its parts with it. Only the first failure counts. */
void um_request_fail(struct um_request *request, int code, const char *text);

#endif
