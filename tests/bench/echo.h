/*
 * A bare server on libuv that moves bytes and does nothing else: what is left to gain at most.
 *
 * Owns: its process. Must not know: any protocol.
 *
 * A request begins with its own size and its answer's, four bytes each in the machine's order; the answer is that many
 * zero bytes. What came in one read is answered by one write, as a good server does.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include "ring.h"

/* Serves on `path` until it is killed. */
_Noreturn void echo_serve(const char *path);

/* Makes requests and answers for it that are as large as another server's. */
void echo_like(struct ring *echo, const struct ring *other);

#endif
