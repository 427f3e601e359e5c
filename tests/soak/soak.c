#include "soak.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

enum { CONNECT_TRIES = 20000, TELL_EVERY = 64 };

/* ---- failing ---- */

void soak_fail(const struct soak *soak, const char *file, int line, const char *format, ...)
{
    char text[SOAK_TEXT_SIZE];
    va_list list;
    int size = snprintf(text, sizeof text,
                        "soak: %s %s.%u, seed %" PRIu64 ", step %" PRIu64 " (%s:%d): ", soak->role,
                        soak->name, soak->member, soak->seed, soak->step, file, line);

    va_start(list, format);
    vsnprintf(text + size, sizeof text - (size_t)size, format, list);
    va_end(list);
    /* One write, as others print there too. */
    strncat(text, "\n", sizeof text - strlen(text) - 1);
    fputs(text, stderr);
    fflush(stderr);
    exit(1);
}

void soak_expect(struct soak *soak, int code, int wanted, const char *file, int line, const char *what)
{
    const struct umem_failure *failure = umem_last_error(soak->client);

    soak->counters[COUNTER_CHECKS]++;
    if (code != wanted)
        soak_fail(soak, file, line, "%s gave %s and not %s: %s %s", what,
                  code == UMEM_OK ? "success" : umem_error_name(code),
                  wanted == UMEM_OK ? "success" : umem_error_name(wanted), failure->message, failure->data);
}

/* ---- numbers ---- */

/* xorshift, with a product that spreads its bits. `random` is never 0. */
uint64_t soak_random(struct soak *soak)
{
    soak->random ^= soak->random >> 12;
    soak->random ^= soak->random << 25;
    soak->random ^= soak->random >> 27;
    return (soak->random * UINT64_C(0x2545F4914F6CDD1D)) >> 8;
}

uint64_t soak_below(struct soak *soak, uint64_t limit)
{
    return soak_random(soak) % limit;
}

bool soak_chance(struct soak *soak, unsigned times)
{
    return soak_below(soak, times) == 0;
}

void soak_random_bytes(struct soak *soak, void *bytes, size_t size)
{
    unsigned char *at = bytes;

    for (size_t i = 0; i < size; i += 4) {
        uint32_t word = (uint32_t)soak_random(soak);

        memcpy(at + i, &word, size - i < 4 ? size - i : 4);
    }
}

/* ---- the daemon ---- */

umem_client *soak_connect(struct soak *soak)
{
    struct umem_options options = {.pipe = soak->pipe, .timeout_ms = SOAK_HANG_MS};
    umem_client *client = umem_client_new(&options);
    int code = UMEM_E_OUT_OF_MEMORY;

    for (int i = 0; i < CONNECT_TRIES && client != NULL; i++) {
        code = umem_connect(client);
        if (code == UMEM_OK)
            code = umem_server_ping(client);
        if (code == UMEM_OK)
            return client;
        /* All sessions are taken: some role is taking them on purpose. */
        if (code != UMEM_E_LIMIT_EXCEEDED)
            break;
        soak->counters[COUNTER_LIMITS]++;
        uv_sleep(1);
    }
    FAIL(soak, "cannot connect: %s", umem_last_error(client)->message);
}

uint64_t soak_limit(const struct soak *soak, const char *name)
{
    for (size_t i = 0; i < soak->info->limit_count; i++) {
        if (strcmp(soak->info->limits[i].name, name) == 0)
            return soak->info->limits[i].value;
    }
    return 0;
}

void soak_check_limit(struct soak *soak, umem_client *client)
{
    const char *data = umem_last_error(client)->data;
    int64_t maximum;
    int64_t used;
    int64_t asked;
    char member[96];

    soak->counters[COUNTER_LIMITS]++;
    if (!umem_error_integer(client, "maximum", &maximum))
        FAIL(soak, "limit_exceeded without a maximum: %s", data);
    for (size_t i = 0; i < soak->info->limit_count; i++) {
        const struct umem_limit *limit = &soak->info->limits[i];

        snprintf(member, sizeof member, "\"limit\":\"%s\"", limit->name);
        if (strstr(data, member) == NULL)
            continue;
        if ((uint64_t)maximum != limit->value)
            FAIL(soak, "%s is %" PRIu64 " by server.info: %s", limit->name, limit->value, data);
        if (umem_error_integer(client, "used", &used) && umem_error_integer(client, "asked", &asked) &&
            (used > maximum || asked <= maximum - used))
            FAIL(soak, "limit_exceeded below the limit: %s", data);
        return;
    }
    FAIL(soak, "limit_exceeded names no limit of server.info: %s", data);
}

bool soak_made(struct soak *soak, int code, const char *file, int line, const char *what)
{
    if (code != UMEM_E_LIMIT_EXCEEDED) {
        soak_expect(soak, code, UMEM_OK, file, line, what);
        return true;
    }
    soak_check_limit(soak, soak->client);
    return false;
}

static int look_for_session(const struct umem_session_info *session, void *context)
{
    const uint64_t *wanted = context;

    return session->session == *wanted ? 1 : 0;
}

bool soak_session_is_open(struct soak *soak, uint64_t session)
{
    int code = umem_session_list(soak->client, look_for_session, &session);

    if (code < 0)
        EXPECT(soak, UMEM_OK, code);
    return code == 1;
}

void soak_publish_counters(struct soak *soak)
{
    umem_calls *calls;

    soak->counters[COUNTER_STEPS] += soak->step - soak->steps_published;
    soak->steps_published = soak->step;
    if (soak->counters_block == 0 &&
        umem_block_lookup(soak->client, "counters", &soak->counters_block) != UMEM_OK)
        return;
    calls = umem_calls_new(soak->client, UMEM_PIPELINE);
    for (unsigned i = 0; i < COUNTER_COUNT; i++) {
        if (umem_submit_block_add(calls, soak->counters_block, i * sizeof(uint64_t), UMEM_TYPE_U64,
                                  &soak->counters[i], NULL, NULL) != UMEM_OK)
            FAIL(soak, "cannot add to the counters");
    }
    EXPECT(soak, UMEM_OK, umem_collect_all(calls));
    umem_calls_free(calls);
    memset(soak->counters, 0, sizeof soak->counters);
}

const char *soak_name(const struct soak *soak, const char *suffix, char name[UMEM_NAME_SIZE])
{
    snprintf(name, UMEM_NAME_SIZE, "%s.%s", soak->name, suffix);
    return name;
}

umem_handle soak_find(struct soak *soak, const char *suffix)
{
    char name[UMEM_NAME_SIZE];
    umem_handle block = 0;
    int code = umem_block_lookup(soak->client, soak_name(soak, suffix, name), &block);

    if (code == UMEM_E_UNKNOWN_HANDLE)
        return 0;
    EXPECT(soak, UMEM_OK, code);
    return block;
}

void soak_pause(void)
{
    uv_sleep(1);
}

void soak_make_stop(struct soak *supervisor)
{
    struct umem_block_options options = {0};
    char name[UMEM_NAME_SIZE];
    umem_handle stop;

    options.name = soak_name(supervisor, "stop", name);
    while (!MADE(supervisor, umem_block_alloc(supervisor->client, 1, &options, &stop)))
        soak_pause();
}

void soak_set_stop(struct soak *supervisor)
{
    EXPECT(supervisor, UMEM_OK,
           umem_block_fill(supervisor->client, soak_find(supervisor, "stop"), 0, 1, UMEM_TO_END));
}

void soak_free_stop(struct soak *supervisor)
{
    EXPECT(supervisor, UMEM_OK, umem_block_free(supervisor->client, soak_find(supervisor, "stop")));
}

bool soak_is_stopped(struct soak *soak, umem_handle stop)
{
    uint8_t value = 0;

    EXPECT(soak, UMEM_OK, umem_block_read(soak->client, stop, 0, &value, 1));
    return value != 0;
}

bool soak_next_step(struct soak *soak)
{
    if (soak->step == soak->steps)
        return false;
    soak->step++;
    if (soak->step % TELL_EVERY == 0)
        soak_publish_counters(soak);
    return true;
}
