/*
 * Judges what an engine sent to one client: every message must be JSON-RPC 2.0 as protocol.md has it.
 *
 * Owns: nothing that outlives a call. Must not know: what was requested.
 */
#ifndef UM_TEST_ANSWERS_H
#define UM_TEST_ANSWERS_H

#include <stddef.h>

/* Takes all that was sent on a connection apart, with its framing, and ends the program where something is
 * wrong. `bytes` may be changed. cJSON must have its own allocator: no engine is at work. */
void check_answers(char *bytes, size_t size);

#endif
