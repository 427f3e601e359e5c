/*
 * Random requests to an engine, and a model of what it must answer: what the parts of the test share.
 *
 * Owns: the run, that is the engine with its sessions on one side and, on the other, the model: heaps and
 * blocks (tests/model), pending calls and watches (model_waiters.c), long calls (model_sliced_calls.c), and for each session
 * what it is doing. Must not know: the engine's insides, but for a few facts that no answer
 * contains (the address of a block, whether a resize has ended).
 *
 * The model is as plain as can be: small arrays that are searched from end to end, sums that are made anew
 * for each question. The engine acts first; then the model states the expected result, and
 * check_engine.c compares.
 */
#ifndef RPC_RANDOM_H
#define RPC_RANDOM_H

#include "model_types.h"

/* ---- chance (random_choice.c) ---- */

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

/* ---- what exists: model.h, with the store's help (model_hooks.c) ---- */

struct call;

/* Makes a model that freezes what is being sent, and notifies pending calls and watches. */
void init_model(struct run *run);

bool is_stale(bool block, uint64_t handle);

/* Whether raw bytes of an answer are still to be sent from the block. */
bool is_being_sent(const struct run *run, int block);

/* Calls that are not done keep its memory. */
void destroy_heap(struct run *run, int heap);

/* What counts for the limit of a session's bytes. */
uint64_t session_bytes(const struct run *run, int session);

/* Whether only blocks take up memory: no memory is being sent, received, moved to, or still to be returned. */
uint64_t model_count_shared(const struct run *run); /* shared heaps that are not destroyed */
bool is_quiet(const struct call *call, int heap);
/* Takes the address of a block of a shared heap from the store, since only the store has it. */
void learn_place(struct run *run, int block);
int do_write_behind(struct run *run);

/* ---- calls that wait, and watches (model_waiters.c) ---- */

struct waiter *new_waiter(struct run *run, enum waiter_kind kind, int session);
unsigned count_waiters(const struct run *run, int session);
unsigned count_watches(const struct run *run, int session);
unsigned count_observers(const struct run *run, uint64_t handle); /* 0: of everything */
bool block_is_observed(const struct run *run, uint64_t block);    /* by itself */
bool heap_is_observed(const struct run *run, uint64_t heap);      /* as a heap, or with everything */
void notify_changed(struct run *run, int block, uint64_t offset, uint64_t size);
void notify_freed(struct run *run, uint64_t block, uint64_t heap);
void notify_destroyed(struct run *run, uint64_t heap);
void notify_many(struct run *run, uint64_t heap);
void notify_unlocked(struct run *run, uint64_t heap);
void notify_block_lost(struct run *run, uint64_t block); /* with its heap */
void mark_stalled(struct run *run, uint64_t heap);
void stall(struct run *run, struct waiter *waiter, uint64_t heap);
bool lock_is_wanted(const struct run *run, uint64_t heap, int session); /* by others that queue for it */
void run_marked_waiters(struct run *run);
void expire(struct run *run);
uint64_t next_deadline(const struct run *run);
void drop_listeners(struct run *run, int session);

/* ---- long calls (model_sliced_calls.c) ---- */

bool job_is_at(const struct run *run, uint64_t heap, int session);
struct job *new_job(struct call *call, enum job_kind kind, uint64_t first_heap, uint64_t second_heap);
void run_at_once(struct call *call, struct job *job);
void work(struct run *run);
/* Lets it run in slices, unless others queue for a lock that it would keep them from. */
void keep_job(struct call *call, struct job *job);
void end_job(struct run *run, int session);
void drop_job(struct run *run, int session);
bool session_may_have(const struct run *run, int block, uint64_t more); /* the session that made the block */
int check_growth(const struct run *run, int block, uint64_t size);
void part_moves(struct run *run, int block);
bool is_being_moved(const struct run *run, uint64_t block);
void start_move(const struct run *run, struct job *job);
/* A resize that must not grow fails with the same error, whether it runs in slices or not. */
void fail_growth(struct call *call, int code, int block, uint64_t size, unsigned flags);
void fail_no_gap(struct call *call, int block, unsigned flags); /* in the memory of its heap */
/* Answers an allocation whose last slice is done: whether it may be is looked at once more. */
void answer_alloc(struct call *call, const struct job *job);
/* What a raw allocation that is being received needs at every piece: its heap, unlocked; else it fails. */
bool has_alloc_heap(const struct run *run, int session, const struct job *job);
void fail_alloc_heap(struct call *call, const struct job *job);

/* ---- answers (answer.c) ---- */

/* One call that the model works on. Its answer is written to `out`, where other answers of the same batch
 * may stand. */
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
void fact_limit(struct call *call, const char *limit, uint64_t maximum); /* and that it was refused */
void fact_top_consumer(struct call *call, const char *limit);
bool may_send(struct call *call, uint64_t size); /* else the call has been answered */
uint64_t learn_uint(struct call *call);          /* the number that the engine's answer has at this place */
void learn_name(struct call *call, char *name, size_t size);    /* likewise the string, as JSON has it */
bool engine_goes_on(const struct call *call, const char *text); /* whether its answer does, as `text` does */
bool fits(struct call *call, uint64_t size, uint64_t touched);
size_t answer_used(const struct call *call); /* bytes of the message so far, its header counted */
uint64_t sent_with(
    const struct call *call,
    uint64_t size); /* bytes that are to be sent if it grows by so many: raw ones of a batch, too */

/* Counts work of a call whose amount shows only when it is done. */
void charge(struct call *call, uint64_t work);
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

/* A number as it is spelled; what it means to the model is the caller's to set. */
void give_spelled(struct request *request, const char *name, const char *text);
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

/* How a number that is an id is written: with fraction, exponent, more than 53 bits, by the number's last bits. */
void spell_id(char *text, size_t capacity, int64_t number);
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
bool range_of(struct call *call, int block, const char *offset, const char *size, struct range *range);
struct range make_range(const struct run *run, int block, uint64_t offset, uint64_t size);
void fact_status(struct call *call, unsigned flags); /* what generate_exceptions adds */
bool check_flags(struct call *call);
void describe_block(const struct run *run, struct um_buf *out, int block);
void describe_maker(const struct run *run, struct um_buf *out, const struct model_maker *maker);
bool describe_memory(struct call *call, int heap); /* how it is used; false: the heap has nothing of that */
void describe_size_classes(struct call *call, int heap);
bool has_space(const struct call *call, uint64_t size);
bool has_place(const struct call *call, uint64_t size); /* for one more entry of a list */
void fail_limit_of(struct call *call, const char *limit, uint64_t maximum, uint64_t used);
bool may_wait(struct call *call, uint64_t handle);    /* on a block or heap */
bool may_observe(struct call *call, uint64_t handle); /* 0: everything */
bool has_text(const struct request *request, const char *name, const char *text);
unsigned if_exists_of(const struct request *request);
/* Whether if_exists has a name to be about; else the call has been answered. */
bool check_if_exists(struct call *call);
/* What freeing a block counts for. */
uint64_t cost_of_end(const struct run *run, int block);
/* Whether the block may be freed so that another one has its name; else the call has been answered. */
bool may_replace(struct call *call, int block);
unsigned slot_of(uint64_t handle);
void predict_request(struct call *call);
int session_with(const struct run *run, uint64_t id);

/* ---- the run ---- */

void predict_message(struct run *run, int session, const struct message *message);
void finish_batch(struct run *run, int session, const struct message *message);
void generate_message(struct run *run, int session, struct message *message);
unsigned char *store_bytes(const struct run *run, uint64_t block); /* the address of a block in the engine */
uint64_t store_size(const struct run *run, uint64_t block);        /* and how large it is there */
void check_step(struct run *run, int actor);
void check_world(struct run *run);
void check_notifications(struct run *run, int session);
void send_out(struct run *run, int session);
bool is_json(const char *text, size_t size);
void show(const struct run *run);
void open_session(struct run *run, int session);
void close_session(struct run *run, int session);
int do_piece(struct run *run); /* returns the session that it was about, or NONE */

#define MUST(condition) must(run, (condition), #condition, __FILE__, __LINE__)
void must(const struct run *run, bool holds, const char *what, const char *file, int line);

#endif
