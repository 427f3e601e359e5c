/*
 * One round trip: a request written, its answer awaited.
 *
 * Owns: how messages lie on the wire (framing), and that an answer is its request's. Must not know: which methods there are.
 */
#ifndef UM_REQUEST_H
#define UM_REQUEST_H

#include "client.h"
#include "json_out.h"

enum {
    UM_MESSAGE_MINIMUM = 1024, /* bytes of a message that every daemon takes, however its limits are set */
    UM_MESSAGE_OVERHEAD = 256  /* bytes that are enough for all of a message but its data */
};

/* Begins a request with parameters by name and returns the buffer where they are written, with um_json_*. */
struct um_buf *um_request_begin(umem_client *client, const char *method);

/* Begins a request whose parameters the caller writes as one value, or leaves out. The method's name is any UTF-8. */
struct um_buf *um_request_begin_raw(umem_client *client, const char *method);

/* Ends the request, sends it and waits for its answer. UMEM_OK: client->answer.result is the result, good until the next
 * request; its text ends with a NUL. */
int um_request_end(umem_client *client);
int um_request_end_raw(umem_client *client);

/* A request without parameters. */
int um_request_simple(umem_client *client, const char *method);

/* Takes the last answer away from the client, so that it outlives the next request: the bytes that client->answer points to are
 * the caller's, who frees them with um_buf_deinit(). UMEM_E_OUT_OF_MEMORY: the connection is closed. */
int um_request_take_answer(umem_client *client, struct um_buf *taken);

/* Asks the daemon for its message limit, once a connection. Before um_request_begin() of what may pass UM_MESSAGE_MINIMUM. */
int um_request_learn_limits(umem_client *client);

/* How many bytes the data in one request or answer may take, by the daemon's limit and our own, about 1 MiB at most. */
size_t um_request_data_room(const umem_client *client);

/* Notes that the result is not what the method promises. */
int um_request_bad_result(umem_client *client, const char *member);

/* A member of the result as an integer; UMEM_E_BAD_ANSWER where it has none. */
int um_result_uint64(umem_client *client, const char *member, uint64_t *value);

#endif
