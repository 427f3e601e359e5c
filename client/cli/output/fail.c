#include "cli/output/fail.h"

#include <stdarg.h>
#include <string.h>

#include <uv.h>

#include "cli/output/color.h"
#include "cli/output/output.h"
#include "cli/system/file_io.h"
#include "wire/json_write.h"

enum { MESSAGE_SIZE = 2048, JSON_LIMIT = 1 << 16 };

/* What is printed of one failure. Texts may be NULL but for the name and the message. */
struct report {
    int status;
    int code; /* 0: none */
    const char *name;
    const char *message;
    const char *data; /* JSON */
    const char *pipe;
    const char *remedy;
    bool shows_name; /* in the sentence */
};

static bool as_json;
static uint64_t line; /* that is run; 0: none */

static void (*before_failures)(void *context);
static void *before_failures_context;

void cli_before_failures(void (*called)(void *context), void *context)
{
    before_failures = called;
    before_failures_context = context;
}

void cli_report_as_json(bool is_json)
{
    as_json = is_json;
}

void cli_report_line(uint64_t number)
{
    line = number;
}

static void put_text(struct um_buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    um_json_put_string(out, key, text);
}

/* Writes a line, without the C library, which would need memory of its own and lose what a pipe does not take at once. */
static void write_errors(struct um_buf *text)
{
    static const char no_memory[] = "umem: this program's own memory is used up\n";

    if (um_buf_append_byte(text, '\n'))
        cli_write_file(CLI_ERRORS, text->data, text->size);
    else
        cli_write_file(CLI_ERRORS, no_memory, sizeof no_memory - 1);
    um_buf_deinit(text);
}

static void print_json(const struct report *report)
{
    struct um_buf out;

    um_buf_init(&out, JSON_LIMIT);
    um_json_begin_object(&out);
    um_json_key(&out, "error");
    um_json_begin_object(&out);
    if (report->code != 0) {
        um_json_put_int(&out, "code", report->code);
    }
    put_text(&out, "name", report->name);
    put_text(&out, "message", report->message);
    if (report->data != NULL) {
        um_json_key(&out, "data");
        um_json_raw(&out, report->data, strlen(report->data));
    }
    put_text(&out, "pipe", report->pipe);
    put_text(&out, "remedy", report->remedy);
    um_json_end_object(&out);
    um_json_put_int(&out, "status", report->status);
    if (line != 0) {
        um_json_put_uint(&out, "line", line);
    }
    um_json_end_object(&out);
    write_errors(&out);
}

static void print_text(const struct report *report)
{
    struct um_buf out;
    char number[40] = "";

    um_buf_init(&out, JSON_LIMIT);
    um_buf_append_string(&out, cli_style(CLI_ERRORS, CLI_STYLE_ERROR));
    um_buf_append_string(&out, "umem:");
    um_buf_append_string(&out, cli_style(CLI_ERRORS, CLI_STYLE_PLAIN));
    um_buf_append_string(&out, " ");
    if (line != 0) {
        snprintf(number, sizeof number, "line %llu: ", (unsigned long long)line);
        um_buf_append_string(&out, number);
    }
    /* The library names the pipe itself where connecting failed. */
    if (report->pipe != NULL && strncmp(report->message, report->pipe, strlen(report->pipe)) != 0) {
        um_buf_append_string(&out, report->pipe);
        um_buf_append_string(&out, ": ");
    }
    if (report->shows_name) {
        um_buf_append_string(&out, report->name);
        um_buf_append_string(&out, ": ");
    }
    um_buf_append_string(&out, report->message);
    if (report->remedy != NULL) {
        um_buf_append_string(&out, "; ");
        um_buf_append_string(&out, report->remedy);
    }
    write_errors(&out);
}

static int print_report(const struct report *report)
{
    if (before_failures != NULL)
        before_failures(before_failures_context);
    /* On a terminal, what was printed before stands before. */
    cli_flush();
    if (as_json)
        print_json(report);
    else
        print_text(report);
    return report->status;
}

int cli_fail(int status, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    struct report report = {
        .status = status, .name = status == CLI_USAGE ? "usage" : "failed", .message = message};
    va_list list;

    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return print_report(&report);
}

int cli_fail_file(const char *name, const char *done, int error)
{
    return cli_fail(CLI_FAILED, "%s cannot be %s: %s", name, done, uv_strerror(error));
}

int cli_fail_usage(const struct cli *cli, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    char synopsis[CLI_SYNOPSIS_SIZE];
    char remedy[CLI_SYNOPSIS_SIZE + 16];
    struct report report = {.status = CLI_USAGE, .name = "usage", .message = message, .remedy = remedy};
    va_list list;

    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    cli_synopsis(cli->verb, synopsis);
    snprintf(remedy, sizeof remedy, "usage: %s", synopsis);
    return print_report(&report);
}

int cli_fail_memory(void)
{
    return cli_fail(CLI_FAILED, "this program's own memory is used up");
}

/* The status for an error that the daemon answered with. */
static int answer_status(const struct cli *cli, int code)
{
    if (cli->verb->waits && cli->verb->is_test && code == UMEM_E_TIMEOUT)
        return CLI_NO;
    return cli->verb->is_test ? CLI_REFUSED : CLI_ERROR;
}

/* The status for any error, the library's own among them. */
static int status_for(const struct cli *cli, int code)
{
    switch (code) {
    case UMEM_E_NOT_CONNECTED:
    case UMEM_E_NOT_TRUSTED:
        return CLI_NO_CONNECTION;
    case UMEM_E_CONNECTION_LOST:
    case UMEM_E_BAD_ANSWER:
    case UMEM_E_DEADLINE:
        return CLI_LOST;
    case UMEM_E_BAD_ARGUMENT:
        return CLI_USAGE;
    case UMEM_E_OUT_OF_MEMORY:
        return CLI_FAILED;
    default:
        return answer_status(cli, code);
    }
}

/* What helps against an error; NULL where its message says all. */
static const char *find_remedy(int code)
{
    switch (code) {
    case UMEM_E_NOT_TRUSTED:
        return "name the pipe of a daemon of your own with --pipe or UMEM_PIPE, or whose daemon it may be "
               "with --server-user";
    case UMEM_E_CONNECTION_LOST:
        return "umem ping checks whether a daemon answers";
    case UMEM_E_DEADLINE:
        return "--timeout MS allows more time";
    case UMEM_E_METHOD_NOT_FOUND:
        return "umem help methods lists them";
    case UMEM_E_UNKNOWN_HANDLE:
    case UMEM_E_STALE_HANDLE:
        return "umem ls and umem heap ls list what there is";
    case UMEM_E_LIMIT_EXCEEDED:
        return "umem info shows the limits, umemd --help how to set them";
    case UMEM_E_NAME_TAKEN:
        return "choose another name, or free the one that has it";
    default:
        return NULL;
    }
}

int cli_fail_as_daemon(const struct cli *cli, int code, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    struct report report = {.status = answer_status(cli, code),
                            .code = code,
                            .name = umem_error_name(code),
                            .message = message,
                            .remedy = find_remedy(code),
                            .shows_name = true};
    va_list list;

    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    return print_report(&report);
}

/* Prints an error with all that is known of it. */
static int fail_with(const struct cli *cli, const struct umem_failure *failure, int status)
{
    char remedy[MESSAGE_SIZE];
    const char *pipe = cli->option[CLI_PIPE];
    struct report report = {.status = status,
                            .code = failure->code,
                            .name = failure->name,
                            .message = failure->message,
                            .data = failure->data,
                            .remedy = find_remedy(failure->code)};

    if (status == CLI_NO_CONNECTION || status == CLI_LOST)
        report.pipe = umem_pipe(cli->client);
    else
        report.shows_name = status == CLI_ERROR || status == CLI_REFUSED;
    if (failure->code == UMEM_E_NOT_CONNECTED) {
        snprintf(remedy, sizeof remedy, "start a daemon with: umem spawn%s%s", pipe != NULL ? " --pipe " : "",
                 pipe != NULL ? pipe : "");
        report.remedy = remedy;
    } else if (strstr(failure->message, "; ") != NULL) {
        /* The daemon's message says already what to do. */
        report.remedy = NULL;
    } else if (failure->code == UMEM_E_INVALID_PARAMS && strcmp(cli->verb->name, "call") == 0) {
        snprintf(remedy, sizeof remedy, "umem help %s describes its parameters", cli->words[0]);
        report.remedy = remedy;
    }
    return print_report(&report);
}

int cli_fail_call(const struct cli *cli)
{
    const struct umem_failure *failure = umem_last_error(cli->client);

    return fail_with(cli, failure, status_for(cli, failure->code));
}

int cli_fail_connecting(const struct cli *cli, int code, const char *message)
{
    struct umem_failure failure = {code, umem_error_name(code), message, "{}"};
    int status = status_for(cli, code);

    /* Whatever the reason, it is a connection that could not be made. */
    return fail_with(cli, &failure, status == CLI_LOST ? CLI_NO_CONNECTION : status);
}

int cli_fail_connection(const struct cli *cli, int code, const char *message)
{
    struct umem_failure failure = {code, umem_error_name(code), message, "{}"};

    return fail_with(cli, &failure, status_for(cli, code));
}
