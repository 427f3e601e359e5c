#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "lib/connection/mutex.h"
#include "lib/connection/transport.h"
#include "umem_errors.h"

/* What the library sees of a connection is nothing. */
struct um_transport {
    int is_open;
};

struct fake fake;

static struct um_transport transport;
enum { TEXTS_MAXIMUM = 1024 };

static char *texts[TEXTS_MAXIMUM]; /* that fake_answer_text() has made */
static size_t text_count;

void fake_begin(void)
{
    fake = (struct fake){.now_ms = 1000000, .sent = malloc(FAKE_SENT_SIZE)};
    assert_non_null(fake.sent);
}

void fake_end(void)
{
    assert_int_equal(transport.is_open, 0);
    assert_false(fake.is_locked);
    free(fake.sent);
    while (text_count != 0)
        free(texts[--text_count]);
}

void fake_forget(void)
{
    fake.sent_size = 0;
    fake.first_capacity = 0;
}

void fake_answer(const char *bytes, size_t size)
{
    assert_true(fake.read_count < FAKE_STEPS_MAXIMUM);
    fake.reads[fake.read_count++] = (struct fake_read){.bytes = bytes, .size = size};
}

void fake_answer_text(const char *lines, const char *payload, size_t payload_size)
{
    size_t capacity = 2 * strlen(lines) + payload_size + 1024;
    char *text = malloc(capacity);
    size_t size = 0;

    assert_non_null(text);
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        const char *next = lines + length + (lines[length] == '\n');

        if (*next == '\0' && payload_size != 0)
            size += (size_t)snprintf(text + size, capacity - size,
                                     "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n%.*s", length,
                                     payload_size, (int)length, lines);
        else
            size += (size_t)snprintf(text + size, capacity - size, "Content-Length: %zu\r\n\r\n%.*s", length,
                                     (int)length, lines);
        lines = next;
    }
    if (payload_size != 0)
        memcpy(text + size, payload, payload_size);
    assert_true(text_count < TEXTS_MAXIMUM);
    texts[text_count++] = text;
    fake_answer(text, size + payload_size);
}

/* ---- the transport's contract ---- */

uint64_t um_transport_now_ms(void)
{
    return fake.now_ms;
}

void um_transport_pause(uint32_t ms)
{
    assert_false(fake.is_locked);
    fake.pauses++;
    fake.now_ms += ms;
}

/* Gives the code that a test has set; the last time that it was to be given, nothing fails from then on. */
static int take_failure(int *code, unsigned *left)
{
    int given = *code;

    if (*left != 0 && --*left == 0)
        *code = UMEM_OK;
    return given;
}

int um_transport_open(const char *pipe, uint32_t timeout_ms, uint64_t deadline_ms,
                      struct um_transport **opened, struct um_reason *reason)
{
    (void)pipe;
    fake.opens++;
    fake.open_timeout_ms = timeout_ms;
    fake.open_deadline_ms = deadline_ms;
    if (fake.open_code != UMEM_OK) {
        strcpy(reason->text, "as the test wants it");
        return take_failure(&fake.open_code, &fake.open_failures);
    }
    transport.is_open++;
    *opened = &transport;
    return UMEM_OK;
}

void um_transport_let_spin(struct um_transport *opened)
{
    assert_ptr_equal(opened, &transport);
    fake.may_spin = true;
}

void um_transport_close(struct um_transport *closed)
{
    if (closed == NULL)
        return;
    fake.closes++;
    transport.is_open--;
}

int um_transport_write_some(struct um_transport *used, const struct um_slice *slices, size_t count,
                            size_t *done, bool *readable, uint64_t deadline_ms, struct um_reason *reason)
{
    size_t capacity = fake.write_maximum != 0 ? fake.write_maximum : SIZE_MAX;

    assert_ptr_equal(used, &transport);
    assert_false(fake.is_locked);
    fake.write_deadline_ms = deadline_ms;
    *done = 0;
    *readable = false;
    if (fake.write_successes != 0) {
        fake.write_successes--;
    } else if (fake.write_code != UMEM_OK) {
        strcpy(reason->text, "as the test wants it");
        return take_failure(&fake.write_code, &fake.write_failures);
    }
    for (size_t i = 0; i < count && capacity != 0; i++) {
        size_t size = slices[i].size < capacity ? slices[i].size : capacity;

        assert_true(size <= FAKE_SENT_SIZE - fake.sent_size);
        if (size != 0)
            memcpy(fake.sent + fake.sent_size, slices[i].bytes, size);
        fake.sent_size += size;
        capacity -= size;
        *done += size;
    }
    return UMEM_OK;
}

int um_transport_read(struct um_transport *used, void *bytes, size_t capacity, size_t *size,
                      uint64_t deadline_ms, struct um_reason *reason)
{
    struct fake_read *step = &fake.reads[fake.read_next];
    struct fake_read none = {.code =
                                 deadline_ms != UM_NO_DEADLINE ? UMEM_E_DEADLINE : UMEM_E_CONNECTION_LOST};

    assert_ptr_equal(used, &transport);
    assert_false(fake.is_locked);
    fake.read_deadline_ms = deadline_ms;
    fake.read_to = bytes;
    if (fake.first_capacity == 0)
        fake.first_capacity = capacity;
    if (fake.read_next == fake.read_count)
        step = &none;
    fake.now_ms += step->takes_ms;
    step->takes_ms = 0;
    if (step->bytes == NULL) {
        if (step->code == UMEM_E_DEADLINE && deadline_ms > fake.now_ms)
            fake.now_ms = deadline_ms;
        fake.read_next += step != &none;
        strcpy(reason->text, "as the test wants it");
        return step->code;
    }
    *size = step->size < capacity ? step->size : capacity;
    memcpy(bytes, step->bytes, *size);
    step->bytes += *size;
    step->size -= *size;
    if (step->size == 0)
        fake.read_next++;
    return UMEM_OK;
}

void um_transport_abort(struct um_transport *aborted)
{
    assert_ptr_equal(aborted, &transport);
    fake.aborts++;
}

/* ---- the lock's contract ---- */

struct um_mutex {
    char nothing;
};

struct um_condition {
    bool is_raised;
};

struct um_mutex *um_mutex_new(void)
{
    return calloc(1, sizeof(struct um_mutex));
}

void um_mutex_free(struct um_mutex *lock)
{
    free(lock);
}

void um_mutex_lock(struct um_mutex *lock)
{
    assert_non_null(lock);
    assert_false(fake.is_locked);
    fake.is_locked = true;
}

void um_mutex_unlock(struct um_mutex *lock)
{
    assert_non_null(lock);
    assert_true(fake.is_locked);
    fake.is_locked = false;
}

struct um_condition *um_condition_new(void)
{
    return calloc(1, sizeof(struct um_condition));
}

void um_condition_free(struct um_condition *condition)
{
    free(condition);
}

/* A wait without a deadline that no step wakes would not end. */
void um_condition_wait(struct um_condition *condition, struct um_mutex *lock, uint64_t deadline_ms)
{
    fake.waits++;
    fake.wait_deadline_ms = deadline_ms;
    um_mutex_unlock(lock);
    if (fake.others != NULL)
        fake.others();
    um_mutex_lock(lock);
    if (!condition->is_raised) {
        assert_true(deadline_ms != UM_NO_DEADLINE);
        if (deadline_ms > fake.now_ms)
            fake.now_ms = deadline_ms;
    }
    condition->is_raised = false;
}

void um_condition_signal(struct um_condition *condition)
{
    assert_true(fake.is_locked);
    condition->is_raised = true;
}

bool fake_was_woken(struct um_condition *condition)
{
    bool was_woken = condition->is_raised;

    condition->is_raised = false;
    return was_woken;
}
