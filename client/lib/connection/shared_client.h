/*
 * What a umem_client is: a connection that threads share. How they wait for each other, and how the connection ends for all of them.
 *
 * Owns: the list of threads that wait. Must not know: what is sent or read.
 *
 * How threads share it: a request is written by the thread that makes it, one at a time (`is_writing`).
 * Answers are read by one of the threads that wait for theirs (`is_reading`); it hands the others theirs, and
 * when it has its own, the next one reads. A thread that cannot write because the daemon takes nothing reads
 * meanwhile, if no other thread does: so the two sides never both wait for the other. The lock is never held
 * while the system is called for the connection.
 *
 * All but um_client_deadline() are called within the client's lock.
 */
#ifndef UM_SHARED_CLIENT_H
#define UM_SHARED_CLIENT_H

#include "lib/connection/channel.h"
#include "lib/connection/mapped_heap.h"
#include "lib/connection/mutex.h"
#include "lib/connection/transport.h"
#include "lib/request/request.h"
#include "wire/endpoint.h"

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
    bool never_spins;                /* an option */
    struct um_mutex *lock;           /* guards what follows */
    uint32_t timeout_ms;             /* for one call; 0: none */
    struct um_transport
        *transport;  /* NULL: not connected; used, without the lock, by the threads that read and write */
    bool is_reading; /* a thread reads */
    bool is_writing; /* a thread writes */
    uint32_t reconnect_ms;   /* how long a call tries to connect anew; 0: it does not. Never changes */
    bool was_connected;      /* there has been a connection */
    bool has_session_things; /* a lock, a hold, a watch or what has lifetime session was requested on it */
    bool
        watches_lost; /* it was replaced by another one while there were watches, and umem_poll() is to say so */
    size_t written;                /* bytes that the daemon has taken of what is being written */
    bool may_resend;               /* where that is none, it may be sent on another connection */
    int broken;                    /* why there is no connection; UMEM_OK: there is one */
    char broken_text[512];         /* the same in words */
    uint64_t message_limit;        /* bytes in one message, as the daemon says; 0: not known yet */
    uint64_t payload_limit;        /* bytes in one payload, likewise */
    struct um_channel channel;     /* what comes is fed to it by the thread that reads */
    struct um_buf out;             /* what is being written; of the thread that writes */
    struct um_waiter *waiters;     /* threads that wait */
    struct um_waiter *spare;       /* for those that will */
    struct um_mapped_heap *mapped; /* shared heaps that are mapped: mapped_heap.c */
};

/* Takes the lock. When a call that begins now must have ended; `wait_ms` is how long the daemon may let it wait beside. */
uint64_t um_client_deadline(umem_client *client, uint64_t wait_ms);

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

#endif
