/*
 * Failures: their facts, and the checks of flags and names that many calls begin with.
 *
 * Owns: nothing. Must not know: records.
 */
#ifndef UM_STORE_FAULT_H
#define UM_STORE_FAULT_H

#include "store/records/store_types.h"

/* Fills *fault, where it is not NULL, and returns the code. */
int um_fault(struct um_fault *fault, int code, struct um_fault facts);

/* Checks the flags of a call: 0 or UMEM_E_DENIED. */
int um_flags_check(uint32_t flags, struct um_fault *fault);

/* Checks a name that a peer chose: 0 or UMEM_E_INVALID_PARAMS. */
int um_name_check(const char *name, struct um_fault *fault);

#endif
