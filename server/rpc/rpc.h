/*
 * The protocol's engine: messages in, answers out, without sockets.
 *
 * Owns: sessions (one a connected client), the request that each is at, and the raw bytes that belong to it. Must not know: libuv, pipes, how bytes travel.
 *
 * The caller that moves the bytes (server/net, a test, a fuzzer) makes an um_rpc, opens a session for each connection, feeds it whole
 * messages, and sends what it finds in session->out. One thread uses it all.
 */
#ifndef UM_RPC_H
#define UM_RPC_H

#include "rpc/call/session.h"
#include "rpc/engine/dispatch.h"
#include "rpc/engine/payload.h"
#include "rpc/events/watch.h"
#include "store/store.h"

/* Makes the engine. UMEM_E_NO_MEMORY. */
int um_rpc_new(const struct um_rpc_options *options, struct um_rpc **rpc);

/* Ends the engine. All sessions must be closed. NULL is fine. */
void um_rpc_free(struct um_rpc *rpc);

/* Tells the time: seconds since 1970-01-01 UTC, and milliseconds on a clock that only goes forward. Call it at the start of
 * each turn. */
void um_rpc_set_time(struct um_rpc *rpc, int64_t unix_seconds, uint64_t now_ms);

/* From now on, events.call_ended is called for each call, or it is no more. Calls that end without an answer,
 * because their session ends, are not recorded. */
void um_rpc_record_calls(struct um_rpc *rpc, bool are_recorded);

/* Tells of bytes that just came, messages and parts of them, and will be handed to the engine soon. A hint, so that what they
 * are about is fetched in advance; it may be left out. */
void um_rpc_prefetch(const struct um_rpc *rpc, const char *text, size_t size);

/* Does a slice (at most a few milliseconds) of calls and messages that take long and of the store's reclaiming, of the latter as much as the
 * clients have touched since the last turn's end: memory that is freed is returned as fast as other memory is allocated. Returns whether
 * more is left; call it once a turn while it does. */
bool um_rpc_work(struct um_rpc *rpc);

/* Has the store write what was changed of durable heaps (um_store_commit()): before answers are sent while
 * um_store_status.is_uncommitted. Where um_store_status.failures has grown, um_session_fail_changes() comes next. */
void um_rpc_commit(struct um_rpc *rpc);

/* As um_store_want_sync() and um_store_is_synced(). */
uint64_t um_rpc_want_sync(struct um_rpc *rpc);
bool um_rpc_is_synced(const struct um_rpc *rpc, uint64_t number);

/* Call it when a sync has ended (um_store_sync_end()), or um_store_sync_begin() has begun none: answers the calls that waited for that. */
void um_rpc_synced(struct um_rpc *rpc);

/* What comes next is no call: answers are sent, another client is served, or the loop waits. The time of calls is not measured until
 * there is another message. */
void um_rpc_end_step(struct um_rpc *rpc);

/* Call it at the end of each turn. */
void um_rpc_end_turn(struct um_rpc *rpc);

/* When the first call that waits runs out of time, on the clock of um_rpc_set_time(); UINT64_MAX: none does. It may change in
 * every turn. */
uint64_t um_rpc_next_deadline(const struct um_rpc *rpc);

/* When free memory is to be looked at, likewise; UINT64_MAX: there is none that could be returned to the system. */
uint64_t um_rpc_next_tick(const struct um_rpc *rpc);

/* Answers the calls whose time is up, and has memory returned to the system that has been free for a while. To be called when either
 * time has come. */
void um_rpc_expire(struct um_rpc *rpc);

/* Opens a session in the caller's storage. UMEM_E_NO_MEMORY; then nothing needs closing. */
int um_session_open(struct um_rpc *rpc, struct um_session *session, const struct um_session_options *options);

/* Closes it: its waiting calls, watches, locks, holds, session blocks and heaps end; no event is raised for it any more. */
void um_session_close(struct um_session *session);

#endif
