/*
 * Threads that use a daemon all the time, while the test replaces or restarts it.
 *
 * Owns: the threads and their clients. Must not know: why daemons come and go.
 */
#ifndef TEST_VISITORS_H
#define TEST_VISITORS_H

#include <stdint.h>

#include "umem_client.h"

struct visitors;

/* Starts `visiting` threads that connect for each call, once, and `residing` ones that stay connected and connect anew. A call adds
 * 1 to the 64 bits that the block begins with; block 0: it is server.ping. */
struct visitors *visitors_start(const char *pipe, umem_handle block, unsigned visiting, unsigned residing);

/* Waits until there are more answers than there were. The test fails where there are none. */
void visitors_wait(struct visitors *visitors);

/* Ends and frees them. The test fails where a visitor was refused or not answered, or anything had another result than success, but for
 * answers of the residing ones that were lost: *lost counts these, *answered the others. */
void visitors_stop(struct visitors *visitors, uint64_t *answered, uint64_t *lost);

#endif
