#include "daemon/pipe_check.h"

#include "daemon/exit_status.h"
#include "net/listener/pipe_access.h"

struct report {
    FILE *out;
    unsigned faults; /* told so far */
};

static void on_fact(void *context, const char *subject, const char *text)
{
    const struct report *report = context;

    fprintf(report->out, "%-10s %s\n", subject, text);
}

static void on_fault(void *context, const char *text, const char *mend)
{
    struct report *report = context;

    fprintf(report->out, "WRONG      %s\n  to mend: %s\n", text, mend);
    report->faults++;
}

int um_pipe_check_print(FILE *out, const char *path)
{
    struct report report = {.out = out};
    const struct um_pipe_access_report listener = {&report, on_fact, on_fault};

    on_fact(&report, "pipe", path);
    um_pipe_access_check(path, true, &listener);
    if (report.faults == 0)
        fputs("Nothing is wrong.\n", out);
    else
        fprintf(out, "%u %s wrong.\n", report.faults, report.faults == 1 ? "thing is" : "things are");
    return report.faults == 0 && fflush(out) == 0 ? UM_EXIT_ENDED : UM_EXIT_FAILED;
}
