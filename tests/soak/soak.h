/*
 * What every part of the soak shares: one client process with its daemon, numbers drawn from a seed, and how to fail.
 *
 * Owns: the connection, the seed's sequence. Must not know: what a role does, how processes are started.
 *
 * A worker is a process of its own. It ends with status 0 where every answer was right, and reports what was wrong and ends with 1 at the
 * first that was not. No time decides what is right; only a wait that takes minutes counts as hanging.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "umem_client.h"

enum {
    SOAK_HANG_MS = 600000, /* what takes longer hangs: under sanitizers, Wine and load nothing does */
    SOAK_NAME_SIZE = 48,   /* bytes of a group's name */
    SOAK_TEXT_SIZE = 4096
};

/* What workers count, in the block "counters" of the daemon. */
enum soak_counter {
    COUNTER_STEPS,   /* steps that roles have taken */
    COUNTER_CHECKS,  /* answers that were compared with what they had to be */
    COUNTER_GARBAGE, /* messages that were wrong on purpose */
    COUNTER_STALLS,  /* connections that stopped in the middle of a message, or did not read */
    COUNTER_LIMITS,  /* times that a limit was met */
    COUNTER_COUNT
};

struct soak {
    umem_client *client;
    const char *pipe;
    const char *role;
    char name[SOAK_NAME_SIZE]; /* of the group: what its members share has names that begin with it */
    unsigned member;           /* from 0 */
    uint64_t steps;            /* to take */
    uint64_t step;             /* that is being taken */
    uint64_t seed;
    uint64_t random; /* where the seed's sequence is */
    uint64_t session;
    uint64_t counters[COUNTER_COUNT]; /* not published yet */
    uint64_t steps_published;
    umem_handle counters_block;
    struct umem_server_info *info;
};

/* ---- failing ---- */

/* Prints which worker failed and what was wrong, and ends the process. */
UM_PRINTF(4, 5)
_Noreturn void soak_fail(const struct soak *soak, const char *file, int line, const char *format, ...);

#define FAIL(soak, ...) soak_fail(soak, __FILE__, __LINE__, __VA_ARGS__)

/* Ends the process unless a call gave what it had to. */
void soak_expect(struct soak *soak, int code, int wanted, const char *file, int line, const char *what);

#define EXPECT(soak, wanted, call) soak_expect(soak, call, wanted, __FILE__, __LINE__, #call)

#define REQUIRE(soak, holds) \
    do { \
        (soak)->counters[COUNTER_CHECKS]++; \
        if (!(holds)) \
            FAIL(soak, "not so: %s", #holds); \
    } while (0)

/* ---- numbers ---- */

uint64_t soak_random(struct soak *soak);

/* From 0 to limit - 1; `limit` is not 0. */
uint64_t soak_below(struct soak *soak, uint64_t limit);

/* Whether something that happens once in `times` happens now. */
bool soak_chance(struct soak *soak, unsigned times);

void soak_random_bytes(struct soak *soak, void *bytes, size_t size);

/* ---- the daemon ---- */

/* Makes a client and connects it; comes back where all places for sessions were taken. */
umem_client *soak_connect(struct soak *soak);

/* The value of a limit; 0: this daemon has none of that name. */
uint64_t soak_limit(const struct soak *soak, const char *name);

/* Sees to it that the client's last failure, a limit_exceeded, names a limit of the daemon's and its value. */
void soak_check_limit(struct soak *soak, umem_client *client);

/* Whether a call that takes memory, a place or a name succeeded. It may reach a limit that others have used up, and
 * then the error must name it; no other is allowed. */
bool soak_made(struct soak *soak, int code, const char *file, int line, const char *what);

#define MADE(soak, call) soak_made(soak, call, __FILE__, __LINE__, #call)

/* Whether a session of that number is open. */
bool soak_session_is_open(struct soak *soak, uint64_t session);

/* Adds to the shared counters what was counted since they were last published. */
void soak_publish_counters(struct soak *soak);

/* The block with the name "GROUP.suffix"; 0: there is none any more. */
umem_handle soak_find(struct soak *soak, const char *suffix);

/* Writes "GROUP.suffix". Returns `name`. */
const char *soak_name(const struct soak *soak, const char *suffix, char name[UMEM_NAME_SIZE]);

/* Lets a moment pass, where only others can make a call succeed. */
void soak_pause(void);

/* The block "GROUP.stop" announces to the members of a group that it is about to end. */
void soak_make_stop(struct soak *supervisor);
void soak_set_stop(struct soak *supervisor);
void soak_free_stop(struct soak *supervisor);
bool soak_is_stopped(struct soak *soak, umem_handle stop);

/* Takes one step more? */
bool soak_next_step(struct soak *soak);

#endif
