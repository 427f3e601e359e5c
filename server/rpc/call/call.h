/*
 * One call of a method: it is answered once, now or later.
 *
 * Owns: the answer's place in the session's output and the request's id. Must not know: what methods do.
 *
 * A handler either writes a result (um_reply_* for its members, then um_reply_end), or fails (um_fail, um_reply_* for the
 * facts, then um_reply_end), or keeps the call with um_call_defer() and does one of the two later.
 */
#ifndef UM_CALL_H
#define UM_CALL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "base/steps.h"
#include "rpc/call/session.h"
#include "rpc/schema/method.h"
#include "store/store.h"
#include "wire/json_write.h"

struct um_call_record;
struct um_json;

/* ---- the request's id ---- */

enum { UM_ID_SIZE_LIMIT = 1024 /* bytes in an id: calls that wait keep theirs */ };

enum um_id_kind { UM_ID_NONE, UM_ID_NULL, UM_ID_NUMBER, UM_ID_STRING };

/* A request's id. NONE is a notification's: nothing is answered. */
struct um_id {
    enum um_id_kind kind;
    size_t size;      /* bytes of text; NONE, NULL: 0 */
    const char *text; /* a string's characters, a number as it is written; lives as long as the message */
};

/* Reads an id. Returns false for what is no string, number or null, or is too long: *id is then UM_ID_NULL, as it is answered. */
bool um_id_from_json(const struct um_json *json, struct um_id *id);

/* Whether two were written alike; 1 and 1.0 were not. Nothing is like null or like none. */
bool um_id_is(const struct um_id *left, const struct um_id *right);

/* ---- the call ---- */

enum { UM_CALL_ATOMIC_SIZE = 1024 * 1024 /* bytes: a call that works on no more runs at once */ };

struct um_call {
    struct um_session *session;
    struct um_store *store;         /* the session's engine's */
    const struct um_method *method; /* NULL while it is not known */
    struct um_id id;
    struct um_call_record *record; /* for an access log; NULL: it is not recorded */
    struct um_batch *batch;        /* that it is a part of; NULL: it stands alone */
    bool begun;                    /* the answer's envelope is written */
    bool failed;                   /* the answer is an error */
    bool answered;                 /* um_reply_end() was called */
    bool is_sent_in_part;          /* um_reply_send_part() was called: it cannot become an error */
    bool is_deferred;              /* it is answered later: um_call_defer() has made it */
    bool has_waited;               /* for a change, a lock, a time, or bytes of its client */
    uint64_t begun_ns;             /* deferred: when it began, on the clock of rpc->meter */
    uint64_t begun_turn;           /* deferred: in which of the engine's turns that was */
    size_t start;     /* where the answer begins in session->out (its frame's start for a call of its own) */
    size_t text;      /* where the text of that frame begins */
    size_t body;      /* where the answer's JSON begins in session->out */
    size_t tail_size; /* raw bytes that follow its answer, which are session->tail then; 0: none do */
    uint64_t payload_size;        /* raw bytes that belong to the request */
    const unsigned char *payload; /* those bytes; NULL: they are still to come, behind the message */
};

/* A batch at work. */
struct um_batch {
    uint64_t bytes_left;          /* of blocks that it may still touch */
    const unsigned char *payload; /* raw bytes for its requests that were not used up yet */
    struct um_buf raw;            /* raw bytes of its answers, to follow the message */
};

/* Memory of a block, of which the range is checked: at most UM_CALL_ATOMIC_SIZE bytes where the call stands alone. What may need more
 * is written as a job (um_method.job). */
UM_ALWAYS_INLINE unsigned char *um_call_bytes(const struct um_call *call, const struct um_block *block,
                                              uint64_t offset, uint64_t size)
{
    assert(call->batch != NULL || size <= UM_CALL_ATOMIC_SIZE);
    (void)call;
    (void)size;
    UM_TOUCH(size);
    return um_block_bytes(block) + offset;
}

/* Copies bytes that came with a message into a block, or those that one answer takes out of it: all at one moment, however many they
 * are, as limits.message_bytes bounds them. The range is checked. */
UM_ALWAYS_INLINE void um_call_put(const struct um_call *call, const struct um_block *block, uint64_t offset,
                                  const void *bytes, uint64_t size)
{
    (void)call;
    UM_COPY(size);
    if (size != 0)
        memcpy(um_block_bytes(block) + offset, bytes, (size_t)size);
}
UM_ALWAYS_INLINE void um_call_take(const struct um_call *call, const struct um_block *block, uint64_t offset,
                                   void *bytes, uint64_t size)
{
    (void)call;
    UM_COPY(size);
    if (size != 0)
        memcpy(bytes, um_block_bytes(block) + offset, (size_t)size);
}

/* Whether `size` more bytes of answer are within the message limit. */
bool um_call_within_message_limit(const struct um_call *call, uint64_t size);

/* The same for a list's next entry, which must also be within what all sessions together may have unsent. */
bool um_call_may_append(const struct um_call *call, uint64_t size);

/* Checks that an answer of about `size` bytes is within the message limit, and in a batch that `touched` bytes of blocks are
 * within what a batch may touch. Answers too_large or limit_exceeded and returns false where they are not. */
bool um_call_fits(struct um_call *call, uint64_t size, uint64_t touched);

/* Counts work that was done for the call, in the unit of um_session_charge(): for its session's turn, and for what its batch may still
 * touch. For work whose amount shows only when it is done; um_call_fits() comes before. */
void um_call_charge(struct um_call *call, uint64_t work);

/* Checks that an answer of about `size` bytes, raw ones that are copied among them, is within what all sessions together may have
 * unsent. Answers limit_exceeded and returns false where it is not. um_call_fits() checks it, too. */
bool um_call_may_send(struct um_call *call, uint64_t size);

/* ---- the result, or the facts of an error ---- */

/* Begins the result. */
void um_reply_begin(struct um_call *call);

/* The buffer where the answer is written, between its members. Begins the result if nothing is begun. */
UM_ALWAYS_INLINE struct um_buf *um_reply(struct um_call *call)
{
    if (!call->begun)
        um_reply_begin(call);
    return &call->session->out;
}

/* Writes a member's key; its value is written to the buffer returned. Keys are literals, whose size compilers know. */
UM_ALWAYS_INLINE struct um_buf *um_reply_key(struct um_call *call, const char *key)
{
    struct um_buf *out = um_reply(call);

    um_json_put_key(out, key, strlen(key));
    return out;
}

enum { UM_REPLY_FRONT_SIZE = 16384 /* bytes that may come before such a value: the id takes most of them */ };

/* Begins the long value of a member in memory of its own, which the caller writes it to before the call is answered. What has been written
 * of the answer, and the key, is moved there, to the front of it: returns how many bytes that is. */
size_t um_reply_begin_text(struct um_call *call, const char *key, struct um_buf *text);

/* Adds the member, when what comes before it has been written again. Nothing is copied where no other answer waits: the memory becomes
 * the session's. `front` is what um_reply_begin_text() returned. */
void um_reply_end_text(struct um_call *call, const char *key, struct um_buf *text, size_t front);

UM_ALWAYS_INLINE void um_reply_uint(struct um_call *call, const char *key, uint64_t value)
{
    um_json_put_uint(um_reply(call), key, value);
}

UM_ALWAYS_INLINE void um_reply_bool(struct um_call *call, const char *key, bool value)
{
    um_json_put_bool(um_reply(call), key, value);
}

UM_ALWAYS_INLINE void um_reply_null(struct um_call *call, const char *key)
{
    um_json_null(um_reply_key(call, key));
}

/* NULL: null. */
UM_ALWAYS_INLINE void um_reply_string(struct um_call *call, const char *key, const char *value)
{
    um_json_put_string(um_reply(call), key, value);
}

/* Raw bytes of a block that follow the answer, the whole range at once. Small ones and those of a batch are copied, large ones
 * are pinned and go out of the block itself. Header framing only. */
void um_reply_payload(struct um_call *call, struct um_block *block, uint64_t offset, uint64_t size);

/* Whether so many raw bytes would be copied. */
bool um_reply_is_copied(const struct um_call *call, uint64_t size);

/* Sends what there is of a long answer while the rest of it is written, where that can be: the client then takes the one while the other
 * is made. Does nothing where the answer is not alone, changed something, or needs its length before it. From then on it must
 * not fail but for lack of memory, which ends the session. */
void um_reply_send_part(struct um_call *call);

/* Ends the answer. */
void um_reply_end(struct um_call *call);

/* ---- errors ---- */

/* Begins an error answer: `code`, a message of the format (no full stop; NULL: the code's text), and data with the code's
 * name. What was written of a result is dropped. Facts may follow with um_reply_*, then um_reply_end(). */
UM_PRINTF(3, 4)
void um_fail(struct um_call *call, int code, const char *format, ...);

/* Facts of an error about a limit, which server.stats counts as a refusal; for a limit that sessions share, with its top consumer. */
void um_reply_limit(struct um_call *call, const char *limit, uint64_t maximum);

/* A fact that repeats a text of the request's: the first UM_NAME_SIZE_LIMIT bytes of it, in whole characters, so that an error is
 * small, whatever it is about. */
void um_reply_quote(struct um_call *call, const char *key, const char *text);

/* A whole error answer from the store's facts. */
void um_fail_fault(struct um_call *call, int code, const struct um_fault *fault);

/* ---- answering later ---- */

/* Makes a call that lives until um_call_free() from the one that the handler was given (which is not used any
 * more). NULL where memory runs out: then the call has been answered. Later: um_call_start(), the answer,
 * um_call_free(). */
struct um_call *um_call_defer(struct um_call *call);

/* The bytes that a deferred call was waiting for are there: it has waited, if they came later than the call. */
void um_call_note_bytes(struct um_call *call);

/* Frees a deferred call; NULL is fine. */
void um_call_free(struct um_call *call);

/* ---- for dispatch and notifications ---- */

/* Begins a message in session->out and returns its start, behind which its text begins at the end of session->out; ends it, now that
 * all its text is written from there on and `payload_size` raw bytes will follow. */
size_t um_framing_begin(struct um_session *session);
void um_framing_end(struct um_session *session, size_t start, size_t text, uint64_t payload_size);

/* Starts the answer of a call at the end of session->out; a deferred call starts anew when it is answered. */
void um_call_start(struct um_call *call);

#endif
