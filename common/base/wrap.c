#include "base/wrap.h"

#include <string.h>

static void put_spaces(int count, um_wrap_sink *sink, void *context)
{
    for (; count > 0; count--)
        sink(context, " ", 1);
}

void um_wrap(const char *text, int indent, int column, um_wrap_sink *sink, void *context)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        int spaces;

        if (column > indent && column + 1 + (int)length > UM_WRAP_WIDTH) {
            sink(context, "\n", 1);
            column = 0;
        }
        if (length != 0) {
            spaces = column < indent ? indent - column : column > indent;
            put_spaces(spaces, sink, context);
            sink(context, text, length);
            column += spaces + (int)length;
        }
        text += length;
        if (*text == '\n') {
            sink(context, "\n", 1);
            column = 0;
        }
        text += *text != '\0';
    }
    sink(context, "\n", 1);
}
