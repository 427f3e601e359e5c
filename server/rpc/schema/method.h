/*
 * What a method is: one const descriptor drives look-up, checking of parameters, positional parameters, rpc.discover, and the
 * reference part of protocol.md.
 *
 * Owns: the types of descriptors. Must not know: how a request was read or an answer is written.
 */
#ifndef UM_METHOD_H
#define UM_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct um_args;
struct um_call;
struct um_fault;
struct um_job;

enum {
    UM_PARAMS_MAXIMUM = 8, /* parameters of one method */
    UM_ERRORS_MAXIMUM = 8, /* errors that one method declares, beside those that its parameters imply */
    UM_RANGES_MAXIMUM = 2  /* ranges of bytes that one method checks */
};

/* Types of parameters and result members. */
enum um_type {
    UM_BOOLEAN,
    UM_UINT,    /* integer from minimum to maximum */
    UM_STRING,  /* any text */
    UM_NAME,    /* a name to give: 1 to 255 bytes (0 where minimum is 0), no control characters */
    UM_CHOICE,  /* one of a list of words */
    UM_FLAGS,   /* array of words of a list, no word twice */
    UM_HEAP,    /* handle or name of a heap */
    UM_BLOCK,   /* handle or name of a block */
    UM_SESSION, /* number of a session */
    UM_WATCH,   /* number of a watch */
    UM_OFFSET,  /* bytes from the start of a block */
    UM_SIZE,    /* bytes */
    UM_DATA,    /* bytes as text, in the encoding that the parameter "encoding" names */
    UM_VALUE,   /* one number of the type that the parameter "type" names */
    UM_VALUES,  /* array of such numbers */
    UM_ID,      /* the id of another request: a string or a number */
    /* Result members only. */
    UM_OBJECT, /* with members of its own */
    UM_ARRAY,  /* of objects with members of their own */
    UM_WORDS,  /* array of strings */
    UM_JSON    /* anything */
};

/* A word that a choice or flag may be; lists end with an entry whose word is NULL. */
struct um_word {
    const char *word;
    unsigned value;
};

struct um_param {
    const char *name;
    enum um_type type;
    bool required;
    uint64_t minimum;          /* UM_UINT, UM_SIZE, UM_OFFSET, and 0 or 1 for UM_NAME */
    uint64_t maximum;          /* likewise; 0: 2^53 - 1 */
    uint64_t fallback;         /* value when left out: number, word's value, flags, boolean */
    const char *fallback_name; /* UM_HEAP: the name that stands when left out */
    const char
        *fallback_doc; /* what is said of the default where `fallback` does not show it; NULL: print it */
    const struct um_word *words; /* UM_CHOICE, UM_FLAGS */
    unsigned
        by; /* UM_DATA, UM_VALUE, UM_VALUES: number, from 1, of the parameter that says how it is written */
    const char *unit; /* "bytes", "milliseconds"; NULL: none */
    const char *doc;  /* one sentence */
};

struct um_member {
    const char *name;
    enum um_type type;
    bool nullable;                   /* may be null */
    bool optional;                   /* may be missing */
    const struct um_member *members; /* UM_OBJECT, UM_ARRAY; ends with a NULL name */
    const char *unit;
    const char *doc;
};

/* A range of a block that is checked before the handler runs: numbers of parameters, each counted from 1; 0: there is none.
 * The size that is left out is what is left to the end of the block. */
struct um_range_rule {
    unsigned block;
    unsigned offset;
    unsigned size;
};

/* A method that may take long: the engine runs it in slices, and serves others between them. See rpc/engine/job.h. */
struct um_job_ops {
    size_t
        size; /* bytes of the method's own struct, whose first member is a struct um_job; at most UM_JOB_SIZE_MAXIMUM */
    /* Sets the struct up, all of which is zero but for the call. Returns false where the call has been answered, and nothing is to be
     * released. The struct may be moved afterwards: nothing points into it. */
    bool (*begin)(struct um_call *call, const struct um_args *args, struct um_job *job);
    /* Where `begin` has said that the job takes the request's payload, which then comes before the first slice: where the bytes behind
     * the first `done` go, and how many fit there. 0, or a code, with *fault: then no more are taken. NULL: it never does. */
    int (*space)(struct um_job *job, uint64_t done, unsigned char **bytes, uint64_t *available,
                 struct um_fault *fault);
    /* Does the next slice. 0, and *more says whether another is to come; or a code, with *fault. */
    int (*step)(struct um_job *job, bool *more, struct um_fault *fault);
    /* Writes the result's members after the last slice. */
    void (*answer)(struct um_job *job, struct um_call *call);
    /* Frees what the struct holds, not the struct, in order or before its end. NULL: nothing. */
    void (*release)(struct um_job *job);
};

struct um_method {
    const char *name;
    const char *summary;
    const char *detail;            /* more to know, whole sentences; NULL: nothing */
    const struct um_param *params; /* in order; may be NULL */
    size_t param_count;
    struct um_range_rule ranges[UM_RANGES_MAXIMUM]; /* of the parameters above */
    const struct um_member *result;                 /* ends with a NULL name; NULL: the empty object */
    int errors[UM_ERRORS_MAXIMUM];                  /* codes, beside those implied; ends with 0 */
    bool ignores_lock;                              /* works on heaps that another session has locked */
    bool takes_payload;                             /* raw bytes may follow the request */
    /* One of the two. What may touch more than UM_CALL_ATOMIC_SIZE bytes has a job: `run` gets no more of a block's memory. */
    void (*run)(struct um_call *call, const struct um_args *args);
    const struct um_job_ops *job;
};

#define UM_PARAMS(list) .params = (list), .param_count = sizeof(list) / sizeof((list)[0])

/* Whether the method may answer with this error: declared, implied by its parameters, or one that every method may give. */
bool um_method_declares(const struct um_method *method, int code);

/* Whether the result has a member of this name. */
bool um_method_answers(const struct um_method *method, const char *member);

#endif
