/*
 * Bytes between standard input and output and the daemon, as they are, in both directions at once.
 *
 * Owns: a connection of its own. Must not know: what is said over it, except when all of it has been answered.
 */
#ifndef UMEM_CLI_RELAY_H
#define UMEM_CLI_RELAY_H

#include "cli/table/verb.h"

/* Carries until standard input has ended and everything has been answered, or until the daemon closes.
 * Returns an exit status: CLI_LOST where requests are left without an answer; a failure has been reported. */
int cli_relay(const struct cli *cli);

#endif
