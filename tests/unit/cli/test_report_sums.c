/* What a report counts (blocks by groups, programs, where blocks lie), and how it writes numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#include "cli/report/heap_map.h"
#include "cli/report/html_writer.h"
#include "cli/report/latency_table.h"
#include "cli/report/program_sums.h"

static const int plain[CLI_GROUPINGS] = {0, 0, 0};

static void test_groups(void **state)
{
    (void)state;
    assert_string_equal(cli_age_label(cli_age_group(-5)), "under 1 minute");
    assert_string_equal(cli_age_label(cli_age_group(59)), "under 1 minute");
    assert_string_equal(cli_age_label(cli_age_group(60)), "under 10 minutes");
    assert_string_equal(cli_age_label(cli_age_group(7 * 24 * 3600 - 1)), "under 1 week");
    assert_string_equal(cli_age_label(cli_age_group(INT64_MAX)), "1 week and more");
    assert_string_equal(cli_size_label(cli_size_group(0)), "up to 64 B");
    assert_string_equal(cli_size_label(cli_size_group(64)), "up to 64 B");
    assert_string_equal(cli_size_label(cli_size_group(65)), "up to 1 KiB");
    assert_string_equal(cli_size_label(cli_size_group(4 << 20)), "up to 4 MiB");
    assert_string_equal(cli_size_label(cli_size_group(UINT64_MAX)), "over 4 MiB");
    assert_null(cli_size_label(CLI_GROUPS - 1));
}

/* ---- maps ---- */

static void expect_cell(const struct cli_heap_map *map, enum cli_grouping grouping, size_t cell, int group,
                        int level)
{
    const struct cli_map_cell found = cli_map_cell(map, grouping, cell);

    assert_int_equal(found.level, level);
    if (level != 0)
        assert_int_equal(found.group, group);
}

static void test_map_of_small_blocks(void **state)
{
    static struct cli_heap_map map;
    const int old[CLI_GROUPINGS] = {5, 1, 2};

    (void)state;
    cli_map_begin(&map);
    assert_int_equal(cli_map_cells(&map), 0);
    cli_map_add(&map, 16, 1, plain);
    cli_map_add(&map, 32, 40, old);
    cli_map_add(&map, 80, 0, old);
    assert_int_equal(map.cell_size, 16);
    assert_int_equal(map.end, 80);
    assert_int_equal(cli_map_cells(&map), 5);
    expect_cell(&map, CLI_BY_AGE, 0, 0, 0);
    expect_cell(&map, CLI_BY_AGE, 1, 0, 1);
    expect_cell(&map, CLI_BY_AGE, 2, 5, 4);
    expect_cell(&map, CLI_BY_PROGRAM, 3, 1, 4);
    expect_cell(&map, CLI_BY_SIZE, 4, 2, 2);
    assert_int_equal(map.sums[CLI_BY_AGE][5].blocks, 2);
    assert_int_equal(map.sums[CLI_BY_AGE][5].bytes, 40);
}

/* The cells grow with the memory, and keep what lies in them: so do sums over all of them. */
static void test_map_of_a_large_heap(void **state)
{
    static struct cli_heap_map map;
    const int other[CLI_GROUPINGS] = {1, 1, 1};
    const uint64_t far = UINT64_C(1) << 40;
    uint64_t bytes = 0;

    (void)state;
    cli_map_begin(&map);
    for (uint64_t i = 0; i < 100000; i++)
        cli_map_add(&map, i * 64, 64, plain);
    assert_true(cli_map_cells(&map) <= CLI_MAP_CELLS);
    assert_true(cli_map_cells(&map) > CLI_MAP_CELLS / 2);
    assert_int_equal(map.cell_size, 4096);
    cli_map_add(&map, far, 1000, other);
    assert_int_equal(map.cell_size, UINT64_C(1) << 30);
    assert_int_equal(cli_map_cells(&map), 1025);
    expect_cell(&map, CLI_BY_SIZE, 0, 0, 1);
    expect_cell(&map, CLI_BY_SIZE, 1024, 1, 1);
    for (size_t cell = 0; cell < CLI_MAP_CELLS; cell++)
        bytes += map.bytes[cell][CLI_BY_AGE][0] + map.bytes[cell][CLI_BY_AGE][1];
    assert_int_equal(bytes, 100000 * 64 + 1000);
}

/* ---- programs ---- */

static struct cli_programs *add_programs(int count)
{
    struct cli_programs *programs = calloc(1, sizeof *programs);
    char name[32];

    assert_non_null(programs);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "program %d", i);
        /* The later, the larger; in the first pictured heap the other way round. */
        cli_count_block(&cli_find_program(programs, name)->heaps[CLI_ALL_HEAPS], (uint64_t)i + 1);
        cli_count_block(&cli_find_program(programs, name)->heaps[0], (uint64_t)(count - i));
    }
    return programs;
}

static void test_programs_have_a_bound(void **state)
{
    struct cli_programs *programs = add_programs(CLI_PROGRAMS_MAXIMUM + 3);

    (void)state;
    assert_int_equal(programs->count, CLI_PROGRAMS_MAXIMUM);
    assert_int_equal(programs->others.heaps[CLI_ALL_HEAPS].blocks, 3);
    assert_ptr_equal(cli_find_program(programs, "program 7"), &programs->sums[7]);
    free(programs);
}

static void test_groups_of_programs(void **state)
{
    struct cli_programs *few = add_programs(CLI_PROGRAM_GROUPS);
    struct cli_programs *many = add_programs(9);
    struct cli_program_groups all;
    struct cli_program_groups first;

    (void)state;
    cli_group_programs(few, CLI_ALL_HEAPS, &all);
    cli_group_programs(few, 0, &first);
    assert_false(all.has_others);
    assert_memory_equal(all.programs, first.programs, sizeof all.programs);
    cli_group_programs(many, CLI_ALL_HEAPS, &all);
    cli_group_programs(many, 0, &first);
    assert_true(all.has_others && first.has_others);
    assert_int_equal(cli_program_group(&all, &many->sums[8]), 0);
    assert_int_equal(cli_program_group(&all, &many->sums[2]), 6);
    assert_int_equal(cli_program_group(&all, &many->sums[1]), CLI_OTHER_PROGRAMS);
    /* What has a group in both has the same; the two that are large only there take what is free. */
    for (int i = 2; i < 7; i++)
        assert_int_equal(cli_program_group(&all, &many->sums[i]), cli_program_group(&first, &many->sums[i]));
    assert_int_equal(cli_program_group(&first, &many->sums[0]), 0);
    assert_int_equal(cli_program_group(&first, &many->sums[1]), 1);
    assert_int_equal(cli_program_group(&first, &many->sums[8]), CLI_OTHER_PROGRAMS);
    free(few);
    free(many);
}

/* ---- text ---- */

static void expect_html(struct um_buf *out, const char *text)
{
    um_buf_append_byte(out, '\0');
    assert_false(out->failed);
    assert_string_equal(out->data, text);
    um_buf_truncate(out, 0);
}

static void expect_size(struct um_buf *out, uint64_t bytes, const char *text)
{
    cli_html_size(out, bytes);
    expect_html(out, text);
}

static void test_html(void **state)
{
    struct um_buf out;

    (void)state;
    um_buf_init(&out, 4096);
    cli_html_text(&out, "<a href='x'>\"&\"\x01\x7f\xc3\xa9");
    expect_html(&out, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa9");
    cli_html_count(&out, 0);
    expect_html(&out, "0");
    cli_html_count(&out, 1234567);
    expect_html(&out, "1,234,567");
    expect_size(&out, 1023, "1023&nbsp;B");
    expect_size(&out, 1024, "1.0&nbsp;KiB");
    expect_size(&out, 1048524, "1023.9&nbsp;KiB");
    expect_size(&out, 1048575, "1.0&nbsp;MiB");
    expect_size(&out, UINT64_MAX, "16.0&nbsp;EiB");
    cli_html_duration(&out, 0);
    expect_html(&out, "0&nbsp;s");
    cli_html_duration(&out, 3 * 24 * 3600 + 7200);
    expect_html(&out, "3&nbsp;d 2&nbsp;h");
    cli_html_time(&out, 1795988013);
    expect_html(&out, "2026-11-29&nbsp;21:33:33&nbsp;UTC");
    um_buf_deinit(&out);
}

/* ---- latencies ---- */

static void expect_latencies(const char *methods, const char *wanted)
{
    cJSON *json = cJSON_Parse(methods);
    struct um_buf out;

    assert_non_null(json);
    um_buf_init(&out, 1 << 16);
    cli_put_latencies(&out, json);
    um_buf_append_byte(&out, '\0');
    assert_false(out.failed);
    if (strstr(out.data, wanted) == NULL)
        fail_msg("wanted\n%s\nin\n%s", wanted, out.data);
    um_buf_deinit(&out);
    cJSON_Delete(json);
}

/* A percentile is the bound of the bucket that it lies in, but not past the longest call. */
static void test_latencies(void **state)
{
    struct um_buf out;

    (void)state;
    expect_latencies("[{\"method\":\"block.read\",\"calls\":1234,\"errors\":5,\"waited\":0,\"total_us\":3000,"
                     "\"longest_us\":1700,\"latency\":[{\"at_most_us\":1,\"calls\":40},{\"at_most_us\":20,"
                     "\"calls\":50},{\"at_most_us\":1000,\"calls\":9},{\"at_most_us\":null,\"calls\":1}]}]",
                     "<code>block.read</code></th><td class=\"n\" data-v=\"1234\">1,234</td><td class=\"n\" "
                     "data-v=\"5\">5</td><td class=\"n\" data-v=\"0\">0</td><td class=\"n\" data-v=\"30\">"
                     "30&nbsp;&micro;s</td><td class=\"n\" data-v=\"20\">&le;&nbsp;20&nbsp;&micro;s</td><td "
                     "class=\"n\" data-v=\"1000\">&le;&nbsp;1.0&nbsp;ms</td><td class=\"n\" "
                     "data-v=\"1700\">1.7&nbsp;ms</td>");
    expect_latencies(
        "[{\"method\":null,\"calls\":2,\"errors\":2,\"waited\":0,\"total_us\":4,\"longest_us\":3,"
        "\"latency\":[{\"at_most_us\":1,\"calls\":1},{\"at_most_us\":5,\"calls\":1}]}]",
        "data-v=\"1\">&le;&nbsp;1&nbsp;&micro;s</td><td class=\"n\" data-v=\"3\">&le;&nbsp;3&nbsp;&micro;s"
        "</td>");
    /* Calls that have all waited are not measured. */
    expect_latencies("[{\"method\":\"block.wait\",\"calls\":2,\"errors\":0,\"waited\":2,\"total_us\":0,"
                     "\"longest_us\":0,\"latency\":[{\"at_most_us\":1,\"calls\":0}]}]",
                     "data-v=\"2\">2</td><td class=\"n\" data-v=\"-1\">&ndash;</td><td class=\"n\" "
                     "data-v=\"-1\">&ndash;</td><td class=\"n\" data-v=\"-1\">&ndash;</td><td class=\"n\" "
                     "data-v=\"-1\">&ndash;</td><td>");
    um_buf_init(&out, 1 << 16);
    cli_put_latencies(&out, NULL);
    assert_int_equal(out.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_map_of_small_blocks),
        cmocka_unit_test(test_map_of_a_large_heap),
        cmocka_unit_test(test_programs_have_a_bound),
        cmocka_unit_test(test_groups_of_programs),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_latencies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
