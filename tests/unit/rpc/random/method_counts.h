/*
 * Whether a run has exercised what there is: every method, and every error that each declares.
 *
 * Owns: the list of what cannot be brought about here. Must not know: how a run goes on.
 */
#ifndef RPC_RANDOM_COVERAGE_H
#define RPC_RANDOM_COVERAGE_H

#include "random_engine.h"

/* Fails where the engine has a method that this test does not call, or the other way round. */
void check_table(void);

/* Whether each method has succeeded and answered with each error that it declares. `tells`: says what has not. */
bool has_covered_all(const struct run *run, bool tells);

#endif
