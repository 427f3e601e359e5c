/*
 * The queue for a heap's lock.
 *
 * Owns: nothing; methods_lock.c keeps it. Must not know: who asks.
 */
#ifndef UM_LOCK_QUEUE_H
#define UM_LOCK_QUEUE_H

#include <stdbool.h>

#include "rpc/rpc.h"

/* Whether other sessions queue for the lock of a heap that this session has not locked itself. 0 is no heap. */
bool um_lock_queue_has_others(const struct um_session *session, um_handle heap);

#endif
