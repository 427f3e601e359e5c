/*
 * Random parameters for every method.
 *
 * Owns: which requests are likely. Must not know: what is answered.
 */
#ifndef RPC_RANDOM_GENERATE_H
#define RPC_RANDOM_GENERATE_H

#include "random_engine.h"

typedef void generate_function(struct run *run, int session, struct request *request);

generate_function generate_nothing, generate_cancel;
generate_function generate_heap_create, generate_heap_list, generate_heap, generate_heap_validate;
generate_function generate_heap_compact, generate_heap_lock, generate_heap_unlock, generate_heap_destroy;
/* Raw bytes of a request, which say what they are by their number. */
void give_payload(struct run *run, struct request *request, uint64_t size);

generate_function generate_block_alloc, generate_block_resize, generate_block, generate_block_list;
generate_function generate_block_at, generate_block_change, generate_block_free;
generate_function generate_block_read, generate_block_write, generate_block_get, generate_block_set;
generate_function generate_block_fill, generate_block_copy, generate_block_compare, generate_block_find;
generate_function generate_block_add, generate_block_exchange, generate_block_wait, generate_block_wake;
generate_function generate_session_list, generate_session_watch, generate_session_unwatch;
generate_function generate_session_close;

/* What the generators share: the size of a block (NONE: of none), a range in one of which either end may
 * be left out, and a time that no other call runs out of. */
uint64_t size_of(const struct run *run, int block);
void maybe_range(struct run *run, struct request *request, const char *offset, const char *size,
                 uint64_t block_size);
void give_timeout(struct run *run, struct request *request);

#endif
