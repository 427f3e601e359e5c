#include "cli/report/latency_table.h"

#include <stdbool.h>
#include <stdint.h>

#include <cJSON.h>

#include "cli/report/html_writer.h"

enum { BAR_WIDTH = 5, BAR_STEP = 6, HEIGHT = 26 };

static double number_of(const cJSON *object, const char *member)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, member);

    return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

/* "12 µs", "3.4 ms", "1.2 s". */
static void put_microseconds(struct um_buf *out, double us)
{
    static const char *const units[] = {"&micro;s", "ms", "s"};
    int unit = 0;

    for (; us >= 999.5 && unit < 2; unit++)
        us /= 1000;
    if (us < 9.95 && unit != 0)
        cli_html_format(out, "%u.%u&nbsp;%s", (unsigned)((us * 10 + 0.5) / 10),
                        (unsigned)(us * 10 + 0.5) % 10, units[unit]);
    else
        cli_html_format(out, "%llu&nbsp;%s", (unsigned long long)(us + 0.5), units[unit]);
}

static void put_time_cell(struct um_buf *out, double us, const char *before)
{
    cli_html_format(out, "<td class=\"n\" data-v=\"%llu\">%s", (unsigned long long)us, before);
    put_microseconds(out, us);
    um_buf_append_string(out, "</td>");
}

static double measured_calls(const cJSON *buckets)
{
    const cJSON *bucket;
    double calls = 0;

    cJSON_ArrayForEach(bucket, buckets) calls += number_of(bucket, "calls");
    return calls;
}

/* The bound that so many of the calls kept to; past the last bound: the longest call. */
static void put_percentile_cell(struct um_buf *out, const cJSON *method, double share)
{
    const cJSON *buckets = cJSON_GetObjectItemCaseSensitive(method, "latency");
    const double longest = number_of(method, "longest_us");
    const double wanted = measured_calls(buckets) * share;
    const cJSON *bucket;
    double calls = 0;

    if (wanted <= 0) {
        um_buf_append_string(out, "<td class=\"n\" data-v=\"-1\">&ndash;</td>");
        return;
    }
    cJSON_ArrayForEach(bucket, buckets)
    {
        const double bound = number_of(bucket, "at_most_us");

        calls += number_of(bucket, "calls");
        if (calls >= wanted && bound > 0 && bound < longest) {
            put_time_cell(out, bound, "&le;&nbsp;");
            return;
        }
        if (calls >= wanted)
            break;
    }
    put_time_cell(out, longest, "&le;&nbsp;");
}

static void put_histogram(struct um_buf *out, const cJSON *buckets)
{
    const int count = cJSON_GetArraySize(buckets);
    const cJSON *bucket;
    double highest = 0;
    int at = 0;

    cJSON_ArrayForEach(bucket, buckets)
    {
        if (number_of(bucket, "calls") > highest)
            highest = number_of(bucket, "calls");
    }
    cli_html_format(out,
                    "<td><svg class=\"histogram\" aria-hidden=\"true\" viewBox=\"0 0 %d %d\" "
                    "preserveAspectRatio=\"none\">",
                    count * BAR_STEP, HEIGHT);
    cJSON_ArrayForEach(bucket, buckets)
    {
        const double calls = number_of(bucket, "calls");
        const int height = calls > 0 ? 1 + (int)((HEIGHT - 1) * calls / highest) : 0;

        if (height != 0)
            cli_html_format(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", at * BAR_STEP,
                            HEIGHT - height, BAR_WIDTH, height);
        at++;
    }
    um_buf_append_string(out, "</svg></td>");
}

/* A time, where any call was measured. */
static void put_measured_cell(struct um_buf *out, double calls, double us)
{
    if (calls > 0)
        put_time_cell(out, us, "");
    else
        um_buf_append_string(out, "<td class=\"n\" data-v=\"-1\">&ndash;</td>");
}

static void put_method(struct um_buf *out, const cJSON *method)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(method, "method");
    const cJSON *buckets = cJSON_GetObjectItemCaseSensitive(method, "latency");
    const double calls = measured_calls(buckets);

    um_buf_append_string(out, "<tr><th scope=\"row\">");
    if (cJSON_IsString(name)) {
        um_buf_append_string(out, "<code>");
        cli_html_text(out, name->valuestring);
        um_buf_append_string(out, "</code>");
    } else {
        um_buf_append_string(out, "<i>no method</i>");
    }
    um_buf_append_string(out, "</th>");
    cli_html_count_cell(out, (uint64_t)number_of(method, "calls"));
    cli_html_count_cell(out, (uint64_t)number_of(method, "errors"));
    cli_html_count_cell(out, (uint64_t)number_of(method, "waited"));
    put_measured_cell(out, calls, calls > 0 ? number_of(method, "total_us") / calls : 0);
    put_percentile_cell(out, method, 0.5);
    put_percentile_cell(out, method, 0.99);
    put_measured_cell(out, calls, number_of(method, "longest_us"));
    put_histogram(out, buckets);
    um_buf_append_string(out, "</tr>\n");
}

void cli_put_latencies(struct um_buf *out, const cJSON *methods)
{
    const cJSON *method;

    if (methods == NULL)
        return;
    um_buf_append_string(
        out,
        "<section>\n<h2>Calls</h2>\n<p class=\"soft\">How long the daemon worked on them since it was "
        "started; "
        "calls that waited for something are only counted. The histograms go from 1&nbsp;&micro;s to "
        "10&nbsp;s.</p>\n<div class=\"scroll\" role=\"region\" aria-label=\"Calls\" tabindex=\"0\">\n<table "
        "class=\"sorts\">\n<thead><tr><th scope=\"col\">Method</th><th scope=\"col\" "
        "class=\"n\">Calls</th><th "
        "scope=\"col\" class=\"n\">Errors</th><th scope=\"col\" class=\"n\">Waited</th><th scope=\"col\" "
        "class=\"n\">Mean</th><th scope=\"col\" class=\"n\">Half</th><th scope=\"col\" "
        "class=\"n\">99&nbsp;%</th><th scope=\"col\" class=\"n\">Longest</th><th "
        "scope=\"col\">Histogram</th></tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(method, methods) put_method(out, method);
    um_buf_append_string(out, "</tbody>\n</table></div>\n</section>");
}
