/*
 * Text in lines of a terminal's width, for the help of both programs.
 *
 * Owns: the width. Must not know: where the lines go.
 */
#ifndef UM_WRAP_H
#define UM_WRAP_H

#include <stddef.h>

enum { UM_WRAP_WIDTH = 80 };

/* Takes bytes of the text. */
typedef void um_wrap_sink(void *context, const char *bytes, size_t size);

/* Puts text out, ended by a line's end: words that go on at `column` of the line that is begun, where they fit, and at `indent` of
 * every next one. A line's end in the text is kept; a word that is longer than a line is not cut. */
void um_wrap(const char *text, int indent, int column, um_wrap_sink *sink, void *context);

#endif
