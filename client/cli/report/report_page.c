#include "cli/report/report_page.h"

#include <stdlib.h>
#include <string.h>

#include <cJSON.h>

#include "cli/output/json_view.h"
#include "cli/report/html_writer.h"
#include "cli/report/latency_table.h"
#include "cli/report/map_figure.h"
#include "umem_version.h"

static const char template[] =
#include "report_html.inc"
    ;

enum {
    FULL_PERCENT = 90,         /* of a heap's maximum, or of a limit: something to look at */
    SLOW_READER_BYTES = 65536, /* of answers that a session has not taken */
    ORPHAN_ROWS = 50,
    MESSAGE_SIZE = 128,
    MARKER_SIZE = 32
};

static uint64_t number_of(const cJSON *object, const char *path)
{
    char number[CLI_NUMBER_SIZE];

    return strtoull(cli_member(object, path, number), NULL, 10);
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
    return whole != 0 ? (uint64_t)((double)part * 100 / (double)whole) : 0;
}

/* "1 block", "2 blocks". `many` is what several are called. */
static void put_counted(struct um_buf *out, uint64_t count, const char *one, const char *many)
{
    cli_html_count(out, count);
    cli_html_format(out, " %s", count == 1 ? one : many);
}

static void put_heap_name(struct um_buf *out, const struct umem_heap_info *heap)
{
    if (heap->name[0] != '\0')
        cli_html_name(out, heap->name);
    else
        cli_html_format(out, "<i>%llu</i>", (unsigned long long)heap->heap);
}

/* ---- what it is about ---- */

static void put_title(struct um_buf *out, const struct cli_report_facts *facts)
{
    char number[CLI_NUMBER_SIZE];

    um_buf_append_string(out, "umemd report: ");
    cli_html_text(out, cli_member(facts->info, "pipe", number));
}

static void put_header(struct um_buf *out, const struct cli_report_facts *facts)
{
    char number[CLI_NUMBER_SIZE];

    um_buf_append_string(out, "<h1>umemd at ");
    cli_html_name(out, cli_member(facts->info, "pipe", number));
    um_buf_append_string(out, "</h1>\n<p class=\"soft\"><span>version ");
    cli_html_text(out, cli_member(facts->info, "version", number));
    um_buf_append_string(out, "</span>\n<span>");
    cli_html_text(out, cli_member(facts->info, "platform", number));
    um_buf_append_string(out, "</span>\n<span>process ");
    cli_html_text(out, cli_member(facts->info, "pid", number));
    um_buf_append_string(out, "</span>\n<span>up ");
    cli_html_duration(out, number_of(facts->info, "uptime_seconds"));
    um_buf_append_string(out, "</span>\n<span>started ");
    cli_html_time(out, (int64_t)number_of(facts->info, "started"));
    um_buf_append_string(out, "</span>\n<span>seen ");
    cli_html_time(out, facts->taken);
    um_buf_append_string(out, "</span></p>");
}

/* ---- tiles ---- */

static void begin_tile(struct um_buf *out, const char *title)
{
    cli_html_format(out, "<div><dt>%s</dt><dd><div class=\"big\">", title);
}

static void begin_tile_details(struct um_buf *out)
{
    um_buf_append_string(out, "</div><div class=\"more\">");
}

static void end_tile(struct um_buf *out)
{
    um_buf_append_string(out, "</div></dd></div>\n");
}

static void put_count_tile(struct um_buf *out, const char *title, uint64_t count, const char *details,
                           uint64_t detail_count)
{
    begin_tile(out, title);
    cli_html_count(out, count);
    begin_tile_details(out);
    cli_html_format(out, "%s: ", details);
    cli_html_count(out, detail_count);
    end_tile(out);
}

static void put_tiles(struct um_buf *out, const struct cli_report_facts *facts)
{
    const cJSON *stats = facts->stats;

    um_buf_append_string(out, "<dl class=\"tiles\">\n");
    begin_tile(out, "In blocks");
    cli_html_size(out, number_of(stats, "bytes"));
    begin_tile_details(out);
    um_buf_append_string(out, "peak: ");
    cli_html_size(out, number_of(stats, "peak_bytes"));
    end_tile(out);
    put_count_tile(out, "Blocks", number_of(stats, "blocks"), "holds by others", number_of(stats, "holds"));
    put_count_tile(out, "Heaps", number_of(stats, "heaps"), "shared", facts->shared_heap_count);
    begin_tile(out, "Orphans");
    cli_html_count(out, number_of(stats, "orphaned_blocks"));
    begin_tile_details(out);
    cli_html_size(out, number_of(stats, "orphaned_bytes"));
    end_tile(out);
    put_count_tile(out, "Sessions", number_of(stats, "sessions"), "peak", number_of(stats, "peak_sessions"));
    put_count_tile(out, "Requests", number_of(stats, "requests"), "errors", number_of(stats, "errors"));
    um_buf_append_string(out, "</dl>");
}

/* ---- what to look at ---- */

/* The list is begun with its first item. */
static void begin_item(struct um_buf *out, bool *has_items)
{
    if (!*has_items)
        um_buf_append_string(out, "<section class=\"look\">\n<h2>Worth a look</h2>\n<ul>\n");
    um_buf_append_string(out, "<li>");
    *has_items = true;
}

static void look_at_orphans(struct um_buf *out, const struct cli_report_facts *facts, bool *has_items)
{
    const uint64_t blocks = number_of(facts->stats, "orphaned_blocks");

    if (blocks == 0)
        return;
    begin_item(out, has_items);
    put_counted(out, blocks, "block is orphaned", "blocks are orphaned");
    um_buf_append_string(out, ", with ");
    cli_html_size(out, number_of(facts->stats, "orphaned_bytes"));
    um_buf_append_string(out, ": nobody can find them but by their handles.</li>\n");
}

static bool is_nearly_full(const struct umem_heap_info *heap)
{
    return heap->maximum_size != 0 && percent(heap->bytes, heap->maximum_size) >= FULL_PERCENT;
}

static void look_at_heaps(struct um_buf *out, const struct cli_report_facts *facts, bool *has_items)
{
    for (size_t i = 0; i < facts->heap_count; i++) {
        const struct umem_heap_info *heap = &facts->heaps[i];

        if (!heap->corrupted && !is_nearly_full(heap))
            continue;
        begin_item(out, has_items);
        um_buf_append_string(out, "The heap ");
        put_heap_name(out, heap);
        if (heap->corrupted)
            um_buf_append_string(out, " is damaged: see <code>umem heap info</code>.</li>\n");
        else
            cli_html_format(out, " is full to %llu&nbsp;%%.</li>\n",
                            (unsigned long long)percent(heap->bytes, heap->maximum_size));
    }
}

static void look_at_limits(struct um_buf *out, const struct cli_report_facts *facts, bool *has_items)
{
    const cJSON *refusals = cli_find_member(facts->stats, "refusals");
    const cJSON *entry;

    cJSON_ArrayForEach(entry, refusals)
    {
        if (entry->valuedouble < 1)
            continue;
        begin_item(out, has_items);
        um_buf_append_string(out, "The limit <code>");
        cli_html_text(out, entry->string);
        um_buf_append_string(out, "</code> has refused ");
        put_counted(out, (uint64_t)entry->valuedouble, "request", "requests");
        um_buf_append_string(out, ".</li>\n");
    }
}

static void look_at_sessions(struct um_buf *out, const struct cli_report_facts *facts, bool *has_items)
{
    for (size_t i = 0; i < facts->session_count; i++) {
        const struct cli_session_facts *session = &facts->sessions[i];

        if (session->queued_bytes < SLOW_READER_BYTES)
            continue;
        begin_item(out, has_items);
        cli_html_format(out, "Session %llu (", (unsigned long long)session->session);
        cli_html_name(out, session->program);
        um_buf_append_string(out, ") does not take its answers: ");
        cli_html_size(out, session->queued_bytes);
        um_buf_append_string(out, " wait.</li>\n");
    }
}

static void put_attention(struct um_buf *out, const struct cli_report_facts *facts)
{
    bool has_items = false;

    look_at_orphans(out, facts, &has_items);
    look_at_heaps(out, facts, &has_items);
    look_at_limits(out, facts, &has_items);
    look_at_sessions(out, facts, &has_items);
    um_buf_append_string(out, has_items
                                  ? "</ul>\n</section>"
                                  : "<section class=\"fine\">\n<h2>Nothing needs a look</h2>\nNo orphans, "
                                    "no full or damaged heap, no request refused for a limit.\n</section>");
}

/* ---- tables ---- */

/* A table that may be sorted, and scrolled where it is wider than the page. The titles of its columns have "|" between them; one with
 * a "#" before it has numbers. */
static void begin_table(struct um_buf *out, const char *label, const char *titles)
{
    cli_html_format(out,
                    "<div class=\"scroll\" role=\"region\" aria-label=\"%s\" tabindex=\"0\">\n<table "
                    "class=\"sorts\">\n<thead><tr>",
                    label);
    while (*titles != '\0') {
        const bool is_number = *titles == '#';
        const size_t size = strcspn(titles += is_number, "|");

        cli_html_format(out, "<th scope=\"col\"%s>%.*s</th>", is_number ? " class=\"n\"" : "", (int)size,
                        titles);
        titles += size + (titles[size] == '|');
    }
    um_buf_append_string(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct um_buf *out)
{
    um_buf_append_string(out, "</tbody>\n</table></div>");
}

/* A table's last line, about what is in no line of it. */
static void end_table_with_rest(struct um_buf *out, int columns, uint64_t count, const char *one,
                                const char *many, const struct cli_block_sum *sum)
{
    if (count == 0) {
        end_table(out);
        return;
    }
    cli_html_format(out,
                    "</tbody>\n<tfoot><tr><td colspan=\"%d\">The largest are shown. Not shown: ", columns);
    put_counted(out, count, one, many);
    um_buf_append_string(out, " with ");
    put_counted(out, sum->blocks, "block", "blocks");
    um_buf_append_string(out, ", ");
    cli_html_size(out, sum->bytes);
    um_buf_append_string(out, ".</td></tr></tfoot>\n</table></div>");
}

static const char *kind_of(const struct umem_heap_info *heap)
{
    switch (heap->kind) {
    case UMEM_HEAP_PROCESS:
        return "process";
    case UMEM_HEAP_PRIVATE:
        return "private";
    case UMEM_HEAP_SHARED:
        return heap->lifetime == UMEM_LIFETIME_DURABLE ? "shared, durable" : "shared";
    default:
        return "other";
    }
}

static void put_use_cell(struct um_buf *out, const struct umem_heap_info *heap)
{
    const uint64_t use = percent(heap->bytes, heap->maximum_size);

    if (heap->maximum_size == 0) {
        um_buf_append_string(out, "<td data-v=\"-1\">no maximum</td>");
        return;
    }
    cli_html_format(out,
                    "<td data-v=\"%llu\"><span class=\"use\" aria-hidden=\"true\"><i%s "
                    "style=\"width:%llu%%\"></i></span>%llu&nbsp;%%</td>",
                    (unsigned long long)use, is_nearly_full(heap) ? " class=\"full\"" : "",
                    (unsigned long long)(use < 100 ? use : 100), (unsigned long long)use);
}

static void put_heap(struct um_buf *out, const struct umem_heap_info *heap)
{
    um_buf_append_string(out, "<tr><th scope=\"row\" class=\"name\">");
    put_heap_name(out, heap);
    if (heap->corrupted)
        um_buf_append_string(out, " <span class=\"warn\">damaged</span>");
    if (heap->locked)
        um_buf_append_string(out, " <i>locked</i>");
    cli_html_format(out, "</th><td>%s</td>", kind_of(heap));
    cli_html_count_cell(out, heap->blocks);
    cli_html_size_cell(out, heap->bytes);
    cli_html_size_cell(out, heap->peak_bytes);
    if (heap->maximum_size != 0)
        cli_html_size_cell(out, heap->maximum_size);
    else
        um_buf_append_string(out, "<td class=\"n\" data-v=\"0\">&ndash;</td>");
    put_use_cell(out, heap);
    if (heap->kind == UMEM_HEAP_PROCESS)
        um_buf_append_string(out, "<td>umemd</td>");
    else
        cli_html_name_cell(out, heap->owner.program);
    um_buf_append_string(out, "</tr>\n");
}

static void put_heaps(struct um_buf *out, const struct cli_report_facts *facts)
{
    begin_table(out, "Heaps", "Heap|Kind|#Blocks|#In blocks|#Peak|#Maximum|Use|Made by");
    for (size_t i = 0; i < facts->heap_count; i++)
        put_heap(out, &facts->heaps[i]);
    end_table_with_rest(out, 8, facts->other_heap_count, "heap", "heaps", &facts->other_heaps);
}

static void put_session(struct um_buf *out, const struct cli_session_facts *session)
{
    cli_html_format(out, "<tr><th scope=\"row\" class=\"n\">%llu</th>", (unsigned long long)session->session);
    cli_html_name_cell(out, session->program);
    cli_html_format(out, "<td class=\"n\">%llu</td>", (unsigned long long)session->pid);
    cli_html_name_cell(out, session->user);
    cli_html_count_cell(out, session->blocks);
    cli_html_size_cell(out, session->bytes);
    cli_html_size_cell(out, session->queued_bytes);
    cli_html_time_cell(out, session->opened);
    um_buf_append_string(out, "</tr>\n");
}

static void put_sessions(struct um_buf *out, const struct cli_report_facts *facts)
{
    um_buf_append_string(out,
                         "<p class=\"soft\">The clients that are connected, the one that has asked for this "
                         "report among them, with the blocks that they have made.</p>\n");
    begin_table(out, "Sessions",
                "#Session|Program|#Process|User|#Blocks|#In blocks|#Answers not taken|#Since");
    for (size_t i = 0; i < facts->session_count; i++)
        put_session(out, &facts->sessions[i]);
    end_table_with_rest(out, 8, facts->other_session_count, "session", "sessions", &facts->other_sessions);
}

/* ---- orphans ---- */

static int compare_orphans(const void *left, const void *right)
{
    const struct cli_block_sum *a = &(*(const struct cli_program_sum *const *)left)->orphans;
    const struct cli_block_sum *b = &(*(const struct cli_program_sum *const *)right)->orphans;

    return (a->bytes < b->bytes) - (a->bytes > b->bytes);
}

static void put_orphan_maker(struct um_buf *out, const struct cli_program_sum *program)
{
    um_buf_append_string(out, "<tr>");
    cli_html_name_cell(out, program->name);
    cli_html_count_cell(out, program->orphans.blocks);
    cli_html_size_cell(out, program->orphans.bytes);
    cli_html_time_cell(out, program->oldest_orphan);
    um_buf_append_string(out, "</tr>\n");
}

static void put_orphans(struct um_buf *out, const struct cli_report_facts *facts)
{
    const struct cli_program_sum *makers[CLI_PROGRAMS_MAXIMUM];
    struct cli_block_sum rest = facts->programs.others.orphans;
    size_t count = 0;
    size_t shown;

    for (int i = 0; i < facts->programs.count; i++) {
        if (facts->programs.sums[i].orphans.blocks != 0)
            makers[count++] = &facts->programs.sums[i];
    }
    if (count == 0 && rest.blocks == 0) {
        um_buf_append_string(out, "<p>There are none.</p>");
        return;
    }
    qsort(makers, count, sizeof makers[0], compare_orphans);
    shown = count < ORPHAN_ROWS ? count : ORPHAN_ROWS;
    begin_table(out, "Orphans", "Made by|#Blocks|#In blocks|#The oldest is of");
    for (size_t i = 0; i < shown; i++)
        put_orphan_maker(out, makers[i]);
    for (size_t i = shown; i < count; i++) {
        rest.blocks += makers[i]->orphans.blocks;
        rest.bytes += makers[i]->orphans.bytes;
    }
    end_table_with_rest(out, 4, count - shown + (facts->programs.others.orphans.blocks != 0),
                        "program or more", "programs or more", &rest);
}

/* ---- limits ---- */

/* How much of a limit is in use, where the daemon counts that. */
static bool find_use(const struct cli_report_facts *facts, const char *limit, uint64_t *use)
{
    static const struct {
        const char *limit;
        const char *member; /* of server.stats */
    } counted[] = {
        {"sessions", "sessions"},
        {"bytes", "bytes"},
        {"blocks", "blocks"},
        {"heaps", "heaps"},
        {"holds", "holds"},
        {"waits_total", "waits"},
        {"watches_total", "watches"},
        {"gathered_bytes", "gathered_bytes"},
        {"unsent_total_bytes", "unsent_bytes"},
    };

    if (strcmp(limit, "shared_heaps") == 0) {
        *use = facts->shared_heap_count;
        return true;
    }
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        if (strcmp(counted[i].limit, limit) == 0) {
            *use = number_of(facts->stats, counted[i].member);
            return true;
        }
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text);

    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

static void put_limit_cell(struct um_buf *out, const char *limit, uint64_t value)
{
    if (ends_with(limit, "bytes"))
        cli_html_size_cell(out, value);
    else if (ends_with(limit, "_ms"))
        cli_html_format(out, "<td class=\"n\" data-v=\"%llu\">%llu&nbsp;ms</td>", (unsigned long long)value,
                        (unsigned long long)value);
    else
        cli_html_count_cell(out, value);
}

static void put_limit(struct um_buf *out, const struct cli_report_facts *facts, const cJSON *limit)
{
    const cJSON *refusals = cli_find_member(facts->stats, "refusals");
    uint64_t use;

    um_buf_append_string(out, "<tr><th scope=\"row\"><code>");
    cli_html_text(out, limit->string);
    um_buf_append_string(out, "</code></th>");
    put_limit_cell(out, limit->string, (uint64_t)limit->valuedouble);
    if (find_use(facts, limit->string, &use))
        put_limit_cell(out, limit->string, use);
    else
        um_buf_append_string(out, "<td class=\"n\" data-v=\"-1\">&ndash;</td>");
    cli_html_count_cell(out, number_of(refusals, limit->string));
    um_buf_append_string(out, "</tr>\n");
}

static void put_limits(struct um_buf *out, const struct cli_report_facts *facts)
{
    const cJSON *limit;

    begin_table(out, "Limits", "Limit|#Value|#In use|#Refused");
    cJSON_ArrayForEach(limit, cli_find_member(facts->info, "limits"))
    {
        if (limit->string != NULL && cJSON_IsNumber(limit))
            put_limit(out, facts, limit);
    }
    end_table(out);
}

/* ---- the rest ---- */

static void put_blocks(struct um_buf *out, const struct cli_report_facts *facts)
{
    cli_put_block_bars(out, facts->sums, &facts->program_groups);
}

static void put_maps(struct um_buf *out, const struct cli_report_facts *facts)
{
    if (facts->map_count == 0)
        um_buf_append_string(out, "<p class=\"soft\">There are none.</p>");
    else
        um_buf_append_string(
            out, "<p class=\"soft\">Where their blocks lie, from the beginning of the memory (top "
                 "left) to the last block. A cell has the colour of what has most of it, and is "
                 "fainter the less of it is used.</p>");
    for (size_t i = 0; i < facts->map_count; i++)
        cli_put_map_figure(out, &facts->maps[i]);
    if (facts->shared_heap_count > facts->map_count) {
        um_buf_append_string(out, "<p class=\"soft\">The largest have pictures. Without one: ");
        put_counted(out, facts->shared_heap_count - facts->map_count, "shared heap", "shared heaps");
        um_buf_append_string(out, ".</p>");
    }
}

static void put_latencies(struct um_buf *out, const struct cli_report_facts *facts)
{
    cli_put_latencies(out, facts->methods);
}

static void put_footer(struct um_buf *out, const struct cli_report_facts *facts)
{
    (void)facts;
    um_buf_append_string(
        out,
        "<p>Made by umem " UMEM_VERSION ". This page has names of heaps, programs and users, and no "
        "contents of blocks. The daemon was asked one thing after another while other programs went on, so "
        "that sums may differ a little. All times are UTC.</p>");
}

static const struct section {
    const char *marker; /* its place in report.html: <!--{marker}--> */
    void (*put)(struct um_buf *out, const struct cli_report_facts *facts);
} sections[] = {
    {"title", put_title},         {"header", put_header},   {"tiles", put_tiles},
    {"attention", put_attention}, {"heaps", put_heaps},     {"blocks", put_blocks},
    {"maps", put_maps},           {"orphans", put_orphans}, {"sessions", put_sessions},
    {"latencies", put_latencies}, {"limits", put_limits},   {"footer", put_footer},
};

static void put_section(struct um_buf *page, const char *marker, size_t size,
                        const struct cli_report_facts *facts)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strlen(sections[i].marker) == size && memcmp(sections[i].marker, marker, size) == 0)
            sections[i].put(page, facts);
    }
}

void cli_write_report_page(struct um_buf *page, const struct cli_report_facts *facts)
{
    static const char begin[] = "<!--{";
    static const char end[] = "}-->";
    const char *at = template;
    const char *marker;

    for (marker = strstr(at, begin); marker != NULL; marker = strstr(at, begin)) {
        um_buf_append(page, at, (size_t)(marker - at));
        marker += strlen(begin);
        at = strstr(marker, end);
        put_section(page, marker, (size_t)(at - marker), facts);
        at += strlen(end);
    }
    um_buf_append_string(page, at);
}
