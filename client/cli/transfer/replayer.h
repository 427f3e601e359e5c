/*
 * A recording that is played again: the same requests in the same order, and what their answers are now.
 *
 * Owns: the connections. Must not know: how a recording was made.
 *
 * A request is sent where the recording has it, an answer waited for where it came: so the same requests are under way together as
 * in the run, and what a program did because of an answer comes after that answer.
 */
#ifndef UMEM_CLI_REPLAYER_H
#define UMEM_CLI_REPLAYER_H

#include <stdint.h>

struct cli;

struct cli_replay_options {
    const char *path;    /* of the recording */
    double speed;        /* 1: at the pace of the run; 2: twice as fast; 0: as fast as it goes */
    uint64_t timeout_ms; /* how long to wait for an answer */
};

struct cli_replay_totals {
    uint64_t connections;
    uint64_t requests;
    uint64_t answers;
    uint64_t differences;
};

/* Reads the whole recording first, so that a bad one does nothing; then plays it, and prints the differences. Returns an exit status; a
 * failure has been reported. */
int cli_replay(const struct cli *cli, const struct cli_replay_options *options,
               struct cli_replay_totals *totals);

#endif
