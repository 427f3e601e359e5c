/*
 * What the parts of `umem` share: exit statuses, the table of options, what a verb is, and the command line
 * as it was read.
 *
 * Owns: struct cli. Must not know: what a verb does.
 *
 * A verb's entry is beside its handler in verbs_*.c. Parsing, usage errors, help, the man page and completion
 * are all derived from these entries and from the two lists below. ARCHITECTURE.md, "A verb of umem", has the
 * steps of adding one.
 */
#ifndef UMEM_CLI_VERB_H
#define UMEM_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "program/options.h"
#include "umem_client.h"

/* X(identifier, number, meaning): how umem ends. Scripts branch on these. */
#define CLI_STATUSES(X) \
    X(OK, 0, "done") \
    X(ERROR, 1, \
      "the daemon answered with an error; for cmp, find, cas and wait: different, not found, not " \
      "exchanged, timed out") \
    X(USAGE, 2, "the command line is wrong; nothing was done") \
    X(NO_CONNECTION, 3, "no connection: no daemon listens on the pipe, or it is another user's") \
    X(REFUSED, 4, "cmp, find, cas and wait: the daemon answered with an error") \
    X(LOST, 5, \
      "the connection was lost or --timeout expired: whether the request was executed is not known") \
    X(FAILED, 6, "something failed on this side: a file, standard output, memory") \
    X(NOT_RUN, 125, "hold and lock: umem itself failed, so that the command was not run") \
    X(NOT_EXECUTABLE, 126, "hold and lock: the command cannot be run") \
    X(NOT_FOUND, 127, "hold and lock: there is no such command")

enum cli_status {
#define CLI_STATUS_ENUM(identifier, number, meaning) CLI_##identifier = (number),
    CLI_STATUSES(CLI_STATUS_ENUM)
#undef CLI_STATUS_ENUM
    /* The answer of a verb that tests something: no. */
    CLI_NO = 1
};

/* X(identifier, name, its value's name or NULL where it takes none, what it does) */
#define CLI_OPTIONS(X) \
    X(PIPE, "--pipe", "PATH", "the daemon's pipe; else UMEM_PIPE, else the user's own") \
    X(SERVER_USER, "--server-user", "USER", \
      "whose daemon it may be beside your own and root's or SYSTEM's; else UMEM_SERVER_USER") \
    X(JSON, "--json", NULL, "print results and errors as JSON") \
    X(TIMEOUT, "--timeout", "MS", "give up after so many milliseconds") \
    X(COLOR, "--color", "WHEN", \
      "colours \"always\", \"never\", or \"auto\" (the default): on a terminal, unless NO_COLOR is set") \
    X(HELP, "--help", NULL, "print what the verb does") \
    X(NAME, "--name", "NAME", "a name that may stand for the handle") \
    X(IF_EXISTS, "--if-exists", "WHAT", \
      "what to do where something has the name: \"fail\", \"open\" it, or \"replace\" it") \
    X(HEAP, "--heap", "HEAP", "the heap: handle or name") \
    X(LIFETIME, "--lifetime", "LIFETIME", \
      "\"server\" (until it is freed), \"session\" (until its session ends) or, of a shared heap, " \
      "\"durable\" (until it is " \
      "destroyed, also when the daemon is started again)") \
    X(FLAGS, "--flags", "FLAGS", "Win32 heap flags in lower case, with commas between them") \
    X(MAXIMUM_SIZE, "--maximum-size", "SIZE", "most that the heap's blocks may have together") \
    X(INITIAL_SIZE, "--initial-size", "SIZE", "memory to commit at once") \
    X(KIND, "--kind", "KIND", "\"private\", or \"shared\": memory that clients may map") \
    X(ALIGNMENT, "--alignment", "SIZE", "every block starts at a multiple of it: a power of two") \
    X(OFFSET, "--offset", "SIZE", "where to begin in the block (the first one, where there are two)") \
    X(SECOND_OFFSET, "--second-offset", "SIZE", "where to begin in the second block") \
    X(SIZE, "--size", "SIZE", "how many bytes; else to the end") \
    X(FILE, "--file", "FILE", "a file instead of standard input or output, which \"-\" stands for") \
    X(HEX, "--hex", NULL, "bytes as hexadecimal digits; DATA may have white space between bytes") \
    X(BASE64, "--base64", NULL, "bytes as base64; DATA may have white space and line ends in it") \
    X(UTF8, "--utf8", NULL, "bytes as text, which must be UTF-8") \
    X(TYPE, "--type", "TYPE", \
      "the numbers' type: u8 (the default), i8, u16, i16, u32, i32, u64, i64, f32 or f64") \
    X(COUNT, "--count", "COUNT", "how many") \
    X(ORPHANED, "--orphaned", NULL, "only blocks without a name that no open session holds") \
    X(SESSION, "--session", "SESSION", "only what this session made") \
    X(BLOCK, "--block", "BLOCK", "only this block") \
    X(REPLACE, "--replace", NULL, "use heaps, and replace blocks, whose names are taken") \
    X(FREE, "--free", NULL, "free them") \
    X(CLOSE, "--close", "SESSION", "close this session") \
    X(COLUMNS, "-o", "COLUMNS", "the columns to print, with commas between them, in full") \
    X(SORT, "--sort", "COLUMN", \
      "sort by a column: numbers from the largest on; \"-\" before it reverses the order") \
    X(BYTES, "--bytes", NULL, "print sizes in full") \
    X(KEEP_GOING, "--keep-going", NULL, "go on after a line that fails") \
    X(METHODS, "--methods", NULL, "the calls of each method, and how long they took") \
    X(PROMETHEUS, "--prometheus", NULL, "all counters in the text format of Prometheus") \
    X(INTERVAL, "--interval", "SECONDS", \
      "again and again, with so many seconds in between; 0.5 is half a second") \
    X(ONCE, "--once", NULL, "one look, as plain lines") \
    X(SPEED, "--speed", "SPEED", "so many times as fast, or \"max\": as fast as it goes")

enum cli_option {
#define CLI_OPTION_ENUM(identifier, name, value, doc) CLI_##identifier,
    CLI_OPTIONS(CLI_OPTION_ENUM)
#undef CLI_OPTION_ENUM
        CLI_OPTION_COUNT
};

/* An option in a set of options: CLI_TAKES(HEAP) | CLI_TAKES(NAME). */
#define CLI_TAKES(identifier) (UINT64_C(1) << CLI_##identifier)

/* Options that every verb takes which talks to a daemon. */
#define CLI_COMMON_OPTIONS \
    (CLI_TAKES(PIPE) | CLI_TAKES(SERVER_USER) | CLI_TAKES(JSON) | CLI_TAKES(TIMEOUT) | CLI_TAKES(COLOR) | \
     CLI_TAKES(HELP))

/* In the order of enum cli_option. */
extern const struct um_option_table cli_option_table;

/* What must be there before a verb runs. */
enum cli_need {
    CLI_NEEDS_DAEMON, /* cli->client is connected */
    CLI_NEEDS_PIPE,   /* cli->client knows the pipe; the verb connects with cli_connect() if needed */
    CLI_NEEDS_NOTHING /* there is no client; the verb takes --help only */
};

/* Where a verb runs. */
enum cli_place {
    CLI_ANYWHERE,
    CLI_ALONE,     /* by a umem of its own, not as one of the lines of a session */
    CLI_IN_SESSION /* only there */
};

struct cli {
    const struct cli_verb *verb;
    const struct cli *session; /* umem batch or shell, of whose lines this is one; NULL: a umem of its own */
    const char *option[CLI_OPTION_COUNT]; /* values; "" for one that takes none; NULL: not given */
    const char **word_memory;             /* to be freed; `words` points into it */
    const char **words;                   /* what is no option, the verb's name taken away; ends with NULL */
    int word_count;
    const char **rest; /* what follows "--" where the verb's words have one; ends with NULL; else NULL */
    bool has_run;      /* the command in `rest` was started: the exit status is its own */
    bool keeps_client; /* it is still in use and ends with the process */
    umem_client *client;
    char *result; /* of the last call, as JSON; NULL: there was none, or it has failed */
};

/* How a word or an option's value is written as a parameter. */
enum cli_param_kind { CLI_AS_HANDLE, CLI_AS_SIZE, CLI_AS_TEXT, CLI_AS_LIST };

/* A parameter of a verb's method. */
struct cli_param {
    const char *key; /* NULL: the list has ended */
    enum cli_param_kind kind;
    bool is_option;
    int place; /* of the word among the words, or of the option in its list */
};

#define CLI_WORD(place, key, kind) \
    { \
        key, CLI_AS_##kind, false, place \
    }
#define CLI_OPTION(identifier, key, kind) \
    { \
        key, CLI_AS_##kind, true, CLI_##identifier \
    }

enum { CLI_PARAMS_MAXIMUM = 8 };

struct cli_verb {
    const char *name;   /* "alloc", "heap create" */
    const char *alias;  /* another name; NULL: none */
    const char *words;  /* what follows, as in a synopsis: "BLOCK [DATA]", "BLOCK OFFSET VALUE..." */
    uint64_t options;   /* its own, of CLI_TAKES, beside those in `params` */
    const char *method; /* for cli_run_method(): what it calls, */
    struct cli_param params[CLI_PARAMS_MAXIMUM + 1]; /* with which parameters, */
    const char *shown;   /* and what it prints of the result: one member; "": all members; NULL: nothing */
    const char *summary; /* one line, a phrase */
    const char *detail;  /* paragraphs, an empty line between them; NULL: there is no more to say */
    const char *example; /* command lines; NULL: none */
    enum cli_need need;
    enum cli_place place;
    bool is_test;                /* CLI_NO is an answer, so that the daemon's errors are CLI_REFUSED */
    bool waits;                  /* --timeout is a parameter of the method; the call itself has no deadline */
    int (*run)(struct cli *cli); /* returns an exit status; a failure has been reported */
};

/* The families of verbs, in the order of the help. Each list ends with an entry without a name. */
extern const struct cli_verb cli_heap_verbs[];
extern const struct cli_verb cli_block_verbs[];
extern const struct cli_verb cli_bytes_verbs[];
extern const struct cli_verb cli_range_verbs[];
extern const struct cli_verb cli_value_verbs[];
extern const struct cli_verb cli_holding_verbs[];
extern const struct cli_verb cli_map_verbs[];
extern const struct cli_verb cli_save_verbs[];
extern const struct cli_verb cli_load_verbs[];
extern const struct cli_verb cli_watch_verbs[];
extern const struct cli_verb cli_server_verbs[];
extern const struct cli_verb cli_stats_verbs[];
extern const struct cli_verb cli_report_verbs[];
extern const struct cli_verb cli_record_verbs[];
extern const struct cli_verb cli_call_verbs[];
extern const struct cli_verb cli_session_verbs[];
extern const struct cli_verb cli_help_verbs[];

/* Walks over all verbs: the one after `verb`, the first one after NULL; NULL at the end. */
const struct cli_verb *cli_next_verb(const struct cli_verb *verb);

/* The verb of that whole name or alias, or NULL. */
const struct cli_verb *cli_find_verb(const char *name);

/* The options that only some verbs take, as far as this one takes them, and all options that it takes. */
uint64_t cli_own_options(const struct cli_verb *verb);
uint64_t cli_verb_options(const struct cli_verb *verb);

/* Whether what follows "--" is the verb's own (`rest`). */
bool cli_verb_has_rest(const struct cli_verb *verb);

/* Whether that is a command to run. */
bool cli_verb_runs_command(const struct cli_verb *verb);

/* How many words a verb takes at least and at most (-1: any number), by its synopsis. */
void cli_count_words(const struct cli_verb *verb, int *minimum, int *maximum);

/* Copies the next token of a synopsis, without brackets and dots, to `token` (token_size bytes). Returns false at its end, or at
 * "--". */
bool cli_next_token(const char **synopsis, char *token, size_t token_size, bool *is_optional,
                    bool *is_repeated);

enum { CLI_SYNOPSIS_SIZE = 512 };

/* Writes a verb's synopsis with its own options: "umem read BLOCK [--offset SIZE] ...". */
void cli_synopsis(const struct cli_verb *verb, char synopsis[CLI_SYNOPSIS_SIZE]);

#endif
