#include "cli/transfer/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/system/file_io.h"

enum { TRIES = 100, MARK_ROOM = 48 };

/* ---- interrupted ---- */

/* What a signal takes away before it ends the process; NULL: nothing. */
static char *volatile unfinished;

static const int ending_signals[] = {SIGHUP, SIGINT, SIGTERM};

enum { ENDING_COUNT = sizeof ending_signals / sizeof ending_signals[0] };

static void on_signal(int signal_number)
{
    if (unfinished != NULL)
        unlink(unfinished);
    /* It was set back to its default action, which follows when this returns. */
    raise(signal_number);
}

static void guard(char *temporary)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    unfinished = temporary;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < ENDING_COUNT; i++) {
        /* What was ignored stays so. */
        if (sigaction(ending_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(ending_signals[i], &action, NULL);
    }
}

static void release(struct cli_atomic_file *file)
{
    unfinished = NULL;
    free(file->temporary);
    free(file->target);
    file->temporary = NULL;
    file->target = NULL;
}

/* ---- which way ---- */

static bool is_standard_output(const struct stat *facts)
{
    struct stat output;

    return fstat(CLI_OUTPUT, &output) == 0 && output.st_dev == facts->st_dev &&
           output.st_ino == facts->st_ino;
}

static bool is_ours_alone(const struct stat *facts)
{
    return S_ISREG(facts->st_mode) && facts->st_nlink == 1 && facts->st_uid == geteuid();
}

/* Names there stand for open files, whose paths are not theirs to be replaced. */
static bool is_the_systems(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

/* The path under which a file is replaced: that of the file itself, not of a link to it. NULL: it is not to be replaced. */
static char *find_target(const char *path, bool exists, const struct stat *facts)
{
    struct stat link;

    if (is_the_systems(path))
        return NULL;
    if (exists)
        return is_ours_alone(facts) ? realpath(path, NULL) : NULL;
    /* A link that leads nowhere is followed by making the file there. */
    return lstat(path, &link) != 0 && errno == ENOENT ? strdup(path) : NULL;
}

/* Makes a file of a new name beside its place; file->temporary is that name. A signal comes before it is there, or when it is
 * known what to take away. */
static bool make_guarded(struct cli_atomic_file *file, char *temporary, size_t room)
{
    sigset_t ending;
    sigset_t before;

    sigemptyset(&ending);
    for (int i = 0; i < ENDING_COUNT; i++)
        sigaddset(&ending, ending_signals[i]);
    file->temporary = temporary;
    sigprocmask(SIG_BLOCK, &ending, &before);
    for (int i = 0; i < TRIES && file->file < 0; i++) {
        snprintf(temporary, room, "%s.umem-%lx-%x", (char *)file->target, (unsigned long)getpid(), i);
        file->file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->file < 0 && errno != EEXIST)
            break;
    }
    if (file->file >= 0)
        guard(temporary);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return file->file >= 0;
}

/* Makes the temporary file, with the rights of the one that is there. Returns whether it is there. */
static bool make_beside(struct cli_atomic_file *file, const struct stat *old)
{
    size_t room = strlen(file->target) + MARK_ROOM;
    char *temporary = malloc(room);

    if (temporary == NULL || !make_guarded(file, temporary, room))
        return false;
    if (old == NULL ||
        (fchown(file->file, (uid_t)-1, old->st_gid) == 0 && fchmod(file->file, old->st_mode & 07777) == 0))
        return true;
    close(file->file);
    file->file = -1;
    unlink(temporary);
    return false;
}

static bool open_in_place(struct cli_atomic_file *file, const char *path)
{
    struct stat facts;

    file->file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    file->is_uncut = file->file >= 0 && fstat(file->file, &facts) == 0 && S_ISREG(facts.st_mode);
    return file->file >= 0;
}

bool cli_atomic_file_open(struct cli_atomic_file *file, const char *path)
{
    struct stat facts;
    bool exists;

    *file = (struct cli_atomic_file){.file = CLI_OUTPUT, .is_foreign = true};
    if (path == NULL || strcmp(path, "-") == 0)
        return true;
    exists = stat(path, &facts) == 0;
    if (exists && is_standard_output(&facts))
        return true;
    *file = (struct cli_atomic_file){.file = -1};
    /* A file that must not be written is not to be replaced either. */
    if (exists && access(path, W_OK) != 0)
        return false;
    file->target = find_target(path, exists, &facts);
    if (file->target != NULL && make_beside(file, exists ? &facts : NULL))
        return true;
    release(file);
    return open_in_place(file, path);
}

/* ---- its bytes ---- */

static bool cut(struct cli_atomic_file *file)
{
    if (file->is_uncut && ftruncate(file->file, 0) != 0)
        return false;
    file->is_uncut = false;
    return true;
}

bool cli_atomic_file_write(struct cli_atomic_file *file, const void *bytes, size_t size)
{
    if (file->is_foreign && !cli_flush())
        return false;
    return cut(file) && cli_write_file(file->file, bytes, size);
}

bool cli_atomic_file_commit(struct cli_atomic_file *file)
{
    bool is_done = cut(file);
    int reason;

    if (file->is_foreign)
        return true;
    is_done = is_done && close(file->file) == 0;
    file->file = -1;
    if (is_done && file->target != NULL)
        is_done = rename(file->temporary, file->target) == 0;
    reason = errno;
    if (!is_done)
        cli_atomic_file_discard(file);
    release(file);
    errno = reason;
    return is_done;
}

void cli_atomic_file_discard(struct cli_atomic_file *file)
{
    if (!file->is_foreign && file->file >= 0)
        close(file->file);
    if (file->temporary != NULL)
        unlink(file->temporary);
    release(file);
    *file = (struct cli_atomic_file){.file = -1};
}
