/*
 * Whether what libuv allocates may fail, too.
 *
 * Owns: nothing. Must not know: what is tested.
 */
#ifndef FAILING_LIBUV_H
#define FAILING_LIBUV_H

/* Gives libuv the allocator of allocate.h, where libuv lives with one that fails: on Windows it ends the process. Before
 * anything else of libuv is called. */
void fault_replace_libuv(void);

#endif
