/*
 * What is noted of a call for an access log: which method, about what, how much, how long, with which error.
 *
 * Owns: the record. Must not know: calls, sessions, where it is logged. Never holds bytes of blocks.
 */
#ifndef UM_CALL_RECORD_H
#define UM_CALL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/schema/method.h"

struct um_json;

enum {
    UM_RECORD_SUBJECTS = 3,       /* handles and names that are noted */
    UM_RECORD_SUBJECT_SIZE = 256, /* bytes of one, its end counted; a longer text is cut */
    UM_RECORD_NO_SIZE = -1
};

/* A parameter that says what the call is about, as the client wrote it. */
struct um_record_subject {
    const char *param; /* its name: "block" */
    char text[UM_RECORD_SUBJECT_SIZE];
};

struct um_call_record {
    uint64_t session;
    const char *method; /* NULL: it is not known, or the message was no request */
    struct um_record_subject subjects[UM_RECORD_SUBJECTS];
    size_t subject_count;
    int64_t size;    /* bytes of blocks that it is about; UM_RECORD_NO_SIZE: none, or not known */
    uint64_t us;     /* from the request to its answer, microseconds */
    int code;        /* of its error; UMEM_OK: it has a result */
    bool has_waited; /* for a change, a lock, a time, or bytes of its client */
};

/* Notes which handles and names the parameters hold; they are not checked yet. NULL: there are none. */
void um_call_record_note(struct um_call_record *record, const struct um_method *method,
                         const struct um_json *params);

#endif
