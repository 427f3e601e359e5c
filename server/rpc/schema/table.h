/*
 * The command table: every method there is, in the order of protocol.md.
 *
 * Owns: the list and the look-up by name. Each descriptor stands beside its handler, in methods/. Must not know: what is in a
 * descriptor but its name.
 */
#ifndef UM_TABLE_H
#define UM_TABLE_H

#include <stddef.h>

#include "rpc/schema/method.h"

/* X(symbol): in the order of protocol.md. */
#define UM_METHODS(X) \
    X(rpc_discover) \
    X(rpc_cancel) \
    X(server_ping) \
    X(server_info) \
    X(server_stats) \
    X(server_methods) \
    X(server_reload) \
    X(server_shutdown) \
    X(heap_process) \
    X(heap_create) \
    X(heap_list) \
    X(heap_info) \
    X(heap_validate) \
    X(heap_compact) \
    X(heap_flush) \
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

#define UM_METHOD_COUNT_ONE(symbol) +1
enum { UM_METHOD_COUNT = 0 UM_METHODS(UM_METHOD_COUNT_ONE) };
#undef UM_METHOD_COUNT_ONE

/* The i-th method, or NULL past the end. */
const struct um_method *um_table_at(size_t index);

/* Which one a method is; UM_METHOD_COUNT: NULL, or a method that is not in the table. */
size_t um_table_place(const struct um_method *method);

/* The method of this name, which has `size` bytes before its end, or NULL. */
const struct um_method *um_table_find(const char *name, size_t size);

#endif
