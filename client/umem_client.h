/*
 * The client library of umemd: memory that lives in a daemon, used from C or C++.
 *
 * Owns: the connection to one daemon for each umem_client. Must not know: libuv, JSON libraries, anything global. Two
 * clients share nothing, so each thread may have its own; one client is used by one thread at a time.
 *
 *     umem_client *client = umem_client_new(NULL);
 *     umem_handle block;
 *
 *     if (umem_connect(client) != UMEM_OK || umem_block_alloc(client, 4, NULL, &block) != UMEM_OK)
 *         fprintf(stderr, "%s\n", umem_last_error(client)->message);
 *     umem_client_free(client);
 *
 * Names follow the protocol: the method block.read is umem_block_read(). Every function that can fail returns UMEM_OK (0)
 * or a negative code of umem_errors.h, leaves its outputs as they were when it fails (unless it says otherwise), and
 * leaves the whole story in umem_last_error(). Beside the errors that a function names, every call to the daemon may
 * give these:
 *
 *   Nothing was sent, and the client goes on working:
 *     UMEM_E_BAD_ARGUMENT   an argument that no daemon would take: the handle 0, a size or offset past UMEM_SIZE_MAX
 *     UMEM_E_TOO_LARGE      the request passes the daemon's message limit
 *     UMEM_E_OUT_OF_MEMORY  this program's memory is used up
 *   The daemon answered, changed nothing, and the client goes on working:
 *     any other code from -32768 to -32000, and UMEM_E_CANCELLED
 *   The connection is gone. Whether the daemon did what was asked is not known. Every later call gives the same error
 *   until umem_connect() is called anew; handles stay good as long as the daemon lives:
 *     UMEM_E_NOT_CONNECTED, UMEM_E_NOT_TRUSTED, UMEM_E_CONNECTION_LOST, UMEM_E_DEADLINE
 *     UMEM_E_BAD_ANSWER     what came is not an answer to what was asked
 *   UMEM_E_TOO_LARGE and UMEM_E_OUT_OF_MEMORY also end the connection where they concern the answer, of which a part has
 *   come by then. umem_is_connected() tells.
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

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the client ---- */

typedef struct umem_client umem_client;

/* A heap or a block, from 1 to 2^53 - 1. 0 is never one; where a heap is asked for, it stands for the process heap. */
typedef uint64_t umem_handle;

/* The default heap: the daemon's process heap. */
#define UMEM_PROCESS_HEAP ((umem_handle)0)

/* The largest size or offset that the protocol carries: 2^53 - 1. */
#define UMEM_SIZE_MAX UINT64_C(9007199254740991)

/* In place of a size: from the offset to the end of the block. */
#define UMEM_TO_END UINT64_MAX

/* Bytes that hold any name of a heap or a block, its end counted. */
#define UMEM_NAME_SIZE 256

/* How to connect. Set all members to 0 (`= {0}`) and then those that matter: members may be added. */
struct umem_options {
    const char *pipe;    /* where the daemon listens; NULL: the default, see umem_default_pipe(). Copied. */
    uint32_t timeout_ms; /* milliseconds that one call, or one page of a list, may take; 0: no end */
    size_t answer_bytes_max; /* the longest answer that is accepted, in bytes; 0: 64 MiB */
};

/* Makes a client that is not connected yet. NULL options: all defaults. Returns NULL where memory runs out; every function
 * takes that for a client and gives UMEM_E_OUT_OF_MEMORY, so that umem_connect() is the first result to look at. The
 * caller frees it with umem_client_free(). */
UMEM_API umem_client *umem_client_new(const struct umem_options *options);

/* Closes the connection and frees the client. Blocks and heaps of lifetime server stay in the daemon. NULL is fine. */
UMEM_API void umem_client_free(umem_client *client);

/* Connects, and sees to it that the daemon is run by this user (or by root, or SYSTEM) before anything is sent. A
 * connection that is open is closed first; so this is also how to go on after one was lost. UMEM_E_NOT_CONNECTED: nobody
 * listens there. UMEM_E_NOT_TRUSTED: somebody else does. UMEM_E_DEADLINE: all of the pipe's places stayed taken.
 * UMEM_E_BAD_ARGUMENT: the pipe's name cannot be one, or none is set and there is no default. */
UMEM_API int umem_connect(umem_client *client);

/* Whether the connection is open, as far as is known without a call. */
UMEM_API bool umem_is_connected(const umem_client *client);

/* Changes how long one call may take, in milliseconds; 0: no end. Good from the next call on. */
UMEM_API void umem_set_timeout(umem_client *client, uint32_t timeout_ms);

/* The pipe that this client uses. The client's; good until it is freed. "" where none could be told. */
UMEM_API const char *umem_pipe(const umem_client *client);

/* Writes the name of the pipe that is used where none is given (the environment's UMEM_PIPE, else the user's own) to
 * `pipe`, which has room for `size` bytes. UMEM_E_BAD_ARGUMENT: there is none, or it does not fit. */
UMEM_API int umem_default_pipe(char *pipe, size_t size);

/* ---- errors ---- */

/* What is known of a failure. Texts are the client's, and good until its next call. */
struct umem_failure {
    int code;            /* UMEM_OK: the last call succeeded */
    const char *name;    /* stable, for programs: "stale_handle"; "" after a success */
    const char *message; /* a sentence for people, without a full stop; "" after a success */
    const char *data;    /* the daemon's facts, a JSON object as text; "{}" where there are none */
};

/* The last call's failure. Never NULL. */
UMEM_API const struct umem_failure *umem_last_error(const umem_client *client);

/* One of the daemon's facts as an integer: "block", "size", "offset", "limit"... Returns false and leaves *value where the
 * last failure has no such integer. */
UMEM_API bool umem_error_integer(const umem_client *client, const char *member, int64_t *value);

/* ---- any method ---- */

/* Calls a method by its name. `params_json` is a JSON object or array as text, NULL for none. *result_json (NULL: not
 * wanted) is the result as JSON text, which the caller frees with umem_free_text(). UMEM_E_BAD_ARGUMENT: params_json is not
 * JSON, or the method's name is not UTF-8. */
UMEM_API int umem_call(umem_client *client, const char *method, const char *params_json, char **result_json);

/* Frees a text that the library gave. NULL is fine. */
UMEM_API void umem_free_text(char *text);

/* The last answer's result as JSON text: what the daemon said beside what a function hands out. "null" after a failure or
 * a list. It is the client's and good until its next call. A call that takes several round trips leaves the last one's. */
UMEM_API const char *umem_last_result(const umem_client *client);

/* ---- the daemon ---- */

/* One of the daemon's limits. */
struct umem_limit {
    const char *name; /* "message_bytes" */
    uint64_t value;   /* inclusive */
};

/* What the daemon tells of itself. Numbers that it does not tell are 0, texts "". */
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

/* The daemon's counters. Those that it does not tell are 0. */
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
};

/* The description of every method, an OpenRPC document as JSON text. The caller frees it with umem_free_text(). */
UMEM_API int umem_rpc_discover(umem_client *client, char **document_json);

/* Asks whether the daemon is alive. */
UMEM_API int umem_server_ping(umem_client *client);

/* What the daemon tells of itself. The caller frees it with umem_free_server_info(). */
UMEM_API int umem_server_info(umem_client *client, struct umem_server_info **info);

/* Frees it and all its texts. NULL is fine. */
UMEM_API void umem_free_server_info(struct umem_server_info *info);

UMEM_API int umem_server_stats(umem_client *client, struct umem_server_stats *stats);

/* Asks the daemon to end in order. All its blocks are gone then. UMEM_OK: it has begun to. */
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
    UMEM_LIFETIME_SERVER, /* until it is freed, or the daemon ends */
    UMEM_LIFETIME_SESSION /* as long as the client that made it stays connected, at most */
};

/* Win32's heap flags, without HEAP_. Bits of the library's own, combined with |. New memory is zero with or without
 * UMEM_FLAG_ZERO_MEMORY; UMEM_FLAG_CREATE_ENABLE_EXECUTE is always UMEM_E_DENIED. */
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
};

/* Whose something is. */
struct umem_owner {
    uint64_t session; /* number of the session that made it; 0: the daemon itself */
    int64_t pid;      /* that client's process id; 0: not known */
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
};

/* Called for each heap of a list. `heap` is good during the call, which may itself use the client. Returning anything but 0
 * ends the list: umem_heap_list() then returns that value. */
typedef int umem_heap_visitor(const struct umem_heap_info *heap, void *context);

/* The handle of the process heap (GetProcessHeap). */
UMEM_API int umem_heap_process(umem_client *client, umem_handle *heap);

/* Creates a heap (HeapCreate). NULL options: all defaults. UMEM_E_NAME_TAKEN, UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED,
 * UMEM_E_DENIED, UMEM_E_INVALID_PARAMS (a name that cannot be one, an initial size past the maximum). */
UMEM_API int umem_heap_create(umem_client *client, const struct umem_heap_options *options,
                              umem_handle *heap);

/* Calls `visitor` for each heap. The list is fetched in pages: heaps that come or go meanwhile may be seen or not. */
UMEM_API int umem_heap_list(umem_client *client, umem_heap_visitor *visitor, void *context);

/* UMEM_E_UNKNOWN_HANDLE, UMEM_E_STALE_HANDLE. */
UMEM_API int umem_heap_info(umem_client *client, umem_handle heap, struct umem_heap_info *info);

/* The heap that bears a name; "process" is the process heap. UMEM_E_UNKNOWN_HANDLE: none does. */
UMEM_API int umem_heap_find(umem_client *client, const char *name, umem_handle *heap);

/* Destroys a heap and frees all its blocks (HeapDestroy). *blocks and *bytes (NULL: not wanted) tell how many.
 * UMEM_E_UNKNOWN_HANDLE, UMEM_E_STALE_HANDLE, UMEM_E_LOCKED, UMEM_E_DENIED (the process heap). */
UMEM_API int umem_heap_destroy(umem_client *client, umem_handle heap, uint64_t *blocks, uint64_t *bytes);

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
    uint64_t address; /* in the daemon: it tells blocks apart, and is no pointer here */
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

/* Called for each block of a list. `block` is good during the call, which may itself use the client. Returning anything but
 * 0 ends the list: umem_block_list() then returns that value. */
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

/* Allocates `size` bytes, all zero (HeapAlloc). A block of 0 bytes is a block too. NULL options: all defaults.
 * UMEM_E_NO_MEMORY, UMEM_E_LIMIT_EXCEEDED, UMEM_E_NAME_TAKEN, UMEM_E_LOCKED, and for the heap UMEM_E_UNKNOWN_HANDLE,
 * UMEM_E_STALE_HANDLE. */
UMEM_API int umem_block_alloc(umem_client *client, uint64_t size, const struct umem_block_options *options,
                              umem_handle *block);

/* UMEM_E_UNKNOWN_HANDLE (never given out, or a heap's), UMEM_E_STALE_HANDLE (freed): so do all that take a block. */
UMEM_API int umem_block_info(umem_client *client, umem_handle block, struct umem_block_info *info);

/* The block that bears a name. UMEM_E_UNKNOWN_HANDLE: none does. */
UMEM_API int umem_block_find(umem_client *client, const char *name, umem_handle *block);

/* Calls `visitor` for each block that fits; NULL filter: for all. The list is fetched in pages: blocks that come or go
 * meanwhile may be seen or not. */
UMEM_API int umem_block_list(umem_client *client, const struct umem_block_filter *filter,
                             umem_block_visitor *visitor, void *context);

/* Reads `size` bytes from `offset` on into `bytes`. UMEM_E_OUT_OF_RANGE. More than about 1 MiB travels in pieces: another
 * client may write between two of them, and a failure leaves `bytes` partly filled. */
UMEM_API int umem_block_read(umem_client *client, umem_handle block, uint64_t offset, void *bytes,
                             size_t size);

/* Writes `size` bytes at `offset`. UMEM_E_OUT_OF_RANGE: nothing was written. More than about 1 MiB travels in pieces:
 * another client may read between two of them, and only a lost connection or a block freed meanwhile can leave a part. */
UMEM_API int umem_block_write(umem_client *client, umem_handle block, uint64_t offset, const void *bytes,
                              size_t size);

/* Copies within the daemon (CopyMemory); the two may be one block and overlap. `size` may be UMEM_TO_END: to the end of
 * the source. UMEM_E_OUT_OF_RANGE: nothing was copied. */
UMEM_API int umem_block_copy(umem_client *client, umem_handle source, uint64_t source_offset,
                             umem_handle target, uint64_t target_offset, uint64_t size);

/* Reads `count` numbers from `offset` (bytes; any, aligned or not) on into the array `values` of that C type.
 * UMEM_E_OUT_OF_RANGE. Many travel in pieces, as with umem_block_read(). */
UMEM_API int umem_block_get(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                            void *values, size_t count);

/* Writes `count` numbers at `offset` (bytes) from the array `values` of that C type. UMEM_E_OUT_OF_RANGE. Many travel in
 * pieces, as with umem_block_write(). */
UMEM_API int umem_block_set(umem_client *client, umem_handle block, uint64_t offset, enum umem_type type,
                            const void *values, size_t count);

/* Frees a block (HeapFree): its handle is stale from then on. UMEM_E_LOCKED. */
UMEM_API int umem_block_free(umem_client *client, umem_handle block);

/* Bytes that a value of this type takes; 0 for what is no type. */
UMEM_API size_t umem_type_size(enum umem_type type);

/* ---- a block as an object ---- */

/* A block together with its client, to be indexed like an array, and freed with the object. */
typedef struct umem_memory umem_memory;

/* Allocates `size` zero bytes on a heap (UMEM_PROCESS_HEAP: the daemon's) and makes an object of them. The object keeps
 * the pointer to the client, which must live longer. The caller ends it with umem_memory_dispose(). Errors as
 * umem_block_alloc(). */
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

/* Copies the first `size` bytes of `source` to the start of `target`, within the daemon. Both are of the same daemon; the
 * target's client is used, and has the last error. */
UMEM_API int umem_memory_copy(umem_memory *target, const umem_memory *source, uint64_t size);

/* Frees the block now. The object stays, to be disposed of; disposing then frees nothing more. */
UMEM_API int umem_memory_free(umem_memory *memory);

/* Whether umem_memory_dispose() frees the block: true until it is set. With false the block lives on in the daemon. */
UMEM_API bool umem_memory_is_free_on_dispose(const umem_memory *memory);
UMEM_API void umem_memory_set_free_on_dispose(umem_memory *memory, bool free_on_dispose);

/* Ends the object, and frees its block where it is to be freed and has not been. What it returns is what freeing gave; the
 * object is gone in any case. NULL is fine. */
UMEM_API int umem_memory_dispose(umem_memory *memory);

#ifdef __cplusplus
}
#endif

#endif
