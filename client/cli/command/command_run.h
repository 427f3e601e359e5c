/*
 * How a verb is run: by a umem of its own, or as one of the lines of a session (umem batch, umem shell).
 *
 * Owns: the connection of the former. Must not know: what verbs do, where lines come from.
 */
#ifndef UMEM_CLI_COMMAND_RUN_H
#define UMEM_CLI_COMMAND_RUN_H

#include "cli/table/verb.h"

/* Runs the verb of a command line that was read. Returns an exit status; a failure has been reported. */
int cli_run(struct cli *cli);

/* Reads a line as a shell would, without anything that a shell expands, and runs it over the session's connection. An empty one and
 * one that begins with "#" do nothing. Returns as cli_run(). */
int cli_run_line(const struct cli *session, const char *line);

#endif
