/* What umem record writes and umem replay reads: lines, handles, differences of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/transfer/answer_diff.h"
#include "cli/transfer/recording.h"
#include "cli/transfer/replay_handles.h"

/* ---- lines ---- */

static void test_lines_come_back(void **state)
{
    const struct cli_record records[] = {
        {.us = 5,
         .connection = 1,
         .kind = CLI_RECORD_CLIENT,
         .text = "{\"id\":1,\r\n\"a\":\"\\u0000\\n\"}",
         .size = 25,
         .is_json = true},
        {.us = 6,
         .connection = 2,
         .kind = CLI_RECORD_DAEMON,
         .text = "[]",
         .size = 2,
         .is_json = true,
         .payload = "\0\n\xff",
         .payload_size = 3},
        {.us = 7, .connection = 2, .kind = CLI_RECORD_CLIENT, .text = "{\"\n", .size = 3},
        {.us = 8, .connection = 1, .kind = CLI_RECORD_ENDED},
    };
    struct um_arena arena = {.chunk = NULL};
    struct um_buf out;

    (void)state;
    um_buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct cli_record read;

        um_buf_truncate(&out, 0);
        cli_recording_put(&out, &records[i]);
        assert_false(out.failed);
        assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
        out.data[out.size - 1] = '\0';
        assert_null(cli_recording_read(out.data, &arena, &read));
        assert_int_equal(read.us, records[i].us);
        assert_int_equal(read.connection, records[i].connection);
        assert_int_equal(read.kind, records[i].kind);
        assert_int_equal(read.is_json, records[i].is_json);
        assert_int_equal(read.size, records[i].size);
        assert_int_equal(read.payload_size, records[i].payload_size);
        if (i == 0)
            assert_memory_equal(read.text, "{\"id\":1,  \"a\":\"\\u0000\\n\"}", 25);
        else if (read.size != 0)
            assert_memory_equal(read.text, records[i].text, read.size);
        if (read.payload_size != 0)
            assert_memory_equal(read.payload, records[i].payload, read.payload_size);
    }
    um_buf_deinit(&out);
    um_arena_deinit(&arena);
}

static void test_bad_lines(void **state)
{
    static const struct {
        const char *line;
        const char *what;
    } bad[] = {
        {"", "it is no JSON"},
        {"[1]", "it is no object"},
        {"{\"connection\":1,\"ended\":true}", "it has no time (us)"},
        {"{\"us\":-1,\"connection\":1,\"ended\":true}", "it has no time (us)"},
        {"{\"us\":1,\"ended\":true}", "it has no number of a connection"},
        {"{\"us\":1,\"connection\":1}", "it has no message"},
        {"{\"us\":1,\"connection\":1,\"client\":5}", "its message is no object and no array"},
        {"{\"us\":1,\"connection\":1,\"client\":{},\"daemon\":{}}", "it has two messages"},
        {"{\"us\":1,\"connection\":1,\"client\":{},\"ended\":true}", "it has a message and an end"},
        {"{\"us\":1,\"connection\":1,\"client_bytes\":\"a\"}", "its bytes are no base64"},
        {"{\"us\":1,\"connection\":1,\"client\":{},\"payload\":7}", "its payload is no base64"},
    };
    struct um_arena arena = {.chunk = NULL};
    struct cli_record record;
    char line[128];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(line, sizeof line, "%s", bad[i].line);
        assert_string_equal(cli_recording_read(line, &arena, &record), bad[i].what);
    }
    snprintf(line, sizeof line, "{\"umem_recording\":2}");
    assert_string_equal(cli_recording_read_first(line, &arena),
                        "the recording has a form that this umem does not know");
    snprintf(line, sizeof line, "{\"umem_recording\":\"1\"}");
    assert_string_equal(cli_recording_read_first(line, &arena), "this is no recording of umem record");
    snprintf(line, sizeof line, "{\"umem_recording\":1}");
    assert_null(cli_recording_read_first(line, &arena));
    um_arena_deinit(&arena);
}

/* ---- handles ---- */

static void test_handles_are_replaced(void **state)
{
    static const char text[] =
        "{\"id\":5, \"500000001\": 1.0e500000001,\"a\":[500000001,-500000001,5000000010],"
        "\"b\":\"500000001\",\"c\":\"x500000001\",\"d\":\"\\\"500000001\\\"\",\"e\":\"\"}";
    struct cli_replay_handles handles = {.pairs = NULL};
    struct um_buf out;

    (void)state;
    um_buf_init(&out, 4096);
    cli_handles_rewrite(&handles, text, strlen(text), &out);
    um_buf_append_byte(&out, '\0');
    assert_string_equal(out.data, text);
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(cli_handles_add(&handles, 500000001 + i, 700000001 + 2 * i));
    assert_int_equal(cli_handles_find(&handles, 500000000), 0);
    assert_int_equal(cli_handles_find(&handles, 500001000), 700001999);
    um_buf_truncate(&out, 0);
    cli_handles_rewrite(&handles, text, strlen(text), &out);
    um_buf_append_byte(&out, '\0');
    assert_string_equal(out.data,
                        "{\"id\":5, \"500000001\": 1.0e500000001,\"a\":[700000001,-500000001,5000000010],"
                        "\"b\":\"700000001\",\"c\":\"x500000001\",\"d\":\"\\\"500000001\\\"\",\"e\":\"\"}");
    um_buf_deinit(&out);
    cli_handles_free(&handles);
}

/* ---- differences ---- */

static void test_differences(void **state)
{
    static const struct {
        const char *recorded;
        const char *now;
        const char *what; /* NULL: there is none */
    } cases[] = {
        {"{\"result\":{\"size\":5}}", "{\"result\":{\"size\":5,\"more\":1}}", NULL},
        {"{\"result\":{\"size\":5}}", "{\"result\":{\"size\":6}}", "result.size was 5, is 6"},
        {"{\"result\":{\"size\":5}}", "{\"result\":{}}", "result.size was 5, is missing"},
        {"{\"result\":{\"size\":5}}", "{\"result\":{\"size\":\"5\"}}", "result.size was 5, is \"5\""},
        {"{\"result\":{\"values\":[1,2]}}", "{\"result\":{\"values\":[1,3]}}",
         "result.values[1] was 2, is 3"},
        {"{\"result\":{\"values\":[1,2]}}", "{\"result\":{\"values\":[1]}}",
         "result.values had 2 elements, has 1"},
        {"{\"result\":{\"created\":1,\"owner\":{\"pid\":1},\"address\":7}}",
         "{\"result\":{\"created\":2,\"owner\":null,\"address\":8}}", NULL},
        {"{\"result\":{\"uptime_seconds\":1,\"version\":\"1\"}}", "{\"result\":{\"version\":\"2\"}}", NULL},
        {"{\"result\":{\"name\":\"/umemd-1\"}}", "{\"result\":{\"name\":\"/umemd-2\"}}", NULL},
        {"{\"result\":{\"name\":\"one\"}}", "{\"result\":{\"name\":\"two\"}}",
         "result.name was \"one\", is \"two\""},
        {"{\"error\":{\"code\":-32002,\"message\":\"a\",\"data\":{\"name\":\"stale_handle\",\"block\":1}}}",
         "{\"error\":{\"code\":-32002,\"message\":\"b\",\"data\":{\"name\":\"stale_handle\",\"block\":2}}}",
         NULL},
        {"{\"error\":{\"code\":-32002,\"data\":{\"name\":\"stale_handle\"}}}", "{\"result\":{}}",
         "error was stale_handle, is no error"},
        {"[{\"result\":{}},{\"result\":{\"size\":1}}]", "[{\"result\":{}},{\"result\":{\"size\":2}}]",
         "[1].result.size was 1, is 2"},
        {"[{\"result\":{}}]", "[]", "the batch had 1 answers, has 0"},
        /* No answer, and a batch for a single one. */
        {"{\"result\":{\"size\":1}}", "[]", "result was {\"size\":1}, is missing"},
    };
    struct cli_replay_handles handles = {.pairs = NULL};
    char what[CLI_DIFF_SIZE];
    bool lacks_memory = false;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool differ =
            cli_answers_differ(cases[i].recorded, cases[i].now, &handles, what, &lacks_memory);

        assert_int_equal(differ, cases[i].what != NULL);
        if (differ)
            assert_string_equal(what, cases[i].what);
    }
    assert_false(lacks_memory);
    /* Small numbers are no handles. */
    assert_int_equal(handles.count, 0);
    assert_false(cli_answers_differ(
        "{\"result\":{\"blocks\":[{\"block\":500000001,\"heap\":500000005}],\"next\":null}}",
        "{\"result\":{\"blocks\":[{\"block\":600000001,\"heap\":600000005}],\"next\":null}}", &handles, what,
        &lacks_memory));
    assert_int_equal(cli_handles_find(&handles, 500000001), 600000001);
    assert_int_equal(cli_handles_find(&handles, 500000005), 600000005);
    cli_handles_free(&handles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_come_back),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_handles_are_replaced),
        cmocka_unit_test(test_differences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
