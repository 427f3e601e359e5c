/*
 * Requests that are written as an earlier one was: their JSON is compared rather than read, and what of the earlier one depends on its
 * shape only is known: its method, and which value each parameter has.
 *
 * Owns: a few shapes, which all sessions share. Must not know: what the requests do. A request that is not known is read and checked in
 * full, and so is each that a shape is made of; the answers are the same.
 */
#ifndef UM_KNOWN_REQUEST_H
#define UM_KNOWN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "rpc/call/args.h"
#include "rpc/call/call.h"
#include "rpc/schema/method.h"
#include "wire/json_shape.h"

struct um_known_request {
    struct um_json_shape shape;
    const struct um_json *request; /* the values of the last text, in `shape` */
    const struct um_json *id;      /* of it; NULL: it has none */
    const struct um_json *params;  /* likewise */
    enum um_id_kind no_id;         /* what a request without id has in its place */
    const struct um_method *method;
    struct um_args_match match; /* of its values with the method's parameters */
    struct um_args args;        /* those that are left out; all others are those of the last text */
};

struct um_known_requests;

/* NULL: no memory. */
struct um_known_requests *um_known_requests_new(void);

/* NULL is fine. */
void um_known_requests_free(struct um_known_requests *known);

/* The known request that the text has the shape of, with the text's values, which are good until the next call; its strings lie in the
 * text. NULL: there is none, and the text is as it was. *last is the caller's, 0 at first: where it was found the last time. */
struct um_known_request *um_known_requests_find(struct um_known_requests *known, unsigned char *last,
                                                char *text, size_t size);

/* After a text that was not found, before it is read: keeps it for um_known_requests_learn(). Returns whether that is to be called; not
 * each such text is worth it. */
bool um_known_requests_keep(struct um_known_requests *known, const char *text, size_t size);

/* Makes the text known, which was read to `json` and is all of the message, if it is a request without mistakes but in its values. */
void um_known_requests_learn(struct um_known_requests *known, const char *text, size_t size,
                             const struct um_json *json);

#endif
