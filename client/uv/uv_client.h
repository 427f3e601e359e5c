/*
 * What a umem_uv is, for uv_client.c and its tests.
 *
 * Owns: the connection's state, and the calls under way. Must not know: which methods there are.
 */
#ifndef UM_UV_CLIENT_H
#define UM_UV_CLIENT_H

#include "lib/api/pipeline.h"
#include "lib/connection/channel.h"
#include "lib/connection/mapped_heap.h"
#include "lib/connection/transport.h"
#include "umem_uv.h"
#include "wire/endpoint.h"

enum um_uv_state {
    UM_UV_IDLE,       /* no connection */
    UM_UV_CONNECTING, /* the thread pool does it */
    UM_UV_OPEN,
    UM_UV_ENDING /* the pipe is being closed */
};

/* One call under way. It has ended when its answer has come (or never will) and its bytes are written. */
struct um_uv_call {
    struct um_request request;
    struct um_uv_call *next; /* of those that have ended */
    umem_uv *client;
    umem_uv_done *done; /* NULL: none */
    void *context;
    uint64_t deadline_ms; /* of clock_ms(); UM_NO_DEADLINE */
    uv_write_t write;
    struct um_uv_call *next_unwritten;
    struct um_buf out;             /* its message, without raw bytes that lie elsewhere */
    uint64_t written;              /* bytes of `out` and of the payload behind it that libuv was given */
    size_t writing_size;           /* bytes that `write` has under way; 0: it is free */
    struct um_event_watch *watch;  /* that it requests; the events' own once it has succeeded */
    struct um_uv_mapping *mapping; /* of umem_uv_map(); NULL: another call */
    bool is_writing;               /* not all of it is written */
    bool is_answered;
};

/* Where the results are written when the answer has come. */
struct um_uv_mapping {
    struct um_block_location location; /* as the daemon says */
    void **bytes;
    uint64_t *size; /* NULL: not wanted */
};

struct umem_uv {
    struct umem_calls calls; /* what umem_uv_call() gives out */
    uv_loop_t *loop;
    uv_pipe_t pipe;
    uv_work_t work;
    uv_timer_t timer;    /* for the deadlines of calls; does not keep the loop going */
    uint64_t due_ms;     /* when it comes; UM_NO_DEADLINE: it is not set */
    uint32_t timeout_ms; /* for one call; 0: none */
    enum um_uv_state state;
    bool is_closing; /* by umem_uv_close() */
    bool is_busy;    /* callbacks are being called */
    char path[UM_ENDPOINT_CAPACITY];
    char server_user[UM_PRINCIPAL_NAME_SIZE]; /* whose daemon may listen there, too; "": nobody else's */
    const char *path_fault; /* static: why one of these cannot be what it is; NULL: they can */
    struct um_channel channel;
    umem_uv_done *next_done; /* for the next call */
    void *next_context;
    struct um_uv_call *unwritten; /* that libuv was not given all of, the oldest first */
    struct um_uv_call **unwritten_end;
    size_t writing_size;         /* bytes that libuv has under way */
    struct um_uv_call *finished; /* whose callbacks are due, the oldest first */
    struct um_uv_call **finished_end;
    struct um_transport *transport; /* UM_UV_CONNECTING: what the thread pool has made */
    struct um_reason reason;        /* why it could not */
    int connect_code;
    uint64_t connect_deadline_ms; /* UM_NO_DEADLINE: there is none */
    umem_uv_done *connected;
    void *connected_context;
    umem_uv_closed *closed;
    void *closed_context;
    struct um_mapped_heap *mapped; /* shared heaps that are mapped */
    struct um_failure failure;     /* umem_uv_last_error() */
    struct umem_failure seen;
};

#endif
