/*
 * One maker of requests for each method: arguments as C has them, checked and written; results as C wants them.
 *
 * Owns: what every method's parameters and results are called. Must not know: how requests are carried.
 *
 * The arguments are as umem_client.h says of the call of that name. Where results go must stay until the request is done.
 */
#ifndef UM_REQUESTS_H
#define UM_REQUESTS_H

#include "lib/answer/event_queue.h"
#include "lib/connection/mapped_heap.h"
#include "lib/request/request.h"

/* Where an answer is kept before the caller receives it: lists, descriptions. */
void um_request_text(struct um_request *request, const char *method, char **result);

/* A method without parameters and results. */
void um_request_plain(struct um_request *request, const char *method);

/* The page of a list after `after`; parameters may be added. */
void um_request_page(struct um_request *request, const char *method, uint64_t after, char **page);

void um_request_server_stats(struct um_request *request, struct umem_server_stats *stats);

void um_request_heap_process(struct um_request *request, umem_handle *heap);
void um_request_heap_create(struct um_request *request, const struct umem_heap_options *options,
                            umem_handle *heap);
void um_request_heap_info(struct um_request *request, umem_handle heap, struct umem_heap_info *info);
void um_request_heap_lookup(struct um_request *request, const char *name, umem_handle *heap);
void um_request_heap_destroy(struct um_request *request, umem_handle heap, uint64_t *blocks, uint64_t *bytes);
void um_request_heap_validate(struct um_request *request, umem_handle heap, umem_handle block);
void um_request_heap_compact(struct um_request *request, umem_handle heap, uint64_t *largest_free);
void um_request_heap_lock(struct um_request *request, umem_handle heap, uint32_t timeout_ms);
void um_request_heap_unlock(struct um_request *request, umem_handle heap);

void um_request_block_alloc(struct um_request *request, uint64_t size,
                            const struct umem_block_options *options, umem_handle *block);
void um_request_block_resize(struct um_request *request, umem_handle block, uint64_t size, uint32_t flags);
void um_request_block_info(struct um_request *request, umem_handle block, struct umem_block_info *info);
void um_request_block_lookup(struct um_request *request, const char *name, umem_handle *block);
void um_request_block_at(struct um_request *request, uint64_t address, umem_handle *block);
void um_request_block_change(struct um_request *request, umem_handle block, const char *name,
                             const enum umem_lifetime *lifetime, struct umem_block_info *info);
void um_request_block_hold(struct um_request *request, umem_handle block, uint64_t *holders);
void um_request_block_release(struct um_request *request, umem_handle block, uint64_t *holders);
void um_request_block_free(struct um_request *request, umem_handle block, bool if_orphaned);
void um_request_block_wake(struct um_request *request, umem_handle block, uint64_t offset, uint64_t size);

/* Where a block of a shared heap lies: for um_mapped_heap_use() of mapped_heap.h. */
void um_request_block_map(struct um_request *request, umem_handle block, struct um_block_location *place);

void um_request_block_read(struct um_request *request, umem_handle block, uint64_t offset, void *bytes,
                           size_t size);
void um_request_block_write(struct um_request *request, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size);
void um_request_block_get(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count);
void um_request_block_set(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count);
void um_request_block_fill(struct um_request *request, umem_handle block, uint64_t offset, uint8_t value,
                           uint64_t size);
void um_request_block_copy(struct um_request *request, umem_handle source, uint64_t source_offset,
                           umem_handle target, uint64_t target_offset, uint64_t size);
void um_request_block_compare(struct um_request *request, umem_handle left, uint64_t left_offset,
                              umem_handle right, uint64_t right_offset, uint64_t size, uint64_t *difference);
void um_request_block_find(struct um_request *request, umem_handle block, uint64_t offset, const void *bytes,
                           size_t size, uint64_t *found);
void um_request_block_add(struct um_request *request, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *value, void *before, void *after);
void um_request_block_exchange(struct um_request *request, umem_handle block, uint64_t offset,
                               enum umem_type type, const void *value, const void *expected, void *before,
                               bool *exchanged);
void um_request_block_wait(struct um_request *request, umem_handle block, uint64_t offset,
                           enum umem_type type, const void *value, uint32_t timeout_ms, void *now);

void um_request_session_info(struct um_request *request, struct umem_session_info *info);
void um_request_session_close(struct um_request *request, uint64_t session);
void um_request_session_unwatch(struct um_request *request, uint64_t watch);

/* The watch is added to its events, which own it then, as soon as the answer has come. */
void um_request_session_watch(struct um_request *request, const struct umem_watch_target *target,
                              struct um_event_watch *watch, uint64_t *id);

#endif
