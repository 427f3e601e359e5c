#include "lib/connection/transport.h"

#include <io.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
/* Needs windows.h before it. */
#include <aclapi.h>

#include "umem_errors.h"

enum { STAGING_SIZE = 4096 };

struct um_transport {
    HANDLE pipe;
    HANDLE read_done; /* events: one for each direction, as one thread may read while another writes */
    HANDLE write_done;
    HANDLE aborted;             /* an event, set for good by um_transport_abort() */
    OVERLAPPED operation;       /* of a write that has not ended */
    bool is_writing;            /* `operation` has not ended */
    char staging[STAGING_SIZE]; /* small slices, put together for one write */
};

enum {
    NAME_CAPACITY = 512, /* characters of a pipe's name, its end counted */
    WAIT_STEP_MS = 1000, /* how long to wait for a place before looking again */
    STEP_MS = 50,        /* how long a blocked write waits before it checks whether another thread reads */
    LOOK_MS = 5,         /* or for something to read */
    TRANSFER_LIMIT =
        1 << 20 /* most bytes that one operation moves: the system keeps those of a write in non-paged pool */
};

uint64_t um_transport_now_ms(void)
{
    return GetTickCount64();
}

void um_transport_pause(uint32_t ms)
{
    Sleep(ms);
}

static int fail(struct um_reason *reason, int code, const char *what, DWORD error)
{
    if (error != 0)
        snprintf(reason->text, sizeof reason->text, "%s: Windows error %lu", what, (unsigned long)error);
    else
        snprintf(reason->text, sizeof reason->text, "%s", what);
    return code;
}

/* Milliseconds until the deadline, for a wait. */
static DWORD left_ms(uint64_t deadline_ms)
{
    uint64_t now_ms = um_transport_now_ms();
    uint64_t left = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

    if (deadline_ms == UM_NO_DEADLINE)
        return INFINITE;
    return left < INFINITE ? (DWORD)left : INFINITE - 1;
}

/* ---- connecting ---- */

/* A user, as a TOKEN_USER and the SID that it points to. */
union user {
    TOKEN_USER token;
    unsigned char space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static bool get_user(HANDLE process, union user *user)
{
    HANDLE token;
    DWORD size;
    BOOL got;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return false;
    got = GetTokenInformation(token, TokenUser, user, sizeof *user, &size);
    CloseHandle(token);
    return got;
}

/* Whether an object or process of this SID is trusted. */
static bool is_trusted(PSID sid, const union user *self)
{
    return EqualSid(sid, self->token.User.Sid) || IsWellKnownSid(sid, WinLocalSystemSid);
}

/* The user of the process that made this end of the pipe. */
static bool is_server_trusted(HANDLE pipe, const union user *self)
{
    union user server;
    HANDLE process;
    ULONG pid;
    bool trusted;

    if (!GetNamedPipeServerProcessId(pipe, &pid))
        return false;
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return false;
    trusted = get_user(process, &server) && is_trusted(server.token.User.Sid, self);
    CloseHandle(process);
    return trusted;
}

/* The pipe's owner: no process can name another user there, and it is known also for processes that may not
 * be opened (SYSTEM's, or those that run elevated). */
static bool is_owner_trusted(HANDLE pipe, const union user *self)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    bool trusted;

    if (GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL,
                        &descriptor) != ERROR_SUCCESS)
        return false;
    trusted = owner != NULL && is_trusted(owner, self);
    LocalFree(descriptor);
    return trusted;
}

static int check_trust(HANDLE pipe, struct um_reason *reason)
{
    union user self;

    if (!get_user(GetCurrentProcess(), &self))
        return fail(reason, UMEM_E_NOT_TRUSTED, "this program's user is not known", GetLastError());
    if (is_owner_trusted(pipe, &self) || is_server_trusted(pipe, &self))
        return UMEM_OK;
    return fail(reason, UMEM_E_NOT_TRUSTED,
                "the daemon there is run by another user, not by this one or SYSTEM", 0);
}

static int open_error(DWORD error, struct um_reason *reason)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return fail(reason, UMEM_E_NOT_CONNECTED, "no daemon listens there", 0);
    case ERROR_ACCESS_DENIED:
        return fail(
            reason, UMEM_E_NOT_CONNECTED,
            "this program may not open it: the daemon is another user's, or this program runs with low "
            "integrity, in a sandbox",
            0);
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
        return fail(reason, UMEM_E_BAD_ARGUMENT, "it cannot be the name of a pipe", 0);
    default:
        return fail(reason, UMEM_E_NOT_CONNECTED, "opening it failed", error);
    }
}

static int open_pipe(const WCHAR *name, uint64_t deadline_ms, HANDLE *pipe, struct um_reason *reason)
{
    for (;;) {
        /* Without the two SECURITY flags, whoever listens there could act in this user's name. */
        HANDLE opened =
            CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                        FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        DWORD error = GetLastError();
        DWORD wait_ms = left_ms(deadline_ms);

        if (opened != INVALID_HANDLE_VALUE) {
            *pipe = opened;
            return UMEM_OK;
        }
        if (error != ERROR_PIPE_BUSY)
            return open_error(error, reason);
        if (wait_ms == 0)
            return fail(reason, UMEM_E_DEADLINE, "all of the pipe's places stayed taken", 0);
        /* What it returns says no more than the next try will. */
        WaitNamedPipeW(name, wait_ms < WAIT_STEP_MS ? wait_ms : WAIT_STEP_MS);
    }
}

int um_transport_open(const char *pipe, uint32_t timeout_ms, uint64_t deadline_ms,
                      struct um_transport **transport, struct um_reason *reason)
{
    WCHAR name[NAME_CAPACITY];
    struct um_transport *made;
    int code = UMEM_OK;

    (void)timeout_ms;
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, pipe, -1, name, NAME_CAPACITY) == 0)
        return fail(reason, UMEM_E_BAD_ARGUMENT, "the name of the pipe is not UTF-8, or too long", 0);
    made = malloc(sizeof *made);
    if (made == NULL)
        return fail(reason, UMEM_E_OUT_OF_MEMORY, umem_error_text(UMEM_E_OUT_OF_MEMORY), 0);
    *made = (struct um_transport){.pipe = INVALID_HANDLE_VALUE,
                                  .read_done = CreateEventW(NULL, TRUE, FALSE, NULL),
                                  .write_done = CreateEventW(NULL, TRUE, FALSE, NULL),
                                  .aborted = CreateEventW(NULL, TRUE, FALSE, NULL)};
    if (made->read_done == NULL || made->write_done == NULL || made->aborted == NULL)
        code = fail(reason, UMEM_E_OUT_OF_MEMORY, umem_error_text(UMEM_E_OUT_OF_MEMORY), 0);
    if (code == UMEM_OK)
        code = open_pipe(name, deadline_ms, &made->pipe, reason);
    if (code == UMEM_OK)
        code = check_trust(made->pipe, reason);
    if (code != UMEM_OK) {
        um_transport_close(made);
        return code;
    }
    *transport = made;
    return UMEM_OK;
}

/* What it would gain has been measured on no Windows machine. */
void um_transport_let_spin(struct um_transport *transport)
{
    (void)transport;
}

void um_transport_close(struct um_transport *transport)
{
    if (transport == NULL)
        return;
    if (transport->pipe != INVALID_HANDLE_VALUE)
        CloseHandle(transport->pipe);
    if (transport->read_done != NULL)
        CloseHandle(transport->read_done);
    if (transport->write_done != NULL)
        CloseHandle(transport->write_done);
    if (transport->aborted != NULL)
        CloseHandle(transport->aborted);
    free(transport);
}

int um_transport_release(struct um_transport *transport)
{
    int descriptor = _open_osfhandle((intptr_t)transport->pipe, 0);

    if (descriptor >= 0)
        transport->pipe = INVALID_HANDLE_VALUE;
    um_transport_close(transport);
    return descriptor;
}

/* ---- reading and writing ---- */

/* Waits until the operation has ended, the connection is aborted or the time is up. Returns whether it has ended. */
static bool wait_for(struct um_transport *transport, const OVERLAPPED *operation, DWORD wait_ms)
{
    HANDLE events[] = {operation->hEvent, transport->aborted};

    return WaitForMultipleObjects(2, events, FALSE, wait_ms) == WAIT_OBJECT_0;
}

static bool is_aborted(const struct um_transport *transport)
{
    return WaitForSingleObject(transport->aborted, 0) == WAIT_OBJECT_0;
}

/* Ends an operation that has begun. The kernel uses the caller's memory until it has ended, so that one that has not
 * is cancelled and waited for. */
static int finish(struct um_transport *transport, OVERLAPPED *operation, bool has_ended, DWORD *done,
                  const char *what, struct um_reason *reason)
{
    if (!has_ended)
        CancelIoEx(transport->pipe, operation);
    if (GetOverlappedResult(transport->pipe, operation, done, TRUE))
        return UMEM_OK;
    if (has_ended)
        return fail(reason, UMEM_E_CONNECTION_LOST, what, GetLastError());
    if (is_aborted(transport))
        return fail(reason, UMEM_E_CONNECTION_LOST, "the connection was given up", 0);
    return fail(reason, UMEM_E_DEADLINE, "the daemon did not answer in time", 0);
}

/* What to write next: the first slice, or several small ones together. */
static struct um_slice gather(struct um_transport *transport, const struct um_slice *slices, size_t count)
{
    size_t size = 0;

    while (count != 0 && slices[0].size == 0) {
        slices++;
        count--;
    }
    if (count < 2 || slices[0].size + slices[1].size > STAGING_SIZE)
        return count != 0 ? slices[0] : (struct um_slice){"", 0};
    for (size_t i = 0; i < count && size + slices[i].size <= STAGING_SIZE; i++) {
        memcpy(transport->staging + size, slices[i].bytes, slices[i].size);
        size += slices[i].size;
    }
    return (struct um_slice){transport->staging, size};
}

static int begin_write(struct um_transport *transport, const struct um_slice *slices, size_t count,
                       struct um_reason *reason)
{
    struct um_slice next = gather(transport, slices, count);
    DWORD size = next.size < TRANSFER_LIMIT ? (DWORD)next.size : TRANSFER_LIMIT;

    transport->operation = (OVERLAPPED){.hEvent = transport->write_done};
    if (!WriteFile(transport->pipe, next.bytes, size, NULL, &transport->operation) &&
        GetLastError() != ERROR_IO_PENDING)
        return fail(reason, UMEM_E_NOT_CONNECTED, "the daemon no longer takes requests", GetLastError());
    transport->is_writing = true;
    return UMEM_OK;
}

static bool is_readable(struct um_transport *transport)
{
    DWORD available = 0;

    return PeekNamedPipe(transport->pipe, NULL, 0, NULL, &available, NULL) && available != 0;
}

int um_transport_write_some(struct um_transport *transport, const struct um_slice *slices, size_t count,
                            size_t *done, bool *readable, uint64_t deadline_ms, struct um_reason *reason)
{
    DWORD step_ms = *readable ? LOOK_MS : STEP_MS;
    bool has_ended;
    DWORD written = 0;
    int code = UMEM_OK;

    *done = 0;
    if (!transport->is_writing)
        code = begin_write(transport, slices, count, reason);
    if (code != UMEM_OK)
        return code;
    if (left_ms(deadline_ms) < step_ms)
        step_ms = left_ms(deadline_ms);
    has_ended = wait_for(transport, &transport->operation, step_ms);
    if (!has_ended && left_ms(deadline_ms) != 0 && !is_aborted(transport)) {
        *readable = *readable && is_readable(transport);
        return UMEM_OK;
    }
    *readable = false;
    transport->is_writing = false;
    code = finish(transport, &transport->operation, has_ended, &written,
                  "the daemon no longer takes requests", reason);
    *done = written;
    return code;
}

int um_transport_read(struct um_transport *transport, void *bytes, size_t capacity, size_t *size,
                      uint64_t deadline_ms, struct um_reason *reason)
{
    DWORD limit = capacity < TRANSFER_LIMIT ? (DWORD)capacity : TRANSFER_LIMIT;

    for (;;) {
        OVERLAPPED operation = {.hEvent = transport->read_done};
        DWORD done = 0;
        bool has_ended;
        int code;

        if (!ReadFile(transport->pipe, bytes, limit, NULL, &operation) && GetLastError() != ERROR_IO_PENDING)
            return fail(reason, UMEM_E_CONNECTION_LOST, "the daemon closed the connection", GetLastError());
        has_ended = wait_for(transport, &operation, left_ms(deadline_ms));
        code = finish(transport, &operation, has_ended, &done, "the daemon closed the connection", reason);
        if (code != UMEM_OK)
            return code;
        /* An empty write of the daemon's arrives as nothing. */
        if (done != 0) {
            *size = done;
            return UMEM_OK;
        }
    }
}

void um_transport_abort(struct um_transport *transport)
{
    SetEvent(transport->aborted);
}

int um_transport_end_writing(struct um_transport *transport)
{
    (void)transport;
    return UMEM_E_UNSUPPORTED;
}
