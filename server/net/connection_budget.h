/*
 * What a connection makes the server keep, as the budget (budget.h) is told it.
 *
 * Owns: nothing. Must not know: what messages say.
 */
#ifndef UM_CONNECTION_BUDGET_H
#define UM_CONNECTION_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/connection.h"

/* How many bytes may be read at one time; 0: none, the connection waits and is woken. */
uint64_t um_connection_read_limit(struct um_connection *connection);

/* Whether the budget is up to date: the connection keeps what it kept at the last update, waits for no quota, and no time is counted
 * for it. */
bool um_connection_is_budget_current(const struct um_connection *connection);

/* Tells the budget what the connection makes the server keep. Returns whether it may be read from. */
bool um_connection_update_budget(struct um_connection *connection, bool wants_bytes);

/* Ends messages whose time is up. */
void um_connections_expire(struct um_connections *connections);

#endif
