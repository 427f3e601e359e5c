/* umemd's settings: from a file, the environment and the command line, what is wrong in them, and what --print-config says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon_fixture.h"

enum { PATH_SIZE = 512 };

static struct process process;
static char path[PATH_SIZE]; /* with characters that no code page of Windows has together */

static void write_config(const char *text)
{
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_TRUNC, 0600, NULL);

    uv_fs_req_cleanup(&request);
    assert_true(file >= 0);
    assert_int_equal(uv_fs_write(NULL, &request, file, &buf, 1, 0, NULL), strlen(text));
    uv_fs_req_cleanup(&request);
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
}

static int set_up(void **state)
{
    char folder[256];
    size_t size = sizeof folder;

    (void)state;
    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    snprintf(path, sizeof path, "%s/umem-test-%d-\xc3\xa4\xe2\x82\xac\xd0\x96.conf", folder,
             (int)uv_os_getpid());
    return 0;
}

static int tear_down(void **state)
{
    uv_fs_t request;

    (void)state;
    uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
    return 0;
}

/* Runs umemd with the file and some more words. Returns its exit status. */
#define RUN(...) \
    process_run(&process, (const char *const[]){UMEMD, "--config", path, __VA_ARGS__, NULL}, NULL)

static void expect_text(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        print_error("\"%s\" is not in:\n%s\n", part, text);
    assert_non_null(strstr(text, part));
}

/* --print-config shows this value under this origin. The file's name differs from system to system, as its folder may. */
static void expect_setting(const char *origin, const char *value)
{
    const char *at = strstr(process.output, value);
    const char *end = at;

    if (at == NULL || at == process.output)
        print_error("\"%s\" is not in:\n%s\n", value, process.output);
    assert_non_null(at);
    assert_true(at != process.output && at[-1] == '\n');
    /* The line before. */
    at--;
    while (at > process.output && at[-1] != '\n')
        at--;
    assert_true((size_t)(end - at) > strlen(origin));
    assert_memory_equal(end - 1 - strlen(origin), origin, strlen(origin));
}

static void each_source_counts_more_than_the_one_before(void **state)
{
    (void)state;
    write_config("# the first\nlog-level = debug\nguard = yes\n\nlimit.sessions = "
                 "11\nlimit.heaps=0x10\npid-file = a b#c \n");
    assert_int_equal(uv_os_setenv("UMEMD_LIMIT_SESSIONS", "12"), 0);
    assert_int_equal(uv_os_setenv("UMEMD_WIPE", "yes"), 0);
    assert_int_equal(uv_os_setenv("UMEMD_LOG_LEVEL", ""), 0);
    assert_int_equal(RUN("--print-config"), 0);
    expect_setting(".conf, line 2", "log-level = debug\n");
    expect_setting(".conf, line 3", "guard = yes\n");
    expect_setting(".conf, line 6", "limit.heaps = 0x10\n");
    expect_setting(".conf, line 7", "pid-file = a b#c\n");
    expect_setting("# UMEMD_LIMIT_SESSIONS of the environment", "limit.sessions = 12\n");
    expect_setting("# UMEMD_WIPE of the environment", "wipe = yes\n");
    expect_text(process.output, "\n#core-dumps = no\n");
    expect_text(process.output, "\n#limit.waits = 1024\n");
    expect_text(process.output, "\n#limit.bytes = 75 % of the memory\n");
    assert_int_equal(RUN("--print-config", "--limit", "sessions=13", "--limit=sessions=14", "--guard=no",
                         "--wipe", "--pipe=x"),
                     0);
    expect_setting("# the command line", "limit.sessions = 14\n");
    expect_setting("# the command line", "guard = no\n");
    expect_setting("# the command line", "wipe = yes\n");
    expect_setting("# the command line", "pipe = x\n");
    uv_os_unsetenv("UMEMD_LIMIT_SESSIONS");
    uv_os_unsetenv("UMEMD_WIPE");
    uv_os_unsetenv("UMEMD_LOG_LEVEL");
}

static void a_variable_that_is_too_long(void **state)
{
    static char value[9000];

    (void)state;
    memset(value, '1', sizeof value - 1);
    write_config("");
    assert_int_equal(uv_os_setenv("UMEMD_LIMIT_WAITS", value), 0);
    assert_int_equal(RUN("--print-config"), 2);
    assert_string_equal(process.errors, "umemd: UMEMD_LIMIT_WAITS: the value is too long\n");
    uv_os_unsetenv("UMEMD_LIMIT_WAITS");
}

/* What it prints is a file that gives the same. */
static void what_is_printed_can_be_read(void **state)
{
    static char printed[PROCESS_OUTPUT_SIZE];

    (void)state;
    write_config("limit.blocks = 77\nlog-level = warning\n");
    assert_int_equal(RUN("--print-config", "--core-dumps"), 0);
    snprintf(printed, sizeof printed, "%s", process.output);
    write_config(printed);
    assert_int_equal(RUN("--print-config"), 0);
    expect_text(process.output, "\nlimit.blocks = 77\n");
    expect_text(process.output, "\nlog-level = warning\n");
    expect_text(process.output, "\ncore-dumps = yes\n");
}

static void all_errors_are_told_with_their_places(void **state)
{
    static const char *const expected[] = {
        ".conf:2: there is no setting log-levle; did you mean log-level?\n",
        ".conf:3: there are no sections",
        ".conf:5: limit.waits is set in line 4 already\n",
        ".conf:6: --guard is yes or no, not maybe\n",
        ".conf:7: there is no setting limit.sesions; did you mean limit.sessions?\n",
        ".conf:8: daemon is for the command line only\n",
        ".conf:9: the line has no equals sign",
        ".conf:10: a limit is set by limit.NAME = VALUE\n",
        ".conf:11: the limit heaps goes from 1 to ",
        ".conf:12: there is no log level loud; ",
        ".conf:13: the limit blocks takes a value such as ",
        ".conf:14: --log-file is empty\n",
        ".conf:15: there is no setting xyzzy\n",
        "UMEMD_WIPE: --wipe is yes or no, not 1\n",
    };

    (void)state;
    write_config("# 1\nlog-levle = debug\n[daemon]\nlimit.waits = 5\nlimit.waits = 6\nguard = maybe\n"
                 "limit.sesions = 7\ndaemon = yes\nword\nlimit = 3\nlimit.heaps = 0\nlog-level = loud\n"
                 "limit.blocks = many\nlog-file =\nxyzzy = 1\n");
    assert_int_equal(uv_os_setenv("UMEMD_WIPE", "1"), 0);
    /* A daemon does not start, and a check goes on. */
    assert_int_equal(RUN("--pipe", "unused"), 2);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        expect_text(process.errors, expected[i]);
    assert_int_equal(RUN("--check", "--limit", "bytes=1G"), 1);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        expect_text(process.output, expected[i]);
    expect_text(process.output, "ERROR: ");
    expect_text(process.output, "\npipe ");
    expect_text(process.output, "errors.\n");
    uv_os_unsetenv("UMEMD_WIPE");
    /* What is wrong on the command line is told alone. */
    assert_int_equal(RUN("--check", "--limit", "sesions=1"), 2);
    assert_string_equal(process.errors, "umemd: there is no limit sesions (see umemd --help)\n");
    assert_int_equal(RUN("--guard="), 2);
    assert_int_equal(RUN("--guard=on"), 2);
    expect_text(process.errors, "--guard is yes or no, not on");
}

static void files_that_are_not_read(void **state)
{
    static char large[70000];

    uv_fs_t request;

    (void)state;
    uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
    assert_int_equal(RUN("--print-config"), 2);
    expect_text(process.errors, ".conf: no such file or directory\n");
    memset(large, '#', sizeof large - 1);
    write_config(large);
    assert_int_equal(RUN("--print-config"), 2);
    expect_text(process.errors, ".conf: it has more than 65536 bytes\n");
    large[65536] = '\0';
    write_config(large);
    assert_int_equal(RUN("--print-config"), 0);
    /* The environment names one, and the command line counts more. */
    write_config("limit.waits = 21\n");
    assert_int_equal(uv_os_setenv("UMEMD_CONFIG", path), 0);
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--print-config", NULL}, NULL), 0);
    expect_setting(".conf, line 1", "limit.waits = 21\n");
    assert_int_equal(
        process_run(&process, (const char *const[]){UMEMD, "--config=none", "--print-config", NULL}, NULL),
        0);
    expect_text(process.output, "# No configuration file is read.\n");
    expect_text(process.output, "\n#limit.waits = 1024\n");
    assert_int_equal(uv_os_setenv("UMEMD_CONFIG", "none"), 0);
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--print-config", NULL}, NULL), 0);
    expect_text(process.output, "# No configuration file is read.\n");
}

static void make_folder(const char *name)
{
    uv_fs_t request;

    assert_int_equal(uv_fs_mkdir(NULL, &request, name, 0700, NULL), 0);
    uv_fs_req_cleanup(&request);
}

static void remove_folder(const char *name)
{
    uv_fs_t request;

    assert_int_equal(uv_fs_rmdir(NULL, &request, name, NULL), 0);
    uv_fs_req_cleanup(&request);
}

static void the_default_place(void **state)
{
    char home[PATH_SIZE];
    char folder[PATH_SIZE + 8];
    uv_fs_t request;

    (void)state;
    snprintf(home, sizeof home, "%.400s.d", path);
    snprintf(folder, sizeof folder, "%s/umemd", home);
    snprintf(path, sizeof path, "%.450s/umemd.conf", folder);
    make_folder(home);
    make_folder(folder);
    write_config("limit.waits = 22\n");
    assert_int_equal(uv_os_setenv("XDG_CONFIG_HOME", home), 0);
    assert_int_equal(uv_os_setenv("APPDATA", home), 0);
    assert_int_equal(uv_os_unsetenv("UMEMD_CONFIG"), 0);
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--print-config", NULL}, NULL), 0);
    expect_setting("umemd.conf, line 1", "limit.waits = 22\n");
    assert_int_equal(
        process_run(&process, (const char *const[]){UMEMD, "--config", "none", "--print-config", NULL}, NULL),
        0);
    expect_text(process.output, "# No configuration file is read.\n");
    /* On Windows the folder's rights are the file's. */
    if (strcmp(BACKEND, "posix") == 0) {
        assert_int_equal(uv_fs_chmod(NULL, &request, path, 0602, NULL), 0);
        uv_fs_req_cleanup(&request);
        assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--print-config", NULL}, NULL),
                         2);
        expect_text(process.errors, "umemd.conf: another user may write it; ");
    }
    assert_int_equal(uv_fs_unlink(NULL, &request, path, NULL), 0);
    uv_fs_req_cleanup(&request);
    remove_folder(folder);
    /* Where there is none, none is read. */
    assert_int_equal(process_run(&process, (const char *const[]){UMEMD, "--print-config", NULL}, NULL), 0);
    assert_null(strstr(process.output, home));
    remove_folder(home);
    assert_int_equal(uv_os_setenv("UMEMD_CONFIG", "none"), 0);
}

/* A daemon works with what the file says. */
static void a_daemon_with_a_file(void **state)
{
    static struct daemon daemon;
    char text[256];
    umem_client *client;
    struct umem_server_info *info = NULL;
    unsigned found = 0;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(text, sizeof text, "pipe = %s\nguard = yes\nlimit.watches = 17\n", daemon.pipe);
    write_config(text);
    assert_int_equal(
        process_start(&daemon.process, (const char *const[]){UMEMD, "--config", path, NULL}, NULL), 0);
    assert_true(process_wait_for(&daemon.process, "listening on"));
    client = daemon_connect(&daemon);
    ok(client, umem_server_info(client, &info));
    for (size_t i = 0; i < info->feature_count; i++)
        found += strcmp(info->features[i], "guard") == 0;
    for (size_t i = 0; i < info->limit_count; i++)
        found += strcmp(info->limits[i].name, "watches") == 0 && info->limits[i].value == 17;
    assert_int_equal(found, 2);
    umem_free_server_info(info);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(daemon.pipe);
}

/* ---- reading them again ---- */

static uint64_t limit_of(umem_client *client, const char *name)
{
    struct umem_server_info *info = NULL;
    uint64_t value = 0;

    ok(client, umem_server_info(client, &info));
    for (size_t i = 0; i < info->limit_count; i++) {
        if (strcmp(info->limits[i].name, name) == 0)
            value = info->limits[i].value;
    }
    umem_free_server_info(info);
    return value;
}

static void expect_report(umem_client *client, const char *applied, const char *restart)
{
    char expected[256];
    char *report = NULL;

    ok(client, umem_server_reload(client, &report));
    snprintf(expected, sizeof expected, "\"applied\":[%s],\"restart\":[%s]}", applied, restart);
    expect_text(report, expected);
    umem_free_text(report);
}

static void start_with_file(struct daemon *daemon, const char *more)
{
    pipe_name_make(daemon->pipe, sizeof daemon->pipe);
    assert_int_equal(process_start(&daemon->process,
                                   (const char *const[]){UMEMD, "--config", path, "--pipe", daemon->pipe,
                                                         "--limit=holds=1000", more, NULL},
                                   NULL),
                     0);
    assert_true(process_wait_for(&daemon->process, "listening on"));
}

static void what_can_change_does(void **state)
{
    static struct daemon daemon;
    umem_client *client;
    umem_handle block = 0;

    (void)state;
    write_config("limit.blocks = 1\nlimit.sessions = 100\nguard = no\nlimit.watches = 7\n");
    start_with_file(&daemon, NULL);
    client = daemon_connect(&daemon);
    expect_report(client, "", "");
    ok(client, umem_block_alloc(client, 1000, NULL, &block));
    expect_code(client, umem_block_alloc(client, 1000, NULL, &block), UMEM_E_LIMIT_EXCEEDED);
    /* More of it; the command line still counts more; what is not given any more has its default. */
    write_config("limit.blocks = 2\nlimit.sessions = 200\nlimit.holds = 5\nlog-level = debug\n"
                 "guard = yes\nlimit.message_bytes = 1M\npid-file = x\n");
    expect_report(client, "\"log-level\",\"limit.sessions\",\"limit.blocks\",\"limit.watches\"",
                  "\"pid-file\",\"guard\",\"limit.message_bytes\"");
    assert_int_equal(limit_of(client, "blocks"), 2);
    assert_int_equal(limit_of(client, "holds"), 1000);
    assert_int_equal(limit_of(client, "watches"), 1024);
    assert_int_equal(limit_of(client, "message_bytes"), 16777216);
    ok(client, umem_block_alloc(client, 1000, NULL, &block));
    expect_code(client, umem_block_alloc(client, 1000, NULL, &block), UMEM_E_LIMIT_EXCEEDED);
    assert_int_equal(limit_of(client, "sessions"), 200);
    /* What only a restart applies is told every time. */
    expect_report(client, "", "\"pid-file\",\"guard\",\"limit.message_bytes\"");
    /* Less than what is in use: it stays, and nothing is added. */
    write_config(
        "limit.blocks = 1\nlimit.bytes = 1024\nlimit.session_bytes = 1024\nlimit.gathered_bytes=65536\n"
        "limit.unsent_total_bytes = 65536\nlimit.sessions = 100\nlimit.turn_requests = 1\n");
    expect_report(client,
                  "\"log-level\",\"limit.sessions\",\"limit.gathered_bytes\",\"limit.bytes\",\"limit.session_"
                  "bytes\",\"limit.blocks\",\"limit.unsent_total_bytes\",\"limit.turn_requests\"",
                  "");
    ok(client, umem_block_write(client, block, 0, "hello", 5));
    expect_code(client, umem_block_alloc(client, 1, NULL, &block), UMEM_E_LIMIT_EXCEEDED);
    write_config("limit.turn_requests = 256\n");
    expect_report(
        client,
        "\"limit.sessions\",\"limit.gathered_bytes\",\"limit.bytes\",\"limit.session_bytes\",\"limit."
        "blocks\",\"limit.unsent_total_bytes\",\"limit.turn_requests\"",
        "");
    ok(client, umem_block_alloc(client, 1 << 20, NULL, &block));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    expect_text(daemon.process.errors, " info log-level has a new value\n");
    expect_text(daemon.process.errors,
                " warning pid-file has another value now, which only a restart applies\n");
    expect_text(daemon.process.errors, " info the settings are read again, from ");
    pipe_name_remove(daemon.pipe);
}

static void a_wrong_file_changes_nothing(void **state)
{
    static struct daemon daemon;
    umem_client *client;
    char *report = NULL;
    uv_fs_t request;

    (void)state;
    write_config("limit.blocks = 10\n");
    start_with_file(&daemon, NULL);
    client = daemon_connect(&daemon);
    write_config("limit.blocks = 11\nlimit.heaps = 12\nlog-levle = debug\nlimit.waits = x\n");
    expect_code(client, umem_server_reload(client, &report), UMEM_E_BAD_SETTINGS);
    assert_null(report);
    expect_text(umem_last_error(client)->message, "nothing was changed: ");
    expect_text(umem_last_error(client)->message,
                ".conf:3: there is no setting log-levle; did you mean log-level?");
    assert_int_equal(limit_of(client, "blocks"), 10);
    /* A file that was named must be there. */
    uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
    expect_code(client, umem_server_reload(client, &report), UMEM_E_BAD_SETTINGS);
    assert_int_equal(limit_of(client, "blocks"), 10);
    write_config("");
    assert_int_equal(
        process_run(&process, (const char *const[]){UMEM, "--pipe", daemon.pipe, "reload", NULL}, NULL), 0);
    expect_text(process.output, "[\"limit.blocks\"]");
    assert_int_equal(limit_of(client, "blocks"), 16777216);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    expect_text(daemon.process.errors, " error the settings stay as they are\n");
    expect_text(daemon.process.errors, ".conf:4: the limit waits takes a value such as ");
    pipe_name_remove(daemon.pipe);
}

/* Appends what is in a file to a text, and removes the file, which must be there. */
static void take_file(const char *name, char *text, size_t size)
{
    size_t used = strlen(text);
    uv_buf_t buf = uv_buf_init(text + used, (unsigned)(size - 1 - used));
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, name, UV_FS_O_RDONLY, 0, NULL);
    int got;

    uv_fs_req_cleanup(&request);
    assert_true(file >= 0);
    got = uv_fs_read(NULL, &request, file, &buf, 1, 0, NULL);
    uv_fs_req_cleanup(&request);
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    uv_fs_unlink(NULL, &request, name, NULL);
    uv_fs_req_cleanup(&request);
    assert_true(got >= 0);
    text[used + (size_t)got] = '\0';
}

/* A log that was renamed is made again: on Windows this is the way. */
static void a_reload_reopens_the_log(void **state)
{
    static struct daemon daemon;
    char log[PATH_SIZE + 8];
    char moved[PATH_SIZE + 16];
    char pid_file[PATH_SIZE + 8];
    char text[4096] = "";
    const char *const args[] = {UMEMD,        "--pipe", daemon.pipe, "--log-file", log,
                                "--pid-file", pid_file, "--daemon",  NULL};
    umem_client *client;
    uv_fs_t request;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(log, sizeof log, "%s.log", path);
    snprintf(moved, sizeof moved, "%s.1", log);
    snprintf(pid_file, sizeof pid_file, "%s.pid", path);
    assert_int_equal(process_run(&process, args, NULL), 0);
    client = daemon_connect(&daemon);
    assert_int_equal(uv_fs_rename(NULL, &request, log, moved, NULL), 0);
    uv_fs_req_cleanup(&request);
    expect_report(client, "", "");
    ok(client, umem_server_shutdown(client));
    while (umem_server_ping(client) == UMEM_OK)
        continue;
    umem_client_free(client);
    /* The file of its process id is the last thing that it removes, and its log is written then or soon after. */
    while (uv_fs_access(NULL, &request, pid_file, 0, NULL) == 0 ||
           uv_fs_access(NULL, &request, log, 0, NULL) != 0)
        uv_sleep(1);
    /* A line that waited when the log was reopened is in the new file. */
    take_file(moved, text, sizeof text);
    take_file(log, text, sizeof text);
    expect_text(text, "listening on ");
    pipe_name_remove(daemon.pipe);
}

/* A client that requests it without end fills no disk. */
static void reloads_are_not_logged_without_end(void **state)
{
    static struct daemon daemon;
    unsigned found = 0;
    umem_client *client;

    (void)state;
    write_config("pid-file = x\n");
    start_with_file(&daemon, NULL);
    write_config("pid-file = y\n");
    client = daemon_connect(&daemon);
    for (int i = 0; i < 200; i++)
        expect_report(client, "", "\"pid-file\"");
    /* What changes is always logged. */
    write_config("log-level = debug\n");
    expect_report(client, "\"log-level\"", "\"pid-file\"");
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    for (const char *at = daemon.process.errors; (at = strstr(at, "pid-file has another value")) != NULL;
         at++)
        found++;
    assert_in_range(found, 10, 100);
    expect_text(daemon.process.errors, " info log-level has a new value\n");
    pipe_name_remove(daemon.pipe);
}

/* A signal, where there are any. */
static void a_signal_requests_it(void **state)
{
    static struct daemon daemon;

    (void)state;
    if (strcmp(BACKEND, "posix") != 0)
        skip();
    write_config("limit.blocks = 10\n");
    start_with_file(&daemon, NULL);
    write_config("limit.blocks = 11\n");
    assert_int_equal(uv_process_kill(&daemon.process.child, 1 /* SIGHUP */), 0);
    assert_true(process_wait_for(&daemon.process, "limit.blocks has a new value"));
    write_config("limit.blocks = 0\n");
    assert_int_equal(uv_process_kill(&daemon.process.child, 1 /* SIGHUP */), 0);
    assert_true(process_wait_for(&daemon.process, "the settings stay as they are"));
    assert_int_equal(daemon_shutdown(&daemon), 0);
    pipe_name_remove(daemon.pipe);
}

/* ---- what is logged ---- */

/* Runs umem's verb with one word, in a process of its own, which is one session. Its end is logged after that process has ended, so it is
 * waited for. */
static void run_umem(const struct daemon *daemon, umem_client *client, int status, const char *verb,
                     const char *word)
{
    enum { TRIES = 100000 };
    struct umem_server_stats stats = {0};

    assert_int_equal(
        process_run(&process, (const char *const[]){UMEM, "--pipe", daemon->pipe, verb, word, NULL}, NULL),
        status);
    for (int tries = 0; stats.sessions != 1; tries++) {
        assert_true(tries < TRIES);
        ok(client, umem_server_stats(client, &stats));
    }
}

/* There is a line with this session. (On Windows, a daemon that checks its pipe is its own first client.) */
#define expect_line(text, session, form) \
    do { \
        char line[128]; \
        snprintf(line, sizeof line, form, (unsigned long long)(session)); \
        expect_text(text, line); \
    } while (0)

/* Calls and sessions are logged, nothing that blocks hold, and a name cannot forge a line. */
static void calls_are_logged(void **state)
{
    static struct daemon daemon;
    struct umem_session_info own;
    umem_client *client;
    umem_handle block = 0;
    char text[PROCESS_OUTPUT_SIZE];

    (void)state;
    write_config("");
    start_with_file(&daemon, NULL);
    client = daemon_connect(&daemon);
    ok(client, umem_session_info(client, &own));
    ok(client, umem_block_alloc(client, 1000, NULL, &block));
    write_config("log-calls = yes\n");
    expect_report(client, "\"log-calls\"", "");
    ok(client, umem_block_write(client, block, 0, "secret", 6));
    expect_code(client, umem_block_lookup(client, "a\n2026-01-01T00:00:00.000Z error b", &block),
                UMEM_E_UNKNOWN_HANDLE);
    run_umem(&daemon, client, 0, "ping", NULL);
    write_config("log-format = json\nlog-calls = yes\n");
    expect_report(client, "\"log-format\"", "");
    run_umem(&daemon, client, 1, "read", "nobody");
    write_config("");
    expect_report(client, "\"log-format\",\"log-calls\"", "");
    run_umem(&daemon, client, 1, "read", "unseen");
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    snprintf(text, sizeof text, "%s", daemon.process.errors);
    expect_line(text, own.session, " info call session=%llu method=block.write block=");
    expect_text(text, " method=block.info block=\"a\\u000a2026-01-01T00:00:00.000Z error b\" us=");
    expect_text(text, " error=unknown_handle\n");
    expect_line(text, own.session + 1, " info open session=%llu pid=");
    expect_line(text, own.session + 1, " info close session=%llu\n");
    expect_line(text, own.session + 2, "\"level\":\"info\",\"event\":\"open\",\"session\":%llu,\"pid\":");
    expect_line(text, own.session + 2,
                "\"event\":\"call\",\"session\":%llu,\"method\":\"block.info\",\"block\":\"nobody\",\"us\":");
    expect_text(text, ",\"error\":\"unknown_handle\"}\n");
    assert_null(strstr(text, "secret"));
    assert_null(strstr(text, "c2VjcmV0"));
    assert_null(strstr(text, "unseen"));
    assert_null(strstr(text, "\n2026-01-01"));
    pipe_name_remove(daemon.pipe);
}

/* Each session has its lines, and no call has one. */
static void sessions_are_logged(void **state)
{
    static struct daemon daemon;
    struct umem_session_info own;
    umem_client *client;
    char text[PROCESS_OUTPUT_SIZE];

    (void)state;
    write_config("");
    start_with_file(&daemon, NULL);
    client = daemon_connect(&daemon);
    ok(client, umem_session_info(client, &own));
    run_umem(&daemon, client, 0, "ping", NULL);
    write_config("log-sessions = yes\n");
    expect_report(client, "\"log-sessions\"", "");
    run_umem(&daemon, client, 0, "ping", NULL);
    write_config("");
    expect_report(client, "\"log-sessions\"", "");
    run_umem(&daemon, client, 0, "ping", NULL);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    snprintf(text, sizeof text, "%s", daemon.process.errors);
    expect_line(text, own.session + 2, " info open session=%llu pid=");
    expect_text(text, " program=umem");
    expect_text(text, " user=");
    expect_line(text, own.session + 2, " info close session=%llu\n");
    /* Of the two others that umem has opened there is none. */
    assert_null(strstr(strstr(text, " info open ") + 1, " info open "));
    assert_null(strstr(text, " info call "));
    pipe_name_remove(daemon.pipe);
}

/* A call that takes long, and one that only waits. */
static void slow_calls_are_logged(void **state)
{
    enum { LARGE = 1 << 28 };
    static struct daemon daemon;
    const uint8_t zero = 0;
    umem_client *client;
    umem_handle block = 0;
    uint8_t found = 0;

    (void)state;
    write_config("slow-ms = 1\nlog-level = warning\nlimit.session_bytes = 1G\n");
    start_with_file(&daemon, "--log-level=info");
    client = daemon_connect(&daemon);
    ok(client, umem_block_alloc(client, LARGE, NULL, &block));
    ok(client, umem_block_fill(client, block, 0, 1, UMEM_TO_END));
    expect_code(client, umem_block_wait(client, block, 0, UMEM_TYPE_U8, &(uint8_t){1}, 20, &found),
                UMEM_E_TIMEOUT);
    ok(client, umem_block_write(client, block, 0, &zero, 1));
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&daemon), 0);
    expect_text(daemon.process.errors, " method=block.fill block=");
    expect_text(daemon.process.errors, " warning slow session=");
    assert_null(strstr(daemon.process.errors, "block.wait"));
    pipe_name_remove(daemon.pipe);
    assert_int_equal(RUN("--slow-ms=1k"), 2);
    expect_text(process.errors, "slow-ms is a number of milliseconds up to 86400000, not 1k (");
    assert_int_equal(RUN("--slow-ms", "86400001"), 2);
    assert_int_equal(RUN("--slow-ms", "86400000", "--print-config"), 0);
}

static void where_the_log_may_go(void **state)
{
    const char *other = strcmp(BACKEND, "posix") == 0 ? "eventlog" : "syslog";
    const char *own = strcmp(BACKEND, "posix") == 0 ? "syslog" : "eventlog";
    char expected[128];

    (void)state;
    write_config("");
    assert_int_equal(RUN("--log", other), 2);
    snprintf(expected, sizeof expected, "the log cannot go to %s here; it can go to stderr, file and %s (",
             other, own);
    expect_text(process.errors, expected);
    assert_int_equal(RUN("--log=file"), 2);
    expect_text(process.errors, "needs the file's name: --log-file FILE (");
    assert_int_equal(RUN("--log-format=xml"), 2);
    expect_text(process.errors, "there is no log format xml; there are text and json (");
    assert_int_equal(RUN("--print-config", "--log", own, "--log-format", "json", "--log-file=x"), 0);
}

/* --log counts more than --log-file: what a file of settings has can be overruled. */
static void a_daemon_that_logs_json(void **state)
{
    static struct daemon daemon;
    char log[PATH_SIZE + 64];
    uv_fs_t request;

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(log, sizeof log, "log-format = json\nlog-file = %s.log\n", path);
    write_config(log);
    snprintf(log, sizeof log, "%s.log", path);
    assert_int_equal(process_start(&daemon.process,
                                   (const char *const[]){UMEMD, "--config", path, "--pipe", daemon.pipe,
                                                         "--log", "stderr", NULL},
                                   NULL),
                     0);
    assert_true(process_wait_for(&daemon.process, "\",\"level\":\"info\",\"text\":\"listening on "));
    assert_int_equal(daemon_shutdown(&daemon), 0);
    assert_int_not_equal(uv_fs_access(NULL, &request, log, 0, NULL), 0);
    uv_fs_req_cleanup(&request);
    pipe_name_remove(daemon.pipe);
}

/* The event log is there on every Windows; a syslog is not everywhere, and then a daemon says so. */
static void a_daemon_that_logs_to_the_system(void **state)
{
    static struct daemon daemon;
    const char *own = strcmp(BACKEND, "posix") == 0 ? "syslog" : "eventlog";
    const char *const args[] = {UMEMD, "--pipe", daemon.pipe, "--daemon", "--log", own, NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    if (process_run(&daemon.process, args, NULL) == 0) {
        umem_client *client = daemon_connect(&daemon);

        ok(client, umem_server_shutdown(client));
        while (umem_server_ping(client) == UMEM_OK)
            continue;
        umem_client_free(client);
    } else {
        assert_string_equal(BACKEND, "posix");
        expect_text(daemon.process.errors, "the system's log /dev/log cannot be reached: ");
    }
    pipe_name_remove(daemon.pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_source_counts_more_than_the_one_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_variable_that_is_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_printed_can_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_errors_are_told_with_their_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_default_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_can_change_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_file_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_reopens_the_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reloads_are_not_logged_without_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signal_requests_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_are_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_are_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_calls_are_logged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_the_log_may_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_daemon_that_logs_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_daemon_that_logs_to_the_system, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_daemon_with_a_file, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
