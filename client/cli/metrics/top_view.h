/*
 * What a live look at the daemon shows: rates, and the methods, heaps and sessions that come first.
 *
 * Owns: the look. Must not know: terminals.
 */
#ifndef UMEM_CLI_TOP_VIEW_H
#define UMEM_CLI_TOP_VIEW_H

#include "base/buf.h"
#include "cli/metrics/snapshot.h"

/* The parts of a snapshot that it needs. */
enum {
    CLI_TOP_PARTS = CLI_SNAPSHOT_INFO | CLI_SNAPSHOT_METHODS | CLI_SNAPSHOT_HEAPS | CLI_SNAPSHOT_SESSIONS
};

/* What comes first. */
enum cli_top_order {
    CLI_TOP_BY_TIME,  /* methods by the time that they took; heaps by size; sessions by calls */
    CLI_TOP_BY_CALLS, /* all by calls a second */
    CLI_TOP_BY_BYTES, /* heaps by size, sessions by bytes read and sent a second; methods by time */
    CLI_TOP_BY_ERRORS /* methods and sessions by errors a second; heaps by calls */
};

/* The order of a key: t, c, b or e. False: it is no such key. */
bool cli_top_order_of(char key, enum cli_top_order *order);

/* Writes at most `height` lines of at most `width` characters, each but the last with its end: what happened between the two. False:
 * there is no memory. */
bool cli_top_draw(struct um_buf *out, const struct cli_snapshot *before, const struct cli_snapshot *now,
                  enum cli_top_order order, int width, int height, bool has_keys);

#endif
