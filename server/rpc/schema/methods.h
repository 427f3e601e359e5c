/*
 * The descriptors of all methods, and the members that several of them answer with.
 *
 * Owns: nothing; each descriptor stands beside its handler in methods_*.c. Must not know: how calls arrive.
 */
#ifndef UM_METHODS_H
#define UM_METHODS_H

#include "rpc/schema/method.h"

/* X(symbol): in the order of protocol.md. */
#define UM_METHODS(X) \
    X(rpc_discover) \
    X(rpc_cancel) \
    X(server_ping) \
    X(server_info) \
    X(server_stats) \
    X(server_shutdown) \
    X(heap_process) \
    X(heap_create) \
    X(heap_list) \
    X(heap_info) \
    X(heap_validate) \
    X(heap_compact) \
    X(heap_lock) \
    X(heap_unlock) \
    X(heap_destroy) \
    X(block_alloc) \
    X(block_resize) \
    X(block_info) \
    X(block_list) \
    X(block_at) \
    X(block_change) \
    X(block_read) \
    X(block_write) \
    X(block_get) \
    X(block_set) \
    X(block_fill) \
    X(block_copy) \
    X(block_compare) \
    X(block_find) \
    X(block_add) \
    X(block_exchange) \
    X(block_wait) \
    X(block_hold) \
    X(block_release) \
    X(block_map) \
    X(block_wake) \
    X(block_free) \
    X(session_info) \
    X(session_list) \
    X(session_watch) \
    X(session_unwatch) \
    X(session_close)

#define UM_METHOD_DECLARE(symbol) extern const struct um_method um_method_##symbol;
UM_METHODS(UM_METHOD_DECLARE)
#undef UM_METHOD_DECLARE

/* Words of choices and flags. */
extern const struct um_word um_encoding_words[];
extern const struct um_word um_text_encoding_words[];
extern const struct um_word um_flag_words[];
extern const struct um_word um_lifetime_words[];

/* What one listing looks at: a page may be short where little fits, but it never takes long. */
enum {
    UM_LIST_BUDGET = 4096, /* slots of heaps or blocks */
    UM_LIST_COST =
        64 *
        1024, /* bytes of blocks that a page counts for in a batch and in a turn, that it looks for entries */
    UM_LISTED_COST = 2048 /* and each entry that it finds */
};

/* What else counts as bytes of blocks that are touched, as it takes as long. */
enum {
    UM_SHARED_HEAP_COST = 64 * 1024, /* making a shared heap */
    UM_REPORT_COST = 16 * 1024,      /* an answer of some fifty numbers */
    UM_DISCOVER_COST = 512 * 1024,   /* the OpenRPC document */
    UM_SESSION_COST = 256,           /* looking at one session */
    UM_HOLD_COST = 512               /* ending one hold */
};

#define UM_PAGE_DETAIL \
    "A page may hold fewer entries than `limit`, even none: only a `next` of null is the end. What comes " \
    "or goes while one " \
    "turns pages may be seen or not."
#define UM_ENCODING_DOC "How data is written"
#define UM_PAGE_PARAMS \
    {.name = "after", \
     .type = UM_UINT, \
     .doc = "Where to go on: `next` of the page before; 0 for the first page."}, \
    { \
        .name = "limit", .type = UM_UINT, .minimum = 1, .maximum = 1000, .fallback = 1000, \
        .doc = "Most entries in the answer." \
    }

#endif
