/*
 * Shared memory objects of POSIX. While an object is in use, its descriptor holds flock(), which ends with
 * the process however that ends: what is listed but not locked was left behind.
 *
 * Memory that another process takes away raises SIGBUS here when it is touched. The handler puts zero pages
 * of our own there and notes that the object is not whole. It is set when an object is made, unless it is set
 * already, and passes faults outside of objects to the handler that was there before. (When the kernel
 * touches such memory for us, in write() say, that call fails with EFAULT instead.)
 */
#include "store/memory/shm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/memory/purge.h"
#include "store/memory/shared_access.h"

#define FOLDER "/dev/shm" /* where Linux shows the objects as files */

#define PREFIX "umemd-"

enum {
    ATTEMPTS = 16, /* names tried; one is only lost to a start of another daemon at just that moment */
    PIECE_SIZE = 4 * 1024 * 1024,  /* bytes that are unmapped at once, at least */
    LARGEST_CUT = 16 * PIECE_SIZE, /* bytes */
    CUTS = 256,                    /* at once */
    END_COST = 64 * 1024,          /* bytes that take as long as the calls for an object's end */
    RANDOM_SIZE =
        12, /* bytes in a name, as hexadecimal digits: with the prefix 31 characters, which fit anywhere */
    NAME_CAPACITY = 1 + sizeof PREFIX + 2 * RANDOM_SIZE,
    PATH_CAPACITY = sizeof FOLDER + NAME_CAPACITY
};

struct um_shm {
    struct um_shm *
        next; /* the one made before it; the handler of SIGBUS walks these. While ending: the next one that ends */
    unsigned char *start; /* of the mapping */
    size_t length;        /* bytes; while ending: that are still mapped */
    int fd;               /* open and locked */
    bool is_ours_alone;   /* while ending: no other process has it mapped or can map it any more */
    volatile sig_atomic_t is_damaged;
    bool is_kept;             /* a file that stays: `path` is its name, too */
    char name[NAME_CAPACITY]; /* "/umemd-..." */
    char *path;               /* NULL: it is no file */
};

static bool purge(struct um_purge_source *purged);

static struct um_shm *objects;
static struct um_shm *ending; /* objects whose names are gone and that are unmapped piece by piece */
static size_t ending_count;
static struct um_purge_source source = {.run = purge};
static struct sigaction former; /* the handler of SIGBUS before ours */

/* ---- SIGBUS ---- */

static bool put_zeros(unsigned char *start, size_t size)
{
    return mmap(start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
                -1, 0) != MAP_FAILED;
}

/* Puts zeros where memory is missing: from the object's end on where it was cut, else in this one page. */
static bool repair(struct um_shm *shm, size_t at)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t first = at - at % page;
    struct stat facts;

    shm->is_damaged = 1;
    if (fstat(shm->fd, &facts) == 0 && (uint64_t)facts.st_size <= at) {
        size_t kept = ((size_t)facts.st_size + page - 1) / page * page;

        if (kept <= first && put_zeros(shm->start + kept, shm->length - kept))
            return true;
    }
    /* So many pages may be replaced that the system allows no more pieces: then all becomes one. */
    return put_zeros(shm->start + first, page) || put_zeros(shm->start, shm->length);
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    int error = errno;
    bool repaired = false;

    (void)context;
    for (struct um_shm *shm = objects; info->si_code > 0 && shm != NULL; shm = shm->next) {
        size_t at = (size_t)((uintptr_t)info->si_addr - (uintptr_t)shm->start);

        if (at < shm->length) {
            repaired = repair(shm, at);
            break;
        }
    }
    if (!repaired) {
        /* A fault comes again when we return, a signal that was sent does not. */
        sigaction(SIGBUS, &former, NULL);
        if (info->si_code <= 0)
            raise(number);
    }
    errno = error;
}

/* Also, an object that is larger than files may be is refused, rather than that SIGXFSZ ends the process. */
static bool guard(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    struct sigaction now;

    if (sigaction(SIGBUS, NULL, &now) != 0)
        return false;
    if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_bus_error)
        return true;
    former = now;
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) == 0;
}

/* ---- the end of objects ---- */

/* Unmapping a gigabyte takes some 130 ms, and twice as long if that frees its memory: large objects are
 * unmapped piece by piece, from their end on. */

/* Whether no other process has an object open whose name is gone: then the kernel grants this process a
 * lease. */
static bool is_ours_alone(int fd)
{
#ifdef F_SETLEASE
    /* A process that opens it at this moment causes a signal: one that does nothing. */
    if (fcntl(fd, F_SETSIG, SIGURG) != 0 || fcntl(fd, F_SETLEASE, F_WRLCK) != 0)
        return false;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return true;
#else
    (void)fd;
    return false;
#endif
}

/* Bytes of memory that an object has. */
static uint64_t memory_of(const struct um_shm *shm)
{
    struct stat facts;

    return fstat(shm->fd, &facts) == 0 ? (uint64_t)facts.st_blocks * 512 : UINT64_MAX;
}

/* Unmaps so much of an object's end. */
static void cut(struct um_shm *shm, size_t size)
{
    shm->length -= size;
    munmap(shm->start + shm->length, size);
    if (shm->is_ours_alone && shm->length > 0)
        (void)!ftruncate(shm->fd, (off_t)shm->length);
}

/* Unmaps an object's end, so that PIECE_SIZE bytes of memory are freed, or all of it. Parts without memory
 * cost next to nothing, and may be most of the object: the more of them follow each other, the more is
 * unmapped at once. Returns whether the object is gone. */
static bool end_piece(struct um_shm *shm)
{
    uint64_t before = memory_of(shm);
    uint64_t left = before;
    size_t size = shm->is_ours_alone ? PIECE_SIZE : LARGEST_CUT; /* otherwise only the mapping ends */

    for (int i = 0; i < CUTS && shm->length > 0 && before - left < PIECE_SIZE; i++) {
        uint64_t last = left;

        cut(shm, left <= PIECE_SIZE || size > shm->length ? shm->length : size);
        left = memory_of(shm);
        if (left != last)
            size = PIECE_SIZE;
        else if (!shm->is_ours_alone)
            break;
        else if (size < LARGEST_CUT)
            size *= 2;
    }
    um_purge_charge(before - left < PIECE_SIZE ? before - left + END_COST : PIECE_SIZE);
    if (shm->length > 0)
        return false;
    close(shm->fd);
    free(shm->path);
    free(shm);
    return true;
}

/* Takes the object that ends first out of the list. */
static struct um_shm *take_ending(void)
{
    struct um_shm *shm = ending;

    ending = shm->next;
    ending_count--;
    um_purge_set_pending(&source, ending != NULL);
    return shm;
}

static void add_ending(struct um_shm *shm)
{
    shm->next = ending;
    ending = shm;
    ending_count++;
    um_purge_set_pending(&source, true);
}

/* Ends the object that ends first as a whole. Returns whether there was one. */
static bool end_first(void)
{
    struct um_shm *shm;

    if (ending == NULL)
        return false;
    shm = take_ending();
    while (!end_piece(shm))
        continue;
    return true;
}

static bool purge(struct um_purge_source *purged)
{
    struct um_shm *shm;

    (void)purged;
    if (ending == NULL)
        return false;
    shm = take_ending();
    if (!end_piece(shm))
        add_ending(shm);
    return ending != NULL;
}

size_t um_shm_ending(void)
{
    return ending_count;
}

/* ---- making objects ---- */

static bool make_name(char name[NAME_CAPACITY])
{
    unsigned char bytes[RANDOM_SIZE];
    size_t end = (size_t)snprintf(name, NAME_CAPACITY, "/%s", PREFIX);

    if (getentropy(bytes, sizeof bytes) != 0)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        end += (size_t)snprintf(name + end, NAME_CAPACITY - end, "%02x", bytes[i]);
    return true;
}

/* Locks an object that was just made. Another daemon that starts may have taken it for a leftover before. The lock is a
 * shared one, which keeps that daemon's exclusive one out as well: .NET takes a shared lock of each file that it opens. */
static bool lock_object(int fd)
{
    struct stat facts;

    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        return errno != EWOULDBLOCK; /* where objects cannot be locked, they are not listed either */
    return fstat(fd, &facts) == 0 && facts.st_nlink != 0;
}

static bool open_object(struct um_shm *shm)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        int fd = -1;

        if (make_name(shm->name))
            fd = shm_open(shm->name, O_RDWR | O_CREAT | O_EXCL, 0600);
        /* Objects that are ending have descriptors. */
        if (fd < 0 && (errno == EMFILE || errno == ENFILE) && end_first())
            continue;
        if (fd < 0 && errno != EEXIST)
            return false;
        if (fd >= 0 && lock_object(fd)) {
            shm->fd = fd;
            return true;
        }
        if (fd >= 0) {
            shm_unlink(shm->name);
            close(fd);
        }
    }
    return false;
}

/* Lets in this user, or the group as well. The umask may have taken rights away, even ours. */
static bool set_access(int fd)
{
    const struct um_principal *group = um_shared_access();

    if (group == NULL)
        return fchmod(fd, 0600) == 0;
    return fchown(fd, (uid_t)-1, (gid_t)group->number) == 0 && fchmod(fd, 0660) == 0;
}

/* Whether a file has the rights that it is to have. An earlier daemon may have let a group in, and this one does not. */
static bool is_access_set(const struct stat *facts)
{
    return um_shared_access() == NULL && (facts->st_mode & 077) == 0;
}

/* Maps the object at a multiple of the unit: within a reservation that is a unit larger. */
static bool map(struct um_shm *shm)
{
    size_t reserved_size = shm->length + UM_SHM_UNIT;
    unsigned char *reserved =
        mmap(NULL, reserved_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before;

    if (reserved == MAP_FAILED)
        return false;
    before = (size_t)((UM_SHM_UNIT - (uintptr_t)reserved % UM_SHM_UNIT) % UM_SHM_UNIT);
    if (mmap(reserved + before, shm->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, shm->fd, 0) ==
        MAP_FAILED) {
        munmap(reserved, reserved_size);
        return false;
    }
    shm->start = reserved + before;
    if (before > 0)
        munmap(reserved, before);
    munmap(shm->start + shm->length, UM_SHM_UNIT - before);
    return true;
}

static bool set_path(struct um_shm *shm, const char *path)
{
    shm->path = malloc(strlen(path) + 1);
    if (shm->path == NULL)
        return false;
    strcpy(shm->path, path);
    return true;
}

/* Sets the path where the object is the file that it seems to be. False: no memory. */
static bool find_path(struct um_shm *shm)
{
    struct stat opened;
    struct stat named;
    char path[PATH_CAPACITY];

    snprintf(path, sizeof path, "%s%s", FOLDER, shm->name);
    if (fstat(shm->fd, &opened) != 0 || lstat(path, &named) != 0 || opened.st_dev != named.st_dev ||
        opened.st_ino != named.st_ino)
        return true;
    return set_path(shm, path);
}

static struct um_shm *new_object(uint64_t length)
{
    struct um_shm *shm;

    if (length > PTRDIFF_MAX / 2 || !guard())
        return NULL;
    shm = calloc(1, sizeof *shm);
    if (shm == NULL)
        return NULL;
    shm->length = (size_t)length;
    shm->fd = -1;
    return shm;
}

/* Frees an object that was never mapped. */
static void discard(struct um_shm *shm)
{
    if (shm->fd >= 0)
        close(shm->fd);
    free(shm->path);
    free(shm);
}

struct um_shm *um_shm_new(uint64_t length)
{
    struct um_shm *shm = new_object(length);

    if (shm == NULL)
        return NULL;
    if (!open_object(shm)) {
        discard(shm);
        return NULL;
    }
    if (!set_access(shm->fd) || ftruncate(shm->fd, (off_t)length) != 0 || !find_path(shm) || !map(shm)) {
        shm_unlink(shm->name);
        discard(shm);
        return NULL;
    }
    shm->next = objects;
    objects = shm;
    return shm;
}

struct um_shm *um_shm_open(const char *path, uint64_t length)
{
    struct um_shm *shm = new_object(length);
    struct stat facts;

    if (shm == NULL)
        return NULL;
    shm->is_kept = true;
    if (set_path(shm, path))
        shm->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (shm->fd < 0 || fstat(shm->fd, &facts) != 0 || !S_ISREG(facts.st_mode) ||
        (uint64_t)facts.st_size < length || !(is_access_set(&facts) || set_access(shm->fd)) || !map(shm)) {
        discard(shm);
        return NULL;
    }
    shm->next = objects;
    objects = shm;
    return shm;
}

void um_shm_free(struct um_shm *shm)
{
    struct um_shm **link = &objects;

    if (shm == NULL)
        return;
    while (*link != shm)
        link = &(*link)->next;
    *link = shm->next;
    if (!shm->is_kept)
        shm_unlink(shm->name);
    if (shm->length <= PIECE_SIZE) {
        end_piece(shm);
        return;
    }
    shm->is_ours_alone = !shm->is_kept && is_ours_alone(shm->fd);
    add_ending(shm);
}

unsigned char *um_shm_start(const struct um_shm *shm)
{
    return shm->start;
}

const char *um_shm_name(const struct um_shm *shm)
{
    return shm->is_kept ? shm->path : shm->name;
}

const char *um_shm_path(const struct um_shm *shm)
{
    return shm->path;
}

/* ---- memory ---- */

bool um_shm_commit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
    int error;

    if (!um_shm_check(shm))
        return false;
    do {
#if defined(__linux__)
        error = fallocate(shm->fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) == 0 ? 0 : errno;
        if (error == EOPNOTSUPP) /* then zeros are written where there is nothing */
            error = posix_fallocate(shm->fd, (off_t)offset, (off_t)size);
#elif defined(__APPLE__)
        error = 0; /* there, such memory is swapped like any other */
        (void)offset;
        (void)size;
#else
        error = posix_fallocate(shm->fd, (off_t)offset, (off_t)size);
#endif
    } while (error == EINTR);
    return error == 0;
}

bool um_shm_decommit(struct um_shm *shm, uint64_t offset, uint64_t size)
{
#ifdef __linux__
    return fallocate(shm->fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, (off_t)offset, (off_t)size) == 0;
#else
    (void)shm;
    (void)offset;
    (void)size;
    return false;
#endif
}

bool um_shm_flush(const struct um_shm *shm)
{
#ifdef __linux__
    (void)shm; /* a file and its mappings share their pages: what syncs the file writes all of them */
    return true;
#else
    return msync(shm->start, shm->length, MS_SYNC) == 0;
#endif
}

bool um_shm_is_whole(const struct um_shm *shm)
{
    return !shm->is_damaged;
}

bool um_shm_check(struct um_shm *shm)
{
    struct stat facts;

    if (fstat(shm->fd, &facts) != 0 || (uint64_t)facts.st_size < shm->length)
        shm->is_damaged = 1;
    return !shm->is_damaged;
}

/* ---- what was left behind ---- */

/* Removes an object that no process has locked. It is opened by its name first, so that the lock and the name
 * are the same object's: only a daemon that holds the lock removes such a name. */
static bool remove_leftover(const char *name)
{
    int fd = shm_open(name, O_RDWR, 0);
    bool removed = false;
    struct stat facts;

    if (fd < 0)
        return false;
    if (fstat(fd, &facts) == 0 && facts.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
        removed = shm_unlink(name) == 0;
    close(fd);
    return removed;
}

/* Whether a name is one that make_name() makes, but for its "/". */
static bool is_ours(const char *name)
{
    static const char prefix[] = PREFIX;

    return strncmp(name, prefix, sizeof prefix - 1) == 0 && strlen(name) == NAME_CAPACITY - 2 &&
           strspn(name + sizeof prefix - 1, "0123456789abcdef") == 2 * RANDOM_SIZE;
}

size_t um_shm_remove_stale(void)
{
    size_t count = 0;
    struct dirent *entry;
    char name[NAME_CAPACITY];
    DIR *folder = opendir(FOLDER);

    if (folder == NULL)
        return 0;
    for (entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!is_ours(entry->d_name))
            continue;
        snprintf(name, sizeof name, "/%.*s", NAME_CAPACITY - 2, entry->d_name);
        count += remove_leftover(name);
    }
    closedir(folder);
    return count;
}
