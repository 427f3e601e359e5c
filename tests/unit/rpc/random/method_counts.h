/*
 * Whether a run has exercised every method, and every error that each declares.
 *
 * Owns: the list of what cannot be caused here. Must not know: how a run continues.
 */
#ifndef RPC_RANDOM_COVERAGE_H
#define RPC_RANDOM_COVERAGE_H

#include "random_engine.h"

/* Fails where the engine has a method that this test does not call, or the other way round. */
void check_table(void);

/* Whether each method has succeeded and answered with each error that it declares. `reports`: prints what has not. */
bool has_covered_all(const struct run *run, bool reports);

#endif
