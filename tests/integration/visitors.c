#include "visitors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
/* Needs those before it. */
#include <cmocka.h>
#include <uv.h>

#include "daemon_fixture.h"

enum {
    RECONNECT_MS = 120000, /* more than any start of a daemon takes */
    THREADS_MAXIMUM = 8,
    WAIT_POLLS = 60000,
    WAIT_POLL_MS = 2
};

struct visitor {
    struct visitors *all;
    umem_client *client; /* of one that stays connected */
    uv_thread_t thread;
    int code; /* what went wrong */
    char message[512];
};

struct visitors {
    const char *pipe;
    umem_handle block;
    uv_mutex_t lock; /* guards what follows */
    bool is_over;
    uint64_t answered;
    uint64_t lost;
    unsigned failed; /* threads that have ended by a failure */
    unsigned count;
    struct visitor visitors[THREADS_MAXIMUM];
};

static bool is_over(struct visitors *all)
{
    bool over;

    uv_mutex_lock(&all->lock);
    over = all->is_over;
    uv_mutex_unlock(&all->lock);
    return over;
}

/* Counts an answer, or notes a failure. Returns whether the thread goes on. */
static bool take(struct visitor *visitor, umem_client *client, int code, bool may_lose)
{
    struct visitors *all = visitor->all;
    bool is_lost = may_lose && code == UMEM_E_CONNECTION_LOST;

    if (code != UMEM_OK && !is_lost) {
        visitor->code = code;
        snprintf(visitor->message, sizeof visitor->message, "%s", umem_last_error(client)->message);
    }
    uv_mutex_lock(&all->lock);
    all->answered += code == UMEM_OK;
    all->lost += is_lost;
    all->failed += visitor->code != UMEM_OK;
    uv_mutex_unlock(&all->lock);
    return visitor->code == UMEM_OK;
}

static int call(umem_client *client, umem_handle block)
{
    static const uint64_t one = 1;

    return block != 0 ? umem_block_add(client, block, 0, UMEM_TYPE_U64, &one, NULL, NULL)
                      : umem_server_ping(client);
}

static void visit(void *context)
{
    struct visitor *visitor = context;
    struct visitors *all = visitor->all;
    bool goes_on = true;

    while (goes_on && !is_over(all)) {
        umem_client *client = umem_client_new(&(struct umem_options){.pipe = all->pipe});
        int code = umem_connect(client);

        if (code == UMEM_OK)
            code = call(client, all->block);
        goes_on = take(visitor, client, code, false);
        umem_client_free(client);
    }
}

static void reside(void *context)
{
    struct visitor *visitor = context;
    struct visitors *all = visitor->all;
    bool goes_on = true;

    while (goes_on && !is_over(all))
        goes_on = take(visitor, visitor->client, call(visitor->client, all->block), true);
    umem_client_free(visitor->client);
}

struct visitors *visitors_start(const char *pipe, umem_handle block, unsigned visiting, unsigned residing)
{
    struct visitors *all = calloc(1, sizeof *all);

    assert_non_null(all);
    assert_true(visiting + residing <= THREADS_MAXIMUM);
    all->pipe = pipe;
    all->block = block;
    assert_int_equal(uv_mutex_init(&all->lock), 0);
    for (; all->count < visiting + residing; all->count++) {
        struct visitor *visitor = &all->visitors[all->count];

        visitor->all = all;
        /* Before the test ends the daemon for the first time. */
        if (all->count >= visiting) {
            visitor->client =
                umem_client_new(&(struct umem_options){.pipe = pipe, .reconnect_ms = RECONNECT_MS});
            ok(visitor->client, umem_connect(visitor->client));
        }
        assert_int_equal(uv_thread_create(&visitor->thread, all->count < visiting ? visit : reside, visitor),
                         0);
    }
    return all;
}

void visitors_wait(struct visitors *visitors)
{
    uint64_t before = UINT64_MAX;
    bool goes_on = false;

    for (int i = 0; i < WAIT_POLLS && !goes_on; i++) {
        uv_mutex_lock(&visitors->lock);
        if (before == UINT64_MAX)
            before = visitors->answered;
        goes_on = visitors->answered > before || visitors->failed != 0;
        uv_mutex_unlock(&visitors->lock);
        if (!goes_on)
            uv_sleep(WAIT_POLL_MS);
    }
    assert_true(goes_on);
}

void visitors_stop(struct visitors *visitors, uint64_t *answered, uint64_t *lost)
{
    unsigned failed = 0;

    uv_mutex_lock(&visitors->lock);
    visitors->is_over = true;
    uv_mutex_unlock(&visitors->lock);
    for (unsigned i = 0; i < visitors->count; i++) {
        struct visitor *visitor = &visitors->visitors[i];

        assert_int_equal(uv_thread_join(&visitor->thread), 0);
        if (visitor->code != UMEM_OK)
            print_error("%s: %s\n", umem_error_name(visitor->code), visitor->message);
        failed += visitor->code != UMEM_OK;
    }
    assert_int_equal(failed, 0);
    *answered = visitors->answered;
    *lost = visitors->lost;
    uv_mutex_destroy(&visitors->lock);
    free(visitors);
}
