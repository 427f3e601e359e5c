/*
 * What a umem_client is, for the files of the library: a connection that threads share.
 *
 * Owns: the connection, and which thread reads from it and which writes to it. Must not know: methods and their results (requests.c does), framing
 * (channel.c does).
 *
 * How threads share it: a request is written by the thread that makes it, one at a time (`is_writing`).
 * Answers are read by one of the threads that wait for theirs (`is_reading`); it hands the others theirs, and
 * when it has its own, the next one reads. A thread that cannot write because the daemon takes nothing reads
 * meanwhile, if no other thread does: so the two sides never both wait for the other. The lock is never held
 * while the system is called for the connection.
 *
 * How a call is made: um_request_*() of requests.h, then um_client_call(); or um_client_send() and um_client_wait() for several at a time.
 */
#ifndef UM_CLIENT_H
#define UM_CLIENT_H

#include "lib/connection/channel.h"
#include "lib/connection/mapped_heap.h"
#include "lib/connection/mutex.h"
#include "lib/connection/transport.h"
#include "lib/request/request.h"
#include "wire/endpoint.h"

enum {
    UM_MESSAGE_MINIMUM = 1024, /* bytes of a message that every daemon takes, however its limits are set */
    UM_PAYLOAD_MINIMUM = 1024, /* and of a payload */
    UM_PIECE_MAXIMUM = 1 << 20 /* bytes that large data are cut into: what the daemon does at one go */
};

/* A thread that waits for something at a client. */
struct um_waiter {
    struct um_waiter *next;
    struct um_condition *condition;
    bool wants_to_write;
    bool wants_events; /* it is in umem_poll() */
};

struct umem_client {
    char pipe[UM_ENDPOINT_CAPACITY]; /* where the daemon listens */
    const char *pipe_fault;          /* static: why `pipe` cannot be one; NULL: it can */
    struct um_mutex *lock;           /* guards what follows */
    uint32_t timeout_ms;             /* for one call; 0: none */
    struct um_transport
        *transport;  /* NULL: not connected; used, without the lock, by the threads that read and write */
    bool is_reading; /* a thread reads */
    bool is_writing; /* a thread writes */
    int broken;      /* why there is no connection; UMEM_OK: there is one */
    char broken_text[512];         /* the same in words */
    uint64_t message_limit;        /* bytes in one message, as the daemon says; 0: not known yet */
    uint64_t payload_limit;        /* bytes in one payload, likewise */
    struct um_channel channel;     /* what comes is fed to it by the thread that reads */
    struct um_buf out;             /* what is being written; of the thread that writes */
    struct um_waiter *waiters;     /* threads that wait */
    struct um_waiter *spare;       /* for those that will */
    struct um_mapped_heap *mapped; /* shared heaps that are mapped: mapped_heap.c */
};

/* When a call that begins now must have ended; `wait_ms` is how long the daemon may let it wait beside. */
uint64_t um_client_deadline(umem_client *client, uint64_t wait_ms);

/* Makes a call: sends it, waits for its answer, makes what failed the thread's last error, frees it. Returns its code. NULL is a
 * client for it too. */
int um_client_call(umem_client *client, struct um_request *request);

/* The end of it: makes what failed the thread's last error and frees the request. Returns its code. */
int um_client_report(umem_client *client, struct um_request *request);

/* How many bytes of `size` to move at one time, a multiple of 8. Fetches the daemon's limits where that matters; *code is what that gave. */
size_t um_client_piece_size(umem_client *client, size_t size, int *code);

/* Sees to it that the request fits the daemon's limits, which may mean to fetch them. Notes in it where it does not. */
int um_client_check_limits(umem_client *client, struct um_request *request);

/* Sends a list of requests, linked by `next`. Those that cannot be sent are done with a failure. Each must be awaited. */
void um_client_send(umem_client *client, struct um_request *requests, uint64_t deadline_ms);

/* Waits until a request that was sent is done; gives it up at the deadline. */
void um_client_wait(umem_client *client, struct um_request *request, uint64_t deadline_ms);

/* Withdraws a request that was sent: its answer is discarded. Returns when it is done. */
void um_client_withdraw(umem_client *client, struct um_request *request);

/* ---- within the lock: client.c and client_call.c ---- */

/* Ends the connection for all threads. The first reason counts. */
void um_client_break(umem_client *client, int code, const char *text);

/* Closes a connection that was ended, once no thread uses it. */
void um_client_close_if_unused(umem_client *client);

/* Waits for a change: another thread's end of reading or writing, `request` being done, an event. Returns false at the deadline. */
bool um_client_wait_for_change(umem_client *client, struct um_waiter how, struct um_request *request,
                               uint64_t deadline_ms);

/* For the channel: a request is done. */
void um_client_on_done(struct um_channel *channel, struct um_request *request);

/* Wakes the threads that can continue. */
void um_client_wake_next(umem_client *client);

/* Reads once; no other thread may be reading. UMEM_OK, UMEM_E_DEADLINE, or why the connection is gone. */
int um_client_read(umem_client *client, uint64_t deadline_ms);

#endif
