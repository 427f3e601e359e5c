/*
 * A bar on the terminal for data that take a while.
 *
 * Owns: one line of standard error, as long as it is shown. Must not know: what moves.
 *
 * It is shown only where standard error is a terminal, and only once the data are large.
 */
#ifndef UMEM_CLI_PROGRESS_H
#define UMEM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cli_progress {
    const char *what; /* "write" */
    uint64_t total;   /* bytes; 0: not known */
    uint64_t done;    /* bytes */
    uint64_t shown;   /* what the bar says: per cent, or MiB where the total is not known */
    bool is_wanted;
    bool is_drawn;
};

/* Begins; nothing is drawn yet. `what` is a static word. */
void cli_progress_begin(struct cli_progress *progress, const char *what, uint64_t total);

/* Tells that more bytes are done. */
void cli_progress_step(struct cli_progress *progress, uint64_t bytes);

/* Erases it. */
void cli_progress_end(struct cli_progress *progress);

#endif
