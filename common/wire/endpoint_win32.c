#include "wire/endpoint.h"

#include <stdbool.h>
#include <string.h>
#include <windows.h>
/* Needs windows.h before it. */
#include <lmcons.h>

#include "umem_errors.h"

static const char prefix[] = "\\\\.\\pipe\\";

/* Of a pipe's whole name, in characters, as CreateNamedPipe documents it. */
enum { NAME_LIMIT = 256 };

/* Writes UTF-16 as UTF-8. Returns false where it does not fit or is none. */
static bool to_utf8(const WCHAR *wide, char *out, size_t capacity)
{
    return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, out, (int)capacity, NULL, NULL) > 0;
}

/* Writes `first` and `second` as one name, with backslashes. */
static int join(const char *first, const char *second, char path[UM_ENDPOINT_CAPACITY], const char **what)
{
    size_t first_size = strlen(first);
    size_t second_size = strlen(second);
    char whole[UM_ENDPOINT_CAPACITY];
    int length;

    if (first_size + second_size >= sizeof whole) {
        *what = "the name of the pipe is longer than 256 characters";
        return UMEM_E_BAD_ARGUMENT;
    }
    memcpy(whole, first, first_size);
    memcpy(whole + first_size, second, second_size + 1);
    for (char *at = whole; *at != '\0'; at++) {
        if (*at == '/')
            *at = '\\';
    }
    length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, whole, -1, NULL, 0);
    if (length == 0)
        *what = "the name of the pipe is not UTF-8";
    else if (length - 1 > NAME_LIMIT)
        *what = "the name of the pipe is longer than 256 characters";
    else if (_strnicmp(whole, prefix, strlen(prefix)) != 0 || whole[strlen(prefix)] == '\0')
        *what = "the name of a pipe begins with \\\\.\\pipe\\ or has no backslash in it";
    else if (strchr(whole + strlen(prefix), '\\') != NULL)
        *what = "the name of a pipe has no backslash after \\\\.\\pipe\\";
    else {
        memcpy(path, whole, first_size + second_size + 1);
        return UMEM_OK;
    }
    return UMEM_E_BAD_ARGUMENT;
}

/* The path that the user or the environment names. */
static int use_named(const char *wanted, char path[UM_ENDPOINT_CAPACITY], const char **what)
{
    return join(strpbrk(wanted, "\\/") != NULL ? "" : prefix, wanted, path, what);
}

int um_endpoint_find(const char *wanted, char path[UM_ENDPOINT_CAPACITY], const char **what)
{
    WCHAR wide[UM_ENDPOINT_CAPACITY];
    DWORD size = UM_ENDPOINT_CAPACITY;
    char name[UM_ENDPOINT_CAPACITY];
    char user[UM_ENDPOINT_CAPACITY] = "umemd-";

    if (wanted != NULL && *wanted != '\0')
        return use_named(wanted, path, what);
    size = GetEnvironmentVariableW(L"UMEM_PIPE", wide, UM_ENDPOINT_CAPACITY);
    if (size >= UM_ENDPOINT_CAPACITY || (size != 0 && !to_utf8(wide, name, sizeof name))) {
        *what = "UMEM_PIPE is longer than 256 characters, or not Unicode";
        return UMEM_E_BAD_ARGUMENT;
    }
    if (size != 0)
        return use_named(name, path, what);
    size = UNLEN + 1;
    if (!GetUserNameW(wide, &size) || !to_utf8(wide, user + strlen(user), sizeof user - strlen(user))) {
        *what = "the name of the user is not known; name a pipe with --pipe or UMEM_PIPE";
        return UMEM_E_BAD_ARGUMENT;
    }
    return join(prefix, user, path, what);
}

int um_endpoint_find_server_user(const char *wanted, char user[UM_PRINCIPAL_NAME_SIZE], const char **what)
{
    WCHAR wide[UM_PRINCIPAL_NAME_SIZE];
    char name[UM_PRINCIPAL_NAME_SIZE] = "";
    DWORD size;

    if (wanted == NULL || *wanted == '\0') {
        size = GetEnvironmentVariableW(L"UMEM_SERVER_USER", wide, UM_PRINCIPAL_NAME_SIZE);
        if (size >= UM_PRINCIPAL_NAME_SIZE || (size != 0 && !to_utf8(wide, name, sizeof name))) {
            *what = "UMEM_SERVER_USER is too long, or not Unicode";
            return UMEM_E_BAD_ARGUMENT;
        }
        wanted = name;
    }
    if (strlen(wanted) >= UM_PRINCIPAL_NAME_SIZE) {
        *what = "the name of the server's user is too long";
        return UMEM_E_BAD_ARGUMENT;
    }
    strcpy(user, wanted);
    return UMEM_OK;
}

/* Pipes lie in no directory; their access list is set when they are made. */

bool um_endpoint_is_private(const char *path)
{
    (void)path;
    return false;
}

int um_endpoint_check(const char *path, const char **what)
{
    (void)path;
    (void)what;
    return UMEM_OK;
}

int um_endpoint_prepare(const char *path, const char **what)
{
    (void)path;
    (void)what;
    return UMEM_OK;
}
