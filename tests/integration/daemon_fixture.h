/*
 * A umemd of the test's own, on a pipe of its own.
 *
 * Owns: the process. Must not know: which requests it receives.
 */
#ifndef TEST_DAEMON_H
#define TEST_DAEMON_H

#include "test_process.h"
#include "umem_client.h"

struct daemon {
    struct process process;
    char pipe[128];
};

/* cmocka's set-up and tear-down: *state is a struct daemon that listens; the tear-down shuts it down, and fails where
 * it does not end with status 0 (for example, with a leak under a sanitizer). */
int daemon_setup(void **state);
int daemon_teardown(void **state);

/* Starts one on daemon->pipe; waits until it listens. */
void daemon_start(struct daemon *daemon);

/* A client that is connected. */
umem_client *daemon_connect(const struct daemon *daemon);

/* A call gave this code (ok(): success), or the failure is printed and the test fails. */
void expect_code(umem_client *client, int code, int expected);
void ok(umem_client *client, int code);

/* Ends it by server.shutdown and waits for it. Returns its exit status. */
int daemon_shutdown(struct daemon *daemon);

#endif
