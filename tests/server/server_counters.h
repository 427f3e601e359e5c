/*
 * The server's own counters, as server.stats returns them to a client of the test, and the errors about limits.
 *
 * Owns: nothing. Must not know: what a test is about.
 */
#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

#include "server_fixture.h"

/* The number that a JSON text gives the first member of this name. The test fails where there is none. */
unsigned long long number_in(const char *text, const char *name);

/* Reads one counter from server.stats, or how many errors a limit has caused. */
unsigned long long stat_of(struct wire_client *client, const char *name);
unsigned long long refusals_of(struct wire_client *client, const char *limit);

/* Takes a line, which must be the error `name` about this limit. */
void expect_limit(struct wire_client *client, const char *name, const char *limit);

#endif
