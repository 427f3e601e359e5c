/* A daemon that lets a group in, with clients of other users: who gets in, and whose daemon clients talk to. Only root can become other
 * users; the users and the group are numbers that no system gives names to. */
#include <grp.h>
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
#include "net/listener/hand_over.h"
#include "unix_socket.h"

#define SERVER "61001"
#define GROUP "61042"

enum {
    SERVER_USER = 61001,
    MEMBER = 61002,
    OTHER = 61003,
    GROUP_NUMBER = 61042,
    SKIPPED = 77,
    MANY_GROUPS = 200 /* more than the daemon has space for at first */
};

/* What a child process does as another user. Returns what went wrong as a number, 0: nothing. */
typedef int job(const struct daemon *daemon);

struct user {
    uid_t number;
    gid_t main_group;
    size_t count; /* of the others */
    gid_t groups[MANY_GROUPS];
};

static const struct user member = {MEMBER, MEMBER, 1, {GROUP_NUMBER}};
static const struct user member_by_main_group = {MEMBER, GROUP_NUMBER, 0, {0}};
static const struct user other = {OTHER, OTHER, 1, {OTHER}};

static bool become(const struct user *user)
{
    return setgroups(user->count, user->groups) == 0 && setgid(user->main_group) == 0 &&
           setuid(user->number) == 0;
}

/* Does it in a process of its own, which has the memory of this one. */
static void as_user(const struct user *user, const struct daemon *daemon, job *run)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(become(user) ? run(daemon) : 100);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static umem_client *new_client(const struct daemon *daemon, const char *server_user)
{
    struct umem_options options = {.pipe = daemon->pipe, .timeout_ms = 60000, .server_user = server_user};

    return umem_client_new(&options);
}

/* Whether connecting gives this code. */
static bool connects(const struct daemon *daemon, const char *server_user, int expected)
{
    umem_client *client = new_client(daemon, server_user);
    int code = umem_connect(client);

    if (code == UMEM_OK)
        code = umem_server_ping(client);
    if (code != expected)
        fprintf(stderr, "expected %d, not %d: %s\n", expected, code, umem_last_error(client)->message);
    umem_client_free(client);
    return code == expected;
}

static char directory[128];
static char state_directory[160];

static int start(struct daemon *daemon, const char *groups)
{
    const char *const args[] = {"setpriv",  "--reuid",       SERVER,          "--regid", SERVER,
                                "--groups", groups,          UMEMD,           "--pipe",  daemon->pipe,
                                "--state",  state_directory, "--allow-group", GROUP,     NULL};

    return process_start(&daemon->process, args, NULL);
}

static int set_up(void **state)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);

    pipe_name_make(daemon->pipe, sizeof daemon->pipe);
    snprintf(directory, sizeof directory, "%s", daemon->pipe);
    *strrchr(directory, '/') = '\0';
    snprintf(state_directory, sizeof state_directory, "%s/state", directory);
    assert_int_equal(chown(directory, SERVER_USER, SERVER_USER), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(start(daemon, GROUP), 0);
    if (!process_wait_for(&daemon->process, "listening on"))
        fail_msg("%s", daemon->process.errors);
    *state = daemon;
    return 0;
}

static void remove_state(void)
{
    const char *const args[] = {"rm", "-rf", state_directory, NULL};
    static struct process process;

    assert_int_equal(process_run(&process, args, NULL), 0);
}

static int tear_down(void **state)
{
    struct daemon *daemon = *state;

    process_terminate(&daemon->process);
    assert_int_equal(process_finish(&daemon->process), 0);
    remove_state();
    pipe_name_remove(daemon->pipe);
    free(daemon);
    return 0;
}

/* ---- members ---- */

static int share(const struct daemon *daemon)
{
    static const char *const lifetimes[] = {"shared", "durable"};
    umem_client *client = new_client(daemon, SERVER);

    if (umem_connect(client) != UMEM_OK)
        return 1;
    for (int i = 0; i < 2; i++) {
        struct umem_heap_options options = {.kind = UMEM_HEAP_SHARED,
                                            .maximum_size = 1 << 20,
                                            .name = lifetimes[i],
                                            .lifetime =
                                                i == 0 ? UMEM_LIFETIME_SERVER : UMEM_LIFETIME_DURABLE};
        struct umem_block_options block_options = {.heap = umem_named(lifetimes[i])};
        umem_handle heap;
        umem_handle block;
        void *bytes;

        block_options.name = lifetimes[i];
        if (umem_heap_create(client, &options, &heap) != UMEM_OK ||
            umem_block_alloc(client, 5, &block_options, &block) != UMEM_OK)
            return 2;
        if (umem_map(client, block, &bytes, NULL) != UMEM_OK) {
            fprintf(stderr, "%s\n", umem_last_error(client)->message);
            return 3;
        }
        memcpy(bytes, "hello", 5);
    }
    umem_client_free(client);
    return 0;
}

static int find_shared(const struct daemon *daemon)
{
    umem_client *client = new_client(daemon, SERVER);
    void *bytes;

    if (umem_connect(client) != UMEM_OK)
        return 1;
    if (umem_map(client, umem_named("shared"), &bytes, NULL) != UMEM_OK || memcmp(bytes, "hello", 5) != 0)
        return 2;
    if (umem_map(client, umem_named("durable"), &bytes, NULL) != UMEM_OK || memcmp(bytes, "hello", 5) != 0)
        return 3;
    umem_client_free(client);
    return 0;
}

static void members_use_what_others_made(void **state)
{
    const struct daemon *daemon = *state;
    char path[200];
    struct stat facts;

    as_user(&member, daemon, share);
    as_user(&member_by_main_group, daemon, find_shared);
    /* They may pass through the directory, and not look into it; the records are not theirs. */
    assert_int_equal(stat(state_directory, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0710);
    snprintf(path, sizeof path, "%s/handles.1.journal", state_directory);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
}

static int connect_to_named_server(const struct daemon *daemon)
{
    return connects(daemon, SERVER, UMEM_OK) ? 0 : 1;
}

static void a_member_of_many_groups(void **state)
{
    struct user user = {MEMBER, MEMBER, MANY_GROUPS, {0}};

    for (size_t i = 0; i < MANY_GROUPS; i++)
        user.groups[i] = (gid_t)(GROUP_NUMBER + MANY_GROUPS - 1 - i);
    as_user(&user, *state, connect_to_named_server);
}

/* Whoever is in the group when it connects is served; a process that has left it connects no more. */
static int leave_the_group(const struct daemon *daemon)
{
    umem_client *client = new_client(daemon, SERVER);
    int code;

    if (setgroups(1, member.groups) != 0 || setgid(MEMBER) != 0 || seteuid(MEMBER) != 0 ||
        umem_connect(client) != UMEM_OK || umem_server_ping(client) != UMEM_OK)
        return 1;
    if (seteuid(0) != 0 || setgroups(0, NULL) != 0 || setuid(MEMBER) != 0)
        return 2;
    code = umem_server_ping(client);
    umem_client_free(client);
    if (code != UMEM_OK)
        return 3;
    return connects(daemon, SERVER, UMEM_E_NOT_CONNECTED) ? 0 : 4;
}

static void who_leaves_the_group(void **state)
{
    static const struct user root = {0, 0, 0, {0}};

    as_user(&root, *state, leave_the_group);
}

/* ---- others ---- */

static int be_kept_out(const struct daemon *daemon)
{
    return connects(daemon, SERVER, UMEM_E_NOT_CONNECTED) ? 0 : 1;
}

static int be_denied(const struct daemon *daemon)
{
    return connects(daemon, SERVER, UMEM_E_DENIED) ? 0 : 1;
}

static void others_are_kept_out(void **state)
{
    const struct daemon *daemon = *state;

    as_user(&other, daemon, be_kept_out);
    /* Without the socket's mode, the check of the client's groups is left. */
    assert_int_equal(chmod(daemon->pipe, 0666), 0);
    as_user(&other, daemon, be_denied);
    as_user(&member, daemon, connect_to_named_server);
}

/* ---- whose daemon it is ---- */

static int name_servers(const struct daemon *daemon)
{
    if (!connects(daemon, NULL, UMEM_E_NOT_TRUSTED) || !connects(daemon, "61009", UMEM_E_NOT_TRUSTED))
        return 1;
    if (!connects(daemon, "no such user", UMEM_E_BAD_ARGUMENT))
        return 2;
    setenv("UMEM_SERVER_USER", "61009", 1);
    if (!connects(daemon, NULL, UMEM_E_NOT_TRUSTED) || !connects(daemon, SERVER, UMEM_OK))
        return 3;
    setenv("UMEM_SERVER_USER", SERVER, 1);
    return connects(daemon, NULL, UMEM_OK) ? 0 : 4;
}

static void clients_name_the_server(void **state)
{
    as_user(&member, *state, name_servers);
}

/* Runs umem as a member; the command that it starts talks to the same server. */
static int run_umem(struct process *process, const struct daemon *daemon, const char *server_user)
{
    const char *const args[] = {"setpriv",       "--reuid",   "61002", "--regid", "61002",  "--groups",
                                GROUP,           UMEM,        "hold",  "shared",  "--pipe", daemon->pipe,
                                "--server-user", server_user, "--",    UMEM,      "ping",   NULL};

    return process_run(process, args, NULL);
}

static void umem_names_the_server(void **state)
{
    const struct daemon *daemon = *state;
    static struct process process;

    as_user(&member, daemon, share);
    if (run_umem(&process, daemon, SERVER) != 0)
        fail_msg("%s", process.errors);
    assert_non_null(strstr(process.output, "answers"));
    assert_int_not_equal(run_umem(&process, daemon, "61009"), 0);
    assert_non_null(strstr(process.errors, "--server-user"));
    assert_int_not_equal(run_umem(&process, daemon, "no such user"), 0);
    assert_non_null(strstr(process.errors, "there is no user no such user"));
}

/* A member records what a program says to the server, and plays it again: both talk to the server that was named. */
static void umem_records_and_replays(void **state)
{
    const struct daemon *daemon = *state;
    static struct process process;
    char folder[] = "/tmp/umem-member-XXXXXX";
    char recording[64];
    const char *record[] = {"setpriv",       "--reuid", "61002",  "--regid", "61002",  "--groups",
                            GROUP,           UMEM,      "record", recording, "--pipe", daemon->pipe,
                            "--server-user", NULL,      "--",     UMEM,      "ping",   NULL};
    const char *replay[] = {"setpriv",    "--reuid",       "61002", "--regid", "61002",
                            "--groups",   GROUP,           UMEM,    "replay",  "--pipe",
                            daemon->pipe, "--server-user", NULL,    recording, NULL};

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chown(folder, MEMBER, MEMBER), 0);
    snprintf(recording, sizeof recording, "%s/run", folder);
    record[13] = SERVER;
    if (process_run(&process, record, NULL) != 0)
        fail_msg("%s", process.errors);
    assert_non_null(strstr(process.output, "answers"));
    assert_non_null(strstr(process.errors, "of 1 connections"));
    replay[12] = SERVER;
    if (process_run(&process, replay, NULL) != 0)
        fail_msg("%s%s", process.output, process.errors);
    replay[12] = "61009";
    assert_int_not_equal(process_run(&process, replay, NULL), 0);
    assert_non_null(strstr(process.errors, "--server-user"));
    record[13] = "61009";
    assert_int_not_equal(process_run(&process, record, NULL), 0);
    assert_non_null(strstr(process.errors, "--server-user"));
    unlink(recording);
    assert_int_equal(rmdir(folder), 0);
}

static int ready[2]; /* a pipe: written to when the socket listens */

/* A member of the group has put a socket of its own to where the daemon would be. */
static int squat(const struct daemon *daemon)
{
    int fd = unix_bind(daemon->pipe, SOCK_STREAM);
    int client;
    char byte = 1;

    if (fd < 0 || chmod(daemon->pipe, 0666) != 0 || listen(fd, 1) != 0 || write(ready[1], &byte, 1) != 1)
        return 1;
    client = accept(fd, NULL, NULL);
    /* It is closed without a byte. */
    return client >= 0 && read(client, &byte, 1) == 0 ? 0 : 2;
}

static int meet_the_squatter(const struct daemon *daemon)
{
    return connects(daemon, SERVER, UMEM_E_NOT_TRUSTED) ? 0 : 1;
}

static void a_member_pretends_to_be_the_server(void **state)
{
    static const struct user squatter = {OTHER, OTHER, 1, {GROUP_NUMBER}};
    struct daemon daemon = {.pipe = ""};
    int status = 0;
    pid_t child;
    char byte;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(directory, sizeof directory, "%s", daemon.pipe);
    *strrchr(directory, '/') = '\0';
    assert_int_equal(chmod(directory, 01777), 0);
    assert_int_equal(pipe(ready), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(become(&squatter) ? squat(&daemon) : 100);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    as_user(&member, &daemon, meet_the_squatter);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    unlink(daemon.pipe);
    pipe_name_remove(daemon.pipe);
}

/* ---- starts that fail ---- */

static void a_daemon_that_is_no_member(void **state)
{
    struct daemon daemon = {.pipe = ""};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(directory, sizeof directory, "%s", daemon.pipe);
    *strrchr(directory, '/') = '\0';
    snprintf(state_directory, sizeof state_directory, "%s/state", directory);
    assert_int_equal(chown(directory, SERVER_USER, SERVER_USER), 0);
    assert_int_equal(start(&daemon, SERVER), 0);
    assert_int_equal(process_finish(&daemon.process), 1);
    assert_non_null(strstr(daemon.process.errors, "is no member"));
    assert_int_not_equal(access(daemon.pipe, F_OK), 0);
    remove_state();
    pipe_name_remove(daemon.pipe);
}

/* Later without the group: the directory must not let it through. */
static void a_start_without_the_group(void **state)
{
    struct daemon *daemon = *state;
    static struct process process;
    char pipe[160];
    const char *const args[] = {"setpriv", "--reuid", SERVER, "--regid", SERVER,          "--clear-groups",
                                UMEMD,     "--pipe",  pipe,   "--state", state_directory, NULL};

    snprintf(pipe, sizeof pipe, "%s2", daemon->pipe);
    assert_int_equal(process_run(&process, args, NULL), 1);
    assert_non_null(strstr(process.errors, "chmod 700"));
}

/* ---- a daemon in the place of another ---- */

static struct process successor;

/* Starts one that replaces the daemon, with --allow-group or without. */
static void start_replacing(struct process *process, const struct daemon *daemon, const char *groups,
                            bool lets_in)
{
    const char *const args[] = {"setpriv",   "--reuid",
                                SERVER,      "--regid",
                                SERVER,      "--groups",
                                groups,      UMEMD,
                                "--pipe",    daemon->pipe,
                                "--state",   state_directory,
                                "--replace", lets_in ? "--allow-group" : NULL,
                                GROUP,       NULL};

    assert_int_equal(process_start(process, args, NULL), 0);
}

/* `next` listens, and `before` has ended. */
static void expect_replaced(struct process *before, struct process *next)
{
    if (!process_wait_for(next, "listening on"))
        fail_msg("%s", next->errors);
    assert_non_null(strstr(next->errors, "has handed over"));
    assert_int_equal(process_finish(before), 0);
}

static void a_replacement_lets_in_others_than_before(void **state)
{
    struct daemon *daemon = *state;

    as_user(&member, daemon, connect_to_named_server);
    assert_int_equal(chmod(state_directory, 0700), 0);
    start_replacing(&successor, daemon, GROUP, false);
    expect_replaced(&daemon->process, &successor);
    as_user(&member, daemon, be_kept_out);
    /* Not only by the socket's mode. */
    assert_int_equal(chmod(daemon->pipe, 0666), 0);
    as_user(&member, daemon, be_denied);
    assert_int_equal(chmod(daemon->pipe, 0600), 0);
    start_replacing(&daemon->process, daemon, GROUP, true);
    expect_replaced(&successor, &daemon->process);
    as_user(&member, daemon, connect_to_named_server);
    as_user(&other, daemon, be_kept_out);
}

/* What the new daemon could not do is found before the other one ends. */
static void a_replacement_that_could_not_start(void **state)
{
    struct daemon *daemon = *state;

    /* It is no member of the group. */
    start_replacing(&successor, daemon, SERVER, true);
    assert_int_equal(process_finish(&successor), 3);
    assert_non_null(strstr(successor.errors, "is no member"));
    as_user(&member, daemon, connect_to_named_server);
    /* The directory lets the group through. */
    start_replacing(&successor, daemon, GROUP, false);
    assert_int_equal(process_finish(&successor), 1);
    assert_non_null(strstr(successor.errors, "chmod 700"));
    as_user(&member, daemon, connect_to_named_server);
}

static int to_child[2];  /* a byte: the daemon was replaced */
static int to_parent[2]; /* a byte: the client is connected */

/* A client that connects anew, after calls that are short enough to be looked for without sleep. */
static int outlive_the_daemon(const struct daemon *daemon)
{
    struct umem_options options = {
        .pipe = daemon->pipe, .timeout_ms = 60000, .reconnect_ms = 60000, .server_user = SERVER};
    umem_client *client = umem_client_new(&options);
    int code = umem_connect(client);
    char byte = 1;

    for (int i = 0; i < 200 && code == UMEM_OK; i++)
        code = umem_server_ping(client);
    if (code != UMEM_OK || write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1)
        return 1;
    for (int i = 0; i < 200 && code == UMEM_OK; i++)
        code = umem_server_ping(client);
    if (code != UMEM_OK)
        fprintf(stderr, "%s\n", umem_last_error(client)->message);
    umem_client_free(client);
    return code == UMEM_OK ? 0 : 2;
}

static void a_client_connects_anew_to_the_named_server(void **state)
{
    struct daemon *daemon = *state;
    int status = 0;
    char byte = 1;
    pid_t child;

    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(to_parent), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(become(&member) ? outlive_the_daemon(daemon) : 100);
    close(to_parent[1]);
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    start_replacing(&successor, daemon, GROUP, true);
    expect_replaced(&daemon->process, &successor);
    assert_int_equal(write(to_child[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(to_parent[0]);
    close(to_child[0]);
    close(to_child[1]);
    start_replacing(&daemon->process, daemon, GROUP, true);
    expect_replaced(&successor, &daemon->process);
}

static char endpoint[160]; /* where a daemon would be given the pipe */

static int reach_endpoint(const struct daemon *daemon)
{
    int fd = unix_connect(endpoint, SOCK_STREAM);

    (void)daemon;
    return fd >= 0 ? 0 : 1;
}

static int be_kept_from_endpoint(const struct daemon *daemon)
{
    return reach_endpoint(daemon) == 1 ? 0 : 1;
}

/* Whoever is let in to the pipe is not to what daemons say to each other. */
static void members_take_no_part(void **state)
{
    static const struct um_principal group = {.is_set = true, .number = GROUP_NUMBER, .name = GROUP};
    const struct daemon *daemon = *state;
    struct um_take_over *take_over = NULL;
    struct um_handed handed = {.count = 0};
    char why[512] = "";

    assert_int_equal(um_take_over_open(daemon->pipe, &group, &take_over, why, sizeof why), UMEM_OK);
    snprintf(endpoint, sizeof endpoint, "%s", um_take_over_endpoint(take_over));
    as_user(&member, daemon, be_kept_from_endpoint);
    /* Without its mode, the check of who comes is left. */
    assert_int_equal(chmod(endpoint, 0666), 0);
    as_user(&member, daemon, reach_endpoint);
    assert_int_equal(um_take_over_receive(take_over, &handed, 60000, why, sizeof why), UMEM_E_DENIED);
    um_take_over_close(take_over);
}

/* A member wants the pipe for itself. */
static int ask_for_the_pipe(const struct daemon *daemon)
{
    umem_client *client = new_client(daemon, SERVER);
    int fd = unix_bind(endpoint, SOCK_STREAM);
    char params[256];
    int code;

    snprintf(params, sizeof params, "{\"successor\":\"%s\"}", endpoint);
    if (fd < 0 || chmod(endpoint, 0666) != 0 || listen(fd, 1) != 0 || umem_connect(client) != UMEM_OK)
        return 1;
    code = umem_call(client, "server.shutdown", params, NULL);
    if (code != UMEM_E_DENIED || umem_server_ping(client) != UMEM_OK)
        return 2;
    umem_client_free(client);
    return 0;
}

static void a_member_does_not_get_the_pipe(void **state)
{
    char folder[] = "/tmp/umem-member-XXXXXX";

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chown(folder, MEMBER, MEMBER), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(endpoint, sizeof endpoint, "%s/new", folder);
    as_user(&member, *state, ask_for_the_pipe);
    as_user(&member, *state, connect_to_named_server);
    assert_int_equal(unlink(endpoint), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* Whether another user gets to the programs at all. */
static int find_programs(const struct daemon *daemon)
{
    (void)daemon;
    return access(UMEMD, X_OK) == 0 && access(UMEM, X_OK) == 0 ? 0 : 1;
}

static bool can_run(void)
{
    static struct process process;
    const char *const args[] = {"setpriv", "--version", NULL};
    int status = 0;
    pid_t child;

    if (geteuid() != 0) {
        puts("Left out: other users' programs (only root can become another user)");
        return false;
    }
    if (process_run(&process, args, NULL) != 0) {
        puts("Left out: other users' programs (setpriv is not here)");
        return false;
    }
    child = fork();
    if (child == 0)
        _exit(become(&other) ? find_programs(NULL) : 2);
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
        puts("Left out: other users' programs (they cannot get to " UMEMD ")");
    return WIFEXITED(status) && WEXITSTATUS(status) != 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_use_what_others_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_member_of_many_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_the_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_are_kept_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_name_the_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(umem_names_the_server, set_up, tear_down),
        cmocka_unit_test(a_member_pretends_to_be_the_server),
        cmocka_unit_test(a_daemon_that_is_no_member),
        cmocka_unit_test_setup_teardown(a_start_without_the_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replacement_lets_in_others_than_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replacement_that_could_not_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_connects_anew_to_the_named_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(umem_records_and_replays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_take_no_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_member_does_not_get_the_pipe, set_up, tear_down),
    };

    unsetenv("UMEM_SERVER_USER");
    if (!can_run())
        return SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
