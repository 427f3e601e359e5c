/* umem read, write, dump, put, cat and alloc --file: bytes from and to files and pipes, and sizes that do not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "files_fixture.h"

enum { BIG_SIZE = (9 << 20) + 5 }; /* more than one piece, and no multiple of a line */

static char *make_bytes(size_t size)
{
    char *bytes = malloc(size);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 2654435761U >> 13);
    return bytes;
}

static void expect_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    char *found = malloc(size + 1);

    assert_non_null(file);
    assert_non_null(found);
    assert_int_equal(fread(found, 1, size + 1, file), size);
    assert_memory_equal(found, bytes, size);
    fclose(file);
    free(found);
}

static void test_files(void **state)
{
    struct files *files = *state;
    char *bytes = make_bytes(BIG_SIZE);

    file_write(files->one, bytes, BIG_SIZE);
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("alloc", "--file", files->one, "--name", "big", "--json")), 0);
    expect_output("\"size\":9437189");
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "big", "--file", files->other)), 0);
    expect_file(files->other, bytes, BIG_SIZE);
    assert_int_equal(umem(files->daemon, NULL, WORDS("fill", "big")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("write", "big", "--file", files->one)), 0);
    assert_int_equal(umem(files->daemon, NULL,
                          WORDS("read", "big", "--file", files->other, "--offset", "8M", "--size", "100")),
                     0);
    expect_file(files->other, bytes + (8 << 20), 100);
    /* To a pipe, without a change of line ends. */
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "big")), 0);
    assert_true(command.output_total == BIG_SIZE);
    assert_memory_equal(command.output, bytes, PROCESS_OUTPUT_SIZE - 1);
    /* No bar where the output is no terminal. */
    assert_string_equal(command.errors, "");
    free(bytes);
}

static void test_what_does_not_fit(void **state)
{
    struct files *files = *state;
    char *bytes = make_bytes(64);

    file_write(files->one, bytes, 64);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "40", "--name", "small")), 0);
    /* A file's size is known, so that nothing is written; the same where it does not fit at an offset. */
    assert_int_equal(umem(files->daemon, NULL, WORDS("write", "small", "--file", files->one)), 1);
    expect_errors("out_of_range");
    expect_errors("nothing was written");
    assert_int_equal(umem(files->daemon, NULL, WORDS("write", "small", "x", "--offset", "41")), 1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("find", "small", "00", "--hex")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "small", "--offset", "32", "--size", "9")), 1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "small", "--offset", "41")), 1);
    expect_whole_output("");
    /* A file is not made for a range that is wrong. */
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("read", "small", "--size", "41", "--file", files->other)), 1);
    assert_null(fopen(files->other, "rb"));
    assert_int_equal(umem(files->daemon, "12345678", WORDS("write", "small", "--offset", "32")), 0);
    /* A block that its file does not fit in does not stay. */
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "63", "--file", files->one, "--name", "gone")),
                     1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("info", "gone")), 1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "65", "--file", files->one, "--name", "stays")),
                     0);
    free(bytes);
}

/* The size of a pipe's input is unknown: what fits is written, whatever its pieces are. */
static void test_a_pipe_that_does_not_fit(void **state)
{
    struct files *files = *state;
    char *bytes = make_bytes(BIG_SIZE);

    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "40", "--name", "small")), 0);
    assert_int_equal(umem(files->daemon, "123456789", WORDS("write", "small", "--offset", "32")), 1);
    expect_errors("the first 8 were written");
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "small", "--offset", "32")), 0);
    expect_whole_output("12345678");
    assert_int_equal(umem(files->daemon, "1", WORDS("write", "small", "--offset", "40")), 1);
    expect_errors("the first 0 were written");
    assert_int_equal(umem(files->daemon, "", WORDS("write", "small", "--offset", "40")), 0);
    for (size_t i = 0; i < BIG_SIZE; i++)
        bytes[i] = (char)('a' + (bytes[i] & 15));
    bytes[BIG_SIZE - 1] = '\0';
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "5M", "--name", "large")), 0);
    assert_int_equal(umem(files->daemon, bytes, WORDS("write", "large")), 1);
    expect_errors("the first 5242880 were written");
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "large", "--file", files->other)), 0);
    expect_file(files->other, bytes, 5 << 20);
    free(bytes);
}

static struct umem_server_stats stats_of(umem_client *client)
{
    struct umem_server_stats stats;

    assert_int_equal(umem_server_stats(client, &stats), UMEM_OK);
    return stats;
}

/* A block has no name before its bytes are there: a program killed in between leaves nothing. */
static void test_alloc_that_is_killed(void **state)
{
    static const struct process_options options = {.stays_open = true};
    struct files *files = *state;
    umem_client *client = daemon_connect(files->daemon);

    umem_start_as(files->daemon, &options, WORDS("alloc", "8", "--file", "-", "--name", "half"));
    process_send(&command, "1234");
    while (stats_of(client).blocks == 0)
        assert_false(process_poll(&command));
    assert_int_equal(umem_call(client, "block.info", "[\"half\"]", NULL), UMEM_E_UNKNOWN_HANDLE);
    process_kill(&command);
    process_end_input(&command);
    process_finish(&command);
    while (stats_of(client).blocks != 0)
        continue;
    umem_client_free(client);
}

/* The block has the requested options in the end. */
static void test_alloc_of_a_file_has_its_options(void **state)
{
    struct files *files = *state;
    char *bytes = calloc(1, (5 << 20) + 1);

    file_write(files->one, "12345", 5);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "--file", files->one, "--name", "kept")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("info", "kept", "--json")), 0);
    expect_output("\"lifetime\":\"server\"");
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "--file", files->one, "--name", "kept")), 1);
    expect_errors("name_taken");
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "--file", files->one, "--lifetime", "session")),
                     0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("ls", "--json")), 0);
    expect_output("kept");
    assert_null(strstr(strstr(command.output, "\"block\"") + 1, "\"block\""));
    /* Twice as much is not allowed, but what comes is. */
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("heap", "create", "--name", "h", "--maximum-size", "6000000")), 0);
    memset(bytes, 'x', 5 << 20);
    assert_int_equal(umem(files->daemon, bytes, WORDS("alloc", "--heap", "h", "--file", "-")), 0);
    free(bytes);
}

/* ---- publishing ---- */

static void test_put_and_cat(void **state)
{
    struct files *files = *state;
    char *bytes = make_bytes(BIG_SIZE);

    assert_int_equal(umem(files->daemon, "one", WORDS("put", "p")), 0);
    expect_whole_output("");
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "q", " two")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "p", "q")), 0);
    expect_whole_output("one two");
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "q", "0a 0b", "--hex")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "q")), 0);
    expect_whole_output("\n\v");
    assert_int_equal(umem(files->daemon, "", WORDS("put", "q", "--file", "-")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "q", "--json")), 0);
    expect_whole_output("{\"size\":0,\"data\":\"\"}\n");
    file_write(files->one, bytes, BIG_SIZE);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "--file", files->one, "--json")), 0);
    expect_output("\"size\":9437189");
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "p")), 0);
    assert_true(command.output_total == BIG_SIZE);
    assert_memory_equal(command.output, bytes, PROCESS_OUTPUT_SIZE - 1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("info", "p", "--json")), 0);
    expect_output("\"lifetime\":\"server\"");
    assert_int_equal(umem(files->daemon, NULL, WORDS("info", "--json")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "q", "nobody")), 1);
    expect_errors("unknown_handle");
    free(bytes);
}

static void test_put_that_is_refused(void **state)
{
    struct files *files = *state;

    assert_int_equal(umem(files->daemon, "old", WORDS("put", "p", "--if-exists", "fail")), 0);
    assert_int_equal(umem(files->daemon, "new", WORDS("put", "p", "--if-exists", "fail")), 1);
    expect_errors("name_taken");
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "new", "--if-exists", "fail")), 1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "new", "--if-exists", "open")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "new", "--file", "x")), 2);
    /* A variable of a script that is not set. */
    assert_int_equal(umem(files->daemon, "new", WORDS("put", "")), 2);
    expect_errors("NAME is empty");
    assert_int_equal(umem(files->daemon, "new", WORDS("alloc", "--file", "-", "--name", "")), 2);
    expect_errors("--name is empty");
    assert_int_equal(umem(files->daemon, "00", WORDS("put", "p", "--hex")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "0", "--hex")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "--file", "no/such/file")), 6);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", ":p", "x")), 1);
    expect_errors("invalid_params");
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "p", "x", "--if-exists", "overwrite")), 1);
    assert_int_equal(umem(files->daemon, NULL, WORDS("heap", "create", "--name", "h", "--maximum-size", "3")),
                     0);
    assert_int_equal(umem(files->daemon, "four", WORDS("put", "p", "--heap", "h")), 1);
    expect_errors("no_memory");
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "p")), 0);
    expect_whole_output("old");
    assert_int_equal(umem(files->daemon, NULL, WORDS("ls", "--json")), 0);
    assert_null(strstr(strstr(command.output, "\"block\"") + 1, "\"block\""));
}

/* Until all bytes have come the old block is there, and then, if umem is killed, only that. */
static void test_put_that_is_killed(void **state)
{
    static const struct process_options options = {.stays_open = true};
    struct files *files = *state;
    umem_client *client = daemon_connect(files->daemon);

    assert_int_equal(umem(files->daemon, "old", WORDS("put", "p")), 0);
    umem_start_as(files->daemon, &options, WORDS("put", "p"));
    process_send(&command, "1234");
    while (stats_of(client).blocks == 1)
        assert_false(process_poll(&command));
    process_kill(&command);
    process_end_input(&command);
    process_finish(&command);
    while (stats_of(client).blocks != 1)
        continue;
    umem_client_free(client);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "p")), 0);
    expect_whole_output("old");
}

static void test_if_exists(void **state)
{
    struct files *files = *state;
    char first[64];

    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "8", "--name", "b", "--if-exists", "open")), 0);
    snprintf(first, sizeof first, "%.60s", command.output);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "7", "--name", "b", "--if-exists", "open")), 0);
    expect_whole_output(first);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "9", "--name", "b", "--if-exists", "open")), 1);
    expect_errors("smaller");
    assert_int_equal(
        umem(files->daemon, "12", WORDS("alloc", "--file", "-", "--name", "b", "--if-exists", "replace")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "b")), 0);
    expect_whole_output("12");
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("alloc", "--file", "-", "--name", "b", "--if-exists", "open")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "9", "--if-exists", "open")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("put", "c", "see")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("change", "c", "--name", "b", "--if-exists", "replace")),
                     0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "b")), 0);
    expect_whole_output("see");
    assert_int_equal(umem(files->daemon, NULL, WORDS("heap", "create", "--name", "h", "--if-exists", "open")),
                     0);
    snprintf(first, sizeof first, "%.60s", command.output);
    assert_int_equal(umem(files->daemon, NULL, WORDS("heap", "create", "--name", "h", "--if-exists", "open")),
                     0);
    expect_whole_output(first);
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("heap", "create", "--name", "h", "--if-exists", "replace")), 1);
    expect_errors("invalid_params");
}

/* ---- files that are there already ---- */

/* How many files beside files->other begin with its name. */
static int count_files_like(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    char folder[256];
    uv_fs_t request;
    uv_dirent_t entry;
    int count = 0;

    snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    assert_true(uv_fs_scandir(NULL, &request, folder, 0, NULL) >= 0);
    while (uv_fs_scandir_next(&request, &entry) == 0)
        count += strncmp(entry.name, name, strlen(name)) == 0;
    uv_fs_req_cleanup(&request);
    return count;
}

/* A read that fails leaves a file as it was, and nothing beside it. */
static void test_a_file_outlives_a_read_that_fails(void **state)
{
    static const struct fake_step steps[] = {
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"block\":7,\"size\":9}}\n"},
        {.text = NULL, .hang_up = 1},
        {.text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"block\":7,\"size\":9}}\n"},
        {.text = NULL, .hang_up = 1}};
    struct files *files = *state;
    struct fake_daemon fake;
    struct daemon daemon;

    file_write(files->other, "what there was", 14);
    fake_daemon_start(&fake, steps, 4);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
    assert_int_equal(umem(&daemon, NULL, WORDS("read", "7", "--file", files->other)), 5);
    expect_file(files->other, "what there was", 14);
    assert_int_equal(count_files_like(files->other), 1);
    remove(files->other);
    assert_int_equal(umem(&daemon, NULL, WORDS("read", "7", "--file", files->other)), 5);
    assert_int_equal(count_files_like(files->other), 0);
    fake_daemon_stop(&fake);
    /* A longer one before does not show through; of no bytes, none are left. */
    file_write(files->other, "what there was", 14);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "3", "--name", "b")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "b", "--file", files->other)), 0);
    expect_file(files->other, "\0\0\0", 3);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "b", "--size", "0", "--file", files->other)), 0);
    expect_file(files->other, "", 0);
    assert_int_equal(count_files_like(files->other), 1);
}

/* What comes through a pipe has no size before its end: the block grows with it. */
static void test_standard_input(void **state)
{
    struct files *files = *state;
    char *bytes = make_bytes(BIG_SIZE);

    for (size_t i = 0; i < BIG_SIZE; i++)
        bytes[i] = (char)('a' + (bytes[i] & 15));
    bytes[BIG_SIZE - 1] = '\0';
    assert_int_equal(umem(files->daemon, bytes, WORDS("alloc", "--file", "-", "--name", "piped", "--json")),
                     0);
    expect_output("\"size\":9437188");
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "piped", "--file", files->other)), 0);
    expect_file(files->other, bytes, BIG_SIZE - 1);
    assert_int_equal(umem(files->daemon, "", WORDS("alloc", "--file", "-", "--name", "nothing")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("info", "nothing", "--json")), 0);
    expect_output("\"size\":0");
    assert_int_equal(umem(files->daemon, "abc", WORDS("write", "piped", "--file", "-")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "piped", "--size", "4", "--file", "-")), 0);
    assert_memory_equal(command.output, "abc", 3);
    /* More than the heap may hold: the block does not stay. */
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("heap", "create", "--name", "h", "--maximum-size", "4K")), 0);
    assert_int_equal(umem(files->daemon, bytes + BIG_SIZE - 8192,
                          WORDS("alloc", "--file", "-", "--heap", "h", "--name", "gone")),
                     1);
    expect_errors("no_memory");
    assert_int_equal(umem(files->daemon, NULL, WORDS("info", "gone")), 1);
    free(bytes);
}

static void test_files_that_are_not_there(void **state)
{
    struct files *files = *state;

    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "8", "--name", "b")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("write", "b", "--file", "no/such/file")), 6);
    expect_errors("no/such/file cannot be opened: no such file or directory");
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "b", "--file", "no/such/file")), 6);
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "--file", "no/such/file", "--json")), 6);
    expect_errors("{\"error\":{\"name\":\"failed\",");
    assert_int_equal(umem(files->daemon, NULL, WORDS("write", "b", "data", "--file", "f")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "b", "--hex", "--utf8")), 2);
    assert_int_equal(umem(files->daemon, NULL, WORDS("read", "b", "--hex", "--file", "f")), 2);
    assert_int_equal(umem(files->daemon, "00", WORDS("write", "b", "--hex")), 2);
}

/* As `hexdump -C` printed the same bytes. */
static void test_dump(void **state)
{
    struct files *files = *state;

    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "50", "--name", "d")), 0);
    assert_int_equal(
        umem(files->daemon, NULL, WORDS("write", "d", "0123456789abcdef0123456789abcdef0123456789abcdefX~")),
        0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("dump", "d")), 0);
    expect_whole_output("00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
                        "*\n"
                        "00000030  58 7e                                             |X~|\n"
                        "00000032\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("write", "d", "007f80ff", "--hex", "--offset", "30")),
                     0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("dump", "d", "--offset", "8", "--size", "32")), 0);
    expect_whole_output("00000008  38 39 61 62 63 64 65 66  30 31 32 33 34 35 36 37  |89abcdef01234567|\n"
                        "00000018  38 39 61 62 63 64 00 7f  80 ff 32 33 34 35 36 37  |89abcd....234567|\n"
                        "00000028\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("dump", "d", "--size", "8")), 0);
    expect_whole_output("00000000  30 31 32 33 34 35 36 37                           |01234567|\n00000008\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("dump", "d", "--size", "0")), 0);
    expect_whole_output("");
    assert_int_equal(umem(files->daemon, NULL, WORDS("dump", "d", "--size", "4", "--json")), 0);
    expect_whole_output("{\"size\":4,\"data\":\"30313233\"}\n");
    assert_int_equal(umem(files->daemon, NULL, WORDS("alloc", "10M", "--name", "zeros")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("dump", "zeros")), 0);
    expect_whole_output("00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
                        "*\n"
                        "00a00000\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_what_does_not_fit, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_a_pipe_that_does_not_fit, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_alloc_that_is_killed, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_alloc_of_a_file_has_its_options, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_put_and_cat, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_put_that_is_refused, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_put_that_is_killed, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_if_exists, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_outlives_a_read_that_fails, files_set_up,
                                        files_tear_down),
        cmocka_unit_test_setup_teardown(test_standard_input, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_files_that_are_not_there, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_dump, files_set_up, files_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
