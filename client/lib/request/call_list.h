/*
 * The calls of the library, one entry each. From an entry come the request's maker, um_request_NAME() (requests.h), the blocking call,
 * umem_NAME(), and the submitted one, umem_submit_NAME(), which a umem_uv takes, too (api/calls.c). umem_client.h declares the last two.
 *
 * Owns: what a method's parameters and results are called, and which of C's arguments they are. Must not know: how requests are carried.
 *
 * An entry: CALL(NAME, METHOD, (parameters in C), (their names), steps). A step writes one parameter or names one output; request.h's
 * um_param_*() and um_output_*() say what they do:
 *
 *   HANDLE(x)            a handle of C's argument x, under its name
 *   HEAP(x)              likewise of a heap; 0 is the process heap, which is named
 *   HANDLE_OR_NONE(x)    likewise, left out where it is 0
 *   NAMED(key, x)        what has the name x
 *   SIZE(x)              a size, an offset or another number
 *   SIZE_UNLESS(x, none) likewise, left out where it is `none`
 *   NUMBER(x)            a number of the protocol's, from 1
 *   TRUE(key)            true
 *   FLAGS(x)             flags
 *   BYTES(key, x, size)  bytes, as base64
 *   TYPE(x)              a number's type
 *   VALUE(key, x)        a number of the type `type`
 *   UINT_OUT(key, x)     *x is the result's number of that name
 *   OFFSET_OUT(key, x)   likewise; null is UMEM_NONE
 *   VALUE_OUT(key, x)    likewise, of the type `type`
 *   RESULT_OUT(read, x)  *x is what `read` makes of the result
 *   TEXT_OUT(x)          *x is the result as text
 *
 * A request that needs more than steps has a maker of its own, in requests.c, and an entry without METHOD and steps in UM_MADE_CALLS.
 */
#ifndef UM_CALL_LIST_H
#define UM_CALL_LIST_H

/* Blocking and submitted. */
#define UM_CALLS(CALL) \
    CALL(heap_info, "heap.info", (umem_handle heap, struct umem_heap_info * info), (heap, info), \
         HEAP(heap) RESULT_OUT(um_info_read_heap, info)) \
    CALL(heap_size_classes, "heap.info", (umem_handle heap, struct umem_size_classes * classes), \
         (heap, classes), HEAP(heap) RESULT_OUT(um_info_read_size_classes, classes)) \
    CALL(heap_lookup, "heap.info", (const char *name, umem_handle *heap), (name, heap), \
         NAMED("heap", name) UINT_OUT("heap", heap)) \
    CALL(heap_destroy, "heap.destroy", (umem_handle heap, uint64_t * blocks, uint64_t * bytes), \
         (heap, blocks, bytes), HANDLE(heap) UINT_OUT("blocks", blocks) UINT_OUT("bytes", bytes)) \
    CALL(heap_validate, "heap.validate", (umem_handle heap, umem_handle block), (heap, block), \
         HEAP(heap) HANDLE_OR_NONE(block)) \
    CALL(heap_compact, "heap.compact", (umem_handle heap, uint64_t * largest_free), (heap, largest_free), \
         HEAP(heap) UINT_OUT("largest_free", largest_free)) \
    CALL(heap_flush, "heap.flush", (umem_handle heap), (heap), HEAP(heap)) \
    CALL(heap_unlock, "heap.unlock", (umem_handle heap), (heap), HEAP(heap)) \
    CALL(block_resize, "block.resize", (umem_handle block, uint64_t size, uint32_t flags), \
         (block, size, flags), HANDLE(block) SIZE(size) FLAGS(flags)) \
    CALL(block_info, "block.info", (umem_handle block, struct umem_block_info * info), (block, info), \
         HANDLE(block) RESULT_OUT(um_info_read_block, info)) \
    CALL(block_lookup, "block.info", (const char *name, umem_handle *block), (name, block), \
         NAMED("block", name) UINT_OUT("block", block)) \
    CALL(block_hold, "block.hold", (umem_handle block, uint64_t * holders), (block, holders), \
         HANDLE(block) UINT_OUT("holders", holders) OF_SESSION) \
    CALL(block_release, "block.release", (umem_handle block, uint64_t * holders), (block, holders), \
         HANDLE(block) UINT_OUT("holders", holders)) \
    CALL(block_free, "block.free", (umem_handle block), (block), HANDLE(block)) \
    CALL(block_wake, "block.wake", (umem_handle block, uint64_t offset, uint64_t size), \
         (block, offset, size), HANDLE(block) SIZE_UNLESS(offset, 0) SIZE_UNLESS(size, UMEM_TO_END)) \
    CALL(block_fill, "block.fill", (umem_handle block, uint64_t offset, uint8_t value, uint64_t size), \
         (block, offset, value, size), \
         HANDLE(block) SIZE(offset) SIZE_UNLESS(size, UMEM_TO_END) SIZE(value)) \
    CALL(block_copy, "block.copy", \
         (umem_handle source, uint64_t source_offset, umem_handle target, uint64_t target_offset, \
          uint64_t size), \
         (source, source_offset, target, target_offset, size), \
         HANDLE(source) HANDLE(target) SIZE(source_offset) SIZE(target_offset) \
             SIZE_UNLESS(size, UMEM_TO_END)) \
    CALL(block_compare, "block.compare", \
         (umem_handle left, uint64_t left_offset, umem_handle right, uint64_t right_offset, uint64_t size, \
          uint64_t * difference), \
         (left, left_offset, right, right_offset, size, difference), \
         HANDLE(left) HANDLE(right) SIZE(left_offset) SIZE(right_offset) SIZE_UNLESS(size, UMEM_TO_END) \
             OFFSET_OUT("offset", difference)) \
    CALL(block_find, "block.find", \
         (umem_handle block, uint64_t offset, const void *bytes, size_t size, uint64_t *found), \
         (block, offset, bytes, size, found), \
         HANDLE(block) SIZE(offset) BYTES("data", bytes, size) OFFSET_OUT("offset", found)) \
    CALL(block_add, "block.add", \
         (umem_handle block, uint64_t offset, enum umem_type type, const void *value, void *before, \
          void *after), \
         (block, offset, type, value, before, after), \
         HANDLE(block) SIZE(offset) TYPE(type) VALUE("value", value) VALUE_OUT("old", before) \
             VALUE_OUT("new", after))

/* Blocking and submitted, with makers of their own. */
#define UM_MADE_CALLS(CALL) \
    CALL(heap_create, (const struct umem_heap_options *options, umem_handle *heap), (options, heap)) \
    CALL(heap_open, (const struct umem_heap_options *options, umem_handle *heap, bool *created), \
         (options, heap, created)) \
    CALL(heap_lock, (umem_handle heap, uint32_t timeout_ms), (heap, timeout_ms)) \
    CALL(block_alloc, (uint64_t size, const struct umem_block_options *options, umem_handle *block), \
         (size, options, block)) \
    CALL(block_open, \
         (uint64_t size, const struct umem_block_options *options, umem_handle *block, bool *created), \
         (size, options, block, created)) \
    CALL(block_change, \
         (umem_handle block, const char *name, const enum umem_lifetime *lifetime, \
          struct umem_block_info *info), \
         (block, name, lifetime, info)) \
    CALL(block_publish, \
         (umem_handle block, const char *name, const enum umem_lifetime *lifetime, \
          struct umem_block_info *info), \
         (block, name, lifetime, info)) \
    CALL(block_exchange, \
         (umem_handle block, uint64_t offset, enum umem_type type, const void *value, const void *expected, \
          void *before, bool *exchanged), \
         (block, offset, type, value, expected, before, exchanged)) \
    CALL(block_wait, \
         (umem_handle block, uint64_t offset, enum umem_type type, const void *value, uint32_t timeout_ms, \
          void *now), \
         (block, offset, type, value, timeout_ms, now))

/* Submitted as one request, where the blocking call cuts what is large into pieces (api/calls_data.c). */
#define UM_DATA_CALLS(CALL) \
    CALL(put, \
         (const char *name, const void *bytes, size_t size, const struct umem_block_options *options, \
          umem_handle *block), \
         (name, bytes, size, options, block)) \
    CALL(get_into, (const char *name, void *bytes, size_t capacity, size_t *size), \
         (name, bytes, capacity, size)) \
    CALL(block_read, (umem_handle block, uint64_t offset, void *bytes, size_t size), \
         (block, offset, bytes, size)) \
    CALL(block_write, (umem_handle block, uint64_t offset, const void *bytes, size_t size), \
         (block, offset, bytes, size)) \
    CALL(block_get, (umem_handle block, uint64_t offset, enum umem_type type, void *values, size_t count), \
         (block, offset, type, values, count)) \
    CALL(block_set, \
         (umem_handle block, uint64_t offset, enum umem_type type, const void *values, size_t count), \
         (block, offset, type, values, count))

/* Blocking only: programs do not need many of them at a time. */
#define UM_BLOCKING_CALLS(CALL) \
    CALL(heap_process, "heap.process", (umem_handle * heap), (heap), UINT_OUT("heap", heap)) \
    CALL(block_at, "block.at", (uint64_t address, umem_handle * block), (address, block), \
         SIZE(address) UINT_OUT("block", block)) \
    CALL(block_free_orphan, "block.free", (umem_handle block), (block), HANDLE(block) TRUE("if_orphaned")) \
    CALL(rpc_discover, "rpc.discover", (char **document_json), (document_json), TEXT_OUT(document_json)) \
    CALL(server_reload, "server.reload", (char **report_json), (report_json), TEXT_OUT(report_json)) \
    CALL(server_stats, "server.stats", (struct umem_server_stats * stats), (stats), \
         RESULT_OUT(um_info_read_stats, stats)) \
    CALL(session_info, "session.info", (struct umem_session_info * info), (info), \
         RESULT_OUT(um_info_read_session, info)) \
    CALL(session_close, "session.close", (uint64_t session), (session), NUMBER(session))

/* A list that stands in parentheses, without them. */
#define UM_BARE(...) __VA_ARGS__

#endif
