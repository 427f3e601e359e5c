#include "cli/report/map_figure.h"

#include "cli/report/html_writer.h"

enum { FEW_CELLS = 512, COLUMNS = 64 };

/* How a grouping is shown: the beginning of its groups' classes in report.html, its title, and what a group is. */
static const struct {
    const char *class;
    const char *title;
    const char *group;
} looks[CLI_GROUPINGS] = {
    [CLI_BY_AGE] = {"age", "By age", "Age"},
    [CLI_BY_PROGRAM] = {"own", "By program", "Program"},
    [CLI_BY_SIZE] = {"size", "By size", "Size"},
};

/* ---- legends ---- */

static void put_label(struct um_buf *out, enum cli_grouping grouping, int group,
                      const struct cli_program_groups *programs)
{
    if (grouping == CLI_BY_AGE)
        um_buf_append_string(out, cli_age_label(group));
    else if (grouping == CLI_BY_SIZE)
        um_buf_append_string(out, cli_size_label(group));
    else if (group == CLI_OTHER_PROGRAMS)
        um_buf_append_string(out, "others");
    else if (programs->programs[group]->name[0] == '\0')
        um_buf_append_string(out, "<i>not known</i>");
    else
        cli_html_name(out, programs->programs[group]->name);
}

static void put_legend(struct um_buf *out, enum cli_grouping grouping,
                       const struct cli_block_sum sums[CLI_GROUPS], const struct cli_program_groups *programs)
{
    cli_html_format(out,
                    "<table class=\"legend\"><caption>%s</caption><thead><tr><th scope=\"col\">%s</th><th "
                    "scope=\"col\" class=\"n\">Blocks</th><th scope=\"col\" class=\"n\">In blocks</th></tr>"
                    "</thead><tbody>\n",
                    looks[grouping].title, looks[grouping].group);
    for (int group = 0; group < CLI_GROUPS; group++) {
        if (sums[group].blocks == 0)
            continue;
        cli_html_format(out, "<tr><th scope=\"row\"><span class=\"key %s%d\"></span>", looks[grouping].class,
                        group);
        put_label(out, grouping, group, programs);
        um_buf_append_string(out, "</th>");
        cli_html_count_cell(out, sums[group].blocks);
        cli_html_size_cell(out, sums[group].bytes);
        um_buf_append_string(out, "</tr>\n");
    }
    um_buf_append_string(out, "</tbody></table>\n");
}

static void begin_panel(struct um_buf *out, enum cli_grouping grouping)
{
    cli_html_format(out, "<div><h3>%s</h3>\n", looks[grouping].title);
}

/* ---- bars ---- */

static void put_bar(struct um_buf *out, enum cli_grouping grouping,
                    const struct cli_block_sum sums[CLI_GROUPS])
{
    um_buf_append_string(out, "<div class=\"stack\" aria-hidden=\"true\">");
    for (int group = 0; group < CLI_GROUPS; group++) {
        if (sums[group].bytes != 0)
            cli_html_format(out, "<i class=\"%s%d\" style=\"flex:%llu 0 0\"></i>", looks[grouping].class,
                            group, (unsigned long long)sums[group].bytes);
    }
    um_buf_append_string(out, "</div>\n");
}

void cli_put_block_bars(struct um_buf *out, const struct cli_block_sum sums[CLI_GROUPINGS][CLI_GROUPS],
                        const struct cli_program_groups *programs)
{
    um_buf_append_string(out, "<div class=\"panels\">\n");
    for (enum cli_grouping grouping = 0; grouping < CLI_GROUPINGS; grouping++) {
        begin_panel(out, grouping);
        put_bar(out, grouping, sums[grouping]);
        put_legend(out, grouping, sums[grouping], programs);
        um_buf_append_string(out, "</div>\n");
    }
    um_buf_append_string(out, "</div>");
}

/* ---- maps ---- */

/* Cells side by side of one group and level are one piece of a path. */
static void put_cells(struct um_buf *out, const struct cli_heap_map *map, enum cli_grouping grouping,
                      const struct cli_map_cell *wanted, size_t columns)
{
    const size_t count = cli_map_cells(map);
    bool is_begun = false;
    size_t at = 0;

    while (at < count) {
        const size_t row_end = at - at % columns + columns;
        size_t end = at;

        while (end < count && end < row_end) {
            struct cli_map_cell cell = cli_map_cell(map, grouping, end);

            if (cell.level != wanted->level || cell.group != wanted->group)
                break;
            end++;
        }
        if (end != at) {
            if (!is_begun)
                cli_html_format(out, "<path class=\"%s%d l%d\" d=\"", looks[grouping].class, wanted->group,
                                wanted->level);
            cli_html_format(out, "M%zu %zuh%zuv1h-%zuz", at % columns, at / columns, end - at, end - at);
            is_begun = true;
        }
        at = end != at ? end : at + 1;
    }
    if (is_begun)
        um_buf_append_string(out, "\"/>\n");
}

/* The rows of the picture; the last one may be shorter. */
static void put_background(struct um_buf *out, size_t count, size_t columns, const char *attribute)
{
    if (count >= columns)
        cli_html_format(out, "<rect %s width=\"%zu\" height=\"%zu\"/>", attribute, columns, count / columns);
    if (count % columns != 0)
        cli_html_format(out, "<rect %s y=\"%zu\" width=\"%zu\" height=\"1\"/>", attribute, count / columns,
                        count % columns);
    um_buf_append_byte(out, '\n');
}

static void put_map(struct um_buf *out, enum cli_grouping grouping, const struct cli_mapped_heap *heap)
{
    const size_t count = cli_map_cells(&heap->map);
    const size_t columns = count > FEW_CELLS ? COLUMNS : COLUMNS / 2;

    cli_html_format(out,
                    "<svg class=\"map\" role=\"img\" viewBox=\"0 0 %zu %zu\" aria-label=\"Map of the heap ",
                    columns, (count + columns - 1) / columns);
    cli_html_text(out, heap->info->name);
    cli_html_format(out, ", %s. The table below it has the sums.\">\n", looks[grouping].title);
    put_background(out, count, columns, "class=\"free\"");
    for (int group = 0; group < CLI_GROUPS; group++) {
        for (int level = 1; level <= CLI_MAP_LEVELS; level++)
            put_cells(out, &heap->map, grouping, &(struct cli_map_cell){group, level}, columns);
    }
    put_background(out, count, columns, "fill=\"url(#grid)\"");
    um_buf_append_string(out, "</svg>\n");
}

static void put_caption(struct um_buf *out, const struct cli_mapped_heap *heap)
{
    const struct umem_heap_info *info = heap->info;

    um_buf_append_string(out, "<figcaption><strong>");
    if (info->name[0] != '\0')
        cli_html_name(out, info->name);
    else
        cli_html_format(out, "%llu", (unsigned long long)info->heap);
    um_buf_append_string(out, "</strong> &ensp;");
    if (heap->reason[0] != '\0') {
        um_buf_append_string(out, "There is no picture: ");
        cli_html_text(out, heap->reason);
        um_buf_append_string(out, ".");
    } else if (heap->map.end == 0) {
        um_buf_append_string(out, "It is empty.");
    } else {
        um_buf_append_string(out, "The last block ends at ");
        cli_html_size(out, heap->map.end);
        um_buf_append_string(out, " of ");
        cli_html_size(out, info->reserved);
        um_buf_append_string(out, ". A cell is ");
        cli_html_size(out, heap->map.cell_size);
        um_buf_append_string(out, ". The largest free range is ");
        cli_html_size(out, info->largest_free);
        um_buf_append_string(out, ".");
    }
    um_buf_append_string(out, "</figcaption>\n");
}

void cli_put_map_figure(struct um_buf *out, const struct cli_mapped_heap *heap)
{
    um_buf_append_string(out, "<figure>\n");
    put_caption(out, heap);
    if (heap->reason[0] == '\0' && heap->map.end != 0) {
        um_buf_append_string(out, "<div class=\"panels\">\n");
        for (enum cli_grouping grouping = 0; grouping < CLI_GROUPINGS; grouping++) {
            begin_panel(out, grouping);
            put_map(out, grouping, heap);
            put_legend(out, grouping, heap->map.sums[grouping], &heap->programs);
            um_buf_append_string(out, "</div>\n");
        }
        um_buf_append_string(out, "</div>\n");
    }
    um_buf_append_string(out, "</figure>\n");
}
