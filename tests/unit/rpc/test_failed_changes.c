/* Changes of durable heaps that could not be written: the answers that tell of them become errors, and no others do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "../store/temp_directory.h"
#include "engine_fixture.h"
#include "rpc/call/call_record.h"
#include "rpc/call/engine_state.h"
#include "rpc/engine/known_request.h"
#include "store/journal/state_directory.h"
#include "store/records/records.h"
#include "umem_errors.h"

enum { RAW_SIZE = 200000 /* bytes that are sent out of the block itself */ };

static struct {
    char path[TEMP_DIRECTORY_CAPACITY];
    struct um_state_directory *directory;
    struct um_files files;
    struct um_file *opened;  /* last */
    struct um_file *failing; /* writes to it fail; NULL: none does */
    uint64_t heap;           /* whose journal that is */
    uint64_t other;
    unsigned reports;
    char report[1024];
} world;

static struct um_files *real_files(void)
{
    return um_state_directory_files(world.directory);
}

static enum um_file_status create_file(struct um_files *files, const char *name, struct um_file **file)
{
    enum um_file_status status = real_files()->ops->create(real_files(), name, file);

    (void)files;
    if (strstr(name, ".journal") != NULL)
        world.opened = *file;
    return status;
}

static enum um_file_status remove_file(struct um_files *files, const char *name)
{
    (void)files;
    return real_files()->ops->remove(real_files(), name);
}

static enum um_file_status sync_names(struct um_files *files)
{
    (void)files;
    return real_files()->ops->sync_names(real_files());
}

static enum um_file_status list_names(struct um_files *files, void (*each)(void *context, const char *name),
                                      void *context)
{
    (void)files;
    return real_files()->ops->list(real_files(), each, context);
}

static enum um_file_status write_file(struct um_file *file, uint64_t offset, const void *bytes, size_t size)
{
    return file == world.failing ? UM_FILE_FAILED : real_files()->ops->write(file, offset, bytes, size);
}

static void on_report(void *context, const char *text)
{
    (void)context;
    world.reports++;
    snprintf(world.report, sizeof world.report, "%s", text);
}

static uint64_t new_durable_heap(struct um_session *session, const char *name)
{
    return uint_of(expect_result(session,
                                 MESSAGE("heap.create", "{\"name\":\"%s\",\"kind\":\"shared\",\"lifetime\":"
                                                        "\"durable\",\"maximum_size\":1000000}"),
                                 name),
                   "heap");
}

static int set_up(void **state)
{
    static struct um_files_ops ops;
    struct um_state_options options = {.files = &world.files, .seed = 7, .report = on_report};
    struct fixture *fixture;
    char why[UM_STATE_WHY_CAPACITY];

    memset(&world, 0, sizeof world);
    fixture_setup(state);
    fixture = *state;
    temp_directory_make(world.path);
    assert_int_equal(um_state_directory_open(world.path, true, &world.directory, why, sizeof why), UMEM_OK);
    ops = *real_files()->ops;
    ops.create = create_file;
    ops.remove = remove_file;
    ops.sync_names = sync_names;
    ops.list = list_names;
    ops.write = write_file;
    world.files.ops = &ops;
    options.path = world.path;
    assert_int_equal(um_store_open_state(fixture->store, &options, why, sizeof why), UMEM_OK);
    world.other = new_durable_heap(&fixture->session, "other");
    world.heap = new_durable_heap(&fixture->session, "broken");
    expect_result(&fixture->session,
                  MESSAGE("block.alloc", "{\"heap\":\"broken\",\"size\":8,\"name\":\"b\"}"));
    um_rpc_commit(fixture->rpc);
    um_session_forget_changes(&fixture->session);
    world.failing = world.opened;
    return 0;
}

static int tear_down(void **state)
{
    world.failing = NULL;
    fixture_teardown(state);
    um_state_directory_close(world.directory);
    temp_directory_remove(world.path);
    return 0;
}

/* The end of the turn. */
static void commit(struct fixture *fixture)
{
    um_rpc_commit(fixture->rpc);
    assert_int_equal(um_store_get_status(fixture->store)->failures, 1);
    assert_int_equal(world.reports, 1);
    assert_non_null(strstr(world.report, "could not be written"));
    um_session_fail_changes(&fixture->session);
    um_session_fail_changes(&fixture->other);
}

#define ALLOC(id, heap) MESSAGE_OF(id, "block.alloc", "{\"heap\":\"" heap "\",\"size\":10}")
#define PING(id) MESSAGE_OF(id, "server.ping", "{}")

static void expect_id(const cJSON *answer, const char *id)
{
    char *text = cJSON_PrintUnformatted(member(answer, "id"));

    assert_string_equal(text, id);
    cJSON_free(text);
}

static void expect_failed(const cJSON *answer, const char *id)
{
    const cJSON *error = member(answer, "error");

    expect_id(answer, id);
    assert_int_equal((int)member(error, "code")->valuedouble, UMEM_E_CORRUPTED);
    assert_non_null(strstr(string_of(error, "message"), world.path));
    assert_int_equal(uint_of(member(error, "data"), "heap"), world.heap);
}

static void expect_fine(const cJSON *answer, const char *id)
{
    expect_id(answer, id);
    (void)member(answer, "result");
}

static void send_turn(struct um_session *session)
{
    send_message(session, PING("1"));
    send_message(session, ALLOC("2", "broken"));
    send_message(session, ALLOC("\"\\\"}\\\\,\"", "broken"));
    send_message(session, ALLOC("3", "other"));
    send_message(session, "[" PING("4") "," ALLOC("5", "broken") "," ALLOC("6", "other") "," ALLOC(
                              "null", "broken") "]");
    send_message(session, "[" ALLOC("7", "broken") "]");
    send_message(session, "[" PING("8") "]");
}

static void expect_turn(struct um_session *session)
{
    const cJSON *batch;

    expect_fine(take(session), "1");
    expect_failed(take(session), "2");
    expect_failed(take(session), "\"\\\"}\\\\,\"");
    expect_fine(take(session), "3");
    batch = take(session);
    assert_int_equal(cJSON_GetArraySize(batch), 4);
    expect_fine(cJSON_GetArrayItem(batch, 0), "4");
    expect_failed(cJSON_GetArrayItem(batch, 1), "5");
    expect_fine(cJSON_GetArrayItem(batch, 2), "6");
    expect_failed(cJSON_GetArrayItem(batch, 3), "null");
    expect_failed(cJSON_GetArrayItem(take(session), 0), "7");
    expect_fine(cJSON_GetArrayItem(take(session), 0), "8");
    expect_no_message(session);
}

static void test_only_answers_that_tell_of_it_are_errors(void **state)
{
    struct fixture *fixture = *state;

    send_turn(&fixture->session);
    send_turn(&fixture->other);
    commit(fixture);
    expect_turn(&fixture->session);
    expect_turn(&fixture->other);
}

/* What is found to be sent before the failure goes on telling which of it tells of changes. */
static void test_another_failure_comes_later(void **state)
{
    struct fixture *fixture = *state;

    send_message(&fixture->other, ALLOC("1", "other"));
    send_message(&fixture->other, ALLOC("2", "broken"));
    send_message(&fixture->other, ALLOC("3", "other"));
    commit(fixture);
    assert_true(um_session_tells_of_changes(&fixture->other));
    um_session_fail_changes(&fixture->other);
    expect_fine(take(&fixture->other), "1");
    expect_failed(take(&fixture->other), "2");
    expect_fine(take(&fixture->other), "3");
}

/* Raw bytes of a block still follow their answer. */
static void test_raw_bytes_stay_at_their_place(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    uint64_t block = new_block(&fixture->session, "{\"size\":200000}");

    memset(block_bytes(fixture, block), 'x', RAW_SIZE);
    send_message(session, ALLOC("1", "broken"));
    send_message(session, MESSAGE_OF("2", "block.read", "{\"block\":%llu,\"encoding\":\"raw\"}"), (ULL)block);
    assert_non_null(session->tail.bytes);
    commit(fixture);
    assert_true(um_buf_append_byte(&session->out, '\0'));
    assert_non_null(strstr(session->out.data, "could not be written"));
    assert_non_null(strstr(session->out.data, "Payload-Length: 200000"));
    assert_int_equal(session->tail.at, session->out.size - 1);
    um_session_tail_sent(session);
}

/* What comes later is refused as a whole, and the other heap and reading go on. */
static void test_the_heap_can_only_be_read(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    send_message(session, ALLOC("1", "broken"));
    commit(fixture);
    expect_failed(take(session), "1");
    expect_error(session, UMEM_E_CORRUPTED, ALLOC("2", "broken"));
    expect_error(session, UMEM_E_CORRUPTED, MESSAGE("block.free", "[\"b\"]"));
    expect_result(session, MESSAGE("block.read", "{\"block\":\"b\"}"));
    expect_result(session, ALLOC("3", "other"));
    um_rpc_commit(fixture->rpc);
    assert_int_equal(um_store_get_status(fixture->store)->failures, 1);
}

static unsigned failed_records;

static void on_call_ended(void *context, const struct um_call_record *record)
{
    (void)context;
    if (record->code == UMEM_OK)
        return;
    failed_records++;
    assert_int_equal(record->code, UMEM_E_CORRUPTED);
    assert_string_equal(record->method, "block.alloc");
    assert_string_equal(record->subjects[0].param, "heap");
    assert_true(strtoull(record->subjects[0].text, NULL, 10) == world.heap);
}

/* The error is one that heap.create declares, and the heap is gone. */
static void test_a_heap_that_was_made_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    send_message(session, MESSAGE_OF("1", "heap.create",
                                     "{\"name\":\"new\",\"kind\":\"shared\",\"lifetime\":\"durable\","
                                     "\"maximum_size\":65536}"));
    world.failing = world.opened;
    world.heap = session->rpc->store_status->changed;
    commit(fixture);
    expect_failed(take(session), "1");
    expect_error(session, UMEM_E_UNKNOWN_HANDLE, MESSAGE("heap.info", "[\"new\"]"));
}

/* They were counted as results, and recorded as such. */
static void test_failures_are_counted(void **state)
{
    struct fixture *fixture = *state;
    struct um_rpc *rpc = fixture->rpc;
    uint64_t before = rpc->errors;
    const struct um_method_stats *stats =
        &rpc->meter.methods[um_table_place(um_table_find("block.alloc", strlen("block.alloc")))];

    failed_records = 0;
    rpc->events.call_ended = on_call_ended;
    um_rpc_record_calls(rpc, true);
    send_turn(&fixture->session);
    commit(fixture);
    um_rpc_record_calls(rpc, false);
    expect_turn(&fixture->session);
    assert_int_equal(rpc->errors, before + 5);
    assert_int_equal(fixture->session.errors, 5);
    assert_int_equal(stats->errors, 5);
    assert_int_equal(failed_records, 5);
}

/* A notification's change is not the next answer's. */
static void test_a_notification_has_no_answer(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;

    send_message(
        session,
        "{\"jsonrpc\":\"2.0\",\"method\":\"block.alloc\",\"params\":{\"heap\":\"broken\",\"size\":1}}");
    send_message(session, PING("1"));
    assert_false(um_session_tells_of_changes(session));
    commit(fixture);
    expect_fine(take(session), "1");
}

/* ---- requests of a known shape, and bytes that are taken from where they are ---- */

enum {
    FIRST = 10,
    LAST = 30 /* ids of a turn's messages, which are alike: those after the first ones are of a known shape */
};

static void expect_known(struct um_rpc *rpc, const char *message)
{
    unsigned char last = 0;
    char copy[256];

    snprintf(copy, sizeof copy, "%s", message);
    assert_non_null(um_known_requests_find(rpc->known_requests, &last, copy, strlen(copy)));
}

static void expect_all_failed(struct um_session *session)
{
    char id[16];

    for (int i = FIRST; i <= LAST; i++) {
        snprintf(id, sizeof id, "%d", i);
        expect_failed(take(session), id);
    }
}

static void test_requests_of_a_known_shape(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->session;
    char message[256];

    for (int i = FIRST; i <= LAST; i++) {
        snprintf(message, sizeof message, ALLOC("%d", "broken"), i);
        send_message(session, "%s", message);
    }
    expect_known(fixture->rpc, message);
    /* One of the shape that changes the other heap. */
    send_message(session, ALLOC("7", "other"));
    assert_true(um_session_tells_of_changes(session));
    commit(fixture);
    expect_all_failed(session);
    expect_fine(take(session), "7");
    expect_no_message(session);
}

static void test_bytes_that_came_with_a_known_request(void **state)
{
    static const unsigned char bytes[] = "bytes";
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    char message[256];

    for (int i = FIRST; i <= LAST; i++) {
        snprintf(message, sizeof message,
                 MESSAGE_OF("%d", "block.alloc", "{\"heap\":\"broken\",\"encoding\":\"raw\",\"size\":5}"), i);
        session->payload_here = bytes;
        feed_message(session, message, strlen(message), 5);
        assert_null(session->payload_here);
    }
    expect_known(fixture->rpc, message);
    commit(fixture);
    expect_all_failed(session);
    expect_no_message(session);
}

/* An answer waits for all that it tells of, whatever of its bytes came when. */
static void test_bytes_that_came_later(void **state)
{
    struct fixture *fixture = *state;
    struct um_session *session = &fixture->other;
    char message[256];

    for (int i = FIRST; i <= LAST; i++) {
        snprintf(message, sizeof message,
                 MESSAGE_OF("%d", "block.alloc", "{\"heap\":\"broken\",\"encoding\":\"raw\",\"size\":5}"), i);
        feed_message(session, message, strlen(message), 5);
        feed_payload(session, "bytes", 5, 2);
    }
    assert_true(um_session_tells_of_changes(session));
    commit(fixture);
    expect_all_failed(session);
    expect_no_message(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_answers_that_tell_of_it_are_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_failure_comes_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_raw_bytes_stay_at_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_heap_can_only_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_heap_that_was_made_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_notification_has_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests_of_a_known_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_that_came_with_a_known_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_that_came_later, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
