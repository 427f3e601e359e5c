/*
 * The form of what umem save writes and umem load reads.
 *
 * Owns: the words of it. Must not know: how it is written or read.
 *
 * Each line is a request of the protocol. The first and the last do nothing (server.ping); a member that the daemon ignores says that
 * this is a dump, of which format, and how much it has: in the first what was expected, in the last what there is. Between them stand
 * first the heaps, then the blocks. A line of a block that is too large for one is followed by those of its bytes.
 */
#ifndef UMEM_CLI_DUMP_H
#define UMEM_CLI_DUMP_H

#include <stdint.h>

#define CLI_DUMP_MARK "dump"

enum {
    CLI_DUMP_FORMAT = 1,
    CLI_DUMP_NAME_SIZE = 257 /* bytes of a name, or of one that is made of a handle, with its end */
};

struct cli_dump_totals {
    uint64_t heaps; /* lines of heaps */
    uint64_t blocks;
    uint64_t bytes; /* in these */
};

#endif
