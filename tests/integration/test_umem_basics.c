/* `umem`'s everyday verbs, and the first example, as a shell runs them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"
#include "umem_version.h"

static void test_call(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("call", "server.info")), 0);
    expect_output("\"backend\":\"" BACKEND "\"");
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.alloc", "{\"size\":4,\"name\":\"n\"}")), 0);
    expect_output("\"size\":4");
    assert_int_equal(
        umem(*state, "{\"block\":\"n\",\n\"data\":\"AQIDBA==\"}", WORDS("call", "block.write", "-")), 0);
    expect_whole_output("{\"size\":4}\n");
    /* Files end with a line's end. */
    assert_int_equal(umem(*state, "{\"block\":\"n\"} \r\n\t\n", WORDS("call", "block.read", "-")), 0);
    expect_output("AQIDBA==");
    assert_int_equal(umem(*state, NULL, WORDS("call", "server.ping", "{}\n")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.read", "[\"n\",2,4]")), 1);
    expect_errors("out_of_range");
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.read", "[")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.read", "{}")), 1);
    expect_errors("umem help block.read");
    /* Raw bytes would be lost. */
    assert_int_equal(
        umem(*state, NULL, WORDS("call", "block.read", "{\"block\":\"n\",\"encoding\":\"raw\"}")), 2);
    expect_errors("umem read takes them");
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.read", "[\"n\",0,4,\"raw\"]")), 2);
    assert_int_equal(
        umem(*state, NULL, WORDS("call", "block.write", "[{\"encoding\":\"raw\",\"block\":\"n\"}]")), 2);
    expect_errors("umem write takes them");
    assert_int_equal(umem(*state, "{\"block\":\"n\",\"encoding\":\"raw\"}", WORDS("call", "block.read", "-")),
                     2);
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.find", "[\"n\",\"raw\",0,\"utf8\"]")), 0);
}

/* NUL is a byte like any other, and is not to be taken for another character. */
static void test_text_with_nul(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "9", "--name", "z")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("write", "z", "a\xef\xb7\x90")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "z", "--utf8", "--json", "--size", "5")), 0);
    expect_output("a\xef\xb7\x90\\u0000\"");
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.read", "[\"z\",3,3,\"utf8\"]")), 1);
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.read", "[\"z\",4,2,\"utf8\"]")), 0);
    expect_output("\"data\":\"\\u0000\\u0000\"");
    assert_int_equal(umem(*state, NULL, WORDS("write", "z", "\\ufdd0", "--offset", "2")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "z", "--utf8", "--json", "--offset", "2")), 0);
    expect_output("\"\\\\ufdd0\\u0000\"");
    assert_int_equal(umem(*state, NULL, WORDS("read", "z", "--utf8", "--offset", "2", "--size", "6")), 0);
    expect_whole_output("\\ufdd0\n");
    assert_int_equal(umem(*state, NULL, WORDS("read", "z", "--utf8", "--offset", "2")), 0);
    assert_int_equal(command.output_size, 8);
    assert_memory_equal(command.output, "\\ufdd0\0\n", 8);
}

static void test_heaps(void **state)
{
    assert_int_equal(
        umem(*state, NULL,
             WORDS("heap", "create", "--name", "h", "--maximum-size", "64K", "--alignment", "0x40")),
        0);
    assert_int_equal(umem(*state, NULL, WORDS("heap", "info", "h")), 0);
    expect_output("maximum_size           65536\n");
    expect_output("alignment              64\n");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "128K", "--heap", "h")), 1);
    expect_errors("no_memory");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1K", "--heap", "h")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("heap", "ls")), 0);
    expect_output("process");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "ls", "--json")), 0);
    assert_int_equal(strncmp(command.output, "[\n{\"heap\":", 10), 0);
    assert_string_equal(command.output + command.output_size - 3, "\n]\n");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "destroy", "h")), 0);
    expect_whole_output("blocks                 1\nbytes                  1024\n");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "destroy", "process")), 1);
    expect_errors("denied");
}

static void test_blocks(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("ping")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--json")), 0);
    expect_whole_output("[]\n");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1K", "--name", "note")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("write", "note", "hello")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "note", "--size", "5")), 0);
    expect_whole_output("hello");
    assert_int_equal(umem(*state, NULL, WORDS("read", "note", "--size=5", "--hex")), 0);
    expect_whole_output("68656c6c6f\n");
    assert_int_equal(umem(*state, NULL, WORDS("write", "note", "2a00", "--hex", "--offset", "0x3fe")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "note", "--offset", "1022", "--json")), 0);
    expect_whole_output("{\"size\":2,\"data\":\"KgA=\"}\n");
    assert_int_equal(umem(*state, NULL, WORDS("ls")), 0);
    expect_output("note ");
    assert_int_equal(umem(*state, NULL, WORDS("info", "note")), 0);
    /* A time in readable form. */
    assert_non_null(strstr(command.output, "created                20"));
    expect_output("size                   1024\n");
    assert_int_equal(umem(*state, NULL, WORDS("stats")), 0);
    expect_output("blocks                      1\n");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "3")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("orphans", "--json")), 0);
    expect_output("\"orphaned\":true");
    assert_null(strstr(command.output, "note"));
    /* Freeing continues after a block that does not exist. */
    assert_int_equal(umem(*state, NULL, WORDS("free", "nobody", "note")), 1);
    expect_errors("unknown_handle");
    assert_int_equal(umem(*state, NULL, WORDS("info", "note")), 1);
    /* The results of several blocks are one text. */
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "x")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "2", "--name", "y")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("free", "x", "nobody", "y", "--json")), 1);
    assert_int_equal(strncmp(command.output, "[\n{", 3), 0);
    expect_output("},\nnull,\n{");
    assert_string_equal(command.output + command.output_size - 4, "}\n]\n");
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "x")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("free", "x", "--json")), 0);
    assert_int_equal(command.output[0], '{');
}

static void test_numbers(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "64", "--name", "n")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "-1", "0x7f", "--type", "i8")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("get", "n", "0", "--count", "2")), 0);
    expect_whole_output("255\n127\n");
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "8", "18446744073709551615", "--type", "u64")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("get", "n", "8", "--type", "u64")), 0);
    expect_whole_output("18446744073709551615\n");
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "16", "-1.5", "nan", "-inf", "--type", "f32")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("get", "n", "16", "--type", "f32", "--count", "3")), 0);
    expect_whole_output("-1.5\nNaN\n-Infinity\n");
    assert_int_equal(umem(*state, NULL, WORDS("get", "n", "16", "--type", "f32", "--json")), 0);
    expect_whole_output("{\"values\":[-1.5]}\n");
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "256")), 1);
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "twelve")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "18446744073709551616", "--type", "u64")), 2);
}

/* A float comes back as it was written, in the fewest digits. */
static void test_floats(void **state)
{
    static const char *const floats[][3] = {
        {"f64", "0.1", "0.1"},
        {"f64", "-0", "-0.0"},
        {"f64", "1e20", "1e+20"},
        {"f64", "100000000000000000001", "1e+20"},
        {"f64", "1.7976931348623157e308", "1.7976931348623157e+308"},
        {"f64", "-1.7976931348623157e+308", "-1.7976931348623157e+308"},
        {"f64", "5e-324", "5e-324"},
        {"f64", "2.2250738585072011e-308", "2.225073858507201e-308"},
        {"f64", "9007199254740993", "9007199254740992"},
        {"f64", "-0x10", "-16"},
        {"f64", ".5", "0.5"},
        {"f64", "007.50", "7.5"},
        {"f64", "-INF", "-Infinity"},
        {"f32", "0.1", "0.1"},
        {"f32", "-0.0", "-0.0"},
        {"f32", "3.4028235e38", "3.4028235e+38"},
        {"f32", "1e-45", "1e-45"},
        {"f32", "1.00000005960464477539062501", "1.0000001"},
        {"f32", "NaN", "NaN"},
    };

    assert_int_equal(umem(*state, NULL, WORDS("alloc", "64", "--name", "n")), 0);
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        const char *type = floats[i][0];
        const char *value = floats[i][1];
        char line[64];

        snprintf(line, sizeof line, "%s\n", floats[i][2]);
        assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", value, "--type", type)), 0);
        assert_int_equal(umem(*state, NULL, WORDS("get", "n", "0", "--type", type)), 0);
        expect_whole_output(line);
        assert_int_equal(umem(*state, NULL, WORDS("cas", "n", "0", value, value, "--type", type)), 0);
        expect_whole_output(line);
        assert_int_equal(umem(*state, NULL, WORDS("exchange", "n", "0", "0", "--type", type)), 0);
        expect_whole_output(line);
        assert_int_equal(umem(*state, NULL, WORDS("wait", "n", "0", value, "--type", type)), 0);
        expect_whole_output("0\n");
    }
    assert_int_equal(umem(*state, NULL, WORDS("add", "n", "0", "0.1", "--type", "f64")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("add", "n", "0", "0.2", "--type", "f64", "--json")), 0);
    expect_whole_output("{\"old\":0.1,\"new\":0.30000000000000004}\n");
    assert_int_equal(umem(*state, NULL, WORDS("cas", "n", "0", "0.3", "1", "--type", "f64")), 1);
    expect_whole_output("0.30000000000000004\n");
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "1e309", "--type", "f64")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "1e39", "--type", "f32")), 1);
    assert_int_equal(umem(*state, NULL, WORDS("set", "n", "0", "1,5", "--type", "f64")), 2);
}

static void test_copy(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "a")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "8", "--name", "b")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("write", "a", "abcdefgh")), 0);
    assert_int_equal(
        umem(*state, NULL, WORDS("copy", "a", "b", "--offset", "2", "--second-offset", "1", "--size", "3")),
        0);
    assert_int_equal(umem(*state, NULL, WORDS("read", "b", "--hex")), 0);
    expect_whole_output("0063646500000000\n");
}

/* What is not ASCII arrives as UTF-8, on Windows too. */
static void test_names_in_other_scripts(void **state)
{
    assert_int_equal(umem(*state, NULL,
                          WORDS("alloc", "4", "--name",
                                "gr\xc3\xb6\xc3\x9f"
                                "e \xe5\x9c\x96")),
                     0);
    assert_int_equal(umem(*state, NULL,
                          WORDS("write",
                                "gr\xc3\xb6\xc3\x9f"
                                "e \xe5\x9c\x96",
                                "\xc3\xa9")),
                     0);
    assert_int_equal(umem(*state, NULL, WORDS("call", "block.list")), 0);
    expect_output("\"name\":\"gr\xc3\xb6\xc3\x9f"
                  "e \xe5\x9c\x96\"");
    assert_int_equal(umem(*state, NULL,
                          WORDS("read",
                                "gr\xc3\xb6\xc3\x9f"
                                "e \xe5\x9c\x96",
                                "--size", "2")),
                     0);
    expect_whole_output("\xc3\xa9");
}

static void test_spawn(void **state)
{
    struct daemon daemon = {.pipe = ""};
    char line[160];

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    snprintf(line, sizeof line, "%s\n", daemon.pipe);
    assert_int_equal(umem(&daemon, NULL, WORDS("spawn", "--", "--limit", "blocks=7")), 0);
    expect_whole_output(line);
    assert_int_equal(umem(&daemon, NULL, WORDS("spawn")), 0);
    expect_whole_output(line);
    assert_int_equal(umem(&daemon, NULL, WORDS("info")), 0);
    expect_output("limits.blocks             7\n");
    assert_int_equal(umem(&daemon, NULL, WORDS("shutdown")), 0);
    /* It still answers for a moment. */
    while (umem(&daemon, NULL, WORDS("ping")) == 0)
        continue;
    assert_int_equal(umem(&daemon, NULL, WORDS("spawn", "--", "--nonsense")), 6);
    expect_errors("--nonsense");
    pipe_name_remove(daemon.pipe);
}

/* The second process finds the pipe taken, and waits for the daemon of the first. */
static void test_two_spawns_at_once(void **state)
{
    static struct process other;
    struct daemon daemon = {.pipe = ""};
    const char *const args[] = {UMEM, "spawn", "--pipe", daemon.pipe, NULL};

    (void)state;
    pipe_name_make(daemon.pipe, sizeof daemon.pipe);
    assert_int_equal(process_start(&other, args, NULL), 0);
    assert_int_equal(umem(&daemon, NULL, WORDS("spawn")), 0);
    assert_string_equal(command.errors, "");
    assert_int_equal(process_finish(&other), 0);
    assert_string_equal(other.errors, "");
    assert_string_equal(other.output, command.output);
    assert_int_equal(umem(&daemon, NULL, WORDS("shutdown")), 0);
    while (umem(&daemon, NULL, WORDS("ping")) == 0)
        continue;
    pipe_name_remove(daemon.pipe);
}

static void test_lists(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("alloc", "1", "--name", "short-lived")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("list", "-o", "name")), 0);
    expect_whole_output("NAME\nshort-lived\n");
    assert_int_equal(umem(*state, NULL, WORDS("rm", "short-lived")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("status")), 0);
    expect_output("backend");
    assert_int_equal(umem(NULL, NULL, WORDS("version")), 0);
    expect_whole_output("umem " UMEM_VERSION "\n");
    assert_int_equal(umem(NULL, NULL, WORDS("help", "rm")), 0);
    expect_output("Usage: umem free BLOCK...");
    expect_output("Also: umem rm");
    assert_int_equal(
        umem(
            *state,
            "heap create --name lists --maximum-size 1G\nalloc 1500 --name l:b --heap lists\n"
            "alloc 20M --name l:c --heap lists\nalloc 7 --name l:\xc3\xa4 --heap lists\nalloc 9 --heap lists",
            WORDS("batch")),
        0);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "-o", "name,size,heap", "l:*")), 0);
    expect_whole_output(
        "NAME      SIZE  HEAP\nl:b       1500  lists\nl:c   20971520  lists\nl:\xc3\xa4          7  lists\n");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "-o=name", "--sort", "size", "l:?")), 0);
    expect_whole_output("NAME\nl:c\nl:b\nl:\xc3\xa4\n");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "-o=name", "--sort=-name", "--heap=lists")), 0);
    expect_whole_output("NAME\n\nl:\xc3\xa4\nl:c\nl:b\n");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "*b", "nix", "?:c", "--heap", "lists")), 0);
    expect_output(" 1.5K  lists ");
    expect_output("  20M  lists ");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "l:c", "--bytes")), 0);
    expect_output(" 20971520  lists ");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "l:c", "--json")), 0);
    assert_int_equal(strncmp(command.output, "[\n{\"block\":", 11), 0);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "l:", "--json")), 0);
    expect_whole_output("[]\n");
    assert_int_equal(umem(*state, NULL, WORDS("heap", "ls", "l?sts", "-o", "name,maximum")), 0);
    expect_whole_output("NAME      MAXIMUM\nlists  1073741824\n");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "-o", "name,nix")), 2);
    expect_errors("there is no column \"nix\"; the columns are name, block, size");
    assert_int_equal(umem(*state, NULL, WORDS("ls", "--sort", "")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("ls", "-o", "name", "--json")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("heap", "destroy", "lists")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_call, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_text_with_nul, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_heaps, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_lists, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_blocks, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_numbers, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_floats, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_copy, daemon_setup, daemon_teardown),
        cmocka_unit_test_setup_teardown(test_names_in_other_scripts, daemon_setup, daemon_teardown),
        cmocka_unit_test(test_spawn),
        cmocka_unit_test(test_two_spawns_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
