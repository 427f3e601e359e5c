#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"
#include "umem_errors.h"

enum { MESSAGE_SIZE = 8192 };

uint64_t um_steps;

int world_setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct um_store_options store = {.bytes_limit = UINT64_C(1) << 34,
                                     .blocks_limit = 1 << 20,
                                     .heaps_limit = 1 << 18,
                                     .shared_heaps_limit = 4,
                                     .holds_limit = 1 << 20,
                                     .seed = 42};
    struct um_rpc_options options = {.version = "0.0.0", .pipe = "nowhere", .started = 1000};

    assert_non_null(world);
    um_limits_init(&world->limits);
    assert_int_equal(um_store_new(&store, &world->store), UMEM_OK);
    options.store = world->store;
    options.limits = &world->limits;
    assert_int_equal(um_rpc_new(&options, &world->rpc), UMEM_OK);
    for (int i = 0; i < PEERS; i++) {
        struct um_peer_options peer = {.pid = 77, .program = "tester", .user = "me"};

        assert_int_equal(um_peer_open(world->rpc, &world->peers[i], &peer), UMEM_OK);
    }
    *state = world;
    return 0;
}

int world_teardown(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < PEERS; i++)
        um_peer_close(&world->peers[i]);
    while (um_rpc_work(world->rpc))
        continue;
    um_rpc_free(world->rpc);
    um_store_free(world->store);
    free(world);
    return 0;
}

void turn(struct world *world)
{
    um_rpc_end_turn(world->rpc);
    um_rpc_set_time(world->rpc, 1000, ++world->now_ms);
}

static void feed(struct um_peer *peer, char *text, size_t size)
{
    const struct um_job *reading;

    assert_true(um_peer_is_ready(peer));
    um_peer_message(peer, text, size, 0);
    /* A long one is read in steps first. */
    reading = size > UM_FRAME_LONG_SIZE ? peer->job : NULL;
    while (reading != NULL && peer->job == reading)
        (void)um_rpc_work(peer->rpc);
    assert_false(peer->broken);
}

UM_PRINTF(2, 0)
static void feed_list(struct um_peer *peer, const char *format, va_list list)
{
    char message[MESSAGE_SIZE];
    int size = vsnprintf(message, sizeof message, format, list);

    assert_in_range(size, 1, MESSAGE_SIZE - 1);
    feed(peer, message, (size_t)size);
}

void say(struct um_peer *peer, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    feed_list(peer, format, list);
    va_end(list);
    um_buf_truncate(&peer->out, 0);
}

void say_often(struct um_peer *peer, const char *request, unsigned count)
{
    size_t size = strlen(request) + 1;
    char *message = malloc(count * size + 1);

    assert_non_null(message);
    for (unsigned i = 0; i < count; i++) {
        message[i * size] = i == 0 ? '[' : ',';
        memcpy(message + i * size + 1, request, size - 1);
    }
    message[count * size] = ']';
    feed(peer, message, count * size + 1);
    free(message);
    um_buf_truncate(&peer->out, 0);
}

uint64_t ask(struct um_peer *peer, const char *member, const char *format, ...)
{
    char key[64];
    const char *found;
    va_list list;

    um_buf_truncate(&peer->out, 0);
    va_start(list, format);
    feed_list(peer, format, list);
    va_end(list);
    assert_non_null(um_buf_append(&peer->out, "", 1));
    snprintf(key, sizeof key, "\"%s\":", member);
    found = strstr((const char *)peer->out.data, key);
    assert_non_null(found);
    um_buf_truncate(&peer->out, 0);
    return strtoull(found + strlen(key), NULL, 10);
}

void count_from_here(void)
{
    um_steps = 0;
}

uint64_t steps_so_far(void)
{
    return um_steps;
}
