/*
 * How the answer to a replayed request differs from the recorded one.
 *
 * Owns: what may differ from run to run, and so is no difference. Must not know: connections, where answers come from.
 *
 * Not compared are handles, which are learned instead, sessions, processes, users, programs, addresses, times, how much is free in
 * heaps, the daemon's counters and its description of itself, texts of messages and facts of errors but their names, and members that
 * the recorded answer does not have.
 */
#ifndef UMEM_CLI_ANSWER_DIFF_H
#define UMEM_CLI_ANSWER_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/transfer/replay_handles.h"

enum { CLI_DIFF_SIZE = 512 };

/* Compares two answers as JSON texts. Returns whether they differ, and `what` says where, cut to its size. Handles that stand in the
 * same place are added to `handles`; false from there: *lacks_memory is set. */
bool cli_answers_differ(const char *recorded, const char *now, struct cli_replay_handles *handles,
                        char what[CLI_DIFF_SIZE], bool *lacks_memory);

#endif
