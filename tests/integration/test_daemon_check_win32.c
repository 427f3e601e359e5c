/* umemd --check on Windows: the access list in words, and pipes that others could use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

#include <cmocka.h>

#include "daemon_fixture.h"

static struct process process;

static void expect(const char *pipe, int status, const char *text)
{
    const char *const args[] = {UMEMD, "--check", "--pipe", pipe, NULL};
    int found = process_run(&process, args, NULL);

    if (found != status || strstr(process.output, text) == NULL)
        print_error("expected %d and \"%s\", not %d and:\n%s%s", status, text, found, process.output,
                    process.errors);
    assert_int_equal(found, status);
    assert_non_null(strstr(process.output, text));
}

static void without_a_daemon(void **state)
{
    char pipe[128];

    (void)state;
    pipe_name_make(pipe, sizeof pipe);
    expect(pipe, 0, "No errors.");
    assert_non_null(strstr(process.output, "nobody"));
    assert_non_null(strstr(process.output, "allows     SYSTEM everything"));
    assert_non_null(strstr(process.output, "other machines"));
    assert_non_null(strstr(process.output, "integrity  medium: programs of less are kept out"));
}

static void of_a_daemon(void **state)
{
    struct daemon *daemon = *state;
    char text[64];

    snprintf(text, sizeof text, "process %ld", (long)daemon->process.child.pid);
    expect(daemon->pipe, 0, text);
    assert_non_null(strstr(process.output, "owner"));
    assert_non_null(strstr(process.output, "allows     SYSTEM everything"));
    /* Wine's users are elevated, which makes no difference to the label. */
    assert_non_null(strstr(process.output, "integrity  medium: programs of less are kept out"));
}

/* A pipe of the test's own, with rights as SDDL writes them. */
static void expect_of_rights(const char *rights, const char *text)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    char pipe[128];
    HANDLE made;

    pipe_name_make(pipe, sizeof pipe);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(rights, SDDL_REVISION_1,
                                                                     &attributes.lpSecurityDescriptor, NULL));
    made = CreateNamedPipeA(pipe, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 4, 4096, 4096, 0, &attributes);
    assert_true(made != INVALID_HANDLE_VALUE);
    expect(pipe, 1, text);
    CloseHandle(made);
    LocalFree(attributes.lpSecurityDescriptor);
}

/* The Users of the machine are let in: to read and write, and no more. */
static void of_a_daemon_for_a_group(void **state)
{
    struct daemon daemon = {.pipe = ""};
    const char *args[] = {UMEMD, "--pipe", daemon.pipe, "--allow-sid", "S-1-5-32-545", NULL};
    const char *const check[] = {UMEMD,         "--check",      "--pipe", daemon.pipe,
                                 "--allow-sid", "S-1-5-32-545", NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&daemon.process, args, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    assert_int_equal(process_run(&process, check, NULL), 0);
    assert_non_null(strstr(process.output, "who read, change and free all blocks"));
    assert_non_null(strstr(process.output, "Users to read and write"));
    umem_client_free(daemon_connect(&daemon));
    /* Without the option, it is nobody whom this daemon should let in. */
    expect(daemon.pipe, 1, "neither this user nor SYSTEM");
    assert_int_equal(daemon_shutdown(&daemon), 0);
    args[4] = "S-1-1-0";
    assert_int_equal(process_run(&process, args, NULL), 2);
    assert_non_null(strstr(process.errors, "name a group"));
    args[4] = "no such user at all";
    assert_int_equal(process_run(&process, args, NULL), 2);
    assert_non_null(strstr(process.errors, "there is no user or group"));
    args[3] = "--allow-group";
    assert_int_equal(process_run(&process, args, NULL), 2);
    assert_non_null(strstr(process.errors, "--allow-sid"));
}

static void pipes_that_let_others_in(void **state)
{
    (void)state;
    expect_of_rights("D:P(A;;GA;;;WD)", "lets Everyone in");
    expect_of_rights("D:P(A;;GA;;;SY)(A;;GR;;;BG)", "neither this user nor SYSTEM");
}

static void pipes_whose_label_is_not_ours(void **state)
{
    static const char own[] = "D:P(A;;GA;;;SY)";
    char rights[128];

    (void)state;
    expect_of_rights(own, "it has no integrity label");
    snprintf(rights, sizeof rights, "%sS:(ML;;NRNW;;;LW)", own);
    expect_of_rights(rights, "its integrity label is low, which lets in programs that are in a sandbox");
    snprintf(rights, sizeof rights, "%sS:(ML;;NRNW;;;HI)", own);
    expect_of_rights(rights, "its integrity label is high, which keeps this user's ordinary programs out");
    snprintf(rights, sizeof rights, "%sS:(ML;;NW;;;ME)", own);
    expect_of_rights(rights, "lets programs of less integrity read from it");
    snprintf(rights, sizeof rights, "%sS:(ML;;NR;;;ME)", own);
    expect_of_rights(rights, "lets programs of less integrity write to it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_daemon),
        cmocka_unit_test_setup_teardown(of_a_daemon, daemon_setup, daemon_teardown),
        cmocka_unit_test(of_a_daemon_for_a_group),
        cmocka_unit_test(pipes_that_let_others_in),
        cmocka_unit_test(pipes_whose_label_is_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
