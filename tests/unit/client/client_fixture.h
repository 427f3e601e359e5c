/*
 * A client and a daemon that answers it by a script.
 *
 * Owns: both, one pair at a time. Must not know: what is tested.
 */
#ifndef TEST_CLIENT_FIXTURE_H
#define TEST_CLIENT_FIXTURE_H

#include "fake_daemon.h"
#include "umem_client.h"

#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}\n"

struct fixture {
    struct fake_daemon daemon;
    umem_client *client;
};

extern struct fixture fixture;

/* Starts the daemon and connects the client, whose options these are but for the pipe. */
void fixture_begin(const struct fake_step *steps, size_t count, struct umem_options options);

#define BEGIN(...) BEGIN_WITH(__VA_ARGS__, .pipe = NULL)
#define BEGIN_WITH(steps, ...) \
    fixture_begin(steps, sizeof(steps) / sizeof((steps)[0]), (struct umem_options){__VA_ARGS__})

void fixture_end(void);

/* The connection is closed, and stays so with the same error and the same message. */
void expect_broken(int code);

#endif
