/*
 * Colours: on a terminal, and few.
 *
 * Owns: whether there are any. Must not know: what is printed.
 */
#ifndef UMEM_CLI_COLOR_H
#define UMEM_CLI_COLOR_H

#include <stdbool.h>

enum cli_style {
    CLI_STYLE_PLAIN, /* ends the others */
    CLI_STYLE_TITLE, /* of a column, or of a part of the help */
    CLI_STYLE_ERROR  /* what begins a failure */
};

/* Sets when there are colours: "auto" (the default), on terminals that show them, unless NO_COLOR of the environment is set and not
 * empty; "always"; or "never". Returns false, and changes nothing, for other words. */
bool cli_color_choose(const char *when);

/* The characters that begin a style on standard output or standard error (CLI_OUTPUT, CLI_ERRORS); "": there are no colours. */
const char *cli_style(int file, enum cli_style style);

#endif
