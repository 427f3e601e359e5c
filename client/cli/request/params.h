/*
 * From words of the command line to parameters of a method.
 *
 * Owns: how sizes, handles and values are written on the command line. Must not know: which methods there
 * are.
 *
 * A word that is wrong is reported at once; the parameters are then wrong, and calling with them returns
 * CLI_USAGE.
 */
#ifndef UMEM_CLI_PARAMS_H
#define UMEM_CLI_PARAMS_H

#include "base/buf.h"
#include "cli/table/verb.h"

struct cli_params {
    struct um_buf json; /* an object that is not ended yet */
    bool is_wrong;      /* a word was refused, and that has been reported */
    bool has_floats;    /* its values are for f32 or f64; the caller sets it */
};

/* Begins parameters, which the functions that call a method end and free. */
void cli_params_begin(struct cli_params *params);

/* Begins them with those that the verb's entry names. */
void cli_params_begin_verb(const struct cli *cli, struct cli_params *params);

/* Frees parameters that are not used for a call. */
void cli_params_drop(struct cli_params *params);

/* Each adds one parameter, or nothing where `text` is NULL. The daemon distinguishes a handle from a name, in
 * the same way for all its clients. */
void cli_put_handle(struct cli_params *params, const char *key, const char *text);
void cli_put_size(struct cli_params *params, const char *key, const char *text);
void cli_put_text(struct cli_params *params, const char *key, const char *text);
void cli_put_milliseconds(struct cli_params *params, const char *key, const char *text);

/* Words with commas between them, as an array. */
void cli_put_string_list(struct cli_params *params, const char *key, const char *text);

/* Whether the word is a number as cli_put_value() takes them. */
bool cli_is_number(const char *text);

/* A number for memory: an integer (also 0x...), of 64 bits where it is not for floats, or one with a fraction or an exponent,
 * "nan", "inf". The decimal point is a point in every locale. */
void cli_put_value(struct cli_params *params, const char *key, const char *text);

/* The same as an element of an array that was begun in params->json. */
void cli_put_element(struct cli_params *params, const char *text);

/* Bytes, as hexadecimal digits with the encoding beside them. */
void cli_put_bytes(struct cli_params *params, const char *key, const void *bytes, size_t size);

/* Reads a size as um_size_parse() does. Returns false where it is none, or passes 2^53 - 1. */
bool cli_parse_size(const char *text, uint64_t *size);

/* The option as a size, `fallback` where it was not given. Returns an exit status; a failure has been
 * reported. */
int cli_option_size(const struct cli *cli, enum cli_option option, uint64_t fallback, uint64_t *size);

/* The option as seconds, with a fraction of at most three digits, in milliseconds: 1 to a day's. Likewise. */
int cli_option_seconds(const struct cli *cli, enum cli_option option, uint64_t fallback_ms, uint64_t *ms);

/* The bytes that a word stands for: its own, or those that --hex or --base64 make of it, white space (of --hex between bytes only)
 * left out. The caller frees
 * them. Returns an exit status; a failure has been reported. */
int cli_decode_word(const struct cli *cli, const char *text, char **bytes, size_t *size);

#endif
