/*
 * The types of numbers in blocks: their names, their sizes, and how one number is written as JSON.
 *
 * Owns: the list of types. Must not know: requests, blocks. Pure.
 */
#ifndef UM_NUMBER_H
#define UM_NUMBER_H

#include "base/buf.h"
#include "umem_client.h"
#include "wire/json_read.h"

enum { UM_NUMBER_SIZE_MAX = 8 }; /* bytes of the largest type */

/* The type's name on the wire; NULL where there is no such type. */
const char *um_number_name(enum umem_type type);

/* Writes the number of that type at `value` (aligned or not). */
void um_number_write(struct um_buf *out, enum umem_type type, const void *value);

/* Reads a number; false where it is none, or none of that type: then `value` is not to be used. */
bool um_number_read(const struct um_json *json, enum umem_type type, void *value);

/* Turns `count` numbers of the machine's own byte order into little-endian ones, or back. Where the machine is little-endian
 * there is nothing to do, and false is returned when asked whether there is. */
bool um_number_must_swap(enum umem_type type);
void um_number_swap(void *values, enum umem_type type, size_t count);

#endif
