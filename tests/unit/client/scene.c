#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

struct scene scene;

void scene_begin(const struct fake_step *steps, size_t count, struct umem_options options)
{
    fake_daemon_start(&scene.daemon, steps, count);
    options.pipe = scene.daemon.pipe;
    scene.client = umem_client_new(&options);
    assert_int_equal(umem_connect(scene.client), UMEM_OK);
}

void scene_end(void)
{
    umem_client_free(scene.client);
    fake_daemon_stop(&scene.daemon);
}

void expect_broken(int code)
{
    char message[1024];

    assert_int_equal(umem_last_error(scene.client)->code, code);
    assert_string_equal(umem_last_error(scene.client)->name, umem_error_name(code));
    snprintf(message, sizeof message, "%s", umem_last_error(scene.client)->message);
    assert_true(message[0] != '\0');
    assert_false(umem_is_connected(scene.client));
    assert_int_equal(umem_server_ping(scene.client), code);
    assert_string_equal(umem_last_error(scene.client)->message, message);
}
