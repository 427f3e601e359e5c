/*
 * What is measured under load: the table of workloads, and the rows in which each is run.
 *
 * Owns: the tables, and how one row is run against one server. Must not know: how results are shown.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench_common.h"
#include "dialect.h"
#include "results.h"

/* Runs every row against every server that is there, turn about, `effort->rounds` times. */
void workloads_run(const struct effort *effort, struct results *results, const struct server *servers);

#endif
