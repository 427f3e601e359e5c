/*
 * The system's side of the configuration file: its default places, and who may write it.
 *
 * Owns: nothing. Must not know: what stands in the file.
 */
#ifndef UM_CONFIG_PLACE_H
#define UM_CONFIG_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

enum { UM_CONFIG_PLACES = 2 /* that there may be, from the one that is looked at first */ };

/* Writes the i-th default place. False: this system or this user has no such place. */
bool um_config_place(int index, char *path, size_t path_size);

/* Whether nobody but this user and the administrators may change a file. POSIX: it belongs to one of them, and others may not write
 * it. Windows: always, as the user's folder sees to that. */
bool um_config_is_trusted(const uv_stat_t *facts);

#endif
