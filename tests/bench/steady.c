#include "steady.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "bench_common.h"

enum { PERIOD_NS = 1000000 };

/* Sends the next requests and waits for their answers. */
static void exchange(int handle, struct source *source, struct cursor *cursor, size_t wanted)
{
    static char received[65536];

    while (wanted > 0) {
        const char *bytes;
        size_t size;
        size_t count = source->next(source, cursor, wanted, &bytes, &size);

        for (ssize_t done; size > 0; bytes += done, size -= (size_t)done) {
            done = send(handle, bytes, size, 0);
            if (done <= 0)
                give_up("steady load: %s", strerror(errno));
        }
        cursor->sent += count;
        wanted -= count;
    }
    while (cursor->answered < cursor->sent) {
        ssize_t count = recv(handle, received, sizeof received, 0);

        if (count <= 0)
            give_up("steady load: the server closed the connection");
        cursor->answered += source->check(source, cursor, received, (size_t)count);
    }
}

static _Noreturn void run(const char *path, struct source *source, unsigned requests_a_ms)
{
    struct cursor cursor = {0};
    int handle = connect_to(path);

    if (handle < 0)
        give_up("steady load: cannot connect to %s: %s", path, strerror(errno));
    for (uint64_t due_ns = now_ns();;) {
        uint64_t time_ns;

        exchange(handle, source, &cursor, requests_a_ms);
        due_ns += PERIOD_NS;
        time_ns = now_ns();
        /* What is late is not made up for: that would be a burst. */
        if (time_ns >= due_ns)
            due_ns = time_ns;
        else
            nanosleep(&(struct timespec){.tv_nsec = (long)(due_ns - time_ns)}, NULL);
    }
}

pid_t steady_start(const char *path, struct source *source, unsigned requests_a_ms)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0)
        give_up("fork: %s", strerror(errno));
    if (pid == 0) {
        /* The servers are the first program's to end. */
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
#ifdef __linux__
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        run(path, source, requests_a_ms);
    }
    return pid;
}

void steady_stop(pid_t pid)
{
    if (waitpid(pid, NULL, WNOHANG) != 0)
        give_up("the steady load has ended");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
