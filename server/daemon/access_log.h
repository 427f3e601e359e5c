/*
 * What the log has of calls and sessions.
 *
 * Owns: the form of these lines. Must not know: when they are wanted. What blocks hold is never in them.
 */
#ifndef UM_ACCESS_LOG_H
#define UM_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/log.h"
#include "net/listener/identity.h"
#include "rpc/call/call_record.h"

/* Logs a call that was answered; a slow one as a warning. */
void um_access_log_call(struct um_log *log, const struct um_call_record *record, bool is_slow);

/* Logs that a session was opened by this client, or (NULL) closed. */
void um_access_log_session(struct um_log *log, uint64_t session, const struct um_identity *client);

#endif
