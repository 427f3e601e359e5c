#include "wire/endpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "umem_errors.h"

static const char too_long[] =
    "the path of the pipe is longer than a socket's may be (107 bytes on Linux, those of the "
    "working directory included where the path is relative)";

/* What bind() and connect() accept, the end counted. libuv 1.44 cuts a longer path without a word. */
enum { PATH_ROOM = sizeof((struct sockaddr_un *)NULL)->sun_path };

static bool is_set(const char *string)
{
    return string != NULL && *string != '\0';
}

/* Writes "directory/name". */
static int in_directory(const char *directory, const char *name, char path[UM_ENDPOINT_CAPACITY],
                        const char **what)
{
    char whole[UM_ENDPOINT_CAPACITY];
    int size = snprintf(whole, sizeof whole, "%s/%s", directory, name);

    if (size < 0 || size >= PATH_ROOM) {
        *what = too_long;
        return UMEM_E_BAD_ARGUMENT;
    }
    memcpy(path, whole, (size_t)size + 1);
    return UMEM_OK;
}

/* The variable survives su and sudo -E, so it may name another user's directory. */
static bool is_own_directory(const char *directory)
{
    struct stat facts;

    return directory[0] == '/' && stat(directory, &facts) == 0 && S_ISDIR(facts.st_mode) &&
           facts.st_uid == geteuid();
}

/* Programs that get the path may have another working directory, and a daemon leaves its own. */
static int use_named(const char *wanted, char path[UM_ENDPOINT_CAPACITY], const char **what)
{
    char directory[UM_ENDPOINT_CAPACITY];

    if (wanted[0] == '/')
        return in_directory("", wanted + 1, path, what);
    while (wanted[0] == '.' && wanted[1] == '/')
        wanted += 1 + strspn(wanted + 1, "/");
    if (getcwd(directory, sizeof directory) != NULL && directory[0] == '/')
        return in_directory(directory[1] != '\0' ? directory : "", wanted, path, what);
    *what = errno == ERANGE ? too_long
                            : "the path of the pipe is relative, and the working directory is not known";
    return UMEM_E_BAD_ARGUMENT;
}

int um_endpoint_find(const char *wanted, char path[UM_ENDPOINT_CAPACITY], const char **what)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char directory[64];

    if (!is_set(wanted))
        wanted = getenv("UMEM_PIPE");
    if (is_set(wanted))
        return use_named(wanted, path, what);
    if (is_set(runtime) && is_own_directory(runtime))
        return in_directory(runtime, "umemd.sock", path, what);
    snprintf(directory, sizeof directory, "/tmp/umemd-%lu", (unsigned long)geteuid());
    return in_directory(directory, "umemd.sock", path, what);
}

int um_endpoint_find_server_user(const char *wanted, char user[UM_PRINCIPAL_NAME_SIZE], const char **what)
{
    if (!is_set(wanted))
        wanted = getenv("UMEM_SERVER_USER");
    if (!is_set(wanted))
        wanted = "";
    if (strlen(wanted) >= UM_PRINCIPAL_NAME_SIZE) {
        *what = "the name of the server's user is too long";
        return UMEM_E_BAD_ARGUMENT;
    }
    strcpy(user, wanted);
    return UMEM_OK;
}

/* Writes the path's directory where its name is umemd-UID. */
static bool find_private_directory(const char *path, char directory[UM_ENDPOINT_CAPACITY])
{
    const char *slash = strrchr(path, '/');
    const char *last;
    char name[32];

    if (slash == NULL || slash - path >= UM_ENDPOINT_CAPACITY)
        return false;
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    last = strrchr(directory, '/');
    last = last != NULL ? last + 1 : directory;
    snprintf(name, sizeof name, "umemd-%lu", (unsigned long)geteuid());
    return strcmp(last, name) == 0;
}

bool um_endpoint_is_private(const char *path)
{
    char directory[UM_ENDPOINT_CAPACITY];

    return find_private_directory(path, directory);
}

int um_endpoint_check(const char *path, const char **what)
{
    char directory[UM_ENDPOINT_CAPACITY];
    struct stat facts;

    if (!find_private_directory(path, directory))
        return UMEM_OK;
    if (lstat(directory, &facts) != 0)
        *what = "the directory of the pipe cannot be looked at";
    else if (!S_ISDIR(facts.st_mode))
        *what = "the directory of the pipe is a link or a file, which another user may have put there";
    else if (facts.st_uid != geteuid())
        *what = "the directory of the pipe belongs to another user";
    else if ((facts.st_mode & 077) != 0)
        *what = "the directory of the pipe is open to other users; chmod 700 closes it";
    else
        return UMEM_OK;
    return UMEM_E_DENIED;
}

int um_endpoint_prepare(const char *path, const char **what)
{
    char directory[UM_ENDPOINT_CAPACITY];

    if (find_private_directory(path, directory) && mkdir(directory, 0700) != 0 && errno != EEXIST) {
        *what = "the directory of the pipe cannot be made";
        return UMEM_E_DENIED;
    }
    return um_endpoint_check(path, what);
}
