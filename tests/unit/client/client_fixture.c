#include "client_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

struct fixture fixture;

void fixture_begin(const struct fake_step *steps, size_t count, struct umem_options options)
{
    fake_daemon_start(&fixture.daemon, steps, count);
    options.pipe = fixture.daemon.pipe;
    fixture.client = umem_client_new(&options);
    assert_int_equal(umem_connect(fixture.client), UMEM_OK);
}

void fixture_end(void)
{
    umem_client_free(fixture.client);
    fake_daemon_stop(&fixture.daemon);
}

void expect_broken(int code)
{
    char message[1024];

    assert_int_equal(umem_last_error(fixture.client)->code, code);
    assert_string_equal(umem_last_error(fixture.client)->name, umem_error_name(code));
    snprintf(message, sizeof message, "%s", umem_last_error(fixture.client)->message);
    assert_true(message[0] != '\0');
    assert_false(umem_is_connected(fixture.client));
    assert_int_equal(umem_server_ping(fixture.client), code);
    /* Of the call itself it may have been said that nobody knows what has become of it. */
    assert_memory_equal(umem_last_error(fixture.client)->message, message,
                        strlen(umem_last_error(fixture.client)->message));
    assert_true(umem_last_error(fixture.client)->message[0] != '\0');
}
