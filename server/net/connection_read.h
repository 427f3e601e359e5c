/*
 * What a connection reads, and where to.
 *
 * Owns: the reads. Must not know: what is done with the bytes.
 */
#ifndef UM_CONNECTION_READ_H
#define UM_CONNECTION_READ_H

#include <stdbool.h>

#include "net/connection.h"

/* Starts or stops reading. Every read that brought something is followed by a step. */
void um_connection_set_reading(struct um_connection *connection, bool wanted);

#endif
