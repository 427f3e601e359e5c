#include "cli/metrics/top_view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cJSON.h>

#include "base/attributes.h"
#include "cli/output/json_view.h"

enum {
    TEXT_SIZE = 1024,
    HEAD_LINES = 3,
    TABLES = 3,
    US_A_SECOND = 1000000,
    KEY_SIZE = 64 /* of what tells entries apart: a method's name, a handle, a number */
};

bool cli_top_order_of(char key, enum cli_top_order *order)
{
    static const char keys[] = {[CLI_TOP_BY_TIME] = 't',
                                [CLI_TOP_BY_CALLS] = 'c',
                                [CLI_TOP_BY_BYTES] = 'b',
                                [CLI_TOP_BY_ERRORS] = 'e'};

    for (size_t i = 0; i < sizeof keys; i++) {
        if (keys[i] == key) {
            *order = (enum cli_top_order)i;
            return true;
        }
    }
    return false;
}

/* ---- lines ---- */

/* What is drawn on. */
struct page {
    struct um_buf *out;
    int width;
    int left; /* lines */
};

/* Appends at most so many characters of a text; those that would control a terminal are '?'. */
static void put_text(struct um_buf *out, const char *text, int width)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool is_control =
            byte < ' ' || byte == 0x7f || (byte == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80);

        /* The second and later bytes of a character belong to it. */
        if ((byte & 0xc0) != 0x80 && width-- == 0)
            return;
        if (is_control && byte == 0xc2)
            text++;
        um_buf_append_byte(out, is_control ? '?' : *text);
    }
}

/* A line, cut where the page ends. Nothing where no line is left. */
UM_PRINTF(2, 3)
static void put_line(struct page *page, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list list;

    if (page->left == 0)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    put_text(page->out, text, page->width);
    if (--page->left != 0)
        um_buf_append_byte(page->out, '\n');
}

/* A text of so many characters, filled up with blanks; `cell` is for it. Returns `cell`. */
static const char *fit(char cell[TEXT_SIZE], const char *text, int width)
{
    size_t size = 0;
    int used = 0;

    for (; *text != '\0' && size + 1 < TEXT_SIZE; text++) {
        if (((unsigned char)*text & 0xc0) != 0x80 && used++ == width)
            break;
        cell[size++] = *text;
    }
    for (; used < width && size + 1 < TEXT_SIZE; used++)
        cell[size++] = ' ';
    cell[size] = '\0';
    return cell;
}

/* ---- rows ---- */

/* An entry of a list, now and before. */
struct row {
    const cJSON *now;
    const cJSON *before; /* NULL: it is new */
    char key[KEY_SIZE];
    double weight; /* what it is sorted by, in the order that is wanted */
};

struct rows {
    struct row *row;
    size_t count;
    double seconds; /* between the two */
};

static const char *key_of(const cJSON *entry, const char *member, char key[KEY_SIZE])
{
    char number[CLI_NUMBER_SIZE];

    snprintf(key, KEY_SIZE, "%s", cli_member(entry, member, number));
    return key;
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp(((const struct row *)left)->key, ((const struct row *)right)->key);
}

static int compare_weights(const void *left, const void *right)
{
    double a = ((const struct row *)left)->weight;
    double b = ((const struct row *)right)->weight;

    return a != b ? (a < b) - (a > b) : compare_keys(left, right);
}

/* How much a member of an entry, which only grows, has grown in a second. */
static double rate(const struct rows *rows, const struct row *row, const char *member)
{
    uint64_t was = cli_snapshot_uint(row->before, member);
    uint64_t is = cli_snapshot_uint(row->now, member);

    return is > was ? (double)(is - was) / rows->seconds : 0;
}

static size_t count_of(const cJSON *array)
{
    return array != NULL ? (size_t)cJSON_GetArraySize(array) : 0;
}

/* Rows of a list, by key. NULL: there is no memory; else the caller frees them. */
static struct row *list_rows(const cJSON *array, const char *member)
{
    size_t count = count_of(array);
    struct row *rows = calloc(count + 1, sizeof *rows);
    size_t at = 0;

    if (rows == NULL)
        return NULL;
    for (const cJSON *entry = array != NULL ? array->child : NULL; entry != NULL; entry = entry->next, at++) {
        rows[at].now = entry;
        key_of(entry, member, rows[at].key);
    }
    qsort(rows, count, sizeof *rows, compare_keys);
    return rows;
}

/* Finds for each entry what it was before. `member` tells them apart. False: there is no memory. */
static bool find_rows(struct rows *rows, const cJSON *before, const cJSON *now, const char *member)
{
    struct row *old = list_rows(before, member);

    rows->row = list_rows(now, member);
    rows->count = count_of(now);
    for (size_t i = 0; old != NULL && rows->row != NULL && i < rows->count; i++) {
        const struct row *found = bsearch(&rows->row[i], old, count_of(before), sizeof *old, compare_keys);

        if (found != NULL)
            rows->row[i].before = found->now;
    }
    free(old);
    return old != NULL && rows->row != NULL;
}

/* ---- tables ---- */

/* One of the tables. */
struct table {
    const char *member; /* what tells its entries apart */
    const char *title;
    double (*weigh)(const struct rows *rows, const struct row *row, enum cli_top_order order);
    void (*put)(struct page *page, const struct rows *rows, const struct row *row);
};

static double weigh_method(const struct rows *rows, const struct row *row, enum cli_top_order order)
{
    return rate(rows, row,
                order == CLI_TOP_BY_CALLS    ? "calls"
                : order == CLI_TOP_BY_ERRORS ? "errors"
                                             : "total_us");
}

/* With one digit behind the point. */
static void print_tenths(char text[CLI_NUMBER_SIZE], double value)
{
    uint64_t tenths = cli_round(10 * value);

    snprintf(text, CLI_NUMBER_SIZE, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
}

/* BUSY is how much of a second the daemon worked on it. */
static void put_method(struct page *page, const struct rows *rows, const struct row *row)
{
    char cell[TEXT_SIZE];
    char busy[CLI_NUMBER_SIZE];
    char mean[CLI_NUMBER_SIZE];
    double us = rate(rows, row, "total_us");
    double measured = rate(rows, row, "calls") - rate(rows, row, "waited");

    print_tenths(busy, 100 * us / US_A_SECOND);
    print_tenths(mean, measured > 0 ? us / measured : 0);
    put_line(page, "%s %9" PRIu64 " %7" PRIu64 " %5s%% %9s %11" PRIu64 " %11" PRIu64,
             fit(cell, row->key[0] != '\0' ? row->key : "(no method)", 20),
             cli_round(rate(rows, row, "calls")), cli_round(rate(rows, row, "errors")), busy, mean,
             cli_snapshot_uint(row->now, "longest_us"), cli_snapshot_uint(row->now, "calls"));
}

static double weigh_heap(const struct rows *rows, const struct row *row, enum cli_top_order order)
{
    return order == CLI_TOP_BY_CALLS || order == CLI_TOP_BY_ERRORS
               ? rate(rows, row, "calls")
               : (double)cli_snapshot_uint(row->now, "bytes");
}

static void put_heap(struct page *page, const struct rows *rows, const struct row *row)
{
    char cell[TEXT_SIZE];
    char size[4][CLI_NUMBER_SIZE];
    char number[CLI_NUMBER_SIZE];
    const char *name = cli_member(row->now, "name", number);
    uint64_t maximum = cli_snapshot_uint(row->now, "maximum_size");

    cli_format_size(size[0], cli_snapshot_uint(row->now, "bytes"));
    cli_format_size(size[1], cli_snapshot_uint(row->now, "peak_bytes"));
    cli_format_size(size[2], maximum);
    cli_format_size(size[3], (uint64_t)rate(rows, row, "touched_bytes"));
    put_line(page, "%s %6s %6s %7s %11" PRIu64 " %9" PRIu64 " %8s",
             fit(cell, *name != '\0' ? name : row->key, 24), size[0], size[1], maximum != 0 ? size[2] : "-",
             cli_snapshot_uint(row->now, "blocks"), cli_round(rate(rows, row, "calls")), size[3]);
}

static double weigh_session(const struct rows *rows, const struct row *row, enum cli_top_order order)
{
    if (order == CLI_TOP_BY_BYTES)
        return rate(rows, row, "bytes_read") + rate(rows, row, "bytes_written");
    return rate(rows, row, order == CLI_TOP_BY_ERRORS ? "errors" : "calls");
}

static void put_session(struct page *page, const struct rows *rows, const struct row *row)
{
    char program[TEXT_SIZE];
    char user[TEXT_SIZE];
    char size[3][CLI_NUMBER_SIZE];
    char number[CLI_NUMBER_SIZE];

    fit(program, cli_member(row->now, "program", number), 14);
    fit(user, cli_member(row->now, "user", number), 10);
    cli_format_size(size[0], (uint64_t)rate(rows, row, "bytes_read"));
    cli_format_size(size[1], (uint64_t)rate(rows, row, "bytes_written"));
    cli_format_size(size[2], cli_snapshot_uint(row->now, "bytes"));
    put_line(page, "%7s %7" PRIu64 " %s %s %8" PRIu64 " %6" PRIu64 " %6s %6s %6s", row->key,
             cli_snapshot_uint(row->now, "pid"), program, user, cli_round(rate(rows, row, "calls")),
             cli_round(rate(rows, row, "errors")), size[0], size[1], size[2]);
}

static const struct table tables[TABLES] = {
    {"method", "METHOD                 CALLS/S  ERRS/S   BUSY   MEAN US     LONGEST       CALLS",
     weigh_method, put_method},
    {"heap", "HEAP                       SIZE   PEAK MAXIMUM      BLOCKS   CALLS/S  TOUCH/S", weigh_heap,
     put_heap},
    {"session", "SESSION     PID PROGRAM        USER        CALLS/S ERRS/S READ/S SENT/S   SIZE",
     weigh_session, put_session},
};

/* Draws a table with at most so many rows, an empty line before it. */
static bool put_table(struct page *page, const struct table *table, const cJSON *before, const cJSON *now,
                      double seconds, enum cli_top_order order, int most)
{
    struct rows rows = {.seconds = seconds};
    bool done;

    if (most <= 0)
        return true;
    done = find_rows(&rows, before, now, table->member);
    for (size_t i = 0; done && i < rows.count; i++)
        rows.row[i].weight = table->weigh(&rows, &rows.row[i], order);
    if (done) {
        qsort(rows.row, rows.count, sizeof *rows.row, compare_weights);
        put_line(page, "%s", "");
        put_line(page, "%s", table->title);
    }
    for (size_t i = 0; done && i < rows.count && i < (size_t)most; i++)
        table->put(page, &rows, &rows.row[i]);
    free(rows.row);
    return done;
}

/* ---- the page ---- */

static void put_head(struct page *page, const struct cli_snapshot *before, const struct cli_snapshot *now)
{
    const cJSON *stats = now->stats;
    char number[2][CLI_NUMBER_SIZE];
    char size[6][CLI_NUMBER_SIZE];
    uint64_t up = cli_snapshot_uint(now->info, "uptime_seconds");

    cli_format_size(size[0], (uint64_t)cli_snapshot_rate(before, now, "bytes_read"));
    cli_format_size(size[1], (uint64_t)cli_snapshot_rate(before, now, "bytes_written"));
    cli_format_size(size[2], cli_snapshot_uint(stats, "resident_bytes"));
    cli_format_size(size[3], cli_snapshot_uint(stats, "bytes"));
    cli_format_size(size[4], cli_snapshot_uint(stats, "peak_bytes"));
    cli_format_size(size[5], cli_snapshot_uint(stats, "orphaned_bytes"));
    put_line(page, "umemd %s on %s, up %" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
             cli_member(now->info, "version", number[0]), cli_member(now->info, "pipe", number[1]),
             up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
    put_line(page,
             "calls %" PRIu64 "/s, errors %" PRIu64 "/s, read %s/s, sent %s/s, cpu %" PRIu64 "%%, memory %s",
             cli_round(cli_snapshot_rate(before, now, "requests")),
             cli_round(cli_snapshot_rate(before, now, "errors")), size[0], size[1],
             cli_round(100 * cli_snapshot_cpu(before, now)), size[2]);
    put_line(page,
             "blocks %" PRIu64 " of %s, at most %s; orphans %" PRIu64 " of %s; heaps %" PRIu64
             ", sessions %" PRIu64 ", waiting %" PRIu64,
             cli_snapshot_uint(stats, "blocks"), size[3], size[4],
             cli_snapshot_uint(stats, "orphaned_blocks"), size[5], cli_snapshot_uint(stats, "heaps"),
             cli_snapshot_uint(stats, "sessions"), cli_snapshot_uint(stats, "waits"));
}

/* What a table leaves of the lines is the next one's. */
static int share_of(const struct page *page, int tables_left, int foot)
{
    enum { TITLE_LINES = 2 };
    int share = (page->left - foot) / tables_left - TITLE_LINES;

    return share;
}

bool cli_top_draw(struct um_buf *out, const struct cli_snapshot *before, const struct cli_snapshot *now,
                  enum cli_top_order order, int width, int height, bool has_keys)
{
    const cJSON *const lists[TABLES][2] = {
        {before->methods, now->methods}, {before->heaps, now->heaps}, {before->sessions, now->sessions}};
    struct page page = {.out = out, .width = width, .left = height};
    double seconds = now->taken_ms > before->taken_ms ? (double)(now->taken_ms - before->taken_ms) / 1000 : 1;
    int foot = has_keys ? 1 : 0;

    put_head(&page, before, now);
    for (int i = 0; i < TABLES; i++) {
        if (!put_table(&page, &tables[i], lists[i][0], lists[i][1], seconds, order,
                       share_of(&page, TABLES - i, foot)))
            return false;
    }
    while (has_keys && page.left > 1)
        put_line(&page, "%s", "");
    if (has_keys)
        put_line(&page, "q quit; sort by: %st time, %sc calls, %sb bytes, %se errors",
                 order == CLI_TOP_BY_TIME ? "*" : "", order == CLI_TOP_BY_CALLS ? "*" : "",
                 order == CLI_TOP_BY_BYTES ? "*" : "", order == CLI_TOP_BY_ERRORS ? "*" : "");
    return !out->failed;
}
