/*
 * What the daemon sends by itself: one const descriptor a notification, for sending, rpc.discover and protocol.md alike.
 *
 * Owns: the list. Must not know: which sessions get them, and when.
 */
#ifndef UM_NOTIFICATION_H
#define UM_NOTIFICATION_H

#include "rpc/schema/method.h"

struct um_notification {
    const char *name;
    const char *summary;
    const struct um_member *params; /* ends with a NULL name */
};

extern const struct um_notification um_notification_block_changed;
extern const struct um_notification um_notification_block_freed;
extern const struct um_notification um_notification_heap_destroyed;
extern const struct um_notification um_notification_watch_overflow;

/* The i-th, in the order of protocol.md, or NULL past the end. */
const struct um_notification *um_notification_at(size_t index);

#endif
