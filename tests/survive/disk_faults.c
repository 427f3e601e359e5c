/*
 * Has every call fail once that umemd makes about the files of its state directory, one in each life of a daemon.
 *
 *     disk_faults UMEMD PRELOAD [EVERY]
 *
 * PRELOAD is disk_preload.c. A daemon that cannot start says why and changes nothing. One that runs answers every request: with a result, which
 * is there when the daemon is started again, or with an error; and serves on. EVERY: only each so manieth call.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "power_failure.h"
#include "test_process.h"
#include "umem_client.h"

enum { CALLS_LIMIT = 2000, STEPS = 14 };

static const char *umemd;
static const char *preload;
static char pipe_name[128];
static char base_path[512];
static char state_path[512];
static char report_path[600];
static struct process process;
static umem_client *client;

static const struct fault {
    const char *name;
    int error; /* 0: a write that does a half */
} faults[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EMFILE", EMFILE}, {"EINTR", EINTR}, {"a short write", 0}};

static struct {
    const char *sync;
    const struct fault *fault;
    unsigned long nth;
} now;

#define FAIL(...) \
    (fprintf(stderr, "--sync %s, call %lu, %s: ", now.sync, now.nth, \
             now.fault != NULL ? now.fault->name : "no fault"), \
     fprintf(stderr, __VA_ARGS__), fprintf(stderr, "\n%s\n", process.errors), exit(EXIT_FAILURE))

/* ---- the daemon ---- */

static void set_number(const char *name, unsigned long number)
{
    char text[32];

    snprintf(text, sizeof text, "%lu", number);
    (void)uv_os_setenv(name, text);
}

/* Returns whether it runs. */
static bool start_daemon(const char *state)
{
    const char *const args[] = {umemd, "--pipe", pipe_name, "--state", state, "--sync", now.sync, NULL};
    const struct umem_options options = {.pipe = pipe_name, .timeout_ms = 30000};
    bool runs;

    if (now.fault != NULL) {
        (void)uv_os_setenv("LD_PRELOAD", preload);
        (void)uv_os_setenv("DISK_DIRECTORY", state);
        (void)uv_os_setenv("DISK_REPORT", report_path);
        set_number("DISK_FAILS", now.nth);
        set_number("DISK_ERROR", (unsigned long)now.fault->error);
    }
    if (process_start(&process, args, NULL) != 0)
        FAIL("umemd cannot be started");
    (void)uv_os_unsetenv("LD_PRELOAD");
    runs = process_wait_for(&process, "listening on");
    if (!runs) {
        if (process_finish(&process) == 0)
            FAIL("umemd ended without an error");
        return false;
    }
    client = umem_client_new(&options);
    if (umem_connect(client) != UMEM_OK)
        FAIL("%s", umem_last_error(client)->message);
    return true;
}

static void kill_daemon(void)
{
    umem_client_free(client);
    process_kill(&process);
    (void)process_finish(&process);
}

/* ---- directories ---- */

static void make_directory(char path[512])
{
    char folder[256];
    size_t size = sizeof folder;
    uv_fs_t request;

    if (uv_os_tmpdir(folder, &size) != 0)
        FAIL("no temporary directory");
    snprintf(path, 512, "%s/umem-faults-XXXXXX", folder);
    if (uv_fs_mkdtemp(NULL, &request, path, NULL) != 0)
        FAIL("no temporary directory");
    snprintf(path, 512, "%s", request.path);
    uv_fs_req_cleanup(&request);
}

static void copy_base(void)
{
    uv_fs_t request;
    uv_dirent_t entry;

    power_failure_remove(state_path);
    if (uv_fs_scandir(NULL, &request, base_path, 0, NULL) < 0)
        FAIL("no base");
    while (uv_fs_scandir_next(&request, &entry) == 0) {
        char from[1024];
        char to[1024];
        uv_fs_t copy;

        snprintf(from, sizeof from, "%s/%s", base_path, entry.name);
        snprintf(to, sizeof to, "%s/%s", state_path, entry.name);
        if (uv_fs_copyfile(NULL, &copy, from, to, 0, NULL) != 0)
            FAIL("%s cannot be copied", from);
        uv_fs_req_cleanup(&copy);
    }
    uv_fs_req_cleanup(&request);
}

/* ---- the requests ---- */

static umem_handle make_heap(const char *name, int *code)
{
    const struct umem_heap_options options = {
        .kind = UMEM_HEAP_SHARED, .lifetime = UMEM_LIFETIME_DURABLE, .maximum_size = 1 << 20, .name = name};
    umem_handle heap = 0;

    *code = umem_heap_create(client, &options, &heap);
    return heap;
}

static int put(const char *heap_name, const char *name, const char *text)
{
    struct umem_block_options options = {0};
    int code = umem_heap_lookup(client, heap_name, &options.heap);

    return code != UMEM_OK ? code : umem_put(client, name, text, strlen(text), &options, NULL);
}

/* What is published under a name: "" for nothing. */
static void get(const char *name, char text[64])
{
    size_t size = 0;
    int code = umem_get_into(client, name, text, 63, &size);

    if (code != UMEM_OK && code != UMEM_E_UNKNOWN_HANDLE)
        FAIL("%s cannot be read: %s", name, umem_last_error(client)->message);
    text[code == UMEM_OK ? size : 0] = '\0';
}

static void expect_text(const char *name, const char *one, const char *other)
{
    char text[64];

    get(name, text);
    if (strcmp(text, one) != 0 && strcmp(text, other) != 0)
        FAIL("%s is \"%s\", not \"%s\" or \"%s\"", name, text, one, other);
}

/* The changes, in their order, with what they leave under a name. */
static int change(int step)
{
    umem_handle block = 0;
    umem_handle heap = 0;
    int code = UMEM_OK;

    if (step == 0) {
        (void)make_heap("new", &code);
        return code;
    }
    if (step == STEPS - 1) {
        code = umem_heap_lookup(client, "new", &heap);
        return code != UMEM_OK ? code : umem_heap_destroy(client, heap, NULL, NULL);
    }
    if (step % 4 == 1)
        return put("old", "a", step < 5 ? "one" : step < 9 ? "two" : "three");
    if (step % 4 == 2)
        return put("new", "n", "fresh");
    code = umem_block_lookup(client, "large", &block);
    if (code == UMEM_OK && step % 4 == 3)
        return umem_block_resize(client, block, (uint64_t)step * 10000, 0);
    if (code == UMEM_OK)
        code = umem_heap_lookup(client, "old", &heap);
    return code != UMEM_OK ? code : umem_heap_flush(client, heap);
}

/* The heap's files could not be opened, which the daemon has logged. */
static bool is_lost;

/* All that may be answered; a session is never closed. */
static bool is_answer(int code)
{
    return code == UMEM_OK || code == UMEM_E_NO_MEMORY || code == UMEM_E_CORRUPTED ||
           code == UMEM_E_UNKNOWN_HANDLE || code == UMEM_E_STALE_HANDLE;
}

static void check_served(void)
{
    if (umem_server_ping(client) != UMEM_OK)
        FAIL("it does not serve: %s", umem_last_error(client)->message);
    if (!is_lost)
        expect_text("kept", "as it was", "as it was");
}

/* Returns what "a" must be then, or may be, too. */
static void run_session(char certain[64], char possible[64])
{
    static const char *const texts[] = {"one", "two", "three"};
    int put_count = 0;
    bool is_broken = false;

    for (int step = 0; step < STEPS; step++) {
        int code = change(step);

        if (!is_answer(code))
            FAIL("step %d: %s", step, umem_last_error(client)->message);
        if (code != UMEM_OK && now.fault->error == 0)
            FAIL("step %d fails, though a write was only short: %s", step, umem_last_error(client)->message);
        if (step % 4 == 1 && step != STEPS - 1) {
            if (code == UMEM_OK)
                snprintf(certain, 64, "%s", texts[put_count]);
            /* The first that could not be written may be there; what comes later is refused. */
            if (code == UMEM_OK || (code == UMEM_E_CORRUPTED && !is_broken))
                snprintf(possible, 64, "%s", texts[put_count]);
            is_broken |= code == UMEM_E_CORRUPTED;
            put_count++;
            expect_text("a", certain, possible);
        }
        check_served();
    }
}

/* ---- lives ---- */

static bool has_failed(void)
{
    uv_fs_t request;
    bool found = uv_fs_stat(NULL, &request, report_path, NULL) == 0;

    uv_fs_req_cleanup(&request);
    return found;
}

static void run_life(void)
{
    char certain[64] = "";
    char possible[64] = "";
    const struct fault *fault = now.fault;
    bool was_started;

    remove(report_path);
    copy_base();
    was_started = start_daemon(state_path);
    is_lost = strstr(process.errors, "warning") != NULL;
    if (is_lost && strstr(process.errors, state_path) == NULL)
        FAIL("it does not say where");
    if (was_started) {
        run_session(certain, possible);
        kill_daemon();
    } else if (strstr(process.errors, state_path) == NULL) {
        FAIL("it does not say where");
    }
    /* The same directory, where nothing fails. */
    now.fault = NULL;
    if (!start_daemon(state_path))
        FAIL("it does not start again");
    now.fault = fault;
    is_lost = false;
    if (strstr(process.errors, "warning") != NULL)
        FAIL("it warns");
    check_served();
    expect_text("a", certain, possible);
    kill_daemon();
}

static void make_base(void)
{
    int code;

    if (!start_daemon(base_path))
        FAIL("umemd does not start");
    (void)make_heap("old", &code);
    if (code != UMEM_OK || put("old", "kept", "as it was") != UMEM_OK ||
        put("old", "large", "1") != UMEM_OK || umem_server_shutdown(client) != UMEM_OK)
        FAIL("%s", umem_last_error(client)->message);
    umem_client_free(client);
    (void)process_finish(&process);
}

int main(int argc, char **argv)
{
    static const char *const syncs[] = {"second", "always"};
    unsigned long every = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    unsigned long lives = 0;

    if (argc < 3 || every == 0) {
        fprintf(stderr, "usage: disk_faults UMEMD PRELOAD [EVERY]\n");
        return 2;
    }
    umemd = argv[1];
    preload = argv[2];
    now.sync = "second";
    pipe_name_make(pipe_name, sizeof pipe_name);
    make_directory(base_path);
    make_directory(state_path);
    snprintf(report_path, sizeof report_path, "%s.report", base_path);
    make_base();
    for (size_t i = 0; i < 2 * sizeof faults / sizeof faults[0]; i++) {
        bool failed = true;

        now.sync = syncs[i % 2];
        for (now.nth = 1 + i % every; failed; now.nth += every) {
            now.fault = &faults[i / 2];
            if (now.nth > CALLS_LIMIT)
                FAIL("so many calls?");
            run_life();
            failed = has_failed();
            lives += failed;
        }
        printf("--sync %s, %s: up to call %lu\n", now.sync, faults[i / 2].name, now.nth);
        fflush(stdout);
    }
    now.fault = NULL;
    power_failure_remove(base_path);
    power_failure_remove(state_path);
    remove(base_path);
    remove(state_path);
    remove(report_path);
    pipe_name_remove(pipe_name);
    if (lives == 0)
        FAIL("no call was made to fail");
    printf("%lu calls failed\n", lives);
    return 0;
}
