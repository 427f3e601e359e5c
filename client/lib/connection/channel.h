/*
 * What travels on one connection: requests that await their answers, and the answers as their bytes come in.
 *
 * Owns: the framing of what comes, the ids, and which request an answer belongs to. Must not know: sockets,
 * threads, which methods there are. It does no I/O: bytes are read to where um_channel_space() says, and
 * um_channel_received() makes answers of them. What the daemon sends is not trusted: nothing is allocated
 * from a length that it declares.
 *
 * Raw bytes are read straight to where their request wants them. A request is linked to the channel from um_channel_add() until it is
 * done: `on_done` is called for it then.
 */
#ifndef UM_CHANNEL_H
#define UM_CHANNEL_H

#include "lib/answer/event_queue.h"
#include "lib/request/request.h"
#include "wire/frame.h"

enum { UM_CHANNEL_SPACE = 1 << 16 /* bytes that are read at one time, where they go to no request */ };

struct um_channel {
    struct um_arena arena; /* what a message is read into */
    struct um_frame frame;
    char *space; /* UM_CHANNEL_SPACE bytes */
    struct um_request
        *first;              /* the requests that await their answers, in the order in which they were sent */
    struct um_request **end; /* where the next one is linked */
    struct um_request
        *receiving; /* whose answer has come while raw bytes of it have not; no longer among them */
    struct um_request *filling; /* the part of it whose raw bytes are next */
    uint64_t last_id;
    uint64_t withdrawn; /* how many requests were withdrawn, whose answers may still come */
    struct um_event_queue events;
    void (*on_done)(struct um_channel *channel, struct um_request *request);
    void *owner;
};

/* Makes one, whose answers have at most `answer_limit` bytes of JSON. UMEM_E_OUT_OF_MEMORY. */
int um_channel_init(struct um_channel *channel, size_t answer_limit);

/* Frees what it keeps. Nothing may be awaited. */
void um_channel_deinit(struct um_channel *channel);

/* Forgets what has come, for a new connection. Nothing may be awaited. */
void um_channel_reset(struct um_channel *channel);

/* Adds a request (or a batch with its parts) that is about to be sent and gives it its id. */
void um_channel_add(struct um_channel *channel, struct um_request *request);

/* Writes the message of a request that was added, but for its payloads, behind what `out` holds; *payload_size is what the payloads of
 * it and its parts have together. `failed` of `out` is set where memory ran out. */
void um_channel_write(const struct um_request *request, struct um_buf *out, uint64_t *payload_size);

/* The same for a notification, which has no id and is not answered. */
void um_channel_write_notification(const struct um_request *request, struct um_buf *out);

/* Withdraws a request: if it was sent, its answer is discarded when it comes. Returns false where it is coming already. */
bool um_channel_withdraw(struct um_channel *channel, struct um_request *request, bool was_sent);

/* Takes `first` and all that were added after it back, linked by `next`: nothing of them was sent. Returns false, and does nothing,
 * where `first` is not awaited any more. */
bool um_channel_take_back(struct um_channel *channel, struct um_request *first);

/* Where the next bytes go, *capacity of them at most. Good until um_channel_received(). */
char *um_channel_space(struct um_channel *channel, size_t *capacity);

/* Takes the `size` bytes that were read there. Returns UMEM_OK, or why nothing more can be understood: UMEM_E_BAD_ANSWER,
 * UMEM_E_TOO_LARGE, UMEM_E_OUT_OF_MEMORY, with the reason in words, a sentence without a full stop, in `why`. */
int um_channel_received(struct um_channel *channel, size_t size, char *why, size_t why_size);

/* Fails everything that is awaited. */
void um_channel_fail_all(struct um_channel *channel, int code, const char *text);

#endif
