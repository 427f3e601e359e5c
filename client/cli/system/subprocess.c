#include "cli/system/subprocess.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "program/files.h"

enum {
    PATH_SIZE = 4096,
    SIGNAL_STATUS = 128,
    DRAIN_MS =
        20 /* what is read from a program's standard error after its end, where another one keeps it open */
};

/* A program that is run by cli_run_launcher(). */
struct launch {
    uv_loop_t loop;
    uv_process_t process;
    uv_pipe_t pipe; /* its standard error */
    uv_timer_t timer;
    char *errors; /* what has come from it */
    size_t errors_size;
    size_t used;
    int status;
    char bytes[1 << 12]; /* as they come */
};

static void close_pipe(struct launch *launch)
{
    if (!uv_is_closing((uv_handle_t *)&launch->pipe))
        uv_close((uv_handle_t *)&launch->pipe, NULL);
    if (!uv_is_closing((uv_handle_t *)&launch->timer))
        uv_close((uv_handle_t *)&launch->timer, NULL);
}

static void on_timeout(uv_timer_t *timer)
{
    close_pipe(timer->data);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    struct launch *launch = handle->data;

    (void)suggested_size;
    *buf = uv_buf_init(launch->bytes, sizeof launch->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct launch *launch = stream->data;
    size_t available = launch->errors_size - 1 - launch->used;
    size_t kept = size > 0 && (size_t)size < available ? (size_t)size : available;

    if (size < 0) {
        close_pipe(launch);
        return;
    }
    if (size == 0)
        return;
    memcpy(launch->errors + launch->used, buf->base, kept);
    launch->used += kept;
}

static void on_exit(uv_process_t *process, int64_t status, int signal_number)
{
    struct launch *launch = process->data;

    launch->status = signal_number != 0 ? SIGNAL_STATUS + signal_number : (int)(status & INT32_MAX);
    uv_close((uv_handle_t *)process, NULL);
    if (!uv_is_closing((uv_handle_t *)&launch->timer))
        uv_timer_start(&launch->timer, on_timeout, DRAIN_MS, 0);
}

static int start(struct launch *launch, const char *const *words)
{
    uv_stdio_container_t files[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE),
         .data = {.stream = (uv_stream_t *)&launch->pipe}},
    };
    const uv_process_options_t options = {
        .exit_cb = on_exit,
        .file = words[0],
        .args = (char **)(uintptr_t)words,
        .flags = UV_PROCESS_WINDOWS_HIDE,
        .stdio_count = 3,
        .stdio = files,
    };
    int error = uv_spawn(&launch->loop, &launch->process, &options);

    if (error == 0)
        return uv_read_start((uv_stream_t *)&launch->pipe, on_alloc, on_read);
    uv_close((uv_handle_t *)&launch->process, NULL);
    close_pipe(launch);
    return error;
}

int cli_run_launcher(const char *const *words, int *status, char *errors, size_t errors_size)
{
    struct launch launch = {.errors = errors, .errors_size = errors_size};
    int error = uv_loop_init(&launch.loop);

    errors[0] = '\0';
    if (error != 0)
        return error;
    uv_pipe_init(&launch.loop, &launch.pipe, 0);
    uv_timer_init(&launch.loop, &launch.timer);
    launch.process.data = &launch;
    launch.pipe.data = &launch;
    launch.timer.data = &launch;
    error = start(&launch, words);
    uv_run(&launch.loop, UV_RUN_DEFAULT);
    uv_loop_close(&launch.loop);
    errors[launch.used] = '\0';
    *status = launch.status;
    return error;
}

/* The suffix of this program's own name is also the other one's. */
bool cli_find_sibling_program(const char *name, char *path, size_t path_size)
{
    char self[PATH_SIZE];
    size_t size = sizeof self;
    char *base;
    const char *suffix;

    if (uv_exepath(self, &size) != 0)
        return false;
    base = strrchr(self, '/') != NULL ? strrchr(self, '/') : strrchr(self, '\\');
    if (base == NULL)
        return false;
    suffix = strstr(base, ".exe") != NULL ? ".exe" : "";
    if (snprintf(path, path_size, "%.*s%s%s", (int)(base + 1 - self), self, name, suffix) >= (int)path_size)
        return false;
    return um_file_access(path, UM_FILE_EXECUTE) == 0;
}
