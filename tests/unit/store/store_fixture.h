/*
 * What the store's tests share: stores with generous limits, owners, and one-line calls for what is not being
 * tested.
 *
 * Owns: nothing that outlives a test. Must not know: how the store works inside.
 */
#ifndef UM_TEST_STORE_FIXTURE_H
#define UM_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

enum { TEST_OWNERS = 3 /* owners that a fixture opens */ };

/* The events of one kind, in order. */
struct event_log {
    um_handle handles[64];
    size_t count;
};

struct fixture {
    struct um_store *store;
    struct um_owner *owners[TEST_OWNERS]; /* numbers 1 to 3; NULL once they are closed */
    struct event_log freed;               /* blocks of block_freed */
    struct event_log freed_from;          /* their heaps */
    struct event_log vanished;
    struct event_log destroyed;
    struct event_log unlocked;
};

/* For cmocka's set-up and tear-down; *state is the struct fixture. The tear-down closes the owners that are still
 * open. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A store of its own with these limits, and one owner. End with small_close(). */
struct um_store *small_store(uint64_t bytes_limit, uint32_t blocks_limit, uint32_t heaps_limit,
                             struct um_owner **owner);
void small_close(struct um_store *store, struct um_owner *owner);

/* These must succeed. `name` may be NULL; a NULL heap is the process heap. */
struct um_heap *make_heap(struct um_store *store, struct um_owner *owner, const char *name,
                          uint64_t maximum_size);
struct um_block *make_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                            uint64_t size);
struct um_block *make_named(struct um_store *store, struct um_owner *owner, uint64_t size, const char *name);
struct um_block *make_session_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                    uint64_t size);

/* Closes one of the fixture's owners. */
void close_fixture_owner(struct fixture *fixture, int owner);

/* Validates a whole heap in steps of `budget`, and looks for an address likewise; return the last answer. */
int validate_all(struct um_store *store, const struct um_heap *heap, size_t budget, struct um_fault *fault);
int find_at(struct um_store *store, uint64_t address, size_t budget, struct um_block **block);

/* Compacts a heap, in all its steps. Returns the largest free range. */
uint64_t compact(struct um_heap *heap);

/* What um_store_find_block() and um_store_find_heap() answer. */
int block_verdict(struct um_store *store, um_handle handle);
int heap_verdict(struct um_store *store, um_handle handle);

struct um_store_stats stats_of(const struct um_store *store);
um_handle handle_of(const struct um_heap *heap);
struct um_block_info info_of(const struct um_store *store, const struct um_block *block);
bool is_zero(const unsigned char *bytes, uint64_t size);
void reclaim_all(struct um_store *store);

#endif
