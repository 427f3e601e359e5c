/*
 * What umemd's work costs where there are many blocks and heaps, and what memory they take.
 *
 * Owns: the daemons that it starts for that. Must not know: how results are shown.
 */
#ifndef BENCH_GROWTH_H
#define BENCH_GROWTH_H

#include "bench_common.h"
#include "results.h"

/* Cost of requests by number of blocks, each beside a daemon with 1,000, turn about; memory of a block. */
void growth_of_blocks(const struct effort *effort, struct results *results);

/* Memory of a string of 64 bytes in Redis, of an item in memcached. */
void growth_of_others(const struct effort *effort, struct results *results);

/* Making and destroying many heaps, and one heap with many blocks. */
void growth_of_heaps(const struct effort *effort, struct results *results);

/* What stays resident one second after much was freed, and what small heaps take. */
void growth_of_resident(const struct effort *effort, struct results *results);

#endif
