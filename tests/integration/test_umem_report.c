/* umem report: what is in the page, and where it goes. report_page.py reads a page as a browser does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"

enum { PAGE_LIMIT = 4 << 20 };

static char page[PAGE_LIMIT];

/* A file of the test's own; to be removed. */
static void name_file(char path[256])
{
    char folder[160];
    size_t size = sizeof folder;
    unsigned long long random;

    assert_int_equal(uv_os_tmpdir(folder, &size), 0);
    assert_int_equal(uv_random(NULL, NULL, &random, sizeof random, 0, NULL), 0);
    snprintf(path, 256, "%s/umem-test-%llx.html", folder, random);
}

static void read_page(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    assert_non_null(file);
    size = fread(page, 1, sizeof page - 1, file);
    fclose(file);
    page[size] = '\0';
    assert_true(strncmp(page, "<!DOCTYPE html>", 15) == 0);
    assert_string_equal(page + size - 8, "</html>\n");
}

/* The page that umem writes now. */
static void report(const struct daemon *daemon)
{
    char path[256];

    name_file(path);
    assert_int_equal(umem(daemon, NULL, WORDS("report", path)), 0);
    expect_whole_output("");
    read_page(path);
    remove(path);
    /* Every place of the template is filled in. */
    assert_null(strstr(page, "<!--{"));
}

static void expect_in_page(const char *text)
{
    if (strstr(page, text) == NULL)
        fail_msg("not in the page: %s", text);
}

static void expect_not_in_page(const char *text)
{
    if (strstr(page, text) != NULL)
        fail_msg("in the page: %s", text);
}

static umem_handle make_heap(umem_client *client, const char *name, enum umem_heap_kind kind,
                             uint64_t maximum_size)
{
    const struct umem_heap_options options = {.name = name, .kind = kind, .maximum_size = maximum_size};
    umem_handle heap = 0;

    ok(client, umem_heap_create(client, &options, &heap));
    return heap;
}

static void test_an_empty_daemon(void **state)
{
    report(*state);
    expect_in_page("Nothing needs a look");
    expect_in_page("There are none.");
    expect_not_in_page("class=\"map\"");
    /* Sections that say nothing are not left out. */
    expect_in_page("<h2>Shared heaps</h2>");
    expect_in_page("<code>message_bytes</code>");
}

static void test_names_are_no_markup(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_block_options options = {
        .heap = make_heap(client, "\"><script>alert(1)</script>&amp;", UMEM_HEAP_SHARED, 100000)};
    umem_handle block;

    ok(client, umem_block_alloc(client, 100, &options, &block));
    report(*state);
    expect_in_page("<bdi>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</bdi>");
    expect_in_page("aria-label=\"Map of the heap &quot;&gt;&lt;script&gt;");
    expect_not_in_page("<script>alert");
    umem_client_free(client);
}

static void test_heaps_and_blocks(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_block_options options = {.heap = make_heap(client, "full", UMEM_HEAP_PRIVATE, 65536)};
    umem_handle block;

    ok(client, umem_block_alloc(client, 60000, &options, &block));
    options.heap = make_heap(client, "drawn", UMEM_HEAP_SHARED, 1 << 20);
    options.name = "named";
    ok(client, umem_block_alloc(client, 100000, &options, &block));
    report(*state);
    expect_in_page("The heap <bdi>full</bdi> is full to 91&nbsp;%.");
    expect_in_page("of 1.0&nbsp;MiB. A cell is 64&nbsp;B.");
    expect_in_page("<path class=\"age0 l4\" d=\"M");
    expect_in_page("<path class=\"size3 l4\" d=\"M");
    expect_in_page("<path class=\"own0 l4\" d=\"M");
    expect_in_page("</span>up to 256 KiB</th><td class=\"n\" data-v=\"2\">2</td><td class=\"n\" "
                   "data-v=\"160000\">156.3&nbsp;KiB</td>");
    expect_not_in_page("orphaned, with");
    umem_client_free(client);
}

/* The daemon sees the end of a session by and by. */
static void expect_one_orphan(umem_client *client)
{
    struct umem_server_stats stats = {0};

    for (int i = 0; i < 100000 && stats.orphaned_blocks == 0; i++)
        ok(client, umem_server_stats(client, &stats));
    assert_int_equal(stats.orphaned_blocks, 1);
}

/* The session has ended, and the block has no name. */
static void test_orphans(void **state)
{
    umem_client *client = daemon_connect(*state);
    umem_handle block;

    ok(client, umem_block_alloc(client, 12345, NULL, &block));
    umem_client_free(client);
    client = daemon_connect(*state);
    expect_one_orphan(client);
    report(*state);
    expect_in_page("1 block is orphaned, with 12.1&nbsp;KiB");
    expect_in_page("<td class=\"n\" data-v=\"1\">1</td><td class=\"n\" data-v=\"12345\">12.1&nbsp;KiB</td>");
    umem_client_free(client);
}

/* A lock hides where blocks lie, and nothing else. */
static void test_a_locked_heap(void **state)
{
    umem_client *client = daemon_connect(*state);
    struct umem_block_options options = {.heap = make_heap(client, "drawn", UMEM_HEAP_SHARED, 1 << 20)};
    umem_handle block;

    ok(client, umem_block_alloc(client, 100, &options, &block));
    ok(client, umem_heap_lock(client, options.heap, 0));
    report(*state);
    expect_in_page("<bdi>drawn</bdi></strong> &ensp;There is no picture: ");
    expect_in_page("<i>locked</i>");
    expect_not_in_page("class=\"map\"");
    umem_client_free(client);
}

/* More than are shown, and the size of the page stays bounded. */
static void test_many_heaps(void **state)
{
    enum { HEAPS = 130, SHARED = 20, BLOCKS = 3000 };
    umem_client *client = daemon_connect(*state);
    struct umem_block_options options = {0};
    umem_calls *calls = umem_calls_new(client, UMEM_PIPELINE);
    umem_handle block;
    char name[32];

    for (unsigned i = 0; i < HEAPS; i++) {
        snprintf(name, sizeof name, "heap %u", i);
        options.heap = make_heap(client, name, i < SHARED ? UMEM_HEAP_SHARED : UMEM_HEAP_PRIVATE, 1 << 20);
        ok(client, umem_block_alloc(client, 1000 - i, &options, &block));
    }
    options.heap = umem_named("heap 0");
    for (unsigned i = 0; i < BLOCKS; i++)
        ok(client, umem_submit_block_alloc(calls, i % 300, &options, &block));
    ok(client, umem_collect_all(calls));
    umem_calls_free(calls);
    report(*state);
    /* The process heap, which has no blocks, is one of those that are left out. */
    expect_in_page("Not shown: 31 heaps with 30 blocks, ");
    expect_in_page("Without one: 12 shared heaps.");
    expect_not_in_page("<bdi>heap 120</bdi>");
    assert_true(strlen(page) < 512 * 1024);
    umem_client_free(client);
}

static void test_files(void **state)
{
    char path[256];
    char missing[320];
    struct daemon nobody = {.pipe = ""};
    FILE *file;

    name_file(path);
    snprintf(nobody.pipe, sizeof nobody.pipe, "%.100s-nobody", ((struct daemon *)*state)->pipe);
    snprintf(missing, sizeof missing, "%s.missing/x.html", path);
    assert_int_equal(umem(*state, NULL, WORDS("report", "-")), 0);
    expect_output("</html>\n");
    assert_int_equal(umem(*state, NULL, WORDS("report", missing)), 6);
    expect_errors("cannot be opened");
    assert_int_equal(umem(*state, NULL, WORDS("report")), 2);
    /* One that is there is replaced; what fails leaves it as it is. */
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(umem(*state, NULL, WORDS("report", path)), 0);
    read_page(path);
    assert_int_equal(umem(&nobody, NULL, WORDS("report", path)), 3);
    read_page(path);
    remove(path);
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(test_an_empty_daemon),
        WITH_DAEMON(test_names_are_no_markup),
        WITH_DAEMON(test_heaps_and_blocks),
        WITH_DAEMON(test_orphans),
        WITH_DAEMON(test_a_locked_heap),
        WITH_DAEMON(test_many_heaps),
        WITH_DAEMON(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
