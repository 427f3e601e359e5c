#include "cli/request/lists.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cJSON.h>

#include "base/buf.h"
#include "cli/output/color.h"
#include "cli/output/fail.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/system/file_io.h"

enum { COLUMNS_MAXIMUM = 24, CELL_SIZE = UMEM_NAME_SIZE, TITLE_SIZE = 32, LIST_SIZE = 512, LIMIT = 1 << 30 };

int cli_visit_list(struct cli *cli, const struct cli_list *list, void *context)
{
    char number[CLI_NUMBER_SIZE];
    char after[CLI_NUMBER_SIZE] = "0";
    int status = CLI_OK;

    while (status == CLI_OK && after[0] != '\0') {
        struct cli_params params;
        const cJSON *entry;
        cJSON *result = NULL;

        cli_params_begin(&params);
        if (list->filter != NULL)
            list->filter(cli, &params);
        cli_put_size(&params, "after", after);
        status = cli_call(cli, list->method, &params, &result);
        for (entry = cli_find_member(result, list->member) != NULL
                         ? cli_find_member(result, list->member)->child
                         : NULL;
             status == CLI_OK && entry != NULL; entry = entry->next)
            status = list->visit(cli, entry, context);
        snprintf(after, sizeof after, "%s", cli_member(result, "next", number));
        cJSON_Delete(result);
    }
    return status;
}

/* ---- names of heaps ---- */

struct heap_name {
    uint64_t heap;
    char name[UMEM_NAME_SIZE];
};

static int compare_heaps(const void *left, const void *right)
{
    uint64_t a = ((const struct heap_name *)left)->heap;
    uint64_t b = ((const struct heap_name *)right)->heap;

    return (a > b) - (a < b);
}

static int add_heap(struct cli *cli, const cJSON *heap, void *context)
{
    char number[CLI_NUMBER_SIZE];
    struct heap_name entry = {.heap = strtoull(cli_member(heap, "heap", number), NULL, 10)};
    const char *name = cli_member(heap, "name", number);

    (void)cli;
    snprintf(entry.name, sizeof entry.name, "%s", name);
    if (*name == '\0' || um_buf_append(context, &entry, sizeof entry))
        return CLI_OK;
    return cli_fail_memory();
}

/* Fetches the names of all heaps that have one. */
static int fetch_heaps(struct cli *cli, struct um_buf *heaps)
{
    static const struct cli_list list = {.method = "heap.list", .member = "heaps", .visit = add_heap};
    int status = cli_visit_list(cli, &list, heaps);

    if (heaps->size != 0)
        qsort(heaps->data, heaps->size / sizeof(struct heap_name), sizeof(struct heap_name), compare_heaps);
    return status;
}

static const char *find_heap(const struct um_buf *heaps, uint64_t heap)
{
    struct heap_name key = {.heap = heap};
    const struct heap_name *found =
        heaps->size == 0 ? NULL
                         : bsearch(&key, heaps->data, heaps->size / sizeof key, sizeof key, compare_heaps);

    return found != NULL ? found->name : NULL;
}

/* ---- a table ---- */

/* What is shown, and how far it has come. */
struct table {
    const struct cli_column *columns[COLUMNS_MAXIMUM]; /* that are shown */
    size_t column_count;
    int widths[COLUMNS_MAXIMUM]; /* as they are printed; by the first entries */
    bool has_widths;
    int blanks;                         /* that stand before what is printed next of the line */
    bool cuts;                          /* what is wider than its column */
    bool is_exact;                      /* sizes are in full */
    const struct cli_column *sorted_by; /* NULL: not sorted */
    bool is_reversed;
    struct um_buf heaps; /* of struct heap_name */
    cJSON *entries;      /* that wait to be printed */
    size_t waiting;      /* how many they are */
    uint64_t printed;
};

enum {
    MEASURED = 1000, /* entries that determine the widths */
    GAP = 2          /* blanks between columns */
};

static void print_time(char text[CELL_SIZE], const char *seconds)
{
    time_t time = (time_t)strtoll(seconds, NULL, 10);
    const struct tm *parts = gmtime(&time);

    if (parts == NULL || strftime(text, CELL_SIZE, "%Y-%m-%dT%H:%M:%SZ", parts) == 0)
        snprintf(text, CELL_SIZE, "%s", seconds);
}

static void print_cell(const struct table *table, const struct cli_column *column, const cJSON *entry,
                       char text[CELL_SIZE])
{
    char number[CLI_NUMBER_SIZE];
    const cJSON *member = cli_find_member(entry, column->path);
    const char *value = cli_scalar(member, number);
    const char *name = NULL;

    switch (column->kind) {
    case CLI_COLUMN_SIZE:
        if (!table->is_exact && *value != '\0') {
            cli_format_size(text, strtoull(value, NULL, 10));
            return;
        }
        break;
    case CLI_COLUMN_HEAP:
        name = find_heap(&table->heaps, strtoull(value, NULL, 10));
        break;
    case CLI_COLUMN_TIME:
        if (*value != '\0') {
            print_time(text, value);
            return;
        }
        break;
    case CLI_COLUMN_FLAG:
        value = cJSON_IsTrue(member) ? column->name : "";
        break;
    default:
        break;
    }
    snprintf(text, CELL_SIZE, "%s", name != NULL ? name : value);
}

/* How many characters a text has, up to the byte `size`. */
static int count_characters(const char *text)
{
    int count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* Cuts a text down to so many characters, the last of which is then an ellipsis. */
static void cut(char text[CELL_SIZE], int width)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t at = 0;

    if (count_characters(text) <= width)
        return;
    for (int count = 0; count < width && text[at] != '\0'; at++)
        count += ((unsigned char)text[at + 1] & 0xC0) != 0x80;
    /* The last character gives way. */
    do
        at--;
    while (((unsigned char)text[at] & 0xC0) == 0x80);
    if (at + sizeof ellipsis <= CELL_SIZE)
        memcpy(text + at, ellipsis, sizeof ellipsis);
}

static bool is_to_the_right(const struct cli_column *column)
{
    return column->kind == CLI_COLUMN_NUMBER || column->kind == CLI_COLUMN_SIZE;
}

/* Nothing is printed behind the last character of a line. */
static void put_cell(struct table *table, size_t at, enum cli_style style, const char *text)
{
    int space = table->widths[at] - count_characters(text);

    space = space > 0 ? space : 0;
    if (is_to_the_right(table->columns[at]))
        table->blanks += space;
    if (*text != '\0') {
        cli_printf("%*s", table->blanks, "");
        if (style != CLI_STYLE_PLAIN)
            cli_print(cli_style(CLI_OUTPUT, style));
        cli_print(text);
        if (style != CLI_STYLE_PLAIN)
            cli_print(cli_style(CLI_OUTPUT, CLI_STYLE_PLAIN));
        table->blanks = 0;
    }
    if (!is_to_the_right(table->columns[at]))
        table->blanks += space;
    table->blanks += GAP;
    if (at + 1 < table->column_count)
        return;
    cli_print_char('\n');
    table->blanks = 0;
}

static void print_title(const struct cli_column *column, char title[TITLE_SIZE])
{
    size_t size = 0;

    for (; column->name[size] != '\0' && size + 1 < TITLE_SIZE; size++)
        title[size] = (char)toupper((unsigned char)column->name[size]);
    title[size] = '\0';
    if (column->kind == CLI_COLUMN_FLAG)
        title[0] = '\0';
}

static void print_entry(struct table *table, const cJSON *entry)
{
    for (size_t i = 0; i < table->column_count; i++) {
        char text[CELL_SIZE];

        print_cell(table, table->columns[i], entry, text);
        if (table->cuts)
            cut(text, table->columns[i]->width);
        put_cell(table, i, CLI_STYLE_PLAIN, text);
    }
}

/* By the titles and the entries that wait. */
static void measure(struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct cli_column *column = table->columns[i];
        char text[CELL_SIZE];

        print_title(column, text);
        table->widths[i] = count_characters(text);
        for (const cJSON *entry = table->entries->child; entry != NULL; entry = entry->next) {
            int width;

            print_cell(table, column, entry, text);
            width = count_characters(text);
            width = table->cuts && width > column->width ? column->width : width;
            table->widths[i] = width > table->widths[i] ? width : table->widths[i];
        }
    }
    for (size_t i = 0; i < table->column_count; i++) {
        char title[TITLE_SIZE];

        print_title(table->columns[i], title);
        put_cell(table, i, CLI_STYLE_TITLE, title);
    }
    table->has_widths = true;
}

/* Prints what waits. */
static void print_waiting(struct cli *cli, struct table *table)
{
    bool as_json = cli->option[CLI_JSON] != NULL;

    if (!as_json && !table->has_widths)
        measure(table);
    for (const cJSON *entry = table->entries->child; entry != NULL; entry = entry->next) {
        if (as_json) {
            cli_print(table->printed == 0 ? "[\n" : ",\n");
            cli_print_value(entry);
        } else {
            print_entry(table, entry);
        }
        table->printed++;
    }
    cJSON_Delete(table->entries);
    table->entries = cJSON_CreateArray();
    table->waiting = 0;
}

/* ---- which entries, and in which order ---- */

/* Whether a text is like a pattern, in which * stands for any characters and ? for one. */
static bool is_like(const char *text, const char *pattern)
{
    const char *star = NULL; /* behind the last one */
    const char *resumed = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            resumed = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            /* One character, of any number of bytes. */
            do
                text++;
            while (pattern[-1] == '?' && ((unsigned char)*text & 0xC0) == 0x80);
        } else if (star != NULL) {
            pattern = star;
            text = ++resumed;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_wanted(const struct cli *cli, const cJSON *entry)
{
    char number[CLI_NUMBER_SIZE];
    const char *name = cli_member(entry, "name", number);

    for (int i = 0; i < cli->word_count; i++) {
        if (is_like(name, cli->words[i]))
            return true;
    }
    return cli->word_count == 0;
}

/* One entry and what it is sorted by. */
struct sorted {
    cJSON *entry;
    char text[CELL_SIZE];
    double number; /* exact up to 2^53, which is all that the protocol has */
    size_t place;  /* as they came */
    bool is_number;
    bool is_reversed;
};

/* Numbers: the largest first. Texts: in the order of their bytes, none last. */
static int compare_sorted(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    int order = a->is_number ? (a->number < b->number) - (a->number > b->number)
                : (a->text[0] == '\0') != (b->text[0] == '\0') ? (a->text[0] == '\0') - (b->text[0] == '\0')
                                                               : strcmp(a->text, b->text);

    if (a->is_reversed)
        order = -order;
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static int sort_waiting(struct table *table)
{
    const struct cli_column *column = table->sorted_by;
    struct sorted *sorted = malloc((table->waiting + 1) * sizeof *sorted);
    size_t count = 0;

    if (sorted == NULL)
        return cli_fail_memory();
    for (cJSON *entry = table->entries->child; entry != NULL; entry = table->entries->child) {
        const cJSON *member = cli_find_member(entry, column->path);
        struct sorted *one = &sorted[count];

        *one =
            (struct sorted){.entry = cJSON_DetachItemViaPointer(table->entries, entry),
                            .number = cJSON_IsNumber(member) ? member->valuedouble : cJSON_IsTrue(member),
                            .place = count,
                            .is_number = column->kind != CLI_COLUMN_TEXT && column->kind != CLI_COLUMN_HEAP,
                            .is_reversed = table->is_reversed};
        print_cell(table, column, entry, one->text);
        count++;
    }
    qsort(sorted, count, sizeof *sorted, compare_sorted);
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(table->entries, sorted[i].entry);
    free(sorted);
    return CLI_OK;
}

static int add_entry(struct cli *cli, const cJSON *entry, void *context)
{
    struct table *table = context;
    cJSON *copy;

    if (!is_wanted(cli, entry))
        return CLI_OK;
    copy = cJSON_Duplicate(entry, true);
    if (copy == NULL || !cJSON_AddItemToArray(table->entries, copy)) {
        cJSON_Delete(copy);
        return cli_fail_memory();
    }
    table->waiting++;
    if (table->sorted_by == NULL && table->waiting >= MEASURED)
        print_waiting(cli, table);
    return table->entries != NULL ? CLI_OK : cli_fail_memory();
}

/* ---- what the options say ---- */

/* The column of a name, which has `length` bytes; NULL: there is none, which has been reported. */
static const struct cli_column *find_column(struct cli *cli, const struct cli_column *columns,
                                            const char *name, size_t length, const char *option)
{
    char names[LIST_SIZE] = "";
    size_t size = 0;

    for (const struct cli_column *column = columns; column->name != NULL; column++) {
        if (strlen(column->name) == length && strncmp(column->name, name, length) == 0)
            return column;
        if (size < sizeof names)
            size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", size != 0 ? ", " : "",
                                     column->name);
    }
    cli_fail_usage(cli, "%s: there is no column \"%.*s\"; the columns are %s", option, (int)length, name,
                   names);
    return NULL;
}

static int choose_columns(struct cli *cli, const struct cli_column *columns, struct table *table)
{
    const char *names = cli->option[CLI_COLUMNS];

    for (const struct cli_column *column = columns; names == NULL && column->name != NULL; column++) {
        if (column->width != 0)
            table->columns[table->column_count++] = column;
    }
    while (names != NULL) {
        size_t length = strcspn(names, ",");
        const struct cli_column *column = find_column(cli, columns, names, length, "-o");

        if (column == NULL)
            return CLI_USAGE;
        if (table->column_count == COLUMNS_MAXIMUM)
            return cli_fail_usage(cli, "-o names more than %d columns", COLUMNS_MAXIMUM);
        table->columns[table->column_count++] = column;
        names = names[length] == ',' ? names + length + 1 : NULL;
    }
    return CLI_OK;
}

static int choose_order(struct cli *cli, const struct cli_column *columns, struct table *table)
{
    const char *name = cli->option[CLI_SORT];

    if (name == NULL)
        return CLI_OK;
    table->is_reversed = name[0] == '-';
    name += table->is_reversed;
    table->sorted_by = find_column(cli, columns, name, strlen(name), "--sort");
    return table->sorted_by != NULL ? CLI_OK : CLI_USAGE;
}

static bool needs_heaps(const struct cli *cli, const struct table *table)
{
    for (size_t i = 0; cli->option[CLI_JSON] == NULL && i < table->column_count; i++) {
        if (table->columns[i]->kind == CLI_COLUMN_HEAP)
            return true;
    }
    return table->sorted_by != NULL && table->sorted_by->kind == CLI_COLUMN_HEAP;
}

int cli_show_list(struct cli *cli, const struct cli_list *list, const struct cli_column *columns)
{
    struct cli_list printed = *list;
    struct table table = {.is_exact = cli->option[CLI_BYTES] != NULL || cli->option[CLI_COLUMNS] != NULL,
                          .entries = cJSON_CreateArray()};
    int status;

    table.cuts = !table.is_exact && cli_is_terminal(CLI_OUTPUT);
    status = table.entries != NULL ? choose_columns(cli, columns, &table) : cli_fail_memory();

    if (status == CLI_OK && cli->option[CLI_JSON] != NULL && cli->option[CLI_COLUMNS] != NULL)
        status = cli_fail_usage(cli, "-o chooses columns of a table; with --json there is everything");
    if (status == CLI_OK)
        status = choose_order(cli, columns, &table);
    printed.visit = add_entry;
    um_buf_init(&table.heaps, LIMIT);
    if (status == CLI_OK && needs_heaps(cli, &table))
        status = fetch_heaps(cli, &table.heaps);
    if (status == CLI_OK)
        status = cli_visit_list(cli, &printed, &table);
    if (status == CLI_OK && table.sorted_by != NULL)
        status = sort_waiting(&table);
    /* An array that is cut short by an error stays without its end, so that it is not taken for the whole. */
    if (table.entries != NULL && (table.waiting != 0 || (status == CLI_OK && !table.has_widths)))
        print_waiting(cli, &table);
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(table.printed == 0 ? "[]" : "\n]");
    cJSON_Delete(table.entries);
    um_buf_deinit(&table.heaps);
    return status;
}
