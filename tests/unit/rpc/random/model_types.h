/*
 * What the random test keeps of the engine beside the heaps and blocks of tests/model: requests, jobs, payloads,
 * sessions, and the run.
 *
 * Owns: the types. Must not know: what is done with them.
 */
#ifndef RPC_RANDOM_MODEL_H
#define RPC_RANDOM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model.h"
#include "rpc/call/value.h"
#include "rpc/rpc.h"
#include "rpc/schema/method.h"
#include "rpc/schema/server_limits.h"

enum {
    QUEUED = 100000000,           /* unsent bytes that the server reports, and their number */
    GATHERED = 3,                 /* likewise gathered bytes, times their number */
    SMALL_ANSWER = 4096,          /* bytes that are sent whatever else waits */
    SHARED_HEAP_COST = 64 * 1024, /* bytes that making one counts for */
    LIST_COST = 64 * 1024,        /* bytes that a page of a list counts for in a batch */
    LISTED_COST = 2048,           /* and each of its entries */
    REPORT_COST = 16 * 1024,      /* server.info and server.stats */
    DISCOVER_COST = 512 * 1024,   /* rpc.discover */
    HOLD_COST = 512,              /* each hold on a block that is freed, where there are several */
    SESSIONS = 6,
    HEAPS = 6,        /* the process heap is number 0 */
    SHARED_HEAPS = 3, /* most of them that are shared */
    BLOCKS = 40,
    NAMES = 8,
    WAITERS = 40,
    WATCHES = 40,
    NOTIFICATIONS = 16, /* that a watch keeps before it reports an overflow */
    ARGUMENTS = 8,      /* of one request */
    BATCH = 6,          /* requests in one batch */
    METHODS = 48,       /* places in the table of what was exercised */
    CODES = 20,
    LATE = 64,   /* answers that are due in one session after one step */
    RECENT = 24, /* steps that are shown when the test fails */
    NONE = MODEL_NONE
};

/* ---- requests (request.c, generate_*.c) ---- */

/* One argument, with what it means to the model beside its JSON. */
struct argument {
    bool given;
    struct um_buf json;
    uint64_t uint; /* numbers; handles that are given as such; words by their values; flags; booleans */
    char name[24]; /* handles that are given by name; names; "" otherwise */
    bool by_name;  /* a handle: `name` stands for it */
    unsigned char *bytes; /* decoded data, or numbers as in memory; allocated */
    size_t size;          /* of `bytes` */
};

enum id_kind { ID_NONE, ID_NULL, ID_NUMBER, ID_TEXT };

struct id {
    enum id_kind kind;
    int64_t number; /* ID_NUMBER: spelled as spell_id() does; ID_TEXT: "t" and this number */
};

struct request {
    const struct um_method *method; /* NULL: one that there is not */
    unsigned entry;                 /* of the table of methods */
    struct id id;
    bool short_form;  /* without "jsonrpc" */
    bool by_position; /* its parameters */
    struct argument arguments[ARGUMENTS];
    bool spoiled;        /* one parameter is wrong in form */
    const char *culprit; /* that parameter; NULL: there are too many */
    uint64_t payload_size;
    unsigned char *payload; /* raw bytes of a write; allocated */
};

struct message {
    bool is_batch;
    unsigned count;
    struct request requests[BATCH];
    uint64_t payload_size;  /* of all requests together, or the declared size */
    unsigned char *payload; /* allocated */
    struct um_buf text;
};

/* ---- pending calls, watches and jobs (model_waiters.c, model_sliced_calls.c) ---- */

enum waiter_kind { WAITER_FOR_NUMBER = 1, WAITER_FOR_LOCK };

struct waiter {
    enum waiter_kind kind; /* 0: the place is free */
    int session;
    unsigned entry; /* method */
    struct id id;
    uint64_t born;       /* all that follows each other has rising numbers */
    uint64_t mark;       /* it looks again at the end of the message; 0: it does not */
    uint64_t stall;      /* it looks again when the lock or a long call on a heap ends; 0: it does not */
    uint64_t stalled_by; /* that heap */
    bool cancelled;
    uint64_t deadline; /* UINT64_MAX: none */
    uint64_t handle;   /* of the block, or of the heap */
    uint64_t offset;
    enum um_value_type type;
    unsigned char value[UM_VALUE_SIZE_MAXIMUM];
};

enum notification_kind { NOTIFY_CHANGED, NOTIFY_FREED, NOTIFY_DESTROYED, NOTIFY_MANY };

struct notification {
    enum notification_kind kind;
    uint64_t handle;
    uint64_t offset;
    uint64_t size;
};

struct watch {
    bool used;
    bool attached; /* what it watches is still there */
    int session;
    uint64_t id;
    uint64_t block; /* handle; 0: it watches no block */
    uint64_t heap;  /* handle; 0: it watches no heap; with neither it watches everything */
    uint64_t offset;
    uint64_t size;
    bool overflow;
    unsigned count;
    struct notification notification[NOTIFICATIONS];
};

enum job_kind {
    JOB_FILL = 1,
    JOB_COPY,
    JOB_COMPARE,
    JOB_FIND,
    JOB_RESIZE,
    JOB_VALIDATE,
    JOB_COMPACT,
    JOB_AT,
    JOB_ALLOC
};

/* A range of a block that may be freed while a call is at work on it. */
struct range {
    uint64_t block; /* handle */
    uint64_t offset;
    uint64_t size;
};

struct job {
    enum job_kind kind; /* 0: there is none */
    unsigned entry;     /* method */
    struct id id;
    uint64_t turn; /* the smallest is next */
    uint64_t heaps[2];
    struct range
        first; /* filled, copied from, the left one, looked through; its size is the new one of a resize, or of a new block */
    struct range second; /* copied to, the right one */
    uint64_t done;
    unsigned value;        /* to fill with */
    uint64_t number;       /* an address; a heap's handle */
    bool from_behind;      /* a copy that must begin with its last bytes */
    bool moving;           /* a resize that has memory to move to */
    bool no_gap;           /* a resize for which a shared heap had no free range */
    uint64_t reserved;     /* bytes by which it will grow */
    unsigned flags;        /* of a resize or an allocation */
    bool for_session;      /* lifetime of a block that is being allocated */
    int name;              /* its name; NONE: it has none */
    unsigned char *needle; /* what is looked for, or what a new block begins with; allocated */
    size_t needle_size;
    unsigned if_exists; /* of an allocation: enum if_exists */
    bool tells_created; /* its request has that parameter */
    bool has_heap;      /* and names the heap */
    bool has_lifetime;  /* and the lifetime */
};

/* What a request does where its name is taken. */
enum if_exists { EXISTS_FAILS, EXISTS_OPENS, EXISTS_REPLACES };

/* A payload that is being received. */
struct payload_receiver {
    bool is_on;
    bool answers;   /* a single write, not answered yet */
    bool allocates; /* a single allocation, likewise */
    struct job alloc;
    unsigned entry;
    struct id id;
    struct range range;
    uint64_t size;
    uint64_t done;
    unsigned char *bytes;  /* what is to be sent; allocated */
    struct message *batch; /* that runs at the end; NULL: there is none */
};

/* A large raw read that waits to be sent. */
struct tail {
    bool is_on;
    struct range range;
    unsigned char *frozen; /* its bytes, once the block is freed or moved; NULL until then */
};

/* ---- sessions ---- */

struct session {
    bool open;
    bool close_asked;    /* by the engine */
    bool close_expected; /* by the model */
    bool flushed;        /* the engine requested a flush since the last step */
    uint64_t id;
    uint64_t pinned; /* bytes of blocks that it made and that are gone, but are still being sent */
    int64_t opened;
    struct um_session session;
    size_t checked; /* bytes of session.out that the model has agreed to */
    struct job job;
    struct payload_receiver payload_receiver;
    struct tail tail;
    struct um_buf late[LATE]; /* answers that are due, as JSON; an error's message is a '\1' */
    unsigned late_count;
    struct um_buf direct; /* the answer to the message itself, as JSON */
    struct um_buf raw;    /* and the raw bytes that follow it at once */
};

/* The top consumer of a limit, as it was found first in this step. */
struct top {
    bool known;
    int session; /* NONE: no session uses any */
    uint64_t used;
};

struct run {
    uint64_t random;
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_traffic traffic;
    struct session sessions[SESSIONS];
    struct model model;
    struct waiter waiters[WAITERS];
    struct watch watches[WATCHES];
    uint64_t sequence; /* last number given out, for what must be distinguished by its age */
    uint64_t last_session;
    uint64_t last_watch;
    int64_t last_id; /* of requests */
    uint64_t requests;
    uint64_t errors;
    uint64_t refusals[UM_LIMIT_COUNT];
    struct top top[UM_LIMIT_COUNT];
    uint64_t now_ms;
    int64_t now_s;
    unsigned shutdowns;
    unsigned shutdowns_expected;
    bool work_pending;
    uint64_t kept_shared; /* shared heaps that were destroyed while a call still uses their memory */
    uint64_t ending;      /* the heap that is being destroyed; 0: none */
    bool had_work;        /* before this step, the store had memory to return */
    uint64_t successes[METHODS];
    uint64_t failures[METHODS][CODES];
    uint64_t late_successes[METHODS]; /* of those, the ones that were not answered at once */
    uint64_t late_failures[METHODS][CODES];
    uint64_t notifications[4]; /* as um_notification_at() */
    uint64_t steps;
    uint64_t step;
    char recent[RECENT][600];
    unsigned recent_count;
};

#endif
