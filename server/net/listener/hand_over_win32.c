/* The private endpoint is a pipe beside the daemon's, PIPE.new. Handles are duplicated into the successor, and their numbers travel
 * as text. */
#include "net/listener/hand_over.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/security_win32.h"
#include "umem_errors.h"
#include "wire/endpoint.h"

/* The form of what is sent, for daemons that may send something else one day. */
static const char greeting[] = "umemd hands over 1";

enum {
    MESSAGE_SIZE = 1024, /* bytes of it and the handles */
    BUFFER_SIZE = 4096,
    SEND_MS = 20, /* the pipe's buffer takes it at once */
    BUSY_MS = 100
};

struct um_hand_over {
    HANDLE pipe;
};

struct um_take_over {
    char path[UM_ENDPOINT_CAPACITY + 8];
    HANDLE pipe;  /* the private endpoint's one instance */
    HANDLE event; /* of the operation that is under way */
};

static bool to_wide(const char *text, WCHAR *wide, size_t size)
{
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, (int)size) != 0;
}

static int refuse(int code, char *why, size_t capacity, const char *what, const char *path)
{
    snprintf(why, capacity, "%s %s: Windows error %lu", what, path, GetLastError());
    return code;
}

static bool is_own(HANDLE process)
{
    union um_user own;
    union um_user other;

    return um_security_user_of(GetCurrentProcess(), &own) && um_security_user_of(process, &other) &&
           (EqualSid(own.token.User.Sid, other.token.User.Sid) ||
            IsWellKnownSid(other.token.User.Sid, WinLocalSystemSid));
}

void um_handed_close(const struct um_handed *handed)
{
    for (size_t i = 0; i < handed->count; i++)
        CloseHandle((HANDLE)handed->handles[i]);
}

/* Ends an operation that has begun. False with Windows' error set, WAIT_TIMEOUT at the end of the time. */
static bool finish(HANDLE pipe, OVERLAPPED *operation, DWORD timeout_ms, DWORD *done)
{
    bool has_ended = WaitForSingleObject(operation->hEvent, timeout_ms) == WAIT_OBJECT_0;

    if (!has_ended)
        CancelIoEx(pipe, operation);
    if (GetOverlappedResult(pipe, operation, done, TRUE))
        return true;
    if (!has_ended)
        SetLastError(WAIT_TIMEOUT);
    return false;
}

static bool write_within(HANDLE pipe, HANDLE event, const char *text, DWORD timeout_ms)
{
    OVERLAPPED operation = {.hEvent = event};
    DWORD size = (DWORD)strlen(text);
    DWORD done = 0;

    if (!WriteFile(pipe, text, size, NULL, &operation) && GetLastError() != ERROR_IO_PENDING)
        return false;
    return finish(pipe, &operation, timeout_ms, &done) && done == size;
}

/* Reads a line, without its end. */
static bool read_line(HANDLE pipe, HANDLE event, char *line, size_t size, uint64_t end_ms)
{
    size_t length = 0;

    for (;;) {
        OVERLAPPED operation = {.hEvent = event};
        uint64_t now_ms = GetTickCount64();
        DWORD done = 0;

        if (length == size - 1) {
            SetLastError(ERROR_MORE_DATA);
            return false;
        }
        if (!ReadFile(pipe, line + length, (DWORD)(size - 1 - length), NULL, &operation) &&
            GetLastError() != ERROR_IO_PENDING)
            return false;
        if (!finish(pipe, &operation, end_ms > now_ms ? (DWORD)(end_ms - now_ms) : 0, &done))
            return false;
        length += done;
        line[length] = '\0';
        if (strchr(line, '\n') != NULL) {
            *strchr(line, '\n') = '\0';
            return true;
        }
    }
}

/* Opens a pipe as a client that lets nobody act in its name. */
static HANDLE open_pipe(const char *path)
{
    WCHAR name[UM_ENDPOINT_CAPACITY + 8];

    /* Nothing on another machine, which might take its time. */
    if (strncmp(path, "\\\\.\\pipe\\", 9) != 0 || !to_wide(path, name, sizeof name / sizeof *name)) {
        SetLastError(ERROR_INVALID_NAME);
        return INVALID_HANDLE_VALUE;
    }
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
}

/* ---- the daemon that runs ---- */

/* Takes duplicates out of the successor again. */
static void withdraw(HANDLE successor, const struct um_handed *given)
{
    for (size_t i = 0; i < given->count; i++)
        DuplicateHandle(successor, (HANDLE)given->handles[i], NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE);
}

static bool give(HANDLE successor, const struct um_handed *handed, struct um_handed *given)
{
    for (size_t i = 0; i < handed->count; i++) {
        HANDLE duplicate;

        if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)handed->handles[i], successor, &duplicate, 0, FALSE,
                             DUPLICATE_SAME_ACCESS))
            return false;
        given->handles[given->count++] = (intptr_t)duplicate;
    }
    return true;
}

static bool send_numbers(HANDLE pipe, const struct um_handed *given)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    char text[MESSAGE_SIZE];
    size_t size = (size_t)snprintf(text, sizeof text, "%s", greeting);
    bool is_sent;

    if (event == NULL)
        return false;
    for (size_t i = 0; i < given->count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, " %llu",
                                 (unsigned long long)(uintptr_t)given->handles[i]);
    snprintf(text + size, sizeof text - size, "\n");
    is_sent = write_within(pipe, event, text, SEND_MS);
    CloseHandle(event);
    return is_sent;
}

static HANDLE open_successor(HANDLE pipe)
{
    ULONG pid = 0;
    HANDLE process = NULL;

    if (GetNamedPipeServerProcessId(pipe, &pid))
        process = OpenProcess(PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL || is_own(process))
        return process;
    CloseHandle(process);
    SetLastError(ERROR_ACCESS_DENIED);
    return NULL;
}

int um_hand_over_send(const char *endpoint, const struct um_handed *handed, struct um_hand_over **hand_over,
                      char *why, size_t capacity)
{
    struct um_hand_over *made = malloc(sizeof *made);
    struct um_handed given = {.count = 0};
    HANDLE successor = NULL;
    int code;

    if (made == NULL) {
        snprintf(why, capacity, "no memory");
        return UMEM_E_INTERNAL_ERROR;
    }
    made->pipe = open_pipe(endpoint);
    if (made->pipe != INVALID_HANDLE_VALUE)
        successor = open_successor(made->pipe);
    if (successor != NULL && give(successor, handed, &given) && send_numbers(made->pipe, &given)) {
        CloseHandle(successor);
        *hand_over = made;
        return UMEM_OK;
    }
    code = refuse(UMEM_E_DENIED, why, capacity, "the pipe cannot be handed over to", endpoint);
    if (successor != NULL) {
        withdraw(successor, &given);
        CloseHandle(successor);
    }
    if (made->pipe != INVALID_HANDLE_VALUE)
        CloseHandle(made->pipe);
    free(made);
    return code;
}

void um_hand_over_close(struct um_hand_over *hand_over)
{
    if (hand_over == NULL)
        return;
    CloseHandle(hand_over->pipe);
    free(hand_over);
}

/* ---- the successor ---- */

static HANDLE make_endpoint(const char *path)
{
    WCHAR name[UM_ENDPOINT_CAPACITY + 8];
    SECURITY_ATTRIBUTES attributes;
    HANDLE pipe = INVALID_HANDLE_VALUE;

    if (!to_wide(path, name, sizeof name / sizeof *name) || !um_security_make(&attributes))
        return pipe;
    pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
                            BUFFER_SIZE, BUFFER_SIZE, 0, &attributes);
    um_security_free(&attributes);
    return pipe;
}

/* The pipe's instances stay for those whom the daemon before has made them for. */
int um_take_over_open(const char *pipe, const struct um_principal *allowed, struct um_take_over **take_over,
                      char *why, size_t capacity)
{
    struct um_take_over *made = calloc(1, sizeof *made);
    int code;

    (void)allowed;
    if (made == NULL) {
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    snprintf(made->path, sizeof made->path, "%s.new", pipe);
    made->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    made->pipe = made->event != NULL ? make_endpoint(made->path) : INVALID_HANDLE_VALUE;
    if (made->pipe != INVALID_HANDLE_VALUE) {
        *take_over = made;
        return UMEM_OK;
    }
    code = GetLastError() == ERROR_PIPE_BUSY || GetLastError() == ERROR_ACCESS_DENIED ? UMEM_E_NAME_TAKEN
                                                                                      : UMEM_E_DENIED;
    refuse(code, why, capacity, code == UMEM_E_NAME_TAKEN ? "another program has" : "no pipe can be made at",
           made->path);
    if (made->event != NULL)
        CloseHandle(made->event);
    free(made);
    return code;
}

const char *um_take_over_endpoint(const struct um_take_over *take_over)
{
    return take_over->path;
}

/* The pipe's owner: no process can name another user there. */
static bool is_pipe_own(HANDLE pipe)
{
    ULONG pid = 0;
    HANDLE process;
    bool own;

    if (um_security_is_own_object(pipe))
        return true;
    if (!GetNamedPipeServerProcessId(pipe, &pid))
        return false;
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return false;
    own = is_own(process);
    CloseHandle(process);
    return own;
}

int um_take_over_ask(struct um_take_over *take_over, const char *pipe, const char *request, char *answer,
                     size_t answer_size, uint32_t timeout_ms, char *why, size_t capacity)
{
    uint64_t end_ms = GetTickCount64() + timeout_ms;
    HANDLE opened = open_pipe(pipe);
    int code = UMEM_OK;

    while (opened == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY && GetTickCount64() < end_ms) {
        WCHAR name[UM_ENDPOINT_CAPACITY];

        if (to_wide(pipe, name, UM_ENDPOINT_CAPACITY))
            WaitNamedPipeW(name, BUSY_MS);
        opened = open_pipe(pipe);
    }
    if (opened == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();

        code = error == ERROR_FILE_NOT_FOUND ? UMEM_E_UNKNOWN_HANDLE
               : error == ERROR_PIPE_BUSY    ? UMEM_E_TIMEOUT
                                             : UMEM_E_DENIED;
        return refuse(code, why, capacity, "no connection can be made to", pipe);
    }
    if (!is_pipe_own(opened)) {
        code = UMEM_E_DENIED;
        snprintf(why, capacity, "the daemon at %s is another user's, whom this one does not replace", pipe);
    } else if (!write_within(opened, take_over->event, request, timeout_ms) ||
               !read_line(opened, take_over->event, answer, answer_size, end_ms)) {
        code = GetLastError() == WAIT_TIMEOUT ? UMEM_E_TIMEOUT : UMEM_E_DENIED;
        refuse(code, why, capacity, "there is no answer from the daemon at", pipe);
    }
    CloseHandle(opened);
    return code;
}

/* The daemon has connected and written before it answered. */
static bool is_connected(struct um_take_over *take_over)
{
    OVERLAPPED operation = {.hEvent = take_over->event};
    DWORD done;

    if (!ConnectNamedPipe(take_over->pipe, &operation) && GetLastError() == ERROR_IO_PENDING)
        return finish(take_over->pipe, &operation, 0, &done);
    return GetLastError() == ERROR_PIPE_CONNECTED || GetLastError() == ERROR_NO_DATA;
}

int um_take_over_receive(struct um_take_over *take_over, struct um_handed *handed, uint32_t timeout_ms,
                         char *why, size_t capacity)
{
    struct um_handed taken = {.count = 0};
    char text[MESSAGE_SIZE] = "";
    char *at = text + sizeof greeting - 1;

    if (!is_connected(take_over) ||
        !read_line(take_over->pipe, take_over->event, text, sizeof text, GetTickCount64() + timeout_ms))
        return refuse(GetLastError() == WAIT_TIMEOUT ? UMEM_E_TIMEOUT : UMEM_E_DENIED, why, capacity,
                      "the daemon does not come to", take_over->path);
    if (strncmp(text, greeting, sizeof greeting - 1) != 0) {
        snprintf(why, capacity, "what the daemon hands over at %s is not what this version takes",
                 take_over->path);
        return UMEM_E_DENIED;
    }
    while (*at != '\0' && taken.count < UM_HANDED_MAXIMUM)
        taken.handles[taken.count++] = (intptr_t)(uintptr_t)strtoull(at, &at, 10);
    *handed = taken;
    return UMEM_OK;
}

int um_take_over_wait(struct um_take_over *take_over, uint32_t timeout_ms)
{
    char text[16];

    if (!read_line(take_over->pipe, take_over->event, text, sizeof text, GetTickCount64() + timeout_ms) &&
        GetLastError() == WAIT_TIMEOUT)
        return UMEM_E_TIMEOUT;
    return UMEM_OK;
}

void um_take_over_close(struct um_take_over *take_over)
{
    if (take_over == NULL)
        return;
    CloseHandle(take_over->pipe);
    CloseHandle(take_over->event);
    free(take_over);
}
