/*
 * The programs that are measured: found, started on sockets of their own, looked at, ended.
 *
 * Owns: a temporary directory and the processes in it; both are removed when the program ends, however it ends. Must
 * not know: what is sent to them.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum server_kind {
    SERVER_UMEMD,
    SERVER_REDIS,
    SERVER_MEMCACHED,
    SERVER_ECHO,
    /* What writes to the disk: those before, with other options. */
    SERVER_UMEMD_STATE,
    SERVER_UMEMD_ALWAYS,
    SERVER_REDIS_EVERYSEC,
    SERVER_REDIS_ALWAYS,
    SERVER_KINDS
};

struct server {
    enum server_kind kind;
    pid_t pid;      /* 0: not running */
    char path[108]; /* its socket */
};

/* What is known of a kind. */
const char *server_name(enum server_kind kind);

/* Whether the program is there. `umemd` must be; the others are looked for in PATH. */
void servers_find(const char *umemd);
bool server_is_there(enum server_kind kind);

/* The first line that the program prints about its version. */
const char *server_version(enum server_kind kind);

/* Starts one, on a new socket, and waits until it answers. Returns how many nanoseconds that took from fork() on. */
uint64_t server_start(struct server *server, enum server_kind kind);

/* Sends the shortest request over a connection and waits for the answer. Returns whether one came. */
bool server_ping(const struct server *server, int handle);

/* Ends it with SIGTERM and waits. Gives up where umemd does not end with 0. */
void server_stop(struct server *server);

/* Bytes of memory that only it uses (private pages), and all that is resident; 0 where that is not known. */
uint64_t server_private_bytes(const struct server *server);
uint64_t server_resident_bytes(const struct server *server);

/* Nanoseconds of processor time that it has used; 0 where that is not known. */
uint64_t server_busy_ns(const struct server *server);

#endif
