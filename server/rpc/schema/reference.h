/*
 * The command table as the reference part of protocol.md.
 *
 * Owns: nothing. Must not know: calls, sessions.
 */
#ifndef UM_REFERENCE_H
#define UM_REFERENCE_H

#include <stdio.h>

/* Writes it as Markdown. Returns 0, or -1 where writing failed. */
int um_reference_write(FILE *out);

#endif
