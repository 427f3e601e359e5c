/*
 * What a process is to its system: its standard files, its signals, and how it becomes a daemon.
 *
 * Owns: the line between a starter and the daemon that it starts. Must not know: what the daemon does.
 */
#ifndef UM_DAEMON_PROCESS_H
#define UM_DAEMON_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Right after the standard files are filled. POSIX: no signal that a file or a clumsy neighbour causes ends
 * the process: writing to a pipe without a reader, past a limit of file sizes, or to a terminal from the
 * background, and SIGUSR2. Signals that the starter has blocked are let through. Windows: output is written
 * unchanged, and a damaged heap ends the process at once. */
void um_process_prepare(void);

/* Gives up what a daemon does not need. Linux: new privileges, for good. Core dumps, unless they are asked for: they would put
 * what is in the blocks into files. POSIX: none are made (RLIMIT_CORE is 0); Linux: one that a program collects all the
 * same holds no memory (coredump_filter). The process stays one that its user may look at and debug. Windows: no message box waits
 * for a click, and none is made by the error reporting. What the system refuses is gone without. */
void um_process_harden(bool core_dumps);

/* ---- signals ---- */

/* What a signal requests. */
enum um_signal_action {
    UM_SIGNAL_END,    /* the end, in order */
    UM_SIGNAL_REOPEN, /* that files which were moved or removed are reopened or created again */
    UM_SIGNAL_RELOAD  /* the same, and that the settings are read again */
};

struct um_signal {
    int number;
    enum um_signal_action action;
};

enum { UM_SIGNAL_MAXIMUM = 8 };

/* The signals to listen for: those of the system's that mean something here, but for those that the starter has ignored (nohup,
 * or a shell for what it runs in the background). Returns how many. */
size_t um_process_signals(struct um_signal signals[UM_SIGNAL_MAXIMUM]);

/* ---- becoming a daemon ---- */

/* Writes a path as one that does not depend on the working directory. Returns false where that is not known, or it does not fit
 * in `absolute`. */
bool um_process_absolute_path(const char *path, char *absolute, size_t absolute_size);

/* The line from the daemon to its starter. */
struct um_starter {
    void *line;       /* NULL: there is none */
    size_t sent_size; /* bytes of warnings that went over it */
};

/* Which of the two processes continues after um_process_detach(). */
enum um_role {
    UM_ROLE_STARTER, /* the daemon has reported: end with *status */
    UM_ROLE_DAEMON   /* go on, and um_process_report() */
};

/* Makes a daemon, which has nothing of its starter's: no terminal, standard files that lead nowhere, no other file, a working
 * directory that can stay, a umask that excludes other users; POSIX: a session of its own, Windows: no job, where the starter's
 * allows that. The starter waits for its report and prints what it says. Call it before there are loops, files or threads:
 * POSIX: it forks. Windows: it starts the same program again, with the same command line, and that one is the daemon when it
 * comes here. */
enum um_role um_process_detach(struct um_starter *starter, int *status);

/* Sends the starter a warning, a sentence for standard error. After the report, without a line, or where much was sent
 * already, it does nothing. */
void um_process_warn(struct um_starter *starter, const char *text);

/* Sends the starter the status to end with, and a sentence for standard error ("": none). The first report
 * counts; without a line it does nothing. A daemon that ends without one has failed. */
void um_process_report(struct um_starter *starter, int status, const char *text);

#endif
