/*
 * How failures are reported: one sentence on standard error, or with --json one JSON text there.
 *
 * Owns: the shape of errors. Must not know: what failed.
 *
 * With --json:
 * {"error":{"code":...,"name":...,"message":...,"data":{...},"pipe":...,"remedy":...},"status":N,"line":N}. `name` and
 * `message` are always there; `code` and `data` are the daemon's or the library's; `line` is there for a line of umem batch.
 */
#ifndef UMEM_CLI_FAIL_H
#define UMEM_CLI_FAIL_H

#include "base/attributes.h"
#include "cli/table/verb.h"

/* Whether errors are JSON from now on. */
void cli_report_as_json(bool is_json);

/* The number of the line that is run, in errors from now on; 0: none. */
void cli_report_line(uint64_t number);

/* From now on, called before a failure is told; NULL: nothing is. For what has changed the terminal. */
void cli_before_failures(void (*called)(void *context), void *context);

/* Tells a failure of the command itself and returns the status. Its name is "usage" for CLI_USAGE, else
 * "failed". */
UM_PRINTF(2, 3)
int cli_fail(int status, const char *format, ...);

/* Tells that a file cannot be `done` ("opened"), for the reason that libuv has given; returns
 * CLI_FAILED. */
int cli_fail_file(const char *name, const char *done, int error);

/* Tells wrong usage of a verb, with its synopsis; returns CLI_USAGE. */
UM_PRINTF(2, 3)
int cli_fail_usage(const struct cli *cli, const char *format, ...);

/* The same for what the daemon would have answered, had it been asked: `code` is one of umem_errors.h. */
UM_PRINTF(3, 4)
int cli_fail_as_daemon(const struct cli *cli, int code, const char *format, ...);

/* Tells the client's last error with the pipe and what to do, and returns the exit status. */
int cli_fail_call(const struct cli *cli);

/* The same for a connection that could not be made, and for one without a client of the library's: `message`
 * says more. */
int cli_fail_connecting(const struct cli *cli, int code, const char *message);
int cli_fail_connection(const struct cli *cli, int code, const char *message);

/* Memory has run out. */
int cli_fail_memory(void);

#endif
