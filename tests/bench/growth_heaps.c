/* Many heaps, and one heap with many blocks. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "churn.h"
#include "dialect.h"
#include "growth.h"
#include "server.h"

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
    add(results, "memory of a heap", effort->heaps, 0, full > empty ? (double)(full - empty) / count : 0, "bytes");
    add(results, "destroying a heap, depth 64", effort->heaps, 0,
        (double)churn_all(heaps, CHURN_DRAIN, server.path) / count, "ns/request");
    server_stop(&server);
    churn_free(heaps);
}

/* Sends the text of a request; the answer is awaited elsewhere. */
static void ask(int handle, const char *text)
{
    if (send(handle, text, strlen(text), 0) != (ssize_t)strlen(text))
        give_up("sending: %s", strerror(errno));
}

/* Whether bytes are there, after at most `timeout_ms`. */
static bool is_readable(int handle, int timeout_ms)
{
    struct pollfd ready = {.fd = handle, .events = POLLIN};

    return poll(&ready, 1, timeout_ms) > 0;
}

/* Destroys the heap, and counts how long another session's ping takes meanwhile and shortly after, when what is left is
 * freed in slices. */
static void destroy(const struct server *server, uint64_t heap, size_t blocks, uint64_t *answer_ns,
                    uint64_t *longest_ns)
{
    static const char pong[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n";
    int destroyer = connect_to(server->path);
    int other = connect_to(server->path);
    char text[256];
    char right[128];
    bool answered = false;

    if (destroyer < 0 || other < 0)
        give_up("cannot connect");
    ask(other, "{\"method\":\"server.ping\"}\n");
    if (recv(other, text, sizeof text, 0) != sizeof pong - 1 || memcmp(text, pong, sizeof pong - 1) != 0)
        give_up("server.ping: wrong answer");
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"heap.destroy\",\"params\":{\"heap\":%" PRIu64 "}}\n",
             heap);
    snprintf(right, sizeof right, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"blocks\":%zu,\"bytes\":%zu}}\n", blocks,
             blocks * CHURN_BLOCK_SIZE);
    uint64_t begin = now_ns();
    ask(destroyer, text);
    *longest_ns = 0;
    for (unsigned after = 0; after < 2000; after += answered) {
        uint64_t sent = now_ns();

        ask(other, "{\"method\":\"server.ping\"}\n");
        if (recv(other, text, sizeof text, 0) != sizeof pong - 1)
            give_up("server.ping: wrong answer");
        uint64_t took = now_ns() - sent;
        *longest_ns = took > *longest_ns ? took : *longest_ns;
        if (!answered && is_readable(destroyer, 0)) {
            *answer_ns = now_ns() - begin;
            answered = true;
            ssize_t size = recv(destroyer, text, sizeof text, 0);
            if (size != (ssize_t)strlen(right) || memcmp(text, right, (size_t)size) != 0)
                give_up("heap.destroy: wrong answer: %.*s", (int)(size > 0 ? size : 0), text);
        }
    }
    close(destroyer);
    close(other);
}

static void large_heap(const struct effort *effort, struct results *results)
{
    unsigned rounds = effort->rounds < 3 ? effort->rounds : 3;

    for (unsigned round = 0; round < rounds; round++) {
        struct server server;
        uint64_t answer_ns = 0;
        uint64_t longest_ns = 0;
        umem_handle heap = 0;

        server_start(&server, SERVER_UMEMD);
        umem_client *client = umemd_connect(&server);
        if (umem_heap_create(client, NULL, &heap) != UMEM_OK)
            give_up("heap.create: %s", umem_last_error(client)->message);
        struct churn *blocks = churn_new(CHURN_BLOCKS, heap, effort->blocks_destroy, false);
        churn_all(blocks, CHURN_FILL, server.path);
        uint64_t busy = server_busy_ns(&server);
        destroy(&server, heap, effort->blocks_destroy, &answer_ns, &longest_ns);
        busy = server_busy_ns(&server) - busy;
        add(results, "destroying a heap with blocks: until the answer", effort->blocks_destroy, round,
            (double)answer_ns / 1e6, "ms");
        add(results, "destroying a heap with blocks: longest wait of another session", effort->blocks_destroy, round,
            (double)longest_ns / 1e6, "ms");
        add(results, "destroying a heap with blocks: processor time, pings meanwhile counted", effort->blocks_destroy,
            round, (double)busy / 1e6, "ms");
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
