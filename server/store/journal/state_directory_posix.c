#include "store/journal/state_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "umem_errors.h"

static const char lock_name[] = "lock";

struct um_state_directory {
    struct um_files files; /* first: the functions below come back from it */
    int fd;                /* of the directory; -1: none */
    int lock;              /* of the file `lock`, open and locked; -1: none */
    char *path;            /* absolute */
};

struct um_file {
    int fd;
};

/* ---- files ---- */

static enum um_file_status status_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return UM_FILE_NO_SPACE;
    case ENOENT:
        return UM_FILE_NOT_THERE;
    case EEXIST:
        return UM_FILE_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return UM_FILE_DENIED;
    case EISDIR:
    case ELOOP:
    case ENXIO: /* a socket */
        return UM_FILE_OTHER;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return UM_FILE_NO_MEMORY;
    default:
        return UM_FILE_FAILED;
    }
}

static int directory_of(struct um_files *files)
{
    return ((struct um_state_directory *)(void *)files)->fd;
}

static enum um_file_status open_file(struct um_files *files, const char *name, int flags,
                                     struct um_file **file)
{
    struct um_file *made = malloc(sizeof *made);
    struct stat facts;

    if (made == NULL)
        return UM_FILE_NO_MEMORY;
    made->fd = openat(directory_of(files), name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
    if (made->fd < 0) {
        int error = errno;

        free(made);
        return status_of(error);
    }
    if (fstat(made->fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(made->fd);
        free(made);
        return UM_FILE_OTHER;
    }
    *file = made;
    return UM_FILE_OK;
}

static enum um_file_status create_file(struct um_files *files, const char *name, struct um_file **file)
{
    return open_file(files, name, O_CREAT | O_EXCL, file);
}

static enum um_file_status open_present(struct um_files *files, const char *name, struct um_file **file)
{
    return open_file(files, name, 0, file);
}

static void close_file(struct um_file *file)
{
    close(file->fd);
    free(file);
}

static enum um_file_status get_size(struct um_file *file, uint64_t *size)
{
    struct stat facts;

    if (fstat(file->fd, &facts) != 0)
        return status_of(errno);
    *size = (uint64_t)facts.st_size;
    return UM_FILE_OK;
}

static enum um_file_status read_file(struct um_file *file, uint64_t offset, void *bytes, size_t size)
{
    char *to = bytes;

    while (size != 0) {
        ssize_t got = pread(file->fd, to, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? status_of(errno) : UM_FILE_FAILED;
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return UM_FILE_OK;
}

static enum um_file_status write_file(struct um_file *file, uint64_t offset, const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size != 0) {
        ssize_t done = pwrite(file->fd, from, size, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? status_of(errno) : UM_FILE_FAILED;
        from += done;
        offset += (uint64_t)done;
        size -= (size_t)done;
    }
    return UM_FILE_OK;
}

/* Writes zeros, where the file system cannot reserve. */
static enum um_file_status write_zeros(struct um_file *file, uint64_t offset, uint64_t end)
{
    static const char zeros[65536];
    enum um_file_status status = UM_FILE_OK;

    while (status == UM_FILE_OK && offset < end) {
        size_t size = end - offset < sizeof zeros ? (size_t)(end - offset) : sizeof zeros;

        status = write_file(file, offset, zeros, size);
        offset += size;
    }
    return status;
}

static enum um_file_status reserve(struct um_file *file, uint64_t size)
{
    enum um_file_status status;
    uint64_t present = 0;
    int error;

    status = get_size(file, &present);
    if (status != UM_FILE_OK || size <= present)
        return status;
#ifdef __APPLE__
    error = EOPNOTSUPP;
#else
    do {
        error = posix_fallocate(file->fd, (off_t)present, (off_t)(size - present));
    } while (error == EINTR);
#endif
    if (error == EOPNOTSUPP || error == EINVAL) {
        status = write_zeros(file, present, size);
        /* What a file got for nothing is given back. */
        if (status != UM_FILE_OK)
            (void)!ftruncate(file->fd, (off_t)present);
        return status;
    }
    return error == 0 ? UM_FILE_OK : status_of(error);
}

static enum um_file_status set_size(struct um_file *file, uint64_t size)
{
    int result;

    do {
        result = ftruncate(file->fd, (off_t)size);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? UM_FILE_OK : status_of(errno);
}

/* A file's bytes, and what is needed to read them: its times may be lost. */
#if defined _POSIX_SYNCHRONIZED_IO && _POSIX_SYNCHRONIZED_IO > 0
#define SYNC_BYTES fdatasync
#else
#define SYNC_BYTES fsync
#endif

/* One that was interrupted has not failed. */
static int sync_descriptor(int fd, int (*sync)(int fd))
{
    int result;

    do {
        result = sync(fd);
    } while (result != 0 && errno == EINTR);
    return result;
}

/* A file that was removed will not be there again, though it can be written. */
static bool has_name(int fd)
{
    struct stat facts;

    return fstat(fd, &facts) != 0 || facts.st_nlink != 0;
}

static enum um_file_status sync_file(struct um_file *file)
{
    if (!has_name(file->fd))
        return UM_FILE_NOT_THERE;
#ifdef F_FULLFSYNC
    /* There, fsync() does not have the disk write its own cache. */
    if (fcntl(file->fd, F_FULLFSYNC) == 0)
        return UM_FILE_OK;
#endif
    return sync_descriptor(file->fd, SYNC_BYTES) == 0 ? UM_FILE_OK : status_of(errno);
}

static enum um_file_status remove_file(struct um_files *files, const char *name)
{
    return unlinkat(directory_of(files), name, 0) == 0 ? UM_FILE_OK : status_of(errno);
}

static enum um_file_status sync_names(struct um_files *files)
{
    /* Some file systems cannot sync a directory, and need not. */
    if (sync_descriptor(directory_of(files), fsync) == 0 || errno == EINVAL)
        return UM_FILE_OK;
    return status_of(errno);
}

static enum um_file_status list(struct um_files *files, void (*each)(void *context, const char *name),
                                void *context)
{
    int fd = openat(directory_of(files), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *opened = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    int error = errno;

    if (opened == NULL) {
        if (fd >= 0)
            close(fd);
        return status_of(error);
    }
    for (errno = 0, entry = readdir(opened); entry != NULL; errno = 0, entry = readdir(opened)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(context, entry->d_name);
    }
    error = errno;
    closedir(opened);
    return error == 0 ? UM_FILE_OK : status_of(error);
}

static const struct um_files_ops ops = {
    .create = create_file,
    .open = open_present,
    .close = close_file,
    .get_size = get_size,
    .read = read_file,
    .write = write_file,
    .reserve = reserve,
    .set_size = set_size,
    .sync = sync_file,
    .remove = remove_file,
    .sync_names = sync_names,
    .list = list,
};

/* ---- the directory ---- */

static struct um_principal allowed; /* the group that may pass through directories */

void um_state_directory_allow(const struct um_principal *group)
{
    allowed = group != NULL ? *group : (struct um_principal){.is_set = false};
}

/* Whether others may do no more than pass through it, and only the group that may. */
static bool is_closed(const struct stat *facts)
{
    if (allowed.is_set && facts->st_gid == (gid_t)allowed.number)
        return (facts->st_mode & 067) == 0;
    return (facts->st_mode & 077) == 0;
}

/* Makes the directory where it is not there; the group may pass through it. False with errno set. */
static bool make_directory(const char *path)
{
    int error;

    if (mkdir(path, 0700) != 0)
        return errno == EEXIST;
    if (!allowed.is_set || (lchown(path, (uid_t)-1, (gid_t)allowed.number) == 0 && chmod(path, 0710) == 0))
        return true;
    error = errno;
    rmdir(path);
    errno = error;
    return false;
}

/* Whether only this user may change what is in it. */
static int check_directory(int fd, const char *path, char *why, size_t capacity)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0) {
        snprintf(why, capacity, "the state directory %s cannot be looked at: %s", path, strerror(errno));
        return UMEM_E_INTERNAL_ERROR;
    }
    if (facts.st_uid != geteuid()) {
        snprintf(
            why, capacity,
            "the state directory %s belongs to user %lu, who could change what is in it; name a directory of "
            "your own",
            path, (unsigned long)facts.st_uid);
        return UMEM_E_DENIED;
    }
    if (!is_closed(&facts)) {
        snprintf(why, capacity,
                 "the state directory %s has mode %04o, which lets other users in; chmod 700 %s", path,
                 (unsigned)facts.st_mode & 07777U, path);
        return UMEM_E_DENIED;
    }
    return UMEM_OK;
}

static int open_directory(struct um_state_directory *directory, const char *path, bool makes, char *why,
                          size_t capacity)
{
    struct stat facts;

    if (makes && !make_directory(path)) {
        snprintf(why, capacity, "the state directory %s cannot be made: %s%s", path, strerror(errno),
                 errno == ENOENT ? "; make the directory that it is to be in" : "");
        return UMEM_E_DENIED;
    }
    directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory->fd < 0) {
        const char *error = strerror(errno);

        if (lstat(path, &facts) == 0 && S_ISLNK(facts.st_mode))
            snprintf(
                why, capacity,
                "the state directory %s is a symbolic link, which another user may have put there; name the "
                "directory that it leads to",
                path);
        else
            snprintf(why, capacity, "the state directory %s cannot be opened: %s; name another one", path,
                     error);
        return UMEM_E_DENIED;
    }
    return check_directory(directory->fd, path, why, capacity);
}

/* Who has the lock of an open file. */
static long read_holder(int fd)
{
    char text[32] = "";

    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

int64_t um_state_directory_holder(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd =
        directory >= 0 ? openat(directory, lock_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    long holder = fd >= 0 ? read_holder(fd) : 0;

    if (fd >= 0)
        close(fd);
    if (directory >= 0)
        close(directory);
    return holder > 0 ? holder : 0;
}

/* The lock ends with the process, however that ends. */
static int lock_directory(struct um_state_directory *directory, const char *path, char *why, size_t capacity)
{
    char text[32] = "";
    int size;

    directory->lock =
        openat(directory->fd, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (directory->lock < 0) {
        snprintf(why, capacity, "%s/%s cannot be opened: %s; mend that, or name another directory", path,
                 lock_name, um_file_status_text(status_of(errno)));
        return UMEM_E_DENIED;
    }
    if (flock(directory->lock, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;

        if (error != EWOULDBLOCK) {
            snprintf(why, capacity, "%s/%s cannot be locked: %s", path, lock_name, strerror(error));
            return UMEM_E_DENIED;
        }
        snprintf(why, capacity,
                 "another process, %ld, has the state directory %s; end it, or name another directory",
                 read_holder(directory->lock), path);
        return UMEM_E_NAME_TAKEN;
    }
    /* For people to read. */
    size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(directory->lock, 0) == 0)
        (void)!pwrite(directory->lock, text, (size_t)size, 0);
    return UMEM_OK;
}

/* The path without what may stand behind a directory's name: "link/" and "link/." lead through a link, which "link" names. NULL: no memory. */
static char *trim(const char *path)
{
    size_t size = strlen(path);
    char *trimmed = malloc(size + 1);

    if (trimmed == NULL)
        return NULL;
    memcpy(trimmed, path, size + 1);
    while (size > 1 &&
           (trimmed[size - 1] == '/' || (size > 2 && trimmed[size - 1] == '.' && trimmed[size - 2] == '/')))
        trimmed[--size] = '\0';
    return trimmed;
}

static int open_at(struct um_state_directory *directory, const char *path, bool makes, char *why,
                   size_t capacity)
{
    int code = open_directory(directory, path, makes, why, capacity);

    if (code == UMEM_OK)
        code = lock_directory(directory, path, why, capacity);
    if (code != UMEM_OK)
        return code;
    directory->path = realpath(path, NULL);
    if (directory->path != NULL)
        return UMEM_OK;
    snprintf(why, capacity, "the path of the state directory %s cannot be found: %s", path, strerror(errno));
    return UMEM_E_INTERNAL_ERROR;
}

int um_state_directory_open(const char *path, bool makes, struct um_state_directory **directory, char *why,
                            size_t capacity)
{
    struct um_state_directory *made = calloc(1, sizeof *made);
    char *trimmed = trim(path);
    int code;

    if (made == NULL || trimmed == NULL) {
        free(made);
        free(trimmed);
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    made->files.ops = &ops;
    made->fd = -1;
    made->lock = -1;
    code = open_at(made, trimmed, makes, why, capacity);
    free(trimmed);
    if (code != UMEM_OK) {
        um_state_directory_close(made);
        return code;
    }
    *directory = made;
    return UMEM_OK;
}

void um_state_directory_close(struct um_state_directory *directory)
{
    if (directory == NULL)
        return;
    if (directory->lock >= 0)
        close(directory->lock);
    if (directory->fd >= 0)
        close(directory->fd);
    free(directory->path);
    free(directory);
}

struct um_files *um_state_directory_files(struct um_state_directory *directory)
{
    return &directory->files;
}

const char *um_state_directory_path(const struct um_state_directory *directory)
{
    return directory->path;
}
