/*
 * The block that has a name which another one is to get, and what its end costs.
 *
 * Owns: the rule for the parameter `if_exists` of blocks. Must not know: which methods have it.
 */
#ifndef UM_REPLACED_BLOCK_H
#define UM_REPLACED_BLOCK_H

#include "rpc/call/args.h"
#include "rpc/call/call.h"

/* Whether there is a name that if_exists can be about; else the call has been answered. */
bool um_replaced_check(struct um_call *call, const struct um_arg *name, enum um_if_exists if_exists);

/* The block that will be freed when `taker` or, where that is NULL, a new one takes this name. NULL: there is none, or it is that one. */
struct um_block *um_replaced_find(const struct um_call *call, const char *name, const struct um_block *taker);

/* Its handle, and 0 where there is none. */
um_handle um_replaced_handle(const struct um_call *call, const struct um_block *block);

/* What a block's end takes beside its record's, in bytes as um_call_fits() counts them: all its holds end, and with --wipe the memory is
 * cleared unless it is returned to the system uncleared. */
uint64_t um_block_end_cost(const struct um_call *call, const struct um_block *block);

#endif
