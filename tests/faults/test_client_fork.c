/* The client library and other processes: a child of fork() beside its parent, and a server that is not the user's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon_fixture.h"
#include "unix_socket.h"

/* Waits for a child, which must have ended with 0. */
static void expect_success(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- fork ---- */

/* What a child may do: free the parent's client, and make one of its own. */
static int live_apart(const struct daemon *daemon, umem_client *parents, umem_handle block)
{
    const struct umem_options options = {.pipe = daemon->pipe};
    umem_client *own;
    char byte = 0;
    int code;

    umem_client_free(parents);
    own = umem_client_new(&options);
    code = umem_connect(own);
    if (code == UMEM_OK)
        code = umem_block_read(own, block, 0, &byte, 1);
    umem_client_free(own);
    return code == UMEM_OK && byte == 'f' ? 0 : 1;
}

/* The parent's connection, with its lock, its session block and its mapping, is as it was. */
static void test_a_child_that_frees_its_parents_client(void **state)
{
    const struct daemon *daemon = *state;
    const struct umem_heap_options shared = {.kind = UMEM_HEAP_SHARED, .maximum_size = 65536};
    struct umem_block_options options = {.lifetime = UMEM_LIFETIME_SESSION};
    umem_client *client = daemon_connect(daemon);
    umem_handle heap;
    umem_handle block;
    void *bytes = NULL;
    uint64_t size;
    pid_t child;

    assert_int_equal(umem_heap_create(client, &shared, &heap), UMEM_OK);
    options.heap = heap;
    assert_int_equal(umem_block_alloc(client, 100, &options, &block), UMEM_OK);
    assert_int_equal(umem_map(client, block, &bytes, &size), UMEM_OK);
    *(char *)bytes = 'f';
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(live_apart(daemon, client, block));
    expect_success(child);
    assert_int_equal(umem_heap_lock(client, heap, 0), UMEM_OK);
    assert_int_equal(umem_heap_unlock(client, heap), UMEM_OK);
    assert_int_equal(*(char *)bytes, 'f');
    assert_int_equal(umem_unmap(client, bytes), UMEM_OK);
    assert_int_equal(umem_heap_destroy(client, heap, NULL, NULL), UMEM_OK);
    umem_client_free(client);
}

/* The child ends without a word; its end closes nothing of the parent's either. */
static void test_a_child_that_only_ends(void **state)
{
    umem_client *client = daemon_connect(*state);
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(0);
    expect_success(child);
    assert_int_equal(umem_server_ping(client), UMEM_OK);
    umem_client_free(client);
}

/* ---- another user's server ---- */

enum { STRANGER = 54321 /* a user that does not exist */ };

/* Listens as another user, signals that to the parent, and ends with 0 where a client connected and disconnected
 * without having sent a byte. */
static int listen_as_a_stranger(const char *path, int ready)
{
    char byte;
    int listener;
    int client;

    if (setuid(STRANGER) != 0)
        return 1;
    listener = unix_bind(path, SOCK_STREAM);
    if (listener < 0 || chmod(path, 0777) != 0 || listen(listener, 1) != 0 || write(ready, "", 1) != 1)
        return 1;
    client = accept(listener, NULL, NULL);
    return client >= 0 && read(client, &byte, 1) == 0 ? 0 : 2;
}

static void test_a_server_of_another_user(void **state)
{
    struct umem_options options = {0};
    char folder[] = "/tmp/umem-stranger-XXXXXX";
    char path[sizeof folder + 8];
    umem_client *client;
    int line[2];
    char byte;
    pid_t child;

    (void)state;
    if (geteuid() != 0)
        skip(); /* Only root may become another user. */
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0777), 0);
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(pipe(line), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(listen_as_a_stranger(path, line[1]));
    assert_int_equal(read(line[0], &byte, 1), 1);
    options.pipe = path;
    client = umem_client_new(&options);
    assert_int_equal(umem_connect(client), UMEM_E_NOT_TRUSTED);
    assert_false(umem_is_connected(client));
    assert_string_equal(umem_last_error(client)->name, "not_trusted");
    assert_non_null(strstr(umem_last_error(client)->message, "54321"));
    assert_int_equal(umem_server_ping(client), UMEM_E_NOT_TRUSTED);
    umem_client_free(client);
    expect_success(child);
    close(line[0]);
    close(line[1]);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_child_that_frees_its_parents_client, daemon_setup,
                                        daemon_teardown),
        cmocka_unit_test_setup_teardown(test_a_child_that_only_ends, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_a_server_of_another_user),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
