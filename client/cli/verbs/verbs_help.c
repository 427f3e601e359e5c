/* umem help, completion: descriptions of umem and of the protocol's methods. */
#include <string.h>

#include <cJSON.h>

#include "base/buf.h"
#include "cli/output/fail.h"
#include "cli/output/help.h"
#include "cli/output/json_view.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/table/verb.h"

enum { NAME_SIZE = 128, TYPE_SIZE = 160, LIST_SIZE = 512, LINE_LIMIT = 1 << 16, COLUMN = 18 };

/* ---- methods, from the daemon's own description ---- */

static const char *string_of(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(member) ? member->valuestring : "";
}

static void append(char text[TYPE_SIZE], const char *separator, const cJSON *word)
{
    size_t size = strlen(text);

    if (cJSON_IsString(word))
        snprintf(text + size, TYPE_SIZE - size, "%s%s", size != 0 ? separator : "", word->valuestring);
}

static void append_type(const cJSON *schema, bool is_param, char text[TYPE_SIZE])
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
    const cJSON *word;
    const char *separator = ": ";

    if (!is_param || strcmp(string_of(schema, "type"), "null") != 0)
        append(text, " or ", type);
    cJSON_ArrayForEach(word, cJSON_GetObjectItemCaseSensitive(schema, "enum"))
    {
        append(text, separator, word);
        separator = ", ";
    }
}

/* A schema's type in words: "integer or string", "string: base64, hex". That a parameter may be null is not
 * mentioned. */
static void describe_type(const cJSON *schema, bool is_param, char text[TYPE_SIZE])
{
    const cJSON *alternative;

    text[0] = '\0';
    append_type(schema, is_param, text);
    cJSON_ArrayForEach(alternative, cJSON_GetObjectItemCaseSensitive(schema, "oneOf"))
    {
        append_type(alternative, is_param, text);
    }
}

static void append_default(struct um_buf *line, const cJSON *schema)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(schema, "default");
    struct um_buf json;

    if (value == NULL)
        return;
    um_buf_init(&json, LINE_LIMIT);
    cli_write_json(&json, value);
    um_buf_append_string(line, ", = ");
    um_buf_append(line, json.data, json.size);
    line->failed |= json.failed;
    um_buf_deinit(&json);
}

/* `state` NULL: it is a member of a result. */
static void print_entry(int indent, const char *name, const cJSON *schema, const char *state, const char *doc)
{
    char type[TYPE_SIZE];
    struct um_buf line;

    describe_type(schema, state != NULL, type);
    um_buf_init(&line, LINE_LIMIT);
    um_buf_append_string(&line, type);
    um_buf_append_string(&line, state != NULL ? state : "");
    append_default(&line, schema);
    um_buf_append_byte(&line, '\0');
    um_help_entry(&cli_page, COLUMN + 1, line.failed ? type : line.data, "%*s%s", indent, "", name);
    um_buf_deinit(&line);
    if (doc[0] != '\0')
        um_help_text(&cli_page, COLUMN + 1, 0, doc);
}

static void print_properties(const cJSON *schema, int indent)
{
    const cJSON *property;

    cJSON_ArrayForEach(property, cJSON_GetObjectItemCaseSensitive(schema, "properties"))
    {
        print_entry(indent, property->string, property, NULL, string_of(property, "description"));
        print_properties(property, indent + 2);
        print_properties(cJSON_GetObjectItemCaseSensitive(property, "items"), indent + 2);
    }
    /* One that may be null: the object is the other alternative. */
    cJSON_ArrayForEach(property, cJSON_GetObjectItemCaseSensitive(schema, "oneOf"))
    {
        print_properties(property, indent);
    }
}

static void print_errors(const cJSON *method)
{
    const cJSON *error;
    const char *separator = "";
    char text[LIST_SIZE] = "";
    size_t size = 0;

    cJSON_ArrayForEach(error, cJSON_GetObjectItemCaseSensitive(method, "errors"))
    {
        const char *name = string_of(cJSON_GetObjectItemCaseSensitive(error, "data"), "name");

        if (size < sizeof text)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", separator, name);
        separator = ", ";
    }
    cli_print_line("\nErrors:");
    um_help_text(&cli_page, 2, 0, text);
}

static void print_method(const cJSON *method)
{
    const cJSON *schema =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(method, "result"), "schema");
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(method, "params");
    const cJSON *param;

    um_help_entry(&cli_page, 0, string_of(method, "summary"), "%s:", string_of(method, "name"));
    cli_print_line(cJSON_GetArraySize(params) != 0 ? "\nParameters, by name or in this order:"
                                                   : "\nParameters: none");
    cJSON_ArrayForEach(param, params)
    {
        bool is_required = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(param, "required"));

        print_entry(2, string_of(param, "name"), cJSON_GetObjectItemCaseSensitive(param, "schema"),
                    is_required ? ", required" : "", string_of(param, "description"));
    }
    cli_print_line(cJSON_GetObjectItemCaseSensitive(schema, "properties") != NULL ? "\nResult:"
                                                                                  : "\nResult: {}");
    print_properties(schema, 2);
    print_errors(method);
}

/* Prints the method of that name, or all of them in short where it is NULL. */
static int print_methods(struct cli *cli, const char *name)
{
    cJSON *document = NULL;
    const cJSON *method;
    bool found = name == NULL;
    int status = cli_call(cli, "rpc.discover", NULL, &document);

    cJSON_ArrayForEach(method, cJSON_GetObjectItemCaseSensitive(document, "methods"))
    {
        if (name == NULL)
            um_help_entry(&cli_page, COLUMN, string_of(method, "summary"), "%s", string_of(method, "name"));
        else if (strcmp(name, string_of(method, "name")) == 0) {
            print_method(method);
            found = true;
        }
    }
    cJSON_Delete(document);
    if (status == CLI_OK && !found)
        return cli_fail(CLI_USAGE, "the daemon has no method %s; umem help methods lists them", name);
    return status;
}

static int help_on_methods(struct cli *cli, const char *name)
{
    struct umem_options options = {.pipe = cli->option[CLI_PIPE],
                                   .server_user = cli->option[CLI_SERVER_USER]};
    int status;

    cli->client = umem_client_new(&options);
    status = cli_connect(cli);
    if (status == CLI_OK)
        status = print_methods(cli, name);
    else
        cli_fail(status, "methods are described by the daemon itself, which must run");
    cli_free_result(cli);
    umem_client_free(cli->client);
    return status;
}

/* ---- verbs ---- */

/* All verbs that begin with a word: "heap". Returns whether there are any. */
static bool help_on_family(const char *word)
{
    size_t length = strlen(word);
    bool found = false;

    for (const struct cli_verb *verb = cli_next_verb(NULL); verb != NULL; verb = cli_next_verb(verb)) {
        if (strncmp(verb->name, word, length) != 0 || verb->name[length] != ' ')
            continue;
        if (found)
            cli_print_char('\n');
        cli_print_help(verb);
        found = true;
    }
    return found;
}

static int help(struct cli *cli)
{
    char name[NAME_SIZE];
    const struct cli_verb *verb;

    if (cli->word_count == 0) {
        cli_print_help(NULL);
        return CLI_OK;
    }
    if (strcmp(cli->words[0], "methods") == 0)
        return help_on_methods(cli, NULL);
    if (strpbrk(cli->words[0], "./") != NULL)
        return help_on_methods(cli, cli->words[0]);
    snprintf(name, sizeof name, "%s%s%s", cli->words[0], cli->word_count > 1 ? " " : "",
             cli->word_count > 1 ? cli->words[1] : "");
    verb = cli_find_verb(name);
    if (verb != NULL) {
        cli_print_help(verb);
        return CLI_OK;
    }
    if (cli->word_count == 1 && help_on_family(name))
        return CLI_OK;
    return cli_fail(CLI_USAGE, "there is no verb \"%s\"; umem help lists the verbs", name);
}

static const struct {
    const char *shell;
    const char *script;
} completions[] = {
    {
        "bash",
#include "umem_bash.inc"
    },
    {
        "zsh",
#include "umem_zsh.inc"
    },
    {
        "fish",
#include "umem_fish.inc"
    },
    {
        "powershell",
#include "umem_ps1.inc"
    },
};

static int completion(struct cli *cli)
{
    for (size_t i = 0; i < sizeof completions / sizeof completions[0]; i++) {
        if (strcmp(cli->words[0], completions[i].shell) == 0) {
            cli_print(completions[i].script);
            return CLI_OK;
        }
    }
    return cli_fail_usage(cli, "bash, zsh, fish and powershell are known");
}

const struct cli_verb cli_help_verbs[] = {
    {.name = "help",
     .words = "[NAME] [NAME]",
     .options = CLI_TAKES(PIPE) | CLI_TAKES(SERVER_USER),
     .summary = "describe umem, a verb, or a method of the protocol",
     .detail = "A name with a dot or a slash is a method: the daemon describes its parameters, "
               "result and errors. The word \"methods\" lists all of them.",
     .example = "umem help read\numem help block.alloc\numem help methods",
     .need = CLI_NEEDS_NOTHING,
     .run = help},
    {.name = "completion",
     .words = "SHELL",
     .summary = "print the script that lets a shell complete umem's words",
     .detail = "SHELL is bash, zsh, fish or powershell. Names of heaps and blocks come from the daemon that "
               "answers; where none does, "
               "there are none.",
     .example = "source <(umem completion bash)\numem completion fish | source",
     .need = CLI_NEEDS_NOTHING,
     .run = completion},
    {.name = NULL},
};
