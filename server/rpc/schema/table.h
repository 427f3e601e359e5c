/*
 * The command table: every method there is, in the order of protocol.md.
 *
 * Owns: the list and the look-up by name. Must not know: what is in a descriptor but its name.
 */
#ifndef UM_TABLE_H
#define UM_TABLE_H

#include <stddef.h>

#include "rpc/schema/method.h"

/* The i-th method, or NULL past the end. */
const struct um_method *um_table_at(size_t index);

/* The method of this name, which has `size` bytes before its end, or NULL. */
const struct um_method *um_table_find(const char *name, size_t size);

#endif
