#include "ping_latency.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line_socket.h"

enum {
    SAMPLE_LIMIT = 1 << 20,
    HANG_SECONDS = 60,   /* after which a ping is given up */
    BETWEEN_PINGS = 500, /* microseconds */
    PINGS_A_CONNECT = 40
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static void pause_us(long microseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}

/* ---- processes ---- */

static pid_t start_daemon(const char *umemd, const char *path, const char *state, const struct stream *stream)
{
    const char *args[2 * STREAM_OPTIONS + 6] = {umemd, "--pipe", path};
    size_t count = 3;
    pid_t child = fork();

    if (child != 0)
        return child;
    for (int i = 0; i < STREAM_OPTIONS && stream->options[i] != NULL; i++) {
        args[count++] = "--limit";
        args[count++] = stream->options[i];
    }
    if (stream->has_state) {
        args[count++] = "--state";
        args[count++] = state;
    }
    args[count] = NULL;
    /* Its log is a file, as with most daemons. */
    (void)dup2(open("/dev/null", O_WRONLY), 2);
    execv(umemd, (char *const *)args);
    _exit(127);
}

/* In a group of its own, with whatever it starts. */
static pid_t start_stream(const struct stream *stream, const char *path)
{
    pid_t child = fork();

    if (child == 0) {
        (void)setpgid(0, 0);
        stream->run(path);
        _exit(0);
    }
    (void)setpgid(child, child);
    return child;
}

static void end(pid_t child, bool is_group)
{
    if (child <= 0)
        return;
    kill(is_group ? -child : child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static int await_daemon(const char *path)
{
    for (int i = 0; i < 10000; i++) {
        int socket = line_connect(path, true);

        if (socket >= 0)
            return socket;
        pause_us(1000);
    }
    return -1;
}

/* ---- pings ---- */

struct pinger {
    const char *path;
    int socket;
    struct um_buf text;
    double *samples;
    size_t count;
    double busy_ms;
    double connect_ms;
    pid_t daemon;
    bool is_alive;
};

/* Processor time that the daemon's first thread, which serves, has used. 0 where the system does not tell. */
static double daemon_busy_ms(const struct pinger *pinger)
{
    char path[64];
    unsigned long long busy_ns = 0;
    FILE *input;

    snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)pinger->daemon);
    input = fopen(path, "r");
    if (input != NULL && fscanf(input, "%llu", &busy_ns) != 1)
        busy_ns = 0;
    if (input != NULL)
        fclose(input);
    return (double)busy_ns / 1e6;
}

/* Whether an answer came. */
static bool ping(int socket, const struct um_buf *text)
{
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    char answer[256];

    return send(socket, text->data, text->size, MSG_NOSIGNAL) == (ssize_t)text->size &&
           poll(&ready, 1, HANG_SECONDS * 1000) > 0 && recv(socket, answer, sizeof answer, 0) > 0;
}

/* A refusal because of a limit is no failure: the answer names the limit. */
static void ping_anew(struct pinger *pinger)
{
    double begin_ms = now_ms();
    int socket = line_connect(pinger->path, true);
    double ms;

    pinger->is_alive = pinger->is_alive && socket >= 0 && ping(socket, &pinger->text);
    ms = now_ms() - begin_ms;
    if (ms > pinger->connect_ms)
        pinger->connect_ms = ms;
    close(socket);
}

static void ping_for(struct pinger *pinger, double seconds)
{
    double end_ms = now_ms() + seconds * 1000;

    while (pinger->is_alive && pinger->count < SAMPLE_LIMIT && now_ms() < end_ms) {
        double begin_busy_ms = daemon_busy_ms(pinger);
        double begin_ms = now_ms();
        double busy_ms;

        pinger->is_alive = ping(pinger->socket, &pinger->text);
        pinger->samples[pinger->count++] = now_ms() - begin_ms;
        busy_ms = daemon_busy_ms(pinger) - begin_busy_ms;
        if (busy_ms > pinger->busy_ms)
            pinger->busy_ms = busy_ms;
        if (pinger->count % PINGS_A_CONNECT == 0)
            ping_anew(pinger);
        pause_us(BETWEEN_PINGS);
    }
}

static int compare(const void *left, const void *right)
{
    double first = *(const double *)left;
    double second = *(const double *)right;

    return (first > second) - (first < second);
}

static struct figures sum_up(const struct pinger *pinger)
{
    struct figures figures = {.pings = pinger->count,
                              .busy_ms = pinger->busy_ms,
                              .connect_ms = pinger->connect_ms,
                              .is_alive = pinger->is_alive};

    if (pinger->count == 0)
        return figures;
    qsort(pinger->samples, pinger->count, sizeof *pinger->samples, compare);
    figures.p50_ms = pinger->samples[pinger->count / 2];
    figures.p99_ms = pinger->samples[pinger->count * 99 / 100];
    figures.max_ms = pinger->samples[pinger->count - 1];
    return figures;
}

static void make_ping(struct um_buf *text, size_t size)
{
    um_buf_init(text, SIZE_MAX);
    line_add(text, "{\"method\":\"server.ping\"");
    while (text->size < size)
        line_add(text, "%64s", "");
    line_add(text, "}\n");
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

struct figures measure(const char *umemd, const struct stream *stream, double seconds)
{
    char place[] = "/tmp/umem-hostile-XXXXXX";
    char path[64];
    char state[64];
    struct pinger pinger = {.path = path, .is_alive = true};
    struct figures figures;
    pid_t daemon;
    pid_t attacker;

    if (mkdtemp(place) == NULL)
        exit(1);
    snprintf(path, sizeof path, "%s/umemd.sock", place);
    snprintf(state, sizeof state, "%s/state", place);
    daemon = start_daemon(umemd, path, state, stream);
    pinger.socket = await_daemon(path);
    pinger.samples = calloc(SAMPLE_LIMIT, sizeof *pinger.samples);
    if (pinger.socket < 0 || pinger.samples == NULL)
        exit(1);
    pinger.daemon = daemon;
    make_ping(&pinger.text, stream->ping_bytes);
    attacker = start_stream(stream, path);
    ping_for(&pinger, seconds);
    end(attacker, true);
    ping_for(&pinger, seconds / 3);
    figures = sum_up(&pinger);
    figures.is_alive = figures.is_alive && waitpid(daemon, NULL, WNOHANG) == 0;
    end(daemon, false);
    close(pinger.socket);
    um_buf_deinit(&pinger.text);
    free(pinger.samples);
    (void)nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return figures;
}
