#include "daemon/pipe_check.h"

#include "daemon/exit_status.h"
#include "net/listener/pipe_access.h"
#include "net/server.h"
#include "rpc/rpc.h"
#include "umem_errors.h"

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

static void on_heap_fault(void *context, const char *text)
{
    struct output *output = context;

    fprintf(output->file, "ERROR: %s\n", text);
    ++output->errors;
}

/* A daemon that runs has the directory, and says itself what is wrong with it. */
static void check_state(struct output *output, const char *path)
{
    const struct um_state_options options = {.path = path, .context = output, .report = on_heap_fault};
    char text[UM_SERVER_WHY_CAPACITY];
    size_t heaps;
    int code = um_state_examine(&options, &heaps, text, sizeof text);

    if (code == UMEM_OK)
        snprintf(text, sizeof text, "%llu durable %s can be used", (unsigned long long)heaps,
                 heaps == 1 ? "heap" : "heaps");
    else if (code != UMEM_E_NAME_TAKEN)
        on_heap_fault(output, text);
    if (code == UMEM_OK || code == UMEM_E_NAME_TAKEN)
        on_fact(output, "state", text);
}

int um_pipe_check_print(FILE *out, const char *path, const struct um_principal *allowed, const char *state,
                        unsigned errors)
{
    struct output output = {.file = out, .errors = errors};
    const struct um_pipe_access_report listener = {&output, on_fact, on_fault};

    on_fact(&output, "pipe", path);
    um_pipe_access_check(path, allowed, true, &listener);
    um_store_allow(allowed);
    if (state != NULL)
        check_state(&output, state);
    if (output.errors == 0)
        fputs("No errors.\n", out);
    else
        fprintf(out, "%u %s.\n", output.errors, output.errors == 1 ? "error" : "errors");
    return output.errors == 0 && fflush(out) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
}
