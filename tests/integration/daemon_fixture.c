#include "daemon_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

void daemon_start(struct daemon *daemon)
{
    const char *const args[] = {UMEMD, "--pipe", daemon->pipe, NULL};

    assert_int_equal(process_start(&daemon->process, args, NULL), 0);
    if (!process_wait_for(&daemon->process, "listening on"))
        print_error("%s\n", daemon->process.errors);
    assert_false(daemon->process.exited);
}

umem_client *daemon_connect(const struct daemon *daemon)
{
    struct umem_options options = {.pipe = daemon->pipe};
    umem_client *client = umem_client_new(&options);

    assert_non_null(client);
    if (umem_connect(client) != UMEM_OK)
        print_error("%s\n", umem_last_error(client)->message);
    assert_true(umem_is_connected(client));
    return client;
}

void expect_code(umem_client *client, int code, int expected)
{
    if (code != expected)
        print_error("%s: %s\n", umem_last_error(client)->name, umem_last_error(client)->message);
    assert_int_equal(code, expected);
}

void ok(umem_client *client, int code)
{
    expect_code(client, code, UMEM_OK);
}

int daemon_shutdown(struct daemon *daemon)
{
    umem_client *client = daemon_connect(daemon);
    int status;

    assert_int_equal(umem_server_shutdown(client), UMEM_OK);
    umem_client_free(client);
    status = process_finish(&daemon->process);
    if (status != 0)
        print_error("%s\n", daemon->process.errors);
    return status;
}

int daemon_setup(void **state)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);

    assert_non_null(daemon);
    pipe_name_make(daemon->pipe, sizeof daemon->pipe);
    daemon_start(daemon);
    *state = daemon;
    return 0;
}

int daemon_teardown(void **state)
{
    struct daemon *daemon = *state;

    assert_int_equal(daemon_shutdown(daemon), 0);
    pipe_name_remove(daemon->pipe);
    free(daemon);
    return 0;
}
