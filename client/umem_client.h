/*
 * The client library of umemd: memory that lives in a daemon, used from C or C++.
 *
 * Owns: the connection to one daemon for each umem_client. Must not know: libuv, JSON libraries, anything
 * global.
 *
 *     umem_client *client = umem_client_new(NULL);
 *     umem_handle block;
 *
 *     if (umem_connect(client) != UMEM_OK || umem_block_alloc(client, 4, NULL, &block) != UMEM_OK)
 *         fprintf(stderr, "%s\n", umem_last_error(client)->message);
 *     umem_client_free(client);
 *
 * Names follow the protocol: the method block.read is umem_block_read(). Every function that can fail returns
 * UMEM_OK (0) or a negative code of umem_errors.h, leaves its outputs as they were when it fails (unless it
 * says otherwise), and leaves what is known of the failure in umem_last_error(). A result that is not wanted
 * may be NULL, but for bytes and mappings. Beside the errors that a function names, every call to the daemon
 * may give these:
 *
 *   Nothing was sent, and the client continues to work:
 *     UMEM_E_BAD_ARGUMENT   an argument that no daemon would take: the handle 0, a size or offset past
 *                           UMEM_SIZE_MAX, a name that is not UTF-8, an unknown type; NULL where a call needs
 *                           bytes, a function to call, or a place for a pointer to memory of this process
 *     UMEM_E_TOO_LARGE      the request passes the daemon's limit on messages or payloads
 *     UMEM_E_OUT_OF_MEMORY  this program's memory is used up
 *   The daemon answered, changed nothing, and the client continues to work:
 *     any other code from -32768 to -32000, and UMEM_E_CANCELLED
 *   No answer came before the deadline. Whether the daemon did what was requested, or will, is not known:
 *     UMEM_E_DEADLINE       the client continues to work if it can, and discards the late answer. It cannot,
 *                           and the connection is closed, if the request was partly sent or the answer partly
 *                           received, and for umem_heap_lock(), so that no lock is left behind.
 *                           umem_is_connected() says so.
 *   The connection is gone. Whether the daemon did what was requested is not known. Every later call gives the
 *   same error until umem_connect() is called again, unless the options have `reconnect_ms`; handles stay good as
 *   long as the daemon lives, those of durable heaps and of their blocks also longer, and others are
 *   UMEM_E_STALE_HANDLE or UMEM_E_UNKNOWN_HANDLE to a daemon that was started later:
 *     UMEM_E_NOT_CONNECTED, UMEM_E_NOT_TRUSTED, UMEM_E_CONNECTION_LOST
 *     UMEM_E_BAD_ANSWER     what came is not an answer to the request
 *   UMEM_E_TOO_LARGE and UMEM_E_OUT_OF_MEMORY also end the connection if they concern the answer, of which a
 *   part has come by then.
 *
 * Deadlines: a call takes at most the client's timeout_ms. One that may wait in the daemon
 * (umem_block_wait(), umem_heap_lock()) takes its own timeout_ms more, and has no deadline where that is
 * UMEM_FOREVER.
 *
 * Reconnecting: with `reconnect_ms` in the options, a call that finds the connection gone, or the daemon no longer taking
 * its request, connects anew, verifies the daemon as umem_connect() does, and is made then. It tries again after 1 ms, 2 ms, 4 ms and so
 * on, in the end every 100 ms, for `reconnect_ms` or until its own deadline. So a daemon may be restarted or replaced under
 * its clients.
 *   UMEM_E_NOT_CONNECTED, UMEM_E_NOT_TRUSTED: there was no daemon in that time, or another user's. Nothing was sent.
 *   UMEM_E_CONNECTION_LOST: the daemon has had the request, or a part of it, and its answer was lost. Whether it was carried out is not
 *     known, and the request is not repeated: the caller decides that.
 *   Locks, holds, watches, and what was made with lifetime session, end with a connection. Where such a thing was requested on the
 *     lost connection, the first call after that does not connect but is UMEM_E_CONNECTION_LOST, with nothing sent, so that no
 *     program goes on as if it still held a lock; the next call connects. umem_poll() is UMEM_E_CONNECTION_LOST once, where
 *     watches were lost. After umem_connect(), which a program calls that knows, neither happens.
 *
 * Threads: any number of threads may use one client at a time, and each call is as if it were alone: a thread
 * that waits in umem_block_wait(), umem_heap_lock() or umem_poll() does not hold the others up. The
 * exceptions: umem_client_free() comes when no other thread is in a call, or will be; a umem_calls and a
 * umem_memory are used by one thread at a time. umem_connect() ends the calls of other threads with
 * UMEM_E_CONNECTION_LOST. umem_last_error() is each thread's own. Locks and holds belong to the connection,
 * not to the thread.
 *
 * Waiting: while answers come within 50 microseconds, and it is measured to be faster, a call first looks for its answer again and
 * again, for 50 microseconds at most, giving way to other programs in between; then it sleeps. Not with one processor, and not on
 * Windows. A call that takes longer sleeps at once. A round trip takes two system calls where it sleeps, and more where it does not.
 *
 * Processes: after fork() the child must not use the client but for umem_client_free(), which leaves the
 * parent's connection as it is; it makes a client of its own. The session of the parent lasts until the
 * child, too, has freed its copy, called exec() or ended. No call raises SIGPIPE. A signal handler may
 * interrupt any call, which then continues.
 *
 * Sizes and offsets are bytes. Text is UTF-8. Handles are good in every client of the same daemon.
 */
#ifndef UMEM_CLIENT_H
#define UMEM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "umem_api.h"
#include "umem_errors.h"
#include "umem_version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the client ---- */

typedef struct umem_client umem_client;

/* A heap or a block, from 1 to 2^53 - 1. 0 is never one; where a heap is asked for, it stands for the process
 * heap. */
typedef uint64_t umem_handle;

/* The default heap: the daemon's process heap. */
#define UMEM_PROCESS_HEAP ((umem_handle)0)

/* The largest size or offset that the protocol carries: 2^53 - 1. */
#define UMEM_SIZE_MAX UINT64_C(9007199254740991)

/* In place of a handle, wherever one goes: the heap or block of this name, which is looked up in the same request. Needs no call to the
 * daemon, and is good in any client as long as the text stays where it is; a call reads it before it returns, or is submitted. Use it in
 * calls only: it is no handle that can be compared or printed. What is no name, NULL too, is UMEM_E_BAD_ARGUMENT in the call that it goes
 * to; a name that nothing has, UMEM_E_UNKNOWN_HANDLE.
 *
 *     umem_block_add(client, umem_named("visits"), 0, UMEM_TYPE_U64, &one, NULL, &visits); */
UMEM_API umem_handle umem_named(const char *name);

/* In place of a size: from the offset to the end of the block. */
#define UMEM_TO_END UINT64_MAX

/* In place of an offset: there is none. */
#define UMEM_NONE UINT64_MAX

/* In place of a time-out in milliseconds: no end. */
#define UMEM_FOREVER UINT32_MAX

/* Bytes that hold any name of a heap or a block, of a client's program or its user, its end counted. */
#define UMEM_NAME_SIZE 256

/* How to connect. Set all members to 0 (`= {0}`) and then those that matter: members may be added. On POSIX
 * systems a relative path of a pipe is taken from the working directory at umem_client_new(). */
struct umem_options {
    const char *pipe;    /* where the daemon listens; NULL: the default, see umem_default_pipe(). Copied. */
    uint32_t timeout_ms; /* milliseconds that one call, or one page of a list, may take; 0: no end */
    size_t
        answer_bytes_max; /* the longest answer that is accepted, in bytes, raw bytes not counted; 0: 64 MiB */
    bool never_spin; /* a call sleeps until its answer comes; false: it first looks for it, see Waiting */
    uint32_t
        reconnect_ms; /* milliseconds for which a call tries to connect anew once the connection was lost; 0: never */
    const char *
        server_user; /* whose daemon is accepted beside this user's own and root's or SYSTEM's: a name, or a number (POSIX) or
                        SID (Windows); NULL: UMEM_SERVER_USER of the environment, else nobody's. Copied. */
};

/* Makes a client that is not connected yet. NULL options: all defaults. Returns NULL where memory runs out;
 * every function takes NULL for a client and gives UMEM_E_OUT_OF_MEMORY, so that umem_connect() is the first
 * result to check. The caller frees it with umem_client_free(). */
UMEM_API umem_client *umem_client_new(const struct umem_options *options);

/* Closes the connection and frees the client. Blocks and heaps of lifetime server stay in the daemon. NULL is
 * fine. */
UMEM_API void umem_client_free(umem_client *client);

/* Connects, and checks that the daemon is run by this user (or by root, or SYSTEM, or the options' server_user) before anything is sent. A
 * connection that is open is closed first; so call it again after a connection was lost.
 * UMEM_E_NOT_CONNECTED: no process listens there. UMEM_E_NOT_TRUSTED: another user's does. UMEM_E_DEADLINE:
 * the pipe had no free place in time. UMEM_E_BAD_ARGUMENT: the pipe's name cannot be one, or none is set and
 * there is no default; or the system knows no such server_user. */
UMEM_API int umem_connect(umem_client *client);

/* Whether the connection is open, as far as is known without a call. */
UMEM_API bool umem_is_connected(const umem_client *client);

/* Changes how long one call may take, in milliseconds; 0: no end. Good from the next call on. */
UMEM_API void umem_set_timeout(umem_client *client, uint32_t timeout_ms);

/* The pipe that this client uses. The client's; good until it is freed. "" where none is known. */
UMEM_API const char *umem_pipe(const umem_client *client);

/* Writes the name of the pipe that is used where none is given (the environment's UMEM_PIPE, else the user's
 * own) to `pipe`, which can hold `size` bytes. UMEM_E_BAD_ARGUMENT: there is none, or it does not fit. */
UMEM_API int umem_default_pipe(char *pipe, size_t size);

/* The version of the library that the program runs with: "1.2.3". UMEM_VERSION is that of the headers which it was compiled with. Static. */
UMEM_API const char *umem_version(void);

/* ---- errors ---- */

/* What is known of a failure. Texts are the thread's, and good until its next call with any client. */
struct umem_failure {
    int code;            /* UMEM_OK: the last call succeeded */
    const char *name;    /* stable, for programs: "stale_handle"; "" after a success */
    const char *message; /* a sentence for people, without a full stop; "" after a success */
    const char *data;    /* the daemon's facts, a JSON object as text; "{}" where there are none */
};

/* The failure of this thread's last call, if that was with this client; else one with UMEM_OK. Never NULL. */
UMEM_API const struct umem_failure *umem_last_error(const umem_client *client);

/* One of the daemon's facts as an integer: "handle", "heap", "block", "offset", "size", "block_size",
 * "maximum", "used", "asked" (protocol.md, Errors). Returns false and leaves *value where the
 * last failure has no such integer. */
UMEM_API bool umem_error_integer(const umem_client *client, const char *member, int64_t *value);

/* ---- any method ---- */

/* Calls a method by its name. `params_json` is a JSON object or array as text, NULL for none. *result_json
 * (NULL: not wanted) is the result as JSON text, which the caller frees with umem_free_text().
 * UMEM_E_BAD_ARGUMENT: params_json is not JSON, or the method's name is not UTF-8. Raw bytes have no place
 * here: those that an answer brings are passed over. */
UMEM_API int umem_call(umem_client *client, const char *method, const char *params_json, char **result_json);

/* Frees a text that the library gave. NULL is fine. */
UMEM_API void umem_free_text(char *text);

/* ---- the daemon ---- */

/* One of the daemon's limits. */
struct umem_limit {
    const char *name; /* "message_bytes" */
    uint64_t value;   /* inclusive */
};

/* The daemon's description of itself. Numbers that it does not give are 0, texts "". */
struct umem_server_info {
    const char *name;        /* "umemd" */
    const char *version;     /* the program's: "1.2.3" */
    uint64_t protocol;       /* the protocol's version: 1 */
    const char *platform;    /* the operating system */
    const char *backend;     /* what heaps are made of: "win32" or "posix" */
    const char *pipe;        /* where it listens */
    int64_t pid;             /* its process id */
    int64_t started;         /* seconds since 1970-01-01 UTC */
    uint64_t uptime_seconds; /* since it started */
    const struct umem_limit *limits;
    size_t limit_count;
    const char *const *features; /* what can differ from daemon to daemon: "shared", "raw"... */
    size_t feature_count;
};

/* The daemon's counters. Those that it does not give are 0. */
struct umem_server_stats {
    uint64_t heaps;
    uint64_t blocks;
    uint64_t bytes;           /* in all blocks, by the sizes asked for */
    uint64_t peak_bytes;      /* the most that bytes has been */
    uint64_t orphaned_blocks; /* without a name, and held by no open session */
    uint64_t orphaned_bytes;
    uint64_t sessions; /* clients connected now */
    uint64_t requests; /* since the start, as are the next three */
    uint64_t errors;
    uint64_t bytes_read;
    uint64_t bytes_written;
    uint64_t peak_sessions;       /* the most that sessions has been */
    uint64_t waits;               /* calls that wait now */
    uint64_t watches;             /* of all sessions */
    uint64_t holds;               /* of sessions on blocks that others made */
    uint64_t unsent_bytes;        /* memory that answers take which clients have not read yet */
    uint64_t peak_unsent_bytes;   /* the most that it has been */
    uint64_t gathered_bytes;      /* memory that messages take which are not whole yet or not done yet */
    uint64_t peak_gathered_bytes; /* the most that it has been */
    uint64_t pinned_bytes;        /* of blocks that are gone, from which answers are still sent */
    uint64_t cpu_user_us;         /* processor time that it has taken, in microseconds */
    uint64_t cpu_system_us;       /* likewise, in the system's calls */
    uint64_t resident_bytes;      /* memory that it has now */
};

enum { UMEM_LATENCIES_MAXIMUM = 64, UMEM_METHOD_SIZE = 64 };

/* Calls that took at most so long, and longer than those of the entry before. */
struct umem_latency {
    uint64_t at_most_us; /* microseconds; UMEM_NONE: however long */
    uint64_t calls;
};

/* What the calls of one method came to since the daemon's start. */
struct umem_method_stats {
    char method[UMEM_METHOD_SIZE]; /* "": what was no request, or named no method there is */
    uint64_t calls;                /* that were answered */
    uint64_t errors;               /* of these, those answered with an error */
    uint64_t waited;   /* of these, those that waited for something, which are in no figure below */
    uint64_t total_us; /* what the others took, in microseconds */
    uint64_t longest_us;
    uint32_t latency_count; /* of `latencies` that are filled in; the bounds are the same for all methods */
    struct umem_latency latencies[UMEM_LATENCIES_MAXIMUM];
};

/* Called for each method that was called. `method` is good during the call, which may itself use the client. Returning anything but 0
 * ends the list: umem_server_methods() then returns that value. */
typedef int umem_method_visitor(const struct umem_method_stats *method, void *context);

/* The description of every method, an OpenRPC document as JSON text. The caller frees it with
 * umem_free_text(). */
UMEM_API int umem_rpc_discover(umem_client *client, char **document_json);

/* Checks whether the daemon answers. */
UMEM_API int umem_server_ping(umem_client *client);

/* The daemon's description of itself. The caller frees it with umem_free_server_info(). */
UMEM_API int umem_server_info(umem_client *client, struct umem_server_info **info);

/* Frees it and all its texts. NULL is fine. */
UMEM_API void umem_free_server_info(struct umem_server_info *info);

UMEM_API int umem_server_stats(umem_client *client, struct umem_server_stats *stats);

/* Calls `visitor` for each method that was called. The list is fetched in pages. UMEM_E_METHOD_NOT_FOUND: the daemon is older than that. */
UMEM_API int umem_server_methods(umem_client *client, umem_method_visitor *visitor, void *context);

/* Has the daemon read its settings again. The report says what has new values and what only a restart applies, as JSON text: protocol.md
 * describes it under server.reload. The caller frees it with umem_free_text(). UMEM_E_BAD_SETTINGS: they are wrong, and nothing was
 * changed. */
UMEM_API int umem_server_reload(umem_client *client, char **report_json);

/* Ends the daemon in order, and all its blocks with it. UMEM_OK: it has begun to. */
UMEM_API int umem_server_shutdown(umem_client *client);

/* ---- heaps ---- */

/* Where a heap's memory comes from. */
enum umem_heap_kind {
    UMEM_HEAP_PROCESS, /* the process heap */
    UMEM_HEAP_PRIVATE, /* the daemon's own memory */
    UMEM_HEAP_SHARED,  /* shared memory that clients may map */
    UMEM_HEAP_OTHER    /* of a kind that this library does not know yet */
};

/* How long a heap or block lives. */
enum umem_lifetime {
    UMEM_LIFETIME_SERVER,  /* until it is freed, or the daemon ends */
    UMEM_LIFETIME_SESSION, /* as long as the client that made it stays connected, at most */
    UMEM_LIFETIME_DURABLE /* of a heap of kind UMEM_HEAP_SHARED: until it is destroyed, also over the daemon's end and start (umemd --state) */
};

/* Win32's heap flags, without HEAP_. Bits of the library's own, combined with |. New memory is zero with or
 * without UMEM_FLAG_ZERO_MEMORY; UMEM_FLAG_CREATE_ENABLE_EXECUTE is always UMEM_E_DENIED. */
enum umem_flag {
    UMEM_FLAG_ZERO_MEMORY = 1,
    UMEM_FLAG_NO_SERIALIZE = 2,
    UMEM_FLAG_GENERATE_EXCEPTIONS = 4,
    UMEM_FLAG_CREATE_ENABLE_EXECUTE = 8,
    UMEM_FLAG_REALLOC_IN_PLACE_ONLY = 16
};

/* How to create a heap. Set all members to 0 (`= {0}`) and then those that matter: members may be added. */
struct umem_heap_options {
    uint32_t flags;              /* of enum umem_flag */
    uint64_t initial_size;       /* bytes to commit at once */
    uint64_t maximum_size;       /* bytes that its blocks may have together; 0: growable */
    uint32_t alignment;          /* bytes, a power of two from 16 to 65536, for all its blocks; 0: 16 */
    const char *name;            /* 1 to 255 bytes; NULL: none */
    enum umem_lifetime lifetime; /* UMEM_LIFETIME_SERVER: until it is destroyed */
    enum umem_heap_kind
        kind; /* UMEM_HEAP_SHARED, with a maximum_size: see umem_map(). Any other, 0 too: private */
};

/* Whose something is. */
struct umem_owner {
    uint64_t session;             /* number of the session that made it; 0: the daemon itself */
    int64_t pid;                  /* that client's process id; 0: not known */
    char program[UMEM_NAME_SIZE]; /* its program's name, without a directory; "": not known */
    char user[UMEM_NAME_SIZE];    /* its user's; "": not known */
};

struct umem_heap_info {
    umem_handle heap;
    char name[UMEM_NAME_SIZE]; /* "" where it has none */
    enum umem_heap_kind kind;
    uint32_t flags; /* of enum umem_flag */
    uint64_t initial_size;
    uint64_t maximum_size; /* 0: growable */
    uint32_t alignment;    /* bytes: every block starts at a multiple */
    uint64_t blocks;       /* how many it has now */
    uint64_t bytes;        /* in these blocks */
    uint64_t peak_bytes;   /* the most that bytes has been */
    enum umem_lifetime lifetime;
    struct umem_owner owner;
    bool locked; /* a session holds its lock */
    /* Of shared heaps, and where the daemon's system is not Windows, of all; else 0. */
    uint64_t reserved;     /* bytes of its shared memory, or of address space */
    uint64_t committed;    /* of these, bytes that the system has promised memory for */
    uint64_t free_bytes;   /* in no block; see umem_heap_size_classes() */
    uint64_t free_ranges;  /* pieces that these lie in */
    uint64_t largest_free; /* bytes in the largest piece */
    bool corrupted;        /* a client has taken memory away from it */
    /* Those that the daemon does not give are 0. */
    uint64_t calls;         /* about it or its blocks, since the daemon's start */
    uint64_t touched_bytes; /* of its blocks that these were about */
    int64_t last_used;      /* seconds since 1970-01-01 UTC, when the last of them came; 0: none did */
};

enum { UMEM_SIZE_CLASSES_MAXIMUM = 64 };

/* How the slots of one size are used. Small blocks share pages by their sizes. */
struct umem_size_class {
    uint32_t
        size; /* bytes of a slot: a block is at most so large, and larger than the slots of the class before it */
    uint64_t used; /* slots that are blocks */
    uint64_t free; /* slots of the same pages that are not */
};

struct umem_size_classes {
    uint32_t count; /* of `classes` that are filled in: those that have slots, by size */
    struct umem_size_class classes[UMEM_SIZE_CLASSES_MAXIMUM];
};

/* Called for each heap of a list. `heap` is good during the call, which may itself use the client. Returning
 * anything but 0 ends the list: umem_heap_list() then returns that value. */
typedef int umem_heap_visitor(const struct umem_heap_info *heap, void *context);

/* The handle of the process heap (GetProcessHeap). */
UMEM_API int umem_heap_process(umem_client *client, umem_handle *heap);

/* Creates a heap (HeapCreate). NULL options: all defaults. UMEM_E_NAME_TAKEN, UMEM_E_NO_MEMORY,
 * UMEM_E_LIMIT_EXCEEDED, UMEM_E_DENIED, UMEM_E_INVALID_PARAMS (a name that cannot be one, an initial size
 * past the maximum). */
UMEM_API int umem_heap_create(umem_client *client, const struct umem_heap_options *options,
                              umem_handle *heap);

/* Creates a heap with the options' name, or opens the one that has it; *created (NULL: not wanted) tells which. One that is there must
 * fit: be shared or not as the options say, with the same flags and lifetime, and with at least their maximum and alignment.
 * UMEM_E_NAME_TAKEN: it does not, and the message says why. UMEM_E_BAD_ARGUMENT: there is no name. Otherwise as umem_heap_create(). */
UMEM_API int umem_heap_open(umem_client *client, const struct umem_heap_options *options, umem_handle *heap,
                            bool *created);

/* Calls `visitor` for each heap. The list is fetched in pages: heaps that come or go meanwhile may be seen or
 * not. */
UMEM_API int umem_heap_list(umem_client *client, umem_heap_visitor *visitor, void *context);

/* UMEM_E_UNKNOWN_HANDLE, UMEM_E_STALE_HANDLE. */
UMEM_API int umem_heap_info(umem_client *client, umem_handle heap, struct umem_heap_info *info);

/* How a heap's small blocks lie in size classes; none of a Win32 heap. UMEM_E_UNKNOWN_HANDLE, UMEM_E_STALE_HANDLE. */
UMEM_API int umem_heap_size_classes(umem_client *client, umem_handle heap, struct umem_size_classes *classes);

/* The heap that has this name, which may be digits; "process" is the process heap. UMEM_E_UNKNOWN_HANDLE:
 * none does. */
UMEM_API int umem_heap_lookup(umem_client *client, const char *name, umem_handle *heap);

/* Destroys a heap and frees all its blocks (HeapDestroy). *blocks and *bytes (NULL: not wanted) tell how
 * many. UMEM_E_UNKNOWN_HANDLE, UMEM_E_STALE_HANDLE, UMEM_E_LOCKED, UMEM_E_DENIED (the process heap, by its
 * handle; UMEM_PROCESS_HEAP is UMEM_E_BAD_ARGUMENT here). */
UMEM_API int umem_heap_destroy(umem_client *client, umem_handle heap, uint64_t *blocks, uint64_t *bytes);

/* Looks for damage (HeapValidate): in one of the heap's blocks, or in all where `block` is 0.
 * UMEM_E_CORRUPTED: "block" of umem_error_integer() is the first that is damaged. */
UMEM_API int umem_heap_validate(umem_client *client, umem_handle heap, umem_handle block);

/* Returns unused memory to the system (HeapCompact): all that is free when it begins, before it returns. *largest_free (NULL: not
 * wanted) is the largest free range, in bytes, of a Win32 heap the largest that it has committed; 0 where the system does not tell.
 * UMEM_E_LOCKED. */
UMEM_API int umem_heap_compact(umem_client *client, umem_handle heap, uint64_t *largest_free);

/* Returns when all that was written to a durable heap before is on the disk, records and bytes: what any connection was answered,
 * and what this program wrote through a mapping (on Windows after FlushViewOfFile()). UMEM_E_UNSUPPORTED: the heap is not
 * durable. UMEM_E_CORRUPTED: the disk failed, and the heap can only be read from now on. UMEM_E_NO_MEMORY: nothing has changed; try
 * again. UMEM_E_LOCKED. */
UMEM_API int umem_heap_flush(umem_client *client, umem_handle heap);

/* Locks a heap (HeapLock): until this connection has unlocked it as often, or is closed, others get
 * UMEM_E_LOCKED for all calls that name the heap or one of its blocks, but those that only tell of them.
 * UMEM_E_LOCKED: another connection has it, and timeout_ms is 0. UMEM_E_TIMEOUT: it still had it after
 * timeout_ms milliseconds. Connections that wait get the lock in the order in which they came. */
UMEM_API int umem_heap_lock(umem_client *client, umem_handle heap, uint32_t timeout_ms);

/* Removes one lock (HeapUnlock). UMEM_E_DENIED: this connection has not locked it. */
UMEM_API int umem_heap_unlock(umem_client *client, umem_handle heap);

/* ---- blocks ---- */

/* How to allocate a block. Set all members to 0 (`= {0}`) and then those that matter: members may be added. */
struct umem_block_options {
    umem_handle heap;            /* UMEM_PROCESS_HEAP (0), or one that was created */
    uint32_t flags;              /* of enum umem_flag */
    const char *name;            /* 1 to 255 bytes; NULL: none */
    enum umem_lifetime lifetime; /* UMEM_LIFETIME_SERVER: until it is freed, or its heap destroyed */
};

struct umem_block_info {
    umem_handle block;
    char name[UMEM_NAME_SIZE]; /* "" where it has none */
    umem_handle heap;
    uint64_t size;    /* as asked for */
    uint64_t address; /* in the daemon: it distinguishes blocks, and is no pointer here */
    enum umem_lifetime lifetime;
    struct umem_owner owner;
    uint32_t holders; /* how many open sessions hold it */
    bool orphaned;    /* no name, and no session holds it */
    int64_t created;  /* seconds since 1970-01-01 UTC */
};

/* Which blocks to list. Set all members to 0 (`= {0}`) and then those that matter: members may be added. */
struct umem_block_filter {
    umem_handle heap;   /* only this heap's; 0: of all heaps */
    uint64_t session;   /* only those that this session made; 0: of all */
    bool orphaned_only; /* only those without a name that no open session holds */
};

/* Called for each block of a list. `block` is good during the call, which may itself use the client.
 * Returning anything but 0 ends the list: umem_block_list() then returns that value. */
typedef int umem_block_visitor(const struct umem_block_info *block, void *context);

/* Types of numbers in blocks. They lie there little-endian; here they are the machine's own. */
enum umem_type {
    UMEM_TYPE_U8,
    UMEM_TYPE_I8,
    UMEM_TYPE_U16,
    UMEM_TYPE_I16,
    UMEM_TYPE_U32,
    UMEM_TYPE_I32,
    UMEM_TYPE_U64,
    UMEM_TYPE_I64,
    UMEM_TYPE_F32, /* float */
    UMEM_TYPE_F64  /* double */
};

/* Allocates `size` bytes, all zero (HeapAlloc). A block of 0 bytes is a block too. NULL options: all
 * defaults. UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NAME_TAKEN, UMEM_E_LOCKED, and for the heap
 * UMEM_E_UNKNOWN_HANDLE, UMEM_E_STALE_HANDLE. */
UMEM_API int umem_block_alloc(umem_client *client, uint64_t size, const struct umem_block_options *options,
                              umem_handle *block);

/* Allocates a block with the options' name, or opens the one that has it; *created (NULL: not wanted) tells which. One that is there must
 * fit: have at least `size` bytes, the lifetime of the options, and their heap if they name another than the process heap.
 * UMEM_E_NAME_TAKEN: it does not, and the message says why. UMEM_E_BAD_ARGUMENT: there is no name. Otherwise as umem_block_alloc(). */
UMEM_API int umem_block_open(umem_client *client, uint64_t size, const struct umem_block_options *options,
                             umem_handle *block, bool *created);

/* Publishes `size` bytes under a name: a new block has it as soon as all of them are there, and the block that had it is freed, in one
 * step. Whoever reads by name has all of the old bytes or all of the new ones, if it reads them by one request or by umem_get(). If it
 * fails, or this program ends before, the old block stays as it was and nothing is left of the new one. NULL options: all defaults;
 * their name is not used. *block (NULL: not wanted) is the new one. More than 1 MiB travels in pieces. UMEM_E_NO_MEMORY and
 * UMEM_E_LIMIT_EXCEEDED: there is no space for both. UMEM_E_LOCKED: the heap of either is. */
UMEM_API int umem_put(umem_client *client, const char *name, const void *bytes, size_t size,
                      const struct umem_block_options *options, umem_handle *block);

/* Gets what is published under a name: *bytes is a copy, which the caller frees with umem_free_bytes(), *size its size. If the block is
 * replaced while a large one is read, the new one is read. UMEM_E_UNKNOWN_HANDLE: nothing has this name. UMEM_E_OUT_OF_MEMORY: this
 * program has no memory for it. UMEM_E_STALE_HANDLE: it was replaced again and again. */
UMEM_API int umem_get(umem_client *client, const char *name, void **bytes, size_t *size);

/* Frees bytes that the library gave. NULL is fine. */
UMEM_API void umem_free_bytes(void *bytes);

/* The same into memory of the caller's: up to `capacity` bytes at `bytes`; *size is how many there are. UMEM_E_OUT_OF_RANGE: there are
 * more than `capacity`. *size says how many all the same, and what is at `bytes` is not defined. */
UMEM_API int umem_get_into(umem_client *client, const char *name, void *bytes, size_t capacity, size_t *size);

/* Publishes a block that is there under a name: as umem_block_change(), but the block that has the name is freed in the same step. For a
 * block that is filled before it has a name, through a mapping for example: allocate it with UMEM_LIFETIME_SESSION, and nothing is left
 * of it if this program ends before. UMEM_E_LOCKED: the heap of either is locked. UMEM_E_DENIED: both are in durable heaps, and not in the
 * same. */
UMEM_API int umem_block_publish(umem_client *client, umem_handle block, const char *name,
                                const enum umem_lifetime *lifetime, struct umem_block_info *info);

/* Gives a block another size (HeapReAlloc). The handle stays, its address may not; bytes that it gains are
 * zero. `flags` are of enum umem_flag: UMEM_FLAG_REALLOC_IN_PLACE_ONLY. UMEM_E_NO_MEMORY,
 * UMEM_E_LIMIT_EXCEEDED, UMEM_E_LOCKED. */
UMEM_API int umem_block_resize(umem_client *client, umem_handle block, uint64_t size, uint32_t flags);

/* UMEM_E_UNKNOWN_HANDLE (never given out, or a heap's), UMEM_E_STALE_HANDLE (freed): so do all that take a
 * block. */
UMEM_API int umem_block_info(umem_client *client, umem_handle block, struct umem_block_info *info);

/* The block that has this name, which may be digits. UMEM_E_UNKNOWN_HANDLE: none does. */
UMEM_API int umem_block_lookup(umem_client *client, const char *name, umem_handle *block);

/* The block that begins at an address of the daemon's, as umem_block_info() gives it. Slow: for looking into
 * things. UMEM_E_UNKNOWN_HANDLE: none does. */
UMEM_API int umem_block_at(umem_client *client, uint64_t address, umem_handle *block);

/* Names a block (`name`; "" takes its name away) or changes how long it lives (*lifetime;
 * UMEM_LIFETIME_SESSION: as long as this client stays connected); NULL: that stays. *info (NULL: not wanted)
 * is what it is then. UMEM_E_NAME_TAKEN. */
UMEM_API int umem_block_change(umem_client *client, umem_handle block, const char *name,
                               const enum umem_lifetime *lifetime, struct umem_block_info *info);

/* Holds a block: it is not orphaned while this connection is open. A connection holds a block once, however
 * often this is called, and the blocks that it has made from the start. *holders (NULL: not wanted) is how
 * many connections hold it then. */
UMEM_API int umem_block_hold(umem_client *client, umem_handle block, uint64_t *holders);

/* Lets go of a block. It is not freed by that. */
UMEM_API int umem_block_release(umem_client *client, umem_handle block, uint64_t *holders);

/* Calls `visitor` for each block that fits; NULL filter: for all. The list is fetched in pages: blocks that
 * come or go meanwhile may be seen or not. */
UMEM_API int umem_block_list(umem_client *client, const struct umem_block_filter *filter,
                             umem_block_visitor *visitor, void *context);

/* Reads `size` bytes from `offset` on into `bytes`, of any size: they travel as they are.
 * UMEM_E_OUT_OF_RANGE. More than 1 MiB travels in pieces, and a failure leaves `bytes` partly filled; another
 * client may write between two pieces, and in the later part of one. */
UMEM_API int umem_block_read(umem_client *client, umem_handle block, uint64_t offset, void *bytes,
                             size_t size);

/* Writes `size` bytes at `offset`, of any size. UMEM_E_OUT_OF_RANGE: nothing was written. Another client may
 * read while they arrive. A lost connection, or a block freed meanwhile, can leave a part: the front, or with
 * more than 1 MiB, which travels in pieces, the last piece before the others. */
UMEM_API int umem_block_write(umem_client *client, umem_handle block, uint64_t offset, const void *bytes,
                              size_t size);

/* Reads `count` numbers from `offset` (bytes; any, aligned or not) on into the array `values` of that C type.
 * As umem_block_read(), which it is but for the order of bytes. */
UMEM_API int umem_block_get(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                            void *values, size_t count);

/* Writes `count` numbers at `offset` (bytes) from the array `values` of that C type. As umem_block_write(). */
UMEM_API int umem_block_set(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                            const void *values, size_t count);

/* The next ones work within the daemon, on up to 1 MiB with nothing of another client's in between. `size`
 * may be UMEM_TO_END: to the end of the block, of `source` or `left` where there are two.
 * UMEM_E_OUT_OF_RANGE: nothing was changed. */

/* Sets each byte of a range to `value`. */
UMEM_API int umem_block_fill(umem_client *client, umem_handle block, uint64_t offset, uint8_t value,
                             uint64_t size);

/* Copies (CopyMemory); the two may be one block and overlap. */
UMEM_API int umem_block_copy(umem_client *client, umem_handle source, uint64_t source_offset,
                             umem_handle target, uint64_t target_offset, uint64_t size);

/* Compares two ranges. *difference is how many bytes from their starts on are the same, where one differs;
 * UMEM_NONE where none does. */
UMEM_API int umem_block_compare(umem_client *client, umem_handle left, uint64_t left_offset,
                                umem_handle right, uint64_t right_offset, uint64_t size,
                                uint64_t *difference);

/* Looks from `offset` on for `size` bytes like those at `bytes`. *found is where they begin first, counted
 * from the start of the block; UMEM_NONE: nowhere. UMEM_E_INVALID_PARAMS: `size` is more than 1 MiB
 * (1,048,576). No bytes are found at `offset`. */
UMEM_API int umem_block_find(umem_client *client, umem_handle block, uint64_t offset, const void *bytes,
                             size_t size, uint64_t *found);

/* The next ones are for numbers that several clients change. `value`, `expected` and the results point to one
 * number of that C type; results may be NULL: not wanted. The offset is bytes, aligned or not. */

/* Adds to a number: integers in two's complement, floating point as IEEE 754 has it. *before is what was
 * there, *after what is. */
UMEM_API int umem_block_add(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                            const void *value, void *before, void *after);

/* Puts a number there, if `expected` is NULL or what is there now, byte for byte. *exchanged is whether it
 * was, *before what was there. */
UMEM_API int umem_block_exchange(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                                 const void *value, const void *expected, void *before, bool *exchanged);

/* Waits until the number there is no longer `value`; returns at once where it is not. *now is what it is
 * then. UMEM_E_TIMEOUT: it still was after timeout_ms milliseconds (UMEM_FOREVER: no end).
 * UMEM_E_STALE_HANDLE: the block was freed meanwhile. UMEM_E_OUT_OF_RANGE: or made too small. A wait that is
 * given up on, at the deadline, is taken back from the daemon. */
UMEM_API int umem_block_wait(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                             const void *value, uint32_t timeout_ms, void *now);

/* ---- mapped blocks ---- */

/* Gives a block of a shared heap as memory of this process: *bytes is where it is, *size (NULL: not wanted)
 * its size. What is written there is seen by all who map the block and by the daemon, at once and without a
 * call; protocol.md, "Shared heaps", says what may be relied on. The heap is mapped once for each client,
 * however many of its blocks are; each umem_map() is undone by one umem_unmap().
 *
 * The pointer is good until it is unmapped or the client is freed, whatever happens to the connection, the
 * daemon, the heap or the block. What is there then:
 * - The block is freed: its bytes stay as they are until the daemon hands them out again, perhaps to another
 *   program, and cleared, or returns their memory to the system (umem_heap_compact()): then they are zero,
 *   and touching them may be SIGBUS if the system has no shared memory left. Nothing reports it: a program
 *   that frees a block must know that no other program uses it.
 * - It is resized: it may have moved, and what the pointer shows is as after it was freed. Unmap it and map
 *   it anew.
 * - The heap is destroyed, or the daemon ends, however it ends: the memory stays as it was, and is still
 *   shared by the programs that have it mapped; it is freed with the last mapping. It cannot be mapped again,
 *   and a daemon that is started later does not know it.
 * - Another program of the user's cuts the object (POSIX): touching what is gone is SIGBUS.
 * What lies before and behind the block's bytes is none of the program's: there may be no memory at all.
 *
 * UMEM_E_UNSUPPORTED: the heap is not shared, or its memory cannot be opened in this process (in another
 * container or Windows session, say). UMEM_E_CORRUPTED: a program has truncated that memory.
 * UMEM_E_OUT_OF_MEMORY: there is no address space to map it. UMEM_E_STALE_HANDLE, UMEM_E_UNKNOWN_HANDLE,
 * UMEM_E_LOCKED. */
UMEM_API int umem_map(umem_client *client, umem_handle block, void **bytes, uint64_t *size);

/* Undoes one umem_map(); `bytes` is what it gave, or any address within the block. Needs no connection.
 * UMEM_E_BAD_ARGUMENT: no heap is mapped there. */
UMEM_API int umem_unmap(umem_client *client, void *bytes);

/* Notifies clients that wait for bytes of a block (umem_block_wait()) or watch them that these were written
 * through a mapping, which the daemon does not see. `size` may be UMEM_TO_END. */
UMEM_API int umem_block_wake(umem_client *client, umem_handle block, uint64_t offset, uint64_t size);

/* Frees a block (HeapFree): its handle is stale from then on. UMEM_E_LOCKED. */
UMEM_API int umem_block_free(umem_client *client, umem_handle block);

/* Frees a block only if it is orphaned: without a name, and held by no open connection. UMEM_E_DENIED: it is
 * not. */
UMEM_API int umem_block_free_orphan(umem_client *client, umem_handle block);

/* Bytes that a value of this type takes; 0 for what is no type. */
UMEM_API size_t umem_type_size(enum umem_type type);

/* ---- sessions ---- */

/* A session: one client's connection. */
struct umem_session_info {
    uint64_t session;             /* its number */
    int64_t pid;                  /* the client's process id; 0: not known */
    char program[UMEM_NAME_SIZE]; /* its program's name, without a directory; "": not known */
    char user[UMEM_NAME_SIZE];    /* its user's; "": not known */
    int64_t opened;               /* seconds since 1970-01-01 UTC */
    uint64_t blocks;              /* how many blocks it has made that are still there */
    uint64_t bytes;               /* in these */
    uint64_t queued_bytes;        /* answers that it has not taken yet */
    /* Those that the daemon does not give are 0. */
    uint64_t calls;         /* its requests that were answered */
    uint64_t errors;        /* of these, those answered with an error */
    uint64_t bytes_read;    /* received from it */
    uint64_t bytes_written; /* sent to it */
    int64_t last_used; /* seconds since 1970-01-01 UTC, when its last request was answered; 0: none was */
};

/* Called for each session of a list. `session` is good during the call, which may itself use the client.
 * Returning anything but 0 ends the list: umem_session_list() then returns that value. */
typedef int umem_session_visitor(const struct umem_session_info *session, void *context);

/* Tells of this client's own session. */
UMEM_API int umem_session_info(umem_client *client, struct umem_session_info *info);

/* Calls `visitor` for each session. The list is fetched in pages. */
UMEM_API int umem_session_list(umem_client *client, umem_session_visitor *visitor, void *context);

/* Closes a session, which need not be one's own: what it made with lifetime session is freed, and its locks,
 * holds, waits and watches end. UMEM_E_UNKNOWN_HANDLE: there is none of that number. */
UMEM_API int umem_session_close(umem_client *client, uint64_t session);

/* ---- watches ---- */

enum umem_event_kind {
    UMEM_EVENT_CHANGED,        /* bytes of a block were changed, by any client: `block`, `offset`, `size` */
    UMEM_EVENT_FREED,          /* a block is gone: `block` */
    UMEM_EVENT_HEAP_DESTROYED, /* a heap is gone, and all its blocks with it: `heap` */
    UMEM_EVENT_OVERFLOW        /* more has happened than is reported one by one: look at everything anew */
};

/* Something that happened to what is watched. What a kind does not have is 0. */
struct umem_event {
    enum umem_event_kind kind;
    uint64_t watch; /* which watch it belongs to */
    umem_handle block;
    umem_handle heap;
    uint64_t offset; /* bytes; changes that followed each other may be reported as one that covers them */
    uint64_t size;
};

/* What is watched. Set all members to 0 (`= {0}`: everything) and then those that matter: members may be
 * added. */
struct umem_watch_target {
    umem_handle heap;  /* this heap and its blocks; not together with `block` */
    umem_handle block; /* this block */
    uint64_t offset;   /* only changes from here on, bytes */
    uint64_t size;     /* so far; 0 or UMEM_TO_END: to the end */
};

/* Called by umem_poll() for each event, in its thread. `event` is good during the call, which may itself use
 * the client. */
typedef void umem_watcher(const struct umem_event *event, void *context);

/* Watches something: `watcher` is called with `context` for what happens to it from now on, but only by
 * umem_poll(). Until then up to 1,024 events are kept; what comes on top of them is reported as one
 * UMEM_EVENT_OVERFLOW for each watch. NULL target: everything. A watch ends with umem_session_unwatch() and
 * with the connection. UMEM_E_LIMIT_EXCEEDED, UMEM_E_LOCKED, UMEM_E_OUT_OF_RANGE (of the block),
 * UMEM_E_INVALID_PARAMS (a heap and a block, or a range without a block). */
UMEM_API int umem_session_watch(umem_client *client, const struct umem_watch_target *target,
                                umem_watcher *watcher, void *context, uint64_t *watch);

/* Ends a watch. Its watcher is not called any more, unless another thread is calling it at the moment. */
UMEM_API int umem_session_unwatch(umem_client *client, uint64_t watch);

/* Calls watchers for the events that have come, and where there are none waits for some, up to timeout_ms
 * milliseconds (0: does not wait; UMEM_FOREVER: no end). *delivered (NULL: not wanted) is for how many events
 * they were called: 0 after the time, which is no failure. What has come before a connection was lost is
 * delivered before that is reported. */
UMEM_API int umem_poll(umem_client *client, uint32_t timeout_ms, size_t *delivered);

/* ---- many calls at one time ---- */

/* How calls that are submitted together travel. */
enum umem_calls_kind {
    /* One after the other without waiting for answers; other clients' requests may come between them. */
    UMEM_PIPELINE,
    /* As one message: nothing of another client's comes between. The daemon has limits for it
     * (umem_server_info()): "batch_requests", "batch_bytes" and those on one message. */
    UMEM_BATCH
};

/* Calls that are submitted now and collected later, in the order in which they were submitted. Used by one
 * thread at a time. */
typedef struct umem_calls umem_calls;

/* Most calls that may be submitted and not yet collected. */
#define UMEM_CALLS_MAX 65536

/* Makes one for a client, which must live longer. NULL: there is no memory; every function takes NULL and
 * gives UMEM_E_OUT_OF_MEMORY. The caller frees it with umem_calls_free(). */
UMEM_API umem_calls *umem_calls_new(umem_client *client, enum umem_calls_kind kind);

/* Frees it. Calls that were not collected are withdrawn, also those that wait in the daemon, and their
 * results are lost. What the daemon has done already stays done, and a lock that it has granted stays. NULL
 * is fine. */
UMEM_API void umem_calls_free(umem_calls *calls);

/* Submitting a call means what the call of that name means, but that its outputs are written, and the bytes
 * that it sends are read, at any time until it is collected: they must stay where they are. What an earlier
 * one gives (a handle, say) is not there yet. A pipeline's calls are sent when some have gathered, or by
 * umem_calls_send() or umem_collect(); a batch's by these two. Each is one request: bytes must fit the
 * daemon's limit on payloads (64 MiB, where it was not set). UMEM_OK: it will be collected. Else it was not
 * submitted: UMEM_E_BAD_ARGUMENT (also where UMEM_CALLS_MAX have been, or a batch is under way),
 * UMEM_E_TOO_LARGE, UMEM_E_OUT_OF_MEMORY. */
UMEM_API int umem_submit_heap_create(umem_calls *calls, const struct umem_heap_options *options,
                                     umem_handle *heap);
UMEM_API int umem_submit_heap_open(umem_calls *calls, const struct umem_heap_options *options,
                                   umem_handle *heap, bool *created);
UMEM_API int umem_submit_heap_info(umem_calls *calls, umem_handle heap, struct umem_heap_info *info);
UMEM_API int umem_submit_heap_size_classes(umem_calls *calls, umem_handle heap,
                                           struct umem_size_classes *classes);
UMEM_API int umem_submit_heap_lookup(umem_calls *calls, const char *name, umem_handle *heap);
UMEM_API int umem_submit_heap_destroy(umem_calls *calls, umem_handle heap, uint64_t *blocks, uint64_t *bytes);
UMEM_API int umem_submit_heap_validate(umem_calls *calls, umem_handle heap, umem_handle block);
UMEM_API int umem_submit_heap_compact(umem_calls *calls, umem_handle heap, uint64_t *largest_free);
UMEM_API int umem_submit_heap_flush(umem_calls *calls, umem_handle heap);
UMEM_API int umem_submit_heap_lock(umem_calls *calls, umem_handle heap, uint32_t timeout_ms);
UMEM_API int umem_submit_heap_unlock(umem_calls *calls, umem_handle heap);
UMEM_API int umem_submit_block_alloc(umem_calls *calls, uint64_t size,
                                     const struct umem_block_options *options, umem_handle *block);
UMEM_API int umem_submit_block_open(umem_calls *calls, uint64_t size,
                                    const struct umem_block_options *options, umem_handle *block,
                                    bool *created);
UMEM_API int umem_submit_put(umem_calls *calls, const char *name, const void *bytes, size_t size,
                             const struct umem_block_options *options, umem_handle *block);
UMEM_API int umem_submit_get_into(umem_calls *calls, const char *name, void *bytes, size_t capacity,
                                  size_t *size);
UMEM_API int umem_submit_block_publish(umem_calls *calls, umem_handle block, const char *name,
                                       const enum umem_lifetime *lifetime, struct umem_block_info *info);
UMEM_API int umem_submit_block_resize(umem_calls *calls, umem_handle block, uint64_t size, uint32_t flags);
UMEM_API int umem_submit_block_info(umem_calls *calls, umem_handle block, struct umem_block_info *info);
UMEM_API int umem_submit_block_lookup(umem_calls *calls, const char *name, umem_handle *block);
UMEM_API int umem_submit_block_change(umem_calls *calls, umem_handle block, const char *name,
                                      const enum umem_lifetime *lifetime, struct umem_block_info *info);
UMEM_API int umem_submit_block_hold(umem_calls *calls, umem_handle block, uint64_t *holders);
UMEM_API int umem_submit_block_release(umem_calls *calls, umem_handle block, uint64_t *holders);
UMEM_API int umem_submit_block_free(umem_calls *calls, umem_handle block);
UMEM_API int umem_submit_block_read(umem_calls *calls, umem_handle block, uint64_t offset, void *bytes,
                                    size_t size);
UMEM_API int umem_submit_block_write(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                                     size_t size);
UMEM_API int umem_submit_block_get(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                                   void *values, size_t count);
UMEM_API int umem_submit_block_set(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                                   const void *values, size_t count);
UMEM_API int umem_submit_block_fill(umem_calls *calls, umem_handle block, uint64_t offset, uint8_t value,
                                    uint64_t size);
UMEM_API int umem_submit_block_copy(umem_calls *calls, umem_handle source, uint64_t source_offset,
                                    umem_handle target, uint64_t target_offset, uint64_t size);
UMEM_API int umem_submit_block_compare(umem_calls *calls, umem_handle left, uint64_t left_offset,
                                       umem_handle right, uint64_t right_offset, uint64_t size,
                                       uint64_t *difference);
UMEM_API int umem_submit_block_find(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                                    size_t size, uint64_t *found);
UMEM_API int umem_submit_block_add(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                                   const void *value, void *before, void *after);
UMEM_API int umem_submit_block_exchange(umem_calls *calls, umem_handle block, uint64_t offset,
                                        enum umem_type type, const void *value, const void *expected,
                                        void *before, bool *exchanged);
UMEM_API int umem_submit_block_wait(umem_calls *calls, umem_handle block, uint64_t offset,
                                    enum umem_type type, const void *value, uint32_t timeout_ms, void *now);
UMEM_API int umem_submit_block_wake(umem_calls *calls, umem_handle block, uint64_t offset, uint64_t size);

/* Any method, as umem_call(). A call that waits in the daemon is UMEM_E_UNSUPPORTED in a batch, and
 * block.read with the encoding "raw" is UMEM_E_BAD_ARGUMENT there: umem_submit_block_read() does that. */
UMEM_API int umem_submit_call(umem_calls *calls, const char *method, const char *params_json,
                              char **result_json);

/* Sends what was submitted and not sent yet, without waiting for answers: but it takes those that come while
 * the daemon takes no more requests, so that neither waits for the other. What fails is reported when the
 * calls are collected. */
UMEM_API int umem_calls_send(umem_calls *calls);

/* How many calls are to be collected. */
UMEM_API size_t umem_calls_count(const umem_calls *calls);

/* Waits for the oldest call and returns what it gave: as the call of that name, umem_last_error() included.
 * Its deadline begins now. UMEM_E_BAD_ARGUMENT: there is none. */
UMEM_API int umem_collect(umem_calls *calls);

/* Collects all. Returns UMEM_OK where all succeeded, else what the first that failed gave, and that is the
 * last error. */
UMEM_API int umem_collect_all(umem_calls *calls);

/* ---- a block as an object ---- */

/* A block together with its client, to be indexed like an array, and freed with the object. */
typedef struct umem_memory umem_memory;

/* Allocates `size` zero bytes on a heap (UMEM_PROCESS_HEAP: the daemon's) and makes an object of them. The
 * object keeps the pointer to the client, which must live longer. The caller ends it with
 * umem_memory_dispose(). Errors as umem_block_alloc(). */
UMEM_API int umem_memory_alloc(umem_client *client, umem_handle heap, uint64_t size, umem_memory **memory);

/* The block's handle, for the other functions. Stale once it is freed. */
UMEM_API umem_handle umem_memory_block(const umem_memory *memory);

/* How many bytes it has. */
UMEM_API uint64_t umem_memory_size(const umem_memory *memory);

/* Reads and writes the byte at `index`. UMEM_E_OUT_OF_RANGE; UMEM_E_STALE_HANDLE once it is freed. */
UMEM_API int umem_memory_get(const umem_memory *memory, uint64_t index, uint8_t *value);
UMEM_API int umem_memory_set(umem_memory *memory, uint64_t index, uint8_t value);

/* Writes `size` bytes at `offset`, as umem_block_write(). */
UMEM_API int umem_memory_write_bytes(umem_memory *memory, uint64_t offset, const void *bytes, size_t size);

/* Copies the first `size` bytes of `source` to the start of `target`, within the daemon. Both are of the same
 * daemon; the target's client is used, and has the last error. */
UMEM_API int umem_memory_copy(umem_memory *target, const umem_memory *source, uint64_t size);

/* Frees the block now. The object stays, to be disposed of; disposing then frees nothing more. */
UMEM_API int umem_memory_free(umem_memory *memory);

/* Whether umem_memory_dispose() frees the block: true until it is set. With false the block lives on in the
 * daemon. */
UMEM_API bool umem_memory_is_free_on_dispose(const umem_memory *memory);
UMEM_API void umem_memory_set_free_on_dispose(umem_memory *memory, bool free_on_dispose);

/* Ends the object, and frees its block where it is to be freed and has not been. What it returns is what
 * freeing gave; the object is gone in any case. NULL is fine. */
UMEM_API int umem_memory_dispose(umem_memory *memory);

#ifdef __cplusplus
}
#endif

#endif
