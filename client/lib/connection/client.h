/*
 * A client's connection and the calls over it.
 *
 * Owns: which thread reads from the connection and which writes to it. Must not know: methods and their results (requests.c does), framing
 * (channel.c does).
 *
 * How a call is made: um_request_*() of requests.h, then um_client_call(); or um_client_send() and um_client_wait() for several at a time.
 */
#ifndef UM_CLIENT_H
#define UM_CLIENT_H

#include "lib/connection/shared_client.h"

enum {
    UM_MESSAGE_MINIMUM = 1024, /* bytes of a message that every daemon takes, however its limits are set */
    UM_PAYLOAD_MINIMUM = 1024, /* and of a payload */
    UM_PIECE_MAXIMUM = 1 << 20 /* bytes that large data are cut into: what the daemon does at one go */
};

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

/* ---- within the lock ---- */

/* Connects anew after a connection was lost, or waits for another thread that does. Returns UMEM_OK, or why there is no connection:
 * that goes for a client that has never been connected, too. */
int um_client_reconnect(umem_client *client, uint64_t deadline_ms);

/* Reads once; no other thread may be reading. UMEM_OK, UMEM_E_DEADLINE, or why the connection is gone. */
int um_client_read(umem_client *client, uint64_t deadline_ms);

#endif
