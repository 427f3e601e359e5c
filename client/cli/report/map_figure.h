/*
 * Pictures of blocks: bars of all of them, and maps of the memory of shared heaps.
 *
 * Owns: how they are drawn, in SVG. Each has a legend that says the same in numbers. Must not know: where the facts come from.
 */
#ifndef UMEM_CLI_MAP_FIGURE_H
#define UMEM_CLI_MAP_FIGURE_H

#include "base/buf.h"
#include "cli/report/report_facts.h"

/* Three bars, by age, program and size. */
void cli_put_block_bars(struct um_buf *out, const struct cli_block_sum sums[CLI_GROUPINGS][CLI_GROUPS],
                        const struct cli_program_groups *programs);

/* Three maps of one heap, likewise, or why there are none. */
void cli_put_map_figure(struct um_buf *out, const struct cli_mapped_heap *heap);

#endif
