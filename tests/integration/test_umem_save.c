/* umem save and umem load: what comes back, and what does not get in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files_fixture.h"

enum { BIG_SIZE = 1000003 /* more than one line */ };

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(8 << 20);

    assert_non_null(file);
    assert_non_null(bytes);
    *size = fread(bytes, 1, (8 << 20) - 1, file);
    fclose(file);
    bytes[*size] = '\0';
    return bytes;
}

/* Byte `at` of the large block. */
static char big_byte(size_t at)
{
    return at < 500000 ? 0 : (char)(at * 7 + at / 251);
}

static void put_big(umem_client *client, const char *name, umem_handle heap)
{
    const struct umem_block_options options = {.heap = heap};
    char *bytes = malloc(BIG_SIZE);

    assert_non_null(bytes);
    for (size_t i = 0; i < BIG_SIZE; i++)
        bytes[i] = big_byte(i);
    ok(client, umem_put(client, name, bytes, BIG_SIZE, &options, NULL));
    free(bytes);
}

/* Two heaps with blocks of every kind, and some in the process heap. */
static void fill(struct files *files)
{
    umem_client *client = daemon_connect(files->daemon);
    const struct umem_heap_options shared = {
        .name = "shared", .kind = UMEM_HEAP_SHARED, .maximum_size = 4000000};
    const struct umem_heap_options plain = {
        .flags = UMEM_FLAG_NO_SERIALIZE, .maximum_size = 5000000, .alignment = 256};
    struct umem_block_options options = {0};
    umem_handle block = 0;

    ok(client, umem_heap_create(client, &shared, NULL));
    ok(client, umem_heap_create(client, &plain, &options.heap));
    put_big(client, "big", umem_named("shared"));
    ok(client, umem_put(client, "123", "digits", 6, &options, NULL));
    ok(client, umem_put(client, "\"quoted\" \xc3\xa9", "\0\1\2", 3, NULL, NULL));
    ok(client, umem_put(client, "empty", "", 0, NULL, NULL));
    ok(client, umem_block_alloc(client, 100, NULL, &block));
    ok(client, umem_block_alloc(client, BIG_SIZE, &options, &block));
    ok(client, umem_block_fill(client, block, BIG_SIZE - 1, 9, 1));
    umem_client_free(client);
}

static void expect_filled(struct files *files)
{
    umem_client *client = daemon_connect(files->daemon);
    struct umem_heap_info heap;
    struct umem_block_info info;
    struct umem_server_stats stats;
    char small[8];
    void *bytes = NULL;
    size_t size = 0;

    ok(client, umem_heap_info(client, umem_named("shared"), &heap));
    assert_int_equal(heap.kind, UMEM_HEAP_SHARED);
    assert_int_equal(heap.maximum_size, 4000000);
    ok(client, umem_get(client, "big", &bytes, &size));
    assert_int_equal(size, BIG_SIZE);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(((char *)bytes)[i], big_byte(i));
    umem_free_bytes(bytes);
    ok(client, umem_block_info(client, umem_named("big"), &info));
    assert_int_equal(info.heap, heap.heap);
    assert_int_equal(info.lifetime, UMEM_LIFETIME_SERVER);
    ok(client, umem_get_into(client, "123", small, sizeof small, &size));
    assert_memory_equal(small, "digits", 6);
    ok(client, umem_block_info(client, umem_named("123"), &info));
    ok(client, umem_heap_info(client, info.heap, &heap));
    assert_int_equal(heap.flags, UMEM_FLAG_NO_SERIALIZE);
    assert_int_equal(heap.alignment, 256);
    assert_int_equal(heap.bytes, 6 + BIG_SIZE);
    ok(client, umem_get_into(client, "\"quoted\" \xc3\xa9", small, sizeof small, &size));
    assert_int_equal(size, 3);
    assert_memory_equal(small, "\0\1\2", 3);
    ok(client, umem_get_into(client, "empty", NULL, 0, &size));
    ok(client, umem_server_stats(client, &stats));
    assert_int_equal(stats.heaps, 3);
    assert_int_equal(stats.blocks, 6);
    assert_int_equal(stats.bytes, 2 * BIG_SIZE + 109);
    assert_int_equal(stats.orphaned_blocks, 2);
    umem_client_free(client);
}

/* A daemon that has nothing. */
static void restart(struct files *files)
{
    daemon_teardown((void **)&files->daemon);
    daemon_setup((void **)&files->daemon);
}

static void expect_nothing(struct files *files)
{
    umem_client *client = daemon_connect(files->daemon);
    struct umem_server_stats stats;

    do
        ok(client, umem_server_stats(client, &stats));
    while (stats.blocks != 0);
    assert_int_equal(stats.heaps, 1);
    assert_int_equal(stats.bytes, 0);
    umem_client_free(client);
}

static void test_there_and_back(void **state)
{
    struct files *files = *state;
    char *dump;
    size_t size;

    fill(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "--file", files->one)), 0);
    expect_errors("saved 2 heaps, 6 blocks, 2000115 bytes");
    restart(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one)), 0);
    expect_whole_output("loaded 2 heaps, 6 blocks, 2000115 bytes\n");
    expect_filled(files);
    /* What was loaded is saved as the same, by standard output and input. */
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "--file", files->other, "--json")), 0);
    assert_string_equal(command.errors, "");
    restart(files);
    dump = read_file(files->other, &size);
    assert_int_equal(umem(files->daemon, dump, WORDS("load", "-", "--json")), 0);
    expect_whole_output("{\"heaps\":2,\"blocks\":6,\"bytes\":2000115}\n");
    expect_filled(files);
    free(dump);
}

/* The lines are requests, which any client can send. */
static void test_played_by_call(void **state)
{
    struct files *files = *state;
    char *dump;
    size_t size;

    fill(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "--file", files->one)), 0);
    restart(files);
    dump = read_file(files->one, &size);
    assert_int_equal(umem(files->daemon, dump, WORDS("call", "-")), 0);
    assert_null(strstr(command.output, "error"));
    expect_filled(files);
    free(dump);
}

static void test_some_heaps(void **state)
{
    struct files *files = *state;

    fill(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "shared", "shared", "--file", files->one)), 0);
    expect_errors("saved 1 heaps, 1 blocks");
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "nobody", "--file", files->one)), 1);
    expect_errors("unknown_handle");
    /* The file is as it was. */
    restart(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one)), 0);
    expect_output("loaded 1 heaps, 1 blocks, 1000003 bytes");
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "process")), 0);
    expect_output("\"blocks\":0,\"bytes\":0}}\n");
}

/* What ends with its program is not saved; a heap that is locked is waited for. */
static void test_sessions_and_locks(void **state)
{
    struct files *files = *state;
    umem_client *client = daemon_connect(files->daemon);
    const struct umem_heap_options heap = {.name = "mine", .lifetime = UMEM_LIFETIME_SESSION};
    const struct umem_block_options block = {.name = "mine", .lifetime = UMEM_LIFETIME_SESSION};
    umem_handle made;

    ok(client, umem_heap_create(client, &heap, NULL));
    ok(client, umem_block_alloc(client, 8, &block, &made));
    assert_int_equal(umem(files->daemon, NULL, WORDS("save")), 0);
    expect_errors("saved 0 heaps, 0 blocks, 0 bytes");
    expect_errors("left out 2");
    ok(client, umem_heap_lock(client, UMEM_PROCESS_HEAP, 0));
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "--timeout", "20", "--file", files->one)), 1);
    expect_errors("timeout");
    assert_null(fopen(files->one, "rb"));
    ok(client, umem_heap_unlock(client, UMEM_PROCESS_HEAP));
    umem_client_free(client);
}

static void test_taken_names(void **state)
{
    struct files *files = *state;
    umem_client *client;
    const struct umem_heap_options plain = {.name = "shared"};
    struct umem_server_stats stats;

    fill(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "--file", files->one)), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one)), 1);
    expect_errors("line 2 of the dump: there is a heap \"shared\" already; nothing was loaded");
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one, "--replace")), 0);
    restart(files);
    /* A block's name: neither heap nor block is left. */
    client = daemon_connect(files->daemon);
    ok(client, umem_put(client, "empty", "not empty", 9, NULL, NULL));
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one)), 1);
    expect_errors("there is a block \"empty\" already; nothing was loaded");
    do
        ok(client, umem_server_stats(client, &stats));
    while (stats.blocks != 1);
    assert_int_equal(stats.heaps, 1);
    /* A heap of that name that is another one. */
    ok(client, umem_heap_create(client, &plain, NULL));
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one, "--replace")), 1);
    expect_errors("line 2 of the dump: the heap of this name is of another kind");
    ok(client, umem_heap_destroy(client, umem_named("shared"), NULL, NULL));
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one, "--replace")), 0);
    umem_client_free(client);
    expect_filled(files);
}

static void remove_directory(const char *path)
{
    uv_fs_t request;
    uv_dirent_t entry;

    if (uv_fs_scandir(NULL, &request, path, 0, NULL) >= 0) {
        while (uv_fs_scandir_next(&request, &entry) == 0) {
            char name[512];

            snprintf(name, sizeof name, "%s/%s", path, entry.name);
            assert_int_equal(remove(name), 0);
        }
    }
    uv_fs_req_cleanup(&request);
    (void)uv_fs_rmdir(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
}

/* A daemon that has a directory for durable heaps. */
static void start_with_state(const struct files *files, struct daemon *daemon)
{
    const char *const args[] = {UMEMD, "--pipe", daemon->pipe, "--state", files->other, NULL};

    assert_int_equal(process_start(&daemon->process, args, NULL), 0);
    if (!process_wait_for(&daemon->process, "listening on"))
        fail_msg("%s", daemon->process.errors);
}

/* A durable heap comes back as one, or not at all. */
static void test_durable_heaps(void **state)
{
    static struct daemon kept;
    struct files *files = *state;
    const struct umem_heap_options durable = {.kind = UMEM_HEAP_SHARED,
                                              .lifetime = UMEM_LIFETIME_DURABLE,
                                              .name = "durable",
                                              .maximum_size = 1 << 20,
                                              .alignment = 64,
                                              .flags = UMEM_FLAG_NO_SERIALIZE};
    const struct umem_heap_options plain = {.name = "plain"};
    struct umem_block_options block = {.heap = 0};
    struct umem_heap_info info;
    umem_client *client;
    char bytes[16];
    size_t size;

    pipe_name_make(kept.pipe, sizeof kept.pipe);
    start_with_state(files, &kept);
    client = daemon_connect(&kept);
    /* In the dump the other one comes first. */
    ok(client, umem_heap_create(client, &plain, NULL));
    ok(client, umem_heap_create(client, &durable, &block.heap));
    ok(client, umem_put(client, "b", "survives", 8, &block, NULL));
    assert_int_equal(umem(&kept, NULL, WORDS("save", "--file", files->one)), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->one)), 1);
    expect_errors("line 3 of the dump: ");
    expect_errors("--state");
    expect_nothing(files);
    assert_int_equal(umem(&kept, NULL, WORDS("load", files->one, "--replace")), 0);
    ok(client, umem_heap_destroy(client, block.heap, NULL, NULL));
    ok(client, umem_heap_destroy(client, umem_named("plain"), NULL, NULL));
    assert_int_equal(umem(&kept, NULL, WORDS("load", files->one)), 0);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&kept), 0);

    start_with_state(files, &kept);
    client = daemon_connect(&kept);
    ok(client, umem_heap_info(client, umem_named("durable"), &info));
    assert_int_equal(info.lifetime, UMEM_LIFETIME_DURABLE);
    assert_int_equal(info.alignment, 64);
    assert_int_equal(info.flags, UMEM_FLAG_NO_SERIALIZE);
    ok(client, umem_get_into(client, "b", bytes, sizeof bytes, &size));
    assert_int_equal(size, 8);
    assert_memory_equal(bytes, "survives", 8);
    assert_int_equal(umem_heap_info(client, umem_named("plain"), &info), UMEM_E_UNKNOWN_HANDLE);
    umem_client_free(client);
    assert_int_equal(daemon_shutdown(&kept), 0);
    pipe_name_remove(kept.pipe);
    remove_directory(files->other);
}

/* A dump that is cut anywhere, or of which a line is missing, is refused, and leaves nothing. */
/* What a heap has lost is not saved as if it were empty. */
static void test_corrupted_heaps(void **state)
{
    static struct daemon kept;
    struct files *files = *state;
    struct umem_heap_options durable = {
        .kind = UMEM_HEAP_SHARED, .lifetime = UMEM_LIFETIME_DURABLE, .name = "lost", .maximum_size = 1 << 16};
    umem_client *client;
    umem_handle lost;
    char path[600];
    char expected[100];

    pipe_name_make(kept.pipe, sizeof kept.pipe);
    start_with_state(files, &kept);
    client = daemon_connect(&kept);
    ok(client, umem_heap_create(client, &durable, &lost));
    durable.name = "whole";
    ok(client, umem_heap_create(client, &durable, NULL));
    umem_client_free(client);
    assert_int_equal(umem(&kept, NULL, WORDS("heap", "ls")), 0);
    assert_null(strstr(command.output, "corrupted"));
    assert_int_equal(daemon_shutdown(&kept), 0);
    snprintf(path, sizeof path, "%s/heap-%llu.1.journal", files->other, (unsigned long long)lost);
    file_write(path, "no journal", 10);

    start_with_state(files, &kept);
    snprintf(expected, sizeof expected, "umem: heap %llu is corrupted: ", (unsigned long long)lost);
    assert_int_equal(umem(&kept, NULL, WORDS("heap", "ls")), 0);
    expect_output("corrupted");
    assert_int_equal(umem(&kept, NULL, WORDS("save", "--file", files->one)), 1);
    expect_errors(expected);
    assert_int_equal(umem(&kept, NULL, WORDS("save", "whole", "--file", files->one)), 0);
    expect_errors("saved 1 heaps, 0 blocks");
    assert_int_equal(daemon_shutdown(&kept), 0);
    pipe_name_remove(kept.pipe);
    remove_directory(files->other);
}

static void test_cut_dumps(void **state)
{
    struct files *files = *state;
    size_t size;
    char *dump;
    char *line;

    fill(files);
    assert_int_equal(umem(files->daemon, NULL, WORDS("save", "--file", files->one)), 0);
    dump = read_file(files->one, &size);
    restart(files);
    for (size_t cut = 0; cut < size - 1; cut += cut < 2000 ? 97 : 200003) {
        file_write(files->other, dump, cut);
        assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->other)), 6);
        assert_true(strstr(command.errors, "cut") != NULL ||
                    strstr(command.errors, "no dump of umem save") != NULL);
        expect_nothing(files);
    }
    line = strchr(strchr(strchr(dump, '\n') + 1, '\n') + 1, '\n') + 1;
    memmove(line, strchr(line, '\n') + 1, strlen(strchr(line, '\n')));
    file_write(files->other, dump, strlen(dump));
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", files->other)), 6);
    expect_errors("damaged or edited");
    expect_nothing(files);
    free(dump);
}

/* What else is no dump, or one that somebody has edited. */
static void test_wrong_dumps(void **state)
{
#define BEGIN \
    "{\"id\":1,\"method\":\"server.ping\",\"params\":{},\"dump\":{\"format\":1,\"heaps\":0,\"blocks\":0," \
    "\"bytes\":0}}\n"
#define LINE(method, params) "{\"id\":2,\"method\":\"" method "\",\"params\":" params "}\n"
#define END(heaps, blocks, bytes) \
    "{\"id\":3,\"method\":\"server.ping\",\"params\":{},\"dump\":{\"end\":1,\"heaps\":" #heaps \
    ",\"blocks\":" #blocks ",\"bytes\":" #bytes "}}\n"
    static const struct {
        const char *dump;
        const char *error;
        int status; /* 1: the daemon refuses it; 6: umem does */
    } cases[] = {
        {"", "is empty", 6},
        {"hello\n", "its first line is not JSON", 6},
        {"{}\n", "its first line does not say so", 6},
        {"[1]\n", "its first line does not say so", 6},
        {"\x1f\x8b\x08", "is compressed", 6},
        {"{\"dump\":{\"format\":2}}\n", "says format 2", 6},
        {"{\"dump\":{}}\n", "does not say which format", 6},
        {"{\"dump\":7}\n", "does not say which format", 6},
        {BEGIN, "the dump was cut", 6},
        {BEGIN END(1, 0, 0), "line 2 of the dump says that there are 1 heaps, and there are 0", 6},
        {BEGIN END(0, 0, 0) BEGIN, "line 3 of the dump stands behind the dump's end", 6},
        {BEGIN "nonsense\n" END(0, 0, 0), "line 2 of the dump is not JSON", 6},
        {BEGIN "[]\n" END(0, 0, 0), "is no request with parameters by name", 6},
        {BEGIN LINE("block.alloc", "[5]") END(0, 1, 5), "is no request with parameters by name", 6},
        {BEGIN LINE("block.free", "{\"block\":\"x\"}") END(0, 0, 0),
         "a request that umem save does not write", 6},
        {BEGIN LINE("server.shutdown", "{}") END(0, 0, 0), "a request that umem save does not write", 6},
        {BEGIN LINE("heap.create", "{}") END(1, 0, 0), "makes a heap without a name", 6},
        {BEGIN LINE("heap.create", "{\"name\":7}") END(1, 0, 0), "\"name\" is no proper string", 6},
        {BEGIN LINE("heap.create", "{\"name\":\"a\\u0000\"}") END(1, 0, 0), "\"name\" is no proper string",
         6},
        {BEGIN LINE("heap.create", "{\"name\":\"h\",\"lifetime\":\"session\"}") END(1, 0, 0),
         "other than \"server\"", 6},
        {BEGIN LINE("heap.create", "{\"name\":\"h\",\"kind\":\"odd\"}") END(1, 0, 0),
         "line 2 of the dump: heap.create", 1},
        {BEGIN LINE("heap.create", "{\"name\":\"h\",\"colour\":{}}") END(1, 0, 0), "colour", 1},
        {BEGIN LINE("block.alloc", "{}") END(0, 1, 0), "without a size", 6},
        {BEGIN LINE("block.alloc", "{\"size\":9007199254740991}") END(0, 1, 0), "line 2 of the dump: ", 1},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"data\":\"?\"}") END(0, 1, 4), "base64", 1},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\\nb\"}") END(0, 1, 4),
         "has a name that no block can have", 6},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"heap\":\"nobody\"}") END(0, 1, 4), "no heap has this name",
         1},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}")
             LINE("block.write", "{\"block\":\"b\",\"offset\":0,\"data\":\"AA==\"}") END(0, 1, 4),
         "is not about the block before it", 6},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}")
             LINE("block.write", "{\"block\":\"a\",\"data\":\"AA==\"}") END(0, 1, 4),
         "writes bytes without an offset", 6},
        {BEGIN LINE("block.write", "{\"block\":\"b\",\"offset\":0,\"data\":\"AA==\"}") END(0, 0, 0),
         "is not about the block before it", 6},
        {BEGIN LINE("block.alloc", "{\"size\":4}") LINE("block.write", "{\"block\":\"\",\"data\":\"AA==\"}")
             END(0, 1, 4),
         "is not about the block before it", 6},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}")
             LINE("block.write", "{\"block\":\"a\",\"offset\":4,\"data\":\"AA==\"}") END(0, 1, 4),
         "passes the end of the block", 1},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}")
             LINE("block.change", "{\"block\":\"a\",\"name\":\"b\"}") END(0, 1, 4),
         "changes a block otherwise", 6},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}") LINE("heap.create", "{\"name\":\"h\"}")
             END(1, 1, 4),
         "is a heap behind blocks", 6},
        {BEGIN LINE("heap.create", "{\"name\":\"h\"}") LINE("block.alloc", "{\"size\":4,\"heap\":\"h\"}")
             END(1, 1, 5),
         "says that there are 5 bytes, and there are 4", 6},
        {BEGIN LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}")
             LINE("block.alloc", "{\"size\":4,\"name\":\"a\"}") END(0, 2, 8),
         "line 3 of the dump has the name \"a\" of another block", 6},
    };
    struct files *files = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status;

        file_write(files->one, cases[i].dump, strlen(cases[i].dump));
        status = umem(files->daemon, NULL, WORDS("load", files->one));
        if (status != cases[i].status)
            fail_msg("case %zu ended with %d: %s", i, status, cases[i].dump);
        if (strstr(command.errors, cases[i].error) == NULL || strstr(command.errors, files->one) == NULL)
            fail_msg("case %zu: %s", i, command.errors);
        expect_nothing(files);
    }
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", "no/such/file")), 6);
    assert_int_equal(umem(files->daemon, NULL, WORDS("load")), 2);
}

/* What editors, PowerShell, a disk and a slip of the hand make of a file. */
static void test_bytes_that_are_no_dump(void **state)
{
#define FIRST "{\"dump\":{\"format\":1}}\n"
#define LAST "{\"dump\":{\"end\":1,\"heaps\":0,\"blocks\":0,\"bytes\":0}}\n"
    static const struct {
        const char *bytes;
        size_t size;
        const char *error; /* NULL: it is loaded */
    } cases[] = {
#define BYTES(text) text, sizeof(text) - 1
        {BYTES("\xef\xbb\xbf" FIRST LAST), NULL},
        {BYTES("\xef\xbb\xbf"), "is empty"},
        {BYTES("\xef\xbb\xbf\xef\xbb\xbf" FIRST LAST), "its first line is not JSON"},
        {BYTES(FIRST "\xef\xbb\xbf" LAST), "line 2 of the dump is not JSON"},
        {BYTES("\xff\xfe{\0}\0\r\0\n\0"), "is UTF-16, and must be UTF-8"},
        {BYTES("\xfe\xff\0{\0}\0\n"), "is UTF-16, and must be UTF-8"},
        {BYTES("\xff\xfe"), "is UTF-16, and must be UTF-8"},
        {BYTES("{\0}\0\n\0"), "has a NUL byte in it"},
        {BYTES("\0"), "has a NUL byte in it"},
        {BYTES(FIRST "\0\n" LAST), "line 2 of "},
        {BYTES(FIRST "{\"method\":\"block.alloc\",\"params\":{\"size\":1,\"name\":\"n\"}}\n\0\0\0\0"),
         "has a NUL byte in it"},
        {BYTES("\xff\xff\n"), "its first line is not JSON"},
#undef BYTES
    };
    struct files *files = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *error = cases[i].error;
        int status;

        file_write(files->one, cases[i].bytes, cases[i].size);
        status = umem(files->daemon, NULL, WORDS("load", files->one));
        if (status != (error != NULL ? 6 : 0))
            fail_msg("case %zu ended with %d: %s", i, status, command.errors);
        if (error != NULL &&
            (strstr(command.errors, error) == NULL || strstr(command.errors, files->one) == NULL))
            fail_msg("case %zu: %s", i, command.errors);
        expect_nothing(files);
    }
    assert_int_equal(umem(files->daemon, NULL, WORDS("load", ".")), 6);
    expect_errors("cannot be");
#undef LAST
#undef FIRST
}

/* Ends of lines as Windows has them, lines that are empty, and none at the last one. */
static void test_other_line_ends(void **state)
{
    struct files *files = *state;
    static const char dump[] = "{\"dump\":{\"format\":1}}\r\n\r\n{\"method\":\"block.alloc\",\"params\":{"
                               "\"size\":2,\"name\":\"x\",\"data\":\"aGk=\"}}\r\n"
                               "{\"dump\":{\"end\":1,\"heaps\":0,\"blocks\":1,\"bytes\":2}}";

    assert_int_equal(umem(files->daemon, dump, WORDS("load", "-")), 0);
    assert_int_equal(umem(files->daemon, NULL, WORDS("cat", "x")), 0);
    expect_whole_output("hi");
}

/* A failure in a session takes back what was made, too: the session goes on. */
static void test_load_in_a_session(void **state)
{
    struct files *files = *state;
    char lines[512];

    file_write(files->one,
               BEGIN LINE("heap.create", "{\"name\":\"h\"}")
                   LINE("block.alloc", "{\"size\":4,\"heap\":\"h\",\"name\":\"x\"}"),
               sizeof(BEGIN LINE("heap.create", "{\"name\":\"h\"}")
                          LINE("block.alloc", "{\"size\":4,\"heap\":\"h\",\"name\":\"x\"}")) -
                   1);
    snprintf(lines, sizeof lines, "load '%s'\nls --json\nheap ls --json\n", files->one);
    assert_int_equal(umem(files->daemon, lines, WORDS("batch", "--keep-going")), 6);
    expect_errors("the dump was cut");
    assert_null(strstr(command.output, "\"block\":"));
    assert_null(strstr(command.output, "\"h\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_played_by_call, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_some_heaps, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_sessions_and_locks, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_taken_names, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_durable_heaps, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_corrupted_heaps, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_cut_dumps, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_dumps, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_no_dump, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_other_line_ends, files_set_up, files_tear_down),
        cmocka_unit_test_setup_teardown(test_load_in_a_session, files_set_up, files_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
