/* `umem stats` and `umem top` without a terminal. What a terminal shows is in check_top.py, the rules of Prometheus' format are in
 * check_prometheus.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "umem_fixture.h"

static size_t count_lines(const char *text, const char *beginning)
{
    size_t count = 0;

    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += strncmp(line, beginning, strlen(beginning)) == 0 && *line != '\0';
    }
    return count;
}

static void test_stats(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("stats")), 0);
    expect_output("heaps ");
    expect_output("resident_bytes");
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--json")), 0);
    expect_output("\"cpu_user_us\":");
}

static void test_methods(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("ping")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("ping")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("info", "nobody")), 1);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--methods", "-o", "method,calls,errors")), 0);
    expect_output("server.ping      2       0\n");
    expect_output("block.info       1       1\n");
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--methods", "--json")), 0);
    expect_output("\"at_most_us\":10000000,");
}

static void test_prometheus(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "a\"\\b")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("ping")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--prometheus")), 0);
    expect_output("# TYPE umem_calls_total counter\n");
    expect_output("\numem_calls_total{method=\"server.ping\"} 1\n");
    expect_output("\numem_call_duration_seconds_bucket{method=\"server.ping\",le=\"+Inf\"} 1\n");
    expect_output("\numem_call_duration_seconds_count{method=\"server.ping\"} 1\n");
    expect_output("\numem_heap_blocks{heap=\"a\\\"\\\\b\"} 0\n");
    expect_output("\numem_heaps 2\n");
}

static void test_intervals(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--interval", "0.01", "--count", "22")), 0);
    assert_int_equal(count_lines(command.output, "TIME "), 2);
    assert_int_equal(count_lines(command.output, ""), 24);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--interval", ".01", "--count", "3", "--json")), 0);
    assert_int_equal(count_lines(command.output, "{\"heaps\":1,"), 3);
}

static void test_wrong_intervals(void **state)
{
    static const char *const wrong[] = {
        "", "0", "0.000", "x", "-1", "1.2345", "1s", "86401", "99999999999999999999", "1,5"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(umem(*state, NULL, WORDS("stats", "--interval", wrong[i], "--count", "1")), 2);
        expect_errors("--interval");
    }
}

static void test_options_that_contradict(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--methods", "--prometheus")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--methods", "--interval", "1")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--prometheus", "--json")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--count", "1")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("stats", "--sort", "calls")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("top", "--once", "--count", "1")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("top", "--sort", "name")), 2);
    assert_int_equal(umem(*state, NULL, WORDS("top", "--json")), 2);
}

static void test_top_once(void **state)
{
    assert_int_equal(umem(*state, NULL, WORDS("heap", "create", "--name", "a-heap", "--maximum-size", "1M")),
                     0);
    assert_int_equal(umem(*state, NULL, WORDS("put", "--heap", "a-heap", "greeting", "hello")), 0);
    assert_int_equal(umem(*state, NULL, WORDS("top", "--once", "--interval", "0.01", "--sort", "bytes")), 0);
    assert_int_equal(count_lines(command.output, "umemd "), 1);
    assert_int_equal(count_lines(command.output, "METHOD "), 1);
    assert_int_equal(count_lines(command.output, "a-heap "), 1);
    expect_output("     5      5    1.0M           1");
    assert_int_equal(count_lines(command.output, "server.stats "), 1);
    assert_null(strchr(command.output, '\033'));
    for (const char *line = command.output; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    assert_int_equal(umem(*state, NULL, WORDS("top", "--count", "3", "--interval", "0.01")), 0);
    assert_int_equal(count_lines(command.output, "umemd "), 3);
}

static void test_no_daemon(void **state)
{
    const struct daemon nowhere = {.pipe = "umem-test-nobody-listens-here"};

    (void)state;
    assert_int_equal(umem(&nowhere, NULL, WORDS("stats", "--interval", "0.01")), 3);
    assert_int_equal(umem(&nowhere, NULL, WORDS("stats", "--prometheus")), 3);
    assert_int_equal(umem(&nowhere, NULL, WORDS("top")), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stats),     TEST(test_methods),         TEST(test_prometheus),
        TEST(test_intervals), TEST(test_wrong_intervals), TEST(test_options_that_contradict),
        TEST(test_top_once),  TEST(test_no_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
