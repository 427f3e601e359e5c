/*
 * From one message to its requests: the text is read, and is one request or a batch of them; each is looked up in the table of methods,
 * its parameters are bound, and the method runs.
 *
 * Owns: the envelope of JSON-RPC 2.0 and its short form, the order and the limits of batches, long messages
 * while they are read. Must not know: the framing of requests, what methods do.
 */
#ifndef UM_DISPATCH_H
#define UM_DISPATCH_H

#include <stddef.h>
#include <stdint.h>

struct um_session;

/* Handles one message: `text` (size bytes, changed in place) is one JSON text as the framing delimited it,
 * followed on the wire by payload_size raw bytes, which may be session->payload_here. Answers are appended to session->out, framed. Only while
 * um_session_is_ready(). On a line other texts may stand behind the first one: returns how many bytes are
 * used up; those behind them are unchanged and are another message. One of more than UM_FRAME_LONG_SIZE bytes
 * is one text; its memory is taken over (session->text_here) or copied, it is read in steps by um_rpc_work(), and handled then. */
size_t um_dispatch_message(struct um_session *session, char *text, size_t size, uint64_t payload_size);

/* Answers a message that the framing refused: code UMEM_E_PARSE_ERROR or UMEM_E_TOO_LARGE, id null. `what` is a sentence
 * without a full stop. */
void um_dispatch_refuse(struct um_session *session, int code, const char *what);

/* Likewise, where it was a limit of the daemon's (a name of server_limits.h) that was passed: its facts come with the error, `used` and
 * `asked` where they are not 0. UMEM_E_TOO_LARGE, UMEM_E_TIMEOUT, UMEM_E_LIMIT_EXCEEDED. */
void um_dispatch_refuse_limit(struct um_session *session, int code, const char *what, const char *limit,
                              uint64_t used, uint64_t asked);

#endif
