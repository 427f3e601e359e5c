#include "test_process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_exit_of_child(uv_process_t *child, int64_t status, int signal_number)
{
    struct process *process = child->data;

    process->status = signal_number != 0 ? 128 + signal_number : status;
    process->exited = true;
    uv_close((uv_handle_t *)child, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct process *process = handle->data;

    (void)suggested;
    *buf = uv_buf_init(process->scratch, sizeof process->scratch);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct process *process = stream->data;
    bool is_output = (void *)stream == (void *)&process->out;
    char *text = is_output ? process->output : process->errors;
    size_t *size = is_output ? &process->output_size : &process->errors_size;

    if (count < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    if (is_output)
        process->output_total += (uint64_t)count;
    if ((size_t)count > PROCESS_OUTPUT_SIZE - 1 - *size)
        count = (ssize_t)(PROCESS_OUTPUT_SIZE - 1 - *size);
    memcpy(text + *size, buf->base, (size_t)count);
    *size += (size_t)count;
    text[*size] = '\0';
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void on_input_ended(uv_shutdown_t *request, int status)
{
    (void)status;
    uv_close((uv_handle_t *)request->handle, NULL);
    free(request);
}

void process_send(struct process *process, const char *input)
{
    uv_write_t *request = malloc(sizeof *request);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)input, (unsigned)strlen(input));

    /* A program that ends before it has read its input is no reason to end as well. The child has its own setting. */
#ifdef SIGPIPE
    signal(SIGPIPE, SIG_IGN);
#endif
    if (request == NULL || uv_write(request, (uv_stream_t *)&process->in, &buf, 1, on_written) != 0)
        free(request);
}

void process_end_input(struct process *process)
{
    uv_shutdown_t *request = malloc(sizeof *request);

    if (request != NULL && uv_shutdown(request, (uv_stream_t *)&process->in, on_input_ended) == 0)
        return;
    free(request);
    uv_close((uv_handle_t *)&process->in, NULL);
}

void process_close_output(struct process *process)
{
    if (!uv_is_closing((uv_handle_t *)&process->out))
        uv_close((uv_handle_t *)&process->out, NULL);
}

int process_start_as(struct process *process, const char *const *args, const struct process_options *given)
{
    bool has_input = given->input != NULL || given->stays_open;
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE}};
    uv_process_options_t options = {0};
    int code;
    static bool is_prepared;

    /* No umemd reads the settings of who runs the tests, until a test names a file. */
    if (!is_prepared)
        uv_os_setenv("UMEMD_CONFIG", "none");
    is_prepared = true;
    memset(process, 0, sizeof *process);
    uv_loop_init(&process->loop);
    uv_pipe_init(&process->loop, &process->in, 0);
    uv_pipe_init(&process->loop, &process->out, 0);
    uv_pipe_init(&process->loop, &process->err, 0);
    process->child.data = process;
    process->out.data = process;
    process->err.data = process;
    if (has_input) {
        stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
        stdio[0].data.stream = (uv_stream_t *)&process->in;
    }
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&process->out;
    stdio[2].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[2].data.stream = (uv_stream_t *)&process->err;
    options.file = args[0];
    options.args = (char **)(uintptr_t)args;
    options.stdio = stdio;
    options.stdio_count = 3;
    options.exit_cb = on_exit_of_child;
    code = uv_spawn(&process->loop, &process->child, &options);
    if (code != 0) {
        fprintf(stderr, "%s cannot be started: %s\n", args[0], uv_strerror(code));
        process->exited = true;
        process->status = -1;
        uv_close((uv_handle_t *)&process->child, NULL);
    }
    if (code == 0 && given->input != NULL)
        process_send(process, given->input);
    if (code != 0 || !has_input)
        uv_close((uv_handle_t *)&process->in, NULL);
    else if (!given->stays_open)
        process_end_input(process);
    if (code != 0 || uv_read_start((uv_stream_t *)&process->out, on_alloc, on_read) != 0)
        uv_close((uv_handle_t *)&process->out, NULL);
    if (code != 0 || uv_read_start((uv_stream_t *)&process->err, on_alloc, on_read) != 0)
        uv_close((uv_handle_t *)&process->err, NULL);
    return code;
}

int process_start(struct process *process, const char *const *args, const char *input)
{
    const struct process_options given = {.input = input};

    return process_start_as(process, args, &given);
}

bool process_wait_for_output(struct process *process, size_t size)
{
    while (process->output_total < size) {
        if (uv_run(&process->loop, UV_RUN_ONCE) == 0)
            return process->output_total >= size;
    }
    return true;
}

bool process_wait_for(struct process *process, const char *text)
{
    while (strstr(process->errors, text) == NULL) {
        if (uv_run(&process->loop, UV_RUN_ONCE) == 0)
            return strstr(process->errors, text) != NULL;
    }
    return true;
}

bool process_poll(struct process *process)
{
    uv_run(&process->loop, UV_RUN_NOWAIT);
    return process->exited;
}

void process_kill(struct process *process)
{
    if (!process->exited)
        uv_process_kill(&process->child, SIGKILL);
}

void process_terminate(struct process *process)
{
    if (!process->exited)
        uv_process_kill(&process->child, SIGTERM);
}

int process_finish(struct process *process)
{
    uv_run(&process->loop, UV_RUN_DEFAULT);
    uv_loop_close(&process->loop);
    return (int)process->status;
}

int process_run(struct process *process, const char *const *args, const char *input)
{
    process_start(process, args, input);
    return process_finish(process);
}
