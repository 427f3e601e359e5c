/*
 * Random requests to an engine, and a model of what it must answer: what the parts of the test share.
 *
 * Owns: the run, that is the engine with its peers on one side and, on the other, the model: heaps and blocks (world.c),
 * calls that wait and watches (listeners.c), long calls (jobs.c), and for each session what it is in the middle of. Must not
 * know: the engine's insides, but for a few things that no answer tells (where a block lies, whether a resize has ended).
 *
 * The model is as plain as can be: small arrays that are searched from end to end, sums that are made anew for each question.
 * The engine does a thing first; then the model says what should have come of it, and check.c compares.
 */
#ifndef RPC_RANDOM_H
#define RPC_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "limits.h"
#include "method.h"
#include "rpc.h"
#include "value.h"

enum {
    QUEUED = 100000000,    /* bytes that sessions are said to have unsent, and their number */
    LIST_COST = 64 * 1024, /* bytes that a page of a list counts for in a batch */
    SESSIONS = 6,
    HEAPS = 6,  /* the process heap is number 0 */
    BLOCKS = 40,
    NAMES = 8,
    STALE = 32, /* handles of the dead that are remembered, of each kind */
    LATERS = 40,
    WATCHES = 40,
    NEWS = 16,     /* that a watch keeps before it tells of an overflow */
    ARGUMENTS = 8, /* of one request */
    BATCH = 6,     /* requests in one batch */
    METHODS = 48,  /* places in the table of what was exercised */
    CODES = 20,
    LATE = 64, /* answers that are due in one session after one step */
    RECENT = 8, /* requests that are shown when the test fails */
    NONE = -1
};

/* ---- what exists (world.c) ---- */

/* Who made something: a session that may have ended, and whose place it had. */
struct maker {
    uint64_t session; /* 0: the daemon */
    int place;
};

struct model_heap {
    bool alive;
    bool for_session; /* lifetime */
    int name;         /* NONE: it has none */
    uint64_t handle;
    unsigned flags;
    uint64_t initial_size;
    uint64_t maximum_size;
    uint64_t alignment;
    uint64_t peak;
    uint64_t reserved; /* bytes by which blocks that are being moved will grow */
    struct maker maker;
    int locker; /* session's place, or NONE */
    unsigned locks;
};

struct model_block {
    bool alive;
    bool for_session; /* lifetime */
    int heap;
    int name;         /* NONE: it has none */
    unsigned holders; /* bit n: the session at place n, which is open, holds it */
    uint64_t handle;
    uint64_t size;
    uint64_t address;
    int64_t created;
    struct maker maker;
    unsigned char *bytes; /* size + 1 are allocated */
};

/* ---- requests (request.c, generate_*.c) ---- */

/* One argument, with what it means to the model beside its JSON. */
struct argument {
    bool given;
    struct um_buf json;
    uint64_t uint;        /* numbers; handles that are given as such; words by their values; flags; booleans */
    char name[24];        /* handles that are given by name; names; "" otherwise */
    bool by_name;         /* a handle: `name` stands for it */
    unsigned char *bytes; /* decoded data, or numbers as they lie in memory; allocated */
    size_t size;          /* of `bytes` */
};

enum id_kind { ID_NONE, ID_NULL, ID_NUMBER, ID_TEXT };

struct id {
    enum id_kind kind;
    int64_t number; /* ID_TEXT: "t" and this number */
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
    uint64_t payload_size;  /* of all requests together, or what is said of them */
    unsigned char *payload; /* allocated */
    struct um_buf text;
};

/* ---- what goes on (listeners.c, jobs.c) ---- */

enum later_kind { LATER_WAIT = 1, LATER_LOCK };

struct later {
    enum later_kind kind; /* 0: the place is free */
    int session;
    unsigned entry; /* method */
    struct id id;
    uint64_t born; /* all that follows each other has rising numbers */
    uint64_t mark; /* it looks again at the end of the message; 0: it does not */
    uint64_t stall; /* it looks again when the lock or a long call on a heap ends; 0: it does not */
    uint64_t stalled_by; /* that heap */
    bool cancelled;
    uint64_t deadline; /* UINT64_MAX: none */
    uint64_t handle;   /* of the block, or of the heap */
    uint64_t offset;
    enum um_value_type type;
    unsigned char value[UM_VALUE_SIZE_MAXIMUM];
};

enum news_kind { NEWS_CHANGED, NEWS_FREED, NEWS_DESTROYED, NEWS_MANY };

struct news {
    enum news_kind kind;
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
    struct news news[NEWS];
};

enum job_kind { JOB_FILL = 1, JOB_COPY, JOB_COMPARE, JOB_FIND, JOB_RESIZE, JOB_VALIDATE, JOB_COMPACT, JOB_AT };

/* A range of a block that may go while a call is at work on it. */
struct span {
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
    struct span first;  /* filled, copied from, the left one, looked through; its size is the new one of a resize */
    struct span second; /* copied to, the right one */
    uint64_t done;
    unsigned value;        /* to fill with */
    uint64_t number;       /* an address; a heap's handle */
    bool from_behind;      /* a copy that must begin with its last bytes */
    bool moving;           /* a resize that has memory to move to */
    uint64_t reserved;     /* bytes by which it will grow */
    unsigned flags;        /* of a resize */
    unsigned char *needle; /* allocated */
    size_t needle_size;
};

/* A payload on its way. */
struct intake {
    bool is_on;
    bool answers;  /* a single write, not answered yet */
    unsigned entry;
    struct id id;
    struct span span;
    uint64_t size;
    uint64_t done;
    unsigned char *bytes;   /* what is to be sent; allocated */
    struct message *batch; /* that runs at the end; NULL: there is none */
};

/* A large raw read that waits to be sent. */
struct tail {
    bool is_on;
    struct span span;
    unsigned char *frozen; /* its bytes, once the block is gone or moved; NULL until then */
};

/* ---- sessions ---- */

struct session {
    bool open;
    bool close_asked;    /* by the engine */
    bool close_expected; /* by the model */
    bool flushed; /* the engine asked to send since the last step */
    uint64_t id;
    int64_t opened;
    struct um_peer peer;
    size_t checked; /* bytes of peer.out that the model has agreed to */
    struct job job;
    struct intake intake;
    struct tail tail;
    struct um_buf late[LATE]; /* answers that are due, as JSON; an error's message is a '\1' */
    unsigned late_count;
    struct um_buf direct; /* the answer to the message itself, as JSON */
    struct um_buf raw;    /* and the raw bytes that follow it at once */
};

struct run {
    uint64_t random;
    struct um_store *store;
    struct um_rpc *rpc;
    struct um_limits limits;
    struct um_traffic traffic;
    struct session sessions[SESSIONS];
    struct model_heap heaps[HEAPS];
    struct model_block blocks[BLOCKS];
    struct later laters[LATERS];
    struct watch watches[WATCHES];
    uint64_t stale_blocks[STALE];
    uint64_t stale_heaps[STALE];
    unsigned stale_block_count;
    unsigned stale_heap_count;
    uint64_t peak;
    uint64_t reserved;
    uint64_t sequence; /* last number given out, for what must be told apart by its age */
    uint64_t last_session;
    uint64_t last_watch;
    int64_t last_id; /* of requests */
    uint64_t requests;
    uint64_t errors;
    uint64_t now_ms;
    int64_t now_s;
    unsigned shutdowns;
    unsigned shutdowns_expected;
    bool work_pending;
    uint64_t successes[METHODS];
    uint64_t failures[METHODS][CODES];
    uint64_t late_successes[METHODS]; /* of those, the ones that were not answered at once */
    uint64_t late_failures[METHODS][CODES];
    uint64_t notifications[4]; /* by enum news_kind */
    uint64_t steps;
    uint64_t step;
    char recent[RECENT][600];
    unsigned recent_count;
};

/* ---- chance (chance.c) ---- */

uint64_t roll(struct run *run, uint64_t sides);
static inline bool one_in(struct run *run, uint64_t sides)
{
    return roll(run, sides) == 0;
}
int some_session(struct run *run); /* open */
int some_block(struct run *run);   /* alive, or NONE */
int some_heap(struct run *run);    /* alive */
uint64_t some_size(struct run *run);
uint64_t some_offset(struct run *run, uint64_t block_size);

/* ---- what exists (world.c) ---- */

const char *name_text(int name);
int find_block(const struct run *run, uint64_t handle); /* NONE: it is not alive */
int find_heap(const struct run *run, uint64_t handle);
int block_named(const struct run *run, const char *name);
int heap_named(const struct run *run, const char *name);
bool is_stale(const struct run *run, bool block, uint64_t handle);
bool is_orphan(const struct model_block *block);
unsigned count_bits(unsigned bits);
uint64_t sum_blocks(const struct run *run, int heap, uint64_t maker); /* heap NONE, maker 0: any */
uint64_t sum_bytes(const struct run *run, int heap, uint64_t maker);
uint64_t count_heaps(const struct run *run); /* the process heap is one */
bool is_locked(const struct run *run, int heap, int session);
void note_peaks(struct run *run, int heap);
void set_size(struct run *run, int block, uint64_t size);
void kill_block(struct run *run, int block); /* tells nobody */
void free_block(struct run *run, int block);
void destroy_heap(struct run *run, int heap);
void unlock_heap(struct run *run, int heap);
void end_session_blocks(struct run *run, int session);
void freeze_tails(struct run *run, int block);

/* ---- calls that wait, and watches (listeners.c) ---- */

struct later *new_later(struct run *run, enum later_kind kind, int session);
unsigned count_laters(const struct run *run, int session);
unsigned count_watches(const struct run *run, int session);
bool block_is_observed(const struct run *run, uint64_t block); /* by itself */
bool heap_is_observed(const struct run *run, uint64_t heap);   /* as a heap, or with everything */
void tell_changed(struct run *run, int block, uint64_t offset, uint64_t size);
void tell_freed(struct run *run, uint64_t block, uint64_t heap);
void tell_destroyed(struct run *run, uint64_t heap);
void tell_many(struct run *run, uint64_t heap);
void tell_unlocked(struct run *run, uint64_t heap);
void tell_block_lost(struct run *run, uint64_t block); /* with its heap */
void resume_stalled(struct run *run, uint64_t heap);
void stall(struct run *run, struct later *later, uint64_t heap);
bool lock_is_wanted(const struct run *run, uint64_t heap, int session); /* by others that queue for it */
void settle(struct run *run);
void expire(struct run *run);
uint64_t next_deadline(const struct run *run);
void drop_listeners(struct run *run, int session);

/* ---- long calls (jobs.c) ---- */

struct call;

bool job_is_at(const struct run *run, uint64_t heap, int session);
struct job *new_job(struct call *call, enum job_kind kind, uint64_t first_heap, uint64_t second_heap);
void run_at_once(struct call *call, struct job *job);
void work(struct run *run);
/* Lets it run in slices, unless others queue for a lock that it would keep them from. */
void keep_job(struct call *call, struct job *job);
void end_job(struct run *run, int session);
void drop_job(struct run *run, int session);
int check_growth(const struct run *run, int block, uint64_t size);
void part_moves(struct run *run, uint64_t block);
bool is_being_moved(const struct run *run, uint64_t block);
void start_move(const struct run *run, struct job *job);
/* A resize that may not grow says the same, whether it runs in slices or not. */
void fail_growth(struct call *call, int code, int block, uint64_t size, unsigned flags);

/* ---- answers (answer.c) ---- */

/* One call that the model works on. Its answer is written to `out`, where other answers of the same batch may stand. */
struct call {
    struct run *run;
    int session;
    const struct um_method *method; /* NULL: not known */
    unsigned entry;
    struct id id;
    const struct request *request; /* NULL: it is answered late */
    struct um_buf *out;
    uint64_t *batch_left; /* bytes that the batch may touch; NULL: no batch */
    size_t body;          /* where its answer begins in `out` */
    bool begun;
    bool failed;
    bool done;
    unsigned members; /* of the result that are there */
};

void call_init(struct call *call, struct run *run, int session, const struct request *request);
void late_init(struct call *call, struct run *run, int session, unsigned entry, const struct id *id);
struct um_buf *result(struct call *call); /* begun, for members that are written by hand */
struct um_buf *result_key(struct call *call, const char *key);
void result_uint(struct call *call, const char *key, uint64_t value);
void result_end(struct call *call);
void refuse(struct call *call, int code);
void fact_uint(struct call *call, const char *key, uint64_t value);
void fact_text(struct call *call, const char *key, const char *value);
void fail_end(struct call *call);
void fail_plain(struct call *call, int code);
void fail_block(struct call *call, int code, uint64_t block);
void fail_heap(struct call *call, int code, uint64_t heap);
void fail_limit(struct call *call, int code, const char *limit, const uint64_t facts[3], uint64_t heap);
uint64_t learn_uint(struct call *call); /* the number that the engine's answer has at this place */
bool fits(struct call *call, uint64_t size, uint64_t touched);
size_t answer_used(const struct call *call); /* bytes of the message so far, its header counted */
bool engine_failed(struct call *call, int code); /* whether the engine's answer is this error */
void write_number(struct um_buf *out, enum um_value_type type, const unsigned char *bytes);
int code_at(unsigned index); /* 0: past the end */

/* ---- requests (request.c) ---- */

struct argument *argument(struct request *request, const char *name);
const struct argument *argument_of(const struct request *request, const char *name);
bool is_given(const struct request *request, const char *name);
uint64_t uint_or(const struct request *request, const char *name, uint64_t otherwise);
void give_uint(struct request *request, const char *name, uint64_t value);
void give_bool(struct request *request, const char *name, bool value);
void give_word(struct request *request, const char *name, unsigned value);
void give_text(struct request *request, const char *name, const char *text);
void give_name(struct run *run, struct request *request, const char *name);
void give_flags(struct request *request, const char *name, unsigned flags);
void give_block(struct run *run, struct request *request, const char *name, int *block);
void give_large_block(struct run *run, struct request *request, const char *name, uint64_t size, int *block);
void give_busy_block(struct run *run, struct request *request, const char *name, int *block);
void give_heap(struct run *run, struct request *request, const char *name, int *heap);
void give_data(struct run *run, struct request *request, const char *name, size_t size);
void give_values(struct run *run, struct request *request, const char *name, unsigned count, bool array);
void finish_request(struct run *run, struct request *request);
void write_request(struct um_buf *out, const struct request *request);
void write_id(struct um_buf *out, const struct id *id);
void free_message(struct message *message);

/* ---- the methods (methods.c and what it lists) ---- */

struct entry {
    const char *name;
    unsigned weight; /* how often it is called, against the others */
    void (*generate)(struct run *run, int session, struct request *request);
    void (*predict)(struct call *call);
};

const struct entry *entry_at(unsigned index); /* NULL: past the end */
const struct um_method *method_named(const char *name);

/* Looks a handle up as every method does; NONE: the call has been answered. */
int resolve_block(struct call *call, const char *name);
int resolve_heap(struct call *call, const char *name);
/* Answers out_of_range and returns false where the range passes the block's end. */
bool check_range(struct call *call, int block, uint64_t offset, uint64_t size);
bool range_of(struct call *call, int block, const char *offset, const char *size, struct span *span);
struct span make_span(const struct run *run, int block, uint64_t offset, uint64_t size);
void describe_block(const struct run *run, struct um_buf *out, int block);
void describe_maker(const struct run *run, struct um_buf *out, const struct maker *maker);
bool has_room(const struct call *call, uint64_t size); /* for one more entry of a list */
void fail_limit_of(struct call *call, const char *limit, uint64_t maximum, uint64_t used);
bool may_wait(struct call *call);
bool has_text(const struct request *request, const char *name, const char *text);
unsigned slot_of(uint64_t handle);
void predict_request(struct call *call);
int session_with(const struct run *run, uint64_t id);

/* ---- the run ---- */

void predict_message(struct run *run, int session, const struct message *message);
void finish_batch(struct run *run, int session, const struct message *message);
void generate_message(struct run *run, int session, struct message *message);
unsigned char *store_bytes(const struct run *run, uint64_t block); /* where a block lies in the engine */
void check_step(struct run *run, int actor);
void check_world(struct run *run);
void check_notifications(struct run *run, int session);
void send_out(struct run *run, int session);
bool is_json(const char *text, size_t size);
void show(const struct run *run);

#define MUST(condition) must(run, (condition), #condition, __FILE__, __LINE__)
void must(const struct run *run, bool holds, const char *what, const char *file, int line);

#endif
