/*
 * The request of every call, to the letter, and where its results are stored: once directly, and once as it is
 * submitted. The transport is the test's own (fake_transport.h).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* Needs those before it. */
#include <cmocka.h>

#include "fake_client.h"
#include "lib/request/info.h"
#include "umem_client.h"

enum { TEXT_SIZE = 4096, HANDLE = 7, OTHER = 9 };

static struct {
    umem_client *client;
    umem_calls *calls;
    unsigned id; /* of the last request */
} test;

static int setup(void **state)
{
    (void)state;
    test.client = fake_connect(0, 0);
    test.calls = umem_calls_new(test.client, UMEM_PIPELINE);
    test.id = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    umem_calls_free(test.calls);
    fake_disconnect(test.client);
    return 0;
}

/* Has the next request answered by this result, with the payload behind it. */
static void answer(const char *result, const char *payload)
{
    char line[TEXT_SIZE];

    fake.read_count = 0;
    fake.read_next = 0;
    fake_forget();
    test.id++;
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":%s}\n", test.id, result);
    fake_answer_text(line, payload, payload != NULL ? strlen(payload) : 0);
}

/* This was written, and nothing else. */
static void expect(const char *method, const char *params, const char *payload)
{
    char text[TEXT_SIZE];
    char whole[2 * TEXT_SIZE];
    char payload_header[64] = "";

    if (*payload != '\0')
        snprintf(payload_header, sizeof payload_header, "Payload-Length: %zu\r\n", strlen(payload));
    snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s,\"id\":%u}", method,
             params, test.id);
    snprintf(whole, sizeof whole, "Content-Length: %zu\r\n%s\r\n%s%s", strlen(text), payload_header, text,
             payload);
    assert_true(fake.sent_size < FAKE_SENT_SIZE);
    fake.sent[fake.sent_size] = '\0';
    assert_string_equal(fake.sent, whole);
}

/* The call umem_NAME with these arguments is this request, and after this result RESULTS holds; the same where it is submitted. CLEAR
 * makes the results what they were before. */
#define SAME(name, method, params, result, clear, results, ...) \
    do { \
        clear; \
        answer(result, NULL); \
        assert_int_equal(umem_##name(test.client, __VA_ARGS__), UMEM_OK); \
        expect(method, params, ""); \
        assert_true(results); \
        clear; \
        answer(result, NULL); \
        assert_int_equal(umem_submit_##name(test.calls, __VA_ARGS__), UMEM_OK); \
        assert_int_equal(umem_collect(test.calls), UMEM_OK); \
        expect(method, params, ""); \
        assert_true(results); \
    } while (0)

/* The same for what can only be called. */
#define CALLED(name, method, params, result, results, ...) \
    do { \
        answer(result, NULL); \
        assert_int_equal(umem_##name(test.client, __VA_ARGS__), UMEM_OK); \
        expect(method, params, ""); \
        assert_true(results); \
    } while (0)

#define NOTHING (void)0

/* The same for what carries raw bytes. */
#define CARRIED(name, method, params, sent, result, received, results, ...) \
    do { \
        answer(result, received); \
        assert_int_equal(umem_##name(test.client, __VA_ARGS__), UMEM_OK); \
        expect(method, params, sent); \
        assert_true(results); \
        answer(result, received); \
        assert_int_equal(umem_submit_##name(test.calls, __VA_ARGS__), UMEM_OK); \
        assert_int_equal(umem_collect(test.calls), UMEM_OK); \
        expect(method, params, sent); \
        assert_true(results); \
    } while (0)

/* ---- heaps ---- */

static void test_heaps(void **state)
{
    const struct umem_heap_options options = {.flags = UMEM_FLAG_NO_SERIALIZE | UMEM_FLAG_GENERATE_EXCEPTIONS,
                                              .initial_size = 4096,
                                              .maximum_size = 65536,
                                              .alignment = 64,
                                              .name = "h",
                                              .lifetime = UMEM_LIFETIME_SESSION,
                                              .kind = UMEM_HEAP_SHARED};
    const struct umem_heap_options named = {.name = "h"};
    bool created = false;
    umem_handle heap = 0;
    uint64_t blocks = 0;
    uint64_t bytes = 0;

    (void)state;
    CALLED(heap_process, "heap.process", "{}", "{\"heap\":1}", heap == 1, &heap);
    SAME(heap_create, "heap.create", "{}", "{\"heap\":5}", heap = 0, heap == 5, NULL, &heap);
    SAME(heap_create, "heap.create",
         "{\"kind\":\"shared\",\"flags\":[\"no_serialize\",\"generate_exceptions\"],\"initial_size\":4096,"
         "\"maximum_size\":65536,\"alignment\":64,\"name\":\"h\",\"lifetime\":\"session\"}",
         "{\"heap\":5}", heap = 0, heap == 5, &options, &heap);
    SAME(heap_open, "heap.create",
         "{\"name\":\"h\",\"kind\":\"private\",\"flags\":[],\"lifetime\":\"server\",\"if_exists\":\"open\"}",
         "{\"heap\":5,\"created\":true}", heap = 0, heap == 5 && created, &named, &heap, &created);
    SAME(heap_open, "heap.create",
         "{\"kind\":\"shared\",\"flags\":[\"no_serialize\",\"generate_exceptions\"],\"initial_size\":4096,"
         "\"maximum_size\":65536,\"alignment\":64,\"name\":\"h\",\"lifetime\":\"session\",\"if_exists\":"
         "\"open\"}",
         "{\"heap\":5,\"created\":false}", heap = 0, heap == 5 && !created, &options, &heap, &created);
    SAME(heap_lookup, "heap.info", "{\"heap\":\"h\"}", "{\"heap\":5}", heap = 0, heap == 5, "h", &heap);
    /* Digits are a name here, never a handle. */
    SAME(heap_lookup, "heap.info", "{\"heap\":\":7\"}", "{\"heap\":5}", heap = 0, heap == 5, "7", &heap);
    SAME(heap_lookup, "heap.info", "{\"heap\":\"::7\"}", "{\"heap\":5}", heap = 0, heap == 5, ":7", &heap);
    SAME(heap_destroy, "heap.destroy", "{\"heap\":7}", "{\"blocks\":3,\"bytes\":40}", blocks = bytes = 0,
         blocks == 3 && bytes == 40, HANDLE, &blocks, &bytes);
    SAME(heap_destroy, "heap.destroy", "{\"heap\":7}", "{\"blocks\":3,\"bytes\":40}", NOTHING, true, HANDLE,
         NULL, NULL);
    SAME(heap_validate, "heap.validate", "{\"heap\":7}", "{}", NOTHING, true, HANDLE, 0);
    SAME(heap_validate, "heap.validate", "{\"heap\":7,\"block\":9}", "{}", NOTHING, true, HANDLE, OTHER);
    SAME(heap_validate, "heap.validate", "{\"heap\":\"process\"}", "{}", NOTHING, true, UMEM_PROCESS_HEAP, 0);
    SAME(heap_compact, "heap.compact", "{\"heap\":7}", "{\"largest_free\":77}", bytes = 0, bytes == 77,
         HANDLE, &bytes);
    SAME(heap_flush, "heap.flush", "{\"heap\":7}", "{}", NOTHING, true, HANDLE);
    SAME(heap_lock, "heap.lock", "{\"heap\":7}", "{}", NOTHING, true, HANDLE, 0);
    SAME(heap_lock, "heap.lock", "{\"heap\":7,\"timeout_ms\":250}", "{}", NOTHING, true, HANDLE, 250);
    /* Left out, the time would be none. */
    SAME(heap_lock, "heap.lock", "{\"heap\":7,\"timeout_ms\":9007199254740991}", "{}", NOTHING, true, HANDLE,
         UMEM_FOREVER);
    SAME(heap_unlock, "heap.unlock", "{\"heap\":7}", "{}", NOTHING, true, HANDLE);
}

#define HEAP_INFO \
    "{\"heap\":5,\"name\":\"h\",\"kind\":\"shared\",\"flags\":[\"no_serialize\",\"newer\",7],\"initial_" \
    "size\":10," \
    "\"maximum_size\":11,\"alignment\":16,\"blocks\":13,\"bytes\":14,\"peak_bytes\":15,\"lifetime\":" \
    "\"session\"," \
    "\"owner\":{\"session\":16,\"pid\":17,\"program\":\"p\",\"user\":\"u\"},\"locked\":true,\"reserved\":" \
    "18," \
    "\"committed\":19,\"free\":20,\"free_ranges\":21,\"largest_free\":22,\"corrupted\":true}"

static bool is_heap_info(const struct umem_heap_info *info)
{
    return info->heap == 5 && strcmp(info->name, "h") == 0 && info->kind == UMEM_HEAP_SHARED &&
           info->flags == UMEM_FLAG_NO_SERIALIZE && info->initial_size == 10 && info->maximum_size == 11 &&
           info->alignment == 16 && info->blocks == 13 && info->bytes == 14 && info->peak_bytes == 15 &&
           info->lifetime == UMEM_LIFETIME_SESSION && info->owner.session == 16 && info->owner.pid == 17 &&
           strcmp(info->owner.program, "p") == 0 && strcmp(info->owner.user, "u") == 0 && info->locked &&
           info->reserved == 18 && info->committed == 19 && info->free_bytes == 20 &&
           info->free_ranges == 21 && info->largest_free == 22 && info->corrupted;
}

#define TWO_CLASSES \
    "{\"heap\":5,\"size_classes\":[{\"size\":16,\"used\":1,\"free\":4095,\"later\":0}," \
    "{\"size\":4096,\"used\":9007199254740991,\"free\":0}]}"

static bool are_two_classes(const struct umem_size_classes *classes)
{
    return classes->count == 2 && classes->classes[0].size == 16 && classes->classes[0].used == 1 &&
           classes->classes[0].free == 4095 && classes->classes[1].size == 4096 &&
           classes->classes[1].used == UMEM_SIZE_MAX && classes->classes[1].free == 0;
}

static void test_size_classes(void **state)
{
    struct umem_size_classes classes;

    (void)state;
    SAME(heap_size_classes, "heap.info", "{\"heap\":7}", TWO_CLASSES, memset(&classes, 0, sizeof classes),
         are_two_classes(&classes), HANDLE, &classes);
    SAME(heap_size_classes, "heap.info", "{\"heap\":\"process\"}", "{\"heap\":5}", classes.count = 7,
         classes.count == 0, 0, &classes);
    SAME(heap_size_classes, "heap.info", "{\"heap\":7}", "{\"heap\":5,\"size_classes\":[]}",
         classes.count = 7, classes.count == 0, HANDLE, &classes);
}

/* More than there is space for are left out; what is wrong is no answer, and changes nothing. */
static void test_odd_size_classes(void **state)
{
    static const char *const wrong[] = {
        "{\"size_classes\":{}}",
        "{\"size_classes\":[1]}",
        "{\"size_classes\":[{\"size\":16,\"used\":1}]}",
        "{\"size_classes\":[{\"size\":4294967296,\"used\":1,\"free\":1}]}",
        "{\"size_classes\":[{\"size\":16,\"used\":-1,\"free\":1}]}",
    };
    char many[8192] = "{\"size_classes\":[";
    struct um_arena arena = {NULL, 0, NULL};
    struct um_json_check check;
    struct umem_size_classes classes = {.count = 7};
    struct um_json *json = NULL;
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, "%s", wrong[i]);
        assert_int_equal(um_json_read(text, strlen(text), &arena, &json, &check), UMEM_OK);
        assert_string_equal(um_info_read_size_classes(json, &classes), "size_classes");
        assert_int_equal(classes.count, 7);
    }
    for (int i = 1; i <= UMEM_SIZE_CLASSES_MAXIMUM + 5; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s{\"size\":%d,\"used\":1,\"free\":2}",
                 i == 1 ? "" : ",", 16 * i);
    snprintf(many + strlen(many), sizeof many - strlen(many), "]}");
    assert_int_equal(um_json_read(many, strlen(many), &arena, &json, &check), UMEM_OK);
    assert_null(um_info_read_size_classes(json, &classes));
    assert_int_equal(classes.count, UMEM_SIZE_CLASSES_MAXIMUM);
    assert_int_equal(classes.classes[UMEM_SIZE_CLASSES_MAXIMUM - 1].size, 16 * UMEM_SIZE_CLASSES_MAXIMUM);
    um_arena_deinit(&arena);
}

/* ---- blocks ---- */

static void test_blocks(void **state)
{
    const struct umem_block_options named = {.name = "b"};
    bool created = false;
    const struct umem_block_options options = {.heap = HANDLE,
                                               .flags =
                                                   UMEM_FLAG_ZERO_MEMORY | UMEM_FLAG_REALLOC_IN_PLACE_ONLY,
                                               .name = "b",
                                               .lifetime = UMEM_LIFETIME_SESSION};
    const enum umem_lifetime to_session = UMEM_LIFETIME_SESSION;
    const enum umem_lifetime to_server = UMEM_LIFETIME_SERVER;
    umem_handle block = 0;
    uint64_t holders = 0;

    (void)state;
    SAME(block_alloc, "block.alloc", "{\"size\":64}", "{\"block\":5}", block = 0, block == 5, 64, NULL,
         &block);
    SAME(block_alloc, "block.alloc",
         "{\"size\":9007199254740991,\"heap\":7,\"flags\":[\"zero_memory\",\"realloc_in_place_only\"],"
         "\"name\":\"b\","
         "\"lifetime\":\"session\"}",
         "{\"block\":9007199254740991}", block = 0, block == UMEM_SIZE_MAX, UMEM_SIZE_MAX, &options, &block);
    SAME(block_open, "block.alloc",
         "{\"size\":64,\"name\":\"b\",\"lifetime\":\"server\",\"if_exists\":\"open\"}",
         "{\"block\":5,\"created\":true}", block = 0, block == 5 && created, 64, &named, &block, &created);
    SAME(block_publish, "block.change", "{\"block\":7,\"name\":\"b\",\"if_exists\":\"replace\"}", "{}",
         NOTHING, true, HANDLE, "b", NULL, NULL);
    SAME(block_free, "block.free", "{\"block\":\"b\"}", "{}", NOTHING, true, umem_named("b"));
    SAME(block_free, "block.free", "{\"block\":\":7\"}", "{}", NOTHING, true, umem_named("7"));
    SAME(block_resize, "block.resize", "{\"block\":7,\"size\":0}", "{}", NOTHING, true, HANDLE, 0, 0);
    SAME(block_resize, "block.resize", "{\"block\":7,\"size\":8,\"flags\":[\"realloc_in_place_only\"]}", "{}",
         NOTHING, true, HANDLE, 8, UMEM_FLAG_REALLOC_IN_PLACE_ONLY);
    SAME(block_lookup, "block.info", "{\"block\":\"b\\\"\"}", "{\"block\":5}", block = 0, block == 5, "b\"",
         &block);
    SAME(block_lookup, "block.info", "{\"block\":\":268435464\"}", "{\"block\":5}", block = 0, block == 5,
         "268435464", &block);
    CALLED(block_at, "block.at", "{\"address\":4096}", "{\"block\":6}", block == 6, 4096, &block);
    SAME(block_change, "block.change", "{\"block\":7}", "{}", NOTHING, true, HANDLE, NULL, NULL, NULL);
    SAME(block_change, "block.change", "{\"block\":7,\"name\":\"n\",\"lifetime\":\"session\"}", "{}", NOTHING,
         true, HANDLE, "n", &to_session, NULL);
    SAME(block_change, "block.change", "{\"block\":7,\"name\":\"\",\"lifetime\":\"server\"}", "{}", NOTHING,
         true, HANDLE, "", &to_server, NULL);
    SAME(block_hold, "block.hold", "{\"block\":7}", "{\"holders\":2}", holders = 0, holders == 2, HANDLE,
         &holders);
    SAME(block_release, "block.release", "{\"block\":7}", "{\"holders\":1}", holders = 0, holders == 1,
         HANDLE, &holders);
    SAME(block_free, "block.free", "{\"block\":7}", "{}", NOTHING, true, HANDLE);
    CALLED(block_free, "block.free", "{\"block\":9007199254740991}", "{}", true, UMEM_SIZE_MAX);
    CALLED(block_free_orphan, "block.free", "{\"block\":7,\"if_orphaned\":true}", "{}", true, HANDLE);
    SAME(block_wake, "block.wake", "{\"block\":7}", "{}", NOTHING, true, HANDLE, 0, UMEM_TO_END);
    SAME(block_wake, "block.wake", "{\"block\":7,\"offset\":3,\"size\":4}", "{}", NOTHING, true, HANDLE, 3,
         4);
}

#define BLOCK_INFO \
    "{\"block\":5,\"name\":\"b\",\"heap\":6,\"size\":10,\"address\":11,\"lifetime\":\"session\"," \
    "\"owner\":{\"session\":12,\"pid\":13,\"program\":\"p\",\"user\":\"u\"},\"holders\":14,\"orphaned\":" \
    "true," \
    "\"created\":15}"

static bool is_block_info(const struct umem_block_info *info)
{
    return info->block == 5 && strcmp(info->name, "b") == 0 && info->heap == 6 && info->size == 10 &&
           info->address == 11 && info->lifetime == UMEM_LIFETIME_SESSION && info->owner.session == 12 &&
           info->owner.pid == 13 && strcmp(info->owner.program, "p") == 0 &&
           strcmp(info->owner.user, "u") == 0 && info->holders == 14 && info->orphaned && info->created == 15;
}

static void test_infos(void **state)
{
    struct umem_heap_info heap;
    struct umem_block_info block;
    struct umem_session_info session = {0};

    (void)state;
    SAME(heap_info, "heap.info", "{\"heap\":7}", HEAP_INFO, memset(&heap, 0, sizeof heap),
         is_heap_info(&heap), HANDLE, &heap);
    SAME(block_info, "block.info", "{\"block\":7}", BLOCK_INFO, memset(&block, 0, sizeof block),
         is_block_info(&block), HANDLE, &block);
    SAME(block_change, "block.change", "{\"block\":7,\"name\":\"b\"}", BLOCK_INFO,
         memset(&block, 0, sizeof block), is_block_info(&block), HANDLE, "b", NULL, &block);
    CALLED(session_info, "session.info", "{}",
           "{\"session\":5,\"pid\":6,\"program\":\"p\",\"user\":\"u\",\"opened\":7,\"blocks\":8,\"bytes\":9,"
           "\"queued_bytes\":10}",
           session.session == 5 && session.pid == 6 && strcmp(session.program, "p") == 0 &&
               strcmp(session.user, "u") == 0 && session.opened == 7 && session.blocks == 8 &&
               session.bytes == 9 && session.queued_bytes == 10,
           &session);
}

/* The words of the protocol's, both ways; what is null or left out is none. */
static void test_words(void **state)
{
    static const struct {
        const char *word;
        enum umem_heap_kind kind;
    } kinds[] = {{"process", UMEM_HEAP_PROCESS},
                 {"private", UMEM_HEAP_PRIVATE},
                 {"shared", UMEM_HEAP_SHARED},
                 {"newer", UMEM_HEAP_OTHER}};
    static const char all_flags[] = "[\"zero_memory\",\"no_serialize\",\"generate_exceptions\","
                                    "\"create_enable_execute\",\"realloc_in_place_only\"]";
    struct umem_heap_info heap;
    char text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(
            text, sizeof text,
            "{\"heap\":5,\"name\":null,\"kind\":\"%s\",\"flags\":%s,\"initial_size\":10,\"maximum_size\":11,"
            "\"alignment\":16,\"blocks\":13,\"bytes\":14,\"peak_bytes\":15,\"lifetime\":\"server\","
            "\"owner\":null,\"locked\":false}",
            kinds[i].word, all_flags);
        memset(&heap, 0xff, sizeof heap);
        answer(text, NULL);
        assert_int_equal(umem_heap_info(test.client, HANDLE, &heap), UMEM_OK);
        assert_int_equal(heap.kind, kinds[i].kind);
        assert_int_equal(heap.flags, 31);
        assert_int_equal(heap.lifetime, UMEM_LIFETIME_SERVER);
        assert_string_equal(heap.name, "");
        assert_true(heap.owner.session == 0 && heap.owner.pid == 0 && heap.owner.program[0] == '\0' &&
                    heap.owner.user[0] == '\0' && !heap.locked);
        assert_true(heap.reserved == 0 && heap.committed == 0 && heap.free_bytes == 0 &&
                    heap.free_ranges == 0 && heap.largest_free == 0 && !heap.corrupted);
    }
    snprintf(text, sizeof text, "{\"flags\":%s}", all_flags);
    CALLED(heap_create, "heap.create", text, "{\"heap\":5}", true, &(struct umem_heap_options){.flags = 31},
           &heap.heap);
}

/* Sends the request `whole` with one part changed. The error names the wrong member. */
static void expect_bad(bool is_heap, const char *from, const char *to, const char *member)
{
    const char *whole = is_heap ? HEAP_INFO : BLOCK_INFO;
    const char *at = strstr(whole, from);
    struct umem_heap_info heap;
    struct umem_block_info block;
    char result[1024];
    char message[128];
    int code;

    assert_non_null(at);
    snprintf(result, sizeof result, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    answer(result, NULL);
    code =
        is_heap ? umem_heap_info(test.client, HANDLE, &heap) : umem_block_info(test.client, HANDLE, &block);
    if (code != UMEM_E_BAD_ANSWER)
        fail_msg("%s in the place of %s was taken", to, from);
    snprintf(message, sizeof message, "the daemon's answer has no proper member \"%s\"", member);
    assert_string_equal(umem_last_error(test.client)->message, message);
    assert_int_equal(umem_connect(test.client), UMEM_OK);
}

static void test_bad_infos(void **state)
{
    static const struct {
        bool is_heap;
        const char *from;
        const char *to;
        const char *member;
    } cases[] = {
        {true, "\"heap\":5", "\"heap\":-5", "heap"},
        {true, "\"h\"", "7", "name"},
        {true, "\"shared\"", "7", "kind"},
        {true, "[\"no_serialize\",\"newer\",7]", "7", "flags"},
        {true, "\"initial_size\":10", "\"initial_size\":null", "initial_size"},
        {true, "\"maximum_size\":11", "\"x\":11", "maximum_size"},
        {true, "\"alignment\":16", "\"alignment\":4294967296", "alignment"},
        {true, "\"blocks\":13", "\"blocks\":1.5", "blocks"},
        {true, "\"bytes\":14", "\"bytes\":true", "bytes"},
        {true, "\"peak_bytes\":15", "\"peak_bytes\":{}", "peak_bytes"},
        {true, "\"lifetime\":\"session\"", "\"lifetime\":\"other\"", "lifetime"},
        {true, "\"session\":16", "\"session\":-1", "owner"},
        {true, "\"pid\":17", "\"pid\":\"x\"", "owner"},
        {true, "\"locked\":true", "\"locked\":1", "locked"},
        {true, "\"committed\":19", "\"committed\":-1", "committed"},
        {true, "\"corrupted\":true", "\"corrupted\":null", "corrupted"},
        {false, "\"block\":5", "\"block\":null", "block"},
        {false, "\"size\":10", "\"size\":-1", "size"},
        {false, "\"address\":11", "\"x\":11", "address"},
        {false, "\"holders\":14", "\"holders\":4294967296", "holders"},
        {false, "\"orphaned\":true", "\"orphaned\":\"true\"", "orphaned"},
        {false, "\"created\":15", "\"created\":1e300", "created"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_bad(cases[i].is_heap, cases[i].from, cases[i].to, cases[i].member);
}

/* ---- bytes and numbers ---- */

static void test_bytes(void **state)
{
    const struct umem_block_options options = {.heap = umem_named("h"), .lifetime = UMEM_LIFETIME_SESSION};
    umem_handle block = 0;
    size_t size = 0;
    char got[9] = "";
    char bytes[5] = "";
    uint16_t values[2] = {0};
    const uint16_t numbers[2] = {0x6261, 0x6463};

    (void)state;
    CARRIED(put, "block.alloc", "{\"name\":\"n\",\"if_exists\":\"replace\",\"encoding\":\"raw\",\"size\":3}",
            "abc", "{\"block\":5}", NULL, block == 5, "n", "abc", 3, NULL, &block);
    CARRIED(put, "block.alloc",
            "{\"name\":\"n\",\"heap\":\"h\",\"lifetime\":\"session\",\"if_exists\":\"replace\",\"encoding\":"
            "\"raw\","
            "\"size\":3}",
            "abc", "{\"block\":5}", NULL, true, "n", "abc", 3, &options, NULL);
    CARRIED(get_into, "block.read", "{\"block\":\"n\",\"encoding\":\"raw\",\"at_most\":9}", "",
            "{\"size\":4,\"block\":5,\"block_size\":4}", "abcd", size == 4 && memcmp(got, "abcd", 4) == 0,
            "n", got, sizeof got, &size);
    CARRIED(block_read, "block.read", "{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":4}", "",
            "{\"size\":4}", "abcd", strcmp(bytes, "abcd") == 0 && memset(bytes, 0, 4) != NULL, HANDLE, 3,
            bytes, 4);
    CARRIED(block_write, "block.write", "{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":4}", "wxyz",
            "{\"size\":4}", NULL, true, HANDLE, 3, "wxyz", 4);
    CARRIED(block_write, "block.write", "{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":1}", "w",
            "{\"size\":1}", NULL, true, HANDLE, 3, "w", 1);
    CARRIED(block_write, "block.write", "{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":0}", "",
            "{\"size\":0}", NULL, true, HANDLE, 3, "", 0);
    /* Up to the largest offset that the protocol can express. */
    CARRIED(block_write, "block.write",
            "{\"block\":7,\"offset\":9007199254740987,\"encoding\":\"raw\",\"size\":4}", "wxyz",
            "{\"size\":4}", NULL, true, HANDLE, UMEM_SIZE_MAX - 4, "wxyz", 4);
    CARRIED(block_get, "block.read", "{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":4}", "",
            "{\"size\":4}", "abcd",
            values[0] == 0x6261 && values[1] == 0x6463 && memset(values, 0, 4) != NULL, HANDLE, 3,
            UMEM_TYPE_U16, values, 2);
    CARRIED(block_set, "block.write", "{\"block\":7,\"offset\":3,\"encoding\":\"raw\",\"size\":4}", "abcd",
            "{\"size\":4}", NULL, true, HANDLE, 3, UMEM_TYPE_U16, numbers, 2);
}

static void test_ranges(void **state)
{
    uint64_t place = 0;

    (void)state;
    SAME(block_fill, "block.fill", "{\"block\":7,\"offset\":3,\"value\":255}", "{}", NOTHING, true, HANDLE, 3,
         255, UMEM_TO_END);
    SAME(block_fill, "block.fill", "{\"block\":7,\"offset\":3,\"size\":4,\"value\":5}", "{}", NOTHING, true,
         HANDLE, 3, 5, 4);
    SAME(block_copy, "block.copy",
         "{\"source\":7,\"target\":9,\"source_offset\":1,\"target_offset\":2,\"size\":3}", "{}", NOTHING,
         true, HANDLE, 1, OTHER, 2, 3);
    SAME(block_copy, "block.copy", "{\"source\":7,\"target\":9,\"source_offset\":0,\"target_offset\":0}",
         "{}", NOTHING, true, HANDLE, 0, OTHER, 0, UMEM_TO_END);
    SAME(block_compare, "block.compare",
         "{\"left\":7,\"right\":9,\"left_offset\":1,\"right_offset\":2,\"size\":3}",
         "{\"equal\":false,\"offset\":2}", place = 0, place == 2, HANDLE, 1, OTHER, 2, 3, &place);
    SAME(block_compare, "block.compare", "{\"left\":7,\"right\":9,\"left_offset\":0,\"right_offset\":0}",
         "{\"equal\":true,\"offset\":null}", place = 0, place == UMEM_NONE, HANDLE, 0, OTHER, 0, UMEM_TO_END,
         &place);
    SAME(block_find, "block.find", "{\"block\":7,\"offset\":3,\"data\":\"YWI=\"}", "{\"offset\":5}",
         place = 0, place == 5, HANDLE, 3, "ab", 2, &place);
    SAME(block_find, "block.find", "{\"block\":7,\"offset\":0,\"data\":\"\"}", "{\"offset\":null}", place = 0,
         place == UMEM_NONE, HANDLE, 0, "", 0, &place);
}

static void test_numbers(void **state)
{
    const int64_t minus_one = -1;
    const uint64_t large = UINT64_MAX;
    const float tenth = 0.1F;
    const double minus_infinity = -(double)INFINITY;
    double wide = 0;
    int64_t before = 0;
    int64_t after = 0;
    uint64_t now = 0;
    float old = 0;
    bool exchanged = false;

    (void)state;
    SAME(block_add, "block.add", "{\"block\":7,\"offset\":8,\"type\":\"i64\",\"value\":-1}",
         "{\"old\":-5,\"new\":\"-9223372036854775808\"}", before = after = 0,
         before == -5 && after == INT64_MIN, HANDLE, 8, UMEM_TYPE_I64, &minus_one, &before, &after);
    SAME(block_exchange, "block.exchange", "{\"block\":7,\"offset\":8,\"type\":\"f32\",\"value\":0.1}",
         "{\"old\":16777217,\"exchanged\":true}", exchanged = false, exchanged && old == 16777216.0F, HANDLE,
         8, UMEM_TYPE_F32, &tenth, NULL, &old, &exchanged);
    SAME(block_exchange, "block.exchange",
         "{\"block\":7,\"offset\":8,\"type\":\"f64\",\"value\":\"-Infinity\"}",
         "{\"old\":\"NaN\",\"exchanged\":true}", wide = 0, !(wide <= 0 || wide > 0), HANDLE, 8, UMEM_TYPE_F64,
         &minus_infinity, NULL, &wide, &exchanged);
    SAME(block_exchange, "block.exchange",
         "{\"block\":7,\"offset\":8,\"type\":\"i64\",\"value\":-1,\"expected\":6}",
         "{\"old\":5,\"exchanged\":false}", exchanged = true, !exchanged && before == 5, HANDLE, 8,
         UMEM_TYPE_I64, &minus_one, &(int64_t){6}, &before, &exchanged);
    SAME(block_wait, "block.wait",
         "{\"block\":7,\"offset\":8,\"type\":\"u64\",\"value\":\"18446744073709551615\",\"timeout_ms\":250}",
         "{\"value\":6}", now = 0, now == 6, HANDLE, 8, UMEM_TYPE_U64, &large, 250, &now);
    SAME(block_wait, "block.wait", "{\"block\":7,\"offset\":8,\"type\":\"u64\",\"value\":1}", "{\"value\":6}",
         now = 0, now == 6, HANDLE, 8, UMEM_TYPE_U64, &(uint64_t){1}, UMEM_FOREVER, &now);
}

/* Every type has its name, its size, and its bounds. */
static void test_types(void **state)
{
    static const struct {
        const char *name;
        const char *largest; /* that is read as all bits but a sign's set, and how it is written */
        const char *too_large;
        size_t size;
    } types[] = {
        [UMEM_TYPE_U8] = {"u8", "255", "256", 1},
        [UMEM_TYPE_I8] = {"i8", "127", "128", 1},
        [UMEM_TYPE_U16] = {"u16", "65535", "65536", 2},
        [UMEM_TYPE_I16] = {"i16", "32767", "32768", 2},
        [UMEM_TYPE_U32] = {"u32", "4294967295", "4294967296", 4},
        [UMEM_TYPE_I32] = {"i32", "2147483647", "2147483648", 4},
        [UMEM_TYPE_U64] = {"u64", "\"18446744073709551615\"", "\"18446744073709551616\"", 8},
        [UMEM_TYPE_I64] = {"i64", "\"9223372036854775807\"", "\"9223372036854775808\"", 8},
    };
    char params[128];
    char result[128];
    unsigned char value[8];
    unsigned char now[8];

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bool is_signed = types[i].name[0] == 'i';

        memset(value, 0xff, sizeof value);
        if (is_signed)
            value[types[i].size - 1] = 0x7f;
        assert_int_equal(umem_type_size((enum umem_type)i), types[i].size);
        snprintf(params, sizeof params, "{\"block\":7,\"offset\":0,\"type\":\"%s\",\"value\":%s}",
                 types[i].name, types[i].largest);
        snprintf(result, sizeof result, "{\"value\":%s}", types[i].largest);
        SAME(block_wait, "block.wait", params, result, memset(now, 0, sizeof now),
             memcmp(now, value, types[i].size) == 0, HANDLE, 0, (enum umem_type)i, value, UMEM_FOREVER, now);
        snprintf(result, sizeof result, "{\"value\":%s}", types[i].too_large);
        answer(result, NULL);
        assert_int_equal(umem_block_wait(test.client, HANDLE, 0, (enum umem_type)i, value, UMEM_FOREVER, now),
                         UMEM_E_BAD_ANSWER);
        assert_int_equal(umem_connect(test.client), UMEM_OK);
    }
    assert_int_equal(umem_type_size((enum umem_type)99), 0);
}

/* ---- the server and its sessions ---- */

static int count_session(const struct umem_session_info *session, void *context)
{
    *(uint64_t *)context += session->session;
    return 0;
}

static int keep_method(const struct umem_method_stats *method, void *context)
{
    *(struct umem_method_stats *)context = *method;
    return 0;
}

static void test_sessions(void **state)
{
    struct umem_method_stats method = {.calls = 0};
    uint64_t sum = 0;

    (void)state;
    CALLED(
        server_methods, "server.methods", "{}",
        "{\"methods\":[{\"method\":\"a.b\",\"calls\":9,\"errors\":2,\"waited\":1,\"total_us\":30,"
        "\"longest_us\":7,\"latency\":[{\"at_most_us\":5,\"calls\":6},{\"at_most_us\":null,\"calls\":2}]}],"
        "\"next\":null}",
        method.calls == 9 && method.errors == 2 && method.waited == 1 && method.total_us == 30 &&
            method.longest_us == 7 && method.latency_count == 2 && method.latencies[0].at_most_us == 5 &&
            method.latencies[0].calls == 6 && method.latencies[1].at_most_us == UMEM_NONE &&
            method.latencies[1].calls == 2 && strcmp(method.method, "a.b") == 0,
        keep_method, &method);
    CALLED(session_close, "session.close", "{\"session\":5}", "{}", true, 5);
    CALLED(
        session_list, "session.list", "{}",
        "{\"sessions\":[{\"session\":5,\"pid\":6,\"opened\":7,\"blocks\":8,\"bytes\":9,\"queued_bytes\":10}],"
        "\"next\":null}",
        sum == 5, count_session, &sum);
    answer("{}", NULL);
    assert_int_equal(umem_server_ping(test.client), UMEM_OK);
    expect("server.ping", "{}", "");
    answer("{}", NULL);
    assert_int_equal(umem_server_shutdown(test.client), UMEM_OK);
    expect("server.shutdown", "{}", "");
    assert_int_equal(umem_session_close(test.client, 0), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_session_unwatch(test.client, 0), UMEM_E_BAD_ARGUMENT);
}

static void on_event(const struct umem_event *event, void *context)
{
    (void)event;
    (void)context;
}

static void test_watches(void **state)
{
    const struct umem_watch_target of_heap = {.heap = HANDLE};
    const struct umem_watch_target of_part = {.block = OTHER, .offset = 3, .size = 4};
    const struct umem_watch_target to_end = {.block = OTHER, .size = UMEM_TO_END};
    uint64_t watch = 0;

    (void)state;
    CALLED(session_watch, "session.watch", "{}", "{\"watch\":5}", watch == 5, NULL, on_event, NULL, &watch);
    CALLED(session_watch, "session.watch", "{\"heap\":7}", "{\"watch\":6}", watch == 6, &of_heap, on_event,
           NULL, &watch);
    CALLED(session_watch, "session.watch", "{\"block\":9,\"offset\":3,\"size\":4}", "{\"watch\":8}",
           watch == 8, &of_part, on_event, NULL, &watch);
    CALLED(session_watch, "session.watch", "{\"block\":9}", "{\"watch\":9}", watch == 9, &to_end, on_event,
           NULL, &watch);
    CALLED(session_unwatch, "session.unwatch", "{\"watch\":5}", "{}", true, 5);
}

static void test_server(void **state)
{
    static const char stats[] =
        "{\"heaps\":1,\"blocks\":2,\"bytes\":3,\"peak_bytes\":4,\"orphaned_blocks\":5,\"orphaned_bytes\":6,"
        "\"sessions\":7,\"requests\":8,\"errors\":9,\"bytes_read\":10,\"bytes_written\":11,\"peak_sessions\":"
        "12,"
        "\"waits\":13,\"watches\":14,\"holds\":15,\"unsent_bytes\":16,\"peak_unsent_bytes\":17,"
        "\"gathered_bytes\":18,\"peak_gathered_bytes\":19,\"pinned_bytes\":20,\"cpu_user_us\":21,"
        "\"cpu_system_us\":22,\"resident_bytes\":23}";
    const struct umem_server_stats expected = {.heaps = 1,
                                               .blocks = 2,
                                               .bytes = 3,
                                               .peak_bytes = 4,
                                               .orphaned_blocks = 5,
                                               .orphaned_bytes = 6,
                                               .sessions = 7,
                                               .requests = 8,
                                               .errors = 9,
                                               .bytes_read = 10,
                                               .bytes_written = 11,
                                               .peak_sessions = 12,
                                               .waits = 13,
                                               .watches = 14,
                                               .holds = 15,
                                               .unsent_bytes = 16,
                                               .peak_unsent_bytes = 17,
                                               .gathered_bytes = 18,
                                               .peak_gathered_bytes = 19,
                                               .pinned_bytes = 20,
                                               .cpu_user_us = 21,
                                               .cpu_system_us = 22,
                                               .resident_bytes = 23};
    struct umem_server_stats found;
    struct umem_server_info *info = NULL;

    (void)state;
    memset(&found, 0, sizeof found);
    CALLED(server_stats, "server.stats", "{}", stats, memcmp(&found, &expected, sizeof found) == 0, &found);
    CALLED(server_info, "server.info", "{}",
           "{\"name\":\"n\",\"version\":\"v\",\"platform\":\"p\",\"backend\":\"b\",\"pipe\":\"\\u0041\","
           "\"protocol\":2,"
           "\"pid\":3,\"started\":4,\"uptime_seconds\":5,\"limits\":{\"one\":6,\"none\":\"x\",\"two\":8},"
           "\"features\":[\"f\",7,\"g\"]}",
           info != NULL, &info);
    assert_string_equal(info->name, "n");
    assert_string_equal(info->version, "v");
    assert_string_equal(info->platform, "p");
    assert_string_equal(info->backend, "b");
    assert_string_equal(info->pipe, "A");
    assert_true(info->protocol == 2 && info->pid == 3 && info->started == 4 && info->uptime_seconds == 5);
    assert_int_equal(info->limit_count, 2);
    assert_string_equal(info->limits[0].name, "one");
    assert_string_equal(info->limits[1].name, "two");
    assert_true(info->limits[0].value == 6 && info->limits[1].value == 8);
    assert_int_equal(info->feature_count, 2);
    assert_string_equal(info->features[0], "f");
    assert_string_equal(info->features[1], "g");
    umem_free_server_info(info);
}

/* ---- lists ---- */

/* One request for each page, and the request for the next page. */
static int stop_at_second(const struct umem_block_info *block, void *context)
{
    (void)block;
    return ++*(int *)context == 2 ? 77 : 0;
}

static int stop_at_once(const struct umem_heap_info *heap, void *context)
{
    (void)heap;
    (void)context;
    return 78;
}

static void test_lists(void **state)
{
    const struct umem_block_filter filter = {.heap = HANDLE, .session = 3, .orphaned_only = true};
    int count = 0;

    (void)state;
    answer("{\"blocks\":[" BLOCK_INFO "],\"next\":5}", NULL);
    fake_answer_text("{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"blocks\":[" BLOCK_INFO "," BLOCK_INFO
                     "],\"next\":null}}\n",
                     NULL, 0);
    assert_int_equal(umem_block_list(test.client, &filter, stop_at_second, &count), 77);
    assert_int_equal(count, 2);
    fake.sent[fake.sent_size] = '\0';
    assert_non_null(strstr(fake.sent, "\"params\":{\"heap\":7,\"session\":3,\"orphaned\":true},\"id\":1}"));
    assert_non_null(
        strstr(fake.sent, "\"params\":{\"after\":5,\"heap\":7,\"session\":3,\"orphaned\":true},\"id\":2}"));
    test.id = 2;
    answer("{\"heaps\":[" HEAP_INFO "," HEAP_INFO "],\"next\":null}", NULL);
    assert_int_equal(umem_heap_list(test.client, stop_at_once, NULL), 78);
    expect("heap.list", "{}", "");
}

/* ---- arguments that are refused ---- */

/* If several arguments are wrong, the first one is reported. */
static void test_refused(void **state)
{
    (void)state;
    fake_forget();
    assert_int_equal(umem_block_copy(test.client, 0, 0, UMEM_SIZE_MAX + 1, 0, 1), UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_last_error(test.client)->message, "source: 0 is no handle");
    assert_int_equal(umem_block_copy(test.client, 1, 0, UMEM_SIZE_MAX + 1, UMEM_SIZE_MAX + 1, 1),
                     UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_last_error(test.client)->message, "target: 9007199254740992 is no handle");
    assert_int_equal(umem_block_get(test.client, 1, UMEM_SIZE_MAX + 1, (enum umem_type)99, NULL, 1),
                     UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_last_error(test.client)->message, "offset: 9007199254740992 is past 2^53 - 1");
    assert_int_equal(umem_block_read(test.client, 1, UMEM_SIZE_MAX - 3, NULL, 4), UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_last_error(test.client)->message, "offset + size is past 2^53 - 1");
    assert_int_equal(umem_heap_lookup(test.client, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_last_error(test.client)->message, "the heap's name is missing");
    assert_int_equal(umem_block_add(test.client, 1, 0, UMEM_TYPE_U8, NULL, NULL, NULL), UMEM_E_BAD_ARGUMENT);
    assert_string_equal(umem_last_error(test.client)->message, "the value is missing");
    assert_int_equal(fake.sent_size, 0);
}

/* ---- any method ---- */

static void test_any_method(void **state)
{
    char *result = NULL;

    (void)state;
    answer("{\"a\":[1,\"\\u0000\"]}", NULL);
    assert_int_equal(umem_call(test.client, "some.method", " {\"x\":1} \r\n\t", &result), UMEM_OK);
    expect("some.method", " {\"x\":1}", "");
    assert_string_equal(result, "{\"a\":[1,\"\\u0000\"]}");
    umem_free_text(result);
    fake_forget();
    assert_int_equal(umem_call(test.client, "some.method", "{\"x\":\"a\\u0000\"}", NULL),
                     UMEM_E_BAD_ARGUMENT);
    assert_int_equal(umem_call(test.client, "some.method", "{\"x\":1", NULL), UMEM_E_BAD_ARGUMENT);
    assert_int_equal(fake.sent_size, 0);
}

#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_CLIENT(test_heaps),
        WITH_CLIENT(test_blocks),
        WITH_CLIENT(test_infos),
        WITH_CLIENT(test_size_classes),
        cmocka_unit_test(test_odd_size_classes),
        WITH_CLIENT(test_bad_infos),
        WITH_CLIENT(test_words),
        WITH_CLIENT(test_bytes),
        WITH_CLIENT(test_ranges),
        WITH_CLIENT(test_numbers),
        WITH_CLIENT(test_types),
        WITH_CLIENT(test_sessions),
        WITH_CLIENT(test_watches),
        WITH_CLIENT(test_server),
        WITH_CLIENT(test_lists),
        WITH_CLIENT(test_any_method),
        WITH_CLIENT(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
