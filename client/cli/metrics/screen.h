/*
 * A live screen on a terminal: drawn again and again, with keys, until it ends. The terminal is then as it was.
 *
 * Owns: the terminal's mode while it runs. Must not know: what is drawn.
 */
#ifndef UMEM_CLI_SCREEN_H
#define UMEM_CLI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* What it calls. */
struct cli_screen_events {
    /* It is time for something new. Returns an exit status; not CLI_OK: the screen ends, and the failure has been reported. */
    int (*update)(void *context);
    /* Writes so many lines of at most so many characters, with '\n' between them. */
    void (*draw)(void *context, int width, int height, struct um_buf *out);
    /* A key was pressed. False: the screen ends. */
    bool (*press)(void *context, char key);
};

/* Whether standard input and output are a terminal, so that there can be a screen. */
bool cli_screen_is_possible(void);

/* Runs it, with an update every so many milliseconds, the first one at once. It also ends by Ctrl-C, by signals, and when the terminal
 * goes. Returns an exit status; a failure has been reported. */
int cli_screen_run(const struct cli_screen_events *events, void *context, uint64_t interval_ms);

#endif
