/*
 * What a power failure leaves of a directory that disk_preload.c has looked at: what was synced, and of all else any part.
 *
 * Owns: nothing. Must not know: what is in the files.
 */
#ifndef POWER_FAILURE_H
#define POWER_FAILURE_H

#include <stdint.h>

/* Makes the directory as it may be then: of every file, each sector as it was at the last sync or as it is; of names that came or went since
 * the directory's last sync, some. Nobody has the files open. `chance` is of chance.h. The shadow is empty afterwards. */
void power_failure(const char *directory, const char *shadow, uint64_t *chance);

/* Removes a directory with the files in it. */
void power_failure_remove(const char *directory);

#endif
