/*
 * What a process takes of the system.
 *
 * Owns: nothing. Must not know: whose process it is.
 */
#ifndef PROCESS_USAGE_H
#define PROCESS_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct measure {
    uint64_t resident_bytes;
    uint64_t descriptors; /* Windows: handles; 0: not known */
};

/* Returns false where the system does not report it. */
bool measure_process(int pid, struct measure *measure);

#endif
