#include "daemon/usage.h"

#include <inttypes.h>

#include "base/size.h"
#include "daemon/daemon_options.h"
#include "daemon/exit_status.h"
#include "program/manual.h"
#include "rpc/schema/server_limits.h"

enum { OPTION_COLUMN = 25, LIMIT_COLUMN = 41, STATUS_COLUMN = 5, NUMBER_SIZE = 24 };

static void write_bytes(void *context, const char *bytes, size_t size)
{
    fwrite(bytes, 1, size, context);
}

static int end(FILE *out)
{
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- --help ---- */

/* A limit's default: a number, or what it follows from. */
static const char *default_of(const struct um_limit_entry *entry, char number[NUMBER_SIZE])
{
    if (entry->fallback == 0)
        return um_limits_fallback(entry);
    snprintf(number, NUMBER_SIZE, "%" PRIu64, entry->fallback);
    return number;
}

static void print_limits(const struct um_page *page)
{
    char number[NUMBER_SIZE];

    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        const struct um_limit_entry *entry = um_limits_entry(i);

        um_help_entry(page, LIMIT_COLUMN, entry->doc, "  %-18s %18s", entry->name, default_of(entry, number));
    }
}

static void print_paragraph(const struct um_page *page, const char *text)
{
    um_page_put(page, "\n");
    um_help_text(page, 0, 0, text);
}

int um_usage_print_help(FILE *out)
{
    const struct um_page page = {write_bytes, out};

    um_page_put(&page, "Usage: umemd [OPTION...]\n\n"
                       "Lends heap memory, by handle, to the programs of one user over a pipe.\n\n");
    for (int i = 0; i < um_daemon_option_table.count; i++)
        um_help_option(&page, OPTION_COLUMN, &um_daemon_option_table.options[i]);
    print_paragraph(&page,
                    "Without --pipe the pipe is UMEM_PIPE of the environment, else on Windows "
                    "\\\\.\\pipe\\umemd-USER, else umemd.sock in XDG_RUNTIME_DIR or in /tmp/umemd-UID. With "
                    "--daemon, the log is lost unless --log-file or --log is given.");
    print_paragraph(
        &page,
        "Settings also come from a file, umemd.conf, with lines such as \"log-level = debug\" or "
        "\"limit.bytes = 1G\", and from variables such as UMEMD_LOG_LEVEL; --print-config shows all "
        "of them and where the file is. The environment counts more than the file, and the command line "
        "more than both.");
    print_paragraph(&page, "Limits, with their defaults; a value is " UM_SIZE_FORMS ":");
    print_limits(&page);
    um_page_put(&page, "\nExit status:\n");
#define PRINT_STATUS(identifier, number, doc) um_help_entry(&page, STATUS_COLUMN, doc, "  %d", number);
    UM_EXIT_STATUSES(PRINT_STATUS)
#undef PRINT_STATUS
    print_paragraph(
        &page,
        "SIGTERM, SIGINT, SIGQUIT and Ctrl-C end the daemon in order, as the method server.shutdown does. "
        "SIGHUP and SIGUSR1 reopen the log, and create the socket's file again where it was removed; SIGHUP "
        "reads "
        "the settings again, too, as umem reload does.");
    return end(out);
}

/* ---- the manual page ---- */

static const char man_begin[] =
    "# SYNOPSIS\n"
    "*umemd* [<OPTION>...]\n"
    "# DESCRIPTION\n"
    "umemd owns heaps and blocks of memory and lends them by handle:\n"
    "programs open its pipe, send requests in JSON, and receive answers in JSON.\n"
    "The memory outlives the program that made it, can be shared with another one,\n"
    "and can be inspected while it is in use.\n"
    "Only the user who runs umemd can connect, unless others are allowed.\n"
    "\n"
    "It stays in the foreground and logs to standard error,\n"
    "unless options say otherwise.\n"
    "With *--daemon* it keeps nothing of its starter's:\n"
    "no terminal, session, working directory, umask or open file, and on Windows no job, where the starter's "
    "allows that.\n"
    "The starter prints the warnings of the start, and ends when the pipe is open.\n"
    "# OPTIONS\n"
    "The value of an option follows a space or an equals sign.\n"
    "A file and the environment may give them, too; see SETTINGS.\n";

static const char man_settings[] =
    "# SETTINGS\n"
    "Options that say neither how this process is started (*--config*, *--daemon*, *--service*) nor what it "
    "is to print "
    "are settings,\n"
    "which the configuration file and the environment may have as well.\n"
    "The environment counts more than the file, and the command line more than both.\n"
    "\n"
    "A line of the file is <NAME> = <VALUE>, or a comment that a # begins.\n"
    "The name is that of the option without its dashes, or *limit.*<NAME>;\n"
    "the value goes to the end of the line. An option that takes no value is *yes* or *no*.\n"
    "A name that is no setting, a value that is wrong and a name that is there twice are errors, with file "
    "and line.\n"
    "The file is the first of those under FILES that is there.\n"
    "It must belong to the user or to root, and must not be writable by others (POSIX).\n"
    "\n"
    "The variable of a setting is *UMEMD_* and its name in capital letters, with underscores:\n"
    "*UMEMD_LOG_LEVEL*, *UMEMD_LIMIT_SESSIONS*; that of the pipe is *UMEM_PIPE*. An empty one counts as not "
    "set.\n"
    "\n"
    "*--print-config* prints what is in force, and *--check* all that is wrong.\n"
    "\n"
    "*umem reload* and SIGHUP have a daemon read the file again.\n"
    "The log's level and form change at once, and so do the limits but message_bytes, payload_bytes,\n"
    "batch_requests, batch_bytes, unsent_bytes and waits;\n"
    "what has another value and needs a restart is reported.\n"
    "With an error in the file nothing changes.\n";

static const char man_limits[] =
    "# LIMITS\n"
    "What *--limit* <NAME=VALUE> sets, with the defaults.\n"
    "A value is " UM_SIZE_FORMS ".\n"
    "The method server.info returns the limits that are in force,\n"
    "server.stats what is in use and how often each limit was reached.\n"
    "Beside the blocks and their records (64 bytes each, at most 1 KiB),\n"
    "umemd's own memory never exceeds the sum of gathered_bytes, unsent_total_bytes,\n"
    "10 times message_bytes, 4 times batch_bytes, 64 MiB,\n"
    "128 KiB for each of sessions, 10 KiB for each of waits_total,\n"
    "1 KiB for each of watches_total and 96 bytes for each of holds,\n"
    "whatever clients do; usually it is a few MiB.\n";

static const char man_end[] =
    "# SIGNALS\n"
    "A signal that was ignored when umemd was started stays ignored (*nohup*(1)).\n"
    ": SIGTERM, SIGINT, SIGQUIT, SIGXCPU\n"
    "End umemd in order, as the method server.shutdown does; all blocks are freed then.\n"
    "On Windows Ctrl-C, Ctrl-Break and closing the console do.\n"
    ": SIGHUP, SIGUSR1\n"
    "Reopen the log file, which may have been renamed, and create the socket's file again at once where it "
    "was removed.\n"
    "SIGHUP also reads the settings again, as *umem reload* does, and on Windows *sc.exe control umemd "
    "paramchange*.\n"
    "On Windows, where there are no such signals, *umem reload* reopens the log.\n"
    ": SIGUSR2, SIGPIPE, SIGXFSZ, SIGTTOU\n"
    "Are ignored.\n"
    "# LOG\n"
    "Each event is a line: the time in UTC, the level, a sentence; or with *--log-format* <json> an object "
    "of JSON.\n"
    "Control characters are written as \\u001b is.\n"
    "The system's log has its own times: *--log* <syslog> sends to </dev/log>, which systemd's journal "
    "reads, "
    "too,\n"
    "and *--log* <eventlog> adds events of the source umemd on Windows.\n"
    "With *--log-sessions* each session has lines when it is opened, with its process, program and user, and "
    "when it is closed.\n"
    "With *--log-calls* it has them, too, and each call has one with its method, the handles and names of "
    "its request, the bytes that it is "
    "about,\n"
    "the microseconds from the request to its answer and its error, but never with what blocks hold.\n"
    "With *--slow-ms* each call that takes so long, but for those that wait, has one with the level "
    "warning.\n"
    "umemd never waits for the log.\n"
    "Lines that could not be written (a full disk, a limit of file sizes, a pipe without a reader, a system "
    "log "
    "that does not answer), and those that 256 KiB of waiting lines leave no space for,\n"
    "are counted, and a later line says how many were lost.\n"
    "The rate of what clients cause is limited: of each kind 10 warnings at once, then one in 10 seconds,\n"
    "and with the level debug 100 lines at once, then one a second; how many were left out is logged.\n"
    "# SECURITY\n"
    "Only the user who runs umemd, and root or SYSTEM, can connect.\n"
    "With *--allow-group* the members of a group can as well, and on Windows with *--allow-sid* a user or "
    "group:\n"
    "whoever is let in may read, change and free all blocks, map shared heaps, and end the daemon.\n"
    "The socket has mode 0660 and that group then, of which the user must be a member, and its directories "
    "must let members through.\n"
    "Their programs must name the user who runs umemd: *umem* *--server-user*, *UMEM_SERVER_USER*.\n"
    "With *--check* umemd prints how the system enforces that for the pipe,\n"
    "whether or not a daemon has it:\n"
    "owner and mode of the socket, its lock file and the directories above them,\n"
    "or on Windows the owner and the access list of the pipe, in words;\n"
    "which process listens there; each error, and how to fix it.\n"
    "A daemon logs the same errors as warnings when it starts.\n"
    "\n"
    "The daemon gives up gaining new privileges (Linux), and makes no core dumps,\n"
    "since those would put what is in the blocks into files:\n"
    "*RLIMIT_CORE* is 0, and </proc/self/coredump_filter> too, for systems that pass dumps to a program.\n"
    "*--core-dumps* leaves both as they are.\n"
    "Its user may attach a debugger all the same.\n"
    "# ENVIRONMENT\n"
    ": *UMEM_PIPE*\n"
    "The pipe, where *--pipe* does not name one.\n"
    ": *UMEMD_CONFIG*\n"
    "The configuration file, where *--config* does not name one; *none*: no file is read.\n"
    ": *UMEMD_*<NAME>\n"
    "A setting.\n"
    ": *XDG_RUNTIME_DIR*\n"
    "The folder of the pipe, where neither of these names one.\n"
    ": *UMEM_SERVICE_PASSWORD*\n"
    "Windows: the password for *--install-service*, where it is not to be asked for.\n"
    "# FILES\n"
    ": <XDG_CONFIG_HOME/umemd/umemd.conf>, else <~/.config/umemd/umemd.conf>; then </etc/umemd/umemd.conf>\n"
    "The configuration file; on Windows <%APPDATA%\\umemd\\umemd.conf>.\n"
    ": <XDG_RUNTIME_DIR/umemd.sock>, else </tmp/umemd-UID/umemd.sock>\n"
    "The pipe, where it has no other name; on Windows <\\\\.\\pipe\\umemd-USER>.\n"
    ": <PIPE.lock>\n"
    "Held by the daemon that has the pipe; a second one finds it locked, and names the process that holds "
    "it.\n"
    ": <PIPE.new>, <PIPE.new.lock>\n"
    "There while a daemon with *--replace* takes the pipe over.\n"
    "\n"
    "Where the socket's or the lock's file is removed, umemd creates it again within a second or so;\n"
    "where another daemon has taken the path over meanwhile, it logs that and serves the clients that it "
    "has.\n"
    "At its end it removes only files of its own.\n"
    "# EXAMPLES\n"
    "A daemon in the background, and its end:\n"
    "\n"
    "    umemd --daemon --pid-file umemd.pid --log-file umemd.log\n"
    "    umem info\n"
    "    umem shutdown\n"
    "\n"
    "With systemd, for one user, where the unit is installed:\n"
    "\n"
    "    systemctl --user enable --now umemd\n"
    "\n"
    "At most 1 GiB in all blocks, and 100 clients:\n"
    "\n"
    "    umemd --limit bytes=1G --limit sessions=100\n"
    "# SEE ALSO\n"
    "*umem*(1), *umem_client*(3),\n"
    "and protocol.md among the documents that are installed with umemd.\n";

static void put_limits(const struct um_page *page)
{
    char number[NUMBER_SIZE];

    for (unsigned i = 0; um_limits_entry(i) != NULL; i++) {
        const struct um_limit_entry *entry = um_limits_entry(i);

        um_page_printf(page, entry->fallback != 0 ? ".TP\n\\fB%s\\fR=%s\n" : ".TP\n\\fB%s\\fR (%s)\n",
                       entry->name, default_of(entry, number));
        um_man_sentence(page, entry->doc);
        um_page_printf(page, "From %" PRIu64 " to %" PRIu64 ".\n", entry->minimum, entry->maximum);
    }
}

int um_usage_print_man(FILE *out)
{
    const struct um_page page = {write_bytes, out};

    um_man_begin(&page, "umemd", 8, "lends heap memory, by handle, to the programs of one user");
    um_man_text(&page, man_begin);
    for (int i = 0; i < um_daemon_option_table.count; i++)
        um_man_option(&page, &um_daemon_option_table.options[i]);
    um_man_text(&page, man_settings);
    um_man_text(&page, man_limits);
    put_limits(&page);
    um_page_put(&page, ".SH EXIT STATUS\n");
#define PUT_STATUS(identifier, number, doc) um_man_status(&page, number, doc);
    UM_EXIT_STATUSES(PUT_STATUS)
#undef PUT_STATUS
    um_man_text(&page, man_end);
    return end(out);
}
