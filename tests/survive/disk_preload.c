/*
 * A library to be loaded into umemd (LD_PRELOAD), which looks at what it does with the files of one directory. Linux with the GNU C library.
 *
 * Environment: DISK_DIRECTORY, the state directory, and
 *   DISK_SHADOW=DIR   what is on the disk is kept there: for each file INODE.synced, its bytes when the last sync of it began; INODE.live,
 *                     another name of the file itself, so that it stays when it is removed; and in `names`, which names there were
 *                     when the directory was synced last.
 *   DISK_FAILS=N      the Nth call that is about these files fails, with the error DISK_ERROR (a number; 0: it does only half of what a
 *                     write was to do). Opening, writing, extending, syncing, removing, mapping and listing are counted.
 *   DISK_REPORT=FILE  when that has happened, the call's name is written there.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536, PATH_SIZE = 4096, COPIED_AT_ONCE = 65536 };

static struct {
    const char *directory; /* NULL: nothing is looked at */
    const char *shadow;    /* NULL: it is not kept */
    const char *report;
    long nth; /* 0: no call fails */
    int error;
    atomic_long calls;
    atomic_bool is_of_file[DESCRIPTORS];
} disk;

/* The function of the C library that this one stands before. */
static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        _exit(98);
    return found;
}

#define NEXT(type, name) ((type)(uintptr_t)next(name))

typedef int openat_function(int directory, const char *path, int flags, ...);
typedef int close_function(int fd);
typedef ssize_t pwrite_function(int fd, const void *bytes, size_t size, off_t offset);
typedef int sync_function(int fd);
typedef int truncate_function(int fd, off_t size);
typedef int allocate_function(int fd, int mode, off_t offset, off_t size);
typedef int posix_allocate_function(int fd, off_t offset, off_t size);
typedef int unlinkat_function(int directory, const char *path, int flags);
typedef void *mmap_function(void *start, size_t size, int rights, int flags, int fd, off_t offset);

/* ---- what is on the disk ---- */

static void die(const char *what)
{
    perror(what);
    _exit(97);
}

static void shadow_path(char path[PATH_SIZE], const char *name)
{
    snprintf(path, PATH_SIZE, "%s/%s", disk.shadow, name);
}

static void write_whole(int fd, const char *bytes, size_t size)
{
    while (size != 0) {
        ssize_t done = write(fd, bytes, size);

        if (done <= 0)
            die("shadow");
        bytes += done;
        size -= (size_t)done;
    }
}

static int open_real(const char *path, int flags)
{
    int fd = NEXT(openat_function *, "openat")(AT_FDCWD, path, flags, 0600);

    if (fd < 0)
        die(path);
    return fd;
}

static void path_of(char path[PATH_SIZE], unsigned long long inode, const char *kind)
{
    char name[64];

    snprintf(name, sizeof name, "%llu.%s", inode, kind);
    shadow_path(path, name);
}

/* Copies a file's bytes; confirm_copy() has them count, in the place of those before. */
static void copy_file(const char *from, unsigned long long inode)
{
    static _Thread_local char bytes[COPIED_AT_ONCE];
    char draft[PATH_SIZE];
    int in = open_real(from, O_RDONLY);
    int out;
    ssize_t size;

    path_of(draft, inode, "draft");
    out = open_real(draft, O_WRONLY | O_CREAT | O_TRUNC);
    while ((size = read(in, bytes, sizeof bytes)) > 0)
        write_whole(out, bytes, (size_t)size);
    NEXT(close_function *, "close")(in);
    NEXT(close_function *, "close")(out);
    if (size < 0)
        die("shadow");
}

static void confirm_copy(unsigned long long inode)
{
    char draft[PATH_SIZE];
    char path[PATH_SIZE];

    path_of(draft, inode, "draft");
    path_of(path, inode, "synced");
    if (rename(draft, path) != 0)
        die("shadow");
}

static void keep_live(const char *path, unsigned long long inode)
{
    char live[PATH_SIZE];

    path_of(live, inode, "live");
    if (link(path, live) != 0 && errno != EEXIST)
        die("shadow");
}

/* Writes down which names there are; confirm_names() has that count. With `copies`, all files are on the disk as they are. */
static void note_names(bool copies)
{
    char draft[PATH_SIZE];
    DIR *opened = opendir(disk.directory);
    const struct dirent *entry;
    int out;

    shadow_path(draft, "names.draft");
    out = open_real(draft, O_WRONLY | O_CREAT | O_TRUNC);
    while (opened != NULL && (entry = readdir(opened)) != NULL) {
        char file[PATH_SIZE];
        char line[512];
        struct stat facts;

        snprintf(file, sizeof file, "%s/%s", disk.directory, entry->d_name);
        if (lstat(file, &facts) != 0 || !S_ISREG(facts.st_mode))
            continue;
        if (copies) {
            keep_live(file, (unsigned long long)facts.st_ino);
            copy_file(file, (unsigned long long)facts.st_ino);
            confirm_copy((unsigned long long)facts.st_ino);
        }
        snprintf(line, sizeof line, "%llu %s\n", (unsigned long long)facts.st_ino, entry->d_name);
        write_whole(out, line, strlen(line));
    }
    if (opened != NULL)
        closedir(opened);
    NEXT(close_function *, "close")(out);
}

static void confirm_names(void)
{
    char draft[PATH_SIZE];
    char path[PATH_SIZE];

    shadow_path(draft, "names.draft");
    shadow_path(path, "names");
    if (rename(draft, path) != 0)
        die("shadow");
}

__attribute__((constructor)) static void begin(void)
{
    const char *nth = getenv("DISK_FAILS");
    const char *error = getenv("DISK_ERROR");

    disk.shadow = getenv("DISK_SHADOW");
    disk.report = getenv("DISK_REPORT");
    disk.nth = nth != NULL ? atol(nth) : 0;
    disk.error = error != NULL ? atoi(error) : EIO;
    disk.directory = getenv("DISK_DIRECTORY");
    if (disk.directory == NULL || disk.shadow == NULL)
        return;
    note_names(true);
    confirm_names();
}

/* ---- which calls are about the directory ---- */

static bool is_directory(int fd)
{
    struct stat of_fd;
    struct stat of_path;

    return disk.directory != NULL && fd >= 0 && fstat(fd, &of_fd) == 0 &&
           stat(disk.directory, &of_path) == 0 && of_fd.st_ino == of_path.st_ino &&
           of_fd.st_dev == of_path.st_dev;
}

static bool is_ours(int fd)
{
    return disk.directory != NULL && fd >= 0 && fd < DESCRIPTORS && disk.is_of_file[fd];
}

/* Whether this call is the one to fail. */
static bool fails(const char *call)
{
    char line[64];
    int fd;

    if (disk.nth == 0 || atomic_fetch_add(&disk.calls, 1) + 1 != disk.nth)
        return false;
    if (disk.report != NULL) {
        fd = open_real(disk.report, O_WRONLY | O_CREAT | O_TRUNC);
        snprintf(line, sizeof line, "%s\n", call);
        write_whole(fd, line, strlen(line));
        NEXT(close_function *, "close")(fd);
    }
    errno = disk.error;
    return disk.error != 0;
}

/* ---- the calls ---- */

static int open_file(const char *path, int flags, unsigned mode, int directory)
{
    int fd;
    struct stat facts;
    char whole[PATH_SIZE];
    const char *name = path;

    if (directory != AT_FDCWD)
        snprintf(whole, sizeof whole, "%s/%s", disk.directory, path);
    else
        snprintf(whole, sizeof whole, "%s", path);
    if (strrchr(path, '/') != NULL)
        name = strrchr(path, '/') + 1;
    if (fails("open"))
        return -1;
    fd = NEXT(openat_function *, "openat")(directory, path, flags, mode);
    if (fd < 0 || fd >= DESCRIPTORS || strcmp(name, "lock") == 0)
        return fd;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) {
        disk.is_of_file[fd] = true;
        if (disk.shadow != NULL)
            keep_live(whole, (unsigned long long)facts.st_ino);
    }
    return fd;
}

static unsigned mode_of(int flags, va_list list)
{
    return (flags & O_CREAT) != 0 ? va_arg(list, unsigned) : 0;
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    unsigned mode;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);
    if (directory != AT_FDCWD && is_directory(directory))
        return open_file(path, flags, mode, directory);
    return NEXT(openat_function *, "openat")(directory, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list list;
    unsigned mode;
    size_t size = disk.directory != NULL ? strlen(disk.directory) : 0;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);
    if (size != 0 && strncmp(path, disk.directory, size) == 0 && path[size] == '/')
        return open_file(path, flags, mode, AT_FDCWD);
    return NEXT(openat_function *, "openat")(AT_FDCWD, path, flags, mode);
}

int close(int fd)
{
    if (is_ours(fd))
        disk.is_of_file[fd] = false;
    return NEXT(close_function *, "close")(fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    if (is_ours(fd)) {
        bool was_due = atomic_load(&disk.calls) + 1 == disk.nth;

        if (fails("pwrite"))
            return -1;
        if (was_due && size > 1)
            size /= 2;
    }
    return NEXT(pwrite_function *, "pwrite")(fd, bytes, size, offset);
}

int ftruncate(int fd, off_t size)
{
    if (is_ours(fd) && fails("ftruncate"))
        return -1;
    return NEXT(truncate_function *, "ftruncate")(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (is_ours(fd) && fails("fallocate"))
        return -1;
    return NEXT(allocate_function *, "fallocate")(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    if (is_ours(fd) && fails("posix_fallocate"))
        return errno;
    return NEXT(posix_allocate_function *, "posix_fallocate")(fd, offset, size);
}

int unlinkat(int directory, const char *path, int flags)
{
    if (is_directory(directory) && fails("unlinkat"))
        return -1;
    return NEXT(unlinkat_function *, "unlinkat")(directory, path, flags);
}

void *mmap(void *start, size_t size, int rights, int flags, int fd, off_t offset)
{
    if (is_ours(fd) && fails("mmap"))
        return MAP_FAILED;
    return NEXT(mmap_function *, "mmap")(start, size, rights, flags, fd, offset);
}

static int sync_names(int fd)
{
    int result;

    note_names(false);
    result = NEXT(sync_function *, "fsync")(fd);
    if (result == 0)
        confirm_names();
    return result;
}

static int sync_file(int fd)
{
    struct stat facts;
    char path[64];
    int result;

    if (fstat(fd, &facts) != 0)
        die("fstat");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    copy_file(path, (unsigned long long)facts.st_ino);
    result = NEXT(sync_function *, "fdatasync")(fd);
    if (result == 0)
        confirm_copy((unsigned long long)facts.st_ino);
    return result;
}

/* What is there when it is called is on the disk; what comes meanwhile is not. Directories are synced by the one, files by the other. */
int fsync(int fd)
{
    if (is_directory(fd) && fails("fsync"))
        return -1;
    return disk.shadow != NULL && is_directory(fd) ? sync_names(fd) : NEXT(sync_function *, "fsync")(fd);
}

int fdatasync(int fd)
{
    if (is_ours(fd) && fails("fdatasync"))
        return -1;
    return disk.shadow != NULL && is_ours(fd) ? sync_file(fd) : NEXT(sync_function *, "fdatasync")(fd);
}

#ifdef __LP64__
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int directory, const char *path, int flags, ...) __attribute__((alias("openat")));
ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) __attribute__((alias("pwrite")));
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t offset, off_t size) __attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off_t offset, off_t size) __attribute__((alias("posix_fallocate")));
#endif
