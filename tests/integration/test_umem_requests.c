/* The requests of each verb of umem, to the letter, and its output for the answer. The daemon answers by a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "umem_fixture.h"

enum { CALLS_MAXIMUM = 4 };

/* One request, and how it is answered: by a result, or by an error with this code. */
struct exchange {
    const char *method;
    const char *params; /* as they are sent */
    const char *result; /* NULL: the error */
    int error;
};

/* One run of umem. */
struct run {
    const char *words[12];
    struct exchange calls[CALLS_MAXIMUM];
    const char *output; /* all of it */
    int status;
    const char *input; /* NULL: none */
};

/* Runs it against a daemon with these answers, and checks that it sends these requests and no others. */
static void play(const struct run *run)
{
    static struct fake_daemon fake;
    struct fake_step steps[CALLS_MAXIMUM];
    char answers[CALLS_MAXIMUM][2048];
    char request[1024];
    struct daemon daemon;
    const char *at;
    size_t count = 0;
    int status;

    for (; count < CALLS_MAXIMUM && run->calls[count].method != NULL; count++) {
        const struct exchange *call = &run->calls[count];

        if (call->result != NULL)
            snprintf(answers[count], sizeof answers[count],
                     "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":%s}\n", count + 1, call->result);
        else
            snprintf(answers[count], sizeof answers[count],
                     "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"error\":{\"code\":%d,\"message\":\"as the test wants "
                     "it\"}}\n",
                     count + 1, call->error);
        steps[count] = (struct fake_step){.text = answers[count]};
    }
    fake_daemon_start(&fake, steps, count);
    snprintf(daemon.pipe, sizeof daemon.pipe, "%s", fake.pipe);
    status = umem(&daemon, run->input, run->words);
    fake_daemon_stop(&fake);
    if (status != run->status)
        print_error("umem %s %s: %s\n", run->words[0], run->words[1] != NULL ? run->words[1] : "",
                    command.errors);
    assert_int_equal(status, run->status);
    expect_whole_output(run->output);
    at = fake.received;
    for (size_t i = 0; i < count; i++) {
        snprintf(request, sizeof request, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s%s,\"id\":%zu}",
                 run->calls[i].method, run->calls[i].params != NULL ? ",\"params\":" : "",
                 run->calls[i].params != NULL ? run->calls[i].params : "", i + 1);
        at = strchr(at, '{');
        if (at == NULL || strncmp(at, request, strlen(request)) != 0)
            fail_msg("umem %s: wanted\n%s\nbut it was\n%s", run->words[0], request,
                     at != NULL ? at : "nothing");
        at += strlen(request);
    }
    if (strchr(at, '{') != NULL)
        fail_msg("umem %s: nothing more was wanted, but\n%s", run->words[0], at);
}

static void play_all(const struct run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        play(&runs[i]);
}

#define PLAY(runs) play_all(runs, sizeof(runs) / sizeof((runs)[0]))

static void test_blocks(void **state)
{
    static const struct run runs[] = {
        {{"alloc", "1K", "--heap", "h", "--name", "n", "--flags", "zero_memory,no_serialize", "--lifetime",
          "session"},
         {{"block.alloc",
           "{\"size\":1024,\"heap\":\"h\",\"flags\":[\"zero_memory\",\"no_serialize\"],\"name\":\"n\","
           "\"lifetime\":\"session\"}",
           "{\"block\":5}", 0}},
         "5\n",
         0,
         NULL},
        {{"alloc", "8796093022207K"},
         {{"block.alloc", "{\"size\":9007199254739968}", "{\"block\":5}", 0}},
         "5\n",
         0,
         NULL},
        {{"alloc", "0x1fffffffffffff", "--heap", "7"},
         {{"block.alloc", "{\"size\":9007199254740991,\"heap\":\"7\"}", "{\"block\":5}", 0}},
         "5\n",
         0,
         NULL},
        {{"alloc", "8", "--name", "n", "--if-exists", "open"},
         {{"block.alloc", "{\"size\":8,\"name\":\"n\",\"if_exists\":\"open\"}", "{\"block\":5}", 0}},
         "5\n",
         0,
         NULL},
        {{"put", "n", "ab"},
         {{"block.alloc", "{\"name\":\"n\",\"if_exists\":\"replace\",\"data\":\"6162\",\"encoding\":\"hex\"}",
           "{\"block\":5}", 0}},
         "",
         0,
         NULL},
        {{"put", "n", "--heap", "h"},
         {{"block.alloc", "{\"size\":0,\"heap\":\"h\",\"lifetime\":\"session\"}", "{\"block\":5,\"size\":0}",
           0},
          {"block.change", "{\"block\":5,\"name\":\"n\",\"lifetime\":\"server\",\"if_exists\":\"replace\"}",
           "{}", 0}},
         "",
         0,
         ""},
        {{"heap", "create", "--name", "n", "--if-exists", "open"},
         {{"heap.create", "{\"name\":\"n\",\"if_exists\":\"open\"}", "{\"heap\":5}", 0}},
         "5\n",
         0,
         NULL},
        {{"change", "7", "--name", "n", "--if-exists", "replace"},
         {{"block.change", "{\"block\":\"7\",\"name\":\"n\",\"if_exists\":\"replace\"}", "{}", 0}},
         "",
         0,
         NULL},
        {{"resize", "7", "2K", "--flags", "realloc_in_place_only"},
         {{"block.resize", "{\"block\":\"7\",\"size\":2048,\"flags\":[\"realloc_in_place_only\"]}", "{}", 0}},
         "",
         0,
         NULL},
        {{"free", "7", "b", "9"},
         {{"block.free", "{\"block\":\"7\"}", "{}", 0},
          {"block.free", "{\"block\":\"b\"}", NULL, -32001},
          {"block.free", "{\"block\":\"9\"}", "{}", 0}},
         "",
         1,
         NULL},
        {{"change", "7", "--name", "x", "--lifetime", "server"},
         {{"block.change", "{\"block\":\"7\",\"name\":\"x\",\"lifetime\":\"server\"}", "{}", 0}},
         "",
         0,
         NULL},
        {{"at", "0x1000"}, {{"block.at", "{\"address\":4096}", "{\"block\":7}", 0}}, "7\n", 0, NULL},
        /* The daemon decides what is a name and what a handle. */
        {{"free", "07"}, {{"block.free", "{\"block\":\"07\"}", "{}", 0}}, "", 0, NULL},
        {{"free", "12345678901234567"},
         {{"block.free", "{\"block\":\"12345678901234567\"}", "{}", 0}},
         "",
         0,
         NULL},
    };

    (void)state;
    PLAY(runs);
}

#define BLOCK(block, size, orphaned) \
    "{\"block\":" block ",\"name\":null,\"heap\":1,\"size\":" size \
    ",\"owner\":{\"pid\":8,\"program\":\"p\"},\"orphaned\":" orphaned "}"

static void test_lists(void **state)
{
    static const struct run runs[] = {
        /* A page after the other. */
        {{"ls", "--heap", "h", "--session", "3", "--orphaned"},
         {{"heap.list", "{\"after\":0}", "{\"heaps\":[{\"heap\":1,\"name\":\"h\"}],\"next\":null}", 0},
          {"block.list", "{\"heap\":\"h\",\"session\":3,\"orphaned\":true,\"after\":0}",
           "{\"blocks\":[" BLOCK("5", "10", "true") "],\"next\":6}", 0},
          {"block.list", "{\"heap\":\"h\",\"session\":3,\"orphaned\":true,\"after\":6}",
           "{\"blocks\":[" BLOCK("7", "20", "false") "],\"next\":null}", 0}},
         "NAME  BLOCK  SIZE  HEAP  PROGRAM\n"
         "          5    10  h     p        orphaned\n"
         "          7    20  h     p\n",
         0,
         NULL},
        {{"ls", "--json"},
         {{"block.list", "{\"after\":0}", "{\"blocks\":[{\"block\":5,\"x\":[1.5,null,true]}],\"next\":6}", 0},
          {"block.list", "{\"after\":6}", "{\"blocks\":[{\"block\":7}],\"next\":null}", 0}},
         "[\n{\"block\":5,\"x\":[1.5,null,true]},\n{\"block\":7}\n]\n",
         0,
         NULL},
        {{"ls", "--json"},
         {{"block.list", "{\"after\":0}", "{\"blocks\":[],\"next\":null}", 0}},
         "[]\n",
         0,
         NULL},
        /* One that is cut short has no end. */
        {{"ls", "--json"},
         {{"block.list", "{\"after\":0}", "{\"blocks\":[{\"block\":5}],\"next\":6}", 0},
          {"block.list", "{\"after\":6}", NULL, -32001}},
         "[\n{\"block\":5}",
         1,
         NULL},
        /* A block that another session has taken meanwhile is no orphan, and neither is one that was freed. */
        {{"orphans", "--free"},
         {{"block.list", "{\"orphaned\":true,\"after\":0}",
           "{\"blocks\":[" BLOCK("5", "10", "true") "," BLOCK("6", "20", "true") "," BLOCK(
               "7", "30", "true") "],\"next\":null}",
           0},
          {"block.free", "{\"block\":5,\"if_orphaned\":true}", NULL, -32008},
          {"block.free", "{\"block\":6,\"if_orphaned\":true}", NULL, -32002},
          {"block.free", "{\"block\":7,\"if_orphaned\":true}", "{}", 0}},
         "freed 1 blocks, 30 bytes\n",
         0,
         NULL},
        {{"orphans", "--free"},
         {{"block.list", "{\"orphaned\":true,\"after\":0}",
           "{\"blocks\":[" BLOCK("5", "10", "true") "],\"next\":null}", 0},
          {"block.free", "{\"block\":5,\"if_orphaned\":true}", NULL, -32007}},
         "",
         1,
         NULL},
        {{"heap", "ls"},
         {{"heap.list", "{\"after\":0}",
           "{\"heaps\":[{\"heap\":1,\"name\":\"h\",\"kind\":\"private\",\"blocks\":2,\"bytes\":3,\"maximum_"
           "size\":4,"
           "\"locked\":true}],\"next\":null}",
           0}},
         "NAME  HEAP  KIND     BLOCKS  SIZE  MAXIMUM\n"
         "h        1  private       2     3        4  locked\n",
         0,
         NULL},
        {{"sessions"},
         {{"session.list", "{\"after\":0}",
           "{\"sessions\":[{\"session\":1,\"pid\":2,\"program\":\"p\",\"user\":\"u\",\"blocks\":3,\"bytes\":"
           "4}],"
           "\"next\":null}",
           0}},
         "SESSION  PID  BLOCKS  SIZE  USER  PROGRAM\n"
         "      1    2       3     4  u     p\n",
         0,
         NULL},
        {{"sessions", "--close", "7"}, {{"session.close", "{\"session\":7}", "{}", 0}}, "", 0, NULL},
    };

    (void)state;
    PLAY(runs);
}

static void test_heaps(void **state)
{
    static const struct run runs[] = {
        {{"heap", "create", "--name=h", "--flags=no_serialize", "--lifetime=server", "--initial-size=1K",
          "--maximum-size=1M", "--alignment=64", "--kind=shared"},
         {{"heap.create",
           "{\"name\":\"h\",\"flags\":[\"no_serialize\"],\"lifetime\":\"server\",\"initial_size\":1024,"
           "\"maximum_size\":1048576,\"alignment\":64,\"kind\":\"shared\"}",
           "{\"heap\":5}", 0}},
         "5\n",
         0,
         NULL},
        {{"heap", "info", "h"},
         {{"heap.info", "{\"heap\":\"h\"}", "{\"heap\":5,\"x\":{\"y\":0.1}}", 0}},
         "heap                   5\nx.y                    0.1\n",
         0,
         NULL},
        {{"heap", "info", "h"},
         {{"heap.info", "{\"heap\":\"h\"}",
           "{\"flags\":[],\"size_classes\":[{\"size\":16,\"used\":2,\"free\":3},{\"size\":32,\"used\":0,"
           "\"free\":128}]}",
           0}},
         "flags                  []\nsize_classes           size 16, used 2, free 3\n"
         "size_classes           size 32, used 0, free 128\n",
         0,
         NULL},
        {{"heap", "validate", "h", "--block", "7"},
         {{"heap.validate", "{\"heap\":\"h\",\"block\":\"7\"}", "{}", 0}},
         "",
         0,
         NULL},
        {{"heap", "validate"}, {{"heap.validate", "{}", "{}", 0}}, "", 0, NULL},
        {{"heap", "compact", "7"},
         {{"heap.compact", "{\"heap\":\"7\"}", "{\"largest_free\":99}", 0}},
         "99\n",
         0,
         NULL},
        {{"heap", "flush", "photos"}, {{"heap.flush", "{\"heap\":\"photos\"}", "{}", 0}}, "", 0, NULL},
        {{"heap", "destroy", "7"},
         {{"heap.destroy", "{\"heap\":\"7\"}", "{\"blocks\":1,\"bytes\":2}", 0}},
         "blocks                 1\nbytes                  2\n",
         0,
         NULL},
    };

    (void)state;
    PLAY(runs);
}

static void test_ranges(void **state)
{
    static const struct run runs[] = {
        {{"fill", "b", "0xff", "--offset", "3", "--size", "4"},
         {{"block.fill", "{\"block\":\"b\",\"value\":255,\"offset\":3,\"size\":4}", "{}", 0}},
         "",
         0,
         NULL},
        {{"fill", "b"}, {{"block.fill", "{\"block\":\"b\"}", "{}", 0}}, "", 0, NULL},
        {{"copy", "a", "b", "--offset", "1", "--second-offset", "2", "--size", "3"},
         {{"block.copy",
           "{\"source\":\"a\",\"target\":\"b\",\"source_offset\":1,\"target_offset\":2,\"size\":3}", "{}",
           0}},
         "",
         0,
         NULL},
        {{"cmp", "a", "b", "--offset", "1", "--second-offset", "2", "--size", "3"},
         {{"block.compare",
           "{\"left\":\"a\",\"right\":\"b\",\"left_offset\":1,\"right_offset\":2,\"size\":3}",
           "{\"equal\":false,\"offset\":2}", 0}},
         "a b differ: offset 2\n",
         1,
         NULL},
        {{"cmp", "a", "b"},
         {{"block.compare", "{\"left\":\"a\",\"right\":\"b\"}", "{\"equal\":true,\"offset\":null}", 0}},
         "",
         0,
         NULL},
        {{"find", "b", "6162", "--hex", "--offset", "5"},
         {{"block.find", "{\"block\":\"b\",\"data\":\"6162\",\"encoding\":\"hex\",\"offset\":5}",
           "{\"offset\":6}", 0}},
         "6\n",
         0,
         NULL},
        {{"find", "b", "YWI=", "--base64"},
         {{"block.find", "{\"block\":\"b\",\"data\":\"6162\",\"encoding\":\"hex\"}", "{\"offset\":null}", 0}},
         "",
         1,
         NULL},
        {{"map", "b"},
         {{"block.map", "{\"block\":\"b\"}", "{\"name\":\"n\",\"offset\":1,\"size\":2}", 0}},
         "name                   n\noffset                 1\nsize                   2\n",
         0,
         NULL},
        {{"wake", "b", "--offset", "3", "--size", "4"},
         {{"block.wake", "{\"block\":\"b\",\"offset\":3,\"size\":4}", "{}", 0}},
         "",
         0,
         NULL},
        {{"read", "b", "--hex", "--offset", "3", "--size", "4"},
         {{"block.read", "{\"block\":\"b\",\"encoding\":\"hex\",\"offset\":3,\"size\":4}",
           "{\"size\":4,\"data\":\"00ff\"}", 0}},
         "00ff\n",
         0,
         NULL},
        /* A range that does not fit is not requested. */
        {{"read", "b", "--offset", "60", "--size", "5"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5,\"size\":64}", 0}},
         "",
         1,
         NULL},
        {{"dump", "b", "--offset", "65"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5,\"size\":64}", 0}},
         "",
         1,
         NULL},
        {{"write", "b", "--offset", "65"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5,\"size\":64}", 0}},
         "",
         1,
         ""},
        {{"write", "b", "6162", "--hex", "--offset", "3", "--json"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5,\"size\":64}", 0},
          {"block.write", "{\"block\":5,\"offset\":3,\"encoding\":\"raw\",\"size\":2}", "{\"size\":2}", 0}},
         "{\"size\":2}\n",
         0,
         NULL},
    };

    (void)state;
    PLAY(runs);
}

static void test_numbers(void **state)
{
    static const struct run runs[] = {
        {{"get", "b", "8", "--type", "u64", "--count", "2"},
         {{"block.get", "{\"block\":\"b\",\"offset\":8,\"type\":\"u64\",\"count\":2}",
           "{\"values\":[7,\"18446744073709551615\"]}", 0}},
         "7\n18446744073709551615\n",
         0,
         NULL},
        {{"set", "b", "8", "--type", "f64", "-1", "0x10", "0.5", "inf"},
         {{"block.set", "{\"block\":\"b\",\"offset\":8,\"type\":\"f64\",\"values\":[-1,16,0.5,\"Infinity\"]}",
           "{}", 0}},
         "",
         0,
         NULL},
        {{"set", "b", "8", "--type", "u64", "9007199254740991", "9007199254740992"},
         {{"block.set",
           "{\"block\":\"b\",\"offset\":8,\"type\":\"u64\",\"values\":[9007199254740991,\"9007199254740992\"]"
           "}",
           "{}", 0}},
         "",
         0,
         NULL},
        {{"add", "b", "8", "-5", "--type", "i32"},
         {{"block.add", "{\"block\":\"b\",\"offset\":8,\"type\":\"i32\",\"value\":-5}",
           "{\"old\":1,\"new\":-4}", 0}},
         "-4\n",
         0,
         NULL},
        {{"exchange", "b", "8", "5", "--type", "i32"},
         {{"block.exchange", "{\"block\":\"b\",\"offset\":8,\"type\":\"i32\",\"value\":5}",
           "{\"old\":1,\"exchanged\":true}", 0}},
         "1\n",
         0,
         NULL},
        {{"cas", "b", "8", "6", "5", "--type", "i32"},
         {{"block.exchange", "{\"block\":\"b\",\"offset\":8,\"type\":\"i32\",\"expected\":6,\"value\":5}",
           "{\"old\":1,\"exchanged\":false}", 0}},
         "1\n",
         1,
         NULL},
        {{"wait", "b", "8", "5", "--type", "i32", "--timeout", "250"},
         {{"block.wait", "{\"block\":\"b\",\"offset\":8,\"type\":\"i32\",\"value\":5,\"timeout_ms\":250}",
           "{\"value\":6}", 0}},
         "6\n",
         0,
         NULL},
        {{"wait", "b", "8", "5", "--type", "i32", "--timeout", "250"},
         {{"block.wait", "{\"block\":\"b\",\"offset\":8,\"type\":\"i32\",\"value\":5,\"timeout_ms\":250}",
           NULL, -32012}},
         "",
         1,
         NULL},
        {{"wait", "b", "8", "5", "--type", "i32"},
         {{"block.wait", "{\"block\":\"b\",\"offset\":8,\"type\":\"i32\",\"value\":5}", NULL, -32002}},
         "",
         4,
         NULL},
    };

    (void)state;
    PLAY(runs);
}

static void test_server(void **state)
{
    static const struct run runs[] = {
        {{"info"},
         {{"server.info", NULL,
           "{\"pid\":7,\"features\":[\"a\",\"b\"],\"limits\":{\"bytes\":9007199254740991}}", 0}},
         "pid                    7\nfeatures               [\"a\",\"b\"]\nlimits.bytes           "
         "9007199254740991\n",
         0,
         NULL},
        {{"info", "b"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5,\"orphaned\":false}", 0}},
         "block                  5\norphaned               no\n",
         0,
         NULL},
        {{"stats"}, {{"server.stats", NULL, "{\"heaps\":1}", 0}}, "heaps                  1\n", 0, NULL},
        {{"reload"},
         {{"server.reload", NULL, "{\"config\":null,\"applied\":[\"a\"],\"restart\":[]}", 0}},
         "config                 \napplied                [\"a\"]\nrestart                []\n",
         0,
         NULL},
        {{"reload"}, {{"server.reload", NULL, NULL, -32013}}, "", 1, NULL},
        {{"shutdown"}, {{"server.shutdown", NULL, "{}", 0}}, "", 0, NULL},
        {{"ping", "--json"}, {{"server.ping", NULL, "{}", 0}}, "{}\n", 0, NULL},
        {{"call", "a.b", "[1]"}, {{"a.b", "[1]", "{\"x\":1}", 0}}, "{\"x\":1}\n", 0, NULL},
        {{"call", "a.b", "-"}, {{"a.b", "[1, 2]", "{}", 0}}, "{}\n", 0, "[1, 2]\n"},
        {{"call", "a.b"}, {{"a.b", NULL, NULL, -32601}}, "", 1, NULL},
        {{"watch", "b", "--offset", "3", "--size", "4", "--count", "1"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5}", 0},
          {"session.watch", "{\"block\":5,\"offset\":3,\"size\":4}",
           "{\"watch\":9}}\n{\"jsonrpc\":\"2.0\",\"method\":\"block.changed\",\"params\":{\"watch\":9,"
           "\"block\":5,"
           "\"offset\":3,\"size\":1}}\n{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":"
           "9,\"block\":5}",
           0}},
         "changed 5 3 1\n",
         0,
         NULL},
        {{"watch", "b"},
         {{"block.info", "{\"block\":\"b\"}", "{\"block\":5}", 0},
          {"session.watch", "{\"block\":5}",
           "{\"watch\":9}}\n{\"jsonrpc\":\"2.0\",\"method\":\"watch.overflow\",\"params\":{\"watch\":9}}\n"
           "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":9,\"block\":5}",
           0}},
         "overflow\nfreed 5\n",
         0,
         NULL},
        {{"watch", "--heap", "h", "--json"},
         {{"heap.info", "{\"heap\":\"h\"}", "{\"heap\":6}", 0},
          {"session.watch", "{\"heap\":6}",
           "{\"watch\":9}}\n{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":9,"
           "\"block\":5}}\n"
           "{\"jsonrpc\":\"2.0\",\"method\":\"heap.destroyed\",\"params\":{\"watch\":9,\"heap\":6}",
           0}},
         "{\"jsonrpc\":\"2.0\",\"method\":\"block.freed\",\"params\":{\"watch\":9,\"block\":5}}\n"
         "{\"jsonrpc\":\"2.0\",\"method\":\"heap.destroyed\",\"params\":{\"watch\":9,\"heap\":6}}\n",
         0,
         NULL},
    };

    (void)state;
    PLAY(runs);
}

static void test_holding(void **state)
{
    const bool is_windows = strcmp(BACKEND, "win32") == 0;
    const char *pipe = is_windows ? "x" : "/x";
    const struct run runs[] = {
        {{"hold", "7", "b", "--", UMEM, "endpoint", "--pipe", pipe},
         {{"block.hold", "{\"block\":\"7\"}", "{\"holders\":2}", 0},
          {"block.hold", "{\"block\":\"b\"}", "{\"holders\":2}", 0}},
         is_windows ? "\\\\.\\pipe\\x\n" : "/x\n",
         0,
         NULL},
        {{"hold", "7", "b", "--", UMEM, "endpoint"},
         {{"block.hold", "{\"block\":\"7\"}", "{\"holders\":2}", 0},
          {"block.hold", "{\"block\":\"b\"}", NULL, -32001}},
         "",
         125,
         NULL},
        {{"lock", "h", "--timeout", "250", "--", UMEM, "nonsense"},
         {{"heap.lock", "{\"heap\":\"h\",\"timeout_ms\":250}", "{}", 0}},
         "",
         2,
         NULL},
        {{"lock", "h", "--", UMEM, "--version"},
         {{"heap.lock", "{\"heap\":\"h\",\"timeout_ms\":4294967295}", NULL, -32012}},
         "",
         125,
         NULL},
    };

    (void)state;
    PLAY(runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),  cmocka_unit_test(test_lists),   cmocka_unit_test(test_heaps),
        cmocka_unit_test(test_ranges),  cmocka_unit_test(test_numbers), cmocka_unit_test(test_server),
        cmocka_unit_test(test_holding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
