/*
 * A session as the engine knows it: what its connection reads of it, and what it calls of the connection.
 *
 * Owns: the types that both sides share, and the numbers that divide what waits to be sent among sessions. Must not know: requests,
 * how bytes travel.
 */
#ifndef UM_SESSION_H
#define UM_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/tree.h"
#include "rpc/schema/server_limits.h"
#include "wire/json_end.h"

struct um_call_record;
struct um_owner;
struct um_pin;
struct um_rpc;
struct um_session;
struct um_store;

enum um_framing { UM_FRAMING_LINES, UM_FRAMING_HEADERS };

enum { UM_SESSION_TYPE_LIMIT = 127 /* bytes in a Content-Type that answers have */ };

/* Counters that only the mover of bytes knows; it keeps them, server.stats shows them. */
struct um_traffic {
    uint64_t sessions;          /* connected now */
    uint64_t bytes_read;        /* from all clients since the start */
    uint64_t bytes_written;     /* to all clients since the start */
    uint64_t peak_sessions;     /* most that sessions has been */
    uint64_t refused_sessions;  /* clients refused since the start */
    uint64_t unsent_bytes;      /* memory that holds answers now, of all sessions */
    uint64_t peak_unsent_bytes; /* most that it has been */
    uint64_t
        gathered_bytes; /* memory that holds messages and payloads which are not whole, of all sessions */
    uint64_t peak_gathered_bytes; /* most that it has been */
};

enum {
    UM_RELOAD_SETTINGS = 96,   /* settings that a reload may name */
    UM_RELOAD_NAME_SIZE = 64,  /* bytes of a name, its end counted */
    UM_RELOAD_ERROR_SIZE = 512 /* bytes of the first error, its end counted */
};

/* What came of reading the daemon's settings again. */
struct um_reload {
    const char
        *config; /* the file that was read, NULL: none; lives as long as the daemon has these settings */
    struct {
        char name[UM_RELOAD_NAME_SIZE];
        bool
            is_applied; /* false: it has another value than the daemon runs with, and is only read at the start */
    } settings[UM_RELOAD_SETTINGS];
    size_t count;
    char error[UM_RELOAD_ERROR_SIZE]; /* where nothing was changed: why, without a full stop */
};

/* What the daemon's process takes of the machine. */
struct um_process_usage {
    uint64_t cpu_user_us;    /* of processor time, since the start */
    uint64_t cpu_system_us;  /* likewise, in the system's calls */
    uint64_t resident_bytes; /* of memory, now */
};

/* What the engine calls. Every member may be NULL. */
struct um_rpc_events {
    void *context;
    /* server.reload was called: read the settings again. Returns false where they are wrong; *reload is zero before. */
    bool (*reload)(void *context, struct um_reload *reload);
    uint64_t (*clock_ns)(void *context); /* a clock that only goes forward, see um_call_meter */
    /* What the process takes of the machine. */
    void (*get_process_usage)(void *context, struct um_process_usage *usage);
    /* While calls are recorded, see um_rpc_record_calls(): a call was answered. */
    void (*call_ended)(void *context, const struct um_call_record *record);
    void (*shutdown)(void *context); /* server.shutdown was called: end in order, its answer first */
    /* And before that, where it names a successor: hand the pipe over to the daemon at that private endpoint. UMEM_OK, or one of
     * server.shutdown's errors with a sentence without a full stop in `why`: then nothing has changed. */
    int (*hand_over)(void *context, const char *successor, char *why, size_t capacity);
    void (*work_pending)(void *context); /* um_rpc_work() has something to do from now on */
};

struct um_rpc_options {
    struct um_store *store;           /* outlives the engine */
    const struct um_limits *limits;   /* outlives the engine */
    const struct um_traffic *traffic; /* outlives the engine; NULL: zeros */
    struct um_rpc_events events;
    const char *version; /* of the program; the strings outlive the engine */
    const char *pipe;    /* where clients connect; "" where there is no pipe */
    bool guard;          /* the store has guards: a feature that server.info shows */
    bool wipe;           /* the store clears what is freed; likewise */
    uint64_t seed;       /* random bits: for the hash of what clients choose */
    int64_t pid;
    int64_t started;     /* seconds since 1970-01-01 UTC */
    uint64_t started_ms; /* the same moment on the clock that only goes forward */
};

/* What a session calls of its connection. None may call the engine in turn. A member may be NULL. */
struct um_session_events {
    /* There is something to send, or the next message may be handled now: do so soon. */
    void (*flush)(struct um_session *session);
    /* Send what there is of an answer, at once and as far as that can be without waiting: more of it follows. `out` is empty then, or as it
     * was. */
    void (*send_part)(struct um_session *session);
    /* session.close was called for it: end it soon, answers first. */
    void (*close)(struct um_session *session);
};

/* Bytes that go out among those of `out`, straight from a block's memory. */
struct um_tail {
    const unsigned char *bytes; /* NULL: there is none */
    size_t size;
    size_t at; /* how many bytes of `out` go before them */
};

/* The sessions of one client process, among which its share of the engine is divided. Embedded by the code that opens them; it is zero
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

/* The headers of an answer: those of the next one are likely to be the same. */
struct um_last_headers {
    size_t content;   /* bytes of its text */
    uint64_t payload; /* raw bytes behind it */
    size_t size;      /* of the headers; 0: there are none yet */
    char text[128 + UM_SESSION_TYPE_LIMIT];
};

/* A session, embedded by its connection, which reads `out`, `tail`, `payload`, `job`, `due_watches`, `work`
 * and `broken`, and keeps the members that say so; the others are the engine's. */
struct um_session {
    struct um_rpc *rpc;
    const struct um_session_events *events;
    struct um_owner *owner;  /* the session as the store sees it */
    uint64_t id;             /* the session's number, from 1, never reused */
    int64_t opened;          /* seconds since 1970-01-01 UTC */
    int64_t last_used;       /* likewise: its last call was answered; 0: there was none */
    uint64_t calls;          /* answered, those of a batch by themselves */
    uint64_t errors;         /* of these, with an error */
    uint64_t bytes_read;     /* from its client; the connection counts them */
    uint64_t bytes_written;  /* to its client; likewise */
    enum um_framing framing; /* set by the connection before the first message */
    char content_type[UM_SESSION_TYPE_LIMIT + 1]; /* headers: for answers, "": none */
    struct um_last_headers headers;               /* of the last answer */
    struct um_buf out;                            /* answers to send; the connection takes them away */
    struct um_buf changes;                        /* which of them tell of changes of durable heaps */
    struct um_tail tail;                          /* to send, too; then um_session_tail_sent() */
    struct um_pin *tail_pin;                      /* keeps tail's memory */
    /* Raw bytes of the message that is handed over, where all of them have come with it; else NULL. The connection sets it before the
     * message, and skips them where it is NULL afterwards: then they were used. */
    const unsigned char *payload_here;
    /* The memory of a long message that is handed over, which begins with its text: malloc. NULL: it is not the session's to free, or
     * none. The connection sets it before the message, and frees it afterwards where it is still there. */
    char *text_here;
    struct um_json_run text_run;       /* of a long message that is handed over, as um_frame_message has it */
    struct um_payload *payload;        /* the request whose payload is being received, NULL: none */
    struct um_job *job;                /* the call, or message, that is at work in slices, NULL: none */
    struct um_session_group *group;    /* of the process that it belongs to */
    struct um_session_group own_group; /* where none was named */
    struct um_link in_rpc;             /* place among all sessions, in the order of their ids */
    struct um_tree_node by_id;         /* likewise, to be found by its id */
    struct um_link pending_calls;      /* list of um_pending.in_session: calls that wait */
    struct um_link watches;            /* list of um_watch.in_session */
    struct um_link due_watches;        /* list of um_watch.in_due: those with events to send */
    uint64_t pending_count;            /* length of `pending_calls` */
    uint64_t watch_count;              /* length of `watches` */
    uint64_t queued_bytes;   /* that wait to be sent, without the answer at work; the connection keeps it */
    uint64_t gathered_bytes; /* memory that holds what has come of messages and payloads that are not whole,
                                um_session_gathered() among it; the connection keeps it */
    uint64_t payload_bytes;  /* memory that holds a batch and its payload, until that is whole */
    uint64_t job_bytes;      /* memory that holds what the call at work in slices needs */
    uint64_t work; /* done for it: bytes of blocks touched, and um_session_charge(); the connection takes it
                      away when it counts it */
    unsigned char known_request; /* where the shape of its last message is, for um_known_requests_find() */
    bool broken; /* memory ran out for an answer: the connection closes this session at once */
};

struct um_session_options {
    const struct um_session_events *events; /* outlives the session */
    struct um_session_group *group;         /* of the client's process; NULL: it is alone */
    int64_t pid;                            /* of the client, 0: not known */
    const char *program;                    /* of the client; NULL or "": not known */
    const char *user;                       /* of the client; NULL or "": not known */
};

/* Sets the Content-Type of the next message, which its answer has, too; "": none. At most UM_SESSION_TYPE_LIMIT bytes of printable
 * ASCII. What is sent later, because a call waited, has that of the latest message. */
void um_session_set_content_type(struct um_session *session, const char *type);

/* Whether the next message may be handled now: no tail waits, no payload is being received, and no call is at
 * work. */
bool um_session_is_ready(const struct um_session *session);

/* Whether an answer is still to come: a call waits or is at work. */
bool um_session_is_waiting(const struct um_session *session);

/* How many bytes may wait to be sent before the next message is handled: limits.unsent_bytes, and less where all sessions
 * together come near limits.unsent_total_bytes, or those of its process near their share of them. */
uint64_t um_session_unsent_limit(const struct um_session *session);

/* How much memory holds a batch and its payload, until it is whole, or what a long call works on. */
UM_ALWAYS_INLINE uint64_t um_session_gathered(const struct um_session *session)
{
    return session->payload_bytes + session->job_bytes;
}

/* To be called when out and tail have been handed over; releases the tail's memory. */
void um_session_tail_sent(struct um_session *session);

/* ---- for the engine ---- */

enum {
    UM_SMALL_ANSWER_SIZE = 4096 /* bytes: an answer of no more is given whatever else waits to be sent */
};

/* Has the connection send, see um_session_events. */
void um_session_flush(struct um_session *session);

/* Counts work that is done for a session beside the bytes of blocks that its calls touch: numbers printed or read, records looked
 * at, observers called. The unit is what copying one byte costs, about 0.25 ns: a microsecond of work is 4,096. The session's turn
 * ends when its work reaches limits.turn_bytes. */
UM_ALWAYS_INLINE void um_session_charge(struct um_session *session, uint64_t work)
{
    session->work += work;
}

/* Whether answers in `out` tell of changes of durable heaps. */
UM_ALWAYS_INLINE bool um_session_tells_of_changes(const struct um_session *session)
{
    return session->changes.size != 0;
}

/* They are written, and on the disk where they have to be; or the connection has taken the answers away. */
void um_session_forget_changes(struct um_session *session);

/* Has the answers be errors that tell of changes of heaps that could not be written (um_store_heap_has_failed()). */
void um_session_fail_changes(struct um_session *session);

/* How many more bytes of answers may wait for the session's process: what limits.unsent_total_bytes leaves, and at most half of what
 * the other processes leave, so that none takes it all. */
uint64_t um_session_unsent_left(const struct um_session *session);

/* Counts bytes of an answer that a call at work prints as unsent, until they are released. */
void um_session_reserve_answer(struct um_session *session, uint64_t bytes);
void um_session_release_answer(struct um_session *session, uint64_t bytes);

#endif
