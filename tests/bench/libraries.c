/* The same reads and writes through client libraries, one at a time, each answer compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dialect.h"
#include "figures.h"
#include "unix_socket.h"

#ifdef HAVE_HIREDIS
#include <hiredis/hiredis.h>
#endif
#ifdef HAVE_LIBMEMCACHED
#include <libmemcached/memcached.h>
#endif

/* One library. Reads and writes give up where they fail. */
struct library {
    const char *name;
    enum server_kind server;
    void *(*open)(const struct server *server);
    void (*write)(void *context, const void *bytes, size_t size);
    void (*read)(void *context, void *bytes, size_t size); /* exactly `size` */
    void (*close)(void *context);
};

#if defined(HAVE_HIREDIS) || defined(HAVE_LIBMEMCACHED)
static const char key[] = "library"; /* the value's, in the other servers */
#endif

/* ---- umemclient ---- */

static umem_handle block;
static size_t block_size;

static void umem_must(umem_client *client, int code)
{
    if (code != UMEM_OK)
        give_up("umemclient: %s", umem_last_error(client)->message);
}

static void *umem_open(const struct server *server)
{
    block_size = 0;
    return umemd_connect(server);
}

/* How much of it is gained by spinning. */
static void *umem_open_asleep(const struct server *server)
{
    umem_client *client = umem_client_new(&(struct umem_options){.pipe = server->path, .never_spin = true});

    umem_must(client, umem_connect(client));
    block_size = 0;
    return client;
}

static void umem_write(void *context, const void *bytes, size_t size)
{
    /* The first write of a size allocates. */
    if (block_size != size) {
        if (block_size != 0)
            umem_must(context, umem_block_free(context, block));
        umem_must(context, umem_block_alloc(context, size, NULL, &block));
        block_size = size;
    }
    umem_must(context, umem_block_write(context, block, 0, bytes, size));
}

static void umem_read(void *context, void *bytes, size_t size)
{
    umem_must(context, umem_block_read(context, block, 0, bytes, size));
}

static void umem_close(void *context)
{
    umem_must(context, umem_block_free(context, block));
    umem_client_free(context);
}

/* ---- hiredis ---- */

#ifdef HAVE_HIREDIS
static void *redis_open(const struct server *server)
{
    redisContext *context = redisConnectUnix(server->path);

    if (context == NULL || context->err != 0)
        give_up("hiredis: %s", context != NULL ? context->errstr : "no memory");
    return context;
}

static void redis_write(void *context, const void *bytes, size_t size)
{
    redisReply *reply = redisCommand(context, "SETRANGE %s 0 %b", key, bytes, size);

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER)
        give_up("hiredis: SETRANGE failed");
    freeReplyObject(reply);
}

static void redis_read(void *context, void *bytes, size_t size)
{
    redisReply *reply = redisCommand(context, "GETRANGE %s 0 %d", key, (int)size - 1);

    if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len != size)
        give_up("hiredis: GETRANGE failed");
    memcpy(bytes, reply->str, size);
    freeReplyObject(reply);
}

static void redis_close(void *context)
{
    redisFree(context);
}
#endif

/* ---- libmemcached ---- */

#ifdef HAVE_LIBMEMCACHED
static void *memcached_open(const struct server *server)
{
    memcached_st *context = memcached_create(NULL);

    if (context == NULL || memcached_server_add_unix_socket(context, server->path) != MEMCACHED_SUCCESS)
        give_up("libmemcached: cannot use %s", server->path);
    return context;
}

static void memcached_write(void *context, const void *bytes, size_t size)
{
    memcached_return_t code = memcached_set(context, key, sizeof key - 1, bytes, size, 0, 0);

    if (code != MEMCACHED_SUCCESS)
        give_up("libmemcached: %s", memcached_strerror(context, code));
}

static void memcached_read(void *context, void *bytes, size_t size)
{
    memcached_return_t code;
    uint32_t flags;
    size_t length;
    char *value = memcached_get(context, key, sizeof key - 1, &length, &flags, &code);

    if (value == NULL || length != size)
        give_up("libmemcached: %s", memcached_strerror(context, code));
    memcpy(bytes, value, size);
    free(value);
}

static void memcached_close(void *context)
{
    memcached_free(context);
}
#endif

/* ---- a socket, with the bare server at its other end, and as many bytes as umemclient moves ---- */

enum {
    REQUEST_SIZE = 141, /* bytes of umemclient's request beside the block's */
    ANSWER_SIZE = 90    /* and of its answer */
};

static int bare_socket;
static unsigned char *bare_space; /* what is sent and received; the block's bytes come last */
static unsigned char *bare_block; /* what was written last: the bare server keeps nothing */
static size_t bare_capacity;

static void *bare_open(const struct server *server)
{
    bare_socket = unix_connect(server->path, SOCK_STREAM);
    if (bare_socket < 0)
        give_up("socket: cannot connect to %s", server->path);
    bare_capacity = REQUEST_SIZE + (1 << 20);
    bare_space = must_alloc(bare_capacity);
    bare_block = must_alloc(bare_capacity);
    return &bare_socket;
}

static void bare_exchange(size_t request_size, size_t answer_size)
{
    uint32_t sizes[2] = {(uint32_t)request_size, (uint32_t)answer_size};

    memcpy(bare_space, sizes, sizeof sizes);
    for (size_t done = 0; done < request_size;) {
        ssize_t size = send(bare_socket, bare_space + done, request_size - done, MSG_NOSIGNAL);
        if (size <= 0)
            give_up("socket: cannot send");
        done += (size_t)size;
    }
    for (size_t done = 0; done < answer_size;) {
        ssize_t size = recv(bare_socket, bare_space + done, bare_capacity - done, 0);
        if (size <= 0)
            give_up("socket: cannot receive");
        done += (size_t)size;
    }
}

static void bare_write(void *context, const void *bytes, size_t size)
{
    (void)context;
    memcpy(bare_block, bytes, size);
    bare_exchange(REQUEST_SIZE + size, ANSWER_SIZE);
}

static void bare_read(void *context, void *bytes, size_t size)
{
    (void)context;
    bare_exchange(REQUEST_SIZE, ANSWER_SIZE + size);
    memcpy(bytes, bare_block, size);
}

static void bare_close(void *context)
{
    (void)context;
    close(bare_socket);
    free(bare_space);
    free(bare_block);
}

static const struct library libraries[] = {
    {"umemclient", SERVER_UMEMD, umem_open, umem_write, umem_read, umem_close},
    {"umemclient, never spins", SERVER_UMEMD, umem_open_asleep, umem_write, umem_read, umem_close},
    {"socket, bare libuv", SERVER_ECHO, bare_open, bare_write, bare_read, bare_close},
#ifdef HAVE_HIREDIS
    {"hiredis", SERVER_REDIS, redis_open, redis_write, redis_read, redis_close},
#endif
#ifdef HAVE_LIBMEMCACHED
    {"libmemcached", SERVER_MEMCACHED, memcached_open, memcached_write, memcached_read, memcached_close},
#endif
};

enum { LIBRARIES = sizeof libraries / sizeof *libraries };

static void measure(const struct effort *effort, struct results *results, const struct library *library,
                    const struct server *server, size_t size, unsigned round)
{
    unsigned char *bytes = must_alloc(size);
    unsigned char *back = must_alloc(size);
    void *context = library->open(server);

    for (int reads = 0; reads < 2; reads++) {
        uint64_t count = 0;
        uint64_t elapsed;

        fill_bytes(bytes, size, round + 1);
        library->write(context, bytes, size);
        uint64_t begin = now_ns();
        do {
            if (reads)
                library->read(context, back, size);
            else
                library->write(context, bytes, size);
            if (reads && memcmp(bytes, back, size) != 0)
                give_up("%s: wrong bytes", library->name);
            count++;
            elapsed = now_ns() - begin;
        } while (elapsed < effort->slice_ns);
        results_add(results, &(struct record){.group = "library",
                                              .name = reads ? "read" : "write",
                                              .target = library->name,
                                              .size = size,
                                              .depth = 1,
                                              .connections = 1,
                                              .round = round,
                                              .value = (double)count * 1e9 / (double)elapsed,
                                              .unit = "requests/s"});
        results->answers += count;
    }
    library->close(context);
    free(bytes);
    free(back);
}

void figures_of_libraries(const struct effort *effort, struct results *results, const struct server *servers)
{
    static const size_t sizes[] = {64, 4096, 1 << 20};

    for (unsigned round = 0; round < effort->rounds; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (unsigned turn = 0; turn < LIBRARIES; turn++) {
                const struct library *library = &libraries[(turn + round) % LIBRARIES];

                if (servers[library->server].pid != 0)
                    measure(effort, results, library, &servers[library->server], sizes[i], round);
            }
        }
    }
}
