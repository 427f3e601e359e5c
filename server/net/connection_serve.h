/*
 * A connection's step: what has come is served, what there is is sent, and then it reads, waits or closes.
 *
 * Owns: the order of all that. Must not know: what requests mean.
 */
#ifndef UM_CONNECTION_SERVE_H
#define UM_CONNECTION_SERVE_H

#include "net/scheduler.h"

/* Takes a step of a connection (um_connection.scheduled), as um_scheduler.run has it. If all of it is closed, that is its end. */
void um_connection_step(struct um_scheduled *item);

#endif
