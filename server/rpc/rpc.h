/*
 * The protocol's engine: messages in, answers out, without sockets.
 *
 * Owns: sessions (one a connected client), the request that each is at, and the raw bytes that belong to it. Must not know: libuv, pipes, how bytes travel.
 *
 * The caller that moves the bytes (server/net, a test, a fuzzer) makes an um_rpc, opens a session for each connection, feeds it whole
 * messages, and sends what it finds in session->out. One thread uses it all.
 */
#ifndef UM_RPC_H
#define UM_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/tree.h"
#include "rpc/schema/server_limits.h"
#include "store/store.h"

struct um_rpc;
struct um_session;

enum um_framing { UM_FRAMING_LINES, UM_FRAMING_HEADERS };

enum {
    UM_SESSION_TYPE_LIMIT = 127, /* bytes in a Content-Type that answers have */
    UM_SMALL_ANSWER_SIZE = 4096  /* bytes: an answer of no more is given whatever else waits to be sent */
};

/* Counters that only the mover of bytes knows; it keeps them, server.stats shows them. */
struct um_traffic {
    uint64_t sessions;          /* connected now */
    uint64_t bytes_read;        /* from all clients since the start */
    uint64_t bytes_written;     /* to all clients since the start */
    uint64_t peak_sessions;     /* most that sessions has been */
    uint64_t refused_sessions;  /* clients since the start that were one too many */
    uint64_t unsent_bytes;      /* memory that holds answers now, of all sessions */
    uint64_t peak_unsent_bytes; /* most that it has been */
    uint64_t
        gathered_bytes; /* memory that holds messages and payloads which are not whole, of all sessions */
    uint64_t peak_gathered_bytes; /* most that it has been */
};

/* What the engine asks of its owner. Every member may be NULL. */
struct um_rpc_events {
    void *context;
    void (*shutdown)(void *context);     /* server.shutdown was called: end in order, its answer first */
    void (*work_pending)(void *context); /* um_rpc_work() has something to do from now on */
};

struct um_rpc_options {
    struct um_store *store;           /* outlives the engine */
    const struct um_limits *limits;   /* outlives the engine */
    const struct um_traffic *traffic; /* outlives the engine; NULL: zeros */
    struct um_rpc_events events;
    const char *version; /* of the program; the strings outlive the engine */
    const char *pipe;    /* where clients connect; "" where there is no pipe */
    bool guard;          /* the store has guards; a feature to tell of */
    bool wipe;           /* the store clears what is let go; likewise */
    uint64_t seed;       /* random bits: for the hash of what clients choose */
    int64_t pid;
    int64_t started;     /* seconds since 1970-01-01 UTC */
    uint64_t started_ms; /* the same moment on the clock that only goes forward */
};

/* Makes the engine. UMEM_E_NO_MEMORY. */
int um_rpc_new(const struct um_rpc_options *options, struct um_rpc **rpc);

/* Ends the engine. All sessions must be closed. NULL is fine. */
void um_rpc_free(struct um_rpc *rpc);

/* Tells the time: seconds since 1970-01-01 UTC, and milliseconds on a clock that only goes forward. Call it at the start of
 * each turn. */
void um_rpc_set_time(struct um_rpc *rpc, int64_t unix_seconds, uint64_t now_ms);

/* Tells of bytes that just came, messages and parts of them, and will be handed to the engine soon. A hint, so that what they
 * are about is fetched in advance; it may be left out. */
void um_rpc_prefetch(const struct um_rpc *rpc, const char *text, size_t size);

/* Does a slice (at most a few milliseconds) of calls and messages that take long and of the store's reclaiming, of the latter as much as the
 * clients have touched since the last turn's end: memory that is freed goes back as fast as other memory is got. Returns whether
 * more is left; call it once a turn while it does. */
bool um_rpc_work(struct um_rpc *rpc);

/* Call it at the end of each turn. */
void um_rpc_end_turn(struct um_rpc *rpc);

/* When the first call that waits runs out of time, on the clock of um_rpc_set_time(); UINT64_MAX: none does. It may change in
 * every turn. */
uint64_t um_rpc_next_deadline(const struct um_rpc *rpc);

/* Answers the calls whose time is up. */
void um_rpc_expire(struct um_rpc *rpc);

/* ---- sessions ---- */

/* What a session tells its connection. None may call the engine in turn. A member may be NULL. */
struct um_session_events {
    /* There is something to send, or the next message may be handled now: do so soon. */
    void (*flush)(struct um_session *session);
    /* session.close was called for it: end it soon, answers first. */
    void (*close)(struct um_session *session);
};

/* Bytes that go out among those of `out`, straight from a block's memory. */
struct um_tail {
    const unsigned char *bytes; /* NULL: there is none */
    size_t size;
    size_t at; /* how many bytes of `out` go before them */
};

/* The sessions of one client process, among which its share of the engine is divided. Embedded by whoever opens them; it is zero
 * before the first one, and outlives the last. */
struct um_session_group {
    struct um_link jobs; /* list of um_job.in_group: their calls that run in slices */
    struct um_link
        readings; /* list of um_reading.in_group: their messages that are read in steps, one after the other */
    struct um_link in_rpc;   /* place in um_rpc.working, while there are such calls */
    uint64_t sessions;       /* open ones */
    uint64_t unsent_bytes;   /* memory that holds their answers; the mover of bytes keeps it */
    uint64_t reserved_bytes; /* of answers that calls at work are printing: as good as unsent */
};

/* A session, embedded by its connection, which reads `out`, `tail`, `payload`, `job`, `due_watches`, `work` and `broken`, and keeps the
 * members that say so; the rest is the engine's. */
struct um_session {
    struct um_rpc *rpc;
    const struct um_session_events *events;
    struct um_owner *owner;                       /* who this client is, in the store */
    uint64_t id;                                  /* the session's number, from 1, never reused */
    int64_t opened;                               /* seconds since 1970-01-01 UTC */
    enum um_framing framing;                      /* set by the connection before the first message */
    char content_type[UM_SESSION_TYPE_LIMIT + 1]; /* headers: for answers, "": none */
    struct um_buf out;                            /* answers to send; the connection takes them away */
    struct um_tail tail;                          /* to send, too; then um_session_tail_sent() */
    struct um_pin *tail_pin;                      /* keeps tail's memory */
    struct um_payload *payload;                   /* the request whose payload is on its way, NULL: none */
    struct um_job *job;                /* the call, or message, that is at work in slices, NULL: none */
    struct um_session_group *group;    /* of the process that it belongs to */
    struct um_session_group own_group; /* where none was named */
    struct um_link in_rpc;             /* place among all sessions, in the order of their ids */
    struct um_tree_node by_id;         /* likewise, to be found by its id */
    struct um_link pending_calls;      /* list of um_pending.in_session: calls that wait */
    struct um_link watches;            /* list of um_watch.in_session */
    struct um_link due_watches;        /* list of um_watch.in_due: those with something to tell */
    uint64_t pending_count;            /* length of `pending_calls` */
    uint64_t watch_count;              /* length of `watches` */
    uint64_t queued_bytes;   /* that wait to be sent, without the answer at work; the connection keeps it */
    uint64_t gathered_bytes; /* memory that holds what has come of messages and payloads that are not whole,
                                um_session_gathered() among it; the connection keeps it */
    uint64_t work; /* done for it: bytes of blocks touched, and um_session_charge(); the connection takes it
                      away when it counts it */
    bool broken;   /* memory ran out for an answer: the connection closes this session at once */
};

struct um_session_options {
    const struct um_session_events *events; /* outlives the session */
    struct um_session_group *group;         /* of the client's process; NULL: it is alone */
    int64_t pid;                            /* of the client, 0: not known */
    const char *program;                    /* of the client; NULL or "": not known */
    const char *user;                       /* of the client; NULL or "": not known */
};

/* Opens a session in the caller's storage. UMEM_E_NO_MEMORY; then nothing needs closing. */
int um_session_open(struct um_rpc *rpc, struct um_session *session, const struct um_session_options *options);

/* Closes it: its waiting calls, watches, locks, holds, session blocks and heaps end; no event is raised for it any more. */
void um_session_close(struct um_session *session);

/* Handles one message: `text` (size bytes, changed in place) is one JSON text as the framing delimited it, followed on the
 * wire by payload_size raw bytes. Answers are appended to session->out, framed. Only while um_session_is_ready(). On a line other texts
 * may stand behind the first one: returns how many bytes are used up, and the rest, which is not changed, is another message. One
 * of more than UM_FRAME_LONG_SIZE bytes is one text; it is copied, read in steps by um_rpc_work(), and handled then. */
size_t um_dispatch_message(struct um_session *session, char *text, size_t size, uint64_t payload_size);

/* Tells the Content-Type of the next message, which its answer gets, too; "": none. At most UM_SESSION_TYPE_LIMIT bytes of printable
 * ASCII. What is sent later, because a call waited, has that of the latest message. */
void um_session_set_content_type(struct um_session *session, const char *type);

/* Answers a message that the framing refused: code UMEM_E_PARSE_ERROR or UMEM_E_TOO_LARGE, id null. `what` is a sentence
 * without a full stop. */
void um_dispatch_refuse(struct um_session *session, int code, const char *what);

/* Likewise, where it was a limit of the daemon's (a name of server_limits.h) that was passed: its facts come with the error, `used` and
 * `asked` where they are not 0. UMEM_E_TOO_LARGE, UMEM_E_TIMEOUT, UMEM_E_LIMIT_EXCEEDED. */
void um_dispatch_refuse_limit(struct um_session *session, int code, const char *what, const char *limit,
                              uint64_t used, uint64_t asked);

/* Whether the next message may be handled now: no tail waits, no payload is on its way, and no call is at work. */
bool um_session_is_ready(const struct um_session *session);

/* Whether an answer is still to come: a call waits or is at work. */
bool um_session_is_waiting(const struct um_session *session);

/* How many bytes may wait to be sent before the next message is handled: limits.unsent_bytes, and less where all sessions
 * together come near limits.unsent_total_bytes, or those of its process near their share of them. */
uint64_t um_session_unsent_limit(const struct um_session *session);

/* Appends the notifications that are due, as far as out is within um_session_unsent_limit(). Before sending. */
void um_watch_notify(struct um_session *session);

/* How much memory holds a batch and its payload, until it is whole, or what a long call looks for. */
uint64_t um_session_gathered(const struct um_session *session);

/* Whether a batch's payload is on its way, so that it is kept until all has come. */
bool um_payload_is_of_batch(const struct um_session *session);

/* Forgets a batch whose payload is on its way; what is still to come of it is passed over. Returns whether there was one. */
bool um_payload_forget_batch(struct um_session *session);

/* How many payload bytes are still to come after the last message; 0: none. */
uint64_t um_payload_left(const struct um_session *session);

/* Where the next payload bytes go (a block's own memory where that can be); *available is at least 1 and at most what is left.
 * Good until the next call for any session. Only while um_payload_left() is not 0. */
char *um_payload_reserve(struct um_session *session, size_t *available);

/* Tells that `size` bytes were put there. After the last one the request is answered. */
void um_payload_commit(struct um_session *session, size_t size);

/* Tells that out and tail have been handed over; releases the tail's memory. */
void um_session_tail_sent(struct um_session *session);

#endif
