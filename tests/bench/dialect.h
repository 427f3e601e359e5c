/*
 * How each server is requested to do the same work, and what it must answer.
 *
 * Owns: the texts of requests and answers. Must not know: what is measured, or for how long.
 *
 * A workload is made of steps on keys. A key is a block of umemd, a string of Redis, an item of memcached. Every
 * dialect has the request of every step in its server's protocol; a step that the server does not support is left out
 * of its workloads.
 */
#ifndef BENCH_DIALECT_H
#define BENCH_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench_server.h"
#include "ring.h"
#include "umem_client.h"

enum { KEYS_MAX = 256 };

enum step_kind {
    STEP_READ,  /* umemd block.read, Redis GETRANGE (GET from 1 MiB on), memcached get */
    STEP_WRITE, /* block.write, SETRANGE, set */
    STEP_ADD,   /* block.add, INCRBY, incr and decr */
    STEP_COPY,  /* block.copy, COPY, - */
    STEP_PUT,   /* block.alloc with if_exists "replace", SET, set */
    STEP_GET,   /* block.read of a name, GET, get */
    STEP_MAKE,  /* block.alloc, SET, set */
    STEP_DROP   /* block.free, UNLINK, delete */
};

struct step {
    enum step_kind kind;
    unsigned key;    /* which key; for copies the source */
    unsigned target; /* for copies */
    int value;       /* for add: 1 or -1 */
    int before;      /* for add: what the number is before */
};

/* The keys of one workload at one server. */
struct keys {
    const struct server *server;
    char letter;         /* what their names begin with */
    umem_client *client; /* umemd's: makes and looks after blocks, outside of what is measured */
    umem_handle blocks[KEYS_MAX];
    unsigned count; /* how many keys */
    size_t size;    /* bytes of each */
    bool numbers;   /* they hold a number each, 0 at first */
    bool named;     /* umemd's blocks have names */
    const char
        *heap_kind;   /* umemd's are on a heap of this kind: "shared", "durable"; NULL: the process heap */
    umem_handle heap; /* that heap; 0: the process heap */
    const unsigned char *bytes; /* key k's bytes are the `size` from k * size on */
};

/* How bytes travel. */
enum encoding { ENCODING_BASE64, ENCODING_HEX, ENCODING_RAW };

/* One column of the results. */
struct dialect {
    const char *name; /* "umemd, lines, base64" */
    enum server_kind server;
    enum encoding encoding;     /* umemd */
    bool headers;               /* umemd: framing by headers */
    const char *heap_kind;      /* umemd: see struct keys */
    const struct dialect *like; /* the bare server: moves as many bytes as this one */
    /* Appends one step's request and answer. */
    void (*append_step)(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                        const struct step *step);
    /* Appends one request that reads `count` keys from `first` on at once; NULL: it cannot. */
    void (*append_batch)(struct ring *ring, const struct keys *keys, unsigned first, unsigned count);
    /* Makes all keys: the first `filled` with their bytes, the others with zeros. */
    void (*make)(struct keys *keys, unsigned filled);
    /* Checks that the first `count` keys have their bytes. */
    void (*verify)(const struct keys *keys, unsigned count);
    /* Takes all keys away. */
    void (*drop)(struct keys *keys);
};

enum dialect_id {
    UMEMD_LINES_BASE64,
    UMEMD_LINES_HEX,
    UMEMD_HEADERS_BASE64,
    UMEMD_HEADERS_RAW,
    ECHO_LINES,
    ECHO_RAW,
    REDIS,
    MEMCACHED,
    UMEMD_SHARED,
    UMEMD_DURABLE,
    UMEMD_ALWAYS,
    REDIS_EVERYSEC,
    REDIS_ALWAYS,
    DIALECTS
};

extern const struct dialect dialects[DIALECTS];

/* umemd's own, in dialect_umemd.c; the others' in dialect_others.c. */
void umemd_append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       const struct step *step);
void umemd_append_batch(struct ring *ring, const struct keys *keys, unsigned first, unsigned count);
void umemd_make(struct keys *keys, unsigned filled);
void umemd_verify(const struct keys *keys, unsigned count);
void umemd_drop(struct keys *keys);
void redis_append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                       const struct step *step);
void redis_append_batch(struct ring *ring, const struct keys *keys, unsigned first, unsigned count);
void memcached_append_step(struct ring *ring, const struct dialect *dialect, const struct keys *keys,
                           const struct step *step);
void memcached_append_batch(struct ring *ring, const struct keys *keys, unsigned first, unsigned count);
void others_make(struct keys *keys, unsigned filled);
void others_verify(const struct keys *keys, unsigned count);
void others_drop(struct keys *keys);

/* A connected client of umemd's, or gives up. */
umem_client *umemd_connect(const struct server *server);

/* Makes a heap of this kind ("shared", "durable"; NULL: the process heap, which is 0), or gives up. */
umem_handle umemd_make_heap(umem_client *client, const char *kind);

/* Destroys it; 0 is fine. */
void umemd_drop_heap(umem_client *client, umem_handle heap);

#endif
