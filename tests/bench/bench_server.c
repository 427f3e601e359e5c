#include "bench_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "bench_common.h"
#include "drive.h"
#include "echo.h"

enum { RUNNING_MAX = 16, ARGUMENTS_MAX = 24 };

/* How a kind is started, and the request that shows that it answers. */
struct kind {
    const char *name;
    const char *program; /* looked for in PATH; NULL: umemd's is given, echo's is this program */
    const char *arguments[ARGUMENTS_MAX]; /* PATH stands for the socket, FOLDER for a directory of its own */
    const char *ping;                     /* the shortest request */
    const char *version_option;
};

static const struct kind kinds[SERVER_KINDS] = {
    [SERVER_UMEMD] = {"umemd",
                      NULL,
                      {"--pipe", "PATH", "--log-level", "warning"},
                      "{\"method\":\"server.ping\"}\n",
                      "--version"},
    /* Nothing is saved, as umemd saves nothing. */
    [SERVER_REDIS] = {"Redis",
                      "redis-server",
                      {"--port", "0", "--unixsocket", "PATH", "--save", "", "--appendonly", "no", "--dir",
                       "FOLDER", "--maxclients", "4096", "--loglevel", "warning"},
                      "*1\r\n$4\r\nPING\r\n",
                      "--version"},
    /* With its defaults, but capacity for the largest workload. It refuses to run as root without -u. */
    [SERVER_MEMCACHED] = {"memcached",
                          "memcached",
                          {"-s", "PATH", "-m", "4096", "-I", "8m", "-c", "4096", "-u", "USER"},
                          "version\r\n",
                          "--version"},
    [SERVER_ECHO] = {"libuv", NULL, {NULL}, "", NULL},
    /* Durable heaps: what a request has changed is in the file before its answer, and on the disk within a second. */
    [SERVER_UMEMD_STATE] = {"umemd with --state",
                            NULL,
                            {"--pipe", "PATH", "--log-level", "warning", "--state", "FOLDER"},
                            "{\"method\":\"server.ping\"}\n",
                            "--version"},
    [SERVER_UMEMD_ALWAYS] = {"umemd with --sync always",
                             NULL,
                             {"--pipe", "PATH", "--log-level", "warning", "--state", "FOLDER", "--sync",
                              "always"},
                             "{\"method\":\"server.ping\"}\n",
                             "--version"},
    [SERVER_REDIS_EVERYSEC] = {"Redis, appendonly everysec",
                               "redis-server",
                               {"--port", "0", "--unixsocket", "PATH", "--save", "", "--appendonly", "yes",
                                "--appendfsync", "everysec", "--dir", "FOLDER", "--loglevel", "warning"},
                               "*1\r\n$4\r\nPING\r\n",
                               "--version"},
    [SERVER_REDIS_ALWAYS] = {"Redis, appendonly always",
                             "redis-server",
                             {"--port", "0", "--unixsocket", "PATH", "--save", "", "--appendonly", "yes",
                              "--appendfsync", "always", "--dir", "FOLDER", "--loglevel", "warning"},
                             "*1\r\n$4\r\nPING\r\n",
                             "--version"},
};

static char folder[64];
static char programs[SERVER_KINDS][512];
static char versions[SERVER_KINDS][80];
static pid_t running[RUNNING_MAX];
static unsigned sockets; /* how many were named */

static bool is_umemd(enum server_kind kind)
{
    return kind == SERVER_UMEMD || kind == SERVER_UMEMD_STATE || kind == SERVER_UMEMD_ALWAYS;
}

const char *server_name(enum server_kind kind)
{
    return kinds[kind].name;
}

bool server_is_there(enum server_kind kind)
{
    return kind == SERVER_ECHO || programs[kind][0] != '\0';
}

const char *server_version(enum server_kind kind)
{
    return versions[kind];
}

/* Runs in a signal's handler, too. */
static void remove_folder(void)
{
    pid_t pid;

    if (folder[0] == '\0')
        return;
    pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", folder, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
    folder[0] = '\0';
}

static void clean_up(void)
{
    for (int i = 0; i < RUNNING_MAX; i++) {
        if (running[i] != 0) {
            kill(running[i], SIGKILL);
            waitpid(running[i], NULL, 0);
        }
    }
    remove_folder();
}

static void on_signal(int number)
{
    clean_up();
    _exit(128 + number);
}

static void look_in_path(enum server_kind kind)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        size_t size = strcspn(path, ":");

        snprintf(programs[kind], sizeof programs[kind], "%.*s/%s", (int)size, path, kinds[kind].program);
        if (access(programs[kind], X_OK) == 0)
            return;
        path += size + (path[size] == ':');
    }
    programs[kind][0] = '\0';
}

static void query_version(enum server_kind kind)
{
    char command[600];

    snprintf(command, sizeof command, "'%s' %s", programs[kind], kinds[kind].version_option);
    FILE *output = popen(command, "r");
    if (output == NULL || fgets(versions[kind], sizeof versions[kind], output) == NULL)
        versions[kind][0] = '\0';
    versions[kind][strcspn(versions[kind], "\r\n")] = '\0';
    if (output != NULL)
        pclose(output);
}

void servers_find(const char *umemd)
{
    const char *temporary = getenv("TMPDIR");

    /* A socket's path is short by law, so a long TMPDIR is not taken. */
    snprintf(folder, sizeof folder, "%s/umemd-bench-XXXXXX",
             temporary != NULL && strlen(temporary) < 32 ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL)
        give_up("cannot make %s: %s", folder, strerror(errno));
    atexit(clean_up);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    if (access(umemd, X_OK) != 0)
        give_up("cannot run %s: %s", umemd, strerror(errno));
    for (enum server_kind kind = SERVER_UMEMD; kind < SERVER_KINDS; kind++) {
        if (is_umemd(kind))
            snprintf(programs[kind], sizeof programs[kind], "%s", umemd);
        else if (kinds[kind].program != NULL)
            look_in_path(kind);
    }
    for (enum server_kind kind = SERVER_UMEMD; kind < SERVER_ECHO; kind++) {
        if (server_is_there(kind))
            query_version(kind);
    }
}

static _Noreturn void become(const struct server *server)
{
    const struct kind *kind = &kinds[server->kind];
    const char *arguments[ARGUMENTS_MAX + 2] = {programs[server->kind]};
    int nowhere = open("/dev/null", O_RDWR);
    char own_folder[128];

    snprintf(own_folder, sizeof own_folder, "%s.files", server->path);
    /* What would end the others too. */
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
#ifdef __linux__
    /* So that nothing stays behind where the benchmark itself is killed. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (server->kind == SERVER_ECHO)
        echo_serve(server->path);
    for (int i = 0; i < ARGUMENTS_MAX && kind->arguments[i] != NULL; i++) {
        const char *argument = kind->arguments[i];

        if (strcmp(argument, "PATH") == 0)
            argument = server->path;
        else if (strcmp(argument, "FOLDER") == 0)
            argument = mkdir(own_folder, 0700) == 0 ? own_folder : folder;
        else if (strcmp(argument, "USER") == 0)
            argument = geteuid() == 0 ? "root" : "nobody";
        arguments[i + 1] = argument;
    }
    dup2(nowhere, 0);
    dup2(nowhere, 1);
    execv(arguments[0], (char **)(uintptr_t)arguments);
    _exit(127);
}

bool server_ping(const struct server *server, int handle)
{
    const char *ping = kinds[server->kind].ping;
    char answer[256];

    if (*ping == '\0')
        return true;
    return send(handle, ping, strlen(ping), 0) == (ssize_t)strlen(ping) &&
           recv(handle, answer, sizeof answer, 0) > 0;
}

/* Tries to connect and to get an answer. */
static bool answers(const struct server *server)
{
    int handle = connect_to(server->path);
    bool good = handle >= 0 && server_ping(server, handle);

    if (handle >= 0)
        close(handle);
    return good;
}

uint64_t server_start(struct server *server, enum server_kind kind)
{
    const struct timespec moment = {0, 50000};
    uint64_t begin = now_ns();
    int slot = 0;

    *server = (struct server){.kind = kind};
    snprintf(server->path, sizeof server->path, "%s/%u", folder, sockets++);
    while (slot < RUNNING_MAX && running[slot] != 0)
        slot++;
    if (slot == RUNNING_MAX)
        give_up("too many servers at one time");
    fflush(NULL);
    server->pid = fork();
    if (server->pid < 0)
        give_up("fork: %s", strerror(errno));
    if (server->pid == 0)
        become(server);
    running[slot] = server->pid;
    while (!answers(server)) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            running[slot] = 0;
            give_up("%s ended before it answered", kinds[kind].name);
        }
        nanosleep(&moment, NULL);
    }
    return now_ns() - begin;
}

void server_stop(struct server *server)
{
    int status = 0;

    if (server->pid == 0)
        return;
    kill(server->pid, server->kind == SERVER_ECHO ? SIGKILL : SIGTERM);
    waitpid(server->pid, &status, 0);
    for (int i = 0; i < RUNNING_MAX; i++) {
        if (running[i] == server->pid)
            running[i] = 0;
    }
    unlink(server->path);
    server->pid = 0;
    if (is_umemd(server->kind) && status != 0)
        give_up("umemd ended with status 0x%x", (unsigned)status);
}

/* ---- figures of the system ---- */

/* Adds up the lines of /proc/PID/FILE that begin with one of the two names; in its unit. */
static uint64_t sum_lines(pid_t pid, const char *file, const char *first, const char *second)
{
    char line[256];
    uint64_t sum = 0;

    snprintf(line, sizeof line, "/proc/%ld/%s", (long)pid, file);
    FILE *input = fopen(line, "r");
    while (input != NULL && fgets(line, sizeof line, input) != NULL) {
        size_t size = strcspn(line, ":");

        if (line[size] == ':' && ((size == strlen(first) && strncmp(line, first, size) == 0) ||
                                  (size == strlen(second) && strncmp(line, second, size) == 0)))
            sum += strtoull(line + size + 1, NULL, 10);
    }
    if (input != NULL)
        fclose(input);
    return sum;
}

uint64_t server_private_bytes(const struct server *server)
{
    return 1024 * sum_lines(server->pid, "smaps_rollup", "Private_Clean", "Private_Dirty");
}

uint64_t server_resident_bytes(const struct server *server)
{
    return 1024 * sum_lines(server->pid, "status", "VmRSS", "VmRSS");
}

uint64_t server_busy_ns(const struct server *server)
{
    char path[64];
    unsigned long long busy = 0;

    snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)server->pid);
    FILE *input = fopen(path, "r");
    if (input != NULL && fscanf(input, "%llu", &busy) != 1)
        busy = 0;
    if (input != NULL)
        fclose(input);
    return busy;
}
