/*
 * What each method must answer, and what must have come of it.
 *
 * Owns: the rules of protocol.md, method by method. Must not know: how requests are made up.
 */
#ifndef RPC_RANDOM_PREDICT_H
#define RPC_RANDOM_PREDICT_H

#include "random_engine.h"

typedef void predict_function(struct call *call);

predict_function predict_discover, predict_cancel, predict_empty, predict_server_info, predict_server_stats,
    predict_server_methods;
predict_function predict_reload, predict_shutdown;
predict_function predict_heap_process, predict_heap_create, predict_heap_list, predict_heap_info;
predict_function predict_heap_validate, predict_heap_compact, predict_heap_flush, predict_heap_lock,
    predict_heap_unlock;
predict_function predict_heap_destroy;
predict_function predict_block_alloc, predict_block_resize, predict_block_info, predict_block_list;
predict_function predict_block_at, predict_block_change, predict_block_hold, predict_block_release;
predict_function predict_block_free;
predict_function predict_block_read, predict_block_write, predict_block_fill, predict_block_copy;
predict_function predict_block_compare, predict_block_find;
predict_function predict_block_get, predict_block_set, predict_block_add, predict_block_exchange;
predict_function predict_block_wait, predict_block_map, predict_block_wake;
predict_function predict_session_info, predict_session_list, predict_session_watch;
predict_function predict_session_unwatch, predict_session_close;

#endif
