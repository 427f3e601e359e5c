/*
 * Runs of `umem` as a shell makes them, and what they printed.
 *
 * Owns: the last run. Must not know: which verbs there are.
 */
#ifndef TEST_COMMAND_H
#define TEST_COMMAND_H

#include "daemon_fixture.h"

/* The words of a command line. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The last run: its output and errors. */
extern struct process command;

/* Runs umem with these words on the daemon's pipe, or without --pipe where `daemon` is NULL. `input` is its
 * standard input; NULL: none. Returns the exit status. */
int umem(const struct daemon *daemon, const char *input, const char *const *words);

/* Starts it only; process_finish(&command) waits for it. */
void umem_start(const struct daemon *daemon, const char *input, const char *const *words);

/* The same in another way than with an input. */
void umem_start_as(const struct daemon *daemon, const struct process_options *options,
                   const char *const *words);

/* The last run printed this, as a part or as a whole. */
void expect_output(const char *part);
void expect_whole_output(const char *text);
void expect_errors(const char *part);

#endif
