#include "daemon/usage.h"

#include <inttypes.h>

#include "base/size.h"
#include "base/wrap.h"
#include "daemon/daemon_options.h"
#include "daemon/exit_status.h"
#include "rpc/schema/server_limits.h"

/* One exit status, for both forms. */
struct status {
    int number;
    const char *doc; /* what it says */
};

static const struct status statuses[] = {
#define STATUS(identifier, number, doc) {number, doc},
    UM_EXIT_STATUSES(STATUS)
#undef STATUS
};

enum { STATUS_COUNT = sizeof statuses / sizeof statuses[0] };

static int end(FILE *out)
{
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- --help ---- */

enum { OPTION_COLUMN = 25, LIMIT_COLUMN = 41, STATUS_COLUMN = 5 };

static void put(void *context, const char *bytes, size_t size)
{
    fwrite(bytes, 1, size, context);
}

static void print_options(FILE *out)
{
    for (unsigned i = 0; um_options_entry(i) != NULL; i++) {
        const struct um_option_entry *entry = um_options_entry(i);
        const char *argument = entry->argument != NULL ? entry->argument : "";
        int column = fprintf(out, "  %s%s%s", entry->name, *argument != '\0' ? " " : "", argument);

        um_wrap(entry->doc, OPTION_COLUMN, column, put, out);
    }
}

static void print_limits(FILE *out)
{
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        const struct um_limit_entry *entry = um_limits_entry(i);
        int column = fprintf(out, "  %-18s ", entry->name);

        if (entry->fallback != 0)
            column += fprintf(out, "%18" PRIu64, entry->fallback);
        else
            column += fprintf(out, "%18s", um_limits_fallback(entry));
        um_wrap(entry->doc, LIMIT_COLUMN, column, put, out);
    }
}

static void print_paragraph(FILE *out, const char *text)
{
    fputc('\n', out);
    um_wrap(text, 0, 0, put, out);
}

int um_usage_print_help(FILE *out)
{
    fputs("Usage: umemd [OPTION...]\n\n"
          "Lends heap memory, by handle, to the programs of one user over a pipe.\n\n",
          out);
    print_options(out);
    print_paragraph(out,
                    "Without --pipe the pipe is UMEM_PIPE of the environment, else on Windows "
                    "\\\\.\\pipe\\umemd-USER, else umemd.sock in XDG_RUNTIME_DIR or in /tmp/umemd-UID. With "
                    "--daemon, what would go to standard error is lost without --log-file.");
    print_paragraph(out, "Limits, with their defaults; a value is " UM_SIZE_FORMS ":");
    print_limits(out);
    fputs("\nExit status:\n", out);
    for (int i = 0; i < STATUS_COUNT; i++)
        um_wrap(statuses[i].doc, STATUS_COLUMN, fprintf(out, "  %d", statuses[i].number), put, out);
    print_paragraph(
        out,
        "SIGTERM, SIGINT, SIGQUIT and Ctrl-C end the daemon in order, as the method server.shutdown does. "
        "SIGHUP and SIGUSR1 reopen the log and look after the socket's file.");
    return end(out);
}

/* ---- the manual page ---- */

/* Writes plain text for man(7): every dash is the one of the keyboard. */
static void put_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

/* Writes a sentence that has no full stop of its own, with a capital letter and one. */
static void put_sentence(FILE *out, const char *text)
{
    const char first[2] = {*text >= 'a' && *text <= 'z' ? (char)(*text - 'a' + 'A') : *text, '\0'};

    put_text(out, first);
    put_text(out, text + 1);
    fputs(".\n", out);
}

static void put_options(FILE *out)
{
    for (unsigned i = 0; um_options_entry(i) != NULL; i++) {
        const struct um_option_entry *entry = um_options_entry(i);

        fputs(".TP\n\\fB", out);
        put_text(out, entry->name);
        fputs("\\fR", out);
        if (entry->argument != NULL)
            fprintf(out, " \\fI%s\\fR", entry->argument);
        fputc('\n', out);
        put_text(out, entry->doc);
        fputc('\n', out);
    }
}

static void put_limits(FILE *out)
{
    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        const struct um_limit_entry *entry = um_limits_entry(i);

        fputs(".TP\n\\fB", out);
        put_text(out, entry->name);
        if (entry->fallback != 0)
            fprintf(out, "\\fR=%" PRIu64 "\n", entry->fallback);
        else
            fprintf(out, "\\fR (%s)\n", um_limits_fallback(entry));
        put_sentence(out, entry->doc);
        fprintf(out, "From %" PRIu64 " to %" PRIu64 ".\n", entry->minimum, entry->maximum);
    }
}

static void put_statuses(FILE *out)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        fprintf(out, ".TP\n\\fB%d\\fR\n", statuses[i].number);
        put_sentence(out, statuses[i].doc);
    }
}

static const char man_begin[] =
    ".\\\" umemd \\-\\-print\\-man writes this page; a test compares.\n"
    ".TH UMEMD 8 \"\" umemd\n"
    ".SH NAME\n"
    "umemd \\- lends heap memory, by handle, to the programs of one user\n"
    ".SH SYNOPSIS\n"
    ".B umemd\n"
    "[\\fIOPTION\\fR...]\n"
    ".SH DESCRIPTION\n"
    "umemd owns heaps and blocks of memory and lends them by handle:\n"
    "programs open its pipe, send requests in JSON, and get answers in JSON.\n"
    "The memory outlives the program that made it, can be shared with another one,\n"
    "and can be looked at while it is in use.\n"
    "Only the user who runs umemd gets in.\n"
    ".PP\n"
    "It stays in the foreground and logs to standard error,\n"
    "unless it is told otherwise.\n"
    "With \\fB\\-\\-daemon\\fR it keeps nothing of its starter's:\n"
    "no terminal, session, working directory, umask or open file, and on Windows no job, where the starter's "
    "allows that.\n"
    "The starter prints the warnings of the start, and ends when the pipe is open.\n"
    ".SH OPTIONS\n"
    "A value may stand behind a space or behind an equals sign.\n";

static const char man_limits[] =
    ".SH LIMITS\n"
    "What \\fB\\-\\-limit\\fR \\fINAME=VALUE\\fR sets, with the defaults.\n"
    "A value is " UM_SIZE_FORMS ".\n"
    "The method server.info tells the limits that are in force,\n"
    "server.stats what is in use and how often each limit was reached.\n"
    "Beside the blocks and their records (64 bytes each, at most 1 KiB),\n"
    "umemd's own memory never passes the sum of gathered_bytes, unsent_total_bytes,\n"
    "10 times message_bytes, 4 times batch_bytes, 64 MiB,\n"
    "128 KiB for each of sessions, 10 KiB for each of waits_total,\n"
    "1 KiB for each of watches_total and 96 bytes for each of holds,\n"
    "whatever clients do; mostly it is a few MiB.\n";

static const char man_statuses[] = ".SH EXIT STATUS\n";

static const char man_end[] =
    ".SH SIGNALS\n"
    "A signal that was ignored when umemd was started stays ignored (\\fBnohup\\fR(1)).\n"
    ".TP\n"
    "SIGTERM, SIGINT, SIGQUIT, SIGXCPU\n"
    "End umemd in order, as the method server.shutdown does; all blocks are gone then.\n"
    "On Windows Ctrl\\-C, Ctrl\\-Break and closing the console do.\n"
    ".TP\n"
    "SIGHUP, SIGUSR1\n"
    "Reopen the log file, which may have been renamed, and make the socket anew at once where its file was "
    "removed.\n"
    "On Windows, where there are no such signals, copy the log and truncate it.\n"
    ".TP\n"
    "SIGUSR2, SIGPIPE, SIGXFSZ, SIGTTOU\n"
    "Do nothing.\n"
    ".SH LOG\n"
    "A line an event: the time in UTC, the level, a sentence.\n"
    "umemd never waits for the log.\n"
    "Lines that the file or standard error did not take (a full disk, a limit of file sizes, a pipe that "
    "nobody reads)\n"
    "are counted, and a later line says how many they were.\n"
    "What clients cause is bounded: of each kind 10 warnings at once, then one in 10 seconds,\n"
    "and with the level debug 100 lines at once, then one a second; how many were left out is told.\n"
    ".SH SECURITY\n"
    "Only the user who runs umemd, and root or SYSTEM, gets in.\n"
    "With \\fB\\-\\-check\\fR umemd tells how the system enforces that for the pipe,\n"
    "whether or not a daemon has it:\n"
    "owner and mode of the socket, its lock file and the directories above them,\n"
    "or on Windows the owner and the access list of the pipe, in words;\n"
    "who listens there; each thing that is wrong, and how to mend it.\n"
    "A daemon logs the same when it starts, as warnings.\n"
    ".PP\n"
    "The daemon gives up gaining new privileges (Linux), and makes no core dumps,\n"
    "since those would put what is in the blocks into files:\n"
    "\\fBRLIMIT_CORE\\fR is 0, and \\fI/proc/self/coredump_filter\\fR too, for systems that pass dumps to a "
    "program.\n"
    "\\fB\\-\\-core\\-dumps\\fR leaves both as they are.\n"
    "Its user may attach a debugger all the same.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n"
    "\\fBUMEM_PIPE\\fR\n"
    "The pipe, where \\fB\\-\\-pipe\\fR does not name one.\n"
    ".TP\n"
    "\\fBXDG_RUNTIME_DIR\\fR\n"
    "The folder of the pipe, where neither of these names one.\n"
    ".SH FILES\n"
    ".TP\n"
    "\\fIXDG_RUNTIME_DIR/umemd.sock\\fR, else \\fI/tmp/umemd\\-UID/umemd.sock\\fR\n"
    "The pipe, where it has no other name; on Windows \\fI\\e\\e.\\epipe\\eumemd\\-USER\\fR.\n"
    ".TP\n"
    "\\fIPIPE.lock\\fR\n"
    "Held by the daemon that has the pipe; a second one finds it locked, and names who holds it.\n"
    ".PP\n"
    "Where the socket's or the lock's file is removed, umemd makes it anew within a second or so;\n"
    "where another daemon has taken the path over meanwhile, it says so in the log and serves the clients "
    "that it has.\n"
    "At its end it removes only files of its own.\n"
    ".SH EXAMPLES\n"
    "A daemon in the background, and its end:\n"
    ".PP\n"
    ".EX\n"
    "umemd \\-\\-daemon \\-\\-pid\\-file umemd.pid \\-\\-log\\-file umemd.log\n"
    "umem info\n"
    "umem shutdown\n"
    ".EE\n"
    ".PP\n"
    "With systemd, for one user, where the unit is installed:\n"
    ".PP\n"
    ".EX\n"
    "systemctl \\-\\-user enable \\-\\-now umemd\n"
    ".EE\n"
    ".PP\n"
    "At most 1 GiB in all blocks, and 100 clients:\n"
    ".PP\n"
    ".EX\n"
    "umemd \\-\\-limit bytes=1G \\-\\-limit sessions=100\n"
    ".EE\n"
    ".SH SEE ALSO\n"
    ".BR umem (1),\n"
    ".BR umem_client (3),\n"
    "and protocol.md among the documents that are installed with umemd.\n";

int um_usage_print_man(FILE *out)
{
    fputs(man_begin, out);
    put_options(out);
    fputs(man_limits, out);
    put_limits(out);
    fputs(man_statuses, out);
    put_statuses(out);
    fputs(man_end, out);
    return end(out);
}
