#include "step_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_errors.h"
#include "wire/frame.h"

enum { MESSAGE_SIZE = 8192 };

uint64_t um_steps;
uint64_t um_touched;
uint64_t um_copied;

/* As many settings as there may be. */
static bool on_reload(void *context, struct um_reload *reload)
{
    (void)context;
    for (; reload->count < UM_RELOAD_SETTINGS; reload->count++)
        strcpy(reload->settings[reload->count].name, "limit.unsent_total_bytes");
    return true;
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct um_store_options store = {.bytes_limit = UINT64_C(1) << 34,
                                     .blocks_limit = 1 << 20,
                                     .heaps_limit = 1 << 18,
                                     .shared_heaps_limit = 4,
                                     .holds_limit = 1 << 20,
                                     .seed = 42};
    struct um_rpc_options options = {
        .version = "0.0.0", .pipe = "nowhere", .started = 1000, .events.reload = on_reload};

    assert_non_null(fixture);
    um_limits_init(&fixture->limits);
    assert_int_equal(um_store_new(&store, &fixture->store), UMEM_OK);
    options.store = fixture->store;
    options.limits = &fixture->limits;
    assert_int_equal(um_rpc_new(&options, &fixture->rpc), UMEM_OK);
    for (int i = 0; i < SESSIONS; i++) {
        struct um_session_options session = {.pid = 77, .program = "tester", .user = "me"};

        assert_int_equal(um_session_open(fixture->rpc, &fixture->sessions[i], &session), UMEM_OK);
    }
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < SESSIONS; i++)
        um_session_close(&fixture->sessions[i]);
    while (um_rpc_work(fixture->rpc))
        continue;
    um_rpc_free(fixture->rpc);
    um_store_free(fixture->store);
    free(fixture);
    return 0;
}

void turn(struct fixture *fixture)
{
    um_rpc_end_turn(fixture->rpc);
    um_rpc_set_time(fixture->rpc, 1000, ++fixture->now_ms);
}

static void feed(struct um_session *session, char *text, size_t size)
{
    const struct um_job *reading;

    assert_true(um_session_is_ready(session));
    um_dispatch_message(session, text, size, 0);
    /* A long one is read in steps first. */
    reading = size > UM_FRAME_LONG_SIZE ? session->job : NULL;
    while (reading != NULL && session->job == reading)
        (void)um_rpc_work(session->rpc);
    assert_false(session->broken);
}

UM_PRINTF(2, 0)
static void feed_list(struct um_session *session, const char *format, va_list list)
{
    char message[MESSAGE_SIZE];
    int size = vsnprintf(message, sizeof message, format, list);

    assert_in_range(size, 1, MESSAGE_SIZE - 1);
    feed(session, message, (size_t)size);
}

void send_message(struct um_session *session, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    feed_list(session, format, list);
    va_end(list);
    um_buf_truncate(&session->out, 0);
}

void send_batch(struct um_session *session, const char *request, unsigned count)
{
    size_t size = strlen(request) + 1;
    char *message = malloc(count * size + 1);

    assert_non_null(message);
    for (unsigned i = 0; i < count; i++) {
        message[i * size] = i == 0 ? '[' : ',';
        memcpy(message + i * size + 1, request, size - 1);
    }
    message[count * size] = ']';
    feed(session, message, count * size + 1);
    free(message);
    um_buf_truncate(&session->out, 0);
}

uint64_t number_in_answer(struct um_session *session, const char *member, const char *format, ...)
{
    char key[64];
    const char *found;
    va_list list;

    um_buf_truncate(&session->out, 0);
    va_start(list, format);
    feed_list(session, format, list);
    va_end(list);
    assert_non_null(um_buf_append(&session->out, "", 1));
    snprintf(key, sizeof key, "\"%s\":", member);
    found = strstr((const char *)session->out.data, key);
    assert_non_null(found);
    um_buf_truncate(&session->out, 0);
    return strtoull(found + strlen(key), NULL, 10);
}

void feed_text(struct um_session *session, char *text, size_t size)
{
    assert_true(um_session_is_ready(session));
    um_dispatch_message(session, text, size, 0);
    assert_false(session->broken);
}

void count_from_here(void)
{
    um_steps = 0;
    um_touched = 0;
    um_copied = 0;
}

uint64_t bytes_touched_so_far(void)
{
    return um_touched;
}

uint64_t bytes_copied_so_far(void)
{
    return um_copied;
}

uint64_t steps_so_far(void)
{
    return um_steps;
}
