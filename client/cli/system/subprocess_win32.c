#include "cli/system/subprocess.h"

#include <stdint.h>

#include <windows.h>

/* The program while it runs; NULL: there is none. */
static HANDLE volatile running;

/* Keys of the console go to the program as well, and so does the console's end, after which the system ends all processes soon:
 * what umem holds is to be released after the program's end, not before. */
static BOOL WINAPI on_control(DWORD event)
{
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT && running != NULL)
        WaitForSingleObject(running, INFINITE);
    return TRUE;
}

static void on_exit_of_program(uv_process_t *process, int64_t status, int signal_number)
{
    (void)signal_number;
    *(int *)process->data = (int)(status & INT32_MAX);
    uv_close((uv_handle_t *)process, NULL);
}

/* libuv puts the program, without those that it starts, in a job that ends with umem: whatever ends umem ends the program, which
 * would else run on without what umem holds for it. */
static int start(uv_loop_t *loop, uv_process_t *process, const char *const *words)
{
    uv_stdio_container_t files[3] = {
        {.flags = UV_INHERIT_FD, .data = {.fd = 0}},
        {.flags = UV_INHERIT_FD, .data = {.fd = 1}},
        {.flags = UV_INHERIT_FD, .data = {.fd = 2}},
    };
    const uv_process_options_t options = {
        .exit_cb = on_exit_of_program,
        .file = words[0],
        .args = (char **)(uintptr_t)words,
        .stdio_count = 3,
        .stdio = files,
    };
    int error = uv_spawn(loop, process, &options);

    if (error != 0)
        uv_close((uv_handle_t *)process, NULL);
    return error;
}

int cli_run_command(const char *const *words, int *status)
{
    uv_process_t process = {.data = status};
    uv_loop_t loop;
    int error = uv_loop_init(&loop);

    if (error != 0)
        return error;
    SetConsoleCtrlHandler(on_control, TRUE);
    error = start(&loop, &process, words);
    if (error == 0)
        running = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)uv_process_get_pid(&process));
    uv_run(&loop, UV_RUN_DEFAULT);
    SetConsoleCtrlHandler(on_control, FALSE);
    uv_loop_close(&loop);
    if (running != NULL)
        CloseHandle(running);
    running = NULL;
    return error;
}

int cli_start_thread(void (*run)(void *context), void *context)
{
    uv_thread_t thread;

    return uv_thread_create(&thread, run, context);
}
