#include "growth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "churn.h"
#include "dialect.h"
#include "ring.h"

enum { SMALL = 1000 /* blocks of the daemon that the growing one is compared with */ };

static const char *const methods[] = {"read", "write", "add", "alloc and free"};
enum { METHODS = sizeof methods / sizeof *methods };

/* One daemon with many blocks. */
struct stand {
    struct server server;
    struct churn *blocks;
};

static void append_one(struct ring *ring, int method, uint64_t block, uint64_t number)
{
    char data[96];
    unsigned char bytes[CHURN_BLOCK_SIZE] = {0};

    memcpy(bytes, &number, sizeof number);
    um_base64_encode(data, bytes, sizeof bytes);
    data[um_base64_encoded_size(sizeof bytes)] = '\0';
    ring_request(ring, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"block.%s\",\"params\":{\"block\":%" PRIu64,
                 methods[method], block);
    ring_expect(ring, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{");
    if (method == 0) {
        ring_request(ring, ",\"offset\":0,\"size\":%d}}\n", CHURN_BLOCK_SIZE);
        ring_expect(ring, "\"size\":%d,\"data\":\"%s\"}}\n", CHURN_BLOCK_SIZE, data);
    } else if (method == 1) {
        ring_request(ring, ",\"offset\":0,\"data\":\"%s\"}}\n", data);
        ring_expect(ring, "\"size\":%d}}\n", CHURN_BLOCK_SIZE);
    } else {
        ring_request(ring, ",\"offset\":8,\"value\":0}}\n");
        ring_expect(ring, "\"old\":0,\"new\":0}}\n");
    }
    ring_end(ring);
}

/* Runs one method on blocks picked at random. */
static void run_method(const struct effort *effort, const struct stand *stand, int method, unsigned depth,
                       struct drive_result *timing)
{
    struct drive drive_method = {stand->server.path, NULL, 1, depth, effort->slice_ns, 0};
    uint64_t state = UINT64_C(88172645463325252);
    struct churn *pairs;
    struct ring ring;

    if (method == METHODS - 1) {
        pairs = churn_new(CHURN_BLOCKS, 0, CHURN_DEPTH_MAX, false);
        drive_method.source = &pairs->source;
        drive(&drive_method, timing);
        churn_all(pairs, CHURN_DRAIN, stand->server.path);
        churn_free(pairs);
        return;
    }
    ring_init(&ring, "growth");
    for (size_t i = 0; i < effort->random_requests; i++) {
        uint64_t number = roll(&state) % stand->blocks->count;

        append_one(&ring, method, stand->blocks->handles[number], number);
    }
    drive_method.source = &ring.source;
    drive(&drive_method, timing);
    ring_deinit(&ring);
}

static void measure_stand(const struct effort *effort, struct results *results, const struct stand *stand,
                          int method, unsigned depth, unsigned round, const char *target, uint64_t count)
{
    static struct drive_result timing;

    run_method(effort, stand, method, depth, &timing);
    results_add(results, &(struct record){.group = "growth",
                                          .name = methods[method],
                                          .target = target,
                                          .size = CHURN_BLOCK_SIZE,
                                          .depth = depth,
                                          .connections = 1,
                                          .count = count,
                                          .round = round,
                                          .value = (double)timing.elapsed_ns / (double)timing.requests,
                                          .unit = "ns/request",
                                          .timing = &timing});
}

static void figure(struct results *results, const char *name, const char *target, uint64_t count,
                   double value, const char *unit)
{
    results_add(
        results,
        &(struct record){
            .group = "figure", .name = name, .target = target, .count = count, .value = value, .unit = unit});
}

static double memory_each(uint64_t before, uint64_t after, size_t count)
{
    return after > before ? (double)(after - before) / (double)count - CHURN_BLOCK_SIZE : 0;
}

/* Grows to `count` blocks. */
static void grow(struct results *results, struct stand *stand, size_t count)
{
    size_t before = stand->blocks->count;

    stand->blocks->limit = count;
    uint64_t elapsed = churn_all(stand->blocks, CHURN_FILL, stand->server.path);
    if (count > before)
        figure(results, "filling up, depth 64", "umemd, lines, base64", count,
               (double)elapsed / (double)(count - before), "ns/request");
}

static void start_stand(struct stand *stand, size_t capacity)
{
    server_start(&stand->server, SERVER_UMEMD);
    stand->blocks = churn_new(CHURN_BLOCKS, 0, capacity, true);
}

static void stop_stand(struct stand *stand)
{
    server_stop(&stand->server);
    churn_free(stand->blocks);
}

void growth_of_blocks(const struct effort *effort, struct results *results)
{
    static const unsigned depths[] = {1, 64};
    struct stand small;
    struct stand large;

    start_stand(&small, SMALL);
    start_stand(&large, effort->blocks);
    grow(results, &small, SMALL);
    /* With some blocks, so that what the daemon keeps for its first session is not taken for a block's. */
    grow(results, &large, SMALL);
    uint64_t before = server_private_bytes(&large.server);
    for (size_t count = SMALL; count <= effort->blocks; count *= 10) {
        fprintf(stderr, "\rgrowth: %zu blocks ", count);
        grow(results, &large, count);
        if (count == effort->blocks_memory)
            figure(results, "memory of a 64-byte block over its bytes", "umemd", count,
                   memory_each(before, server_private_bytes(&large.server), count - SMALL), "bytes");
        for (unsigned round = 0; round < effort->rounds; round++) {
            for (int i = 0; i < METHODS * 2; i++) {
                for (unsigned turn = 0; turn < 2; turn++) {
                    bool is_small = (turn + round) % 2 == 0;

                    measure_stand(effort, results, is_small ? &small : &large, i / 2, depths[i % 2], round,
                                  is_small ? "umemd with 1,000 blocks" : "umemd", count);
                }
            }
        }
    }
    fputc('\n', stderr);
    stop_stand(&small);
    stop_stand(&large);
}

/* Sets the strings or items from number `first` up to `end`. */
static void set_many(const struct server *server, size_t first, size_t end)
{
    static const char bytes[CHURN_BLOCK_SIZE + 1] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct ring ring;

    while (first < end) {
        ring_init(&ring, server_name(server->kind));
        for (size_t i = 0; i < 6400 && first < end; i++, first++) {
            if (server->kind == SERVER_REDIS) {
                ring_request(&ring, "*3\r\n$3\r\nSET\r\n$8\r\nk%07zu\r\n$64\r\n%s\r\n", first, bytes);
                ring_expect(&ring, "+OK\r\n");
            } else {
                ring_request(&ring, "set k%07zu 0 0 64\r\n%s\r\n", first, bytes);
                ring_expect(&ring, "STORED\r\n");
            }
            ring_end(&ring);
        }
        drive_once(server->path, &ring.source, ring.count);
        ring_deinit(&ring);
    }
}

void growth_of_others(const struct effort *effort, struct results *results)
{
    for (enum server_kind kind = SERVER_REDIS; kind <= SERVER_MEMCACHED; kind++) {
        struct server server;

        if (!server_is_there(kind))
            continue;
        server_start(&server, kind);
        set_many(&server, 0, SMALL);
        uint64_t before = server_private_bytes(&server);
        set_many(&server, SMALL, effort->blocks_memory);
        figure(results, "memory of a 64-byte block over its bytes", server_name(kind), effort->blocks_memory,
               memory_each(before, server_private_bytes(&server), effort->blocks_memory - SMALL), "bytes");
        server_stop(&server);
    }
}
