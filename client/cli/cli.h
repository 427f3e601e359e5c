/*
 * What the verbs of `umem` share: the words of the command line, the connection, and how results and errors are shown.
 *
 * Owns: struct cli. Must not know: what a verb does.
 */
#ifndef UMEM_CLI_H
#define UMEM_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "attributes.h"
#include "buf.h"
#include "umem_client.h"

struct cJSON;

/* Exit statuses, as `umem help` tells them. */
enum cli_status { CLI_OK = 0, CLI_ERROR = 1, CLI_USAGE = 2, CLI_NO_CONNECTION = 3 };

/* X(identifier, name, name of its value or NULL where it takes none, what it does) */
#define CLI_OPTIONS(X) \
    X(PIPE, "--pipe", "PATH", "the daemon's pipe; else UMEM_PIPE, else the user's own") \
    X(JSON, "--json", NULL, "print results as JSON") \
    X(TIMEOUT, "--timeout", "MS", "give up after so many milliseconds; 0: never") \
    X(NAME, "--name", "NAME", "a name that may stand for the handle") \
    X(HEAP, "--heap", "HEAP", "the heap: handle or name") \
    X(LIFETIME, "--lifetime", "WORD", "\"server\" or \"session\"") \
    X(MAXIMUM_SIZE, "--maximum-size", "SIZE", "most that a heap's blocks may have together") \
    X(OFFSET, "--offset", "SIZE", "where to begin") \
    X(SIZE, "--size", "SIZE", "how many bytes") \
    X(FILE, "--file", "PATH", "take the bytes from a file") \
    X(HEX, "--hex", NULL, "bytes as hexadecimal digits") \
    X(BASE64, "--base64", NULL, "bytes as base64") \
    X(UTF8, "--utf8", NULL, "bytes as text, which must be UTF-8") \
    X(ORPHANED, "--orphaned", NULL, "only blocks without a name that no open session holds")

enum cli_option {
#define CLI_OPTION_ENUM(identifier, name, value, doc) CLI_##identifier,
    CLI_OPTIONS(CLI_OPTION_ENUM)
#undef CLI_OPTION_ENUM
        CLI_OPTION_COUNT
};

enum { CLI_WORDS_MAXIMUM = 8 };

struct cli {
    const char *option[CLI_OPTION_COUNT]; /* values; "" for one that takes none; NULL: not given */
    const char *words[CLI_WORDS_MAXIMUM]; /* what is no option, the verb's name taken away */
    int word_count;
    char pipe[512];      /* the pipe's path */
    umem_client *client; /* connected, or NULL for verbs that need no daemon */
};

/* A verb: its entry stands beside its handler in verbs_*.c. */
struct cli_verb {
    const char *name;    /* "alloc", "heap create" */
    const char *usage;   /* what follows the name */
    const char *summary; /* one line */
    int words_minimum;   /* words after the name */
    int words_maximum;
    bool offline;                /* works without a daemon */
    int (*run)(struct cli *cli); /* returns an exit status */
};

/* Each list ends with an entry without a name. */
extern const struct cli_verb cli_block_verbs[];
extern const struct cli_verb cli_heap_verbs[];
extern const struct cli_verb cli_server_verbs[];

/* Prints "umem: ..." on standard error and returns the status. */
UM_PRINTF(2, 3)
int cli_fail(int status, const char *format, ...);

/* Tells the client's last error: name, message, and what to do where nobody answers. Returns the exit status. */
int cli_fail_call(const struct cli *cli);

/* Reads a size: decimal digits, with K, M or G for powers of 1024. Returns false where it is none, or passes 2^53 - 1. */
bool cli_parse_size(const char *text, uint64_t *size);

/* Begins an object of parameters in `params`, which cli_call() ends and frees. */
void cli_begin(struct um_buf *params);

/* Parameters: a handle (digits) or a name; a size; text. NULL text: none. Return false for a size that is none, told. */
void cli_put_handle(struct um_buf *params, const char *key, const char *text);
bool cli_put_size(struct um_buf *params, const char *key, const char *text);
void cli_put_text(struct um_buf *params, const char *key, const char *text);

/* Calls the method. *result (NULL: not wanted) is the result as text, to be freed with umem_free_text(); with --json it is
 * printed already. Returns an exit status; an error has been told. */
int cli_call(struct cli *cli, const char *method, struct um_buf *params, char **result);

/* A member of a JSON object as text, "" where there is none; integers in full. `room` holds numbers. */
const char *cli_member(const struct cJSON *object, const char *name, char room[32]);

/* Standard input and output carry bytes as they are from now on. */
void cli_binary_mode(void);

#endif
