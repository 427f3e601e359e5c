#include "cli/request/results.h"

#include <stdio.h>

#include <cJSON.h>

#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"

int cli_show_result(struct cli *cli, const char *method, struct cli_params *params, const char *member)
{
    cJSON *result = NULL;
    char number[CLI_NUMBER_SIZE];
    int status = cli_call(cli, method, params, &result);

    cli_ignore_broken_pipe();
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(cli->result);
    else if (status == CLI_OK && member != NULL && *member != '\0')
        cli_print_line(cli_member(result, member, number));
    else if (status == CLI_OK && member != NULL)
        cli_print_members(result);
    cJSON_Delete(result);
    return status;
}

int cli_run_method(struct cli *cli)
{
    const struct cli_verb *verb = cli->verb;
    struct cli_params params;

    if (verb->params[0].key == NULL)
        return cli_show_result(cli, verb->method, NULL, verb->shown);
    cli_params_begin_verb(cli, &params);
    return cli_show_result(cli, verb->method, &params, verb->shown);
}

/* ---- lists ---- */

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

/* A table or an array that is being printed. */
struct printing {
    const struct cli_column *columns;
    uint64_t count; /* entries so far */
};

static void print_cell(const struct cli_column *column, const char *text)
{
    bool is_last = column[1].title == NULL;

    cli_printf("%*s%s", is_last ? 0 : column->width, text, is_last ? "\n" : " ");
}

static int print_entry(struct cli *cli, const cJSON *entry, void *context)
{
    struct printing *printing = context;

    if (cli->option[CLI_JSON] != NULL) {
        cli_print(printing->count == 0 ? "[\n" : ",\n");
        cli_print_value(entry);
    } else {
        for (const struct cli_column *column = printing->columns; column->title != NULL; column++) {
            char number[CLI_NUMBER_SIZE];
            const cJSON *member = cli_find_member(entry, column->path);
            const char *text = cli_scalar(member, number);

            /* A boolean is shown as its column's own word, or as nothing. */
            if (cJSON_IsBool(member))
                text = cJSON_IsTrue(member) ? column->path : "";
            print_cell(column, text);
        }
    }
    printing->count++;
    return CLI_OK;
}

int cli_show_list(struct cli *cli, const struct cli_list *list, const struct cli_column *columns)
{
    struct cli_list printed = *list;
    struct printing printing = {.columns = columns};
    int status;

    printed.visit = print_entry;
    if (cli->option[CLI_JSON] == NULL) {
        for (const struct cli_column *column = columns; column->title != NULL; column++)
            print_cell(column, column->title);
    }
    status = cli_visit_list(cli, &printed, &printing);
    /* An array that is cut short by an error stays without its end, so that it is not taken for the whole. */
    if (status == CLI_OK && cli->option[CLI_JSON] != NULL)
        cli_print_line(printing.count == 0 ? "[]" : "\n]");
    return status;
}
