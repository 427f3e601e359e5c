/*
 * How long the calls of each method took, as a table with a small histogram in each row.
 *
 * Owns: how these look, and the percentiles. Must not know: where the facts come from.
 */
#ifndef UMEM_CLI_LATENCY_TABLE_H
#define UMEM_CLI_LATENCY_TABLE_H

#include "base/buf.h"

struct cJSON;

/* Writes the section; nothing where `methods` is NULL: the daemon does not count calls. Otherwise it is an array of the entries of
 * server.methods. */
void cli_put_latencies(struct um_buf *out, const struct cJSON *methods);

#endif
