#include "cli/output/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/system/file_io.h"
#include "cli/system/subprocess.h"
#include "cli/table/verb.h"

enum { BUFFER_SIZE = 1 << 16, FORMAT_SIZE = 512 };

static struct {
    char bytes[BUFFER_SIZE];
    size_t size;
    int error;                 /* libuv's, of the first write that failed; 0: none has */
    bool is_watched;           /* a thread waits for the reader's end */
    bool exits_on_broken_pipe; /* under the lock: and ends the process then */
    uv_mutex_t lock;
} output;

static uv_once_t lock_once = UV_ONCE_INIT;

int cli_flush(void)
{
    if (output.error == 0)
        output.error = cli_write_file(CLI_OUTPUT, output.bytes, output.size);
    output.size = 0;
    return output.error;
}

void cli_print_bytes(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size != 0) {
        size_t step = size < BUFFER_SIZE - output.size ? size : BUFFER_SIZE - output.size;

        memcpy(output.bytes + output.size, at, step);
        output.size += step;
        at += step;
        size -= step;
        if (output.size == BUFFER_SIZE)
            cli_flush();
    }
}

static void put_bytes(void *context, const char *bytes, size_t size)
{
    (void)context;
    cli_print_bytes(bytes, size);
}

const struct um_page cli_page = {put_bytes, NULL};

void cli_print(const char *text)
{
    cli_print_bytes(text, strlen(text));
}

void cli_print_char(char character)
{
    cli_print_bytes(&character, 1);
}

void cli_print_line(const char *text)
{
    cli_print(text);
    cli_print("\n");
}

/* Prints what does not fit on the stack. */
UM_PRINTF(2, 0)
static void print_long(size_t size, const char *format, va_list list)
{
    char *text = malloc(size + 1);

    if (text == NULL) {
        output.error = output.error != 0 ? output.error : UV_ENOMEM;
        return;
    }
    vsnprintf(text, size + 1, format, list);
    cli_print_bytes(text, size);
    free(text);
}

int cli_printf(const char *format, ...)
{
    char text[FORMAT_SIZE];
    va_list list;
    va_list again;
    int size;

    va_start(list, format);
    va_copy(again, list);
    size = vsnprintf(text, sizeof text, format, list);
    if (size >= FORMAT_SIZE)
        print_long((size_t)size, format, again);
    else if (size > 0)
        cli_print_bytes(text, (size_t)size);
    va_end(again);
    va_end(list);
    return size;
}

/* ---- its reader ---- */

static void make_lock(void)
{
    uv_mutex_init(&output.lock);
}

static void set_exits_on_broken_pipe(bool exits)
{
    uv_once(&lock_once, make_lock);
    uv_mutex_lock(&output.lock);
    output.exits_on_broken_pipe = exits;
    uv_mutex_unlock(&output.lock);
}

static void watch_reader(void *context)
{
    (void)context;
    if (!cli_wait_for_broken_pipe())
        return;
    uv_mutex_lock(&output.lock);
    if (output.exits_on_broken_pipe)
        cli_exit_broken_pipe(CLI_FAILED);
    uv_mutex_unlock(&output.lock);
}

void cli_exit_on_broken_pipe(void)
{
    set_exits_on_broken_pipe(true);
    /* Without a thread it lives until its next write, which is no reason to fail. */
    if (!output.is_watched)
        output.is_watched = cli_start_thread(watch_reader, NULL) == 0;
}

void cli_ignore_broken_pipe(void)
{
    set_exits_on_broken_pipe(false);
}
