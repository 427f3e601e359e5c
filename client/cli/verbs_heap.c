/* umem heap ...: create, ls, info, destroy. */
#include <stdlib.h>

#include <cJSON.h>

#include "cli.h"
#include "json_out.h"

/* Prints one member of a call's result, or nothing where --json printed it all. */
static int print_member(struct cli *cli, const char *method, struct um_buf *params, const char *name)
{
    char *result = NULL;
    char room[32];
    int status = cli_call(cli, method, params, &result);

    if (status == CLI_OK && cli->option[CLI_JSON] == NULL) {
        cJSON *json = cJSON_Parse(result);

        puts(cli_member(json, name, room));
        cJSON_Delete(json);
    }
    umem_free_text(result);
    return status;
}

static int create(struct cli *cli)
{
    struct um_buf params;

    cli_begin(&params);
    cli_put_text(&params, "name", cli->option[CLI_NAME]);
    cli_put_text(&params, "lifetime", cli->option[CLI_LIFETIME]);
    if (!cli_put_size(&params, "maximum_size", cli->option[CLI_MAXIMUM_SIZE])) {
        um_buf_deinit(&params);
        return CLI_USAGE;
    }
    return print_member(cli, "heap.create", &params, "heap");
}

static void print_heap(const cJSON *heap)
{
    char rooms[4][32];

    printf("%-17s %-8s %10s %14s %14s  %s\n", cli_member(heap, "heap", rooms[0]),
           cli_member(heap, "kind", rooms[1]), cli_member(heap, "blocks", rooms[1]),
           cli_member(heap, "bytes", rooms[2]), cli_member(heap, "maximum_size", rooms[3]),
           cli_member(heap, "name", rooms[0]));
}

static int list(struct cli *cli)
{
    char after[32] = "0";
    bool more = true;

    if (cli->option[CLI_JSON] == NULL)
        printf("%-17s %-8s %10s %14s %14s  %s\n", "HEAP", "KIND", "BLOCKS", "BYTES", "MAXIMUM", "NAME");
    while (more) {
        struct um_buf params;
        const cJSON *heap;
        cJSON *json;
        char *result = NULL;
        int status;

        cli_begin(&params);
        um_json_key(&params, "after");
        um_buf_append_string(&params, after);
        status = cli_call(cli, "heap.list", &params, &result);
        if (status != CLI_OK)
            return status;
        json = cJSON_Parse(result);
        if (cli->option[CLI_JSON] == NULL) {
            cJSON_ArrayForEach(heap, cJSON_GetObjectItemCaseSensitive(json, "heaps")) print_heap(heap);
        }
        more = cli_member(json, "next", after)[0] != '\0';
        cJSON_Delete(json);
        umem_free_text(result);
    }
    return CLI_OK;
}

static int print_all(struct cli *cli, const char *method)
{
    struct um_buf params;
    const cJSON *item;
    char *result = NULL;
    int status;

    cli_begin(&params);
    cli_put_handle(&params, "heap", cli->words[0]);
    status = cli_call(cli, method, &params, &result);
    if (status == CLI_OK && cli->option[CLI_JSON] == NULL) {
        cJSON *json = cJSON_Parse(result);

        cJSON_ArrayForEach(item, json)
        {
            char *text = cJSON_PrintUnformatted(item);

            printf("%-14s %s\n", item->string, text != NULL ? text : "");
            free(text);
        }
        cJSON_Delete(json);
    }
    umem_free_text(result);
    return status;
}

static int info(struct cli *cli)
{
    return print_all(cli, "heap.info");
}

static int destroy(struct cli *cli)
{
    return print_all(cli, "heap.destroy");
}

const struct cli_verb cli_heap_verbs[] = {
    {"heap create", "[--name NAME] [--maximum-size SIZE] [--lifetime WORD]",
     "make a heap and print its handle", 0, 0, false, create},
    {"heap ls", "", "list the heaps", 0, 0, false, list},
    {"heap info", "HEAP", "tell all about a heap", 1, 1, false, info},
    {"heap destroy", "HEAP", "destroy a heap and free its blocks", 1, 1, false, destroy},
    {NULL, NULL, NULL, 0, 0, false, NULL},
};
