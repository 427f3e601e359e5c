/* Holding the engine against the model: what it sent, and what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"
#include "random_engine.h"
#include "rpc/schema/notification.h"
#include "store/records/records.h"
#include "store/store.h"
#include "wire/json_write.h"

void show(const struct run *run)
{
    unsigned first = run->recent_count > RECENT ? run->recent_count - RECENT : 0;

    print_error("step %llu; the last steps and requests:\n", (unsigned long long)run->step);
    for (unsigned i = first; i < run->recent_count; i++)
        print_error("  %s\n", run->recent[i % RECENT]);
}

void must(const struct run *run, bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    print_error("%s:%d: %s does not hold\n", file, line, what);
    show(run);
    _fail(file, line);
}

static void mismatch(const struct run *run, int session, const char *expected, size_t size)
{
    const struct session *it = &run->sessions[session];
    size_t left = it->session.out.size - it->checked;

    print_error("session %d\nexpected: %.*s\nanswered: %.*s\n", session, (int)(size < 2000 ? size : 2000),
                expected, (int)(left < 2000 ? left : 2000),
                left != 0 ? it->session.out.data + it->checked : "");
    for (unsigned i = 0; i < it->late_count; i++)
        print_error("late: %.*s\n", (int)it->late[i].size, it->late[i].data);
    show(run);
    fail();
}

/* ---- messages ---- */

struct piece {
    const char *json;
    size_t size;
    size_t next; /* where the message after it begins, counted from this one's start */
};

/* The next message of what was sent; raw bytes are only behind answers that are checked otherwise. */
static struct piece next_piece(const struct run *run, int session)
{
    const struct session *it = &run->sessions[session];
    const char *text = it->session.out.data + it->checked;
    size_t left = it->session.out.size - it->checked;
    static const char name[] = "Content-Length: ";
    struct piece piece = {text, 0, 0};

    if (it->session.framing == UM_FRAMING_LINES) {
        while (piece.size < left && text[piece.size] != '\n')
            piece.size++;
        MUST(piece.size < left);
        piece.next = piece.size + 1;
        return piece;
    }
    MUST(left > sizeof name && memcmp(text, name, sizeof name - 1) == 0);
    piece.size = (size_t)strtoul(text + sizeof name - 1, NULL, 10);
    while (piece.next + 4 < left && memcmp(text + piece.next, "\r\n\r\n", 4) != 0)
        piece.next++;
    piece.json = text + piece.next + 4;
    piece.next += 4 + piece.size;
    MUST(piece.next <= left);
    return piece;
}

/* Whether a text is as expected; a '\1' stands for anything but nothing within a string, a '\2' for a
 * number. */
static bool is_same(const struct um_buf *expected, const struct piece *piece)
{
    size_t at = 0;

    for (size_t i = 0; i < expected->size; i++) {
        if (expected->data[i] == '\1') {
            size_t start = at;

            while (at < piece->size && piece->json[at] != '"')
                at += piece->json[at] == '\\' ? 2 : 1;
            if (at == start)
                return false;
        } else if (expected->data[i] == '\2') {
            while (at < piece->size && piece->json[at] >= '0' && piece->json[at] <= '9')
                at++;
        } else if (at >= piece->size || piece->json[at] != expected->data[i]) {
            return false;
        } else {
            at++;
        }
    }
    return at == piece->size;
}

static void check_late(struct run *run, int session)
{
    struct session *it = &run->sessions[session];

    while (it->checked < it->session.out.size) {
        struct piece piece = next_piece(run, session);
        unsigned found = 0;
        struct um_buf used;

        while (found < it->late_count && !is_same(&it->late[found], &piece))
            found++;
        if (found == it->late_count)
            mismatch(run, session, "one of the late answers", 0);
        MUST(is_json(piece.json, piece.size));
        it->checked += piece.next;
        used = it->late[found];
        it->late[found] = it->late[--it->late_count];
        it->late[it->late_count] = used;
    }
    if (it->late_count != 0)
        mismatch(run, session, "more late answers", 0);
}

/* The answer to the message itself comes first, with the raw bytes that follow at once. */
static void check_direct(struct run *run, int session)
{
    struct session *it = &run->sessions[session];
    bool is_new_tail = it->tail.is_on && it->raw.size == 0 && it->session.tail.at > it->checked;
    size_t raw_size = is_new_tail ? (size_t)it->tail.range.size : it->raw.size;
    struct um_buf expected;
    char header[100] = "";

    if (it->direct.size == 0)
        return;
    um_buf_init(&expected, SIZE_MAX / 2);
    if (it->session.framing == UM_FRAMING_HEADERS && raw_size != 0)
        snprintf(header, sizeof header, "Content-Length: %zu\r\nPayload-Length: %zu\r\n\r\n", it->direct.size,
                 raw_size);
    else if (it->session.framing == UM_FRAMING_HEADERS)
        snprintf(header, sizeof header, "Content-Length: %zu\r\n\r\n", it->direct.size);
    um_buf_append_string(&expected, header);
    um_buf_append(&expected, it->direct.data, it->direct.size);
    if (it->session.framing == UM_FRAMING_LINES)
        um_buf_append_byte(&expected, '\n');
    um_buf_append(&expected, it->raw.data, it->raw.size);
    if (it->session.out.size - it->checked < expected.size ||
        memcmp(it->session.out.data + it->checked, expected.data, expected.size) != 0)
        mismatch(run, session, expected.data, expected.size);
    MUST(is_json(it->direct.data, it->direct.size));
    it->checked += expected.size;
    MUST(!is_new_tail || it->session.tail.at == it->checked);
    um_buf_deinit(&expected);
    um_buf_truncate(&it->direct, 0);
    um_buf_truncate(&it->raw, 0);
}

/* ---- notifications ---- */

static void write_notification(struct um_buf *out, const struct watch *watch,
                               const struct notification *notification)
{
    const struct um_notification *kind = um_notification_at((size_t)notification->kind);

    um_buf_truncate(out, 0);
    um_json_begin_object(out);
    um_json_put_string(out, "jsonrpc", "2.0");
    um_json_put_string(out, "method", kind->name);
    um_json_key(out, "params");
    um_json_begin_object(out);
    um_json_put_uint(out, "watch", watch->id);
    if (notification->kind != NOTIFY_MANY) {
        um_json_put_uint(out, notification->kind == NOTIFY_DESTROYED ? "heap" : "block",
                         notification->handle);
    }
    if (notification->kind == NOTIFY_CHANGED) {
        um_json_put_uint(out, "offset", notification->offset);
        um_json_put_uint(out, "size", notification->size);
    }
    um_json_end_object(out);
    um_json_end_object(out);
}

/* Takes one of a watch's notifications that reads like this away. */
static bool take_notification_of(struct watch *watch, const struct piece *piece)
{
    static const struct notification many = {.kind = NOTIFY_MANY};
    bool found = false;
    struct um_buf text;

    um_buf_init(&text, 1000);
    if (watch->overflow) {
        write_notification(&text, watch, &many);
        found = is_same(&text, piece);
        if (found) {
            watch->overflow = false;
            watch->count = 0;
        }
    }
    for (unsigned i = 0; i < watch->count && !watch->overflow && !found; i++) {
        write_notification(&text, watch, &watch->notification[i]);
        found = is_same(&text, piece);
        if (found)
            watch->notification[i] = watch->notification[--watch->count];
    }
    um_buf_deinit(&text);
    return found;
}

static bool has_notification(const struct run *run, int session)
{
    bool found = false;

    for (int i = 0; i < WATCHES; i++) {
        const struct watch *watch = &run->watches[i];

        found = found || (watch->used && watch->session == session && (watch->count != 0 || watch->overflow));
    }
    return found;
}

static bool holds_text(const struct piece *piece, const char *text)
{
    size_t size = strlen(text);

    for (size_t i = 0; i + size <= piece->size; i++) {
        if (memcmp(piece->json + i, text, size) == 0)
            return true;
    }
    return false;
}

/* What um_watch_notify() appended: one watch after the other, whole, until all is appended or enough is unsent. */
void check_notifications(struct run *run, int session)
{
    struct session *it = &run->sessions[session];
    struct watch *notifying = NULL;

    while (it->checked < it->session.out.size) {
        struct piece piece = next_piece(run, session);
        const struct piece taken = piece;
        struct watch *watch =
            notifying != NULL && (notifying->count != 0 || notifying->overflow) ? notifying : NULL;

        if (watch == NULL)
            MUST(it->checked <= run->limits.unsent_bytes);
        for (int i = 0; i < WATCHES && watch == NULL; i++) {
            if (run->watches[i].used && run->watches[i].session == session &&
                take_notification_of(&run->watches[i], &piece))
                notifying = watch = &run->watches[i];
            else
                continue;
            piece.size = 0;
        }
        if (watch == NULL || (piece.size != 0 && !take_notification_of(watch, &piece)))
            mismatch(run, session, "a notification", 0);
        it->checked += piece.next;
        for (unsigned i = 0; i < 4; i++)
            run->notifications[i] += holds_text(&taken, um_notification_at(i)->name);
    }
    MUST(notifying == NULL || (notifying->count == 0 && !notifying->overflow));
    MUST(!has_notification(run, session) || it->session.out.size > run->limits.unsent_bytes);
}

/* ---- after every step ---- */

static void check_session(struct run *run, int session, bool is_actor)
{
    struct session *it = &run->sessions[session];
    bool grew = it->session.out.size > it->checked;

    MUST(!it->session.broken);
    check_direct(run, session);
    check_late(run, session);
    MUST(is_actor || !grew || it->flushed);
    it->flushed = false;
    MUST(it->close_asked == it->close_expected);
    MUST(um_session_is_ready(&it->session) ==
         (!it->tail.is_on && !it->payload_receiver.is_on && it->job.kind == 0));
    MUST(um_session_is_waiting(&it->session) == (it->job.kind != 0 || count_waiters(run, session) != 0));
    MUST(um_payload_left(&it->session) ==
         (it->payload_receiver.is_on ? it->payload_receiver.size - it->payload_receiver.done : 0));
    MUST(it->session.pending_count == count_waiters(run, session));
    MUST(it->session.watch_count == count_watches(run, session));
    MUST(!um_list_is_empty(&it->session.due_watches) == has_notification(run, session));
}

void check_step(struct run *run, int actor)
{
    struct um_store_stats stats;
    bool has_job = false;

    for (int i = 0; i < SESSIONS; i++) {
        if (run->sessions[i].open)
            check_session(run, i, i == actor);
        has_job = has_job || run->sessions[i].job.kind != 0;
    }
    um_store_get_stats(run->store, &stats);
    MUST(stats.blocks == model_count_blocks(&run->model, NONE, 0));
    MUST(stats.bytes == model_sum_bytes(&run->model, NONE, 0));
    MUST(stats.heaps == model_count_heaps(&run->model));
    MUST(stats.holds >= model_count_holds(&run->model, NONE));
    MUST(stats.holds == model_count_holds(&run->model, NONE) || um_store_has_work(run->store));
    MUST(um_rpc_next_deadline(run->rpc) == next_deadline(run));
    MUST(run->shutdowns == run->shutdowns_expected);
    MUST(run->work_pending || (!has_job && !um_store_has_work(run->store)));
}

unsigned char *store_bytes(const struct run *run, uint64_t block)
{
    struct um_block *found = NULL;

    MUST(um_store_find_block(run->store, block, &found, NULL) == UMEM_OK);
    return um_block_bytes(found);
}

uint64_t store_size(const struct run *run, uint64_t block)
{
    struct um_block *found = NULL;

    MUST(um_store_find_block(run->store, block, &found, NULL) == UMEM_OK);
    return um_block_size(found);
}

void check_world(struct run *run)
{
    for (int i = 0; i < BLOCKS; i++) {
        const struct model_block *it = &run->model.blocks[i];

        if (!it->alive)
            continue;
        MUST((uint64_t)(uintptr_t)store_bytes(run, it->handle) == it->address);
        MUST(memcmp(store_bytes(run, it->handle), it->bytes, (size_t)it->size) == 0);
    }
}

/* Takes what a session has been sent off, as a connection does. */
void send_out(struct run *run, int session)
{
    struct session *it = &run->sessions[session];
    struct tail *tail = &it->tail;

    if (tail->is_on) {
        int block = model_find_block(&run->model, tail->range.block);
        const unsigned char *expected = tail->frozen;

        MUST(tail->frozen != NULL || block != NONE);
        if (expected == NULL)
            expected = run->model.blocks[block].bytes + tail->range.offset;
        MUST(it->session.tail.size == tail->range.size);
        MUST(memcmp(it->session.tail.bytes, expected, (size_t)tail->range.size) == 0);
        free(tail->frozen);
        *tail = (struct tail){0};
    }
    um_buf_truncate(&it->session.out, 0);
    it->checked = 0;
    um_session_tail_sent(&it->session);
}
