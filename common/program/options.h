/*
 * Options on a command line: "--name", "--name VALUE" or "--name=VALUE", and "-h" for --help.
 *
 * Owns: nothing. Must not know: what the options of a program mean, and what else is on its command line.
 *
 * Each program has one table of its options. Reading, errors, help (manual.h) and the man page are derived from it.
 */
#ifndef UM_OPTIONS_H
#define UM_OPTIONS_H

#include <stddef.h>

struct um_option {
    const char *name; /* with its dashes */
    const char *
        value; /* what its value is called; NULL: it takes none; "[=...": it may follow an equals sign, or be left out */
    const char *doc; /* what it does: a phrase without a capital letter and a full stop */
};

struct um_option_table {
    const struct um_option *options;
    int count;
    const char *help; /* where all of them are described: "umem help"; NULL: the caller says that */
};

/* The option of that name, whose length is given. Returns its place in the table, or -1. */
int um_option_find(const struct um_option_table *table, const char *name, size_t length);

/* Reads the option at arguments[*at], and moves *at to the last argument that belongs to it. *value is what it was given, ""
 * for an option that has none. Returns its place in the table, or -1 with a sentence without a full stop in `error`. */
int um_option_read(const struct um_option_table *table, char *const *arguments, int *at, const char **value,
                   char *error, size_t error_size);

#endif
