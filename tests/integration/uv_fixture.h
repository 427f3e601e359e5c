/*
 * What the tests of the libuv adapter share.
 *
 * Owns: nothing. Must not know: which calls are made.
 */
#ifndef UV_FIXTURE_H
#define UV_FIXTURE_H

#include "umem_uv.h"

/* A call was taken, or the failure is printed and the test fails. */
void uv_ok(umem_uv *client, int code);

/* What a callback was given has this code, and a message if it is a failure. */
void expect_failure(const struct umem_failure *failure, int code);

#endif
