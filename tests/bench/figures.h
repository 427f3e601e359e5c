/*
 * Figures that are no load: start-up, memory; what the machine itself can do; what the client libraries make of it.
 *
 * Owns: what it starts for that. Must not know: how results are shown.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "bench_common.h"
#include "bench_server.h"
#include "results.h"

/* Start to first answer; memory of an empty server, and of a connection that does nothing. figures.c */
void figures_of_servers(const struct effort *effort, struct results *results);

/* Socket ping-pong and bandwidth between two processes, memcpy. limits.c */
void figures_of_machine(const struct effort *effort, struct results *results);

/* Reads and writes, one at a time, through umemclient, and hiredis and libmemcached where they are. libraries.c */
void figures_of_libraries(const struct effort *effort, struct results *results, const struct server *servers);

/* Reads and copies through a mapped block, beside own memory and beside Redis. mapped.c */
void figures_of_mapped(const struct effort *effort, struct results *results, const struct server *servers);

#endif
