/* umem record and umem replay: the requests of a run, and the same again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "cli/command/rest_command.h"
#include "cli/output/fail.h"
#include "cli/output/output.h"
#include "cli/request/method_call.h"
#include "cli/request/params.h"
#include "cli/system/file_io.h"
#include "cli/table/verb.h"
#include "cli/transfer/recorder.h"
#include "cli/transfer/replayer.h"
#include "program/files.h"

enum {
    PRIVATE_MODE = 0600, /* the contents of blocks are in it */
    ANSWER_MS = 60000,   /* how long an answer may take, without --timeout */
    SUMMARY_SIZE = 256
};

static const double speed_most = 1e6;

/* ---- record ---- */

static void print_summary(const struct cli_recorder_totals *totals)
{
    char text[SUMMARY_SIZE];

    snprintf(text, sizeof text, "recorded %llu messages of %llu connections\n",
             (unsigned long long)totals->requests, (unsigned long long)totals->connections);
    (void)cli_write_file(CLI_ERRORS, text, strlen(text));
    if (totals->unrecorded == 0)
        return;
    snprintf(text, sizeof text,
             "%llu times a message was too large or broken, and what followed it was not recorded\n",
             (unsigned long long)totals->unrecorded);
    (void)cli_write_file(CLI_ERRORS, text, strlen(text));
}

static int record_to(struct cli *cli, int file)
{
    struct cli_recorder_totals totals;
    struct cli_recorder *recorder;
    int status = cli_recorder_start(umem_pipe(cli->client), file, cli->words[0], &recorder);
    int stopped;

    if (status != CLI_OK)
        return status;
    status = cli_run_rest(cli, cli_recorder_pipe(recorder));
    stopped = cli_recorder_stop(recorder, &totals);
    if (stopped == CLI_OK && cli->option[CLI_JSON] == NULL)
        print_summary(&totals);
    return status == CLI_OK ? stopped : status;
}

/* A file that is there would keep its rights: so it is removed first. What is no file is left alone. */
static int create(const char *path)
{
    uv_stat_t facts;

    if (um_file_lstat(path, &facts) == 0 && um_file_is_regular(&facts))
        um_file_unlink(path);
    return um_file_open(path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL, PRIVATE_MODE);
}

static int record(struct cli *cli)
{
    const char *path = cli->words[0];
    int status = cli_connect(cli);
    int close_error;
    int file;

    if (status != CLI_OK)
        return status;
    file = create(path);
    if (file < 0)
        return cli_fail_file(path, "created", file);
    status = record_to(cli, file);
    close_error = um_file_close(file);
    return status == CLI_OK && close_error != 0 ? cli_fail_file(path, "written", close_error) : status;
}

/* ---- replay ---- */

static int read_speed(const struct cli *cli, double *speed)
{
    const char *text = cli->option[CLI_SPEED];

    *speed = 1;
    if (text == NULL)
        return CLI_OK;
    *speed = 0;
    if (strcmp(text, "max") == 0)
        return CLI_OK;
    return strspn(text, "0123456789.") == strlen(text) && um_decimal_read_double(text, strlen(text), speed) &&
                   *speed > 0 && *speed <= speed_most
               ? CLI_OK
               : cli_fail_usage(
                     cli, "--speed \"%s\" is neither \"max\" nor a number above 0, 1000000 at most", text);
}

static void print_totals(const struct cli *cli, const struct cli_replay_totals *totals)
{
    const unsigned long long connections = totals->connections;
    const unsigned long long requests = totals->requests;
    const unsigned long long answers = totals->answers;
    const unsigned long long differences = totals->differences;

    if (cli->option[CLI_JSON] != NULL)
        cli_printf("{\"connections\":%llu,\"requests\":%llu,\"answers\":%llu,\"differences\":%llu}\n",
                   connections, requests, answers, differences);
    else
        cli_printf("connections %llu, requests %llu, answers %llu, differences %llu\n", connections, requests,
                   answers, differences);
}

static int replay(struct cli *cli)
{
    struct cli_replay_options options = {.path = cli->words[0]};
    struct cli_replay_totals totals;
    int status = read_speed(cli, &options.speed);

    if (status == CLI_OK)
        status = cli_option_size(cli, CLI_TIMEOUT, ANSWER_MS, &options.timeout_ms);
    if (status == CLI_OK)
        status = cli_connect(cli);
    if (status == CLI_OK)
        status = cli_replay(cli, &options, &totals);
    if (status != CLI_OK)
        return status;
    print_totals(cli, &totals);
    return totals.differences == 0 ? CLI_OK : CLI_NO;
}

const struct cli_verb cli_record_verbs[] = {
    {.name = "record",
     .words = "FILE -- COMMAND...",
     .summary = "run a command and record all that it and the daemon say to each other",
     .detail =
         "COMMAND, and the programs that it starts, get a pipe of umem's own in UMEM_PIPE. What goes over it "
         "is relayed to the daemon as it is, and each message is written to FILE, a line each, with its "
         "time, "
         "its connection and its direction. The lines are JSON, to be read, cut down, sent with a bug "
         "report, "
         "and played by umem replay.\n\n"
         "FILE has the contents of blocks in it, as they were sent: it is readable by you only, and a file "
         "that is there is replaced. A message of more than 16 MiB, or raw bytes of more than 30 MiB, are "
         "relayed, but nothing of that direction of the connection is recorded from there on; umem says so "
         "in "
         "the end. What programs write through mappings is not seen. To the daemon all sessions are those of "
         "umem. The exit status is COMMAND's.",
     .example = "umem record run.jsonl -- ./program --option",
     .place = CLI_ALONE,
     .run = record},
    {.name = "replay",
     .words = "FILE",
     .options = CLI_TAKES(SPEED),
     .summary = "play a recording of umem record again, and print where answers differ",
     .detail =
         "Each connection of the recording is one to the daemon, each request is sent at its time, or faster "
         "by --speed, and each answer waited for where it came, at most --timeout milliseconds (60000) "
         "longer "
         "than it took. The handles of the recorded answers are replaced by those of now in the requests "
         "that "
         "follow.\n\n"
         "Compared are errors by their names, and the members of results, but for what is another one in "
         "each "
         "run: handles, sessions, programs, addresses, times, free memory, the daemon's counters and events. "
         "A daemon that has what the recorded one had when the run began, nothing as a rule, answers the "
         "same. The exit status is 1 where anything differs. The whole file is read first: one that is no "
         "recording is an error with its line, and nothing is played.",
     .example = "umem replay run.jsonl\numem replay run.jsonl --speed max",
     .place = CLI_ALONE,
     .is_test = true,
     .run = replay},
    {.name = NULL},
};
