#include "rpc/schema/notification.h"

#define WATCH_MEMBER \
    { \
        .name = "watch", .type = UM_WATCH, .doc = "The watch that this notification is for." \
    }

static const struct um_member changed_params[] = {
    WATCH_MEMBER,
    {.name = "block", .type = UM_BLOCK, .doc = "The block."},
    {.name = "offset", .type = UM_OFFSET, .unit = "bytes", .doc = "Where the changed bytes begin."},
    {.name = "size",
     .type = UM_SIZE,
     .unit = "bytes",
     .doc = "How many bytes, at most, were changed; it may cover several changes."},
    {.name = NULL},
};

const struct um_notification um_notification_block_changed = {
    .name = "block.changed",
    .summary = "Bytes of a block were written, or its size changed.",
    .params = changed_params,
};

static const struct um_member freed_params[] = {
    WATCH_MEMBER,
    {.name = "block", .type = UM_BLOCK, .doc = "The block, whose handle is stale now."},
    {.name = NULL},
};

const struct um_notification um_notification_block_freed = {
    .name = "block.freed",
    .summary = "A block was freed.",
    .params = freed_params,
};

static const struct um_member destroyed_params[] = {
    WATCH_MEMBER,
    {.name = "heap",
     .type = UM_HEAP,
     .doc = "The heap, whose handle is stale now, as are those of its blocks."},
    {.name = NULL},
};

const struct um_notification um_notification_heap_destroyed = {
    .name = "heap.destroyed",
    .summary = "A heap was destroyed, and its blocks with it.",
    .params = destroyed_params,
};

static const struct um_member overflow_params[] = {
    WATCH_MEMBER,
    {.name = NULL},
};

const struct um_notification um_notification_watch_overflow = {
    .name = "watch.overflow",
    .summary = "More happened than is reported one by one: read everything again.",
    .params = overflow_params,
};

static const struct um_notification *const notifications[] = {
    &um_notification_block_changed,
    &um_notification_block_freed,
    &um_notification_heap_destroyed,
    &um_notification_watch_overflow,
};

const struct um_notification *um_notification_at(size_t index)
{
    return index < sizeof notifications / sizeof notifications[0] ? notifications[index] : NULL;
}
