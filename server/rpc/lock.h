/*
 * The queue for a heap's lock.
 *
 * Owns: nothing; methods_lock.c keeps it. Must not know: who asks.
 */
#ifndef UM_LOCK_H
#define UM_LOCK_H

#include <stdbool.h>

#include "rpc.h"

/* Whether other sessions queue for the lock of a heap that this peer has not locked itself. 0 is no heap. */
bool um_lock_is_wanted(const struct um_peer *peer, um_handle heap);

#endif
