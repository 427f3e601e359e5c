/*
 * What a process is to its system: its command line, its standard files, and how it becomes a daemon.
 *
 * Owns: the line between a starter and the daemon that it starts. Must not know: what the daemon does.
 */
#ifndef UM_PROCESS_H
#define UM_PROCESS_H

#include <stdbool.h>

/* First of all. POSIX: a write to a pipe that nobody reads fails rather than ends the process. Windows:
 * output is not changed on its way, and a damaged heap ends the process at once. */
void um_process_prepare(void);

/* Gives up what a daemon does not need. Linux: new privileges, for good. Core dumps, unless they are asked for: they would put
 * what is in the blocks into files. POSIX: none are made (RLIMIT_CORE is 0); Linux: one that a program collects all the
 * same holds no memory (coredump_filter). The process stays one that its user may look at and debug. Windows: no box waits
 * for somebody to click, and none is made by the error reporting. What the system refuses is gone without. */
void um_process_harden(bool core_dumps);

/* The line from the daemon to its starter. */
struct um_starter {
    void *line; /* NULL: there is none */
};

/* Who goes on after um_process_detach(). */
enum um_role {
    UM_ROLE_STARTER, /* the daemon has reported: end with *status */
    UM_ROLE_DAEMON   /* go on, and um_process_report() */
};

/* Makes a daemon: no terminal, standard files that lead nowhere. The starter waits for its report and
 * prints what it says. Call it before there are loops, files or threads: POSIX: it forks. Windows: it
 * starts the same program anew, with the same command line, and that one is the daemon when it comes here. */
enum um_role um_process_detach(struct um_starter *starter, int *status);

/* Tells the starter the status to end with, and a sentence for standard error ("": none). The first report
 * counts; without a line it does nothing. A daemon that ends without one has failed. */
void um_process_report(struct um_starter *starter, int status, const char *text);

#endif
