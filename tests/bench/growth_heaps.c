/* Many heaps, and one heap with many blocks. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_server.h"
#include "churn.h"
#include "dialect.h"
#include "growth.h"

enum { PINGS_BEFORE = 1000 /* by which the daemon's time for one is measured */ };

static void add(struct results *results, const char *name, uint64_t count, unsigned round, double value,
                const char *unit)
{
    results_add(results, &(struct record){.group = "figure",
                                          .name = name,
                                          .target = "umemd",
                                          .count = count,
                                          .round = round,
                                          .value = value,
                                          .unit = unit});
}

static void many_heaps(const struct effort *effort, struct results *results)
{
    struct server server;
    struct churn *heaps = churn_new(CHURN_HEAPS, 0, effort->heaps, false);

    server_start(&server, SERVER_UMEMD);
    uint64_t empty = server_private_bytes(&server);
    double count = (double)effort->heaps;
    add(results, "making a heap, depth 64", effort->heaps, 0,
        (double)churn_all(heaps, CHURN_FILL, server.path) / count, "ns/request");
    uint64_t full = server_private_bytes(&server);
    add(results, "memory of a heap", effort->heaps, 0, full > empty ? (double)(full - empty) / count : 0,
        "bytes");
    add(results, "destroying a heap, depth 64", effort->heaps, 0,
        (double)churn_all(heaps, CHURN_DRAIN, server.path) / count, "ns/request");
    server_stop(&server);
    churn_free(heaps);
}

/* Sends the text of a request; the answer is awaited elsewhere. */
static void send_request(int handle, const char *text)
{
    if (send(handle, text, strlen(text), 0) != (ssize_t)strlen(text))
        give_up("sending: %s", strerror(errno));
}

static bool is_readable(int handle)
{
    struct pollfd ready = {.fd = handle, .events = POLLIN};

    return poll(&ready, 1, 0) > 0;
}

/* One server.ping of another session; returns how many nanoseconds it took. */
static uint64_t ping(int handle)
{
    static const char pong[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n";
    char text[128];
    uint64_t begin = now_ns();

    send_request(handle, "{\"method\":\"server.ping\"}\n");
    if (recv(handle, text, sizeof text, 0) != sizeof pong - 1 || memcmp(text, pong, sizeof pong - 1) != 0)
        give_up("server.ping: wrong answer");
    return now_ns() - begin;
}

/* What destroying a heap was seen to take. */
struct destruction {
    uint64_t answer_ns; /* until the answer was there */
    uint64_t
        longest_ns; /* that another session's ping took meanwhile, and afterwards, when slices are freed */
    double busy_ns; /* processor time of the daemon, without that for the pings */
};

static bool is_destroyed(int handle, const char *right)
{
    char text[256];

    if (!is_readable(handle))
        return false;
    ssize_t size = recv(handle, text, sizeof text, 0);
    if (size != (ssize_t)strlen(right) || memcmp(text, right, (size_t)size) != 0)
        give_up("heap.destroy: wrong answer: %.*s", (int)(size > 0 ? size : 0), text);
    return true;
}

static void destroy(const struct effort *effort, const struct server *server, uint64_t heap,
                    struct destruction *destruction)
{
    int destroyer = connect_to(server->path);
    int other = connect_to(server->path);
    uint64_t pings = 0;
    char text[256];
    char right[128];
    bool answered = false;

    if (destroyer < 0 || other < 0)
        give_up("cannot connect");
    uint64_t busy = server_busy_ns(server);
    for (int i = 0; i < PINGS_BEFORE; i++)
        ping(other);
    double ping_ns = (double)(server_busy_ns(server) - busy) / PINGS_BEFORE;
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"heap.destroy\",\"params\":{\"heap\":%" PRIu64 "}}\n",
             heap);
    snprintf(right, sizeof right,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"blocks\":%zu,\"bytes\":%zu}}\n",
             effort->blocks_destroy, effort->blocks_destroy * CHURN_BLOCK_SIZE);
    *destruction = (struct destruction){0};
    busy = server_busy_ns(server);
    uint64_t begin = now_ns();
    send_request(destroyer, text);
    while (!answered || now_ns() - begin < destruction->answer_ns + 10 * effort->slice_ns) {
        uint64_t took = ping(other);

        pings++;
        destruction->longest_ns = took > destruction->longest_ns ? took : destruction->longest_ns;
        if (!answered && is_destroyed(destroyer, right)) {
            destruction->answer_ns = now_ns() - begin;
            answered = true;
        }
    }
    destruction->busy_ns = (double)(server_busy_ns(server) - busy) - ping_ns * (double)pings;
    if (destruction->busy_ns < 0)
        destruction->busy_ns = 0;
    close(destroyer);
    close(other);
}

static void large_heap(const struct effort *effort, struct results *results)
{
    unsigned rounds = effort->rounds < 3 ? effort->rounds : 3;

    for (unsigned round = 0; round < rounds; round++) {
        struct server server;
        struct destruction destruction;
        umem_handle heap = 0;

        server_start(&server, SERVER_UMEMD);
        umem_client *client = umemd_connect(&server);
        if (umem_heap_create(client, NULL, &heap) != UMEM_OK)
            give_up("heap.create: %s", umem_last_error(client)->message);
        struct churn *blocks = churn_new(CHURN_BLOCKS, heap, effort->blocks_destroy, false);
        churn_all(blocks, CHURN_FILL, server.path);
        destroy(effort, &server, heap, &destruction);
        add(results, "destroying a heap with blocks: until the answer", effort->blocks_destroy, round,
            (double)destruction.answer_ns / 1e6, "ms");
        add(results, "destroying a heap with blocks: longest wait of another session", effort->blocks_destroy,
            round, (double)destruction.longest_ns / 1e6, "ms");
        add(results, "destroying a heap with blocks: processor time", effort->blocks_destroy, round,
            destruction.busy_ns / 1e6, "ms");
        umem_client_free(client);
        server_stop(&server);
        churn_free(blocks);
    }
}

void growth_of_heaps(const struct effort *effort, struct results *results)
{
    fputs("growth: heaps\n", stderr);
    many_heaps(effort, results);
    large_heap(effort, results);
}
