/*
 * The journal of handles: which were given out, and must not be given out again.
 *
 * Owns: um_state.handles. Must not know: why it is written.
 */
#ifndef UM_STORE_DURABLE_HANDLES_H
#define UM_STORE_DURABLE_HANDLES_H

#include "store/records/durable.h"

/* Writes it anew, and begins its sync, which ends with um_journal_compact_end(). */
enum um_file_status um_state_write_handles(struct um_state *state, struct um_journal_sync *sync);

/* Writes it, and waits until that is on the disk. */
bool um_state_save_handles(struct um_state *state);

#endif
