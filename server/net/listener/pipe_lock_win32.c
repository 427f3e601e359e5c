/*
 * The lock is a mutex with a name, which is there as long as a process has it open. It is global, because
 * pipes are: two logon sessions of one user share them. (FILE_FLAG_FIRST_PIPE_INSTANCE guards the pipe too,
 * but Wine ignores it.)
 */
#include "net/listener/pipe_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/security_win32.h"
#include "net/listener/identity.h"
#include "umem_errors.h"

struct um_pipe_lock {
    HANDLE mutex;
};

enum { NAME_SIZE = 320 };

/* The pipe's name without what all pipes' begin with, because a mutex's may hold no backslash and no
 * more than 259 characters; in lower case, because pipes' names ignore case and mutexes' do not. */
static bool make_name(const char *path, WCHAR name[NAME_SIZE])
{
    static const WCHAR prefix[] = L"Global\\um:";
    size_t start = wcslen(prefix);

    wcscpy(name, prefix);
    path = strrchr(path, '\\') + 1;
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, name + start,
                            (int)(NAME_SIZE - start)) == 0)
        return false;
    CharLowerW(name + start);
    return true;
}

/* Asks the pipe for its daemon: 0 where it cannot tell. */
static unsigned long find_holder(const char *path)
{
    WCHAR name[NAME_SIZE];
    ULONG pid = 0;
    HANDLE pipe;

    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, name, NAME_SIZE) == 0)
        return 0;
    pipe = CreateFileW(name, GENERIC_READ, 0, NULL, OPEN_EXISTING,
                       SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return 0;
    if (!GetNamedPipeServerProcessId(pipe, &pid))
        pid = 0;
    CloseHandle(pipe);
    return pid;
}

bool um_pipe_lock_find_holder(const char *path, char *holder, size_t capacity)
{
    unsigned long pid = find_holder(path);
    char program[128] = "";

    if (pid == 0)
        return false;
    um_identity_read_program((int64_t)pid, program, sizeof program);
    snprintf(holder, capacity, program[0] != '\0' ? "process %lu (%s)" : "process %lu", pid, program);
    return true;
}

int64_t um_pipe_lock_find_number(const char *path)
{
    return (int64_t)find_holder(path);
}

static int refuse(const char *path, char *why, size_t capacity)
{
    char holder[192];

    if (um_pipe_lock_find_holder(path, holder, sizeof holder))
        snprintf(why, capacity, "another daemon, %s, has the pipe %s", holder, path);
    else
        snprintf(why, capacity, "another daemon has the pipe %s", path);
    return UMEM_E_NAME_TAKEN;
}

int um_pipe_lock_acquire(const char *path, struct um_pipe_lock **lock, char *why, size_t capacity)
{
    struct um_pipe_lock *taken = malloc(sizeof *taken);
    SECURITY_ATTRIBUTES attributes;
    WCHAR name[NAME_SIZE];
    DWORD error;

    if (taken == NULL) {
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    if (!make_name(path, name) || !um_security_make(&attributes)) {
        snprintf(why, capacity, "no lock can be made for %s: Windows error %lu", path, GetLastError());
        free(taken);
        return UMEM_E_INTERNAL_ERROR;
    }
    taken->mutex = CreateMutexW(&attributes, FALSE, name);
    error = GetLastError();
    um_security_free(&attributes);
    if (taken->mutex != NULL && error != ERROR_ALREADY_EXISTS) {
        *lock = taken;
        return UMEM_OK;
    }
    if (taken->mutex != NULL)
        CloseHandle(taken->mutex);
    free(taken);
    /* Another user's mutex may not be opened. */
    if (error == ERROR_ALREADY_EXISTS || error == ERROR_ACCESS_DENIED)
        return refuse(path, why, capacity);
    snprintf(why, capacity, "no lock can be made for %s: Windows error %lu", path, error);
    return UMEM_E_INTERNAL_ERROR;
}

/* It cannot be taken away. */
bool um_pipe_lock_is_held(const struct um_pipe_lock *lock)
{
    (void)lock;
    return true;
}

int um_pipe_lock_renew(struct um_pipe_lock *lock, char *why, size_t capacity)
{
    (void)lock;
    (void)why;
    (void)capacity;
    return UMEM_OK;
}

intptr_t um_pipe_lock_handle(const struct um_pipe_lock *lock)
{
    return (intptr_t)lock->mutex;
}

int um_pipe_lock_adopt(const char *path, intptr_t handle, struct um_pipe_lock **lock)
{
    struct um_pipe_lock *adopted = malloc(sizeof *adopted);

    (void)path;
    if (adopted == NULL)
        return UMEM_E_NO_MEMORY;
    adopted->mutex = (HANDLE)handle;
    *lock = adopted;
    return UMEM_OK;
}

/* The mutex is there as long as the other one has it open. */
void um_pipe_lock_leave(struct um_pipe_lock *lock)
{
    um_pipe_lock_release(lock);
}

void um_pipe_lock_release(struct um_pipe_lock *lock)
{
    if (lock == NULL)
        return;
    CloseHandle(lock->mutex);
    free(lock);
}
