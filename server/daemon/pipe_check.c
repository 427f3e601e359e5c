#include "daemon/pipe_check.h"

#include "daemon/exit_status.h"
#include "net/listener/pipe_access.h"

struct output {
    FILE *file;
    unsigned errors; /* printed so far */
};

static void on_fact(void *context, const char *subject, const char *text)
{
    const struct output *output = context;

    fprintf(output->file, "%-10s %s\n", subject, text);
}

static void on_fault(void *context, const char *text, const char *fix)
{
    struct output *output = context;

    fprintf(output->file, "ERROR: %s\n  fix: %s\n", text, fix);
    output->errors++;
}

int um_pipe_check_print(FILE *out, const char *path, unsigned errors)
{
    struct output output = {.file = out, .errors = errors};
    const struct um_pipe_access_report listener = {&output, on_fact, on_fault};

    on_fact(&output, "pipe", path);
    um_pipe_access_check(path, true, &listener);
    if (output.errors == 0)
        fputs("No errors.\n", out);
    else
        fprintf(out, "%u %s.\n", output.errors, output.errors == 1 ? "error" : "errors");
    return output.errors == 0 && fflush(out) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
}
