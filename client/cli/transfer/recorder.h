/*
 * A pipe in front of the daemon's, which writes down what goes over it.
 *
 * Owns: the pipe, its connections, and a thread that relays between them and the daemon. Must not know: which program uses it.
 *
 * What comes is relayed as it is, in both directions. Where it is no message of the protocol, the rest of that direction is not
 * recorded.
 */
#ifndef UMEM_CLI_RECORDER_H
#define UMEM_CLI_RECORDER_H

#include <stdint.h>

struct cli_recorder;

/* What a run was. */
struct cli_recorder_totals {
    uint64_t connections;
    uint64_t requests;   /* messages of clients */
    uint64_t unrecorded; /* connections of which a part could not be recorded */
};

/* Listens, and relays to the daemon at `daemon_pipe`; lines are written to `file`. Both must stay. Returns an exit status; a failure
 * has been reported. */
int cli_recorder_start(const char *daemon_pipe, int file, const char *file_name,
                       struct cli_recorder **recorder);

/* Where it listens. */
const char *cli_recorder_pipe(const struct cli_recorder *recorder);

/* Ends it: connections that are open have a moment to end by themselves. Frees it. Returns an exit status; a failure to write the
 * recording has been reported. */
int cli_recorder_stop(struct cli_recorder *recorder, struct cli_recorder_totals *totals);

#endif
