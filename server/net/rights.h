/*
 * Who may do what with the pipe, as the operating system has it: how things are, what is wrong with them, and how that
 * is mended. `umemd --check` prints it, and a daemon that has opened its pipe logs what is wrong.
 *
 * Owns: that judgement. Must not know: libuv, sessions, where the text goes. Changes nothing.
 */
#ifndef UM_RIGHTS_H
#define UM_RIGHTS_H

#include <stdbool.h>

#include "attributes.h"

struct um_rights_listener {
    void *context;
    /* How something is: `subject` is a word or two ("socket"), `text` no whole sentence. */
    void (*fact)(void *context, const char *subject, const char *text);
    /* What is wrong and how to mend it: sentences without a full stop. */
    void (*fault)(void *context, const char *text, const char *mend);
};

/* For the judges: tell the listener, with a text as printf makes it. */
UM_PRINTF(3, 4)
void um_rights_tell_fact(const struct um_rights_listener *listener, const char *subject, const char *format,
                         ...);
UM_PRINTF(3, 4)
void um_rights_tell_fault(const struct um_rights_listener *listener, const char *mend, const char *format,
                          ...);

/* Judges the pipe at `path` (as um_endpoint_find() gives it), whether it is there or not. With `asks` it also tells who
 * listens. For that it connects; a daemon that judges its own pipe does not ask. Windows: the rights cannot be read otherwise,
 * so that there it connects in any case, for a moment. */
void um_rights_judge(const char *path, bool asks, const struct um_rights_listener *listener);

#endif
