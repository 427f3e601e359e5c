/* umem record and umem replay: a run, and the same again on another daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files_fixture.h"

static void write_text(const char *path, const char *text)
{
    file_write(path, text, strlen(text));
}

static void expect_in_recording(const struct files *files, const char *text)
{
    static char bytes[1 << 20];
    FILE *file = fopen(files->one, "rb");
    size_t size;

    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[size] = '\0';
    if (strstr(bytes, text) == NULL)
        fail_msg("not in the recording: %s\n%s", text, bytes);
}

/* Another daemon, whose handles are others. */
static void restart(struct files *files)
{
    daemon_teardown((void **)&files->daemon);
    daemon_setup((void **)&files->daemon);
}

/* Verbs that use handles of answers, raw bytes, and an error. */
static void record_a_run(struct files *files)
{
    write_text(files->other, "heap create --name h --maximum-size 1M\n"
                             "alloc 100 --heap h --name note\n"
                             "write note hello\n"
                             "read note --size 5\n"
                             "read nothing\n"
                             "lock h\n"
                             "put other abc --heap h\n"
                             "info other\n");
    assert_int_equal(
        umem(files->daemon, NULL,
             WORDS("record", files->one, "--", UMEM, "batch", "--keep-going", "--file", files->other)),
        1);
    expect_output("hello");
    expect_errors("recorded ");
}

static void test_a_run_is_the_same_again(void **state)
{
    struct files *files = *state;
    char bytes[8];
    size_t size = 0;
    umem_client *client;

    record_a_run(files);
    expect_in_recording(files, "\"client\":{\"jsonrpc\":\"2.0\",\"method\":\"heap.create\"");
    expect_in_recording(files, "\"ended\":true");
    restart(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "max")), 0);
    expect_output("connections 1, ");
    expect_output("differences 0\n");
    client = daemon_connect(files->daemon);
    ok(client, umem_get_into(client, "other", bytes, sizeof bytes, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "abc", 3);
    umem_client_free(client);
}

static void test_differences_are_told(void **state)
{
    struct files *files = *state;

    record_a_run(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "1000")), 1);
    expect_output("line 3, connection 1: error was no error, is name_taken\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "max", "--json")), 1);
    expect_output("{\"line\":3,\"connection\":1,\"difference\":\"error was no error, is name_taken\"}\n");
    expect_output("{\"connections\":1,");
}

/* Lines, a text that is no JSON, a batch, and two requests under way at once. */
static void test_messages_on_lines(void **state)
{
    struct files *files = *state;

    assert_int_equal(umem(files->daemon,
                          "{\"id\":1,\"method\":\"server.ping\"}\n{\"id\":2,\"method\":\"block.alloc\","
                          "\"params\":{\"size\":7}}\n"
                          "{bad\n[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"server.ping\"},5]\n",
                          WORDS("record", files->one, "--", UMEM, "call", "-")),
                     0);
    expect_in_recording(files, "\"client_bytes\":\"e2JhZ");
    restart(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one)), 0);
    expect_output("differences 0\n");
}

static void test_only_the_user_may_read_it(void **state)
{
    struct files *files = *state;
    uv_fs_t request;

    write_text(files->one, "an old file");
    record_a_run(files);
    assert_int_equal(uv_fs_stat(NULL, &request, files->one, NULL), 0);
    if (strcmp(BACKEND, "posix") == 0)
        assert_int_equal(request.statbuf.st_mode & 0777, 0600);
    uv_fs_req_cleanup(&request);
    expect_in_recording(files, "{\"umem_recording\":1,");
}

static void test_exit_statuses(void **state)
{
    struct files *files = *state;
    struct daemon nobody = {.pipe = ""};

    assert_int_equal(umem(files->daemon, NULL, WORDS("record", files->one, "--", "umem-no-such-command")),
                     127);
    assert_int_equal(umem(files->daemon, NULL, WORDS("record", files->one, "--", UMEM, "read", "nothing")),
                     1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("record", files->one, "--", UMEM, "ping")), 0);
    snprintf(nobody.pipe, sizeof nobody.pipe, "%.100s-nobody", files->daemon->pipe);
    assert_int_equal(umem(&nobody, NULL, WORDS("record", files->other, "--", UMEM, "ping")), 125);
    assert_int_equal(umem(&nobody, NULL, WORDS("replay", files->one)), 3);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->other)), 6);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "0")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "1.5x")), 2);
}

/* A request before the bad line is not played. */
static void test_bad_recordings(void **state)
{
    static const char begin[] = "{\"umem_recording\":1}\n"
                                "{\"us\":1,\"connection\":1,\"client\":{\"id\":1,\"method\":\"block.alloc\","
                                "\"params\":{\"size\":1,\"name\":\"n\"}}}\n";
    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        {"", "the file is empty"},
        {"hello\n", "line 1 of"},
        {"{\"id\":1}\n", "this is no recording of umem record"},
        {"?{\"us\":2,\"connection\":3,\"ended\":true}\n", "connections are numbered from 1 on"},
        {"?{\"us\":2,\"connection\":1,", "line 3 of"},
        {"?\n", "it is no JSON; nothing was played"},
    };
    struct files *files = *state;
    umem_client *client = daemon_connect(files->daemon);
    umem_handle block;
    char text[1024];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const bool goes_on = bad[i].text[0] == '?';

        snprintf(text, sizeof text, "%s%s", goes_on ? begin : "", bad[i].text + goes_on);
        write_text(files->one, text);
        assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one)), 6);
        expect_errors(bad[i].message);
    }
    expect_code(client, umem_block_lookup(client, "n", &block), UMEM_E_UNKNOWN_HANDLE);
    umem_client_free(client);
}

/* The daemon of now does not answer what the recorded one has answered. */
static void test_an_answer_that_does_not_come(void **state)
{
    struct files *files = *state;

    write_text(files->one,
               "{\"umem_recording\":1}\n"
               "{\"us\":1,\"connection\":1,\"client\":{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}}\n"
               "{\"us\":2,\"connection\":1,\"daemon\":{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}}\n"
               "{\"us\":3,\"connection\":1,\"ended\":true}\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--timeout", "50")), 1);
    expect_output("line 3, connection 1: there was an answer, and none has come in time\n");
}

/* What is under way at once in the recording is so again: the wait is over because of another connection's request, and the lock with
 * its connection. The handles are none that this daemon has. */
static void test_connections_side_by_side(void **state)
{
    struct files *files = *state;

    write_text(
        files->one,
        "{\"umem_recording\":1}\n"
        "{\"us\":1,\"connection\":1,\"client\":{\"id\":1,\"method\":\"heap.create\"}}\n"
        "{\"us\":2,\"connection\":1,\"daemon\":{\"id\":1,\"result\":{\"heap\":500000001}}}\n"
        "{\"us\":3,\"connection\":1,\"client\":{\"id\":2,\"method\":\"block.alloc\",\"params\":[8]}}\n"
        "{\"us\":4,\"connection\":1,\"daemon\":{\"id\":2,\"result\":{\"block\":500000002,\"size\":8}}}\n"
        "{\"us\":5,\"connection\":2,\"client\":{\"id\":\"w\",\"method\":\"block.wait\",\"params\":"
        "{\"block\":500000002,\"offset\":0,\"type\":\"u64\",\"value\":0}}}\n"
        "{\"us\":6,\"connection\":2,\"client\":{\"id\":2,\"method\":\"server.ping\"}}\n"
        "{\"us\":7,\"connection\":2,\"daemon\":{\"id\":2,\"result\":{}}}\n"
        "{\"us\":8,\"connection\":1,\"client\":{\"id\":3,\"method\":\"heap.lock\",\"params\":[500000001]}}\n"
        "{\"us\":9,\"connection\":1,\"daemon\":{\"id\":3,\"result\":{}}}\n"
        "{\"us\":10,\"connection\":3,\"client\":{\"id\":1,\"method\":\"block.alloc\",\"params\":"
        "{\"size\":1,\"heap\":500000001}}}\n"
        "{\"us\":11,\"connection\":3,\"daemon\":{\"id\":1,\"error\":{\"code\":-32007,\"data\":"
        "{\"name\":\"locked\"}}}}\n"
        "{\"us\":12,\"connection\":1,\"client\":{\"id\":4,\"method\":\"block.set\",\"params\":"
        "{\"block\":\"500000002\",\"offset\":0,\"type\":\"u64\",\"values\":[7]}}}\n"
        "{\"us\":13,\"connection\":2,\"daemon\":{\"id\":\"w\",\"result\":{\"value\":7}}}\n"
        "{\"us\":14,\"connection\":1,\"daemon\":{\"id\":4,\"result\":{\"size\":8}}}\n"
        "{\"us\":15,\"connection\":1,\"ended\":true}\n"
        "{\"us\":16,\"connection\":3,\"client\":{\"id\":2,\"method\":\"heap.lock\",\"params\":"
        "{\"heap\":500000001,\"timeout_ms\":60000}}}\n"
        "{\"us\":17,\"connection\":3,\"daemon\":{\"id\":2,\"result\":{}}}\n");
    umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "max"));
    expect_whole_output("connections 3, requests 8, answers 8, differences 0\n");
}

/* More than goes at once, as raw bytes. */
static void test_large_blocks(void **state)
{
    struct files *files = *state;
    uv_fs_t request;

    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "3M", "--name", "big")), 0);
    assert_int_equal(umem(files->daemon, NULL,
                          WORDS("record", files->one, "--", UMEM, "read", "big", "--file", files->other)),
                     0);
    assert_int_equal(uv_fs_stat(NULL, &request, files->other, NULL), 0);
    assert_int_equal(request.statbuf.st_size, 3 << 20);
    uv_fs_req_cleanup(&request);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "max")), 0);
    expect_output("differences 0\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("fill", "big", "1", "--offset", "3145727")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("replay", files->one, "--speed", "max")), 1);
    expect_output("the raw bytes of the answer are others\n");
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, files_set_up, files_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(test_a_run_is_the_same_again),
        WITH_FILES(test_differences_are_told),
        WITH_FILES(test_messages_on_lines),
        WITH_FILES(test_only_the_user_may_read_it),
        WITH_FILES(test_exit_statuses),
        WITH_FILES(test_bad_recordings),
        WITH_FILES(test_an_answer_that_does_not_come),
        WITH_FILES(test_connections_side_by_side),
        WITH_FILES(test_large_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
