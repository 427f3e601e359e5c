/*
 * A umemd of the test's own, on a pipe of its own.
 *
 * Owns: the process. Must not know: what is asked of it.
 */
#ifndef TEST_DAEMON_H
#define TEST_DAEMON_H

#include "test_process.h"
#include "umem_client.h"

struct daemon {
    struct process process;
    char pipe[128];
};

/* cmocka's set-up and tear-down: *state is a struct daemon that listens; the tear-down shuts it down, and fails where it
 * does not end with status 0 (a leak under a sanitizer, say). */
int daemon_setup(void **state);
int daemon_teardown(void **state);

/* Starts one on daemon->pipe; waits until it listens. */
void daemon_start(struct daemon *daemon);

/* A client that is connected. */
umem_client *daemon_connect(const struct daemon *daemon);

/* A call gave this code (ok(): success), or the failure is printed and the test fails. */
void expect_code(umem_client *client, int code, int expected);
void ok(umem_client *client, int code);

/* Asks for the end by server.shutdown and waits for it: its exit status. */
int daemon_shutdown(struct daemon *daemon);

#endif
