/*
 * Checks which users the operating system lets do what with the pipe: facts, what is wrong with them, and how to fix it.
 * `umemd --check` prints them, and a daemon that has opened its pipe logs what is wrong.
 *
 * Owns: the rules of that check. Must not know: libuv, connections, where the text goes. Changes nothing.
 */
#ifndef UM_PIPE_ACCESS_H
#define UM_PIPE_ACCESS_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/principal.h"

struct um_pipe_access_report {
    void *context;
    /* A fact: `subject` is a word or two ("socket"), `text` no whole sentence. */
    void (*fact)(void *context, const char *subject, const char *text);
    /* A fault and how to fix it: sentences without a full stop. */
    void (*fault)(void *context, const char *text, const char *fix);
};

/* For the checks of each system: report it, with a text as printf makes it. */
UM_PRINTF(3, 4)
void um_pipe_access_fact(const struct um_pipe_access_report *report, const char *subject, const char *format,
                         ...);
UM_PRINTF(3, 4)
void um_pipe_access_fault(const struct um_pipe_access_report *report, const char *fix, const char *format,
                          ...);

/* Checks the pipe at `path` (as um_endpoint_find() gives it), whether it is there or not, for a daemon that lets `allowed` in beside this
 * user, root and SYSTEM: a group (POSIX), or a user or group (Windows); not set: nobody. With `connects` it connects, to report the
 * process that listens; a daemon that checks its own pipe does not. Windows: the rights cannot be read otherwise,
 * so that there it connects in any case, for a moment. */
void um_pipe_access_check(const char *path, const struct um_principal *allowed, bool connects,
                          const struct um_pipe_access_report *report);

#endif
