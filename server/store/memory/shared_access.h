/*
 * Who may map shared heaps beside the user who runs this process, root and SYSTEM: one for the process, set before there are heaps.
 *
 * Owns: that one. Must not know: clients, pipes.
 */
#ifndef UM_STORE_SHARED_ACCESS_H
#define UM_STORE_SHARED_ACCESS_H

#include "base/principal.h"

/* Lets this group (POSIX), or this user or group (Windows), map what is made and opened from now on; NULL: nobody. Copied. */
void um_shared_access_allow(const struct um_principal *allowed);

/* Who that is; NULL: nobody. */
const struct um_principal *um_shared_access(void);

#endif
