/*
 * Whether a run has exercised what there is: every method, and every error that each declares.
 *
 * Owns: the list of what cannot be brought about here. Must not know: how a run goes on.
 */
#ifndef RPC_RANDOM_COVERAGE_H
#define RPC_RANDOM_COVERAGE_H

#include "random.h"

/* Fails where the engine has a method that this test does not call, or the other way round. */
void check_table(void);

/* Fails where a method has never succeeded, or never answered with an error that it declares. */
void check_coverage(const struct run *run);

#endif
