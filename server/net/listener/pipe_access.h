/*
 * Who may do what with the pipe, as the operating system has it: how things are, what is wrong with them, and how that
 * is mended. `umemd --check` prints it, and a daemon that has opened its pipe logs what is wrong.
 *
 * Owns: that judgement. Must not know: libuv, sessions, where the text goes. Changes nothing.
 */
#ifndef UM_PIPE_ACCESS_H
#define UM_PIPE_ACCESS_H

#include <stdbool.h>

#include "base/attributes.h"

struct um_pipe_access_report {
    void *context;
    /* How something is: `subject` is a word or two ("socket"), `text` no whole sentence. */
    void (*fact)(void *context, const char *subject, const char *text);
    /* What is wrong and how to mend it: sentences without a full stop. */
    void (*fault)(void *context, const char *text, const char *mend);
};

/* For the judges: tell the listener, with a text as printf makes it. */
UM_PRINTF(3, 4)
void um_pipe_access_fact(const struct um_pipe_access_report *listener, const char *subject,
                         const char *format, ...);
UM_PRINTF(3, 4)
void um_pipe_access_fault(const struct um_pipe_access_report *listener, const char *mend, const char *format,
                          ...);

/* Judges the pipe at `path` (as um_endpoint_find() gives it), whether it is there or not. With `asks` it also tells who
 * listens. For that it connects; a daemon that judges its own pipe does not ask. Windows: the rights cannot be read otherwise,
 * so that there it connects in any case, for a moment. */
void um_pipe_access_check(const char *path, bool asks, const struct um_pipe_access_report *listener);

#endif
