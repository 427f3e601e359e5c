/*
 * The daemon's counters in the text format of Prometheus.
 *
 * Owns: the names of metrics, and the format. Must not know: where the text goes.
 */
#ifndef UMEM_CLI_PROMETHEUS_H
#define UMEM_CLI_PROMETHEUS_H

#include "cli/metrics/snapshot.h"

/* The parts of a snapshot that it needs. */
enum { CLI_PROMETHEUS_PARTS = CLI_SNAPSHOT_INFO | CLI_SNAPSHOT_METHODS | CLI_SNAPSHOT_HEAPS };

/* Prints it. */
void cli_print_prometheus(const struct cli_snapshot *snapshot);

#endif
