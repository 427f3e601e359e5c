#include "child.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#include "buf.h"
#include "wide.h"

enum { COMMAND_LIMIT = 32767, PATH_ROOM = 1024 };

/* One argument as CommandLineToArgvW reads it: backslashes count double before a quotation mark. */
static void quote(struct um_buf *line, const char *word)
{
    size_t backslashes = 0;

    if (line->size != 0)
        um_buf_append_byte(line, ' ');
    if (*word != '\0' && strpbrk(word, " \t\n\v\"") == NULL) {
        um_buf_append_string(line, word);
        return;
    }
    um_buf_append_byte(line, '"');
    for (; *word != '\0'; word++) {
        if (*word == '\\') {
            backslashes++;
            continue;
        }
        if (*word == '"')
            backslashes = 2 * backslashes + 1;
        for (; backslashes != 0; backslashes--)
            um_buf_append_byte(line, '\\');
        um_buf_append_byte(line, *word);
    }
    for (; backslashes != 0; backslashes--)
        um_buf_append_string(line, "\\\\");
    um_buf_append_byte(line, '"');
}

static BOOL WINAPI on_control(DWORD event)
{
    return event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
}

static int wait_for(PROCESS_INFORMATION *process)
{
    DWORD status = 0;

    WaitForSingleObject(process->hProcess, INFINITE);
    GetExitCodeProcess(process->hProcess, &status);
    CloseHandle(process->hThread);
    CloseHandle(process->hProcess);
    return (int)(status & 0x7fffffff);
}

static int start(WCHAR *line, bool is_quiet, PROCESS_INFORMATION *process)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    STARTUPINFOW startup = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES};
    HANDLE nowhere = INVALID_HANDLE_VALUE;
    BOOL is_started;
    DWORD error;

    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (is_quiet) {
        nowhere = CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                              OPEN_EXISTING, 0, NULL);
        startup.hStdOutput = nowhere;
        startup.hStdError = nowhere;
    }
    is_started = CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, process);
    error = GetLastError();
    if (nowhere != INVALID_HANDLE_VALUE)
        CloseHandle(nowhere);
    if (is_started)
        return 0;
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ? CLI_CHILD_ABSENT
                                                                          : CLI_CHILD_REFUSED;
}

int cli_run_child(const char *const *words, bool is_quiet)
{
    PROCESS_INFORMATION process;
    struct um_buf line;
    WCHAR *wide = NULL;
    int status = CLI_CHILD_REFUSED;

    um_buf_init(&line, COMMAND_LIMIT);
    for (; *words != NULL; words++)
        quote(&line, *words);
    um_buf_append_byte(&line, '\0');
    if (!line.failed)
        wide = cli_wide(line.data);
    um_buf_deinit(&line);
    if (wide == NULL)
        return status;
    SetConsoleCtrlHandler(on_control, TRUE);
    status = start(wide, is_quiet, &process);
    if (status == 0)
        status = wait_for(&process);
    SetConsoleCtrlHandler(on_control, FALSE);
    free(wide);
    return status;
}

void cli_set_environment(const char *name, const char *value)
{
    WCHAR *wide_name = cli_wide(name);
    WCHAR *wide_value = cli_wide(value);

    if (wide_name != NULL && wide_value != NULL)
        SetEnvironmentVariableW(wide_name, wide_value);
    free(wide_name);
    free(wide_value);
}

bool cli_find_neighbour(const char *name, char *path, size_t room)
{
    WCHAR self[PATH_ROOM];
    WCHAR *wide_name = cli_wide(name);
    DWORD size = GetModuleFileNameW(NULL, self, PATH_ROOM);
    WCHAR *slash = size != 0 && size < PATH_ROOM ? wcsrchr(self, L'\\') : NULL;
    bool found = false;

    if (slash != NULL && wide_name != NULL &&
        (size_t)(slash + 1 - self) + wcslen(wide_name) + wcslen(L".exe") < PATH_ROOM) {
        wcscpy(slash + 1, wide_name);
        wcscat(slash, L".exe");
        found = GetFileAttributesW(self) != INVALID_FILE_ATTRIBUTES &&
                WideCharToMultiByte(CP_UTF8, 0, self, -1, path, (int)room, NULL, NULL) > 0;
    }
    free(wide_name);
    return found;
}

void cli_pause_ms(unsigned milliseconds)
{
    Sleep(milliseconds);
}
